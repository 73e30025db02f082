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
	return 8.0 * (double)(strips(r) * vectors(r->c) * strip_lines(r)) *
	       dft_operations(n->attr.spectral->t.pw);
}

/* The images are read as they are, or as a maxpool's gradient spreads them. */
static void emit(Emit *e, const Node *n)
{
	const Rows *r = n->attr.rows;
	const Transform *t = &n->attr.spectral->t;
	const Node *spread = n->spread;
	bool seen = n->out_count > 1, tiled = is_tiled(r);
	const char *i = tiled ? "i / ACROSS" : "i"; /* of the image */
	const char *row = row_function(e, t, r, false);
	const char *name = arena_printf("rows_%s_%s%s", rows_id(r), row, seen ? "_seen" : "");
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
						"%s%s_image(x + %s * %lld, winner + %s * %lld, image);",
						tiled ? "if (i % ACROSS == 0 || i == share.first)\n\t" : "",
						maxpool_grad_function(e, spread), i, pooled, i, pooled)
				 : arena_printf("const real *image = x + %s * IMAGE;", i)},
		{"seen", seen ? ", uint8_t *restrict seen" : ""},
		{"look", !seen ? "" : tiled ? "if (i % ACROSS == 0)\n"
					      "\tseen_in(H * W, C, image, seen + i / ACROSS * (H * W));"
					    : "seen_in(H * W, C, image, seen + i * H * W);"},
		{NULL, NULL},
	};
	if (seen)
		emit_function(e, "seen_in", "fft_seen", NULL);
	emit_function(e, name, tiled ? "fft_tile_rows" : "fft_rows", rows_holes(t, r, holes));
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

#ifdef TEMPLATE_fft_tile_rows
/*
 * s: $PW$ places' bins of each row of the tiles of $what$ (n,$H$,$W$,$C$): $DOWN$ x $ACROSS$ tiles
 * of $HIGH$ x $WIDE$, zero outside the image
 */
static void $name$(const NncThread *thread, int n, const real *restrict x$winner$,
		   nnc_vec *restrict s$seen$)
{
	enum { COUNT = $COUNT$, H = $H$, W = $W$, C = $C$, CV = NNC_VECTORS(C), L = NNC_LANES };
	enum { IMAGE = $IMAGE$, ROW = $ROW$, STEP = $STEP$, WHOLE = C % L == 0 };
	enum { ACROSS = $ACROSS$, NEXT = $ACROSS_STEP$, WIDE = $WIDE$, LEFT = $LEFT$ };
	enum { LINES = $LINES$, TOP = $TOP$, COLUMN = 2 * COUNT * LINES * CV | 1 };
	const NncRange share = nnc_share(thread, n * ACROSS);

	for (int i = share.first; i < share.end; i++) {
		const int left = i % ACROSS * NEXT - LEFT;
		const int first = left < 0 ? -left : 0, end = W - left < WIDE ? W - left : WIDE;
		nnc_vec t[WIDE] = {0};
		$image$
		$look$
		for (int h = 0; h < LINES; h++) {
			const bool inside = h >= TOP && h < TOP + H;
			if (!inside)
				memset(t, 0, sizeof t);
			for (int u = 0; u < CV; u++) {
				for (int j = first; j < end && inside; j++)
					t[j] = nnc_load(image + (h - TOP) * ROW + (left + j) * STEP + u * L,
							WHOLE || u < CV - 1 ? L : C - u * L);
				$codelet$(t, 1, s + (i * LINES + h) * 2 * CV + u, COLUMN, CV);
			}
		}
	}
}
#endif
