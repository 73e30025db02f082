/* activation FUNCTION: an activation as a statement of its own; `relu;` is short for
 * it. */
#include <string.h>

#include "nnc.h"

static Tensor *build(Net *net, NetLayer *use, const Args *args, Tensor *x)
{
	return activate(net, use, args, x);
}

static const Param params[] = {
	{"activation", NNC_ARG_ACTIVATION, true, true, 0, 0, 0, NULL, "the function"},
	PARAM_NAME,
	{.name = NULL},
};

const Layer layer_activation = {
	.name = "activation",
	.summary = "an elementwise function, or softmax; `relu;` is short for "
		   "`activation relu;`",
	.detail = "Output: the shape of the input.",
	.params = params,
	.build = build,
};
