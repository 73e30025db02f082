/*
 * test_hostile.c - every file of tests/hostile through its loader: refused with a
 * message, or read if its name begins with "ok-"; under the sanitizers, not a crash.
 */
#include "internal.h"
#include "temp_folder.h"

#include <CUnit/Basic.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern void suite_hostile(void);

static const char *root(void)
{
	const char *folder = getenv("NNC_HOSTILE");

	return folder ? folder : "tests/hostile";
}

/* Calls read() for every file of a folder and checks what it answers. */
static void each(const char *folder, int (*read)(const char *path, NncError *err))
{
	char path[1024];
	struct dirent *entry;
	DIR *dir;
	int count = 0;

	snprintf(path, sizeof path, "%s/%s", root(), folder);
	dir = opendir(path);
	CU_ASSERT_PTR_NOT_NULL_FATAL(dir);
	while ((entry = readdir(dir))) {
		NncError err = {0};
		bool valid = strncmp(entry->d_name, "ok-", 3) == 0;
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "%s/%s/%s", root(), folder, entry->d_name);
		int code = read(path, &err);
		CU_ASSERT_EQUAL(code, valid ? NNC_OK : NNC_DATA);
		CU_ASSERT_EQUAL(err.code, code);
		CU_ASSERT(valid || strlen(err.message) > 20);
		for (const char *c = err.message; *c; c++)
			CU_ASSERT((unsigned char)*c >= 32 || *c == '\n');
		if (code != (valid ? NNC_OK : NNC_DATA))
			printf("\n%s: %d %s\n", path, code, err.message);
		count++;
	}
	closedir(dir);
	CU_ASSERT(count > 20);
}

static int read_idx(const char *path, NncError *err)
{
	NncArray array;
	int code = nnc_idx_read(&array, path, err);

	nnc_array_free(&array);
	return code;
}

static int read_npy(const char *path, NncError *err)
{
	NncArray array;
	int code = nnc_npy_read(&array, path, err);

	nnc_array_free(&array);
	return code;
}

static int read_safetensors(const char *path, NncError *err)
{
	NncTensors tensors;
	int code = nnc_tensors_load(&tensors, path, err);

	nnc_tensors_free(&tensors);
	return code;
}

static int read_png(const char *path, NncError *err)
{
	static const NncModel model = {.name = "m",
				       .height = 2,
				       .width = 3,
				       .channels = 1,
				       .outputs = 2,
				       .bytes = true};
	NncData data;
	int code = nnc_samples_read(&data, path, &model, err);

	nnc_data_free(&data);
	return code;
}

static int read_csv(const char *path, NncError *err)
{
	NncDataRequest request = {.path = path};
	NncData data;
	int code = nnc_find_format("csv")->load(&data, &request, err);

	nnc_data_free(&data);
	return code;
}

static int read_cifar10(const char *path, NncError *err)
{
	NncDataRequest request = {.path = temp_path("."), .test = true};
	NncBytes bytes;
	NncData data;
	FILE *file = fopen(path, "rb");
	int code;

	/* As it is: nnc_read_file() would unpack it. */
	bytes.data = calloc(1, 1 << 20);
	bytes.size = fread(bytes.data, 1, 1 << 20, file);
	fclose(file);
	temp_write("test_batch.bin", bytes.data, bytes.size);
	nnc_bytes_free(&bytes);
	code = nnc_find_format("cifar10")->load(&data, &request, err);
	nnc_data_free(&data);
	return code;
}

static void idx(void)
{
	each("idx", read_idx);
}

static void npy(void)
{
	each("npy", read_npy);
}

static void safetensors(void)
{
	each("safetensors", read_safetensors);
}

static void png(void)
{
	each("png", read_png);
}

static void csv(void)
{
	each("csv", read_csv);
}

static void cifar10(void)
{
	each("cifar10", read_cifar10);
}

void suite_hostile(void)
{
	CU_pSuite suite = CU_add_suite("hostile", temp_folder_make, temp_folder_remove);

	CU_add_test(suite, "idx", idx);
	CU_add_test(suite, "npy", npy);
	CU_add_test(suite, "safetensors", safetensors);
	CU_add_test(suite, "png", png);
	CU_add_test(suite, "csv", csv);
	CU_add_test(suite, "cifar10", cifar10);
}
