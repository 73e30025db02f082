/* test_file.c - atomic writes, and errors as values. */
#include "internal.h"
#include "temp_folder.h"

#include <CUnit/Basic.h>
#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern void suite_file(void);

/* Files in the folder, "." and ".." not counted. */
static int count_files(void)
{
	DIR *folder = opendir(temp_path("."));
	int count = -2;

	while (readdir(folder))
		count++;
	closedir(folder);
	return count;
}

static void expect_content(const char *path, const char *want)
{
	NncBytes bytes;

	CU_ASSERT_EQUAL_FATAL(nnc_read_file(&bytes, path, 1 << 24, NULL), NNC_OK);
	CU_ASSERT_EQUAL(bytes.size, strlen(want));
	CU_ASSERT(memcmp(bytes.data, want, strlen(want)) == 0);
	nnc_bytes_free(&bytes);
}

static void write_and_replace(void)
{
	const char *path = temp_path("f");
	NncFile file;

	CU_ASSERT_EQUAL(nnc_write_file(path, "one", 3, NULL), NNC_OK);
	expect_content(path, "one");
	CU_ASSERT_EQUAL_FATAL(nnc_file_open(&file, path, NULL), NNC_OK);
	CU_ASSERT_EQUAL(nnc_file_write(&file, "tw", 2, NULL), NNC_OK);
	CU_ASSERT_EQUAL(nnc_file_printf(&file, NULL, "%c %d", 'o', 42), NNC_OK);
	expect_content(path, "one");
	CU_ASSERT_EQUAL(count_files(), 2);
	CU_ASSERT_EQUAL(nnc_file_commit(&file, NULL, NULL), NNC_OK);
	expect_content(path, "two 42");
	CU_ASSERT_EQUAL_FATAL(nnc_file_open(&file, path, NULL), NNC_OK);
	nnc_file_abort(&file);
	nnc_file_abort(&file);
	expect_content(path, "two 42");
	CU_ASSERT_EQUAL(count_files(), 1);
}

/* Around the size of the buffer, in pieces of all sizes. */
static void pieces(void)
{
	enum { SIZE = 300000 };
	char *text = malloc(SIZE + 1);
	const char *path = temp_path("pieces");
	size_t at = 0;
	NncFile file;

	for (size_t i = 0; i < SIZE; i++)
		text[i] = (char)('a' + i % 23);
	text[SIZE] = 0;
	CU_ASSERT_EQUAL_FATAL(nnc_file_open(&file, path, NULL), NNC_OK);
	for (size_t piece = 1; at < SIZE; at += piece, piece = piece * 3 % 70001) {
		if (piece > SIZE - at)
			piece = SIZE - at;
		CU_ASSERT_EQUAL_FATAL(nnc_file_write(&file, text + at, piece, NULL),
				      NNC_OK);
	}
	CU_ASSERT_EQUAL(nnc_file_commit(&file, NULL, NULL), NNC_OK);
	expect_content(path, text);
	free(text);
}

static void errors(void)
{
	NncFile file = {0};
	NncError err;

	CU_ASSERT_EQUAL(nnc_write_file(temp_path("no/f"), "", 0, &err), NNC_IO);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.message, "No such file"));
	CU_ASSERT_EQUAL(nnc_write_file(temp_path("."), "", 0, &err), NNC_IO);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.message, "a folder"));
	CU_ASSERT_EQUAL(nnc_write_file("/dev/full", "", 0, &err), NNC_IO);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.message, "not a regular file"));
	CU_ASSERT_EQUAL(nnc_write_file("", "", 0, &err), NNC_IO);
	CU_ASSERT_EQUAL(nnc_file_write(&file, "", 0, &err), NNC_BUG);
	CU_ASSERT_EQUAL(nnc_file_commit(&file, NULL, &err), NNC_BUG);
}

/* A limit on the size of files stands for a full disk. */
static void full(void)
{
	static const char zeros[1 << 20];
	const char *path = temp_path("full");
	struct rlimit old, low = {100000, 100000};
	int before;
	NncError err;

	CU_ASSERT_EQUAL(nnc_write_file(path, "old", 3, NULL), NNC_OK);
	before = count_files();
	getrlimit(RLIMIT_FSIZE, &old);
	low.rlim_max = old.rlim_max;
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &low);
	CU_ASSERT_EQUAL(nnc_write_file(path, zeros, sizeof zeros, &err), NNC_IO);
	setrlimit(RLIMIT_FSIZE, &old);
	signal(SIGXFSZ, SIG_DFL);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.message, "File too large"));
	expect_content(path, "old");
	CU_ASSERT_EQUAL(count_files(), before);
}

/* What a killed writer leaves is cleared away by the next; a live one's is not. */
static void killed(void)
{
	const char *path = temp_path("killed");
	int before = count_files();
	NncFile file;
	pid_t child = fork();

	if (child == 0) {
		if (nnc_file_open(&file, path, NULL) == NNC_OK)
			raise(SIGKILL);
		_exit(1);
	}
	waitpid(child, NULL, 0);
	CU_ASSERT_EQUAL(count_files(), before + 1);
	CU_ASSERT_EQUAL_FATAL(nnc_file_open(&file, path, NULL), NNC_OK);
	CU_ASSERT_EQUAL(count_files(), before + 1);
	CU_ASSERT_EQUAL(nnc_write_file(path, "x", 1, NULL), NNC_OK);
	CU_ASSERT_EQUAL(count_files(), before + 2);
	CU_ASSERT_EQUAL(nnc_file_commit(&file, NULL, NULL), NNC_OK);
	expect_content(path, "");
	CU_ASSERT_EQUAL(count_files(), before + 1);
}

static void error_values(void)
{
	static const int codes[] = {NNC_OK,      NNC_FAILED, NNC_USAGE, NNC_DATA,
				    NNC_NOINPUT, NNC_BUG,    NNC_NOMEM, NNC_IO,
				    NNC_CPU,     12345};
	char longer[4096], quoted[80];
	NncError err;

	for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
		CU_ASSERT_PTR_NOT_NULL(nnc_strerror(codes[i]));
	CU_ASSERT_EQUAL(nnc_fail(NULL, NNC_IO, "%d", 1), NNC_IO);
	CU_ASSERT_EQUAL(nnc_fail(&err, NNC_IO, "disk %d", 1), NNC_IO);
	CU_ASSERT_EQUAL(nnc_fail(&err, NNC_DATA, "cannot: %s", err.message), NNC_DATA);
	CU_ASSERT_STRING_EQUAL(err.message, "cannot: disk 1");
	memset(longer, 'x', sizeof longer);
	longer[sizeof longer - 1] = 0;
	nnc_fail(&err, NNC_IO, "%s", longer);
	CU_ASSERT_EQUAL(strlen(err.message), sizeof err.message - 1);
	CU_ASSERT_STRING_EQUAL(nnc_quote(quoted, "a\n\"\x1b[2J"),
			       "a\\x0a\\x22\\x1b[2J");
	CU_ASSERT(strlen(nnc_quote(quoted, longer)) < 80);
	memset(longer, 1, sizeof longer - 1);
	CU_ASSERT(strlen(nnc_quote(quoted, longer)) < 80);
	memset(longer, '\xc3', sizeof longer - 1);
	CU_ASSERT(strlen(nnc_quote(quoted, longer)) < 80);
}

static void products(void)
{
	size_t size = 1;

	CU_ASSERT(nnc_multiply(&size, SIZE_MAX / 2));
	CU_ASSERT(!nnc_multiply(&size, 2));
	CU_ASSERT_EQUAL(size, SIZE_MAX / 2);
	CU_ASSERT(nnc_multiply(&size, 0));
	CU_ASSERT_EQUAL(size, 0);
	CU_ASSERT_PTR_NULL(nnc_allocate(SIZE_MAX / 2, 3));
}

void suite_file(void)
{
	CU_pSuite suite = CU_add_suite("file", temp_folder_make, temp_folder_remove);

	CU_add_test(suite, "write and replace", write_and_replace);
	CU_add_test(suite, "pieces", pieces);
	CU_add_test(suite, "errors", errors);
	CU_add_test(suite, "full", full);
	CU_add_test(suite, "killed", killed);
	CU_add_test(suite, "error values", error_values);
	CU_add_test(suite, "products", products);
}
