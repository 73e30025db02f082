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

static void emit(Emit *e, const Node *n)
{
	Window w = window_of(&n->attr, n->in[0]->shape, n->out[0]->shape);
	const char *name = window_name("maxpool", &w);
	const char *type = element_type(n->out[1]->element);
	const Hole extra[] = {{"name", name}, {"index", type}, {NULL, NULL}};
	emit_function(e, name, "maxpool", window_holes(&w, extra));
	put(e, "%s(n, %s, %s, %s);", name, ref(n->in[0]), ref(n->out[0]), ref(n->out[1]));
}

static void emit_grad(Emit *e, const Node *n)
{
	Window w = window_of(&n->attr, n->out[0]->shape, n->in[0]->shape);
	const char *name = window_name("maxpool_grad", &w);
	const char *type = element_type(n->in[1]->element);
	const Hole extra[] = {{"name", name}, {"index", type}, {NULL, NULL}};
	emit_function(e, name, "maxpool_grad", window_holes(&w, extra));
	put(e, "%s(n, %s, %s, %s);", name, ref(n->in[0]), ref(n->in[1]), ref(n->out[0]));
}

const Op op_maxpool = {
	.name = "maxpool",
	.grad = grad,
	.flops = flops,
	.emit = emit,
	.print_attr = print_window,
};

static double grad_flops(const Net *net, const Node *n)
{
	const Attr *a = &n->attr;
	return batch_size(net, n->in[0]) * (double)(a->kernel[0] * a->kernel[1]);
}

const Op op_maxpool_grad = {
	.name = "maxpool_grad",
	.flops = grad_flops,
	.emit = emit_grad,
	.print_attr = print_window,
};

#ifdef TEMPLATE_maxpool
/* y (n,$OH$,$OW$,$C$), winner: the largest of each $KH$x$KW$ window of x (n,$H$,$W$,$C$) */
static void $name$(int n, const real *restrict x, real *restrict y, $index$ *restrict winner)
{
	enum { H = $H$, W = $W$, C = $C$, OH = $OH$, OW = $OW$ };
	enum { KH = $KH$, KW = $KW$, SH = $SH$, SW = $SW$, TOP = $TOP$, LEFT = $LEFT$ };

	for (int p = 0; p < n * OH * OW; p++) {
		const int top = p / OW % OH * SH - TOP, left = p % OW * SW - LEFT;
		const int ky0 = top < 0 ? -top : 0, ky1 = H - top < KH ? H - top : KH;
		const int kx0 = left < 0 ? -left : 0, kx1 = W - left < KW ? W - left : KW;
		const real *image = x + p / (OH * OW) * (H * W * C);
		real *best = y + p * C;
		$index$ *place = winner + p * C;
		for (int k = 0; k < C; k++) {
			best[k] = -NNC_INFINITY;
			place[k] = ($index$)(ky0 * KW + kx0);
		}
		for (int ky = ky0; ky < ky1; ky++)
			for (int kx = kx0; kx < kx1; kx++) {
				const real *xp = image + ((top + ky) * W + left + kx) * C;
				for (int k = 0; k < C; k++) {
					const bool wins = xp[k] > best[k] || xp[k] != xp[k];
					place[k] = wins ? ($index$)(ky * KW + kx) : place[k];
					best[k] = wins ? xp[k] : best[k];
				}
			}
	}
}
#endif

#ifdef TEMPLATE_maxpool_grad
/* dx (n,$H$,$W$,$C$) = dy (n,$OH$,$OW$,$C$), each to the place that won its window */
static void $name$(int n, const real *restrict dy, const $index$ *restrict winner,
		   real *restrict dx)
{
	enum { H = $H$, W = $W$, C = $C$, OH = $OH$, OW = $OW$ };
	enum { KH = $KH$, KW = $KW$, SH = $SH$, SW = $SW$, TOP = $TOP$, LEFT = $LEFT$ };

	for (int i = 0; i < n * H * W * C; i++)
		dx[i] = 0;
	for (int p = 0; p < n * OH * OW; p++) {
		const int top = p / OW % OH * SH - TOP, left = p % OW * SW - LEFT;
		const int ky0 = top < 0 ? -top : 0, ky1 = H - top < KH ? H - top : KH;
		const int kx0 = left < 0 ? -left : 0, kx1 = W - left < KW ? W - left : KW;
		real *image = dx + p / (OH * OW) * (H * W * C);
		const real *d = dy + p * C;
		const $index$ *place = winner + p * C;
		for (int ky = ky0; ky < ky1; ky++)
			for (int kx = kx0; kx < kx1; kx++) {
				real *xp = image + ((top + ky) * W + left + kx) * C;
				for (int k = 0; k < C; k++)
					xp[k] += place[k] == ky * KW + kx ? d[k] : 0;
			}
	}
}
#endif
