/* zeros - every weight 0; for biases. */
#include "nnc_rt.h"

static double draw(NncRng *rng, double argument, double fan_in, double fan_out)
{
	(void)rng, (void)argument, (void)fan_in, (void)fan_out;
	return 0;
}

const NncInit init_zeros = {
	.name = "zeros",
	.summary = "every weight 0; for biases",
	.draw = draw,
};
