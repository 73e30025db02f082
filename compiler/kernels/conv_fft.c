/*
 * conv_fft: a convolution is a product in the bins of its Fourier transform. Whole images
 * are transformed, lanes being channels, and in each bin the channels are summed by a
 * complex gemm (n x C)(C x O). The cost hardly depends on the kernel's size. conv_dx is
 * the same with w turned round, as in conv_direct; conv_dw has the product x^H dy.
 */
#include "fft/fft.h"

#define MAX_WORKSPACE ((int64_t)1 << 28) /* reals */

static Transform transform(const Net *net, const Window *w)
{
	Transform t;
	bool ok = transform_of(w, net->training.batch, &t);
	assert(ok);
	(void)ok;
	return t;
}

/* Tiles reach most of the peak, if there are rows enough; transforms mostly move data. */
static double cost_of(const Net *net, Window w)
{
	Transform t = transform(net, &w);
	double share = net->training.batch < 8 ? 0.2 : 0.75;
	return 1 + 32 * t.products / (share * NOMINAL_GFLOPS * 1e3) +
	       32 * t.operations / (0.35 * NOMINAL_GFLOPS * 1e3) +
	       128 * t.lines / (NOMINAL_GBYTES * 1e3);
}

static double cost(const Net *net, const Node *n)
{
	return cost_of(net, conv_window(n));
}

/* Vectors of 16 numbers, the widest: fewer lanes never need more numbers. */
static int64_t vectors(int64_t numbers)
{
	return (numbers + 15) / 16;
}

/* As the enums of the templates have it. */
typedef struct Sizes {
	int64_t x, w, y;        /* vectors of real parts: of a bin's images, taps, outputs */
	int64_t xlines, wlines, ylines; /* of a column's lines, both parts */
} Sizes;

static Sizes sizes_of(const Net *net, const Window *w)
{
	int64_t n = net->training.batch;
	Sizes s = {n * vectors(w->c), w->c * vectors(w->o), n * vectors(w->o), 0, 0, 0};
	s.xlines = s.x * w->h * 2;
	s.wlines = s.w * w->kh * 2;
	s.ylines = s.y * w->oh * 2;
	return s;
}

static int64_t larger(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* Lines of a and of b, a's shared with c: what all threads work on. */
static int64_t line_reals(const Transform *t, int64_t alines, int64_t blines, int64_t clines)
{
	int64_t columns = t->pw / 2 + 1;
	return 16 * columns * ((larger(alines, clines) | 1) + (blines | 1));
}

/* The bins of a column of all three, and what a product needs: of each thread. */
static int64_t column_reals(const Transform *t, const Sizes *s, int64_t sums)
{
	return 16 * (t->ph * (2 * (s->x + s->w + s->y) + 3) + sums);
}

static int64_t forward_reals(const Net *net, const Window *w)
{
	Transform t = transform(net, w);
	Sizes s = sizes_of(net, w);
	return line_reals(&t, s.xlines, s.wlines, s.ylines) +
	       padded(net->training.batch * w->h * w->w); /* seen, less than a real each */
}

static int64_t forward_scratch(const Net *net, const Window *w)
{
	Transform t = transform(net, w);
	Sizes s = sizes_of(net, w);
	return column_reals(&t, &s, s.x + s.w);
}

static const char *fits(const Net *net, const Node *n)
{
	Window w = conv_window(n);
	Transform t;
	if (w.sh != 1 || w.sw != 1)
		return "the stride is not 1";
	if (w.dh != 1 || w.dw != 1)
		return "the kernel is dilated";
	if (w.c < 8 || w.o < 8)
		return "fewer than 8 channels";
	if (!transform_of(&w, net->training.batch, &t))
		return "the image is too large for one transform";
	if (forward_reals(net, &w) > MAX_WORKSPACE)
		return "its spectra would take more than 1 GB";
	return NULL;
}

static int64_t workspace(const Net *net, const Node *n)
{
	Window w = conv_window(n);
	return forward_reals(net, &w);
}

static int64_t scratch(const Net *net, const Node *n)
{
	Window w = conv_window(n);
	return forward_scratch(net, &w);
}

static int64_t dw_workspace(const Net *net, const Node *n)
{
	Window w = conv_window(n);
	Transform t = transform(net, &w);
	Sizes s = sizes_of(net, &w);
	return line_reals(&t, s.xlines, s.ylines, s.wlines);
}

static int64_t dw_scratch(const Net *net, const Node *n)
{
	Window w = conv_window(n);
	Transform t = transform(net, &w);
	Sizes s = sizes_of(net, &w);
	return column_reals(&t, &s, s.x + s.y);
}

static int64_t dx_workspace(const Net *net, const Node *n)
{
	Window w = turned_window(n);
	return padded(w.kh * w.kw * w.c * w.o) + forward_reals(net, &w);
}

static int64_t dx_scratch(const Net *net, const Node *n)
{
	Window w = turned_window(n);
	return forward_scratch(net, &w);
}

static const Hole *fft_holes(const Net *net, const Window *w, const Transform *t,
			     const Hole *extra, size_t count)
{
	const Hole holes[] = {
		{"N", int_text(net->training.batch)},
		{"PH", int_text(t->ph)},
		{"PW", int_text(t->pw)},
		{NULL, NULL},
	};
	return window_holes(w, join_holes(extra, count, holes));
}

/* The same for conv and conv_dx; only conv's zeros are worth keeping. */
static const char *forward_function(Emit *e, const Node *n, const Window *w)
{
	bool zeros = n->op == &op_conv;
	Transform t = transform(e->net, w);
	int64_t batch = e->net->training.batch;
	Lines x = image_lines(batch, w->h, w->w, w->c), taps = tap_lines(w);
	Lines y = image_lines(batch, w->oh, w->ow, w->o);
	const char *name = arena_printf("%s%s", window_name(zeros ? "conv_fft" : "conv_of_turned_fft", w),
					suffixes(n));
	const Hole holes[] = {
		{"name", name},
		{"x_lines", lines_function(e, &x, &t)},
		{"w_lines", lines_function(e, &taps, &t)},
		{"x_columns", columns_function(e, &x, &t, false)},
		{"w_columns", columns_function(e, &taps, &t, false)},
		{"product", product_function(e, batch, w->c, w->o, false)},
		{"y_columns", columns_function(e, &y, &t, true)},
		{"y_lines", inverse_lines_function(e, &y, &t, n, zeros ? w : NULL)},
		{"find", zeros ? arena_printf("uint8_t *seen = (uint8_t *)(taps + COLUMNS * TAPS);\n"
					      "%s(thread, n, x, seen);", seen_function(e, &x)) : ""},
		{"seen", zeros ? ", seen" : ""},
		{"then", then_text(n)},
		{"params", epilogue_params(n)},
		{"names", epilogue_names(n)},
	};
	emit_function(e, name, "conv_fft",
		      fft_holes(e->net, w, &t, holes, sizeof holes / sizeof *holes));
	return name;
}

static void call(Emit *e, const Node *n, const char *name, const Tensor *out)
{
	put(e, "%s(thread, n, %s, %s, %s, %s%s);", name, ref(n->in[0]), ref(n->in[1]), ref(out),
	    ref(n->workspace), epilogue_args(n));
}

static void emit(Emit *e, const Node *n)
{
	Window w = conv_window(n);
	call(e, n, forward_function(e, n, &w), result(n));
}

static void emit_dx(Emit *e, const Node *n)
{
	Window w = turned_window(n);
	const char *name = arena_printf("%s%s", window_name("conv_dx_fft", &w), suffixes(n));
	const Hole holes[] = {
		{"name", name},
		{"turn", turn_function(e, &w)},
		{"conv", forward_function(e, n, &w)},
		{"then", then_text(n)},
		{"params", epilogue_params(n)},
		{"names", epilogue_names(n)},
		{"padded", int_text(padded(w.kh * w.kw * w.c * w.o))},
		{NULL, NULL},
	};
	emit_function(e, name, "conv_dx_fft", window_holes(&w, holes));
	call(e, n, name, result(n));
}

static void emit_dw(Emit *e, const Node *n)
{
	Window w = conv_window(n);
	Transform t = transform(e->net, &w);
	int64_t batch = e->net->training.batch;
	Lines x = image_lines(batch, w.h, w.w, w.c), taps = tap_lines(&w);
	Lines dy = image_lines(batch, w.oh, w.ow, w.o);
	const char *name = arena_printf("%s%s", window_name("conv_dw_fft", &w), suffixes(n));
	const Hole holes[] = {
		{"name", name},
		{"x_lines", lines_function(e, &x, &t)},
		{"dy_lines", lines_function(e, &dy, &t)},
		{"x_columns", columns_function(e, &x, &t, false)},
		{"dy_columns", columns_function(e, &dy, &t, false)},
		{"product", product_function(e, batch, w.c, w.o, true)},
		{"dw_columns", columns_function(e, &taps, &t, true)},
		{"dw_lines", inverse_lines_function(e, &taps, &t, n, NULL)},
		{"then", then_text(n)},
		{"params", epilogue_params(n)},
		{"names", epilogue_names(n)},
	};
	emit_function(e, name, "conv_dw_fft",
		      fft_holes(e->net, &w, &t, holes, sizeof holes / sizeof *holes));
	call(e, n, name, n->out[0]);
}

const Kernel kernel_conv_fft = {
	.name = "conv_fft",
	.summary = "products in the bins of whole images' Fourier transforms",
	.op = &op_conv,
	.fits = fits,
	.cost = cost,
	.workspace = workspace,
	.scratch = scratch,
	.emit = emit,
};

const Kernel kernel_conv_dx_fft = {
	.name = "conv_dx_fft",
	.summary = "products in the bins of whole images' Fourier transforms",
	.op = &op_conv_dx,
	.fits = fits,
	.cost = cost,
	.workspace = dx_workspace,
	.scratch = dx_scratch,
	.emit = emit_dx,
};

const Kernel kernel_conv_dw_fft = {
	.name = "conv_dw_fft",
	.summary = "products in the bins of whole images' Fourier transforms",
	.op = &op_conv_dw,
	.fits = fits,
	.cost = cost,
	.updates = true,
	.workspace = dw_workspace,
	.scratch = dw_scratch,
	.emit = emit_dw,
};

#ifdef TEMPLATE_conv_fft
/*
 * y (n,$OH$,$OW$,$O$) = x (n,$H$,$W$,$C$) * w ($KH$,$KW$,$C$,$O$)$then$: transforms of
 * $PH$ x $PW$ places, a column of bins at a time
 */
static void $name$(const NncThread *thread, int n, const real *restrict x,
		   const real *restrict w, real *restrict y, real *restrict work$params$)
{
	enum { C = $C$, CV = NNC_VECTORS(C), OV = NNC_VECTORS($O$) };
	enum { PH = $PH$, MIDDLE = $PW$ / 2, COLUMNS = MIDDLE + 1 };
	enum { XPART = $N$ * CV, WPART = C * OV, YPART = $N$ * OV }; /* of a bin */
	enum { XL = XPART * $H$ * 2, WL = WPART * $KH$ * 2, YL = YPART * $OH$ * 2 };
	enum { XBIN = 2 * XPART | 1, WBIN = 2 * WPART | 1, YBIN = 2 * YPART | 1 };
	enum { LINES = (XL > YL ? XL : YL) | 1, TAPS = WL | 1 };
	nnc_vec *lines = (nnc_vec *)work, *taps = lines + COLUMNS * LINES;
	nnc_vec *xf = thread->scratch, *wf = xf + PH * XBIN, *yf = wf + PH * WBIN;
	nnc_vec *sums = yf + PH * YBIN;
	const NncRange share = nnc_share(thread, COLUMNS);

	$find$
	$x_lines$(thread, n, x, lines, LINES);
	$w_lines$(thread, C, w, taps, TAPS);
	nnc_barrier(thread);
	for (int i = share.first; i < share.end; i++) {
		const bool half = i % MIDDLE == 0;
		$x_columns$(n, lines + i * LINES, xf, half);
		$w_columns$(C, taps + i * TAPS, wf, half);
		for (int k = 0; k < (half ? PH / 2 + 1 : PH); k++)
			$product$(n, xf + k * XBIN, wf + k * WBIN, yf + k * YBIN, sums);
		$y_columns$(n, yf, lines + i * LINES, half);
	}
	nnc_barrier(thread);
	$y_lines$(thread, n, lines, LINES, y$seen$$names$);
}
#endif

#ifdef TEMPLATE_conv_dx_fft
/* dx (n,$OH$,$OW$,$O$) from dy (n,$H$,$W$,$C$) and w ($KH$,$KW$,$O$,$C$)$then$ */
static void $name$(const NncThread *thread, int n, const real *restrict dy,
		   const real *restrict w, real *restrict dx, real *restrict work$params$)
{
	$turn$(thread, w, work);
	nnc_barrier(thread);
	$conv$(thread, n, dy, work, dx, work + $padded$$names$);
}
#endif

#ifdef TEMPLATE_conv_dw_fft
/*
 * dw ($KH$,$KW$,$C$,$O$) from x (n,$H$,$W$,$C$) and dy (n,$OH$,$OW$,$O$)$then$: transforms
 * of $PH$ x $PW$ places, a column of bins at a time
 */
static void $name$(const NncThread *thread, int n, const real *restrict x,
		   const real *restrict dy, real *restrict dw, real *restrict work$params$)
{
	enum { C = $C$, CV = NNC_VECTORS(C), OV = NNC_VECTORS($O$) };
	enum { PH = $PH$, MIDDLE = $PW$ / 2, COLUMNS = MIDDLE + 1 };
	enum { XPART = $N$ * CV, WPART = C * OV, YPART = $N$ * OV }; /* of a bin */
	enum { XL = XPART * $H$ * 2, WL = WPART * $KH$ * 2, YL = YPART * $OH$ * 2 };
	enum { XBIN = 2 * XPART | 1, WBIN = 2 * WPART | 1, YBIN = 2 * YPART | 1 };
	enum { LINES = (XL > WL ? XL : WL) | 1, DLINES = YL | 1 };
	nnc_vec *lines = (nnc_vec *)work, *dlines = lines + COLUMNS * LINES;
	nnc_vec *xf = thread->scratch, *wf = xf + PH * XBIN, *yf = wf + PH * WBIN;
	nnc_vec *sums = yf + PH * YBIN;
	const NncRange share = nnc_share(thread, COLUMNS);

	$x_lines$(thread, n, x, lines, LINES);
	$dy_lines$(thread, n, dy, dlines, DLINES);
	nnc_barrier(thread);
	for (int i = share.first; i < share.end; i++) {
		const bool half = i % MIDDLE == 0;
		$x_columns$(n, lines + i * LINES, xf, half);
		$dy_columns$(n, dlines + i * DLINES, yf, half);
		for (int k = 0; k < (half ? PH / 2 + 1 : PH); k++)
			$product$(n, xf + k * XBIN, yf + k * YBIN, wf + k * WBIN, sums);
		$dw_columns$(C, wf, lines + i * LINES, half);
	}
	nnc_barrier(thread);
	$dw_lines$(thread, C, lines, LINES, dw$names$);
}
#endif
