/*
 * rows.c - what the ops of a convolution by transforms share. Between them are the bins
 * of each row of an image, in memory, in vectors:
 *
 *     (column) (image) (row) (re, im) (vectors of channels)
 *
 * with an odd number of vectors from one column to the next: a power of two would put
 * all of them into the same few sets of the cache. Of the columns 0 and pw/2, whose
 * rows' bins are real, half of the bins is enough.
 */
#include "fft.h"

int64_t vectors(int64_t numbers)
{
	return (numbers + 15) / 16;
}

static Rows image_rows(int64_t n, int64_t h, int64_t w, int64_t c)
{
	return (Rows){
		.count = n,
		.h = h,
		.w = w,
		.c = c,
		.image = h * w * c,
		.row = w * c,
		.step = c,
		.direction = 1,
		.id = shape_name(shape3(h, w, c)),
	};
}

/* Taps go to places top - k, so that y is the plain cyclic convolution with them. */
static Rows tap_rows(const Window *w)
{
	return (Rows){
		.count = w->c,
		.h = w->kh,
		.w = w->kw,
		.c = w->o,
		.image = w->o,
		.row = w->kw * w->c * w->o,
		.step = w->c * w->o,
		.top = w->top,
		.left = w->left,
		.direction = -1,
		.taps = true,
		.id = shape_name(shape4(w->kh, w->kw, w->c, w->o)),
	};
}

bool spectral_of(const Net *net, const Window *w, Spectral *s)
{
	int64_t n = net->training.batch;
	*s = (Spectral){.window = *w, .batch = n};
	s->x = image_rows(n, w->h, w->w, w->c);
	s->w = tap_rows(w);
	s->y = image_rows(n, w->oh, w->ow, w->o);
	return transform_of(w, n, &s->t);
}

int64_t rows_reals(const Transform *t, const Rows *r)
{
	return 16 * (t->pw / 2 + 1) * (2 * r->count * r->h * vectors(r->c) | 1);
}

const char *row_function(Emit *e, const Transform *t, const Rows *r, bool inverse)
{
	const Codelet c = {
		.size = t->pw,
		.count = r->w,
		.first = r->left,
		.step = r->direction,
		.inverse = inverse,
		.real = true,
	};
	return codelet_function(e, &c);
}

const char *column_function(Emit *e, const Transform *t, const Rows *r, bool inverse,
			    bool half)
{
	const Codelet c = {
		.size = t->ph,
		.count = r->h,
		.first = r->top,
		.step = r->direction,
		.inverse = inverse,
		.real = half,
	};
	return codelet_function(e, &c);
}

Hole *rows_holes(const Transform *t, const Rows *r, const Hole *extra)
{
	const Hole holes[] = {
		{"id", r->id},
		{"COUNT", int_text(r->count)},
		{"H", int_text(r->h)},
		{"W", int_text(r->w)},
		{"C", int_text(r->c)},
		{"IMAGE", int_text(r->image)},
		{"ROW", int_text(r->row)},
		{"STEP", int_text(r->step)},
		{"PH", int_text(t->ph)},
		{"PW", int_text(t->pw)},
		{"count", r->taps ? "COUNT" : "n"},
		{"unused", r->taps ? "(void)n;" : ""},
	};
	return join_holes(holes, sizeof holes / sizeof *holes, extra);
}
