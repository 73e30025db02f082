/*
 * gemm_row: the products of one sample. They read, or change, all of a weight for little
 * arithmetic, so what counts is how much of it: where the sample is 0, as many pixels are
 * and what relu leaves, a row of w adds nothing to y, and has no gradient. Terms are summed in
 * two halves, as in gemm_halves: a thread so reads of w what it will change.
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

/* The sums of half of the terms. */
static int64_t workspace(const Net *net, const Node *n)
{
	Gemm g = gemm_of(net, n);
	return is_dw(&g) ? 0 : g.n;
}

enum {
	FEW = 16,         /* columns: one block of 8 vectors has them on any CPU */
	TWO_BLOCKS = 128, /* its multiples are an even number of blocks of 4 vectors */
};

static bool has_one_block(const Gemm *g)
{
	return g->n <= FEW;
}

/* The last of the threads ends the one block, and has the one row. */
static Split split(const Net *net, const Node *n, char operand)
{
	Gemm g = gemm_of(net, n);
	if (operand == 'a')
		return SPLIT_HALVES;
	if (operand == 'b' || is_dw(&g))
		return SPLIT_ANY;
	return has_one_block(&g) ? SPLIT_ROWS : g.n % TWO_BLOCKS ? SPLIT_ANY : SPLIT_HALVES;
}

static void emit(Emit *e, const Node *n)
{
	Gemm g = gemm_of(e->net, n);
	const char *name = gemm_name(&g, "_row");
	const Hole extra[] = {{"all", steps(n) ? "keep" : "true"},
			      {"vecs", has_one_block(&g) ? "8" : "4"},
			      {NULL, NULL}};
	const Hole *holes = gemm_holes(&g, name, extra);
	if (is_dw(&g)) {
		emit_function(e, name, "gemm_row_dw", holes);
		call_gemm(e, n, name);
		return;
	}
	emit_function(e, arena_printf("%s_block", name), "gemm_row_block", holes);
	emit_function(e, arena_printf("%s_sums", name), "gemm_row_sums", holes);
	emit_function(e, name, "gemm_row", holes);
	put(e, "%s(thread, n, %s, %s, %s, %s%s);", name, ref(n->in[0]), ref(n->in[1]),
	    ref(result(n)), ref(n->workspace), epilogue_args(n));
}

const Kernel kernel_gemm_row = {
	.name = "gemm_row",
	.summary = "one sample, of which zeros are passed over",
	.op = &op_gemm,
	.fits = fits,
	.cost = cost,
	.updates = true,
	.scratch = scratch,
	.workspace = workspace,
	.meets = true,
	.split = split,
	.emit = emit,
};

#ifdef TEMPLATE_gemm_row_block
/* cols sums of `count` terms, from j0 on: to p or, if that `ends` them, with p's to c */
static NNC_INLINE void $name$_block(int cols, int count, bool ends, int j0, const int *restrict terms,
		const real *restrict a, const real *restrict b, real *restrict c, real *restrict p$params$)
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
		if (ends) {
			v += p[at];
			$epilogue$
			c[at] = v;
		} else {
			p[at] = v;
		}
	}
}
#endif

#ifdef TEMPLATE_gemm_row_sums
/* Blocks first to end - 1 of `count` terms: to p or, if that `ends` them, to c */
static void $name$_sums(int count, const int *restrict terms, int first, int end, bool ends,
		const real *restrict a, const real *restrict b, real *restrict c, real *restrict p$params$)
{
	enum { N = $N$, COLS = NNC_COLS(N, $vecs$), REST = N % COLS };

	for (int k = first; k < end; k++)
		if (REST > 0 && k == N / COLS)
			$name$_block(REST, count, ends, k * COLS, terms, a, b, c, p$names$);
		else
			$name$_block(COLS, count, ends, k * COLS, terms, a, b, c, p$names$);
}
#endif

#ifdef TEMPLATE_gemm_row
/* $formula$, n being 1: the terms of which a is not 0; p ($N$): by sums of half of them */
static void $name$(const NncThread *thread, int n, const real *restrict a,
		   const real *restrict b, real *restrict c, real *restrict p$params$)
{
	enum { N = $N$, K = $K$, COLS = NNC_COLS(N, $vecs$), BLOCKS = (N + COLS - 1) / COLS };
	enum { LEFT = BLOCKS / 2, RIGHT = BLOCKS - LEFT };
	const NncRange share = nnc_share(thread, 2 * RIGHT);
	const NncRange one = {share.first, share.end < RIGHT ? share.end : RIGHT};
	const NncRange two = {share.first > RIGHT ? share.first - RIGHT : 0, share.end - RIGHT};
	int *low = thread->scratch, *high = low + K / 2;
	const int lows = one.first < one.end ? nnc_nonzeros(0, K / 2, false, a, low) : 0;
	const int highs = two.first < two.end ? nnc_nonzeros(K / 2, K, false, a, high) : 0;

	(void)n;
	/* of two threads each has one half of the terms: first for the blocks that the other ends */
	$name$_sums(lows, low, LEFT + one.first, LEFT + one.end, false, a, b, c, p$names$);
	$name$_sums(highs, high, two.first, two.end < LEFT ? two.end : LEFT, false, a, b, c, p$names$);
	nnc_barrier(thread);
	$name$_sums(lows, low, one.first, one.end < LEFT ? one.end : LEFT, true, a, b, c, p$names$);
	$name$_sums(highs, high, LEFT + two.first, LEFT + two.end, true, a, b, c, p$names$);
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
