/*
 * report.c - the command `report`: scores weights, and writes what they are, how they
 * came about and where they fail as one page. Only weights are a must: what else there
 * is none of is left out, and said.
 */
#include "report/report.h"
#include "cli.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const NncOption options[] = {
	NNC_OPTION_DATA,
	NNC_OPTION_WEIGHTS,
	{"out", 'o', NNC_OPT_TEXT, offsetof(NncOptions, out), 0, 0, "FILE",
	 "the page to write, - for stdout (else report.html beside the weights)"},
	NNC_OPTION_THREADS,
	NNC_OPTION_QUIET,
	NNC_OPTION_END,
};

/* "FOLDER/name" for the folder that a file is in. */
static int beside(char path[NNC_MAX_PATH], const char *file, const char *name,
		  NncError *err)
{
	const char *slash = strrchr(file, '/');
	int n = snprintf(path, NNC_MAX_PATH, "%.*s%s",
			 slash ? (int)(slash + 1 - file) : 0, file, name);

	if (n >= NNC_MAX_PATH)
		return nnc_fail(err, NNC_USAGE, "the folder's name is too long");
	return NNC_OK;
}

/* The run that the weights are of, and its epochs, if any. */
static int find_run(NncReport *r, NncError *err)
{
	char path[NNC_MAX_PATH];
	NncError none;
	int code;

	r->of_run = !nnc_checkpoint_state(r->weights, &r->state, &none);
	if (!r->of_run)
		return NNC_OK;
	code = beside(path, r->weights, "history.csv", err);
	if (!code)
		code = nnc_history_read(path, NNC_MAX_EPOCHS, &r->rows, &r->row_count,
					err);
	return code == NNC_NOINPUT || code == NNC_IO ? NNC_OK : code;
}

/* Where there is no test part: what the run held out, else what it was trained on. */
static int load_other(NncReport *r, const char *folder, const uint32_t **index,
		      int64_t *count, NncError *err)
{
	const NncState *s = &r->state;
	int code = nnc_model_data(&r->data, r->model, folder, false, err);

	if (code)
		return code;
	r->part = "training";
	*count = r->data.count;
	if (!r->of_run || s->data_count != r->data.count)
		return NNC_OK;
	code = nnc_split_make(&r->split, &r->data, s->train, s->validation, s->seed,
			      err);
	if (code)
		return code;
	*index = r->split.train;
	*count = (int64_t)r->split.train_count;
	if (r->split.validation_count) {
		r->part = "validation";
		*index = r->split.validation;
		*count = (int64_t)r->split.validation_count;
	}
	return NNC_OK;
}

/* Scores what there is. Data that is missing is no error, data that is wrong is. */
static int score(NncReport *r, const NncOptions *o, NncError *err)
{
	const NncFormat *format;
	const uint32_t *index = NULL;
	int64_t count = 0;
	size_t n = (size_t)r->model->outputs;
	NncError missing = {0};
	int code;

	if (!r->model->training.format) {
		snprintf(r->missing, sizeof r->missing, "%s has no data section.",
			 r->model->source);
		return NNC_OK;
	}
	r->part = "test";
	code = nnc_model_format(&format, r->model, err);
	if (code)
		return code;
	code = nnc_model_data(&r->data, r->model, o->data, true, &missing);
	count = r->data.count;
	if (code == NNC_NOINPUT && !format->package)
		code = load_other(r, o->data, &index, &count, &missing);
	if (code == NNC_NOINPUT) {
		snprintf(r->missing, sizeof r->missing, "%s", missing.message);
		return NNC_OK;
	}
	if (code)
		return nnc_fail(err, code, "%s", missing.message);
	r->tally.mistakes = r->mistakes;
	r->tally.mistake_room = NNC_REPORT_MISTAKES;
	if (n <= NNC_REPORT_CLASSES) {
		r->tally.confusion = calloc(n * n, sizeof *r->tally.confusion);
		if (!r->tally.confusion)
			return nnc_fail(err, NNC_NOMEM, "not enough memory");
	}
	return nnc_evaluate(&r->context, r->model, &r->data, index, count, &r->tally,
			    &r->score, err);
}

/* The page, in memory, then in its file as a whole. */
static int write_page(NncReport *r, const NncOptions *o, NncError *err)
{
	char path[NNC_MAX_PATH], *text = NULL;
	size_t size = 0;
	NncStream page;
	bool open = nnc_stream_open(&page);
	int code = open ? nnc_report_page(page.out, r, err) : NNC_NOMEM;

	if (open)
		text = nnc_stream_close(&page, &size);
	if (!text)
		code = NNC_NOMEM;
	if (code == NNC_NOMEM)
		nnc_fail(err, NNC_NOMEM, "not enough memory for the page");
	if (!code && o->out && !strcmp(o->out, "-")) {
		fwrite(text, 1, size, stdout);
	} else if (!code) {
		if (o->out)
			snprintf(path, sizeof path, "%s", o->out);
		else
			code = beside(path, r->weights, "report.html", err);
		if (!code)
			code = nnc_write_file(path, text, size, err);
		if (!code)
			printf("%s\n", path);
	}
	free(text);
	return code;
}

static void close_report(NncReport *r)
{
	free(r->tally.confusion);
	free(r->rows);
	nnc_split_free(&r->split);
	nnc_data_free(&r->data);
	nnc_context_close(&r->context);
}

static int run(const NncProgram *program, NncError *err)
{
	const NncOptions *o = program->options;
	NncReport r = {.model = program->model};
	NncProgress progress;
	int code = nnc_find_weights(r.weights, program, err);

	nnc_progress_open(&progress, stderr, o->quiet);
	r.probabilities = !strcmp(r.model->training.loss, "cross_entropy");
	if (!code)
		code = nnc_context_open(&r.context, r.model, NNC_INFERENCE,
					nnc_threads(r.model, o), err);
	if (!code)
		code = nnc_weights_load(r.weights, r.model, r.context.params, err);
	if (!code)
		code = find_run(&r, err);
	if (!code)
		code = score(&r, o, err);
	if (!code)
		code = write_page(&r, o, err);
	if (!code && r.missing[0])
		nnc_progress_note(&progress, "nothing was scored: %s", r.missing);
	if (!code && r.note[0])
		nnc_progress_note(&progress, "no curves: %s", r.note);
	close_report(&r);
	return code;
}

const NncCommand command_report = {
	.name = "report",
	.place = 35,
	.summary = "Writes a page about a run: curves, result, mistakes, filters.",
	.note = "One HTML file with all that it shows; any browser opens it.",
	.options = options,
	.run = run,
};
