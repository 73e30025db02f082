/*
 * pool: requires select; moves a maxpool into the convolution before it, and its
 * gradient into the one that reads it, where their kernels can: then the convolution's
 * output, several times the size of the pool's, is never in memory as a whole.
 */
#include "nnc.h"

/* Windows that share no line, so that each line is made once. */
static bool apart(const Node *pool)
{
	return pool->attr.stride[0] >= pool->attr.kernel[0];
}

/* ---- what select should know ---------------------------------------------------- */

/* Before this pass and after it. */
const Node *pool_behind(const Node *n)
{
	if (n->fused_count && n->fused[0]->op->keeps_largest)
		return n->fused[0];
	const Tensor *t = n->out_count ? n->out[0] : NULL;
	const Node *reader = t && t->uses == 1 ? t->reader : NULL;
	return reader && reader->op->keeps_largest && apart(reader) ? reader : NULL;
}

const Node *spread_before(const Node *n)
{
	if (n->spread || n->in_count <= n->op->adjoint_in)
		return n->spread;
	const Node *maker = n->in[n->op->adjoint_in]->producer;
	return maker && maker->op->spreads && apart(maker) ? maker : NULL;
}

/* Each number is written and read; what the second cache holds, four times as fast. */
static double traffic_cost(const Net *net, const Tensor *t)
{
	double bytes = 8.0 * (double)net->training.batch * (double)shape_size(t->shape);
	return bytes / ((bytes > 4e6 ? 1 : 4) * NOMINAL_GBYTES * 1e3);
}

double pool_beside_cost(const Net *net, const Node *n, const Kernel *k)
{
	const Node *pool = pool_behind(n), *spread = spread_before(n);
	double cost = 0;
	if (pool && !(k && k->pools))
		cost += traffic_cost(net, pool->in[0]);
	if (spread && !(k && k->spreads))
		cost += traffic_cost(net, spread->out[0]);
	return cost;
}

/* ---- the pass ------------------------------------------------------------------- */

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
		if (conv && conv->kernel && conv->kernel->pools &&
		    conv->fused_count == 0 && conv->out_count == 1 &&
		    pool->in[0]->uses == 1 && apart(pool) &&
		    pool->fused_count + 1 < MAX_FUSED)
			pool_into(conv, pool);
	}
	sweep(p);
	for (int i = 0; i < p->count; i++)
		for (int f = 0; f < p->nodes[i]->fused_count; f++)
			p->nodes[i]->fused[f]->dead = false;
}

/* Can all that read t, but for gradcheck, begin with what makes it? */
static bool all_spread(const Program *p, const Tensor *t)
{
	for (int i = 0; i < p->count; i++) {
		const Node *n = p->nodes[i];
		for (int k = 0; k < n->in_count; k++)
			if (n->in[k] == t && !n->input_only &&
			    !(n->kernel && n->kernel->spreads &&
			      k == n->op->adjoint_in))
				return false;
	}
	return true;
}

/* It stays where gradcheck needs what it makes. */
static void spread_into_readers(Program *p, Node *spread)
{
	Tensor *t = spread->out[0];
	if (spread->input_only || !apart(spread) || spread->fused_count ||
	    !all_spread(p, t))
		return;
	spread->dead = true;
	for (int i = 0; i < p->count; i++) {
		Node *n = p->nodes[i];
		int k = n->op->adjoint_in;
		if (n->in_count <= k || n->in[k] != t)
			continue;
		if (n->input_only) {
			spread->dead = false;
			continue;
		}
		n->spread = spread;
		n->in[k] = spread->in[0];
		n->in[n->in_count++] = spread->in[1];
	}
	spread->input_only = true;
}

void pass_pool(Net *net)
{
	pool_program(&net->train);
	pool_program(&net->infer);
	for (int i = 0; i < net->train.count; i++)
		if (net->train.nodes[i]->op->spreads)
			spread_into_readers(&net->train, net->train.nodes[i]);
	sweep(&net->train);
	input_only_last(&net->train);
}
