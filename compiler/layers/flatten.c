/* flatten: H x W x C as one vector, in memory order; computes nothing. */
#include "nnc.h"

static Tensor *build(Net *net, NetLayer *use, const Args *args, Tensor *x)
{
	(void)args;
	return flatten(net, use, x);
}

static const Param params[] = {
	PARAM_NAME,
	{.name = NULL},
};

const Layer layer_flatten = {
	.name = "flatten",
	.summary = "the image as one vector: height, then width, then channel",
	.detail = "Input H x W x C. Output H W C, the same numbers in the same order.",
	.params = params,
	.build = build,
};
