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

/* Sets `last` of what is read: the last node that does, other than by its update. */
static void find_last_reads(const Program *p)
{
	for (int i = 0; i < p->count; i++)
		for (int k = 0; k < p->nodes[i]->in_count; k++)
			if (!p->nodes[i]->input_only && !p->nodes[i]->op->consumes)
				p->nodes[i]->in[k]->last = i;
}

void pass_update(Net *net)
{
	Program *p = &net->train;
	count_uses(p);
	find_last_reads(p);
	for (int i = 0; i < p->count; i++) {
		Node *n = p->nodes[i],
		     *maker = n->op->consumes ? n->in[0]->producer : NULL;
		if (!maker || !can_update(maker) || maker->fused_count == MAX_FUSED ||
		    n->in[1]->last > maker->index)
			continue;
		maker->fused[maker->fused_count++] = n;
		n->dead = true;
	}
	sweep(p);
	for (int i = 0; i < p->count; i++)
		for (int f = 0; f < p->nodes[i]->fused_count; f++)
			p->nodes[i]->fused[f]->dead = false;
}
