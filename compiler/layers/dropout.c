/* dropout RATE: in training, sets a share of the values to zero (Srivastava et al.
 * 2014). */
#include "nnc.h"

static Tensor *build(Net *net, NetLayer *use, const Args *args, Tensor *x)
{
	Attr attr = {.rate = arg_real(args, "rate"), .stream = net->dropouts++};
	if (attr.rate >= 1) {
		diag_error(arg_span(args, "rate"), "dropout 1 would drop every value");
		diag_help("the rate is the share to drop, at least 0 and below 1");
		return NULL;
	}
	Tensor *in[] = {x};
	return append(net, &op_dropout, use, &attr, in, 1, use->id, x->shape)->out[0];
}

static const Param params[] = {
	{"rate", NNC_ARG_REAL, true, true, 0, 0, 1, NULL,
	 "share of the values set to zero"},
	PARAM_NAME,
	{.name = NULL},
};

const Layer layer_dropout = {
	.name = "dropout",
	.summary = "in training, sets a share of the values to zero",
	.detail = "What is kept is divided by 1 - RATE, so that inference needs no "
		  "change.\n"
		  "Each draw depends on the seed, epoch, step, row and place alone.",
	.params = params,
	.build = build,
};
