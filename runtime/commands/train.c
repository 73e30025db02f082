/*
 * train.c - the command `train`: gathers what a run is (the model's train section, the
 * options, a checkpoint), runs it, and tests the weights that it kept.
 */
#include "cli.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What only this command takes. */
typedef struct TrainOptions {
	NncOptions shared;
	bool no_plot;
	const char *snapshot;
} TrainOptions;

static const NncOption options[] = {
	NNC_OPTION_DATA,
	NNC_OPTION_EPOCHS,
	NNC_OPTION_LR,
	NNC_OPTION_SEED,
	NNC_OPTION_THREADS,
	NNC_OPTION_TRAIN,
	NNC_OPTION_VALIDATION,
	{"folds", 0, NNC_OPT_INT, offsetof(NncOptions, folds), 2, NNC_MAX_FOLDS, "K",
	 "with --fold: they are cut into K parts alike"},
	{"fold", 0, NNC_OPT_INT, offsetof(NncOptions, fold), 1, NNC_MAX_FOLDS, "N",
	 "and part N, from 1, is held out, and the result's score"},
	{"patience", 0, NNC_OPT_INT, offsetof(NncOptions, patience), 0, NNC_MAX_EPOCHS,
	 "N", "stop after N epochs without an improvement; 0: never"},
	{"resume", 0, NNC_OPT_FLAG, offsetof(NncOptions, resume), 0, 0, NULL,
	 "go on where the run in the folder stopped"},
	{"weights", 0, NNC_OPT_TEXT, offsetof(NncOptions, weights), 0, 0, "FILE",
	 "start from these weights, not from random ones"},
	{"out", 'o', NNC_OPT_TEXT, offsetof(NncOptions, out), 0, 0, "DIR",
	 "the run's folder (else PROGRAM.run)"},
	{"snapshot", 0, NNC_OPT_TEXT, offsetof(TrainOptions, snapshot), 0, 0, "FILE",
	 "the training samples as nnc tune has read them"},
	{"no-plot", 0, NNC_OPT_FLAG, offsetof(TrainOptions, no_plot), 0, 0, NULL,
	 "draw no learning curves"},
	NNC_OPTION_QUIET,
	NNC_OPTION_JSON,
	NNC_OPTION_END,
};

/* ---- opening a run ----------------------------------------------------------- */

/* Same data as when the run started? The order of its batches depends on them. */
static int same_data(const NncState *s, const NncData *data, NncError *err)
{
	bool samples = !s->samples_crc || !data->samples_crc ||
		       s->samples_crc == data->samples_crc;
	bool labels = !s->labels_crc || !data->labels_crc ||
		      s->labels_crc == data->labels_crc;

	if (s->data_count == data->count && samples && labels)
		return NNC_OK;
	return nnc_fail(err, NNC_DATA,
			"%s is not what the run was started with: %lld "
			"samples with CRCs %08x, %08x; then %lld with %08x, %08x",
			data->source, (long long)data->count,
			(unsigned)data->samples_crc, (unsigned)data->labels_crc,
			(long long)s->data_count, (unsigned)s->samples_crc,
			(unsigned)s->labels_crc);
}

/* Who trains, who validates, and room for the order. */
static int make_split(NncRun *run, NncError *err)
{
	int code = nnc_settings_split(&run->split, &run->data, &run->state, err);

	if (code)
		return code;
	run->order = nnc_allocate(run->split.train_count, sizeof *run->order);
	if (!run->order)
		code = nnc_fail(err, NNC_NOMEM,
				"not enough memory for the order of %zu "
				"samples",
				run->split.train_count);
	return code;
}

static int open_old_run(NncRun *run, const NncProgram *program, NncError *err)
{
	NncState *s = &run->state;
	char best[NNC_MAX_PATH];
	int code = nnc_folder_open(&run->folder, err);

	if (!code)
		code = nnc_checkpoint_load(&run->folder, run->model, &run->context, s,
					   err);
	if (!code)
		code = nnc_settings_unchanged(s, program->options, err);
	if (!code)
		code = same_data(s, &run->data, err);
	if (!code)
		code = make_split(run, err);
	if (!code)
		nnc_settings_change(s, program->options);
	if (!code && s->best_epoch)
		return s->watch[0] ? nnc_checkpoint_find_best(&run->folder, s, err)
				   : NNC_OK;
	if (!code) { /* of a run that was killed before it saved */
		nnc_folder_file(best, &run->folder, NNC_BEST);
		unlink(best);
	}
	return code;
}

static int open_new_run(NncRun *run, const NncProgram *program, NncError *err)
{
	NncState *s = &run->state;
	const NncOptions *o = program->options;
	bool moved = false;
	int code = make_split(run, err);

	if (code)
		return code;
	s->data_count = run->data.count;
	s->samples_crc = run->data.samples_crc;
	s->labels_crc = run->data.labels_crc;
	nnc_init_params(&run->context, run->model, s->seed);
	if (o->weights) {
		code = nnc_weights_load(o->weights, run->model, run->context.params,
					err);
		if (code)
			return code;
	}
	code = nnc_folder_open(&run->folder, err);
	if (!code)
		code = nnc_folder_start_over(&run->folder, &moved, err);
	if (moved)
		nnc_progress_note(&run->progress,
				  "an earlier run in %s: its files are kept "
				  "as *~ (--resume goes on instead)",
				  run->folder.path);
	if (!code) /* a folder that cannot be written to is found out now */
		code = nnc_checkpoint_save(&run->folder, run->model, &run->context, s,
					   err);
	return code;
}

static int find_old_run(const NncRun *run, const NncProgram *program, NncError *err)
{
	char path[NNC_MAX_PATH];

	nnc_folder_file(path, &run->folder, NNC_LAST);
	if (access(path, F_OK))
		return nnc_fail(err, NNC_NOINPUT,
				"no run to resume: there is no %s\n"
				"help: %s train starts one; --out names another folder",
				path, program->path);
	return NNC_OK;
}

/* A registered set has a test part; files of the user's own may have none. */
static int load_test(NncRun *run, const NncOptions *o, NncError *err)
{
	const NncFormat *format;
	NncError missing = {0};
	int code;

	if (o->folds > 0) /* it is scored on the fold */
		return NNC_OK;
	code = nnc_model_format(&format, run->model, err);
	if (!code)
		code = nnc_model_data(&run->test, run->model, o->data, true, &missing);
	if (code == NNC_NOINPUT && !format->package) {
		nnc_progress_note(&run->progress, "no test part: %s", missing.message);
		return NNC_OK;
	}
	if (missing.code)
		nnc_fail(err, code, "%s", missing.message);
	return code;
}

/* Nothing of an earlier run is touched before all that can be wrong has been checked.
 */
static int open_run(NncRun *run, const NncProgram *program, NncError *err)
{
	const NncOptions *o = program->options;
	const TrainOptions *own = (const TrainOptions *)o;
	int code = nnc_folder_name(&run->folder, program->path, o->out, err);

	if (!code)
		code = o->resume ? find_old_run(run, program, err)
				 : nnc_settings_new(&run->state, program, err);
	if (!code)
		code = own->snapshot ? nnc_model_snapshot(&run->data, run->model,
							  own->snapshot, err)
				     : nnc_model_data(&run->data, run->model, o->data,
						      false, err);
	if (!code)
		code = load_test(run, o, err);
	if (!code)
		code = nnc_context_open(&run->context, run->model, NNC_TRAINING,
					nnc_threads(run->model, o), err);
	if (!code)
		code = o->resume ? open_old_run(run, program, err)
				 : open_new_run(run, program, err);
	if (!code)
		code = nnc_history_open(&run->history, &run->folder, run->state.epoch,
					err);
	return code;
}

static void close_run(NncRun *run)
{
	nnc_history_close(&run->history);
	nnc_folder_close(&run->folder);
	free(run->order);
	nnc_split_free(&run->split);
	nnc_data_free(&run->data);
	nnc_data_free(&run->test);
	nnc_context_close(&run->context);
}

/* ---- what is said on stderr -------------------------------------------------- */

static void say_what(NncRun *run, const NncOptions *o)
{
	const NncState *s = &run->state;

	nnc_progress_note(&run->progress,
			  "%s: %lld parameters; %zu training samples, %zu held "
			  "out; %s, lr %g, batch %d, seed %u",
			  run->model->name, (long long)run->model->parameters,
			  run->split.train_count, run->split.validation_count,
			  run->model->training.optimizer, s->lr, (int)run->model->batch,
			  (unsigned)s->seed);
	if (o->resume)
		nnc_progress_note(&run->progress, "resuming after epoch %u, step %u",
				  (unsigned)s->epoch, (unsigned)s->step);
}

static void say_stopped(NncRun *run)
{
	const NncState *s = &run->state;

	if (!s->watch[0] || !s->best_epoch)
		return;
	if (s->epoch < (uint32_t)s->epochs)
		nnc_progress_note(&run->progress,
				  "stopped early: %s has not improved for %u "
				  "epochs",
				  s->watch, (unsigned)s->waited);
	nnc_progress_note(&run->progress, "best: epoch %u with %s %.4f",
			  (unsigned)s->best_epoch, s->watch, s->best);
}

/* An argument as a shell takes it: quoted where it is not plain. */
static void print_argument(const char *name, const char *value)
{
	if (!value)
		return;
	fprintf(stderr, " %s ", name);
	if (!value[strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				 "0123456789_-+=./,:")]) {
		fputs(value, stderr);
		return;
	}
	fputc('\'', stderr);
	for (; *value; value++)
		fputs(*value == '\'' ? "'\\''" : (char[]){*value, '\0'}, stderr);
	fputc('\'', stderr);
}

/* Said even when quiet: what to type is worth more than silence. */
static void say_how_to_resume(NncRun *run, const NncProgram *program)
{
	const NncState *s = &run->state;
	const char *folder = run->folder.path;

	run->progress.quiet = false;
	if (nnc_loop_finished(s))
		nnc_progress_note(&run->progress,
				  "interrupted after the last epoch, before all of its "
				  "results; saved in %s/" NNC_LAST,
				  folder);
	else
		nnc_progress_note(&run->progress,
				  "interrupted in epoch %u after step %u; saved in "
				  "%s/" NNC_LAST,
				  (unsigned)s->epoch + 1, (unsigned)s->step, folder);
	fprintf(stderr, "to go on:");
	fprintf(stderr, " %s train --resume", program->path);
	print_argument("--out", program->options->out);
	print_argument("--data", program->options->data);
	fputc('\n', stderr);
}

/* ---- the result -------------------------------------------------------------- */

/* Puts the best weights into the context if early stopping kept them. */
static int take_best(NncRun *run, NncError *err)
{
	const NncState *s = &run->state;
	char path[NNC_MAX_PATH];
	int code;

	if (!s->watch[0] || !s->best_epoch || s->best_epoch == s->epoch)
		return NNC_OK;
	code = nnc_checkpoint_find_best(&run->folder, s, err);
	nnc_folder_file(path, &run->folder, NNC_BEST);
	if (!code)
		code = nnc_weights_load(path, run->model, run->context.params, err);
	return code;
}

static int print_result(const NncRun *run, const NncScore *score, const char *part,
			double seconds, bool json, NncError *err)
{
	const NncState *s = &run->state;
	json_t *root;

	if (!json) {
		printf("%s accuracy %.4f  loss %.4f  (%lld samples)\n", part,
		       score->accuracy, score->loss, (long long)score->samples);
		return NNC_OK;
	}
	root = nnc_score_json(score);
	json_object_set_new(root, "part", json_string(part));
	json_object_set_new(root, "epochs", json_integer(s->epoch));
	json_object_set_new(root, "best_epoch",
			    s->best_epoch ? json_integer(s->best_epoch) : json_null());
	if (s->folds) {
		json_object_set_new(root, "fold", json_integer(s->fold));
		json_object_set_new(root, "folds", json_integer(s->folds));
		json_object_set_new(root, "score_seconds", nnc_json_real(seconds));
	}
	return nnc_print_json(root, err);
}

/* Scores the test part; where there is none, what was held out, or the training part.
 *tested is what the test part scored, if it did. */
static int test(NncRun *run, const NncOptions *o, NncScore *tested, int *signal,
		NncError *err)
{
	const NncData *data = &run->test;
	const NncSplit *split = &run->split;
	const char *part = "test";
	const uint32_t *index = NULL;
	int64_t count = data->count;
	NncScore score;
	double began;
	int code = take_best(run, err);

	if (!count || run->state.folds) {
		bool held_out = split->validation_count > 0;
		part = held_out ? "validation" : "training";
		data = &run->data;
		index = held_out ? split->validation : split->train;
		count = (int64_t)(held_out ? split->validation_count
					   : split->train_count);
	}
	began = nnc_clock();
	if (!code)
		code = nnc_evaluate(&run->context, run->model, data, index, count, NULL,
				    &score, err);
	if (code)
		return code;
	*signal = score.samples < count ? nnc_stop_signal() : 0;
	if (*signal)
		return NNC_OK;
	if (data == &run->test)
		*tested = score;
	return print_result(run, &score, part, nnc_clock() - began, o->json, err);
}

/* Draws what there is of the learning curves. Whatever comes of it, the run is as good
   as without them. The signal that came in between, or 0. */
static int draw_curves(NncRun *run, const NncScore *tested)
{
	const NncState *s = &run->state;
	NncCurves curves = {
		.model = run->model,
		.state = s,
		.epochs = s->epoch,
		.best_epoch = s->watch[0] ? s->best_epoch : 0,
		.held_out = run->split.validation_count > 0,
		.test = tested->samples ? tested : NULL,
	};
	NncError err = {0};
	int code, before = nnc_stop_signal();

	if (!s->epoch)
		return 0;
	fflush(stdout);
	code = nnc_curves_draw(&curves, &run->folder, &err);
	if (code && nnc_stop_signal() != before)
		return nnc_stop_signal();
	if (code == NNC_NOINPUT)
		nnc_progress_note(&run->progress, "no picture of the curves: %s",
				  err.message);
	else if (code)
		nnc_progress_note(&run->progress,
				  "warning: no picture of the curves: %s", err.message);
	return 0;
}

static int run(const NncProgram *program, NncError *err)
{
	const TrainOptions *own = (const TrainOptions *)program->options;
	NncRun run = {.model = program->model};
	NncScore tested = {0};
	int code, signal = 0, late = 0;

	nnc_progress_open(&run.progress, stderr, program->options->quiet);
	code = open_run(&run, program, err);
	if (code)
		goto done;
	say_what(&run, program->options);
	nnc_stop_watch();
	code = nnc_loop(&run, &signal, err);
	if (code == NNC_IO)
		nnc_fail(err, code, "%s\nhelp: then %s train --resume goes on from %s",
			 err->message, program->path, run.folder.path);
	if (!code && signal) {
		say_how_to_resume(&run, program);
	} else if (!code) {
		say_stopped(&run);
		code = test(&run, program->options, &tested, &late, err);
	}
	if (!late && !own->no_plot)
		late = draw_curves(&run, &tested);
	if (!code && !signal && late) {
		signal = late;
		say_how_to_resume(&run, program);
	}
	nnc_stop_unwatch();
	nnc_progress_clear(&run.progress);
	if (!code && signal)
		code = 128 + signal;
done:
	close_run(&run);
	return code;
}

const NncCommand command_train = {
	.name = "train",
	.place = 10,
	.summary = "Trains the network and tests it.",
	.note = "The first Ctrl-C saves the run; train --resume goes on, to the same "
		"bits.",
	.options = options,
	.options_size = sizeof(TrainOptions),
	.run = run,
};
