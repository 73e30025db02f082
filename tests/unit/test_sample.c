/* test_sample.c - csv, npy and PNG: the formats that people make themselves. */
#include "internal.h"
#include "temp_folder.h"

#include <CUnit/Basic.h>
#include <math.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern void suite_sample(void);

/* A .npy file of version 1 in memory. */
static size_t make_npy(unsigned char *to, const char *descr, const char *shape,
		       const void *data, size_t size)
{
	int length =
		snprintf((char *)to + 10, 256,
			 "{'descr': '%s', 'fortran_order': False, 'shape': %s, }\n",
			 descr, shape);

	memcpy(to, "\x93NUMPY\1\0", 8);
	to[8] = (unsigned char)length;
	to[9] = (unsigned char)(length >> 8);
	memcpy(to + 10 + length, data, size);
	return 10 + (size_t)length + size;
}

static const char *write_npy(const char *name, const char *descr, const char *shape,
			     const void *data, size_t size)
{
	unsigned char bytes[4096];

	return temp_write(name, bytes, make_npy(bytes, descr, shape, data, size));
}

static int load_csv(NncData *data, const char *text, int channels, NncError *err)
{
	NncDataRequest request = {.path = temp_write("table.csv", text, strlen(text)),
				  .height = channels ? 1 : 0,
				  .width = channels ? 1 : 0,
				  .channels = channels};

	return nnc_find_format("csv")->load(data, &request, err);
}

static void expect_csv(const char *text, int64_t count, int channels, int classes,
		       float first, int label)
{
	NncData data;
	NncError err = {0};
	int code = load_csv(&data, text, 0, &err);

	CU_ASSERT_EQUAL(code, NNC_OK);
	if (code != NNC_OK) {
		printf("\n%s: %s\n", text, err.message);
		return;
	}
	CU_ASSERT_EQUAL(data.count, count);
	CU_ASSERT_EQUAL(data.channels, channels);
	CU_ASSERT_EQUAL(data.classes, classes);
	CU_ASSERT_EQUAL(((float *)data.samples)[0], first);
	CU_ASSERT_EQUAL(data.labels[0], label);
	CU_ASSERT(!data.bytes);
	nnc_data_free(&data);
}

static void csv(void)
{
	expect_csv("1.5,2,1\n3,4,0\n", 2, 2, 2, 1.5f, 1);
	expect_csv("1.5,2,1\n3,4,0", 2, 2, 2, 1.5f, 1);
	expect_csv("2.5,1\n3,0\n4.5,2\n", 3, 1, 3, 2.5f, 1);  /* the last column */
	expect_csv("label,p0,p1\n7,10,20\n", 1, 2, 8, 10, 7); /* the heading says */
	expect_csv("\xef\xbb\xbf"
		   "a;b;Class\r\n1;-2e1;3\r\n\r\n",
		   1, 2, 4, 1, 3);
	expect_csv("1\t2\t0\n", 1, 2, 1, 1, 0);
	expect_csv("  1   2  0 \n 4 5 1\n", 2, 2, 2, 1, 0);
	expect_csv("\"a\",\"y\"\n\"2.5\",\"1\"\n", 1, 1, 2, 2.5f, 1);
}

/* data csv "..." { label first; }, { label 2; }, { label "kind"; } */
static void csv_label(void)
{
	static const char text[] = "kind,a,b\n1,2.5,7\n0,3,8\n";
	static const struct {
		const char *label;
		int32_t first;
	} cases[] = {{"first", 1}, {"1", 1},    {"last", 7},
		     {"3", 7},     {"kind", 1}, {"b", 7}};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		NncData data;
		NncError err = {0};
		NncDataRequest request = {
			.path = temp_write("table.csv", text, strlen(text)),
			.label = cases[i].label,
		};
		CU_ASSERT_EQUAL(nnc_find_format("csv")->load(&data, &request, &err),
				NNC_OK);
		CU_ASSERT_EQUAL(data.labels[0], cases[i].first);
		nnc_data_free(&data);
		request.label = "missing";
		CU_ASSERT_EQUAL(nnc_find_format("csv")->load(&data, &request, &err),
				NNC_DATA);
		CU_ASSERT_PTR_NOT_NULL(strstr(err.message, "no column \"missing\""));
		request.label = "2"; /* 2.5 is no class */
		CU_ASSERT_EQUAL(nnc_find_format("csv")->load(&data, &request, &err),
				NNC_DATA);
	}
}

static void expect_bad_csv(const char *text, const char *word)
{
	NncData data;
	NncError err = {0};

	CU_ASSERT_EQUAL(load_csv(&data, text, 0, &err), NNC_DATA);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.message, word));
	if (!strstr(err.message, word))
		printf("\nwanted \"%s\" in: %s\n", word, err.message);
}

static void bad_csv(void)
{
	char *line = malloc(NNC_MAX_CSV_LINE + 10);
	NncDataRequest request = {.path = "x.csv", .test = true};
	NncData data;
	NncError err;

	expect_bad_csv("", "empty");
	expect_bad_csv("\n\n", "no rows");
	expect_bad_csv("a,b,c\n", "no rows");
	expect_bad_csv("1\n2\n", "no rows");
	expect_bad_csv("<html>", "HTML");
	expect_bad_csv("1,2,0\n1,2\n", "line 2 has 2 columns, the first line has 3");
	expect_bad_csv("1,2,0\n1,,0\n", "line 2, column 2: \"\"");
	expect_bad_csv("1,2,0\n1,nan,0\n", "line 2, column 2");
	expect_bad_csv("1,2,0\n1,0x10,0\n", "\"0x10\" is not a number");
	expect_bad_csv("1,2,0\n1,1e99,0\n", "\"1e99\" is not a number");
	expect_bad_csv("1.5,2.5\n", "is not class numbers");
	expect_bad_csv("a,label\n1,-1\n", "column 2 is not class numbers");
	expect_bad_csv("1,70000.5\n2.5,70000\n", "is not class numbers");
	memset(line, '1', NNC_MAX_CSV_LINE + 9);
	line[NNC_MAX_CSV_LINE + 9] = 0;
	expect_bad_csv(line, "line 1 is over");
	free(line);
	CU_ASSERT_EQUAL(load_csv(&data, "1,2,0\n", 4, &err), NNC_DATA);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.message, "are 2, the model's input is 4"));
	CU_ASSERT_EQUAL(nnc_find_format("csv")->load(&data, &request, &err),
			NNC_NOINPUT);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.message, "no test part"));
}

/* A folder with both parts, and a file whose test part has its name. */
static void csv_parts(void)
{
	NncDataRequest request = {.path = temp_path("t"), .test = true};
	NncData data;

	temp_write("t/train.csv", "1,0\n", 4);
	temp_write("t/test.csv", "1,0\n1,0\n", 8);
	CU_ASSERT_EQUAL_FATAL(nnc_find_format("csv")->load(&data, &request, NULL),
			      NNC_OK);
	CU_ASSERT_EQUAL(data.count, 2);
	nnc_data_free(&data);
	request.path = temp_path("t/train.csv");
	CU_ASSERT_EQUAL_FATAL(nnc_find_format("csv")->load(&data, &request, NULL),
			      NNC_OK);
	CU_ASSERT_EQUAL(data.count, 2);
	nnc_data_free(&data);
}

static void npy_format(void)
{
	static const double x[12] = {0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5, 5.5};
	static const int64_t y[2] = {2, 0};
	NncDataRequest request = {.path = temp_path("n")};
	const NncFormat *npy = nnc_find_format("npy");
	NncData data;
	NncError err;

	temp_path("n");
	temp_write("n/readme", "", 0);
	write_npy("n/x_train.npy", "<f8", "(2, 3, 2)", x, sizeof x);
	write_npy("n/y_train.npy", "<i8", "(2,)", y, sizeof y);
	CU_ASSERT_EQUAL_FATAL(npy->load(&data, &request, &err), NNC_OK);
	CU_ASSERT(data.count == 2 && data.height == 3 && data.width == 2);
	CU_ASSERT(data.channels == 1 && data.classes == 3 && data.labels[0] == 2);
	CU_ASSERT_EQUAL(((float *)data.samples)[11], 5.5f);
	nnc_data_free(&data);
	request.height = 2;
	request.width = request.channels = 3;
	CU_ASSERT_EQUAL(npy->load(&data, &request, &err), NNC_DATA);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.message, "3x2x1"));
	request.height = 0;
	write_npy("n/y_train.npy", "<i8", "(1, 2)", y, sizeof y);
	CU_ASSERT_EQUAL(npy->load(&data, &request, &err), NNC_DATA);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.message, "argmax"));
	write_npy("n/y_train.npy", "<i8", "(1,)", y, 8);
	CU_ASSERT_EQUAL(npy->load(&data, &request, &err), NNC_DATA);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.message, "1 labels"));
	write_npy("n/y_train.npy", "<f8", "(2,)", x, 16);
	CU_ASSERT_EQUAL(npy->load(&data, &request, &err), NNC_DATA);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.message, "label 0.5 of sample 1"));
}

/* One number of every type that is read. */
static void npy_types(void)
{
	static const struct {
		const char *descr;
		const char *bytes;
		size_t size;
		double value;
	} cases[] = {
		{"|u1", "\xfe", 1, 254},
		{"|b1", "\1", 1, 1},
		{"|i1", "\xfe", 1, -2},
		{"<u2", "\1\2", 2, 513},
		{">u2", "\1\2", 2, 258},
		{"<i4", "\xfe\xff\xff\xff", 4, -2},
		{">i4", "\xff\xff\xff\xfe", 4, -2},
		{"<i8", "\5\0\0\0\0\0\0\0", 8, 5},
		{"<u8", "\5\0\0\0\0\0\0\0", 8, 5},
		{"<f4", "\0\0\xc0\x3f", 4, 1.5},
		{">f4", "\x3f\xc0\0\0", 4, 1.5},
		{"<f8", "\0\0\0\0\0\0\xf8\x3f", 8, 1.5},
	};
	NncArray array;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const char *path = write_npy("one.npy", cases[i].descr, "()",
					     cases[i].bytes, cases[i].size);
		CU_ASSERT_EQUAL_FATAL(nnc_npy_read(&array, path, NULL), NNC_OK);
		CU_ASSERT_EQUAL(array.rank, 0);
		CU_ASSERT_EQUAL(nnc_array_number(&array, 0), cases[i].value);
		nnc_array_free(&array);
	}
}

static void expect_bad_npy(const char *descr, const char *shape, size_t size,
			   const char *word)
{
	static const unsigned char zeros[64];
	NncArray array;
	NncError err = {0};

	CU_ASSERT_EQUAL(nnc_npy_read(&array,
				     write_npy("bad.npy", descr, shape, zeros, size),
				     &err),
			NNC_DATA);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.message, word));
	if (!strstr(err.message, word))
		printf("\nwanted \"%s\" in: %s\n", word, err.message);
}

static void bad_npy(void)
{
	NncArray array;
	NncError err;

	expect_bad_npy("<f4", "(2, 3)", 23, "truncated");
	expect_bad_npy("<f4", "(2, 3)", 25, "goes on");
	expect_bad_npy("<f4", "(2, 3", 24, "shape is malformed");
	expect_bad_npy("<f4", "(2, -3)", 24, "shape is malformed");
	expect_bad_npy("<f4", "(99999999999, 99999999999)", 24, "too large");
	expect_bad_npy("<f4", "(9999999, 999)", 24, "can hold");
	expect_bad_npy("<f4", "(1,1,1,1,1,1,1,1,1)", 4, "rank");
	expect_bad_npy("<f2", "(2,)", 4, "type '<f2'");
	expect_bad_npy("|O", "(2,)", 4, "not objects");
	expect_bad_npy("<U10", "(2,)", 4, "type '<U10'");
	expect_bad_npy("xf4", "(2,)", 8, "only plain numbers");
	CU_ASSERT_EQUAL(nnc_npy_read(&array,
				     temp_write("p.npy", "\x93NUMPY\4\0\1\0 ", 11),
				     &err),
			NNC_DATA);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.message, "version 4"));
	CU_ASSERT_EQUAL(
		nnc_npy_read(&array, temp_write("p.npy", "PK\3\4          ", 14), &err),
		NNC_DATA);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.message, "npz"));
}

/* ---- predict's inputs ---------------------------------------------------------------
 */

static const NncModel grey = {.name = "grey",
			      .height = 2,
			      .width = 3,
			      .channels = 1,
			      .bytes = true,
			      .outputs = 10};
static const NncModel colour = {
	.name = "colour", .height = 2, .width = 3, .channels = 3, .outputs = 10};
static const NncModel flat = {
	.name = "flat", .height = 1, .width = 1, .channels = 6, .outputs = 10};

static void expect_samples(const char *path, const NncModel *model, int64_t count,
			   const void *want)
{
	size_t size = (size_t)(count * model->height * model->width * model->channels) *
		      (model->bytes ? 1 : 4);
	NncData data;
	NncError err = {0};
	int code = nnc_samples_read(&data, path, model, &err);

	CU_ASSERT_EQUAL(code, NNC_OK);
	if (code != NNC_OK) {
		printf("\n%s\n", err.message);
		return;
	}
	CU_ASSERT_EQUAL(data.count, count);
	CU_ASSERT_PTR_NULL(data.labels);
	CU_ASSERT(memcmp(data.samples, want, size) == 0);
	nnc_data_free(&data);
}

static void expect_no_samples(const char *path, const NncModel *model, const char *word)
{
	NncData data;
	NncError err = {0};

	CU_ASSERT_EQUAL(nnc_samples_read(&data, path, model, &err), NNC_DATA);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.message, word));
	if (!strstr(err.message, word))
		printf("\nwanted \"%s\" in: %s\n", word, err.message);
}

static void samples_npy(void)
{
	static const unsigned char bytes[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
	static const float whole[6] = {1, 2, 3, 4, 5, 6}, half[6] = {0.5f};

	expect_samples(write_npy("a", "|u1", "(2, 3)", bytes, 6), &grey, 1, bytes);
	expect_samples(write_npy("a", "|u1", "(2, 3, 1)", bytes, 6), &grey, 1, bytes);
	expect_samples(write_npy("a", "|u1", "(6,)", bytes, 6), &grey, 1, bytes);
	expect_samples(write_npy("a", "|u1", "(2, 2, 3)", bytes, 12), &grey, 2, bytes);
	expect_samples(write_npy("a", "|u1", "(2, 2, 3, 1)", bytes, 12), &grey, 2,
		       bytes);
	expect_samples(write_npy("a", "|u1", "(2, 6)", bytes, 12), &grey, 2, bytes);
	expect_samples(write_npy("a", "<f4", "(1, 2, 3)", whole, 24), &grey, 1, bytes);
	expect_samples(write_npy("a", "|u1", "(2, 3)", bytes, 6), &flat, 1, whole);
	expect_samples(write_npy("a", "<f4", "(1, 6)", half, 24), &flat, 1, half);
	expect_no_samples(write_npy("a", "<f4", "(1, 6)", half, 24), &grey,
			  "takes bytes");
	expect_no_samples(write_npy("a", "|u1", "(3, 2)", bytes, 6), &grey,
			  "is (3, 2), the input of model grey is 2x3x1");
	expect_no_samples(write_npy("a", "|u1", "(0, 2, 3)", bytes, 0), &grey,
			  "(0, 2, 3)");
	expect_no_samples(write_npy("a", "<f4", "(6,)",
				    "\0\0\xc0\x7f\0\0\0\0\0\0\0\0"
				    "\0\0\0\0\0\0\0\0\0\0\0\0",
				    24),
			  &flat, "not finite");
}

static void samples_idx(void)
{
	static const char idx[] = "\0\0\x08\3\0\0\0\1\0\0\0\2\0\0\0\3abcdef";

	expect_samples(temp_write("i", idx, sizeof idx - 1), &grey, 1, "abcdef");
	expect_samples(temp_gzip("i.gz", idx, sizeof idx - 1), &grey, 1, "abcdef");
	expect_no_samples(temp_write("i", idx, sizeof idx - 1), &colour, "2x3x3");
	expect_no_samples(temp_write("i", "GIF89a", 6), &grey, "a GIF image");
}

/* Writes a PNG by libpng's simple interface. */
static const char *write_png(const char *name, unsigned format, unsigned width,
			     unsigned height, const void *pixels)
{
	png_image image = {.version = PNG_IMAGE_VERSION,
			   .format = format,
			   .width = width,
			   .height = height};
	const char *path = temp_write(name, "", 0);

	if (!png_image_write_to_file(&image, path, 0, pixels, 0, NULL))
		abort();
	return path;
}

static void samples_png(void)
{
	static const unsigned char rgb[18] = {255, 0, 0, 0, 255, 0, 0,   0,   255,
					      9,   9, 9, 0, 0,   0, 255, 255, 255};
	static const unsigned char luma[6] = {76, 150, 29, 9, 0, 255};
	static const unsigned char grey6[6] = {0, 1, 100, 200, 254, 255};
	unsigned char rgba[24];
	float rgb_float[18], grey_float[6], grey_rgb[18];
	const char *path = write_png("rgb", PNG_FORMAT_RGB, 3, 2, rgb);

	for (int i = 0; i < 18; i++) {
		rgb_float[i] = rgb[i];
		grey_rgb[i] = grey6[i / 3];
		rgba[i / 3 * 4 + i % 3] = rgb[i];
		rgba[i / 3 * 4 + 3] = 128;
		grey_float[i / 3] = grey6[i / 3];
	}
	expect_samples(path, &grey, 1, luma);
	expect_samples(path, &colour, 1, rgb_float);
	expect_samples(write_png("rgba", PNG_FORMAT_RGBA, 3, 2, rgba), &grey, 1, luma);
	path = write_png("grey", PNG_FORMAT_GRAY, 3, 2, grey6);
	expect_samples(path, &grey, 1, grey6);
	expect_samples(path, &colour, 1, grey_rgb);
	expect_samples(path, &flat, 1, grey_float);
	path = write_png("turned", PNG_FORMAT_GRAY, 2, 3, grey6);
	expect_no_samples(path, &grey,
			  "is 3x2 (height x width), the model's input is 2x3");
	path = write_png("small", PNG_FORMAT_GRAY, 1, 3, grey6);
	expect_no_samples(path, &flat, "3 pixels; the model's input is 6 numbers");
}

void suite_sample(void)
{
	CU_pSuite suite = CU_add_suite("sample", temp_folder_make, temp_folder_remove);

	CU_add_test(suite, "csv", csv);
	CU_add_test(suite, "csv label", csv_label);
	CU_add_test(suite, "bad csv", bad_csv);
	CU_add_test(suite, "csv parts", csv_parts);
	CU_add_test(suite, "npy format", npy_format);
	CU_add_test(suite, "npy types", npy_types);
	CU_add_test(suite, "bad npy", bad_npy);
	CU_add_test(suite, "samples from npy", samples_npy);
	CU_add_test(suite, "samples from idx", samples_idx);
	CU_add_test(suite, "samples from png", samples_png);
}
