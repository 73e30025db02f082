/*
 * gemm_tile: c in tiles of ROWS rows by VECS vectors that stay in registers over all K
 * terms, in GCC's vector extensions. The rows of a are broadcast, b is read a vector
 * at a time; a transposed a only changes two strides, a transposed b is copied first.
 */
#include "nnc.h"

/* Close to the peak while b's panel of columns stays in the cache; worse with few rows. */
double tile_cost(Gemm g)
{
	double flops = 2.0 * (double)g.m * (double)g.n * (double)g.k;
	double panel = 4.0 * (double)g.k * 32, whole = 4.0 * (double)g.k * (double)g.n;
	double share = g.m < 4 ? 0.25 : g.m < 8 ? 0.5 : 0.85;
	if (panel > 512e3) /* b's panel leaves the cache between rows of tiles */
		share *= 0.6;
	double copies = g.tb ? 2 * whole / (NOMINAL_GBYTES * 1e3) : 0;
	return 0.1 + flops / (share * NOMINAL_GFLOPS * 1e3) + copies;
}

static double cost(const Net *net, const Node *n)
{
	return tile_cost(gemm_of(net, n));
}

static int64_t workspace(const Net *net, const Node *n)
{
	Gemm g = gemm_of(net, n);
	return g.tb ? g.k * g.n : 0;
}

/* Emits the function that copies b (N,K) to bt (K,N); its name. */
const char *transpose_function(Emit *e, int64_t rows, int64_t cols)
{
	const char *name = arena_printf("transpose_%lldx%lld", (long long)rows, (long long)cols);
	const Hole holes[] = {
		{"name", name}, {"M", int_text(rows)}, {"N", int_text(cols)}, {NULL, NULL},
	};
	emit_function(e, name, "transpose", holes);
	return name;
}

/* The function that computes g, b not transposed, by tiles; emitted once. */
const char *tile_function(Emit *e, const Gemm *g)
{
	const char *name = gemm_name(g, "");
	bool few = g->m < 4; /* a row at a time, and as many columns as there are registers */
	const Hole extra[] = {
		{"rows", few ? "1" : "NNC_TILE_ROWS"},
		{"vecs", few ? "8" : "2"},
		{"a_row", g->ta ? "i" : "i * K"},
		{"row_stride", g->ta ? "1" : "K"},
		{"term_stride", g->ta ? "M" : "1"},
		{NULL, NULL},
	};
	use_tile(e);
	emit_function(e, name, "gemm_tile", gemm_holes(g, name, extra));
	return name;
}

static void emit(Emit *e, const Node *n)
{
	Gemm g = gemm_of(e->net, n);
	const char *b = ref(n->in[1]);
	if (g.tb) { /* b is (N,K): compute with its copy (K,N) */
		put(e, "%s(%s, %s);", transpose_function(e, g.n, g.k), b, ref(n->workspace));
		b = ref(n->workspace);
		g.tb = false;
	}
	put(e, "%s(n, %s, %s, %s%s);", tile_function(e, &g), ref(n->in[0]), b, ref(result(n)),
	    epilogue_args(n));
}

const Kernel kernel_gemm_tile = {
	.name = "gemm_tile",
	.summary = "register tiles in vector extensions",
	.op = &op_gemm,
	.cost = cost,
	.workspace = workspace,
	.emit = emit,
};

#ifdef TEMPLATE_transpose
/* t ($N$,$M$) = the transpose of b ($M$,$N$) */
static void $name$(const real *restrict b, real *restrict t)
{
	enum { M = $M$, N = $N$, BLOCK = 16 };

	for (int i0 = 0; i0 < M; i0 += BLOCK)
		for (int j = 0; j < N; j++)
			for (int i = i0; i < i0 + BLOCK && i < M; i++)
				t[j * M + i] = b[i * N + j];
}
#endif

#ifdef TEMPLATE_gemm_tile
/* $formula$ */
static void $name$(int n, const real *restrict a, const real *restrict b,
		   real *restrict c$params$)
{
	enum { M = $M$, N = $N$, K = $K$, ROWS = $rows$, COLS = $vecs$ * NNC_LANES };

	for (int j0 = 0; j0 < N; j0 += COLS)
		for (int i = 0; i < $m$; i += ROWS) {
			const int rows = $m$ - i < ROWS ? $m$ - i : ROWS;
			const int cols = N - j0 < COLS ? N - j0 : COLS;
			real t[ROWS * COLS] = {0};
			tile(ROWS, rows, cols, 1, $k$, a + $a_row$, $row_stride$, $term_stride$, 0,
			     b + j0, N, 0, t, COLS);
			for (int r = 0; r < rows; r++)
				for (int q = 0; q < cols; q++) {
					const int j = j0 + q, at = (i + r) * N + j;
					real v = t[r * COLS + q];
					$accumulate$
					$epilogue$
					c[at] = v;
				}
		}
}
#endif
