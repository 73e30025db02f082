/*
 * idx_file.c - IDX, the format of MNIST: 0, 0, type, rank, the dimensions as
 * big-endian words, then the numbers, last dimension fastest.
 */
#include "internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_RANK = 4 };

void nnc_array_free(NncArray *array)
{
	free(array->data);
	*array = (NncArray){0};
}

static int check_magic(const unsigned char *head, size_t got, const char *path,
		       NncError *err)
{
	static const char *const types[] = {
		[0x09] = "signed bytes",    [0x0B] = "16-bit integers",
		[0x0C] = "32-bit integers", [0x0D] = "floats",
		[0x0E] = "doubles",
	};
	unsigned type = head[2];

	if (got < 4 || head[0] != 0 || head[1] != 0)
		return nnc_fail(
			err, NNC_DATA,
			"\"%s\" is not an IDX file: it is %s, and begins with the "
			"bytes %02x %02x %02x %02x (IDX: 00 00 08 ..)",
			path, nnc_kind_of(head, got), head[0], head[1], head[2],
			head[3]);
	if (type != 0x08)
		return nnc_fail(
			err, NNC_DATA,
			"\"%s\" is an IDX file of %s (type 0x%02x); only unsigned "
			"bytes (0x08) are read",
			path,
			type < sizeof types / sizeof *types && types[type]
				? types[type]
				: "an unknown type",
			type);
	if (head[3] < 1 || head[3] > MAX_RANK)
		return nnc_fail(err, NNC_DATA, "\"%s\" has rank %d; 1..%d are read",
				path, head[3], MAX_RANK);
	return NNC_OK;
}

/* "60000 x 28 x 28" */
static void dims_text(char text[80], const NncArray *array)
{
	int used = 0;

	for (int r = 0; r < array->rank; r++)
		used += snprintf(text + used, 80 - (size_t)used, "%s%zu",
				 r ? " x " : "", array->dim[r]);
}

static int read_dims(NncArray *array, NncReader *reader, const char *path,
		     NncError *err)
{
	unsigned char word[4 * MAX_RANK];
	char text[80];
	size_t size = 4 * (size_t)array->rank, got;
	int code = nnc_reader_read(reader, word, size, &got, err);

	if (code != NNC_OK)
		return code;
	if (got < size)
		return nnc_fail(err, NNC_DATA, "\"%s\" ends inside its header", path);
	array->crc = nnc_crc32_more(array->crc, word, size);
	for (int r = 0; r < array->rank; r++) {
		const unsigned char *w = word + 4 * (size_t)r;
		array->dim[r] = (size_t)w[0] << 24 | (size_t)w[1] << 16 |
				(size_t)w[2] << 8 | (size_t)w[3];
	}
	dims_text(text, array);
	array->count = 1;
	for (int r = 0; r < array->rank; r++) {
		if (array->dim[r] == 0)
			return nnc_fail(err, NNC_DATA, "\"%s\" is empty: %s", path,
					text);
		if (array->dim[r] > (r == 0 ? INT32_MAX : NNC_MAX_DIM) ||
		    array->count > NNC_MAX_FILE / array->dim[r])
			return nnc_fail(err, NNC_DATA, "\"%s\" is too large: %s", path,
					text);
		array->count *= array->dim[r];
	}
	if (!nnc_reader_could_hold(reader, array->count))
		return nnc_fail(
			err, NNC_DATA,
			"\"%s\" is truncated: its header says %s = %zu bytes, more "
			"than a file of %zu bytes can hold",
			path, text, array->count, reader->stored);
	return NNC_OK;
}

static int read_payload(NncArray *array, NncReader *reader, const char *path,
			NncError *err)
{
	unsigned char more;
	char text[80];
	size_t got;
	int code;

	dims_text(text, array);
	array->data = nnc_allocate(array->count, 1);
	if (!array->data)
		return nnc_fail(err, NNC_NOMEM, "out of memory: \"%s\" needs %zu bytes",
				path, array->count);
	code = nnc_reader_read(reader, array->data, array->count, &got, err);
	if (code != NNC_OK)
		return code;
	if (got < array->count)
		return nnc_fail(
			err, NNC_DATA,
			"\"%s\" is truncated: its header says %s = %zu bytes, but "
			"only %zu follow",
			path, text, array->count, got);
	code = nnc_reader_read(reader, &more, 1, &got, err);
	if (code == NNC_OK && got > 0)
		code = nnc_fail(err, NNC_DATA,
				"\"%s\" goes on after the %s = %zu bytes of its header",
				path, text, array->count);
	array->crc = nnc_crc32_more(array->crc, array->data, array->count);
	return code;
}

int nnc_idx_read(NncArray *array, const char *path, NncError *err)
{
	unsigned char head[512] = {0};
	char quoted[80];
	NncReader reader;
	size_t got;
	int code;

	*array = (NncArray){.type = 'B'};
	nnc_quote(quoted, path);
	code = nnc_reader_open(&reader, path, err);
	if (code != NNC_OK)
		return code;
	code = nnc_reader_read(&reader, head, 4, &got, err);
	if (code == NNC_OK && (got < 4 || head[0] != 0 || head[1] != 0)) {
		size_t rest = 0; /* more of it tells better what it is */
		if (got == 4 &&
		    nnc_reader_read(&reader, head + 4, 508, &rest, NULL) == 0)
			got += rest;
	}
	if (code == NNC_OK)
		code = check_magic(head, got, quoted, err);
	array->rank = head[3];
	array->crc = nnc_crc32(head, 4);
	if (code == NNC_OK)
		code = read_dims(array, &reader, quoted, err);
	if (code == NNC_OK)
		code = read_payload(array, &reader, quoted, err);
	if (code != NNC_OK)
		nnc_array_free(array);
	nnc_reader_close(&reader);
	return code;
}

/* ---- a part of a data set ------------------------------------------------ */

static int take_images(NncData *data, NncArray *images, const char *path, NncError *err)
{
	if (images->rank < 2)
		return nnc_fail(
			err, NNC_DATA,
			"\"%s\" holds a list of %zu bytes (labels?) where images "
			"are wanted",
			path, images->count);
	data->count = (int64_t)images->dim[0];
	data->height = data->width = data->channels = 1;
	if (images->rank == 2) {
		data->channels = (int32_t)images->dim[1];
	} else {
		data->height = (int32_t)images->dim[1];
		data->width = (int32_t)images->dim[2];
	}
	if (images->rank == 4)
		data->channels = (int32_t)images->dim[3];
	data->bytes = true;
	data->samples_crc = images->crc;
	data->samples = images->data;
	images->data = NULL;
	return NNC_OK;
}

static int take_labels(NncData *data, const NncArray *labels, int32_t outputs,
		       const char *path, NncError *err)
{
	const unsigned char *label = labels->data;

	if (labels->rank != 1)
		return nnc_fail(
			err, NNC_DATA,
			"\"%s\" has rank %d (images?) where labels, rank 1, are "
			"wanted",
			path, labels->rank);
	if (labels->count != (size_t)data->count)
		return nnc_fail(err, NNC_DATA,
				"%zu labels in \"%s\" for %" PRId64 " images in \"%s\"",
				labels->count, path, data->count, data->source);
	data->labels_crc = labels->crc;
	data->labels = nnc_allocate(labels->count, sizeof *data->labels);
	if (!data->labels)
		return nnc_fail(err, NNC_NOMEM, "out of memory");
	for (size_t i = 0; i < labels->count; i++)
		data->labels[i] = label[i];
	return nnc_data_check_labels(data, outputs, path, err);
}

int nnc_idx_load(NncData *data, const NncDataRequest *request, const NncSearch *images,
		 const NncSearch *labels, int32_t classes, NncError *err)
{
	NncArray array = {0};
	NncDataRequest beside = *request; /* the labels lie beside the images */
	char path[512], folder[512];
	int code;

	*data = (NncData){.classes = classes};
	code = nnc_search(data->source, images, request, err);
	if (code == NNC_OK)
		code = nnc_idx_read(&array, data->source, err);
	if (code == NNC_OK)
		code = take_images(data, &array, data->source, err);
	nnc_array_free(&array);
	if (code ==
	    NNC_OK) { /* before the labels: a wrong shape is the better message */
		code = nnc_data_fits(data, request, err);
		memcpy(folder, data->source, sizeof folder);
		*strrchr(folder, '/') = 0;
		beside.directory = folder;
	}
	if (code == NNC_OK)
		code = nnc_search(path, labels, &beside, err);
	if (code == NNC_OK)
		code = nnc_idx_read(&array, path, err);
	if (code == NNC_OK)
		code = take_labels(data, &array, request->classes, path, err);
	if (code == NNC_OK)
		code = nnc_data_fits(data, request, err);
	nnc_array_free(&array);
	if (code != NNC_OK)
		nnc_data_free(data);
	return code;
}
