/*
 * window.c - what layers share: names and limits of their tensors, flattening, bias,
 * activation, and the arithmetic of sliding windows.
 */
#include <string.h>

#include "nnc.h"

const char *layer_id(const NetLayer *use, const char *part)
{
	return arena_printf("%s_%s", use->id, part);
}

/* ---- limits --------------------------------------------------------------------- */

/* Whether so many tensors of a shape are one of at most MAX_TENSOR elements. */
static bool fits(int64_t count, Shape shape)
{
	for (int i = 0; i < shape.rank; i++) {
		if (count > MAX_TENSOR / shape.dim[i])
			return false;
		count *= shape.dim[i];
	}
	return true;
}

bool param_fits(const NetLayer *use, Shape shape)
{
	if (fits(1, shape))
		return true;
	diag_error(use->stmt->span, "a weight of %s is too large", shape_name(shape));
	diag_help("a tensor has at most %lld elements", (long long)MAX_TENSOR);
	return false;
}

bool value_fits(const Net *net, const NetLayer *use, Shape shape)
{
	if (fits(net->training.batch, shape))
		return true;
	diag_error(use->stmt->span, "a batch of %lld times %s is too large",
		   (long long)net->training.batch, shape_name(shape));
	diag_help("a tensor has at most %lld elements; use a smaller batch",
		  (long long)MAX_TENSOR);
	return false;
}

/* ---- pieces of layers ---------------------------------------------------- */

Tensor *flatten(Net *net, NetLayer *use, Tensor *x)
{
	if (x->shape.rank == 1)
		return x;
	Tensor *in[] = {x};
	Node *n = append(net, &op_reshape, use, NULL, in, 1, layer_id(use, "flat"),
			 shape1(shape_size(x->shape)));
	n->out[0]->alias = x;
	return n->out[0];
}

Tensor *add_bias(Net *net, NetLayer *use, const Args *args, Tensor *x)
{
	if (!arg_flag(args, "bias"))
		return x;
	Tensor *bias = new_param(net, use, "bias", shape1(columns(x->shape)));
	bias->init = "zeros";
	Tensor *in[] = {x, bias};
	return append(net, &op_bias, use, NULL, in, 2, layer_id(use, "sum"), x->shape)
		->out[0];
}

static Tensor *softmax(Net *net, NetLayer *use, Tensor *x)
{
	if (x->producer->op == &op_softmax) {
		diag_warn(use->stmt->span, "softmax is applied twice");
		diag_note(x->producer->layer->stmt->span, "the first time is here");
	}
	Tensor *in[] = {x};
	return append(net, &op_softmax, use, NULL, in, 1, use->id, x->shape)->out[0];
}

Tensor *activate(Net *net, NetLayer *use, const Args *args, Tensor *x)
{
	const Value *v = arg_value(args, "activation");
	if (!v)
		return x;
	if (strcmp(v->text, "softmax") == 0)
		return softmax(net, use, x);
	const Activation *act = find_activation(v->text);
	if (!act->value)
		return x;
	Attr attr = {.act = act, .alpha = activation_argument(act, v)};
	Tensor *in[] = {x};
	return append(net, &op_activation, use, &attr, in, 1, use->id, x->shape)
		->out[0];
}

/* The initialiser of a weight: what was asked for, or what suits its activation. */
void init_weight(Tensor *weight, const Args *args, double fan_in, double fan_out)
{
	const Value *init = arg_value(args, "init");
	const Value *v = arg_value(args, "activation");
	const Activation *act = v ? find_activation(v->text) : NULL;
	weight->init = init ? init->text : act ? act->init : "glorot";
	weight->fan_in = fan_in;
	weight->fan_out = fan_out;
	const NncInit *found = nnc_find_init(weight->init);
	bool given = init && init->kind == VALUE_CALL && init->count > 0;
	weight->init_argument =
		given ? init->items[0].value.number : found->param.initial;
}

/* ---- sliding windows ----------------------------------------------------- */

bool needs_image(const NetLayer *use, const Tensor *x)
{
	if (x->shape.rank == 3)
		return true;
	diag_error(use->stmt->name_span,
		   "%s needs an image, height x width x channels; "
		   "its input is %s",
		   use->word, shape_name(x->shape));
	diag_note(x->producer->layer->stmt->span, "%s comes from here",
		  shape_name(x->shape));
	diag_help("put it before the layer that flattens, or give `input` a shape such "
		  "as 28x28x1");
	return false;
}

/* From the first tap of a window to the last, along an axis: at most NNC_MAX_DIM^2. */
static int64_t reach_of(const Attr *attr, int axis)
{
	return attr->dilation[axis] * (attr->kernel[axis] - 1) + 1;
}

/* The output size along one axis; 0 where the window does not fit. */
static int64_t window_axis(int64_t size, int64_t reach, int64_t stride,
			   const Args *args, int64_t *before, int64_t *after)
{
	const Value *padding = arg_value(args, "padding");
	if (padding && padding->kind == VALUE_NUMBER) {
		*before = *after = padding->integer;
	} else if (strcmp(arg_choice(args, "padding"), "same") == 0) {
		int64_t out = (size + stride - 1) / stride;
		int64_t total = (out - 1) * stride + reach - size;
		total = total > 0 ? total : 0;
		*before = total /
			  2; /* the odd one goes to the end, as in Keras and PyTorch */
		*after = total - *before;
	} else {
		*before = *after = 0;
	}
	int64_t padded = size + *before + *after;
	return padded < reach ? 0 : (padded - reach) / stride + 1;
}

static bool report_window(const NetLayer *use, const Args *args, const char *key,
			  const Attr *attr, const Tensor *x)
{
	bool one = attr->dilation[0] == 1 && attr->dilation[1] == 1;
	diag_error(arg_span(args, key), "%s %s %lldx%lld%s does not fit its %s input%s",
		   use->word, key, (long long)attr->kernel[0],
		   (long long)attr->kernel[1], one ? "" : ", dilated,",
		   shape_name(x->shape), origin_turn(use->stmt->origin));
	diag_note(x->producer->layer->stmt->span, "%s comes from this %s%s",
		  shape_name(x->shape), x->producer->layer->word,
		  origin_turn(x->producer->layer->stmt->origin));
	int64_t high = (x->shape.dim[0] - 1) / attr->dilation[0] + 1;
	int64_t wide = (x->shape.dim[1] - 1) / attr->dilation[1] + 1;
	diag_help("use a %s of at most %lld, or padding=same", key,
		  (long long)(high < wide ? high : wide));
	return false;
}

/* Padding as wide as the window would make outputs that see no input at all. */
static bool check_padding(const NetLayer *use, const Args *args, const Attr *attr)
{
	for (int i = 0; i < 4; i++) {
		int64_t most = reach_of(attr, i % 2) - 1;
		if (attr->pad[i] <= most)
			continue;
		diag_error(arg_span(args, "padding"),
			   "%s: a padding of %lld is as wide as the "
			   "window: its outermost outputs would see nothing",
			   use->word, (long long)attr->pad[i]);
		diag_help("use at most %lld, or padding=same", (long long)most);
		return false;
	}
	return true;
}

/* Windows may be wider than their image, but their places are counted in an int. */
static bool check_window(const NetLayer *use, const Args *args, const char *key,
			 const Attr *attr)
{
	const int64_t high = reach_of(attr, 0), wide = reach_of(attr, 1);
	if (high <= NNC_MAX_DIM && wide <= NNC_MAX_DIM &&
	    fits(1, shape2(attr->kernel[0], attr->kernel[1])))
		return true;
	diag_error(arg_span(args, key),
		   "%s: a %s of %lldx%lld over %lldx%lld places is "
		   "too large",
		   use->word, key, (long long)attr->kernel[0],
		   (long long)attr->kernel[1], (long long)high, (long long)wide);
	diag_help("it reaches over at most %d each way, and has at most %lld taps",
		  NNC_MAX_DIM, (long long)MAX_TENSOR);
	return false;
}

static bool has_param(const Args *args, const char *name)
{
	for (const Param *p = args->params; p->name; p++)
		if (strcmp(p->name, name) == 0)
			return true;
	return false;
}

bool window_attr(Attr *attr, const NetLayer *use, const Args *args, Tensor *x,
		 Shape *out)
{
	if (!needs_image(use, x))
		return false;
	bool pool = !has_param(args, "kernel");
	const char *key = pool ? "window" : "kernel";
	arg_size2(args, key, attr->kernel);
	for (int i = 0; i < 2; i++) {
		attr->stride[i] = pool ? attr->kernel[i] : 1;
		attr->dilation[i] = 1;
	}
	arg_size2(args, "stride", attr->stride);
	if (!pool)
		arg_size2(args, "dilation", attr->dilation);
	if (!check_window(use, args, key, attr))
		return false;
	*out = x->shape;
	for (int i = 0; i < 2; i++) {
		out->dim[i] =
			window_axis(x->shape.dim[i], reach_of(attr, i), attr->stride[i],
				    args, &attr->pad[i], &attr->pad[i + 2]);
		if (out->dim[i] < 1)
			return report_window(use, args, key, attr, x);
	}
	return check_padding(use, args, attr);
}
