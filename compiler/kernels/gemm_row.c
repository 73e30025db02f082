/*
 * gemm_row: the products of one sample. They read, or change, all of a weight for little
 * arithmetic, so what counts is how much of it: where the sample is 0, as many pixels are
 * and what relu leaves, a row of w adds nothing to y, and has no gradient.
 */
#include "nnc.h"

static bool is_dw(const Gemm *g)
{
	return g->ta;
}

static const char *fits(const Net *net, const Node *n)
{
	Gemm g = gemm_of(net, n);
	if (g.tb)
		return "b is transposed";
	if ((is_dw(&g) ? g.k : g.m) != 1)
		return "it is for batches of one sample";
	const Training *t = &net->training;
	if (is_dw(&g) && !(t->optimizer->rests && t->optimizer->rests(&t->optimizer_args)))
		return "the optimizer moves weights whose gradient is 0, too";
	return NULL;
}

/* Half of b, or of c, is taken to be spared. */
static double cost(const Net *net, const Node *n)
{
	Gemm g = gemm_of(net, n);
	return 0.05 + 0.6 * tile_cost(g);
}

/* Which numbers of the sample are not 0. */
static int64_t scratch(const Net *net, const Node *n)
{
	Gemm g = gemm_of(net, n);
	return is_dw(&g) ? g.m : g.k;
}

/* Is the gradient only kept where asked for, its step being taken here? */
static bool steps(const Node *n)
{
	for (int i = 0; i < n->fused_count; i++)
		if (n->fused[i]->op->consumes)
			return true;
	return false;
}

static void emit(Emit *e, const Node *n)
{
	Gemm g = gemm_of(e->net, n);
	const char *name = gemm_name(&g, "_row");
	const Hole extra[] = {{"all", steps(n) ? "keep" : "true"}, {NULL, NULL}};
	const Hole *holes = gemm_holes(&g, name, extra);
	if (!is_dw(&g))
		emit_function(e, arena_printf("%s_block", name), "gemm_row_block", holes);
	emit_function(e, name, is_dw(&g) ? "gemm_row_dw" : "gemm_row", holes);
	call_gemm(e, n, name);
}

const Kernel kernel_gemm_row = {
	.name = "gemm_row",
	.summary = "one sample, of which zeros are passed over",
	.op = &op_gemm,
	.fits = fits,
	.cost = cost,
	.updates = true,
	.scratch = scratch,
	.emit = emit,
};

#ifdef TEMPLATE_gemm_row_block
/* cols numbers of c, from j0 on: `count` terms */
static NNC_INLINE void $name$_block(int cols, int j0, int count, const int *restrict terms,
		const real *restrict a, const real *restrict b, real *restrict c$params$)
{
	enum { N = $N$, L = NNC_LANES };
	const int vecs = NNC_VECTORS(cols);
	nnc_vec s[NNC_TILE_MAX];
	const real *sums = (const real *)s;

	NNC_UNROLL
	for (int q = 0; q < vecs; q++)
		s[q] = (nnc_vec){0};
	for (int i = 0; i < count; i++) {
		const real x = a[terms[i]], *row = b + terms[i] * N + j0;
		NNC_UNROLL
		for (int q = 0; q < vecs; q++)
			s[q] += x * nnc_load(row + q * L, q < vecs - 1 ? L : cols - q * L);
	}
	NNC_INDEPENDENT
	for (int q = 0; q < cols; q++) {
		const int j = j0 + q, at = j;
		real v = sums[q];
		$epilogue$
		c[at] = v;
	}
}
#endif

#ifdef TEMPLATE_gemm_row
/* $formula$, n being 1: the terms of which a is not 0 */
static void $name$(const NncThread *thread, int n, const real *restrict a,
		   const real *restrict b, real *restrict c$params$)
{
	enum { N = $N$, K = $K$, COLS = NNC_COLS(N, 4), REST = N % COLS };
	const NncRange share = nnc_share(thread, (N + COLS - 1) / COLS);
	int *terms = thread->scratch;
	const int count = nnc_nonzeros(0, K, false, a, terms);

	(void)n;
	for (int k = share.first; k < share.end; k++)
		if (REST > 0 && k == N / COLS)
			$name$_block(REST, k * COLS, count, terms, a, b, c$names$);
		else
			$name$_block(COLS, k * COLS, count, terms, a, b, c$names$);
}
#endif

#ifdef TEMPLATE_gemm_row_dw
/* $formula$, n being 1: the rows of which a is not 0, the others stay as they are */
static void $name$(const NncThread *thread, int n, const real *restrict a,
		   const real *restrict b, real *restrict c$params$)
{
	enum { M = $M$, N = $N$ };
	const NncRange share = nnc_share(thread, M);
	int *rows = thread->scratch;
	const int count = nnc_nonzeros(share.first, share.end, $all$, a, rows);

	(void)n;
	for (int k = 0; k < count; k++) {
		const int i = rows[k];
		NNC_INDEPENDENT
		for (int j = 0; j < N; j++) {
			const int at = i * N + j;
			real v = a[i] * b[j];
			$epilogue$
			$store$
		}
	}
}
#endif
