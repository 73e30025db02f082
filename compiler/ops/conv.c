/*
 * conv: y (OH,OW,O) = the sum over taps (ky,kx) and channels of x (H,W,C) times
 * w (KH,KW,C,O), as PyTorch's Conv2d (a cross-correlation). conv_dx and conv_dw are its
 * adjoints for x and w. Plain loops here; see kernels/ for what runs.
 */
#include "nnc.h"

static void grad(Net *net, Node *n, Tensor *dout, const bool *wanted, Tensor **din)
{
	Tensor *x = n->in[0], *w = n->in[1];
	if (wanted[0]) {
		Tensor *in[] = {dout, w};
		din[0] = append(net, &op_conv_dx, n->layer, &n->attr, in, 2, adjoint_id(x),
				x->shape)->out[0];
	}
	if (wanted[1]) { /* last: its kernel may move w */
		Tensor *in[] = {x, dout};
		din[1] = param_grad(w);
		append_into(net, &op_conv_dw, n->layer, &n->attr, in, 2, din[1]);
	}
}

/* The window of any of the three ops: from the image side to the output side. */
Window conv_window(const Node *n)
{
	const Tensor *x = n->op == &op_conv_dx ? n->out[0] : n->in[0];
	const Tensor *y = n->op == &op_conv ? n->out[0] : n->in[n->op->adjoint_in];
	if (n->spread)
		y = n->spread->out[0];
	return window_of(&n->attr, x->shape, y->shape);
}

const Node *pool_of(const Node *n)
{
	return n->fused_count && n->fused[0]->op->keeps_largest ? n->fused[0] : NULL;
}

static double flops(const Net *net, const Node *n)
{
	Window w = conv_window(n);
	return 2.0 * (double)net->training.batch * (double)(w.oh * w.ow * w.o) *
	       (double)(w.kh * w.kw * w.c);
}

static void emit_conv(Emit *e, const Node *n, const char *template, const char *workspace)
{
	Window w = conv_window(n);
	const char *name = arena_printf("%s%s", window_name(template, &w), suffixes(n));
	const Hole extra[] = {
		{"name", name},
		{"params", epilogue_params(n)},
		{"epilogue", epilogue_text(n)},
		{"store", store_text(n, "dw[at]")},
		{"then", then_text(n)},
		{NULL, NULL},
	};
	emit_function(e, name, template, window_holes(&w, extra));
	put(e, "%s(thread, n, %s, %s, %s%s%s);", name, ref(n->in[0]), ref(n->in[1]), ref(result(n)),
	    workspace, epilogue_args(n));
}

static void emit(Emit *e, const Node *n)
{
	emit_conv(e, n, "conv_plain", "");
}

static void emit_dx(Emit *e, const Node *n)
{
	emit_conv(e, n, "conv_dx_plain", "");
}

static void emit_dw(Emit *e, const Node *n)
{
	emit_conv(e, n, "conv_dw_plain", "");
}

const Op op_conv = {
	.name = "conv",
	.grad = grad,
	.flops = flops,
	.emit = emit,
	.product = true,
	.epilogue = true,
	.print_attr = print_window,
};

const Op op_conv_dx = {
	.name = "conv_dx",
	.flops = flops,
	.emit = emit_dx,
	.product = true,
	.epilogue = true,
	.print_attr = print_window,
};

const Op op_conv_dw = {
	.name = "conv_dw",
	.flops = flops,
	.emit = emit_dw,
	.product = true,
	.adjoint_in = 1,
	.updates = true,
	.print_attr = print_window,
};

#ifdef TEMPLATE_conv_plain
/* y (n,$OH$,$OW$,$O$) = x (n,$H$,$W$,$C$) * w ($KH$,$KW$,$C$,$O$)$then$: plain loops */
static void $name$(const NncThread *thread, int n, const real *restrict x,
		   const real *restrict w, real *restrict y$params$)
{
	enum { H = $H$, W = $W$, C = $C$, OH = $OH$, OW = $OW$, O = $O$ };
	enum { KH = $KH$, KW = $KW$, SH = $SH$, SW = $SW$, DH = $DH$, DW = $DW$ };
	enum { TOP = $TOP$, LEFT = $LEFT$ };
	const NncRange share = nnc_share(thread, n * OH * OW);

	for (int p = share.first; p < share.end; p++)
		for (int j = 0; j < O; j++) {
			const int at = p * O + j;
			const real *image = x + p / (OH * OW) * (H * W * C);
			real v = 0;
			for (int ky = 0; ky < KH; ky++)
				for (int kx = 0; kx < KW; kx++) {
					const int row = p / OW % OH * SH - TOP + ky * DH;
					const int column = p % OW * SW - LEFT + kx * DW;
					if (row < 0 || row >= H || column < 0 || column >= W)
						continue;
					for (int k = 0; k < C; k++)
						v += image[(row * W + column) * C + k] *
						     w[((ky * KW + kx) * C + k) * O + j];
				}
			$epilogue$
			y[at] = v;
		}
}
#endif

#ifdef TEMPLATE_conv_dx_plain
/* dx (n,$H$,$W$,$C$) from dy (n,$OH$,$OW$,$O$) and w ($KH$,$KW$,$C$,$O$)$then$: plain loops */
static void $name$(const NncThread *thread, int n, const real *restrict dy,
		   const real *restrict w, real *restrict dx$params$)
{
	enum { H = $H$, W = $W$, C = $C$, OH = $OH$, OW = $OW$, O = $O$ };
	enum { KH = $KH$, KW = $KW$, SH = $SH$, SW = $SW$, DH = $DH$, DW = $DW$ };
	enum { TOP = $TOP$, LEFT = $LEFT$ };
	const NncRange share = nnc_share(thread, n * H * W);

	for (int p = share.first; p < share.end; p++)
		for (int j = 0; j < C; j++) {
			const int at = p * C + j;
			const real *image = dy + p / (H * W) * (OH * OW * O);
			real v = 0;
			for (int ky = 0; ky < KH; ky++)
				for (int kx = 0; kx < KW; kx++) {
					const int row = p / W % H + TOP - ky * DH;
					const int column = p % W + LEFT - kx * DW;
					if (row < 0 || row % SH || row / SH >= OH || column < 0 ||
					    column % SW || column / SW >= OW)
						continue;
					for (int k = 0; k < O; k++)
						v += image[(row / SH * OW + column / SW) * O + k] *
						     w[((ky * KW + kx) * C + j) * O + k];
				}
			$epilogue$
			dx[at] = v;
		}
}
#endif

#ifdef TEMPLATE_conv_dw_plain
/* dw ($KH$,$KW$,$C$,$O$) from x (n,$H$,$W$,$C$) and dy (n,$OH$,$OW$,$O$)$then$: plain loops */
static void $name$(const NncThread *thread, int n, const real *restrict x,
		   const real *restrict dy, real *restrict dw$params$)
{
	enum { H = $H$, W = $W$, C = $C$, OH = $OH$, OW = $OW$, O = $O$ };
	enum { KH = $KH$, KW = $KW$, SH = $SH$, SW = $SW$, DH = $DH$, DW = $DW$ };
	enum { TOP = $TOP$, LEFT = $LEFT$ };
	const NncRange share = nnc_share(thread, KH * KW * C * O);

	for (int at = share.first; at < share.end; at++) {
		const int j = at % O, k = at / O % C, kx = at / O / C % KW, ky = at / O / C / KW;
		real v = 0;
		for (int p = 0; p < n * OH * OW; p++) {
			const int row = p / OW % OH * SH - TOP + ky * DH;
			const int column = p % OW * SW - LEFT + kx * DW;
			if (row < 0 || row >= H || column < 0 || column >= W)
				continue;
			v += x[p / (OH * OW) * (H * W * C) + (row * W + column) * C + k] *
			     dy[p * O + j];
		}
		$epilogue$
		$store$
	}
}
#endif
