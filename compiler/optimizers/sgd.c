/*
 * sgd: w -= lr g, with weight decay, momentum and Nesterov's form of it as in
 * PyTorch's SGD: g += decay w; m = momentum m + g; w -= lr m (or lr (g + momentum m)).
 */
#include "nnc.h"

static const Param params[] = {
	PARAM_LR(1e-2),
	{"momentum", NNC_ARG_REAL, false, false, 0, 0, 1, NULL, "share of the last step kept"},
	{"nesterov", NNC_ARG_FLAG, true, false, 0, 0, 1, NULL, "look ahead along the momentum"},
	{"weight_decay", NNC_ARG_REAL, false, false, 0, 0, 1e6, NULL, "adds this times w to g"},
	{.name = NULL},
};

static void check(const Args *args)
{
	if (!arg_flag(args, "nesterov") || arg_real(args, "momentum") > 0)
		return;
	diag_error(arg_span(args, "nesterov"), "nesterov without a momentum");
	diag_help("write `sgd momentum=0.9 nesterov`");
}

static int slots(const Args *args, const char *const **names)
{
	static const char *const all[] = {"m"};
	*names = all;
	return arg_real(args, "momentum") > 0;
}

static const char *template(const Args *args)
{
	return arg_real(args, "momentum") > 0 ? "sgd_momentum" : "sgd";
}

static const Hole *holes(const Args *args)
{
	double decay = arg_real(args, "weight_decay");
	const Hole h[] = {
		{"decay", decay > 0 ? arena_printf("g += %s * *w;", real_text(decay)) : ""},
		{"momentum", real_text(arg_real(args, "momentum"))},
		{"step", arg_flag(args, "nesterov") ? "(g + momentum * *m)" : "*m"},
		{NULL, NULL},
	};
	return join_holes(h, sizeof h / sizeof *h - 1, NULL);
}

static bool rests(const Args *args)
{
	return !(arg_real(args, "momentum") > 0) && !(arg_real(args, "weight_decay") > 0);
}

static const char *const scalars[] = {"lr", NULL};

const Optimizer optimizer_sgd = {
	.name = "sgd",
	.summary = "stochastic gradient descent, with momentum where asked for",
	.params = params,
	.check = check,
	.slots = slots,
	.template = template,
	.holes = holes,
	.vectors = true,
	.setup = "const real lr = (real)c->lr;",
	.scalars = scalars,
	.rests = rests,
	.flops = 4,
};

#ifdef TEMPLATE_sgd
/* w -= lr g */
static NNC_INLINE void $name$($number$ g, real lr, $number$ *restrict w)
{
	$decay$
	*w -= lr * g;
}
#endif

#ifdef TEMPLATE_sgd_momentum
/* m = momentum m + g, then w moves against it */
static NNC_INLINE void $name$($number$ g, real lr, $number$ *restrict w,
			      $number$ *restrict m)
{
	const real momentum = $momentum$;

	$decay$
	*m = momentum * *m + g;
	*w -= lr * $step$;
}
#endif
