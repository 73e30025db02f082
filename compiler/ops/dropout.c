/*
 * dropout: y = x / (1 - rate) where the draw for this place says so, else 0. What x was
 * multiplied by is kept for the gradient, where there is one: drawing again takes longer.
 * x is read in any case: behind a condition, gcc 12 lost the draws (-O3, AVX-512).
 */
#include <math.h>

#include "nnc.h"

static void grad(Net *net, Node *n, Tensor *dout, const bool *wanted, Tensor **din)
{
	if (!wanted[0])
		return;
	const char *id = arena_printf("%s_kept", n->out[0]->id);
	Tensor *in[] = {dout, add_output(net, n, id, n->out[0]->shape, ELEMENT_REAL)};
	din[0] = append(net, &op_dropout_grad, n->layer, NULL, in, 2, adjoint_id(n->in[0]),
			n->in[0]->shape)->out[0];
}

static double flops(const Net *net, const Node *n)
{
	return batch_size(net, n->in[0]);
}

enum { DRAWS = 64 }; /* NNC_DRAWS, which are made at a time: never for both halves */

static const char *halves(const Net *net, const Node *n)
{
	(void)net;
	return shape_size(n->in[0]->shape) % (2 * DRAWS) == 0 ? "c" : "";
}

static void emit(Emit *e, const Node *n)
{
	int64_t size = shape_size(n->in[0]->shape);
	double rate = n->attr.rate;
	bool keeps = n->out_count > 1, halved = n->in[0]->halved;
	const char *name = arena_printf("dropout_%s_%lld%s%s", identifier_text(rate), (long long)size,
					keeps ? "_kept" : "", halved ? "_h" : "");
	const Hole holes[] = {
		{"name", name},
		{"K", int_text(size)},
		{"rate", number_text(rate)},
		{"limit", arena_printf("%.0fu", fmin(rate * 4294967296.0, 4294967295.0))},
		{"kept", keeps ? ", real *restrict kept" : ""},
		{"says", keeps ? "; kept: what each was multiplied by" : ""},
		{"halves", halved ? "; all in halves" : ""},
		{"keep", keeps ? "kept[at] = factor;" : ""},
		{"shares", halved ? "2 * n" : "n"},
		{"rows", halved ? "for (int r = share.first; r < share.end; r++)\n"
				  "\tfor (int k = r / n * (K / 2); k < (r / n + 1) * (K / 2); k += NNC_DRAWS) {\n"
				  "\t\tconst int i = r % n;"
				: "for (int i = share.first; i < share.end; i++)\n"
				  "\tfor (int k = 0; k < K; k += NNC_DRAWS) {"},
		{"at", halved ? arena_printf("nnc_halved(%lld, K, i, k) + q",
					     (long long)e->net->training.batch) : "i * K + k + q"},
		{NULL, NULL},
	};
	emit_function(e, name, "dropout", holes);
	put(e, "%s(thread, c, n, NNC_STREAM_LAYER + %d, %s, %s%s);", name, n->attr.stream,
	    ref(n->in[0]), ref(n->out[0]), keeps ? arena_printf(", %s", ref(n->out[1])) : "");
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
	.halves = halves,
	.split = elementwise_split,
	.training_only = true,
	.in_place = true,
	.print_attr = print_attr,
};

static const char *grad_element(const Node *n)
{
	(void)n;
	return "v *= kept[at];";
}

static const char *grad_suffix(const Node *n)
{
	(void)n;
	return "dropout_grad";
}

const Op op_dropout_grad = {
	.name = "dropout_grad",
	.flops = flops,
	.emit = emit_elementwise,
	.halves = elementwise_halves,
	.split = elementwise_split,
	.element = grad_element,
	.operand = "kept",
	.suffix = grad_suffix,
	.in_place = true,
};

#ifdef TEMPLATE_dropout
/* y (n,$K$): x with a share of $rate$ set to zero, the rest divided by 1 - $rate$$says$$halves$ */
static void $name$(const NncThread *thread, const NncContext *c, int n, uint32_t stream,
		   const real *x, real *y$kept$)
{
	enum { K = $K$ };
	const uint32_t limit = c->dropout ? $limit$ : 0;
	const real scale = c->dropout ? (real)(1 / (1 - $rate$)) : 1;
	const NncRange share = nnc_share(thread, $shares$);

	$rows$
			uint32_t draw[NNC_DRAWS];
			const int count = K - k < NNC_DRAWS ? K - k : NNC_DRAWS;
			nnc_draws(c, stream, i, k, draw);
			NNC_INDEPENDENT
			for (int q = 0; q < count; q++) {
				const int at = $at$;
				const real factor = draw[q] >= limit ? scale : 0;
				y[at] = factor * x[at];
				$keep$
			}
		}
}
#endif
