/*
 * layout.c - where a program's numbers are: the struct of its weights, and the places
 * of all values in the arena, by name.
 */
#include "nnc.h"

void emit_params(Emit *e)
{
	const Net *net = e->net;
	put_section(e,
		    "weights; their gradients and optimizer state have the same form");
	put(e, "typedef struct Params {");
	for (int i = 0; i < net->param_count; i++) {
		const Tensor *t = net->params[i];
		scratch_begin();
		const char *dims = int_text(t->shape.dim[0]);
		for (int k = 1; k < t->shape.rank; k++)
			dims = arena_printf("%s * %lld", dims,
					    (long long)t->shape.dim[k]);
		put(e, "real %s[%s] NNC_ALIGNED;", t->id, dims);
		scratch_end();
	}
	put(e, "} Params;");
}

static void emit_place(Emit *e, const Tensor *t, const char *at)
{
	const char *left = arena_printf("%s = %s,", upper_text(t->id), at);
	const char *batch =
		t->batched ? arena_printf("%lld, ", (long long)rows_of(e->net, t)) : "";
	put(e, "%-40s /* (%s%s) */", left, batch, shape_name(t->shape));
}

/* The values with a name of their own for another's place. */
typedef struct Sharers {
	Tensor **tensors;
	int count;
} Sharers;

static Sharers find_sharers(const Program *p)
{
	Sharers s = {0};
	for (int i = 0; i < p->tensor_count; i++)
		if (p->tensors[i]->alias && place_of(p->tensors[i]) == p->tensors[i])
			*vec_push(&s.tensors, &s.count) = p->tensors[i];
	return s;
}

/* The name of a tensor's place, and of those that work in place there. */
static void emit_places(Emit *e, const Sharers *s, const Tensor *t)
{
	scratch_begin();
	const char *at = t->after ? upper_text(t->after->id) : "0";
	if (t->after && t->after->offset < t->offset)
		at = arena_printf("%s + %lld", at, (long long)t->after->reals);
	emit_place(e, t, at);
	for (int i = 0; i < s->count; i++)
		if (storage(s->tensors[i]) == t)
			emit_place(e, s->tensors[i], upper_text(t->id));
	scratch_end();
}

static void emit_total(Emit *e, const Program *p, const char *total, bool input_only)
{
	const Tensor *top = NULL;
	for (int i = 0; i < p->placed_count; i++) {
		const Tensor *t = p->placed[i];
		bool counts = input_only || !t->producer->input_only;
		if (counts && (!top || t->offset + t->reals > top->offset + top->reals))
			top = t;
	}
	assert(top);
	put(e, "%s = %s + %lld,", total, upper_text(top->id), (long long)top->reals);
}

/* One arena: each tensor at 0 or right behind another whose memory it cannot share. */
void emit_arena(Emit *e, const Program *p, const char *title, const char *total)
{
	const Sharers sharers = find_sharers(p);
	put_section(e, title);
	put(e, "enum {");
	int i = 0;
	for (; i < p->placed_count && !p->placed[i]->producer->input_only; i++)
		emit_places(e, &sharers, p->placed[i]);
	if (i < p->placed_count) {
		put(e, "#ifdef NNC_DOUBLE /* for the gradient of the input */");
		for (; i < p->placed_count; i++)
			emit_places(e, &sharers, p->placed[i]);
		emit_total(e, p, total, true);
		put(e, "#else");
	}
	emit_total(e, p, total, false);
	if (p->placed_count && p->placed[p->placed_count - 1]->producer->input_only)
		put(e, "#endif");
	if (p == &e->net->train && e->net->x->own)
		put(e, "%-40s /* X in other threads' scratch */",
		    arena_printf("OWN = %lld,", (long long)e->net->own));
	put(e, "};");
}
