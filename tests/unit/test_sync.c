/*
 * test_sync.c - barriers stand exactly where memory meets: none is missing, which
 * verify_sync insists on, and without any single one of them it would.
 */
#include <CUnit/Basic.h>
#include <string.h>

#include "nets.h"

static const char *const bars[] = {
	[BARRIER_NONE] = "", [BARRIER_OF_MANY] = ":", [BARRIER] = "|"};

/* The nodes that are called in a part, as "gemm |gemm ": a bar for each barrier. */
static const char *calls_of(const Program *p, Phase phase)
{
	const char *text = "";
	for (int i = 0; i < p->count; i++) {
		const Node *n = p->nodes[i];
		if (n->phase == phase && !n->op->reshape && !n->input_only)
			text = arena_printf("%s%s%s ", text, bars[n->barrier],
					    n->op->name);
	}
	return text;
}

static void sync_dense(void)
{
	Net *net = net_after("sync", "input 9; dense 8 relu; dense 3;");
	CU_ASSERT_STRING_EQUAL(calls_of(&net->train, PHASE_LOAD), "load ");
	CU_ASSERT_STRING_EQUAL(calls_of(&net->train, PHASE_FORWARD),
			       "gemm |gemm |cross_entropy cross_entropy_grad ");
	/* dense2's bias and dx only read d_dense2; its weight moves once dx has read
	 * it. */
	CU_ASSERT_STRING_EQUAL(calls_of(&net->train, PHASE_BACKWARD),
			       "bias_grad gemm |gemm bias_grad gemm ");
	CU_ASSERT_STRING_EQUAL(calls_of(&net->train, PHASE_UPDATE), "");
	/* Both read the logits: how good it is need not wait for the probabilities. */
	CU_ASSERT_STRING_EQUAL(calls_of(&net->infer, PHASE_FORWARD),
			       "gemm |gemm |softmax cross_entropy ");
}

/* A reshape is no call; each thread goes on with its own rows. */
static void sync_image(void)
{
	Net *net = net_after("sync",
			     "input 4x4x1; flatten; tanh; softmax; dense 3 softmax;");
	CU_ASSERT_STRING_EQUAL(calls_of(&net->train, PHASE_FORWARD),
			       "|activation softmax |gemm |cross_entropy "
			       "cross_entropy_grad ");
}

/*
 * Where halves are made and read, two threads have no barrier, but more have; the last
 * of them has the one row's ten columns, and goes on with them.
 */
static void sync_halves(void)
{
	Net *net =
		net_after("sync", "train { batch 1; optimizer sgd; } input 100; "
				  "dense 128 relu; dense 128 relu; dense 10 softmax;");
	CU_ASSERT_STRING_EQUAL(calls_of(&net->train, PHASE_FORWARD),
			       "gemm :gemm :gemm cross_entropy cross_entropy_grad ");
	CU_ASSERT_STRING_EQUAL(
		calls_of(&net->train, PHASE_BACKWARD),
		"bias_grad gemm |gemm bias_grad gemm |gemm bias_grad gemm ");
	CU_ASSERT_STRING_EQUAL(calls_of(&net->infer, PHASE_FORWARD),
			       "gemm :gemm :gemm softmax cross_entropy ");
	/* Blocks of 120 columns are no halves; of 20 not one. */
	net = net_after("sync", "train { batch 1; optimizer sgd; } input 100; "
				"dense 120 relu; dense 20 relu; dense 10;");
	CU_ASSERT_STRING_EQUAL(calls_of(&net->infer, PHASE_FORWARD),
			       "gemm |gemm |gemm softmax cross_entropy ");
}

/* The samples, where each thread has not its own: they are many. */
static void sync_load(void)
{
	Net *net =
		net_after("sync", "train { batch 64; } input 9000; dense 8; dense 3;");
	CU_ASSERT_STRING_EQUAL(calls_of(&net->train, PHASE_FORWARD),
			       "|gemm |gemm |cross_entropy cross_entropy_grad ");
}

/* Nodes of which none needs to wait for another: now and then they do, if there are
 * many. */
static void sync_many(void)
{
	Net *net = net_after("sync", "input 9; repeat 1000 { tanh; } dense 3;");
	int barriers = 0;
	for (int i = 0; i < net->train.count; i++) {
		const Node *n = net->train.nodes[i];
		barriers += n->barrier && !n->input_only;
	}
	CU_ASSERT(barriers > 5 && barriers < 50);
}

/* What comes nearer behind the barriers, by name. */
static const char *fetched(const Net *net)
{
	const char *text = "";
	for (int i = 0; i < net->train.count; i++) {
		const Node *n = net->train.nodes[i];
		CU_ASSERT(!n->fetch || n->barrier);
		if (n->fetch)
			text = arena_printf("%s%s ", text, n->fetch->id);
	}
	return text;
}

/* What others made of dy, where a product of something else comes first. */
static void fetch_dense(void)
{
	const Net *net =
		net_after("fetch", "input 9; dense 8 relu; dense 7 tanh; dense 3;");
	CU_ASSERT_STRING_EQUAL(fetched(net), "d_dense2_sum d_dense1_sum ");
	net = net_after("fetch",
			"train { batch 512; } input 9; dense 256 relu; dense 3;");
	CU_ASSERT_STRING_EQUAL(fetched(net), ""); /* too much of it */
	net = net_after("fetch", "input 8x8x2; conv 3 3x3 relu; conv 2 3x3; flatten;");
	CU_ASSERT_STRING_EQUAL(fetched(net), "");
}

static Net *net_by(const char *const *preferred, const char *text)
{
	Net *net = net_of(text);
	for (; *preferred; preferred++)
		prefer(net, *preferred);
	run_passes(net, "reorder", "sync");
	return net;
}

/* What gradcheck asks for is called node by node. */
static void sync_input_only(void)
{
	Net *net =
		net_after("sync", "input 8x8x2; maxpool 2; tanh; conv 3 3x3; dense 4;");
	int found = 0;
	for (int i = 0; i < net->train.count; i++) {
		const Node *n = net->train.nodes[i];
		CU_ASSERT(n->barrier || !n->input_only || n->op->reshape);
		found += n->input_only;
	}
	CU_ASSERT_EQUAL(found, 2);
}

/* Steps that no kernel takes: they wait for the gradients, not for each other. */
static void sync_update(void)
{
	Net *net = net_after("pool",
			     "train { optimizer sgd; } input 9; dense 8 bias=false; "
			     "dense 3 bias=false;");
	run_passes(net, "plan", "sync");
	CU_ASSERT_STRING_EQUAL(calls_of(&net->train, PHASE_UPDATE), "|update update ");
}

/* ---- where memory meets
 * --------------------------------------------------------------
 */

/* Something far from all else that n reads as well. */
static Tensor *read_also(Program *p, Node *n)
{
	Tensor *other = new_value(p, "other", shape1(8));
	other->offset = (int64_t)1 << 40;
	other->reals = 16;
	n->in[n->in_count++] = other;
	return other;
}

/* b, for which a has no barrier now, is made to write around what a reads. */
static void meet(Net *net, Node *a, const Node *b, Tensor *written)
{
	const Tensor *x = read_also(&net->train, a);
	const struct {
		int64_t offset;
		bool barrier;
	} places[] = {
		{x->offset, true},
		{x->offset + x->reals - 1, true},
		{x->offset + x->reals, false},
		{x->offset - written->reals + 1, true},
		{x->offset - written->reals, false},
	};
	CU_ASSERT(!b->barrier && a->index + 1 == b->index);
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		written->offset = places[i].offset;
		pass_sync(net);
		CU_ASSERT_EQUAL(b->barrier, places[i].barrier ? BARRIER : BARRIER_NONE);
	}
}

/* bias_grad reads d_dense2; the gemm behind it makes d_dense1. */
static void sync_meets(void)
{
	Net *net = net_after("sync", "input 9; dense 8 relu; dense 3;");
	const Node *dx = node_of(&net->train, "gemm", 2);
	CU_ASSERT(dx->attr.tb);
	count_uses(&net->train);
	meet(net, node_of(&net->train, "bias_grad", 0), dx, storage(result(dx)));
}

/* A workspace is written, too. */
static void sync_workspace(void)
{
	static const char *const kernels_by[] = {"conv_im2col", "conv_dw_im2col",
						 "conv_dx_im2col", NULL};
	Net *net = net_by(kernels_by,
			  "train { batch 4; } input 8x8x2; conv 3 3x3; conv 4 3x3; "
			  "flatten;");
	const Node *dw = net->params[0]->grad->producer;
	CU_ASSERT_PTR_NOT_NULL_FATAL(dw->workspace);
	count_uses(&net->train);
	meet(net, node_of(&net->train, "bias_grad", 1), dw, dw->workspace);
}

/* ---- verify_sync
 * ---------------------------------------------------------------------
 */

static const Net *verified; /* a program of it */

static void verify(void *data)
{
	verify_sync(verified, data);
}

/*
 * Takes away each barrier in turn, and makes it one of more than two threads: every one
 * is missed. How many there were.
 */
static int take_away(const Net *net, Program *p)
{
	int count = 0, missed = 0;
	verified = net;
	CU_ASSERT(!aborts(verify, p));
	for (int i = 0; i < p->count; i++) {
		Node *n = p->nodes[i];
		if (!n->barrier || n->input_only)
			continue;
		const Barrier kept = n->barrier;
		n->barrier = BARRIER_NONE;
		missed += aborts(verify, p);
		n->barrier = BARRIER_OF_MANY;
		CU_ASSERT_EQUAL(aborts(verify, p), kept == BARRIER);
		n->barrier = kept;
		count++;
	}
	CU_ASSERT_EQUAL(missed, count);
	return count;
}

static const char *const models[] = {
	"input 9; dense 8 relu; dropout 0.5; dense 7 gelu; softmax; dense 3;",
	"train { loss mse; optimizer sgd momentum=0.9; } input 9; dense 8 tanh; dense "
	"3;",
	"train { batch 5; } input 12x12x2; conv 7 3x3 relu; maxpool 2; conv 8 3x3 "
	"gelu; "
	"dropout 0.5; dense 33 tanh; softmax; dense 4 softmax;",
	"train { batch 8; optimizer sgd; } input 12x12x9; conv 8 3x3 relu "
	"padding=valid; "
	"maxpool 2 padding=same; conv 8 2x2 tanh bias=false; maxpool 2; avgpool 2; "
	"dense 4;",
	"train { batch 4; } input 9x9x8; repeat 3 { conv 9 3x3 relu; } globalavgpool;",
	"train { batch 1; optimizer sgd; } input 100; repeat 3 { dense 128 relu; } "
	"dense 4;",
	"train { batch 9; } input 100; repeat 3 { dense 128 tanh; } dense 128;",
};

static const char *const choices[][4] = {
	{NULL},
	{"conv_direct", "conv_dw_direct", "conv_dx_direct", NULL},
	{"conv_im2col", "conv_dw_im2col", "conv_dx_im2col", NULL},
	{"conv_fft", "conv_dw_fft", "conv_dx_fft", NULL},
	{"gemm_openblas", NULL},
};

static void every_barrier(void)
{
	for (size_t i = 0; i < sizeof models / sizeof *models; i++)
		for (size_t k = 0; k < sizeof choices / sizeof *choices; k++) {
			Net *net = net_by(choices[k], models[i]);
			CU_ASSERT(take_away(net, &net->train) >= 3);
			CU_ASSERT(take_away(net, &net->infer) >= 2);
		}
}

/*
 * Between the nodes that gradcheck asks for, too; before the first the runtime has one.
 */
static void every_input_only(void)
{
	Net *net =
		net_after("sync", "input 8x8x2; maxpool 2; tanh; conv 3 3x3; dense 4;");
	int found = 0;
	verified = net;
	for (int i = 0; i < net->train.count; i++) {
		Node *n = net->train.nodes[i];
		if (!n->input_only)
			continue;
		n->barrier = BARRIER_NONE;
		CU_ASSERT_EQUAL(aborts(verify, &net->train), found > 0);
		n->barrier = BARRIER;
		found++;
	}
	CU_ASSERT_EQUAL(found, 2);
}

/* A barrier a node too late or too early is as bad as none. */
static void shifted(void)
{
	Net *net = net_after("sync", "input 9; dense 8 relu; dense 3;");
	Program *p = &net->train;
	Node *sums = node_of(p, "bias_grad", 0), *dx = node_of(p, "gemm", 2);
	Node *dw = node_of(p, "gemm", 3);
	verified = net;
	CU_ASSERT(!sums->barrier && !dx->barrier && dw->barrier == BARRIER);
	CU_ASSERT(!aborts(verify, p));
	sums->barrier = BARRIER; /* one too many does no harm */
	CU_ASSERT(!aborts(verify, p));
	dw->barrier = BARRIER_NONE;
	dx->barrier = BARRIER;
	CU_ASSERT(aborts(verify, p)); /* dw moves the weight that dx reads */
}

extern void suite_sync(void);
void suite_sync(void)
{
	CU_pSuite suite = CU_add_suite("sync", NULL, NULL);
	CU_add_test(suite, "dense", sync_dense);
	CU_add_test(suite, "in place", sync_image);
	CU_add_test(suite, "halves", sync_halves);
	CU_add_test(suite, "samples", sync_load);
	CU_add_test(suite, "many nodes", sync_many);
	CU_add_test(suite, "gradcheck's nodes", sync_input_only);
	CU_add_test(suite, "updates", sync_update);
	CU_add_test(suite, "fetch", fetch_dense);
	CU_add_test(suite, "memory that meets", sync_meets);
	CU_add_test(suite, "workspaces that meet", sync_workspace);
	CU_add_test(suite, "verify: each barrier", every_barrier);
	CU_add_test(suite, "verify: each of gradcheck's", every_input_only);
	CU_add_test(suite, "verify: shifted", shifted);
}
