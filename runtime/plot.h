/*
 * plot.h - pictures by gnuplot, for the runtime and for the compiler.
 *
 * Text from outside is in a script only as nnc_plot_string writes it, and names of files
 * not at all: gnuplot runs in the folder of its files, and "history.csv" will do.
 */
#ifndef NNC_PLOT_H
#define NNC_PLOT_H

#include "internal.h"

#include <stdio.h>

/* Whose package to install where there is no gnuplot. */
#define NNC_PLOT_PACKAGE "gnuplot-nox"

/* The longest that a picture may take, in seconds. */
#define NNC_PLOT_SECONDS 30.0

/*
 * Text as a string of a gnuplot script, with its quotes: octal but for letters, digits
 * and a few signs, so that nothing in it is a quote, a command, a macro or a pipe. What
 * is not UTF-8, or a control character, becomes U+FFFD.
 */
void nnc_plot_string(FILE *script, const char *text);

/*
 * Runs gnuplot on the text of a script, in `folder` (NULL: the present one), without
 * the user's settings. What the script writes to no file goes to *output, NUL-terminated
 * and to be freed; NULL: it is thrown away. A gnuplot that takes longer than `seconds`,
 * or a signal noted meanwhile (stop.c), ends it. Errors: NNC_NOINPUT (it is not
 * installed), NNC_FAILED (with its message), NNC_IO, NNC_NOMEM.
 */
int nnc_gnuplot(const char *folder, const char *script, double seconds, char **output,
		NncError *err);

/* Begins a loop of a script for nnc_plot_draw(), over NAME.svg and NAME.png; "}" ends
   it. What it plots goes into each of them. */
void nnc_plot_begin(FILE *script, const char *name);

/*
 * Writes NAME.gnuplot, which draws NAME.svg and NAME.png again wherever it is run, and the
 * two pictures: each is whole, or, after an error, is not there. A process that is killed
 * meanwhile leaves those that were there before. Errors: nnc_gnuplot()'s.
 */
int nnc_plot_draw(const NncFolder *folder, const char *name, const char *script,
		  NncError *err);

#endif
