/*
 * cross_entropy: the mean over the rows of -log softmax(x)[label], computed from the
 * logits x with the row's maximum subtracted. Keeps the probabilities, from which
 * cross_entropy_grad makes dx = (softmax(x) - onehot(label)) / n.
 */
#include "nnc.h"

static const Op op_cross_entropy_grad;

static void grad(Net *net, Node *n, Tensor *dout, const bool *wanted, Tensor **din)
{
	(void)dout; /* the loss itself: its adjoint is 1 */
	if (!wanted[0])
		return;
	Tensor *in[] = {n->out[0]};
	din[0] = append(net, &op_cross_entropy_grad, n->layer, &n->attr, in, 1,
			adjoint_id(n->in[0]), n->in[0]->shape)->out[0];
}

static double flops(const Net *net, const Node *n)
{
	return 4 * batch_size(net, n->in[0]);
}

static void emit(Emit *e, const Node *n)
{
	const char *size = int_text(shape_size(n->in[0]->shape));
	const char *name = arena_printf("cross_entropy_%s", size);
	const Hole holes[] = {{"name", name}, {"N", size}, {NULL, NULL}};
	emit_function(e, name, "cross_entropy", holes);
	put(e, "%s(thread, c, batch, %s, %s);", name, ref(n->in[0]), ref(n->out[0]));
}

static void emit_grad(Emit *e, const Node *n)
{
	const char *size = int_text(shape_size(n->in[0]->shape));
	const char *name = arena_printf("cross_entropy_grad_%s", size);
	const Hole holes[] = {{"name", name}, {"N", size}, {NULL, NULL}};
	emit_function(e, name, "cross_entropy_grad", holes);
	put(e, "%s(thread, batch, %s, %s);", name, ref(n->in[0]), ref(n->out[0]));
}

const Op op_cross_entropy = {
	.name = "cross_entropy",
	.grad = grad,
	.flops = flops,
	.split = split_by_rows,
	.emit = emit,
};

static const Op op_cross_entropy_grad = {
	.name = "cross_entropy_grad",
	.flops = flops,
	.split = split_by_rows,
	.emit = emit_grad,
	.in_place = true,
};

#ifdef TEMPLATE_cross_entropy
/* p (n,$N$) = softmax(x); of each row the loss, -log p[label], and whether it hits */
static void $name$(const NncThread *thread, NncContext *c, const NncBatch *batch,
		   const real *restrict x, real *restrict p)
{
	enum { N = $N$ };
	const NncRange share = nnc_share(thread, batch->rows);

	for (int i = share.first; i < share.end; i++) {
		const real *xi = x + i * N;
		real *pi = p + i * N;
		const int label = batch->labels[batch->index[i]];
		int best = 0;
		real sum = 0;
		for (int j = 1; j < N; j++)
			best = xi[j] > xi[best] ? j : best;
		for (int j = 0; j < N; j++)
			pi[j] = nnc_exp(xi[j] - xi[best]);
		for (int j = 0; j < N; j++)
			sum += pi[j];
		for (int j = 0; j < N; j++)
			pi[j] /= sum;
		c->row_loss[i] = (double)(nnc_log(sum) + (xi[best] - xi[label]));
		c->row_hit[i] = best == label;
	}
}
#endif

#ifdef TEMPLATE_cross_entropy_grad
/* dx (n,$N$) = (p - onehot(label)) / n */
static void $name$(const NncThread *thread, const NncBatch *batch, const real *p, real *dx)
{
	enum { N = $N$ };
	const NncRange share = nnc_share(thread, batch->rows);
	const real part = 1 / (real)batch->rows;

	for (int i = share.first; i < share.end; i++) {
		const int label = i * N + batch->labels[batch->index[i]];
		const real miss = p[label] - 1; /* dx may be p */
		for (int at = i * N; at < (i + 1) * N; at++)
			dx[at] = p[at] * part;
		dx[label] = miss * part;
	}
}
#endif
