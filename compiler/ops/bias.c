/* bias: y = x + b, b one number a column (channel); bias_grad: db = the sum of dy's rows. */
#include "nnc.h"

static void grad(Net *net, Node *n, Tensor *dout, const bool *wanted, Tensor **din)
{
	if (wanted[1]) {
		Tensor *in[] = {dout};
		din[1] = param_grad(n->in[1]);
		append_into(net, &op_bias_grad, n->layer, NULL, in, 1, din[1]);
	}
	if (wanted[0])
		din[0] = dout;
}

static double flops(const Net *net, const Node *n)
{
	return batch_size(net, n->in[0]);
}

static const char *element(const Node *n)
{
	(void)n;
	return "v += bias[j];";
}

static const char *suffix(const Node *n)
{
	(void)n;
	return "bias";
}

const Op op_bias = {
	.name = "bias",
	.grad = grad,
	.flops = flops,
	.emit = emit_elementwise,
	.element = element,
	.operand = "bias",
	.suffix = suffix,
	.in_place = true,
};

static void emit_grad(Emit *e, const Node *n)
{
	const Tensor *dy = n->in[0];
	int64_t N = columns(dy->shape), rows = shape_size(dy->shape) / N;
	const char *name = arena_printf("column_sums_%lldx%lld",
					(long long)(rows * e->net->training.batch), (long long)N);
	const Hole holes[] = {
		{"name", name}, {"N", int_text(N)}, {"rows", times_text("n", rows)}, {NULL, NULL},
	};
	emit_function(e, name, "column_sums", holes);
	put(e, "%s(n, %s, %s);", name, ref(dy), ref(n->out[0]));
}

const Op op_bias_grad = {
	.name = "bias_grad",
	.flops = flops,
	.emit = emit_grad,
};

#ifdef TEMPLATE_column_sums
/* db ($N$) = the sum of the rows of dy ($rows$,$N$) */
static void $name$(int n, const real *restrict dy, real *restrict db)
{
	enum { N = $N$ };

	for (int j = 0; j < N; j++)
		db[j] = 0;
	for (int i = 0; i < $rows$; i++)
		for (int j = 0; j < N; j++)
			db[j] += dy[i * N + j];
}
#endif
