/* lecun - normal, deviation sqrt(1 / fan_in). */
#include "nnc_rt.h"

#include <math.h>

static double draw(NncRng *rng, double argument, double fan_in, double fan_out)
{
	(void)argument, (void)fan_out;
	return sqrt(1 / fan_in) * nnc_rng_normal(rng);
}

const NncInit init_lecun = {
	.name = "lecun",
	.summary = "normal, deviation sqrt(1 / fan_in) "
		   "(LeCun et al. 1998, Efficient BackProp); for selu",
	.draw = draw,
};
