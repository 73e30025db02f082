/*
 * gemm_tile: c in tiles of ROWS rows by VECS vectors that stay in registers over all K
 * terms, in GCC's vector extensions. The rows of a are broadcast, b is read a vector
 * at a time; a transposed a only changes two strides, a transposed b is copied first.
 */
#include "nnc.h"

enum { MAX_LANES = 16, MAX_COLS = 32 }; /* of any CPU: what scratch must hold */

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

/* A transposed b is turned a panel of columns at a time. */
static int64_t panel_reals(const Gemm *g)
{
	return g->tb ? MAX_COLS * (g->k + MAX_LANES) : 0;
}

static int64_t scratch(const Net *net, const Node *n)
{
	Gemm g = gemm_of(net, n);
	return panel_reals(&g);
}

/* Emits the function that turns rows of b (n,K) into a panel of columns; its name. */
static const char *panel_function(Emit *e, int64_t terms)
{
	const char *name = arena_printf("panel_%lld", (long long)terms);
	const Hole holes[] = {{"name", name}, {"K", int_text(terms)}, {NULL, NULL}};
	emit_function(e, name, "gemm_panel", holes);
	return name;
}

/* Few rows leave registers for more columns: 16 sums at most, 4 at least. */
static int tile_vectors(const Gemm *g)
{
	return g->m < 4 ? 4 : 2;
}

/* The function that computes g by tiles; emitted once. */
const char *tile_function(Emit *e, const Gemm *g)
{
	const char *name = gemm_name(g, "");
	const char *panel = g->tb ? panel_function(e, g->k) : "";
	const Hole extra[] = {
		{"vecs", int_text(tile_vectors(g))},
		{"a_row", g->ta ? "i" : "i * K"},
		{"row_stride", g->ta ? "1" : "K"},
		{"term_stride", g->ta ? "M" : "1"},
		{"columns", g->tb ? "panel" : "b + j"},
		{"b_stride", g->tb ? "WIDTH" : "N"},
		{"width", g->tb ? "enum { WIDTH = NNC_VECTORS(COLS) * NNC_LANES };\n"
				  "real *panel = thread->scratch;" : ""},
		{"turn", g->tb ? arena_printf("if (i == 0 || k == share.first)\n"
					      "\t%s(cols, WIDTH, b + j * K, panel);", panel)
			       : ""},
		{NULL, NULL},
	};
	use_tile(e);
	emit_function(e, name, "gemm_tile", gemm_holes(g, name, extra));
	return name;
}

static void emit(Emit *e, const Node *n)
{
	Gemm g = gemm_of(e->net, n);
	call_gemm(e, n, tile_function(e, &g));
}

const Kernel kernel_gemm_tile = {
	.name = "gemm_tile",
	.summary = "register tiles in vector extensions",
	.op = &op_gemm,
	.cost = cost,
	.updates = true,
	.scratch = scratch,
	.emit = emit,
};

#ifdef TEMPLATE_gemm_panel
/* panel ($K$,width): its first `cols` columns are rows of b (cols,$K$), the rest is 0 */
static void $name$(int cols, int width, const real *restrict b, real *restrict panel)
{
	enum { K = $K$, L = NNC_LANES };

	if (cols < width)
		memset(panel, 0, (size_t)(K * width) * sizeof *panel);
	for (int j = 0; j < cols; j += L)
		for (int k = 0; k < K; k += L)
			nnc_move_block(b + j * K + k, K, panel + k * width + j, width,
				       cols - j < L ? cols - j : L, K - k < L ? K - k : L);
}
#endif

#ifdef TEMPLATE_gemm_tile
/* rows x cols numbers of c, from (i,j0) on */
static NNC_INLINE void $name$_tile(int rows, int cols, int n, int i, int j0,
		const real *restrict a, const real *restrict b, int width, real *restrict c$params$)
{
	enum { M = $M$, N = $N$, K = $K$, L = NNC_LANES };
	const int vecs = NNC_VECTORS(cols);
	nnc_vec s[NNC_TILE_MAX];
	const real *sums = (const real *)s;

	(void)n;
	tile(rows, vecs, cols - (vecs - 1) * L, 1, $k$, a + $a_row$, $row_stride$, $term_stride$, 0,
	     b, width, 0, s);
	for (int r = 0; r < rows; r++)
		NNC_INDEPENDENT
		for (int q = 0; q < cols; q++) {
			const int j = j0 + q, at = (i + r) * N + j;
			real v = sums[r * vecs * L + q];
			$accumulate$
			$epilogue$
			$store$
		}
}

/* $formula$ */
static void $name$(const NncThread *thread, int n, const real *restrict a,
		   const real *restrict b, real *restrict c$params$)
{
	enum { M = $M$, N = $N$, K = $K$, ROWS = NNC_ROWS(M), COLS = NNC_COLS(N, $vecs$), REST = N % COLS };
	$width$
	const int down = ($m$ + ROWS - 1) / ROWS;
	const NncRange share = nnc_share(thread, down * ((N + COLS - 1) / COLS));

	for (int k = share.first; k < share.end; k++) {
		const int i = k % down * ROWS, j = k / down * COLS;
		const int rows = $m$ - i < ROWS ? $m$ - i : ROWS;
		const int cols = REST > 0 && N - j < COLS ? REST : COLS;
		$turn$
		if (rows == ROWS && cols == COLS)
			$name$_tile(ROWS, COLS, n, i, j, a, $columns$, $b_stride$, c$names$);
		else if (REST > 0 && rows == ROWS)
			$name$_tile(ROWS, REST, n, i, j, a, $columns$, $b_stride$, c$names$);
		else
			for (int r = 0; r < rows; r++)
				$name$_tile(1, cols, n, i + r, j, a, $columns$, $b_stride$, c$names$);
	}
}
#endif
