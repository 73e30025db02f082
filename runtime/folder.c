/*
 * folder.c - the folder of a run, MODEL.run/ or --out: its names, its lock, and what
 * becomes of an earlier run's files when another starts.
 */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* The last weights come first: without them nothing of the old run can be resumed. */
static const char *const files[] = {
	"last.safetensors", "best.safetensors", "history.csv", "history.jsonl",
	"curves.gnuplot",   "curves.svg",       "curves.png",
};

void nnc_folder_file(char out[NNC_MAX_PATH], const NncFolder *folder, const char *name)
{
	snprintf(out, NNC_MAX_PATH, "%s/%s", folder->path, name);
}

int nnc_folder_name(NncFolder *folder, const char *program, const char *out,
		    NncError *err)
{
	const char *slash = strrchr(program, '/');
	size_t room = sizeof folder->path;
	int n;

	memset(folder, 0, sizeof *folder);
	if (out)
		n = snprintf(folder->path, room, "%s", out);
	else
		n = snprintf(folder->path, room, "%s.run", slash ? slash + 1 : program);
	if (n < 0 || (size_t)n >= room)
		return nnc_fail(err, NNC_USAGE, "the folder's name is too long");
	while (n > 1 && folder->path[n - 1] == '/')
		folder->path[--n] = '\0';
	return NNC_OK;
}

/* mkdir -p. */
static int make_folders(const char *path)
{
	char part[NNC_MAX_PATH];

	snprintf(part, sizeof part, "%s", path);
	for (char *p = part + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdir(part, 0777) && errno != EEXIST)
			return -1;
		*p = '/';
	}
	return mkdir(part, 0777) && errno != EEXIST ? -1 : 0;
}

int nnc_folder_open(NncFolder *folder, NncError *err)
{
	if (make_folders(folder->path))
		return nnc_fail(err, NNC_IO, "cannot make the folder %s: %s",
				folder->path, strerror(errno));
	folder->fd = open(folder->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder->fd < 0)
		return nnc_fail(err, NNC_IO, "cannot open the folder %s: %s",
				folder->path, strerror(errno));
	folder->open = true;
	/* a file system without locks is no reason not to train */
	if (flock(folder->fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK) {
		nnc_folder_close(folder);
		return nnc_fail(err, NNC_IO,
				"another run is writing to %s\n"
				"help: wait for it, or give --out another folder",
				folder->path);
	}
	return NNC_OK;
}

int nnc_folder_start_over(const NncFolder *folder, bool *moved, NncError *err)
{
	char old[NNC_MAX_PATH], kept[NNC_MAX_PATH + 1];

	*moved = false;
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		nnc_folder_file(old, folder, files[i]);
		snprintf(kept, sizeof kept, "%s~", old);
		if (!rename(old, kept))
			*moved = true;
		else if (errno != ENOENT)
			return nnc_fail(err, NNC_IO, "cannot rename %s: %s", old,
					strerror(errno));
		else if (*moved && unlink(kept) && errno != ENOENT)
			return nnc_fail(err, NNC_IO, "cannot remove %s: %s", kept,
					strerror(errno));
	}
	return NNC_OK;
}

void nnc_folder_close(NncFolder *folder)
{
	if (folder->open)
		close(folder->fd);
	folder->open = false;
}
