/* test_split.c - subsets, stratified validation, epoch order. */
#include "internal.h"

#include <CUnit/Basic.h>
#include <stdlib.h>
#include <string.h>

enum { N = 1000, CLASSES = 4 };

/* 500, 300, 150 and 50 samples of four classes, mixed. */
static NncData make_data(void)
{
	static int32_t labels[N];

	for (int i = 0; i < N; i++) {
		int at = i * 7 % 20;
		labels[i] = at < 10 ? 0 : at < 16 ? 1 : at < 19 ? 2 : 3;
	}
	return (NncData){
		.count = N, .classes = CLASSES, .labels = labels, .source = "made up"};
}

/* Everything in train and validation, once. */
static void check_disjoint(const NncSplit *split)
{
	int seen[N] = {0};

	for (size_t i = 0; i < split->train_count; i++)
		seen[split->train[i]]++;
	for (size_t i = 0; i < split->validation_count; i++)
		seen[split->validation[i]]++;
	for (int i = 0; i < N; i++)
		CU_ASSERT_FATAL(seen[i] <= 1);
}

static void all(void)
{
	NncData data = make_data();
	NncSplit split;

	CU_ASSERT_EQUAL_FATAL(nnc_split_make(&split, &data, 0, 0, 1, NULL), NNC_OK);
	CU_ASSERT_EQUAL(split.train_count, N);
	CU_ASSERT_EQUAL(split.validation_count, 0);
	CU_ASSERT_PTR_NULL(split.validation);
	check_disjoint(&split);
	nnc_split_free(&split);
}

static void stratified(void)
{
	static const int want[CLASSES] = {100, 60, 30, 10};
	NncData data = make_data();
	int have[CLASSES] = {0};
	NncSplit split, again;

	CU_ASSERT_EQUAL_FATAL(nnc_split_make(&split, &data, 0, 0.2, 1, NULL), NNC_OK);
	CU_ASSERT_EQUAL_FATAL(nnc_split_make(&again, &data, 0, 0.2, 1, NULL), NNC_OK);
	CU_ASSERT_EQUAL(split.train_count, 800);
	CU_ASSERT_EQUAL(split.validation_count, 200);
	check_disjoint(&split);
	for (size_t i = 0; i < split.validation_count; i++)
		have[data.labels[split.validation[i]]]++;
	CU_ASSERT(memcmp(have, want, sizeof want) == 0);
	CU_ASSERT(memcmp(split.validation, again.validation, 200 * sizeof(uint32_t)) ==
		  0);
	CU_ASSERT(memcmp(split.train, again.train, 800 * sizeof(uint32_t)) == 0);
	nnc_split_free(&again);
	CU_ASSERT_EQUAL_FATAL(nnc_split_make(&again, &data, 0, 0.2, 2, NULL), NNC_OK);
	CU_ASSERT(memcmp(split.validation, again.validation, 200 * sizeof(uint32_t)) !=
		  0);
	nnc_split_free(&again);
	nnc_split_free(&split);
}

/* Odd numbers: the total is the rounded share, each class within one of its own. */
static void largest_remainder(void)
{
	NncData data = make_data();

	for (int train = 5; train < N; train += 37)
		for (double share = 0.11; share < 0.9; share += 0.13) {
			double all_of[CLASSES] = {0}, held[CLASSES] = {0};
			NncSplit split;
			int code = nnc_split_make(&split, &data, train, share, 3, NULL);
			CU_ASSERT_EQUAL_FATAL(code, NNC_OK);
			CU_ASSERT_EQUAL(split.train_count + split.validation_count,
					(size_t)train);
			CU_ASSERT_EQUAL(split.validation_count,
					(size_t)(share * train + 0.5));
			check_disjoint(&split);
			for (size_t i = 0; i < split.validation_count; i++) {
				held[data.labels[split.validation[i]]]++;
				all_of[data.labels[split.validation[i]]]++;
			}
			for (size_t i = 0; i < split.train_count; i++)
				all_of[data.labels[split.train[i]]]++;
			for (int c = 0; c < CLASSES; c++)
				CU_ASSERT_DOUBLE_EQUAL(held[c], share * all_of[c],
						       1.000001);
			nnc_split_free(&split);
		}
}

/* `train 100` takes the first of what `train 200` takes. */
static void subset(void)
{
	NncData data = make_data();
	NncSplit hundred, more;

	CU_ASSERT_EQUAL_FATAL(nnc_split_make(&hundred, &data, 100, 0, 5, NULL), NNC_OK);
	CU_ASSERT_EQUAL_FATAL(nnc_split_make(&more, &data, 200, 0, 5, NULL), NNC_OK);
	CU_ASSERT_EQUAL(hundred.train_count, 100);
	CU_ASSERT(memcmp(hundred.train, more.train, 100 * sizeof(uint32_t)) == 0);
	nnc_split_free(&hundred);
	nnc_split_free(&more);
}

/* Every sample is held out by one fold; folds are alike in size and in every class. */
static void check_folds(int train, int32_t folds)
{
	NncData data = make_data();
	int seen[N] = {0}, all_of[CLASSES] = {0};
	NncSplit split, again, whole;

	CU_ASSERT_EQUAL_FATAL(nnc_split_make(&whole, &data, train, 0, 7, NULL), NNC_OK);
	for (size_t i = 0; i < whole.train_count; i++)
		all_of[data.labels[whole.train[i]]]++;
	for (int32_t fold = 1; fold <= folds; fold++) {
		int held[CLASSES] = {0};
		int code = nnc_split_fold(&split, &data, train, folds, fold, 7, NULL);
		CU_ASSERT_EQUAL_FATAL(code, NNC_OK);
		code = nnc_split_fold(&again, &data, train, folds, fold, 7, NULL);
		CU_ASSERT_EQUAL_FATAL(code, NNC_OK);
		CU_ASSERT_EQUAL(split.train_count + split.validation_count,
				whole.train_count);
		check_disjoint(&split);
		CU_ASSERT(split.validation_count >= whole.train_count / (size_t)folds);
		CU_ASSERT(split.validation_count <=
			  whole.train_count / (size_t)folds + 1);
		CU_ASSERT(memcmp(split.validation, again.validation,
				 split.validation_count * sizeof(uint32_t)) == 0);
		CU_ASSERT(memcmp(split.train, again.train,
				 split.train_count * sizeof(uint32_t)) == 0);
		for (size_t i = 0; i < split.validation_count; i++) {
			seen[split.validation[i]]++;
			held[data.labels[split.validation[i]]]++;
		}
		for (int c = 0; c < CLASSES; c++) {
			CU_ASSERT(held[c] >= all_of[c] / folds);
			CU_ASSERT(held[c] <= all_of[c] / folds + 1);
		}
		nnc_split_free(&split);
		nnc_split_free(&again);
	}
	for (size_t i = 0; i < whole.train_count; i++)
		CU_ASSERT_EQUAL(seen[whole.train[i]]--, 1);
	for (int i = 0; i < N; i++)
		CU_ASSERT_EQUAL(seen[i], 0);
	nnc_split_free(&whole);
}

static void folds(void)
{
	NncData data = make_data();
	NncSplit one, other;

	check_folds(0, 2);
	check_folds(0, 5);
	check_folds(200, 10);
	check_folds(97, 7);
	check_folds(13, 13);
	CU_ASSERT_EQUAL_FATAL(nnc_split_fold(&one, &data, 0, 5, 1, 1, NULL), NNC_OK);
	CU_ASSERT_EQUAL_FATAL(nnc_split_fold(&other, &data, 0, 5, 1, 2, NULL), NNC_OK);
	CU_ASSERT(memcmp(one.validation, other.validation, 200 * sizeof(uint32_t)) !=
		  0);
	nnc_split_free(&one);
	nnc_split_free(&other);
}

static void fold_errors(void)
{
	NncData data = make_data();
	NncSplit split;
	NncError err;

	CU_ASSERT_EQUAL(nnc_split_fold(&split, &data, 0, 5, 6, 1, &err), NNC_USAGE);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.message, "no fold 6 of 5"));
	CU_ASSERT_EQUAL(nnc_split_fold(&split, &data, 0, 5, 0, 1, &err), NNC_USAGE);
	CU_ASSERT_EQUAL(nnc_split_fold(&split, &data, 0, 1, 1, 1, &err), NNC_USAGE);
	CU_ASSERT_EQUAL(nnc_split_fold(&split, &data, 4, 5, 1, 1, &err), NNC_USAGE);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.message, "4 samples cannot make 5 folds"));
	CU_ASSERT_EQUAL(nnc_split_fold(&split, &data, N + 1, 5, 1, 1, &err), NNC_USAGE);
	CU_ASSERT_PTR_NULL(split.train);
	CU_ASSERT_PTR_NULL(split.validation);
}

static void errors(void)
{
	NncData data = make_data();
	NncSplit split;
	NncError err;

	CU_ASSERT_EQUAL(nnc_split_make(&split, &data, N + 1, 0, 1, &err), NNC_USAGE);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.message, "1001 training samples"));
	CU_ASSERT_EQUAL(nnc_split_make(&split, &data, -1, 0, 1, &err), NNC_USAGE);
	CU_ASSERT_EQUAL(nnc_split_make(&split, &data, 0, 1, 1, &err), NNC_USAGE);
	CU_ASSERT_EQUAL(nnc_split_make(&split, &data, 0, -0.1, 1, &err), NNC_USAGE);
	CU_ASSERT_EQUAL(nnc_split_make(&split, &data, 0, 0.0 / 0.0, 1, &err),
			NNC_USAGE);
	CU_ASSERT_EQUAL(nnc_split_make(&split, &data, 2, 0.9, 1, &err), NNC_USAGE);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.message, "none to train"));
	CU_ASSERT_EQUAL(nnc_split_make(&split, &data, 2, 0.1, 1, &err), NNC_USAGE);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.message, "none to validate"));
	CU_ASSERT_PTR_NULL(split.train);
}

static void order(void)
{
	NncData data = make_data();
	uint32_t one[N], two[N], seen[N] = {0};
	NncSplit split;

	CU_ASSERT_EQUAL_FATAL(nnc_split_make(&split, &data, 0, 0, 1, NULL), NNC_OK);
	nnc_split_order(&split, one, 1, 1);
	nnc_split_order(&split, two, 1, 1);
	CU_ASSERT(memcmp(one, two, sizeof one) == 0);
	nnc_split_order(&split, two, 1, 2);
	CU_ASSERT(memcmp(one, two, sizeof one) != 0);
	for (int i = 0; i < N; i++)
		seen[two[i]]++;
	for (int i = 0; i < N; i++)
		CU_ASSERT_EQUAL(seen[i], 1);
	nnc_split_free(&split);
}

extern void suite_split(void);

void suite_split(void)
{
	CU_pSuite suite = CU_add_suite("split", NULL, NULL);

	CU_add_test(suite, "all", all);
	CU_add_test(suite, "stratified", stratified);
	CU_add_test(suite, "largest remainder", largest_remainder);
	CU_add_test(suite, "subset", subset);
	CU_add_test(suite, "folds", folds);
	CU_add_test(suite, "fold errors", fold_errors);
	CU_add_test(suite, "errors", errors);
	CU_add_test(suite, "order", order);
}
