/*
 * gemm_halves: c = a b of few rows, in two halves of the terms. As in gemm_parts a thread
 * so reads of b what it will write, as rows of dw, and the two halves keep the sums the
 * same however many threads there are. Here each tile is ended by who has one half in
 * registers; the other's sums are made first of all and have long arrived by then.
 */
#include "nnc.h"

const char *halves_misfit(const Gemm *g)
{
	const char *reason = parts_misfit(g);
	if (reason)
		return reason;
	if (4 * g->n * (g->k - g->k / 2) > NOMINAL_NEAR)
		return "half of b must stay in the second cache";
	return NULL;
}

static const char *fits(const Net *net, const Node *n)
{
	Gemm g = gemm_of(net, n);
	return halves_misfit(&g);
}

/* The sums of whole tiles; threads share less of b, and wait for less, than in gemm_parts. */
double halves_cost(Gemm g)
{
	return 0.94 * tile_cost(g);
}

static double cost(const Net *net, const Node *n)
{
	return halves_cost(gemm_of(net, n));
}

int64_t halves_workspace(const Net *net, const Node *n)
{
	Gemm g = gemm_of(net, n);
	return g.m * g.n;
}

/* Tiles are ended column by column: each half, where an even number of any CPU's are side by side. */
static Split split(const Net *net, const Node *n, char operand)
{
	Gemm g = gemm_of(net, n);
	bool halves = operand == 'a' || (operand == 'c' && has_even_tiles(&g));
	return halves ? SPLIT_HALVES : SPLIT_ANY;
}

/* No tile may be in both halves of c. */
static const char *halves(const Net *net, const Node *n)
{
	Gemm g = gemm_of(net, n);
	return tile_vectors(&g) > 2 ? "a" : "ac";
}

/* Emits how tiles of one half of the terms are made; the holes of that, and the caller's. */
const Hole *halves_functions(Emit *e, const Gemm *g, const char *name, const Hole *extra)
{
	bool halved = gemm_halved(g, 'a');
	const Hole own[] = {
		{"vecs", int_text(tile_vectors(g))},
		{"a_half", halved ? "half * M * (K / 2)" : "half * (K / 2)"},
		{"a_row", halved ? "K / 2" : "K"},
		{"ahead", gemm_halved(g, 'c') ? "nnc_halved(M, N, i + r, j0) + q" : "(i + r) * N + j0 + q"},
	};
	const Hole *holes = gemm_holes(g, name, join_holes(own, sizeof own / sizeof *own, extra));
	use_tile(e);
	emit_function(e, arena_printf("%s_end", name), "gemm_halves_end", holes);
	emit_function(e, arena_printf("%s_tile", name), "gemm_halves_tile", holes);
	emit_function(e, arena_printf("%s_sums", name), "gemm_halves_sums", holes);
	return holes;
}

void call_halves(Emit *e, const Node *n, const char *name)
{
	put(e, "%s(thread, n, %s, %s, %s, %s%s);", name, ref(n->in[0]), ref(n->in[1]),
	    ref(result(n)), ref(n->workspace), epilogue_args(n));
}

static void emit(Emit *e, const Node *n)
{
	static const Hole none[] = {{NULL, NULL}};
	Gemm g = gemm_of(e->net, n);
	const char *name = gemm_name(&g, "_halves");
	emit_function(e, name, "gemm_halves", halves_functions(e, &g, name, none));
	call_halves(e, n, name);
}

const Kernel kernel_gemm_halves = {
	.name = "gemm_halves",
	.summary = "register tiles, one half of the terms after the other",
	.op = &op_gemm,
	.fits = fits,
	.cost = cost,
	.workspace = halves_workspace,
	.meets = true,
	.split = split,
	.halves = halves,
	.emit = emit,
};

#ifdef TEMPLATE_gemm_halves_end
/* rows x cols sums, `width` to a row, of c from (i,j0) on: to p or, if they `end` it, with p's to c */
static NNC_INLINE void $name$_end(int rows, int cols, bool ends, int i, int j0, const real *restrict sums,
		int width, real *restrict c, real *restrict p$params$)
{
	enum { M = $M$, N = $N$ };

	for (int r = 0; r < rows; r++)
		NNC_INDEPENDENT
		for (int q = 0; q < cols; q++) {
			const int j = j0 + q, at = $at$;
			real v = sums[r * width + q];
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

#ifdef TEMPLATE_gemm_halves_tile
/* rows x cols sums of K / 2 terms, from (i,j0) on: to p or, if that `ends` them, with p's to c */
static NNC_INLINE void $name$_tile(int rows, int cols, int terms, bool ends, int i, int j0,
		const real *restrict a, const real *restrict b, real *restrict c, real *restrict p$params$)
{
	enum { M = $M$, N = $N$, K = $K$, L = NNC_LANES, LINE = NNC_ALIGN / sizeof(real) };
	const int vecs = NNC_VECTORS(cols);
	nnc_vec s[NNC_TILE_MAX];

	for (int r = 0; ends && r < rows; r++)
		for (int q = 0; q < cols; q += LINE)
			__builtin_prefetch(p + $ahead$);
	tile(rows, vecs, cols - (vecs - 1) * L, 1, terms, a + i * $a_row$, rows, 0, $a_row$, 1, 0, b + j0, N, 0, s);
	$name$_end(rows, cols, ends, i, j0, (const real *)s, vecs * L, c, p$names$);
}
#endif

#ifdef TEMPLATE_gemm_halves_sums
/* Tiles first to end - 1, of one half of the terms: to p or, if that `ends` them, to c */
static void $name$_sums(int half, int first, int end, bool ends, int n, const real *restrict a,
		const real *restrict b, real *restrict c, real *restrict p$params$)
{
	enum { M = $M$, N = $N$, K = $K$, ROWS = NNC_ROWS(M), COLS = NNC_COLS(N, $vecs$), REST = N % COLS };
	const int down = ($m$ + ROWS - 1) / ROWS;
	const int terms = half ? K - K / 2 : K / 2;

	a += $a_half$, b += half * (K / 2) * N;
	for (int t = first; t < end; t++) {
		const int i = t % down * ROWS, j = t / down * COLS;
		const int rows = $m$ - i < ROWS ? $m$ - i : ROWS;
		const int cols = REST > 0 && N - j < COLS ? REST : COLS;
		if (rows == ROWS && cols == COLS)
			$name$_tile(ROWS, COLS, terms, ends, i, j, a, b, c, p$names$);
		else if (REST > 0 && rows == ROWS)
			$name$_tile(ROWS, REST, terms, ends, i, j, a, b, c, p$names$);
		else if (cols == COLS)
			for (int r = 0; r < rows; r++)
				$name$_tile(1, COLS, terms, ends, i + r, j, a, b, c, p$names$);
		else if (REST > 0)
			for (int r = 0; r < rows; r++)
				$name$_tile(1, REST, terms, ends, i + r, j, a, b, c, p$names$);
	}
}
#endif

#ifdef TEMPLATE_gemm_halves
/* $formula$: by the sums of half the terms, p ($M$,$N$) */
static void $name$(const NncThread *thread, int n, const real *restrict a,
		   const real *restrict b, real *restrict c, real *restrict p$params$)
{
	enum { M = $M$, N = $N$, ROWS = NNC_ROWS(M), COLS = NNC_COLS(N, $vecs$) };
	const int tiles = ($m$ + ROWS - 1) / ROWS * ((N + COLS - 1) / COLS);
	const int left = tiles / 2, right = tiles - left;
	const NncRange share = nnc_share(thread, 2 * right);
	const NncRange one = {share.first, share.end < right ? share.end : right};
	const NncRange two = {share.first > right ? share.first - right : 0, share.end - right};

	/* of two threads each has one half of the terms: first for the tiles that the other ends */
	$name$_sums(0, left + one.first, left + one.end, false, n, a, b, c, p$names$);
	$name$_sums(1, two.first, two.end < left ? two.end : left, false, n, a, b, c, p$names$);
	nnc_barrier(thread);
	$name$_sums(0, one.first, one.end < left ? one.end : left, true, n, a, b, c, p$names$);
	$name$_sums(1, left + two.first, left + two.end, true, n, a, b, c, p$names$);
}
#endif
