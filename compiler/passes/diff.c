/*
 * diff: requires the forward half of train with its loss; appends the backward ops
 * (reverse-mode differentiation, one grad() of an op at a time, last node first) and
 * one update for each weight. A value read more than once gets its adjoints added.
 */
#include "nnc.h"

/* What is known of one tensor's adjoint. */
typedef struct Adjoint {
	Tensor *of, *value;
	bool needed;    /* some weight's gradient depends on it */
} Adjoint;

typedef struct Diff {
	Net *net;
	Adjoint *table;
	int count;
} Diff;

static Adjoint *adjoint(Diff *d, Tensor *of)
{
	for (int i = d->count - 1; i >= 0; i--)
		if (d->table[i].of == of)
			return &d->table[i];
	Adjoint *a = vec_push(&d->table, &d->count);
	*a = (Adjoint){.of = of};
	return a;
}

/* A tensor needs an adjoint when it is a weight or is made from one that does. */
static void mark_needed(Diff *d, int forward)
{
	for (int i = 0; i < forward; i++) {
		Node *n = d->net->train.nodes[i];
		bool needed = false;
		for (int k = 0; k < n->in_count; k++)
			needed |= n->in[k]->kind == TENSOR_PARAM || adjoint(d, n->in[k])->needed;
		for (int k = 0; k < n->out_count; k++)
			adjoint(d, n->out[k])->needed = needed;
	}
}

/* Adds one contribution to an adjoint: the first is it, later ones are summed. */
static void contribute(Diff *d, const Node *n, Tensor *to, Tensor *value)
{
	Adjoint *a = adjoint(d, to);
	if (!a->value) {
		a->value = value;
		return;
	}
	Tensor *in[] = {a->value, value};
	const char *id = arena_printf("%s_sum", adjoint_id(to));
	a->value = append(d->net, &op_add, n->layer, NULL, in, 2, id, to->shape)->out[0];
}

/* The adjoints of n's inputs: of those that weights depend on, or of the others. */
static void differentiate(Diff *d, Node *n, bool for_input)
{
	bool wanted[MAX_IN] = {false}, any = false;
	Tensor *din[MAX_IN] = {NULL};
	Tensor *dout = n->out_count ? adjoint(d, n->out[0])->value : NULL;
	if (!dout && n != d->net->loss)
		return; /* nothing downstream depends on it */
	for (int k = 0; k < n->in_count; k++) {
		Tensor *x = n->in[k];
		bool needed = x->kind == TENSOR_PARAM || adjoint(d, x)->needed;
		wanted[k] = needed != for_input;
		any |= wanted[k];
	}
	if (!any)
		return;
	assert(n->op->grad);
	d->net->input_only = for_input;
	n->op->grad(d->net, n, dout, wanted, din);
	for (int k = 0; k < n->in_count; k++)
		if (wanted[k] && n->in[k]->kind != TENSOR_PARAM)
			contribute(d, n, n->in[k], din[k]);
	d->net->input_only = false;
}

static void append_updates(Net *net)
{
	net->phase = PHASE_UPDATE;
	for (int i = 0; i < net->param_count; i++) {
		Tensor *w = net->params[i];
		Attr attr = {.optimizer = net->training.optimizer,
			     .args = &net->training.optimizer_args};
		Tensor *in[] = {w, param_grad(w)};
		append_into(net, &op_update, NULL, &attr, in, 2, NULL);
	}
}

void pass_diff(Net *net)
{
	Diff d = {.net = net};
	int forward = net->train.count;
	mark_needed(&d, forward);
	net->phase = PHASE_BACKWARD;
	for (int i = forward - 1; i >= 0; i--) {
		Node *n = net->train.nodes[i];
		if (n->op == &op_load)
			continue;
		differentiate(&d, n, false);
		differentiate(&d, n, true);
	}
	net->d_x = adjoint(&d, net->x)->value;
	if (net->d_x)
		keep(&net->train, net->d_x);
	append_updates(net);
}
