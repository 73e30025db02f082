/*
 * gen.c - writes the cases of one C file: `gen SEED FILE SHAPES` draws SHAPES random
 * shapes of each product op (gemm, conv, conv_dx, conv_dw), with random elementwise ops
 * or an optimizer's step fused in, and emits the op's plain loops and every kernel that
 * fits, as nnc would.
 */
#include "nnc.h"

#include <stdlib.h>
#include <string.h>

enum {
	GUARD = 64, /* reals between operands that nobody may touch */
	MAX_GROUPS = 64,
};

/* All uses of one kernel. Functions of two kernels may have the same name in C. */
typedef struct Group {
	Emit emit;
	Text code; /* the functions that call them */
} Group;

typedef struct Gen {
	Net net;
	Group groups[MAX_GROUPS]; /* the plain loops, then each of kernels[] */
	Emit emit;
	Text layouts, table; /* where operands lie; the rows of cases[] */
	NncRng rng;
	NetLayer layer; /* that the tensors of a case are named after */
	int number;
} Gen;

/* ---- random choices ------------------------------------------------------------ */

static int below(Gen *g, int bound)
{
	return (int)nnc_rng_below(&g->rng, (uint32_t)bound);
}

/* 1..max: often a power of two, or one beside it, where kernels have their edges. */
static int64_t size(Gen *g, int max)
{
	int64_t s = 1 + below(g, max);
	if (below(g, 2)) {
		s = (int64_t)1 << below(g, 8);
		s += below(g, 3) - 1;
	}
	return s < 1 ? 1 : s > max ? 1 + below(g, max) : s;
}

static const Activation *random_activation(Gen *g)
{
	int n;
	activation_names(&n);
	const Activation *act;
	do
		act = &activations[below(g, n - 1)]; /* the last name is softmax */
	while (!act->value);
	return act;
}

/* ---- one node -------------------------------------------------------------------- */

static const char *id(Gen *g, const char *part)
{
	return layer_id(&g->layer, part);
}

static Tensor *value(Gen *g, const char *part, Shape shape)
{
	return new_value(&g->net.train, id(g, part), shape);
}

/* An elementwise op behind n; its second operand is a value, or a bias. */
static void fuse(Gen *g, Node *n, const Op *op, Attr attr)
{
	Tensor *in[2] = {result(n)};
	int count = 1;
	Shape shape = in[0]->shape;
	if (op == &op_bias)
		in[count++] =
			new_param(&g->net, &g->layer, "bias", shape1(columns(shape)));
	else if (op->operand)
		in[count++] = value(g, op->operand, shape);
	n->fused[n->fused_count] =
		append(&g->net, op, NULL, &attr, in, count, id(g, "then"), shape);
	n->fused_count++;
}

/* What diff and fuse may put behind a product: forward, or on the way back. */
static void fuse_some(Gen *g, Node *n, bool forward)
{
	Attr attr = {.act = random_activation(g)};
	Attr none = {0};
	attr.alpha = attr.act->param.name ? attr.act->param.initial : 0;
	if (forward && below(g, 3))
		fuse(g, n, &op_bias, none);
	if (below(g, 4) == 0)
		fuse(g, n, &op_add, none);
	if (below(g, 3))
		fuse(g, n, forward ? &op_activation : &op_activation_grad, attr);
}

/* A step of sgd on w behind its gradient: then w is the output. */
static void fuse_update(Gen *g, Node *n, Tensor *w)
{
	static Args args = {.what = "sgd"};
	args.params = find_optimizer("sgd")->params;
	Attr attr = {.optimizer = find_optimizer("sgd"), .args = &args};
	Tensor *in[] = {n->out[0], w};
	if (below(g, 2))
		n->fused[n->fused_count++] =
			append_into(&g->net, &op_update, NULL, &attr, in, 2, NULL);
}

/* Does it end with an optimizer's step? */
static bool updates(const Node *n)
{
	return n->fused_count && n->fused[n->fused_count - 1]->op->consumes;
}

static const Tensor *output(const Node *n)
{
	return updates(n) ? n->fused[n->fused_count - 1]->in[1] : result(n);
}

/* x (B,K) w (K,N); dy (B,N) w^T; x^T dy, into w's gradient. */
static Node *random_gemm(Gen *g, int kind)
{
	Net *net = &g->net;
	int64_t K = size(g, 300), N = size(g, 140);
	Tensor *w = new_param(net, &g->layer, "w", shape2(K, N));
	Attr attr = {.tb = kind == 1, .ta = kind == 2};
	Tensor *x = value(g, "x", shape1(kind == 1 ? N : K));
	if (kind == 2) {
		Tensor *in[] = {x, value(g, "dy", shape1(N))};
		Node *n = append_into(net, &op_gemm, NULL, &attr, in, 2, param_grad(w));
		fuse_update(g, n, w);
		return n;
	}
	Tensor *in[] = {x, w};
	Node *n = append(net, &op_gemm, NULL, &attr, in, 2, id(g, "y"),
			 shape1(kind ? K : N));
	fuse_some(g, n, kind == 0);
	return n;
}

/* Kernel, stride, dilation and padding along one axis; the output's size, or 0. */
static int64_t random_axis(Gen *g, Attr *a, int axis, int64_t in)
{
	int64_t kernel = 1 + below(g, 5), stride = below(g, 3) ? 1 : 1 + below(g, 3);
	int64_t dilation = below(g, 4) ? 1 : 1 + below(g, 3);
	int64_t reach = dilation * (kernel - 1) + 1, before = 0, after = 0;
	if (below(g, 3)) { /* same */
		int64_t total = ((in + stride - 1) / stride - 1) * stride + reach - in;
		before = total > 0 ? total / 2 : 0;
		after = total > 0 ? total - before : 0;
	} else if (below(g, 2)) {
		before = after = below(g, (int)reach);
	}
	a->kernel[axis] = kernel;
	a->stride[axis] = stride;
	a->dilation[axis] = dilation;
	a->pad[axis] = before;
	a->pad[axis + 2] = after;
	int64_t padded_size = in + before + after;
	return padded_size < reach ? 0 : (padded_size - reach) / stride + 1;
}

static Node *random_conv(Gen *g, const Op *op)
{
	Net *net = &g->net;
	Shape in = shape3(size(g, 16), size(g, 16), size(g, 40)), out = in;
	Attr a = {0};
	do {
		out.dim[0] = random_axis(g, &a, 0, in.dim[0]);
		out.dim[1] = random_axis(g, &a, 1, in.dim[1]);
	} while (out.dim[0] == 0 || out.dim[1] == 0);
	out.dim[2] = size(g, 70);
	Tensor *w = new_param(net, &g->layer, "w",
			      shape4(a.kernel[0], a.kernel[1], in.dim[2], out.dim[2]));
	if (op == &op_conv_dw) {
		Tensor *ins[] = {value(g, "x", in), value(g, "dy", out)};
		Node *n = append_into(net, op, NULL, &a, ins, 2, param_grad(w));
		fuse_update(g, n, w);
		return n;
	}
	bool forward = op == &op_conv;
	Tensor *ins[] = {value(g, "x", forward ? in : out), w};
	Node *n = append(net, op, NULL, &a, ins, 2, id(g, "y"), forward ? out : in);
	fuse_some(g, n, forward);
	return n;
}

/* A node that the plain loops do not take too long for. */
static Node *random_node(Gen *g, const Op *op, int kind)
{
	Net *net = &g->net;
	for (;;) {
		net->train = (Program){.name = "train"};
		net->params = NULL;
		net->param_count = 0;
		Node *n = op == &op_gemm ? random_gemm(g, kind) : random_conv(g, op);
		if (op->flops(net, n) < 4e6)
			return n;
	}
}

/* Reals of a value and of the guard behind it. */
static int64_t room_of(const Gen *g, const Tensor *t)
{
	return padded(shape_size(t->shape) * rows_of(&g->net, t)) + GUARD;
}

/* ---- writing a case ----------------------------------------------------------------
 */

static Group *group_of(Gen *g, const Kernel *k)
{
	int i = 0;
	while (k && kernels[i] != k)
		i++;
	Group *group = &g->groups[k ? i + 1 : 0];
	group->emit.net = &g->net;
	group->emit.out = &group->code;
	return group;
}

/* The nodes that k makes of n, one after the other, with what they leave in the arena. */
static int64_t put_lowered(Gen *g, Emit *e, const Node *n, const Kernel *k, int64_t *scratch)
{
	Program *p = &g->net.train;
	Node *copy = arena_alloc(sizeof *copy);
	int first = p->count, first_tensor = p->tensor_count;
	int64_t reals = 0;
	*copy = *n;
	k->lower(&g->net, p, copy);
	for (int i = first; i < p->count; i++) {
		const Node *part = p->nodes[i];
		if (i > first)
			put(e, "nnc_barrier(thread);");
		emit_node(e, part);
		int64_t needs = part->op->scratch ? part->op->scratch(&g->net, part) : 0;
		*scratch = needs > *scratch ? needs : *scratch;
	}
	for (int i = first_tensor; i < p->tensor_count; i++)
		reals += room_of(g, p->tensors[i]);
	return reals - GUARD;
}

/* A function that runs n by k, or by its plain loops. */
static int64_t put_function(Gen *g, Node *n, const Kernel *k, const char *name,
			    int64_t *scratch)
{
	int64_t reals = 0;
	Emit *e = &group_of(g, k)->emit;
	n->kernel = k;
	put(e, "static void %s_%s(const NncThread *thread, NncContext *c, int n)\n{",
	    g->layer.id, name);
	put(e, "real *a = c->arena;\n%s_params *w = c->params, *dw = c->grads;",
	    g->layer.id);
	put(e, "const bool keep = c->keep_grads;\nconst real lr = (real)c->lr;");
	put(e, "(void)a;\n(void)w;\n(void)dw;\n(void)keep;\n(void)lr;");
	if (k && k->lower)
		reals = put_lowered(g, e, n, k, scratch);
	else
		emit_node(e, n);
	put(e, "}\n");
	return reals;
}

typedef struct Variants {
	Gen *gen;
	Node *node;
	int count;
} Variants;

static void put_variant(void *data, const Kernel *k, double cost, const char *reason)
{
	Variants *v = data;
	Gen *g = v->gen;
	(void)cost;
	if (reason || (k && updates(v->node) && !k->updates))
		return;
	const char *name = k ? k->name : "plain";
	int64_t reals = k && k->workspace ? k->workspace(&g->net, v->node) : 0;
	v->node->workspace =
		reals ? value(g, arena_printf("work_%s", name), shape1(reals)) : NULL;
	if (reals)
		v->node->workspace->batched = false;
	const char *place = reals ? upper_text(v->node->workspace->id) : "0";
	int64_t scratch = k && k->scratch ? k->scratch(&g->net, v->node) : 0;
	int tensors = g->net.train.tensor_count;
	int64_t lowered = put_function(g, v->node, k, name, &scratch);
	if (lowered) {
		reals = lowered;
		place = upper_text(g->net.train.tensors[tensors]->id);
	}
	put(&g->emit, ".variant[%d] = {\"%s\", %s_%s, %s, %lld, %lld},", v->count++, name,
	    g->layer.id, name, place, (long long)reals, (long long)scratch);
}

/* The memory of a case: guards between all operands. */
static const char *layout(Gen *g)
{
	const Program *p = &g->net.train;
	const char *text = arena_printf(
		"typedef struct %s_params {\n\treal front[%d];\n", g->layer.id, GUARD);
	for (int i = 0; i < g->net.param_count; i++)
		text = arena_printf(
			"%s\treal %s[%lld] NNC_ALIGNED;\n\treal %s_end[%d];\n", text,
			g->net.params[i]->id,
			(long long)shape_size(g->net.params[i]->shape),
			g->net.params[i]->id, GUARD);
	text = arena_printf("%s} %s_params;\n\nenum {\n", text, g->layer.id);
	int64_t at = GUARD;
	for (int i = 0; i < p->tensor_count; i++) {
		const Tensor *t = p->tensors[i];
		text = arena_printf("%s\t%s = %lld,\n", text, upper_text(t->id),
				    (long long)at);
		at += room_of(g, t);
	}
	return arena_printf("%s\t%s_ARENA = %lld,\n};\n\n", text,
			    upper_text(g->layer.id), (long long)at);
}

static void put_buffer(Gen *g, const char *field, const Tensor *t)
{
	const char *block = t->kind == TENSOR_VALUE   ? "ARENA"
			    : t->kind == TENSOR_PARAM ? "PARAMS"
						      : "GRADS";
	const char *offset = upper_text(t->id);
	if (t->kind != TENSOR_VALUE)
		offset = arena_printf("offsetof(%s_params, %s) / sizeof(real)",
				      g->layer.id, t->id);
	put(&g->emit, ".%s = {%s, %s, %lld, %d},", field, block, offset,
	    (long long)shape_size(t->shape), !t->batched);
}

static void put_operands(Gen *g, const Node *n)
{
	int count = 0;
	for (int k = 0; k < n->in_count; k++)
		put_buffer(g, arena_printf("in[%d]", count++), n->in[k]);
	for (int f = 0; f < n->fused_count; f++)
		for (int k = 1; k < n->fused[f]->in_count; k++)
			put_buffer(g, arena_printf("in[%d]", count++),
				   n->fused[f]->in[k]);
	put(&g->emit, ".in_count = %d,", count);
	put_buffer(g, "out", output(n));
	put_buffer(g, "size", n->out[0]);
}

/* What it is called, and how many terms each of its sums has. */
static void put_facts(Gen *g, const Node *n)
{
	const char *name, *letter = upper_text(g->layer.id);
	int64_t terms;
	bool rows_too = n->op == &op_conv_dw || n->attr.ta;
	if (n->op == &op_gemm) {
		Gemm m = gemm_of(&g->net, n);
		name = gemm_name(&m, "");
		terms = rows_too ? 1 : m.k;
	} else {
		Window w = conv_window(n);
		int64_t taps = w.kh * w.kw;
		name = arena_printf("%s%s", window_name(n->op->name, &w), suffixes(n));
		terms = n->op == &op_conv ? taps * w.c
			: rows_too        ? w.oh * w.ow
					  : taps * w.o;
	}
	put(&g->emit, "{");
	put(&g->emit,
	    ".what = \"%d: %s\", .batch = %lld, .terms = %lld, .rows_too = %d,",
	    g->number, name, (long long)g->net.training.batch, (long long)terms,
	    rows_too);
	put(&g->emit,
	    ".reals = {%s_ARENA, sizeof(%s_params) / sizeof(real), sizeof(%s_params) / "
	    "sizeof(real)},",
	    letter, g->layer.id, g->layer.id);
}

static void put_case(Gen *g, const Op *op, int kind)
{
	g->layer = (NetLayer){.id = arena_printf("c%d", g->number)};
	g->layer.name = g->layer.id;
	Node *n = random_node(g, op, kind);
	Node bare = *n;
	Variants v = {g, n, 0};
	put_facts(g, n);
	put_operands(g, n);
	bare.fused_count = 0;
	put_function(g, &bare, NULL, "size", NULL);
	each_kernel(&g->net, n, put_variant, &v);
	put(&g->emit, ".run_size = %s_size, .variant_count = %d,", g->layer.id,
	    v.count);
	put(&g->emit, "},");
	const char *places = layout(g);
	text_add(&g->layouts, places, strlen(places));
	g->number++;
}

/* ---- the file ----------------------------------------------------------------------
 */

/* #define NAME g3_NAME, or #undef NAME, for every function that text defines. */
static void write_names(const char *text, int group, bool undo)
{
	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, "static ", 7) != 0)
			continue;
		const char *end = line + strcspn(line, "("), *name = end;
		while (name[-1] != ' ' && name[-1] != '*')
			name--;
		int length = (int)(end - name);
		if (undo)
			printf("#undef %.*s\n", length, name);
		else
			printf("#define %.*s g%d_%.*s\n", length, name, group, length,
			       name);
	}
}

static void write_group(const Group *group, int number)
{
	const Emit *e = &group->emit;
	for (int i = 0; i < e->function_count; i++)
		write_names(e->functions[i].text, number, false);
	for (int i = 0; i < e->function_count; i++)
		if (prototype(&e->functions[i]))
			printf("%s\n", prototype(&e->functions[i]));
	for (int i = 0; i < e->function_count; i++)
		printf("\n%s", e->functions[i].text);
	printf("\n%s", group->code.bytes);
	for (int i = 0; i < e->function_count; i++)
		write_names(e->functions[i].text, number, true);
}

static void write_file(const Gen *g)
{
	printf("#include <cblas.h>\n#include \"cases.h\"\n\ntypedef nnc_real "
	       "real;\n\n%s",
	       g->layouts.bytes);
	for (int i = 0; i < MAX_GROUPS; i++)
		if (g->groups[i].code.length)
			write_group(&g->groups[i], i);
	printf("\nconst Case cases[] = {\n%s};\nconst int case_count = %d;\n",
	       g->table.bytes, g->number);
}

int main(int argc, char **argv)
{
	static const Op *const others[] = {&op_conv, &op_conv_dx, &op_conv_dw};
	static const int batches[] = {5, 32, 1, 8, 33, 2, 13, 64, 3, 17};
	if (argc != 4) {
		fputs("usage: gen SEED FILE SHAPES\n", stderr);
		return 2;
	}
	uint32_t file = (uint32_t)atoi(argv[2]);
	int shapes = atoi(argv[3]);
	static Gen g;
	g.rng = nnc_rng((uint32_t)strtoul(argv[1], NULL, 10), NNC_STREAM_SYNTHETIC,
			file, 0);
	g.net.training.batch = batches[file % 10];
	g.net.name = "cases";
	g.emit = (Emit){.net = &g.net, .out = &g.table};
	for (int i = 0; i < shapes; i++) {
		put_case(&g, &op_gemm, i % 3);
		for (int k = 0; k < 3; k++)
			put_case(&g, others[k], 0);
	}
	write_file(&g);
	arena_free();
	return 0;
}
