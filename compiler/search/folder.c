/*
 * folder.c - NAME.tune/: its lock, its files. Each file is the old one or the new one,
 * whole, whenever we are killed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "search/search.h"

static int fail(const char *what, const char *path)
{
	fprintf(stderr, "nnc: error: cannot %s %s: %s\n", what, path, strerror(errno));
	return EXIT_IO;
}

const char *folder_file(const Search *s, const char *name)
{
	return arena_printf("%s/%s", s->folder, name);
}

int folder_write(const Search *s, const char *name, const char *text, size_t size)
{
	NncError err;
	if (nnc_write_file(folder_file(s, name), text, size, &err) == NNC_OK)
		return 0;
	fprintf(stderr, "nnc: error: %s\n", err.message);
	return err.code;
}

static int remove_one(const char *path, const struct stat *st, int kind,
		      struct FTW *walk)
{
	(void)st;
	(void)kind;
	(void)walk;
	remove(path);
	return 0;
}

void remove_tree(const char *path)
{
	nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* FNV-1a, 64 bits. */
const char *fingerprint(const char *text, size_t size)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	for (size_t i = 0; i < size; i++)
		h = (h ^ (unsigned char)text[i]) * UINT64_C(0x100000001b3);
	return arena_printf("%016llx", (unsigned long long)h);
}

/* ---- opening ---- */

static int make_folder(const char *path)
{
	char *copy = arena_printf("%s", path);
	for (char *c = copy + 1; *c; c++) {
		if (*c != '/')
			continue;
		*c = '\0';
		if (mkdir(copy, 0777) != 0 && errno != EEXIST)
			return fail("make", copy);
		*c = '/';
	}
	return mkdir(copy, 0777) != 0 && errno != EEXIST ? fail("make", copy) : 0;
}

/*
 * The lock is its jobs' too: after a kill -9 the folder is ours when the last of them
 * has gone, which takes a moment. A file system without locks is no reason not to go
 * on.
 */
static int take_lock(Search *s)
{
	const double patience = 5;                    /* seconds */
	const struct timespec pause = {0, 50000000L}; /* 50 ms */
	double began = nnc_clock();
	const char *path = folder_file(s, "lock");
	s->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (s->lock < 0)
		return fail("write", path);
	while (flock(s->lock, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
		if (nnc_clock() - began > patience) {
			fprintf(stderr,
				"nnc: error: another search is at work in %s\n"
				"help: wait for it, or give --out another folder\n",
				s->folder);
			return EXIT_IO;
		}
		nanosleep(&pause, NULL);
	}
	return 0;
}

int folder_open(Search *s)
{
	static const char *const parts[] = {"jobs", "variants", "tmp"};
	int status = make_folder(s->folder);
	if (!status)
		status = take_lock(s);
	if (!status)
		remove_tree(folder_file(s, "tmp")); /* of a search that was killed */
	for (int i = 0; i < 3 && !status; i++)
		status = make_folder(folder_file(s, parts[i]));
	return status;
}

void folder_close(Search *s, bool keep)
{
	if (!keep)
		remove_tree(folder_file(s, "tmp"));
	close(s->lock);
}
