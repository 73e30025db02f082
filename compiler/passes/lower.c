/*
 * lower: requires select, pool and update; replaces the nodes of kernels that are made
 * of other ops by these. Keeps every value.
 */
#include "nnc.h"

static void lower_program(Net *net, Program *p)
{
	Node **nodes = p->nodes;
	int count = p->count;
	p->nodes = NULL;
	p->count = 0;
	for (int i = 0; i < count; i++)
		if (nodes[i]->kernel && nodes[i]->kernel->lower)
			nodes[i]->kernel->lower(net, p, nodes[i]);
		else
			*vec_push(&p->nodes, &p->count) = nodes[i];
}

void pass_lower(Net *net)
{
	lower_program(net, &net->train);
	lower_program(net, &net->infer);
}
