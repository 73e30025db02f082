/*
 * verify: the plan's independent check. It knows nothing of lives: it runs a program on
 * a map of who last wrote which part of the arena, and insists that every value is
 * still whole when it is read, and that nothing is written over what a node reads.
 */
#include <stdlib.h>

#include "nnc.h"

typedef struct Write {
	const Tensor *owner;
	int64_t offset, end;
} Write;

/* GROUP of them are looked at one by one only where they met the place in question. */
enum { GROUP = 64 };

typedef struct Extent {
	int64_t offset, end;
} Extent;

typedef struct Map {
	const char *program;
	Write *writes;
	Extent *groups;
	int count, group_count;
} Map;

static bool placed(const Tensor *t)
{
	return t && (t->kind == TENSOR_VALUE || t->kind == TENSOR_INPUT);
}

static bool meet(const Tensor *a, const Tensor *b)
{
	return a->offset < b->offset + b->reals && b->offset < a->offset + a->reals;
}

static void fail(const Map *m, const Tensor *t, const Tensor *by)
{
	fprintf(stderr, "nnc: bug: in the plan of %s, %s is overwritten by %s\n",
		m->program, t->id, by ? by->id : "nobody: it was never written");
	abort();
}

/* t must be written, and nothing else over it since. */
static void read_value(const Map *m, Tensor *value)
{
	if (!placed(value))
		return;
	const Tensor *t = storage(value), *whole = place_of(value);
	for (int i = m->count - 1; i >= 0; i--) {
		const Write *w = &m->writes[i];
		const Extent *g = &m->groups[i / GROUP];
		if (g->offset >= t->offset + t->reals || t->offset >= g->end) {
			i -= i % GROUP; /* none of them */
			continue;
		}
		if (w->owner == whole)
			return;
		if (w->offset < t->offset + t->reals && t->offset < w->end)
			fail(m, whole, w->owner);
	}
	fail(m, whole, NULL);
}

static void write_value(Map *m, Tensor *value, Node *n)
{
	if (!placed(value))
		return;
	const Tensor *t = storage(value);
	assert(t);
	for (int k = 0; k < n->in_count; k++) {
		const Tensor *x = placed(n->in[k]) ? storage(n->in[k]) : NULL;
		bool allowed = x == t && k == 0 && (n->op->in_place || n->op->reshape);
		if (x && !allowed && meet(x, t))
			fail(m, x, t);
	}
	for (int f = 0; f < n->fused_count; f++)
		for (int k = 1; k < n->fused[f]->in_count; k++) {
			const Tensor *x = n->fused[f]->in[k];
			x = placed(x) ? storage(n->fused[f]->in[k]) : NULL;
			if (x && meet(x, t))
				fail(m, x, t);
		}
	int64_t end = t->offset + t->reals;
	*vec_push(&m->writes, &m->count) = (Write){place_of(value), t->offset, end};
	if (m->count % GROUP == 1)
		*vec_push(&m->groups, &m->group_count) = (Extent){t->offset, end};
	Extent *g = &m->groups[m->group_count - 1];
	g->offset = t->offset < g->offset ? t->offset : g->offset;
	g->end = end > g->end ? end : g->end;
}

/* What one node writes must not meet: results, second results, workspace. */
static void check_apart(const Map *m, Node *n)
{
	const Tensor *all[MAX_OUT + 1];
	int count = 0;
	for (int k = 0; k < n->out_count; k++) {
		Tensor *t = k ? n->out[k] : result(n);
		if (placed(t))
			all[count++] = storage(t);
	}
	if (n->workspace)
		all[count++] = n->workspace;
	for (int i = 0; i < count; i++)
		for (int k = 0; k < i; k++)
			if (meet(all[i], all[k]))
				fail(m, all[i], all[k]);
}

void verify_plan(const Net *net, Program *p)
{
	Map m = {.program = p->name};
	(void)net;
	for (int i = 0; i < p->count; i++) {
		Node *n = p->nodes[i];
		for (int k = 0; k < n->in_count; k++)
			read_value(&m, n->in[k]);
		for (int f = 0; f < n->fused_count; f++)
			for (int k = 1; k < n->fused[f]->in_count; k++)
				read_value(&m, n->fused[f]->in[k]);
		check_apart(&m, n);
		if (n->out_count)
			write_value(&m, result(n), n);
		for (int k = 1; k < n->out_count; k++)
			write_value(&m, n->out[k], n);
		if (n->workspace)
			write_value(&m, n->workspace, n);
	}
	for (int i = 0; i < p->kept_count; i++)
		read_value(&m, p->kept[i]);
}
