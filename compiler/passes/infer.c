/*
 * infer: requires the forward half of train with its loss; copies it into the infer
 * program without what only training does, and ends it with the result that is shown.
 * Keeps train as it is.
 */
#include "nnc.h"

/* From a training tensor to its inference twin. */
typedef struct Twins {
	Tensor **from, **to;
	int count, count_to;
} Twins;

static Tensor *twin(const Twins *t, Tensor *of)
{
	for (int i = t->count - 1; i >= 0 && of->kind != TENSOR_PARAM; i--)
		if (t->from[i] == of)
			return t->to[i];
	return of;
}

static void pair(Twins *t, Tensor *from, Tensor *to)
{
	*vec_push(&t->from, &t->count) = from;
	*vec_push(&t->to, &t->count_to) = to;
}

static Tensor *copy_tensor(Net *net, const Twins *t, const Tensor *of, Node *producer)
{
	Tensor *copy =
		new_value(&net->infer, arena_printf("infer_%s", of->id), of->shape);
	copy->kind = of->kind;
	copy->element = of->element;
	copy->producer = producer;
	if (of->alias)
		copy->alias = twin(t, of->alias);
	return copy;
}

static Node *copy_node(Net *net, Twins *t, const Node *n)
{
	Node *copy = arena_alloc(sizeof *copy);
	*copy = *n;
	for (int i = 0; i < n->in_count; i++)
		copy->in[i] = twin(t, n->in[i]);
	for (int i = 0; i < n->out_count; i++) {
		copy->out[i] = copy_tensor(net, t, n->out[i], copy);
		pair(t, n->out[i], copy->out[i]);
	}
	*vec_push(&net->infer.nodes, &net->infer.count) = copy;
	return copy;
}

static void add_result(Net *net, Tensor *output)
{
	net->infer_result = output;
	if (!net->training.loss->probabilities)
		return;
	Node *n = arena_alloc(sizeof *n);
	*n = (Node){
		.op = &op_softmax, .phase = PHASE_FORWARD, .layer = net->loss->layer};
	n->in[n->in_count++] = output;
	n->out[n->out_count++] = new_value(&net->infer, "infer_output", output->shape);
	n->out[0]->producer = n;
	*vec_push(&net->infer.nodes, &net->infer.count) = n;
	net->infer_result = n->out[0];
}

void pass_infer(Net *net)
{
	Twins twins = {0};
	for (int i = 0; i < net->train.count; i++) {
		Node *n = net->train.nodes[i];
		if (n->op->training_only) {
			pair(&twins, n->out[0], twin(&twins, n->in[0]));
			continue;
		}
		if (n == net->loss)
			add_result(net, twin(&twins, net->output));
		Node *copy = copy_node(net, &twins, n);
		if (n == net->loss)
			net->infer_loss = copy;
		if (n->op == &op_load)
			net->infer_x = copy->out[0];
	}
	keep(&net->infer, net->infer_result);
	keep(&net->infer, net->infer_x);
}
