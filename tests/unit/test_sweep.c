/* test_sweep.c - where a sweep of the learning rate ends, and what it suggests. */
#include "internal.h"

#include <CUnit/CUnit.h>
#include <math.h>

extern void suite_sweep(void);

static NncSweep sweep_of(double from, double to, int64_t steps)
{
	NncSweep s = {.from = from, .to = to, .steps = steps};

	CU_ASSERT_FATAL(!nnc_sweep_open(&s, NULL));
	return s;
}

/* Noise in [-1, 1], the same every time. */
static double noise(int64_t i)
{
	uint32_t x = (uint32_t)i * 2654435769u + 12345;

	x = (x ^ (x >> 16)) * 2246822519u;
	x = (x ^ (x >> 13)) * 3266489917u;
	return (double)(x ^ (x >> 16)) / 2147483648.0 - 1;
}

/* 2.3 at small rates, falling by 2 around `middle` decades; exploding at `end`. */
static double loss_at(double rate, double middle, double end)
{
	double decade = log10(rate);

	return 2.3 - 2 / (1 + exp(-4 * (decade - middle))) + exp(8 * (decade - end)) -
	       exp(-24);
}

static void made(NncSweep *s, double middle, double end, double rough)
{
	for (int64_t i = 0; i < s->steps; i++) {
		double loss = loss_at(nnc_sweep_rate(s, i), middle, end);
		if (!nnc_sweep_add(s, loss + rough * noise(i)))
			break;
	}
	nnc_sweep_judge(s);
}

static void rates(void)
{
	NncSweep s = sweep_of(1e-7, 10, 201);

	CU_ASSERT_DOUBLE_EQUAL(nnc_sweep_rate(&s, 0), 1e-7, 1e-20);
	CU_ASSERT_DOUBLE_EQUAL(nnc_sweep_rate(&s, 100), 1e-3, 1e-15);
	CU_ASSERT_DOUBLE_EQUAL(nnc_sweep_rate(&s, 200), 10, 1e-12);
	nnc_sweep_close(&s);
}

static void suggestions(void)
{
	static const double roughness[] = {0, 0.1, 0.3};

	for (size_t i = 0; i < 3; i++) {
		NncSweep s = sweep_of(1e-7, 10, 200);
		double within = i == 2 ? 0.5 : 0.25; /* decades */
		made(&s, -3, -0.5, roughness[i]);
		CU_ASSERT_TRUE(s.diverged);
		CU_ASSERT_FATAL(s.steepest >= 0);
		CU_ASSERT_DOUBLE_EQUAL(log10(nnc_sweep_rate(&s, s.steepest)), -3,
				       within);
		CU_ASSERT(s.steepest < s.least && s.least < s.count);
		CU_ASSERT_DOUBLE_EQUAL(log10(nnc_sweep_rate(&s, s.least)), -1.2,
				       2 * within);
		CU_ASSERT_DOUBLE_EQUAL(s.slope[s.steepest], -2, 1);
		nnc_sweep_close(&s);
	}
}

/* A straight line is its own line. */
static void lines(void)
{
	NncSweep s = sweep_of(1e-4, 1, 101);

	for (int64_t i = 0; i < 101; i++)
		nnc_sweep_add(&s, 2 - 0.01 * (double)i);
	nnc_sweep_judge(&s);
	CU_ASSERT_EQUAL(s.count, 101);
	CU_ASSERT_FALSE(s.diverged);
	for (int64_t i = 0; i < 101; i++) {
		CU_ASSERT_DOUBLE_EQUAL(s.smooth[i], 2 - 0.01 * (double)i, 1e-12);
		CU_ASSERT_DOUBLE_EQUAL(s.slope[i], -0.25, 1e-10);
	}
	CU_ASSERT_EQUAL(s.least, 100);
	nnc_sweep_close(&s);
}

static void nothing_falls(void)
{
	NncSweep s = sweep_of(1e-4, 1, 50);

	for (int64_t i = 0; i < 50; i++)
		CU_ASSERT_EQUAL(nnc_sweep_add(&s, 1), i < 49);
	nnc_sweep_judge(&s);
	CU_ASSERT_EQUAL(s.least, -1);
	CU_ASSERT_EQUAL(s.steepest, -1);
	nnc_sweep_close(&s);
	s = sweep_of(1e-4, 1, 50);
	for (int64_t i = 0; i < 50 && nnc_sweep_add(&s, 1 + (double)i); i++)
		;
	CU_ASSERT_TRUE(s.diverged);
	nnc_sweep_judge(&s);
	CU_ASSERT_EQUAL(s.least, -1);
	nnc_sweep_close(&s);
}

static void not_finite(void)
{
	static const double odd[] = {NAN, INFINITY, -INFINITY};

	for (size_t i = 0; i < 3; i++) {
		NncSweep s = sweep_of(1e-4, 1, NNC_MIN_SWEEP);
		CU_ASSERT_FALSE(nnc_sweep_add(&s, odd[i]));
		CU_ASSERT_TRUE(s.diverged);
		CU_ASSERT_EQUAL(s.count, 0);
		nnc_sweep_judge(&s);
		CU_ASSERT_EQUAL(s.least, -1);
		nnc_sweep_close(&s);
		s = sweep_of(1e-4, 1, NNC_MIN_SWEEP);
		CU_ASSERT_TRUE(nnc_sweep_add(&s, 1e30));
		CU_ASSERT_FALSE(nnc_sweep_add(&s, odd[i]));
		CU_ASSERT_EQUAL(s.count, 1);
		nnc_sweep_judge(&s);
		CU_ASSERT_EQUAL(s.least, -1);
		nnc_sweep_close(&s);
	}
}

void suite_sweep(void)
{
	CU_pSuite s = CU_add_suite("sweep", NULL, NULL);
	CU_add_test(s, "rates", rates);
	CU_add_test(s, "suggestions", suggestions);
	CU_add_test(s, "lines", lines);
	CU_add_test(s, "a loss that does not fall", nothing_falls);
	CU_add_test(s, "a loss that is no number", not_finite);
}
