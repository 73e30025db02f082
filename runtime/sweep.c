/*
 * sweep.c - the learning rate range test: a step at each of many rates, each larger
 * than the one before by the same factor (Smith 2017, arXiv:1506.01186, exponentially
 * as in Gugger 2018). The loss falls where the rate begins to do something, and
 * explodes where it is too large.
 *
 * Each step's loss is of another batch. What is judged is therefore the straight line
 * through the losses around a step, by least squares over the logarithm of the rate: it
 * does not lag behind, as a running mean does.
 */
#include "internal.h"

#include <math.h>
#include <stdlib.h>

/* A loss so many times the least has diverged. */
static const double diverged_at = 4;
/* What a running mean keeps of itself; it only tells when to stop. */
static const double memory = 0.9;

int nnc_sweep_open(NncSweep *s, NncError *err)
{
	size_t count = (size_t)s->steps;

	s->count = 0;
	s->diverged = false;
	s->least = s->steepest = -1;
	s->loss = nnc_allocate(count, sizeof *s->loss);
	s->smooth = nnc_allocate(count, sizeof *s->smooth);
	s->slope = nnc_allocate(count, sizeof *s->slope);
	if (s->loss && s->smooth && s->slope)
		return NNC_OK;
	nnc_sweep_close(s);
	return nnc_fail(err, NNC_NOMEM, "not enough memory for %lld steps",
			(long long)s->steps);
}

void nnc_sweep_close(NncSweep *s)
{
	free(s->loss);
	free(s->smooth);
	free(s->slope);
	s->loss = s->smooth = s->slope = NULL;
}

double nnc_sweep_rate(const NncSweep *s, int64_t step)
{
	return s->from * pow(s->to / s->from, (double)step / (double)(s->steps - 1));
}

/* The running mean of the first n losses, without its bias towards 0. */
static double running_mean(const NncSweep *s, int64_t n)
{
	double sum = 0, weight = 0;

	for (int64_t i = n > 100 ? n - 100 : 0; i < n; i++) { /* 0.9^100: nothing */
		sum = memory * sum + (1 - memory) * s->loss[i];
		weight = memory * weight + (1 - memory);
	}
	return sum / weight;
}

/* The steps to either side that a line is laid through. */
static int64_t reach(const NncSweep *s)
{
	return s->steps / 20 + 1;
}

bool nnc_sweep_add(NncSweep *s, double loss)
{
	double mean, least;

	if (!isfinite(loss)) {
		s->diverged = true;
		return false;
	}
	s->loss[s->count++] = loss;
	mean = running_mean(s, s->count);
	least = s->count > 1 ? s->smooth[s->count - 2] : mean; /* not yet in use */
	s->smooth[s->count - 1] = mean < least ? mean : least;
	s->diverged = s->count > reach(s) && mean > diverged_at * least;
	return !s->diverged && s->count < s->steps;
}

/* What explodes counts as no more than what has diverged: it is not to tilt the lines
   before it. Only behind the least running mean: weights may begin with a large loss.
 */
typedef struct Explosion {
	int64_t after;
	double most;
} Explosion;

static Explosion explosion_of(const NncSweep *s)
{
	double least = s->smooth[s->count - 1];
	int64_t at = s->count - 1;

	while (at > 0 && s->smooth[at - 1] <= least)
		at--;
	return (Explosion){at, least > 0 ? diverged_at * least : INFINITY};
}

/* The line through the losses around step i. */
static void lay_line(NncSweep *s, int64_t i, Explosion e)
{
	const int64_t first = i > reach(s) ? i - reach(s) : 0;
	const int64_t end = i + reach(s) < s->count ? i + reach(s) + 1 : s->count;
	const double step = log10(s->to / s->from) / (double)(s->steps - 1);
	double n = 0, x = 0, y = 0, xx = 0, xy = 0;

	for (int64_t j = first; j < end; j++) {
		double at = (double)(j - i);
		double loss = j > e.after ? fmin(s->loss[j], e.most) : s->loss[j];
		n++;
		x += at;
		y += loss;
		xx += at * at;
		xy += at * loss;
	}
	double spread = n * xx - x * x;
	double slope = spread > 0 ? (n * xy - x * y) / spread : 0;
	s->smooth[i] = (y - slope * x) / n;
	s->slope[i] = slope / step;
}

void nnc_sweep_judge(NncSweep *s)
{
	int64_t least = 0;

	if (!s->count)
		return;
	const Explosion e = explosion_of(s); /* before smooth is overwritten */
	for (int64_t i = 0; i < s->count; i++)
		lay_line(s, i, e);
	for (int64_t i = 1; i < s->count; i++)
		if (s->smooth[i] < s->smooth[least])
			least = i;
	for (int64_t i = 0; i < least; i++)
		if (s->slope[i] < 0 &&
		    (s->steepest < 0 || s->slope[i] < s->slope[s->steepest]))
			s->steepest = i;
	s->least = s->steepest < 0 ? -1 : least;
}
