/*
 * rows.c - what the ops of a convolution by transforms share. Between them are the bins
 * of each row of an image, in memory, in vectors:
 *
 *     (column) (image) (row) (re, im) (vectors of channels)
 *
 * with an odd number of vectors from one column to the next: a power of two would put
 * all of them into the same few sets of the cache. Of the columns 0 and pw/2, whose
 * rows' bins are real, half of the bins is enough.
 *
 * Of an image in tiles there is one such image for each column of tiles, a strip. Lines
 * that two tiles of a strip share are there once.
 */
#include "fft.h"

enum {
	GROUP_BYTES = 768 << 10, /* of a column of bins, of the second cache */
	MIN_GROUP = 32,          /* tiles: fewer would wait for the weights */
};

int64_t vectors(int64_t numbers)
{
	return (numbers + 15) / 16;
}

static Rows image_rows(int64_t n, int64_t h, int64_t w, int64_t c, Tiles down,
		       Tiles across)
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
		.down = down,
		.across = across,
	};
}

/* Taps go to places top - k, so that y is the plain cyclic convolution with them. */
static Rows tap_rows(const Window *w, const Transform *t)
{
	return (Rows){
		.count = w->c,
		.h = w->kh,
		.w = w->kw,
		.c = w->o,
		.image = w->o,
		.row = w->kw * w->c * w->o,
		.step = w->c * w->o,
		.top = t->down.tiles > 1 ? 0 : w->top,
		.left = t->across.tiles > 1 ? 0 : w->left,
		.direction = -1,
		.taps = true,
		.down = {1, w->kh, w->kh, 0},
		.across = {1, w->kw, w->kw, 0},
	};
}

/* What the outputs of an axis are, or read: `more` numbers than outputs. */
static Tiles tiles_of(const Tiling *a, int64_t whole, int64_t more, int64_t before)
{
	if (a->tiles == 1)
		return (Tiles){1, whole, whole, 0};
	return (Tiles){a->tiles, a->step + more, a->step, before};
}

bool spectral_of(const Net *net, const Window *w, Spectral *s)
{
	int64_t n = net->training.batch;
	Transform t;
	if (!transform_of(w, n, &t))
		return false;
	const Tiling *d = &t.down, *a = &t.across;
	*s = (Spectral){.window = *w, .batch = n, .t = t};
	s->x = image_rows(n, w->h, w->w, w->c, tiles_of(d, w->h, w->kh - 1, w->top),
			  tiles_of(a, w->w, w->kw - 1, w->left));
	s->w = tap_rows(w, &t);
	s->y = image_rows(n, w->oh, w->ow, w->o, tiles_of(d, w->oh, 0, 0),
			  tiles_of(a, w->ow, 0, 0));
	return true;
}

static bool same_tiles(const Tiles *a, const Tiles *b)
{
	return a->count == b->count && a->size == b->size && a->step == b->step &&
	       a->before == b->before;
}

bool same_layout(const Spectral *s, const Rows *r, const Spectral *other, const Rows *o)
{
	return s->t.ph == other->t.ph && s->t.pw == other->t.pw && r->top == o->top &&
	       r->left == o->left && same_tiles(&r->down, &o->down) &&
	       same_tiles(&r->across, &o->across);
}

bool is_tiled(const Rows *r)
{
	return r->down.count * r->across.count > 1;
}

const char *rows_id(const Rows *r)
{
	const Tiles *down = &r->down, *across = &r->across;
	const char *id = shape_name(r->taps ? shape4(r->h, r->w, r->count, r->c)
					    : shape3(r->h, r->w, r->c));
	if (is_tiled(r))
		id = arena_printf("%s_%lldx%lld_%lldx%lld", id, (long long)down->count,
				  (long long)across->count, (long long)down->step,
				  (long long)across->step);
	if (down->before || across->before)
		id = arena_printf("%s_p%lldx%lld", id, (long long)down->before,
				  (long long)across->before);
	return id;
}

int64_t strips(const Rows *r)
{
	return r->count * r->across.count;
}

int64_t strip_lines(const Rows *r)
{
	return (r->down.count - 1) * r->down.step + r->down.size;
}

/* All, or a part of them, even as far as that is possible. */
int64_t group_strips(const Spectral *s)
{
	int64_t all = strips(&s->x), down = s->x.down.count;
	int64_t tile = 128 * s->t.ph * (vectors(s->x.c) + vectors(s->y.c));
	int64_t tiles = GROUP_BYTES / tile;
	tiles = tiles < MIN_GROUP ? MIN_GROUP : tiles;
	int64_t most = tiles < down ? 1 : tiles / down, best = 0;
	if (all * down * 2 <= tiles * 3)
		return all;
	for (int64_t n = most; n > most / 2 && !best; n--)
		if (all % n == 0 && n * down % 8 == 0)
			best = n;
	return best ? best : most;
}

int64_t rows_reals(const Transform *t, const Rows *r)
{
	return 16 * (t->pw / 2 + 1) *
	       (2 * strips(r) * strip_lines(r) * vectors(r->c) | 1);
}

const char *row_function(Emit *e, const Transform *t, const Rows *r, bool inverse)
{
	const Codelet c = {
		.size = t->pw,
		.count = r->across.size,
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
		.count = r->down.size,
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
		{"id", rows_id(r)},
		{"COUNT", int_text(strips(r))},
		{"H", int_text(r->h)},
		{"W", int_text(r->w)},
		{"C", int_text(r->c)},
		{"IMAGE", int_text(r->image)},
		{"ROW", int_text(r->row)},
		{"STEP", int_text(r->step)},
		{"PH", int_text(t->ph)},
		{"PW", int_text(t->pw)},
		{"LINES", int_text(strip_lines(r))},
		{"DOWN", int_text(r->down.count)},
		{"DOWN_STEP", int_text(r->down.step)},
		{"HIGH", int_text(r->down.size)},
		{"TOP", int_text(r->down.before)},
		{"ACROSS", int_text(r->across.count)},
		{"ACROSS_STEP", int_text(r->across.step)},
		{"WIDE", int_text(r->across.size)},
		{"LEFT", int_text(r->across.before)},
		{"count", r->taps ? "COUNT" : "n"},
		{"unused", r->taps ? "(void)n;" : ""},
	};
	return join_holes(holes, sizeof holes / sizeof *holes, extra);
}
