/*
 * steps.c - linked with one generated model: `steps WEIGHTS DATA N OUT` makes N
 * training steps on the samples in file order, without dropout, and saves the weights.
 */
#include "internal.h"

#include <stdlib.h>

extern const NncModel MODEL;

static void step(NncContext *c, const NncData *data, uint32_t first)
{
	uint32_t *index = calloc((size_t)MODEL.batch, sizeof *index);
	NncBatch batch = {.samples = data->samples,
			  .labels = data->labels,
			  .index = index,
			  .rows = MODEL.batch};

	for (int32_t i = 0; i < MODEL.batch; i++)
		index[i] = first + (uint32_t)i;
	nnc_step(c, &MODEL, &batch);
	c->updates++;
	free(index);
}

int main(int argc, char **argv)
{
	NncContext c = {0};
	NncData data = {0};
	NncError err = {0};
	int code =
		argc != 5 ? nnc_fail(&err, NNC_USAGE, "steps WEIGHTS DATA N OUT") : 0;

	if (!code)
		code = nnc_context_open(&c, &MODEL, NNC_TRAINING, 1, &err);
	if (!code)
		code = nnc_weights_load(argv[1], &MODEL, c.params, &err);
	if (!code)
		code = nnc_model_data(&data, &MODEL, argv[2], false, &err);
	c.lr = MODEL.training.lr;
	for (uint32_t i = 0; !code && i < (uint32_t)atoi(argv[3]); i++)
		step(&c, &data, i * (uint32_t)MODEL.batch);
	if (!code)
		code = nnc_weights_save(argv[4], &MODEL, c.params, &err);
	if (code)
		fprintf(stderr, "%s\n", err.message);
	nnc_data_free(&data);
	nnc_context_close(&c);
	return code;
}
