/* glorot - uniform, +-sqrt(6 / (fan_in + fan_out)). */
#include "nnc_rt.h"

#include <math.h>

static double draw(NncRng *rng, double argument, double fan_in, double fan_out)
{
	(void)argument;
	return sqrt(6 / (fan_in + fan_out)) * (2 * nnc_rng_uniform(rng) - 1);
}

const NncInit init_glorot = {
	.name = "glorot",
	.summary = "uniform in +-sqrt(6 / "
		   "(fan_in + fan_out)) (Glorot and Bengio 2010); Keras's default",
	.draw = draw,
};
