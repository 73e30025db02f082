/* temp_folder.c - see temp_folder.h. */
#define _GNU_SOURCE /* nftw */
#include "temp_folder.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

static char folder[256];

int temp_folder_make(void)
{
	const char *base = getenv("TMPDIR");

	snprintf(folder, sizeof folder, "%s/nnc-test-XXXXXX", base ? base : P_tmpdir);
	return mkdtemp(folder) == NULL;
}

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

int temp_folder_remove(void)
{
	return nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *temp_path(const char *name)
{
	static char path[8][512];
	static unsigned turn;
	char *slot = path[turn++ % 8];

	snprintf(slot, sizeof path[0], "%s/%s", folder, name);
	return slot;
}

static const char *path_with_folders(const char *name)
{
	const char *path = temp_path(name);
	char part[512];

	for (const char *at = path + strlen(folder) + 1; (at = strchr(at, '/')); at++) {
		snprintf(part, sizeof part, "%.*s", (int)(at - path), path);
		mkdir(part, 0700);
	}
	return path;
}

const char *temp_write(const char *name, const void *bytes, size_t count)
{
	const char *path = path_with_folders(name);
	FILE *file = fopen(path, "wb");

	if (!file || fwrite(bytes, 1, count, file) != count || fclose(file) != 0)
		abort();
	return path;
}

const char *temp_gzip(const char *name, const void *bytes, size_t count)
{
	const char *path = path_with_folders(name);
	gzFile file = gzopen(path, "wb");

	if (!file || gzwrite(file, bytes, (unsigned)count) != (int)count ||
	    gzclose(file) != Z_OK)
		abort();
	return path;
}
