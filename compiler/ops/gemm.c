/*
 * gemm: c = op(a) op(b), op the identity or the transpose. A dense layer is
 * y (B,O) = x (B,K) w (K,O); its adjoints are gemms too:
 * dx = dy w^T and dw = x^T dy.
 */
#include "nnc.h"

static void grad(Net *net, Node *n, Tensor *dout, const bool *wanted, Tensor **din)
{
	Tensor *x = n->in[0], *w = n->in[1];
	assert(!n->attr.ta && !n->attr.tb);
	if (wanted[0]) {
		Attr attr = {.tb = true};
		Tensor *in[] = {dout, w};
		din[0] = append(net, &op_gemm, n->layer, &attr, in, 2, adjoint_id(x),
				x->shape)->out[0];
	}
	if (wanted[1]) { /* last: its kernel may move w */
		Attr attr = {.ta = true};
		Tensor *in[] = {x, dout};
		din[1] = param_grad(w);
		append_into(net, &op_gemm, n->layer, &attr, in, 2, din[1]);
	}
}

Gemm gemm_of(const Net *net, const Node *n)
{
	Gemm g = {.ta = n->attr.ta, .tb = n->attr.tb, .node = n};
	const Tensor *a = n->in[0], *b = n->in[1], *c = n->out[0];
	g.rows = g.ta ? 'k' : 'm';
	g.m = g.ta ? shape_size(a->shape) : net->training.batch;
	g.k = g.ta ? net->training.batch : shape_size(a->shape);
	g.n = columns(g.tb ? (Shape){1, {b->shape.dim[0]}} : b->shape);
	assert(shape_size(c->shape) == (g.ta ? g.m * g.n : g.n));
	return g;
}

static double flops(const Net *net, const Node *n)
{
	Gemm g = gemm_of(net, n);
	return 2.0 * (double)g.m * (double)g.n * (double)g.k;
}

/* Which operand of g is halved. */
bool gemm_halved(const Gemm *g, char operand)
{
	const Node *n = g->node && g->node->op == &op_gemm ? g->node : NULL;
	return n && (operand == 'c' ? result(n) : n->in[operand - 'a'])->halved;
}

/*
 * "gemm_32x128x784_bias_relu": rows, columns, terms; nt and tn say what is transposed, "_h"
 * what is halved.
 */
const char *gemm_name(const Gemm *g, const char *kernel)
{
	const char *halved = arena_printf("_h%s%s%s", gemm_halved(g, 'a') ? "a" : "",
					  gemm_halved(g, 'b') ? "b" : "",
					  gemm_halved(g, 'c') ? "c" : "");
	return arena_printf("gemm%s%s%s_%lldx%lldx%lld%s%s", kernel, g->ta ? "_tn" : g->tb ? "_nt" : "",
			    g->accumulate ? "_add" : "", (long long)g->m, (long long)g->n,
			    (long long)g->k, g->node ? suffixes(g->node) : "",
			    halved[2] ? halved : "");
}

/* "; a, c in halves", for the comment above a kernel. */
static const char *halves_text(const Gemm *g)
{
	const char *text = "";
	for (char operand = 'a'; operand <= 'c'; operand++)
		if (gemm_halved(g, operand))
			text = arena_printf("%s%s %c", text, *text ? "," : ";", operand);
	return *text ? arena_printf("%s in halves", text) : "";
}

/* The holes that every gemm template has; room for extra ones of the caller's. */
Hole *gemm_holes(const Gemm *g, const char *name, const Hole *extra)
{
	const char *a = g->ta ? "a[k * M + i]" : "a[i * K + k]";
	const char *b = g->tb ? "b[j * K + k]" : "b[k * N + j]";
	const Hole common[] = {
		{"name", name},
		{"formula", arena_printf("c (%s,%lld) %s a%s b%s%s%s",
					 g->rows == 'm' ? "n" : int_text(g->m), (long long)g->n,
					 g->accumulate ? "+=" : "=", g->ta ? "^T" : "",
					 g->tb ? "^T" : "", g->node ? then_text(g->node) : "",
					 halves_text(g))},
		{"at", gemm_halved(g, 'c') ? "nnc_halved(M, N, i + r, j0) + j - j0"
				      : "(i + r) * N + j"},
		{"M", int_text(g->m)}, {"N", int_text(g->n)}, {"K", int_text(g->k)},
		{"m", g->rows == 'm' ? "n" : "M"}, {"k", g->rows == 'k' ? "n" : "K"},
		{"a", a}, {"b", b},
		{"params", g->node ? epilogue_params(g->node) : ""},
		{"start", g->accumulate ? "c[at]" : "0"},
		{"accumulate", g->accumulate ? "v += c[at];" : ""},
		{"names", g->node ? epilogue_names(g->node) : ""},
		{"epilogue", g->node ? epilogue_text(g->node) : ""},
		{"store", store_text(g->node, "c[at]")},
	};
	return join_holes(common, sizeof common / sizeof *common, extra);
}

void call_gemm(Emit *e, const Node *n, const char *name)
{
	put(e, "%s(thread, n, %s, %s, %s%s);", name, ref(n->in[0]), ref(n->in[1]), ref(result(n)),
	    epilogue_args(n));
}

static void emit(Emit *e, const Node *n)
{
	Gemm g = gemm_of(e->net, n);
	const char *name = gemm_name(&g, "_plain");
	emit_function(e, name, "gemm_plain", gemm_holes(&g, name, NULL));
	call_gemm(e, n, name);
}

static void print_attr(FILE *out, const Node *n)
{
	fprintf(out, "%s%s", n->attr.ta ? " ta" : "", n->attr.tb ? " tb" : "");
}

const Op op_gemm = {
	.name = "gemm",
	.grad = grad,
	.flops = flops,
	.emit = emit,
	.product = true,
	.epilogue = true,
	.updates = true,
	.by_columns = true,
	.print_attr = print_attr,
};

#ifdef TEMPLATE_gemm_plain
/* $formula$: plain loops */
static void $name$(const NncThread *thread, int n, const real *restrict a,
		   const real *restrict b, real *restrict c$params$)
{
	enum { M = $M$, N = $N$, K = $K$ };
	const NncRange share = nnc_share(thread, $m$);

	for (int i = share.first; i < share.end; i++)
		for (int j = 0; j < N; j++) {
			const int at = i * N + j;
			real v = $start$;
			for (int k = 0; k < $k$; k++)
				v += $a$ * $b$;
			$epilogue$
			$store$
		}
}
#endif
