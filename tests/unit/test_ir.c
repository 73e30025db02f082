/* test_ir.c - shapes, nets built from text, and what ir_check() does not let pass. */
#include <CUnit/Basic.h>
#include <string.h>

#include "nets.h"

/* ---- shapes ---------------------------------------------------------------------- */

static void shapes(void)
{
	Shape image = shape3(28, 27, 3);
	CU_ASSERT_EQUAL(shape_size(image), 28 * 27 * 3);
	CU_ASSERT_EQUAL(columns(image), 3);
	CU_ASSERT_EQUAL(columns(shape1(7)), 7);
	CU_ASSERT_STRING_EQUAL(shape_name(image), "28x27x3");
	CU_ASSERT_STRING_EQUAL(shape_name(shape1(10)), "10");
	CU_ASSERT_EQUAL(shape_size(shape4(3, 5, 7, 11)), 1155);
	CU_ASSERT(shape_equal(shape2(3, 4), shape2(3, 4)));
	CU_ASSERT(!shape_equal(shape2(3, 4), shape2(4, 3)));
	CU_ASSERT(!shape_equal(shape1(12), shape2(1, 12)));
	CU_ASSERT_EQUAL(shape_size(shape3(1 << 20, 1 << 20, 4)), INT64_C(1) << 42);
}

/* The output shapes of a model's layers, as "28x28x64 14x14x64 10". */
static const char *outputs(const char *text)
{
	const Net *net = net_of(text);
	const char *all = "";
	if (!net)
		return "errors";
	for (int i = 1; i < net->layer_count; i++)
		all = arena_printf("%s%s%s", all, i > 1 ? " " : "",
				   shape_name(net->layers[i]->out));
	return all;
}

static void layer_shapes(void)
{
	static const struct {
		const char *text, *shapes;
	} cases[] = {
		{"input 784; dense 10;", "10"},
		{"input 9x7x2; conv 5 3x3; dense 4;", "9x7x5 4"},
		{"input 9x7x2; conv 5 3x3 stride=2; dense 4;", "5x4x5 4"},
		{"input 9x7x2; conv 5 4x2 padding=valid; dense 4;", "6x6x5 4"},
		{"input 9x7x2; conv 5 3x3 padding=2; dense 4;", "11x9x5 4"},
		{"input 9x7x2; conv 5 3x3 padding=valid dilation=2x3; dense 4;",
		 "5x1x5 4"},
		{"input 9x7x2; conv 5 9x7 padding=valid; dense 4;", "1x1x5 4"},
		{"input 9x7x2; conv 5 10x7 padding=valid; dense 4;", "errors"},
		{"input 9x7x2; maxpool 2; dense 4;", "4x3x2 4"},
		{"input 9x7x2; maxpool 2 padding=same; dense 4;", "5x4x2 4"},
		{"input 9x7x2; avgpool 3x2 stride=1x2; dense 4;", "7x3x2 4"},
		{"input 9x7x2; avgpool 3 stride=2 padding=1; dense 4;", "5x4x2 4"},
		{"input 9x7x2; maxpool 2 padding=2; dense 4;", "errors"},
		{"input 9x7x2; globalavgpool; dense 4;", "2 4"},
		{"input 9x7x2; flatten; relu; dropout 0.5; dense 4;", "126 126 126 4"},
		{"input 9x7; conv 3 1x1; dense 4 softmax;", "9x7x3 4"},
		{"input 12; conv 3 1x1; dense 4;", "errors"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		CU_ASSERT_STRING_EQUAL(outputs(cases[i].text), cases[i].shapes);
}

/* ---- nets -------------------------------------------------------------------------
 */

static void small_net(void)
{
	Net *net = net_of("input 6x5x2; conv 3 3x3 relu; dense 4 softmax;");
	CU_ASSERT_PTR_NOT_NULL_FATAL(net);
	const Program *p = &net->train;
	static const char *const in_order[] = {"load",       "conv",         "bias",
					       "activation", "reshape",      "gemm",
					       "bias",       "cross_entropy"};
	CU_ASSERT_EQUAL_FATAL(p->count, 8);
	for (int i = 0; i < p->count; i++)
		CU_ASSERT_STRING_EQUAL(p->nodes[i]->op->name, in_order[i]);
	CU_ASSERT_EQUAL(net->param_count, 4);
	CU_ASSERT_EQUAL(net->params_total, 3 * 3 * 2 * 3 + 3 + 6 * 5 * 3 * 4 + 4);
	CU_ASSERT_EQUAL(net->macs_total, 6 * 5 * 3 * 3 * 3 * 2 + 6 * 5 * 3 * 4);
	CU_ASSERT_STRING_EQUAL(net->params[0]->name, "conv1.weight");
	CU_ASSERT_STRING_EQUAL(net->params[3]->name, "dense1.bias");
	CU_ASSERT_EQUAL(net->outputs, 4);
	CU_ASSERT_PTR_EQUAL(net->output, node_of(p, "bias", 1)->out[0]);
	CU_ASSERT_PTR_EQUAL(net->loss, p->nodes[7]);
	CU_ASSERT(net->x->kind == TENSOR_INPUT && net->x->batched);
}

/* PyTorch's dimensions of our (KH,KW,C,O) and (inputs, units). */
static void torch_order(void)
{
	Net *net = net_of("input 6x5x2; conv 3 4x1; dense 7;");
	CU_ASSERT_PTR_NOT_NULL_FATAL(net);
	const Tensor *w = net->params[0], *d = net->params[2];
	static const int64_t conv[] = {3, 2, 4, 1}, dense[] = {7, 90};
	for (int i = 0; i < 4; i++)
		CU_ASSERT_EQUAL(w->shape.dim[w->torch[i]], conv[i]);
	for (int i = 0; i < 2; i++)
		CU_ASSERT_EQUAL(d->shape.dim[d->torch[i]], dense[i]);
	CU_ASSERT_EQUAL(w->fan_in, 8);
	CU_ASSERT_EQUAL(w->fan_out, 12);
}

static void names(void)
{
	Net *net =
		net_of("input 9; dense 8; dense 8 name=\"middle\"; dense 8; dense 2;");
	CU_ASSERT_PTR_NOT_NULL_FATAL(net);
	CU_ASSERT_STRING_EQUAL(net->params[0]->name, "dense1.weight");
	CU_ASSERT_STRING_EQUAL(net->params[2]->name, "middle.weight");
	CU_ASSERT_STRING_EQUAL(net->params[4]->name, "dense3.weight");
	Program *p = &net->train;
	CU_ASSERT_STRING_EQUAL(new_value(p, "dense1_product", shape1(1))->id,
			       "dense1_product_2");
	CU_ASSERT_STRING_EQUAL(new_value(p, "dense1_product", shape1(1))->id,
			       "dense1_product_3");
	CU_ASSERT_STRING_EQUAL(new_value(p, "other", shape1(1))->id, "other");
}

static void uses(void)
{
	Net *net = net_of("input 9; dense 8; dense 2;");
	CU_ASSERT_PTR_NOT_NULL_FATAL(net);
	keep(&net->train, net->x);
	count_uses(&net->train);
	CU_ASSERT_EQUAL(net->x->uses, 2);
	CU_ASSERT_EQUAL(net->output->uses, 1);
	int count = net->train.count;
	node_of(&net->train, "bias", 0)->dead = true;
	sweep(&net->train);
	CU_ASSERT_EQUAL(net->train.count, count - 1);
	CU_ASSERT_PTR_NULL(node_of(&net->train, "bias", 1));
}

/* ---- ir_check ----------------------------------------------------------------------
 */

static void check(void *net)
{
	ir_check(net);
}

static Net *good(void)
{
	Net *net = net_after("diff", "input 9; dense 8 relu; dense 2;");
	CU_ASSERT(!aborts(check, net));
	return net;
}

static void bad_order(void)
{
	Net *net = good();
	Node **nodes = net->train.nodes, *moved = nodes[1];
	nodes[1] = nodes[2];
	nodes[2] = moved;
	CU_ASSERT(aborts(check, net));
}

static void bad_phase(void)
{
	Net *net = good();
	net->train.nodes[1]->phase = PHASE_BACKWARD;
	CU_ASSERT(aborts(check, net));
}

static void bad_dead(void)
{
	Net *net = good();
	net->train.nodes[2]->dead = true;
	CU_ASSERT(aborts(check, net));
}

static void bad_kept(void)
{
	Net *net = good();
	keep(&net->train, new_value(&net->train, "nobody", shape1(3)));
	CU_ASSERT(aborts(check, net));
}

static void bad_reshape(void)
{
	Net *net = net_of("input 3x3x2; flatten; dense 2;");
	node_of(&net->train, "reshape", 0)->out[0]->shape = shape1(19);
	CU_ASSERT(aborts(check, net));
}

static void bad_param(void)
{
	Net *net = good();
	net->params[1]->init = NULL;
	CU_ASSERT(aborts(check, net));
	net = good();
	net->params[0]->grad->shape = shape1(8);
	CU_ASSERT(aborts(check, net));
}

void suite_ir(void);
void suite_ir(void)
{
	CU_pSuite suite = CU_add_suite("ir", NULL, NULL);
	CU_add_test(suite, "shapes", shapes);
	CU_add_test(suite, "shapes of layers", layer_shapes);
	CU_add_test(suite, "a small net", small_net);
	CU_add_test(suite, "PyTorch's order", torch_order);
	CU_add_test(suite, "names", names);
	CU_add_test(suite, "uses", uses);
	CU_add_test(suite, "check: order", bad_order);
	CU_add_test(suite, "check: phases", bad_phase);
	CU_add_test(suite, "check: dead nodes", bad_dead);
	CU_add_test(suite, "check: kept values", bad_kept);
	CU_add_test(suite, "check: reshape", bad_reshape);
	CU_add_test(suite, "check: weights", bad_param);
}
