/*
 * sync: requires plan; puts a barrier before every node that touches memory which
 * another node has written, or read before it is written, since the last barrier:
 * unless each thread goes on with what it has touched itself. Where that is so of two
 * threads only, the barrier is one of more. Before backward the runtime has one. Keeps
 * everything else. verify_sync() then checks the result afresh.
 */
#include "nnc.h"

/* One part of the arena, or a weight and its optimizer's state, or its gradient. */
typedef struct Place {
	const Tensor *owner; /* of a weight or gradient; NULL: in the arena */
	const Tensor *value; /* that is in it */
	int64_t offset, end;
	bool own; /* the thread's own */
	Split split;
} Place;

typedef struct Places {
	Place *places;
	int count;
} Places;

/* What a team has touched since its last barrier. */
typedef struct Since {
	bool two; /* threads are in it, or more */
	Places read, written;
} Since;

typedef struct Marker {
	const Net *net;
	Since two, many;
	/* Of the node at hand; first: written before its threads meet, if they do. */
	Places reads, writes, first;
} Marker;

/* Places since a barrier: to look at more takes longer than it saves. */
enum { MOST = 256 };

static void touch(Places *to, Tensor *t, Split split)
{
	if (!t)
		return;
	const Tensor *s = storage(t);
	if (s->kind == TENSOR_VALUE || s->kind == TENSOR_INPUT)
		*vec_push(&to->places, &to->count) = (Place){
			NULL, s, s->offset, s->offset + s->reals, s->own, split};
	else
		*vec_push(&to->places, &to->count) = (Place){.owner = s, .end = 1};
}

/* Does each thread touch of x what it touches of y? */
static bool alike(const Place *x, const Place *y, bool two)
{
	if (x->own && y->own)
		return true;
	return x->value && x->value == y->value && x->split == y->split &&
	       (x->split == SPLIT_ROWS || (x->split == SPLIT_HALVES && two));
}

static bool meet(const Places *a, const Places *b, bool two)
{
	for (int i = 0; i < a->count; i++)
		for (int k = 0; k < b->count; k++) {
			const Place *x = &a->places[i], *y = &b->places[k];
			if (x->owner == y->owner && x->offset < y->end &&
			    y->offset < x->end && !alike(x, y, two))
				return true;
		}
	return false;
}

/* Do threads meet within n, before it writes anything but its workspace? */
static bool meets_inside(const Node *n)
{
	return n->workspace && n->kernel->meets;
}

static void add_all(Places *to, const Places *from)
{
	for (int i = 0; i < from->count; i++)
		*vec_push(&to->places, &to->count) = from->places[i];
}

static void find_places(Marker *m, const Node *n)
{
	Split beside = split_of(m->net, n, 'c');
	m->reads.count = m->writes.count = m->first.count = 0;
	for (int k = 0; k < n->in_count; k++)
		touch(n->op->consumes && k == 1 ? &m->writes : &m->reads, n->in[k],
		      k < 2 ? split_of(m->net, n, (char)('a' + k)) : beside);
	for (int f = 0; f < n->fused_count; f++) {
		const Node *fused = n->fused[f];
		for (int k = 1; k < fused->in_count; k++)
			touch(fused->op->consumes ? &m->writes : &m->reads,
			      fused->in[k], beside);
	}
	for (int k = 0; k < n->out_count; k++)
		touch(&m->writes, k ? n->out[k] : result(n), beside);
	touch(&m->first, n->workspace, SPLIT_ANY);
	if (!meets_inside(n))
		add_all(&m->first, &m->writes);
}

static bool must_wait(const Marker *m, const Since *since)
{
	return meet(&m->reads, &since->written, since->two) ||
	       meet(&m->first, &since->written, since->two) ||
	       meet(&m->first, &since->read, since->two) ||
	       since->read.count + since->written.count > MOST;
}

static void forget(Since *since)
{
	since->read.count = since->written.count = 0;
}

/* Goes on behind n, before which the team had a barrier, or not. */
static void go_on(const Marker *m, Since *since, const Node *n, bool barrier)
{
	if (barrier || meets_inside(n))
		forget(since);
	add_all(&since->read, &m->reads);
	add_all(&since->written, &m->first);
	if (meets_inside(n))
		add_all(&since->written, &m->writes);
}

static void mark(Marker *m, Node *n)
{
	find_places(m, n);
	n->barrier = must_wait(m, &m->two)    ? BARRIER
		     : must_wait(m, &m->many) ? BARRIER_OF_MANY
					      : BARRIER_NONE;
	go_on(m, &m->two, n, n->barrier == BARRIER);
	go_on(m, &m->many, n, n->barrier != BARRIER_NONE);
}

/* Each of these begins behind a barrier of the runtime. */
static bool same_part(const Node *a, const Node *b)
{
	return (a->phase >= PHASE_BACKWARD) == (b->phase >= PHASE_BACKWARD);
}

void mark_barriers(const Net *net, Program *p)
{
	Marker m = {.net = net, .two = {.two = true}};
	const Node *before = NULL;
	for (int i = 0; i < p->count; i++) {
		Node *n = p->nodes[i];
		if (n->op->reshape)
			continue;
		n->barrier = n->input_only ? BARRIER
					   : BARRIER_NONE; /* at the end, in order */
		if (n->input_only)
			continue;
		if (before && !same_part(before, n))
			forget(&m.two), forget(&m.many);
		before = n;
		mark(&m, n);
	}
}

int next_meeting(const Program *p, int i)
{
	for (; i < p->count; i++) {
		const Node *n = p->nodes[i];
		if (n->barrier == BARRIER || (i > 0 && !same_part(p->nodes[i - 1], n)))
			return i;
		if (meets_inside(n))
			return i + 1;
	}
	return i;
}

void pass_sync(Net *net)
{
	mark_barriers(net, &net->train);
	mark_barriers(net, &net->infer);
	verify_sync(net, &net->train);
	verify_sync(net, &net->infer);
}
