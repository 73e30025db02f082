/* gemm_openblas: cblas_sgemm, for operands that outgrow the cache; then the epilogue. */
#include <string.h>

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
	double operands = (double)g.m * (double)g.k + (double)g.k * (double)g.n;
	double bytes = 4.0 * (3 * operands + 2.0 * (double)g.m * (double)g.n);
	return 1.5 + flops / (0.6 * NOMINAL_GFLOPS * 1e3) + bytes / (NOMINAL_GBYTES * 1e3);
}

static const char *without_newline(const char *text)
{
	return arena_printf("%.*s", (int)strlen(text) - 1, text);
}

/* The function that computes g by OpenBLAS; emitted once. */
const char *openblas_function(Emit *e, const Gemm *g)
{
	static const char sweep[] = "for (int i = 0; i < $m$; i++)\n"
				    "\tfor (int j = j0; j < j0 + cols; j++) {\n"
				    "\t\tconst int at = i * N + j;\n"
				    "\t\treal v = c[at];\n"
				    "\t\t$epilogue$\n"
				    "\t\t$store$\n"
				    "\t}";
	bool plain = !g->node || g->node->fused_count == 0;
	const char *name = gemm_name(g, "_blas");
	const Hole extra[] = {
		{"ta", g->ta ? "CblasTrans" : "CblasNoTrans"},
		{"tb", g->tb ? "CblasTrans" : "CblasNoTrans"},
		{"lda", g->ta ? "M" : "K"},
		{"ldb", g->tb ? "K" : "N"},
		{"beta", g->accumulate ? "1" : "0"},
		{"b_at", g->tb ? "j0 * K" : "j0"},
		{"sweep", plain ? "" : without_newline(fill(sweep, gemm_holes(g, name, NULL)))},
		{NULL, NULL},
	};
	emit_function(e, name, "gemm_openblas", gemm_holes(g, name, extra));
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
	.updates = true,
	.emit = emit,
};

#ifdef TEMPLATE_gemm_openblas
/* $formula$: OpenBLAS, a fixed part of the columns at a time */
static void $name$(const NncThread *thread, int n, const real *restrict a,
		   const real *restrict b, real *restrict c$params$)
{
	enum { M = $M$, N = $N$, K = $K$, PART = N < 256 ? N : (N + 255) / 256 * 64 };
	const NncRange share = nnc_share(thread, (N + PART - 1) / PART);

	for (int j0 = share.first * PART; j0 < share.end * PART; j0 += PART) {
		const int cols = N - j0 < PART ? N - j0 : PART;
		nnc_gemm(CblasRowMajor, $ta$, $tb$, $m$, cols, $k$, 1, a, $lda$, b + $b_at$, $ldb$,
			 $beta$, c + j0, N);
		$sweep$
	}
}
#endif
