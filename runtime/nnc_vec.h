/*
 * nnc_vec.h - what generated kernels compute with: vectors of the widest kind that the
 * compiler was told of, and functions of one number that it can vectorise itself.
 * Included by nnc_rt.h.
 */
#ifndef NNC_VEC_H
#define NNC_VEC_H

#include <math.h>
#include <string.h>

/* ---- vectors ---------------------------------------------------------------- */

#if defined(__AVX512F__)
#define NNC_VECTOR_BYTES 64
#define NNC_TILE_ROWS 8    /* 8 rows of 2 vectors: 16 of the 32 registers, */
#define NNC_TILE_TALL 14   /* or 14: 28 of them, */
#define NNC_TILE_TRIPLES 4 /* or 4 in each of three products: 24 */
#define NNC_TILE_BESIDE 1  /* beside 8 rows something else can be computed */
#define NNC_SPARSE 4       /* vectors of one row: of two rows at once as many as */
#define NNC_SPARSE_ROWS 2  /* products and sums are under way at a time */
#elif defined(__AVX2__) && defined(__FMA__)
#define NNC_VECTOR_BYTES 32
#define NNC_TILE_ROWS 6 /* 6 rows of 2 vectors: 12 of the 16 registers */
#define NNC_TILE_TALL 6
#define NNC_TILE_TRIPLES 0 /* they are made one after the other */
#define NNC_TILE_BESIDE 0
#define NNC_SPARSE 8
#define NNC_SPARSE_ROWS 1
#else
#define NNC_VECTOR_BYTES 16
#define NNC_TILE_ROWS 4
#define NNC_TILE_TALL 6
#define NNC_TILE_TRIPLES 0
#define NNC_TILE_BESIDE 0
#define NNC_SPARSE 8
#define NNC_SPARSE_ROWS 1
#endif

/* The height of tiles over n rows: one that divides n, if there is one that is not small. */
#define NNC_ROWS(n) NNC_HEIGHT(n, NNC_TILE_ROWS)
#define NNC_HEIGHT(n, most)                                                        \
	((n) <= (most)                            ? (n)                            \
	 : (n) % (most) == 0                      ? (most)                         \
	 : (n) % ((most) - 1) == 0                ? (most) - 1                     \
	 : (most) > 4 && (n) % ((most) - 2) == 0  ? (most) - 2                     \
						  : (most))

/* Of n lines with few rows each, how many make one tall tile: 1, or an even share. */
#define NNC_LINES(n, rows) NNC_PARTS(n, NNC_PARTS(n, NNC_LINES_MAX(rows)))
#define NNC_LINES_MAX(rows) ((rows) > NNC_TILE_TALL ? 1 : NNC_TILE_TALL / (rows))
#define NNC_PARTS(n, size) (((n) + (size) - 1) / (size))

/* The width of tiles over n columns: `vecs` vectors, or all of n if that is less. */
#define NNC_COLS(n, vecs) ((n) < (vecs) * NNC_LANES ? (n) : (vecs) * NNC_LANES)

/* How many vectors hold n numbers. */
#define NNC_VECTORS(n) (((n) + NNC_LANES - 1) / NNC_LANES)

/* The features that this build may use beyond the plainest CPU of its kind. */
#ifdef __AVX2__
#define NNC_HAS_AVX2 "avx2 "
#else
#define NNC_HAS_AVX2
#endif
#ifdef __FMA__
#define NNC_HAS_FMA "fma "
#else
#define NNC_HAS_FMA
#endif
#ifdef __BMI2__
#define NNC_HAS_BMI2 "bmi2 "
#else
#define NNC_HAS_BMI2
#endif
#ifdef __AVX512F__
#define NNC_HAS_AVX512F "avx512f "
#else
#define NNC_HAS_AVX512F
#endif
#if defined(__AVX512BW__) && defined(__AVX512DQ__) && defined(__AVX512VL__)
#define NNC_HAS_AVX512X "avx512bw avx512dq avx512vl "
#else
#define NNC_HAS_AVX512X
#endif
#define NNC_CPU_NEEDS NNC_HAS_AVX2 NNC_HAS_FMA NNC_HAS_BMI2 NNC_HAS_AVX512F NNC_HAS_AVX512X ""

#ifdef NNC_DOUBLE
#define NNC_VECTOR_LANES (NNC_VECTOR_BYTES / 8)
#else
#define NNC_VECTOR_LANES (NNC_VECTOR_BYTES / 4)
#endif

enum {
	NNC_LANES = NNC_VECTOR_LANES, /* numbers in a vector */
	NNC_TILE_MAX = 28,            /* vectors in a tile */
	NNC_ROW_MAX = 8,              /* in one of a single row */
	NNC_TILE_SUMS = 2 * NNC_TILE_ROWS, /* in one that is not tall */
};

/* A vector anywhere in an array of numbers: it needs no alignment of its own. */
typedef nnc_real nnc_vec __attribute__((vector_size(NNC_VECTOR_BYTES),
					aligned(sizeof(nnc_real)), may_alias));

#define NNC_ALIGNED __attribute__((aligned(NNC_ALIGN)))
#define NNC_INLINE inline __attribute__((always_inline))

/* Before a loop: unroll it whole; its turns do not depend on each other. */
#ifdef __clang__
#pragma clang diagnostic ignored "-Wpass-failed" /* a loop that calls erff stays a loop */
#define NNC_UNROLL _Pragma("clang loop unroll(full)")
#define NNC_UNROLL_4 _Pragma("clang loop unroll_count(4)")
#define NNC_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#define NNC_NO_UNROLL
#else
#pragma GCC optimize("no-predictive-commoning") /* it trades loads for moves between lanes */
#pragma GCC optimize("no-tree-loop-distribution") /* it parts what is done side by side */
#pragma GCC optimize("no-ipa-cp-clone") /* it makes kernels twice, for each half, no faster ones */
#define NNC_UNROLL _Pragma("GCC unroll 16")
#define NNC_UNROLL_4 _Pragma("GCC unroll 4")
/* A short loop that gcc unrolls before it looks for vectors is not turned into any. */
#define NNC_NO_UNROLL _Pragma("GCC unroll 1")
#define NNC_INDEPENDENT _Pragma("GCC ivdep") NNC_NO_UNROLL
#endif

/*
 * `count` numbers, 1..NNC_LANES, the rest of the vector 0; nothing is read beyond them. By
 * the builtins below _mm512_maskz_loadu_ps: immintrin.h takes longer to read than a model.
 */
static NNC_INLINE nnc_vec nnc_load(const nnc_real *p, int count)
{
	if (__builtin_constant_p(count) && count == NNC_LANES)
		return *(const nnc_vec *)p;
#if defined(__AVX512F__) && !defined(NNC_DOUBLE)
	return (nnc_vec)__builtin_ia32_loadups512_mask((const void *)p, (nnc_vec){0},
						       (unsigned short)((1u << count) - 1));
#elif defined(__AVX512F__)
	return (nnc_vec)__builtin_ia32_loadupd512_mask((const void *)p, (nnc_vec){0},
						       (unsigned char)((1u << count) - 1));
#else
	nnc_vec v = {0};
	for (int i = 0; i < NNC_LANES; i++)
		v[i] = i < count ? p[i] : 0;
	return v;
#endif
}

/*
 * at: which of a[first..end) are not 0, or all of them; how many. By the builtins below
 * _mm512_cmp_ps_mask and _mm512_maskz_compress_epi32.
 */
static inline int nnc_nonzeros(int first, int end, bool all, const nnc_real *restrict a,
			       int *restrict at)
{
	int count = 0, k = first;

#if defined(__AVX512F__) && !defined(NNC_DOUBLE)
	typedef int Places __attribute__((vector_size(64), aligned(sizeof(int)), may_alias));
	Places place = first + (Places){0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
	for (; k + NNC_LANES <= end && !all; k += NNC_LANES, place += NNC_LANES) {
		const unsigned short found = (unsigned short)__builtin_ia32_cmpps512_mask(
			*(const nnc_vec *)(a + k), (nnc_vec){0}, 4, 0xffff, 4); /* or NaN */
		*(Places *)(at + count) = (Places)__builtin_ia32_compresssi512_mask(
			place, (Places){0}, found);
		count += __builtin_popcount(found);
	}
#endif
	for (; k < end; k++) {
		at[count] = k;
		count += all || a[k] != 0;
	}
	return count;
}

/*
 * Which of a[0..count) are not 0, count <= 64: bit k says it of a[k]. By the builtins below
 * _mm512_cmp_ps_mask, _mm256_movemask_ps and _mm_movemask_ps.
 */
static inline uint64_t nnc_found(const nnc_real *a, int count)
{
	uint64_t found = 0;

#if defined(__SSE2__) && !defined(NNC_DOUBLE)
	for (int k = 0; k < count; k += NNC_LANES) {
		const nnc_vec v = nnc_load(a + k, count - k < NNC_LANES ? count - k : NNC_LANES);
#if NNC_VECTOR_BYTES == 64
		found |= (uint64_t)(unsigned short)__builtin_ia32_cmpps512_mask(
				 v, (nnc_vec){0}, 4, 0xffff, 4)
			 << k;
#elif NNC_VECTOR_BYTES == 32
		found |= (uint64_t)(unsigned)__builtin_ia32_movmskps256((nnc_vec)(v != 0)) << k;
#else
		found |= (uint64_t)(unsigned)__builtin_ia32_movmskps((nnc_vec)(v != 0)) << k;
#endif
	}
#else
	for (int k = 0; k < count; k++)
		found |= (uint64_t)(a[k] != 0) << k;
#endif
	return found;
}

/* ---- blocks of vectors ---------------------------------------------------------- */

/* The lower, the upper halves of a and b, a number of each in turn. */
#if NNC_VECTOR_LANES == 16
#define NNC_LOW(a, b)                                                              \
	__builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define NNC_HIGH(a, b)                                                             \
	__builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
#elif NNC_VECTOR_LANES == 8
#define NNC_LOW(a, b) __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11)
#define NNC_HIGH(a, b) __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15)
#elif NNC_VECTOR_LANES == 4
#define NNC_LOW(a, b) __builtin_shufflevector(a, b, 0, 4, 1, 5)
#define NNC_HIGH(a, b) __builtin_shufflevector(a, b, 2, 6, 3, 7)
#else
#define NNC_LOW(a, b) __builtin_shufflevector(a, b, 0, 2)
#define NNC_HIGH(a, b) __builtin_shufflevector(a, b, 1, 3)
#endif

/*
 * Transposes a square block. Seen as bits, a number's place is (row, column); merging row
 * i with row i + LANES/2 rotates these bits by one, and so many rounds exchange them.
 */
static NNC_INLINE void nnc_transpose(nnc_vec v[NNC_LANES])
{
	enum { L = NNC_LANES, ROUNDS = L == 16 ? 4 : L == 8 ? 3 : L == 4 ? 2 : 1 };

	NNC_UNROLL
	for (int round = 0; round < ROUNDS; round++) {
		nnc_vec w[L];
		NNC_UNROLL
		for (int i = 0; i < L / 2; i++) {
			w[2 * i] = NNC_LOW(v[i], v[i + L / 2]);
			w[2 * i + 1] = NNC_HIGH(v[i], v[i + L / 2]);
		}
		NNC_UNROLL
		for (int i = 0; i < L; i++)
			v[i] = w[i];
	}
}

/* Transposes rows x cols numbers, at most LANES each; lines of a and t are as and ts apart. */
static inline void nnc_move_block(const nnc_real *a, int as, nnc_real *t, int ts, int rows,
				  int cols)
{
	enum { L = NNC_LANES };
	nnc_vec v[L];

	if (rows < L || cols < L) {
		for (int j = 0; j < cols; j++)
			for (int i = 0; i < rows; i++)
				t[j * ts + i] = a[i * as + j];
		return;
	}
	NNC_UNROLL
	for (int i = 0; i < L; i++)
		v[i] = *(const nnc_vec *)(a + i * as);
	nnc_transpose(v);
	NNC_UNROLL
	for (int j = 0; j < L; j++)
		*(nnc_vec *)(t + j * ts) = v[j];
}

/* ---- functions of one number --------------------------------------------------- */

#define NNC_INFINITY ((nnc_real)INFINITY)

#ifdef NNC_DOUBLE

#define nnc_gemm cblas_dgemm /* of cblas.h, where a kernel includes it */

static inline double nnc_exp(double x) { return exp(x); }
static inline double nnc_expm1(double x) { return expm1(x); }
static inline double nnc_log(double x) { return log(x); }
static inline double nnc_log1p(double x) { return log1p(x); }
static inline double nnc_tanh(double x) { return tanh(x); }
static inline double nnc_erf(double x) { return erf(x); }
static inline double nnc_sqrt(double x) { return sqrt(x); }

#else

#define nnc_gemm cblas_sgemm

/*
 * e^x, relative error below 2e-7 between -87 and 88, clamped outside; a NaN stays one.
 * Cody and Waite's reduction by n log 2, a polynomial of degree 6 (Cephes expf).
 */
static inline float nnc_exp(float x)
{
	x = x > 88.3f ? 88.3f : x;
	x = x < -87.3f ? -87.3f : x;
	const float shifted = x * 1.44269504f + 12582912.0f; /* n in the low bits: 1.5 2^23 */
	const float n = shifted - 12582912.0f;
	const float r = x - n * 0.693359375f + n * 2.12194440e-4f;
	float p = 1.9875691500e-4f;
	int32_t bits;
	p = p * r + 1.3981999507e-3f;
	p = p * r + 8.3334519073e-3f;
	p = p * r + 4.1665795894e-2f;
	p = p * r + 1.6666665459e-1f;
	p = p * r + 5.0000001201e-1f;
	p = p * r * r + r + 1.0f;
	memcpy(&bits, &shifted, sizeof bits);
	bits = (int32_t)((uint32_t)bits << 23) + 0x3f800000; /* 2^n */
	float scale;
	memcpy(&scale, &bits, sizeof scale);
	return p * scale;
}

/* e^x - 1; by its own series where e^x is close to 1. */
static inline float nnc_expm1(float x)
{
	float p = 1.0f / 720;
	p = p * x + 1.0f / 120;
	p = p * x + 1.0f / 24;
	p = p * x + 1.0f / 6;
	p = p * x + 0.5f;
	p = p * x * x + x;
	const float far = nnc_exp(x) - 1.0f;
	return x > -0.3f && x < 0.3f ? p : far;
}

/* tanh: an odd polynomial near 0 (Cephes tanhf), 1 - 2 / (e^2x + 1) further out. */
static inline float nnc_tanh(float x)
{
	const float s = x * x;
	float p = -5.70498872745e-3f;
	p = p * s + 2.06390887954e-2f;
	p = p * s - 5.37397155531e-2f;
	p = p * s + 1.33314422036e-1f;
	p = p * s - 3.33332819422e-1f;
	p = p * s * x + x;
	const float far = 1.0f - 2.0f / (nnc_exp(2.0f * x) + 1.0f);
	return x > -0.625f && x < 0.625f ? p : far;
}

static inline float nnc_log(float x) { return logf(x); }
static inline float nnc_log1p(float x) { return log1pf(x); }
static inline float nnc_erf(float x) { return erff(x); }
static inline float nnc_sqrt(float x) { return sqrtf(x); }

#endif

/* log(1 + e^x), without overflow: the larger of x and 0, plus log(1 + e^-|x|). */
static inline nnc_real nnc_softplus(nnc_real x)
{
	const nnc_real top = x < 0 ? 0 : x, e = nnc_exp(x < 0 ? x : -x);
	return top + nnc_log1p(e);
}

/* ---- draws ----------------------------------------------------------------------- */

/* Lanes of 64 bits, of which only the lower halves matter until they are multiplied. */
typedef uint64_t nnc_wide __attribute__((vector_size(NNC_VECTOR_BYTES)));
typedef uint32_t nnc_narrow __attribute__((vector_size(NNC_VECTOR_BYTES / 2)));

enum {
	NNC_DRAWS = 64,                        /* words that nnc_draws makes at a time */
	NNC_WIDE_LANES = NNC_VECTOR_BYTES / 8, /* blocks of four words, side by side */
};

/* The whole products of the lower halves of x and m: one vpmuludq, which gcc has to be told. */
static NNC_INLINE nnc_wide nnc_wide_times(nnc_wide x, uint32_t m)
{
#if defined(__clang__) || !defined(__SSE2__)
	return (x & 0xffffffffu) * m;
#else
	typedef int nnc_ints __attribute__((vector_size(NNC_VECTOR_BYTES)));
	const nnc_ints a = (nnc_ints)x, b = (nnc_ints)((nnc_wide){0} + m);
#if NNC_VECTOR_BYTES == 64
	typedef long long nnc_longs __attribute__((vector_size(NNC_VECTOR_BYTES)));
	return (nnc_wide)__builtin_ia32_pmuludq512_mask(a, b, (nnc_longs){0}, 0xff);
#elif NNC_VECTOR_BYTES == 32
	return (nnc_wide)__builtin_ia32_pmuludq256(a, b);
#else
	return (nnc_wide)__builtin_ia32_pmuludq128(a, b);
#endif
#endif
}

/* to: the lower halves */
static NNC_INLINE void nnc_narrow_store(uint32_t *to, nnc_wide x)
{
	const nnc_narrow low = __builtin_convertvector(x, nnc_narrow);
	memcpy(to, &low, sizeof low);
}

/*
 * The draws for elements k .. k + 63 of one row (k a multiple of 64) in this step: word
 * (e / 16) % 4 of Philox block (e / 64) 16 + e % 16 belongs to element e. The same words
 * as nnc_philox.
 */
static inline void nnc_draws(const NncContext *c, uint32_t stream, int row, int k,
			     uint32_t draw[NNC_DRAWS])
{
	const nnc_wide zero = {0};
	nnc_wide lane = {0};

	for (int l = 0; l < NNC_WIDE_LANES; l++)
		lane[l] = (uint32_t)k / 4 + (uint32_t)l;
	for (int l = 0; l < 16; l += NNC_WIDE_LANES) {
		nnc_wide x0 = zero + c->epoch, x1 = zero + c->step;
		nnc_wide x2 = zero + (uint32_t)row, x3 = lane + (uint32_t)l;
		uint32_t k0 = c->seed, k1 = stream;
		NNC_UNROLL
		for (int round = 0; round < 10; round++) {
			const nnc_wide a = nnc_wide_times(x0, 0xD2511F53u);
			const nnc_wide b = nnc_wide_times(x2, 0xCD9E8D57u);
			x0 = (b >> 32) ^ x1 ^ k0;
			x1 = b;
			x2 = (a >> 32) ^ x3 ^ k1;
			x3 = a;
			k0 += 0x9E3779B9u;
			k1 += 0xBB67AE85u;
		}
		nnc_narrow_store(draw + l, x0);
		nnc_narrow_store(draw + 16 + l, x1);
		nnc_narrow_store(draw + 32 + l, x2);
		nnc_narrow_store(draw + 48 + l, x3);
	}
}

#endif
