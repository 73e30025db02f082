/*
 * plan: requires select; reserves workspaces and gives every value of a program its
 * place in the arena. Values whose lives do not overlap may share memory, and
 * elementwise ops work in place where their input is read by nobody else. verify_plan()
 * then checks the result afresh, by running the program on owners of memory instead of
 * numbers.
 */
#include "nnc.h"

enum { ROUND = 16 }; /* reals: NNC_ALIGN bytes of float */

static int64_t reals_of(const Net *net, const Tensor *t)
{
	int64_t elements = shape_size(t->shape) * rows_of(net, t);
	int64_t reals = t->element == ELEMENT_BYTE ? (elements + 3) / 4 : elements;
	return (reals + ROUND - 1) / ROUND * ROUND;
}

static bool in_arena(const Tensor *t)
{
	return t->kind == TENSOR_VALUE || t->kind == TENSOR_INPUT;
}

/* ---- workspaces ------------------------------------------------------------------ */

/* Workspaces are named after what they serve: work_conv2, work_d_conv1. */
static void reserve(Net *net, Program *p, Node *n)
{
	int64_t (*scratch)(const Net *, const Node *) =
		n->kernel ? n->kernel->scratch : n->op->scratch;
	if (scratch) {
		int64_t reals = padded(scratch(net, n));
		p->scratch = reals > p->scratch ? reals : p->scratch;
	}
	if (!n->kernel || !n->kernel->workspace)
		return;
	int64_t reals = n->kernel->workspace(net, n);
	if (reals == 0)
		return;
	const Tensor *out = result(n);
	const char *prefix = out->kind == TENSOR_GRAD ? "work_grad" : "work";
	n->workspace =
		new_value(p, arena_printf("%s_%s", prefix, out->id), shape1(reals));
	n->workspace->batched = false;
	n->workspace->producer = n;
}

/* ---- lives ----------------------------------------------------------------------- */

static void live(Tensor *t, int at)
{
	if (!t || !in_arena(t))
		return;
	t = storage(t);
	if (t->first < 0)
		t->first = at;
	t->last = at > t->last ? at : t->last;
}

static void find_lives(Program *p)
{
	for (int i = 0; i < p->tensor_count; i++)
		p->tensors[i]->first = p->tensors[i]->last = -1;
	for (int i = 0; i < p->count; i++) {
		Node *n = p->nodes[i];
		for (int k = 0; k < n->in_count; k++)
			live(n->in[k], i);
		for (int f = 0; f < n->fused_count; f++)
			for (int k = 1; k < n->fused[f]->in_count; k++)
				live(n->fused[f]->in[k], i);
		if (n->out_count)
			live(result(n), i);
		for (int k = 1; k < n->out_count; k++)
			live(n->out[k], i);
		live(n->workspace, i);
	}
	for (int i = 0; i < p->kept_count; i++)
		live(p->kept[i], p->count);
}

/* Lets elementwise ops overwrite an input that dies with them. */
static void work_in_place(const Net *net, Program *p)
{
	for (int i = 0; i < p->count; i++) {
		Node *n = p->nodes[i];
		if (!n->op->in_place || n->in_count == 0 || n->out_count == 0)
			continue;
		Tensor *x = storage(n->in[0]), *y = result(n);
		bool other = n->in_count > 1 && storage(n->in[1]) == x;
		if (x->kind != TENSOR_VALUE || y->kind != TENSOR_VALUE ||
		    x->last != i || other || x->first == i ||
		    reals_of(net, x) != reals_of(net, y))
			continue;
		y->alias = x; /* not in[0]: chains of them would get long */
		x->last = y->last;
	}
}

/* ---- places ---------------------------------------------------------------------- */

/* What is placed, side by side: every value is compared with all of them. */
typedef struct Placed {
	int first, last;
	int64_t offset, end;
	const Tensor *tensor;
} Placed;

/*
 * First fit: the lowest gap among the placed tensors, by offset, that t may not share.
 */
static void place(Tensor *t, const Placed *by_offset, int count)
{
	t->after = NULL;
	t->offset = 0;
	for (int i = 0; i < count; i++) {
		const Placed *o = &by_offset[i];
		if (o->first > t->last || t->first > o->last)
			continue;
		if (o->offset >= t->offset + t->reals)
			return;
		if (o->end > t->offset) {
			t->offset = o->end;
			t->after = o->tensor;
		}
	}
}

static void insert_by_offset(Placed *by_offset, int count, const Tensor *t)
{
	int i = count;
	for (; i > 0 && by_offset[i - 1].offset > t->offset; i--)
		by_offset[i] = by_offset[i - 1];
	by_offset[i] = (Placed){t->first, t->last, t->offset, t->offset + t->reals, t};
}

static void place_all(const Net *net, Program *p, Placed *by_offset, bool input_only)
{
	for (int i = 0; i < p->tensor_count; i++) {
		Tensor *t = p->tensors[i];
		if (t->alias || t->first < 0 || t->producer->input_only != input_only)
			continue;
		t->reals = reals_of(net, t);
		place(t, by_offset, p->placed_count);
		insert_by_offset(by_offset, p->placed_count, t);
		*vec_push(&p->placed, &p->placed_count) = t;
		int64_t end = t->offset + t->reals;
		if (!input_only && end > p->arena)
			p->arena = end;
	}
}

static void plan_program(Net *net, Program *p)
{
	for (int i = 0; i < p->count; i++)
		reserve(net, p, p->nodes[i]);
	Placed *by_offset = arena_alloc((size_t)p->tensor_count * sizeof *by_offset);
	find_lives(p);
	work_in_place(net, p);
	place_all(net, p, by_offset, false);
	place_all(net, p, by_offset, true); /* on top: the float build has none of it */
	verify_plan(net, p);
}

void pass_plan(Net *net)
{
	plan_program(net, &net->train);
	plan_program(net, &net->infer);
}

static int64_t param_reals(const Net *net)
{
	int64_t reals = 0;
	for (int i = 0; i < net->param_count; i++)
		reals += padded(shape_size(net->params[i]->shape));
	return reals;
}

int64_t training_bytes(const Net *net)
{
	const char *const *names;
	const Training *t = &net->training;
	int slots = t->optimizer->slots(&t->optimizer_args, &names);
	int64_t arena = net->train.arena > net->infer.arena ? net->train.arena
							    : net->infer.arena;
	return 4 * (param_reals(net) * (2 + slots) + arena);
}

int64_t inference_bytes(const Net *net)
{
	return 4 * (param_reals(net) + net->infer.arena);
}
