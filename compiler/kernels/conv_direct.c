/*
 * conv_direct: no matrix of windows. In a padded image the KW C numbers of one row of a
 * window lie side by side, and the next window begins SW C further on: so one row of
 * outputs is a product whose rows overlap, summed over the KH rows of the window.
 * conv_dx is the same with dy padded and w turned round; conv_dw sums over outputs.
 */
#include "nnc.h"

/* The padded image that a convolution of these sizes reads. */
static int64_t padded_height(const Window *w)
{
	return (w->oh - 1) * w->sh + w->kh;
}

static int64_t padded_width(const Window *w)
{
	return (w->ow - 1) * w->sw + w->kw;
}

/* dx as a convolution: over dy, C and O exchanged, padded by what is missing. */
Window turned_window(const Node *n)
{
	Window w = conv_window(n), t = w;
	t.h = w.oh;
	t.w = w.ow;
	t.c = w.o;
	t.oh = w.h;
	t.ow = w.w;
	t.o = w.c;
	t.top = w.kh - 1 - w.top;
	t.left = w.kw - 1 - w.left;
	return t;
}

static const char *fits(const Net *net, const Node *n)
{
	Window w = conv_window(n);
	(void)net;
	return w.dw != 1 || w.dh != 1 ? "the kernel is dilated" : NULL;
}

static const char *dx_fits(const Net *net, const Node *n)
{
	Window w = conv_window(n);
	if (w.sh != 1 || w.sw != 1)
		return "the stride is not 1";
	return fits(net, n);
}

/* Tiles of at most 8 rows of outputs: short rows, and few columns, leave lanes empty. */
static double tiles_cost(const Net *net, int64_t rows, int64_t cols, double flops)
{
	double height = rows % 8 == 0 || rows % 7 == 0 ? 1 : rows < 8 ? (double)rows / 8 : 0.7;
	double lanes = (double)cols / (double)((cols + 15) / 16 * 16);
	(void)net;
	return flops / (0.8 * height * lanes * NOMINAL_GFLOPS * 1e3);
}

static double cost(const Net *net, const Node *n)
{
	Window w = conv_window(n);
	return 1 + tiles_cost(net, w.ow, w.o, n->op->flops(net, n));
}

static double dx_cost(const Net *net, const Node *n)
{
	Window w = conv_window(n);
	return 1 + tiles_cost(net, w.w, w.c, n->op->flops(net, n));
}

static double dw_cost(const Net *net, const Node *n)
{
	Window w = conv_window(n);
	double bytes = 8.0 * (double)net->training.batch * (double)(w.kh * w.kw * w.c * w.o);
	return 1 + tiles_cost(net, w.kw * w.c, w.o, n->op->flops(net, n)) +
	       bytes / (NOMINAL_GBYTES * 1e3);
}

static int64_t workspace(const Net *net, const Node *n)
{
	Window w = conv_window(n);
	(void)net;
	return padded_height(&w) * padded_width(&w) * w.c;
}

static int64_t dx_workspace(const Net *net, const Node *n)
{
	Window w = turned_window(n);
	(void)net;
	return padded(padded_height(&w) * padded_width(&w) * w.c) + w.kh * w.kw * w.c * w.o;
}

static const Hole *direct_holes(Emit *e, const Node *n, const Window *w, const char *name)
{
	Window image = *w;
	image.o = 0; /* the filters do not matter to the padding, nor to its name */
	const char *pad = window_name("pad", &image);
	const Hole sizes[] = {
		{"name", pad},
		{"PH", int_text(padded_height(w))},
		{"PW", int_text(padded_width(w))},
		{NULL, NULL},
	};
	emit_function(e, pad, "conv_pad", window_holes(w, sizes));
	const Hole more[] = {
		{"name", name},
		{"pad", pad},
		{"params", epilogue_params(n)},
		{"then", then_text(n)},
		{"epilogue", epilogue_text(n)},
	};
	use_tile(e);
	return window_holes(w, join_holes(more, sizeof more / sizeof *more, sizes + 1));
}

static const char *direct_function(Emit *e, const Node *n, const Window *w)
{
	const char *name = arena_printf("%s%s", window_name("conv", w), suffixes(n));
	emit_function(e, name, "conv_direct", direct_holes(e, n, w, name));
	return name;
}

static void call(Emit *e, const Node *n, const char *name, const Tensor *out)
{
	put(e, "%s(n, %s, %s, %s, %s%s);", name, ref(n->in[0]), ref(n->in[1]), ref(out),
	    ref(n->workspace), epilogue_args(n));
}

static void emit(Emit *e, const Node *n)
{
	Window w = conv_window(n);
	call(e, n, direct_function(e, n, &w), result(n));
}

const char *turn_function(Emit *e, const Window *w)
{
	const char *name = arena_printf("turn_%lldx%lldx%lldx%lld", (long long)w->kh,
					(long long)w->kw, (long long)w->o, (long long)w->c);
	const Hole holes[] = {{"name", name}, {NULL, NULL}};
	emit_function(e, name, "conv_turn", window_holes(w, holes));
	return name;
}

static void emit_dx(Emit *e, const Node *n)
{
	Window w = turned_window(n);
	const char *name = arena_printf("%s%s", window_name("conv_dx", &w), suffixes(n));
	const Hole holes[] = {
		{"name", name},
		{"turn", turn_function(e, &w)},
		{"conv", direct_function(e, n, &w)},
		{"then", then_text(n)},
		{"params", epilogue_params(n)},
		{"names", epilogue_names(n)},
		{"padded", int_text(padded(padded_height(&w) * padded_width(&w) * w.c))},
		{NULL, NULL},
	};
	emit_function(e, name, "conv_dx_direct", window_holes(&w, holes));
	call(e, n, name, result(n));
}

static void emit_dw(Emit *e, const Node *n)
{
	Window w = conv_window(n);
	const char *name = window_name("conv_dw", &w);
	emit_function(e, name, "conv_dw_direct", direct_holes(e, n, &w, name));
	call(e, n, name, n->out[0]);
}

const Kernel kernel_conv_direct = {
	.name = "conv_direct",
	.summary = "register tiles over a padded image",
	.op = &op_conv,
	.fits = fits,
	.cost = cost,
	.workspace = workspace,
	.emit = emit,
};

const Kernel kernel_conv_dx_direct = {
	.name = "conv_dx_direct",
	.summary = "register tiles over padded dy, w turned round",
	.op = &op_conv_dx,
	.fits = dx_fits,
	.cost = dx_cost,
	.workspace = dx_workspace,
	.emit = emit_dx,
};

const Kernel kernel_conv_dw_direct = {
	.name = "conv_dw_direct",
	.summary = "register tiles of dw, summed over the outputs",
	.op = &op_conv_dw,
	.fits = fits,
	.cost = dw_cost,
	.workspace = workspace,
	.emit = emit_dw,
};

#ifdef TEMPLATE_conv_pad
/* p ($PH$,$PW$,$C$): one image x ($H$,$W$,$C$) with zeros around it */
static void $name$(const real *restrict x, real *restrict p)
{
	enum { H = $H$, W = $W$, C = $C$, PH = $PH$, PW = $PW$, TOP = $TOP$, LEFT = $LEFT$ };
	enum { COLS = W < PW - LEFT ? W : PW - LEFT };

	memset(p, 0, PH * PW * C * sizeof *p);
	for (int i = 0; i < H && i + TOP < PH; i++)
		memcpy(p + ((i + TOP) * PW + LEFT) * C, x + i * W * C, COLS * C * sizeof *p);
}
#endif

#ifdef TEMPLATE_conv_direct
/* y (n,$OH$,$OW$,$O$) = x (n,$H$,$W$,$C$) * w ($KH$,$KW$,$C$,$O$)$then$ */
static void $name$(int n, const real *restrict x, const real *restrict w, real *restrict y,
		   real *restrict p$params$)
{
	enum { H = $H$, W = $W$, C = $C$, OH = $OH$, OW = $OW$, O = $O$ };
	enum { KH = $KH$, SH = $SH$, SW = $SW$, PW = $PW$, TERMS = $KW$ * C };
	enum { ROWS = NNC_ROWS(OW), COLS = 2 * NNC_LANES };

	for (int i = 0; i < n * OH; i++) {
		if (i % OH == 0)
			$pad$(x + i / OH * H * W * C, p);
		for (int j0 = 0; j0 < O; j0 += COLS)
			for (int k0 = 0; k0 < OW; k0 += ROWS) {
				const int rows = OW - k0 < ROWS ? OW - k0 : ROWS;
				const int cols = O - j0 < COLS ? O - j0 : COLS;
				real t[ROWS * COLS] = {0};
				tile(ROWS, rows, cols, KH, TERMS, p + (i % OH * SH * PW + k0 * SW) * C,
				     SW * C, 1, PW * C, w + j0, O, TERMS * O, t, COLS);
				for (int r = 0; r < rows; r++)
					for (int q = 0; q < cols; q++) {
						const int j = j0 + q, at = (i * OW + k0 + r) * O + j;
						real v = t[r * COLS + q];
						$epilogue$
						y[at] = v;
					}
			}
	}
}
#endif

#ifdef TEMPLATE_conv_turn
/* t ($KH$,$KW$,$C$,$O$) = w ($KH$,$KW$,$O$,$C$), each tap transposed, the taps in reverse */
static void $name$(const real *restrict w, real *restrict t)
{
	enum { TAPS = $KH$ * $KW$, C = $C$, O = $O$ };

	for (int k = 0; k < TAPS; k++)
		for (int j = 0; j < O; j++)
			for (int i = 0; i < C; i++)
				t[((TAPS - 1 - k) * C + i) * O + j] = w[(k * O + j) * C + i];
}
#endif

#ifdef TEMPLATE_conv_dx_direct
/* dx (n,$OH$,$OW$,$O$) from dy (n,$H$,$W$,$C$) and w ($KH$,$KW$,$O$,$C$)$then$ */
static void $name$(int n, const real *restrict dy, const real *restrict w, real *restrict dx,
		   real *restrict p$params$)
{
	real *wt = p + $padded$;

	$turn$(w, wt);
	$conv$(n, dy, wt, dx, p$names$);
}
#endif

#ifdef TEMPLATE_conv_dw_direct
/* dw ($KH$,$KW$,$C$,$O$) from x (n,$H$,$W$,$C$) and dy (n,$OH$,$OW$,$O$)$then$ */
static void $name$(int n, const real *restrict x, const real *restrict dy,
		   real *restrict dw, real *restrict p$params$)
{
	enum { H = $H$, W = $W$, C = $C$, OH = $OH$, OW = $OW$, O = $O$ };
	enum { KH = $KH$, SH = $SH$, SW = $SW$, PW = $PW$, TERMS = $KW$ * C };
	enum { ROWS = NNC_TILE_ROWS, COLS = 2 * NNC_LANES };

	for (int i = 0; i < KH * TERMS * O; i++)
		dw[i] = 0;
	for (int i = 0; i < n; i++) {
		$pad$(x + i * H * W * C, p);
		for (int ky = 0; ky < KH; ky++)
			for (int j0 = 0; j0 < O; j0 += COLS)
				for (int k0 = 0; k0 < TERMS; k0 += ROWS) {
					const int rows = TERMS - k0 < ROWS ? TERMS - k0 : ROWS;
					const int cols = O - j0 < COLS ? O - j0 : COLS;
					real t[ROWS * COLS] = {0};
					tile(ROWS, rows, cols, OH, OW, p + ky * PW * C + k0, 1, SW * C,
					     SH * PW * C, dy + i * OH * OW * O + j0, O, OW * O, t, COLS);
					for (int r = 0; r < rows; r++)
						for (int q = 0; q < cols; q++)
							dw[(ky * TERMS + k0 + r) * O + j0 + q] +=
								t[r * COLS + q];
				}
	}
}
#endif
