/*
 * finite.c - NaN and infinity: are there any, and where were they first?
 */
#include "internal.h"

#include <math.h>
#include <string.h>

/* ---- are there any ----------------------------------------------------------- */

enum { CHUNK = 1024 };

/* Without a branch, so that the compiler can take several at a time. */
static bool chunk_finite(const float *f)
{
	uint32_t bad = 0, bits[CHUNK];

	memcpy(bits, f, sizeof bits);
	for (int i = 0; i < CHUNK; i++)
		bad |= (bits[i] & 0x7f800000u) == 0x7f800000u;
	return !bad;
}

static bool all_finite(const NncModel *model, const void *block, size_t reals)
{
	const float *f = block;
	size_t i = 0;

	if (model->real_bytes == (int32_t)sizeof(float))
		for (; i + CHUNK <= reals; i += CHUNK)
			if (!chunk_finite(f + i))
				return false;
	for (; i < reals; i++)
		if (!isfinite(nnc_real_at(model, block, (int64_t)i)))
			return false;
	return true;
}

static bool tensor_finite(const NncModel *model, const NncTensor *tensor,
			  const void *block)
{
	int64_t count = nnc_tensor_count(tensor);

	for (int64_t i = 0; i < count; i++)
		if (!isfinite(nnc_real_at(model, block, nnc_tensor_at(tensor, i))))
			return false;
	return true;
}

const NncTensor *nnc_not_finite(const NncModel *model, const void *block, bool last)
{
	int32_t count = model->tensor_count;

	if (all_finite(model, block, model->params_reals))
		return NULL;
	for (int32_t i = 0; i < count; i++) {
		const NncTensor *t = &model->tensors[last ? count - 1 - i : i];
		if (!tensor_finite(model, t, block))
			return t;
	}
	return NULL;
}

/* The layer of that many bytes of a name. */
static const NncLayer *find_layer(const NncModel *model, const char *name,
				  size_t length)
{
	for (int32_t i = 0; i < model->layer_count; i++) {
		const NncLayer *layer = &model->layers[i];
		if (strlen(layer->name) == length && !memcmp(layer->name, name, length))
			return layer;
	}
	return NULL;
}

const NncLayer *nnc_layer_named(const NncModel *model, const char *name)
{
	return find_layer(model, name, strlen(name));
}

const NncLayer *nnc_layer_of(const NncModel *model, const NncTensor *tensor)
{
	const char *dot = strrchr(tensor->name, '.');

	return dot ? find_layer(model, tensor->name, (size_t)(dot - tensor->name))
		   : nnc_layer_named(model, tensor->name);
}

const char *nnc_layer_place(char text[NNC_MAX_PLACE], const NncModel *model,
			    const NncLayer *layer)
{
	int32_t line = 0;

	for (const NncLayer *l = model->layers; l <= layer; l++)
		line += l->below;
	snprintf(text, NNC_MAX_PLACE, "%.100s:%d",
		 layer->file ? layer->file : model->source, (int)line);
	return text;
}

/* ---- in which layer's output first -------------------------------------------- */

/* A forward pass of one thread, looked at after each op. */
typedef struct Probe {
	const NncModel *model;
	NncContext context;
	const NncOp *found; /* the first op behind which the arena is not finite */
} Probe;

static void look(void *argument, const NncOp *done)
{
	Probe *p = argument;

	if (!p->found && !all_finite(p->model, p->context.arena, p->model->arena_reals))
		p->found = done;
}

static const NncOp *forward(Probe *p, const NncBatch *batch)
{
	NncTrace trace;

	if (nnc_trace_open(&trace, p->model, NNC_TRAINING, NULL))
		return NULL;
	trace.visit = look;
	trace.argument = p;
	nnc_team_trace(p->context.team, &trace);
	nnc_step_load(&p->context, p->model, batch);
	nnc_step_forward(&p->context, p->model, batch);
	nnc_team_trace(p->context.team, NULL);
	if (trace.next) {
		look(p, trace.op[trace.next - 1]);
		if (!p->found && !isfinite(p->context.loss))
			p->found = trace.op[trace.next - 1];
	}
	nnc_trace_close(&trace);
	return p->found;
}

const NncLayer *nnc_not_finite_layer(const NncContext *c, const NncModel *model,
				     const NncBatch *batch)
{
	Probe p = {.model = model};
	const NncOp *op;

	if (nnc_context_open(&p.context, model, NNC_TRAINING, 1, NULL))
		return NULL;
	memcpy(p.context.params, c->params,
	       model->params_reals * (size_t)model->real_bytes);
	p.context.seed = c->seed;
	p.context.epoch = c->epoch;
	p.context.step = c->step;
	p.context.updates = c->updates;
	p.context.dropout = c->dropout;
	op = forward(&p, batch);
	nnc_context_close(&p.context);
	return op ? nnc_layer_named(model, op->layer) : NULL;
}
