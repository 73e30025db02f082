/*
 * softmax: y_j = e^x_j / sum_k e^x_k over the columns, the row's maximum subtracted
 * first; softmax_grad: dx = y (dy - sum_k dy_k y_k).
 */
#include "nnc.h"

static void grad(Net *net, Node *n, Tensor *dout, const bool *wanted, Tensor **din)
{
	if (!wanted[0])
		return;
	Tensor *in[] = {dout, n->out[0]};
	din[0] = append(net, &op_softmax_grad, n->layer, NULL, in, 2, adjoint_id(n->in[0]),
			n->in[0]->shape)->out[0];
}

static double flops(const Net *net, const Node *n)
{
	return 4 * batch_size(net, n->in[0]);
}

static Split split(const Net *net, const Node *n, char operand)
{
	(void)net;
	(void)operand;
	return n->in[0]->shape.rank == 1 ? SPLIT_ROWS : SPLIT_ANY;
}

/* Both functions go over rows of N columns. */
static void emit_rows(Emit *e, const Node *n, const char *template)
{
	Shape shape = n->in[0]->shape;
	int64_t N = columns(shape), rows = shape_size(shape) / N;
	const char *name = arena_printf("%s_%s", template, shape_name(shape));
	const Hole holes[] = {
		{"name", name}, {"N", int_text(N)}, {"rows", times_text("n", rows)}, {NULL, NULL},
	};
	emit_function(e, name, template, holes);
	const char *second = n->in_count > 1 ? arena_printf("%s, ", ref(n->in[1])) : "";
	put(e, "%s(thread, n, %s, %s%s);", name, ref(n->in[0]), second, ref(n->out[0]));
}

static void emit(Emit *e, const Node *n)
{
	emit_rows(e, n, "softmax");
}

static void emit_grad(Emit *e, const Node *n)
{
	emit_rows(e, n, "softmax_grad");
}

const Op op_softmax = {
	.name = "softmax",
	.grad = grad,
	.flops = flops,
	.split = split,
	.emit = emit,
	.in_place = true,
};

const Op op_softmax_grad = {
	.name = "softmax_grad",
	.flops = flops,
	.split = split,
	.emit = emit_grad,
	.in_place = true,
};

#ifdef TEMPLATE_softmax
/* y ($rows$,$N$): each row of x as probabilities */
static void $name$(const NncThread *thread, int n, const real *x, real *y)
{
	enum { N = $N$ };
	const NncRange share = nnc_share(thread, $rows$);

	for (int i = share.first; i < share.end; i++) {
		const real *xi = x + i * N;
		real *yi = y + i * N;
		real top = xi[0], sum = 0;
		for (int j = 1; j < N; j++)
			top = xi[j] > top ? xi[j] : top;
		for (int j = 0; j < N; j++)
			yi[j] = nnc_exp(xi[j] - top);
		for (int j = 0; j < N; j++)
			sum += yi[j];
		for (int j = 0; j < N; j++)
			yi[j] /= sum;
	}
}
#endif

#ifdef TEMPLATE_softmax_grad
/* dx ($rows$,$N$) = y (dy - the row's sum of dy y) */
static void $name$(const NncThread *thread, int n, const real *dy, const real *y, real *dx)
{
	enum { N = $N$ };
	const NncRange share = nnc_share(thread, $rows$);

	for (int i = share.first; i < share.end; i++) {
		real dot = 0;
		for (int j = 0; j < N; j++)
			dot += dy[i * N + j] * y[i * N + j];
		for (int j = 0; j < N; j++)
			dx[i * N + j] = y[i * N + j] * (dy[i * N + j] - dot);
	}
}
#endif
