/*
 * activations.c - the elementwise functions: one row each, from which come the
 * forward and backward code, the documentation and the checks. softmax, which mixes
 * the values of a row, is an op of its own; only its name is known here.
 */
#include <string.h>

#include "nnc.h"

#define ALPHA(initial, min, max, help)                                                 \
	{                                                                              \
		"alpha", NNC_ARG_REAL, true, false, initial, min, max, NULL, help      \
	}

const Activation activations[] = {
	{.name = "elu",
	 .summary = "x above 0, alpha (e^x - 1) below (Clevert et al. 2015)",
	 .param = ALPHA(1, 0, 1e6, "the limit far below 0 is -alpha"),
	 .value = "v > 0 ? v : alpha * nnc_expm1(v)",
	 .grad = "y > 0 ? v : v * (y + alpha)",
	 .rises = true,
	 .init = "he"},
	{.name = "gelu",
	 .summary =
		 "x times the normal distribution function (Hendrycks and Gimpel 2016)",
	 .value = "(real)0.5 * v * (1 + nnc_erf(v * (real)0.70710678118654752))",
	 .grad = "v * ((real)0.5 * (1 + nnc_erf(x * (real)0.70710678118654752)) + "
		 "x * (real)0.39894228040143268 * nnc_exp((real)-0.5 * x * x))",
	 .from_input = true,
	 .init = "he"},
	{.name = "leaky_relu",
	 .summary = "x above 0, alpha x below (Maas et al. 2013)",
	 .param = ALPHA(0.01, 0, 1e6, "the slope below 0"),
	 .value = "v > 0 ? v : alpha * v",
	 .grad = "y > 0 ? v : alpha * v",
	 .rises = true,
	 .init = "he"},
	{.name = "linear", .summary = "x itself", .init = "glorot"},
	{.name = "relu",
	 .summary = "x above 0, 0 below",
	 .value = "v < 0 ? 0 : v", /* not a number stays one */
	 .grad = "y > 0 ? v : 0",
	 .rises = true,
	 .zeros = true,
	 .init = "he"},
	{.name = "selu",
	 .summary = "self-normalising elu with fixed scales (Klambauer et al. 2017)",
	 .value = "v > 0 ? (real)1.0507009873554805 * v"
		  " : (real)1.7580993408473766 * nnc_expm1(v)",
	 .grad = "y > 0 ? (real)1.0507009873554805 * v : v * (y + "
		 "(real)1.7580993408473766)",
	 .rises = true,
	 .init = "lecun"},
	{.name = "sigmoid",
	 .summary = "1 / (1 + e^-x)",
	 .value = "1 / (1 + nnc_exp(-v))",
	 .grad = "v * y * (1 - y)",
	 .rises = true,
	 .init = "glorot"},
	{.name = "softplus",
	 .summary = "log(1 + e^x)",
	 .value = "nnc_softplus(v)",
	 .grad = "v * -nnc_expm1(-y)",
	 .rises = true,
	 .init = "he"},
	{.name = "swish",
	 .summary = "x sigmoid(x), also called silu (Ramachandran et al. 2017)",
	 .value = "v / (1 + nnc_exp(-v))",
	 .grad = "v * (1 + x * (1 - 1 / (1 + nnc_exp(-x)))) / (1 + nnc_exp(-x))",
	 .from_input = true,
	 .init = "he"},
	{.name = "tanh",
	 .summary = "the hyperbolic tangent",
	 .value = "nnc_tanh(v)",
	 .grad = "v * (1 - y * y)",
	 .rises = true,
	 .init = "glorot"},
	{.name = NULL},
};

const Activation *find_activation(const char *name)
{
	for (const Activation *a = activations; a->name; a++)
		if (strcmp(a->name, name) == 0)
			return a;
	return NULL;
}

bool is_activation(const char *name)
{
	return strcmp(name, "softmax") == 0 || find_activation(name);
}

const char *const *activation_names(int *n)
{
	const char **names = NULL;
	*n = 0;
	for (const Activation *a = activations; a->name; a++)
		*vec_push(&names, n) = a->name;
	*vec_push(&names, n) = "softmax";
	return names;
}

/* The table that bind_args checks an activation's arguments against. */
static const Param *activation_params(const Activation *act)
{
	static const Param none[1];
	if (!act || !act->param.name)
		return none;
	Param *table = arena_alloc(2 * sizeof *table);
	table[0] = act->param;
	return table;
}

bool check_activation(const Value *v)
{
	const Arg *args = v->kind == VALUE_CALL ? v->items : NULL;
	int count = v->kind == VALUE_CALL ? v->count : 0;
	Args bound;
	return bind_args(&bound, v->text, v->span, args, count,
			 activation_params(find_activation(v->text)));
}

double activation_argument(const Activation *act, const Value *v)
{
	if (!act->param.name)
		return 0;
	if (v->kind == VALUE_CALL && v->count > 0)
		return v->items[0].value.number;
	return act->param.initial;
}
