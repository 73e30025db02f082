/*
 * file.c - files that are either the old one or the new one, whole.
 *
 * The bytes go to a temporary in the same folder, which is synced before it is renamed
 * over the old file; the folder is synced after. The temporary is locked while it is
 * written, so that what a killed process left behind is known by its free lock and is
 * cleared away by the next write of the same file.
 */
#include "internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUFFER = 1 << 16, TRIES = 100 };

int nnc_fail_io(NncError *err, const char *doing, const char *path)
{
	int reason = errno;
	char quoted[80];

	return nnc_fail(
		err, reason == ENOMEM ? NNC_NOMEM : NNC_IO, "cannot %s \"%s\": %s%s",
		doing, nnc_quote(quoted, path), strerror(reason),
		reason == ENOSPC || reason == EDQUOT
			? "\nhelp: make room on the disk; what was there is untouched"
			: "");
}

/* Frees what the struct holds; the temporary is gone or renamed by now. */
static void release(NncFile *file)
{
	if (file->fd >= 0)
		close(file->fd);
	if (file->folder >= 0)
		close(file->folder);
	free(file->buffer);
	free(file->path);
	*file = (NncFile){0};
}

void nnc_file_abort(NncFile *file)
{
	if (!file->path)
		return;
	if (file->temporary[0])
		unlinkat(file->folder, file->temporary, 0);
	release(file);
}

static int abort_errno(NncFile *file, const char *doing, NncError *err)
{
	int code = nnc_fail_io(err, doing, file->path);

	nnc_file_abort(file);
	return code;
}

/* Removes the temporaries of the same name that nobody holds locked. Not essential. */
static void sweep(const NncFile *file, const char *prefix)
{
	int copy = fcntl(file->folder, F_DUPFD_CLOEXEC, 0);
	DIR *folder = copy >= 0 ? fdopendir(copy) : NULL;
	struct dirent *entry;

	if (!folder) {
		if (copy >= 0)
			close(copy);
		return;
	}
	while ((entry = readdir(folder))) {
		struct stat st;
		if (strncmp(entry->d_name, prefix, strlen(prefix)) != 0)
			continue;
		int fd = openat(file->folder, entry->d_name,
				O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
		    flock(fd, LOCK_EX | LOCK_NB) == 0)
			unlinkat(file->folder, entry->d_name, 0);
		close(fd);
	}
	closedir(folder);
}

/* Creates and locks the temporary. Another process's sweep may come between. */
static bool make_temporary(NncFile *file)
{
	char prefix[128];
	struct stat st;

	snprintf(prefix, sizeof prefix, ".%.100s.tmp-", file->name);
	sweep(file, prefix);
	for (int i = 0; i < TRIES; i++) {
		snprintf(file->temporary, sizeof file->temporary, "%s%ld-%d", prefix,
			 (long)getpid(), i);
		file->fd = openat(file->folder, file->temporary,
				  O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
				  0666);
		if (file->fd < 0 && errno == EEXIST)
			continue;
		if (file->fd < 0)
			break;
		if (flock(file->fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
			goto again;
		if (fstat(file->fd, &st) != 0) {
			unlinkat(file->folder, file->temporary, 0);
			break;
		}
		if (st.st_nlink > 0)
			return true;
	again:
		close(file->fd);
		file->fd = -1;
	}
	file->temporary[0] = 0;
	return false;
}

/* Opens the folder that path is in. */
static int open_folder(const NncFile *file)
{
	size_t length = (size_t)(file->name - file->path);
	char *folder = length ? strndup(file->path, length) : strdup(".");
	int fd = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	free(folder);
	return fd;
}

int nnc_file_open(NncFile *file, const char *path, NncError *err)
{
	const char *slash = strrchr(path, '/');
	struct stat st;
	char quoted[80];

	*file = (NncFile){0};
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return nnc_fail(err, NNC_IO, "cannot write \"%s\": it is %s",
				nnc_quote(quoted, path),
				S_ISDIR(st.st_mode) ? "a folder"
						    : "not a regular file");
	file->folder = file->fd = -1;
	file->path = strdup(path);
	file->buffer = malloc(BUFFER);
	if (!file->path || !file->buffer) {
		release(file);
		return nnc_fail(err, NNC_NOMEM, "out of memory");
	}
	file->name = slash ? file->path + (slash - path) + 1 : file->path;
	file->folder = open_folder(file);
	if (file->folder < 0 || !make_temporary(file))
		return abort_errno(file, "write", err);
	return NNC_OK;
}

bool nnc_write_all(int fd, const void *all, size_t count)
{
	const unsigned char *bytes = all;

	while (count > 0) {
		ssize_t done = write(fd, bytes, count);
		if (done < 0 && errno == EINTR)
			continue;
		if (done == 0)
			errno = EIO;
		if (done <= 0)
			return false;
		bytes += done;
		count -= (size_t)done;
	}
	return true;
}

int nnc_file_write(NncFile *file, const void *bytes, size_t count, NncError *err)
{
	if (!file->path)
		return nnc_fail(err, NNC_BUG, "write to a file that is not open");
	if (count > BUFFER - file->used) {
		if (!nnc_write_all(file->fd, file->buffer, file->used))
			return abort_errno(file, "write", err);
		file->used = 0;
	}
	if (count >= BUFFER) {
		if (!nnc_write_all(file->fd, bytes, count))
			return abort_errno(file, "write", err);
	} else if (count > 0) {
		memcpy(file->buffer + file->used, bytes, count);
		file->used += count;
	}
	return NNC_OK;
}

int nnc_file_printf(NncFile *file, NncError *err, const char *format, ...)
{
	va_list args;
	int length, code;
	char *text;

	va_start(args, format);
	length = vsnprintf(NULL, 0, format, args);
	va_end(args);
	text = length < 0 ? NULL : malloc((size_t)length + 1);
	if (!text) {
		nnc_file_abort(file);
		return nnc_fail(err, NNC_NOMEM, "out of memory");
	}
	va_start(args, format);
	vsnprintf(text, (size_t)length + 1, format, args);
	va_end(args);
	code = nnc_file_write(file, text, (size_t)length, err);
	free(text);
	return code;
}

/* Gives the file that is to be replaced a second name, which lasts before it loses the
   first. Where both names are of one file already, rename does nothing and leaves the
   temporary. */
static bool keep_previous(const NncFile *file, const char *previous)
{
	char temporary[sizeof file->temporary + 8];
	bool done;

	snprintf(temporary, sizeof temporary, "%s-old", file->temporary);
	if (linkat(file->folder, file->name, file->folder, temporary, 0) != 0)
		return errno == ENOENT || errno == EPERM || errno == EMLINK ||
		       errno == EOPNOTSUPP || errno == ENOSYS;
	done = renameat(file->folder, temporary, file->folder, previous) == 0 &&
	       nnc_sync(file->folder);
	int reason = errno;
	unlinkat(file->folder, temporary, 0);
	errno = reason;
	return done;
}

bool nnc_sync(int fd)
{
	int result;

	do {
		result = fsync(fd);
	} while (result != 0 && errno == EINTR);
	return result == 0 || errno == EINVAL || errno == ENOTSUP;
}

int nnc_file_commit(NncFile *file, const char *previous, NncError *err)
{
	int fd;

	if (!file->path)
		return nnc_fail(err, NNC_BUG, "commit of a file that is not open");
	if (!nnc_write_all(file->fd, file->buffer, file->used))
		return abort_errno(file, "write", err);
	if (!nnc_sync(file->fd))
		return abort_errno(file, "sync", err);
	/* The descriptor, and with it the lock, is kept until the rename: until then
	   nobody else's sweep may take the temporary. A copy shows close()'s errors. */
	fd = fcntl(file->fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0 || (close(fd) != 0 && errno != EINTR))
		return abort_errno(file, "close", err);
	if (previous && !keep_previous(file, previous))
		return abort_errno(file, "keep the previous", err);
	if (renameat(file->folder, file->temporary, file->folder, file->name) != 0)
		return abort_errno(file, "rename the new", err);
	file->temporary[0] = 0;
	if (!nnc_sync(file->folder))
		return abort_errno(file, "sync the folder of", err);
	release(file);
	return NNC_OK;
}

int nnc_write_file(const char *path, const void *bytes, size_t count, NncError *err)
{
	NncFile file;
	int code = nnc_file_open(&file, path, err);

	if (code == NNC_OK)
		code = nnc_file_write(&file, bytes, count, err);
	if (code == NNC_OK)
		code = nnc_file_commit(&file, NULL, err);
	return code;
}
