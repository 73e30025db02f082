/*
 * dag.c - expressions as a graph in which equal ones are the same node. Constants are
 * folded and zeros vanish as it grows; what no output needs is never written. It
 * follows FFTW's generator (Frigo, A Fast Fourier Transform Compiler, 1999).
 */
#include <math.h>
#include <string.h>

#include "fft.h"

enum { BUCKETS = 1024 };

#define SAME 1e-12 /* constants nearer than this are one */

typedef struct DagNode {
	char op;                  /* + - * of a and b; 'x': an input */
	int a, b;                 /* nodes; of a product, a is a constant's number */
	const char *name, *value; /* of an input */
	int next;                 /* in its bucket */
} DagNode;

typedef struct Output {
	const char *place;
	Expr value;
} Output;

struct Dag {
	DagNode *nodes; /* [0] is not used */
	int count;
	double *constants; /* all positive */
	int constant_count;
	Output *outputs;
	int output_count;
	int buckets[BUCKETS];
};

Dag *dag_new(void)
{
	Dag *d = arena_alloc(sizeof *d);
	*vec_push(&d->nodes, &d->count) = (DagNode){0};
	return d;
}

Expr dag_input(Dag *d, const char *name, const char *value)
{
	*vec_push(&d->nodes, &d->count) =
		(DagNode){.op = 'x', .name = name, .value = value};
	return d->count - 1;
}

void dag_output(Dag *d, const char *place, Expr a)
{
	*vec_push(&d->outputs, &d->output_count) = (Output){place, a};
}

/* ---- growing ------------------------------------------------------------- */

static Expr node(Dag *d, char op, int a, int b)
{
	unsigned hash = ((unsigned)op * 31 + (unsigned)a) * 8191 + (unsigned)b * 127;
	int *bucket = &d->buckets[hash % BUCKETS];
	for (int i = *bucket; i; i = d->nodes[i].next)
		if (d->nodes[i].op == op && d->nodes[i].a == a && d->nodes[i].b == b)
			return i;
	*vec_push(&d->nodes, &d->count) =
		(DagNode){.op = op, .a = a, .b = b, .next = *bucket};
	return *bucket = d->count - 1;
}

Expr dag_add(Dag *d, Expr a, Expr b)
{
	if (a == 0 || b == 0)
		return a + b;
	if (a == -b)
		return 0;
	if (a == b)
		return dag_scale(d, 2, a);
	if (a < 0 && b < 0)
		return -dag_add(d, -a, -b);
	if (a < 0)
		return dag_add(d, b, a);
	if (b < 0) /* of x - y and y - x only one becomes a node */
		return a < -b ? node(d, '-', a, -b) : -node(d, '-', -b, a);
	return a < b ? node(d, '+', a, b) : node(d, '+', b, a);
}

Expr dag_sub(Dag *d, Expr a, Expr b)
{
	return dag_add(d, a, -b);
}

static int constant(Dag *d, double value)
{
	for (int i = 0; i < d->constant_count; i++)
		if (fabs(d->constants[i] - value) < SAME)
			return i;
	*vec_push(&d->constants, &d->constant_count) = value;
	return d->constant_count - 1;
}

Expr dag_scale(Dag *d, double factor, Expr a)
{
	if (fabs(factor) < SAME || a == 0)
		return 0;
	if (factor < 0)
		return -dag_scale(d, -factor, a);
	if (a < 0)
		return -dag_scale(d, factor, -a);
	if (fabs(factor - 1) < SAME)
		return a;
	const DagNode *n = &d->nodes[a];
	if (n->op == '*')
		return dag_scale(d, factor * d->constants[n->a], n->b);
	return node(d, '*', constant(d, factor), a);
}

/* ---- writing ------------------------------------------------------------- */

typedef struct Writer {
	const Dag *dag;
	int *names;     /* of nodes: t1, t2 ...; 0: not written yet */
	int *constants; /* likewise */
	int name_count, constant_count;
	int operations;
	const char *head; /* the constants' declarations */
	Text body;
} Writer;

/* 15 digits: the last one or two may depend on the machine's cos(). */
static const char *constant_name(Writer *w, int c)
{
	if (w->constants[c] == 0) {
		w->constants[c] = ++w->constant_count;
		w->head = arena_printf("%sconst real c%d = (real)%.15g;\n", w->head,
				       w->constant_count, w->dag->constants[c]);
	}
	return arena_printf("c%d", w->constants[c]);
}

/* A node as an operand. Products have no name: they become part of a multiply-add. */
static const char *operand(Writer *w, int i)
{
	const DagNode *n = &w->dag->nodes[i];
	if (n->op == 'x')
		return n->name;
	if (n->op != '*')
		return arena_printf("t%d", w->names[i]);
	return arena_printf("%s * %s", constant_name(w, n->a), operand(w, n->b));
}

/* A sum with one product is a multiply-add; of two products the other comes first. */
static int cost(const Writer *w, const DagNode *n)
{
	return 1 + (w->dag->nodes[n->a].op == '*' && w->dag->nodes[n->b].op == '*');
}

static void put_line(Writer *w, const char *text)
{
	if (w->body.length)
		text_add(&w->body, "\n", 1);
	text_add(&w->body, text, strlen(text));
}

/* Writes node i, and before it what it needs: depth first, for short lives. */
static void put_node(Writer *w, int i)
{
	const DagNode *n = &w->dag->nodes[i];
	if (n->op == '*') {
		put_node(w, n->b);
		return;
	}
	if (w->names[i])
		return;
	w->names[i] = -1;
	if (n->op == 'x') {
		put_line(w, arena_printf("const nnc_vec %s = %s;", n->name, n->value));
		return;
	}
	put_node(w, n->a);
	put_node(w, n->b);
	w->names[i] = ++w->name_count;
	w->operations += cost(w, n);
	const char *a = operand(w, n->a), *b = operand(w, n->b);
	put_line(w, arena_printf("const nnc_vec t%d = %s %c %s;", w->names[i], a, n->op,
				 b));
}

static void put_output(Writer *w, const Output *o)
{
	if (o->value == 0) {
		put_line(w, arena_printf("%s = (nnc_vec){0};", o->place));
		return;
	}
	int i = o->value < 0 ? -o->value : o->value;
	const DagNode *n = &w->dag->nodes[i];
	if (o->value < 0 && n->op == '-') {
		put_node(w, n->a);
		put_node(w, n->b);
		w->operations += cost(w, n);
		const char *a = operand(w, n->a), *b = operand(w, n->b);
		put_line(w, arena_printf("%s = %s - %s;", o->place, b, a));
		return;
	}
	put_node(w, i);
	w->operations += n->op == '*' || o->value < 0;
	put_line(w, arena_printf("%s = %s%s;", o->place, o->value < 0 ? "-" : "",
				 operand(w, i)));
}

const char *dag_text(const Dag *d, int *operations)
{
	Writer w = {.dag = d, .head = ""};
	w.names = arena_alloc((size_t)d->count * sizeof *w.names);
	w.constants = arena_alloc((size_t)d->constant_count * sizeof *w.constants + 1);
	for (int i = 0; i < d->output_count; i++)
		put_output(&w, &d->outputs[i]);
	*operations = w.operations;
	return arena_printf("%s%s", w.head, w.body.bytes);
}
