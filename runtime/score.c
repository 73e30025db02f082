/* score.c - how good weights are on samples, and which weights a command means. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The class a row of the output answers with: the first of the largest. */
static int32_t answer(const NncModel *model, const void *arena, int32_t row)
{
	int64_t at = model->output + (int64_t)row * model->outputs;
	double best = nnc_real_at(model, arena, at);
	int32_t largest = 0;

	for (int32_t o = 1; o < model->outputs; o++) {
		double value = nnc_real_at(model, arena, at + o);
		if (value > best) {
			best = value;
			largest = o;
		}
	}
	return largest;
}

static void add_answers(int64_t *confusion, const NncModel *model, const void *arena,
			const NncBatch *batch)
{
	for (int32_t row = 0; row < batch->rows; row++) {
		int64_t label = batch->labels[batch->index[row]];
		confusion[label * model->outputs + answer(model, arena, row)]++;
	}
}

int nnc_evaluate(NncContext *context, const NncModel *model, const NncData *data,
		 const uint32_t *index, int64_t count, int64_t *confusion,
		 NncScore *score, NncError *err)
{
	bool dropout = context->dropout;
	uint32_t *own = nnc_allocate((size_t)model->batch, sizeof *own);
	NncBatch batch = {
		.samples = data->samples, .labels = data->labels, .index = own};
	int64_t done = 0;

	*score = (NncScore){0};
	if (!own)
		return nnc_fail(err, NNC_NOMEM, "not enough memory to score %s",
				data->source);
	context->dropout = false;
	context->loss = 0;
	context->correct = 0;
	while (done < count && !nnc_stop_signal()) {
		int64_t left = count - done;
		batch.rows = left < model->batch ? (int32_t)left : model->batch;
		for (int32_t i = 0; i < batch.rows; i++)
			own[i] = index ? index[done + i] : (uint32_t)(done + i);
		nnc_step_evaluate(context, model, &batch);
		if (confusion)
			add_answers(confusion, model, context->arena, &batch);
		done += batch.rows;
	}
	score->samples = done;
	score->correct = context->correct;
	score->loss = done ? context->loss / (double)done : 0;
	score->accuracy = done ? (double)context->correct / (double)done : 0;
	context->loss = 0;
	context->correct = 0;
	context->dropout = dropout;
	free(own);
	return NNC_OK;
}

int nnc_find_weights(char path[NNC_MAX_PATH], const NncProgram *program, NncError *err)
{
	static const char *const names[] = {"best.safetensors", "last.safetensors"};
	NncFolder folder;
	int code;

	if (program->options->weights) {
		int n = snprintf(path, NNC_MAX_PATH, "%s", program->options->weights);
		if (n >= NNC_MAX_PATH)
			return nnc_fail(err, NNC_USAGE,
					"the name of the weights is too "
					"long");
		return NNC_OK;
	}
	code = nnc_folder_name(&folder, program->path, NULL, err);
	for (size_t i = 0; i < sizeof names / sizeof *names && !code; i++) {
		nnc_folder_file(path, &folder, names[i]);
		if (!access(path, F_OK))
			return NNC_OK;
	}
	if (code)
		return code;
	return nnc_fail(err, NNC_NOINPUT,
			"there are no trained weights yet: neither %s/%s "
			"nor %s/%s\nhelp: train first, %s train; or say --weights FILE",
			folder.path, names[0], folder.path, names[1], program->path);
}
