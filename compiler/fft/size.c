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

/* Of one size: what transform_of() asks of hundreds of pairs. */
typedef struct Size {
	int64_t places;
	double operations;
} Size;

/* The even smooth sizes up to MAX_TRANSFORM, in their order. */
static const Size *sizes(int *n)
{
	static Size all[MAX_TRANSFORM / 2];
	static int count;
	if (count == 0)
		for (int64_t p = 2; p <= MAX_TRANSFORM; p += 2)
			if (is_smooth(p))
				all[count++] = (Size){p, dft_operations(p)};
	*n = count;
	return all;
}

/* Of an image with so many lines, by transforms of high x wide. */
static double operations(const Size *high, const Size *wide, int64_t lines)
{
	return 0.5 * (double)lines * wide->operations +
	       0.5 * (double)wide->places * high->operations;
}

static Transform transform(const Window *w, int64_t n, const Size *high,
			   const Size *wide)
{
	double x = (double)(n * ((w->c + 15) / 16)),
	       y = (double)(n * ((w->o + 15) / 16));
	double taps = (double)(w->c * ((w->o + 15) / 16));
	double bins = (double)(high->places * wide->places / 2 + 2);
	return (Transform){
		.ph = high->places,
		.pw = wide->places,
		.operations = x * operations(high, wide, w->h) +
			      y * operations(high, wide, w->oh) +
			      taps * operations(high, wide, w->kh),
		.products = 3 * bins * (double)n * taps,
	};
}

bool transform_of(const Window *w, int64_t n, Transform *best)
{
	int64_t least_high = least(w->h, w->oh, w->kh, w->top);
	int64_t least_wide = least(w->w, w->ow, w->kw, w->left);
	int count;
	const Size *all = sizes(&count);
	bool any = false;
	for (const Size *high = all; high < all + count; high++)
		for (const Size *wide = all; wide < all + count; wide++) {
			if (high->places < least_high || wide->places < least_wide)
				continue;
			Transform t = transform(w, n, high, wide);
			if (!any || 2 * t.operations + t.products <
					    2 * best->operations + best->products)
				*best = t;
			any = true;
		}
	return any;
}
