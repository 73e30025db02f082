/*
 * fft_back: from the bins of rows back to images, or to a weight's taps, with what a
 * convolution ends with: elementwise ops, a maxpool, an optimizer's step. in[1], where there
 * is one, says which pixels of the convolution's input are not 0.
 */
#include <string.h>

#include "fft/fft.h"

static double flops(const Net *net, const Node *n)
{
	const Rows *r = n->attr.rows;
	(void)net;
	return 8.0 * (double)(strips(r) * vectors(r->c) * r->h) *
	       dft_operations(n->attr.spectral->t.pw);
}

/* Emits the function that finds the outputs of a line whose windows hold a pixel not 0. */
static const char *live_function(Emit *e, const Window *w)
{
	Window any = *w;
	any.c = any.o = 1; /* channels do not matter to it, nor to its name */
	const char *name = window_name("live", &any);
	const Hole holes[] = {{"name", name}, {NULL, NULL}};
	emit_function(e, name, "fft_live", window_holes(&any, holes));
	return name;
}

/* Lines of the maxpool that image i ends with, once it is whole. */
static const char *pool_text(Emit *e, const Node *pool, const char *i)
{
	Shape y = result(pool)->shape;
	const char *line = int_text(y.dim[1] * y.dim[2]);
	const Hole holes[] = {
		{"i", i},
		{"POOLED", int_text(y.dim[0])},
		{"PLINE", line},
		{"line", maxpool_line_function(e, pool)},
		{"names", epilogue_names_at(pool, "at")},
		{NULL, NULL},
	};
	return fill_lines("for (int k = 0; k < $POOLED$; k++) {\n"
			  "\tconst int at = ($i$ * $POOLED$ + k) * $PLINE$;\n"
			  "\t$line$_line(k, 0, image, y + at, winner + at$names$);\n"
			  "}", holes);
}

/* How many of `each` vectors, 1 to 16, are within `most`. */
static int64_t within(int64_t most, int64_t each)
{
	int64_t fit = most / each;
	return fit < 1 ? 1 : fit > 16 ? 16 : fit;
}

/*
 * Of how many images of a weight a line is made before it is changed: what comes from far is
 * then read in runs, as the CPU fetches ahead.
 */
static int64_t run_length(const Rows *r)
{
	enum { HALF = 512 }; /* vectors in half of the first cache */
	return within(HALF, r->w * vectors(r->c));
}

/* Vectors of a line of all tiles. */
static int64_t line_vectors(const Rows *r)
{
	const Tiles *a = &r->across;
	return vectors(r->c) * ((a->count - 1) * a->step + a->size);
}

/*
 * How many such lines are made at once, tile after tile: what comes from far is then read in
 * runs. They stay in the second cache.
 */
static int64_t run_lines(const Rows *r)
{
	enum { NEAR = 1024 }; /* vectors, 64 KB */
	int64_t fit = within(NEAR, line_vectors(r));
	return fit < r->h ? fit : r->h;
}

static void back_function(Emit *e, const Node *n, const char *name, const char *row, const char *live)
{
	const Rows *r = n->attr.rows;
	const Transform *t = &n->attr.spectral->t;
	const Node *pool = pool_of(n);
	const bool zeros = n->in_count > 1;
	const char *type = pool ? element_type(n->out[1]->element) : "";
	const bool tiled = is_tiled(r), overlap = r->across.size > r->across.step;
	const char *line = tiled ? "i" : "i * H + h", *fetch = fetch_text(e, n);
	const Hole holes[] = {
		{"name", name},
		{"codelet", row},
		{"then", pool ? arena_printf(", then pool%s", then_text(pool))
			      : then_text(n)},
		{"seen", zeros ? ", const uint8_t *restrict seen" : ""},
		{"live", zeros ? arena_printf("real live[W];\n%s(seen, %s, part, live);",
					      live, line) : ""},
		{"share", zeros ? "live[p]" : "part"},
		{"winner", pool ? arena_printf(", %s *restrict winner", type) : ""},
		{"image", !pool ? "" : tiled ? "real *image = (real *)(t + RUN * LINE);"
					     : "real *image = thread->scratch;"},
		{"base", pool ? "" : "i * IMAGE + "},
		{"line", pool ? "i % H" : "i"},
		{"pieces", pool ? "n" : "n * H"},
		{"times", pool ? " * H" : ""},
		{"how", overlap ? "tiles overlap they are added" : "tiles end, the next begins"},
		{"clear", overlap && tiled ? "memset(t, 0, RUN * LINE * sizeof *t);" : ""},
		{"transform", arena_printf(overlap ? "nnc_vec tile[WIDE];\n"
						     "%s(from, COLUMN, CV, tile, 1);\n"
						     "for (int j = 0; j < WIDE; j++)\n"
						     "\tto[j * CV] += tile[j];"
						   : "%s(from, COLUMN, CV, to, CV);", row)},
		{"epilogue", pool ? "" : epilogue_text(n)},
		{"fetch", fetch},
		{"RUN", int_text(tiled ? run_lines(r) : run_length(r))},
		{"store", pool ? "image[at] = v;" : store_text(n, "y[at]")},
		{"pool", !pool ? "" : !tiled ? pool_text(e, pool, "i")
				  : arena_printf("if (end %% H > 0)\n\tcontinue;\n%s",
						 pool_text(e, pool, "first / H"))},
		{"params", epilogue_params(pool ? pool : n)},
		{NULL, NULL},
	};
	emit_function(e, name, tiled ? "fft_tile_back" : *fetch ? "fft_back_runs" : "fft_back",
		      rows_holes(t, r, holes));
}

static void emit(Emit *e, const Node *n)
{
	const Rows *r = n->attr.rows;
	const Transform *t = &n->attr.spectral->t;
	const Node *pool = pool_of(n);
	const bool zeros = n->in_count > 1;
	const char *row = row_function(e, t, r, true);
	const char *live = zeros ? live_function(e, &n->attr.spectral->window) : "";
	const char *name = arena_printf("back_%s_%s_%lld%s%s%s", rows_id(r), row, (long long)t->ph,
					zeros ? "_" : "", live, suffixes(n));
	if (!is_finished(e, name))
		back_function(e, n, name, row, live);
	put(e, "%s(thread, n, (const nnc_vec *)(%s), %s%s%s%s);", name, ref(n->in[0]), ref(result(n)),
	    pool ? arena_printf(", %s", ref(n->out[1])) : "",
	    zeros ? arena_printf(", %s", ref(n->in[1])) : "", epilogue_args(pool ? pool : n));
}

/* Lines of all tiles; the image that a maxpool ends. */
static int64_t scratch(const Net *net, const Node *n)
{
	const Rows *r = n->attr.rows;
	(void)net;
	return (is_tiled(r) ? 16 * line_vectors(r) * run_lines(r) : 0) + (pool_of(n) ? r->image : 0);
}

static void print_attr(FILE *out, const Node *n)
{
	const Transform *t = &n->attr.spectral->t;
	fprintf(out, " %lldx%lld", (long long)t->ph, (long long)t->pw);
}

const Op op_fft_back = {
	.name = "fft_back",
	.flops = flops,
	.emit = emit,
	.scratch = scratch,
	.epilogue = true,
	.updates = true,
	.print_attr = print_attr,
};

#ifdef TEMPLATE_fft_live
/*
 * live ($OW$): `part` for the outputs of line i whose windows hold anything but zeros, and
 * 0 for the others: a transform would make that 0 some +-1e-8, which relu's gradient tells
 * from 0
 */
static void $name$(const uint8_t *restrict seen, int i, real part, real *restrict live)
{
	enum { H = $H$, W = $W$, OH = $OH$, OW = $OW$, KH = $KH$, KW = $KW$ };
	enum { TOP = $TOP$, LEFT = $LEFT$, WIDE = OW + KW - 1 };
	uint8_t any[LEFT + W + WIDE] = {0};

	for (int row = i % OH - TOP; row < i % OH - TOP + KH; row++)
		for (int j = 0; j < W && row >= 0 && row < H; j++)
			any[LEFT + j] |= seen[(i / OH * H + row) * W + j];
	for (int j = 0; j < OW; j++) {
		int window = 0;
		for (int k = 0; k < KW; k++)
			window |= any[j + k];
		live[j] = window ? part : 0;
	}
}
#endif

#ifdef TEMPLATE_fft_back
/* $id$ images y from their rows' bins s, of $PH$ x $PW$ places$then$ */
static void $name$(const NncThread *thread, int n, const nnc_vec *restrict s,
		   real *restrict y$winner$$seen$$params$)
{
	enum { COUNT = $COUNT$, H = $H$, W = $W$, C = $C$, CV = NNC_VECTORS(C), CP = CV * NNC_LANES };
	enum { IMAGE = $IMAGE$, ROW = $ROW$, STEP = $STEP$, COLUMN = 2 * COUNT * H * CV | 1 };
	const real part = (real)(1.0 / ($PH$ * $PW$));
	const NncRange share = nnc_share(thread, $count$);
	$image$

	$unused$
	for (int i = share.first; i < share.end; i++) {
		for (int h = 0; h < H; h++) {
			nnc_vec t[W * CV];
			$live$
			for (int u = 0; u < CV; u++)
				$codelet$(s + (i * H + h) * 2 * CV + u, COLUMN, CV, t + u, CV);
			for (int p = 0; p < W; p++)
				NNC_INDEPENDENT
				for (int j = 0; j < C; j++) {
					const int at = $base$h * ROW + p * STEP + j;
					real v = $share$ * ((const real *)t)[p * CP + j];
					$epilogue$
					$store$
				}
		}
		$pool$
	}
}
#endif

#ifdef TEMPLATE_fft_back_runs
/*
 * $id$ images y from their rows' bins s, of $PH$ x $PW$ places$then$; a line of RUN images
 * at a time, beside whose transforms what the first tap changes comes nearer
 */
static void $name$(const NncThread *thread, int n, const nnc_vec *restrict s,
		   real *restrict y$params$)
{
	enum { COUNT = $COUNT$, H = $H$, W = $W$, C = $C$, CV = NNC_VECTORS(C), CP = CV * NNC_LANES };
	enum { IMAGE = $IMAGE$, ROW = $ROW$, STEP = $STEP$, COLUMN = 2 * COUNT * H * CV | 1 };
	enum { RUN = $RUN$ };
	const real part = (real)(1.0 / ($PH$ * $PW$));
	const NncRange share = nnc_share(thread, $count$);

	$unused$
	for (int first = share.first; first < share.end; first += RUN) {
		const int end = share.end - first < RUN ? share.end : first + RUN;
		for (int h = 0; h < H; h++) {
			nnc_vec t[W * RUN * CV];
			for (int i = first; i < end; i++)
				for (int u = 0; u < CV; u++) {
					const int at = i * IMAGE + h * ROW + u * NNC_LANES;
					$fetch$
					$codelet$(s + (i * H + h) * 2 * CV + u, COLUMN, CV, t + (i - first) * CV + u, RUN * CV);
				}
			for (int p = 0; p < W; p++)
				for (int i = first; i < end; i++)
					NNC_INDEPENDENT
					for (int j = 0; j < C; j++) {
						const int at = i * IMAGE + h * ROW + p * STEP + j;
						real v = part * ((const real *)t)[(p * RUN + i - first) * CP + j];
						$epilogue$
						$store$
					}
		}
	}
}
#endif

#ifdef TEMPLATE_fft_tile_back
/*
 * y (n,$H$,$W$,$C$) from the bins s, of $PH$ x $PW$ places, of rows of $DOWN$ x $ACROSS$
 * tiles$then$; where $how$
 */
static void $name$(const NncThread *thread, int n, const nnc_vec *restrict s,
		   real *restrict y$winner$$seen$$params$)
{
	enum { COUNT = $COUNT$, H = $H$, W = $W$, C = $C$, CV = NNC_VECTORS(C), CP = CV * NNC_LANES };
	enum { ACROSS = $ACROSS$, NEXT = $ACROSS_STEP$, WIDE = $WIDE$, TOP = $TOP$, LEFT = $LEFT$ };
	enum { LINES = $LINES$, COLUMN = 2 * COUNT * LINES * CV | 1, RUN = $RUN$ };
	enum { LINE = ((ACROSS - 1) * NEXT + WIDE) * CV };
	const real part = (real)(1.0 / ($PH$ * $PW$));
	const NncRange share = nnc_share(thread, $pieces$);
	nnc_vec *t = thread->scratch;
	$image$

	for (int first = share.first$times$, end; first < share.end$times$; first = end) {
		end = (first / H + 1) * H;
		end = end < first + RUN ? end : first + RUN;
		end = end < share.end$times$ ? end : share.end$times$;
		$clear$
		for (int k = 0; k < ACROSS; k++)
			for (int i = first; i < end; i++) {
				const int line = (i / H * ACROSS + k) * LINES + i % H + TOP;
				const nnc_vec *from = s + line * 2 * CV;
				nnc_vec *to = t + (i - first) * LINE + k * NEXT * CV;
				for (int u = 0; u < CV; u++, from++, to++) {
					$transform$
				}
			}
		for (int i = first; i < end; i++) {
			const real *sum = (const real *)(t + (i - first) * LINE);
			$live$
			for (int p = 0; p < W; p++)
				NNC_INDEPENDENT
				for (int j = 0; j < C; j++) {
					const int at = ($line$ * W + p) * C + j;
					real v = $share$ * sum[(p + LEFT) * CP + j];
					$epilogue$
					$store$
				}
		}
		$pool$
	}
}
#endif
