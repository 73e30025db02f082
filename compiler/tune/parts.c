/*
 * parts.c - the nodes at the end of the passes, as what is timed: by a text that says
 * all that their time depends on, and is the same wherever they stand.
 */
#include <stdlib.h>
#include <string.h>

#include "tune/tune.h"

static void print_values(FILE *out, Tensor *const *values, int count)
{
	for (int i = 0; i < count; i++)
		fprintf(out, " %s%s", shape_name(values[i]->shape),
			values[i]->element == ELEMENT_REAL ? "" : " places");
}

/* "gemm_bias_relu 784 784x128 -> 128, batch 32": all that its time depends on. */
const char *node_text(const Net *net, const Node *n)
{
	TextStream stream;
	text_open(&stream);
	FILE *out = stream.out;
	fprintf(out, "%s%s", n->op->name, suffixes(n));
	if (n->op->print_attr)
		n->op->print_attr(out, n);
	print_values(out, n->in, n->in_count);
	fputs(" ->", out);
	print_values(out, n->out, n->out_count);
	fprintf(out, ", batch %lld", (long long)net->training.batch);
	return text_close(&stream, NULL);
}

const char *part_text(const Net *net, const Node *n)
{
	return arena_printf("%s\t%s", node_text(net, n),
			    n->kernel ? n->kernel->name : "plain loops");
}

/* What only gradcheck runs is not timed. */
bool is_part(const Node *n)
{
	return !n->op->reshape && !n->input_only;
}

/* FNV-1a */
unsigned text_hash(const char *text)
{
	unsigned h = 2166136261u;
	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * 16777619u;
	return h;
}

Part *find_part(Tuning *t, const char *text, int trial)
{
	Part **bucket = &t->buckets[text_hash(text) % PART_BUCKETS];
	for (Part *p = *bucket; p; p = p->next)
		if (strcmp(p->text, text) == 0)
			return p;
	Part *p = arena_alloc(sizeof *p);
	*p = (Part){.text = text, .us = -1, .trial = trial, .next = *bucket};
	*bucket = p;
	*vec_push(&t->parts, &t->part_count) = p;
	return p;
}
