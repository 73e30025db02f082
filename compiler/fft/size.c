/*
 * size.c - how large a transform must be, and which size is the cheapest.
 *
 * Along one axis all three passes read or write the sum over (p, k) of
 * x[p + k - top] w[k] dy[p]: y, dx and dw are its derivatives. A cyclic transform of P
 * places adds the terms whose index of x is off by P. Indices run from -top to
 * H - 1 + bottom, so these terms fall outside x, where it is zero, if P >= H + top and
 * P >= H + bottom: one size serves all three. The operands must fit, too.
 */
#include "fft.h"

/* The smallest P for sizes of image, output and kernel. */
static int64_t least(int64_t h, int64_t oh, int64_t k, int64_t top)
{
	int64_t bottom = oh - 1 + k - h - top, pad = top > bottom ? top : bottom;
	int64_t least = h + (pad > 0 ? pad : 0);
	least = oh > least ? oh : least;
	return k > least ? k : least;
}

double image_operations(const Transform *t, int64_t lines)
{
	return 0.5 * (double)lines * dft_operations(t->pw) +
	       0.5 * (double)t->pw * dft_operations(t->ph);
}

static void count(const Window *w, int64_t n, Transform *t)
{
	double x = (double)(n * ((w->c + 15) / 16)),
	       y = (double)(n * ((w->o + 15) / 16));
	double taps = (double)(w->c * ((w->o + 15) / 16));
	double bins = (double)(t->ph * t->pw / 2 + 2);
	t->operations = x * image_operations(t, w->h) + y * image_operations(t, w->oh) +
			taps * image_operations(t, w->kh);
	t->products = 3 * bins * (double)n * taps;
}

bool transform_of(const Window *w, int64_t n, Transform *best)
{
	int64_t high = least(w->h, w->oh, w->kh, w->top);
	int64_t wide = least(w->w, w->ow, w->kw, w->left);
	bool any = false;
	for (int64_t ph = high; ph <= MAX_TRANSFORM; ph++)
		for (int64_t pw = wide; pw <= MAX_TRANSFORM; pw++) {
			Transform t = {.ph = ph, .pw = pw};
			if (ph % 2 || pw % 2 || !is_smooth(ph) || !is_smooth(pw))
				continue;
			count(w, n, &t);
			if (!any || 2 * t.operations + t.products <
					    2 * best->operations + best->products)
				*best = t;
			any = true;
		}
	return any;
}
