/* avgpool WINDOW: the mean of each window of each channel. */
#include "nnc.h"

static Tensor *build(Net *net, NetLayer *use, const Args *args, Tensor *x)
{
	Attr attr = {0};
	Shape out;
	if (!window_attr(&attr, use, args, x, &out))
		return NULL;
	Tensor *in[] = {x};
	return append(net, &op_avgpool, use, &attr, in, 1, use->id, out)->out[0];
}

static const Param params[] = {
	{"window", NNC_ARG_SIZE2, true, true, 0, 1, NNC_MAX_DIM, NULL,
	 "height x width"},
	{"stride", NNC_ARG_SIZE2, false, false, 0, 1, NNC_MAX_DIM, NULL,
	 "step of the window; the window itself by default"},
	{"padding", NNC_ARG_CHOICE | NNC_ARG_INT, false, false, 0, 0, NNC_MAX_DIM,
	 "valid|same",
	 "valid (default), same, or a number a side; padding is not counted"},
	PARAM_NAME,
	{.name = NULL},
};

const Layer layer_avgpool = {
	.name = "avgpool",
	.summary = "the mean of each window of each channel",
	.detail = "Input H x W x C. Output H' x W' x C; with padding=same H' is H / "
		  "stride\n"
		  "rounded up, else (H + padding - window) / stride + 1 rounded down.",
	.params = params,
	.build = build,
};
