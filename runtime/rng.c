/*
 * rng.c - Philox 4x32-10 and what is drawn from it.
 *
 * Only + - * / and sqrt of IEEE doubles are used, no libm function whose last bit
 * differs from one machine to the next, so the same seed gives the same weights.
 */
#include "internal.h"

#include <math.h>

/* A fused multiply-add would round once where other machines round twice. */
#ifdef __clang__
#pragma STDC FP_CONTRACT OFF
#else
#pragma GCC optimize("fp-contract=off")
#endif

void nnc_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
	uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
	uint32_t k0 = key[0], k1 = key[1];

	for (int round = 0; round < 10; round++) {
		uint64_t p0 = (uint64_t)0xD2511F53u * c0;
		uint64_t p1 = (uint64_t)0xCD9E8D57u * c2;
		c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
		c1 = (uint32_t)p1;
		c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
		c3 = (uint32_t)p0;
		k0 += 0x9E3779B9u;
		k1 += 0xBB67AE85u;
	}
	out[0] = c0;
	out[1] = c1;
	out[2] = c2;
	out[3] = c3;
}

NncRng nnc_rng(uint32_t seed, uint32_t stream, uint32_t epoch, uint32_t step)
{
	return (NncRng){.counter = {epoch, step, 0, 0}, .key = {seed, stream}};
}

static uint32_t next_word(NncRng *rng)
{
	if (rng->left == 0) {
		nnc_philox(rng->counter, rng->key, rng->words);
		rng->counter[3]++;
		rng->left = 4;
	}
	return rng->words[4 - rng->left--];
}

/* Lemire 2019, "Fast random integer generation in an interval". */
uint32_t nnc_rng_below(NncRng *rng, uint32_t bound)
{
	uint64_t product = (uint64_t)next_word(rng) * bound;

	if ((uint32_t)product < bound) {
		uint32_t threshold = (0u - bound) % bound;
		while ((uint32_t)product < threshold)
			product = (uint64_t)next_word(rng) * bound;
	}
	return (uint32_t)(product >> 32);
}

double nnc_rng_uniform(NncRng *rng)
{
	return (double)next_word(rng) * 0x1p-32;
}

/* log(x) of 0 < x <= 1: 2 atanh((m - 1) / (m + 1)) + e log 2, to about 1e-16. */
static double log_of(double x)
{
	int exponent;
	double m = frexp(x, &exponent);

	if (m < 0.70710678118654752) {
		m *= 2;
		exponent--;
	}
	double s = (m - 1) / (m + 1), square = s * s, sum = 0;
	for (int k = 23; k >= 1; k -= 2)
		sum = sum * square + 1.0 / k;
	return 2 * s * sum + exponent * 0.69314718055994531;
}

/* cos(turn * pi / 2) of 0 <= turn <= 1: the Taylor series, to about 1e-16. */
static double cos_of_quarter(double turn)
{
	double x = turn * 1.57079632679489662, square = x * x, sum = 1;

	for (int k = 24; k >= 2; k -= 2)
		sum = 1 - sum * square / (k * (k - 1));
	return sum;
}

/* Box and Muller 1958: sqrt(-2 log u) cos(2 pi v), u in (0, 1], v in [0, 1). */
double nnc_rng_normal(NncRng *rng)
{
	double radius = sqrt(-2 * log_of(((double)next_word(rng) + 1) * 0x1p-32));
	uint32_t word = next_word(rng), quadrant = word >> 30;
	double turn = (double)(word & 0x3fffffffu) * 0x1p-30;
	double cosine = cos_of_quarter(quadrant & 1 ? 1 - turn : turn);

	return quadrant == 1 || quadrant == 2 ? -radius * cosine : radius * cosine;
}

void nnc_shuffle(uint32_t *index, size_t count, NncRng *rng)
{
	for (size_t i = count; i > 1; i--) {
		size_t j = nnc_rng_below(rng, (uint32_t)i);
		uint32_t swap = index[i - 1];
		index[i - 1] = index[j];
		index[j] = swap;
	}
}
