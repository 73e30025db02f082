/* cross_entropy: the negative log likelihood of the label under softmax of the output.
 */
#include "nnc.h"

/* The logits: the output, or what a closing softmax was applied to. */
static Node *build(Net *net, Tensor *output)
{
	Node *last = output->producer;
	if (last->op == &op_softmax) {
		net->output = last->in[0];
		last->dead = true; /* its work is part of the loss */
		sweep(&net->train);
	}
	Tensor *in[] = {net->output};
	const NetLayer *layer = net->layers[net->layer_count - 1];
	return append(net, &op_cross_entropy, layer, NULL, in, 1, "probabilities",
		      net->output->shape);
}

static const Param params[] = {{.name = NULL}};

const Loss loss_cross_entropy = {
	.name = "cross_entropy",
	.summary = "-log of the label's probability; fused with the softmax before it",
	.params = params,
	.build = build,
	.probabilities = true,
};
