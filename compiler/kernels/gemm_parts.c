/*
 * gemm_parts: c = a b of few rows in two parts, of half the terms each. What threads cost
 * each other is then b: each should read only what it will write, as rows of dw. There are
 * two parts however many threads there are, which is what keeps the sums the same.
 *
 * A large b comes from far away, and the tiles of one panel of columns would fetch a line
 * from each of its rows: a thread goes through b by some rows, of all its columns, at a
 * time, and fetches the next ones meanwhile.
 */
#include "nnc.h"

enum {
	LEAST_DEPTH = 16,
	ENOUGH = 128, /* terms, beside which a tile's way from memory and back takes little */
	FEW_ROWS = 8, /* of a: b is read once */
};

const char *parts_misfit(const Gemm *g)
{
	if (g->ta || g->tb)
		return "neither a nor b may be transposed";
	if (g->k < 64 || g->k < 4 * g->m)
		return "it is for 64 terms or more, and four times as many as rows";
	return NULL;
}

static const char *fits(const Net *net, const Node *n)
{
	Gemm g = gemm_of(net, n);
	return parts_misfit(&g);
}

/* The sums of whole tiles; threads share less of b. */
static double cost(const Net *net, const Node *n)
{
	return 0.95 * tile_cost(gemm_of(net, n));
}

static int64_t workspace(const Net *net, const Node *n)
{
	Gemm g = gemm_of(net, n);
	return 2 * g.m * g.n;
}

/*
 * How many terms at a time: all that a part has; or, for many rows, of what does not stay in
 * the cache a quarter of it, beside which there is room for the next that comes meanwhile.
 */
static int64_t depth(const Gemm *g)
{
	int64_t part = g->k - g->k / 2, near = NOMINAL_NEAR / 4 / g->n;
	if (g->m <= FEW_ROWS || part <= near)
		return part;
	int64_t rows = near / 4;
	if (rows < ENOUGH)
		rows = near < ENOUGH ? near : ENOUGH;
	return rows < LEAST_DEPTH ? LEAST_DEPTH : rows / LEAST_DEPTH * LEAST_DEPTH;
}

/* Emits the function that sums the parts, which no epilogue changes; its name. */
static const char *sums_function(Emit *e, const Gemm *of)
{
	Gemm g = *of;
	g.node = NULL;
	bool near = depth(&g) == g.k - g.k / 2; /* what is in the cache needs no fetching */
	const char *name = gemm_name(&g, "_sums");
	const Hole extra[] = {
		{"vecs", int_text(tile_vectors(&g))},
		{"depth", int_text(depth(&g))},
		{"from", near ? "" : "const real *next = b + (k + DEPTH < K ? k + DEPTH : 0) * N;"},
		{"more", near ? "false" : "k > first"},
		{"advance", near ? "" : "next += terms * AHEAD;"},
	};
	const Hole *holes = gemm_holes(&g, name, join_holes(extra, sizeof extra / sizeof *extra,
							    tile_ahead_holes(e, !near)));
	emit_function(e, arena_printf("%s_tile", name), "gemm_sums_tile", holes);
	emit_function(e, name, "gemm_sums", holes);
	return name;
}

static void emit(Emit *e, const Node *n)
{
	Gemm g = gemm_of(e->net, n);
	const char *name = gemm_name(&g, "_parts");
	const Hole extra[] = {{"sums", sums_function(e, &g)}, {NULL, NULL}};
	emit_function(e, name, "gemm_parts", gemm_holes(&g, name, extra));
	put(e, "%s(thread, n, %s, %s, %s, %s%s);", name, ref(n->in[0]), ref(n->in[1]),
	    ref(result(n)), ref(n->workspace), epilogue_args(n));
}

const Kernel kernel_gemm_parts = {
	.name = "gemm_parts",
	.summary = "register tiles, for two halves of the terms",
	.op = &op_gemm,
	.fits = fits,
	.cost = cost,
	.workspace = workspace,
	.meets = true,
	.emit = emit,
};

#ifdef TEMPLATE_gemm_sums_tile
/* rows x cols numbers of p, from (i,j) on: sums of `terms` terms, with what is there if `more` */
static NNC_INLINE void $name$_tile(int rows, int cols, int terms, bool more, int i, int j,
		const real *restrict a, const real *restrict b, $next_params$real *restrict p)
{
	enum { N = $N$, K = $K$, L = NNC_LANES };
	const int vecs = NNC_VECTORS(cols);
	nnc_vec s[NNC_TILE_MAX];
	const real *sums = (const real *)s;

	$tile$(rows, vecs, cols - (vecs - 1) * L, 1, terms, a + i * K, rows, 0, K, 1, 0, b + j, N,
	     0, $next$s);
	for (int r = 0; r < rows; r++)
		NNC_INDEPENDENT
		for (int q = 0; q < cols; q++) {
			const int at = (i + r) * N + j + q;
			const real v = sums[r * vecs * L + q];
			p[at] = more ? p[at] + v : v;
		}
}
#endif

#ifdef TEMPLATE_gemm_sums
/* p (2,$M$,$N$): the two parts of a b, of half the terms each */
static void $name$(const NncThread *thread, int n, const real *restrict a,
		   const real *restrict b, real *restrict p)
{
	enum { M = $M$, N = $N$, K = $K$, ROWS = NNC_ROWS(M), COLS = NNC_COLS(N, $vecs$), REST = N % COLS };
	enum { ACROSS = (N + COLS - 1) / COLS, DEPTH = $depth$$AHEAD$ };
	const int down = ($m$ + ROWS - 1) / ROWS, tiles = down * ACROSS;
	const NncRange share = nnc_share(thread, 2 * tiles);

	for (int part = 0; part < 2; part++, p += M * N) {
		const int first = part ? K / 2 : 0, last = part ? K : K / 2;
		const int start = share.first - part * tiles, end = share.end - part * tiles;
		for (int k = first; k < last; k += DEPTH) {
			const int terms = last - k < DEPTH ? last - k : DEPTH;
			$from$
			for (int t = start < 0 ? 0 : start; t < end && t < tiles; t++) {
				const int i = t % down * ROWS, j = t / down * COLS;
				const int rows = $m$ - i < ROWS ? $m$ - i : ROWS;
				const int cols = REST > 0 && N - j < COLS ? REST : COLS;
				const real *ak = a + k, *bk = b + k * N;
				if (rows == ROWS && cols == COLS)
					$name$_tile(ROWS, COLS, terms, $more$, i, j, ak, bk, $next_names$p);
				else if (REST > 0 && rows == ROWS)
					$name$_tile(ROWS, REST, terms, $more$, i, j, ak, bk, $next_names$p);
				else if (cols == COLS)
					for (int r = 0; r < rows; r++)
						$name$_tile(1, COLS, terms, $more$, i + r, j, ak, bk, $next_names$p);
				else if (REST > 0)
					for (int r = 0; r < rows; r++)
						$name$_tile(1, REST, terms, $more$, i + r, j, ak, bk, $next_names$p);
				$advance$
			}
		}
	}
}
#endif

#ifdef TEMPLATE_gemm_parts
/* $formula$: in two parts p (2,$M$,$N$) */
static void $name$(const NncThread *thread, int n, const real *restrict a,
		   const real *restrict b, real *restrict c, real *restrict p$params$)
{
	enum { M = $M$, N = $N$, BLOCK = NNC_ALIGN / sizeof(real) };

	$sums$(thread, n, a, b, p);
	nnc_barrier(thread);
	const NncRange share = nnc_share(thread, (N + BLOCK - 1) / BLOCK);
	const int end = share.end * BLOCK < N ? share.end * BLOCK : N;
	for (int i = 0; i < $m$; i++)
		NNC_INDEPENDENT
		for (int j = share.first * BLOCK; j < end; j++) {
			const int at = i * N + j;
			real v = p[at] + p[M * N + at];
			$epilogue$
			c[at] = v;
		}
}
#endif
