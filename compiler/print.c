/*
 * print.c - the Net as text (--emit=ir): weights, then each program, one node a line:
 *     dense1 (32,128) = gemm+bias+relu x_flat dense1_weight dense1_bias   ; gemm_tile
 */
#include <string.h>

#include "nnc.h"

static void print_tensor(FILE *out, const Net *net, const Tensor *t)
{
	const char *type = t->element == ELEMENT_REAL ? "" : element_type(t->element);
	fprintf(out, "%s%s(", t->id, t->kind == TENSOR_GRAD ? ".grad " : " ");
	if (t->batched)
		fprintf(out, "%lld,", (long long)rows_of(net, t));
	fprintf(out, "%s%s)%s%s", shape_name(t->shape), t->halved ? " in halves" : "",
		*type ? " " : "", type);
}

static const char *operand(const Tensor *t)
{
	return t->kind == TENSOR_GRAD ? arena_printf("%s.grad", t->id) : t->id;
}

static void print_node(FILE *out, const Net *net, const Node *n)
{
	fputs("\t", out);
	for (int k = 0; k < n->out_count; k++) {
		if (k)
			fputs(", ", out);
		print_tensor(out, net, k ? n->out[k] : result(n));
	}
	fprintf(out, "%s%s", n->out_count ? " = " : "", n->op->name);
	for (int f = 0; f < n->fused_count; f++)
		fprintf(out, "+%s", n->fused[f]->op->suffix(n->fused[f]));
	if (n->op->print_attr)
		n->op->print_attr(out, n);
	for (int k = 0; k < n->in_count; k++)
		fprintf(out, " %s", operand(n->in[k]));
	for (int f = 0; f < n->fused_count; f++)
		for (int k = 1; k < n->fused[f]->in_count; k++)
			fprintf(out, " %s", operand(n->fused[f]->in[k]));
	if (n->kernel)
		fprintf(out, " ; %s", n->kernel->name);
	if (n->lowered)
		fprintf(out, " ; %s", n->lowered->name);
	if (n->workspace)
		fprintf(out, " work %lld", (long long)shape_size(n->workspace->shape));
	if (n->barrier)
		fprintf(out, " ; barrier%s", n->barrier == BARRIER ? "" : " of many");
	if (n->fetch)
		fprintf(out, " ; fetch %s", operand(n->fetch));
	if (n->input_only)
		fputs(" ; gradcheck only", out);
	fputs("\n", out);
}

static void print_program(FILE *out, const Net *net, const Program *p)
{
	static const char *const phases[] = {"load", "forward", "backward", "update"};
	fprintf(out, "program %s", p->name);
	if (p->arena)
		fprintf(out, " arena %lld", (long long)p->arena);
	fputs("\n", out);
	int phase = -1;
	for (int i = 0; i < p->count; i++) {
		if ((int)p->nodes[i]->phase != phase) {
			phase = (int)p->nodes[i]->phase;
			fprintf(out, "%s:\n", phases[phase]);
		}
		print_node(out, net, p->nodes[i]);
	}
	for (int i = 0; i < p->placed_count; i++) {
		const Tensor *t = p->placed[i];
		fprintf(out, "%s\t%-30s at %lld, %lld reals, nodes %d to %d\n",
			i ? "" : "places:\n", t->id, (long long)t->offset,
			(long long)t->reals, t->first, t->last);
	}
}

void print_ir(FILE *out, const Net *net)
{
	fprintf(out, "net %s batch %lld\n", net->name, (long long)net->training.batch);
	fputs("weights:\n", out);
	for (int i = 0; i < net->param_count; i++) {
		const Tensor *t = net->params[i];
		fprintf(out, "\t%s (%s) \"%s\" %s", t->id, shape_name(t->shape),
			t->name, t->init);
		const NncInit *init = nnc_find_init(t->init);
		if (init && init->param.name)
			fprintf(out, "(%.9g)", t->init_argument);
		fputs("\n", out);
	}
	print_program(out, net, &net->train);
	if (net->infer.count)
		print_program(out, net, &net->infer);
}
