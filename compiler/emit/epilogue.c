/*
 * epilogue.c - elementwise ops: on their own as one loop, or as the statements, the
 * parameters and the arguments that they add to the kernel they are fused into.
 */
#include <string.h>

#include "nnc.h"

const char *suffixes(const Node *n)
{
	const char *text = "";
	for (int i = 0; i < n->fused_count; i++)
		text = arena_printf("%s_%s", text, n->fused[i]->op->suffix(n->fused[i]));
	return text;
}

/* ", then bias, relu", for the comment above a kernel. */
const char *then_text(const Node *n)
{
	const char *text = "";
	for (int i = 0; i < n->fused_count; i++)
		text = arena_printf("%s%s %s", text, i ? "," : ", then",
				    n->fused[i]->op->suffix(n->fused[i]));
	return text;
}

const char *epilogue_text(const Node *n)
{
	const char *text = "";
	for (int i = 0; i < n->fused_count; i++)
		text = arena_printf("%s%s%s", text, i ? "\n" : "",
				    n->fused[i]->op->element(n->fused[i]));
	return text;
}

/* What a fused op's statement uses beside v. */
static int operands(const Node *f, Operand *list)
{
	if (f->op->operands)
		return f->op->operands(f, list);
	if (!f->op->operand)
		return 0;
	list[0] = (Operand){"const real *restrict", f->op->operand, ref(f->in[1]),
			    f->in[1]->batched, false};
	return 1;
}

typedef enum Form { AS_PARAMS, AS_ARGUMENTS, AS_NAMES } Form;

/* ", TYPE NAME", ", ARGUMENT" or ", NAME" of every operand; batched from `offset` on. */
static const char *operand_text(const Node *n, Form form, const char *offset)
{
	const char *text = "";
	Operand list[MAX_OPERANDS];
	for (int f = 0; f < n->fused_count; f++) {
		int count = operands(n->fused[f], list);
		for (int i = 0; i < count; i++) {
			const Operand *o = &list[i];
			if (form == AS_PARAMS)
				text = arena_printf("%s, %s %s", text, o->type, o->name);
			else if (form == AS_ARGUMENTS)
				text = arena_printf("%s, %s", text, o->argument);
			else
				text = arena_printf("%s, %s%s%s", text, o->name,
						    offset && o->batched ? " + " : "",
						    offset && o->batched ? offset : "");
		}
	}
	return text;
}

const char *epilogue_params(const Node *n)
{
	return operand_text(n, AS_PARAMS, NULL);
}

/* ", bias": the same, handed on to a helper; batched ones from `offset` on. */
const char *epilogue_names_at(const Node *n, const char *offset)
{
	return operand_text(n, AS_NAMES, offset);
}

const char *epilogue_names(const Node *n)
{
	return operand_text(n, AS_NAMES, NULL);
}

const char *epilogue_args(const Node *n)
{
	return operand_text(n, AS_ARGUMENTS, NULL);
}

/* "c[at] = v;": always, or where a gradient that has done its work is kept. */
const char *store_text(const Node *n, const char *place)
{
	const char *store = arena_printf("%s = v;", place);
	for (int i = 0; n && i < n->fused_count; i++)
		if (n->fused[i]->op->consumes)
			return arena_printf("if (keep)\n\t%s", store);
	return store;
}

/*
 * "__builtin_prefetch(&w[at], 1);" of all that is changed in place; "" where a model is so
 * small that it is still in a cache: there this would only take time.
 */
const char *fetch_text(const Emit *e, const Node *n)
{
	const char *text = "";
	Operand list[MAX_OPERANDS];
	for (int f = 0; f < n->fused_count; f++) {
		int count = operands(n->fused[f], list);
		for (int i = 0; i < count; i++)
			if (list[i].changed)
				text = arena_printf("%s%s__builtin_prefetch(&%s[at], 1);", text,
						    *text ? "\n" : "", list[i].name);
	}
	return training_bytes(e->net) > NOMINAL_FAR ? text : "";
}

/* ---- a loop of their own ------------------------------------------------------------- */

bool reads_columns(const char *statements)
{
	return strstr(statements, "[j]") != NULL;
}

static void emit_loop(Emit *e, const char *name, const char *comment, const char *params,
		      const char *statements, int64_t size, int64_t cols)
{
	const bool by_column = reads_columns(statements);
	const Hole holes[] = {
		{"name", name},
		{"comment", comment},
		{"params", params},
		{"rows", by_column ? times_text("n", size / cols) : "n"},
		{"N", int_text(by_column ? cols : size)},
		{"statements", statements},
		{NULL, NULL},
	};
	emit_function(e, name, "elementwise", holes);
}

/* The same of halved numbers: one half of all rows, then the other. */
static void emit_halved_loop(Emit *e, const char *name, const char *comment, const char *params,
			     const char *statements, int64_t cols)
{
	const Hole holes[] = {
		{"name", name},
		{"comment", comment},
		{"params", params},
		{"B", int_text(e->net->training.batch)},
		{"N", int_text(cols)},
		{"statements", statements},
		{NULL, NULL},
	};
	emit_function(e, name, "elementwise_halved", holes);
}

const char *elementwise_halves(const Net *net, const Node *n)
{
	(void)net;
	(void)n;
	return "c";
}

/* Without halves, rows: an image's pixels are shared out as such where bias is added. */
Split elementwise_split(const Net *net, const Node *n, char operand)
{
	const Tensor *x = n->in[0];
	(void)net;
	(void)operand;
	return x->halved ? SPLIT_HALVES : x->shape.rank == 1 ? SPLIT_ROWS : SPLIT_ANY;
}

/* A sweep over y that does what is fused into n. */
void emit_elementwise_function(Emit *e, const Node *n, const char *name, int64_t size,
			       int64_t cols)
{
	emit_loop(e, name, arena_printf("x%s", then_text(n)), epilogue_params(n),
		  epilogue_text(n), size, cols);
}

void emit_elementwise(Emit *e, const Node *n)
{
	const Tensor *x = n->in[0];
	int64_t size = shape_size(x->shape), cols = columns(x->shape);
	const char *element = n->op->element(n);
	const char *shape = reads_columns(element) ? shape_name(x->shape) : int_text(size);
	const char *what = n->op->suffix(n);
	const char *name = arena_printf("%s_%s%s", what, shape, x->halved ? "_h" : "");
	const char *operand = n->op->operand, *comment = arena_printf("%s of x", what);
	const char *params = operand ? arena_printf(", const real *%s", operand) : "";
	if (x->halved)
		emit_halved_loop(e, name, comment, params, element, cols);
	else
		emit_loop(e, name, comment, params, element, size, cols);
	put(e, "%s(thread, n, %s, %s%s);", name, ref(x), ref(result(n)),
	    operand ? arena_printf(", %s", ref(n->in[1])) : "");
}

#ifdef TEMPLATE_elementwise
/* y ($rows$,$N$) = $comment$; y may be x */
static void $name$(const NncThread *thread, int n, const real *x, real *y$params$)
{
	enum { N = $N$ };
	const NncRange share = nnc_share(thread, $rows$);

	for (int i = share.first; i < share.end; i++)
		NNC_INDEPENDENT
		for (int j = 0; j < N; j++) {
			const int at = i * N + j;
			real v = x[at];
			$statements$
			y[at] = v;
		}
}
#endif

#ifdef TEMPLATE_elementwise_halved
/* y (n,$N$) = $comment$; y may be x; all in halves */
static void $name$(const NncThread *thread, int n, const real *x, real *y$params$)
{
	enum { N = $N$, HALF = N / 2 };
	const NncRange share = nnc_share(thread, 2 * n);

	for (int i = share.first; i < share.end; i++) {
		const int first = i / n * HALF, to = nnc_halved($B$, N, i % n, first);
		NNC_INDEPENDENT
		for (int j = first; j < first + HALF; j++) {
			const int at = to + j - first;
			real v = x[at];
			$statements$
			y[at] = v;
		}
	}
}
#endif
