/*
 * maxpool: the largest of each window of each channel, and which place in the window
 * it stood at; maxpool_grad: dx gets dy where a place won, summed over windows.
 */
#include "nnc.h"

static void grad(Net *net, Node *n, Tensor *dout, const bool *wanted, Tensor **din)
{
	if (!wanted[0])
		return;
	Tensor *in[] = {dout, n->out[1]};
	din[0] = append(net, &op_maxpool_grad, n->layer, &n->attr, in, 2, adjoint_id(n->in[0]),
			n->in[0]->shape)->out[0];
}

static double flops(const Net *net, const Node *n)
{
	const Attr *a = &n->attr;
	return batch_size(net, n->out[0]) * (double)(a->kernel[0] * a->kernel[1]);
}

/* The result of `n` as holes of its templates. */
static const Hole *maxpool_holes(const Node *n)
{
	Window w = window_of(&n->attr, n->in[0]->shape, n->out[0]->shape);
	const char *name = arena_printf("%s%s", window_name("maxpool", &w), suffixes(n));
	const Hole holes[] = {
		{"name", name},
		{"index", element_type(n->out[1]->element)},
		{"then", then_text(n)},
		{"params", epilogue_params(n)},
		{"names", epilogue_names_at(n, "i * LINE")},
		{"epilogue", epilogue_text(n)},
		{NULL, NULL},
	};
	return window_holes(&w, holes);
}

/* Emits NAME_line, which makes one line of the result; its NAME. */
const char *maxpool_line_function(Emit *e, const Node *n)
{
	const Hole *holes = maxpool_holes(n);
	const char *name = find_hole(holes, "name");
	emit_function(e, arena_printf("%s_line", name), "maxpool_line", holes);
	return name;
}

static void emit(Emit *e, const Node *n)
{
	const char *name = maxpool_line_function(e, n);
	emit_function(e, name, "maxpool", maxpool_holes(n));
	put(e, "%s(thread, n, %s, %s, %s%s);", name, ref(n->in[0]), ref(result(n)),
	    ref(n->out[1]), epilogue_args(n));
}

/* Does each place of the image belong to just one window? */
static bool tiles_image(const Window *w)
{
	return w->sh == w->kh && w->sw == w->kw && w->oh * w->sh - w->top >= w->h &&
	       w->ow * w->sw - w->left >= w->w;
}

static const Hole *grad_holes(const Node *n)
{
	Window w = window_of(&n->attr, n->out[0]->shape, n->in[0]->shape);
	bool once = tiles_image(&w);
	const char *name = window_name("maxpool_grad", &w);
	const char *type = element_type(n->in[1]->element);
	const Hole extra[] = {
		{"name", name},
		{"index", type},
		{"clear", once ? "" : "memset(dx, 0, H * W * C * sizeof *dx);"},
		{"adds", once ? "=" : "+="},
		{NULL, NULL},
	};
	return window_holes(&w, extra);
}

/* Emits NAME_image, which does one image; its NAME. */
const char *maxpool_grad_function(Emit *e, const Node *n)
{
	const Hole *holes = grad_holes(n);
	const char *name = find_hole(holes, "name");
	emit_function(e, arena_printf("%s_image", name), "maxpool_grad_image", holes);
	return name;
}

static void emit_grad(Emit *e, const Node *n)
{
	const char *name = maxpool_grad_function(e, n);
	emit_function(e, name, "maxpool_grad", grad_holes(n));
	put(e, "%s(thread, n, %s, %s, %s);", name, ref(n->in[0]), ref(n->in[1]), ref(n->out[0]));
}

/* "maxpool_2x2": what is not the default says so. */
static const char *suffix(const Node *n)
{
	const int64_t *k = n->attr.kernel, *s = n->attr.stride, *p = n->attr.pad;
	const char *name = arena_printf("maxpool_%lldx%lld", (long long)k[0], (long long)k[1]);
	if (s[0] != k[0] || s[1] != k[1])
		name = arena_printf("%s_s%lldx%lld", name, (long long)s[0], (long long)s[1]);
	if (p[0] || p[1] || p[2] || p[3])
		name = arena_printf("%s_p%lldx%lldx%lldx%lld", name, (long long)p[0],
				    (long long)p[1], (long long)p[2], (long long)p[3]);
	return name;
}

const Op op_maxpool = {
	.name = "maxpool",
	.grad = grad,
	.flops = flops,
	.emit = emit,
	.suffix = suffix,
	.epilogue = true,
	.keeps_largest = true,
	.print_attr = print_window,
};

static double grad_flops(const Net *net, const Node *n)
{
	const Attr *a = &n->attr;
	return batch_size(net, n->in[0]) * (double)(a->kernel[0] * a->kernel[1]);
}

const Op op_maxpool_grad = {
	.name = "maxpool_grad",
	.spreads = true,
	.flops = grad_flops,
	.emit = emit_grad,
	.print_attr = print_window,
};

#ifdef TEMPLATE_maxpool_line
/* Line i of an image's result; x are the image's lines from line `from` on. */
static void $name$_line(int i, int from, const real *restrict x, real *restrict y,
			$index$ *restrict winner$params$)
{
	enum { H = $H$, W = $W$, C = $C$, OW = $OW$, N = C };
	enum { KH = $KH$, KW = $KW$, SH = $SH$, SW = $SW$, TOP = $TOP$, LEFT = $LEFT$ };
	enum { FEW = KH * KW <= 9 }; /* places */
	const int top = i * SH - TOP;
	const int ky0 = top < 0 ? -top : 0, ky1 = H - top < KH ? H - top : KH;

	for (int p = 0; p < OW; p++) {
		const int left = p * SW - LEFT;
		const int kx0 = left < 0 ? -left : 0, kx1 = W - left < KW ? W - left : KW;
		const real *corner = x + ((top - from) * W + left) * C;
		real best[C];
		if (FEW && ky1 - ky0 == KH && kx1 - kx0 == KW) {
			/* a whole window: all of a channel's places at once */
			NNC_INDEPENDENT
			for (int k = 0; k < C; k++) {
				real v = corner[k];
				int at = 0;
				NNC_UNROLL
				for (int r = 1; r < KH * KW; r++) {
					const real other = corner[(r / KW * W + r % KW) * C + k];
					const bool wins = other > v || other != other;
					at = wins ? r : at;
					v = wins ? other : v;
				}
				best[k] = v;
				winner[p * C + k] = ($index$)at;
			}
		} else {
			int place[C];
			NNC_NO_UNROLL
			for (int k = 0; k < C; k++) {
				best[k] = -NNC_INFINITY;
				place[k] = ky0 * KW + kx0;
			}
			for (int ky = ky0; ky < ky1; ky++)
				for (int kx = kx0; kx < kx1; kx++) {
					const real *xp = corner + (ky * W + kx) * C;
					NNC_NO_UNROLL
					for (int k = 0; k < C; k++) {
						const bool wins = xp[k] > best[k] || xp[k] != xp[k];
						place[k] = wins ? ky * KW + kx : place[k];
						best[k] = wins ? xp[k] : best[k];
					}
				}
			NNC_NO_UNROLL
			for (int k = 0; k < C; k++)
				winner[p * C + k] = ($index$)place[k];
		}
		NNC_INDEPENDENT
		for (int j = 0; j < N; j++) {
			const int at = p * C + j;
			real v = best[j];
			$epilogue$
			y[at] = v;
		}
	}
}
#endif

#ifdef TEMPLATE_maxpool
/* y (n,$OH$,$OW$,$C$), winner: the largest of each $KH$x$KW$ window of x (n,$H$,$W$,$C$)$then$ */
static void $name$(const NncThread *thread, int n, const real *restrict x, real *restrict y,
		   $index$ *restrict winner$params$)
{
	enum { H = $H$, W = $W$, C = $C$, OH = $OH$, LINE = $OW$ * C };
	const NncRange share = nnc_share(thread, n * OH);

	for (int i = share.first; i < share.end; i++)
		$name$_line(i % OH, 0, x + i / OH * H * W * C, y + i * LINE,
			    winner + i * LINE$names$);
}
#endif

#ifdef TEMPLATE_maxpool_grad_image
/* dx ($H$,$W$,$C$) of one image */
static void $name$_image(const real *restrict dy, const $index$ *restrict winner,
			 real *restrict dx)
{
	enum { H = $H$, W = $W$, C = $C$, OH = $OH$, OW = $OW$ };
	enum { KH = $KH$, KW = $KW$, SH = $SH$, SW = $SW$, TOP = $TOP$, LEFT = $LEFT$ };

	$clear$
	for (int p = 0; p < OH * OW; p++) {
		const int top = p / OW * SH - TOP, left = p % OW * SW - LEFT;
		const int ky0 = top < 0 ? -top : 0, ky1 = H - top < KH ? H - top : KH;
		const int kx0 = left < 0 ? -left : 0, kx1 = W - left < KW ? W - left : KW;
		const real *d = dy + p * C;
		int place[C];
		NNC_NO_UNROLL
		for (int k = 0; k < C; k++)
			place[k] = winner[p * C + k];
		for (int ky = ky0; ky < ky1; ky++)
			for (int kx = kx0; kx < kx1; kx++) {
				real *xp = dx + ((top + ky) * W + left + kx) * C;
				NNC_NO_UNROLL
				for (int k = 0; k < C; k++) {
					/* read always: under a mask gcc 12 errs */
					const real v = d[k];
					xp[k] $adds$ place[k] == ky * KW + kx ? v : 0;
				}
			}
	}
}
#endif

#ifdef TEMPLATE_maxpool_grad
/* dx (n,$H$,$W$,$C$) = dy (n,$OH$,$OW$,$C$), each to the place that won its window */
static void $name$(const NncThread *thread, int n, const real *restrict dy,
		   const $index$ *restrict winner, real *restrict dx)
{
	enum { SIZE = $H$ * $W$ * $C$, POOLED = $OH$ * $OW$ * $C$ };
	const NncRange share = nnc_share(thread, n);

	for (int i = share.first; i < share.end; i++)
		$name$_image(dy + i * POOLED, winner + i * POOLED, dx + i * SIZE);
}
#endif
