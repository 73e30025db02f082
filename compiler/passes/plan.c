/*
 * plan: requires select; reserves workspaces and gives every value of a program its
 * place in the arena. Values whose lives do not overlap may share memory, and
 * elementwise ops work in place where their input is read by nobody else. verify_plan()
 * then checks the result afresh, by running the program on owners of memory instead of
 * numbers.
 */
#include <stdlib.h>

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

/* ---- no barrier for the sake of memory ------------------------------------------- */

enum { SMALL = 16384 }; /* reals: to take others costs less than to wait for these */

/* As if memory cost nothing. */
static void place_apart(const Net *net, Program *p)
{
	int64_t end = 0;
	for (int i = 0; i < p->tensor_count; i++) {
		Tensor *t = p->tensors[i];
		if (t->alias || t->first < 0)
			continue;
		t->reals = reals_of(net, t);
		t->offset = end;
		end += t->reals;
	}
}

/*
 * Who takes memory that another thread may still read has to wait for it. So what is
 * small lives until the threads meet anyway, as they would if each value had a place of
 * its own.
 */
static void live_until_meeting(const Net *net, Program *p)
{
	place_apart(net, p);
	mark_barriers(net, p);
	for (int i = 0; i < p->tensor_count; i++) {
		Tensor *t = p->tensors[i];
		if (!t->alias && t->first >= 0 && t->last < p->count &&
		    t->reals <= SMALL)
			t->last = next_meeting(p, t->last + 1) - 1;
	}
	for (int i = 0; i < p->count; i++) /* until sync sees where all of them are */
		p->nodes[i]->barrier = BARRIER_NONE;
}

/* ---- places ---------------------------------------------------------------------- */

/*
 * What is placed, by offset, in groups: of a group it is known if all of it lives while
 * t does, or none, and if a gap in it is wide enough, so that few are looked at one by
 * one. What no tensor to come can meet leaves its group.
 */
enum { GROUP = 64 };

typedef struct Placed {
	int first, last;
	int64_t offset, end;
	const Tensor *tensor;
} Placed;

typedef struct Group {
	int count;
	int first_min, first_max, last_min, last_max;
	int64_t gap;           /* the widest between two of it */
	const Placed *highest; /* the first of those that end last */
	Placed *placed;        /* room for GROUP */
} Group;

typedef struct Places {
	Group *groups;
	int count;
	int begun; /* no tensor to come lives before */
} Places;

static void summarize(Group *g)
{
	const Placed *o = g->placed;
	g->highest = o;
	g->first_min = g->first_max = o->first;
	g->last_min = g->last_max = o->last;
	g->gap = 0;
	for (int i = 1; i < g->count; i++) {
		o = &g->placed[i];
		g->first_min = o->first < g->first_min ? o->first : g->first_min;
		g->first_max = o->first > g->first_max ? o->first : g->first_max;
		g->last_min = o->last < g->last_min ? o->last : g->last_min;
		g->last_max = o->last > g->last_max ? o->last : g->last_max;
		if (o->offset - g->highest->end > g->gap)
			g->gap = o->offset - g->highest->end;
		if (o->end > g->highest->end)
			g->highest = o;
	}
}

/* Leaves out what has ended for good; one stays, whose offset finds the group. */
static void forget(Group *g, int begun)
{
	int kept = 0;
	for (int i = 0; i < g->count; i++)
		if (g->placed[i].last >= begun || (i == g->count - 1 && kept == 0))
			g->placed[kept++] = g->placed[i];
	g->count = kept;
	summarize(g);
}

typedef struct Spot {
	int64_t offset;
	const Tensor *after; /* what ends there */
} Spot;

/* Moves t's spot behind o if they may not share memory; false: t fits below it. */
static bool pass_by(const Tensor *t, Spot *spot, const Placed *o)
{
	if (o->first > t->last || t->first > o->last)
		return true;
	if (o->offset >= spot->offset + t->reals)
		return false;
	if (o->end > spot->offset)
		*spot = (Spot){o->end, o->tensor};
	return true;
}

/*
 * First fit: the lowest gap among the placed tensors, by offset, that t may not share.
 */
static Spot find_spot(const Tensor *t, Places *places)
{
	Spot spot = {0};
	for (int k = 0; k < places->count; k++) {
		Group *g = &places->groups[k];
		if (g->first_min > t->last || t->first > g->last_max)
			continue;
		if (g->last_min < places->begun)
			forget(g, places->begun);
		bool all = g->first_max <= t->last && t->first <= g->last_min;
		if (all && g->gap < t->reals &&
		    g->placed[0].offset < spot.offset + t->reals) {
			if (g->highest->end > spot.offset)
				spot = (Spot){g->highest->end, g->highest->tensor};
			continue;
		}
		for (int i = 0; i < g->count; i++)
			if (!pass_by(t, &spot, &g->placed[i]))
				return spot;
	}
	return spot;
}

/* A new group behind group k - 1. */
static Group *add_group(Places *places, int k)
{
	vec_push(&places->groups, &places->count);
	for (int i = places->count - 1; i > k; i--)
		places->groups[i] = places->groups[i - 1];
	places->groups[k] = (Group){.placed = arena_alloc(GROUP * sizeof(Placed))};
	return &places->groups[k];
}

/* Halves a group that is full. */
static void split(Places *places, int k)
{
	Group *upper = add_group(places, k + 1), *lower = &places->groups[k];
	for (int i = GROUP / 2; i < GROUP; i++)
		upper->placed[upper->count++] = lower->placed[i];
	lower->count = GROUP / 2;
	summarize(lower);
	summarize(upper);
}

/* Behind all that are not above it. */
static void insert_by_offset(Places *places, const Tensor *t)
{
	int k = places->count - 1;
	while (k > 0 && places->groups[k].placed[0].offset > t->offset)
		k--;
	if (k < 0)
		add_group(places, k = 0);
	if (places->groups[k].count == GROUP) {
		split(places, k);
		if (places->groups[k + 1].placed[0].offset <= t->offset)
			k++;
	}
	Group *g = &places->groups[k];
	int i = g->count++;
	for (; i > 0 && g->placed[i - 1].offset > t->offset; i--)
		g->placed[i] = g->placed[i - 1];
	g->placed[i] = (Placed){t->first, t->last, t->offset, t->offset + t->reals, t};
	summarize(g);
}

static bool is_due(const Tensor *t, bool input_only)
{
	return !t->alias && t->first >= 0 && t->producer->input_only == input_only;
}

static void place_all(const Net *net, Program *p, bool input_only)
{
	Places places = {0};
	for (int i = 0; i < p->placed_count; i++)
		insert_by_offset(&places, p->placed[i]);
	int *begun = arena_alloc((size_t)(p->tensor_count + 1) * sizeof *begun),
	    n = p->count;
	for (int i = p->tensor_count - 1; i >= 0; i--) {
		const Tensor *t = p->tensors[i];
		begun[i] = n = is_due(t, input_only) && t->first < n ? t->first : n;
	}
	for (int i = 0; i < p->tensor_count; i++) {
		Tensor *t = p->tensors[i];
		if (!is_due(t, input_only))
			continue;
		t->reals = reals_of(net, t);
		places.begun = begun[i];
		Spot spot = find_spot(t, &places);
		t->offset = spot.offset;
		t->after = spot.after;
		insert_by_offset(&places, t);
		*vec_push(&p->placed, &p->placed_count) = t;
		int64_t end = t->offset + t->reals;
		if (!input_only && end > p->arena)
			p->arena = end;
	}
}

typedef struct Owner {
	Tensor *tensor;
	int turn; /* in which it was placed */
} Owner;

static int by_offset(const void *a, const void *b)
{
	const Owner *x = a, *y = b;
	int64_t from = x->tensor->offset, to = y->tensor->offset;
	return from != to ? (from > to ? 1 : -1) : x->turn - y->turn;
}

/* The last of those at the same offset that were there before owner i, or NULL. */
static const Tensor *taken_from(const Owner *owners, int i)
{
	const Tensor *t = owners[i].tensor;
	for (int k = i - 1; k >= 0 && owners[k].tensor->offset == t->offset; k--)
		if (owners[k].tensor->last < t->first)
			return owners[k].tensor;
	return NULL;
}

/* That a value fills another's place says more than what happens to end there. */
static void find_taken(Program *p)
{
	Owner *owners = arena_alloc((size_t)(p->placed_count + 1) * sizeof *owners);
	for (int i = 0; i < p->placed_count; i++)
		owners[i] = (Owner){p->placed[i], i};
	qsort(owners, (size_t)p->placed_count, sizeof *owners, by_offset);
	for (int i = 0; i < p->placed_count; i++) {
		const Tensor *before = taken_from(owners, i);
		if (before && before->reals == owners[i].tensor->reals)
			owners[i].tensor->after = before;
	}
}

static void plan_program(Net *net, Program *p)
{
	for (int i = 0; i < p->count; i++)
		reserve(net, p, p->nodes[i]);
	find_lives(p);
	work_in_place(net, p);
	live_until_meeting(net, p);
	place_all(net, p, false);
	place_all(net, p, true); /* on top: the float build has none of it */
	find_taken(p);
	verify_plan(net, p);
}

/* Thread 0 has its x in the arena, the others behind what their kernels need. */
static void give_own(Net *net)
{
	int64_t train = net->train.scratch, infer = net->infer.scratch;
	const Node *load = net->x->producer;
	if (!load->op->own(net, load))
		return;
	net->x->own = net->infer_x->own = true;
	net->own = padded(train > infer ? train : infer);
	net->train.scratch = net->infer.scratch = net->own + net->x->reals;
}

void pass_plan(Net *net)
{
	plan_program(net, &net->train);
	plan_program(net, &net->infer);
	give_own(net);
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
