/*
 * gemm_dw_sparse: dw = x^T dy, of an x of which much is 0, as pixels are and what relu leaves.
 * A row of dw stays in registers while the rows of dy that it is a sum of are added, those
 * of the samples where x is 0 passed over. Meanwhile the weights of the row before change,
 * so that neither waits for the other. How much is 0 is counted in each batch, and where
 * that is little, tiles are made. A term of zero changes no sum, as long as dy is finite,
 * so both have the same.
 */
#include "nnc.h"

enum {
	MOST_TERMS = 64, /* bits of a word that tells which are not 0, */
	WORD = 32,       /* or of a smaller one */
	GROUP = 8,       /* rows of dw that are one thread's: of one half, as those of tiles are */
	WIDE = 64,       /* columns, and */
	ENOUGH = 16,     /* terms, with which it pays to pass over half of them */
};

static const char *fits(const Net *net, const Node *n)
{
	Gemm g = gemm_of(net, n);
	if (!g.ta)
		return "it is for sums over samples";
	if (g.k > MOST_TERMS)
		return "it is for batches of at most 64 samples";
	return NULL;
}

/* As in gemm_sparse half of a is taken to be 0, whatever makes it. */
static double cost(const Net *net, const Node *n)
{
	Gemm g = gemm_of(net, n);
	return (g.n < WIDE || g.k < ENOUGH ? 1.2 : 0.75) * tile_cost(g);
}

static int64_t scratch(const Net *net, const Node *n)
{
	Gemm g = gemm_of(net, n);
	return g.k > WORD ? 2 * g.m : g.m;
}

/* Has the weights of the same columns four rows on come meanwhile, if they come from far. */
static const char *ahead_text(Emit *e, const Gemm *g)
{
	const char *fetch = fetch_text(e, g->node);
	return !*fetch ? "" : arena_printf("if (i + 4 < M) {\n"
					   "\tconst int at = (i + 4) * N + from;\n"
					   "\t%s\n"
					   "}", fetch);
}

/* Weights that are moved by a vector, where all of it are there. */
static const char *whole_text(Emit *e, const Gemm *g)
{
	const char *step = vector_step(e, g);
	return !step ? "" : arena_printf("if (!keep && cols == L) {\n"
					 "\tconst int at = i * N + from;\n"
					 "\tconst nnc_vec v = s[which];\n"
					 "\t%s\n"
					 "\treturn;\n"
					 "}", step);
}

static const char count_in_rows[] = "for (int k = 0; k < n; k += 8)\n"
				    "\tfor (int i = cols.first; i < cols.end; i++)\n"
				    "\t\tcount += a[k * M + i] != 0;",
		  count_in_halves[] =
			  "for (int half = 2 * cols.first / M; half < 2 * cols.end / M; half++)\n"
			  "\tfor (int k = 0; k < n; k += 8)\n"
			  "\t\tfor (int i = 0; i < M / 2; i++)\n"
			  "\t\t\tcount += a[(half * K + k) * (M / 2) + i] != 0;";

static void emit(Emit *e, const Node *n)
{
	Gemm g = gemm_of(e->net, n);
	const char *name = gemm_name(&g, "_dw_sparse");
	bool a = gemm_halved(&g, 'a'), b = gemm_halved(&g, 'b');
	const Hole own[] = {
		{"tile", tile_function(e, &g)},
		{"GROUP", int_text(GROUP)},
		{"word", g.k > WORD ? "uint64_t" : "uint32_t"},
		{"a_row", a ? "nnc_halved(K, M, 0, i)" : "i"},
		{"a_parts", a ? "2" : "1"},
		{"mine", tile_split(e->net, n, 'a') == SPLIT_HALVES ? "nnc_half(thread, M)"
								     : "(NncRange){0, M}"},
		{"count", a ? count_in_halves : count_in_rows},
		{"b_parts", b ? "2" : "1"},
		{"times", is_long_step(e, &g) ? "2" : "1"}, /* more would be more to compile */
		{"ahead", ahead_text(e, &g)},
		{"whole", whole_text(e, &g)},
		{NULL, NULL},
	};
	const Hole *holes = gemm_holes(&g, name, own);
	emit_function(e, arena_printf("%s_few", name), "gemm_dw_sparse_few", holes);
	emit_function(e, arena_printf("%s_find", name), "gemm_dw_sparse_find", holes);
	emit_function(e, arena_printf("%s_terms", name), "gemm_dw_sparse_terms", holes);
	emit_function(e, arena_printf("%s_change", name), "gemm_dw_sparse_change", holes);
	emit_function(e, arena_printf("%s_panel", name), "gemm_dw_sparse_panel", holes);
	emit_function(e, name, "gemm_dw_sparse", holes);
	call_gemm(e, n, name);
}

const Kernel kernel_gemm_dw_sparse = {
	.name = "gemm_dw_sparse",
	.summary = "rows of dw, samples of zeros passed over where they are many",
	.op = &op_gemm,
	.fits = fits,
	.cost = cost,
	.updates = true,
	.scratch = scratch,
	.split = tile_split,
	.halves = tile_halves,
	.emit = emit,
};

#ifdef TEMPLATE_gemm_dw_sparse_few
/* Are of some columns of a so few numbers not 0, as far as every eighth sample tells, that it
 * pays to find them? */
static bool $name$_few(NncRange cols, int n, const real *restrict a)
{
	enum { K = $K$, M = $M$ };
	int count = 0;

	$count$
	return 4 * count < 3 * ((n + 7) / 8) * (cols.end - cols.first);
}
#endif

#ifdef TEMPLATE_gemm_dw_sparse_find
/* found: bit k of each of `rows` words says that a's number in row k, from its first on, is not 0 */
static NNC_INLINE void $name$_find(int rows, int n, const real *restrict a, $word$ *restrict found)
{
	enum { M = $M$ / $a_parts$ };

	for (int r = 0; r < rows; r++)
		found[r] = 0;
	for (int k = 0; k < n; k++)
		NNC_INDEPENDENT
		for (int r = 0; r < rows; r++)
			found[r] |= ($word$)(a[k * M + r] != 0) << k;
}
#endif

#ifdef TEMPLATE_gemm_dw_sparse_terms
/* sum, `vecs` vectors in each part of b: to it is added each of the found rows of b times its number of a */
static NNC_INLINE void $name$_terms(int vecs, int last, $word$ found, const real *restrict a,
				    const real *restrict b, nnc_vec *restrict sum)
{
	enum { M = $M$ / $a_parts$, PARTS = $b_parts$, N = $N$ / PARTS, K = $K$, L = NNC_LANES };

	for (; found; found &= found - 1) {
		const int k = __builtin_ctzll(found);
		const real x = a[k * M], *row = b + k * N;
		NNC_UNROLL
		for (int p = 0; p < PARTS; p++)
			NNC_UNROLL
			for (int q = 0; q < vecs; q++)
				sum[p * vecs + q] += x * nnc_load(row + p * K * N + q * L,
								  q < vecs - 1 ? L : last);
	}
}
#endif

#ifdef TEMPLATE_gemm_dw_sparse_change
/* Changes row i, whose parts have their sums from column j0 on in s, those of one of its vectors. */
static NNC_INLINE void $name$_change(int vecs, int last, int which, int i, int j0, const nnc_vec *restrict s,
				     real *restrict c$params$)
{
	enum { M = $M$, N = $N$, L = NNC_LANES };
	const real *sums = (const real *)(s + which);
	const int from = which / vecs * (N / $b_parts$) + j0 + which % vecs * L;
	const int cols = which % vecs < vecs - 1 ? L : last;

	$ahead$
	$whole$
	NNC_INDEPENDENT
	for (int q = 0; q < cols; q++) {
		const int j = from + q, at = i * N + j;
		real v = sums[q];
		$accumulate$
		$epilogue$
		$store$
	}
}
#endif

#ifdef TEMPLATE_gemm_dw_sparse_panel
/* `cols` columns of each part of b, from its column j on: of rows first to end - 1 */
static NNC_INLINE void $name$_panel(int cols, int first, int end, int j, const real *restrict a,
		const real *restrict b, real *restrict c$params$, const $word$ *restrict found)
{
	enum { M = $M$, K = $K$, L = NNC_LANES, BITS = 8 * sizeof *found };
	const int vecs = NNC_VECTORS(cols), last = cols - (vecs - 1) * L, all = $b_parts$ * vecs;
	const int times = $times$, some = (all + times - 1) / times, terms = (K + times - 1) / times;
	nnc_vec s[NNC_ROW_MAX] = {{0}}; /* of the row before, which is changed some vectors at a time */
	int i = first;

	if (first < end)
		$name$_terms(vecs, last, found[i], a + $a_row$, b + j, s);
	while (++i < end) {
		nnc_vec sum[NNC_ROW_MAX] = {{0}};
		NNC_UNROLL
		for (int t = 0; t < times; t++) {
			const int stop = (t + 1) * some < all ? (t + 1) * some : all;
			$name$_terms(vecs, last, found[i] & ($word$)~0 >> (BITS - terms) << t * terms,
				     a + $a_row$, b + j, sum);
			NNC_NO_UNROLL
			for (int v = t * some; v < stop; v++)
				$name$_change(vecs, last, v, i - 1, j, s, c$names$);
		}
		NNC_UNROLL
		for (int v = 0; v < all; v++)
			s[v] = sum[v];
	}
	for (int v = 0; first < end && v < all; v++)
		$name$_change(vecs, last, v, end - 1, j, s, c$names$);
}
#endif

#ifdef TEMPLATE_gemm_dw_sparse
/* $formula$: many zeros of a passed over */
static void $name$(const NncThread *thread, int n, const real *restrict a,
		   const real *restrict b, real *restrict c$params$)
{
	enum { M = $M$, K = $K$, GROUP = $GROUP$, PARTS = $b_parts$, N = $N$ / PARTS };
	enum { COLS = NNC_COLS(N, NNC_ROW_MAX / PARTS), REST = N % COLS };
	const NncRange share = nnc_share(thread, (M + GROUP - 1) / GROUP);
	const int first = share.first * GROUP, end = share.end * GROUP < M ? share.end * GROUP : M;
	$word$ *found = thread->scratch;

	if (!$name$_few($mine$, n, a)) {
		$tile$(thread, n, a, b, c$names$);
		return;
	}
	for (int i = first; i < end; i += GROUP)
		if (M % GROUP > 0 && end - i < GROUP)
			$name$_find(M % GROUP, n, a + $a_row$, found + i);
		else
			$name$_find(GROUP, n, a + $a_row$, found + i);
	for (int j = 0; j < N - REST; j += COLS)
		$name$_panel(COLS, first, end, j, a, b, c$names$, found);
	if (REST > 0)
		$name$_panel(REST, first, end, N - REST, a, b, c$names$, found);
}
#endif
