/* test_passes.c - what each pass promises, on small nets and on ones made by hand. */
#include <CUnit/Basic.h>
#include <string.h>

#include "nets.h"

/* ---- infer ------------------------------------------------------------------------
 */

static void infer(void)
{
	Net *net =
		net_after("infer", "input 9; dropout 0.5; dense 8 relu; dropout 0.1; "
				   "dense 3 softmax;");
	CU_ASSERT_EQUAL(count_of(&net->train, "dropout"), 2);
	CU_ASSERT_EQUAL(count_of(&net->infer, "dropout"), 0);
	CU_ASSERT_EQUAL(count_of(&net->infer, "gemm"), 2);
	CU_ASSERT_EQUAL(count_of(&net->infer, "softmax"), 1);
	CU_ASSERT_EQUAL(count_of(&net->train, "softmax"), 0);
	CU_ASSERT_PTR_EQUAL(node_of(&net->infer, "gemm", 0)->in[0], net->infer_x);
	CU_ASSERT_PTR_EQUAL(node_of(&net->infer, "gemm", 0)->in[1], net->params[0]);
	CU_ASSERT_PTR_EQUAL(node_of(&net->infer, "softmax", 0)->out[0],
			    net->infer_result);
	CU_ASSERT_PTR_EQUAL(net->infer.nodes[net->infer.count - 1], net->infer_loss);
	for (int i = 0; i < net->infer.count; i++)
		CU_ASSERT(net->infer.nodes[i]->phase <= PHASE_FORWARD);
}

/* mse shows the output itself; a dropout at the very end is left out, too. */
static void infer_mse(void)
{
	Net *net = net_after("infer",
			     "train { loss mse; } input 9; dense 3 tanh; dropout 0.5;");
	CU_ASSERT_EQUAL(count_of(&net->infer, "softmax"), 0);
	CU_ASSERT_PTR_EQUAL(node_of(&net->infer, "activation", 0)->out[0],
			    net->infer_result);
}

/* ---- diff --------------------------------------------------------------------------
 */

static void diff(void)
{
	Net *net =
		net_after("diff", "input 6x5x2; conv 3 3x3 relu; dense 4 bias=false;");
	const Program *p = &net->train;
	CU_ASSERT_EQUAL(count_of(p, "conv_dw"), 1);
	CU_ASSERT_EQUAL(count_of(p, "conv_dx"), 1);
	CU_ASSERT_EQUAL(count_of(p, "bias_grad"), 1);
	CU_ASSERT_EQUAL(count_of(p, "gemm"), 3);
	CU_ASSERT_EQUAL(count_of(p, "update"), 3);
	CU_ASSERT_EQUAL(count_of(p, "add"), 0);
	for (int i = 0; i < net->param_count; i++)
		CU_ASSERT_PTR_NOT_NULL(net->params[i]->grad);
	CU_ASSERT(node_of(p, "conv_dx", 0)->input_only);
	CU_ASSERT(!node_of(p, "conv_dw", 0)->input_only);
	CU_ASSERT_PTR_EQUAL(node_of(p, "conv_dx", 0)->out[0], net->d_x);
	CU_ASSERT(shape_equal(net->d_x->shape, net->x->shape));
}

/* What stands before the first weight has no part in the weights' gradients. */
static void diff_input_only(void)
{
	Net *net = net_after("diff", "input 6x6x2; maxpool 2; tanh; dense 4;");
	const Program *p = &net->train;
	CU_ASSERT(node_of(p, "maxpool_grad", 0)->input_only);
	CU_ASSERT(node_of(p, "activation_grad", 0)->input_only);
	CU_ASSERT(!node_of(p, "gemm", 1)->input_only && node_of(p, "gemm", 1)->attr.ta);
	CU_ASSERT(node_of(p, "gemm", 2)->input_only && node_of(p, "gemm", 2)->attr.tb);
}

/* y = tanh(x w); two readers of it: their adjoints meet in one add. */
static Net *fan_out(void)
{
	Net *net = net_of("train { loss mse; } input 5; dense 5 tanh;");
	Node *loss = net->loss;
	net->train.count--; /* the loss moves behind the fork */
	Tensor *y = net->output;
	Attr attr = {.act = find_activation("relu")};
	Tensor *left = append(net, &op_activation, NULL, &attr, &y, 1, "left", y->shape)
			       ->out[0];
	attr.act = find_activation("tanh");
	Tensor *right =
		append(net, &op_activation, NULL, &attr, &y, 1, "right", y->shape)
			->out[0];
	Tensor *both[] = {left, right};
	net->output =
		append(net, &op_add, NULL, NULL, both, 2, "both", y->shape)->out[0];
	Node *moved =
		append_into(net, loss->op, loss->layer, NULL, &net->output, 1, NULL);
	net->loss = moved;
	ir_check(net);
	return net;
}

static void diff_fan_out(void)
{
	Net *net = fan_out();
	pass_infer(net);
	pass_diff(net);
	ir_check(net);
	const Program *p = &net->train;
	CU_ASSERT_EQUAL_FATAL(count_of(p, "add"), 2);
	const Node *sum = node_of(p, "add", 1);
	CU_ASSERT(sum->phase == PHASE_BACKWARD && !sum->input_only);
	CU_ASSERT_STRING_EQUAL(sum->in[0]->producer->op->name, "activation_grad");
	CU_ASSERT_STRING_EQUAL(sum->in[1]->producer->op->name, "activation_grad");
	CU_ASSERT_PTR_NOT_EQUAL(sum->in[0], sum->in[1]);
	/* tanh's own derivative reads the sum. */
	const Node *tanh_grad = node_of(p, "activation_grad", 2);
	CU_ASSERT_PTR_EQUAL(tanh_grad->in[0], sum->out[0]);
	pass_fuse(net);
	ir_check(net);
	pass_select(net);
	pass_plan(net);
	ir_check(net);
}

/* ---- fuse --------------------------------------------------------------------------
 */

static void fuse(void)
{
	Net *net = net_after("fuse", "input 9; dense 8 relu; dense 7 tanh; dense 3;");
	const Node *first = node_of(&net->train, "gemm", 0);
	CU_ASSERT_EQUAL_FATAL(first->fused_count, 2);
	CU_ASSERT_PTR_EQUAL(first->fused[0]->op, &op_bias);
	CU_ASSERT_PTR_EQUAL(first->fused[1]->op, &op_activation);
	CU_ASSERT_PTR_EQUAL(result(first), first->fused[1]->out[0]);
	CU_ASSERT_PTR_EQUAL(result(first)->producer, first);
	CU_ASSERT_EQUAL(count_of(&net->train, "bias"), 0);
	CU_ASSERT_EQUAL(count_of(&net->train, "activation"), 0);
	CU_ASSERT_EQUAL(count_of(&net->train, "activation_grad"), 0);
}

/* gelu's derivative reads its input, so only inference may fuse it. */
static void fuse_keeps(void)
{
	Net *net = net_after("fuse", "input 9; dense 8 gelu; dense 3;");
	const Node *train = node_of(&net->train, "gemm", 0);
	const Node *infer_node = node_of(&net->infer, "gemm", 0);
	CU_ASSERT_EQUAL(train->fused_count, 1);
	CU_ASSERT_EQUAL(count_of(&net->train, "activation"), 1);
	CU_ASSERT_EQUAL(infer_node->fused_count, 2);
	const Node *grad = node_of(&net->train, "gemm", 3);
	CU_ASSERT_PTR_EQUAL(node_of(&net->train, "activation", 0)->in[0],
			    result(train));
	CU_ASSERT(grad->fused_count == 0 || grad->fused[0]->in[1] == result(train));
}

/* What is kept, or read twice, stays a value of its own. */
static void fuse_keeps_kept(void)
{
	Net *net = net_after("diff", "input 9; dense 8 relu; dense 3;");
	keep(&net->train, node_of(&net->train, "bias", 0)->out[0]);
	pass_fuse(net);
	ir_check(net);
	CU_ASSERT_EQUAL(node_of(&net->train, "gemm", 0)->fused_count, 1);
	CU_ASSERT_EQUAL(count_of(&net->train, "activation"), 1);
	net = fan_out();
	pass_infer(net);
	pass_diff(net);
	pass_fuse(net);
	ir_check(net);
	CU_ASSERT_EQUAL(node_of(&net->train, "gemm", 0)->fused_count, 2);
	CU_ASSERT_EQUAL(count_of(&net->train, "activation"), 2);
}

/* ---- select ------------------------------------------------------------------------
 */

typedef struct Seen {
	int fit, all;
	double least;
} Seen;

static void look(void *data, const Kernel *k, double cost, const char *reason)
{
	Seen *s = data;
	(void)k;
	s->all++;
	if (reason)
		return;
	s->least = s->fit == 0 || cost < s->least ? cost : s->least;
	s->fit++;
}

static void select_cheapest(void)
{
	Net *net = net_after("select",
			     "input 9x8x3; conv 7 3x3 stride=2 relu; dense 33 relu; "
			     "dense 3;");
	for (int i = 0; i < net->train.count; i++) {
		const Node *n = net->train.nodes[i];
		Seen seen = {0};
		each_kernel(net, n, look, &seen);
		CU_ASSERT(seen.fit >= 1);
		CU_ASSERT_EQUAL(n->cost, seen.least);
		CU_ASSERT(!n->kernel || n->kernel->op == n->op);
		CU_ASSERT(!n->workspace || n->workspace->producer == n);
	}
}

/* Of a net's second convolution, its dx and dw: by the kernels chosen, or these. */
static double cost_of_convs(const char *const names[3], double costs[3])
{
	static const char *const of[3] = {"conv", "conv_dx", "conv_dw"};
	Net *net = net_after("fuse", "train { batch 1; } input 8x8x1; conv 8 3x3 relu; "
				     "conv 16 7x7 relu; maxpool 2; dense 10;");
	const Kernel *asked[3];
	net->preferred = asked;
	for (int i = 0; names && kernels[i]; i++)
		for (int op = 0; op < 3; op++)
			if (strcmp(kernels[i]->name, names[op]) == 0)
				asked[net->preferred_count++] = kernels[i];
	pass_select(net);
	double sum = 0;
	for (int op = 0; op < 3; op++) {
		const Node *n = node_of(&net->train, of[op], op == 0);
		CU_ASSERT(!names || strcmp(n->kernel->name, names[op]) == 0);
		costs[op] = n->cost;
		sum += n->cost;
	}
	return sum;
}

/* Transforms are shared: a layer's kernels are the cheapest together, if not alone. */
static void select_together(void)
{
	static const char *const direct[3] = {"conv_direct", "conv_dx_direct",
					      "conv_dw_direct"};
	static const char *const fft[3] = {"conv_fft", "conv_dx_fft", "conv_dw_fft"};
	double chosen[3], alone[3], costs[3];
	double least = cost_of_convs(NULL, chosen);
	cost_of_convs(direct, alone);
	CU_ASSERT(alone[0] < chosen[0]);
	for (int set = 0; set < 8; set++) {
		const char *names[3];
		for (int op = 0; op < 3; op++)
			names[op] = set >> op & 1 ? fft[op] : direct[op];
		CU_ASSERT(least <= cost_of_convs(names, costs));
	}
}

/* ---- plan --------------------------------------------------------------------------
 */

static const char image_model[] =
	"train { batch 5; } input 12x12x2; conv 7 3x3 relu; maxpool 2; conv 8 3x3 "
	"gelu; "
	"dropout 0.5; dense 33 tanh; softmax; dense 4 softmax;";

static void plan(void)
{
	Net *net = net_after("plan", image_model);
	const Program *both[] = {&net->train, &net->infer};
	for (int i = 0; i < 2; i++) {
		const Program *p = both[i];
		int64_t total = 0, top = 0;
		for (int k = 0; k < p->placed_count; k++) {
			const Tensor *t = p->placed[k];
			CU_ASSERT(t->offset >= 0 && t->offset % 16 == 0 &&
				  t->reals % 16 == 0);
			int64_t elements = shape_size(t->shape) * rows_of(net, t);
			CU_ASSERT(t->reals >= (t->element == ELEMENT_BYTE ? elements / 4
									  : elements));
			total += t->reals;
			if (!t->producer->input_only && t->offset + t->reals > top)
				top = t->offset + t->reals;
		}
		CU_ASSERT_EQUAL(p->arena, top);
		CU_ASSERT(p->arena < total); /* some memory is shared */
	}
	CU_ASSERT_EQUAL(net->x->offset, 0);
	CU_ASSERT(net->infer.arena < net->train.arena);
}

static void in_place(void)
{
	Net *net = net_after("plan",
			     "input 9; dense 8; dropout 0.5; dense 8 gelu; dense 3;");
	const Tensor *dense = node_of(&net->train, "gemm", 0)->fused[0]->out[0];
	const Node *dropout = node_of(&net->train, "dropout", 0);
	CU_ASSERT_PTR_EQUAL(storage(dropout->out[0]), dense); /* nobody else reads it */
	const Node *gelu = node_of(&net->train, "activation", 0);
	CU_ASSERT_PTR_NULL(gelu->out[0]->alias); /* its gradient does */
}

/* Breaks a plan and has it verified. */
static void verify(void *data)
{
	Net *net = data;
	verify_plan(net, &net->train);
}

static void corrupt(void)
{
	Net *net = net_after("plan", image_model);
	CU_ASSERT(!aborts(verify, net));
	int caught = 0, tried = 0;
	for (int i = 0; i < net->train.placed_count; i++) {
		Tensor *t = net->train.placed[i];
		int64_t offset = t->offset;
		t->offset =
			net->x->offset; /* which lives to the first weight's gradient */
		if (t != net->x && t->first <= net->x->last) {
			tried++;
			caught += aborts(verify, net);
		}
		t->offset = offset;
	}
	CU_ASSERT(tried > 5);
	CU_ASSERT_EQUAL(caught, tried);
	CU_ASSERT(!aborts(verify, net));
}

static void corrupt_workspace(void)
{
	Net *net = net_after("plan", image_model);
	for (int i = 0; i < net->train.count; i++) {
		Node *n = net->train.nodes[i];
		if (!n->workspace)
			continue;
		int64_t offset = n->workspace->offset;
		n->workspace->offset = storage(n->in[0])->offset;
		CU_ASSERT(aborts(verify, net));
		if (result(n)->kind == TENSOR_VALUE) {
			n->workspace->offset = storage(result(n))->offset;
			CU_ASSERT(aborts(verify, net));
		}
		n->workspace->offset = offset;
	}
}

static void corrupt_kept(void)
{
	Net *net = net_after("plan", "input 9; dense 8 relu; dense 3;");
	Tensor *never = new_value(&net->train, "never", shape1(16));
	never->offset = net->train.arena;
	never->reals = 16;
	keep(&net->train, never);
	CU_ASSERT(aborts(verify, net));
}

/* Working in place over a value that is still needed. */
static void corrupt_in_place(void)
{
	Net *net = net_after("plan", "input 9; dense 8 gelu; dense 3;");
	Node *gelu = node_of(&net->train, "activation", 0);
	CU_ASSERT(!aborts(verify, net));
	gelu->out[0]->alias = gelu->in[0]; /* gelu_grad reads it later */
	CU_ASSERT(aborts(verify, net));
}

/* Weights, gradients and two slots each; the arena. */
static void memory(void)
{
	Net *net = net_after(
		"plan", "train { optimizer adam; } input 9; dense 8 relu; dense 3;");
	int64_t params = 80 + 16 + 32 + 16;
	CU_ASSERT_EQUAL(training_bytes(net), 4 * (4 * params + net->train.arena));
}

void suite_passes(void);
void suite_passes(void)
{
	CU_pSuite suite = CU_add_suite("passes", NULL, NULL);
	CU_add_test(suite, "infer", infer);
	CU_add_test(suite, "infer under mse", infer_mse);
	CU_add_test(suite, "diff", diff);
	CU_add_test(suite, "diff of what only the input needs", diff_input_only);
	CU_add_test(suite, "diff of a fork", diff_fan_out);
	CU_add_test(suite, "fuse", fuse);
	CU_add_test(suite, "fuse keeps what is read", fuse_keeps);
	CU_add_test(suite, "fuse keeps what is kept", fuse_keeps_kept);
	CU_add_test(suite, "select", select_cheapest);
	CU_add_test(suite, "select, together", select_together);
	CU_add_test(suite, "plan", plan);
	CU_add_test(suite, "plan in place", in_place);
	CU_add_test(suite, "verify: overlaps", corrupt);
	CU_add_test(suite, "verify: workspaces", corrupt_workspace);
	CU_add_test(suite, "verify: never written", corrupt_kept);
	CU_add_test(suite, "verify: in place too early", corrupt_in_place);
	CU_add_test(suite, "memory", memory);
}
