/*
 * lr_find.c - the command `lr-find`: a sweep of the learning rate from fresh weights,
 * its picture, and the rates that it suggests. It has a folder of its own, and saves no
 * weights: no run is touched.
 */
#include "cli.h"
#include "plot.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What only this command takes. */
typedef struct FindOptions {
	NncOptions shared;
	double from, to;
	int64_t steps;
	bool no_plot;
} FindOptions;

static const NncOption options[] = {
	{"from", 0, NNC_OPT_REAL, offsetof(FindOptions, from), 1e-30, 1e30, "X",
	 "the first learning rate [1e-7]"},
	{"to", 0, NNC_OPT_REAL, offsetof(FindOptions, to), 1e-30, 1e30, "X",
	 "the last, unless the loss explodes before [10]"},
	{"steps", 0, NNC_OPT_INT, offsetof(FindOptions, steps), NNC_MIN_SWEEP, 1000000,
	 "N", "training steps, each at a larger rate [200]"},
	NNC_OPTION_DATA,
	NNC_OPTION_SEED,
	NNC_OPTION_THREADS,
	NNC_OPTION_TRAIN,
	NNC_OPTION_VALIDATION,
	{"weights", 0, NNC_OPT_TEXT, offsetof(NncOptions, weights), 0, 0, "FILE",
	 "start from these weights, not from random ones"},
	{"out", 'o', NNC_OPT_TEXT, offsetof(NncOptions, out), 0, 0, "DIR",
	 "where lr_find.csv and its picture go (else PROGRAM.lr-find)"},
	{"no-plot", 0, NNC_OPT_FLAG, offsetof(FindOptions, no_plot), 0, 0, NULL,
	 "draw no picture"},
	NNC_OPTION_QUIET,
	NNC_OPTION_JSON,
	NNC_OPTION_END,
};

typedef struct Find {
	const NncModel *model;
	NncContext context;
	NncState state;
	NncData data;
	NncSplit split;
	uint32_t *order; /* (split.train_count) the present epoch's */
	NncFolder folder;
	NncProgress progress;
	NncSweep sweep;
} Find;

/* ---- the sweep --------------------------------------------------------------- */

static int read_range(NncSweep *s, const FindOptions *o, NncError *err)
{
	s->from = isnan(o->from) ? 1e-7 : o->from;
	s->to = isnan(o->to) ? 10 : o->to;
	s->steps = o->steps < 0 ? 200 : o->steps;
	if (s->from < s->to)
		return NNC_OK;
	return nnc_fail(err, NNC_USAGE, "--from %g is not below --to %g", s->from,
			s->to);
}

static int name_folder(Find *f, const NncProgram *program, NncError *err)
{
	const char *slash = strrchr(program->path, '/');
	char own[NNC_MAX_PATH];

	snprintf(own, sizeof own, "%s.lr-find", slash ? slash + 1 : program->path);
	return nnc_folder_name(&f->folder, program->path,
			       program->options->out ? program->options->out : own,
			       err);
}

static int open_find(Find *f, const NncProgram *program, NncError *err)
{
	const NncOptions *o = program->options;
	const NncState *s = &f->state;
	int code = read_range(&f->sweep, (const FindOptions *)o, err);

	if (!code)
		code = name_folder(f, program, err);
	if (!code)
		code = nnc_settings_new(&f->state, program, err);
	if (!code)
		code = nnc_sweep_open(&f->sweep, err);
	if (!code)
		code = nnc_model_data(&f->data, f->model, o->data, false, err);
	if (!code)
		code = nnc_split_make(&f->split, &f->data, s->train, s->validation,
				      s->seed, err);
	if (!code)
		code = nnc_context_open(&f->context, f->model, NNC_TRAINING,
					nnc_threads(f->model, o), err);
	if (code)
		return code;
	f->order = nnc_allocate(f->split.train_count, sizeof *f->order);
	if (!f->order)
		return nnc_fail(err, NNC_NOMEM,
				"not enough memory for the order of "
				"the samples");
	nnc_init_params(&f->context, f->model, s->seed);
	if (o->weights)
		code = nnc_weights_load(o->weights, f->model, f->context.params, err);
	return code ? code : nnc_folder_open(&f->folder, err);
}

static void close_find(Find *f)
{
	nnc_folder_close(&f->folder);
	free(f->order);
	nnc_split_free(&f->split);
	nnc_data_free(&f->data);
	nnc_context_close(&f->context);
	nnc_sweep_close(&f->sweep);
}

static void show_step(Find *f, double loss)
{
	const NncLine line = {.epoch = 1,
			      .epochs = 1,
			      .step = f->sweep.count,
			      .steps = f->sweep.steps,
			      .seconds = NAN,
			      .per_step = NAN,
			      .loss = loss,
			      .accuracy = NAN,
			      .val_loss = NAN,
			      .val_accuracy = NAN};

	if (f->progress.terminal)
		nnc_progress_step(&f->progress, &line);
}

/* The batch of step `step` of the sweep: epochs follow each other as in training. */
static NncBatch batch_of(Find *f, int64_t step)
{
	NncContext *c = &f->context;
	const size_t most = (size_t)f->model->batch, samples = f->split.train_count;
	const int64_t steps = (int64_t)((samples + most - 1) / most);
	const size_t first = (size_t)(step % steps) * most;
	const size_t rows = samples - first < most ? samples - first : most;

	c->epoch = (uint32_t)(step / steps);
	c->step = (uint32_t)(step % steps);
	if (c->step == 0)
		nnc_split_order(&f->split, f->order, f->state.seed, c->epoch);
	return (NncBatch){.samples = f->data.samples,
			  .labels = f->data.labels,
			  .index = f->order + first,
			  .rows = (int32_t)rows};
}

/* Sweeps until the rates are through, the loss explodes or a signal comes. */
static void make_steps(Find *f)
{
	NncContext *c = &f->context;
	NncSweep *s = &f->sweep;
	bool more = true;

	c->dropout = true;
	c->seed = f->state.seed;
	for (int64_t step = 0; more && step < s->steps && !nnc_stop_signal(); step++) {
		const NncBatch batch = batch_of(f, step);
		c->loss = 0;
		c->correct = 0;
		c->lr = nnc_sweep_rate(s, step);
		bool finite = nnc_step(c, f->model, &batch);
		double loss = finite ? c->loss / (double)batch.rows : NAN;
		c->updates++;
		more = nnc_sweep_add(s, loss);
		show_step(f, loss);
	}
	nnc_progress_clear(&f->progress);
}

/* ---- files ------------------------------------------------------------------- */

/* learning rate, loss, and the line through the losses around it. */
static int write_csv(const Find *f, NncError *err)
{
	const NncSweep *s = &f->sweep;
	char path[NNC_MAX_PATH];
	NncFile file;
	int code;

	nnc_folder_file(path, &f->folder, "lr_find.csv");
	code = nnc_file_open(&file, path, err);
	if (code)
		return code;
	code = nnc_file_printf(&file, err, "lr,loss,smooth\n");
	for (int64_t i = 0; i < s->count && !code; i++)
		code = nnc_file_printf(&file, err, "%.9g,%.9g,%.9g\n",
				       nnc_sweep_rate(s, i), s->loss[i], s->smooth[i]);
	return code ? code : nnc_file_commit(&file, NULL, err);
}

/* A line across the picture at a rate, and its place in the key. */
static void put_mark(FILE *out, int style, double rate)
{
	fprintf(out, "set arrow from %.9g, graph 0 to %.9g, graph 1 nohead ls %d\n",
		rate, rate, style);
}

static void put_title(FILE *out, const Find *f)
{
	char text[512];

	snprintf(text, sizeof text, "%.200s: %s, batch %d, seed %u", f->model->name,
		 f->model->training.optimizer, (int)f->model->batch,
		 (unsigned)f->state.seed);
	fprintf(out, "set title ");
	nnc_plot_string(out, text);
	fprintf(out, "\n");
}

/* The losses that are to be seen: what explodes goes out of the picture. */
static void put_range(FILE *out, const NncSweep *s)
{
	double low = s->smooth[0], high = s->smooth[0];

	for (int64_t i = 1; i < s->count; i++) {
		low = s->smooth[i] < low ? s->smooth[i] : low;
		high = s->smooth[i] > high && (s->least < 0 || i <= s->least)
			       ? s->smooth[i]
			       : high;
	}
	double room = high - low > 0 ? high - low : 1;
	fprintf(out, "set yrange [%.9g:%.9g]\n", low - 0.25 * room, high + 0.35 * room);
}

static char *script_of(const Find *f)
{
	const NncSweep *s = &f->sweep;
	NncStream stream;
	FILE *out;

	if (!nnc_stream_open(&stream))
		return NULL;
	out = stream.out;
	fprintf(out, "set encoding utf8\n"
		     "set datafile separator comma\n"
		     "set border 3 lc rgb \"black\"\n"
		     "set tics nomirror\n"
		     "set grid ytics lt 1 lc rgb \"#c8c8c8\" lw 0.5\n"
		     "set key outside right center vertical Left reverse samplen 2\n"
		     "set style line 1 lc rgb \"#9cc7e0\" pt 7 ps 0.35\n"
		     "set style line 2 lc rgb \"#0072b2\" lw 2\n"
		     "set style line 3 lc rgb \"#d55e00\" lw 2\n"
		     "set style line 4 lc rgb \"#009e73\" lw 2 dt 2\n"
		     "set style line 5 lc rgb \"#707070\" lw 1.5 dt 3\n"
		     "set logscale x\n"
		     "set format x \"%%g\"\n"
		     "set xlabel \"learning rate\"\n"
		     "set ylabel \"loss\"\n");
	put_title(out, f);
	put_range(out, s);
	fprintf(out, "set xrange [%.9g:%.9g]\n", s->from,
		nnc_sweep_rate(s, s->count > 1 ? s->count - 1 : 1));
	if (s->least >= 0) {
		put_mark(out, 3, nnc_sweep_rate(s, s->steepest));
		put_mark(out, 4, nnc_sweep_rate(s, s->least) / 10);
		put_mark(out, 5, nnc_sweep_rate(s, s->least));
	}
	nnc_plot_begin(out, "lr_find");
	fprintf(out, "\tplot \"lr_find.csv\" skip 1 using 1:2 with points ls 1 "
		     "title \"each step\", \\\n"
		     "\t\t\"\" skip 1 using 1:3 with lines ls 2 title \"smoothed\"");
	if (s->least >= 0)
		fprintf(out,
			", \\\n\t\tNaN with lines ls 3 title \"steepest: %.2g\""
			", \\\n\t\tNaN with lines ls 4 title \"least / 10: %.2g\""
			", \\\n\t\tNaN with lines ls 5 title \"least: %.2g\"",
			nnc_sweep_rate(s, s->steepest),
			nnc_sweep_rate(s, s->least) / 10, nnc_sweep_rate(s, s->least));
	fprintf(out, "\n}\nunset output\n");
	return nnc_stream_close(&stream, NULL);
}

/* Whatever comes of the picture, the sweep is as good as without it. */
static void draw(Find *f)
{
	char *script = script_of(f);
	NncError err = {0};
	int code = script ? nnc_plot_draw(&f->folder, "lr_find", script, &err)
			  : nnc_fail(&err, NNC_NOMEM, "not enough memory");

	free(script);
	if (code)
		nnc_progress_note(&f->progress, "%sno picture of the sweep: %s",
				  code == NNC_NOINPUT ? "" : "warning: ", err.message);
}

/* ---- the result -------------------------------------------------------------- */

static void print_result(const Find *f, const NncProgram *program)
{
	const NncSweep *s = &f->sweep;

	printf("%lld steps, learning rates %g to %.3g%s\n", (long long)s->count,
	       s->from, nnc_sweep_rate(s, s->count - 1),
	       s->diverged ? ", where the loss has exploded" : "");
	if (s->least < 0) {
		printf("the loss falls nowhere: nothing to suggest\n"
		       "help: a wider range, --from and --to, or more --steps\n");
		return;
	}
	double steepest = nnc_sweep_rate(s, s->steepest),
	       least = nnc_sweep_rate(s, s->least);
	printf("steepest descent      lr %-8.2g loss %.4f\n"
	       "least loss / 10       lr %.2g\n"
	       "least loss            lr %-8.2g loss %.4f\n",
	       steepest, s->smooth[s->steepest], least / 10, least,
	       s->smooth[s->least]);
	if (s->least == s->count - 1 && !s->diverged)
		printf("the loss still falls at the end: --to %g shows more\n",
		       s->to * 100);
	printf("try: %s train --lr %.2g\n", program->path,
	       steepest < least / 10 ? steepest : least / 10);
}

static json_t *rate_json(const NncSweep *s, int64_t step, double share)
{
	return step < 0 ? json_null() : json_real(nnc_sweep_rate(s, step) * share);
}

static int print_json(const Find *f, NncError *err)
{
	const NncSweep *s = &f->sweep;
	json_t *root = json_object();

	json_object_set_new(root, "from", json_real(s->from));
	json_object_set_new(root, "to", json_real(s->to));
	json_object_set_new(root, "steps", json_integer(s->count));
	json_object_set_new(root, "diverged", json_boolean(s->diverged));
	json_object_set_new(root, "steepest", rate_json(s, s->steepest, 1));
	json_object_set_new(root, "least_tenth", rate_json(s, s->least, 0.1));
	json_object_set_new(root, "least", rate_json(s, s->least, 1));
	json_object_set_new(root, "least_loss",
			    s->least < 0 ? json_null()
					 : json_real(s->smooth[s->least]));
	return nnc_print_json(root, err);
}

static int finish(Find *f, const NncProgram *program, NncError *err)
{
	int code;

	if (!f->sweep.count)
		return nnc_fail(err, NNC_FAILED,
				"the loss of the first step, at %g, is not finite\n"
				"help: a smaller --from, other weights, or scaled data",
				f->sweep.from);
	nnc_sweep_judge(&f->sweep);
	code = write_csv(f, err);
	if (code)
		return code;
	if (!((const FindOptions *)program->options)->no_plot)
		draw(f);
	if (program->options->json)
		return print_json(f, err);
	print_result(f, program);
	return NNC_OK;
}

static int run(const NncProgram *program, NncError *err)
{
	Find f = {.model = program->model};
	int code, signal = 0;

	nnc_progress_open(&f.progress, stderr, program->options->quiet);
	code = open_find(&f, program, err);
	if (code)
		goto done;
	nnc_progress_note(
		&f.progress,
		"%s: %zu training samples; %s, batch %d, seed %u; the results go "
		"to %s",
		f.model->name, f.split.train_count, f.model->training.optimizer,
		(int)f.model->batch, (unsigned)f.state.seed, f.folder.path);
	nnc_stop_watch();
	make_steps(&f);
	signal = nnc_stop_signal();
	code = signal ? 128 + signal : finish(&f, program, err);
	nnc_stop_unwatch();
done:
	close_find(&f);
	return code;
}

const NncCommand command_lr_find = {
	.name = "lr-find",
	.place = 15,
	.summary = "Finds a learning rate: a short sweep, its picture, a suggestion.",
	.note = "Trains from fresh weights at ever larger rates, until the loss "
		"explodes. "
		"Saves no\nweights and touches no run.",
	.options = options,
	.options_size = sizeof(FindOptions),
	.run = run,
};
