/*
 * adam: Kingma and Ba 2015, algorithm 1 in the order that the end of their section 2 gives:
 * m += (1 - b1) (g - m); v += (1 - b2) (g^2 - v); w -= rate m / (sqrt(v) + e), where
 * rate = lr sqrt(1 - b2^t) / (1 - b1^t) and e = epsilon sqrt(1 - b2^t) are one for all
 * weights. It is PyTorch's step. 1 - b2 is taken in double: 1 - 0.999f is 5e-5 more than
 * 0.001.
 */
#include "nnc.h"

static const Param params[] = {
	PARAM_LR(1e-3),
	{"beta1", NNC_ARG_REAL, false, false, 0.9, 0, 0.999999, NULL, "decay of the mean"},
	{"beta2", NNC_ARG_REAL, false, false, 0.999, 0, 0.99999999, NULL, "decay of the square"},
	{"epsilon", NNC_ARG_REAL, false, false, 1e-8, 1e-30, 1, NULL, "added to the root"},
	{"weight_decay", NNC_ARG_REAL, false, false, 0, 0, 1e6, NULL, "adds this times w to g"},
	{.name = NULL},
};

static int slots(const Args *args, const char *const **names)
{
	static const char *const all[] = {"m", "v"};
	(void)args;
	*names = all;
	return 2;
}

static const char *template(const Args *args)
{
	(void)args;
	return "adam";
}

static const Hole *holes(const Args *args)
{
	double decay = arg_real(args, "weight_decay");
	const Hole h[] = {
		{"decay", decay > 0 ? arena_printf("g += %s * *w;", real_text(decay)) : ""},
		{"beta1", number_text(arg_real(args, "beta1"))},
		{"beta2", number_text(arg_real(args, "beta2"))},
		{"epsilon", number_text(arg_real(args, "epsilon"))},
		{NULL, NULL},
	};
	return join_holes(h, sizeof h / sizeof *h - 1, NULL);
}

static const char *const scalars[] = {"rate", "epsilon", NULL};

const Optimizer optimizer_adam = {
	.name = "adam",
	.summary = "steps scaled by running means of the gradient and of its square",
	.params = params,
	.slots = slots,
	.template = template,
	.holes = holes,
	.setup = "const double t = (double)(c->updates + 1), root = sqrt(1 - pow($beta2$, t));\n"
		 "const real rate = (real)(c->lr * root / (1 - pow($beta1$, t)));\n"
		 "const real epsilon = (real)($epsilon$ * root);",
	.scalars = scalars,
	.flops = 12,
};

#ifdef TEMPLATE_adam
/* m, v: running means of g and g^2; rate and epsilon hold their corrections for step t */
static NNC_INLINE void $name$(real g, real rate, real epsilon, real *restrict w,
			    real *restrict m, real *restrict v)
{
	const real new1 = (real)(1 - $beta1$), new2 = (real)(1 - $beta2$);

	$decay$
	*m += new1 * (g - *m);
	*v += new2 * (g * g - *v);
	*w -= rate * (*m / (nnc_sqrt(*v) + epsilon));
}
#endif
