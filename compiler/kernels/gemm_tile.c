/*
 * gemm_tile: c in tiles of ROWS rows by VECS vectors that stay in registers over all K
 * terms, in GCC's vector extensions. The rows of a are broadcast, b is read a vector
 * at a time; a transposed a only changes two strides, a transposed b is copied first.
 */
#include "nnc.h"

enum { MAX_LANES = 16 }; /* of any CPU: what scratch must hold */

/* Of b, where the second cache is too small for it; 0 where it is not. */
double memory_bytes(const Gemm *g)
{
	double bytes = 4.0 * (double)g->k * (double)g->n;
	return bytes > 2e6 ? bytes : 0;
}

/* A transposed b is turned in blocks of 16 x 16: 64 cycles each, twice that at the edges. */
static double turn_cost(Gemm g)
{
	int64_t inner = (g.n / 16) * (g.k / 16), all = ((g.n + 15) / 16) * ((g.k + 15) / 16);
	return 64 * (double)(2 * all - inner) * 64 / (NOMINAL_GFLOPS * 1e3);
}

/* Close to the peak while b's panel of columns stays in the cache; worse with few rows. */
double tile_cost(Gemm g)
{
	double lanes = (double)((g.n + 15) / 16 * 16); /* those of the last vector are all paid */
	double flops = 2.0 * (double)g.m * lanes * (double)g.k;
	double panel = 4.0 * (double)g.k * 32;
	double share = g.m < 4 ? 0.25 : g.m < 8 ? 0.5 : 0.85;
	if (panel > 512e3) /* b's panel leaves the cache between rows of tiles */
		share *= 0.6;
	/* weights, or sums, are read and written back; a large b comes from memory */
	double bytes = g.ta ? 8.0 * (double)g.m * (double)g.n : memory_bytes(&g);
	return 0.1 + flops / (share * NOMINAL_GFLOPS * 1e3) + bytes / (NOMINAL_GBYTES * 1e3) +
	       (g.tb ? turn_cost(g) : 0);
}

static double cost(const Net *net, const Node *n)
{
	return tile_cost(gemm_of(net, n));
}

/* Few rows leave registers for more columns: 16 sums at most, 4 at least. */
static int tile_vectors(const Gemm *g)
{
	return g->m < 4 ? 4 : 2;
}

/* A transposed b is turned a panel of columns at a time: K rows, as wide as a tile. */
static int64_t panel_reals(const Gemm *g)
{
	return g->tb ? MAX_LANES * tile_vectors(g) * g->k : 0;
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

static const Hole *tile_holes(Emit *e, const Gemm *g, const char *name)
{
	const char *panel = g->tb ? panel_function(e, g->k) : "";
	const Hole extra[] = {
		{"vecs", int_text(tile_vectors(g))},
		{"a_row", g->ta ? "i" : "i * K"},
		{"row_stride", g->ta ? "1" : "K"},
		{"term_stride", g->ta ? "M" : "1"},
		{"columns", g->tb ? "panel" : "b + j"},
		{"b_stride", g->tb ? "WIDTH" : "N"},
		/* rows of dw side by side in memory are one thread's, as in PARTS below */
		{"i", g->ta ? "k / ACROSS" : "k % down"},
		{"j", g->ta ? "k % ACROSS" : "k / down"},
		{"width", g->tb ? "enum { WIDTH = NNC_VECTORS(COLS) * NNC_LANES };\n"
				  "real *panel = thread->scratch;" : ""},
		{"turn", g->tb ? arena_printf("if (i == 0 || k == share.first)\n"
					      "\t%s(cols, WIDTH, b + j * K, panel);", panel)
			       : ""},
		{NULL, NULL},
	};
	use_tile(e);
	return gemm_holes(g, name, extra);
}

/* The function that computes g by tiles; emitted once. */
const char *tile_function(Emit *e, const Gemm *g)
{
	const char *name = gemm_name(g, "");
	const Hole *holes = tile_holes(e, g, name);
	emit_function(e, arena_printf("%s_tile", name), "gemm_one_tile", holes);
	emit_function(e, name, "gemm_tile", holes);
	return name;
}

/*
 * With few rows, what threads cost each other is b: each should read only what it will
 * write, as rows of dw. So each sums a part of the terms, for all columns. There are two
 * parts however many threads there are, which is what keeps the sums the same.
 */
static bool in_parts(const Gemm *g)
{
	return !g->ta && !g->tb && g->k >= 64 && g->k >= 4 * g->m;
}

static int64_t workspace(const Net *net, const Node *n)
{
	Gemm g = gemm_of(net, n);
	return in_parts(&g) ? 2 * g.m * g.n : 0;
}

static const char *parts_function(Emit *e, const Gemm *g)
{
	Gemm part = *g;
	part.node = NULL;
	const char *name = gemm_name(g, "_parts"), *of = gemm_name(&part, "");
	emit_function(e, arena_printf("%s_tile", of), "gemm_one_tile", tile_holes(e, &part, of));
	const Hole tile[] = {{"tile", of}};
	emit_function(e, name, "gemm_parts", join_holes(tile, 1, tile_holes(e, g, name)));
	return name;
}

static void emit(Emit *e, const Node *n)
{
	Gemm g = gemm_of(e->net, n);
	if (!in_parts(&g)) {
		call_gemm(e, n, tile_function(e, &g));
		return;
	}
	put(e, "%s(thread, n, %s, %s, %s, %s%s);", parts_function(e, &g), ref(n->in[0]),
	    ref(n->in[1]), ref(result(n)), ref(n->workspace), epilogue_args(n));
}

const Kernel kernel_gemm_tile = {
	.name = "gemm_tile",
	.summary = "register tiles in vector extensions",
	.op = &op_gemm,
	.cost = cost,
	.updates = true,
	.workspace = workspace,
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

#ifdef TEMPLATE_gemm_one_tile
/* rows x cols numbers of c, from (i,j0) on: sums of `terms` terms */
static NNC_INLINE void $name$_tile(int rows, int cols, int terms, int i, int j0,
		const real *restrict a, const real *restrict b, int width, real *restrict c$params$)
{
	enum { M = $M$, N = $N$, K = $K$, L = NNC_LANES };
	const int vecs = NNC_VECTORS(cols);
	nnc_vec s[NNC_TILE_MAX];
	const real *sums = (const real *)s;

	tile(rows, vecs, cols - (vecs - 1) * L, 1, terms, a + $a_row$, rows, 0,
	     $row_stride$, $term_stride$, 0, b, width, 0, s);
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
#endif

#ifdef TEMPLATE_gemm_tile
/* $formula$ */
static void $name$(const NncThread *thread, int n, const real *restrict a,
		   const real *restrict b, real *restrict c$params$)
{
	enum { M = $M$, N = $N$, K = $K$, ROWS = NNC_ROWS(M), COLS = NNC_COLS(N, $vecs$), REST = N % COLS };
	enum { ACROSS = (N + COLS - 1) / COLS };
	$width$
	const int down = ($m$ + ROWS - 1) / ROWS;
	const NncRange share = nnc_share(thread, down * ACROSS);

	for (int k = share.first; k < share.end; k++) {
		const int i = $i$ * ROWS, j = $j$ * COLS;
		const int rows = $m$ - i < ROWS ? $m$ - i : ROWS;
		const int cols = REST > 0 && N - j < COLS ? REST : COLS;
		$turn$
		if (rows == ROWS && cols == COLS)
			$name$_tile(ROWS, COLS, $k$, i, j, a, $columns$, $b_stride$, c$names$);
		else if (REST > 0 && rows == ROWS)
			$name$_tile(ROWS, REST, $k$, i, j, a, $columns$, $b_stride$, c$names$);
		else
			for (int r = 0; r < rows; r++)
				$name$_tile(1, cols, $k$, i + r, j, a, $columns$, $b_stride$, c$names$);
	}
}
#endif

#ifdef TEMPLATE_gemm_parts
/* $formula$: in two parts p (2,$M$,$N$), of half the terms each */
static void $name$(const NncThread *thread, int n, const real *restrict a,
		   const real *restrict b, real *restrict c, real *restrict p$params$)
{
	enum { M = $M$, N = $N$, K = $K$, ROWS = NNC_ROWS(M), COLS = NNC_COLS(N, $vecs$), REST = N % COLS };
	enum { ACROSS = (N + COLS - 1) / COLS, TERMS = K / 2, BLOCK = NNC_ALIGN / sizeof(real) };
	const int down = ($m$ + ROWS - 1) / ROWS, tiles = down * ACROSS;
	const NncRange share = nnc_share(thread, 2 * tiles);
	const NncRange whole = nnc_share(thread, (N + BLOCK - 1) / BLOCK);
	const int end = whole.end * BLOCK < N ? whole.end * BLOCK : N;

	for (int k = share.first; k < share.end; k++) {
		const int part = k / tiles, i = k % tiles % down * ROWS, j = k % tiles / down * COLS;
		const int rows = $m$ - i < ROWS ? $m$ - i : ROWS;
		const int cols = REST > 0 && N - j < COLS ? REST : COLS;
		const int terms = part ? K - TERMS : TERMS;
		const real *ap = a + part * TERMS, *bp = b + part * TERMS * N + j;
		real *to = p + part * M * N;
		if (rows == ROWS && cols == COLS)
			$tile$_tile(ROWS, COLS, terms, i, j, ap, bp, N, to);
		else if (REST > 0 && rows == ROWS)
			$tile$_tile(ROWS, REST, terms, i, j, ap, bp, N, to);
		else
			for (int r = 0; r < rows; r++)
				$tile$_tile(1, cols, terms, i + r, j, ap, bp, N, to);
	}
	nnc_barrier(thread);
	for (int i = 0; i < $m$; i++)
		NNC_INDEPENDENT
		for (int j = whole.first * BLOCK; j < end; j++) {
			const int at = i * N + j;
			real v = p[at] + p[M * N + at];
			$epilogue$
			c[at] = v;
		}
}
#endif
