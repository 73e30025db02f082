/* uniform(a) - uniform in [-a, a). */
#include "nnc_rt.h"

static double draw(NncRng *rng, double argument, double fan_in, double fan_out)
{
	(void)fan_in, (void)fan_out;
	return argument * (2 * nnc_rng_uniform(rng) - 1);
}

const NncInit init_uniform = {
	.name = "uniform",
	.summary = "uniform in [-a, a)",
	.param = {.name = "a",
		  .forms = NNC_ARG_REAL,
		  .positional = true,
		  .initial = 0.05,
		  .min = 0,
		  .max = 1e6,
		  .help = "half the width"},
	.draw = draw,
};
