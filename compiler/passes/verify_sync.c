/*
 * verify_sync: the barriers' independent check. It goes through each function of a
 * program as its threads will, from barrier to barrier, and insists that no two nodes
 * in between touch the same memory, unless both only read it.
 */
#include <stdlib.h>

#include "nnc.h"

/* What is called on its own; the runtime has a barrier before each. */
typedef enum Part {
	PART_LOAD,
	PART_FORWARD,
	PART_BACKWARD, /* and what updates are left */
	PART_INPUT,    /* the input's gradient */
	PARTS,
} Part;

typedef struct Touch {
	const Node *node;
	const Tensor *tensor;
	const Tensor *block; /* NULL: the arena; else the weight and its state, or
			      * its gradient */
	int64_t from, to;
	bool writes;
	bool own; /* the thread's own */
} Touch;

/* What the threads may be at, all at once. */
typedef struct Moment {
	const char *program;
	Touch *touches;
	int count;
} Moment;

static Part part_of(const Node *n)
{
	if (n->phase == PHASE_LOAD)
		return PART_LOAD;
	if (n->phase == PHASE_FORWARD)
		return PART_FORWARD;
	return n->input_only ? PART_INPUT : PART_BACKWARD;
}

static void fail(const Moment *m, const Touch *a, const Touch *b)
{
	fprintf(stderr,
		"nnc: bug: in %s, no barrier between %s and %s, which touch the "
		"memory of %s and %s\n",
		m->program, a->node->op->name, b->node->op->name, a->tensor->id,
		b->tensor->id);
	abort();
}

static void touch(Moment *m, const Node *n, Tensor *tensor, bool writes)
{
	Touch now = {.node = n, .tensor = tensor, .to = 1, .writes = writes};
	const Tensor *place = storage(tensor);
	if (place->kind == TENSOR_PARAM || place->kind == TENSOR_GRAD) {
		now.block = place;
	} else {
		if (place->reals == 0)
			return; /* never in memory: something is fused behind it */
		now.from = place->offset;
		now.to = place->offset + place->reals;
		now.own = place->own;
	}
	for (int i = 0; i < m->count; i++) {
		const Touch *t = &m->touches[i];
		if (t->own && now.own)
			continue;
		if (t->node != n && t->block == now.block && t->from < now.to &&
		    now.from < t->to && (t->writes || writes))
			fail(m, t, &now);
	}
	*vec_push(&m->touches, &m->count) = now;
}

/* All that is in n's call; `fused` is n itself or what it ends with. */
static void touch_operands(Moment *m, const Node *n, const Node *fused)
{
	for (int k = fused == n ? 0 : 1; k < fused->in_count; k++)
		touch(m, n, fused->in[k], false);
	if (fused->op->consumes)
		touch(m, n, fused->in[1], true);
	for (int k = 0; k < fused->out_count; k++)
		touch(m, n, fused->out[k], true);
}

static void run_node(Moment *m, const Node *n)
{
	if (n->barrier)
		m->count = 0;
	touch_operands(m, n, n);
	for (int f = 0; f < n->fused_count; f++)
		touch_operands(m, n, n->fused[f]);
	if (n->workspace)
		touch(m, n, n->workspace, true);
}

void verify_sync(const Program *p)
{
	Moment m = {.program = p->name};
	for (Part part = 0; part < PARTS; part++) {
		m.count = 0;
		for (int i = 0; i < p->count; i++)
			if (part_of(p->nodes[i]) == part && !p->nodes[i]->op->reshape)
				run_node(&m, p->nodes[i]);
	}
}
