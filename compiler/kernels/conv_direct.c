/*
 * conv_direct: no matrix of windows. In a padded image the KW C numbers of one row of a
 * window lie side by side, and the next window begins SW C further on: so one row of
 * outputs is a product whose rows overlap, summed over the KH rows of the window.
 */
#include "conv_direct.h"

/* The padded image that a convolution of these sizes reads. */
static int64_t padded_height(const Window *w)
{
	return (w->oh - 1) * w->sh + w->kh;
}

static int64_t padded_width(const Window *w)
{
	return (w->ow - 1) * w->sw + w->kw;
}

const char *direct_fits(const Net *net, const Node *n)
{
	Window w = conv_window(n);
	(void)net;
	return w.dw != 1 || w.dh != 1 ? "the kernel is dilated" : NULL;
}

/*
 * Tiles of at most 8 rows of outputs by two vectors: fewer than 8 sums wait for one another,
 * and few columns leave lanes empty.
 */
double direct_tiles_cost(const Net *net, int64_t rows, int64_t cols, double flops)
{
	double sums = (double)rows * (cols > 16 ? 2 : 1);
	double height = rows >= 8 ? (rows % 8 && rows % 7 ? 0.7 : 1) : sums < 8 ? sums / 8 : 1;
	double lanes = (double)cols / (double)((cols + 15) / 16 * 16);
	(void)net;
	return flops / (0.8 * height * lanes * NOMINAL_GFLOPS * 1e3);
}

/* Each thread pads the image that it is at. */
int64_t padded_image_reals(const Window *w)
{
	return padded_height(w) * padded_width(w) * w->c;
}

int64_t image_parts(const Net *net)
{
	enum { MOST = 8 };
	int64_t batch = net->training.batch;
	return batch < MOST ? batch : MOST;
}

/* Padding copies an image, which is read once more: mostly from the second cache. */
double pad_cost(const Net *net, const Window *w)
{
	double bytes = 4.0 * (double)padded_image_reals(w);
	return (double)net->training.batch * bytes * (bytes > 32e3 ? 3 : 1) / (NOMINAL_GBYTES * 1e3);
}

/* Four cycles for each vector of outputs that is stored. */
double outputs_cost(const Net *net, const Window *w)
{
	double vectors = (double)(net->training.batch * w->oh * w->ow * ((w->o + 15) / 16));
	return 4 * vectors * 64 / (NOMINAL_GFLOPS * 1e3);
}

static double cost(const Net *net, const Node *n)
{
	Window w = conv_window(n);
	return 0.1 + pad_cost(net, &w) + outputs_cost(net, &w) +
	       direct_tiles_cost(net, w.ow, w.o, n->op->flops(net, n));
}

static int64_t scratch(const Net *net, const Node *n)
{
	Window w = conv_window(n);
	const Node *pool = pool_of(n);
	(void)net;
	return padded(padded_image_reals(&w)) + (pool ? pool_lines_reals(&w, pool) : 0);
}

const Hole *direct_holes(Emit *e, const Node *n, const Window *w, const char *name)
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
		{"padded", int_text(padded(padded_image_reals(w)))},
		{"params", epilogue_params(n)},
		{"names", epilogue_names(n)},
		{"names_at", epilogue_names_at(n, "i * OW * O")},
		{"then", then_text(n)},
		{"epilogue", epilogue_text(n)},
	};
	use_tile(e);
	return window_holes(w, join_holes(more, sizeof more / sizeof *more, sizes + 1));
}

const char *conv_line_function(Emit *e, const Node *n, const Window *w)
{
	const char *name = arena_printf("%s%s", window_name("conv", w), suffixes(n));
	emit_function(e, arena_printf("%s_line", name), "conv_line",
		      direct_holes(e, n, w, name));
	return name;
}

const char *direct_function(Emit *e, const Node *n, const Window *w)
{
	const char *name = conv_line_function(e, n, w);
	emit_function(e, name, "conv_direct", direct_holes(e, n, w, name));
	return name;
}

void call_direct(Emit *e, const Node *n, const char *name, const Tensor *out)
{
	const char *work = n->workspace ? arena_printf(", %s", ref(n->workspace)) : "";
	put(e, "%s(thread, n, %s, %s, %s%s%s);", name, ref(n->in[0]), ref(n->in[1]), ref(out),
	    work, epilogue_args(n));
}

static void emit(Emit *e, const Node *n)
{
	Window w = conv_window(n);
	const Node *pool = pool_of(n);
	if (!pool) {
		call_direct(e, n, direct_function(e, n, &w), result(n));
		return;
	}
	call_pooled(e, n, pooled_function(e, n, &w, pool), pool);
}

const Kernel kernel_conv_direct = {
	.name = "conv_direct",
	.summary = "register tiles over a padded image",
	.op = &op_conv,
	.fits = direct_fits,
	.cost = cost,
	.pools = true,
	.scratch = scratch,
	.emit = emit,
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

#ifdef TEMPLATE_conv_line
/* rows x cols numbers of line y of output line i, from (k0,j0) on; p is the padded image */
static NNC_INLINE void $name$_tile(int rows, int cols, int i, int k0, int j0,
		const real *restrict p, const real *restrict w, real *restrict y$params$)
{
	enum { C = $C$, O = $O$, L = NNC_LANES };
	enum { KH = $KH$, SH = $SH$, SW = $SW$, PW = $PW$, TERMS = $KW$ * C };
	const int vecs = NNC_VECTORS(cols);
	nnc_vec s[NNC_TILE_MAX];
	const real *sums = (const real *)s;

	tile(rows, vecs, cols - (vecs - 1) * L, KH, TERMS, p + (i * SH * PW + k0 * SW) * C, rows, 0,
	     SW * C, 1, PW * C, w + j0, O, TERMS * O, s);
	for (int r = 0; r < rows; r++)
		NNC_INDEPENDENT
		for (int q = 0; q < cols; q++) {
			const int j = j0 + q, at = (k0 + r) * O + j;
			real v = sums[r * vecs * L + q];
			$epilogue$
			y[at] = v;
		}
}

/* y ($OW$,$O$): line i of an image's outputs$then$ */
static void $name$_line(int i, const real *restrict p, const real *restrict w,
			real *restrict y$params$)
{
	enum { OW = $OW$, O = $O$, ROWS = NNC_ROWS(OW), LAST = OW % ROWS };
	enum { COLS = NNC_COLS(O, 2), REST = O % COLS };

	for (int j = 0; j < O; j += COLS)
		for (int k = 0; k < OW; k += ROWS) {
			const int rows = LAST > 0 && OW - k < ROWS ? LAST : ROWS;
			const int cols = REST > 0 && O - j < COLS ? REST : COLS;
			if (rows == ROWS && cols == COLS)
				$name$_tile(ROWS, COLS, i, k, j, p, w, y$names$);
			else if (REST > 0 && rows == ROWS)
				$name$_tile(ROWS, REST, i, k, j, p, w, y$names$);
			else if (LAST > 0 && cols == COLS)
				$name$_tile(LAST, COLS, i, k, j, p, w, y$names$);
			else if (LAST > 0 && REST > 0)
				$name$_tile(LAST, REST, i, k, j, p, w, y$names$);
		}
}
#endif

#ifdef TEMPLATE_conv_direct
/* y (n,$OH$,$OW$,$O$) = x (n,$H$,$W$,$C$) * w ($KH$,$KW$,$C$,$O$)$then$ */
static void $name$(const NncThread *thread, int n, const real *restrict x,
		   const real *restrict w, real *restrict y$params$)
{
	enum { H = $H$, W = $W$, C = $C$, OH = $OH$, OW = $OW$, O = $O$ };
	const NncRange share = nnc_share(thread, n * OH);
	real *p = thread->scratch;

	for (int i = share.first; i < share.end; i++) {
		if (i % OH == 0 || i == share.first)
			$pad$(x + i / OH * H * W * C, p);
		$name$_line(i % OH, p, w, y + i * OW * O$names_at$);
	}
}
#endif
