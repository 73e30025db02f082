/*
 * cases.h - what gen.c writes and driver.c runs: shapes of an op, each with its plain
 * loops and its kernels, and where their operands lie.
 */
#ifndef CASES_H
#define CASES_H

#include "nnc_rt.h"

enum { ARENA, PARAMS, GRADS, BLOCKS };

typedef struct Buffer {
	int block;
	long offset, row;       /* reals; the first one, and how many a row */
	int rows;               /* 0: one for each row of the batch */
} Buffer;

typedef struct Variant {
	const char *name;       /* "plain loops", or the kernel's */
	void (*run)(const NncThread *thread, NncContext *c, int n);
	long work, work_reals;  /* where it may write what it likes */
	long scratch;           /* reals of each thread */
} Variant;

enum { MAX_OPERANDS = 8, MAX_VARIANTS = 8 };

typedef struct Case {
	const char *what;       /* "12 gemm nt 5x3x7, then add" */
	int batch;
	long terms;             /* of each sum; per row of the batch where rows_too */
	bool rows_too;
	Buffer in[MAX_OPERANDS];
	int in_count;
	Buffer out;
	Buffer size;            /* of |a| |b|, by the plain loops without the rest */
	void (*run_size)(const NncThread *thread, NncContext *c, int n);
	Variant variant[MAX_VARIANTS]; /* the first: plain loops */
	int variant_count;
	long reals[BLOCKS];
} Case;

extern const Case cases[];
extern const int case_count;

#endif
