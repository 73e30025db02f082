/*
 * conv_dw_direct: the gradient of a convolution's kernel, in tiles that stay in registers
 * while they are summed over lines of outputs; several lines of a small kernel make one tile.
 *
 * Threads share the tiles. A small dw has so few that they share the images instead, which
 * are summed in a fixed number of parts, whatever the number of threads, and the parts added
 * up in their order.
 */
#include "conv_direct.h"

enum { SMALL = 8192 }; /* numbers of dw: those of a part are in the first cache */

static int64_t dw_reals(const Window *w)
{
	return w->kh * w->kw * w->c * w->o;
}

/* Of a tile: those of one line of the kernel, or where two fit, registers are as good as full. */
static int64_t tile_rows(const Window *w)
{
	enum { TALL = 14 };
	int64_t line = w->kw * w->c;
	return w->kh > 1 && 2 * line <= TALL ? 8 : line;
}

static double cost(const Net *net, const Node *n)
{
	Window w = conv_window(n);
	double bytes = 8.0 * (double)net->training.batch * (double)dw_reals(&w);
	return 0.1 + pad_cost(net, &w) + (spread_before(n) ? outputs_cost(net, &w) : 0) +
	       direct_tiles_cost(net, tile_rows(&w), w.o, n->op->flops(net, n)) +
	       bytes / (NOMINAL_GBYTES * 1e3);
}

/* And before the gradient of one, dy of the image. */
static int64_t scratch(const Net *net, const Node *n)
{
	Window w = conv_window(n);
	int64_t image = n->spread ? w.oh * w.ow * w.o : 0;
	(void)net;
	return padded(padded_image_reals(&w)) + image;
}

/* Of the images, or 1: threads share the tiles. */
static int64_t parts(const Net *net, const Window *w)
{
	return dw_reals(w) > SMALL ? 1 : image_parts(net);
}

static int64_t workspace(const Net *net, const Node *n)
{
	Window w = conv_window(n);
	int64_t count = parts(net, &w);
	return count > 1 ? count * dw_reals(&w) : 0;
}

/* As many lines of dy as half of the first cache holds: every tile of dw reads them. */
static int64_t lines_at_a_time(const Window *w)
{
	int64_t lines = 6144 / (w->ow * w->o);
	return lines < 1 ? 1 : lines < w->oh ? lines : w->oh;
}

static void emit(Emit *e, const Node *n)
{
	Window w = conv_window(n);
	const Node *spread = n->spread;
	const char *name = window_name("conv_dw", &w);
	if (spread)
		name = arena_printf("%s_spread_%s", name, op_maxpool.suffix(spread));
	const char *type = spread ? element_type(n->in[2]->element) : "";
	const bool whole = !n->workspace;
	const Hole holes[] = {
		{"PARTS", int_text(parts(e->net, &w))},
		{"source", spread ? arena_printf("dy of a maxpool, by its winners; dy of conv (n,%s)",
						 shape_name(spread->out[0]->shape))
				  : arena_printf("dy (n,%s)", shape_name(n->in[1]->shape))},
		{"RUNS", int_text(lines_at_a_time(&w))},
		{"winner", spread ? arena_printf(", const %s *restrict winner", type) : ""},
		{"lines", spread ? arena_printf("real *d = p + %lld;",
						(long long)padded(padded_image_reals(&w)))
				 : ""},
		{"spread", spread ? arena_printf("%s_image(dy + i * %lld, winner + i * %lld, d);",
						 maxpool_grad_function(e, spread),
						 (long long)shape_size(n->in[1]->shape),
						 (long long)shape_size(n->in[1]->shape))
				  : "const real *d = dy + i * OH * OW * O;"},
	};
	const Hole *all = join_holes(holes, sizeof holes / sizeof *holes,
				     direct_holes(e, n, &w, name));
	emit_function(e, arena_printf("%s_tile", name), "conv_dw_tile", all);
	emit_function(e, arena_printf("%s_add", name), "conv_dw_image", all);
	emit_function(e, name, whole ? "conv_dw_direct" : "conv_dw_parts", all);
	put(e, "%s(thread, n, %s, %s, %s%s%s);", name, ref(n->in[0]), ref(n->in[1]), ref(n->out[0]),
	    spread ? arena_printf(", %s", ref(n->in[2])) : "",
	    whole ? "" : arena_printf(", %s", ref(n->workspace)));
}

const Kernel kernel_conv_dw_direct = {
	.name = "conv_dw_direct",
	.summary = "register tiles of dw, summed over the outputs",
	.op = &op_conv_dw,
	.fits = direct_fits,
	.cost = cost,
	.spreads = true,
	.workspace = workspace,
	.scratch = scratch,
	.emit = emit,
};

#ifdef TEMPLATE_conv_dw_tile
/* rows x cols numbers of dw, from (k0,j0) on: adds what `runs` lines of dy give */
static NNC_INLINE void $name$_tile(int rows, int cols, int k0, int j0, int runs,
		const real *restrict p, const real *restrict dy, real *restrict dw)
{
	enum { C = $C$, OW = $OW$, O = $O$, L = NNC_LANES };
	enum { SH = $SH$, SW = $SW$, PW = $PW$, TERMS = $KW$ * C };
	const int vecs = NNC_VECTORS(cols);
	nnc_vec s[NNC_TILE_MAX];
	const real *sums = (const real *)s;

	tile(rows, vecs, cols - (vecs - 1) * L, runs, OW, p + k0 / TERMS * PW * C + k0 % TERMS,
	     TERMS, PW * C, 1, SW * C, SH * PW * C, dy + j0, O, OW * O, s);
	for (int r = 0; r < rows; r++)
		for (int q = 0; q < cols; q++)
			dw[(k0 + r) * O + j0 + q] += sums[r * vecs * L + q];
}
#endif

#ifdef TEMPLATE_conv_dw_image
/* dw: adds to its tiles first .. end what one image gives; p is the padded image, d its dy */
static void $name$_add(int first, int end, const real *restrict p, const real *restrict d,
		       real *restrict dw)
{
	enum { OH = $OH$, OW = $OW$, O = $O$, TERMS = $KW$ * $C$, RUNS = $RUNS$ };
	enum { LINES = NNC_LINES($KH$, TERMS), ALL = LINES > 1 ? $KH$ * TERMS : TERMS };
	enum { ROWS = LINES > 1 ? LINES * TERMS : NNC_ROWS(TERMS), LAST = ALL % ROWS };
	enum { COLS = NNC_COLS(O, 2), REST = O % COLS, STEP = $SH$ * $PW$ * $C$ };
	enum { DOWN = (ALL + ROWS - 1) / ROWS, ACROSS = (O + COLS - 1) / COLS };
	const int tiles = end - first;

	for (int s = 0; s < (OH + RUNS - 1) / RUNS * tiles; s++) {
		const int line = s / tiles * RUNS, t = first + s % tiles;
		const int runs = OH - line < RUNS ? OH - line : RUNS;
		const int k = t % DOWN * ROWS, j = t / DOWN % ACROSS * COLS;
		const int row = t / DOWN / ACROSS * ALL + k;
		const int rows = LAST > 0 && ALL - k < ROWS ? LAST : ROWS;
		const int cols = REST > 0 && O - j < COLS ? REST : COLS;
		const real *from = p + line * STEP, *dl = d + line * OW * O;
		if (rows == ROWS && cols == COLS)
			$name$_tile(ROWS, COLS, row, j, runs, from, dl, dw);
		else if (REST > 0 && rows == ROWS)
			$name$_tile(ROWS, REST, row, j, runs, from, dl, dw);
		else if (LAST > 0 && cols == COLS)
			$name$_tile(LAST, COLS, row, j, runs, from, dl, dw);
		else if (LAST > 0 && REST > 0)
			$name$_tile(LAST, REST, row, j, runs, from, dl, dw);
	}
}
#endif

#ifdef TEMPLATE_conv_dw_direct
/* dw ($KH$,$KW$,$C$,$O$) from x (n,$H$,$W$,$C$) and $source$ */
static void $name$(const NncThread *thread, int n, const real *restrict x,
		   const real *restrict dy, real *restrict dw$winner$)
{
	enum { H = $H$, W = $W$, C = $C$, OH = $OH$, OW = $OW$, O = $O$, TERMS = $KW$ * C };
	enum { LINES = NNC_LINES($KH$, TERMS), ALL = LINES > 1 ? $KH$ * TERMS : TERMS };
	enum { ROWS = LINES > 1 ? LINES * TERMS : NNC_ROWS(TERMS), COLS = NNC_COLS(O, 2) };
	enum { DOWN = (ALL + ROWS - 1) / ROWS, ACROSS = (O + COLS - 1) / COLS };
	const NncRange share = nnc_share(thread, $KH$ * TERMS / ALL * ACROSS * DOWN);
	real *p = thread->scratch;
	$lines$

	for (int t = share.first; t < share.end; t++)
		for (int r = 0; r < ROWS && t % DOWN * ROWS + r < ALL; r++) {
			const int row = t / DOWN / ACROSS * ALL + t % DOWN * ROWS + r;
			const int j = t / DOWN % ACROSS * COLS;
			memset(dw + row * O + j, 0, (size_t)(O - j < COLS ? O - j : COLS) * sizeof *dw);
		}
	for (int i = 0; i < n; i++) {
		$pad$(x + i * H * W * C, p);
		$spread$
		$name$_add(share.first, share.end, p, d, dw);
	}
}
#endif

#ifdef TEMPLATE_conv_dw_parts
/*
 * dw ($KH$,$KW$,$C$,$O$) from x (n,$H$,$W$,$C$) and $source$;
 * in parts (parts,$KH$,$KW$,$C$,$O$) of some images each
 */
static void $name$(const NncThread *thread, int n, const real *restrict x,
		   const real *restrict dy, real *restrict dw$winner$, real *restrict parts)
{
	enum { H = $H$, W = $W$, C = $C$, OH = $OH$, OW = $OW$, O = $O$, TERMS = $KW$ * C };
	enum { LINES = NNC_LINES($KH$, TERMS), ALL = LINES > 1 ? $KH$ * TERMS : TERMS };
	enum { ROWS = LINES > 1 ? LINES * TERMS : NNC_ROWS(TERMS), COLS = NNC_COLS(O, 2) };
	enum { DOWN = (ALL + ROWS - 1) / ROWS, ACROSS = (O + COLS - 1) / COLS };
	enum { PARTS = $PARTS$, PART = $KH$ * TERMS * O, TILES = $KH$ * TERMS / ALL * ACROSS * DOWN };
	const NncRange share = nnc_share(thread, PARTS);
	real *p = thread->scratch;
	$lines$

	for (int k = share.first; k < share.end; k++) {
		memset(parts + k * PART, 0, PART * sizeof *parts);
		for (int i = k * n / PARTS; i < (k + 1) * n / PARTS; i++) {
			$pad$(x + i * H * W * C, p);
			$spread$
			$name$_add(0, TILES, p, d, parts + k * PART);
		}
	}
	nnc_barrier(thread);
	const NncRange rows = nnc_share(thread, $KH$ * TERMS);
	for (int at = rows.first * O; at < rows.end * O; at++) {
		real sum = 0;
		for (int k = 0; k < PARTS; k++)
			sum += parts[k * PART + at];
		dw[at] = sum;
	}
}
#endif
