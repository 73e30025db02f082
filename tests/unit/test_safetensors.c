/* test_safetensors.c - named tensors in files, and a model's blocks in them. */
#include "internal.h"
#include "refuse.h"
#include "temp_folder.h"

#include <CUnit/Basic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern void suite_safetensors(void);

/* A file of this header and `size` zero bytes of data; its path. */
static const char *write_raw(const char *header, size_t size)
{
	unsigned char bytes[1 << 14] = {0};
	size_t length = strlen(header);

	bytes[0] = (unsigned char)length;
	bytes[1] = (unsigned char)(length >> 8);
	memcpy(bytes + 8, header, length);
	return temp_write("raw.safetensors", bytes, 8 + length + size);
}

static void round_trip(void)
{
	static const float weight[6] = {1, 2, 3, 4, 5, 6};
	static const int64_t step = -7;
	static const int64_t shape[2] = {2, 3},
			     bad[2][2] = {{-1, 1}, {1LL << 40, 1LL << 40}};
	const char *path = temp_path("round.safetensors");
	NncTensors tensors = {0};
	const NncEntry *entry;
	NncError err;

	CU_ASSERT_EQUAL(nnc_tensors_add(&tensors, "b", "F32", 2, shape, weight, &err),
			0);
	CU_ASSERT_EQUAL(
		nnc_tensors_add(&tensors, "a \"\n", "I64", 0, NULL, &step, &err), 0);
	CU_ASSERT_EQUAL(nnc_tensors_add(&tensors, "u8", "U8", 1, shape, "ab", &err), 0);
	CU_ASSERT_EQUAL(nnc_tensors_add(&tensors, "x", "F31", 1, shape, "ab", &err),
			NNC_BUG);
	CU_ASSERT_EQUAL(nnc_tensors_add(&tensors, "x", "F32", -1, shape, "ab", &err),
			NNC_BUG);
	CU_ASSERT_EQUAL(nnc_tensors_add(&tensors, "x", "F32", NNC_MAX_ARRAY_RANK + 1,
					shape, "ab", &err),
			NNC_BUG);
	for (int i = 0; i < 2; i++)
		CU_ASSERT_EQUAL(
			nnc_tensors_add(&tensors, "x", "F32", 2, bad[i], "ab", &err),
			NNC_BUG);
	CU_ASSERT_EQUAL(nnc_tensors_set(&tensors, "epoch", "3", &err), 0);
	CU_ASSERT_EQUAL_FATAL(nnc_tensors_save(&tensors, path, NULL, &err), NNC_OK);
	CU_ASSERT_EQUAL_FATAL(nnc_tensors_save(&tensors, path, NULL, &err),
			      NNC_OK); /* again */
	nnc_tensors_free(&tensors);
	CU_ASSERT_EQUAL_FATAL(nnc_tensors_load(&tensors, path, &err), NNC_OK);
	CU_ASSERT_EQUAL(tensors.count, 3);
	CU_ASSERT_STRING_EQUAL(tensors.entry[0].name, "b"); /* in the order given */
	CU_ASSERT_STRING_EQUAL(nnc_tensors_get(&tensors, "epoch"), "3");
	CU_ASSERT_PTR_NOT_NULL(nnc_tensors_get(&tensors, "crc32"));
	CU_ASSERT_PTR_NULL(nnc_tensors_get(&tensors, "none"));
	entry = nnc_tensors_find(&tensors, "b");
	CU_ASSERT(entry && entry->rank == 2 && entry->dim[1] == 3 && entry->size == 24);
	CU_ASSERT(entry && memcmp(entry->data, weight, 24) == 0);
	entry = nnc_tensors_find(&tensors, "a \"\n");
	CU_ASSERT(entry && entry->rank == 0 && memcmp(entry->data, &step, 8) == 0);
	nnc_tensors_free(&tensors);
}

static void empty(void)
{
	NncTensors tensors = {0};
	const char *path = temp_path("empty.safetensors");

	CU_ASSERT_EQUAL(nnc_tensors_save(&tensors, path, NULL, NULL), NNC_OK);
	CU_ASSERT_EQUAL(nnc_tensors_load(&tensors, path, NULL), NNC_OK);
	CU_ASSERT_EQUAL(tensors.count, 0);
	nnc_tensors_free(&tensors);
	CU_ASSERT_EQUAL(nnc_tensors_load(&tensors, write_raw("{}      ", 0), NULL),
			NNC_OK);
	nnc_tensors_free(&tensors);
}

#define T(offsets) "{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[" offsets "]}"

/* Two of one name, and none at all with 32 more. */
static void names(void)
{
	const int64_t none = 0;
	NncTensors tensors = {0};
	char name[16];

	for (int i = 0; i < 40; i++) {
		snprintf(name, sizeof name, "t%d", i);
		CU_ASSERT_EQUAL(
			nnc_tensors_add(&tensors, name, "F32", 1, &none, name, NULL),
			NNC_OK);
	}
	CU_ASSERT_EQUAL(nnc_tensors_save(&tensors, temp_path("many"), NULL, NULL),
			NNC_OK);
	CU_ASSERT_EQUAL(nnc_tensors_add(&tensors, "t7", "F32", 1, &none, NULL, NULL),
			NNC_OK);
	CU_ASSERT_NOT_EQUAL(nnc_tensors_save(&tensors, temp_path("many"), NULL, NULL),
			    NNC_OK);
	nnc_tensors_free(&tensors);
	/* What is no UTF-8 is no JSON. */
	CU_ASSERT_EQUAL(nnc_tensors_add(&tensors, "\xff", "F32", 1, &none, NULL, NULL),
			NNC_OK);
	CU_ASSERT_NOT_EQUAL(nnc_tensors_set(&tensors, "key", "\xff", NULL), NNC_OK);
	CU_ASSERT_NOT_EQUAL(nnc_tensors_save(&tensors, temp_path("many"), NULL, NULL),
			    NNC_OK);
	nnc_tensors_free(&tensors);
	CU_ASSERT_EQUAL(nnc_tensors_load(&tensors, temp_path("many"), NULL), NNC_OK);
	CU_ASSERT_EQUAL(tensors.count, 40);
	nnc_tensors_free(&tensors);
}

/* A tensor that is not what its CRC says, where there is no memory to say which. */
static void damaged_without_memory(void)
{
	const char *raw = write_raw(
		"{\"__metadata__\":{\"crc32\":\"12345678\"},\"a\":" T("0,8") "}", 8);
	NncTensors tensors;
	NncError err;
	long n = 1;

	for (;; n++) {
		refuse(n);
		int code = nnc_tensors_load(&tensors, raw, &err);
		if (!refused())
			break;
		CU_ASSERT(code == NNC_NOMEM || code == NNC_DATA);
		CU_ASSERT_PTR_NULL(tensors.entry);
	}
	CU_ASSERT(n > 5);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.message, "is damaged"));
}

static void malformed(void)
{
	static const struct {
		const char *header;
		size_t size;
		const char *word;
	} cases[] = {
		{"{\"a\":" T("0,8") "}", 7, "outside"},
		{"{\"a\":" T("0,8") "}", 9, "1 bytes follow"},
		{"{\"a\":" T("4,12") "}", 12, "a hole"},
		{"{\"a\":" T("0,8") ",\"b\":" T("4,12") "}", 12, "overlap"},
		{"{\"a\":" T("0,8") ",\"b\":" T("0,8") "}", 8, "overlap"},
		{"{\"a\":" T("8,16") ",\"b\":" T("16,24") "}", 24, "a hole"},
		{"{\"a\":" T("0,8") ",\"a\":" T("8,16") "}", 16, "duplicate"},
		{"{\"a\":" T("8,0") "}", 8, "malformed"},
		{"{\"a\":" T("-8,0") "}", 8, "malformed"},
		{"{\"a\":" T("0,4") "}", 4, "needs 8 bytes"},
		{"{\"a\":" T("0.0,8.0") "}", 8, "malformed"},
		{"{\"a\":" T("0,99999999999999999999") "}", 8, "malformed"},
		{"{\"a\":" T("0,8,9") "}", 8, "malformed"},
		{"{\"a\":5}", 0, "no dtype"},
		{"{\"a\":{\"dtype\":\"F32\",\"shape\":5,\"data_offsets\":[0,4]}}", 4,
		 "no dtype or shape"},
		{"{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", 4,
		 "no dtype or shape"},
		{"{\"a\":{\"dtype\":\"F32\",\"shape\":[1.0],\"data_offsets\":[0,4]}}",
		 4, "impossible shape"},
		{"{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, "malformed"},
		{"{\"a\":" T("0,8.0") "}", 8, "malformed"},
		{"{\"a\":" T("0.0,8") "}", 8, "malformed"},
		{"{\"a\":{\"dtype\":\"F9\",\"shape\":[],\"data_offsets\":[0,4]}}", 4,
		 "F9"},
		{"{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}", 4,
		 "impossible shape"},
		{"{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296,4],"
		 "\"data_offsets\":[0,0]}}",
		 0, "impossible shape"},
		{"{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,1],"
		 "\"data_offsets\":[0,4]}}",
		 4, "rank 9"},
		{"{\"__metadata__\":[]}", 0, "no object"},
		{"{\"__metadata__\":{\"a\":1}}", 0, "no string"},
		{"{\"__metadata__\":{\"crc32\":\"12345678\"},\"a\":" T("0,8") "}", 8,
		 "damaged"},
		{"{\"a\":", 0, "header is malformed"},
		{"[]", 0, "not a safetensors file"},
		{"{\"a\\u0000\":" T("0,8") "}", 8, "header is malformed"},
		{"{\"\xff\":" T("0,8") "}", 8, "header is malformed"},
	};
	NncTensors tensors;
	NncError err;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		int code = nnc_tensors_load(
			&tensors, write_raw(cases[i].header, cases[i].size), &err);
		CU_ASSERT_EQUAL(code, NNC_DATA);
		CU_ASSERT_PTR_NULL(tensors.entry);
		CU_ASSERT_PTR_NOT_NULL(strstr(err.message, cases[i].word));
		if (!strstr(err.message, cases[i].word))
			printf("\n%s: %s\n", cases[i].header, err.message);
	}
	CU_ASSERT_EQUAL(nnc_tensors_load(&tensors,
					 temp_write("r",
						    "\xff\xff\xff\xff\xff"
						    "\xff\xff\xff{}",
						    10),
					 &err),
			NNC_DATA);
	CU_ASSERT_EQUAL(nnc_tensors_load(&tensors, temp_write("r", "\0\0\0", 3), &err),
			NNC_DATA);
	CU_ASSERT_EQUAL(nnc_tensors_load(&tensors, temp_path("none"), &err),
			NNC_NOINPUT);
}

/* A header of exactly the limit is read, one byte more is not. */
static void header_limit(void)
{
	size_t size = 8 + NNC_MAX_HEADER + 1;
	unsigned char *bytes = malloc(size);
	NncTensors tensors;
	NncError err;

	for (size_t over = 0; over < 2; over++) {
		uint64_t length = NNC_MAX_HEADER + over;
		memset(bytes, ' ', size);
		memcpy(bytes, &length, 8);
		memcpy(bytes + 8, "{}", 2);
		CU_ASSERT_EQUAL(nnc_tensors_load(&tensors,
						 temp_write("l", bytes, 8 + length),
						 &err),
				over ? NNC_DATA : NNC_OK);
		nnc_tensors_free(&tensors);
	}
	CU_ASSERT_PTR_NOT_NULL(strstr(err.message, "at most 16777216"));
	free(bytes);
}

/* ---- a model's blocks
 * ---------------------------------------------------------------- */

/* conv (O, I, kH, kW) = (2, 3, 2, 1) kept as (kH, kW, I, O); dense (4, 3) transposed.
 */
static const NncTensor tensor_list[] = {
	{"conv1.weight", 4, {2, 3, 2, 1}, {1, 2, 6, 6}, 0, "he", 0, 6, 4},
	{"conv1.bias", 1, {2}, {1}, 16, "zeros", 0, 6, 4},
	{"dense1.weight", 2, {4, 3}, {1, 4}, 32, "he", 0, 3, 4},
};
static const NncTensor other_list[] = {
	{"conv1.weight", 4, {2, 3, 2, 1}, {6, 2, 1, 1}, 0, "he", 0, 6, 4},
	{"conv1.bias", 1, {2}, {1}, 16, "zeros", 0, 6, 4},
	{"dense1.weight", 2, {8, 3}, {3, 1}, 32, "he", 0, 3, 4},
	{"dense2.weight", 2, {8, 3}, {3, 1}, 64, "he", 0, 3, 4},
};
static const NncModel model4 = {
	.source = "m.nn", .real_bytes = 4, .tensors = tensor_list, .tensor_count = 3};
static const NncModel model8 = {
	.source = "m.nn", .real_bytes = 8, .tensors = tensor_list, .tensor_count = 3};
static const NncModel small = {
	.source = "s.nn", .real_bytes = 4, .tensors = tensor_list, .tensor_count = 2};
static const NncModel other = {
	.source = "o.nn", .real_bytes = 4, .tensors = other_list, .tensor_count = 3};
static const NncModel longer = {.source = "l.nn",
				.real_bytes = 4,
				.tensors = other_list + 3,
				.tensor_count = 1};

static void blocks(void)
{
	const char *path = temp_path("weights.safetensors");
	float block[48], back[48] = {0}, *stored;
	double wide[48] = {0};
	NncTensors tensors;
	const NncEntry *entry;

	for (int i = 0; i < 48; i++)
		block[i] = (float)i;
	CU_ASSERT_EQUAL_FATAL(nnc_weights_save(path, &model4, block, NULL), NNC_OK);
	CU_ASSERT_EQUAL_FATAL(nnc_tensors_load(&tensors, path, NULL), NNC_OK);
	entry = nnc_tensors_find(&tensors, "conv1.weight");
	CU_ASSERT(entry && entry->rank == 4 && entry->dim[0] == 2 &&
		  entry->dim[2] == 2);
	stored = malloc(entry->size);
	memcpy(stored, entry->data, entry->size);
	for (int o = 0; o < 2; o++)
		for (int i = 0; i < 3; i++)
			for (int k = 0; k < 2; k++)
				CU_ASSERT_EQUAL(stored[(o * 3 + i) * 2 + k],
						(float)(o + 2 * i + 6 * k));
	free(stored);
	nnc_tensors_free(&tensors);
	CU_ASSERT_EQUAL_FATAL(nnc_weights_load(path, &model4, back, NULL), NNC_OK);
	CU_ASSERT_EQUAL_FATAL(nnc_weights_load(path, &model8, wide, NULL), NNC_OK);
	for (int i = 0; i < 48; i++) {
		bool used = i < 12 || (i >= 16 && i < 18) || (i >= 32 && i < 44);
		CU_ASSERT_EQUAL(back[i], used ? block[i] : 0);
		CU_ASSERT_EQUAL(wide[i], used ? (double)block[i] : 0);
	}
}

static void doubles(void)
{
	const char *path = temp_path("double.safetensors");
	double block[48], back[48] = {0};
	float narrow[48];
	NncError err;

	for (int i = 0; i < 48; i++)
		block[i] = 1.0 / (i + 3);
	CU_ASSERT_EQUAL_FATAL(nnc_weights_save(path, &model8, block, NULL), NNC_OK);
	CU_ASSERT_EQUAL_FATAL(nnc_weights_load(path, &model8, back, NULL), NNC_OK);
	CU_ASSERT(memcmp(block, back, 12 * 8) == 0);
	CU_ASSERT_EQUAL(nnc_weights_load(path, &model4, narrow, &err), NNC_DATA);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.message, "\"conv1.weight\" is of dtype F64"));
}

static void other_architecture(void)
{
	const char *path = temp_path("mine.safetensors");
	float block[96] = {0}, back[96];
	NncTensors tensors = {0};
	NncError err;

	CU_ASSERT_EQUAL_FATAL(nnc_block_store(&tensors, &model4, block, "", NULL),
			      NNC_OK);
	CU_ASSERT_EQUAL_FATAL(
		nnc_block_store(&tensors, &model4, block, "optimizer.m.", NULL),
		NNC_OK);
	CU_ASSERT_EQUAL_FATAL(nnc_tensors_save(&tensors, path, NULL, NULL), NNC_OK);
	nnc_tensors_free(&tensors);
	for (int i = 0; i < 96; i++)
		back[i] = 5;
	CU_ASSERT_EQUAL(nnc_weights_load(path, &other, back, &err), NNC_DATA);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.message,
				      "\"dense1.weight\" has shape (4, 3) in "
				      "the file, (8, 3) in the model o.nn"));
	CU_ASSERT_EQUAL(nnc_weights_load(path, &longer, back, &err), NNC_DATA);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.message, "no tensor \"dense2.weight\""));
	CU_ASSERT_EQUAL(nnc_weights_load(path, &small, back, &err), NNC_DATA);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.message, "has a tensor \"dense1.weight\""));
	for (int i = 0; i < 96; i++)
		CU_ASSERT_EQUAL(back[i], 5);
	CU_ASSERT_EQUAL(nnc_weights_load(path, &model4, back, &err), NNC_OK);
	CU_ASSERT_EQUAL_FATAL(nnc_tensors_load(&tensors, path, NULL), NNC_OK);
	CU_ASSERT_EQUAL(nnc_block_fetch(&tensors, &model4, back, "optimizer.m.", &err),
			0);
	CU_ASSERT_EQUAL(nnc_block_fetch(&tensors, &model4, back, "optimizer.v.", &err),
			NNC_DATA);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.message, "\"optimizer.v.conv1.weight\""));
	nnc_tensors_free(&tensors);
}

/* One flipped bit in the data: the tensor that has it is named. */
static void damaged(void)
{
	static const struct {
		size_t before_end;
		const char *name;
	} cases[] = {{1, "dense1.weight"},
		     {12 * 4, "dense1.weight"},
		     {12 * 4 + 1, "conv1.bias"},
		     {26 * 4, "conv1.weight"}};
	const char *path = temp_path("flip.safetensors");
	float block[48] = {0};
	NncBytes bytes;
	NncError err;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[64];
		CU_ASSERT_EQUAL_FATAL(nnc_weights_save(path, &model4, block, NULL),
				      NNC_OK);
		CU_ASSERT_EQUAL_FATAL(nnc_read_file(&bytes, path, 1 << 20, NULL),
				      NNC_OK);
		bytes.data[bytes.size - cases[i].before_end] ^= 1;
		temp_write("flip.safetensors", bytes.data, bytes.size);
		nnc_bytes_free(&bytes);
		CU_ASSERT_EQUAL(nnc_weights_load(path, &model4, block, &err), NNC_DATA);
		snprintf(text, sizeof text, "the CRC-32 of tensor \"%s\" is not",
			 cases[i].name);
		CU_ASSERT_PTR_NOT_NULL(strstr(err.message, text));
	}
}

void suite_safetensors(void)
{
	CU_pSuite suite =
		CU_add_suite("safetensors", temp_folder_make, temp_folder_remove);

	CU_add_test(suite, "round trip", round_trip);
	CU_add_test(suite, "empty", empty);
	CU_add_test(suite, "names", names);
	CU_add_test(suite, "damaged, no memory", damaged_without_memory);
	CU_add_test(suite, "malformed", malformed);
	CU_add_test(suite, "header limit", header_limit);
	CU_add_test(suite, "blocks", blocks);
	CU_add_test(suite, "doubles", doubles);
	CU_add_test(suite, "other architecture", other_architecture);
	CU_add_test(suite, "damaged", damaged);
}
