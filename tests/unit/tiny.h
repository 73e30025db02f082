/*
 * tiny.h - a small network written by hand behind NncModel, as nnc would write it: the
 * fixture of the tests of the runtime's program.
 *
 *   input 6x6x1; dense 16 relu; dropout 0.25; dense 4 softmax; adam, batch 8
 */
#ifndef TINY_NETWORK_H
#define TINY_NETWORK_H

#include "nnc_rt.h"

enum {
	TINY_B = 8,
	TINY_HEIGHT = 6,
	TINY_WIDTH = 6,
	TINY_K = 36,
	TINY_H = 16,
	TINY_O = 4
};

extern const NncModel tiny_model, tiny_model_double;

/* Planted mistakes: gradcheck must find each. */
enum {
	TINY_RIGHT,
	TINY_SIGN,     /* dense2.weight's last gradient has the wrong sign */
	TINY_LOST_ROW, /* backward leaves out the last row of a partial batch */
	TINY_BIAS,     /* dense1.bias gets the gradient before relu's derivative */
	TINY_SCALE,    /* the input's gradient is 1 % too large */
	TINY_BUGS,
};
extern int tiny_bug;

/* ---- tiny_run.c: a program made of a model, in a process of its own ---------- */

enum { TINY_TEXT = 1 << 16 };

/* What it printed and how it ended. */
typedef struct TinyRun {
	int status;
	char out[TINY_TEXT], err[TINY_TEXT];
} TinyRun;

/* Writes IDX files of a data set that can be learnt into the temporary folder. */
void tiny_write_data(void);
/* Runs `tiny ARGUMENTS` (words between single spaces) in the temporary folder. */
const TinyRun *tiny_run(const NncModel *model, const NncModel *twin,
			const char *arguments);
/* Are two files of the temporary folder safetensors with the same tensors? Names the
   metadata that must be the same as well, or NULL. */
bool tiny_same(const char *one, const char *two, const char *const *metadata);

#endif
