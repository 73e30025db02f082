/*
 * step.c - what a team does with one batch: the parts of a step that the model has, in
 * one parallel region, a barrier before backward; and what the rows add up to.
 *
 * Sums are over the rows in their order, whoever computed them: the number of threads
 * changes nothing.
 */
#include "internal.h"

#include <math.h>

enum { MAX_PARTS = 2 };

/* What is to be done with a batch. */
typedef struct Task {
	NncContext *context;
	const NncBatch *batch;
	NncWork *part[MAX_PARTS]; /* in this order, up to NULL */
	NncWork *backward;        /* behind them, or NULL */
	bool guarded;             /* only a finite loss leads to it */
} Task;

static double batch_loss(const NncContext *c, const NncBatch *batch)
{
	double sum = 0;

	for (int32_t row = 0; row < batch->rows; row++)
		sum += c->row_loss[row];
	return sum;
}

/* Every thread sums the losses itself, so that they agree without another barrier. */
static void do_parts(void *argument, const NncThread *t)
{
	const Task *task = argument;

	for (int i = 0; i < MAX_PARTS && task->part[i]; i++)
		task->part[i](task->context, task->batch, t);
	if (!task->backward)
		return;
	nnc_barrier(t);
	if (!task->guarded || isfinite(batch_loss(task->context, task->batch)))
		task->backward(task->context, task->batch, t);
}

/* Adds the rows to the context's sums; true if the batch's loss is finite. */
static bool add_rows(NncContext *c, const NncBatch *batch)
{
	double loss = batch_loss(c, batch);

	c->loss += loss;
	for (int32_t row = 0; row < batch->rows; row++)
		c->correct += c->row_hit[row];
	return isfinite(loss);
}

bool nnc_step(NncContext *c, const NncModel *model, const NncBatch *batch)
{
	Task task = {.context = c,
		     .batch = batch,
		     .part = {model->load, model->forward},
		     .backward = model->backward,
		     .guarded = true};

	nnc_team_run(c->team, do_parts, &task);
	return add_rows(c, batch);
}

void nnc_step_gradients(NncContext *c, const NncModel *model, const NncBatch *batch)
{
	Task task = {.context = c,
		     .batch = batch,
		     .part = {model->load, model->forward},
		     .backward = model->backward};
	double lr = c->lr;
	bool keep_grads = c->keep_grads;

	c->lr = 0;
	c->keep_grads = true;
	nnc_team_run(c->team, do_parts, &task);
	c->lr = lr;
	c->keep_grads = keep_grads;
	add_rows(c, batch);
}

void nnc_step_load(NncContext *c, const NncModel *model, const NncBatch *batch)
{
	Task task = {.context = c, .batch = batch, .part = {model->load}};

	nnc_team_run(c->team, do_parts, &task);
}

void nnc_step_forward(NncContext *c, const NncModel *model, const NncBatch *batch)
{
	Task task = {.context = c, .batch = batch, .part = {model->forward}};

	nnc_team_run(c->team, do_parts, &task);
	add_rows(c, batch);
}

void nnc_step_infer(NncContext *c, const NncModel *model, const NncBatch *batch)
{
	Task task = {.context = c, .batch = batch, .part = {model->load, model->infer}};

	nnc_team_run(c->team, do_parts, &task);
}

void nnc_step_evaluate(NncContext *c, const NncModel *model, const NncBatch *batch)
{
	Task task = {
		.context = c, .batch = batch, .part = {model->load, model->evaluate}};

	nnc_team_run(c->team, do_parts, &task);
	add_rows(c, batch);
}
