/*
 * runtime.c - every loader: data sets, weights, checkpoints, histories, inputs of
 * `predict`. A file is read whole and right, or refused with a status of its kind and a
 * message; what was read keeps what NncData, NncArray and NncTensors promise.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "harness.h"
#include "memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

/* ---- what must hold ------------------------------------------------------------- */

static void check_code(int code, const NncError *err)
{
	expect(code == NNC_OK || code == NNC_DATA, "a file can only be malformed");
	if (code == NNC_OK)
		return;
	expect(err->code == code && strlen(err->message) > 20, "no message");
	expect(strlen(err->message) < sizeof err->message, "the message does not end");
	expect_plain(err->message, strlen(err->message));
}

static uint32_t touch(const void *bytes, size_t size)
{
	return (uint32_t)crc32_z(0, bytes, size);
}

static void check_data(const NncData *data, int code, const NncError *err)
{
	check_code(code, err);
	if (code != NNC_OK) {
		expect(!data->samples && !data->labels,
		       "something is left of an error");
		return;
	}
	size_t numbers = (size_t)data->count * nnc_sample_size(data);
	expect(data->count > 0 && data->height > 0 && data->width > 0 &&
		       data->channels > 0 && data->classes > 0,
	       "a dimension is 0");
	for (int64_t i = 0; data->labels && i < data->count; i++)
		expect(data->labels[i] >= 0 && data->labels[i] < data->classes,
		       "a label is no class");
	for (size_t i = 0; !data->bytes && i < numbers; i++)
		expect(isfinite(((const float *)data->samples)[i]),
		       "a number is not finite");
	if (data->bytes)
		touch(data->samples, numbers);
}

static void check_array(const NncArray *array, int code, const NncError *err)
{
	size_t count = 1;

	check_code(code, err);
	if (code != NNC_OK) {
		expect(!array->data, "something is left of an error");
		return;
	}
	for (int r = 0; r < array->rank; r++)
		count *= array->dim[r];
	expect(count == array->count, "the product of the dimensions");
	for (size_t i = 0; i < count; i++)
		nnc_array_number(array, i);
}

/* ---- data sets ------------------------------------------------------------------ */

/* Two files in one input: what follows the mark is the second. */
static void two_files(const uint8_t *bytes, size_t size)
{
	static const char mark[] = "--";
	const uint8_t *at = memmem(bytes, size, mark, 2);
	size_t first = at ? (size_t)(at - bytes) : size;
	const uint8_t *const files[] = {bytes, at ? at + 2 : bytes};
	const size_t sizes[] = {first, at ? size - first - 2 : size};

	memory_files(files, sizes, 2);
}

static void load(const char *format, const NncDataRequest *request)
{
	NncError err = {0};
	NncData data;
	int code = nnc_find_format(format)->load(&data, request, &err);

	check_data(&data, code, &err);
	nnc_data_free(&data);
}

static void idx(const uint8_t *bytes, size_t size)
{
	NncDataRequest any = {.path = "memory"};
	NncDataRequest model = {.path = "memory",
				.height = 2,
				.width = 3,
				.channels = 1,
				.classes = 4,
				.test = true};
	NncError err = {0};
	NncArray array;
	int code;

	two_files(bytes, size);
	code = nnc_idx_read(&array, "memory/0", &err);
	check_array(&array, code, &err);
	nnc_array_free(&array);
	load("idx", size & 1 ? &any : &model);
}

static void npy(const uint8_t *bytes, size_t size)
{
	NncDataRequest any = {.path = "memory"};
	NncError err = {0};
	NncArray array;
	int code;

	two_files(bytes, size);
	code = nnc_npy_read(&array, "memory/0", &err);
	check_array(&array, code, &err);
	nnc_array_free(&array);
	load("npy", &any);
}

static void csv(const uint8_t *bytes, size_t size)
{
	static const char *const labels[] = {NULL, "first", "last", "2", "label", NULL};
	NncDataRequest request = {.path = "memory/0", .label = labels[size % 6]};

	memory_file(bytes, size);
	load("csv", &request);
}

/* Records are long: those of the file are what its bytes begin. */
static void cifar10(const uint8_t *bytes, size_t size)
{
	enum { RECORD = 3073 };
	static uint8_t file[2 * RECORD + 1];
	size_t given = size < sizeof file ? size : sizeof file;
	size_t length = given % 3 == 0 ? given : given % 3 * RECORD;
	const uint8_t *const files[] = {file, bytes, file, bytes, file};
	const size_t sizes[] = {length, size, length, length ? RECORD : 0, RECORD};
	NncDataRequest train = {.path = "memory"};
	NncDataRequest test = {.path = "memory", .test = true};

	memset(file, 0, sizeof file);
	if (given) {
		memcpy(file, bytes, given);
		file[RECORD] = bytes[given / 2];
	}
	memory_files(files, sizes, 1);
	load("cifar10", &test);
	memory_files((const uint8_t *const[]){file, file, file, file, file},
		     (const size_t[]){length, length, RECORD, length, RECORD}, 5);
	if (size & 4)
		load("cifar10", &train);
}

/* ---- inputs of predict ---------------------------------------------------------- */

static void samples(const uint8_t *bytes, size_t size)
{
	NncModel model = {.name = "m",
			  .height = 2,
			  .width = 3,
			  .channels = 1,
			  .outputs = 2,
			  .bytes = (size & 1) != 0};
	NncError err = {0};
	NncData data;
	int code;

	if (size & 2)
		model.height = model.width = 1, model.channels = 6;
	memory_file(bytes, size);
	code = nnc_samples_read(&data, "memory/0", &model, &err);
	check_data(&data, code, &err);
	nnc_data_free(&data);
}

/* The size that a PNG says it has, so that it is decoded. */
static void png(const uint8_t *bytes, size_t size)
{
	int32_t width = size > 24 ? bytes[19] | bytes[18] << 8 : 3;
	int32_t height = size > 24 ? bytes[23] | bytes[22] << 8 : 2;
	int32_t channels = (int32_t[]){1, 3, 4, 1}[size % 4];
	NncError err = {0};
	NncArray array;
	int code;

	memory_file(bytes, size);
	if (size % 8 == 7)
		width = height = 0;
	else if ((int64_t)width * height > 1 << 12)
		width = 3, height = 2;
	code = nnc_png_read(&array, "memory/0", height, width, channels, 6, &err);
	check_array(&array, code, &err);
	nnc_array_free(&array);
}

/* ---- weights and runs ----------------------------------------------------------- */

static void safetensors(const uint8_t *bytes, size_t size)
{
	NncBytes file = {malloc(size + 1), size};
	NncError err = {0};
	NncTensors tensors;
	int code;

	memcpy(file.data, bytes, size);
	file.data[size] = 0;
	memory_forge_crc(size & 1);
	code = nnc_tensors_parse(&tensors, &file, "fuzz.safetensors", &err);
	memory_forge_crc(false);
	check_code(code, &err);
	size_t total = 0;
	for (size_t i = 0; i < tensors.count; i++) {
		touch(tensors.entry[i].data, tensors.entry[i].size);
		total += tensors.entry[i].size;
	}
	expect(total <= size, "more tensors than the file has bytes");
	nnc_tensors_free(&tensors);
}

enum { REALS = 32 };

static const NncTensor tensors[] = {
	{.name = "dense1.weight", .rank = 2, .dim = {2, 3}, .stride = {1, 2}},
	{.name = "dense1.bias", .rank = 1, .dim = {2}, .stride = {1}, .offset = 16},
};

static const char *const slots[] = {"velocity"};

static void checkpoint(const uint8_t *bytes, size_t size)
{
	const NncModel model = {.name = "m",
				.source = "m.nn",
				.real_bytes = 4,
				.batch = 4,
				.outputs = 2,
				.params_reals = REALS,
				.tensors = tensors,
				.tensor_count = 2,
				.slots = slots,
				.slot_count = 1,
				.training = {.optimizer = "sgd"}};
	static const NncFolder folder = {.path = "run"};
	float block[REALS] = {0}, slot[REALS] = {0};
	NncContext context = {.params = block, .slot = {slot}};
	NncState state = {0};
	NncError err = {0};
	int code;

	memory_file(bytes, size);
	memory_forge_crc(true);
	code = nnc_checkpoint_load(&folder, &model, &context, &state, &err);
	check_code(code, &err);
	if (code == NNC_OK)
		expect(state.epochs >= 1 && state.epochs <= NNC_MAX_EPOCHS &&
			       state.validation <= 1 && state.watch[15] == 0,
		       "a setting out of its bounds");
	err = (NncError){0};
	code = nnc_weights_load("memory/0", &model, block, &err);
	check_code(code, &err);
	memory_forge_crc(false);
}

static void history(const uint8_t *bytes, size_t size)
{
	NncRow *rows = NULL;
	size_t count = 0;
	NncError err = {0};
	int code;

	memory_file(bytes, size);
	code = nnc_history_read("memory/0", 1 + (uint32_t)(size % 4), &rows, &count,
				&err);
	check_code(code, &err);
	for (size_t i = 0; i < count; i++)
		expect(rows[i].epoch >= 1 && rows[i].epoch <= NNC_MAX_EPOCHS,
		       "an epoch out of its bounds");
	free(rows);
}

/* ---- gzip ----------------------------------------------------------------------- */

static int memory_fd(const uint8_t *bytes, size_t size)
{
	static int fd = -1;

	if (fd < 0)
		fd = memfd_create("fuzz", MFD_CLOEXEC);
	expect(fd >= 0 && ftruncate(fd, (off_t)size) == 0 &&
		       pwrite(fd, bytes, size, 0) == (ssize_t)size,
	       "memfd");
	return fd;
}

/* What it unpacks to is asked of zlib in another way. */
static bool unpack(uint8_t *to, size_t *size, const uint8_t *bytes, size_t count)
{
	z_stream z = {.next_in = (uint8_t *)(uintptr_t)bytes,
		      .avail_in = (unsigned)count};
	size_t room = *size;
	int status = inflateInit2(&z, 16 + MAX_WBITS);

	*size = 0;
	while (status == Z_OK) {
		z.next_out = to + *size;
		z.avail_out = (unsigned)(room - *size);
		status = inflate(&z, Z_NO_FLUSH);
		*size = room - z.avail_out;
		if (status == Z_STREAM_END && z.avail_in > 2 && z.next_in[0] == 0x1f &&
		    z.next_in[1] == 0x8b)
			status = inflateReset(&z);
		else if (z.avail_out == 0 && status == Z_OK)
			break;
	}
	inflateEnd(&z);
	return status == Z_STREAM_END;
}

/* By the real reader. An even size is a file; an odd one is packed here first. */
static void gzip(const uint8_t *bytes, size_t size)
{
	enum { LIMIT = 1 << 12 };
	static uint8_t packed[1 << 14], plain[1 << 17];
	char path[64];
	NncError err = {0};
	NncBytes file;

	if (size & 1) {
		z_stream z = {.next_in = (uint8_t *)(uintptr_t)bytes,
			      .avail_in = (unsigned)size,
			      .next_out = packed,
			      .avail_out = sizeof packed};
		expect(size < sizeof packed / 2 &&
			       deflateInit2(&z, bytes[0] % 10, Z_DEFLATED, 16 + 9, 1,
					    Z_DEFAULT_STRATEGY) == Z_OK,
		       "deflate");
		deflate(&z, Z_FINISH);
		size_t cut = bytes[size - 1] < 16 ? bytes[size - 1] : 0;
		size = sizeof packed - z.avail_out - cut;
		bytes = packed;
		deflateEnd(&z);
	}
	snprintf(path, sizeof path, "/proc/self/fd/%d", memory_fd(bytes, size));
	int code = __real_nnc_read_file(&file, path, LIMIT, &err);
	check_code(code, &err);
	if (code == NNC_OK && size > 2 && bytes[0] == 0x1f && bytes[1] == 0x8b) {
		size_t whole = sizeof plain;
		expect(file.size <= LIMIT && file.data[file.size] == 0 &&
			       unpack(plain, &whole, bytes, size) &&
			       whole == file.size &&
			       memcmp(plain, file.data, whole) == 0,
		       "another text than zlib's");
	}
	nnc_bytes_free(&file);
}

const Harness harnesses[] = {
	{"idx", idx},
	{"gzip", gzip},
	{"csv", csv},
	{"npy", npy},
	{"cifar10", cifar10},
	{"samples", samples},
	{"png", png},
	{"safetensors", safetensors},
	{"checkpoint", checkpoint},
	{"history", history},
	{NULL, NULL},
};
