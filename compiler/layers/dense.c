/* dense UNITS [ACTIVATION]: y = act(x W + b). */
#include "nnc.h"

static Tensor *build(Net *net, NetLayer *use, const Args *args, Tensor *x)
{
	int64_t units = arg_int(args, "units");
	x = flatten(net, use, x);
	int64_t inputs = shape_size(x->shape);
	Shape shape = shape2(inputs, units);
	if (!param_fits(use, shape))
		return NULL;
	Tensor *weight = new_param(net, use, "weight", shape);
	weight->torch[0] = 1;
	weight->torch[1] = 0;
	init_weight(weight, args, (double)inputs, (double)units);
	use->macs = inputs * units;
	Attr attr = {0};
	Tensor *in[] = {x, weight};
	Node *n = append(net, &op_gemm, use, &attr, in, 2, layer_id(use, "product"),
			 shape1(units));
	Tensor *y = add_bias(net, use, args, n->out[0]);
	return activate(net, use, args, y);
}

static const Param params[] = {
	{"units", NNC_ARG_INT, true, true, 0, 1, NNC_MAX_DIM, NULL, "outputs"},
	PARAM_ACTIVATION,
	PARAM_BIAS,
	PARAM_INIT,
	PARAM_NAME,
	{.name = NULL},
};

const Layer layer_dense = {
	.name = "dense",
	.summary = "every output is a weighted sum of every input",
	.detail = "Flattens an input that is not flat. Output: UNITS.\n"
		  "weight (UNITS, inputs), bias (UNITS): y = act(x weight^T + bias).",
	.params = params,
	.build = build,
};
