/*
 * update: one weight tensor moved against its gradient by the model's optimizer. It can be
 * fused into the kernel that makes the gradient, which is then kept only where asked for.
 */
#include "nnc.h"

static double flops(const Net *net, const Node *n)
{
	(void)net;
	return (double)n->attr.optimizer->flops * (double)shape_size(n->in[0]->shape);
}

/* The scalars, w, and the optimizer's state, which is named after it: w_m, w_v. */
static int operands(const Node *n, Operand *list)
{
	const Optimizer *o = n->attr.optimizer;
	const char *id = n->in[1]->id, *const *slots;
	int count = 0, slot_count = o->slots(n->attr.args, &slots);
	list[count++] = (Operand){"bool", "keep", "keep", false, false};
	for (const char *const *s = o->scalars; *s; s++)
		list[count++] = (Operand){"real", *s, *s, false, false};
	list[count++] = (Operand){"real *restrict", "w", ref(n->in[1]), false, true};
	for (int i = 0; i < slot_count; i++)
		list[count++] = (Operand){"real *restrict", arena_printf("w_%s", slots[i]),
					  arena_printf("%s->%s", slots[i], id), false, true};
	assert(count <= MAX_OPERANDS);
	return count;
}

/* "sgd(v, lr, &w[at]);", or where `cast` says so of more than one number */
static const char *step_text(const Node *n, const char *function, const char *cast)
{
	const Optimizer *o = n->attr.optimizer;
	const char *const *slots;
	int slot_count = o->slots(n->attr.args, &slots);
	const char *text = arena_printf("%s(v", function);
	for (const char *const *s = o->scalars; *s; s++)
		text = arena_printf("%s, %s", text, *s);
	text = arena_printf("%s, %s&w[at]", text, cast);
	for (int i = 0; i < slot_count; i++)
		text = arena_printf("%s, %s&w_%s[at]", text, cast, slots[i]);
	return arena_printf("%s);", text);
}

static const char *element(const Node *n)
{
	return step_text(n, n->attr.optimizer->name, "");
}

/* Emits the optimizer's function, of numbers or of vectors; its name. */
static const char *step_function(Emit *e, const Node *n, bool vectors)
{
	const Optimizer *o = n->attr.optimizer;
	const char *name = vectors ? arena_printf("%s_vector", o->name) : o->name;
	const Hole holes[] = {
		{"name", name},
		{"number", vectors ? "nnc_vec" : "real"},
	};
	emit_function(e, name, o->template(n->attr.args),
		      join_holes(holes, sizeof holes / sizeof *holes, o->holes(n->attr.args)));
	return name;
}

static const char *whole(Emit *e, const Node *n)
{
	if (!n->attr.optimizer->vectors)
		return NULL;
	return step_text(n, step_function(e, n, true), "(nnc_vec *)");
}

static const char *suffix(const Node *n)
{
	return n->attr.optimizer->name;
}

static void helper(Emit *e, const Node *n)
{
	step_function(e, n, false);
}

static void emit(Emit *e, const Node *n)
{
	const Optimizer *o = n->attr.optimizer;
	const char *name = arena_printf("%s_step", o->name), *params = "", *args = "";
	Operand list[MAX_OPERANDS];
	int count = operands(n, list);
	for (int i = 1; i < count; i++) { /* the gradient is there, kept or not */
		params = arena_printf("%s, %s %s", params, list[i].type, list[i].name);
		args = arena_printf("%s, %s", args, list[i].argument);
	}
	const Hole holes[] = {
		{"name", name},
		{"optimizer", o->name},
		{"params", params},
		{"element", element(n)},
		{NULL, NULL},
	};
	helper(e, n);
	emit_function(e, name, "update", holes);
	put(e, "%s(thread, %lld, %s%s);", name, (long long)shape_size(n->in[0]->shape),
	    ref(n->in[0]), args);
}

static void print_attr(FILE *out, const Node *n)
{
	fprintf(out, " %s", n->attr.optimizer->name);
}

const Op op_update = {
	.name = "update",
	.flops = flops,
	.emit = emit,
	.element = element,
	.operands = operands,
	.suffix = suffix,
	.helper = helper,
	.whole = whole,
	.consumes = true,
	.print_attr = print_attr,
};

#ifdef TEMPLATE_update
/* One step of $optimizer$ on `count` weights, by their gradients */
static void $name$(const NncThread *thread, int count, const real *restrict dw$params$)
{
	enum { PIECE = NNC_ALIGN / sizeof(real) };
	const NncRange share = nnc_share(thread, (count + PIECE - 1) / PIECE);
	const int end = share.end * PIECE < count ? share.end * PIECE : count;

	NNC_INDEPENDENT
	for (int at = share.first * PIECE; at < end; at++) {
		const real v = dw[at];
		$element$
	}
}
#endif
