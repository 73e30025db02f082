/* places.c - where files go and come from: the temporary folder, the cache, the data.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "doctor.h"

/* ---- folders
 * -------------------------------------------------------------------------- */

void check_temporary(Doctor *d)
{
	const char *base = printable(temporary_base());
	struct statvfs fs;
	const char *folder = private_folder();
	if (!folder) {
		note(d, LEVEL_FAIL, "temporary folder",
		     arena_printf("%s: %s", base, strerror(errno)),
		     "set TMPDIR to a folder that can be written");
		return;
	}
	end_folder(folder, false);
	if (statvfs(temporary_base(), &fs) == 0 && (fs.f_flag & ST_NOEXEC)) {
		d->compiles = false; /* what is compiled there cannot be run */
		note(d, LEVEL_WARN, "temporary folder",
		     arena_printf(
			     "%s is mounted noexec: --tune-kernels cannot run programs "
			     "there, and no model is tried here",
			     base),
		     "set TMPDIR to a folder on another file system");
		return;
	}
	note(d, LEVEL_PASS, "temporary folder", arena_printf("%s can be written", base),
	     NULL);
}

/* The folder itself, or the nearest above it that is there. */
static const char *existing(const char *path)
{
	char *at = arena_printf("%s", path);
	while (access(at, F_OK) != 0 && strrchr(at, '/') > at)
		*strrchr(at, '/') = '\0';
	return access(at, F_OK) == 0 ? at : "/";
}

void check_cache(Doctor *d)
{
	const char *folder = cache_folder();
	static const char remedy[] =
		"set XDG_CACHE_HOME to a folder that can be written";
	if (!folder) {
		note(d, LEVEL_WARN, "cache",
		     "neither XDG_CACHE_HOME nor HOME is an absolute path: "
		     "--tune-kernels "
		     "times kernels anew each time",
		     remedy);
		return;
	}
	const char *shown = printable(folder);
	const char *there = existing(folder);
	if (access(arena_printf("%s/.", there), W_OK | X_OK) != 0)
		note(d, LEVEL_WARN, "cache",
		     arena_printf("%s: %s: --tune-kernels times kernels anew each time",
				  shown, strerror(errno)),
		     remedy);
	else
		note(d, LEVEL_PASS, "cache",
		     arena_printf("%s%s", shown,
				  strcmp(there, folder) == 0
					  ? ""
					  : ", made when it is needed"),
		     NULL);
}

/* ---- data sets
 * --------------------------------------------------------------------------- */

static const char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? arena_strndup(path, (size_t)(slash - path)) : ".";
}

/* Lines as one: "tried x in\n  a\n  b" is "tried x in a, b"; a second help is "; or: ".
 */
static const char *one_line(const char *text)
{
	static const char help[] = "\nhelp: ";
	const char *all = "";
	while (*text) {
		size_t length = strcspn(text, "\n");
		all = arena_printf("%s%.*s", all, (int)length, text);
		text += length;
		if (strncmp(text, help, sizeof help - 1) == 0) {
			all = arena_printf("%s; or: ", all);
			text += sizeof help - 1;
		} else if (*text) {
			size_t used = strlen(all);
			bool list = used > 3 && strcmp(all + used - 3, " in") == 0;
			all = arena_printf("%s%s", all, list ? " " : ", ");
			text += strspn(text, "\n ");
		}
	}
	return printable(all);
}

/* A message of the runtime: what it says, and behind "help: " what to do. */
static void split_message(const NncError *err, const char **found, const char **remedy)
{
	static const char help[] = "\nhelp: ";
	const char *at = strstr(err->message, help);
	*found = one_line(at ? arena_strndup(err->message, (size_t)(at - err->message))
			     : err->message);
	*remedy = at ? one_line(at + sizeof help - 1) : NULL;
}

/* Loads one part: 0 and its CRCs compared, or the code of a failure that was noted. */
static int check_part(Doctor *d, const NncFormat *f, bool test, const char **source,
		      bool *published)
{
	const NncDataRequest request = {.height = f->height,
					.width = f->width,
					.channels = f->channels,
					.classes = f->classes,
					.test = test};
	NncData data = {0};
	NncError err = {0};
	const char *found, *remedy;
	int code = f->load(&data, &request, &err);
	if (code == 0) {
		*source = folder_of(printable(data.source));
		*published = *published && data.samples_crc == f->samples_crc[test] &&
			     data.labels_crc == f->labels_crc[test];
		nnc_data_free(&data);
		return 0;
	}
	split_message(&err, &found, &remedy);
	/* A set without a package is asked for by few models: that it is missing is no
	 * harm. */
	Level level = code != NNC_NOINPUT ? LEVEL_FAIL
		      : f->package        ? LEVEL_WARN
					  : LEVEL_PASS;
	note(d, level, arena_printf("data %s", f->name), found,
	     level == LEVEL_PASS ? NULL
	     : remedy            ? remedy
				 : "take the file away, and get the set again");
	return code;
}

static void check_set(Doctor *d, const NncFormat *f)
{
	const char *source = "", *subject = arena_printf("data %s", f->name);
	bool published = true;
	if (check_part(d, f, false, &source, &published) != 0 ||
	    check_part(d, f, true, &source, &published) != 0)
		return;
	if (f->samples_crc[0] == 0)
		note(d, LEVEL_PASS, subject, source, NULL);
	else if (published)
		note(d, LEVEL_PASS, subject,
		     arena_printf("%s, as published (CRC-32)", source), NULL);
	else
		note(d, LEVEL_WARN, subject,
		     arena_printf("%s: not the published one (CRC-32 differs)", source),
		     arena_printf("results are not the paper's; apt-get install %s",
				  f->package ? f->package : f->name));
}

void check_data(Doctor *d)
{
	for (int i = 0; nnc_formats[i]; i++)
		if (nnc_formats[i]->height > 0)
			check_set(d, nnc_formats[i]);
}
