/*
 * tune: requires select; with --tune-kernels, takes the kernels that are being tried,
 * or were found to be the fastest, instead of those with the least estimate. Keeps
 * everything else.
 */
#include <string.h>

#include "tune/tune.h"

/* Plain loops that are estimated to take so much longer than a kernel are not tried. */
#define HOPELESS 20

typedef struct Gather {
	Choice *choice;
	double plain, best; /* estimates; best of the kernels, 0: there is none */
} Gather;

static void add_candidate(Choice *c, const Kernel *k, double cost)
{
	assert(c->count < MAX_CANDIDATES);
	c->candidate[c->count] = k;
	c->estimate[c->count] = cost;
	c->us[c->count++] = -1;
}

static void gather(void *data, const Kernel *k, double cost, const char *reason)
{
	Gather *g = data;
	if (!k)
		g->plain = cost;
	if (!k || reason)
		return;
	add_candidate(g->choice, k, cost);
	if (g->best <= 0 || cost < g->best)
		g->best = cost;
}

/* What n may run, or NULL where there is nothing to choose. */
static Choice *new_choice(const Net *net, const Node *n, const char *text)
{
	Choice *c = arena_alloc(sizeof *c);
	*c = (Choice){.text = text};
	Gather g = {.choice = c};
	each_kernel(net, n, gather, &g);
	if (c->count == 0 || g.plain <= HOPELESS * g.best)
		add_candidate(c, NULL, g.plain);
	for (int i = 0; i < c->count; i++)
		if (c->candidate[i] == n->kernel)
			c->now = c->estimated = i;
	return c->count > 1 ? c : NULL;
}

static Choice *choice_of(Tuning *t, const Net *net, const Node *n)
{
	const char *text = node_text(net, n);
	for (int i = 0; i < t->choice_count; i++)
		if (strcmp(t->choices[i]->text, text) == 0)
			return t->choices[i];
	if (!t->collecting || n->input_only)
		return NULL;
	Choice *c = new_choice(net, n, text);
	if (c)
		*vec_push(&t->choices, &t->choice_count) = c;
	return c;
}

static void tune_node(Tuning *t, const Net *net, Node *n)
{
	Choice *c = has_kernels(n) ? choice_of(t, net, n) : NULL;
	if (!c)
		return;
	n->choice = c;
	n->kernel = c->candidate[c->now];
	n->cost = c->estimate[c->now];
	c->nodes += t->collecting;
	if (t->collecting && n->layer)
		*vec_push(&t->uses, &t->use_count) = (Use){n->layer->index, c};
}

static void tune_program(Tuning *t, const Net *net, Program *p)
{
	for (int i = 0; i < p->count; i++)
		if (!is_preferred(net, p->nodes[i]->kernel))
			tune_node(t, net, p->nodes[i]);
}

void pass_tune(Net *net)
{
	if (!net->tuning)
		return;
	tune_program(net->tuning, net, &net->train);
	tune_program(net->tuning, net, &net->infer);
}
