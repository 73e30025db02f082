/*
 * steps.c - the first step of a run that goes wrong, found by looking at every number
 * after each: `steps DATA LR EPOCHS [WEIGHTS]` prints "loss EPOCH STEP", "weights EPOCH
 * STEP" where they do not show in the loss of the step that made them or of the next,
 * "state EPOCH STEP" for the optimizer's at an epoch's end, or "finite".
 */
#include "internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

extern const NncModel MODEL;

static bool finite_block(const void *block)
{
	for (size_t i = 0; i < MODEL.params_reals; i++)
		if (!isfinite(((const float *)block)[i]))
			return false;
	return true;
}

static void fail(const NncError *err)
{
	fprintf(stderr, "%s\n", err->message);
	exit(99);
}

/* The run, of `epochs`; prints what it comes to. */
static void run(NncContext *c, const NncData *data, const NncSplit *split, uint32_t *order,
		uint32_t epochs)
{
	uint32_t weights_at[2] = {0, 0};

	for (c->epoch = 0; c->epoch < epochs; c->epoch++) {
		nnc_split_order(split, order, c->seed, c->epoch);
		c->step = 0;
		for (size_t at = 0; at < split->train_count; at += (size_t)MODEL.batch) {
			size_t left = split->train_count - at;
			NncBatch batch = {.samples = data->samples,
					  .labels = data->labels,
					  .index = order + at};
			batch.rows = left < (size_t)MODEL.batch ? (int32_t)left
								: MODEL.batch;
			bool finite = nnc_step(c, &MODEL, &batch);
			if (!finite) {
				printf("loss %u %u\n", c->epoch + 1, c->step + 1);
				return;
			}
			if (weights_at[0]) {
				printf("weights %u %u\n", weights_at[0], weights_at[1]);
				return;
			}
			if (!finite_block(c->params)) {
				weights_at[0] = c->epoch + 1;
				weights_at[1] = c->step + 1;
			}
			c->updates++;
			c->step++;
		}
		if (weights_at[0]) { /* at an epoch's end they are looked at */
			printf("weights %u %u\n", weights_at[0], weights_at[1]);
			return;
		}
		for (int32_t i = 0; i < MODEL.slot_count; i++)
			if (!finite_block(c->slot[i])) {
				printf("state %u %u\n", c->epoch + 1, c->step);
				return;
			}
	}
	printf("finite\n");
}

int main(int argc, char **argv)
{
	NncContext c;
	NncData data = {0};
	NncSplit split;
	NncError err = {0};
	uint32_t epochs = argc > 3 ? (uint32_t)atoi(argv[3]) : 0;

	if (argc < 4)
		return 2;
	if (nnc_model_data(&data, &MODEL, argv[1], false, &err) ||
	    nnc_split_make(&split, &data, 0, 0, MODEL.training.seed, &err) ||
	    nnc_context_open(&c, &MODEL, NNC_TRAINING, 1, &err))
		fail(&err);
	nnc_init_params(&c, &MODEL, MODEL.training.seed);
	if (argc > 4 && nnc_weights_load(argv[4], &MODEL, c.params, &err))
		fail(&err);
	c.lr = strtod(argv[2], NULL);
	c.seed = MODEL.training.seed;
	c.dropout = true;
	uint32_t *order = nnc_allocate(split.train_count, sizeof *order);
	if (!order)
		return 2;
	run(&c, &data, &split, order, epochs);
	free(order);
	nnc_context_close(&c);
	nnc_split_free(&split);
	nnc_data_free(&data);
	return 0;
}
