/*
 * fetch: requires sync; has what other threads made before a barrier come nearer, where
 * something is done between the barrier and the product that reads all of it: dx = dy
 * w^T and dw = x^T dy do so of dy. Keeps everything else.
 */
#include "nnc.h"

enum {
	NEAR_BYTES = 64 << 10, /* more would drive out what is computed with */
	AHEAD = 4,             /* nodes behind the barrier's */
};

static bool reads_all(const Node *n, const Tensor *t)
{
	return n->op == &op_gemm &&
	       ((n->attr.tb && n->in[0] == t) || (n->attr.ta && n->in[1] == t));
}

static bool read_soon(const Program *p, int after, const Tensor *t)
{
	for (int i = after + 1; i < p->count && i <= after + AHEAD; i++)
		if (reads_all(p->nodes[i], t))
			return true;
	return false;
}

/* What was made since the barrier before node `at` and is worth it, or NULL. */
static Tensor *find_fetched(const Program *p, int at)
{
	for (int i = at - 1; i >= 0 && p->nodes[i]->phase == PHASE_BACKWARD; i--) {
		Tensor *made = result(p->nodes[i]);
		bool value =
			made->kind == TENSOR_VALUE && 4 * made->reals <= NEAR_BYTES;
		if (value && made->reals > 0 && read_soon(p, at, made))
			return made;
		if (p->nodes[i]->barrier)
			break;
	}
	return NULL;
}

void pass_fetch(Net *net)
{
	Program *p = &net->train;
	for (int i = 0; i < p->count; i++) {
		Node *n = p->nodes[i];
		if (n->barrier && !n->input_only)
			n->fetch = find_fetched(p, i);
	}
}
