/* pytorch - what PyTorch's Linear and Conv2d begin with. */
#include "nnc_rt.h"

#include <math.h>

static double draw(NncRng *rng, double argument, double fan_in, double fan_out)
{
	(void)argument, (void)fan_out;
	return (2 * nnc_rng_uniform(rng) - 1) / sqrt(fan_in);
}

const NncInit init_pytorch = {
	.name = "pytorch",
	.summary = "uniform within 1/sqrt(fan_in), PyTorch's default; smaller than he",
	.draw = draw,
};
