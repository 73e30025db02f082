/*
 * dropout: y = x / (1 - rate) where the draw for this place says so, else 0. Its
 * gradient is the same op with the same draws, so nothing is kept in between.
 */
#include <math.h>

#include "nnc.h"

static void grad(Net *net, Node *n, Tensor *dout, const bool *wanted, Tensor **din)
{
	if (!wanted[0])
		return;
	Tensor *in[] = {dout};
	din[0] = append(net, &op_dropout, n->layer, &n->attr, in, 1, adjoint_id(n->in[0]),
			n->in[0]->shape)->out[0];
}

static double flops(const Net *net, const Node *n)
{
	return batch_size(net, n->in[0]);
}

static void emit(Emit *e, const Node *n)
{
	int64_t size = shape_size(n->in[0]->shape);
	double rate = n->attr.rate;
	const char *name = arena_printf("dropout_%s_%lld", identifier_text(rate), (long long)size);
	const Hole holes[] = {
		{"name", name},
		{"K", int_text(size)},
		{"rate", number_text(rate)},
		{"limit", arena_printf("%.0fu", fmin(rate * 4294967296.0, 4294967295.0))},
		{NULL, NULL},
	};
	emit_function(e, name, "dropout", holes);
	put(e, "%s(thread, c, n, NNC_STREAM_LAYER + %d, %s, %s);", name, n->attr.stream, ref(n->in[0]),
	    ref(n->out[0]));
}

static void print_attr(FILE *out, const Node *n)
{
	fprintf(out, " rate %.9g stream %d", n->attr.rate, n->attr.stream);
}

const Op op_dropout = {
	.name = "dropout",
	.grad = grad,
	.flops = flops,
	.emit = emit,
	.training_only = true,
	.in_place = true,
	.print_attr = print_attr,
};

#ifdef TEMPLATE_dropout
/* y (n,$K$): x with a share of $rate$ set to zero, the rest divided by 1 - $rate$ */
static void $name$(const NncThread *thread, const NncContext *c, int n, uint32_t stream,
		   const real *x, real *y)
{
	enum { K = $K$ };
	const uint32_t limit = c->dropout ? $limit$ : 0;
	const real scale = c->dropout ? (real)(1 / (1 - $rate$)) : 1;
	const NncRange share = nnc_share(thread, n);

	for (int i = share.first; i < share.end; i++)
		for (int k = 0; k < K; k += NNC_DRAWS) {
			uint32_t draw[NNC_DRAWS];
			const int count = K - k < NNC_DRAWS ? K - k : NNC_DRAWS;
			nnc_draws(c, stream, i, k, draw);
			NNC_INDEPENDENT
			for (int q = 0; q < count; q++) {
				const real v = x[i * K + k + q] * scale;
				y[i * K + k + q] = draw[q] >= limit ? v : 0;
			}
		}
}
#endif
