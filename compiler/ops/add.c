/* add: the sum of two tensors; where a value is used twice, that of its adjoints. */
#include "nnc.h"

static void grad(Net *net, Node *n, Tensor *dout, const bool *wanted, Tensor **din)
{
	(void)net;
	(void)n;
	for (int i = 0; i < 2; i++)
		if (wanted[i])
			din[i] = dout;
}

static double flops(const Net *net, const Node *n)
{
	return batch_size(net, n->in[0]);
}

static const char *element(const Node *n)
{
	(void)n;
	return "v += other[at];";
}

static const char *suffix(const Node *n)
{
	(void)n;
	return "add";
}

const Op op_add = {
	.name = "add",
	.grad = grad,
	.flops = flops,
	.emit = emit_elementwise,
	.halves = elementwise_halves,
	.split = elementwise_split,
	.element = element,
	.operand = "other",
	.suffix = suffix,
	.in_place = true,
};
