/*
 * grad.c - the command `grad`, for comparison with other frameworks: loss and gradients
 * of the first batch in a safetensors file.
 */
#include "cli.h"

#include <stdlib.h>

static const NncOption options[] = {
	NNC_OPTION_DATA,
	NNC_OPTION_WEIGHTS,
	NNC_OPTION_OUT_WEIGHTS,
	NNC_OPTION_END,
};

/* "loss" and the block of gradients. */
static int save_gradients(const char *path, const NncModel *model, const NncContext *c,
			  double loss, NncError *err)
{
	NncTensors tensors = {0};
	const int64_t dim[] = {1};
	float narrow = (float)loss;
	bool wide = model->real_bytes == (int32_t)sizeof(double);
	int code = nnc_tensors_add(&tensors, "loss", wide ? "F64" : "F32", 1, dim,
				   wide ? (const void *)&loss : (const void *)&narrow,
				   err);

	if (!code)
		code = nnc_block_store(&tensors, model, c->grads, "", err);
	if (!code)
		code = nnc_tensors_save(&tensors, path, NULL, err);
	nnc_tensors_free(&tensors);
	return code;
}

/* Samples 0 .. B-1 of the training part, without dropout. */
static int first_batch(const NncModel *model, NncContext *c, const NncData *data,
		       double *loss, NncError *err)
{
	int32_t rows = data->count < model->batch ? (int32_t)data->count : model->batch;
	uint32_t *index = nnc_allocate((size_t)rows, sizeof *index);
	NncBatch batch = {.samples = data->samples,
			  .labels = data->labels,
			  .index = index,
			  .rows = rows};

	if (!index)
		return nnc_fail(err, NNC_NOMEM, "not enough memory");
	for (int32_t i = 0; i < rows; i++)
		index[i] = (uint32_t)i;
	c->dropout = false;
	nnc_step_gradients(c, model, &batch);
	*loss = c->loss / rows;
	free(index);
	return NNC_OK;
}

static int run(const NncProgram *program, NncError *err)
{
	const NncModel *model = program->model;
	const NncOptions *o = program->options;
	NncContext context = {0};
	NncData data = {0};
	char weights[NNC_MAX_PATH];
	double loss = 0;
	int code;

	if (!o->out)
		return nnc_no_output(program, "grad", err);
	code = nnc_find_weights(weights, program, err);
	if (!code)
		code = nnc_context_open(&context, model, NNC_TRAINING, 1, err);
	if (!code)
		code = nnc_weights_load(weights, model, context.params, err);
	if (!code)
		code = nnc_model_data(&data, model, o->data, false, err);
	if (!code)
		code = first_batch(model, &context, &data, &loss, err);
	if (!code)
		code = save_gradients(o->out, model, &context, loss, err);
	if (!code)
		printf("loss %.9g\n", loss);
	nnc_data_free(&data);
	nnc_context_close(&context);
	return code;
}

const NncCommand command_grad = {
	.name = "grad",
	.place = 60,
	.summary = "Writes loss and gradients of the first batch.",
	.note = "The first samples of the training part in file order, without "
		"dropout.",
	.options = options,
	.run = run,
};
