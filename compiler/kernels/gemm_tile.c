/*
 * gemm_tile: c in tiles of ROWS rows by VECS vectors that stay in registers over all K
 * terms, in GCC's vector extensions. The rows of a are broadcast, b is read a vector
 * at a time; a transposed a only changes two strides, a transposed b is copied first.
 */
#include "nnc.h"

enum {
	FEW_WEIGHTS = 4096,    /* that it is not worth it to change in another way */
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

/* The step that changes weights by their gradient g, which is then done with; or NULL. */
static const Node *step_of(const Gemm *g)
{
	bool one = g->ta && g->node && g->node->fused_count == 1;
	return one && g->node->fused[0]->op == &op_update ? g->node->fused[0] : NULL;
}

/* Does it take long: are there many weights, from far or by more than a product and a sum? */
bool is_long_step(const Emit *e, const Gemm *g)
{
	const Node *step = step_of(g);
	return step && g->rows == 'k' && g->m * g->n > FEW_WEIGHTS &&
	       (*fetch_text(e, g->node) || !step->attr.optimizer->vectors);
}

/* What moves the weights at `at` by a vector v of gradients; NULL: only numbers are moved. */
const char *vector_step(Emit *e, const Gemm *g)
{
	const Node *step = step_of(g);
	return step ? step->op->whole(e, step) : NULL;
}

/* Weights that are moved by vectors, from the registers that the sums are in. */
static const char *whole_text(Emit *e, const Gemm *g)
{
	const char *text = vector_step(e, g);
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

/* How a whole tile is made, and its weights are changed: at once. */
static const Hole *at_once_holes(const Hole *holes)
{
	const Hole parts[] = {
		{"begin", ""},
		{"whole_tile", fill_lines(find_template("gemm_whole_tile"), holes)},
		{"end", ""},
	};
	return join_holes(parts, sizeof parts / sizeof *parts, holes);
}

/*
 * Or, where that takes long, beside the sums of the next one: what comes from far is fetched
 * meanwhile, and a root or a division does not keep the products from going on. It needs
 * registers, but less than it saves from far.
 */
static const Hole *beside_holes(Emit *e, const Gemm *g, const char *name, const Hole *holes)
{
	const char *fetch = fetch_text(e, g->node);
	const Hole changed[] = {{"fetch", fetch}, {NULL, NULL}};
	const Hole own[] = {
		{"where", *fetch ? "" : "NNC_TILE_BESIDE && "},
		{"fetch_params", *fetch ? "int next, " : ""},
		{"fetch_names", *fetch ? "(ahead / ACROSS * ROWS) * N + ahead % ACROSS * COLS, " : ""},
		{"ahead", *fetch ? "const int ahead = k + AHEAD < share.end ? k + AHEAD : k;" : ""},
		{"AHEAD", *fetch ? ", AHEAD = 4" : ""}, /* tiles; tile_ahead, for b^T, has its own */
		{"fetch", *fetch ? fill_lines(find_template("gemm_beside_fetch"), changed) : ""},
	};
	holes = join_holes(own, sizeof own / sizeof *own, holes);
	emit_function(e, arena_printf("%s_change", name), "gemm_change", holes);
	emit_function(e, arena_printf("%s_beside", name), "gemm_beside", holes);
	const Hole parts[] = {
		{"begin", fill_lines(find_template("gemm_beside_begin"), holes)},
		{"whole_tile", fill_lines(find_template("gemm_beside_tile"), holes)},
		{"end", fill_lines(find_template("gemm_beside_end"), holes)},
	};
	return join_holes(parts, sizeof parts / sizeof *parts, holes);
}

/* The function that computes g by tiles; emitted once. */
const char *tile_function(Emit *e, const Gemm *g)
{
	const char *name = gemm_name(g, "");
	const Hole whole[] = {{"whole", whole_text(e, g)}};
	const Hole *holes = join_holes(whole, 1, tile_holes(e, g, name));
	emit_function(e, arena_printf("%s_tile", name), "gemm_one_tile", holes);
	emit_function(e, name, "gemm_tile", is_long_step(e, g) ? beside_holes(e, g, name, holes)
							       : at_once_holes(holes));
	return name;
}

bool has_even_tiles(const Gemm *g)
{
	return g->n % (2 * MAX_LANES * tile_vectors(g)) == 0;
}

/*
 * Rows of dw are columns of a; other tiles are taken column by column. An even number of them,
 * of any CPU, divides them in two.
 */
Split tile_split(const Net *net, const Node *n, char operand)
{
	Gemm g = gemm_of(net, n);
	if (g.ta)
		return operand == 'a' && g.m % TWO_TILES == 0 ? SPLIT_HALVES : SPLIT_ANY;
	return operand == 'c' && has_even_tiles(&g) ? SPLIT_HALVES : SPLIT_ANY;
}

const char *tile_halves(const Net *net, const Node *n)
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
	.split = tile_split,
	.halves = tile_halves,
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
	$begin$

	for (int k = share.first; k < share.end; k++) {
		const int i = $i$ * ROWS, j = $j$ * COLS;
		const int rows = $m$ - i < ROWS ? $m$ - i : ROWS;
		const int cols = REST > 0 && N - j < COLS ? REST : COLS;
		$from$
		$turn$
		$whole_tile$ if (REST > 0 && rows == ROWS)
			$name$_tile(ROWS, REST, $k$, i, j, a, $columns$, $b_stride$, $next_names$c$names$);
		else if ($tail$cols == COLS)
			for (int r = 0; r < rows; r++)
				$name$_tile(1, COLS, $k$, i + r, j, a, $columns$, $b_stride$, $next_names$c$names$);
		else if ($tail$REST > 0)
			for (int r = 0; r < rows; r++)
				$name$_tile(1, REST, $k$, i + r, j, a, $columns$, $b_stride$, $next_names$c$names$);
	}
	$end$
}
#endif

#ifdef TEMPLATE_gemm_whole_tile
if (rows == ROWS && cols == COLS)
	$name$_tile(ROWS, COLS, $k$, i, j, a, $columns$, $b_stride$, $next_names$c$names$);
else
#endif

#ifdef TEMPLATE_gemm_change
/* Changes row r of a tile from (i,j0) on, whose sums are s. */
static NNC_INLINE void $name$_change(int r, int i, int j0, const nnc_vec *restrict s,
				     real *restrict c$params$)
{
	enum { N = $N$, COLS = NNC_COLS(N, $vecs$), VECS = NNC_VECTORS(COLS) };
	const real *sums = (const real *)(s + r * VECS);

	NNC_INDEPENDENT
	for (int q = 0; q < COLS; q++) {
		const int j = j0 + q, at = $at$;
		real v = sums[q];
		$epilogue$
		$store$
	}
}
#endif

#ifdef TEMPLATE_gemm_beside
/* s: the sums of a tile; beside them the one from (i,j) on is changed, whose sums s was. */
static NNC_INLINE void $name$_beside(const real *restrict a, const real *restrict b, int width,
				     $fetch_params$int i, int j, nnc_vec *restrict s,
				     real *restrict c$params$)
{
	enum { M = $M$, N = $N$, K = $K$, ROWS = NNC_ROWS(M), COLS = NNC_COLS(N, $vecs$) };
	enum { VECS = NNC_VECTORS(COLS), LAST = COLS - (VECS - 1) * NNC_LANES, TERMS = K / ROWS };
	nnc_vec sum[NNC_TILE_MAX] = {{0}};

	for (int r = 0; r < ROWS; r++) {
		tile_terms(ROWS, VECS, LAST, TERMS, a + r * TERMS * $term_stride$, ROWS, 0, 1,
			   $term_stride$, b + r * TERMS * width, width, sum);
		$fetch$
		$name$_change(r, i, j, s, c$names$);
	}
	tile_terms(ROWS, VECS, LAST, K % ROWS, a + ROWS * TERMS * $term_stride$, ROWS, 0, 1,
		   $term_stride$, b + ROWS * TERMS * width, width, sum);
	NNC_UNROLL
	for (int q = 0; q < ROWS * VECS; q++)
		s[q] = sum[q];
}
#endif

#ifdef TEMPLATE_gemm_beside_fetch
for (int q = 0; q < COLS; q += (int)(NNC_ALIGN / sizeof(real))) {
	const int at = next + r * N + q;
	$fetch$
}
#endif

#ifdef TEMPLATE_gemm_beside_begin
enum { VECS = NNC_VECTORS(COLS) };
const bool beside = $where$n == K && !keep;
nnc_vec s[NNC_TILE_MAX]; /* of a tile that is still to be changed, */
int last = -1;           /* if there is one: which */
#endif

#ifdef TEMPLATE_gemm_beside_tile
if (rows == ROWS && cols == COLS) {
	$ahead$
	if (!beside || last < 0)
		tile(ROWS, VECS, COLS - (VECS - 1) * NNC_LANES, 1, n, a + $a_row$, ROWS, 0, 1,
		     $term_stride$, 0, $columns$, $b_stride$, 0, s);
	else
		$name$_beside(a + $a_row$, $columns$, $b_stride$, $fetch_names$last / ACROSS * ROWS,
			      last % ACROSS * COLS, s, c$names$);
	for (int r = 0; !beside && r < ROWS; r++)
		$name$_change(r, i, j, s, c$names$);
	last = beside ? k : -1;
} else
#endif

#ifdef TEMPLATE_gemm_beside_end
for (int r = 0; last >= 0 && r < ROWS; r++)
	$name$_change(r, last / ACROSS * ROWS, last % ACROSS * COLS, s, c$names$);
#endif
