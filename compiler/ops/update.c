/* update: one weight tensor moved against its gradient by the model's optimizer. */
#include "nnc.h"

static double flops(const Net *net, const Node *n)
{
	(void)net;
	return (double)n->attr.optimizer->flops * (double)shape_size(n->in[0]->shape);
}

/* ", m->dense1_weight, v->dense1_weight" with the forms that a template names. */
static const char *slot_refs(const Node *n)
{
	const char *const *names;
	int count = n->attr.optimizer->slots(n->attr.args, &names);
	const char *text = "";
	for (int i = 0; i < count; i++)
		text = arena_printf("%s, %s->%s", text, names[i], n->in[0]->id);
	return text;
}

static void emit(Emit *e, const Node *n)
{
	const Optimizer *o = n->attr.optimizer;
	const char *template = o->template(n->attr.args);
	emit_function(e, o->name, template, o->holes(n->attr.args));
	put(e, "%s(%lld, %s, %s, %s%s);", o->name,
	    (long long)shape_size(n->in[0]->shape), o->scalars, ref(n->in[0]),
	    ref(n->in[1]), slot_refs(n));
}

static void print_attr(FILE *out, const Node *n)
{
	fprintf(out, " %s", n->attr.optimizer->name);
}

const Op op_update = {
	.name = "update",
	.flops = flops,
	.emit = emit,
	.print_attr = print_attr,
};
