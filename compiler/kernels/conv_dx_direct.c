/*
 * conv_dx_direct: the gradient of a convolution's image, as the convolution of a padded dy
 * with w turned round.
 */
#include "conv_direct.h"

/* dx as a convolution: over dy, C and O exchanged, padded by what is missing. */
static Window turned_window(const Node *n)
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
	if (w.sh != 1 || w.sw != 1)
		return "the stride is not 1";
	return direct_fits(net, n);
}

static double cost(const Net *net, const Node *n)
{
	Window w = turned_window(n);
	return 0.1 + pad_cost(net, &w) + outputs_cost(net, &w) +
	       direct_tiles_cost(net, w.ow, w.o, n->op->flops(net, n));
}

static int64_t scratch(const Net *net, const Node *n)
{
	Window w = turned_window(n);
	(void)net;
	return padded_image_reals(&w);
}

/* w turned round. */
static int64_t workspace(const Net *net, const Node *n)
{
	Window w = turned_window(n);
	(void)net;
	return w.kh * w.kw * w.c * w.o;
}

static const char *turn_function(Emit *e, const Window *w)
{
	const char *name = arena_printf("turn_%lldx%lldx%lldx%lld", (long long)w->kh,
					(long long)w->kw, (long long)w->o, (long long)w->c);
	const Hole holes[] = {{"name", name}, {NULL, NULL}};
	emit_function(e, name, "conv_turn", window_holes(w, holes));
	return name;
}

static void emit(Emit *e, const Node *n)
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
		{NULL, NULL},
	};
	emit_function(e, name, "conv_dx_direct", window_holes(&w, holes));
	call_direct(e, n, name, result(n));
}

const Kernel kernel_conv_dx_direct = {
	.name = "conv_dx_direct",
	.summary = "register tiles over padded dy, w turned round",
	.op = &op_conv_dx,
	.fits = fits,
	.cost = cost,
	.workspace = workspace,
	.scratch = scratch,
	.emit = emit,
};

#ifdef TEMPLATE_conv_turn
/* t ($KH$,$KW$,$C$,$O$) = w ($KH$,$KW$,$O$,$C$), each tap transposed, the taps in reverse */
static void $name$(const NncThread *thread, const real *restrict w, real *restrict t)
{
	enum { TAPS = $KH$ * $KW$, C = $C$, O = $O$, L = NNC_LANES };
	const NncRange share = nnc_share(thread, TAPS);

	for (int k = share.first; k < share.end; k++)
		for (int j = 0; j < O; j += L)
			for (int i = 0; i < C; i += L) {
				const real *from = w + (k * O + j) * C + i;
				real *to = t + ((TAPS - 1 - k) * C + i) * O + j;
				nnc_move_block(from, C, to, O, O - j < L ? O - j : L, C - i < L ? C - i : L);
			}
}
#endif

#ifdef TEMPLATE_conv_dx_direct
/* dx (n,$OH$,$OW$,$O$) from dy (n,$H$,$W$,$C$) and w ($KH$,$KW$,$O$,$C$)$then$ */
static void $name$(const NncThread *thread, int n, const real *restrict dy,
		   const real *restrict w, real *restrict dx, real *restrict turned$params$)
{
	$turn$(thread, w, turned);
	nnc_barrier(thread);
	$conv$(thread, n, dy, turned, dx$names$);
}
#endif
