/*
 * compare.h - what the files of `nnc diff` share: two Nets of all passes, a on the left
 * and b on the right.
 */
#ifndef COMPARE_H
#define COMPARE_H

#include "nnc.h"

typedef struct Comparison {
	const Net *a, *b;
	const char *name_a, *name_b; /* their files, as they are to be shown */
	FILE *out;
	bool colour;
} Comparison;

typedef struct Row {
	const NetLayer *layer;
	const char *text;       /* its statement in normal form: no names of constants */
} Row;

/* What stands side by side; NULL: only the other has the layer. */
typedef struct Pair {
	const Row *a, *b;
} Pair;

/* The same statement, shapes, parameters and multiply-adds. */
bool same_row(const Row *a, const Row *b);
/* The layers of both in their order, so paired that least differs. */
Pair *align_layers(const Net *a, const Net *b, int *count);

/* Each prints its part; whether anything differs. */
bool compare_layers(const Comparison *c);
bool compare_settings(const Comparison *c);
/* The generated C, by diff(1), with this many lines around (-1: only how much differs).
 * *status: 0, or that of a failure that was reported. */
bool compare_code(const Comparison *c, int context, int *status);

/* "\033[31m" and so on where there are colours, else "". */
const char *colour(const Comparison *c, const char *code);

#endif
