/*
 * diff: requires the forward half of train with its loss; appends the backward ops
 * (reverse-mode differentiation, one grad() of an op at a time, last node first) and
 * one update for each weight. A value read more than once gets its adjoints added.
 */
#include "nnc.h"

/* A tensor needs an adjoint when it is a weight or is made from one that does. */
static void mark_needed(Program *p)
{
	for (int i = 0; i < p->count; i++) {
		Node *n = p->nodes[i];
		bool needed = false;
		for (int k = 0; k < n->in_count; k++)
			needed |= n->in[k]->kind == TENSOR_PARAM || n->in[k]->needed;
		for (int k = 0; k < n->out_count; k++)
			n->out[k]->needed = needed;
	}
}

/* Adds one contribution to an adjoint: the first is it, later ones are summed. */
static void contribute(Net *net, const Node *n, Tensor *to, Tensor *value)
{
	if (!to->adjoint) {
		to->adjoint = value;
		return;
	}
	Tensor *in[] = {to->adjoint, value};
	const char *id = arena_printf("%s_sum", adjoint_id(to));
	to->adjoint =
		append(net, &op_add, n->layer, NULL, in, 2, id, to->shape)->out[0];
}

/* The adjoints of n's inputs: of those that weights depend on, or of the others. */
static void differentiate(Net *net, Node *n, bool for_input)
{
	bool wanted[MAX_IN] = {false}, any = false;
	Tensor *din[MAX_IN] = {NULL};
	Tensor *dout = n->out_count ? n->out[0]->adjoint : NULL;
	if (!dout && n != net->loss)
		return; /* nothing downstream depends on it */
	for (int k = 0; k < n->in_count; k++) {
		bool needed = n->in[k]->kind == TENSOR_PARAM || n->in[k]->needed;
		wanted[k] = needed != for_input;
		any |= wanted[k];
	}
	if (!any)
		return;
	assert(n->op->grad);
	net->input_only = for_input;
	n->op->grad(net, n, dout, wanted, din);
	for (int k = 0; k < n->in_count; k++)
		if (wanted[k] && n->in[k]->kind != TENSOR_PARAM)
			contribute(net, n, n->in[k], din[k]);
	net->input_only = false;
}

static void append_updates(Net *net)
{
	net->phase = PHASE_UPDATE;
	for (int i = 0; i < net->param_count; i++) {
		Tensor *w = net->params[i];
		Attr attr = {.optimizer = net->training.optimizer,
			     .args = &net->training.optimizer_args};
		Tensor *in[] = {param_grad(w), w};
		append_into(net, &op_update, NULL, &attr, in, 2, NULL);
	}
}

void pass_diff(Net *net)
{
	int forward = net->train.count;
	mark_needed(&net->train);
	for (int i = forward - 1; i >= 0; i--) {
		Node *n = net->train.nodes[i];
		if (n->op == &op_load)
			continue;
		/* the loss's is made beside it: each thread has its rows at hand */
		net->phase = n == net->loss ? PHASE_FORWARD : PHASE_BACKWARD;
		differentiate(net, n, false);
		differentiate(net, n, true);
	}
	net->d_x = net->x->adjoint;
	if (net->d_x)
		keep(&net->train, net->d_x);
	input_only_last(&net->train);
	append_updates(net);
}
