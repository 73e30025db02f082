/* predict.c - the command `predict`: which class is it? */
#include "cli.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* What only this command takes. */
typedef struct PredictOptions {
	NncOptions shared;
	int64_t top;
} PredictOptions;

static const NncOption options[] = {
	NNC_OPTION_WEIGHTS,
	{"top", 0, NNC_OPT_INT, offsetof(PredictOptions, top), 1, NNC_MAX_CLASSES, "N",
	 "the N likeliest classes [1]"},
	NNC_OPTION_THREADS,
	NNC_OPTION_JSON,
	NNC_OPTION_END,
};

/* The answer to one sample: classes by falling probability. */
typedef struct Answer {
	int32_t *order;      /* (outputs) */
	double *probability; /* (outputs) */
} Answer;

/* Moves the `top` largest to the front of order; of equals the lower class first. */
static void rank(Answer *a, int32_t outputs, int32_t top)
{
	for (int32_t i = 0; i < outputs; i++)
		a->order[i] = i;
	for (int32_t i = 0; i < top; i++) {
		int32_t best = i;
		for (int32_t j = i + 1; j < outputs; j++)
			if (a->probability[a->order[j]] >
			    a->probability[a->order[best]])
				best = j;
		int32_t class = a->order[best];
		memmove(a->order + i + 1, a->order + i,
			(size_t)(best - i) * sizeof *a->order);
		a->order[i] = class;
	}
}

static void print_answer(const Answer *a, const NncModel *model, const char *input,
			 int64_t sample, int64_t count, int32_t top)
{
	char name[64];

	if (count > 1)
		printf("%s[%lld]:", input, (long long)sample);
	else
		printf("%s:", input);
	for (int32_t i = 0; i < top; i++) {
		int32_t class = a->order[i];
		nnc_class_name(name, model, class);
		printf("%s%s %.4f", i ? ", " : " ", name, a->probability[class]);
	}
	printf("\n");
}

static json_t *json_answer(const Answer *a, const NncModel *model, const char *input,
			   int64_t sample, int32_t top)
{
	json_t *root = json_object(), *list = json_array();
	char name[64];

	for (int32_t i = 0; i < top; i++) {
		int32_t class = a->order[i];
		json_t *one = json_object();
		json_object_set_new(one, "class",
				    json_string(nnc_class_name(name, model, class)));
		json_object_set_new(one, "label", json_integer(class));
		json_object_set_new(one, "probability",
				    nnc_json_real(a->probability[class]));
		json_array_append_new(list, one);
	}
	json_object_set_new(root, "input", json_string(input));
	json_object_set_new(root, "sample", json_integer(sample));
	json_object_update(root, json_array_get(list, 0));
	json_object_set_new(root, "top", list);
	return root;
}

/* All samples of one file, batch by batch. */
static void answer_all(const NncModel *model, NncContext *c, const NncData *data,
		       uint32_t *index, Answer *a, const char *input, int32_t top,
		       json_t *list)
{
	NncBatch batch = {.samples = data->samples, .index = index};

	for (int64_t done = 0; done < data->count; done += batch.rows) {
		int64_t left = data->count - done;
		batch.rows = left < model->batch ? (int32_t)left : model->batch;
		for (int32_t i = 0; i < batch.rows; i++)
			index[i] = (uint32_t)(done + i);
		nnc_step_infer(c, model, &batch);
		for (int32_t row = 0; row < batch.rows; row++) {
			int64_t at = model->output + (int64_t)row * model->outputs;
			for (int32_t o = 0; o < model->outputs; o++)
				a->probability[o] =
					nnc_real_at(model, c->arena, at + o);
			rank(a, model->outputs, top);
			if (list)
				json_array_append_new(
					list,
					json_answer(a, model, input, done + row, top));
			else
				print_answer(a, model, input, done + row, data->count,
					     top);
		}
	}
}

static int answer_files(const NncProgram *program, NncContext *context, json_t *list,
			NncError *err)
{
	const NncModel *model = program->model;
	const NncOptions *o = program->options;
	size_t outputs = (size_t)model->outputs;
	uint32_t *index = nnc_allocate((size_t)model->batch, sizeof *index);
	Answer a = {nnc_allocate(outputs, sizeof *a.order),
		    nnc_allocate(outputs, sizeof *a.probability)};
	int64_t wanted = ((const PredictOptions *)o)->top;
	int32_t top = wanted < 1                ? 1
		      : wanted > model->outputs ? model->outputs
						: (int32_t)wanted;
	int code = NNC_OK;

	const bool room = index && a.order && a.probability;
	if (!room)
		code = nnc_fail(err, NNC_NOMEM, "not enough memory");
	for (int i = 0; i < o->operand_count && room && !code; i++) {
		NncData data = {0};
		code = nnc_samples_read(&data, o->operands[i], model, err);
		if (!code)
			answer_all(model, context, &data, index, &a, o->operands[i],
				   top, list);
		nnc_data_free(&data);
	}
	free(a.probability);
	free(a.order);
	free(index);
	return code;
}

static int run(const NncProgram *program, NncError *err)
{
	const NncModel *model = program->model;
	NncContext context = {0};
	char weights[NNC_MAX_PATH];
	json_t *list = program->options->json ? json_array() : NULL;
	int code = nnc_find_weights(weights, program, err);

	if (!code)
		code = nnc_context_open(&context, model, NNC_INFERENCE,
					nnc_threads(model, program->options), err);
	if (!code)
		code = nnc_weights_load(weights, model, context.params, err);
	if (!code)
		code = answer_files(program, &context, list, err);
	if (!code && list) {
		code = nnc_print_json(list, err);
		list = NULL;
	}
	json_decref(list);
	nnc_context_close(&context);
	return code;
}

const NncCommand command_predict = {
	.name = "predict",
	.place = 30,
	.operands = "INPUT...",
	.min_operands = 1,
	.max_operands = INT_MAX,
	.summary = "Says which class each input is.",
	.note = "An input is a .npy file, an IDX file of images (gzip or not) or a "
		".png.",
	.options = options,
	.options_size = sizeof(PredictOptions),
	.run = run,
};
