/*
 * folder.c - private folders for what is not finished. One that is still there when nnc
 * ends, as where memory ran out, is removed then.
 */
#define _GNU_SOURCE /* getdents64 */
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nnc.h"

enum { MOST = 4 /* at a time */ };

static char paths[MOST][PATH_MAX];
static int count;

/* Also where there is no memory, which opendir() takes. */
static void remove_all(const char *path)
{
	_Alignas(struct dirent64) char entries[4096];
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ssize_t n;
	while (fd >= 0 && (n = getdents64(fd, entries, sizeof entries)) > 0)
		for (ssize_t at = 0; at < n;) {
			const struct dirent64 *entry = (const void *)(entries + at);
			unlinkat(fd, entry->d_name, 0);
			at += entry->d_reclen;
		}
	if (fd >= 0)
		close(fd);
	rmdir(path);
}

static void remove_unfinished(void)
{
	while (count > 0)
		remove_all(paths[--count]);
}

const char *temporary_base(void)
{
	const char *base = getenv("TMPDIR");
	return base && *base ? base : "/tmp";
}

const char *private_folder(void)
{
	static bool registered;
	char *path = paths[count];
	assert(count < MOST);
	if (!registered && atexit(remove_unfinished) != 0)
		out_of_memory();
	registered = true;
	int n = snprintf(path, PATH_MAX, "%s/nnc-XXXXXX", temporary_base());
	if (n < 0 || n >= PATH_MAX) {
		errno = ENAMETOOLONG;
		return NULL;
	}
	if (!mkdtemp(path))
		return NULL;
	count++;
	return path;
}

void end_folder(const char *path, bool keep)
{
	assert(count > 0 && path == paths[count - 1]);
	count--;
	if (!keep)
		remove_all(path);
}
