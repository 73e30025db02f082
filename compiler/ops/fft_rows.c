/*
 * fft_rows: the Fourier transform of each row of each channel of a batch of images, or of a
 * weight's taps: the first half of their spectra. out[1], where there is one, says which
 * pixels are not 0. Made by lowering conv_fft; several convolutions may read one.
 */
#include "fft/fft.h"

static double flops(const Net *net, const Node *n)
{
	const Rows *r = n->attr.rows;
	(void)net;
	return 8.0 * (double)(r->count * vectors(r->c) * r->h) * dft_operations(n->attr.spectral->t.pw);
}

/* The images are read as they are, or as a maxpool's gradient spreads them. */
static void emit(Emit *e, const Node *n)
{
	const Rows *r = n->attr.rows;
	const Transform *t = &n->attr.spectral->t;
	const Node *spread = n->spread;
	bool seen = n->out_count > 1;
	const char *row = row_function(e, t, r, false);
	const char *name = arena_printf("rows_%s_%s%s", r->id, row, seen ? "_seen" : "");
	if (spread)
		name = arena_printf("%s_spread_%s", name, op_maxpool.suffix(spread));
	const char *winner = spread ? element_type(n->in[1]->element) : "";
	long long pooled = spread ? (long long)shape_size(n->in[0]->shape) : 0;
	const Hole holes[] = {
		{"name", name},
		{"what", spread ? "images, spread from x by a pool's winners," : "images x"},
		{"codelet", row},
		{"winner", spread ? arena_printf(", const %s *restrict winner", winner) : ""},
		{"image", spread ? arena_printf("real *image = thread->scratch;\n"
						"%s_image(x + i * %lld, winner + i * %lld, image);",
						maxpool_grad_function(e, spread), pooled, pooled)
				 : "const real *image = x + i * IMAGE;"},
		{"seen", seen ? ", uint8_t *restrict seen" : ""},
		{"look", seen ? "seen_in(H * W, C, image, seen + i * H * W);" : ""},
		{NULL, NULL},
	};
	if (seen)
		emit_function(e, "seen_in", "fft_seen", NULL);
	emit_function(e, name, "fft_rows", rows_holes(t, r, holes));
	put(e, "%s(thread, n, %s%s, (nnc_vec *)(%s)%s);", name, ref(n->in[0]),
	    spread ? arena_printf(", %s", ref(n->in[1])) : "", ref(n->out[0]),
	    seen ? arena_printf(", %s", ref(n->out[1])) : "");
}

/* An image that is spread. */
static int64_t scratch(const Net *net, const Node *n)
{
	(void)net;
	return n->spread ? n->attr.rows->image : 0;
}

static void print_attr(FILE *out, const Node *n)
{
	const Transform *t = &n->attr.spectral->t;
	fprintf(out, " %lldx%lld%s", (long long)t->ph, (long long)t->pw,
		n->spread ? " of a maxpool's gradient" : "");
}

const Op op_fft_rows = {
	.name = "fft_rows",
	.flops = flops,
	.emit = emit,
	.scratch = scratch,
	.print_attr = print_attr,
};

#ifdef TEMPLATE_fft_seen
/* seen (pixels): whether any channel of x (pixels,channels) is not 0 there */
static NNC_INLINE void seen_in(int pixels, int channels, const real *restrict x,
			       uint8_t *restrict seen)
{
	for (int p = 0; p < pixels; p++) {
		int any = 0;
		for (int k = 0; k < channels; k++)
			any |= x[p * channels + k] != 0;
		seen[p] = (uint8_t)any;
	}
}
#endif

#ifdef TEMPLATE_fft_rows
/* s: $PW$ places' bins of each row of $what$ ($count$,$H$,$W$,$C$) */
static void $name$(const NncThread *thread, int n, const real *restrict x$winner$,
		   nnc_vec *restrict s$seen$)
{
	enum { COUNT = $COUNT$, H = $H$, W = $W$, C = $C$, CV = NNC_VECTORS(C), L = NNC_LANES };
	enum { IMAGE = $IMAGE$, ROW = $ROW$, STEP = $STEP$, WHOLE = C % L == 0 };
	enum { COLUMN = 2 * COUNT * H * CV | 1 };
	const NncRange share = nnc_share(thread, $count$);

	$unused$
	for (int i = share.first; i < share.end; i++) {
		$image$
		$look$
		for (int h = 0; h < H; h++)
			for (int u = 0; u < CV; u++) {
				const real *row = image + h * ROW + u * L;
				nnc_vec t[W];
				for (int j = 0; j < (WHOLE ? 0 : W); j++)
					t[j] = nnc_load(row + j * STEP, u < CV - 1 ? L : C - u * L);
				$codelet$(WHOLE ? (const nnc_vec *)row : t, WHOLE ? STEP / L : 1,
					s + (i * H + h) * 2 * CV + u, COLUMN, CV);
			}
	}
}
#endif
