/* draw.c - see draw.h. */
#include "draw.h"

/* ---- random choices ------------------------------------------------------------- */

static int below(Draw *d, int bound)
{
	return (int)nnc_rng_below(&d->rng, (uint32_t)bound);
}

/* 1..max: often a power of two, or one beside it, where kernels have their edges. */
static int64_t size(Draw *d, int max)
{
	int64_t s = 1 + below(d, max);
	if (below(d, 2)) {
		s = (int64_t)1 << below(d, 8);
		s += below(d, 3) - 1;
	}
	return s < 1 ? 1 : s > max ? 1 + below(d, max) : s;
}

static const Activation *random_activation(Draw *d)
{
	int n;
	activation_names(&n);
	const Activation *act;
	do
		act = &activations[below(d, n - 1)]; /* the last name is softmax */
	while (!act->value);
	return act;
}

/* ---- steps ---------------------------------------------------------------------- */

static const char *id(Draw *d, const char *part)
{
	return layer_id(d->layer, part);
}

static Tensor *value(Draw *d, const char *part, Shape shape)
{
	return new_value(&d->net->train, id(d, part), shape);
}

static void add_step(Drawn *c, Node *n)
{
	assert(c->step_count < MAX_STEPS);
	c->step[c->step_count++] = n;
}

/* What is in memory by now is what errors are measured by. */
static void measure(Drawn *c)
{
	c->size = c->step[c->step_count - 1]->out[0];
	c->size_steps = c->step_count;
}

/* A copy without anything joined to it. */
static Node *bare(const Node *n)
{
	Node *copy = arena_alloc(sizeof *copy);
	*copy = *n;
	copy->fused_count = 0;
	copy->spread = NULL;
	return copy;
}

/* ---- what is joined ------------------------------------------------------------- */

/* An elementwise op behind n; its second operand is a value, or a bias. */
static void fuse(Draw *d, Drawn *c, Node *n, const Op *op, Attr attr)
{
	Tensor *in[2] = {result(n)};
	int count = 1;
	Shape shape = in[0]->shape;
	if (op == &op_bias)
		in[count++] =
			new_param(d->net, d->layer, "bias", shape1(columns(shape)));
	else if (op->operand)
		in[count++] = value(d, op->operand, shape);
	Node *then = append(d->net, op, NULL, &attr, in, count, id(d, "then"), shape);
	n->fused[n->fused_count++] = then;
	add_step(c, then);
}

/* What diff and fuse may put behind a product: forward, or on the way back. */
static void fuse_some(Draw *d, Drawn *c, Node *n, bool forward)
{
	Attr attr = {.act = random_activation(d)};
	Attr none = {0};
	attr.alpha = attr.act->param.name ? attr.act->param.initial : 0;
	if (forward && below(d, 3))
		fuse(d, c, n, &op_bias, none);
	if (below(d, 4) == 0)
		fuse(d, c, n, &op_add, none);
	if (below(d, 3))
		fuse(d, c, n, forward ? &op_activation : &op_activation_grad, attr);
}

/* An optimizer's step on w behind its gradient. */
static void fuse_update(Draw *d, Drawn *c, Tensor *w)
{
	Node *n = c->node;
	const Training *t = &d->net->training;
	Attr attr = {.optimizer = t->optimizer, .args = &t->optimizer_args};
	Tensor *in[] = {n->out[0], w};
	if (below(d, 3) == 0)
		return;
	Node *update = append_into(d->net, &op_update, NULL, &attr, in, 2, NULL);
	n->fused[n->fused_count++] = update;
	c->update = update;
	add_step(c, update);
}

/* Kernel, stride, dilation and padding along one axis; the output's size, or 0. */
static int64_t finish_axis(Draw *d, Attr *a, int axis, int64_t in)
{
	int64_t reach = a->dilation[axis] * (a->kernel[axis] - 1) + 1,
		stride = a->stride[axis];
	int64_t before = 0, after = 0;
	if (below(d, 3)) { /* same */
		int64_t total = ((in + stride - 1) / stride - 1) * stride + reach - in;
		before = total > 0 ? total / 2 : 0;
		after = total > 0 ? total - before : 0;
	} else if (below(d, 2)) {
		before = after = below(d, (int)reach);
	}
	a->pad[axis] = before;
	a->pad[axis + 2] = after;
	int64_t padded_size = in + before + after;
	return padded_size < reach ? 0 : (padded_size - reach) / stride + 1;
}

static int64_t conv_axis(Draw *d, Attr *a, int axis, int64_t in)
{
	a->kernel[axis] = 1 + below(d, 5);
	a->stride[axis] = below(d, 3) ? 1 : 1 + below(d, 3);
	a->dilation[axis] = below(d, 4) ? 1 : 1 + below(d, 3);
	return finish_axis(d, a, axis, in);
}

/* Windows may share columns, but no line; now and then they have over 256 places. */
static int64_t pool_axis(Draw *d, Attr *a, int axis, int64_t in)
{
	int64_t kernel = below(d, 12) ? 1 + below(d, 3) : 17;
	a->kernel[axis] = kernel;
	a->stride[axis] = below(d, 3) ? kernel : kernel + below(d, 3);
	if (axis == 1 && below(d, 3) == 0)
		a->stride[1] = 1 + below(d, 3);
	a->dilation[axis] = 1;
	return finish_axis(d, a, axis, in);
}

/* The pool that most models have: whole windows of 2. */
static int64_t usual_pool_axis(Attr *a, int axis, int64_t in)
{
	a->kernel[axis] = a->stride[axis] = 2;
	a->dilation[axis] = 1;
	return in / 2;
}

/* A maxpool of images; its output's shape, or one of no size where there is no such. */
static Shape draw_pool(Draw *d, Attr *a, Shape in)
{
	bool usual = below(d, 3) == 0;
	*a = (Attr){0};
	Shape out = in;
	for (int axis = 0; axis < 2; axis++)
		out.dim[axis] = usual ? usual_pool_axis(a, axis, in.dim[axis])
				      : pool_axis(d, a, axis, in.dim[axis]);
	return out;
}

static Tensor *add_winner(Draw *d, Node *pool)
{
	const Attr *a = &pool->attr;
	bool small = a->kernel[0] * a->kernel[1] <= 256;
	return add_output(d->net, pool, id(d, "winner"), pool->out[0]->shape,
			  small ? ELEMENT_BYTE : ELEMENT_INT);
}

/* As pass_pool has it: the pool comes first, and what it had fused follows. */
static void end_with_pool(Draw *d, Drawn *c)
{
	Node *conv = c->node;
	Attr a;
	Shape out = draw_pool(d, &a, conv->out[0]->shape);
	if (shape_size(out) == 0)
		return;
	Node *pool = append(d->net, &op_maxpool, NULL, &a, conv->out, 1,
			    id(d, "pooled"), out);
	c->winner = add_winner(d, pool);
	c->pool = bare(pool);
	add_step(c, bare(pool));
	measure(c);
	fuse_some(d, c, pool, true);
	conv->fused[conv->fused_count++] = pool;
	for (int f = 0; f < pool->fused_count; f++)
		conv->fused[conv->fused_count++] = pool->fused[f];
	conv->out[conv->out_count++] = pool->out[1];
}

/* What spreads a maxpool's adjoint into dy, or NULL. */
static Node *begin_with_pool(Draw *d, Drawn *c, Tensor *dy)
{
	Attr a;
	Shape out = draw_pool(d, &a, dy->shape);
	if (shape_size(out) == 0)
		return NULL;
	Node *pool =
		append(d->net, &op_maxpool, NULL, &a, &dy, 1, id(d, "d_pooled"), out);
	Tensor *in[] = {pool->out[0], add_winner(d, pool)};
	c->pool = pool;
	c->winner = in[1];
	Node *spread = append_into(d->net, &op_maxpool_grad, NULL, &a, in, 2, dy);
	add_step(c, spread);
	return spread;
}

static void spread_into(Node *n, Node *spread)
{
	n->spread = spread;
	n->in[n->op->adjoint_in] = spread->in[0];
	n->in[n->in_count++] = spread->in[1];
}

/* ---- products ------------------------------------------------------------------- */

/* x (B,K) w (K,N); dy (B,N) w^T; x^T dy, into w's gradient. */
static void draw_gemm(Draw *d, Drawn *c, int kind)
{
	Net *net = d->net;
	bool wide = below(d, 8) == 0; /* few rows of it are many weights */
	bool zeros = kind == 0 && below(d, 2); /* where these are passed over rows are long */
	int64_t K = zeros ? 64 + size(d, 300) : size(d, 300);
	int64_t N = wide ? 400 + below(d, 3000) : zeros ? 63 + size(d, 140) : size(d, 140);
	Tensor *w = new_param(net, d->layer, "w", shape2(K, N));
	Attr attr = {.tb = kind == 1, .ta = kind == 2};
	Tensor *x = value(d, "x", shape1(kind == 1 ? N : K));
	if (zeros && below(d, 4)) /* else there are too few of them */
		c->zeros = x;
	if (kind == 2) {
		Tensor *in[] = {x, value(d, "dy", shape1(N))};
		c->node = append_into(net, &op_gemm, NULL, &attr, in, 2, param_grad(w));
	} else {
		Tensor *in[] = {x, w};
		c->node = append(net, &op_gemm, NULL, &attr, in, 2, id(d, "y"),
				 shape1(kind ? K : N));
	}
	add_step(c, bare(c->node));
	measure(c);
	c->terms = kind == 2 ? 1 : gemm_of(net, c->node).k;
	c->rows_too = kind == 2;
	if (kind == 2)
		fuse_update(d, c, w);
	else
		fuse_some(d, c, c->node, kind == 0);
}

/* One too large for one transform: then conv_fft has tiles. */
static int64_t tiled_axis(Draw *d, Attr *a, int axis, int64_t in)
{
	a->kernel[axis] = 1 + below(d, 9);
	a->stride[axis] = a->dilation[axis] = 1;
	return finish_axis(d, a, axis, in);
}

static void draw_conv(Draw *d, Drawn *c, const Op *op)
{
	Net *net = d->net;
	Shape in = shape3(size(d, 16), size(d, 16), size(d, 40)), out;
	bool tiled = below(d, 4) == 0;
	Attr a = {0};
	if (tiled) {
		in = shape3(1 + below(d, 40), 1 + below(d, 40), 8 + below(d, 12));
		in.dim[below(d, 2)] = 37 + below(d, 84);
	}
	out = in;
	do {
		for (int axis = 0; axis < 2; axis++)
			out.dim[axis] = tiled ? tiled_axis(d, &a, axis, in.dim[axis])
					      : conv_axis(d, &a, axis, in.dim[axis]);
	} while (out.dim[0] == 0 || out.dim[1] == 0);
	out.dim[2] = tiled ? 8 + below(d, 12) : size(d, 70);
	Tensor *w = new_param(net, d->layer, "w",
			      shape4(a.kernel[0], a.kernel[1], in.dim[2], out.dim[2]));
	bool forward = op == &op_conv, dw = op == &op_conv_dw, pooled = below(d, 2);
	Tensor *dy = forward ? NULL : value(d, "dy", out);
	Node *spread = !forward && pooled ? begin_with_pool(d, c, dy) : NULL;
	Tensor *ins[] = {forward || dw ? value(d, "x", in) : dy, dw ? dy : w};
	c->node =
		dw ? append_into(net, op, NULL, &a, ins, 2, param_grad(w))
		   : append(net, op, NULL, &a, ins, 2, id(d, "y"), forward ? out : in);
	add_step(c, bare(c->node));
	measure(c);
	if (spread)
		spread_into(c->node, spread);
	Window s = conv_window(c->node);
	c->terms = forward ? s.kh * s.kw * s.c : dw ? s.oh * s.ow : s.kh * s.kw * s.o;
	c->rows_too = dw;
	if (dw)
		fuse_update(d, c, w);
	else if (forward && pooled)
		end_with_pool(d, c);
	else
		fuse_some(d, c, c->node, forward);
}

/* The sum of dy's rows: the gradient of one weight that 1 is multiplied by. */
static void draw_bias_grad(Draw *d, Drawn *c)
{
	Net *net = d->net;
	bool image = below(d, 2);
	Shape shape = shape1(size(d, 200)), one = shape3(1, 1, 1);
	if (image) {
		shape = shape3(size(d, 12), size(d, 12), size(d, 70));
		one = shape3(shape.dim[0], shape.dim[1], 1);
	}
	Attr a = {.kernel = {1, 1}, .stride = {1, 1}, .dilation = {1, 1}};
	Tensor *b = new_param(net, d->layer, "b", shape1(columns(shape)));
	Tensor *in[] = {value(d, "ones", one), value(d, "dy", shape)};
	c->ones = in[0];
	add_step(c, append_into(net, &op_conv_dw, NULL, &a, in, 2, param_grad(b)));
	measure(c);
	c->node = append_into(net, &op_bias_grad, NULL, NULL, in + 1, 1, param_grad(b));
	c->terms = shape_size(one);
	c->rows_too = true;
	fuse_update(d, c, b);
}

/* One that the plain loops do not take too long for. */
Drawn draw_case(Draw *d, const Op *op, int kind)
{
	Net *net = d->net;
	for (;;) {
		Drawn c = {0};
		net->train = (Program){.name = "train"};
		net->train.arena = d->far ? NOMINAL_FAR : 0;
		net->params = NULL;
		net->param_count = 0;
		if (op == &op_gemm)
			draw_gemm(d, &c, kind);
		else if (op == &op_bias_grad)
			draw_bias_grad(d, &c);
		else
			draw_conv(d, &c, op);
		if (c.node->op->flops(net, c.node) < 8e6)
			return c;
	}
}
