/*
 * select: requires fuse; gives every node the cheapest kernel that fits it, by the
 * kernels' own estimates for one nominal machine, so that the choice is the same
 * everywhere, or one that --kernel asked for; a node without one runs its op's plain
 * loops. Kernels that are lowered share what they are made of with others that read the
 * same values, so the nodes of a layer that may have such are chosen for together.
 */
#include <math.h>

#include "nnc.h"

/* Nodes of a layer that are chosen for together; their sets are tried one by one. */
#define MAX_TOGETHER 4

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

bool is_preferred(const Net *net, const Kernel *k)
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

/* Which kernels are looked at. */
typedef enum Kind {
	KIND_ANY,
	KIND_ALONE, /* that are not lowered, plain loops among them */
	KIND_LOWERED,
} Kind;

typedef struct Best {
	const Net *net;
	Kind kind;
	const Kernel *kernel;
	double cost;
	bool any, preferred;
} Best;

static void consider(void *data, const Kernel *k, double cost, const char *reason)
{
	Best *best = data;
	bool preferred = is_preferred(best->net, k);
	Kind kind = k && k->lower ? KIND_LOWERED : KIND_ALONE;
	if (reason || preferred < best->preferred)
		return;
	if (best->kind != KIND_ANY && best->kind != kind)
		return;
	if (best->any && preferred == best->preferred && cost >= best->cost)
		return;
	*best = (Best){best->net, best->kind, k, cost, true, preferred};
}

static Best best_of(const Net *net, const Node *n, Kind kind)
{
	Best best = {.net = net, .kind = kind};
	each_kernel(net, n, consider, &best);
	return best;
}

/* Microseconds, or infinity: there is none of this kind. */
static double take(const Net *net, Node *n, Kind kind)
{
	Best best = best_of(net, n, kind);
	n->kernel = best.kernel;
	n->cost = best.cost;
	return best.any ? best.cost : (double)INFINITY;
}

/* Nodes, in their order, each of its kind in a set of those that are lowered. */
static double take_set(const Net *net, Node **nodes, int count, unsigned set)
{
	double cost = 0;
	for (int i = 0; i < count; i++)
		nodes[i]->kernel = NULL;
	for (int i = 0; i < count; i++)
		cost += take(net, nodes[i], set >> i & 1 ? KIND_LOWERED : KIND_ALONE);
	return cost;
}

static void take_together(const Net *net, Node **nodes, int count)
{
	double least = INFINITY;
	unsigned best = 0;
	for (unsigned set = 0; set < 1u << count; set++) {
		double cost = take_set(net, nodes, count, set);
		if (cost < least) {
			least = cost;
			best = set;
		}
	}
	take_set(net, nodes, count, best);
}

/* Is there a choice whether n's kernel is lowered? */
static bool may_share(const Net *net, const Node *n)
{
	return has_kernels(n) && !is_preferred(net, n->kernel) &&
	       best_of(net, n, KIND_LOWERED).any;
}

/* From node i on, those of its layer that may share, i among them. */
static int layer_of(const Net *net, const Program *p, int i, Node **nodes)
{
	int count = 0;
	for (const NetLayer *l = p->nodes[i]->layer; i < p->count; i++)
		if (count < MAX_TOGETHER && p->nodes[i]->layer == l &&
		    may_share(net, p->nodes[i]))
			nodes[count++] = p->nodes[i];
	return count;
}

static void select_program(const Net *net, Program *p)
{
	Node *nodes[MAX_TOGETHER];
	count_uses(p);
	for (int i = 0; i < p->count; i++)
		take(net, p->nodes[i], KIND_ANY);
	for (int i = 0; i < p->count; i++)
		if (may_share(net, p->nodes[i]))
			take_together(net, nodes, layer_of(net, p, i, nodes));
}

void pass_select(Net *net)
{
	select_program(net, &net->train);
	select_program(net, &net->infer);
}
