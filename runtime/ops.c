/*
 * ops.c - what `bench --ops` shows of traced steps: the median time of each op, in the
 * order in which they run, and what they add up to for each layer.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

static const char *const phases[] = {
	[NNC_PHASE_LOAD] = "load",
	[NNC_PHASE_FORWARD] = "forward",
	[NNC_PHASE_BACKWARD] = "backward",
	[NNC_PHASE_INFER] = "infer",
};

/* What some of the ops add up to. */
typedef struct Sum {
	double seconds, flops;
} Sum;

/* Of a layer, or of all (NULL); in one phase, or in all (-1). */
static Sum sum_of(const NncTrace *t, const char *layer, int phase)
{
	Sum sum = {0, 0};

	for (int32_t i = 0; i < t->count; i++)
		if ((!layer || !strcmp(t->op[i]->layer, layer)) &&
		    (phase < 0 || (int)t->op[i]->phase == phase)) {
			sum.seconds += t->median[i];
			sum.flops += t->op[i]->flops;
		}
	return sum;
}

static Sum one_op(const NncTrace *t, int32_t i)
{
	return (Sum){t->median[i], t->op[i]->flops};
}

static double share_of(Sum s, Sum whole)
{
	return whole.seconds > 0 ? s.seconds / whole.seconds : 0;
}

static double gflops(Sum s)
{
	return s.seconds > 0 ? s.flops / s.seconds * 1e-9 : 0;
}

/* What is not there, or not counted, is a dash. */
static void print_number(const char *format, int width, double number)
{
	if (number > 0)
		printf(format, width, number);
	else
		printf("%*s", width, "-");
}

static void print_sum(Sum s, Sum whole)
{
	print_number("%*.1f", 11, s.seconds * 1e6);
	print_number("%*.1f", 8, 100 * share_of(s, whole));
	print_number("%*.1f", 9, gflops(s));
}

static int longer(int width, const char *text)
{
	int length = (int)strlen(text);

	return length > width ? length : width;
}

/* ---- op by op ---------------------------------------------------------------- */

static void print_ops(const NncTrace *t, const char *title, const char *whose)
{
	Sum whole = sum_of(t, NULL, -1);
	int layer = 5, kernel = 6;

	for (int32_t i = 0; i < t->count; i++) {
		layer = longer(layer, t->op[i]->layer);
		kernel = longer(kernel, t->op[i]->function);
	}
	printf("\n%s%s:\n", title, whose);
	printf("%-8s  %-*s  %-*s%11s%8s%9s\n", "phase", layer, "layer", kernel,
	       "kernel", "us", "%", "GFLOP/s");
	for (int32_t i = 0; i < t->count; i++) {
		printf("%-8s  %-*s  %-*s", phases[t->op[i]->phase], layer,
		       t->op[i]->layer, kernel, t->op[i]->function);
		print_sum(one_op(t, i), whole);
		printf("\n");
	}
}

/* ---- layer by layer ---------------------------------------------------------- */

/* Of a layer, or of all (NULL). */
static void print_layer(const NncOpTimes *o, int width, const char *layer)
{
	Sum step = sum_of(&o->step, layer, -1);
	Sum back = sum_of(&o->step, layer, NNC_PHASE_BACKWARD);

	printf("%-*s", width, layer ? layer : "total");
	print_number("%*.1f", 11, (step.seconds - back.seconds) * 1e6);
	print_number("%*.1f", 11, back.seconds * 1e6);
	print_sum(step, sum_of(&o->step, NULL, -1));
	print_sum(sum_of(&o->infer, layer, -1), sum_of(&o->infer, NULL, -1));
	printf("\n");
}

/* Layers that come to nothing, such as flatten, have no row. */
static void print_layers(const NncModel *model, const NncOpTimes *o)
{
	int width = 5;

	for (int32_t i = 0; i < model->layer_count; i++)
		width = longer(width, model->layers[i].name);
	printf("\n%-*s%11s%11s%11s%8s%9s%11s%8s%9s\n", width, "layer", "forward us",
	       "backward", "step", "%", "GFLOP/s", "infer", "%", "GFLOP/s");
	for (int32_t i = 0; i < model->layer_count; i++)
		if (sum_of(&o->step, model->layers[i].name, -1).seconds > 0)
			print_layer(o, width, model->layers[i].name);
	print_layer(o, width, NULL);
}

void nnc_ops_print(const NncModel *model, const NncOpTimes *o, int threads)
{
	char whose[64] = "";

	if (threads > 1)
		snprintf(whose, sizeof whose, ", as thread 0 of %d sees it", threads);
	print_ops(&o->step, "A training step", whose);
	print_ops(&o->infer, "Inference", whose);
	print_layers(model, o);
}

/* ---- as JSON ----------------------------------------------------------------- */

json_t *nnc_ops_json(const NncTrace *t)
{
	Sum whole = sum_of(t, NULL, -1);
	json_t *list = json_array();

	for (int32_t i = 0; i < t->count; i++) {
		const NncOp *op = t->op[i];
		Sum s = one_op(t, i);
		json_t *one = json_object();
		json_object_set_new(one, "phase", json_string(phases[op->phase]));
		json_object_set_new(one, "layer", json_string(op->layer));
		json_object_set_new(one, "kernel", json_string(op->function));
		json_object_set_new(one, "us", nnc_json_real(s.seconds * 1e6));
		json_object_set_new(one, "share", nnc_json_real(share_of(s, whole)));
		json_object_set_new(one, "gflops", nnc_json_real(gflops(s)));
		json_array_append_new(list, one);
	}
	return list;
}
