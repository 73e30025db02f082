/*
 * bind.h - between bind.c, which matches arguments to parameters, and params.c, which
 * finds the words: what a parameter takes, and what is wrong with an argument.
 */
#ifndef BIND_H
#define BIND_H

#include "nnc.h"

/* ---- bind.c ------------------------------------------------------------- */
bool form_fits(const Param *p, const Value *v);
bool is_choice(const char *choices, const char *name);

/* ---- params.c ----------------------------------------------------------- */
const char *param_word(const Param *p);  /* UNITS if positional, else stride */
const char *param_range(const Param *p); /* "from 1 to 9", "of at least 1", "" */
const char *param_forms(const Param *p); /* "an integer or a size such as 3x3" */
const char *found_text(const Value *v);  /* 'units', which is 0.5 */

/* Errors. */
void unknown_key(const Args *a, const Arg *arg);
void misfit(const Args *a, const Param *p, const Value *v);
/* A positional argument that nothing left can take; before: the argument before it. */
void unplaced(const Args *a, const Value *v, const Arg *before);
void missing(const Args *a, const Param *p);

#endif
