/* globalavgpool: the mean of each channel over the whole image. */
#include "nnc.h"

static Tensor *build(Net *net, NetLayer *use, const Args *args, Tensor *x)
{
	(void)args;
	if (!needs_image(use, x))
		return NULL;
	Attr attr = {.stride = {1, 1}, .dilation = {1, 1}};
	attr.kernel[0] = x->shape.dim[0];
	attr.kernel[1] = x->shape.dim[1];
	Shape out = shape1(x->shape.dim[2]);
	Tensor *in[] = {x};
	return append(net, &op_avgpool, use, &attr, in, 1, use->id, out)->out[0];
}

static const Param params[] = {
	PARAM_NAME,
	{.name = NULL},
};

const Layer layer_globalavgpool = {
	.name = "globalavgpool",
	.summary = "the mean of each channel over the whole image",
	.detail = "Input H x W x C. Output C.",
	.params = params,
	.build = build,
};
