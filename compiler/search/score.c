/*
 * score.c - means, deviations and ranks, to the bit as scikit-learn has them: a mean is
 * summed in NumPy's order, so that points are level here if they are there.
 */
#include <math.h>

#include "search/search.h"

/* NumPy's sum of at most 128 numbers: eight at a time, then what is left. */
static double sum_of(const double *x, int n)
{
	enum { WIDTH = 8 };
	double part[WIDTH], sum = 0;
	int i = 0;
	assert(n <= 128);
	if (n >= WIDTH) {
		for (; i < WIDTH; i++)
			part[i] = x[i];
		for (; i + WIDTH <= n; i += WIDTH)
			for (int k = 0; k < WIDTH; k++)
				part[k] += x[i + k];
		sum = ((part[0] + part[1]) + (part[2] + part[3])) +
		      ((part[4] + part[5]) + (part[6] + part[7]));
	}
	for (; i < n; i++)
		sum += x[i];
	return sum;
}

double mean_of(const double *x, int n)
{
	return sum_of(x, n) / n;
}

double deviation_of(const double *x, int n)
{
	double square[NNC_MAX_FOLDS], mean = mean_of(x, n);
	for (int i = 0; i < n; i++)
		square[i] = (x[i] - mean) * (x[i] - mean);
	return sqrt(mean_of(square, n));
}

static bool better(const Point *a, const Point *b)
{
	return a->mean > b->mean || (isnan(b->mean) && !isnan(a->mean));
}

/* A point's rank is 1 and how many are better: rankdata's "min". */
void points_rank(Search *s)
{
	int folds = (int)s->tune->folds;
	for (int i = 0; i < s->point_count; i++) {
		Point *p = &s->points[i];
		double scores[NNC_MAX_FOLDS];
		for (int k = 0; k < folds; k++)
			scores[k] = p->jobs[k]->score;
		p->mean = mean_of(scores, folds);
		p->sd = deviation_of(scores, folds);
	}
	for (int i = 0; i < s->point_count; i++) {
		s->points[i].rank = 1;
		for (int k = 0; k < s->point_count; k++)
			s->points[i].rank += better(&s->points[k], &s->points[i]);
	}
}

const Point *best_point(const Search *s)
{
	for (int i = 0; i < s->point_count; i++)
		if (s->points[i].rank == 1 && !isnan(s->points[i].mean))
			return &s->points[i];
	return NULL;
}
