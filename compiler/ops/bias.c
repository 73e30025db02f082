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

/* By the same in all places of a channel. */
static bool rises(const Node *n)
{
	(void)n;
	return true;
}

const Op op_bias = {
	.name = "bias",
	.grad = grad,
	.flops = flops,
	.emit = emit_elementwise,
	.halves = elementwise_halves,
	.split = elementwise_split,
	.element = element,
	.operand = "bias",
	.suffix = suffix,
	.in_place = true,
	.rises = rises,
};

static const char *halves(const Net *net, const Node *n)
{
	(void)net;
	(void)n;
	return "a";
}

enum { TWO_TILES = 64 }; /* columns: its multiples are an even number of tiles on any CPU */

static Split split(const Net *net, const Node *n, char operand)
{
	const Shape *dy = &n->in[0]->shape;
	(void)net;
	bool even = dy->rank == 1 && dy->dim[0] % TWO_TILES == 0;
	return operand == 'a' && even ? SPLIT_HALVES : SPLIT_ANY;
}

static void emit_grad(Emit *e, const Node *n)
{
	const Tensor *dy = n->in[0];
	int64_t N = columns(dy->shape), rows = shape_size(dy->shape) / N;
	const char *name =
		arena_printf("column_sums_%lldx%lld%s%s",
			     (long long)(rows * e->net->training.batch), (long long)N,
			     suffixes(n), dy->halved ? "_ha" : "");
	const Hole holes[] = {
		{"name", name},
		{"N", int_text(N)},
		{"rows", times_text("n", rows)},
		{"then", arena_printf("%s%s", then_text(n), dy->halved ? "; dy in halves" : "")},
		{"columns", dy->halved ? arena_printf("nnc_halved(%lld, N, 0, j0)",
						       (long long)e->net->training.batch) : "j0"},
		{"stride", dy->halved ? "N / 2" : "N"},
		{"params", epilogue_params(n)},
		{"epilogue", epilogue_text(n)},
		{"store", store_text(n, "db[at]")},
		{NULL, NULL},
	};
	use_tile(e);
	emit_function(e, name, "column_sums", holes);
	put(e, "%s(thread, n, %s, %s%s);", name, ref(dy), ref(n->out[0]), epilogue_args(n));
}

const Op op_bias_grad = {
	.name = "bias_grad",
	.flops = flops,
	.emit = emit_grad,
	.halves = halves,
	.split = split,
	.updates = true,
};

#ifdef TEMPLATE_column_sums
/* db ($N$) = the sum of the rows of dy ($rows$,$N$)$then$ */
static void $name$(const NncThread *thread, int n, const real *restrict dy,
		   real *restrict db$params$)
{
	enum { N = $N$, L = NNC_LANES, COLS = NNC_COLS(N, 2) };
	const NncRange share = nnc_share(thread, (N + COLS - 1) / COLS);
	const real one = 1;

	for (int j0 = share.first * COLS; j0 < share.end * COLS; j0 += COLS) {
		const int cols = N % COLS == 0 || N - j0 > COLS ? COLS : N - j0;
		const int vecs = NNC_VECTORS(cols);
		nnc_vec s[NNC_TILE_MAX];
		const real *sums = (const real *)s;
		tile(1, vecs, cols - (vecs - 1) * L, 1, $rows$, &one, 1, 0, 0, 0, 0, dy + $columns$, $stride$, 0, s);
		NNC_INDEPENDENT
		for (int q = 0; q < cols; q++) {
			const int at = j0 + q;
			real v = sums[q];
			$epilogue$
			$store$
		}
	}
}
#endif
