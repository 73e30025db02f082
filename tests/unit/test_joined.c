/*
 * test_joined.c - the passes that bring nodes together: reorder moves bias and
 * activation behind a maxpool, pool puts a maxpool into the convolutions beside it,
 * update a step into what makes its gradient; each only where nobody sees a difference.
 */
#include <CUnit/Basic.h>
#include <string.h>

#include "nets.h"

/* The ops of a phase in order, as "conv maxpool bias ". */
static const char *ops_of(const Program *p, Phase phase)
{
	const char *text = "";
	for (int i = 0; i < p->count; i++)
		if (p->nodes[i]->phase == phase)
			text = arena_printf("%s%s ", text, p->nodes[i]->op->name);
	return text;
}

static bool forward_is(const Net *net, const char *expected)
{
	return strcmp(ops_of(&net->train, PHASE_FORWARD), expected) == 0;
}

/* ---- reorder --------------------------------------------------------------------- */

static void reorder(void)
{
	Net *net = net_after("reorder",
			     "input 9x8x2; conv 3 3x3 relu; maxpool 2; dense 4;");
	CU_ASSERT(forward_is(
		net, "conv maxpool bias activation reshape gemm bias cross_entropy "));
	const Node *conv = node_of(&net->train, "conv", 0);
	const Node *pool = node_of(&net->train, "maxpool", 0);
	const Node *bias = node_of(&net->train, "bias", 0);
	const Node *relu = node_of(&net->train, "activation", 0);
	CU_ASSERT_PTR_EQUAL(pool->in[0], conv->out[0]);
	CU_ASSERT_PTR_EQUAL(bias->in[0], pool->out[0]);
	CU_ASSERT_PTR_EQUAL(relu->in[0], bias->out[0]);
	CU_ASSERT_PTR_EQUAL(node_of(&net->train, "reshape", 0)->in[0], relu->out[0]);
	const Node *moved[] = {pool, bias, relu};
	for (int i = 0; i < 3; i++) {
		CU_ASSERT(shape_equal(moved[i]->out[0]->shape, shape3(4, 4, 3)));
		CU_ASSERT_PTR_EQUAL(moved[i]->out[0]->producer, moved[i]);
		CU_ASSERT_STRING_EQUAL(moved[i]->layer->word, "maxpool");
	}
	CU_ASSERT(shape_equal(conv->out[0]->shape, shape3(9, 8, 3)));
	CU_ASSERT(shape_equal(pool->out[1]->shape, shape3(4, 4, 3)));
}

/* Through two pools; behind the last of them. */
static void reorder_twice(void)
{
	Net *net = net_after("reorder",
			     "input 9x8x2; conv 3 3x3 tanh; maxpool 2; maxpool 2; "
			     "dense 4;");
	CU_ASSERT(forward_is(net,
			     "conv maxpool maxpool bias activation reshape gemm bias "
			     "cross_entropy "));
	CU_ASSERT(shape_equal(node_of(&net->train, "bias", 0)->out[0]->shape,
			      shape3(2, 2, 3)));
}

/* Every activation: those that never fall are moved, the others are not. */
static void reorder_activations(void)
{
	for (const Activation *act = activations; act->name; act++) {
		Net *net =
			net_after("reorder",
				  arena_printf("input 6x6x2; conv 3 3x3 %s bias=false; "
					       "maxpool 2; dense 4;",
					       act->name));
		bool falls = strcmp(act->name, "gelu") == 0 ||
			     strcmp(act->name, "swish") == 0;
		const char *expected =
			"conv maxpool activation reshape gemm bias cross_entropy ";
		if (!act->value)
			expected = "conv maxpool reshape gemm bias cross_entropy ";
		else if (falls)
			expected = "conv activation maxpool reshape gemm bias "
				   "cross_entropy ";
		CU_ASSERT(forward_is(net, expected));
		CU_ASSERT(!act->rises || !falls);
	}
}

static void reorder_stays(void)
{
	Net *net = net_after("reorder",
			     "input 6x6x2; conv 3 3x3 gelu; maxpool 2; dense 4;");
	CU_ASSERT(forward_is(
		net, "conv bias activation maxpool reshape gemm bias cross_entropy "));
	/* More numbers behind the pool than before it; as many are no reason to stay.
	 */
	net = net_after("reorder",
			"input 6x6x2; conv 3 3x3 relu; maxpool 2 stride=1 padding=1; "
			"dense 4;");
	CU_ASSERT(forward_is(
		net, "conv bias activation maxpool reshape gemm bias cross_entropy "));
	net = net_after("reorder",
			"input 6x6x2; conv 3 3x3 relu; maxpool 3 stride=1 padding=1; "
			"dense 4;");
	CU_ASSERT(forward_is(
		net, "conv maxpool bias activation reshape gemm bias cross_entropy "));
	/* A mean is not one of the numbers; dropout is not the same for all of them. */
	net = net_after("reorder", "input 6x6x2; conv 3 3x3 relu; avgpool 2; dense 4;");
	CU_ASSERT(forward_is(
		net, "conv bias activation avgpool reshape gemm bias cross_entropy "));
	net = net_after("reorder",
			"input 6x6x2; conv 3 3x3 relu; dropout 0.5; maxpool 2; "
			"dense 4;");
	CU_ASSERT(forward_is(net,
			     "conv bias activation dropout maxpool reshape gemm bias "
			     "cross_entropy "));
	/* The input itself may not be pooled in its own place. */
	net = net_after("reorder", "input 6x6x2; tanh; maxpool 2; dense 4;");
	CU_ASSERT(
		forward_is(net, "activation maxpool reshape gemm bias cross_entropy "));
}

/* What else is to be seen of a value: by another node, or when the program has run. */
static void reorder_read_twice(void)
{
	static const char model[] = "input 6x6x2; conv 3 3x3 relu; maxpool 2; dense 4;";
	static const char all[] =
		"conv bias activation maxpool reshape gemm bias cross_entropy ";
	static const char half[] =
		"conv bias maxpool activation reshape gemm bias cross_entropy ";
	const Attr attr = {.act = find_activation("tanh")};
	for (int i = 0; i < 4; i++) {
		Net *net = net_of(model);
		Tensor *t =
			node_of(&net->train, i % 2 ? "bias" : "activation", 0)->out[0];
		if (i < 2) {
			keep(&net->train, t);
			pass_reorder(net);
			ir_check(net);
			CU_ASSERT(forward_is(net, i ? half : all));
			continue;
		}
		append(net, &op_activation, NULL, &attr, &t, 1, "other", t->shape);
		pass_reorder(net);
		ir_check(net);
		CU_ASSERT(forward_is(
			net, arena_printf("%sactivation ", i % 2 ? half : all)));
		CU_ASSERT(shape_equal(t->shape, shape3(6, 6, 3)));
	}
}

/* ---- pool ------------------------------------------------------------------------ */

static const char pooled[] =
	"train { batch 4; } input 12x12x3; conv 8 3x3 relu; maxpool 2; "
	"conv 9 3x3 tanh; maxpool 3; dense 4;";

static Net *direct_net(const char *text, const char *last)
{
	Net *net = net_of(text);
	prefer(net, "conv_direct");
	prefer(net, "conv_dw_direct");
	run_passes(net, "reorder", last);
	return net;
}

static void pool(void)
{
	Net *net = direct_net(pooled, "pool");
	Program *both[] = {&net->train, &net->infer};
	for (int i = 0; i < 2; i++) {
		CU_ASSERT_EQUAL(count_of(both[i], "maxpool"), 0);
		CU_ASSERT_EQUAL(count_of(both[i], "bias"), 0);
		CU_ASSERT_EQUAL_FATAL(count_of(both[i], "conv"), 2);
		for (int k = 0; k < 2; k++) {
			const Node *conv = node_of(both[i], "conv", k);
			CU_ASSERT_EQUAL_FATAL(conv->fused_count, 3);
			CU_ASSERT_PTR_EQUAL(pool_of(conv), conv->fused[0]);
			CU_ASSERT_PTR_EQUAL(conv->fused[0]->op, &op_maxpool);
			CU_ASSERT_PTR_EQUAL(conv->fused[1]->op, &op_bias);
			CU_ASSERT_PTR_EQUAL(conv->fused[2]->op, &op_activation);
			CU_ASSERT_EQUAL(conv->fused[0]->attr.kernel[0], 2 + k);
			CU_ASSERT_EQUAL_FATAL(conv->out_count, 2);
			CU_ASSERT_PTR_EQUAL(conv->out[1], conv->fused[0]->out[1]);
			CU_ASSERT_PTR_EQUAL(conv->out[1]->producer, conv);
			CU_ASSERT_PTR_EQUAL(result(conv)->producer, conv);
			CU_ASSERT(
				shape_equal(result(conv)->shape, conv->out[1]->shape));
			CU_ASSERT(
				!shape_equal(result(conv)->shape, conv->out[0]->shape));
		}
	}
}

/* Into conv_dw; where conv_dx reads it too, the gradient is there anyway. */
static void pool_gradient(void)
{
	Net *net = direct_net(pooled, "pool");
	const Node *first = net->params[0]->grad->producer;
	const Node *second = net->params[2]->grad->producer;
	CU_ASSERT_PTR_EQUAL_FATAL(first->op, &op_conv_dw);
	CU_ASSERT_PTR_EQUAL_FATAL(second->op, &op_conv_dw);
	CU_ASSERT_PTR_NULL(second->spread);
	CU_ASSERT_PTR_NOT_NULL_FATAL(first->spread);
	CU_ASSERT_PTR_EQUAL(first->spread->op, &op_maxpool_grad);
	CU_ASSERT_EQUAL_FATAL(first->in_count, 3);
	CU_ASSERT_PTR_EQUAL(first->in[0], net->x);
	CU_ASSERT_PTR_EQUAL(first->in[1], first->spread->in[0]);
	CU_ASSERT_PTR_EQUAL(first->in[2], node_of(&net->train, "conv", 0)->out[1]);
	CU_ASSERT_EQUAL(conv_window(first).oh, 12);
	/* gradcheck's gradient of the input still reads it as a whole. */
	CU_ASSERT_EQUAL_FATAL(count_of(&net->train, "maxpool_grad"), 2);
	CU_ASSERT(!node_of(&net->train, "maxpool_grad", 0)->input_only);
	CU_ASSERT_PTR_EQUAL(node_of(&net->train, "maxpool_grad", 1), first->spread);
	CU_ASSERT(first->spread->input_only);
	CU_ASSERT_PTR_EQUAL(node_of(&net->train, "conv_dx", 1)->in[0],
			    first->spread->out[0]);
}

/* Nodes that remain where nothing may be put into a convolution. */
static void stays(Net *net, int pools, int gradients)
{
	CU_ASSERT_EQUAL(count_of(&net->train, "maxpool"), pools);
	CU_ASSERT_EQUAL(count_of(&net->infer, "maxpool"), pools);
	int spread = 0;
	for (int i = 0; i < net->train.count; i++)
		spread += net->train.nodes[i]->spread != NULL;
	CU_ASSERT_EQUAL(spread, gradients);
}

static void pool_stays(void)
{
	/* kernels that cannot */
	Net *net = net_of(pooled);
	prefer(net, "conv_im2col");
	prefer(net, "conv_dw_im2col");
	run_passes(net, "reorder", "pool");
	stays(net, 2, 0);
	/* windows that share lines; that share only columns; that leave some out */
	stays(direct_net("input 12x12x3; conv 8 3x3; maxpool 3 stride=2; dense 4;",
			 "pool"),
	      1, 0);
	stays(direct_net("input 12x12x3; conv 8 3x3; maxpool 3 stride=3x1; dense 4;",
			 "pool"),
	      0, 1);
	stays(direct_net("input 12x12x3; conv 8 3x3; maxpool 2 stride=3; dense 4;",
			 "pool"),
	      0, 1);
	/* nothing before it, or something that it may not pass */
	stays(direct_net("input 12x12x3; maxpool 2; conv 8 3x3; dense 4;", "pool"), 1,
	      0);
	stays(direct_net("input 12x12x3; conv 8 3x3 gelu; maxpool 2; dense 4;", "pool"),
	      1, 0);
	stays(direct_net("input 12x12x3; conv 8 3x3; avgpool 2; maxpool 2; dense 4;",
			 "pool"),
	      1, 0);
	stays(direct_net("input 12x12x3; conv 8 3x3; maxpool 2; maxpool 2; dense 4;",
			 "pool"),
	      1, 1);
}

/* The convolution's own output is wanted as well. */
static void pool_read_twice(void)
{
	Net *net =
		direct_net("input 12x12x3; conv 8 3x3; maxpool 2; dense 4;", "select");
	keep(&net->train, node_of(&net->train, "conv", 0)->out[0]);
	run_passes(net, "pool", "pool");
	CU_ASSERT_EQUAL(count_of(&net->train, "maxpool"), 1);
	CU_ASSERT_EQUAL(count_of(&net->infer, "maxpool"), 0);
	run_passes(net, "update", "sync");
}

/* ---- update ---------------------------------------------------------------------- */

static bool can_update(const Node *n)
{
	return n->kernel ? n->kernel->updates : n->op->updates;
}

/* The step of a weight that what makes its gradient ends with, or NULL. */
static const Node *fused_step(const Tensor *weight)
{
	const Node *maker = weight->grad->producer;
	const Node *last =
		maker->fused_count ? maker->fused[maker->fused_count - 1] : NULL;
	return last && last->op->consumes ? last : NULL;
}

/* The step of a weight that is a node of its own, or NULL. */
static const Node *own_step(const Program *p, const Tensor *weight)
{
	for (int i = 0; i < p->count; i++)
		if (p->nodes[i]->op->consumes && p->nodes[i]->in[1] == weight)
			return p->nodes[i];
	return NULL;
}

/* Each weight has one step: in the kernel of its gradient, if that can do it. */
static void one_step_each(const Net *net)
{
	for (int i = 0; i < net->param_count; i++) {
		const Tensor *w = net->params[i];
		const Node *fused = fused_step(w), *own = own_step(&net->train, w);
		CU_ASSERT(!fused != !own);
		CU_ASSERT_EQUAL(fused != NULL, can_update(w->grad->producer));
		const Node *step = fused ? fused : own;
		CU_ASSERT_PTR_EQUAL(step->in[0], w->grad);
		CU_ASSERT_PTR_EQUAL(step->in[1], w);
		CU_ASSERT(!own || own->phase == PHASE_UPDATE);
		CU_ASSERT_PTR_EQUAL(result(w->grad->producer), w->grad);
	}
}

static void update(void)
{
	Net *net = net_after("update",
			     "input 9; dense 8 relu; dense 7 bias=false; dense 3;");
	one_step_each(net);
	CU_ASSERT_EQUAL(count_of(&net->train, "update"), 0);
	one_step_each(net_after("update",
				"train { optimizer sgd momentum=0.9; } input 12x12x3; "
				"conv 8 3x3 relu; maxpool 2; conv 8 3x3 stride=2; "
				"dense 3;"));
	for (int i = 0; kernels[i]; i++) {
		if (kernels[i]->op != &op_conv_dw)
			continue;
		net = net_of("train { batch 8; } input 9x7x8; conv 9 3x3; maxpool 3; "
			     "dense 3;");
		prefer(net, kernels[i]->name);
		run_passes(net, "reorder", "update");
		CU_ASSERT_PTR_EQUAL(net->params[0]->grad->producer->kernel, kernels[i]);
		one_step_each(net);
	}
}

/* dw before dx: then dx reads the weight behind the kernel that would move it. */
static void update_read_later(void)
{
	Net *net = net_after("pool", "input 9; dense 8 relu; dense 7 relu; dense 3;");
	Program *p = &net->train;
	Tensor *w = net->params[2];
	Node *dw = w->grad->producer, *dx = NULL;
	for (int i = 0; i < p->count; i++)
		if (p->nodes[i]->in_count > 1 && p->nodes[i]->in[1] == w &&
		    p->nodes[i]->phase == PHASE_BACKWARD)
			dx = p->nodes[i];
	CU_ASSERT_PTR_NOT_NULL_FATAL(dx);
	CU_ASSERT(dx->attr.tb && dx->index < dw->index);
	p->nodes[dx->index] = dw;
	p->nodes[dw->index] = dx;
	run_passes(net, "update", "update");
	CU_ASSERT_EQUAL(count_of(p, "update"), 1);
	CU_ASSERT_PTR_NOT_NULL(own_step(p, w));
	for (int i = 0; i < net->param_count; i++)
		CU_ASSERT_EQUAL(fused_step(net->params[i]) == NULL,
				net->params[i] == w);
	run_passes(net, "plan", "sync");
}

/*
 * What only gradcheck asks for reads the first weight last of all: that is no reason.
 */
static void update_input_only(void)
{
	Net *net = net_after("update", "input 9; dense 8 relu; dense 3;");
	const Node *last = node_of(&net->train, "gemm", 5);
	CU_ASSERT_PTR_NOT_NULL_FATAL(last);
	CU_ASSERT(last->input_only && last->in[1] == net->params[0]);
	CU_ASSERT_PTR_NOT_NULL(fused_step(net->params[0]));
}

void suite_joined(void);
void suite_joined(void)
{
	CU_pSuite suite = CU_add_suite("joined", NULL, NULL);
	CU_add_test(suite, "reorder", reorder);
	CU_add_test(suite, "reorder past two pools", reorder_twice);
	CU_add_test(suite, "reorder each activation", reorder_activations);
	CU_add_test(suite, "reorder leaves alone", reorder_stays);
	CU_add_test(suite, "reorder keeps what is read", reorder_read_twice);
	CU_add_test(suite, "pool", pool);
	CU_add_test(suite, "pool: its gradient", pool_gradient);
	CU_add_test(suite, "pool leaves alone", pool_stays);
	CU_add_test(suite, "pool keeps what is read", pool_read_twice);
	CU_add_test(suite, "update", update);
	CU_add_test(suite, "update: read later", update_read_later);
	CU_add_test(suite, "update: read by gradcheck", update_input_only);
}
