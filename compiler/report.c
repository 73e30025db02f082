/* report.c - what nnc tells of a model without compiling it: --summary, --explain. */
#include <string.h>

#include "nnc.h"

/* ---- --summary ----------------------------------------------------------- */

static void rule(FILE *out)
{
	fputs("------------------------------------------------------------------------"
	      "----------\n",
	      out);
}

/* Names and statements are the user's and of any length: cut to their column. */
const char *cut_text(const char *text, int width)
{
	return (int)strlen(text) <= width ? text
					  : arena_printf("%.*s...", width - 3, text);
}

static int64_t value_bytes(const Net *net, const NetLayer *l)
{
	return 4 * shape_size(l->out) * net->training.batch;
}

void print_summary(FILE *out, const Net *net)
{
	const Training *t = &net->training;
	fprintf(out, "%s: batch %lld, %s, %s lr %g\n", net->name, (long long)t->batch,
		t->loss->name, t->optimizer->name, arg_real(&t->optimizer_args, "lr"));
	rule(out);
	fprintf(out, "%-18s %-24s %-12s %12s %14s\n", "layer", "statement", "output",
		"parameters", "multiply-adds");
	rule(out);
	int64_t values = 0;
	for (int i = 0; i < net->layer_count; i++) {
		const NetLayer *l = net->layers[i];
		fprintf(out, "%-18s %-24s %-12s %12s %14s\n", cut_text(l->name, 18),
			cut_text(l->text, 24), shape_name(l->out),
			grouped_text(l->params), grouped_text(l->macs));
		values += value_bytes(net, l);
	}
	rule(out);
	const char *const *slots;
	int count = t->optimizer->slots(&t->optimizer_args, &slots);
	fprintf(out, "parameters     %14s\n", grouped_text(net->params_total));
	fprintf(out, "multiply-adds  %14s  one sample, forward\n",
		grouped_text(net->macs_total));
	fprintf(out, "weights        %14s  bytes\n",
		grouped_text(4 * net->params_total));
	fprintf(out, "gradients      %14s  bytes\n",
		grouped_text(4 * net->params_total));
	fprintf(out, "optimizer      %14s  bytes\n",
		grouped_text((int64_t)4 * count * net->params_total));
	fprintf(out, "activations    %14s  bytes, if each were kept apart\n",
		grouped_text(values));
	fprintf(out,
		"arena          %14s  bytes, as planned: activations, adjoints, "
		"workspace\n",
		grouped_text(4 * net->train.arena));
	fprintf(out, "training       %14s  bytes in all\n",
		grouped_text(training_bytes(net)));
}

/* ---- --explain
 * ------------------------------------------------------------------------ */

typedef struct Explain {
	FILE *out;
	const Net *net;
	const Node *node;
	bool sharing; /* one alone is cheaper than what was chosen */
} Explain;

/* "    1.79 x": of what the chosen one costs. */
static void explain_ratio(const Explain *x, const Kernel *k, double cost, double chosen)
{
	if (k != x->node->kernel && cost >= 0 && chosen > 0)
		fprintf(x->out, " %8.2f x", cost / chosen);
	fputs("\n", x->out);
}

static void explain_kernel(void *data, const Kernel *k, double cost, const char *reason)
{
	Explain *x = data;
	const char *name = k ? k->name : "plain loops";
	const char *mark = k == x->node->kernel ? "*" : " ";
	fprintf(x->out, "    %s %-18s ", mark, name);
	if (reason) {
		fprintf(x->out, "refused: %s\n", reason);
		return;
	}
	fprintf(x->out, "%10.1f us", cost);
	if (!x->node->choice) {
		explain_ratio(x, k, cost, x->node->cost);
		x->sharing |=
			cost < x->node->cost && !is_preferred(x->net, x->node->kernel);
		return;
	}
	double us = tuned_us(x->node, k);
	if (us < 0)
		fputs("  not measured", x->out);
	else
		fprintf(x->out, "  measured %10.2f us", us);
	explain_ratio(x, k, us, tuned_us(x->node, x->node->kernel));
}

static void explain_node(FILE *out, const Net *net, const Node *n)
{
	const char *of = n->layer ? n->layer->id : n->in_count ? n->in[0]->id : "";
	fprintf(out, "  %-16s %s", of, n->op->name);
	for (int f = 0; f < n->fused_count; f++)
		fprintf(out, " + %s", n->fused[f]->op->suffix(n->fused[f]));
	double flops = n->op->flops ? n->op->flops(net, n) : 0;
	fprintf(out, "  (%.3f Mflop)\n", flops / 1e6);
	Explain x = {out, net, n, false};
	if (has_kernels(n))
		each_kernel(net, n, explain_kernel, &x);
	else
		fprintf(out, "    * %-18s %10.1f us\n", "plain loops", n->cost);
	if (x.sharing)
		fputs("      cheaper for the layer: its gradients use parts of it "
		      "again\n",
		      out);
}

static void explain_program(FILE *out, const Net *net, const Program *p)
{
	double total = 0;
	fprintf(out, "%s:\n", p->name);
	for (int i = 0; i < p->count; i++) {
		const Node *n = p->nodes[i];
		if (n->op->reshape || n->input_only)
			continue;
		explain_node(out, net, n);
		total += n->cost;
	}
	fprintf(out, "  in all %.1f us\n", total);
}

void print_explain(FILE *out, const Net *net)
{
	fprintf(out,
		"Estimated costs for one nominal core (%g GFLOP/s); * is what was "
		"chosen.\n",
		NOMINAL_GFLOPS);
	if (net->tuning)
		fputs("Measured: on one core of this machine, with what stands beside "
		      "an op and its\nkernel takes over, or does not.\n",
		      out);
	explain_program(out, net, &net->train);
	explain_program(out, net, &net->infer);
	if (net->tuning)
		fprintf(out,
			"Where kernels make a difference both programs take %.1f us, "
			"and %.1f us\nby the kernels with the least estimates.\n",
			tuned_total(net->tuning, true),
			tuned_total(net->tuning, false));
}
