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
#include <time.h>
#include <unistd.h>

/* The last weights come first: without them nothing of the old run can be resumed. */
static const char *const files[] = {
	NNC_LAST,          NNC_LAST_PREVIOUS, NNC_BEST,
	NNC_BEST_PREVIOUS, "history.csv",     "history.jsonl",
	"curves.gnuplot",  "curves.svg",      "curves.png",
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

/* mkdir, which is to survive a loss of power. `path` is as it was afterwards. */
static int make_folder(char *path)
{
	char *slash = strrchr(path, '/');
	int fd, result;

	if (mkdir(path, 0777))
		return errno == EEXIST ? 0 : -1;
	if (slash && slash != path)
		*slash = '\0';
	fd = open(!slash          ? "."
		  : slash == path ? "/"
				  : path,
		  O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (slash)
		*slash = '/';
	if (fd < 0)
		return errno == EACCES ? 0 : -1; /* it may be written, but not read */
	result = nnc_sync(fd) ? 0 : -1;
	close(fd);
	return result;
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
		if (make_folder(part))
			return -1;
		*p = '/';
	}
	return make_folder(part);
}

/* False: another run has it. A run that was killed as it started gnuplot has it for a
   moment longer, until that process has begun. */
static bool lock(int fd)
{
	static const struct timespec nap = {.tv_nsec = 50000000};

	for (int i = 0; i < 20; i++) {
		if (!flock(fd, LOCK_EX | LOCK_NB) || errno != EWOULDBLOCK)
			return true;
		nanosleep(&nap, NULL);
	}
	return false;
}

int nnc_folder_open(NncFolder *folder, NncError *err)
{
	if (make_folders(folder->path))
		return nnc_fail_io(err, "make the folder", folder->path);
	folder->fd = open(folder->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder->fd < 0)
		return nnc_fail_io(err, "open the folder", folder->path);
	folder->open = true;
	/* a file system without locks is no reason not to train */
	if (!lock(folder->fd)) {
		nnc_folder_close(folder);
		return nnc_fail(err, NNC_IO,
				"another run is writing to %s\n"
				"help: wait for it, or give --out another folder",
				folder->path);
	}
	return NNC_OK;
}

/* Is what is there a run that was not trained for one step? */
static bool untrained(const char *last)
{
	NncState state;

	return !nnc_checkpoint_state(last, &state, NULL) && !state.epoch && !state.step;
}

int nnc_folder_start_over(const NncFolder *folder, bool *moved, NncError *err)
{
	char old[NNC_MAX_PATH], kept[NNC_MAX_PATH + 1];

	*moved = false;
	nnc_folder_file(old, folder, NNC_LAST);
	if (untrained(old)) {
		if (unlink(old))
			return nnc_fail_io(err, "remove", old);
		return NNC_OK;
	}
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		nnc_folder_file(old, folder, files[i]);
		snprintf(kept, sizeof kept, "%s~", old);
		if (!rename(old, kept))
			*moved = true;
		else if (errno != ENOENT)
			return nnc_fail_io(err, "rename", old);
		else if (*moved && unlink(kept) && errno != ENOENT)
			return nnc_fail_io(err, "remove", kept);
		/* In this order also on the disk: while the old checkpoint has its
		   name, so has all that belongs to it. */
		if (*moved && !nnc_sync(folder->fd))
			return nnc_fail_io(err, "sync the folder", folder->path);
	}
	return NNC_OK;
}

void nnc_folder_close(NncFolder *folder)
{
	if (folder->open)
		close(folder->fd);
	folder->open = false;
}
