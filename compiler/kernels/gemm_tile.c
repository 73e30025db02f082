/*
 * gemm_tile: c in tiles of ROWS rows by VECS vectors that stay in registers over all K
 * terms, in GCC's vector extensions. The rows of a are broadcast, b is read a vector
 * at a time; a transposed a only changes two strides, a transposed b is copied first.
 */
#include "nnc.h"

enum {
	MAX_LANES = 16,        /* of any CPU: what scratch must hold */
	MAX_ROWS = 8,          /* of a tile that is not tall, on any CPU */
	STRIP = 512,           /* columns of c that are summed before they are changed */
	TWO_TILES = 16,        /* rows: its multiples are an even number of tiles on any CPU */
};

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
int tile_vectors(const Gemm *g)
{
	return g->m < 4 ? 4 : 2;
}

/* A transposed b is turned a panel of columns at a time: K rows, as wide as a tile. */
static int64_t panel_reals(const Gemm *g)
{
	return g->tb ? (int64_t)MAX_LANES * tile_vectors(g) * g->k : 0;
}

/* Columns of a strip of rows of dw, whose sums are in memory at once. */
static int64_t strip_columns(const Gemm *g)
{
	return g->n < STRIP ? g->n : STRIP;
}

static int64_t scratch(const Net *net, const Node *n)
{
	Gemm g = gemm_of(net, n);
	return g.ta ? MAX_ROWS * strip_columns(&g) : panel_reals(&g);
}

/* Emits the function that turns rows of b (n,K) into a panel of columns; its name. */
static const char *panel_function(Emit *e, int64_t terms)
{
	const char *name = arena_printf("panel_%lld", (long long)terms);
	const Hole holes[] = {{"name", name}, {"K", int_text(terms)}, {NULL, NULL}};
	emit_function(e, name, "gemm_panel", holes);
	return name;
}

/* Weights that are moved by vectors, from the registers that the sums are in. */
static const char *whole_text(Emit *e, const Gemm *g)
{
	const Node *step = g->ta && g->node && g->node->fused_count == 1 ? g->node->fused[0] : NULL;
	const char *text = step && step->op->whole ? step->op->whole(e, step) : NULL;
	if (!text)
		return "";
	return arena_printf("if (!keep && cols == vecs * L) {\n"
			    "\tNNC_UNROLL\n"
			    "\tfor (int r = 0; r < rows; r++)\n"
			    "\t\tNNC_UNROLL\n"
			    "\t\tfor (int q = 0; q < vecs; q++) {\n"
			    "\t\t\tconst int at = (i + r) * N + j0 + q * L;\n"
			    "\t\t\tconst nnc_vec v = s[r * vecs + q];\n"
			    "\t\t\t%s\n"
			    "\t\t}\n"
			    "\treturn;\n"
			    "}", text);
}

static const Hole *tile_holes(Emit *e, const Gemm *g, const char *name)
{
	const char *panel = g->tb ? panel_function(e, g->k) : "";
	bool far = g->tb && 4 * g->k * g->n > NOMINAL_NEAR; /* than the second cache */
	bool a = gemm_halved(g, 'a'), b = gemm_halved(g, 'b');
	const Hole extra[] = {
		{"vecs", int_text(tile_vectors(g))},
		{"a_row", g->ta ? (a ? "nnc_halved(K, M, 0, i)" : "i") : a ? "i * (K / 2)" : "i * K"},
		{"row_stride", g->ta ? "1" : a ? "K / 2" : "K"},
		{"term_stride", g->ta ? (a ? "M / 2" : "M") : "1"},
		{"runs", !g->ta && a ? "2, terms / 2" : "1, terms"},
		{"a_run", !g->ta && a ? "M * (K / 2)" : "0"},
		{"b_run", !g->ta && a ? "K / 2 * width" : "0"},
		{"columns", g->tb ? "panel" : b ? "b + nnc_halved(K, N, 0, j)" : "b + j"},
		{"b_stride", g->tb ? "WIDTH" : b ? "N / 2" : "N"},
		/* rows of dw side by side in memory are one thread's, as in gemm_parts */
		{"i", g->ta ? "k / ACROSS" : "k % down"},
		{"j", g->ta ? "k % ACROSS" : "k / down"},
		/* a compiler does not see that none of M rows are left over, and makes tiles for them */
		{"tail", g->ta ? "M % ROWS > 0 && " : ""},
		{"width", g->tb ? "enum { WIDTH = NNC_VECTORS(COLS) * NNC_LANES };\n"
				  "real *panel = thread->scratch;" : ""},
		{"turn", g->tb ? arena_printf("if (i == 0 || k == share.first)\n"
					      "\t%s(cols, WIDTH, b + j * K, panel);", panel)
			       : ""},
		{"from", far ? "const real *next = b + ((j + COLS) % N + i * COLS / M) * K;" : ""},
	};
	return gemm_holes(g, name, join_holes(extra, sizeof extra / sizeof *extra,
					      tile_ahead_holes(e, far)));
}

/*
 * Where weights and the optimizer's state come from far, whole rows of them are changed one
 * after another, as the CPU fetches ahead, instead of a tile's few columns of each.
 */
static const char *strips_function(Emit *e, const Gemm *g, const char *name, const char *fetch,
				   const Hole *holes)
{
	const Hole extra[] = {
		{"fetch", fetch},
		{"changed", fetch_params(g->node)},
		{"changed_names", fetch_names(g->node)},
		{"STRIP", int_text(strip_columns(g))},
	};
	holes = join_holes(extra, sizeof extra / sizeof *extra, holes);
	emit_function(e, arena_printf("%s_sums", name), "gemm_strip_sums", holes);
	emit_function(e, name, "gemm_strips", holes);
	return name;
}

/* The function that computes g by tiles; emitted once. */
const char *tile_function(Emit *e, const Gemm *g)
{
	const char *name = gemm_name(g, "");
	const Hole *holes = tile_holes(e, g, name);
	const char *fetch = g->ta && g->node ? fetch_text(e, g->node) : "";
	if (*fetch)
		return strips_function(e, g, name, fetch, holes);
	const Hole whole[] = {{"whole", whole_text(e, g)}};
	holes = join_holes(whole, 1, holes);
	emit_function(e, arena_printf("%s_tile", name), "gemm_one_tile", holes);
	emit_function(e, name, "gemm_tile", holes);
	return name;
}

/* Rows of dw are columns of a; an even number of tiles, of any CPU, divides them in two. */
static bool by_halves(const Net *net, const Node *n)
{
	Gemm g = gemm_of(net, n);
	return g.ta && g.m % TWO_TILES == 0;
}

static const char *halves(const Net *net, const Node *n)
{
	Gemm g = gemm_of(net, n);
	if (tile_vectors(&g) > 2)
		return "";
	return g.ta ? "ab" : g.tb ? "ac" : "c";
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
	.by_halves = by_halves,
	.halves = halves,
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
		const real *restrict a, const real *restrict b, int width, $next_params$real *restrict c$params$)
{
	enum { M = $M$, N = $N$, K = $K$, L = NNC_LANES };
	const int vecs = NNC_VECTORS(cols);
	nnc_vec s[NNC_TILE_MAX];
	const real *sums = (const real *)s;

	$tile$(rows, vecs, cols - (vecs - 1) * L, $runs$, a + $a_row$, rows, 0,
	     $row_stride$, $term_stride$, $a_run$, b, width, $b_run$, $next$s);
	$whole$
	for (int r = 0; r < rows; r++)
		NNC_INDEPENDENT
		for (int q = 0; q < cols; q++) {
			const int j = j0 + q, at = $at$;
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
	enum { ACROSS = (N + COLS - 1) / COLS$AHEAD$ };
	$width$
	const int down = ($m$ + ROWS - 1) / ROWS;
	const NncRange share = nnc_share(thread, down * ACROSS);

	for (int k = share.first; k < share.end; k++) {
		const int i = $i$ * ROWS, j = $j$ * COLS;
		const int rows = $m$ - i < ROWS ? $m$ - i : ROWS;
		const int cols = REST > 0 && N - j < COLS ? REST : COLS;
		$from$
		$turn$
		if (rows == ROWS && cols == COLS)
			$name$_tile(ROWS, COLS, $k$, i, j, a, $columns$, $b_stride$, $next_names$c$names$);
		else if (REST > 0 && rows == ROWS)
			$name$_tile(ROWS, REST, $k$, i, j, a, $columns$, $b_stride$, $next_names$c$names$);
		else if ($tail$cols == COLS)
			for (int r = 0; r < rows; r++)
				$name$_tile(1, COLS, $k$, i + r, j, a, $columns$, $b_stride$, $next_names$c$names$);
		else if ($tail$REST > 0)
			for (int r = 0; r < rows; r++)
				$name$_tile(1, REST, $k$, i + r, j, a, $columns$, $b_stride$, $next_names$c$names$);
	}
}
#endif

#ifdef TEMPLATE_gemm_strip_sums
/* s (rows,$STRIP$): `cols` columns of sums of `terms` terms, of rows i on */
static NNC_INLINE void $name$_sums(int rows, int cols, int terms, int i, const real *restrict a,
				   const real *restrict b, int width, real *restrict s)
{
	enum { M = $M$, K = $K$, L = NNC_LANES };
	const int vecs = NNC_VECTORS(cols);
	nnc_vec sums[NNC_TILE_MAX];

	tile(rows, vecs, cols - (vecs - 1) * L, $runs$, a + $a_row$, rows, 0,
	     $row_stride$, $term_stride$, $a_run$, b, width, $b_run$, sums);
	for (int r = 0; r < rows; r++)
		memcpy(s + r * $STRIP$, sums + r * vecs, (size_t)cols * sizeof *s);
}

/* A part of what strip k changes comes nearer, beside the sums of columns j on. */
static NNC_INLINE void $name$_fetch(int k, int j$changed$)
{
	enum { M = $M$, N = $N$, ROWS = NNC_ROWS(M), COLS = NNC_COLS(N, $vecs$), STRIP = $STRIP$ };
	enum { ACROSS = (N + STRIP - 1) / STRIP };
	const int i = k / ACROSS * ROWS, j0 = k % ACROSS * STRIP;

	for (int q = j * ROWS; q < (j + COLS) * ROWS; q += NNC_LANES) {
		const int at = (i + q / STRIP) * N + j0 + q % STRIP;
		$fetch$
	}
}
#endif

#ifdef TEMPLATE_gemm_strips
/* $formula$; ROWS rows of it are in memory at a time */
static void $name$(const NncThread *thread, int n, const real *restrict a,
		   const real *restrict b, real *restrict c$params$)
{
	enum { M = $M$, N = $N$, K = $K$, ROWS = NNC_ROWS(M), COLS = NNC_COLS(N, $vecs$), REST = N % COLS };
	enum { STRIP = $STRIP$, ACROSS = (N + STRIP - 1) / STRIP, AHEAD = 2 };
	const NncRange share = nnc_share(thread, (M + ROWS - 1) / ROWS * ACROSS);
	real *sums = thread->scratch;

	for (int k = share.first; k < share.end; k++) {
		const int i = k / ACROSS * ROWS, j0 = k % ACROSS * STRIP;
		const int rows = M - i < ROWS ? M - i : ROWS, wide = N - j0 < STRIP ? N - j0 : STRIP;
		for (int j = j0; j < j0 + wide; j += COLS) {
			real *s = sums + j - j0;
			const int cols = REST > 0 && N - j < COLS ? REST : COLS;
			if (k + AHEAD < share.end)
				$name$_fetch(k + AHEAD, j - j0$changed_names$);
			if (rows == ROWS && cols == COLS)
				$name$_sums(ROWS, COLS, $k$, i, a, $columns$, $b_stride$, s);
			else if (REST > 0 && rows == ROWS)
				$name$_sums(ROWS, REST, $k$, i, a, $columns$, $b_stride$, s);
			else if (M % ROWS > 0 && cols == COLS)
				for (int r = 0; r < rows; r++)
					$name$_sums(1, COLS, $k$, i + r, a, $columns$, $b_stride$, s + r * STRIP);
			else if (M % ROWS > 0 && REST > 0)
				for (int r = 0; r < rows; r++)
					$name$_sums(1, REST, $k$, i + r, a, $columns$, $b_stride$, s + r * STRIP);
		}
		for (int r = 0; r < rows; r++)
			NNC_INDEPENDENT
			for (int q = 0; q < wide; q++) {
				const int j = j0 + q, at = $at$;
				real v = sums[r * STRIP + q];
				$accumulate$
				$epilogue$
				$store$
			}
	}
}
#endif
