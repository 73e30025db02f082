/*
 * best.c - the fastest combination of each group, once its parts' times are known, and
 * what that says of each kernel.
 */
#include <math.h>

#include "tune/tune.h"

/* Without what all combinations have alike; infinite where a part was not timed. */
static double cost_of(const Combination *c)
{
	double sum = 0;
	for (int i = 0; i < c->part_count; i++) {
		const Part *p = c->parts[i];
		if (p->varies)
			sum += p->us < 0 ? INFINITY : p->us;
	}
	return sum;
}

static int best_of(const Group *g)
{
	int best = 0;
	for (int i = 1; i < g->combination_count; i++)
		if (cost_of(&g->combinations[i]) < cost_of(&g->combinations[best]))
			best = i;
	return best;
}

static void note_least(const Combination *c, bool first, const Tuning *t)
{
	for (int i = 0; i < t->part_count; i++)
		t->parts[i]->count = 0;
	for (int i = 0; i < c->part_count; i++)
		c->parts[i]->count++;
	for (int i = 0; i < t->part_count; i++) {
		Part *p = t->parts[i];
		if (first || p->count < p->least)
			p->least = p->count;
	}
}

/* What a candidate costs: what there is with it, less what there is with any of them.
 */
static void price(Tuning *t, const Group *g, Choice *c)
{
	double cost[MAX_CANDIDATES] = {0}, alike = 0;
	int before = c->now;
	bool first = true;
	for (int k = 0; k < c->count; k++) {
		c->now = k;
		int number = find_combination(g);
		cost[k] = number < 0 ? INFINITY : cost_of(&g->combinations[number]);
		if (isinf(cost[k]))
			continue;
		note_least(&g->combinations[number], first, t);
		first = false;
	}
	c->now = before;
	for (int i = 0; i < t->part_count && !first; i++)
		if (t->parts[i]->varies && t->parts[i]->least)
			alike += t->parts[i]->least * t->parts[i]->us;
	for (int k = 0; k < c->count; k++)
		c->us[k] = isinf(cost[k]) ? -1 : (cost[k] - alike) / c->nodes;
}

void choose_best(Tuning *t)
{
	for (int i = 0; i < t->group_count; i++) {
		const Group *g = t->groups[i];
		set_combination(g, best_of(g));
		for (int k = 0; k < g->choice_count; k++)
			price(t, g, g->choices[k]);
	}
}

/* ---- what --explain shows ------------------------------------------------ */

double tuned_us(const Node *n, const Kernel *k)
{
	const Choice *c = n->choice;
	for (int i = 0; c && i < c->count; i++)
		if (c->candidate[i] == k)
			return c->us[i];
	return -1;
}

double tuned_total(const Tuning *t, bool chosen)
{
	double sum = 0;
	for (int i = 0; i < t->group_count; i++) {
		const Group *g = t->groups[i];
		sum += cost_of(&g->combinations[chosen ? find_combination(g) : 0]);
	}
	return sum;
}
