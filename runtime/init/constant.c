/* constant(c) - every weight c, as batchnorm's scale of 1. */
#include "nnc_rt.h"

static double draw(NncRng *rng, double argument, double fan_in, double fan_out)
{
	(void)rng, (void)fan_in, (void)fan_out;
	return argument;
}

const NncInit init_constant = {
	.name = "constant",
	.summary = "every weight c",
	.param = {.name = "c",
		  .forms = NNC_ARG_REAL,
		  .positional = true,
		  .initial = 1,
		  .min = -1e6,
		  .max = 1e6,
		  .help = "the value"},
	.draw = draw,
};
