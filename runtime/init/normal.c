/* normal(s) - normal, deviation s. */
#include "nnc_rt.h"

static double draw(NncRng *rng, double argument, double fan_in, double fan_out)
{
	(void)fan_in, (void)fan_out;
	return argument * nnc_rng_normal(rng);
}

const NncInit init_normal = {
	.name = "normal",
	.summary = "normal, mean 0, deviation s",
	.param = {.name = "s",
		  .forms = NNC_ARG_REAL,
		  .positional = true,
		  .initial = 0.05,
		  .min = 0,
		  .max = 1e6,
		  .help = "standard deviation"},
	.draw = draw,
};
