/* input SHAPE: what one sample looks like; the first layer of every model. */
#include "nnc.h"

static Tensor *build(Net *net, NetLayer *use, const Args *args, Tensor *x)
{
	assert(!x);
	const Value *v = arg_value(args, "shape");
	Shape shape = {.rank = v->kind == VALUE_SHAPE ? v->count : 1};
	shape.dim[0] = v->integer;
	for (int i = 0; v->kind == VALUE_SHAPE && i < v->count; i++)
		shape.dim[i] = v->items[i].value.integer;
	if (shape.rank == 2) /* one channel */
		shape = shape3(shape.dim[0], shape.dim[1], 1);
	net->input = shape;
	net->phase = PHASE_LOAD;
	Attr attr = {.scale = net->training.scale};
	Node *n = append(net, &op_load, use, &attr, NULL, 0, "x", shape);
	net->phase = PHASE_FORWARD;
	n->out[0]->kind = TENSOR_INPUT;
	net->x = n->out[0];
	return net->x;
}

static const Param params[] = {
	{"shape", NNC_ARG_SHAPE, true, true, 0, 1, NNC_MAX_DIM, NULL,
	 "height x width x channels, height x width, or a number of values"},
	PARAM_NAME,
	{.name = NULL},
};

const Layer layer_input = {
	.name = "input",
	.summary = "the shape of one sample; the first layer of every model",
	.detail = "28x28 is 28x28x1. Images are stored height, width, channel.",
	.params = params,
	.build = build,
};
