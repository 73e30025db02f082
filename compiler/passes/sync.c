/*
 * sync: requires plan; puts a barrier before every node that touches memory which
 * another node has written, or read before it is written, since the last barrier.
 * Between the parts of a step the runtime has one. Keeps everything else. verify_sync()
 * then checks the result afresh.
 */
#include "nnc.h"

/* One part of the arena, or a weight and its optimizer's state, or its gradient. */
typedef struct Place {
	const Tensor *owner; /* of a weight or gradient; NULL: in the arena */
	int64_t offset, end;
	bool own; /* the thread's own */
} Place;

typedef struct Places {
	Place *places;
	int count;
} Places;

static void touch(Places *to, Tensor *t)
{
	if (!t)
		return;
	const Tensor *s = storage(t);
	bool arena = s->kind == TENSOR_VALUE || s->kind == TENSOR_INPUT;
	*vec_push(&to->places, &to->count) =
		arena ? (Place){NULL, s->offset, s->offset + s->reals, s->own}
		      : (Place){s, 0, 1, false};
}

static bool meet(const Places *a, const Places *b)
{
	for (int i = 0; i < a->count; i++)
		for (int k = 0; k < b->count; k++) {
			const Place *x = &a->places[i], *y = &b->places[k];
			if (x->own && y->own)
				continue;
			if (x->owner == y->owner && x->offset < y->end &&
			    y->offset < x->end)
				return true;
		}
	return false;
}

static void find_places(const Node *n, Places *reads, Places *writes)
{
	reads->count = writes->count = 0;
	for (int k = 0; k < n->in_count; k++)
		touch(n->op->consumes && k == 1 ? writes : reads, n->in[k]);
	for (int f = 0; f < n->fused_count; f++) {
		const Node *fused = n->fused[f];
		for (int k = 1; k < fused->in_count; k++)
			touch(fused->op->consumes ? writes : reads, fused->in[k]);
	}
	for (int k = 0; k < n->out_count; k++)
		touch(writes, k ? n->out[k] : result(n));
	touch(writes, n->workspace);
}

static void add_all(Places *to, const Places *from)
{
	for (int i = 0; i < from->count; i++)
		*vec_push(&to->places, &to->count) = from->places[i];
}

/* Each of these is a function of its own, which the runtime puts barriers around. */
static bool same_part(const Node *a, const Node *b)
{
	bool updating = a->phase == PHASE_BACKWARD && b->phase == PHASE_UPDATE;
	return a->phase == b->phase || updating;
}

static void sync_program(Program *p)
{
	Places reads = {0}, writes = {0}, read = {0}, written = {0};
	const Node *before = NULL;
	for (int i = 0; i < p->count; i++) {
		Node *n = p->nodes[i];
		if (n->op->reshape)
			continue;
		n->barrier = n->input_only; /* they run at the end, in order */
		if (n->input_only)
			continue;
		if (before && !same_part(before, n))
			read.count = written.count = 0;
		before = n;
		find_places(n, &reads, &writes);
		n->barrier = meet(&reads, &written) || meet(&writes, &written) ||
			     meet(&writes, &read);
		if (n->barrier)
			read.count = written.count = 0;
		add_all(&read, &reads);
		add_all(&written, &writes);
	}
	verify_sync(p);
}

void pass_sync(Net *net)
{
	sync_program(&net->train);
	sync_program(&net->infer);
}
