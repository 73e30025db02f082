/* test_rng.c - Philox, what is drawn from it, and initialisers. */
#include "internal.h"

#include <CUnit/Basic.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Random123's kat_vectors, philox4x32 10 rounds. */
static void known_answers(void)
{
	static const uint32_t kat[3][10] = {
		{0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8},
		{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff,
		 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd},
		{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0,
		 0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1},
	};
	uint32_t out[4];

	for (int i = 0; i < 3; i++) {
		nnc_philox(kat[i], kat[i] + 4, out);
		CU_ASSERT(memcmp(out, kat[i] + 6, sizeof out) == 0);
	}
}

static void streams(void)
{
	NncRng a = nnc_rng(7, NNC_STREAM_SHUFFLE, 3, 5), b = a;
	NncRng other = nnc_rng(7, NNC_STREAM_SPLIT, 3, 5);
	uint32_t out[4], counter[4] = {3, 5, 0, 0}, key[2] = {7, NNC_STREAM_SHUFFLE};
	int same = 0;

	nnc_philox(counter, key, out);
	CU_ASSERT_EQUAL(nnc_rng_uniform(&b), out[0] * 0x1p-32);
	b = a;
	for (int i = 0; i < 100; i++) {
		double x = nnc_rng_uniform(&a);
		CU_ASSERT_EQUAL(x, nnc_rng_uniform(&b));
		CU_ASSERT(x >= 0 && x < 1);
		same += x == nnc_rng_uniform(&other);
	}
	CU_ASSERT(same < 3);
}

static void below(void)
{
	static const uint32_t bounds[] = {1, 2, 3, 10, 1000003, 0x80000001, 0xffffffff};
	NncRng rng = nnc_rng(1, NNC_STREAM_SYNTHETIC, 0, 0);
	int count[3] = {0};

	for (size_t b = 0; b < 7; b++)
		for (int i = 0; i < 1000; i++)
			CU_ASSERT_FATAL(nnc_rng_below(&rng, bounds[b]) < bounds[b]);
	for (int i = 0; i < 30000; i++)
		count[nnc_rng_below(&rng, 3)]++;
	for (int i = 0; i < 3; i++)
		CU_ASSERT(abs(count[i] - 10000) < 400); /* 5 deviations */
}

/* Mean, deviation, skewness and kurtosis of a million; the tails; fixed values. */
static void normal(void)
{
	enum { N = 1000000 };
	double moment[5] = {0};
	int tail = 0;
	NncRng rng = nnc_rng(42, NNC_STREAM_INIT, 0, 0);

	for (int i = 0; i < N; i++) {
		double x = nnc_rng_normal(&rng), power = 1;
		tail += fabs(x) > 3;
		for (int k = 1; k < 5; k++)
			moment[k] += power *= x;
	}
	CU_ASSERT_DOUBLE_EQUAL(moment[1] / N, 0, 0.005);
	CU_ASSERT_DOUBLE_EQUAL(moment[2] / N, 1, 0.01);
	CU_ASSERT_DOUBLE_EQUAL(moment[3] / N, 0, 0.02);
	CU_ASSERT_DOUBLE_EQUAL(moment[4] / N, 3, 0.05);
	CU_ASSERT(abs(tail - 2700) < 300);
}

/* Against libm: sqrt(-2 log u) cos(2 pi v). */
static void normal_formula(void)
{
	NncRng rng = nnc_rng(5, NNC_STREAM_INIT, 0, 0), words = rng;
	double worst = 0;

	for (int i = 0; i < 100000; i++) {
		double u = nnc_rng_uniform(&words) + 0x1p-32;
		double v = nnc_rng_uniform(&words);
		double want = sqrt(-2 * log(u)) * cos(2 * M_PI * v);
		double error = fabs(nnc_rng_normal(&rng) - want);
		worst = error > worst ? error : worst;
	}
	CU_ASSERT(worst < 1e-13);
}

/* The same bits on every machine and by every compiler. */
static void normal_bits(void)
{
	NncRng rng = nnc_rng(42, NNC_STREAM_INIT, 0, 7);
	double x[1000];

	for (int i = 0; i < 1000; i++)
		x[i] = nnc_rng_normal(&rng);
	CU_ASSERT_EQUAL(x[0], -0x1.4577b8ff366ddp+0);
	CU_ASSERT_EQUAL(nnc_crc32(x, sizeof x), 0xd64d91a7);
}

static void shuffle(void)
{
	uint32_t index[100], seen[100] = {0}, place[5] = {0};

	for (uint32_t i = 0; i < 100; i++)
		index[i] = i;
	NncRng rng = nnc_rng(9, NNC_STREAM_SHUFFLE, 1, 0);
	nnc_shuffle(index, 100, &rng);
	for (int i = 0; i < 100; i++)
		seen[index[i]]++;
	for (int i = 0; i < 100; i++)
		CU_ASSERT_EQUAL(seen[i], 1);
	for (int round = 0; round < 20000; round++) { /* where does 0 land? */
		uint32_t five[5] = {0, 1, 2, 3, 4};
		nnc_shuffle(five, 5, &rng);
		for (int i = 0; i < 5; i++)
			place[i] += five[i] == 0;
	}
	for (int i = 0; i < 5; i++)
		CU_ASSERT(abs((int)place[i] - 4000) < 300);
	nnc_shuffle(index, 0, &rng);
	nnc_shuffle(index, 1, &rng);
}

static void deviation(const char *name, double argument, double mean, double want)
{
	const NncInit *init = nnc_find_init(name);
	NncRng rng = nnc_rng(1, NNC_STREAM_INIT, 0, 0);
	double sum = 0, square = 0;

	CU_ASSERT_PTR_NOT_NULL_FATAL(init);
	for (int i = 0; i < 50000; i++) {
		double x = init->draw(&rng, argument, 50, 100);
		sum += x;
		square += x * x;
	}
	sum /= 50000;
	CU_ASSERT_DOUBLE_EQUAL(sum, mean, 0.03 * want + 1e-12);
	CU_ASSERT_DOUBLE_EQUAL(sqrt(square / 50000 - sum * sum), want,
			       0.03 * want + 1e-7);
}

static void initialisers(void)
{
	deviation("he", 0, 0, sqrt(2.0 / 50));
	deviation("lecun", 0, 0, sqrt(1.0 / 50));
	deviation("glorot", 0, 0, sqrt(6.0 / 150) / sqrt(3));
	deviation("normal", 0.3, 0, 0.3);
	deviation("uniform", 0.3, 0, 0.3 / sqrt(3));
	deviation("constant", 1, 1, 0);
	deviation("zeros", 0, 0, 0);
	CU_ASSERT_PTR_NULL(nnc_find_init("He"));
}

/* Two models: the second has a layer more and holds its weights transposed. */
static void init_params(void)
{
	static const NncTensor small[] = {
		{"dense1.weight", 2, {3, 4}, {4, 1}, 0, "he", 0, 4, 3},
		{"dense1.bias", 1, {3}, {1}, 12, "zeros", 0, 4, 3},
	};
	static const NncTensor large[] = {
		{"dense0.weight", 2, {4, 4}, {4, 1}, 0, "he", 0, 4, 4},
		{"dense1.weight", 2, {3, 4}, {1, 3}, 16, "he", 0, 4, 3},
	};
	static const NncModel one = {
		.real_bytes = 4, .tensors = small, .tensor_count = 2};
	static const NncModel two = {
		.real_bytes = 8, .tensors = large, .tensor_count = 2};
	float a[15];
	double b[28];
	NncContext ca = {.params = a}, cb = {.params = b};
	int differ = 0;

	memset(a, 1, sizeof a);
	nnc_init_params(&ca, &one, 11);
	nnc_init_params(&cb, &two, 11);
	for (int o = 0; o < 3; o++)
		for (int k = 0; k < 4; k++)
			CU_ASSERT_EQUAL((double)a[4 * o + k], b[16 + o + 3 * k]);
	for (int i = 12; i < 15; i++)
		CU_ASSERT_EQUAL(a[i], 0);
	for (int i = 0; i < 12; i++)
		differ += (double)a[i] != b[i];
	CU_ASSERT(differ > 10);
}

extern void suite_rng(void);

void suite_rng(void)
{
	CU_pSuite suite = CU_add_suite("rng", NULL, NULL);

	CU_add_test(suite, "philox known answers", known_answers);
	CU_add_test(suite, "streams", streams);
	CU_add_test(suite, "below", below);
	CU_add_test(suite, "normal", normal);
	CU_add_test(suite, "normal formula", normal_formula);
	CU_add_test(suite, "normal bits", normal_bits);
	CU_add_test(suite, "shuffle", shuffle);
	CU_add_test(suite, "initialisers", initialisers);
	CU_add_test(suite, "init_params", init_params);
}
