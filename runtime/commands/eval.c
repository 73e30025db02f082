/*
 * eval.c - the command `eval`: accuracy, loss, the confusion matrix, and precision,
 * recall and F1 of each class (0 where they are 0/0, as scikit-learn has it).
 */
#include "cli.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What only this command takes. */
typedef struct EvalOptions {
	NncOptions shared;
	bool held_out;
} EvalOptions;

static const NncOption options[] = {
	NNC_OPTION_DATA,
	NNC_OPTION_WEIGHTS,
	{"validation", 0, NNC_OPT_FLAG, offsetof(EvalOptions, held_out), 0, 0, NULL,
	 "score the samples held out of training, not the test part"},
	NNC_OPTION_THREADS,
	NNC_OPTION_JSON,
	NNC_OPTION_END,
};

enum {
	MAX_MATRIX = 40, /* classes of the largest matrix shown */
	MAX_KEPT = 4096, /* classes of the largest that is counted */
	NAME_CELLS = 16,
};

/* A scored part of a data set. */
typedef struct Report {
	const NncModel *model;
	NncScore score;
	int64_t *confusion; /* (outputs, outputs): label, answer; or NULL */
} Report;

typedef struct ClassScore {
	double precision, recall, f1;
	int64_t support; /* samples with this label */
} ClassScore;

static ClassScore class_score(const Report *r, int32_t class)
{
	int32_t n = r->model->outputs;
	int64_t answers = 0, right = r->confusion[(int64_t) class * n + class];
	ClassScore s = {0};

	for (int32_t i = 0; i < n; i++) {
		s.support += r->confusion[(int64_t) class * n + i];
		answers += r->confusion[(int64_t)i * n + class];
	}
	s.precision = answers ? (double)right / (double)answers : 0;
	s.recall = s.support ? (double)right / (double)s.support : 0;
	if (right)
		s.f1 = 2 * s.precision * s.recall / (s.precision + s.recall);
	return s;
}

/* ---- for reading ------------------------------------------------------------- */

/* Cells of the widest count. */
static int count_width(const Report *r)
{
	int64_t largest = 0, n = r->model->outputs;
	int width = 3;

	for (int64_t i = 0; i < n * n; i++)
		if (r->confusion[i] > largest)
			largest = r->confusion[i];
	for (; largest >= 1000; largest /= 10)
		width++;
	return width;
}

static void print_matrix(const Report *r)
{
	int32_t n = r->model->outputs;
	int width = count_width(r);
	char name[64];

	printf("\nConfusion matrix (row: the label, column: the answer)\n%*s",
	       NAME_CELLS + 4, "");
	for (int32_t j = 0; j < n; j++)
		printf(" %*d", width, (int)j);
	printf("\n");
	for (int32_t i = 0; i < n; i++) {
		nnc_class_name(name, r->model, i);
		printf("%-*.*s %3d", NAME_CELLS, NAME_CELLS, name, (int)i);
		for (int32_t j = 0; j < n; j++) {
			int64_t count = r->confusion[(int64_t)i * n + j];
			if (count)
				printf(" %*lld", width, (long long)count);
			else
				printf(" %*s", width, ".");
		}
		printf("\n");
	}
}

static void print_classes(const Report *r)
{
	char name[64];

	printf("\n%-*s     precision  recall      f1  samples\n", NAME_CELLS, "Class");
	for (int32_t i = 0; i < r->model->outputs; i++) {
		ClassScore s = class_score(r, i);
		nnc_class_name(name, r->model, i);
		printf("%-*.*s %3d  %9.4f  %6.4f  %6.4f  %7lld\n", NAME_CELLS,
		       NAME_CELLS, name, (int)i, s.precision, s.recall, s.f1,
		       (long long)s.support);
	}
}

static void print_report(const Report *r)
{
	printf("accuracy %.4f  loss %.4f  (%lld samples)\n", r->score.accuracy,
	       r->score.loss, (long long)r->score.samples);
	if (!r->confusion)
		return;
	if (r->model->outputs <= MAX_MATRIX)
		print_matrix(r);
	print_classes(r);
}

/* ---- as JSON ----------------------------------------------------------------- */

static json_t *json_matrix(const Report *r)
{
	json_t *matrix = json_array();

	for (int32_t i = 0; i < r->model->outputs; i++) {
		json_t *row = json_array();
		for (int32_t j = 0; j < r->model->outputs; j++) {
			int64_t at = (int64_t)i * r->model->outputs + j;
			json_array_append_new(row, json_integer(r->confusion[at]));
		}
		json_array_append_new(matrix, row);
	}
	return matrix;
}

static json_t *json_classes(const Report *r)
{
	json_t *classes = json_array();
	char name[64];

	for (int32_t i = 0; i < r->model->outputs; i++) {
		ClassScore s = class_score(r, i);
		json_t *class = json_object();
		json_object_set_new(class, "name",
				    json_string(nnc_class_name(name, r->model, i)));
		json_object_set_new(class, "precision", json_real(s.precision));
		json_object_set_new(class, "recall", json_real(s.recall));
		json_object_set_new(class, "f1", json_real(s.f1));
		json_object_set_new(class, "support", json_integer(s.support));
		json_array_append_new(classes, class);
	}
	return classes;
}

static int print_json(const Report *r, NncError *err)
{
	json_t *root = nnc_score_json(&r->score);

	if (r->confusion) {
		json_object_set_new(root, "confusion", json_matrix(r));
		json_object_set_new(root, "classes", json_classes(r));
	}
	return nnc_print_json(root, err);
}

/* ---- the command ------------------------------------------------------------- */

/* The samples a run held out, as its weights file has recorded it. */
static int held_out(NncSplit *split, const NncData *data, const char *weights,
		    NncError *err)
{
	NncState state;
	int code = nnc_checkpoint_state(weights, &state, err);

	if (!code && state.data_count != data->count)
		code = nnc_fail(err, NNC_DATA,
				"the run of %s was about %lld samples, %s "
				"holds %lld",
				weights, (long long)state.data_count, data->source,
				(long long)data->count);
	if (!code)
		code = nnc_split_make(split, data, state.train, state.validation,
				      state.seed, err);
	if (!code && !split->validation_count)
		code = nnc_fail(err, NNC_USAGE, "the run of %s held no samples out",
				weights);
	return code;
}

static int score(Report *r, const EvalOptions *o, NncContext *context,
		 const char *weights, NncError *err)
{
	NncData data = {0};
	NncSplit split = {0};
	int code = nnc_model_data(&data, r->model, o->shared.data, !o->held_out, err);
	size_t n = (size_t)r->model->outputs;

	if (!code && o->held_out)
		code = held_out(&split, &data, weights, err);
	if (!code && n <= MAX_KEPT) {
		r->confusion = calloc(n * n, sizeof *r->confusion);
		if (!r->confusion)
			code = nnc_fail(err, NNC_NOMEM, "not enough memory");
	}
	if (!code)
		code = nnc_evaluate(context, r->model, &data, split.validation,
				    o->held_out ? (int64_t)split.validation_count
						: data.count,
				    r->confusion, &r->score, err);
	nnc_split_free(&split);
	nnc_data_free(&data);
	return code;
}

static int run(const NncProgram *program, NncError *err)
{
	Report r = {.model = program->model};
	NncContext context = {0};
	char weights[NNC_MAX_PATH];
	int code = nnc_find_weights(weights, program, err);

	if (!code)
		code = nnc_context_open(&context, r.model, NNC_INFERENCE,
					nnc_threads(program->options), err);
	if (!code)
		code = nnc_weights_load(weights, r.model, context.params, err);
	if (!code)
		code = score(&r, (const EvalOptions *)program->options, &context,
			     weights, err);
	if (!code && program->options->json)
		code = print_json(&r, err);
	else if (!code)
		print_report(&r);
	free(r.confusion);
	nnc_context_close(&context);
	return code;
}

const NncCommand command_eval = {
	.name = "eval",
	.place = 20,
	.summary = "Scores the test part: accuracy, loss, confusion matrix.",
	.options = options,
	.options_size = sizeof(EvalOptions),
	.run = run,
};
