/*
 * gemm_dot: c = a b^T for few rows of a: sums along rows of b, a vector of terms at a time,
 * LANES columns of c side by side; transposing the sums of a block adds them all up at once.
 * Unlike gemm_tile it reads b only once, as it is. Of one row it makes no sums that end as 0,
 * as those do through which nothing goes back to where relu was 0.
 */
#include "nnc.h"

static const char *fits(const Net *net, const Node *n)
{
	Gemm g = gemm_of(net, n);
	if (!g.tb || g.ta)
		return "only b may be transposed";
	return NULL;
}

/* What c ends with, if that makes 0 of a sum wherever its operand is 0, and c is one row; or NULL. */
static const Node *zeros_of(const Gemm *g)
{
	const Node *n = g->node;
	const Node *last = n && n->fused_count ? n->fused[n->fused_count - 1] : NULL;
	bool zeros = last && last->op == &op_activation_grad && last->attr.act->zeros;
	return zeros && g->m == 1 ? last : NULL;
}

/*
 * Cycles: loads and products for each vector of terms, more where the rows of a block do not
 * stay in the first cache; 64 merges and 16 sums a block. And b, once, if it comes from memory.
 * Half of c is taken to be 0, where it can be.
 */
static double cost(const Net *net, const Node *n)
{
	Gemm g = gemm_of(net, n);
	double blocks = (double)g.n / 16, vectors = (double)((g.k + 15) / 16);
	double block = 4.0 * (double)g.k * (g.n < 16 ? (double)g.n : 16);
	double share = zeros_of(&g) ? 0.5 : 1;
	double cycles = share * (double)g.m * blocks * ((block > 40e3 ? 22 : 12) * vectors + 100);
	return 0.1 + cycles * 64 / (NOMINAL_GFLOPS * 1e3) +
	       share * memory_bytes(&g) / (NOMINAL_GBYTES * 1e3);
}

/* Which columns are not 0, and what fills up the last block of them. */
static int64_t scratch(const Net *net, const Node *n)
{
	Gemm g = gemm_of(net, n);
	return zeros_of(&g) ? g.n + MAX_LANES : 0;
}

/* Vector by vector of c's columns. */
static Split split(const Net *net, const Node *n, char operand)
{
	Gemm g = gemm_of(net, n);
	return operand == 'c' && g.n % (2 * MAX_LANES) == 0 ? SPLIT_HALVES : SPLIT_ANY;
}

static void emit(Emit *e, const Node *n)
{
	Gemm g = gemm_of(e->net, n);
	const char *name = gemm_name(&g, "_dot");
	const Node *zeros = zeros_of(&g);
	const Hole extra[] = {
		{"which", zeros ? "those of these columns" : "from column j0 on"},
		{"from", zeros ? "const int *restrict columns" : "int j0"},
		{"row", zeros ? "columns[q]" : "(j0 + (q < cols ? q : 0))"},
		{"column", zeros ? "columns[q]" : "j0 + q"},
		{"zeros", zeros ? zeros->op->operand : ""},
		{NULL, NULL},
	};
	const Hole *holes = gemm_holes(&g, name, extra);
	emit_function(e, arena_printf("%s_block", name), "gemm_dot_block", holes);
	emit_function(e, name, zeros ? "gemm_dot_zeros" : "gemm_dot", holes);
	call_gemm(e, n, name);
}

const Kernel kernel_gemm_dot = {
	.name = "gemm_dot",
	.summary = "sums along the rows of a transposed b",
	.op = &op_gemm,
	.fits = fits,
	.cost = cost,
	.scratch = scratch,
	.split = split,
	.emit = emit,
};

#ifdef TEMPLATE_gemm_dot_block
/* cols numbers of row i of c: $which$ */
static NNC_INLINE void $name$_block(int cols, int i, $from$, const real *restrict a,
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
			s[q] += x * *(const nnc_vec *)(b + $row$ * K + k);
	}
	if (REST > 0) {
		const nnc_vec x = nnc_load(a + i * K + K - REST, REST);
		NNC_UNROLL
		for (int q = 0; q < L; q++)
			s[q] += x * nnc_load(b + $row$ * K + K - REST, REST);
	}
	nnc_transpose(s);
	NNC_UNROLL
	for (int q = 1; q < L; q++)
		s[0] += s[q];
	for (int q = 0; q < cols; q++) {
		const int j = $column$, at = i * N + j;
		real v = sums[q];
		$epilogue$
		c[at] = v;
	}
}
#endif

#ifdef TEMPLATE_gemm_dot
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

#ifdef TEMPLATE_gemm_dot_zeros
/* $formula$, n being 1: 0 where $zeros$ is */
static void $name$(const NncThread *thread, int n, const real *restrict a,
		   const real *restrict b, real *restrict c$params$)
{
	enum { N = $N$, L = NNC_LANES };
	const NncRange share = nnc_share(thread, NNC_VECTORS(N));
	const int first = share.first * L, end = share.end * L < N ? share.end * L : N;
	int *columns = thread->scratch;
	const int count = nnc_nonzeros(first, end, false, $zeros$, columns);

	(void)n;
	for (int j = first; j < end; j++)
		c[j] = 0;
	/* whole blocks only, of one piece of code: which columns share one changes no bit */
	for (int q = 0; q < L; q++)
		columns[count + q] = first;
	for (int k = 0; k < count; k += L)
		$name$_block(count - k < L ? count - k : L, 0, columns + k, a, b, c$names$);
}
#endif
