/*
 * verify_sync: the barriers' independent check. It goes through each part of a program
 * as two threads will, and as more, from barrier to barrier, and insists that no two
 * nodes in between touch the same memory, unless both only read it, or each thread has
 * the same of it in both.
 */
#include <stdlib.h>

#include "nnc.h"

/* What begins behind a barrier, of the runtime or the end of the part before it. */
typedef enum Part {
	PART_FORWARD,  /* from load on */
	PART_BACKWARD, /* and what updates are left */
	PART_INPUT,    /* the input's gradient */
	PARTS,
} Part;

typedef struct Touch {
	const Node *node;
	const Tensor *tensor;
	const Tensor *place; /* the tensor whose memory it is */
	const Tensor *block; /* NULL: the arena; else the weight and its state, or
			      * its gradient */
	int64_t from, to;
	bool writes;
	bool own; /* the thread's own */
	Split split;
} Touch;

/* What the threads may be at, all at once. */
typedef struct Moment {
	const Net *net;
	const char *program;
	int threads; /* 3: as many as there may be */
	Touch *touches;
	int count;
} Moment;

static Part part_of(const Node *n)
{
	if (n->phase == PHASE_LOAD || n->phase == PHASE_FORWARD)
		return PART_FORWARD;
	return n->input_only ? PART_INPUT : PART_BACKWARD;
}

static void fail(const Moment *m, const Touch *a, const Touch *b)
{
	fprintf(stderr,
		"nnc: bug: in %s, no barrier of %d threads between %s and %s, which "
		"touch the memory of %s and %s\n",
		m->program, m->threads, a->node->op->name, b->node->op->name,
		a->tensor->id, b->tensor->id);
	abort();
}

/* Has each thread, of what both touch, the same? */
static bool same_share(const Moment *m, const Touch *a, const Touch *b)
{
	if (a->own || b->own)
		return a->own && b->own;
	if (a->block || a->place != b->place)
		return false;
	bool rows = a->split == SPLIT_ROWS && b->split == SPLIT_ROWS;
	bool halves = a->split == SPLIT_HALVES && b->split == SPLIT_HALVES;
	return rows || (halves && m->threads == 2);
}

static void touch(Moment *m, const Node *n, Tensor *tensor, Split split, bool writes)
{
	const Tensor *place = storage(tensor);
	Touch now = {.node = n,
		     .tensor = tensor,
		     .place = place,
		     .to = 1,
		     .writes = writes,
		     .split = split};
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
		if (t->node != n && t->block == now.block && t->from < now.to &&
		    now.from < t->to && (t->writes || writes) &&
		    !same_share(m, t, &now))
			fail(m, t, &now);
	}
	*vec_push(&m->touches, &m->count) = now;
}

/* What n's call reads, or writes; `fused` is n itself or what it ends with. */
static void touch_operands(Moment *m, const Node *n, const Node *fused, bool writes)
{
	Split beside = split_of(m->net, n, 'c');
	for (int k = fused == n ? 0 : 1; !writes && k < fused->in_count; k++)
		touch(m, n, fused->in[k],
		      fused == n && k < 2 ? split_of(m->net, n, k ? 'b' : 'a') : beside,
		      false);
	if (writes && fused->op->consumes)
		touch(m, n, fused->in[1], SPLIT_ANY, true);
	for (int k = 0; writes && k < fused->out_count; k++)
		touch(m, n, fused->out[k], beside, true);
}

static void touch_all(Moment *m, const Node *n, bool writes)
{
	touch_operands(m, n, n, writes);
	for (int f = 0; f < n->fused_count; f++)
		touch_operands(m, n, n->fused[f], writes);
}

/* Some kernels have a barrier, and write more than their workspace behind it only. */
static void run_node(Moment *m, const Node *n)
{
	bool waits =
		m->threads == 2 ? n->barrier == BARRIER : n->barrier != BARRIER_NONE;
	if (waits)
		m->count = 0;
	touch_all(m, n, false);
	if (n->workspace) {
		touch(m, n, n->workspace, SPLIT_ANY, true);
		if (n->kernel->meets) {
			m->count = 0;
			touch_all(m, n, false);
			touch(m, n, n->workspace, SPLIT_ANY, false);
		}
	}
	touch_all(m, n, true);
}

void verify_sync(const Net *net, const Program *p)
{
	for (int threads = 2; threads <= 3; threads++) {
		Moment m = {.net = net, .program = p->name, .threads = threads};
		for (Part part = 0; part < PARTS; part++) {
			m.count = 0;
			for (int i = 0; i < p->count; i++)
				if (part_of(p->nodes[i]) == part &&
				    !p->nodes[i]->op->reshape)
					run_node(&m, p->nodes[i]);
		}
	}
}
