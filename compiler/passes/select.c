/*
 * select: requires fuse; gives every node the cheapest kernel that fits it, by the
 * kernels' own estimates for one nominal machine, so that the choice is the same
 * everywhere, or one that --kernel asked for; a node without one runs its op's plain
 * loops. Kernels that are lowered share what they are made of with others that read the
 * same values, so the nodes of a layer that may have such are chosen for together.
 */
#include <math.h>

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

/* Which kernels are looked at. */
typedef enum Kind {
	KIND_ANY,
	KIND_ALONE, /* that are not lowered, plain loops among them */
	KIND_LOWERED,
} Kind;

/* As each_kernel, for those of a kind. */
static void each_of(const Net *net, const Node *n, Kind kind,
		    void (*visit)(void *data, const Kernel *k, double cost,
				  const char *reason),
		    void *data)
{
	if (kind != KIND_LOWERED)
		visit(data, NULL, reference_cost(net, n), NULL);
	for (int i = 0; kernels[i]; i++) {
		const Kernel *k = kernels[i];
		if (k->op != n->op ||
		    (kind != KIND_ANY && (k->lower != NULL) != (kind == KIND_LOWERED)))
			continue;
		const char *reason = k->fits ? k->fits(net, n) : NULL;
		if (!reason && !is_preferred(net, k))
			reason = k->on_request;
		visit(data, k, reason ? 0 : kernel_cost(net, n, k), reason);
	}
}

/* Calls visit for each kernel of n's op: with its cost, or the reason why it does not
 * fit. */
void each_kernel(const Net *net, const Node *n,
		 void (*visit)(void *data, const Kernel *k, double cost,
			       const char *reason),
		 void *data)
{
	each_of(net, n, KIND_ANY, visit, data);
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

static Best best_of(const Net *net, const Node *n, Kind kind)
{
	Best best = {.net = net, .cost = INFINITY};
	each_of(net, n, kind, consider, &best);
	return best;
}

/* Microseconds; infinity: there was none. */
static double take(Node *n, Best best)
{
	n->kernel = best.kernel;
	n->cost = best.cost;
	return n->cost;
}

/* Nodes of a layer, in order, that are chosen for together: conv, its dx and dw. */
typedef struct Together {
	Node *nodes[3];
	Best alone[3]; /* of the kernels that are not lowered */
	int count;
} Together;

static void add_together(const Net *net, Together *t, Node *n)
{
	if (t->count == (int)(sizeof t->nodes / sizeof *t->nodes))
		return;
	t->alone[t->count] = best_of(net, n, KIND_ALONE);
	t->nodes[t->count++] = n;
}

/* Each of its kind: those in the set are lowered. Microseconds. */
static double take_set(const Net *net, const Together *t, unsigned set)
{
	double cost = 0;
	for (int i = 0; i < t->count; i++)
		t->nodes[i]->kernel = NULL;
	for (int i = 0; i < t->count; i++)
		cost += take(t->nodes[i],
			     set >> i & 1 ? best_of(net, t->nodes[i], KIND_LOWERED)
					  : t->alone[i]);
	return cost;
}

/* Tries all sets of them. */
static void take_together(const Net *net, const Together *t)
{
	double least = INFINITY;
	unsigned best = 0;
	for (unsigned set = 0; set < 1u << t->count; set++) {
		double cost = take_set(net, t, set);
		if (cost < least) {
			least = cost;
			best = set;
		}
	}
	take_set(net, t, best);
}

/* Is there a choice whether n's kernel is lowered? */
static bool may_share(const Net *net, const Node *n)
{
	return has_kernels(n) && !is_preferred(net, n->kernel) &&
	       best_of(net, n, KIND_LOWERED).any;
}

static void select_program(const Net *net, Program *p)
{
	size_t count = (size_t)net->layer_count;
	Together *together = arena_alloc(count * sizeof *together);
	count_uses(p);
	for (int i = 0; i < p->count; i++)
		take(p->nodes[i], best_of(net, p->nodes[i], KIND_ANY));
	for (int i = 0; i < p->count; i++)
		if (p->nodes[i]->layer && may_share(net, p->nodes[i]))
			add_together(net, &together[p->nodes[i]->layer->index],
				     p->nodes[i]);
	for (size_t l = 0; l < count; l++)
		if (together[l].count > 1)
			take_together(net, &together[l]);
}

void pass_select(Net *net)
{
	select_program(net, &net->train);
	select_program(net, &net->infer);
}
