/* test_search.c - means, deviations and ranks of a grid; samples in a snapshot. */
#include "search/search.h"

#include "temp_folder.h"

#include <CUnit/Basic.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { POINTS = 6, MAX_SCORES = 11 };

/* Expected: NumPy 1.24's mean(), and std(), printed with repr(). */
static void sums(void)
{
	static const struct {
		int n;
		double mean, sd, x[MAX_SCORES];
	} cases[] = {
		{1, 0.1, 0, {0.1}},
		{3, 0.20000000000000004, 0.0816496580927726, {0.1, 0.2, 0.3}},
		{11,
		 0.6,
		 0.31622776601683794,
		 {0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1}},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		double mean = mean_of(cases[i].x, cases[i].n);
		double sd = deviation_of(cases[i].x, cases[i].n);
		CU_ASSERT(memcmp(&mean, &cases[i].mean, sizeof mean) == 0);
		CU_ASSERT(memcmp(&sd, &cases[i].sd, sizeof sd) == 0);
	}
}

/* Ranks of points with two folds; what is level shares the better rank, NAN the last.
 */
static void check_ranks(const double score[POINTS], const int want[POINTS], int best)
{
	Tune tune = {.given = true, .folds = 2};
	Job jobs[POINTS][2];
	Job *folds[POINTS][2];
	Point points[POINTS];
	Search s = {.tune = &tune, .points = points, .point_count = POINTS};

	for (int i = 0; i < POINTS; i++) {
		for (int k = 0; k < 2; k++) {
			jobs[i][k] =
				(Job){.score = k ? 0.5 : score[i], .state = JOB_DONE};
			folds[i][k] = &jobs[i][k];
		}
		points[i] = (Point){.jobs = folds[i]};
	}
	points_rank(&s);
	for (int i = 0; i < POINTS; i++)
		CU_ASSERT_EQUAL(points[i].rank, want[i]);
	CU_ASSERT_PTR_EQUAL(best_point(&s), best < 0 ? NULL : &points[best]);
}

static void ranks(void)
{
	check_ranks((double[]){0.1, 0.9, 0.5, 0.9, 0.5, 0.2}, (int[]){6, 1, 3, 1, 3, 5},
		    1);
	check_ranks((double[]){NAN, 0.0, 0.5, NAN, 1.0, 0.2}, (int[]){5, 4, 2, 5, 1, 3},
		    4);
	check_ranks((double[]){NAN, NAN, NAN, NAN, NAN, NAN}, (int[]){1, 1, 1, 1, 1, 1},
		    -1);
}

/* As short as can be, and read back as the same number. */
static void numbers(void)
{
	static const struct {
		double x;
		const char *text;
	} cases[] = {
		{0, "0"},
		{1, "1"},
		{-2, "-2"},
		{0.1, "0.1"},
		{1e-4, "0.0001"},
		{1e-5, "1e-05"},
		{1e4, "10000"},
		{1e20, "1e+20"},
		{0.75, "0.75"},
		{123.5, "123.5"},
		{1.0 / 3, "0.3333333333333333"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		CU_ASSERT_STRING_EQUAL(short_number(cases[i].x), cases[i].text);
	for (uint64_t i = 0; i < 2000; i++) {
		uint64_t bits = i * UINT64_C(0x9E3779B97F4A7C15);
		double x, back;
		memcpy(&x, &bits, sizeof x);
		back = strtod(short_number(x), NULL);
		CU_ASSERT(isnan(x) || memcmp(&x, &back, sizeof x) == 0);
	}
	CU_ASSERT_STRING_EQUAL(short_number(NAN), "nan");
}

/* ---- snapshots ---- */

static void save(const char *path, bool bytes)
{
	static uint8_t small[12] = {0, 1, 2, 255, 4, 5, 6, 7, 8, 9, 10, 11};
	static float large[12] = {0, 1, 2.5, -1, 4, 5, 6, 7, 8, 9, 10, 1e30F};
	static int32_t labels[3] = {2, 0, 1};
	NncData data = {.count = 3,
			.height = 2,
			.width = 2,
			.channels = 1,
			.classes = 3,
			.bytes = bytes,
			.samples = bytes ? (void *)small : (void *)large,
			.labels = labels,
			.samples_crc = 7,
			.labels_crc = 8,
			.source = "made up"};
	NncData found;
	size_t size = 12 * (bytes ? sizeof *small : sizeof *large);

	CU_ASSERT_EQUAL_FATAL(nnc_snapshot_save(path, &data, NULL), NNC_OK);
	CU_ASSERT_EQUAL_FATAL(nnc_snapshot_load(&found, path, NULL), NNC_OK);
	CU_ASSERT_EQUAL(found.count, 3);
	CU_ASSERT_EQUAL(found.classes, 3);
	CU_ASSERT_EQUAL(found.bytes, bytes);
	CU_ASSERT_EQUAL(found.samples_crc, 7);
	CU_ASSERT_EQUAL(found.labels_crc, 8);
	CU_ASSERT_STRING_EQUAL(found.source, "made up");
	CU_ASSERT_EQUAL((uintptr_t)found.samples % NNC_ALIGN, 0);
	CU_ASSERT(memcmp(found.samples, data.samples, size) == 0);
	CU_ASSERT(memcmp(found.labels, labels, sizeof labels) == 0);
	nnc_data_free(&found);
	CU_ASSERT_PTR_NULL(found.samples);
}

static void snapshots(void)
{
	save(temp_path("bytes"), true);
	save(temp_path("floats"), false);
}

/* Any byte of its head, any length: refused, or the same sizes. */
static void damaged(void)
{
	NncBytes good = {0};
	NncError err;
	NncData data;

	save(temp_path("good"), true);
	CU_ASSERT_EQUAL_FATAL(nnc_read_file(&good, temp_path("good"), 1 << 20, NULL),
			      NNC_OK);
	for (size_t n = 0; n < good.size; n += 5) {
		nnc_write_file(temp_path("bad"), good.data, n, NULL);
		CU_ASSERT_EQUAL(nnc_snapshot_load(&data, temp_path("bad"), &err),
				NNC_DATA);
	}
	for (size_t i = 0; i < good.size - 16; i++) { /* not the samples and labels */
		good.data[i] ^= 0x55;
		nnc_write_file(temp_path("bad"), good.data, good.size, NULL);
		if (nnc_snapshot_load(&data, temp_path("bad"), &err) == NNC_OK) {
			CU_ASSERT_EQUAL(data.count, 3);
			CU_ASSERT_EQUAL(nnc_sample_size(&data), 4);
			CU_ASSERT(strlen(data.source) < sizeof data.source);
			nnc_data_free(&data);
		}
		good.data[i] ^= 0x55;
	}
	good.data[good.size - 1] = 0x40; /* of the last label */
	nnc_write_file(temp_path("bad"), good.data, good.size, NULL);
	CU_ASSERT_EQUAL(nnc_snapshot_load(&data, temp_path("bad"), &err), NNC_DATA);
	CU_ASSERT_EQUAL(nnc_snapshot_load(&data, temp_path("none"), &err), NNC_NOINPUT);
	nnc_bytes_free(&good);
}

extern void suite_search(void);

void suite_search(void)
{
	CU_pSuite suite = CU_add_suite("search", temp_folder_make, temp_folder_remove);

	CU_add_test(suite, "sums", sums);
	CU_add_test(suite, "ranks", ranks);
	CU_add_test(suite, "numbers", numbers);
	CU_add_test(suite, "snapshots", snapshots);
	CU_add_test(suite, "damaged snapshots", damaged);
}
