/*
 * reorder: requires the forward half of train; moves a bias and a rising activation
 * from before a maxpool to behind it, where there are fewer numbers: the largest is the
 * same one before and after. Keeps every value but those in between.
 */
#include "nnc.h"

/* What makes the pool's input, if the pool may be moved before it. */
static Node *movable(Node *pool)
{
	Tensor *x = pool->in[0];
	Node *n = x->producer;
	if (!n || x->uses != 1 || !n->op->rises || !n->op->rises(n))
		return NULL;
	if (n->in[0]->kind != TENSOR_VALUE ||
	    shape_size(pool->out[0]->shape) > shape_size(x->shape))
		return NULL;
	return n;
}

/*
 * x -> n -> pool -> y becomes x -> pool -> n -> y; what was between has y's shape now.
 * Keeps what count_uses() found.
 */
static void exchange(Program *p, Node *n, Node *pool)
{
	Tensor *x = n->in[0], *between = n->out[0], *y = pool->out[0];
	int first = n->index;
	between->shape = y->shape;
	pool->in[0] = x;
	pool->out[0] = n->in[0] = between;
	n->out[0] = y;
	between->producer = pool;
	y->producer = n;
	n->index = pool->index;
	pool->index = first;
	p->nodes[n->index] = n;
	p->nodes[first] = pool;
	n->layer = pool->layer;
	between->reader = n;
	if (x->reader == n)
		x->reader = pool;
}

void pass_reorder(Net *net)
{
	Program *p = &net->train;
	count_uses(p);
	for (int i = 0; i < p->count; i++) {
		Node *pool = p->nodes[i], *n;
		if (!pool->op->keeps_largest)
			continue;
		while ((n = movable(pool)) && n->index == pool->index - 1)
			exchange(p, n, pool);
	}
}
