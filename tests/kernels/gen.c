/*
 * gen.c - writes the cases of one C file: `gen SEED FILE SHAPES` draws SHAPES random
 * shapes of each product op (gemm, conv, conv_dx, conv_dw) and of bias_grad, with what
 * passes may join to them, and emits as nnc would: each op on its own one after the
 * other, the product's plain loops, and every kernel that fits.
 */
#include <stdlib.h>
#include <string.h>

#include "draw.h"

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
	Net *net;
	Draw draw;
	Drawn drawn;
	NetLayer layer;
	Group groups[MAX_GROUPS]; /* steps, the plain loops, then each of kernels[] */
	Emit emit;
	Text layouts, table; /* where operands lie; the rows of cases[] */
	int number, variants;
} Gen;

/* ---- functions ------------------------------------------------------------------ */

static int group_number(const Kernel *k)
{
	int i = 0;
	while (kernels[i] != k)
		i++;
	assert(i + 2 < MAX_GROUPS);
	return i + 2;
}

static Emit *emit_of(Gen *g, int number)
{
	Group *group = &g->groups[number];
	group->emit.net = g->net;
	group->emit.out = &group->code;
	return &group->emit;
}

/* A function that runs nodes one after the other. */
static void put_function(Gen *g, int group, Node *const *nodes, int count,
			 const char *name)
{
	Emit *e = emit_of(g, group);
	const Training *t = &g->net->training;
	const char *const *slots;
	int slot_count = t->optimizer->slots(&t->optimizer_args, &slots);
	put(e, "static void %s_%s(const NncThread *thread, NncContext *c, int n)\n{",
	    g->layer.id, name);
	put(e, "real *a = c->arena;\n%s_params *w = c->params, *dw = c->grads;",
	    g->layer.id);
	put(e, "const bool keep = "
	       "c->keep_grads;\n(void)a;\n(void)w;\n(void)dw;\n(void)keep;");
	for (int i = 0; i < slot_count; i++)
		put(e, "%s_params *%s = c->slot[%d];\n(void)%s;", g->layer.id, slots[i],
		    i, slots[i]);
	put(e, "%s",
	    fill(t->optimizer->setup, t->optimizer->holes(&t->optimizer_args)));
	for (const char *const *s = t->optimizer->scalars; *s; s++)
		put(e, "(void)%s;", *s);
	for (int i = 0; i < count; i++) {
		if (i)
			put(e, "nnc_barrier(thread);");
		emit_node(e, nodes[i]);
	}
	put(e, "}\n");
}

/* ---- buffers -------------------------------------------------------------------- */

static void put_buffer(Gen *g, const char *field, const Tensor *t, const char *block,
		       const char *more)
{
	const char *offset = upper_text(t->id);
	const char *unit = t->element == ELEMENT_BYTE  ? "1"
			   : t->element == ELEMENT_INT ? "4"
						       : "sizeof(real)";
	if (!block)
		block = t->kind == TENSOR_VALUE   ? "ARENA"
			: t->kind == TENSOR_PARAM ? "PARAMS"
						  : "GRADS";
	if (t->kind != TENSOR_VALUE)
		offset = arena_printf("offsetof(%s_params, %s) / sizeof(real)",
				      g->layer.id, t->id);
	put(&g->emit,
	    ".%s = {.block = %s, .offset = %s, .row = %lld, .unit = %s, .rows = %d%s},",
	    field, block, offset, (long long)shape_size(t->shape), unit, !t->batched,
	    more);
}

static void put_input(Gen *g, int *count, const Tensor *t)
{
	const Drawn *c = &g->drawn;
	const char *more = t == c->ones     ? ", .fill = FILL_ONES"
			   : t == c->winner ? ", .fill = FILL_PLACES"
			   : t == c->zeros  ? ", .fill = FILL_RELU"
					    : "";
	put_buffer(g, arena_printf("in[%d]", (*count)++), t, NULL, more);
}

/* An optimizer's state of w: running means of squares are positive. */
static void put_state(Gen *g, const char *list, int *count, const Tensor *w)
{
	const Training *t = &g->net->training;
	const char *const *slots;
	int slot_count = t->optimizer->slots(&t->optimizer_args, &slots);
	for (int i = 0; i < slot_count; i++)
		put_buffer(g, arena_printf("%s[%d]", list, (*count)++), w,
			   arena_printf("SLOT_%d", i),
			   strcmp(slots[i], "v") == 0 ? ", .fill = FILL_POSITIVE" : "");
}

static void put_inputs(Gen *g)
{
	const Drawn *c = &g->drawn;
	const Node *n = c->node;
	int count = 0;
	for (int k = 0; k < n->in_count; k++)
		put_input(g, &count, n->in[k]);
	if (c->ones)
		put_input(g, &count, c->ones);
	for (int f = 0; f < n->fused_count; f++)
		for (int k = 1; k < n->fused[f]->in_count; k++)
			put_input(g, &count, n->fused[f]->in[k]);
	if (c->update)
		put_state(g, "in", &count, c->update->in[1]);
	put(&g->emit, ".in_count = %d,", count);
}

static void put_outputs(Gen *g)
{
	const Drawn *c = &g->drawn;
	const Tensor *made = result(c->node);
	int count = 0;
	if (c->update) {
		put_buffer(g, arena_printf("out[%d]", count++), c->update->in[1], NULL,
			   "");
		put_state(g, "out", &count, c->update->in[1]);
	}
	put_buffer(g, arena_printf("out[%d]", count++), made, NULL,
		   c->update ? ", .kept = true" : "");
	if (c->node->out_count > 1)
		put_buffer(g, arena_printf("out[%d]", count++), c->node->out[1], NULL,
			   ", .fill = FILL_PLACES");
	put(&g->emit, ".out_count = %d,", count);
	put_buffer(g, "size", c->size, NULL, "");
}

static void put_pool(Gen *g)
{
	const Node *p = g->drawn.pool;
	if (!p)
		return;
	Window w = window_of(&p->attr, p->in[0]->shape, p->out[0]->shape);
	put(&g->emit,
	    ".pool = {%lld, %lld, %lld, %lld, %lld, %lld, %lld, %lld, %lld, %lld, "
	    "%lld},",
	    (long long)w.h, (long long)w.w, (long long)w.c, (long long)w.oh,
	    (long long)w.ow, (long long)w.kh, (long long)w.kw, (long long)w.sh,
	    (long long)w.sw, (long long)w.top, (long long)w.left);
	put_buffer(g, "image", p->in[0], NULL, "");
}

/* ---- variants ------------------------------------------------------------------- */

/* `spare`: what it may leave as it likes. */
static void put_variant(Gen *g, const char *name, const char *function, int64_t scratch,
			Tensor *const *spare, int spare_count)
{
	put(&g->emit, ".variant[%d] = {.name = \"%s\", .run = %s_%s, .scratch = %lld,",
	    g->variants++, name, g->layer.id, function, (long long)scratch);
	for (int i = 0; i < spare_count; i++)
		put_buffer(g, arena_printf("spare[%d]", i), spare[i], NULL, "");
	put(&g->emit, ".spare_count = %d,", spare_count);
	put(&g->emit, "},");
}

static bool is_output(const Drawn *c, const Tensor *t)
{
	return t == result(c->node) || (c->node->out_count > 1 && t == c->node->out[1]);
}

/* Ops one after the other, with all that is between them in memory. */
static void put_steps(Gen *g)
{
	Drawn *c = &g->drawn;
	Tensor *spare[2 * MAX_STEPS];
	int count = 0;
	for (int i = 0; i < c->step_count; i++)
		for (int k = 0; k < c->step[i]->out_count; k++)
			if (!is_output(c, c->step[i]->out[k]))
				spare[count++] = c->step[i]->out[k];
	put_function(g, 0, c->step, c->size_steps, "size");
	put_function(g, 0, c->step, c->step_count, "steps");
	put(&g->emit, ".run_size = %s_size,", g->layer.id);
	put_variant(g, "steps", "steps", 0, spare, count);
}

/* By its plain loops, or a kernel that is called. */
static void put_call(Gen *g, Node *n, const Kernel *k, const char *name)
{
	int64_t work = k && k->workspace ? k->workspace(g->net, n) : 0;
	int64_t scratch = k && k->scratch ? k->scratch(g->net, n) : 0;
	n->kernel = k;
	n->workspace = NULL;
	if (work) {
		const char *id = layer_id(&g->layer, arena_printf("work_%s", name));
		n->workspace = new_value(&g->net->train, id, shape1(work));
		n->workspace->batched = false;
	}
	put_function(g, k ? group_number(k) : 1, &n, 1, name);
	put_variant(g, name, name, scratch, &n->workspace, work > 0);
}

/* By the nodes that a kernel is made of. */
static void put_lowered(Gen *g, Node *n, const Kernel *k)
{
	Program *p = &g->net->train;
	int before = p->tensor_count;
	int64_t scratch = 0;
	n->kernel = k;
	p->nodes = NULL;
	p->count = 0;
	k->lower(g->net, p, n);
	for (int i = 0; i < p->count; i++) {
		const Op *op = p->nodes[i]->op;
		int64_t reals = op->scratch ? op->scratch(g->net, p->nodes[i]) : 0;
		scratch = reals > scratch ? reals : scratch;
	}
	put_function(g, group_number(k), p->nodes, p->count, k->name);
	put_variant(g, k->name, k->name, scratch, p->tensors + before,
		    p->tensor_count - before);
}

static void put_kernel(void *data, const Kernel *k, double cost, const char *reason)
{
	Gen *g = data;
	const Drawn *c = &g->drawn;
	bool pools = pool_of(c->node), spreads = c->node->spread;
	(void)cost;
	if (reason || (pools && !(k && k->pools)) || (spreads && !(k && k->spreads)) ||
	    (c->update && !(k ? k->updates : c->node->op->updates)))
		return;
	Node *copy = arena_alloc(sizeof *copy);
	*copy = *c->node;
	if (k && k->lower)
		put_lowered(g, copy, k);
	else
		put_call(g, copy, k, k ? k->name : "plain");
}

/* ---- a case --------------------------------------------------------------------- */

/* The memory of a case: guards between all operands. */
static const char *layout(Gen *g)
{
	const Program *p = &g->net->train;
	const char *text = arena_printf(
		"typedef struct %s_params {\n\treal front[%d];\n", g->layer.id, GUARD);
	for (int i = 0; i < g->net->param_count; i++)
		text = arena_printf(
			"%s\treal %s[%lld] NNC_ALIGNED;\n\treal %s_end[%d];\n", text,
			g->net->params[i]->id,
			(long long)shape_size(g->net->params[i]->shape),
			g->net->params[i]->id, GUARD);
	text = arena_printf("%s} %s_params;\n\nenum {\n", text, g->layer.id);
	int64_t at = GUARD;
	for (int i = 0; i < p->tensor_count; i++) {
		const Tensor *t = p->tensors[i];
		text = arena_printf("%s\t%s = %lld,\n", text, upper_text(t->id),
				    (long long)at);
		at += padded(shape_size(t->shape) * rows_of(g->net, t)) + GUARD;
	}
	return arena_printf("%s\t%s_ARENA = %lld,\n};\n\n", text,
			    upper_text(g->layer.id), (long long)at);
}

static const char *case_name(Gen *g)
{
	const Node *n = g->drawn.node;
	if (n->op == &op_gemm) {
		Gemm m = gemm_of(g->net, n);
		return gemm_name(&m, "");
	}
	if (n->op == &op_bias_grad)
		return arena_printf("bias_grad_%s%s", shape_name(n->in[0]->shape),
				    suffixes(n));
	Window w = conv_window(n);
	return arena_printf("%s%s%s", window_name(n->op->name, &w),
			    n->spread ? "_spread" : "", suffixes(n));
}

static void put_case(Gen *g, const Op *op, int kind)
{
	g->layer = (NetLayer){.id = arena_printf("c%d", g->number)};
	g->layer.name = g->layer.id;
	g->variants = 0;
	g->drawn = draw_case(&g->draw, op, kind);
	put(&g->emit, "{");
	put(&g->emit,
	    ".what = \"%d: %s\", .batch = %lld, .terms = %lld, .rows_too = %d,",
	    g->number, case_name(g), (long long)g->net->training.batch,
	    (long long)g->drawn.terms, g->drawn.rows_too);
	put_inputs(g);
	put_outputs(g);
	put_pool(g);
	put_steps(g);
	each_kernel(g->net, g->drawn.node, put_kernel, g);
	put(&g->emit, ".variant_count = %d, .reals = {%s_ARENA", g->variants,
	    upper_text(g->layer.id));
	for (int i = 0; i < 4; i++)
		put(&g->emit, ", sizeof(%s_params) / sizeof(real)", g->layer.id);
	put(&g->emit, "},");
	put(&g->emit, "},");
	const char *places = layout(g);
	text_add(&g->layouts, places, strlen(places));
	g->number++;
}

/* ---- the file ------------------------------------------------------------------- */

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

/* A net whose train section is as good as another: files differ in it. */
static Net *new_net(uint32_t file)
{
	static const int batches[] = {5, 1, 32, 8, 33, 2, 13, 64, 3, 17, 1};
	static const char *const trains[] = {
		"optimizer adam;",
		"optimizer sgd;",
		"optimizer sgd momentum=0.9 nesterov weight_decay=0.01;",
		"optimizer adam weight_decay=0.1;",
	};
	const char *text = arena_printf("train { %s batch %d; } input 3; dense 2;",
					trains[file % 4], batches[file % 11]);
	const ExpandOptions none = {0};
	const Source *source;
	int count;
	Stmt *stmts =
		expand_text("cases.nn", text, strlen(text), &none, &count, &source);
	return build_net(stmts, count, source);
}

int main(int argc, char **argv)
{
	static const Op *const others[] = {&op_conv, &op_conv_dx, &op_conv_dw,
					   &op_bias_grad};
	static Gen g;
	if (argc != 4) {
		fputs("usage: gen SEED FILE SHAPES\n", stderr);
		return 2;
	}
	uint32_t file = (uint32_t)atoi(argv[2]);
	int shapes = atoi(argv[3]);
	g.net = new_net(file);
	g.draw = (Draw){.net = g.net, .layer = &g.layer, .far = file % 3 == 0};
	g.draw.rng = nnc_rng((uint32_t)strtoul(argv[1], NULL, 10), NNC_STREAM_SYNTHETIC,
			     file, 0);
	g.emit = (Emit){.net = g.net, .out = &g.table};
	for (int i = 0; i < shapes; i++) {
		put_case(&g, &op_gemm, i % 3);
		for (int k = 0; k < 4; k++)
			put_case(&g, others[k], 0);
	}
	write_file(&g);
	arena_free();
	return 0;
}
