/*
 * test_limits.c - the limits of data: what is read at each, and refused one over. Those
 * of the language are in tests/hostile/sources and test_bounds.c, that of a safetensors
 * header in test_safetensors.c.
 */
#include "internal.h"
#include "temp_folder.h"

#include <CUnit/Basic.h>
#include <png.h>
#include <stdlib.h>
#include <string.h>

extern void suite_limits(void);

/* The answer of a loader is `code`; a refusal says `text`. */
static void answers(int got, int code, const NncError *err, const char *text)
{
	CU_ASSERT_EQUAL(got, code);
	if (code != NNC_OK)
		CU_ASSERT_PTR_NOT_NULL(strstr(err->message, text));
	if (got != code)
		printf("\n%d: %s\n", got, err->message);
}

/* A line of `size` bytes: numbers, blanks, a class. */
static void csv_line(void)
{
	char *text = malloc(NNC_MAX_CSV_LINE + 2);

	for (int over = 0; over < 2; over++) {
		NncDataRequest request = {.path = temp_path("t.csv")};
		size_t size = NNC_MAX_CSV_LINE + (size_t)over;
		NncError err = {0};
		NncData data;
		memset(text, ' ', size);
		memcpy(text, "1,2,", 4);
		text[size - 1] = '0';
		text[size] = '\n';
		temp_write("t.csv", text, size + 1);
		answers(nnc_find_format("csv")->load(&data, &request, &err),
			over ? NNC_DATA : NNC_OK, &err, "is over 1048576 bytes");
		nnc_data_free(&data);
	}
	free(text);
}

static void idx_dimension(void)
{
	size_t most = NNC_MAX_DIM;
	unsigned char *file = calloc(1, 12 + most + 1);

	for (unsigned over = 0; over < 2; over++) {
		unsigned char head[] = {0, 0, 8, 2, 0, 0, 0, 1, 1, 0, 0, 0};
		NncError err = {0};
		NncArray array;
		head[11] = (unsigned char)over;
		memcpy(file, head, sizeof head);
		temp_write("t.idx", file, 12 + most + over);
		answers(nnc_idx_read(&array, temp_path("t.idx"), &err),
			over ? NNC_DATA : NNC_OK, &err, "is too large");
		nnc_array_free(&array);
	}
	free(file);
}

static void image_side(void)
{
	unsigned char *row = calloc(1, NNC_MAX_IMAGE + 1);

	for (unsigned over = 0; over < 2; over++) {
		png_image image = {.version = PNG_IMAGE_VERSION,
				   .width = NNC_MAX_IMAGE + over,
				   .height = 1,
				   .format = PNG_FORMAT_GRAY};
		NncError err = {0};
		NncArray array;
		CU_ASSERT(png_image_write_to_file(&image, temp_path("t.png"), 0, row, 0,
						  NULL));
		answers(nnc_png_read(&array, temp_path("t.png"), 1,
				     NNC_MAX_IMAGE + (int32_t)over, 1,
				     NNC_MAX_IMAGE + (int64_t)over, &err),
			over ? NNC_DATA : NNC_OK, &err, "damaged PNG");
		nnc_array_free(&array);
	}
	free(row);
}

static size_t npy(unsigned char *file, const char *header, const void *data,
		  size_t size)
{
	size_t length = strlen(header);

	memcpy(file, "\x93NUMPY\1\0", 8);
	file[8] = (unsigned char)length;
	file[9] = 0;
	memcpy(file + 10, header, length);
	memcpy(file + 10 + length, data, size);
	return 10 + length + size;
}

/* A class number, the largest and one more; and a model with too few outputs. */
static void label(void)
{
	unsigned char file[256];
	const float sample[2] = {0, 1};

	temp_write("x_train.npy", file,
		   npy(file,
		       "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2)}",
		       sample, sizeof sample));
	for (int32_t over = 0; over < 2; over++) {
		NncDataRequest request = {.path = temp_path(".")};
		int32_t class = NNC_MAX_CLASSES - 1 + over;
		NncError err = {0};
		NncData data;
		temp_write(
			"y_train.npy", file,
			npy(file,
			    "{'descr': '<i4', 'fortran_order': False, 'shape': (1,)}",
			    &class, sizeof class));
		answers(nnc_find_format("npy")->load(&data, &request, &err),
			over ? NNC_DATA : NNC_OK, &err, "is not a class number");
		CU_ASSERT(over || data.classes == NNC_MAX_CLASSES);
		nnc_data_free(&data);
		request.classes = NNC_MAX_CLASSES - 1;
		answers(nnc_find_format("npy")->load(&data, &request, &err), NNC_DATA,
			&err, over ? "is not a class number" : "65536 classes");
		nnc_data_free(&data);
	}
}

static void memory_left(void)
{
	CU_ASSERT(nnc_memory_left() > 1 << 20);
}

void suite_limits(void)
{
	CU_pSuite suite = CU_add_suite("limits", temp_folder_make, temp_folder_remove);

	CU_add_test(suite, "a line of CSV", csv_line);
	CU_add_test(suite, "a dimension of IDX", idx_dimension);
	CU_add_test(suite, "a side of an image", image_side);
	CU_add_test(suite, "a class number", label);
	CU_add_test(suite, "memory left", memory_left);
}
