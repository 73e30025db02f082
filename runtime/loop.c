/*
 * loop.c - epochs and steps of a training run.
 *
 * Everything that the next step depends on is in NncState, the weights and the
 * optimizer's state, so a run saved before any step goes on to the same bits. An epoch
 * ends in this order: validation, history, best weights, then the checkpoint that says
 * so; whichever a kill cuts short, resuming makes that epoch's end again.
 */
#include "internal.h"

#include <math.h>
#include <string.h>

static uint32_t steps_of(const NncRun *run)
{
	size_t batch = (size_t)run->model->batch;

	return (uint32_t)((run->split.train_count + batch - 1) / batch);
}

bool nnc_loop_finished(const NncState *s)
{
	return s->epoch >= (uint32_t)s->epochs ||
	       (s->watch[0] && s->best_epoch && s->waited >= (uint32_t)s->patience &&
		s->waited > 0);
}

/* ---- saving ------------------------------------------------------------------ */

static int save_last(NncRun *run, NncError *err)
{
	run->state.updates = run->context.updates;
	run->saved = nnc_clock();
	return nnc_checkpoint_save(&run->folder, run->model, &run->context, &run->state,
				   err);
}

/*
 * After an epoch. A fold's run is one of many, and mostly short: until its end it is
 * saved only as often as that is worth it.
 */
static int save_epoch(NncRun *run, NncError *err)
{
	static const double seconds = 2;

	if (run->state.folds && !nnc_loop_finished(&run->state) &&
	    nnc_clock() - run->saved < seconds)
		return NNC_OK;
	return save_last(run, err);
}

/* Ctrl-C: what the sums and the clock say goes into the checkpoint as well. */
static int save_inside(NncRun *run, NncError *err)
{
	run->state.loss_sum = run->context.loss;
	run->state.correct = run->context.correct;
	run->state.seconds = nnc_clock() - run->started;
	return save_last(run, err);
}

/* ---- not finite -------------------------------------------------------------- */

/* How many steps weights may go unwatched that are not finite and do not show in the
   loss, as infinity behind a relu or a tanh. To look at them takes time. */
enum { UNSEEN_STEPS = 64 };

/* "loss is not finite ..., first in dense2.weight (m.nn:8)", and what to do. */
static int not_finite(const NncRun *run, const char *what, const char *where,
		      const NncLayer *layer, NncError *err)
{
	const NncState *s = &run->state;
	char at[NNC_MAX_PLACE + 8] = "", place[NNC_MAX_PLACE];

	if (layer)
		snprintf(at, sizeof at, " (%s)",
			 nnc_layer_place(place, run->model, layer));
	return nnc_fail(err, NNC_FAILED,
			"%s is not finite at epoch %u step %u, first in %s%s; "
			"try a learning rate of %g\n"
			"help: --lr %g; %s/" NNC_LAST " is the run after epoch %u",
			what, (unsigned)s->epoch + 1, (unsigned)s->step + 1, where, at,
			s->lr / 10, s->lr / 10, run->folder.path, (unsigned)s->epoch);
}

static int tensor_not_finite(const NncRun *run, const char *what,
			     const NncTensor *tensor, NncError *err)
{
	return not_finite(run, what, tensor->name, nnc_layer_of(run->model, tensor),
			  err);
}

/* The tensor that the last step's backward pass, which begins at the end, made NaN or
   infinite first; before any step, the first there is. */
static const NncTensor *bad_weights(const NncRun *run)
{
	return nnc_not_finite(run->model, run->context.params,
			      run->context.updates > 0);
}

/* After a step that was given up: its weights are still those that it began with. */
static int loss_not_finite(NncRun *run, const NncBatch *batch, NncError *err)
{
	const NncTensor *tensor = bad_weights(run);
	const NncLayer *layer;

	if (tensor)
		return tensor_not_finite(run, "loss", tensor, err);
	layer = nnc_not_finite_layer(&run->context, run->model, batch);
	if (layer)
		return not_finite(run, "loss", layer->name, layer, err);
	return not_finite(run, "loss", "the loss itself", NULL, err);
}

/* After the step state.step - 1. The optimizer's state counts too: it is saved. */
static int check_weights(NncRun *run, bool slots, NncError *err)
{
	const NncTensor *tensor = bad_weights(run);
	const char *what = tensor ? "a weight" : "the optimizer's state";

	for (int32_t i = 0; slots && !tensor && i < run->model->slot_count; i++)
		tensor = nnc_not_finite(run->model, run->context.slot[i], true);
	if (!tensor)
		return NNC_OK;
	run->state.step--;
	return tensor_not_finite(run, what, tensor, err);
}

/* ---- an epoch ---------------------------------------------------------------- */

static void show_step(NncRun *run, uint32_t steps, int64_t samples)
{
	const NncState *s = &run->state;
	NncContext *c = &run->context;
	NncLine line = {.epoch = s->epoch + 1,
			.epochs = (uint32_t)s->epochs,
			.step = s->step,
			.steps = steps,
			.val_loss = NAN,
			.val_accuracy = NAN};

	if (!run->progress.terminal)
		return;
	line.seconds = nnc_clock() - run->started;
	line.per_step = line.seconds / (double)s->step;
	line.loss = c->loss / (double)samples;
	line.accuracy = (double)c->correct / (double)samples;
	nnc_progress_step(&run->progress, &line);
}

/* How many samples step `step` of the present epoch has; 0: the epoch is over. */
static int32_t rows_of(const NncRun *run, uint32_t step)
{
	size_t batch = (size_t)run->model->batch, first = step * batch;
	size_t left =
		run->split.train_count > first ? run->split.train_count - first : 0;

	return (int32_t)(left < batch ? left : batch);
}

/* The steps from state.step to the end, or to a signal. */
static int make_steps(NncRun *run, uint32_t steps, NncError *err)
{
	const NncModel *model = run->model;
	NncContext *c = &run->context;
	NncState *s = &run->state;
	NncBatch batch = {.samples = run->data.samples, .labels = run->data.labels};

	while (s->step < steps && !nnc_stop_signal()) {
		size_t first = (size_t)s->step * (size_t)model->batch;
		batch.index = run->order + first;
		batch.rows = rows_of(run, s->step);
		batch.next = batch.index + batch.rows;
		batch.next_rows = rows_of(run, s->step + 1);
		c->step = s->step;
		if (!nnc_step(c, model, &batch))
			return loss_not_finite(run, &batch, err);
		c->updates++;
		s->step++;
		if (s->step % UNSEEN_STEPS == 0) {
			int code = check_weights(run, false, err);
			if (code)
				return code;
		}
		show_step(run, steps, (int64_t)first + batch.rows);
	}
	return NNC_OK;
}

/* Is the epoch that ended with this row better than the best so far? */
static bool improved(const NncState *s, const NncRow *row, double *value)
{
	bool loss = strstr(s->watch, "loss") != NULL;
	bool held_out = !strncmp(s->watch, "val_", 4);

	if (loss)
		*value = held_out ? row->val_loss : row->loss;
	else
		*value = held_out ? row->val_accuracy : row->accuracy;
	if (isnan(*value))
		return false;
	if (!s->best_epoch)
		return true;
	return loss ? s->best - *value > s->min_delta : *value - s->best > s->min_delta;
}

/* Keeps the weights if they are the best yet. */
static int watch(NncRun *run, const NncRow *row, NncError *err)
{
	NncState *s = &run->state;
	double value;

	if (!s->watch[0])
		return NNC_OK;
	if (!improved(s, row, &value)) {
		s->waited++;
		return NNC_OK;
	}
	s->best = value;
	s->best_epoch = row->epoch;
	s->waited = 0;
	return nnc_checkpoint_save_best(&run->folder, run->model, &run->context, s,
					err);
}

static void show_epoch(NncRun *run, const NncRow *row, uint32_t steps)
{
	NncLine line = {.epoch = row->epoch,
			.epochs = (uint32_t)run->state.epochs,
			.step = steps,
			.steps = steps,
			.seconds = row->seconds,
			.per_step = row->seconds / steps,
			.loss = row->loss,
			.accuracy = row->accuracy,
			.val_loss = row->val_loss,
			.val_accuracy = row->val_accuracy};

	nnc_progress_epoch(&run->progress, &line);
}

/* Validation of the epoch in *row; *complete is false if a signal came in between. */
static int validate(NncRun *run, NncRow *row, bool *complete, NncError *err)
{
	const NncSplit *split = &run->split;
	NncScore score;
	int code;

	*complete = true;
	if (!split->validation_count)
		return NNC_OK;
	run->state.loss_sum = run->context.loss;
	run->state.correct = run->context.correct;
	code = nnc_evaluate(&run->context, run->model, &run->data, split->validation,
			    (int64_t)split->validation_count, NULL, &score, err);
	if (code)
		return code;
	run->context.loss = run->state.loss_sum;
	run->context.correct = run->state.correct;
	*complete = score.samples == (int64_t)split->validation_count;
	row->val_loss = score.loss;
	row->val_accuracy = score.accuracy;
	return NNC_OK;
}

/* All steps are made: validates, writes it all down and moves on to the next epoch. */
static int end_epoch(NncRun *run, bool *complete, NncError *err)
{
	NncState *s = &run->state;
	double samples = (double)run->split.train_count;
	NncRow row = {.epoch = s->epoch + 1,
		      .lr = s->lr,
		      .val_loss = NAN,
		      .val_accuracy = NAN};
	int code = check_weights(run, true, err);

	if (!code)
		code = validate(run, &row, complete, err);
	if (code || !*complete)
		return code;
	row.loss = run->context.loss / samples;
	row.accuracy = (double)run->context.correct / samples;
	row.seconds = nnc_clock() - run->started;
	code = nnc_history_add(&run->history, &row, err);
	s->epoch++;
	s->step = 0;
	s->loss_sum = s->seconds = 0;
	s->correct = 0;
	s->updates = run->context.updates;
	if (!code)
		code = watch(run, &row, err);
	if (!code)
		code = save_epoch(run, err);
	if (!code)
		show_epoch(run, &row, steps_of(run));
	return code;
}

int nnc_loop(NncRun *run, int *signal, NncError *err)
{
	NncState *s = &run->state;
	NncContext *c = &run->context;
	bool complete = true;
	int code = NNC_OK;

	c->dropout = true;
	c->lr = s->lr;
	c->seed = s->seed;
	c->updates = s->updates;
	run->saved = nnc_clock();
	while (!code && complete && !nnc_loop_finished(s)) {
		run->started = nnc_clock() - s->seconds;
		c->epoch = s->epoch;
		c->loss = s->loss_sum;
		c->correct = s->correct;
		nnc_split_order(&run->split, run->order, s->seed, s->epoch);
		code = make_steps(run, steps_of(run), err);
		complete = s->step == steps_of(run);
		if (!code && complete)
			code = end_epoch(run, &complete, err);
		if (!code && !complete)
			code = save_inside(run, err);
	}
	*signal = code || nnc_loop_finished(s) ? 0 : nnc_stop_signal();
	return code;
}
