/*
 * avgpool: the mean of each window of each channel, padding not counted;
 * avgpool_grad: dy shared out evenly over its window.
 */
#include "nnc.h"

static void grad(Net *net, Node *n, Tensor *dout, const bool *wanted, Tensor **din)
{
	if (!wanted[0])
		return;
	Tensor *in[] = {dout};
	din[0] = append(net, &op_avgpool_grad, n->layer, &n->attr, in, 1, adjoint_id(n->in[0]),
			n->in[0]->shape)->out[0];
}

static double flops(const Net *net, const Node *n)
{
	const Attr *a = &n->attr;
	const Tensor *y = n->op == &op_avgpool ? n->out[0] : n->in[0];
	return batch_size(net, y) * (double)(a->kernel[0] * a->kernel[1]);
}

static void emit_window(Emit *e, const Node *n, const char *template, Window w)
{
	const char *name = window_name(template, &w);
	const Hole extra[] = {{"name", name}, {NULL, NULL}};
	emit_function(e, name, template, window_holes(&w, extra));
	put(e, "%s(thread, n, %s, %s);", name, ref(n->in[0]), ref(n->out[0]));
}

static void emit(Emit *e, const Node *n)
{
	emit_window(e, n, "avgpool", window_of(&n->attr, n->in[0]->shape, n->out[0]->shape));
}

static void emit_grad(Emit *e, const Node *n)
{
	emit_window(e, n, "avgpool_grad", window_of(&n->attr, n->out[0]->shape, n->in[0]->shape));
}

const Op op_avgpool = {
	.name = "avgpool",
	.grad = grad,
	.flops = flops,
	.emit = emit,
	.print_attr = print_window,
};

const Op op_avgpool_grad = {
	.name = "avgpool_grad",
	.flops = flops,
	.emit = emit_grad,
	.print_attr = print_window,
};

#ifdef TEMPLATE_avgpool
/* y (n,$OH$,$OW$,$C$) = the mean of each $KH$x$KW$ window of x (n,$H$,$W$,$C$) */
static void $name$(const NncThread *thread, int n, const real *restrict x, real *restrict y)
{
	enum { H = $H$, W = $W$, C = $C$, OH = $OH$, OW = $OW$ };
	enum { KH = $KH$, KW = $KW$, SH = $SH$, SW = $SW$, TOP = $TOP$, LEFT = $LEFT$ };
	const NncRange share = nnc_share(thread, n * OH * OW);

	for (int p = share.first; p < share.end; p++) {
		const int top = p / OW % OH * SH - TOP, left = p % OW * SW - LEFT;
		const int ky0 = top < 0 ? -top : 0, ky1 = H - top < KH ? H - top : KH;
		const int kx0 = left < 0 ? -left : 0, kx1 = W - left < KW ? W - left : KW;
		const real *image = x + p / (OH * OW) * (H * W * C);
		const real part = 1 / (real)((ky1 - ky0) * (kx1 - kx0));
		real *mean = y + p * C;
		NNC_NO_UNROLL
		for (int k = 0; k < C; k++)
			mean[k] = 0;
		for (int ky = ky0; ky < ky1; ky++)
			for (int kx = kx0; kx < kx1; kx++) {
				const real *xp = image + ((top + ky) * W + left + kx) * C;
				NNC_NO_UNROLL
				for (int k = 0; k < C; k++)
					mean[k] += xp[k];
			}
		NNC_NO_UNROLL
		for (int k = 0; k < C; k++)
			mean[k] *= part;
	}
}
#endif

#ifdef TEMPLATE_avgpool_grad
/* dx (n,$H$,$W$,$C$) = dy (n,$OH$,$OW$,$C$) shared out evenly over its windows */
static void $name$(const NncThread *thread, int n, const real *restrict dy, real *restrict dx)
{
	enum { H = $H$, W = $W$, C = $C$, OH = $OH$, OW = $OW$ };
	enum { KH = $KH$, KW = $KW$, SH = $SH$, SW = $SW$, TOP = $TOP$, LEFT = $LEFT$ };
	const NncRange share = nnc_share(thread, n); /* windows of one image may meet */

	for (int i = share.first * H * W * C; i < share.end * H * W * C; i++)
		dx[i] = 0;
	for (int p = share.first * OH * OW; p < share.end * OH * OW; p++) {
		const int top = p / OW % OH * SH - TOP, left = p % OW * SW - LEFT;
		const int ky0 = top < 0 ? -top : 0, ky1 = H - top < KH ? H - top : KH;
		const int kx0 = left < 0 ? -left : 0, kx1 = W - left < KW ? W - left : KW;
		real *image = dx + p / (OH * OW) * (H * W * C);
		const real part = 1 / (real)((ky1 - ky0) * (kx1 - kx0));
		const real *d = dy + p * C;
		for (int ky = ky0; ky < ky1; ky++)
			for (int kx = kx0; kx < kx1; kx++) {
				real *xp = image + ((top + ky) * W + left + kx) * C;
				NNC_NO_UNROLL
				for (int k = 0; k < C; k++)
					xp[k] += d[k] * part;
			}
	}
}
#endif
