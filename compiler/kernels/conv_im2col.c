/*
 * conv_im2col: one image at a time, the windows of its OH OW outputs written out as rows
 * of KH KW C numbers, so that the convolution and both adjoints are gemms:
 * y = cols w, dw += cols^T dy, dcols = dy w^T (added back into the image).
 */
#include "conv_direct.h"

typedef struct Sizes {
	int64_t outputs, terms, o; /* OH OW; KH KW C; O */
} Sizes;

static Sizes sizes_of(const Node *n)
{
	Window w = conv_window(n);
	return (Sizes){w.oh * w.ow, w.kh * w.kw * w.c, w.o};
}

/* The gemm of one image, by whichever kernel is cheaper at its shape. */
static double gemm_cost(const Net *net, const Node *n, Gemm g)
{
	(void)n;
	double tile = tile_cost(g), blas = openblas_cost(g);
	return (double)net->training.batch * (tile < blas ? tile : blas);
}

static const char *gemm_function(Emit *e, const Gemm *g)
{
	return tile_cost(*g) < openblas_cost(*g) ? tile_function(e, g) : openblas_function(e, g);
}

/*
 * Writing the rows out and reading them back, for each image, a pixel's channels at a time:
 * a cycle and a half for each, however few.
 */
static double copy_cost(const Net *net, const Node *n)
{
	Sizes s = sizes_of(n);
	Window w = conv_window(n);
	double us = 8.0 * (double)s.outputs * (double)s.terms / (NOMINAL_GBYTES * 1e3);
	double least = 1.5 * (double)(s.outputs * w.kh * w.kw) * 64 / (NOMINAL_GFLOPS * 1e3);
	return (double)net->training.batch * (0.3 + (us > least ? us : least));
}

static Gemm forward_gemm(const Node *n)
{
	Sizes s = sizes_of(n);
	return (Gemm){.m = s.outputs, .n = s.o, .k = s.terms, .rows = 'm', .node = n};
}

static Gemm dw_gemm(const Node *n)
{
	Sizes s = sizes_of(n);
	return (Gemm){.m = s.terms, .n = s.o, .k = s.outputs, .rows = 'k', .ta = true,
		      .accumulate = true};
}

static Gemm dx_gemm(const Node *n)
{
	Sizes s = sizes_of(n);
	return (Gemm){.m = s.outputs, .n = s.terms, .k = s.o, .rows = 'm'};
}

static double cost(const Net *net, const Node *n)
{
	Window w = conv_window(n);
	return copy_cost(net, n) + gemm_cost(net, n, forward_gemm(n)) + outputs_cost(net, &w);
}

static double dw_cost(const Net *net, const Node *n)
{
	return copy_cost(net, n) + gemm_cost(net, n, dw_gemm(n));
}

static double dx_cost(const Net *net, const Node *n)
{
	return 2 * copy_cost(net, n) + gemm_cost(net, n, dx_gemm(n));
}

/* The rows of one image: of each thread, or of all where they share the image. */
static int64_t image_rows(const Net *net, const Node *n)
{
	Sizes s = sizes_of(n);
	(void)net;
	return s.outputs * s.terms;
}

/* w^T (O, KH KW C). */
static int64_t dx_workspace(const Net *net, const Node *n)
{
	Sizes s = sizes_of(n);
	(void)net;
	return s.o * s.terms;
}

/* Emits the function that copies b (M,N) to its transpose; its name. */
static const char *transpose_function(Emit *e, int64_t rows, int64_t cols)
{
	const char *name = arena_printf("transpose_%lldx%lld", (long long)rows, (long long)cols);
	const Hole holes[] = {
		{"name", name}, {"M", int_text(rows)}, {"N", int_text(cols)}, {NULL, NULL},
	};
	emit_function(e, name, "transpose", holes);
	return name;
}

static const char *helper(Emit *e, const Node *n, const char *template)
{
	Window w = conv_window(n);
	w.o = 0; /* the filters do not matter to it, nor to its name */
	const char *name = window_name(template, &w);
	const Hole extra[] = {{"name", name}, {NULL, NULL}};
	emit_function(e, name, template, window_holes(&w, extra));
	return name;
}

static void emit_with(Emit *e, const Node *n, const char *template, const Hole *extra,
		      const char *operands)
{
	Window w = conv_window(n);
	const char *name = arena_printf("%s%s", window_name(n->kernel->name, &w), suffixes(n));
	const Hole common[] = {
		{"name", name},
		{"params", epilogue_params(n)},
		{"names_at", epilogue_names_at(n, "i * OH * OW * O")},
		{"then", then_text(n)},
	};
	emit_function(e, name, template,
		      window_holes(&w, join_holes(common, sizeof common / sizeof *common, extra)));
	const char *work = n->workspace ? arena_printf(", %s", ref(n->workspace)) : "";
	put(e, "%s(thread, n, %s%s%s);", name, operands, work, epilogue_args(n));
}

static void emit(Emit *e, const Node *n)
{
	Gemm g = forward_gemm(n);
	const Hole extra[] = {
		{"im2col", helper(e, n, "im2col")},
		{"gemm", gemm_function(e, &g)},
		{NULL, NULL},
	};
	const char *operands = arena_printf("%s, %s, %s", ref(n->in[0]), ref(n->in[1]),
					    ref(result(n)));
	emit_with(e, n, "conv", extra, operands);
}

static void emit_dw(Emit *e, const Node *n)
{
	Gemm g = dw_gemm(n);
	const Hole extra[] = {
		{"im2col", helper(e, n, "im2col")},
		{"gemm", gemm_function(e, &g)},
		{NULL, NULL},
	};
	const char *operands = arena_printf("%s, %s, %s", ref(n->in[0]), ref(n->in[1]),
					    ref(n->out[0]));
	emit_with(e, n, "conv_dw", extra, operands);
}

static void emit_dx(Emit *e, const Node *n)
{
	Gemm g = dx_gemm(n);
	Sizes s = sizes_of(n);
	bool finish = n->fused_count > 0;
	const char *sweep = "";
	if (finish) {
		const Shape x = result(n)->shape;
		const char *name = arena_printf("finish%s_%s", suffixes(n), shape_name(x));
		emit_elementwise_function(e, n, name, shape_size(x), columns(x));
		sweep = arena_printf("%s(&alone, 1, image, image%s);", name,
				     epilogue_names_at(n, "i * H * W * C"));
	}
	const Hole extra[] = {
		{"col2im", helper(e, n, "col2im")},
		{"transpose", transpose_function(e, s.terms, s.o)},
		{"gemm", gemm_function(e, &g)},
		{"sweep", sweep},
		{NULL, NULL},
	};
	const char *operands = arena_printf("%s, %s, %s", ref(n->in[0]), ref(n->in[1]),
					    ref(result(n)));
	emit_with(e, n, "conv_dx", extra, operands);
}

const Kernel kernel_conv_im2col = {
	.name = "conv_im2col",
	.summary = "windows as rows of a matrix, then a gemm an image",
	.op = &op_conv,
	.cost = cost,
	.scratch = image_rows,
	.emit = emit,
};

const Kernel kernel_conv_dw_im2col = {
	.name = "conv_dw_im2col",
	.summary = "windows as rows of a matrix, then a gemm an image",
	.op = &op_conv_dw,
	.cost = dw_cost,
	.workspace = image_rows,
	.emit = emit_dw,
};

const Kernel kernel_conv_dx_im2col = {
	.name = "conv_dx_im2col",
	.summary = "a gemm an image, its rows added back into the windows",
	.op = &op_conv_dx,
	.cost = dx_cost,
	.workspace = dx_workspace,
	.scratch = image_rows,
	.emit = emit_dx,
};

#ifdef TEMPLATE_im2col
/* cols ($OH$*$OW$,$KH$*$KW$*$C$): the windows of one image x ($H$,$W$,$C$), 0 outside it */
static void $name$(const NncThread *thread, const real *restrict x, real *restrict cols)
{
	enum { H = $H$, W = $W$, C = $C$, OH = $OH$, OW = $OW$ };
	enum { KH = $KH$, KW = $KW$, SH = $SH$, SW = $SW$, DH = $DH$, DW = $DW$ };
	enum { TOP = $TOP$, LEFT = $LEFT$, TERMS = KH * KW * C };
	const NncRange share = nnc_share(thread, OH * OW);
	real *to = cols + share.first * TERMS;

	memset(to, 0, (size_t)((share.end - share.first) * TERMS) * sizeof *to);
	for (int p = share.first; p < share.end; p++)
		for (int ky = 0; ky < KH; ky++)
			for (int kx = 0; kx < KW; kx++, to += C) {
				const int row = p / OW * SH - TOP + ky * DH;
				const int column = p % OW * SW - LEFT + kx * DW;
				if (row >= 0 && row < H && column >= 0 && column < W)
					memcpy(to, x + (row * W + column) * C, C * sizeof *to);
			}
}
#endif

#ifdef TEMPLATE_col2im
/* x ($H$,$W$,$C$) = the sum of cols ($OH$*$OW$,$KH$*$KW$*$C$) over the windows it stood in */
static void $name$(const real *restrict cols, real *restrict x)
{
	enum { H = $H$, W = $W$, C = $C$, OH = $OH$, OW = $OW$ };
	enum { KH = $KH$, KW = $KW$, SH = $SH$, SW = $SW$, DH = $DH$, DW = $DW$ };
	enum { TOP = $TOP$, LEFT = $LEFT$ };

	for (int i = 0; i < H * W * C; i++)
		x[i] = 0;
	for (int p = 0; p < OH * OW; p++)
		for (int ky = 0; ky < KH; ky++)
			for (int kx = 0; kx < KW; kx++, cols += C) {
				const int row = p / OW * SH - TOP + ky * DH;
				const int column = p % OW * SW - LEFT + kx * DW;
				if (row < 0 || row >= H || column < 0 || column >= W)
					continue;
				real *to = x + (row * W + column) * C;
				for (int k = 0; k < C; k++)
					to[k] += cols[k];
			}
}
#endif

#ifdef TEMPLATE_transpose
/* t ($N$,$M$) = the transpose of b ($M$,$N$) */
static void $name$(const NncThread *thread, const real *restrict b, real *restrict t)
{
	enum { M = $M$, N = $N$, L = NNC_LANES };
	const NncRange share = nnc_share(thread, NNC_VECTORS(M));

	for (int i = share.first * L; i < M && i < share.end * L; i += L)
		for (int j = 0; j < N; j += L)
			nnc_move_block(b + i * N + j, N, t + j * M + i, M, M - i < L ? M - i : L,
				       N - j < L ? N - j : L);
}
#endif

#ifdef TEMPLATE_conv
/* y (n,$OH$,$OW$,$O$) = x (n,$H$,$W$,$C$) * w ($KH$,$KW$,$C$,$O$)$then$ */
static void $name$(const NncThread *thread, int n, const real *restrict x,
		   const real *restrict w, real *restrict y$params$)
{
	enum { H = $H$, W = $W$, C = $C$, OH = $OH$, OW = $OW$, O = $O$ };
	const NncThread alone = {.count = 1};
	const NncRange share = nnc_share(thread, n);
	real *cols = thread->scratch;

	for (int i = share.first; i < share.end; i++) {
		$im2col$(&alone, x + i * H * W * C, cols);
		$gemm$(&alone, OH * OW, cols, w, y + i * OH * OW * O$names_at$);
	}
}
#endif

#ifdef TEMPLATE_conv_dw
/* dw ($KH$,$KW$,$C$,$O$) from x (n,$H$,$W$,$C$) and dy (n,$OH$,$OW$,$O$) */
static void $name$(const NncThread *thread, int n, const real *restrict x,
		   const real *restrict dy, real *restrict dw, real *restrict cols)
{
	enum { H = $H$, W = $W$, C = $C$, OH = $OH$, OW = $OW$, O = $O$, SIZE = $KH$ * $KW$ * $C$ * O };
	const NncRange share = nnc_share(thread, SIZE);

	for (int i = share.first; i < share.end; i++)
		dw[i] = 0;
	for (int i = 0; i < n; i++) {
		$im2col$(thread, x + i * H * W * C, cols);
		nnc_barrier(thread);
		$gemm$(thread, OH * OW, cols, dy + i * OH * OW * O, dw);
		nnc_barrier(thread);
	}
}
#endif

#ifdef TEMPLATE_conv_dx
/* dx (n,$H$,$W$,$C$) from dy (n,$OH$,$OW$,$O$) and w ($KH$,$KW$,$C$,$O$)$then$ */
static void $name$(const NncThread *thread, int n, const real *restrict dy,
		   const real *restrict w, real *restrict dx, real *restrict wt$params$)
{
	enum { H = $H$, W = $W$, C = $C$, OH = $OH$, OW = $OW$, O = $O$ };
	const NncThread alone = {.count = 1};
	const NncRange share = nnc_share(thread, n);
	real *cols = thread->scratch;

	$transpose$(thread, w, wt);
	nnc_barrier(thread);
	for (int i = share.first; i < share.end; i++) {
		real *image = dx + i * H * W * C;
		$gemm$(&alone, OH * OW, dy + i * OH * OW * O, wt, cols);
		$col2im$(cols, image);
		$sweep$
	}
}
#endif
