/* main.c - libFuzzer's entry points: runs the harness that the program is named after.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "harness.h"

#include <malloc.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const Harness *harness;

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

void expect(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "FINDING: %s\n", what);
	abort();
}

/* Of the C0 controls only line ends and tabs, and no DEL. */
void expect_plain(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)text[i];
		expect((c >= 32 && c != 127) || c == '\n' || c == '\t',
		       "a control character is printed");
	}
}

static ssize_t forget(void *cookie, const char *text, size_t size)
{
	(void)cookie;
	expect_plain(text, size);
	return (ssize_t)size;
}

FILE *sink(void)
{
	static FILE *stream;
	if (!stream)
		stream = fopencookie(NULL, "w",
				     (cookie_io_functions_t){.write = forget});
	expect(stream, "fopencookie");
	__fsetlocking(stream, FSETLOCKING_BYCALLER);
	return stream;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *files = getenv("NNC_FUZZ_FILES");
	const char *slash = strrchr((*argv)[0], '/');
	const char *name = slash ? slash + 1 : (*argv)[0];

	(void)argc;
	mallopt(M_TRIM_THRESHOLD, 1 << 28); /* what is freed is soon used again */
	mallopt(M_MMAP_THRESHOLD, 1 << 28);
	for (harness = harnesses; harness->name; harness++)
		if (strcmp(harness->name, name) == 0)
			break;
	if (!harness->name || (files && chdir(files) != 0)) {
		fprintf(stderr, "%s: call me by a harness's name:", name);
		for (harness = harnesses; harness->name; harness++)
			fprintf(stderr, " %s", harness->name);
		fputs("\n", stderr);
		exit(2);
	}
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	harness->run(bytes, size);
	return 0;
}
