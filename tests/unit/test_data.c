/* test_data.c - data formats, the search for them, gzip. */
#include "internal.h"
#include "refuse.h"
#include "temp_folder.h"

#include <CUnit/Basic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern void suite_data(void);

#define SYSTEM_FOLDER "/usr/share/datasets/fashion-mnist"

/* An IDX file in memory: up to four dimensions, then bytes 0, 1, 2 ... modulo m. */
static size_t make_idx(unsigned char *to, int rank, const int *dim, int m)
{
	size_t count = 1, at = 4;

	memcpy(to, (unsigned char[]){0, 0, 8, (unsigned char)rank}, 4);
	for (int r = 0; r < rank; r++) {
		count *= (size_t)dim[r];
		for (int shift = 24; shift >= 0; shift -= 8)
			to[at++] = (unsigned char)(dim[r] >> shift);
	}
	for (size_t i = 0; i < count; i++)
		to[at++] = (unsigned char)(i % (size_t)m);
	return at;
}

static int load(NncData *data, const char *format, const char *folder, bool test,
		int height, int width, int channels, int classes, NncError *err)
{
	NncDataRequest request = {folder, NULL,     NULL,    height,
				  width,  channels, classes, test};

	return nnc_find_format(format)->load(data, &request, err);
}

static void system_fashion_mnist(void)
{
	static const uint32_t crc[2][2] = {{0xb4f29f28, 0x741a4657},
					   {0x678fe0b1, 0x80142c1f}};
	NncData data;
	NncError err;

	if (access(SYSTEM_FOLDER, R_OK) != 0)
		return;
	for (int test = 0; test < 2; test++) {
		int code = load(&data, "fashion_mnist", SYSTEM_FOLDER, test, 28, 28, 1,
				10, &err);
		CU_ASSERT_EQUAL_FATAL(code, NNC_OK);
		CU_ASSERT_EQUAL(data.count, test ? 10000 : 60000);
		CU_ASSERT_EQUAL(data.samples_crc, crc[test][0]);
		CU_ASSERT_EQUAL(data.labels_crc, crc[test][1]);
		CU_ASSERT(data.bytes && data.height == 28 && data.width == 28);
		nnc_data_free(&data);
	}
	CU_ASSERT_EQUAL(
		load(&data, "fashion_mnist", SYSTEM_FOLDER, true, 32, 32, 1, 10, &err),
		NNC_DATA);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.message, "28x28x1"));
	CU_ASSERT_PTR_NOT_NULL(strstr(err.message, "32x32x1"));
	CU_ASSERT_EQUAL(
		load(&data, "fashion_mnist", SYSTEM_FOLDER, true, 1, 1, 784, 10, &err),
		NNC_OK);
	nnc_data_free(&data);
}

/* Both spellings, gzip or not, a subfolder, five classes, colour. */
static void idx(void)
{
	unsigned char bytes[4096];
	const char *folder = temp_path("idx");
	NncData data;
	NncError err;
	size_t size;

	size = make_idx(bytes, 3, (int[]){10, 4, 6}, 250);
	temp_gzip("idx/train-images-idx3-ubyte.gz", bytes, size);
	size = make_idx(bytes, 1, (int[]){10}, 5);
	temp_write("idx/train-labels.idx1-ubyte", bytes, size);
	CU_ASSERT_EQUAL_FATAL(load(&data, "idx", folder, false, 4, 6, 1, 0, &err),
			      NNC_OK);
	CU_ASSERT_EQUAL(data.count, 10);
	CU_ASSERT_EQUAL(data.height, 4);
	CU_ASSERT_EQUAL(data.width, 6);
	CU_ASSERT_EQUAL(data.channels, 1);
	CU_ASSERT_EQUAL(data.classes, 5);
	CU_ASSERT_EQUAL(((uint8_t *)data.samples)[25], 25);
	CU_ASSERT_EQUAL(data.labels[7], 2);
	CU_ASSERT_PTR_NOT_NULL(strstr(data.source, "train-images-idx3-ubyte.gz"));
	nnc_data_free(&data);
	CU_ASSERT_EQUAL_FATAL(load(&data, "idx", folder, false, 0, 0, 0, 7, &err),
			      NNC_OK);
	CU_ASSERT_EQUAL(data.classes, 7); /* the model's */
	nnc_data_free(&data);
	CU_ASSERT_EQUAL(load(&data, "idx", folder, false, 0, 0, 0, 4, &err), NNC_DATA);
	CU_ASSERT_PTR_NOT_NULL(
		strstr(err.message, "5 classes, the model has 4 outputs"));

	size = make_idx(bytes, 4, (int[]){10, 2, 3, 3}, 250);
	temp_write("idx/idx/test-images-idx4-ubyte", bytes, size);
	size = make_idx(bytes, 1, (int[]){10}, 5);
	temp_gzip("idx/idx/test-labels-idx1-ubyte.gz", bytes, size);
	CU_ASSERT_EQUAL_FATAL(load(&data, "idx", folder, true, 0, 0, 0, 0, &err),
			      NNC_OK);
	CU_ASSERT(data.height == 2 && data.width == 3 && data.channels == 3);
	nnc_data_free(&data);
}

/* Writes a pair of files of raw bytes and expects an error with a word in it. */
static void expect_bad(const void *images, size_t images_size, const void *labels,
		       size_t labels_size, const char *word)
{
	NncData data;
	NncError err = {0};
	int code;

	temp_write("bad/train-images-idx3-ubyte", images, images_size);
	temp_write("bad/train-labels-idx1-ubyte", labels, labels_size);
	code = load(&data, "mnist", temp_path("bad"), false, 0, 0, 0, 0, &err);
	CU_ASSERT_EQUAL(code, NNC_DATA);
	CU_ASSERT_EQUAL(err.code, NNC_DATA);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.message, word));
	if (!strstr(err.message, word))
		printf("\nwanted \"%s\" in: %s\n", word, err.message);
	CU_ASSERT_PTR_NULL(data.samples);
}

static void bad_idx(void)
{
	unsigned char images[2048], labels[64], other[2048];
	size_t i = make_idx(images, 3, (int[]){8, 5, 5}, 256);
	size_t l = make_idx(labels, 1, (int[]){8}, 10), o;

	expect_bad("<!DOCTYPE html>", 15, labels, l, "an HTML or XML page");
	expect_bad("\x89PNG\r\n\x1a\n", 8, labels, l, "a PNG image");
	expect_bad("", 0, labels, l, "empty");
	expect_bad("\0\1\x08\3", 4, labels, l, "is not an IDX file");
	expect_bad("\0\0\x08", 3, labels, l, "is not an IDX file");
	expect_bad("\0\0\x0a\3", 4, labels, l, "of an unknown type");
	expect_bad("\0\0\x40\3", 4, labels, l, "of an unknown type");
	expect_bad("\0\0\x08\4\0\0\0\1\1\0\0\0\1\0\0\0\1\0\0\0", 20, labels, l,
		   "too large");
	expect_bad("\0\0\x0d\3", 4, labels, l, "IDX file of floats");
	expect_bad("\0\0\x08\5", 4, labels, l, "rank 5");
	expect_bad("\0\0\x08\0", 4, labels, l, "rank 0");
	expect_bad(images, 11, labels, l, "ends inside its header");
	expect_bad(images, i - 1, labels, l, "truncated");
	expect_bad(images, i + 1, labels, l, "goes on after");
	expect_bad("\0\0\x08\3\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 16,
		   labels, l, "too large");
	expect_bad("\0\0\x08\3\x7f\xff\xff\xff\0\0\0\x1c\0\0\0\x1c", 16, labels, l,
		   "too large");
	expect_bad("\0\0\x08\3\0\0\0\1\0\0\x40\0\0\0\x40\0", 16, labels, l,
		   "more than a file");
	o = make_idx(other, 3, (int[]){8, 0, 5}, 256);
	expect_bad(other, o, labels, l, "is empty: 8 x 0 x 5");
	expect_bad(labels, l, labels, l, "(labels?)");
	expect_bad(images, i, images, i, "(images?)");
	o = make_idx(other, 1, (int[]){9}, 10);
	expect_bad(images, i, other, o, "9 labels");
	labels[l - 1] = 10;
	expect_bad(images, i, labels, l, "label 10 of sample 7");
}

/* gzip that ends behind a first block of `count` bytes as they are, or goes on with
 * none. */
static size_t broken_gzip(unsigned char *to, const unsigned char *bytes, unsigned count,
			  bool more)
{
	static const unsigned char head[10] = {0x1f, 0x8b, 8};
	const unsigned char block[5] = {
		0, (unsigned char)count, (unsigned char)(count >> 8),
		(unsigned char)~count, (unsigned char)(~count >> 8)};

	memcpy(to, head, sizeof head);
	memcpy(to + 10, block, sizeof block);
	memcpy(to + 15, bytes, count);
	memset(to + 15 + count, 0xff, 16);
	return 15 + count + (more ? 16 : 0);
}

/* It breaks off as it is read, behind any byte. */
static void broken(void)
{
	unsigned char images[2048], labels[64], packed[2048];
	size_t i = make_idx(images, 3, (int[]){8, 5, 5}, 256), size;
	size_t l = make_idx(labels, 1, (int[]){8}, 10);

	for (unsigned count = 0; count <= i; count += count < 20 ? 1 : 12)
		for (int more = 0; more < 2; more++) {
			size = broken_gzip(packed, images, count, more);
			expect_bad(packed, size, labels, l,
				   more ? "damaged gzip" : "trunc");
		}
	size = broken_gzip(packed, (const unsigned char *)"none!", 4, false);
	expect_bad(packed, size, labels, l, "is not an IDX file");
}

/* Vectors, and no memory for either file. */
static void vectors(void)
{
	unsigned char bytes[64];
	const char *folder = temp_path("flat");
	NncData data;
	NncError err;
	long n = 1;

	temp_write("flat/idx/train-images-idx2-ubyte", bytes,
		   make_idx(bytes, 2, (int[]){6, 5}, 256));
	temp_write("flat/idx/train-labels-idx1-ubyte", bytes,
		   make_idx(bytes, 1, (int[]){6}, 4));
	for (;; n++) {
		refuse(n);
		int code = load(&data, "idx", folder, false, 0, 0, 0, 0, &err);
		if (!refused())
			break;
		CU_ASSERT_EQUAL(code, NNC_NOMEM);
		CU_ASSERT_PTR_NULL(data.samples);
	}
	CU_ASSERT(n > 4);
	CU_ASSERT(data.height == 1 && data.width == 1 && data.channels == 5);
	nnc_data_free(&data);
}

static void bad_gzip(void)
{
	unsigned char images[2048], labels[64], packed[2048];
	size_t i = make_idx(images, 3, (int[]){8, 5, 5}, 256), size;
	size_t l = make_idx(labels, 1, (int[]){8}, 10);
	FILE *file = fopen(temp_gzip("gz", images, i), "rb");

	size = fread(packed, 1, sizeof packed, file);
	fclose(file);
	expect_bad(packed, size - 9, labels, l, "truncated gzip");
	expect_bad(packed, size - 4, labels, l, "truncated gzip");
	expect_bad(packed, 5, labels, l, "truncated gzip");
	packed[size - 8] ^= 1;
	expect_bad(packed, size, labels, l, "CRC-32 does not match");
	packed[size - 8] ^= 1;
	packed[size - 1] ^= 1;
	expect_bad(packed, size, labels, l, "length does not match");
	packed[size - 1] ^= 1;
	packed[10] = 0xff;
	expect_bad(packed, size, labels, l, "damaged gzip");
	packed[10] = 7;
	file = fopen(temp_gzip("gz2", "\x1f\x8b\x08\x00 twice", 10), "rb");
	size = fread(packed, 1, sizeof packed, file);
	fclose(file);
	expect_bad(packed, size, labels, l, "compressed twice");
}

static void missing(void)
{
	NncData data;
	NncError err;
	const char *saved = getenv("NNC_DATA");
	char *keep = saved ? strdup(saved) : NULL;
	NncDataRequest request = {.directory = temp_path("nowhere")};

	CU_ASSERT_EQUAL(nnc_find_format("fashion_mnist")->load(&data, &request, &err),
			NNC_NOINPUT);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.message, "nowhere/fashion-mnist\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(err.message, "nowhere/fashion_mnist\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(err.message, "train-images.idx3-ubyte"));
	CU_ASSERT_PTR_NOT_NULL(
		strstr(err.message, "apt-get install dataset-fashion-mnist"));
	request.directory = NULL;
	setenv("NNC_DATA", temp_path("elsewhere"), 1);
	CU_ASSERT_EQUAL(nnc_find_format("mnist")->load(&data, &request, &err),
			NNC_NOINPUT);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.message, "elsewhere/mnist\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(err.message, "\n  data\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(err.message, "\n  /usr/share/datasets/mnist\n"));
	if (keep)
		setenv("NNC_DATA", keep, 1);
	else
		unsetenv("NNC_DATA");
	free(keep);
}

static void cifar10(void)
{
	static unsigned char batch[4 * 3073];
	NncData data;
	NncError err;
	char name[64];

	for (size_t i = 0; i < 4; i++) {
		batch[i * 3073] = (unsigned char)(i + 6);
		batch[i * 3073 + 1 + 5] = 11;        /* red of (0, 5) */
		batch[i * 3073 + 1 + 1024 + 5] = 22; /* green */
		batch[i * 3073 + 1 + 2048 + 5] = 33; /* blue */
	}
	for (int i = 1; i <= 5; i++) {
		snprintf(name, sizeof name, "c/cifar-10-batches-bin/data_batch_%d.bin",
			 i);
		temp_write(name, batch, i == 5 ? 3073 : sizeof batch);
	}
	temp_gzip("c/test_batch.bin.gz", batch, sizeof batch);
	CU_ASSERT_EQUAL_FATAL(
		load(&data, "cifar10", temp_path("c"), false, 32, 32, 3, 10, &err),
		NNC_OK);
	CU_ASSERT_EQUAL(data.count, 17);
	CU_ASSERT_EQUAL(data.labels[15], 9);
	CU_ASSERT_EQUAL(data.labels[16], 6);
	CU_ASSERT(memcmp((char *)data.samples + 16 * 3072 + 15, "\x0b\x16\x21", 3) ==
		  0);
	nnc_data_free(&data);
	CU_ASSERT_EQUAL_FATAL(
		load(&data, "cifar10", temp_path("c"), true, 0, 0, 0, 0, &err), NNC_OK);
	CU_ASSERT_EQUAL(data.count, 4);
	nnc_data_free(&data);
	temp_write("c/cifar-10-batches-bin/data_batch_3.bin", batch, 3072);
	CU_ASSERT_EQUAL(load(&data, "cifar10", temp_path("c"), false, 0, 0, 0, 0, &err),
			NNC_DATA);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.message, "3072 bytes are not records"));
	batch[0] = 10;
	temp_write("c/cifar-10-batches-bin/data_batch_3.bin", batch, 3073);
	CU_ASSERT_EQUAL(load(&data, "cifar10", temp_path("c"), false, 0, 0, 0, 0, &err),
			NNC_DATA);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.message, "label 10 of record 0"));
}

static void kinds(void)
{
	CU_ASSERT_STRING_EQUAL(nnc_kind_of((const unsigned char *)"a,b\n", 4), "text");
	CU_ASSERT_STRING_EQUAL(nnc_kind_of((const unsigned char *)" {\"a\":1}", 8),
			       "JSON text");
	CU_ASSERT_STRING_EQUAL(nnc_kind_of((const unsigned char *)"\1\2", 2),
			       "not a format known to nnc");
	for (const NncFormat *const *f = nnc_formats; *f; f++)
		CU_ASSERT_PTR_EQUAL(nnc_find_format((*f)->name), *f);
	CU_ASSERT_PTR_NULL(nnc_find_format("nothing"));
}

static void read_limits(void)
{
	static unsigned char zeros[1 << 20];
	const char *bomb = temp_gzip("bomb.gz", zeros, sizeof zeros);
	NncBytes bytes;
	NncError err;

	CU_ASSERT_EQUAL(nnc_read_file(&bytes, bomb, 1000, &err), NNC_DATA);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.message, "more than 1000 bytes"));
	CU_ASSERT_EQUAL(nnc_read_file(&bytes, bomb, sizeof zeros - 1, &err), NNC_DATA);
	CU_ASSERT_EQUAL(nnc_read_file(&bytes, bomb, sizeof zeros, &err), NNC_OK);
	CU_ASSERT_EQUAL(bytes.size, sizeof zeros);
	nnc_bytes_free(&bytes);
	CU_ASSERT_EQUAL(nnc_read_file(&bytes, temp_path("."), 1000, &err), NNC_IO);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.message, "a folder"));
	CU_ASSERT_EQUAL(nnc_read_file(&bytes, "/dev/zero", 1000, &err), NNC_IO);
	CU_ASSERT_EQUAL(nnc_read_file(&bytes, temp_path("none"), 1, &err), NNC_NOINPUT);
	CU_ASSERT_EQUAL(nnc_read_file(&bytes, temp_write("e", "", 0), 9, &err), NNC_OK);
	CU_ASSERT_EQUAL(bytes.size, 0);
	nnc_bytes_free(&bytes);
}

void suite_data(void)
{
	CU_pSuite suite = CU_add_suite("data", temp_folder_make, temp_folder_remove);

	CU_add_test(suite, "fashion_mnist of the system", system_fashion_mnist);
	CU_add_test(suite, "idx", idx);
	CU_add_test(suite, "bad idx", bad_idx);
	CU_add_test(suite, "broken gzip", broken);
	CU_add_test(suite, "vectors", vectors);
	CU_add_test(suite, "bad gzip", bad_gzip);
	CU_add_test(suite, "missing", missing);
	CU_add_test(suite, "cifar10", cifar10);
	CU_add_test(suite, "kinds", kinds);
	CU_add_test(suite, "limits of reading", read_limits);
}
