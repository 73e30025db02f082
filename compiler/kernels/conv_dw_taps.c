/*
 * conv_dw_taps: the gradient of a small kernel, lanes being its taps: each output adds its
 * window times dy to the sums of its channel. Behind a maxpool only the outputs that won
 * have a gradient, one of each of the pool's windows, and the others are never looked at.
 *
 * Images are summed in a fixed number of parts, whatever the number of threads, and the
 * parts added up in their order.
 */
#include "conv_direct.h"

enum {
	MAX_TAPS = 256, /* of a window, all channels: more is a matter of transforms and tiles */
};

static int64_t taps(const Window *w)
{
	return w->kh * w->kw * w->c;
}

/* With as many lanes as any CPU has. */
static int64_t padded_taps(const Window *w)
{
	return (taps(w) + 15) / 16 * 16;
}

static const char *fits(const Net *net, const Node *n)
{
	Window w = conv_window(n);
	if (taps(&w) > MAX_TAPS)
		return "a window has more than 256 numbers";
	return direct_fits(net, n);
}

/* What chooses the outputs that matter: a maxpool behind them, or windows of one each. */
static Window choice_of(const Node *n, const Node *spread)
{
	Window w = conv_window(n);
	if (spread)
		return window_of(&spread->attr, result(spread)->shape, spread->in[0]->shape);
	return (Window){.h = w.oh, .w = w.ow, .c = w.o, .oh = w.oh, .ow = w.ow, .o = w.o,
			.kh = 1, .kw = 1, .sh = 1, .sw = 1, .dh = 1, .dw = 1};
}

static int64_t windows_of_line(const Window *pool)
{
	return pool->ow * pool->kh * pool->kw;
}

/* Cycles: of each line of a window that is copied, and of each output that is added. */
static double cost(const Net *net, const Node *n)
{
	Window w = conv_window(n), pool = choice_of(n, spread_before(n));
	double vectors = (double)padded_taps(&w) / 16, batch = (double)net->training.batch;
	double line = 1 + (double)((w.kw * w.c + 15) / 16);
	double copies = (double)(pool.oh * windows_of_line(&pool) * w.kh) * line;
	double each = (spread_before(n) ? 1.1 : 0.9) * vectors + 0.2;
	double sums = (double)(pool.oh * pool.ow * w.o) * each;
	return 1 + pad_cost(net, &w) + batch * (copies + sums) * 64 / (NOMINAL_GFLOPS * 1e3);
}

static int64_t workspace(const Net *net, const Node *n)
{
	Window w = conv_window(n);
	return image_parts(net) * w.o * padded_taps(&w);
}

/* A padded image and the windows of one line. */
static int64_t scratch(const Net *net, const Node *n)
{
	Window w = conv_window(n), pool = choice_of(n, n->spread);
	(void)net;
	return padded(padded_image_reals(&w)) + windows_of_line(&pool) * padded_taps(&w);
}

static void emit(Emit *e, const Node *n)
{
	Window w = conv_window(n), pool = choice_of(n, n->spread);
	const Node *spread = n->spread;
	const char *part = window_name("conv_dw_taps", &w);
	if (spread)
		part = arena_printf("%s_spread_%s", part, op_maxpool.suffix(spread));
	const char *name = arena_printf("%s%s", part, suffixes(n));
	const char *type = spread ? element_type(n->in[2]->element) : "";
	const Hole holes[] = {
		{"part", part},
		{"source", spread ? arena_printf("dy of a maxpool, by its winners; dy of conv (n,%s)",
						 shape_name(spread->out[0]->shape))
				  : arena_printf("dy (n,%s)", shape_name(n->in[1]->shape))},
		{"PARTS", int_text(image_parts(e->net))},
		{"POOL_H", int_text(pool.oh)},
		{"POOL_W", int_text(pool.ow)},
		{"POOL_KH", int_text(pool.kh)},
		{"POOL_KW", int_text(pool.kw)},
		{"POOL_SH", int_text(pool.sh)},
		{"POOL_SW", int_text(pool.sw)},
		{"POOL_TOP", int_text(pool.top)},
		{"POOL_LEFT", int_text(pool.left)},
		{"winner", spread ? arena_printf(", const %s *restrict winner", type) : ""},
		{"winner_i", spread ? ", winner + i * LINE" : ""},
		{"winner_j", spread ? ", winner + j" : ""},
		{"place", spread ? " + (size_t)winner[r] * WIDTH" : ""},
		{"next", spread ? ", winner += O" : ""},
		{"store", store_text(n, "dw[at]")},
	};
	const Hole *all = join_holes(holes, sizeof holes / sizeof *holes,
				     direct_holes(e, n, &w, name));
	emit_function(e, arena_printf("%s_windows", part), "conv_dw_windows", all);
	emit_function(e, arena_printf("%s_add", part), "conv_dw_add", all);
	emit_function(e, arena_printf("%s_line", part), "conv_dw_line", all);
	emit_function(e, name, "conv_dw_taps", all);
	put(e, "%s(thread, n, %s, %s, %s%s, %s%s);", name, ref(n->in[0]), ref(n->in[1]),
	    ref(n->out[0]), spread ? arena_printf(", %s", ref(n->in[2])) : "",
	    ref(n->workspace), epilogue_args(n));
}

const Kernel kernel_conv_dw_taps = {
	.name = "conv_dw_taps",
	.summary = "lanes over the taps, of the outputs that a maxpool chose",
	.op = &op_conv_dw,
	.fits = fits,
	.cost = cost,
	.updates = true,
	.spreads = true,
	.workspace = workspace,
	.scratch = scratch,
	.emit = emit,
};

#ifdef TEMPLATE_conv_dw_windows
/* to: the windows of the outputs that line i chooses from; p is the padded image */
static void $part$_windows(int i, const real *restrict p, real *restrict to)
{
	enum { C = $C$, OH = $OH$, OW = $OW$, KH = $KH$, LINE = $KW$ * C, SH = $SH$, SW = $SW$ };
	enum { PW = $PW$, WIDTH = NNC_VECTORS(KH * LINE) * NNC_LANES };
	enum { WIDE = $POOL_W$, HIGH = $POOL_KH$, PLACES = HIGH * $POOL_KW$ };

	for (int k = 0; k < WIDE * PLACES; k++, to += WIDTH) {
		const int y = i * $POOL_SH$ - $POOL_TOP$ + k % PLACES / $POOL_KW$;
		const int x = k / PLACES * $POOL_SW$ - $POOL_LEFT$ + k % $POOL_KW$;
		if (y < 0 || y >= OH || x < 0 || x >= OW)
			continue; /* it never wins */
		for (int ky = 0; ky < KH; ky++)
			memcpy(to + ky * LINE, p + ((y * SH + ky) * PW + x * SW) * C, LINE * sizeof *p);
	}
}
#endif

#ifdef TEMPLATE_conv_dw_add
/* s: adds what one line of dy gives to `vecs` vectors of taps of `rows` channels */
static NNC_INLINE void $part$_add(int rows, int vecs, const nnc_vec *restrict windows,
		const real *restrict dy$winner$, nnc_vec *restrict s)
{
	enum { O = $O$, WIDE = $POOL_W$, PLACES = $POOL_KH$ * $POOL_KW$ };
	enum { WIDTH = NNC_VECTORS($KH$ * $KW$ * $C$) };
	nnc_vec t[NNC_TILE_MAX];

	NNC_UNROLL
	for (int k = 0; k < rows * vecs; k++)
		t[k] = s[k / vecs * WIDTH + k % vecs];
	for (int p = 0; p < WIDE; p++, windows += PLACES * WIDTH, dy += O$next$)
		NNC_UNROLL
		for (int r = 0; r < rows; r++) {
			const nnc_vec *x = windows$place$;
			NNC_UNROLL
			for (int q = 0; q < vecs; q++)
				t[r * vecs + q] += dy[r] * x[q];
		}
	NNC_UNROLL
	for (int k = 0; k < rows * vecs; k++)
		s[k / vecs * WIDTH + k % vecs] = t[k];
}
#endif

#ifdef TEMPLATE_conv_dw_line
/* sums ($O$,taps): adds what one line of dy gives */
static void $part$_line(const nnc_vec *restrict windows, const real *restrict dy$winner$,
			nnc_vec *restrict sums)
{
	enum { O = $O$, WIDTH = NNC_VECTORS($KH$ * $KW$ * $C$) };
	enum { VECS = NNC_PARTS(WIDTH, NNC_PARTS(WIDTH, 4)), LAST = WIDTH % VECS };
	enum { MOST = NNC_TILE_SUMS / VECS, ROWS = O < MOST ? O : MOST, REST = O % ROWS };

	for (int j = 0; j < O; j += ROWS)
		for (int v = 0; v < WIDTH; v += VECS) {
			nnc_vec *s = sums + j * WIDTH + v;
			if (O - j >= ROWS && WIDTH - v >= VECS)
				$part$_add(ROWS, VECS, windows + v, dy + j$winner_j$, s);
			else if (LAST > 0 && O - j >= ROWS)
				$part$_add(ROWS, LAST, windows + v, dy + j$winner_j$, s);
			else if (REST > 0 && WIDTH - v >= VECS)
				$part$_add(REST, VECS, windows + v, dy + j$winner_j$, s);
			else if (REST > 0 && LAST > 0)
				$part$_add(REST, LAST, windows + v, dy + j$winner_j$, s);
		}
}
#endif

#ifdef TEMPLATE_conv_dw_taps
/*
 * dw ($KH$,$KW$,$C$,$O$) from x (n,$H$,$W$,$C$) and $source$$then$;
 * in parts (parts,$O$,taps) of some images each
 */
static void $name$(const NncThread *thread, int n, const real *restrict x,
		   const real *restrict dy, real *restrict dw$winner$, real *restrict parts$params$)
{
	enum { IMAGE = $H$ * $W$ * $C$, O = $O$, TAPS = $KH$ * $KW$ * $C$, PARTS = $PARTS$ };
	enum { WIDTH = NNC_VECTORS(TAPS), PART = O * WIDTH, HIGH = $POOL_H$, LINE = $POOL_W$ * O };
	const NncRange share = nnc_share(thread, PARTS);
	real *p = thread->scratch;
	nnc_vec *windows = (nnc_vec *)(p + $padded$);

	memset(windows, 0, $POOL_W$ * $POOL_KH$ * $POOL_KW$ * WIDTH * sizeof *windows);
	for (int k = share.first; k < share.end; k++) {
		nnc_vec *sums = (nnc_vec *)parts + k * PART;
		memset(sums, 0, PART * sizeof *sums);
		for (int i = k * n / PARTS * HIGH; i < (k + 1) * n / PARTS * HIGH; i++) {
			if (i % HIGH == 0)
				$pad$(x + i / HIGH * IMAGE, p);
			$part$_windows(i % HIGH, p, (real *)windows);
			$part$_line(windows, dy + i * LINE$winner_i$, sums);
		}
	}
	nnc_barrier(thread);
	const NncRange taps = nnc_share(thread, TAPS);
	for (int k = taps.first; k < taps.end; k++)
		for (int j = 0; j < O; j++) {
			const int at = k * O + j;
			real v = 0;
			for (int part = 0; part < PARTS; part++)
				v += parts[(part * PART + j * WIDTH) * NNC_LANES + k];
			$epilogue$
			$store$
		}
}
#endif
