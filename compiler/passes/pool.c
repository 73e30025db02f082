/*
 * pool: requires select; moves a maxpool into the convolution before it, and its gradient
 * into the one that reads it, where their kernels can: then the convolution's output,
 * several times the size of the pool's, is never in memory as a whole.
 */
#include "nnc.h"

/* Windows that share no line, so that each line is made once. */
static bool apart(const Node *pool)
{
	return pool->attr.stride[0] >= pool->attr.kernel[0];
}

static void pool_into(Node *conv, Node *pool)
{
	conv->fused[conv->fused_count++] = pool;
	for (int f = 0; f < pool->fused_count; f++)
		conv->fused[conv->fused_count++] = pool->fused[f];
	conv->out[conv->out_count++] = pool->out[1];
	for (int k = 0; k < conv->out_count; k++)
		conv->out[k]->producer = conv;
	result(conv)->producer = conv;
	pool->dead = true;
}

static void pool_program(Program *p)
{
	count_uses(p);
	for (int i = 0; i < p->count; i++) {
		Node *pool = p->nodes[i];
		Node *conv = pool->op->keeps_largest ? pool->in[0]->producer : NULL;
		if (conv && conv->kernel && conv->kernel->pools && conv->fused_count == 0 &&
		    conv->out_count == 1 && pool->in[0]->uses == 1 && apart(pool) &&
		    pool->fused_count + 1 < MAX_FUSED)
			pool_into(conv, pool);
	}
	sweep(p);
	for (int i = 0; i < p->count; i++)
		for (int f = 0; f < p->nodes[i]->fused_count; f++)
			p->nodes[i]->fused[f]->dead = false;
}

/* Whoever else reads t does so only for gradcheck. */
static bool otherwise_input_only(const Program *p, const Tensor *t, const Node *reader)
{
	for (int i = 0; i < p->count; i++)
		for (int k = 0; k < p->nodes[i]->in_count; k++)
			if (p->nodes[i] != reader && p->nodes[i]->in[k] == t &&
			    !p->nodes[i]->input_only)
				return false;
	return true;
}

static void spread_into(Program *p, Node *conv)
{
	Node *spread = conv->in[1]->producer;
	if (!spread || !spread->op->spreads || spread->fused_count || !apart(spread) ||
	    !otherwise_input_only(p, conv->in[1], conv))
		return;
	conv->spread = spread;
	conv->in[1] = spread->in[0];
	conv->in[conv->in_count++] = spread->in[1];
	spread->input_only = true;
	spread->dead = spread->out[0]->uses == 1;
}

void pass_pool(Net *net)
{
	pool_program(&net->train);
	pool_program(&net->infer);
	count_uses(&net->train);
	for (int i = 0; i < net->train.count; i++) {
		Node *n = net->train.nodes[i];
		if (n->kernel && n->kernel->spreads && !n->input_only)
			spread_into(&net->train, n);
	}
	sweep(&net->train);
	input_only_last(&net->train);
}
