/*
 * verify: the plan's independent check. It knows nothing of lives: it runs a program on
 * a map of who last wrote which part of the arena, and insists that every value is
 * still whole when it is read, and that nothing is written over what a node reads.
 */
#include <stdlib.h>

#include "nnc.h"

/* The arena, cut where values begin and end; cell k is from edges[k] to the next. */
typedef struct Map {
	const char *program;
	int64_t *edges;
	const Tensor **owners; /* of each cell: who last wrote it */
	int count;
} Map;

static int by_size(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

static Map new_map(const Program *p)
{
	Map m = {.program = p->name};
	size_t most = 2 * (size_t)p->placed_count + 1;
	m.edges = arena_alloc(most * sizeof *m.edges);
	m.owners = arena_alloc(most * sizeof *m.owners);
	int count = 0;
	for (int i = 0; i < p->placed_count; i++) {
		const Tensor *t = p->placed[i];
		m.edges[count++] = t->offset;
		m.edges[count++] = t->offset + t->reals;
	}
	qsort(m.edges, (size_t)count, sizeof *m.edges, by_size);
	for (int i = 0; i < count; i++)
		if (i == 0 || m.edges[i] != m.edges[i - 1])
			m.edges[m.count++] = m.edges[i];
	return m;
}

/* The cell that begins at offset. */
static int cell_at(const Map *m, int64_t offset)
{
	const int64_t *edge =
		bsearch(&offset, m->edges, (size_t)m->count, sizeof *m->edges, by_size);
	assert(edge);
	return (int)(edge - m->edges);
}

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

/* All of it must be as it was written. */
static void read_value(const Map *m, Tensor *value)
{
	if (!placed(value))
		return;
	const Tensor *t = storage(value), *whole = place_of(value);
	int end = cell_at(m, t->offset + t->reals);
	for (int k = cell_at(m, t->offset); k < end; k++)
		if (m->owners[k] != whole)
			fail(m, whole, m->owners[k]);
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
	int end = cell_at(m, t->offset + t->reals);
	for (int k = cell_at(m, t->offset); k < end; k++)
		m->owners[k] = place_of(value);
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
	Map m = new_map(p);
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
