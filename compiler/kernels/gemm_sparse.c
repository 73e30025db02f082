/*
 * gemm_sparse: gemm_halves, of an a of which much is 0, as pixels are and what relu leaves.
 * A row of c stays in registers while the rows of b that it is a sum of are added, those
 * of zeros passed over. One term is so 1.5 times as dear as in a tile; how many there
 * are is counted in each batch, and where they are not few tiles are made. A term of zero
 * changes no sum, as long as b is finite, so both have the same.
 */
#include "nnc.h"

enum {
	WORD = 64,      /* terms that are found at a time */
	WIDE = 64,      /* columns of the widest row, of any CPU */
	LEAST_ROWS = 4, /* of a, for which it pays to have some of b in the first cache */
};

static const char *fits(const Net *net, const Node *n)
{
	Gemm g = gemm_of(net, n);
	return halves_misfit(&g);
}

/*
 * Half of a is taken to be 0, whatever makes it: a layer that changes should change no
 * other's C. To have counted what is not 0 in vain takes a thirtieth of the product. With
 * few rows or columns it does not pay.
 */
static double cost(const Net *net, const Node *n)
{
	Gemm g = gemm_of(net, n);
	return (g.m < LEAST_ROWS || g.n < WIDE ? 1.2 : 0.8) * halves_cost(g);
}

/* Of half the terms. */
static int64_t words(const Gemm *g)
{
	return (g->k - g->k / 2 + WORD - 1) / WORD;
}

/* Which terms are not 0, of both halves, in words of 64 bits; and the sums of a panel, in pairs of rows. */
static int64_t scratch(const Net *net, const Node *n)
{
	Gemm g = gemm_of(net, n);
	return g.m * 2 * 2 * words(&g) + (g.m + 1) * WIDE;
}

/* Panels are ended column by column: each half, where an even number of any CPU's are side by side. */
static Split split(const Net *net, const Node *n, char operand)
{
	Gemm g = gemm_of(net, n);
	bool halves = operand == 'a' || (operand == 'c' && g.n % (2 * WIDE) == 0);
	return halves ? SPLIT_HALVES : SPLIT_ANY;
}

/* No panel may be in both halves of c. */
static const char *halves(const Net *net, const Node *n)
{
	return split(net, n, 'c') == SPLIT_HALVES ? "ac" : "a";
}

static void emit(Emit *e, const Node *n)
{
	Gemm g = gemm_of(e->net, n);
	const char *name = gemm_name(&g, "_sparse");
	int64_t half = g.k - g.k / 2;
	const Hole extra[] = {
		{"WORDS", int_text(words(&g))},
		{"DEPTH", int_text((half + words(&g) - 1) / words(&g))},
		{NULL, NULL},
	};
	const Hole *holes = halves_functions(e, &g, name, extra);
	emit_function(e, arena_printf("%s_find", name), "gemm_sparse_find", holes);
	emit_function(e, arena_printf("%s_row", name), "gemm_sparse_row", holes);
	emit_function(e, arena_printf("%s_pair", name), "gemm_sparse_pair", holes);
	emit_function(e, arena_printf("%s_panel", name), "gemm_sparse_panel", holes);
	emit_function(e, arena_printf("%s_half", name), "gemm_sparse_half", holes);
	emit_function(e, name, "gemm_sparse", holes);
	call_halves(e, n, name);
}

const Kernel kernel_gemm_sparse = {
	.name = "gemm_sparse",
	.summary = "rows of vectors, terms of zeros passed over where they are many",
	.op = &op_gemm,
	.fits = fits,
	.cost = cost,
	.workspace = halves_workspace,
	.scratch = scratch,
	.meets = true,
	.split = split,
	.halves = halves,
	.emit = emit,
};

#ifdef TEMPLATE_gemm_sparse_find
/* found: which terms of one half are not 0, DEPTH to a word; are so few that it pays? */
static bool $name$_find(int half, int n, const real *restrict a, uint64_t *restrict found)
{
	enum { M = $M$, K = $K$, DEPTH = $DEPTH$ };
	const int terms = half ? K - K / 2 : K / 2;
	int64_t count = 0;

	a += $a_half$;
	for (int i = 0; i < n; i++)
		for (int k = 0; k < terms; k += DEPTH) {
			const uint64_t word = nnc_found(a + i * $a_row$ + k,
							terms - k < DEPTH ? terms - k : DEPTH);
			found[k / DEPTH * M + i] = word;
			count += __builtin_popcountll(word);
		}
	return 8 * count < 5 * (int64_t)n * terms;
}
#endif

#ifdef TEMPLATE_gemm_sparse_row
/* sum, of `vecs` vectors: to it is added each of the found rows of b times its number of a */
static NNC_INLINE void $name$_row(int vecs, int last, uint64_t found, const real *restrict a,
				  const real *restrict b, nnc_vec *restrict sum)
{
	enum { N = $N$ };

	for (; found; found &= found - 1) {
		const int k = __builtin_ctzll(found);
		const real x = a[k], *row = b + k * N;
		NNC_UNROLL
		for (int q = 0; q < vecs; q++)
			sum[q] += x * nnc_load(row + q * NNC_LANES, q < vecs - 1 ? NNC_LANES : last);
	}
}
#endif

#ifdef TEMPLATE_gemm_sparse_pair
/* The same of two rows of a at once: their sums do not wait for each other. */
static NNC_INLINE void $name$_pair(int vecs, int last, const uint64_t *restrict found,
				   const real *restrict a, const real *restrict b, nnc_vec *restrict sum)
{
	enum { N = $N$, K = $K$ };
	uint64_t one = found[0], two = found[1];

	for (; one && two; one &= one - 1, two &= two - 1) {
		const int j = __builtin_ctzll(one), k = __builtin_ctzll(two);
		const real x = a[j], *row_j = b + j * N;
		const real y = a[$a_row$ + k], *row_k = b + k * N;
		NNC_UNROLL
		for (int q = 0; q < vecs; q++) {
			const int lanes = q < vecs - 1 ? NNC_LANES : last;
			sum[q] += x * nnc_load(row_j + q * NNC_LANES, lanes);
			sum[vecs + q] += y * nnc_load(row_k + q * NNC_LANES, lanes);
		}
	}
	$name$_row(vecs, last, one, a, b, sum);
	$name$_row(vecs, last, two, a + $a_row$, b, sum + vecs);
}
#endif

#ifdef TEMPLATE_gemm_sparse_panel
/* rows x cols sums of one half of the terms, from (i,j0) on: to p or, if that `ends` them, with p's to c */
static NNC_INLINE void $name$_panel(int rows, int cols, int half, bool ends, int i, int j0,
		const real *restrict a, const real *restrict b, real *restrict c, real *restrict p$params$,
		const uint64_t *restrict found, real *restrict sums)
{
	enum { M = $M$, N = $N$, K = $K$, DEPTH = $DEPTH$, L = NNC_LANES };
	enum { WIDTH = NNC_SPARSE * L, PAIR = NNC_SPARSE_ROWS }; /* or one row */
	const int terms = half ? K - K / 2 : K / 2;
	const int vecs = NNC_VECTORS(cols), last = cols - (vecs - 1) * L;

	a += $a_half$ + i * $a_row$, b += half * (K / 2) * N + j0;
	/* DEPTH rows of b stay in the first cache */
	for (int k = 0; k < terms; k += DEPTH)
		for (int r = 0; r < rows; r += PAIR) {
			const uint64_t *word = found + k / DEPTH * M + i + r;
			const real *ar = a + r * $a_row$ + k, *bk = b + k * N;
			nnc_vec *s = (nnc_vec *)(sums + r * WIDTH);
			nnc_vec sum[PAIR * NNC_SPARSE] = {{0}};
			if (k > 0)
				NNC_UNROLL
				for (int q = 0; q < PAIR * vecs; q++)
					sum[q] = s[q / vecs * NNC_SPARSE + q % vecs];
			if (PAIR == 2 && r + 1 < rows)
				$name$_pair(vecs, last, word, ar, bk, sum);
			else
				$name$_row(vecs, last, *word, ar, bk, sum);
			NNC_UNROLL
			for (int q = 0; q < PAIR * vecs; q++)
				s[q / vecs * NNC_SPARSE + q % vecs] = sum[q];
		}
	$name$_end(rows, cols, ends, i, j0, sums, WIDTH, c, p$names$);
}
#endif

#ifdef TEMPLATE_gemm_sparse_half
/* Blocks first to end - 1, of one half of the terms: to p or, if that `ends` them, to c */
static void $name$_half(int half, bool sparse, int first, int end, bool ends, int n,
		const real *restrict a, const real *restrict b, real *restrict c, real *restrict p$params$,
		const uint64_t *restrict found, real *restrict sums)
{
	enum { M = $M$, N = $N$, ROWS = NNC_ROWS(M), COLS = NNC_COLS(N, NNC_SPARSE), REST = N % COLS };
	enum { TILE = NNC_COLS(N, $vecs$), ACROSS = (N + TILE - 1) / TILE, TILES = NNC_SPARSE / $vecs$ };
	const int down = (n + ROWS - 1) / ROWS;
	int count; /* of blocks one below the other */

	for (int t = first; t < end; t += count) {
		const int i = t % down, j = t / down;
		count = end - t < down - i ? end - t : down - i;
		const int rows = i + count < down ? count * ROWS : n - i * ROWS;
		if (!sparse)
			for (int q = j * TILES; q < (j + 1) * TILES && q < ACROSS; q++)
				$name$_sums(half, q * down + i, q * down + i + count, ends, n, a, b, c, p$names$);
		else if (REST > 0 && j == N / COLS)
			$name$_panel(rows, REST, half, ends, i * ROWS, j * COLS, a, b, c, p$names$, found, sums);
		else
			$name$_panel(rows, COLS, half, ends, i * ROWS, j * COLS, a, b, c, p$names$, found, sums);
	}
}
#endif

#ifdef TEMPLATE_gemm_sparse
/* $formula$: by the sums of half the terms, p ($M$,$N$), many zeros passed over */
static void $name$(const NncThread *thread, int n, const real *restrict a,
		   const real *restrict b, real *restrict c, real *restrict p$params$)
{
	enum { M = $M$, N = $N$, ROWS = NNC_ROWS(M), COLS = NNC_COLS(N, NNC_SPARSE), WORDS = $WORDS$ };
	const int blocks = (n + ROWS - 1) / ROWS * ((N + COLS - 1) / COLS);
	const int left = blocks / 2, right = blocks - left;
	const NncRange share = nnc_share(thread, 2 * right);
	const NncRange one = {share.first, share.end < right ? share.end : right};
	const NncRange two = {share.first > right ? share.first - right : 0, share.end - right};
	uint64_t *low = thread->scratch, *high = low + M * WORDS;
	real *sums = (real *)(high + M * WORDS);
	const bool lows = one.first < one.end && $name$_find(0, n, a, low);
	const bool highs = two.first < two.end && $name$_find(1, n, a, high);

	/* of two threads each has one half of the terms: first for the blocks that the other ends */
	$name$_half(0, lows, left + one.first, left + one.end, false, n, a, b, c, p$names$, low, sums);
	$name$_half(1, highs, two.first, two.end < left ? two.end : left, false, n, a, b, c, p$names$, high, sums);
	nnc_barrier(thread);
	$name$_half(0, lows, one.first, one.end < left ? one.end : left, true, n, a, b, c, p$names$, low, sums);
	$name$_half(1, highs, left + two.first, left + two.end, true, n, a, b, c, p$names$, high, sums);
}
#endif
