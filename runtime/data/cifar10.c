/*
 * cifar10 - Krizhevsky 2009, the binary version: records of a label and 3 x 32 x 32
 * bytes, channels first, which become height x width x channels.
 */
#include "internal.h"

#include <stdio.h>
#include <string.h>

enum { SIDE = 32, PLANE = SIDE * SIDE, RECORD = 1 + 3 * PLANE, FILES = 5 };

static const char *const classes[] = {
	"airplane", "automobile", "bird",  "cat",  "deer",
	"dog",      "frog",       "horse", "ship", "truck",
};

static int check_file(const NncBytes *file, const char *path, NncError *err)
{
	char quoted[80];

	nnc_quote(quoted, path);
	if (file->size == 0 || file->size % RECORD != 0)
		return nnc_fail(
			err, NNC_DATA,
			"\"%s\" is no CIFAR-10 batch: %zu bytes are not records of "
			"%d (it is %s)",
			quoted, file->size, RECORD,
			nnc_kind_of(file->data, file->size));
	for (size_t i = 0; i < file->size / RECORD; i++)
		if (file->data[i * RECORD] > 9)
			return nnc_fail(
				err, NNC_DATA,
				"\"%s\": label %d of record %zu is not one of the "
				"10 classes 0..9",
				quoted, file->data[i * RECORD], i);
	return NNC_OK;
}

static void take_records(NncData *data, int64_t first, const NncBytes *file)
{
	unsigned char *to = (unsigned char *)data->samples + first * 3 * PLANE;

	for (size_t i = 0; i < file->size / RECORD; i++) {
		const unsigned char *from = file->data + i * RECORD;
		data->labels[first + (int64_t)i] = *from++;
		for (size_t p = 0; p < PLANE; p++)
			for (size_t c = 0; c < 3; c++)
				*to++ = from[c * PLANE + p];
	}
}

/* Finds and reads the batches; all of them must lie in the first one's folder. */
static int read_files(NncBytes *file, int count, char source[512],
		      const NncDataRequest *request, NncError *err)
{
	NncSearch search = {request->test ? "test batch" : "training batch", "cifar10",
			    "cifar-10-batches-bin", NULL, NULL};
	NncDataRequest where = *request;
	char path[512], folder[512], name[32];
	const char *const files[] = {name, NULL};
	int code = NNC_OK;

	search.files = files;
	for (int i = 0; i < count && code == NNC_OK; i++) {
		snprintf(name, sizeof name,
			 request->test ? "test_batch.bin" : "data_batch_%d.bin", i + 1);
		code = nnc_search(path, &search, &where, err);
		if (code == NNC_OK)
			code = nnc_read_file(&file[i], path, NNC_MAX_FILE, err);
		if (code == NNC_OK)
			code = check_file(&file[i], path, err);
		if (code == NNC_OK && i == 0) {
			memcpy(folder, path, sizeof folder);
			*strrchr(folder, '/') = 0;
			memcpy(source, count > 1 ? folder : path, sizeof folder);
			where.directory = folder;
		}
	}
	return code;
}

static int load(NncData *data, const NncDataRequest *request, NncError *err)
{
	NncBytes file[FILES] = {{0}};
	int count = request->test ? 1 : FILES, code;
	int64_t first = 0;

	*data = (NncData){.height = SIDE,
			  .width = SIDE,
			  .channels = 3,
			  .classes = 10,
			  .bytes = true};
	code = read_files(file, count, data->source, request, err);
	for (int i = 0; i < count; i++)
		data->count += (int64_t)(file[i].size / RECORD);
	if (code == NNC_OK)
		code = nnc_data_fits(data, request, err);
	if (code == NNC_OK)
		code = nnc_data_allocate(data, err);
	for (int i = 0; i < count; i++) {
		if (code == NNC_OK)
			take_records(data, first, &file[i]);
		first += (int64_t)(file[i].size / RECORD);
		nnc_bytes_free(&file[i]);
	}
	if (code != NNC_OK)
		nnc_data_free(data);
	return code;
}

const NncFormat format_cifar10 = {
	.name = "cifar10",
	.summary = "CIFAR-10, binary version: 50,000 + 10,000 colour 32x32 pictures",
	.takes_path = true,
	.bytes = true,
	.height = SIDE,
	.width = SIDE,
	.channels = 3,
	.classes = 10,
	.class_names = classes,
	.load = load,
};
