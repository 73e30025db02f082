/* gemm_openblas: cblas_sgemm, for operands that outgrow the cache; then the epilogue. */
#include "nnc.h"

static const char *fits(const Net *net, const Node *n)
{
	Gemm g = gemm_of(net, n);
	if (g.m < 2 || g.n < 2)
		return "a matrix-vector product";
	return NULL;
}

/* About 60 % of the peak, a call, and its own packing of both operands. */
static double cost(const Net *net, const Node *n)
{
	return openblas_cost(gemm_of(net, n));
}

double openblas_cost(Gemm g)
{
	double flops = 2.0 * (double)g.m * (double)g.n * (double)g.k;
	double bytes = 4.0 * ((double)g.m * (double)g.k + (double)g.k * (double)g.n +
			      2.0 * (double)g.m * (double)g.n);
	return 1.5 + flops / (0.6 * NOMINAL_GFLOPS * 1e3) + bytes / (NOMINAL_GBYTES * 1e3);
}

/* The function that computes g by OpenBLAS; emitted once. */
const char *openblas_function(Emit *e, const Gemm *g)
{
	const char *name = gemm_name(g, "_blas");
	const Hole extra[] = {
		{"ta", g->ta ? "CblasTrans" : "CblasNoTrans"},
		{"tb", g->tb ? "CblasTrans" : "CblasNoTrans"},
		{"lda", g->ta ? "M" : "K"},
		{"ldb", g->tb ? "K" : "N"},
		{"beta", g->accumulate ? "1" : "0"},
		{NULL, NULL},
	};
	bool plain = !g->node || g->node->fused_count == 0;
	emit_function(e, name, plain ? "gemm_openblas" : "gemm_openblas_then",
		      gemm_holes(g, name, extra));
	use_blas(e);
	return name;
}

static void emit(Emit *e, const Node *n)
{
	Gemm g = gemm_of(e->net, n);
	call_gemm(e, n, openblas_function(e, &g));
}

const Kernel kernel_gemm_openblas = {
	.name = "gemm_openblas",
	.summary = "OpenBLAS's sgemm",
	.op = &op_gemm,
	.fits = fits,
	.cost = cost,
	.emit = emit,
};

#ifdef TEMPLATE_gemm_openblas
/* $formula$: OpenBLAS */
static void $name$(int n, const real *restrict a, const real *restrict b,
		   real *restrict c$params$)
{
	enum { M = $M$, N = $N$, K = $K$ };

	nnc_gemm(CblasRowMajor, $ta$, $tb$, $m$, N, $k$, 1, a, $lda$, b, $ldb$, $beta$, c, N);
}
#endif

#ifdef TEMPLATE_gemm_openblas_then
/* $formula$: OpenBLAS, then the rest in one sweep */
static void $name$(int n, const real *restrict a, const real *restrict b,
		   real *restrict c$params$)
{
	enum { M = $M$, N = $N$, K = $K$ };

	nnc_gemm(CblasRowMajor, $ta$, $tb$, $m$, N, $k$, 1, a, $lda$, b, $ldb$, $beta$, c, N);
	for (int i = 0; i < $m$; i++)
		for (int j = 0; j < N; j++) {
			const int at = i * N + j;
			real v = c[at];
			$epilogue$
			c[at] = v;
		}
}
#endif
