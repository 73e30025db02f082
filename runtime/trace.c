/*
 * trace.c - when the ops of a step begin, as thread 0 comes to them. nnc_share says
 * which function shares out work: if it is what the next op begins with, that op
 * begins; all others are helpers of the op that runs. An op ends where the next begins,
 * so that waiting for the other threads counts to the op before it.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_KEPT = 1 << 22, MAX_STEPS = 1 << 14 };

static bool belongs(const NncOp *op, NncPurpose purpose)
{
	if (op->phase == NNC_PHASE_LOAD)
		return true;
	return (op->phase == NNC_PHASE_INFER) == (purpose == NNC_INFERENCE);
}

int nnc_trace_open(NncTrace *t, const NncModel *model, NncPurpose purpose,
		   NncError *err)
{
	*t = (NncTrace){.op = nnc_allocate((size_t)model->op_count, sizeof *t->op)};
	for (int32_t i = 0; t->op && i < model->op_count; i++)
		if (belongs(&model->ops[i], purpose))
			t->op[t->count++] = &model->ops[i];
	size_t count = (size_t)t->count + 1;
	t->room = MAX_KEPT / count < MAX_STEPS ? MAX_KEPT / count + 1 : MAX_STEPS;
	t->began = nnc_allocate(count, sizeof *t->began);
	t->median = nnc_allocate(count, sizeof *t->median);
	t->times = nnc_allocate(count * t->room, sizeof *t->times);
	if (t->op && t->began && t->median && t->times)
		return NNC_OK;
	nnc_trace_close(t);
	return nnc_fail(err, NNC_NOMEM, "not enough memory to measure %s",
			model->source);
}

void nnc_trace_close(NncTrace *t)
{
	free(t->op);
	free(t->began);
	free(t->median);
	free(t->times);
	*t = (NncTrace){0};
}

void nnc_trace_share(NncTrace *t, const char *function)
{
	const NncOp *op = t->next < t->count ? t->op[t->next] : NULL;

	if (op && !strcmp(op->helper ? op->helper : op->function, function)) {
		if (t->visit && t->next)
			t->visit(t->argument, t->op[t->next - 1]);
		t->began[t->next++] = nnc_clock();
	}
}

/* A step that ended early, or was not the model's, is not kept. */
void nnc_trace_end(NncTrace *t, double now)
{
	t->began[t->count] = now;
	if (t->next == t->count && t->steps < t->room) {
		for (int32_t i = 0; i < t->count; i++)
			t->times[(size_t)i * t->room + t->steps] =
				t->began[i + 1] - t->began[i];
		t->steps++;
	}
	t->next = 0;
}

int nnc_trace_medians(NncTrace *t, const NncModel *model, NncError *err)
{
	if (!t->steps)
		return nnc_fail(err, NNC_BUG, "no step of %s had the ops of its table",
				model->source);
	for (int32_t i = 0; i < t->count; i++)
		t->median[i] = nnc_median(t->times + (size_t)i * t->room, t->steps);
	return NNC_OK;
}
