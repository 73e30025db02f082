/*
 * fuse: requires diff; moves elementwise nodes into the node that makes their input,
 * where its kernels can finish with them: bias and activation into gemm and conv, an
 * activation's derivative into the gemm that makes its adjoint, though it be behind a
 * reshape. Keeps every value that anything else reads.
 */
#include "nnc.h"

/* ---- before a reshape instead of behind it --------------------------------------- */

/* Are numbers all that n needs to know of, not their columns? */
static bool any_shape(const Node *n)
{
	return n->op->element && !reads_columns(n->op->element(n));
}

/* What is loaded has nothing that n could be fused into. */
static bool made(const Tensor *x)
{
	return x->kind == TENSOR_VALUE;
}

/* Values are placed in memory in this order: b in a's turn. */
static void exchange_turns(Program *p, Tensor *a, Tensor *b)
{
	for (int i = 0; i < p->tensor_count; i++)
		if (p->tensors[i] == a)
			p->tensors[i] = b;
		else if (p->tensors[i] == b)
			p->tensors[i] = a;
}

/*
 * x -> reshape -> between -> n -> y, of which `at` is the reshape, becomes x -> n ->
 * between -> reshape -> y. Keeps how often count_uses() found each value read.
 */
static void exchange(Program *p, int at)
{
	Node *reshape = p->nodes[at], *n = p->nodes[at + 1];
	Tensor *x = reshape->in[0], *between = n->in[0], *y = n->out[0];
	between->id =
		arena_printf("%s_%s", y->id, x->shape.rank == 1 ? "flat" : "image");
	between->shape = x->shape;
	between->alias = NULL;
	between->producer = n;
	y->alias = between;
	y->producer = reshape;
	n->in[0] = x;
	n->out[0] = reshape->in[0] = between;
	reshape->out[0] = y;
	p->nodes[at] = n;
	p->nodes[at + 1] = reshape;
	exchange_turns(p, x, between); /* fused, n leaves nothing of x */
}

static void move_before_reshapes(Program *p)
{
	count_uses(p);
	for (int i = 1; i < p->count; i++) {
		Node *n = p->nodes[i], *before = p->nodes[i - 1];
		if (!any_shape(n) || !before->op->reshape ||
		    n->in[0] != before->out[0] || n->in[0]->uses > 1 ||
		    before->in[0]->uses > 1 || !made(before->in[0]))
			continue;
		if (n->phase == before->phase && n->input_only == before->input_only)
			exchange(p, i - 1);
	}
}

/* ---- into the node before ------------------------------------------------------ */

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
	move_before_reshapes(p);
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
