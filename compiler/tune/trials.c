/*
 * trials.c - what is to be timed. What a layer's kernels take depends on one another,
 * so all their combinations are tried: with maxpools and their gradients taken over or
 * not, with spectra made for one or read by several. Layers do not depend on one
 * another, unless they have a choice in common: a trial is one Net with another
 * combination in each group of layers.
 */
#include <string.h>

#include "tune/tune.h"

enum { MAX_COMBINATIONS = 64 };

/* ---- groups of layers ---------------------------------------------------- */

static void join(Tuning *t, int a, int b)
{
	for (int i = 0; i < t->choice_count; i++)
		if (t->choices[i]->group == b)
			t->choices[i]->group = a;
}

/* Choices of one layer get the same label. */
static void label_choices(Tuning *t, int layer_count)
{
	const Choice **first = arena_alloc((size_t)layer_count * sizeof *first);
	for (int i = 0; i < t->choice_count; i++)
		t->choices[i]->group = i;
	for (int i = 0; i < t->use_count; i++) {
		const Use *use = &t->uses[i];
		if (first[use->layer])
			join(t, first[use->layer]->group, use->choice->group);
		else
			first[use->layer] = use->choice;
	}
}

static Group *group_of(Tuning *t, int label)
{
	for (int i = 0; i < t->group_count; i++)
		if (t->groups[i]->label == label)
			return t->groups[i];
	Group *g = *vec_push(&t->groups, &t->group_count) = arena_alloc(sizeof(Group));
	*g = (Group){.label = label};
	return g;
}

/* What stands between two layers with choices counts to the one before. */
static void find_groups(Tuning *t, int layer_count)
{
	label_choices(t, layer_count);
	for (int i = 0; i < t->choice_count; i++) {
		Group *g = group_of(t, t->choices[i]->group);
		*vec_push(&g->choices, &g->choice_count) = t->choices[i];
	}
	t->owners = arena_alloc((size_t)layer_count * sizeof *t->owners);
	for (int i = 0; i < t->use_count; i++)
		t->owners[t->uses[i].layer] = group_of(t, t->uses[i].choice->group);
	for (int i = 1; i < layer_count; i++)
		if (!t->owners[i])
			t->owners[i] = t->owners[i - 1];
}

/* ---- combinations -------------------------------------------------------- */

int find_combination(const Group *g)
{
	for (int i = 0; i < g->combination_count; i++) {
		bool same = true;
		for (int k = 0; k < g->choice_count; k++)
			same &= g->combinations[i].candidate[k] == g->choices[k]->now;
		if (same)
			return i;
	}
	return -1;
}

void set_combination(const Group *g, int number)
{
	for (int k = 0; k < g->choice_count; k++)
		g->choices[k]->now = g->combinations[number].candidate[k];
}

static void add_combination(Group *g)
{
	if (find_combination(g) >= 0)
		return;
	Combination *c = vec_push(&g->combinations, &g->combination_count);
	*c = (Combination){.candidate = arena_alloc((size_t)g->choice_count *
						    sizeof *c->candidate)};
	for (int k = 0; k < g->choice_count; k++)
		c->candidate[k] = g->choices[k]->now;
}

/* Candidate number k wherever there is one; else the one that select took. */
static void set_all(const Group *g, int k)
{
	for (int i = 0; i < g->choice_count; i++) {
		Choice *c = g->choices[i];
		c->now = k >= 0 && k < c->count ? k : c->estimated;
	}
}

/* Of too many: those that differ from the estimates' in one choice. */
static void add_neighbours(Group *g)
{
	for (int i = 0; i < g->choice_count; i++) {
		Choice *c = g->choices[i];
		for (c->now = 0; c->now < c->count; c->now++)
			add_combination(g);
		c->now = c->estimated;
	}
}

static void find_combinations(Group *g)
{
	int all = 1;
	for (int k = -1; k < MAX_CANDIDATES; k++) {
		set_all(g, k);
		add_combination(g);
	}
	set_all(g, -1);
	for (int i = 0; i < g->choice_count && all <= MAX_COMBINATIONS; i++)
		all *= g->choices[i]->count;
	if (all > MAX_COMBINATIONS) {
		add_neighbours(g);
		return;
	}
	for (int number = 0; number < all; number++) {
		int rest = number;
		for (int i = 0; i < g->choice_count; i++) {
			g->choices[i]->now = rest % g->choices[i]->count;
			rest /= g->choices[i]->count;
		}
		add_combination(g);
	}
}

/* ---- trials -------------------------------------------------------------- */

/* Groups with fewer combinations repeat their first. */
void set_trial(Tuning *t, int trial)
{
	for (int i = 0; i < t->group_count; i++) {
		const Group *g = t->groups[i];
		set_combination(g, trial < g->combination_count ? trial : 0);
	}
}

/* An update has no layer: its gradient's has one. */
static Group *owner_of(const Tuning *t, const Node *n)
{
	const NetLayer *layer = n->layer;
	if (!layer && n->in_count && n->in[0]->producer)
		layer = n->in[0]->producer->layer;
	return layer ? t->owners[layer->index] : NULL;
}

static void note_parts(Tuning *t, const Net *net, const Program *p, int trial)
{
	for (int i = 0; i < p->count; i++) {
		const Node *n = p->nodes[i];
		Group *g = is_part(n) ? owner_of(t, n) : NULL;
		if (!g || trial >= g->combination_count)
			continue;
		Combination *c = &g->combinations[trial];
		*vec_push(&c->parts, &c->part_count) =
			find_part(t, part_text(net, n), trial);
	}
}

static int count_of(const Combination *c, const Part *p)
{
	int count = 0;
	for (int i = 0; i < c->part_count; i++)
		count += c->parts[i] == p;
	return count;
}

/* Marks what is not alike in all combinations. */
static void find_varying(const Group *g)
{
	const Combination *first = &g->combinations[0];
	for (int i = 0; i < g->combination_count; i++) {
		const Combination *c = &g->combinations[i];
		for (int k = 0; k < c->part_count; k++) {
			Part *p = c->parts[k];
			p->varies |= count_of(first, p) != count_of(c, p);
		}
		for (int k = 0; k < first->part_count; k++)
			first->parts[k]->varies |= count_of(c, first->parts[k]) == 0;
	}
}

void find_trials(Tuning *t)
{
	t->collecting = true;
	const Net *net = t->make(t->model, t, "lower");
	t->collecting = false;
	find_groups(t, net->layer_count);
	for (int i = 0; i < t->group_count; i++) {
		find_combinations(t->groups[i]);
		if (t->groups[i]->combination_count > t->trial_count)
			t->trial_count = t->groups[i]->combination_count;
	}
	for (int i = 0; i < t->trial_count; i++) {
		set_trial(t, i);
		net = t->make(t->model, t, "lower");
		note_parts(t, net, &net->train, i);
		note_parts(t, net, &net->infer, i);
	}
	for (int i = 0; i < t->group_count; i++)
		find_varying(t->groups[i]);
}
