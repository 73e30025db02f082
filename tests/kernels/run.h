/*
 * run.h - one case at work, for driver.c, which runs it, and check.c, which looks at
 * what came of it.
 */
#ifndef RUN_H
#define RUN_H

#include "cases.h"
#include "internal.h"

typedef nnc_real real;

typedef struct Outputs {
	void *copy[MAX_OUTPUTS];
} Outputs;

/* One case at work. */
typedef struct Run {
	const Case *c;
	int n; /* rows */
	real *now[BLOCKS], *before[BLOCKS];
	real *size, *image; /* of the steps */
	Outputs plain, result, shared;
	NncContext context;
	NncTeam *one, *three;
} Run;

/* ---- buffers -------------------------------------------------------------------- */

static inline long count(const Run *r, const Buffer *b)
{
	return b->row * (b->rows ? b->rows : r->n);
}

static inline size_t bytes_of(const Run *r, const Buffer *b)
{
	return (size_t)(count(r, b) * b->unit);
}

static inline void *start(const Run *r, const Buffer *b)
{
	return r->now[b->block] + b->offset;
}

static inline size_t block_bytes(const Run *r, int block)
{
	return (size_t)r->c->reals[block] * sizeof(real);
}

typedef struct Range {
	int first, end;
} Range;

/* Of places in a window that begins at `corner`, those inside the image. */
static inline Range inside(int corner, int kernel, int image)
{
	return (Range){corner < 0 ? -corner : 0,
		       image - corner < kernel ? image - corner : kernel};
}

/* ---- check.c: false, with a message, where something is wrong ------------------- */

bool fails(const Run *r, const Variant *v, const char *what, long at);
bool untouched(Run *r, const Variant *v);
bool agrees(const Run *r, const Variant *v);
bool same_bits(const Run *r, const Variant *v);

#endif
