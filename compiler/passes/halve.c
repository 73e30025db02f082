/*
 * halve: requires lower; decides which values lie in memory as two halves of their
 * columns, one behind the other. Of two threads each makes and reads one half of most
 * values of a dense net. Where the halves share rows, what one thread's CPU fetches
 * ahead is taken from the other's cache, time and again. Keeps everything else.
 */
#include <string.h>

#include "nnc.h"

enum { HALF = 32 }; /* columns: two vectors of any CPU; no tile is in both halves */

static bool may_lie_in_halves(const Net *net, const Tensor *t)
{
	return t->kind == TENSOR_VALUE && t->element == ELEMENT_REAL && t->batched &&
	       t->shape.rank == 1 && t->shape.dim[0] % (2 * HALF) == 0 &&
	       net->training.batch > 1;
}

/* ---- who touches a value -------------------------------------------------------- */

/* Can n take this operand so: 'a', 'b', or 'c', its result and what is fused? */
static bool takes_halves(const Net *net, const Node *n, char operand)
{
	const char *(*halves)(const Net *, const Node *) =
		n->kernel ? n->kernel->halves : n->op->halves;
	const char *can = halves && !n->op->reshape ? halves(net, n) : "";
	return strchr(can, operand) != NULL;
}

/* The values that are read or written at the same places; how many. */
static int alike(const Node *n, Tensor **list)
{
	int count = 0;
	for (int k = 0; k < n->out_count; k++)
		list[count++] = k ? n->out[k] : result(n);
	for (int f = 0; f < n->fused_count; f++)
		for (int k = 1; k < n->fused[f]->in_count; k++)
			if (n->fused[f]->in[k]->batched)
				list[count++] = n->fused[f]->in[k];
	if (n->op->in_place)
		for (int k = 0; k < n->in_count; k++)
			if (n->in[k]->batched)
				list[count++] = n->in[k];
	return count;
}

static bool clear(Tensor *t)
{
	bool was = t->halved;
	t->halved = false;
	return was;
}

/* Clears what n cannot take; whether there was any. */
static bool clear_misfits(const Net *net, const Node *n)
{
	Tensor *list[MAX_OUT + MAX_FUSED * MAX_IN + MAX_IN];
	int count = alike(n, list);
	bool changed = false, all = takes_halves(net, n, 'c');
	for (int i = 0; i < count; i++)
		all = all && list[i]->halved;
	for (int i = 0; !all && i < count; i++)
		changed |= clear(list[i]);
	for (int k = 0; k < n->in_count && !n->op->in_place; k++)
		if (n->in[k]->halved && !takes_halves(net, n, (char)('a' + k)))
			changed |= clear(n->in[k]);
	return changed;
}

static void halve_program(const Net *net, Program *p)
{
	for (int i = 0; i < p->tensor_count; i++)
		p->tensors[i]->halved = may_lie_in_halves(net, p->tensors[i]);
	for (int i = 0; i < p->kept_count; i++)
		p->kept[i]->halved = false;
	for (bool changed = true; changed;) {
		changed = false;
		for (int i = 0; i < p->count; i++)
			changed |= clear_misfits(net, p->nodes[i]);
	}
}

void pass_halve(Net *net)
{
	halve_program(net, &net->train);
	halve_program(net, &net->infer);
}
