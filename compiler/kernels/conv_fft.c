/*
 * conv_fft: a convolution is a product in the bins of its Fourier transform. Images are
 * transformed as a whole, or large ones in tiles that overlap, lanes being channels,
 * and in each bin the channels are summed by a complex gemm (n x C)(C x O), where n is
 * the number of all tiles. The cost hardly depends on the kernel's size. conv_dx has
 * the product dy w^H, conv_dw x^H dy. Transforms of rows are made once and read by all
 * of them; those of columns stay in the cache, and are made again.
 */
#include "fft/fft.h"

#define MAX_ROWS ((int64_t)1 << 28) /* reals */

/* Lines of vectors. */
static double lines_of(const Rows *r)
{
	return (double)(strips(r) * strip_lines(r) * vectors(r->c));
}

/* Images or tiles of vectors. */
static double tiles_of(const Rows *r)
{
	return (double)(strips(r) * r->down.count * vectors(r->c));
}

/* Of the bins of all rows, both parts. */
static double row_bytes(const Spectral *s, const Rows *r)
{
	return 128 * lines_of(r) * (double)(s->t.pw / 2 + 1);
}

static double all_bytes(const Spectral *s)
{
	return row_bytes(s, &s->x) + row_bytes(s, &s->w) + row_bytes(s, &s->y);
}

/*
 * Transforms mostly move data, and more slowly what the caches do not hold; of tiles it
 * is in many places at a time. How slowly: the least is that of the second cache.
 */
static double slowness(const Spectral *s, const Rows *r)
{
	double all = all_bytes(s);
	if (!is_tiled(r))
		return row_bytes(s, r) < 1e6 ? 0.5 : 2;
	return all < 1.25e6 ? 0.5 : all < 12.5e6 ? all / 2.5e6 : 5;
}

static double rows_cost(const Spectral *s, const Rows *r)
{
	double flops = 8 * lines_of(r) * dft_operations(s->t.pw);
	double bytes = row_bytes(s, r) * slowness(s, r);
	return flops / (0.35 * NOMINAL_GFLOPS * 1e3) + bytes / (NOMINAL_GBYTES * 1e3);
}

/*
 * `a` times what has as many channels as the result: tiles reach most of the peak, if
 * there are images enough and a column stays in the cache.
 */
static double bins_cost(const Spectral *s, const Rows *a, const Rows *result)
{
	double images = (double)(strips(&s->x) * s->x.down.count);
	double share = images < 8 ? 0.25 : 0.7,
	       bins = (double)(s->t.ph * s->t.pw / 2 + 2);
	double sums = images * (double)a->c * 16 * (double)vectors(result->c);
	double tiles = tiles_of(&s->x) + tiles_of(&s->w) + tiles_of(&s->y);
	double column = 128 * tiles * (double)s->t.ph;
	double bytes = all_bytes(s);
	if (is_tiled(&s->x))
		bytes *= 0.4 * slowness(s, &s->x);
	else if (column > 1.2e6)
		bytes += 2 * column * (double)(s->t.pw / 2 + 1);
	return 6 * bins * sums / (share * NOMINAL_GFLOPS * 1e3) +
	       8 * tiles * (double)s->t.pw * dft_operations(s->t.ph) /
		       (0.35 * NOMINAL_GFLOPS * 1e3) +
	       bytes / (NOMINAL_GBYTES * 1e3);
}

static Spectral spectral(const Net *net, const Node *n)
{
	Window w = conv_window(n);
	Spectral s;
	bool ok = spectral_of(net, &w, &s);
	assert(ok);
	(void)ok;
	return s;
}

/* Does p have n, and before it another that transforms t? */
static bool is_made(const Program *p, const Node *n, const Tensor *t)
{
	if (n->index >= p->count || p->nodes[n->index] != n)
		return false;
	for (int i = 0; i < t->reader_count; i++) {
		const Node *m = t->readers[i];
		if (m->index >= n->index || p->nodes[m->index] != m || !m->kernel ||
		    !m->kernel->lower)
			continue;
		for (int k = 0; k < m->in_count; k++)
			if (m->in[k] == t)
				return true;
	}
	return false;
}

/* From a, b, the operands in their order, to c: each transform is made once. */
static double cost_of(const Net *net, const Node *n, const Spectral *s, const Rows *a,
		      const Rows *b, const Rows *c)
{
	const Rows *rows[] = {a, b};
	double cost = 0.5 + bins_cost(s, a, c) + rows_cost(s, c);
	for (int k = 0; k < 2; k++)
		if (!is_made(&net->train, n, n->in[k]) &&
		    !is_made(&net->infer, n, n->in[k]))
			cost += rows_cost(s, rows[k]);
	return cost;
}

static double cost(const Net *net, const Node *n)
{
	Spectral s = spectral(net, n);
	return cost_of(net, n, &s, &s.x, &s.w, &s.y);
}

static double dx_cost(const Net *net, const Node *n)
{
	Spectral s = spectral(net, n);
	return cost_of(net, n, &s, &s.y, &s.w, &s.x);
}

static double dw_cost(const Net *net, const Node *n)
{
	Spectral s = spectral(net, n);
	return cost_of(net, n, &s, &s.x, &s.y, &s.w);
}

static const char *fits(const Net *net, const Node *n)
{
	Window w = conv_window(n);
	Spectral s;
	if (w.sh != 1 || w.sw != 1)
		return "the stride is not 1";
	if (w.dh != 1 || w.dw != 1)
		return "the kernel is dilated";
	if (w.c < 8 || w.o < 8)
		return "fewer than 8 channels";
	if (!spectral_of(net, &w, &s))
		return "the kernel is too large for a transform";
	if (rows_reals(&s.t, &s.x) + rows_reals(&s.t, &s.w) + rows_reals(&s.t, &s.y) >
	    MAX_ROWS)
		return "its spectra would take more than 1 GB";
	return NULL;
}

/* ---- lowering -------------------------------------------------------------------- */

static Node *append_like(Program *p, const Node *n, const Op *op, const Spectral *s)
{
	Node *made = arena_alloc(sizeof *made);
	*made = (Node){
		.op = op, .phase = n->phase, .layer = n->layer, .lowered = n->kernel};
	made->input_only = n->input_only;
	made->attr.spectral = s;
	*vec_push(&p->nodes, &p->count) = made;
	return made;
}

static Tensor *add_value(Program *p, Node *n, const char *id, int64_t reals)
{
	Tensor *t = new_value(p, id, shape1(reals));
	t->batched = false;
	t->producer = n;
	n->out[n->out_count++] = t;
	return t;
}

/* The rows of a tensor in a program, and others of it. */
typedef struct Made {
	const Program *program;
	Node *rows;
	struct Made *next;
} Made;

static bool same_rows(const Node *a, const Spectral *s, const Rows *l,
		      const Node *spread)
{
	return a->spread == spread && same_layout(a->attr.spectral, a->attr.rows, s, l);
}

/* The rows of in[k], made here unless it is there already. */
static Node *rows(Net *net, Program *p, const Node *n, int k, const Spectral *s,
		  const Rows *l)
{
	bool weight = n->in[k]->kind == TENSOR_PARAM; /* which both programs read */
	const char *prefix = weight && p == &net->infer ? "infer_" : "";
	Node *spread = k == n->op->adjoint_in ? n->spread : NULL;
	for (const Made *m = n->in[k]->made; m; m = m->next)
		if (m->program == p && same_rows(m->rows, s, l, spread))
			return m->rows;
	Node *made = append_like(p, n, &op_fft_rows, s);
	Made *kept = arena_alloc(sizeof *kept);
	*kept = (Made){p, made, n->in[k]->made};
	n->in[k]->made = kept;
	made->attr.rows = l;
	made->in[made->in_count++] = n->in[k];
	if (spread) {
		made->spread = spread;
		made->in[made->in_count++] = n->in[n->in_count - 1];
	}
	add_value(p, made, arena_printf("%srows_%s", prefix, n->in[k]->id),
		  rows_reals(&s->t, l));
	return made;
}

static Tensor *product(Program *p, const Node *n, const Node *a, const Node *b,
		       const Spectral *s, const Rows *l, BinsForm form)
{
	Node *made = append_like(p, n, &op_fft_bins, s);
	made->attr.form = form;
	made->in[made->in_count++] = a->out[0];
	made->in[made->in_count++] = b->out[0];
	const char *grad = n->out[0]->kind == TENSOR_GRAD ? "grad_" : "";
	return add_value(p, made, arena_printf("bins_%s%s", grad, n->out[0]->id),
			 rows_reals(&s->t, l));
}

/* n itself becomes the way back, with all that is fused into it. */
static void come_back(Program *p, Node *n, Tensor *bins, const Spectral *s,
		      const Rows *l)
{
	n->op = &op_fft_back;
	n->lowered = n->kernel;
	n->kernel = NULL;
	n->spread = NULL;
	n->attr.spectral = s;
	n->attr.rows = l;
	n->in[0] = bins;
	n->in_count = 1;
	*vec_push(&p->nodes, &p->count) = n;
}

static const Spectral *keep_spectral(const Net *net, const Node *n)
{
	Spectral *s = arena_alloc(sizeof *s);
	*s = spectral(net, n);
	return s;
}

static void lower(Net *net, Program *p, Node *n)
{
	const Spectral *s = keep_spectral(net, n);
	Node *x = rows(net, p, n, 0, s, &s->x), *w = rows(net, p, n, 1, s, &s->w);
	if (x->out_count == 1) {
		Tensor *seen = new_value(p, arena_printf("seen_%s", n->in[0]->id),
					 shape2(s->window.h, s->window.w));
		seen->element = ELEMENT_BYTE;
		seen->producer = x;
		x->out[x->out_count++] = seen;
	}
	Tensor *bins = product(p, n, x, w, s, &s->y, BINS_Y);
	come_back(p, n, bins, s, &s->y);
	n->in[n->in_count++] = x->out[1];
}

static void lower_dx(Net *net, Program *p, Node *n)
{
	const Spectral *s = keep_spectral(net, n);
	Node *dy = rows(net, p, n, 0, s, &s->y), *w = rows(net, p, n, 1, s, &s->w);
	come_back(p, n, product(p, n, dy, w, s, &s->x, BINS_DX), s, &s->x);
}

static void lower_dw(Net *net, Program *p, Node *n)
{
	const Spectral *s = keep_spectral(net, n);
	Node *x = rows(net, p, n, 0, s, &s->x), *dy = rows(net, p, n, 1, s, &s->y);
	come_back(p, n, product(p, n, x, dy, s, &s->w, BINS_DW), s, &s->w);
}

const Kernel kernel_conv_fft = {
	.name = "conv_fft",
	.summary =
		"products in the bins of Fourier transforms, of large images in tiles",
	.op = &op_conv,
	.fits = fits,
	.cost = cost,
	.pools = true,
	.lower = lower,
};

const Kernel kernel_conv_dx_fft = {
	.name = "conv_dx_fft",
	.summary =
		"products in the bins of Fourier transforms, of large images in tiles",
	.op = &op_conv_dx,
	.fits = fits,
	.cost = dx_cost,
	.spreads = true,
	.lower = lower_dx,
};

const Kernel kernel_conv_dw_fft = {
	.name = "conv_dw_fft",
	.summary =
		"products in the bins of Fourier transforms, of large images in tiles",
	.op = &op_conv_dw,
	.fits = fits,
	.cost = dw_cost,
	.updates = true,
	.spreads = true,
	.lower = lower_dw,
};
