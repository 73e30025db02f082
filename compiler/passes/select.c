/*
 * select: requires fuse; gives every node the cheapest kernel that fits it, by the
 * kernels' own estimates for one nominal machine, so that the choice is the same
 * everywhere, or one that --kernel asked for; a node without one runs its op's plain
 * loops.
 */
#include "nnc.h"

/* The op's own loops, as a kernel that always fits. */
static double reference_cost(const Net *net, const Node *n)
{
	double flops = n->op->flops ? n->op->flops(net, n) : 0;
	double rate = n->op->product ? NOMINAL_SCALAR : NOMINAL_ELEMENTWISE;
	return flops / (rate * 1e3) + pool_beside_cost(net, n, NULL);
}

static double kernel_cost(const Net *net, const Node *n, const Kernel *k)
{
	return k->cost(net, n) + pool_beside_cost(net, n, k);
}

static bool is_preferred(const Net *net, const Kernel *k)
{
	for (int i = 0; i < net->preferred_count; i++)
		if (net->preferred[i] == k)
			return true;
	return false;
}

bool has_kernels(const Node *n)
{
	for (int i = 0; kernels[i]; i++)
		if (kernels[i]->op == n->op)
			return true;
	return false;
}

/* Calls visit for each kernel of n's op: with its cost, or the reason why it does not
 * fit. */
void each_kernel(const Net *net, const Node *n,
		 void (*visit)(void *data, const Kernel *k, double cost,
			       const char *reason),
		 void *data)
{
	visit(data, NULL, reference_cost(net, n), NULL);
	for (int i = 0; kernels[i]; i++) {
		const Kernel *k = kernels[i];
		if (k->op != n->op)
			continue;
		const char *reason = k->fits ? k->fits(net, n) : NULL;
		if (!reason && !is_preferred(net, k))
			reason = k->on_request;
		visit(data, k, reason ? 0 : kernel_cost(net, n, k), reason);
	}
}

typedef struct Best {
	const Net *net;
	const Kernel *kernel;
	double cost;
	bool any, preferred;
} Best;

static void consider(void *data, const Kernel *k, double cost, const char *reason)
{
	Best *best = data;
	bool preferred = is_preferred(best->net, k);
	if (reason || preferred < best->preferred)
		return;
	if (best->any && preferred == best->preferred && cost >= best->cost)
		return;
	*best = (Best){best->net, k, cost, true, preferred};
}

static void select_program(Net *net, Program *p)
{
	count_uses(p);
	for (int i = 0; i < p->count; i++) {
		Node *n = p->nodes[i];
		Best best = {.net = net};
		each_kernel(net, n, consider, &best);
		n->kernel = best.kernel;
		n->cost = best.cost;
	}
}

void pass_select(Net *net)
{
	select_program(net, &net->train);
	select_program(net, &net->infer);
}
