/* draw.h - random cases: a product with all that passes may join to it. */
#ifndef DRAW_H
#define DRAW_H

#include "nnc.h"

enum { MAX_STEPS = 10 };

/* One case: a node, and ops that compute the same one after the other. */
typedef struct Drawn {
	Node *node;
	Node *step[MAX_STEPS];
	int step_count;
	int size_steps; /* those that lead to `size` */
	const Tensor
		*size; /* sums whose terms' sizes bound the error of what follows */
	int64_t terms; /* of each, */
	bool rows_too; /* for each row of the batch */
	const Node
		*pool; /* a maxpool that it ends with, or begins with the gradient of */
	const Tensor *winner; /* read or made there */
	const Tensor *ones;   /* an input that is all 1, or NULL */
	const Tensor *zeros;  /* one of which half is 0, or NULL */
	const Node *update;   /* what it ends with, or NULL */
} Drawn;

typedef struct Draw {
	Net *net;
	NetLayer *layer; /* that the tensors of a case are named after */
	NncRng rng;
	bool far; /* as in a net so large that its weights come from far in each step */
} Draw;

/* kind: of a gemm, whether it is forward (0), dy w^T (1) or x^T dy (2). */
Drawn draw_case(Draw *d, const Op *op, int kind);

#endif
