/*
 * mse: the mean over rows and columns of (y - onehot(label))^2;
 * mse_grad: dy = 2 (y - onehot(label)) / (n N).
 */
#include "nnc.h"

static const Op op_mse_grad;

static void grad(Net *net, Node *n, Tensor *dout, const bool *wanted, Tensor **din)
{
	(void)dout; /* the loss itself: its adjoint is 1 */
	if (!wanted[0])
		return;
	Tensor *in[] = {n->in[0]};
	din[0] = append(net, &op_mse_grad, n->layer, &n->attr, in, 1, adjoint_id(n->in[0]),
			n->in[0]->shape)->out[0];
}

static double flops(const Net *net, const Node *n)
{
	return 3 * batch_size(net, n->in[0]);
}

static void emit(Emit *e, const Node *n)
{
	const char *size = int_text(shape_size(n->in[0]->shape));
	const char *name = arena_printf("mse_%s", size);
	const Hole holes[] = {{"name", name}, {"N", size}, {NULL, NULL}};
	emit_function(e, name, "mse", holes);
	put(e, "%s(thread, c, batch, %s);", name, ref(n->in[0]));
}

static void emit_grad(Emit *e, const Node *n)
{
	const char *size = int_text(shape_size(n->in[0]->shape));
	const char *name = arena_printf("mse_grad_%s", size);
	const Hole holes[] = {{"name", name}, {"N", size}, {NULL, NULL}};
	emit_function(e, name, "mse_grad", holes);
	put(e, "%s(thread, batch, %s, %s);", name, ref(n->in[0]), ref(n->out[0]));
}

const Op op_mse = {
	.name = "mse",
	.grad = grad,
	.flops = flops,
	.split = split_by_rows,
	.emit = emit,
};

static const Op op_mse_grad = {
	.name = "mse_grad",
	.flops = flops,
	.split = split_by_rows,
	.emit = emit_grad,
};

#ifdef TEMPLATE_mse
/* of each row of y (n,$N$) the loss, the mean of (y - onehot(label))^2, and whether it hits */
static void $name$(const NncThread *thread, NncContext *c, const NncBatch *batch,
		   const real *restrict y)
{
	enum { N = $N$ };
	const NncRange share = nnc_share(thread, batch->rows);

	for (int i = share.first; i < share.end; i++) {
		const real *yi = y + i * N;
		const int label = batch->labels[batch->index[i]];
		int best = 0;
		real sum = 0;
		for (int j = 0; j < N; j++) {
			const real miss = yi[j] - (real)(j == label);
			best = yi[j] > yi[best] ? j : best;
			sum += miss * miss;
		}
		c->row_loss[i] = (double)(sum / N);
		c->row_hit[i] = best == label;
	}
}
#endif

#ifdef TEMPLATE_mse_grad
/* dy (n,$N$) = 2 (y - onehot(label)) / (n $N$) */
static void $name$(const NncThread *thread, const NncBatch *batch, const real *restrict y,
		   real *restrict dy)
{
	enum { N = $N$ };
	const NncRange share = nnc_share(thread, batch->rows);
	const real part = 2 / (real)(batch->rows * N);

	for (int i = share.first; i < share.end; i++) {
		const int label = i * N + batch->labels[batch->index[i]];
		for (int at = i * N; at < (i + 1) * N; at++)
			dy[at] = y[at] * part;
		dy[label] = (y[label] - 1) * part;
	}
}
#endif
