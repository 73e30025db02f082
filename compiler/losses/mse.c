/* mse: the mean squared difference between the output and the one-hot label. */
#include "nnc.h"

static Node *build(Net *net, Tensor *output)
{
	Tensor *in[] = {output};
	const NetLayer *layer = net->layers[net->layer_count - 1];
	return append_into(net, &op_mse, layer, NULL, in, 1, NULL);
}

static const Param params[] = {{.name = NULL}};

const Loss loss_mse = {
	.name = "mse",
	.summary = "mean squared difference from 1 for the label and 0 for the rest",
	.params = params,
	.build = build,
};
