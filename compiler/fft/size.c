/*
 * size.c - how large a transform must be, of whole images or of tiles, and which is the
 * cheapest.
 *
 * Along one axis all three passes read or write the sum over (p, k) of
 * x[p + k - top] w[k] dy[p]: y, dx and dw are its derivatives. A cyclic transform of P
 * places adds the terms whose index of x is off by P. Indices run from -top to
 * H - 1 + bottom, so these terms fall outside x, where it is zero, if P >= H + top and
 * P >= H + bottom: one size serves all three. The operands must fit, too.
 *
 * A tile is a convolution without padding, of `step` outputs p and the step + K - 1
 * numbers of x that they read (overlap-save). The sum over all p is that over all
 * tiles: dw is the sum of theirs, and dx has, where tiles overlap, the sum of both
 * (overlap-add).
 */
#include "fft.h"

#include <stddef.h>
#include <string.h>

enum { MAX_AXES = 32 };

/* The smallest P for sizes of image, output and kernel. */
static int64_t least(int64_t h, int64_t oh, int64_t k, int64_t top)
{
	int64_t bottom = oh - 1 + k - h - top, pad = top > bottom ? top : bottom;
	int64_t least = h + (pad > 0 ? pad : 0);
	least = oh > least ? oh : least;
	return k > least ? k : least;
}

/* Of a transform of p places: pairs of sizes ask for it, thousands of times. */
static double operations(int64_t p)
{
	static double known[MAX_TRANSFORM + 1];
	if (known[p] == 0)
		known[p] = dft_operations(p);
	return known[p];
}

/* All ways along an axis: of each size the whole image if it fits, else even tiles. */
static int axes(int64_t h, int64_t oh, int64_t k, int64_t top, Tiling axis[MAX_AXES])
{
	int64_t whole = least(h, oh, k, top);
	int count = 0;
	for (int64_t size = 2; size <= MAX_TRANSFORM; size += 2) {
		int64_t most = size - k + 1,
			tiles = most > 0 ? (oh + most - 1) / most : 0;
		if (!is_smooth(size))
			continue;
		if (size >= whole)
			axis[count++] = (Tiling){size, 1, oh};
		else if (size >= 8 && most >= 2 && tiles > 1)
			axis[count++] = (Tiling){size, tiles, (oh + tiles - 1) / tiles};
	}
	return count;
}

/* Of both operands and the result, in additions of 16 numbers. */
static double work(const Window *w, int64_t n, const Transform *t)
{
	const Tiling *d = &t->down, *a = &t->across;
	bool tiled = d->tiles > 1, wide = a->tiles > 1;
	double x = (double)(n * ((w->c + 15) / 16)),
	       y = (double)(n * ((w->o + 15) / 16));
	double taps = (double)(w->c * ((w->o + 15) / 16));
	double bins = (double)(t->ph * t->pw / 2 + 2),
	       tiles = (double)(d->tiles * a->tiles);
	double lines = (double)a->tiles *
		       (x * (double)(tiled ? d->tiles * d->step + w->kh - 1 : w->h) +
			y * (double)(d->tiles * d->step));
	lines += taps * (double)w->kh;
	double moved = (tiled || wide ? 16 : 0) * lines * (double)(t->pw + 2);
	return lines * operations(t->pw) +
	       (tiles * (x + y) + taps) * (double)t->pw * operations(t->ph) +
	       3 * bins * tiles * (double)n * taps + moved;
}

static bool find_transform(const Window *w, int64_t n, Transform *best)
{
	Tiling down[MAX_AXES], across[MAX_AXES];
	int high = axes(w->h, w->oh, w->kh, w->top, down);
	int wide = axes(w->w, w->ow, w->kw, w->left, across);
	double least = 0;
	for (int i = 0; i < high; i++)
		for (int j = 0; j < wide; j++) {
			Transform t = {down[i].size, across[j].size, down[i],
				       across[j]};
			double cost = work(w, n, &t);
			if ((i || j) && cost >= least)
				continue;
			least = cost;
			*best = t;
		}
	return high && wide;
}

/* All passes of a layer ask for the same one after another, and so do equal layers. */
bool transform_of(const Window *w, int64_t n, Transform *t)
{
	static struct {
		Window window;
		int64_t n;
		Transform transform;
		bool fits;
	} last;
	if (memcmp(w, &last.window, offsetof(Window, uneven)) != 0 || n != last.n) {
		last.fits = find_transform(w, n, &last.transform);
		last.window = *w;
		last.n = n;
	}
	*t = last.transform;
	return last.fits;
}
