/*
 * fuse: requires diff; moves elementwise nodes into the node that makes their input,
 * where its kernels can finish with them: bias and activation into gemm and conv, an
 * activation's derivative into the gemm that makes its adjoint. Keeps every value
 * that anything else reads.
 */
#include "nnc.h"

/* The only reader of t, if it is elementwise in t and can be done where t is made. */
static Node *follower(const Node *leader, const Tensor *t)
{
	Node *n = t->uses == 1 ? t->reader : NULL;
	if (!n || n->dead || !n->op->element || n->in[0] != t)
		return NULL;
	if (n->phase != leader->phase || n->input_only != leader->input_only)
		return NULL;
	for (int k = 1; k < n->in_count; k++) { /* its operand must be there by then */
		const Tensor *x = storage(n->in[k]);
		if (x->producer && x->producer->index >= leader->index)
			return NULL;
	}
	return n;
}

/* Two operands of one name would collide in the kernel's parameter list. */
static bool name_free(const Node *leader, const Node *n)
{
	for (int i = 0; i < leader->fused_count; i++) {
		const char *taken = leader->fused[i]->op->operand;
		if (taken && n->op->operand && taken == n->op->operand)
			return false;
	}
	return true;
}

static void fuse_into(Node *leader)
{
	while (leader->fused_count < MAX_FUSED) {
		Node *n = follower(leader, result(leader));
		if (!n || !name_free(leader, n))
			return;
		leader->fused[leader->fused_count++] = n;
		n->out[0]->producer = leader;
		n->dead = true;
	}
}

static void fuse_program(Program *p)
{
	count_uses(p);
	for (int i = 0; i < p->count; i++)
		if (!p->nodes[i]->dead && p->nodes[i]->op->epilogue)
			fuse_into(p->nodes[i]);
	sweep(p);
	for (int i = 0; i < p->count; i++)
		for (int f = 0; f < p->nodes[i]->fused_count; f++)
			p->nodes[i]->fused[f]->dead = false;
}

void pass_fuse(Net *net)
{
	fuse_program(&net->train);
	fuse_program(&net->infer);
}
