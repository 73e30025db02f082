/*
 * check.c - what a kernel may write, and that it wrote what the steps did; see run.h.
 */
#include <float.h>

#include "run.h"

static const double epsilon = sizeof(real) == 4 ? FLT_EPSILON : DBL_EPSILON;

bool fails(const Run *r, const Variant *v, const char *what, long at)
{
	printf("FAIL case %s: %s, %d of %d rows%s: %s at %ld\n", r->c->what, v->name,
	       r->n, r->c->batch, r->context.keep_grads ? ", gradients kept" : "", what,
	       at);
	return false;
}

static void allow(Run *r, const Buffer *b)
{
	memcpy(r->before[b->block] + b->offset, start(r, b), bytes_of(r, b));
}

/* All but the outputs and what is spare is as it was. */
bool untouched(Run *r, const Variant *v)
{
	static const char *const where[BLOCKS] = {
		"wrote into the arena", "wrote into the weights",
		"wrote into the gradients", "wrote into the optimizer's state",
		"wrote into the optimizer's state"};

	for (int k = 0; k < r->c->out_count; k++)
		allow(r, &r->c->out[k]);
	for (int k = 0; k < v->spare_count; k++)
		allow(r, &v->spare[k]);
	for (int b = 0; b < BLOCKS; b++)
		for (long i = 0; i < r->c->reals[b]; i++)
			if (memcmp(&r->now[b][i], &r->before[b][i], sizeof(real)))
				return fails(r, v, where[b], i);
	return true;
}

/*
 * Two sums of the same terms in another order differ by about the root of their number
 * in units of epsilon of the sum of their sizes; what is fused at most doubles that.
 * A transform spreads the error of its largest sums over all of them.
 */
static double bound(const Run *r, double size, double value)
{
	double terms = (double)r->c->terms * (r->c->rows_too ? r->n : 1);

	return 2 * epsilon * ((2 + sqrt(terms)) * (size + 1) + 4 * (fabs(value) + 1));
}

static double largest_size(const Run *r, const Variant *v)
{
	double largest = 0;

	for (long i = 0; i < count(r, &r->c->size) && strstr(v->name, "fft"); i++)
		largest = fmax(largest, r->size[i]);
	return largest;
}

static bool numbers_agree(const Run *r, const Variant *v, int k)
{
	const real *plain = r->plain.copy[k], *result = r->result.copy[k];
	double largest = largest_size(r, v);

	for (long i = 0; i < count(r, &r->c->out[k]); i++) {
		double want = plain[i], got = result[i];
		if (isnan(got))
			return fails(r, v, "not written, or from what is no operand,",
				     i);
		if (fabs(got - want) <= bound(r, fmax(largest, r->size[i]), want))
			continue;
		printf("steps %.9g, here %.9g: ", want, got);
		return fails(r, v, k ? "wrong (a second output)" : "wrong", i);
	}
	return true;
}

/* Each winner is in its window and, as far as that is certain, the largest there. */
static bool winners_agree(const Run *r, const Variant *v, int k)
{
	const Case *c = r->c;
	const Pool *p = &c->pool;
	const uint8_t *bytes = r->result.copy[k];
	const int32_t *wide = r->result.copy[k];
	double largest = largest_size(r, v);

	for (long i = 0; i < count(r, &c->out[k]); i++) {
		int place = c->out[k].unit == 1 ? bytes[i] : wide[i];
		int at = (int)(i / p->c), channel = (int)(i % p->c);
		int top = at / p->ow % p->oh * p->sh - p->top,
		    left = at % p->ow * p->sw - p->left;
		Range y = inside(top, p->kh, p->h), x = inside(left, p->kw, p->w);
		const real *image =
			r->image + at / p->ow / p->oh * p->h * p->w * p->c + channel;
		int ky = place / p->kw, kx = place % p->kw;
		double best = -HUGE_VAL;
		if (ky < y.first || ky >= y.end || kx < x.first || kx >= x.end)
			return fails(r, v, "a winner outside its window", i);
		for (int j = y.first; j < y.end; j++)
			for (int q = x.first; q < x.end; q++)
				best = fmax(
					best,
					image[((top + j) * p->w + left + q) * p->c]);
		double won = image[((top + ky) * p->w + left + kx) * p->c];
		if (best - won > 2 * bound(r, fmax(largest, r->size[i]), best))
			return fails(r, v, "not the largest won", i);
	}
	return true;
}

/* A gradient that moved its weight is only there where it is kept. */
static bool is_made(const Run *r, const Buffer *out)
{
	return !out->kept || r->context.keep_grads;
}

bool agrees(const Run *r, const Variant *v)
{
	bool ok = true;

	for (int k = 0; k < r->c->out_count && ok; k++) {
		const Buffer *out = &r->c->out[k];
		if (is_made(r, out))
			ok = out->fill == FILL_PLACES ? winners_agree(r, v, k)
						      : numbers_agree(r, v, k);
	}
	return ok;
}

bool same_bits(const Run *r, const Variant *v)
{
	for (int k = 0; k < r->c->out_count; k++) {
		const Buffer *out = &r->c->out[k];
		if (is_made(r, out) &&
		    memcmp(r->result.copy[k], r->shared.copy[k], bytes_of(r, out)))
			return fails(r, v, "other bits by three threads in output", k);
	}
	return true;
}
