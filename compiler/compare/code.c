/*
 * code.c - the C of two models, by diff(1): b's is emitted under a's name, which is no
 * difference of theirs.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "compare.h"

#include "command.h"

/* The text in memory, as a file that diff can open by its number; or -1, reported. */
static int text_file(const Net *net)
{
	TextStream stream;
	size_t size, written = 0;
	text_open(&stream);
	emit_program(net, stream.out);
	const char *text = text_close(&stream, &size);
	int fd = memfd_create("nnc", 0);
	while (fd >= 0 && written < size) {
		ssize_t n = write(fd, text + written, size - written);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			close(fd);
			fd = -1;
			break;
		}
		written += (size_t)n;
	}
	if (fd < 0)
		fprintf(stderr, "nnc: error: cannot write the generated C: %s\n",
			strerror(errno));
	return fd;
}

/* diff's output without its two lines of names; NULL: it failed, reported. */
static const char *run_diff(int a, int b, int context)
{
	Command c = {0};
	const char *why, *text;
	int status = 0;
	command_add(&c, "diff");
	command_add(&c, "-p");
	command_add(&c, arena_printf("-U%d", context < 0 ? 0 : context));
	command_add(&c, arena_printf("/dev/fd/%d", a));
	command_add(&c, arena_printf("/dev/fd/%d", b));
	text = command_result(&c, &status, &why);
	if (text && status <= 1) {
		for (int line = 0; line < 2 && *text; line++)
			text += strcspn(text, "\n") + 1;
		return text;
	}
	fprintf(stderr, "nnc: error: diff fails: %s\n",
		text ? arena_printf("exit status %d", status) : why);
	fprintf(stderr,
		"help: apt-get install diffutils, or leave the C out: --no-c\n");
	return NULL;
}

static void count_lines(const char *text, int *removed, int *added)
{
	*removed = *added = 0;
	for (; *text; text += strcspn(text, "\n") + (strchr(text, '\n') != NULL)) {
		*removed += *text == '-';
		*added += *text == '+';
	}
}

static void print_line(const Comparison *c, const char *line, int length)
{
	const char *code = *line == '-'   ? "31"
			   : *line == '+' ? "32"
			   : *line == '@' ? "36"
					  : NULL;
	if (code && c->colour)
		fprintf(c->out, "\033[%sm%.*s\033[0m\n", code, length, line);
	else
		fprintf(c->out, "%.*s\n", length, line);
}

static void print_code(const Comparison *c, const char *text)
{
	const char *bold = colour(c, "1"), *plain = colour(c, "0");
	fprintf(c->out, "\n%s--- %s%s\n%s+++ %s%s\n", bold, c->name_a, plain, bold,
		c->name_b, plain);
	while (*text) {
		size_t length = strcspn(text, "\n");
		print_line(c, text, (int)length);
		text += length + (text[length] == '\n');
	}
}

bool compare_code(const Comparison *c, int context, int *status)
{
	Net b = *c->b;
	b.name = c->a->name;
	b.file = c->a->file;
	int left = text_file(c->a), right = left < 0 ? -1 : text_file(&b);
	const char *text = right < 0 ? NULL : run_diff(left, right, context);
	*status = right < 0 ? EXIT_IO : text ? 0 : EXIT_COMPILER;
	if (left >= 0)
		close(left);
	if (right >= 0)
		close(right);
	if (!text)
		return false;
	int removed, added;
	count_lines(text, &removed, &added);
	if (*text)
		fprintf(c->out, "\ngenerated C              %d lines - %d lines +\n",
			removed, added);
	else
		fputs("\ngenerated C              the same\n", c->out);
	if (*text && context >= 0)
		print_code(c, text);
	return *text != '\0';
}
