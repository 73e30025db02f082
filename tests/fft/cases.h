/* cases.h - what gen.c writes and driver.c runs: transforms, one function each. */
#ifndef CASES_H
#define CASES_H

#include "nnc_rt.h"

typedef struct Case {
	const char *name;
	int size, count, first, step; /* as in struct Codelet */
	bool inverse, real;
	/* Numbers and bins are (re, im), side by side. */
	void (*run)(const nnc_vec *in, nnc_vec *out);
} Case;

extern const Case cases[];
extern const int case_count;

#endif
