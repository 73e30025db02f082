/*
 * gemm_dot: c = a b^T for few rows of a: sums along rows of b, a vector of terms at a time,
 * LANES columns of c side by side; transposing the sums of a block adds them all up at once.
 * Unlike gemm_tile it reads b only once, as it is.
 */
#include "nnc.h"

static const char *fits(const Net *net, const Node *n)
{
	Gemm g = gemm_of(net, n);
	if (!g.tb || g.ta)
		return "only b may be transposed";
	return NULL;
}

/*
 * Cycles: loads and products for each vector of terms, more where the rows of a block do not
 * stay in the first cache; 64 merges and 16 sums a block. And b, once, if it comes from memory.
 */
static double cost(const Net *net, const Node *n)
{
	Gemm g = gemm_of(net, n);
	double blocks = (double)g.n / 16, vectors = (double)((g.k + 15) / 16);
	double block = 4.0 * (double)g.k * (g.n < 16 ? (double)g.n : 16);
	double cycles = (double)g.m * blocks * ((block > 40e3 ? 22 : 12) * vectors + 100);
	return 0.1 + cycles * 64 / (NOMINAL_GFLOPS * 1e3) +
	       memory_bytes(&g) / (NOMINAL_GBYTES * 1e3);
}

static void emit(Emit *e, const Node *n)
{
	Gemm g = gemm_of(e->net, n);
	const char *name = gemm_name(&g, "_dot");
	emit_function(e, name, "gemm_dot", gemm_holes(&g, name, NULL));
	call_gemm(e, n, name);
}

const Kernel kernel_gemm_dot = {
	.name = "gemm_dot",
	.summary = "sums along the rows of a transposed b",
	.op = &op_gemm,
	.fits = fits,
	.cost = cost,
	.emit = emit,
};

#ifdef TEMPLATE_gemm_dot
/* cols numbers of row i of c, from column j0 on */
static NNC_INLINE void $name$_block(int cols, int i, int j0, const real *restrict a,
				    const real *restrict b, real *restrict c$params$)
{
	enum { N = $N$, K = $K$, L = NNC_LANES, REST = K % L };
	nnc_vec s[L];
	const real *sums = (const real *)s;

	NNC_UNROLL
	for (int q = 0; q < L; q++)
		s[q] = (nnc_vec){0};
	for (int k = 0; k + L <= K; k += L) {
		const nnc_vec x = *(const nnc_vec *)(a + i * K + k);
		NNC_UNROLL
		for (int q = 0; q < L; q++)
			s[q] += x * *(const nnc_vec *)(b + (j0 + (q < cols ? q : 0)) * K + k);
	}
	if (REST > 0) {
		const nnc_vec x = nnc_load(a + i * K + K - REST, REST);
		NNC_UNROLL
		for (int q = 0; q < L; q++)
			s[q] += x * nnc_load(b + (j0 + (q < cols ? q : 0)) * K + K - REST, REST);
	}
	nnc_transpose(s);
	NNC_UNROLL
	for (int q = 1; q < L; q++)
		s[0] += s[q];
	for (int q = 0; q < cols; q++) {
		const int j = j0 + q, at = i * N + j;
		real v = sums[q];
		$epilogue$
		c[at] = v;
	}
}

/* $formula$ */
static void $name$(const NncThread *thread, int n, const real *restrict a,
		   const real *restrict b, real *restrict c$params$)
{
	enum { N = $N$, L = NNC_LANES, REST = N % L };
	const NncRange share = nnc_share(thread, NNC_VECTORS(N));

	for (int k = share.first; k < share.end; k++)
		for (int i = 0; i < $m$; i++)
			if (REST > 0 && k == N / L)
				$name$_block(REST, i, k * L, a, b, c$names$);
			else
				$name$_block(L, i, k * L, a, b, c$names$);
}
#endif
