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
	MAX_MATRIX = 40,   /* classes of the largest matrix shown */
	MAX_KEPT = 4096,   /* classes of the largest that is counted */
	MAX_CONFUSED = 20, /* mistakes listed where the matrix is too large */
	MIN_NAME = 5,
	MAX_NAME = 24, /* cells of a class's name */
};

/* A scored part of a data set. */
typedef struct Report {
	const NncModel *model;
	NncScore score;
	NncTally tally;
} Report;

/* ---- for reading ------------------------------------------------------------- */

/* Cells of the longest name of a class, within bounds. */
static int name_width(const NncModel *model)
{
	int width = MIN_NAME;
	char name[64];

	for (int32_t i = 0; i < model->outputs && width < MAX_NAME; i++) {
		int cells = nnc_cells(nnc_class_name(name, model, i));
		if (cells > width)
			width = cells < MAX_NAME ? cells : MAX_NAME;
	}
	return width;
}

static int digits(int64_t number)
{
	int count = 1;

	for (; number >= 10; number /= 10)
		count++;
	return count;
}

/* Cells of the widest count or number of a class. */
static int count_width(const Report *r)
{
	int64_t largest = r->model->outputs - 1, n = r->model->outputs;

	for (int64_t i = 0; i < n * n; i++)
		if (r->tally.confusion[i] > largest)
			largest = r->tally.confusion[i];
	return digits(largest) > 3 ? digits(largest) : 3;
}

static void print_name(const NncModel *model, int32_t class, int width)
{
	char name[64];

	nnc_print_cells(stdout, nnc_class_name(name, model, class), width);
}

/* Right answers are green, frequent mistakes red, cells without any are faint. */
static void print_cell(int64_t count, int64_t row, bool right, int width, bool color)
{
	const char *on = !color              ? ""
			 : !count            ? "\033[2m"
			 : right             ? "\033[1;32m"
			 : count * 10 >= row ? "\033[1;31m"
			 : count * 50 >= row ? "\033[31m"
					     : "";

	if (count)
		printf(" %s%*lld%s", on, width, (long long)count, *on ? "\033[0m" : "");
	else
		printf(" %s%*s%s", on, width, ".", *on ? "\033[0m" : "");
}

static void print_matrix(const Report *r, int name_cells, int width)
{
	int32_t n = r->model->outputs;
	int index = digits(n - 1);
	bool color = nnc_colored(stdout);

	printf("\nConfusion matrix (row: the label, column: the answer)\n%*s",
	       name_cells + 1 + index, "");
	for (int32_t j = 0; j < n; j++)
		printf(" %*d", width, (int)j);
	printf("\n");
	for (int32_t i = 0; i < n; i++) {
		const int64_t *row = r->tally.confusion + (int64_t)i * n;
		int64_t samples = 0;
		for (int32_t j = 0; j < n; j++)
			samples += row[j];
		print_name(r->model, i, name_cells);
		printf(" %*d", index, (int)i);
		for (int32_t j = 0; j < n; j++)
			print_cell(row[j], samples, i == j, width, color);
		printf("\n");
	}
}

/* What the matrix would show, where there is no room for it. */
static void print_confused(const Report *r, int name_cells)
{
	NncConfused confused[MAX_CONFUSED];
	int count = nnc_most_confused(confused, MAX_CONFUSED, r->tally.confusion,
				      r->model->outputs);

	if (!count)
		return;
	printf("\nMost frequent mistakes (--json has the whole matrix)\n");
	nnc_print_cells(stdout, "Label", name_cells + 7);
	nnc_print_cells(stdout, "Answer", name_cells + 5);
	printf("  samples\n");
	for (int i = 0; i < count; i++) {
		print_name(r->model, confused[i].label, name_cells);
		printf(" %5d ", (int)confused[i].label);
		print_name(r->model, confused[i].answer, name_cells);
		printf(" %5d  %6lld\n", (int)confused[i].answer,
		       (long long)confused[i].count);
	}
}

static void print_classes(const Report *r, int name_cells)
{
	int index = digits(r->model->outputs - 1);

	printf("\n");
	nnc_print_cells(stdout, "Class", name_cells + 1 + index);
	printf("  precision  recall      f1  samples\n");
	for (int32_t i = 0; i < r->model->outputs; i++) {
		NncClassScore s =
			nnc_class_score(r->tally.confusion, r->model->outputs, i);
		print_name(r->model, i, name_cells);
		printf(" %*d  %9.4f  %6.4f  %6.4f  %7lld\n", index, (int)i, s.precision,
		       s.recall, s.f1, (long long)s.support);
	}
}

static void print_report(const Report *r)
{
	int name_cells, width, columns = nnc_columns(stdout);
	int32_t n = r->model->outputs;

	printf("accuracy %.4f  loss %.4f  (%lld samples)\n", r->score.accuracy,
	       r->score.loss, (long long)r->score.samples);
	if (!r->tally.confusion)
		return;
	name_cells = name_width(r->model);
	width = count_width(r);
	if (n <= MAX_MATRIX &&
	    (!columns || name_cells + 1 + digits(n - 1) + n * (width + 1) <= columns))
		print_matrix(r, name_cells, width);
	else
		print_confused(r, name_cells);
	print_classes(r, name_cells);
}

/* ---- as JSON ----------------------------------------------------------------- */

static json_t *json_matrix(const Report *r)
{
	json_t *matrix = json_array();

	for (int32_t i = 0; i < r->model->outputs; i++) {
		json_t *row = json_array();
		for (int32_t j = 0; j < r->model->outputs; j++) {
			int64_t at = (int64_t)i * r->model->outputs + j;
			json_array_append_new(row,
					      json_integer(r->tally.confusion[at]));
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
		NncClassScore s =
			nnc_class_score(r->tally.confusion, r->model->outputs, i);
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

	if (r->tally.confusion) {
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
		code = nnc_settings_split(split, data, &state, err);
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
		r->tally.confusion = calloc(n * n, sizeof *r->tally.confusion);
		if (!r->tally.confusion)
			code = nnc_fail(err, NNC_NOMEM, "not enough memory");
	}
	if (!code)
		code = nnc_evaluate(context, r->model, &data, split.validation,
				    o->held_out ? (int64_t)split.validation_count
						: data.count,
				    &r->tally, &r->score, err);
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
					nnc_threads(r.model, program->options), err);
	if (!code)
		code = nnc_weights_load(weights, r.model, context.params, err);
	if (!code)
		code = score(&r, (const EvalOptions *)program->options, &context,
			     weights, err);
	if (!code && program->options->json)
		code = print_json(&r, err);
	else if (!code)
		print_report(&r);
	free(r.tally.confusion);
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
