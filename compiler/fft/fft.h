/*
 * fft.h - straight-line discrete Fourier transforms as C text, for the kernels that
 * convolve by them. Lanes are channels: every variable of a transform is a vector.
 */
#ifndef FFT_H
#define FFT_H

#include "nnc.h"

/* ---- dag.c: expressions over vectors ------------------------------------------- */

/* 0 is zero, n > 0 a node, -n its negative: signs cost nothing until they are written. */
typedef int Expr;
typedef struct Dag Dag;

Dag *dag_new(void);
Expr dag_input(Dag *d, const char *name, const char *value);
Expr dag_add(Dag *d, Expr a, Expr b);
Expr dag_sub(Dag *d, Expr a, Expr b);
Expr dag_scale(Dag *d, double factor, Expr a);
void dag_output(Dag *d, const char *place, Expr a);
/* What the outputs need, and nothing else, as statements; its vector operations. */
const char *dag_text(const Dag *d, int *operations);

/* ---- dft.c: transforms of one size ------------------------------------------------ */

typedef struct Complex {
	Expr re, im;
} Complex;

enum { MAX_TRANSFORM = 36 };

bool is_smooth(int64_t n);          /* a product of 2, 3, 5 and 7 */
/* y[k] = the sum of x[j] e^(sign 2 pi i j k / n); all of x is 0 where it is not given. */
void dft(Dag *d, const Complex *x, Complex *y, int n, int sign);
double dft_operations(int64_t n);   /* about how many vector operations it takes */

/* ---- codelet.c: functions -------------------------------------------------------- */

/*
 * A transform of `size` numbers of which only `count` are not zero (forward) or wanted
 * (inverse): number i is in place (first + step i) mod size. Where these numbers are real,
 * bins 0..size/2 stand for all.
 */
typedef struct Codelet {
	int64_t size, count, first, step;
	bool inverse, real;
} Codelet;

const char *codelet_function(Emit *e, const Codelet *c); /* emitted once; its name */

/* ---- size.c: transforms of images, or of tiles of them ------------------------------ */

/* The parts of an image along one axis, which may overlap; what is outside it is 0. */
typedef struct Tiles {
	int64_t count;          /* 1: the image as a whole */
	int64_t size, step;     /* numbers of one; from one to the next */
	int64_t before;         /* zeros before the image in the first one */
} Tiles;

/* Along one axis: transforms of `size` places, each for `step` outputs more. */
typedef struct Tiling {
	int64_t size, tiles, step;
} Tiling;

/*
 * A convolution by transforms of ph x pw. Rows come first, then the pw/2+1 columns of
 * their bins; of columns 0 and pw/2, whose rows' bins are real, half is enough.
 */
typedef struct Transform {
	int64_t ph, pw;
	Tiling down, across;
} Transform;

/* The cheapest for batches of n. False: no size up to MAX_TRANSFORM will do. */
bool transform_of(const Window *w, int64_t n, Transform *t);

/* ---- rows.c: what the ops of such a convolution share ----------------------------------- */

/* `count` images of h rows of w vectors of c numbers, and how a tensor holds them. */
typedef struct Rows {
	int64_t count, h, w, c;
	int64_t image, row, step; /* from one to the next */
	int64_t top, left, direction; /* places of number 0 in the transform; +1 or -1 */
	bool taps;              /* of a weight: not of a batch */
	Tiles down, across;
} Rows;

/* All three passes of one convolution use the same transform. */
typedef struct Spectral {
	Window window;
	Transform t;
	Rows x, w, y;
	int64_t batch;
} Spectral;

/* False: no transform will do. */
bool spectral_of(const Net *net, const Window *w, Spectral *s);
bool same_layout(const Spectral *s, const Rows *r, const Spectral *other, const Rows *o);
/* Columns of tiles: of an image that is whole, one. Their tiles overlap in the lines kept. */
int64_t strips(const Rows *r);
int64_t strip_lines(const Rows *r);
bool is_tiled(const Rows *r);
/* "14x14x64"; "56x56x64_4x4_14x14_p1x1": how many tiles, from one to the next, padding */
const char *rows_id(const Rows *r);
int64_t group_strips(const Spectral *s); /* whose columns are in the cache at a time */
int64_t rows_reals(const Transform *t, const Rows *r); /* of the rows' bins */
const char *row_function(Emit *e, const Transform *t, const Rows *r, bool inverse);
const char *column_function(Emit *e, const Transform *t, const Rows *r, bool inverse, bool half);
Hole *rows_holes(const Transform *t, const Rows *r, const Hole *extra);
int64_t vectors(int64_t numbers); /* of 16 numbers, the widest: fewer lanes need no more */

#endif
