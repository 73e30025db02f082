/* maxpool WINDOW: the largest value of each window of each channel. */
#include "nnc.h"

static Tensor *build(Net *net, NetLayer *use, const Args *args, Tensor *x)
{
	Attr attr = {0};
	Shape out;
	if (!window_attr(&attr, use, args, x, &out))
		return NULL;
	Tensor *in[] = {x};
	Node *n = append(net, &op_maxpool, use, &attr, in, 1, use->id, out);
	/* Which place in the window won: what the backward pass routes by. */
	bool small = attr.kernel[0] * attr.kernel[1] <= 256;
	add_output(net, n, layer_id(use, "winner"), out,
		   small ? ELEMENT_BYTE : ELEMENT_INT);
	return n->out[0];
}

static const Param params[] = {
	{"window", NNC_ARG_SIZE2, true, true, 0, 1, NNC_MAX_DIM, NULL,
	 "height x width"},
	{"stride", NNC_ARG_SIZE2, false, false, 0, 1, NNC_MAX_DIM, NULL,
	 "step of the window; the window itself by default"},
	{"padding", NNC_ARG_CHOICE | NNC_ARG_INT, false, false, 0, 0, NNC_MAX_DIM,
	 "valid|same", "valid (default), same, or a number a side; padding never wins"},
	PARAM_NAME,
	{.name = NULL},
};

const Layer layer_maxpool = {
	.name = "maxpool",
	.summary = "the largest value of each window of each channel",
	.detail = "Input H x W x C. Output H' x W' x C; with padding=same H' is H / "
		  "stride\n"
		  "rounded up, else (H + padding - window) / stride + 1 rounded down.",
	.params = params,
	.build = build,
};
