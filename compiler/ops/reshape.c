/* reshape: the same numbers in another shape; no code. */
#include "nnc.h"

static void grad(Net *net, Node *n, Tensor *dout, const bool *wanted, Tensor **din)
{
	if (!wanted[0])
		return;
	Tensor *in[] = {dout};
	din[0] = append(net, &op_reshape, n->layer, NULL, in, 1, adjoint_id(n->in[0]),
			n->in[0]->shape)
			 ->out[0];
	din[0]->alias = dout;
}

static void emit(Emit *e, const Node *n)
{
	(void)e;
	(void)n;
}

const Op op_reshape = {
	.name = "reshape",
	.grad = grad,
	.emit = emit,
	.reshape = true,
};
