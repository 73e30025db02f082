/*
 * test_vec.c - nnc_vec.h in float: how exact its functions are, over all magnitudes,
 * against libm in double; draws against nnc_philox; partial loads.
 */
#include "nnc_rt.h"

#include <CUnit/Basic.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---- functions of one number ------------------------------------------------------
 */

static float at_bits(uint32_t bits)
{
	float x;
	memcpy(&x, &bits, sizeof x);
	return x;
}

/*
 * The largest relative error between lo and hi, of every 257th float. Below `least` in
 * size a result counts as that: what is tiny need only be tiny.
 */
static double worst(float (*ours)(float), double (*exact)(double), float lo, float hi,
		    double least)
{
	double most = 0;

	for (uint64_t bits = 0; bits < UINT64_C(1) << 32; bits += 257) {
		float x = at_bits((uint32_t)bits);
		if (!(x >= lo && x <= hi))
			continue;
		double want = exact((double)x), got = (double)ours(x);
		double error = fabs(got - want) / fmax(fabs(want), least);
		if (!(error <= most))
			most = error;
	}
	return most;
}

static double softplus(double x)
{
	return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

static void exponential(void)
{
	CU_ASSERT(worst(nnc_exp, exp, -87.3f, 88.3f, 0) < 1e-7);
	CU_ASSERT_EQUAL(nnc_exp(0), 1);
	CU_ASSERT_EQUAL(nnc_exp(-0.0f), 1);
	/* Beyond, it stays at its last value: large, but finite, and above 0. */
	CU_ASSERT(nnc_exp(1e4f) == nnc_exp(88.3f) && isfinite(nnc_exp(INFINITY)));
	CU_ASSERT(nnc_exp(-1e4f) == nnc_exp(-87.3f) && nnc_exp(-INFINITY) > 0);
	CU_ASSERT(nnc_exp(-INFINITY) < 2e-38f);
}

static void exponential_less_1(void)
{
	CU_ASSERT(worst(nnc_expm1, expm1, -87.3f, 88.3f, 0) < 3e-7);
	CU_ASSERT(worst(nnc_expm1, expm1, -1e-6f, 1e-6f, 1e-40) < 1.3e-7);
	CU_ASSERT_EQUAL(nnc_expm1(0), 0);
	CU_ASSERT_EQUAL(nnc_expm1(-INFINITY), -1);
	CU_ASSERT(isfinite(nnc_expm1(INFINITY)));
}

static void hyperbolic_tangent(void)
{
	CU_ASSERT(worst(nnc_tanh, tanh, -INFINITY, INFINITY, 1e-40) < 3e-7);
	CU_ASSERT_EQUAL(nnc_tanh(0), 0);
	CU_ASSERT_EQUAL(nnc_tanh(INFINITY), 1);
	CU_ASSERT_EQUAL(nnc_tanh(-INFINITY), -1);
	CU_ASSERT_EQUAL(nnc_tanh(30), 1);
	CU_ASSERT_EQUAL(nnc_tanh(-1e30f), -1);
}

static void soft_plus(void)
{
	CU_ASSERT(worst(nnc_softplus, softplus, 0, 3e38f, 0) < 2e-7);
	CU_ASSERT(worst(nnc_softplus, softplus, -87.3f, 0, 1) < 2e-7);
	/* log(1 + e) loses digits of a small e: the relative error is largest near -9.
	 */
	CU_ASSERT(worst(nnc_softplus, softplus, -87.3f, 0, 0) < 1e-6);
	CU_ASSERT(worst(nnc_softplus, softplus, -INFINITY, -87.3f, 1) < 2e-38);
	CU_ASSERT_EQUAL(nnc_softplus(INFINITY), INFINITY);
	CU_ASSERT_EQUAL(nnc_softplus(1e30f), 1e30f);
}

/* Every function gives NaN for NaN, of either sign, quiet with any payload. */
static void not_numbers(void)
{
	static float (*const all[])(float) = {
		nnc_exp, nnc_expm1, nnc_tanh, nnc_softplus, nnc_log, nnc_erf, nnc_sqrt};
	static const uint32_t nans[] = {0x7fc00000, 0xffc00000, 0x7fffffff, 0xffffffff,
					0x7fc12345};

	for (size_t f = 0; f < sizeof all / sizeof *all; f++)
		for (size_t i = 0; i < sizeof nans / sizeof *nans; i++)
			CU_ASSERT(isnan(all[f](at_bits(nans[i]))));
}

/* Larger arguments never give smaller results by more than a rounding error. */
static void order(void)
{
	static float (*const all[])(float) = {nnc_exp, nnc_expm1, nnc_tanh,
					      nnc_softplus};

	for (size_t f = 0; f < 4; f++) {
		float last = all[f](-100);
		for (float x = -100; x < 100; x += 1.0f / 256) {
			float y = all[f](x);
			CU_ASSERT(y >= last - 4e-7f * fabsf(last));
			last = y;
		}
	}
}

/* ---- draws -------------------------------------------------------------------------
 */

static void draws(void)
{
	NncContext c = {.seed = 0xdeadbeef, .epoch = 3, .step = 17};
	static const int rows[] = {0, 1, 31, 1 << 20};
	static const int starts[] = {0, 64, 128, 1 << 20, 64 * 12345};

	for (size_t r = 0; r < 4; r++)
		for (size_t s = 0; s < 5; s++) {
			uint32_t draw[NNC_DRAWS],
				stream = NNC_STREAM_LAYER + (uint32_t)s;
			nnc_draws(&c, stream, rows[r], starts[s], draw);
			for (int q = 0; q < NNC_DRAWS; q++) {
				uint32_t e = (uint32_t)(starts[s] + q), word[4];
				uint32_t counter[] = {c.epoch, c.step,
						      (uint32_t)rows[r],
						      e / 64 * 16 + e % 16};
				uint32_t key[] = {c.seed, stream};
				nnc_philox(counter, key, word);
				CU_ASSERT_EQUAL(draw[q], word[e / 16 % 4]);
			}
		}
}

/* ---- loads -------------------------------------------------------------------------
 */

/* At the very end of readable memory, so that a number too many is a fault. */
static void loads(void)
{
	long page = sysconf(_SC_PAGESIZE);
	char *memory = mmap(NULL, 2 * (size_t)page, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CU_ASSERT_FATAL(memory != MAP_FAILED);
	CU_ASSERT_FATAL(mprotect(memory + page, (size_t)page, PROT_NONE) == 0);
	for (int count = 1; count <= NNC_LANES; count++) {
		float *p = (float *)(void *)(memory + page) - count;
		for (int i = 0; i < count; i++)
			p[i] = (float)(i + 1);
		nnc_vec v = nnc_load(p, count);
		for (int i = 0; i < NNC_LANES; i++)
			CU_ASSERT_EQUAL(v[i], i < count ? (float)(i + 1) : 0);
	}
	munmap(memory, 2 * (size_t)page);
}

void suite_vec(void);
void suite_vec(void)
{
	CU_pSuite suite = CU_add_suite("vec", NULL, NULL);
	CU_add_test(suite, "exp", exponential);
	CU_add_test(suite, "expm1", exponential_less_1);
	CU_add_test(suite, "tanh", hyperbolic_tangent);
	CU_add_test(suite, "softplus", soft_plus);
	CU_add_test(suite, "NaN", not_numbers);
	CU_add_test(suite, "order", order);
	CU_add_test(suite, "draws", draws);
	CU_add_test(suite, "partial loads", loads);
}
