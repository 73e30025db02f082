/*
 * conv_winograd: for few channels, five products where a direct convolution needs eight.
 * Two neighbours y0, y1 of a line take two taps g0, g1 of the line x0, x1, x2 by Winograd's
 * F(2,2) in three products instead of four (Arithmetic Complexity of Computations, 1980):
 *
 *     y0 = (x0 - x1) g0 + x1 (g0 + g1),    y1 = x1 (g0 + g1) + (x2 - x1) g1
 *
 * so 7 taps, three such pairs and one more, take 11 products instead of 14, and a kernel of
 * 7 x 7, the same done by its lines as well, 121 for 2 x 2 outputs instead of 196. Only
 * neighbours are subtracted, so that it rounds little more than a direct convolution does,
 * and an output still depends on nothing outside its window. A product belongs to both
 * outputs, to the first or to the second, of lines and of columns: nine groups, summed one
 * after the other.
 */
#include "conv_direct.h"

/* Along the lines or the columns of a window: pairs of taps, the tap left over, places. */
typedef struct Halving {
	int64_t pairs, rest, wide;
} Halving;

static Halving halving(int64_t taps, int64_t outputs)
{
	int64_t pairs = taps / 2;
	return (Halving){pairs, taps % 2, (outputs + 1) / 2 + pairs};
}

static int64_t products(Halving h)
{
	return 3 * h.pairs + 2 * h.rest;
}

/* The image in four kinds of lines of four kinds of columns. */
static int64_t image_reals(const Window *w)
{
	return 16 * halving(w->kh, w->oh).wide * halving(w->kw, w->ow).wide * w->c;
}

/* Of a window, for 2 x 2 outputs: each has its weights, and a place where it begins. */
static int64_t window_products(const Window *w)
{
	return products(halving(w->kh, w->oh)) * products(halving(w->kw, w->ow));
}

static int64_t weight_reals(const Window *w)
{
	return window_products(w) * w->c * w->o;
}

/* Two lines are made at a time: those of the pool's windows. */
static bool pools_pairs(const Node *pool)
{
	return pool->attr.kernel[0] == 2 && pool->attr.stride[0] == 2 && pool->attr.pad[0] == 0;
}

static const char *fits(const Net *net, const Node *n)
{
	/* numbers of an image, one line of which is on the stack, and of weights, made by each thread */
	enum { MOST = 1 << 20, MOST_WEIGHTS = 1 << 16 };
	Window w = conv_window(n);
	const Node *pool = pool_behind(n);
	(void)net;
	return w.sh != 1 || w.sw != 1 ? "the stride is not 1"
	       : w.dh != 1 || w.dw != 1 ? "the kernel is dilated"
	       : w.kh < 2 || w.kw < 2 ? "the kernel has no pairs of taps"
	       : image_reals(&w) > MOST ? "the image is too large to transform at once"
	       : weight_reals(&w) > MOST_WEIGHTS ? "too many weights to transform in each step"
	       : pool && !pools_pairs(pool) ? "the maxpool's windows are not of two lines each"
					     : NULL;
}

/* The images are written and read; those beside which the second cache holds little, by each line. */
static double images_cost(const Net *net, const Window *w)
{
	double bytes = 4.0 * (double)image_reals(w);
	return (double)net->training.batch * bytes * (bytes > NOMINAL_NEAR / 2 ? 4 : 1) /
	       (NOMINAL_GBYTES * 1e3);
}

/* All outputs of a tile are stored at once, faster than what is beyond the second cache takes them. */
static double bursts_cost(const Net *net, const Window *w, const Node *pool)
{
	double bytes = 4.0 * (double)(net->training.batch * w->oh * w->ow * w->o);
	return pool || bytes < 4e6 ? 0 : bytes / (NOMINAL_GBYTES * 1e3);
}

static double cost(const Net *net, const Node *n)
{
	Window w = conv_window(n);
	double part = (double)window_products(&w) / (double)(4 * w.kh * w.kw);
	double even = (double)((w.oh + w.oh % 2) * (w.ow + w.ow % 2)) / (double)(w.oh * w.ow);
	/* nine sums of a quarter of the outputs begin and end in memory */
	return 0.1 + images_cost(net, &w) + bursts_cost(net, &w, pool_behind(n)) +
	       1.5 * outputs_cost(net, &w) +
	       4.0 * (double)weight_reals(&w) / (NOMINAL_GBYTES * 1e3) +
	       direct_tiles_cost(net, (w.ow + 1) / 2, w.o, part * even * n->op->flops(net, n));
}

static int64_t scratch(const Net *net, const Node *n)
{
	Window w = conv_window(n);
	(void)net;
	return padded(image_reals(&w)) + padded(weight_reals(&w)) + padded(window_products(&w)) +
	       (pool_of(n) ? 2 * w.ow * w.o : 0);
}

/* The products along lines or columns, as the lines of a table in the generated C. */
static const char *terms_text(Halving h)
{
	const char *both = "", *first = "", *second = "";
	for (int k = 0; k < h.pairs; k++) {
		both = arena_printf("%s {ODD, %d, %d, 1},", both, k, 2 * k);
		first = arena_printf("%s {FIRST, %d, %d, 0},", first, k, 2 * k);
		second = arena_printf("%s {SECOND, %d, %d, 0},", second, k, 2 * k + 1);
	}
	if (h.rest) {
		int last = (int)h.pairs;
		first = arena_printf("%s {EVEN, %d, %d, 0},", first, last, 2 * last);
		second = arena_printf("%s {ODD, %d, %d, 0},", second, last, 2 * last);
	}
	return arena_printf("%s\n%s\n%s", both + 1, first + 1, second + 1);
}

static const Hole *winograd_holes(const Node *n, const Window *w, const char *name)
{
	Halving high = halving(w->kh, w->oh), wide = halving(w->kw, w->ow);
	const Hole holes[] = {
		{"name", name},
		{"window", window_name("winograd", w)},
		{"HIGH", int_text(high.wide)},
		{"WIDE", int_text(wide.wide)},
		{"PAIRS_H", int_text(high.pairs)},
		{"PAIRS_W", int_text(wide.pairs)},
		{"ALL_H", int_text(high.pairs + high.rest)},
		{"ALL_W", int_text(wide.pairs + wide.rest)},
		{"lines", terms_text(high)},
		{"columns", terms_text(wide)},
		{"image", int_text(padded(image_reals(w)))},
		{"weights", int_text(padded(weight_reals(w)))},
		{"places", int_text(padded(window_products(w)))},
		{"params", epilogue_params(n)},
		{"names", epilogue_names(n)},
		{"names_at", epilogue_names_at(n, "from")},
		{"then", then_text(n)},
		{"epilogue", epilogue_text(n)},
	};
	return window_holes(w, join_holes(holes, sizeof holes / sizeof *holes, NULL));
}

static void emit_parts(Emit *e, const Hole *holes)
{
	const char *window = find_hole(holes, "window"), *name = find_hole(holes, "name");
	emit_function(e, arena_printf("%s_image", window), "winograd_image", holes);
	emit_function(e, arena_printf("%s_weights", window), "winograd_weights", holes);
	emit_function(e, "tile_taps", "tile_taps", holes);
	emit_function(e, arena_printf("%s_sums", window), "winograd_sums", holes);
	emit_function(e, arena_printf("%s_lines", name), "winograd_lines", holes);
}

static void emit(Emit *e, const Node *n)
{
	Window w = conv_window(n);
	const Node *pool = pool_of(n);
	const char *name = arena_printf("%s%s", window_name("conv_winograd", &w), suffixes(n));
	if (!pool) {
		const Hole *holes = winograd_holes(n, &w, name);
		emit_parts(e, holes);
		emit_function(e, name, "conv_winograd", holes);
		call_direct(e, n, name, result(n));
		return;
	}
	Node conv = *n; /* nothing is fused with it but the maxpool, which has what comes after */
	conv.fused_count = 0;
	const Hole *holes = winograd_holes(&conv, &w, name);
	emit_parts(e, holes);
	const Hole line[] = {{"pool", maxpool_line_function(e, pool)}, {NULL, NULL}};
	emit_function(e, name, "winograd_pool", join_holes(line, 1, pool_holes(pool, holes)));
	call_pooled(e, n, name, pool);
}

const Kernel kernel_conv_winograd = {
	.name = "conv_winograd",
	.summary = "F(2,2) of pairs of taps, for few channels",
	.op = &op_conv,
	.fits = fits,
	.cost = cost,
	.pools = true,
	.scratch = scratch,
	.emit = emit,
};

#ifdef TEMPLATE_winograd_image
/*
 * q ($HIGH$,4,4,$WIDE$,$C$): of the padded image x ($H$,$W$,$C$) the even lines, the odd ones, even
 * less odd, the next even less odd; the same of the columns of each
 */
static void $window$_image(const real *restrict x, real *restrict q)
{
	enum { H = $H$, W = $W$, C = $C$, TOP = $TOP$, LEFT = $LEFT$ };
	enum { HIGH = $HIGH$, WIDE = $WIDE$ * C, LINE = 4 * WIDE };
	real line[2 * WIDE + 2 * C] = {0};

	for (int i = 0; i < 2 * HIGH; i++) {
		real *even = q + (i / 2 * 4 + i % 2) * LINE, *odd = even + WIDE;
		real *first = odd + WIDE, *second = first + WIDE;
		if (i >= TOP && i < TOP + H)
			memcpy(line + LEFT * C, x + (i - TOP) * W * C, W * C * sizeof *line);
		else
			memset(line, 0, sizeof line);
		for (int k = 0; k < WIDE; k += C)
			for (int c = 0; c < C; c++) {
				const real *p = line + 2 * k + c;
				even[k + c] = p[0];
				odd[k + c] = p[C];
				first[k + c] = p[0] - p[C];
				second[k + c] = p[2 * C] - p[C];
			}
	}
	for (int i = 0; i < HIGH; i++, q += 4 * LINE) {
		const real *even = q, *odd = q + LINE, *next = i < HIGH - 1 ? q + 4 * LINE : q;
		for (int k = 0; k < LINE; k++) {
			q[2 * LINE + k] = even[k] - odd[k];
			q[3 * LINE + k] = next[k] - odd[k];
		}
	}
}
#endif

#ifdef TEMPLATE_winograd_weights
/*
 * The products of a window, in nine groups: u (products,$C$,$O$), what they take of
 * w ($KH$,$KW$,$C$,$O$), and where they begin in the image, starts
 */
static void $window$_weights(const real *restrict w, real *restrict u, int *restrict starts)
{
	enum { KW = $KW$, SIZE = $C$ * $O$, WIDE = $WIDE$ * $C$ };
	enum { EVEN, ODD, FIRST, SECOND };
	/* which lines and columns, from where on; which tap, and whether the next is added */
	static const struct {
		int kind, from, tap, more;
	} lines[] = {
		$lines$
	}, columns[] = {
		$columns$
	};
	/* of both outputs, of the first, of the second */
	static const int high[] = {0, $PAIRS_H$, $PAIRS_H$ + $ALL_H$, $PAIRS_H$ + 2 * $ALL_H$};
	static const int wide[] = {0, $PAIRS_W$, $PAIRS_W$ + $ALL_W$, $PAIRS_W$ + 2 * $ALL_W$};

	for (int g = 0; g < 9; g++)
		for (int i = high[g / 3]; i < high[g / 3 + 1]; i++)
			for (int k = wide[g % 3]; k < wide[g % 3 + 1]; k++, u += SIZE) {
				*starts++ = (lines[i].from * 16 + lines[i].kind * 4 + columns[k].kind) * WIDE +
					columns[k].from * $C$;
				memset(u, 0, SIZE * sizeof *u);
				for (int y = 0; y <= lines[i].more; y++)
					for (int x = 0; x <= columns[k].more; x++) {
						const int tap = (lines[i].tap + y) * KW + columns[k].tap + x;
						for (int j = 0; j < SIZE; j++)
							u[j] += w[tap * SIZE + j];
					}
			}
}
#endif

#ifdef TEMPLATE_tile_taps
/*
 * s: adds to rows x vecs vectors `taps` taps of `channels` terms each, a number of a times
 * a vector of b. a has a row every `channels`, tap k from starts[k] on; b a term every `bk`.
 * The last vector has `last` columns.
 */
static NNC_INLINE void tile_taps(int rows, int vecs, int last, int taps, int channels,
				 const int *restrict starts, const real *restrict a,
				 const real *restrict b, int bk, nnc_vec *restrict s)
{
	nnc_vec sum[NNC_TILE_MAX];

	NNC_UNROLL
	for (int i = 0; i < rows * vecs; i++)
		sum[i] = s[i];
	for (int k = 0; k < taps; k++)
		for (int c = 0; c < channels; c++, b += bk) {
			nnc_vec bv[NNC_TILE_MAX];
			NNC_UNROLL
			for (int q = 0; q < vecs; q++)
				bv[q] = nnc_load(b + q * NNC_LANES, q < vecs - 1 ? NNC_LANES : last);
			NNC_UNROLL
			for (int r = 0; r < rows; r++) {
				const real x = a[starts[k] + r * channels + c];
				NNC_UNROLL
				for (int q = 0; q < vecs; q++)
					sum[r * vecs + q] += x * bv[q];
			}
		}
	NNC_UNROLL
	for (int i = 0; i < rows * vecs; i++)
		s[i] = sum[i];
}
#endif

#ifdef TEMPLATE_winograd_sums
/* s: `rows` places by `vecs` vectors of four outputs each, two of one line, two of the next */
static NNC_INLINE void $window$_sums(int rows, int vecs, int last, const int *restrict starts,
		const real *restrict q, const real *restrict u, nnc_vec s[4][NNC_TILE_MAX])
{
	enum { C = $C$, O = $O$, SIZE = C * O, HIGH = $ALL_H$, WIDE = $ALL_W$ };
	enum { BOTH_H = $PAIRS_H$, BOTH_W = $PAIRS_W$, GROUPS = BOTH_W + 2 * WIDE }; /* of a line */
	nnc_vec left[NNC_TILE_MAX] = {{0}}, right[NNC_TILE_MAX];

	/* what both lines have in common: of both columns, of the left ones, of the right ones */
	tile_taps(rows, vecs, last, BOTH_H * BOTH_W, C, starts, q, u, O, left);
	starts += BOTH_H * BOTH_W, u += BOTH_H * BOTH_W * SIZE;
	NNC_UNROLL
	for (int i = 0; i < rows * vecs; i++)
		right[i] = left[i];
	tile_taps(rows, vecs, last, BOTH_H * WIDE, C, starts, q, u, O, left);
	starts += BOTH_H * WIDE, u += BOTH_H * WIDE * SIZE;
	tile_taps(rows, vecs, last, BOTH_H * WIDE, C, starts, q, u, O, right);
	starts += BOTH_H * WIDE, u += BOTH_H * WIDE * SIZE;
	for (int line = 0; line < 2; line++, s += 2, starts += HIGH * GROUPS, u += HIGH * GROUPS * SIZE) {
		const int *own = starts + HIGH * BOTH_W;
		const real *weights = u + HIGH * BOTH_W * SIZE;
		nnc_vec both[NNC_TILE_MAX] = {{0}};
		tile_taps(rows, vecs, last, HIGH * BOTH_W, C, starts, q, u, O, both);
		NNC_UNROLL
		for (int i = 0; i < rows * vecs; i++) {
			s[0][i] = left[i] + both[i];
			s[1][i] = right[i] + both[i];
		}
		tile_taps(rows, vecs, last, HIGH * WIDE, C, own, q, weights, O, s[0]);
		tile_taps(rows, vecs, last, HIGH * WIDE, C, own + HIGH * WIDE, q,
			  weights + HIGH * WIDE * SIZE, O, s[1]);
	}
}
#endif

#ifdef TEMPLATE_winograd_lines
/* y (2,$OW$,$O$): of lines 2 i and 2 i + 1 of an image, `rows` pairs of places by `cols` channels */
static NNC_INLINE void $name$_tile(int rows, int cols, int i, int k0, int j0,
		const int *restrict starts, const real *restrict q, const real *restrict u,
		real *restrict y$params$)
{
	enum { C = $C$, OH = $OH$, OW = $OW$, O = $O$, L = NNC_LANES, WIDE = $WIDE$ };
	const int vecs = NNC_VECTORS(cols), lines = OH - 2 * i < 2 ? 1 : 2;
	const int places = OW - 2 * k0 < 2 * rows ? OW - 2 * k0 : 2 * rows;
	nnc_vec s[4][NNC_TILE_MAX];

	$window$_sums(rows, vecs, cols - (vecs - 1) * L, starts, q + (i * 16 * WIDE + k0) * C, u + j0, s);
	for (int line = 0; line < lines; line++)
		for (int k = 0; k < places; k++) {
			const real *sums = (const real *)(s[2 * line + k % 2] + k / 2 * vecs);
			NNC_INDEPENDENT
			for (int r = 0; r < cols; r++) {
				const int j = j0 + r, at = (line * OW + 2 * k0 + k) * O + j;
				real v = sums[r];
				$epilogue$
				y[at] = v;
			}
		}
}

/* y (2,$OW$,$O$): lines 2 i and 2 i + 1 of an image's outputs$then$ */
static void $name$_lines(int i, const int *restrict starts, const real *restrict q,
			 const real *restrict u, real *restrict y$params$)
{
	enum { PAIRS = ($OW$ + 1) / 2, O = $O$, ROWS = NNC_ROWS(PAIRS), LAST = PAIRS % ROWS };
	enum { COLS = NNC_COLS(O, 2), REST = O % COLS };

	for (int j = 0; j < O; j += COLS)
		for (int k = 0; k < PAIRS; k += ROWS) {
			const int rows = LAST > 0 && PAIRS - k < ROWS ? LAST : ROWS;
			const int cols = REST > 0 && O - j < COLS ? REST : COLS;
			if (rows == ROWS && cols == COLS)
				$name$_tile(ROWS, COLS, i, k, j, starts, q, u, y$names$);
			else if (REST > 0 && rows == ROWS)
				$name$_tile(ROWS, REST, i, k, j, starts, q, u, y$names$);
			else if (LAST > 0 && cols == COLS)
				$name$_tile(LAST, COLS, i, k, j, starts, q, u, y$names$);
			else if (LAST > 0 && REST > 0)
				$name$_tile(LAST, REST, i, k, j, starts, q, u, y$names$);
		}
}
#endif

#ifdef TEMPLATE_conv_winograd
/* y (n,$OH$,$OW$,$O$) = x (n,$H$,$W$,$C$) * w ($KH$,$KW$,$C$,$O$)$then$ */
static void $name$(const NncThread *thread, int n, const real *restrict x,
		   const real *restrict w, real *restrict y$params$)
{
	enum { IMAGE = $H$ * $W$ * $C$, OH = $OH$, LINE = $OW$ * $O$, PAIRS = (OH + 1) / 2 };
	const NncRange share = nnc_share(thread, n * PAIRS);
	real *q = thread->scratch, *u = q + $image$;
	int *starts = (int *)(u + $weights$);

	if (share.first < share.end)
		$window$_weights(w, u, starts);
	for (int i = share.first; i < share.end; i++) {
		const int from = (i / PAIRS * OH + i % PAIRS * 2) * LINE;
		if (i % PAIRS == 0 || i == share.first)
			$window$_image(x + i / PAIRS * IMAGE, q);
		$name$_lines(i % PAIRS, starts, q, u, y + from$names_at$);
	}
}
#endif

#ifdef TEMPLATE_winograd_pool
/*
 * y (n,$POOL_H$,$POOL_LINE$), winner: x (n,$H$,$W$,$C$) * w ($KH$,$KW$,$C$,$O$)$pool_then$;
 * only the lines of one row of windows are in memory at a time
 */
static void $name$(const NncThread *thread, int n, const real *restrict x,
		   const real *restrict w, real *restrict y, $index$ *restrict winner$pool_params$)
{
	enum { IMAGE = $H$ * $W$ * $C$, POOLED = $POOL_H$, LINE = $POOL_LINE$ };
	const NncRange share = nnc_share(thread, n * POOLED);
	real *q = thread->scratch, *u = q + $image$, *lines = u + $weights$ + $places$;
	int *starts = (int *)(u + $weights$);

	if (share.first < share.end)
		$window$_weights(w, u, starts);
	for (int i = share.first; i < share.end; i++) {
		if (i % POOLED == 0 || i == share.first)
			$window$_image(x + i / POOLED * IMAGE, q);
		$name$_lines(i % POOLED, starts, q, u, lines);
		$pool$_line(i % POOLED, i % POOLED * 2, lines, y + i * LINE, winner + i * LINE$pool_names$);
	}
}
#endif
