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

const char *epilogue_params(const Node *n)
{
	const char *text = "";
	for (int i = 0; i < n->fused_count; i++)
		if (n->fused[i]->op->operand)
			text = arena_printf("%s, const real *restrict %s", text,
					    n->fused[i]->op->operand);
	return text;
}

/* ", bias": the same, handed on to a helper; batched ones from `offset` on. */
const char *epilogue_names_at(const Node *n, const char *offset)
{
	const char *text = "";
	for (int i = 0; i < n->fused_count; i++) {
		const Node *f = n->fused[i];
		if (!f->op->operand)
			continue;
		bool moves = offset && f->in[1]->batched;
		text = arena_printf("%s, %s%s%s", text, f->op->operand, moves ? " + " : "",
				    moves ? offset : "");
	}
	return text;
}

const char *epilogue_names(const Node *n)
{
	return epilogue_names_at(n, NULL);
}

const char *epilogue_args(const Node *n)
{
	const char *text = "";
	for (int i = 0; i < n->fused_count; i++)
		if (n->fused[i]->op->operand)
			text = arena_printf("%s, %s", text, ref(n->fused[i]->in[1]));
	return text;
}

/* ---- a loop of their own ------------------------------------------------------------- */

static void emit_loop(Emit *e, const char *name, const char *comment, const char *params,
		      const char *statements, int64_t size, int64_t cols)
{
	const bool by_column = strstr(statements, "[j]") != NULL;
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
	const char *shape = strstr(element, "[j]") ? shape_name(x->shape) : int_text(size);
	const char *what = n->op->suffix(n);
	const char *name = arena_printf("%s_%s", what, shape);
	const char *operand = n->op->operand;
	emit_loop(e, name, arena_printf("%s of x", what),
		  operand ? arena_printf(", const real *%s", operand) : "", element, size, cols);
	put(e, "%s(n, %s, %s%s);", name, ref(x), ref(result(n)),
	    operand ? arena_printf(", %s", ref(n->in[1])) : "");
}

#ifdef TEMPLATE_elementwise
/* y ($rows$,$N$) = $comment$; y may be x */
static void $name$(int n, const real *x, real *y$params$)
{
	enum { N = $N$ };

	for (int i = 0; i < $rows$; i++)
		NNC_INDEPENDENT
		for (int j = 0; j < N; j++) {
			const int at = i * N + j;
			real v = x[at];
			$statements$
			y[at] = v;
		}
}
#endif
