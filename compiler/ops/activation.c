/* activation and activation_grad: the rows of activations.c, element by element. */
#include <math.h>

#include "nnc.h"

static void grad(Net *net, Node *n, Tensor *dout, const bool *wanted, Tensor **din)
{
	if (!wanted[0])
		return;
	Tensor *saved = n->attr.act->from_input ? n->in[0] : n->out[0];
	Tensor *in[] = {dout, saved};
	din[0] = append(net, &op_activation_grad, n->layer, &n->attr, in, 2,
			adjoint_id(n->in[0]), n->in[0]->shape)
			 ->out[0];
}

static double flops(const Net *net, const Node *n)
{
	return batch_size(net, n->in[0]);
}

static const char *with_alpha(const Node *n, const char *expression)
{
	return replace_word(expression, "alpha", real_text(n->attr.alpha));
}

static const char *element(const Node *n)
{
	return arena_printf("v = %s;", with_alpha(n, n->attr.act->value));
}

/* "leaky_relu_0_1": the name, with its argument where it has one. */
static const char *suffix(const Node *n)
{
	const Activation *act = n->attr.act;
	if (!act->param.name)
		return act->name;
	return arena_printf("%s_%s", act->name, identifier_text(n->attr.alpha));
}

static void print_attr(FILE *out, const Node *n)
{
	fprintf(out, " %s", n->attr.act->name);
	if (n->attr.act->param.name)
		fprintf(out, "(%.9g)", n->attr.alpha);
}

static bool rises(const Node *n)
{
	return n->attr.act->rises;
}

const Op op_activation = {
	.name = "activation",
	.grad = grad,
	.flops = flops,
	.emit = emit_elementwise,
	.halves = elementwise_halves,
	.split = elementwise_split,
	.element = element,
	.suffix = suffix,
	.in_place = true,
	.rises = rises,
	.print_attr = print_attr,
};

static const char *grad_element(const Node *n)
{
	const Activation *act = n->attr.act;
	const char *text = with_alpha(n, act->grad);
	text = replace_word(text, act->from_input ? "x" : "y", "saved[at]");
	return arena_printf("v = %s;", text);
}

static const char *grad_suffix(const Node *n)
{
	return arena_printf("%s_grad", suffix(n));
}

const Op op_activation_grad = {
	.name = "activation_grad",
	.flops = flops,
	.emit = emit_elementwise,
	.halves = elementwise_halves,
	.split = elementwise_split,
	.element = grad_element,
	.operand = "saved",
	.suffix = grad_suffix,
	.in_place = true,
	.print_attr = print_attr,
};
