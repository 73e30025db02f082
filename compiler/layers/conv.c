/* conv FILTERS KERNEL [ACTIVATION]: a 2-D convolution (cross-correlation) over H x W x
 * C. */
#include "nnc.h"

static Tensor *build(Net *net, NetLayer *use, const Args *args, Tensor *x)
{
	Attr attr = {0};
	Shape out;
	if (!window_attr(&attr, use, args, x, &out))
		return NULL;
	int64_t filters = arg_int(args, "filters");
	int64_t channels = x->shape.dim[2];
	Shape shape = shape4(attr.kernel[0], attr.kernel[1], channels, filters);
	out.dim[2] = filters;
	if (!param_fits(use, shape) || !value_fits(net, use, out))
		return NULL;
	int64_t taps = attr.kernel[0] * attr.kernel[1];
	Tensor *weight = new_param(net, use, "weight", shape);
	static const int torch[NNC_MAX_RANK] = {3, 2, 0, 1};
	for (int i = 0; i < NNC_MAX_RANK; i++)
		weight->torch[i] = torch[i];
	init_weight(weight, args, (double)(taps * channels), (double)(taps * filters));
	use->macs = out.dim[0] * out.dim[1] * filters * taps * channels;
	Tensor *in[] = {x, weight};
	Node *n =
		append(net, &op_conv, use, &attr, in, 2, layer_id(use, "product"), out);
	Tensor *y = add_bias(net, use, args, n->out[0]);
	return activate(net, use, args, y);
}

static const Param params[] = {
	{"filters", NNC_ARG_INT, true, true, 0, 1, NNC_MAX_DIM, NULL,
	 "output channels"},
	{"kernel", NNC_ARG_SIZE2, true, true, 0, 1, NNC_MAX_DIM, NULL,
	 "window, height x width"},
	PARAM_ACTIVATION,
	{"stride", NNC_ARG_SIZE2, false, false, 1, 1, NNC_MAX_DIM, NULL,
	 "step of the window; 1 by default"},
	{"padding", NNC_ARG_CHOICE | NNC_ARG_INT, false, false, 0, 0, NNC_MAX_DIM,
	 "same|valid",
	 "zeros around the input: same (default), valid, or a number a side"},
	{"dilation", NNC_ARG_SIZE2, false, false, 1, 1, NNC_MAX_DIM, NULL,
	 "distance between the taps; 1 by default"},
	PARAM_BIAS,
	PARAM_INIT,
	PARAM_NAME,
	{.name = NULL},
};

const Layer layer_conv = {
	.name = "conv",
	.summary = "slides FILTERS weighted windows over an image",
	.detail = "Input H x W x C. Output H' x W' x FILTERS; with padding=same H' is\n"
		  "H / stride rounded up, else (H + padding - dilation (kernel - 1) - "
		  "1) / stride + 1\n"
		  "rounded down. weight (FILTERS, C, kernel height, kernel width), "
		  "bias (FILTERS).",
	.params = params,
	.build = build,
};
