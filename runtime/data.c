/* data.c - finding data sets, and what every format checks. */
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SYSTEM_FOLDER "/usr/share/datasets"

const NncFormat *nnc_find_format(const char *name)
{
	for (const NncFormat *const *format = nnc_formats; *format; format++)
		if (strcmp((*format)->name, name) == 0)
			return *format;
	return NULL;
}

void nnc_data_free(NncData *data)
{
	if (data->map)
		munmap(data->map, data->map_bytes);
	else {
		free(data->samples);
		free(data->labels);
	}
	*data = (NncData){0};
}

size_t nnc_sample_size(const NncData *data)
{
	return (size_t)data->height * (size_t)data->width * (size_t)data->channels;
}

/* ---- searching ------------------------------------------------------------------ */

/* A search under way: what was tried, for the message. */
typedef struct Trail {
	const NncSearch *search;
	char tried[1200];
	char *found;
} Trail;

static void note(Trail *trail, const char *folder)
{
	size_t used = strlen(trail->tried), room = sizeof trail->tried - used;

	if (strlen(folder) + 4 < room)
		snprintf(trail->tried + used, room, "\n  %s", folder);
}

/* Tries every spelling in one folder. */
static bool try_folder(Trail *trail, const char *folder)
{
	static const char *const ends[] = {"", ".gz"};

	note(trail, folder);
	for (const char *const *file = trail->search->files; *file; file++) {
		for (int i = 0; i < 2; i++) {
			int length = snprintf(trail->found, 512, "%s/%s%s", folder,
					      *file, ends[i]);
			if (length < 512 && access(trail->found, F_OK) == 0)
				return true;
		}
	}
	return false;
}

/* NAME with its dashes as underscores, or the other way round. */
static void respell(char spelled[64], const char *name, char from, char to)
{
	snprintf(spelled, 64, "%s", name);
	for (char *c = spelled; *c; c++)
		if (*c == from)
			*c = to;
}

/* The subfolders that may hold the set: NAME in both spellings and `folder`. */
static bool try_subfolders(Trail *trail, const char *base)
{
	char names[2][64], path[512];
	const char *last[3] = {names[0], names[1], trail->search->folder};

	respell(names[0], trail->search->name, '_', '-');
	respell(names[1], trail->search->name, '-', '_');
	for (int i = 0; i < 3; i++) {
		if (!last[i] || (i == 1 && strcmp(names[0], names[1]) == 0))
			continue;
		if (snprintf(path, sizeof path, "%s/%s", base, last[i]) < 512 &&
		    try_folder(trail, path))
			return true;
	}
	return false;
}

static bool try_base(Trail *trail, const char *base)
{
	return try_folder(trail, base) || try_subfolders(trail, base);
}

static bool try_all(Trail *trail, const NncDataRequest *request)
{
	const char *environment = getenv("NNC_DATA");

	if (request->directory)
		return try_base(trail, request->directory);
	if (request->path)
		return try_base(trail, request->path);
	return (environment && *environment && try_base(trail, environment)) ||
	       try_base(trail, "data") || try_subfolders(trail, SYSTEM_FOLDER);
}

/* "train-images-idx3-ubyte, train-images.idx3-ubyte" */
static void list_files(char list[256], const char *const *files)
{
	size_t used = 0;

	list[0] = 0;
	for (const char *const *file = files; *file && used < 256; file++)
		used += (size_t)snprintf(list + used, 256 - used, "%s%s",
					 file == files ? "" : ", ", *file);
}

int nnc_search(char found[512], const NncSearch *search, const NncDataRequest *request,
	       NncError *err)
{
	Trail trail = {.search = search, .found = found};
	char files[256];

	if (try_all(&trail, request))
		return NNC_OK;
	found[0] = 0;
	list_files(files, search->files);
	return nnc_fail(
		err, NNC_NOINPUT,
		"no %s of %s: tried %s (each with .gz too) in%s\n"
		"help: %s%s%s--data DIR or NNC_DATA=DIR says where the files are",
		search->what, search->name, files, trail.tried,
		search->package ? "apt-get install " : "",
		search->package ? search->package : "",
		search->package ? "\nhelp: " : "");
}

/* ---- checking ------------------------------------------------------------ */

int nnc_data_allocate(NncData *data, NncError *err)
{
	size_t size = data->bytes ? 1 : sizeof(float);
	char shape[64];

	nnc_shape_text(shape, data->height, data->width, data->channels);
	if (data->count < 1 || data->height < 1 || data->width < 1 ||
	    data->channels < 1)
		return nnc_fail(err, NNC_DATA, "\"%s\" holds no samples: %lld of %s",
				data->source, (long long)data->count, shape);
	if (data->count > INT32_MAX || data->height > NNC_MAX_DIM ||
	    data->width > NNC_MAX_DIM || data->channels > NNC_MAX_DIM ||
	    !nnc_multiply(&size, (size_t)data->height) ||
	    !nnc_multiply(&size, (size_t)data->width) ||
	    !nnc_multiply(&size, (size_t)data->channels) ||
	    !nnc_multiply(&size, (size_t)data->count) || size > NNC_MAX_FILE)
		return nnc_fail(err, NNC_DATA, "too much data: %lld samples of %s",
				(long long)data->count, shape);
	data->samples = nnc_allocate(size, 1);
	data->labels = nnc_allocate((size_t)data->count, sizeof *data->labels);
	if (!data->samples || !data->labels)
		return nnc_fail(err, NNC_NOMEM, "out of memory: %lld samples of %s",
				(long long)data->count, shape);
	return NNC_OK;
}

int nnc_data_fits(const NncData *data, const NncDataRequest *request, NncError *err)
{
	int64_t wanted = (int64_t)request->height * request->width * request->channels;
	bool vector = (request->height == 1 && request->width == 1) ||
		      (data->height == 1 && data->width == 1);
	char has[64], wants[64];

	nnc_shape_text(has, data->height, data->width, data->channels);
	nnc_shape_text(wants, request->height, request->width, request->channels);
	if (wanted != 0 &&
	    (data->height != request->height || data->width != request->width ||
	     data->channels != request->channels) &&
	    !(vector && (size_t)wanted == nnc_sample_size(data)))
		return nnc_fail(
			err, NNC_DATA,
			"the samples of \"%s\" are %s, the model's input is %s\n"
			"help: write `input %s` in the .nn file",
			data->source, has, wants, has);
	if (request->classes != 0 && data->classes > request->classes)
		return nnc_fail(err, NNC_DATA,
				"\"%s\" has %d classes, the model has %d outputs",
				data->source, data->classes, request->classes);
	return NNC_OK;
}

int nnc_data_check_labels(NncData *data, int32_t outputs, const char *where,
			  NncError *err)
{
	int32_t limit = data->classes ? data->classes : NNC_MAX_CLASSES, most = 0;

	for (int64_t i = 0; i < data->count; i++) {
		int32_t label = data->labels[i];
		if (label < 0 || label >= limit)
			return nnc_fail(
				err, NNC_DATA,
				"\"%s\": label %d of sample %lld is not one of the "
				"%d classes 0..%d",
				where, label, (long long)i, limit, limit - 1);
		if (label > most)
			most = label;
	}
	if (data->classes == 0)
		data->classes = most + 1 > outputs ? most + 1 : outputs;
	return NNC_OK;
}
