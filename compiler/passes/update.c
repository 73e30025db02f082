/*
 * update: requires select; moves the optimizer's step on a weight into the kernel that
 * makes its gradient, if that kernel can end with it and nothing reads the weight
 * afterwards. (What only gradcheck asks for may: it keeps the weights where they are.)
 */
#include "nnc.h"

static bool can_update(const Node *n)
{
	return n->kernel ? n->kernel->updates : n->op->updates;
}

static bool reads(const Node *n, const Tensor *t)
{
	for (int k = 0; k < n->in_count; k++)
		if (n->in[k] == t)
			return true;
	return false;
}

/* Is w read after the node at `index`, other than by its update? */
static bool read_later(const Program *p, const Tensor *w, int index)
{
	for (int i = index + 1; i < p->count; i++)
		if (!p->nodes[i]->input_only && !p->nodes[i]->op->consumes &&
		    reads(p->nodes[i], w))
			return true;
	return false;
}

void pass_update(Net *net)
{
	Program *p = &net->train;
	count_uses(p);
	for (int i = 0; i < p->count; i++) {
		Node *n = p->nodes[i],
		     *maker = n->op->consumes ? n->in[0]->producer : NULL;
		if (!maker || !can_update(maker) || maker->fused_count == MAX_FUSED ||
		    read_later(p, n->in[1], maker->index))
			continue;
		maker->fused[maker->fused_count++] = n;
		n->dead = true;
	}
	sweep(p);
	for (int i = 0; i < p->count; i++)
		for (int f = 0; f < p->nodes[i]->fused_count; f++)
			p->nodes[i]->fused[f]->dead = false;
}
