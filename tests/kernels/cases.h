/*
 * cases.h - what gen.c writes and driver.c runs: shapes of an op, each computed by ops
 * one after the other, by its plain loops and by its kernels, and where their operands
 * lie.
 */
#ifndef CASES_H
#define CASES_H

#include "nnc_rt.h"

enum { ARENA, PARAMS, GRADS, SLOT_0, SLOT_1, BLOCKS };

typedef enum Fill {
	FILL_REALS, /* in -1..1, with some zeros */
	FILL_RELU,  /* in 0..1, half of them 0 */
	FILL_ONES,
	FILL_POSITIVE, /* in 0.25..1 */
	FILL_PLACES,   /* in a maxpool's window, and in the image */
} Fill;

typedef struct Buffer {
	int block;
	long offset; /* reals */
	long row;    /* elements, */
	int unit;    /* of so many bytes */
	int rows;    /* 0: one for each row of the batch */
	Fill fill;
	bool kept; /* a gradient that is moved by: there where it is kept */
} Buffer;

enum { MAX_INPUTS = 8, MAX_OUTPUTS = 4, MAX_SPARE = 12, MAX_VARIANTS = 8 };

typedef struct Variant {
	const char *name; /* "steps", "plain loops", or the kernel's */
	void (*run)(const NncThread *thread, NncContext *c, int n);
	long scratch;            /* reals of each thread */
	Buffer spare[MAX_SPARE]; /* where it may write what it likes */
	int spare_count;
} Variant;

typedef struct Pool {
	int h, w, c, oh, ow, kh, kw, sh, sw, top, left;
} Pool;

typedef struct Case {
	const char *what; /* "12: gemm_nt_5x3x7_add" */
	int batch;
	long terms; /* of each sum; per row of the batch where rows_too */
	bool rows_too;
	Pool pool;    /* h is 0 where there is none */
	Buffer image; /* what the pool reads */
	Buffer in[MAX_INPUTS];
	int in_count;
	Buffer out[MAX_OUTPUTS];
	int out_count;
	Buffer size; /* of |a| |b|, by the first of the steps */
	void (*run_size)(const NncThread *thread, NncContext *c, int n);
	Variant variant[MAX_VARIANTS]; /* the first: steps */
	int variant_count;
	long reals[BLOCKS];
} Case;

extern const Case cases[];
extern const int case_count;

#endif
