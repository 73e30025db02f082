/* he - normal, deviation sqrt(2 / fan_in). */
#include "nnc_rt.h"

#include <math.h>

static double draw(NncRng *rng, double argument, double fan_in, double fan_out)
{
	(void)argument, (void)fan_out;
	return sqrt(2 / fan_in) * nnc_rng_normal(rng);
}

const NncInit init_he = {
	.name = "he",
	.summary = "normal, deviation sqrt(2 / fan_in) "
		   "(He et al. 2015, arXiv:1502.01852); for the relu family",
	.draw = draw,
};
