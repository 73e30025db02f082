/* split.c - which samples train, which validate, and the order of an epoch. */
#include "internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void nnc_split_free(NncSplit *split)
{
	free(split->train);
	free(split->validation);
	*split = (NncSplit){0};
}

/* How many samples of each class are held out. */
typedef struct Quota {
	size_t held;
	double remainder; /* what rounding down left */
} Quota;

/* Largest remainder: every class its share rounded down, then one more to the classes
   that lost most by it, the lower class first, until `total` are held. */
static void share_out(Quota *quota, const size_t *have, int32_t classes, double share,
		      size_t total)
{
	size_t given = 0;

	for (int32_t c = 0; c < classes; c++) {
		double exact = share * (double)have[c];
		quota[c].held = (size_t)exact;
		quota[c].remainder = exact - floor(exact);
		given += quota[c].held;
	}
	while (given < total) {
		int32_t best = -1;
		for (int32_t c = 0; c < classes; c++)
			if (quota[c].held < have[c] && quota[c].remainder >= 0 &&
			    (best < 0 || quota[c].remainder > quota[best].remainder))
				best = c;
		if (best < 0)
			break;
		quota[best].held++;
		quota[best].remainder = -1;
		given++;
	}
}

/*
 * Moves the held-out ones of split->train to split->validation: of each class the
 * first ones of a shuffle of their own. order is room for train_count indices.
 */
static void hold_out(NncSplit *split, const int32_t *labels, Quota *quota,
		     uint32_t *order, uint32_t seed)
{
	size_t count = split->train_count;
	NncRng rng = nnc_rng(seed, NNC_STREAM_SPLIT, 0, 0);

	memcpy(order, split->train, count * sizeof *order);
	nnc_shuffle(order, count, &rng);
	split->train_count = split->validation_count = 0;
	for (size_t i = 0; i < count; i++) {
		Quota *q = &quota[labels[order[i]]];
		if (q->held > 0) {
			q->held--;
			split->validation[split->validation_count++] = order[i];
		} else {
			split->train[split->train_count++] = order[i];
		}
	}
}

static int make_validation(NncSplit *split, const NncData *data, double share,
			   uint32_t seed, NncError *err)
{
	size_t count = split->train_count, classes = (size_t)data->classes;
	size_t total = (size_t)floor(share * (double)count + 0.5);
	Quota *quota = calloc(classes, sizeof *quota);
	size_t *have = calloc(classes, sizeof *have);
	uint32_t *order = nnc_allocate(count, sizeof *order);
	int code = NNC_OK;

	split->validation = nnc_allocate(count, sizeof *split->validation);
	if (!quota || !have || !order || !split->validation) {
		code = nnc_fail(err, NNC_NOMEM, "out of memory");
	} else if (total == 0 || total >= count) {
		code = nnc_fail(
			err, NNC_USAGE,
			"a validation share of %g of %zu samples leaves none to %s",
			share, count, total == 0 ? "validate" : "train");
	} else {
		for (size_t i = 0; i < count; i++)
			have[data->labels[split->train[i]]]++;
		share_out(quota, have, data->classes, share, total);
		hold_out(split, data->labels, quota, order, seed);
	}
	free(quota);
	free(have);
	free(order);
	return code;
}

/* split->train becomes the first `train` samples (0: all) of the seeded shuffle. */
static int take_subset(NncSplit *split, const NncData *data, int64_t train,
		       uint32_t seed, NncError *err)
{
	NncRng rng = nnc_rng(seed, NNC_STREAM_SUBSET, 0, 0);
	size_t count = (size_t)data->count;

	*split = (NncSplit){0};
	if (data->count < 1 || train < 0 || train > data->count)
		return nnc_fail(err, NNC_USAGE,
				"%lld training samples are asked for, \"%s\" has %lld",
				(long long)train, data->source, (long long)data->count);
	split->train = nnc_allocate(count, sizeof *split->train);
	if (!split->train)
		return nnc_fail(err, NNC_NOMEM, "out of memory");
	for (size_t i = 0; i < count; i++)
		split->train[i] = (uint32_t)i;
	nnc_shuffle(split->train, count, &rng);
	split->train_count = train ? (size_t)train : count;
	return NNC_OK;
}

int nnc_split_make(NncSplit *split, const NncData *data, int64_t train,
		   double validation, uint32_t seed, NncError *err)
{
	int code;

	*split = (NncSplit){0};
	if (!(validation >= 0 && validation < 1))
		return nnc_fail(err, NNC_USAGE,
				"a validation share of %g is not in [0, 1)",
				validation);
	code = take_subset(split, data, train, seed, err);
	if (!code && validation > 0)
		code = make_validation(split, data, validation, seed, err);
	if (code != NNC_OK)
		nnc_split_free(split);
	return code;
}

/* ---- folds ------------------------------------------------------------------- */

/*
 * Moves fold `fold` to split->validation. The samples, shuffled and then sorted by
 * class, are dealt to the folds in turn: so folds differ by one sample at most, in all
 * and in every class. place[] is room for data->classes + 1 counts, zeroed: where the
 * next sample of a class stands in that order.
 */
static void deal(NncSplit *split, const NncData *data, int32_t folds, int32_t fold,
		 size_t *place, uint32_t *order, uint32_t seed)
{
	size_t count = split->train_count;
	NncRng rng = nnc_rng(seed, NNC_STREAM_SPLIT, 0, 0);

	memcpy(order, split->train, count * sizeof *order);
	nnc_shuffle(order, count, &rng);
	for (size_t i = 0; i < count; i++)
		place[data->labels[order[i]] + 1]++;
	for (int32_t c = 0; c < data->classes; c++)
		place[c + 1] += place[c];
	split->train_count = split->validation_count = 0;
	for (size_t i = 0; i < count; i++) {
		size_t at = place[data->labels[order[i]]]++;
		if (at % (size_t)folds == (size_t)(fold - 1))
			split->validation[split->validation_count++] = order[i];
		else
			split->train[split->train_count++] = order[i];
	}
}

int nnc_split_fold(NncSplit *split, const NncData *data, int64_t train, int32_t folds,
		   int32_t fold, uint32_t seed, NncError *err)
{
	size_t *place = NULL;
	uint32_t *order = NULL;
	int code;

	*split = (NncSplit){0};
	if (folds < 2 || fold < 1 || fold > folds)
		return nnc_fail(err, NNC_USAGE, "there is no fold %d of %d", (int)fold,
				(int)folds);
	code = take_subset(split, data, train, seed, err);
	if (code)
		return code;
	place = calloc((size_t)data->classes + 1, sizeof *place);
	order = nnc_allocate(split->train_count, sizeof *order);
	split->validation = nnc_allocate(split->train_count, sizeof *split->validation);
	if (!place || !order || !split->validation)
		code = nnc_fail(err, NNC_NOMEM, "out of memory");
	else if (split->train_count < (size_t)folds)
		code = nnc_fail(err, NNC_USAGE, "%zu samples cannot make %d folds",
				split->train_count, (int)folds);
	else
		deal(split, data, folds, fold, place, order, seed);
	free(place);
	free(order);
	if (code)
		nnc_split_free(split);
	return code;
}

void nnc_split_order(const NncSplit *split, uint32_t *order, uint32_t seed,
		     uint32_t epoch)
{
	NncRng rng = nnc_rng(seed, NNC_STREAM_SHUFFLE, epoch, 0);

	memcpy(order, split->train, split->train_count * sizeof *order);
	nnc_shuffle(order, split->train_count, &rng);
}
