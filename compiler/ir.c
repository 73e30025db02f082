/*
 * ir.c - the Net: tensors, nodes, programs, and the checker that every pass is held to.
 */
#include <string.h>

#include "nnc.h"

Shape shape1(int64_t k)
{
	return (Shape){1, {k}};
}

Shape shape2(int64_t a, int64_t b)
{
	return (Shape){2, {a, b}};
}

Shape shape3(int64_t h, int64_t w, int64_t c)
{
	return (Shape){3, {h, w, c}};
}

Shape shape4(int64_t a, int64_t b, int64_t c, int64_t d)
{
	return (Shape){4, {a, b, c, d}};
}

int64_t shape_size(Shape s)
{
	int64_t size = 1;
	for (int i = 0; i < s.rank; i++)
		size *= s.dim[i];
	return size;
}

bool shape_equal(Shape a, Shape b)
{
	if (a.rank != b.rank)
		return false;
	for (int i = 0; i < a.rank; i++)
		if (a.dim[i] != b.dim[i])
			return false;
	return true;
}

const char *shape_name(Shape s)
{
	char name[NNC_MAX_RANK * 24];
	size_t length = 0;
	for (int i = 0; i < s.rank; i++) {
		if (i)
			name[length++] = 'x';
		const char *size = int_text(s.dim[i]);
		length += (size_t)(stpcpy(name + length, size) - (name + length));
	}
	return arena_strndup(name, length);
}

int64_t columns(Shape s)
{
	return s.dim[s.rank - 1];
}

static Tensor *new_tensor(TensorKind kind, const char *id, Shape shape)
{
	Tensor *t = arena_alloc(sizeof *t);
	*t = (Tensor){.kind = kind, .id = id, .shape = shape, .offset = -1};
	for (int i = 0; i < NNC_MAX_RANK; i++)
		t->torch[i] = i;
	return t;
}

static Tensor **id_bucket(Program *p, const char *id)
{
	return &p->ids[hash_text(id) & (p->id_buckets - 1)];
}

static void put_id(Program *p, Tensor *t)
{
	Tensor **bucket = id_bucket(p, t->id);
	t->next_id = *bucket;
	*bucket = t;
}

/* Chains stay short. */
static void grow_ids(Program *p)
{
	Tensor **before = p->ids;
	unsigned count = before ? p->id_buckets : 0;
	if (before && p->id_count < (int)count)
		return;
	p->id_buckets = count ? 4 * count : 64;
	p->ids = arena_alloc(p->id_buckets * sizeof *p->ids);
	for (unsigned i = 0; i < count; i++)
		for (Tensor *t = before[i], *next; t; t = next) {
			next = t->next_id;
			put_id(p, t);
		}
}

static bool id_taken(Program *p, const char *id)
{
	for (const Tensor *t = p->ids ? *id_bucket(p, id) : NULL; t; t = t->next_id)
		if (strcmp(t->id, id) == 0)
			return true;
	return false;
}

/* The id itself, or with the lowest number that makes it the only one. */
static const char *unique_id(Program *p, const char *id)
{
	const char *candidate = id;
	for (int n = 2; id_taken(p, candidate); n++)
		candidate = arena_printf("%s_%d", id, n);
	return candidate;
}

static void add_id(Program *p, Tensor *t, const char *id)
{
	grow_ids(p);
	p->id_count++;
	t->id = id;
	put_id(p, t);
}

void rename_value(Program *p, Tensor *t, const char *id)
{
	Tensor **at = id_bucket(p, t->id);
	while (*at != t)
		at = &(*at)->next_id;
	*at = t->next_id;
	p->id_count--;
	add_id(p, t, unique_id(p, id));
}

Tensor *new_value(Program *p, const char *id, Shape shape)
{
	Tensor *t = new_tensor(TENSOR_VALUE, NULL, shape);
	add_id(p, t, unique_id(p, id));
	t->batched = true;
	*vec_push(&p->tensors, &p->tensor_count) = t;
	return t;
}

Tensor *new_param(Net *net, NetLayer *layer, const char *part, Shape shape)
{
	Tensor *t =
		new_tensor(TENSOR_PARAM, arena_printf("%s_%s", layer->id, part), shape);
	t->name = arena_printf("%s.%s", layer->name, part);
	*vec_push(&net->params, &net->param_count) = t;
	layer->params += shape_size(shape);
	net->params_total += shape_size(shape);
	return t;
}

Tensor *param_grad(Tensor *param)
{
	if (!param->grad) {
		param->grad = new_tensor(TENSOR_GRAD, param->id, param->shape);
		param->grad->name = param->name;
	}
	return param->grad;
}

Node *append_into(Net *net, const Op *op, const NetLayer *layer, const Attr *attr,
		  Tensor *const *in, int in_count, Tensor *out)
{
	Node *n = arena_alloc(sizeof *n);
	*n = (Node){.op = op, .phase = net->phase, .layer = layer};
	n->input_only = net->input_only;
	if (attr)
		n->attr = *attr;
	assert(in_count <= MAX_IN);
	for (int i = 0; i < in_count; i++)
		n->in[n->in_count++] = in[i];
	if (out) {
		n->out[n->out_count++] = out;
		out->producer = n;
	}
	*vec_push(&net->train.nodes, &net->train.count) = n;
	return n;
}

Node *append(Net *net, const Op *op, const NetLayer *layer, const Attr *attr,
	     Tensor *const *in, int in_count, const char *out_id, Shape out_shape)
{
	Tensor *out = new_value(&net->train, out_id, out_shape);
	return append_into(net, op, layer, attr, in, in_count, out);
}

/* A second result, such as a pool's winners. */
Tensor *add_output(Net *net, Node *n, const char *id, Shape shape, Element element)
{
	Tensor *t = new_value(&net->train, id, shape);
	t->element = element;
	t->producer = n;
	assert(n->out_count < MAX_OUT);
	n->out[n->out_count++] = t;
	return t;
}

Tensor *storage(Tensor *t)
{
	while (t->alias)
		t = t->alias;
	return t;
}

/* The value that others see: what the last fused op makes. */
Tensor *result(const Node *n)
{
	int last = n->fused_count - 1;
	if (last >= 0 && n->fused[last]->op->consumes)
		last--;
	return last >= 0 ? n->fused[last]->out[0] : n->out[0];
}

static void use(Tensor *t, Node *reader)
{
	t->uses++;
	t->reader = reader;
	if (reader)
		*vec_push(&t->readers, &t->reader_count) = reader;
}

void count_uses(Program *p)
{
	for (int i = 0; i < p->tensor_count; i++)
		p->tensors[i]->uses = p->tensors[i]->reader_count = 0;
	for (int i = 0; i < p->count; i++) {
		Node *n = p->nodes[i];
		n->index = i;
		for (int k = 0; k < n->in_count; k++)
			use(n->in[k], n);
		for (int f = 0; f < n->fused_count; f++)
			for (int k = 1; k < n->fused[f]->in_count; k++)
				use(n->fused[f]->in[k], n);
	}
	for (int i = 0; i < p->kept_count; i++)
		use(p->kept[i], NULL);
}

void keep(Program *p, Tensor *t)
{
	*vec_push(&p->kept, &p->kept_count) = t;
}

/* Removes the nodes marked dead. */
void sweep(Program *p)
{
	int kept = 0;
	for (int i = 0; i < p->count; i++)
		if (!p->nodes[i]->dead) {
			p->nodes[i]->index = kept;
			p->nodes[kept++] = p->nodes[i];
		}
	p->count = kept;
}

/* Puts what only gradcheck asks for behind the rest of backward, where it is called. */
void input_only_last(Program *p)
{
	Node **late = NULL;
	int late_count = 0, kept = 0, end = 0;
	while (end < p->count && p->nodes[end]->phase <= PHASE_BACKWARD)
		end++;
	for (int i = 0; i < end; i++)
		if (p->nodes[i]->input_only)
			*vec_push(&late, &late_count) = p->nodes[i];
		else
			p->nodes[kept++] = p->nodes[i];
	for (int i = 0; i < late_count; i++)
		p->nodes[kept++] = late[i];
}

int64_t rows_of(const Net *net, const Tensor *t)
{
	return t->batched ? net->training.batch : 1;
}

Split split_of(const Net *net, const Node *n, char operand)
{
	Split (*split)(const Net *, const Node *, char) =
		n->kernel ? n->kernel->split : n->op->split;
	return split ? split(net, n, operand) : SPLIT_ANY;
}

Split split_by_rows(const Net *net, const Node *n, char operand)
{
	(void)net;
	(void)n;
	(void)operand;
	return SPLIT_ROWS;
}

/* ---- the checker ------------------------------------------------------------- */

static unsigned rounds; /* a tensor with this number in `seen` is defined by now */

static void check_defined(const Tensor *t)
{
	assert(t->kind != TENSOR_VALUE || t->seen == rounds);
}

static void check_node(Node *n)
{
	assert(n->op && !n->dead);
	for (int k = 0; k < n->in_count; k++)
		check_defined(n->in[k]);
	for (int f = 0; f < n->fused_count; f++) {
		const Node *fused = n->fused[f];
		assert(fused->op->element || fused->op->keeps_largest);
		assert(n->op->epilogue || fused->op->consumes);
		assert(fused->op->consumes || pool_of(n) ||
		       shape_equal(fused->out[0]->shape, n->out[0]->shape));
		for (int k = 1; k < fused->in_count; k++)
			check_defined(fused->in[k]);
	}
	if (n->op->reshape)
		assert(shape_size(n->in[0]->shape) == shape_size(n->out[0]->shape));
	for (int k = 0; k < n->out_count; k++)
		n->out[k]->seen = rounds;
	if (n->out_count)
		result(n)->seen = rounds;
}

/* Every value is made before it is read, and phases never go back. */
static void check_program(const Program *p)
{
	rounds++;
	for (int i = 0; i < p->count; i++) {
		assert(i == 0 || p->nodes[i - 1]->phase <= p->nodes[i]->phase);
		check_node(p->nodes[i]);
	}
	for (int i = 0; i < p->kept_count; i++)
		check_defined(p->kept[i]);
}

void ir_check(const Net *net)
{
	check_program(&net->train);
	check_program(&net->infer);
	for (int i = 0; i < net->param_count; i++) {
		const Tensor *t = net->params[i];
		assert(t->kind == TENSOR_PARAM && t->name && t->init);
		assert(!t->grad || shape_equal(t->shape, t->grad->shape));
	}
}
