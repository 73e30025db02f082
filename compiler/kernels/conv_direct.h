/*
 * conv_direct.h - what the direct convolutions share: one line of the padded image after
 * another, in register tiles.
 */
#ifndef CONV_DIRECT_H
#define CONV_DIRECT_H

#include "nnc.h"

/* Why a window cannot be read this way, or NULL. */
const char *direct_fits(const Net *net, const Node *n);
/* Numbers of the padded image that each thread keeps in its scratch. */
int64_t padded_image_reals(const Window *w);

/* In us: `flops` in tiles over rows x cols; padding the images; storing the outputs. */
double direct_tiles_cost(const Net *net, int64_t rows, int64_t cols, double flops);
double pad_cost(const Net *net, const Window *w);
double outputs_cost(const Net *net, const Window *w);

/* How many parts of a batch's images are summed each for itself, whoever does so. */
int64_t image_parts(const Net *net);

/* The holes of a template over a padded image, whose padding function they emit. */
const Hole *direct_holes(Emit *e, const Node *n, const Window *w, const char *name);
/* Emits NAME_line, which makes one line of outputs with what `n` has fused; its NAME. */
const char *conv_line_function(Emit *e, const Node *n, const Window *w);
/* Emits the convolution of window w with what `n` has fused; its name. */
const char *direct_function(Emit *e, const Node *n, const Window *w);
void call_direct(Emit *e, const Node *n, const char *name, const Tensor *out);

/* conv_direct_pool.c: the same with the maxpool that it ends with, and its scratch; */
const char *pooled_function(Emit *e, const Node *n, const Window *w, const Node *pool);
void call_pooled(Emit *e, const Node *n, const char *name, const Node *pool);
int64_t pool_lines_reals(const Window *w, const Node *pool);
/* the holes of such a maxpool, and of the convolution before it. */
const Hole *pool_holes(const Node *pool, const Hole *conv);

#endif
