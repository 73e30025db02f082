/*
 * stages.c - the steps of a convolution by transforms, as functions of the generated C.
 * A spectrum is made column by column of its rows' bins, so that one column's bins, the
 * products in them and the way back stay in the cache. In memory, in vectors:
 *
 *     lines    (column) (image) (line) (re, im) (vectors of channels)
 *     columns  (bin) (re, im) (image) (vectors of channels)
 *
 * with an odd number of vectors from one column or bin to the next: a power of two
 * would put all of them into the same few sets of the cache.
 */
#include "fft.h"

Lines image_lines(int64_t n, int64_t h, int64_t w, int64_t c)
{
	return (Lines){
		.count = n, .h = h, .w = w, .c = c,
		.image = h * w * c, .line = w * c, .step = c, .direction = 1,
		.id = shape_name(shape3(h, w, c)),
	};
}

/* Taps go to places top - k, so that y is the plain cyclic convolution with them. */
Lines tap_lines(const Window *w)
{
	return (Lines){
		.count = w->c, .h = w->kh, .w = w->kw, .c = w->o,
		.image = w->o, .line = w->kw * w->c * w->o, .step = w->c * w->o,
		.top = w->top, .left = w->left, .direction = -1,
		.id = shape_name(shape4(w->kh, w->kw, w->c, w->o)),
	};
}

static const Hole *lines_holes(const Lines *l, const Hole *extra)
{
	const Hole holes[] = {
		{"id", l->id},
		{"COUNT", int_text(l->count)},
		{"H", int_text(l->h)},
		{"W", int_text(l->w)},
		{"C", int_text(l->c)},
		{"IMAGE", int_text(l->image)},
		{"LINE", int_text(l->line)},
		{"STEP", int_text(l->step)},
	};
	return join_holes(holes, sizeof holes / sizeof *holes, extra);
}

static Codelet line_codelet(const Lines *l, const Transform *t, bool inverse)
{
	return (Codelet){
		.size = t->pw, .count = l->w, .first = l->left, .step = l->direction,
		.inverse = inverse, .real = true,
	};
}

const char *lines_function(Emit *e, const Lines *l, const Transform *t)
{
	Codelet c = line_codelet(l, t, false);
	const char *codelet = codelet_function(e, &c);
	const char *name = arena_printf("lines_%s_%s", l->id, codelet);
	const Hole holes[] = {{"name", name}, {"codelet", codelet}, {NULL, NULL}};
	emit_function(e, name, "fft_lines", lines_holes(l, holes));
	return name;
}

/* Emits the function that finds the pixels of images x that are not 0; its name. */
const char *seen_function(Emit *e, const Lines *l)
{
	const char *name = arena_printf("seen_%s", l->id);
	const Hole holes[] = {{"name", name}, {NULL, NULL}};
	emit_function(e, name, "fft_seen", lines_holes(l, holes));
	return name;
}

/* And the one that finds the outputs of a line whose windows hold any of them. */
static const char *live_function(Emit *e, const Window *w)
{
	Window any = *w;
	any.c = any.o = 1; /* channels do not matter to it, nor to its name */
	const char *name = window_name("live", &any);
	const Hole holes[] = {{"name", name}, {NULL, NULL}};
	emit_function(e, name, "fft_live", window_holes(&any, holes));
	return name;
}

const char *inverse_lines_function(Emit *e, const Lines *l, const Transform *t,
				   const Node *n, const Window *zeros)
{
	Codelet c = line_codelet(l, t, true);
	const char *codelet = codelet_function(e, &c);
	const char *name = arena_printf("lines_%s_%s_%lld%s%s", l->id, codelet, (long long)t->ph,
					zeros ? "_live" : "", suffixes(n));
	const char *live = zeros ? arena_printf("real live[W];\n"
						"%s(seen, i, part, live);", live_function(e, zeros))
				 : "";
	const Hole holes[] = {
		{"name", name},
		{"codelet", codelet},
		{"places", int_text(t->ph * t->pw)},
		{"seen", zeros ? ", const uint8_t *restrict seen" : ""},
		{"live", live},
		{"share", zeros ? "live[p]" : "part"},
		{"then", then_text(n)},
		{"params", epilogue_params(n)},
		{"epilogue", epilogue_text(n)},
		{"store", store_text(n, "y[at]")},
		{NULL, NULL},
	};
	emit_function(e, name, "fft_inverse_lines", lines_holes(l, holes));
	return name;
}

const char *columns_function(Emit *e, const Lines *l, const Transform *t, bool inverse)
{
	Codelet c = {
		.size = t->ph, .count = l->h, .first = l->top, .step = l->direction,
		.inverse = inverse,
	};
	Codelet half = c;
	half.real = true;
	const char *whole = codelet_function(e, &c);
	const char *name = arena_printf("columns_%lldx%lld_%s", (long long)l->count,
					(long long)l->c, whole);
	const Hole holes[] = {
		{"name", name},
		{"whole", whole},
		{"half", codelet_function(e, &half)},
		{NULL, NULL},
	};
	emit_function(e, name, inverse ? "fft_inverse_columns" : "fft_columns",
		      lines_holes(l, holes));
	return name;
}

const char *product_function(Emit *e, int64_t n, int64_t c, int64_t o, bool adjoint)
{
	const char *name = arena_printf("product_%s%lldx%lldx%lld", adjoint ? "tn_" : "",
					(long long)n, (long long)c, (long long)o);
	const Hole holes[] = {
		{"name", name},
		{"formula", adjoint ? arena_printf("c (%lld,%lld) = conj(a (n,%lld))^T b (n,%lld)",
						   (long long)c, (long long)o, (long long)c,
						   (long long)o)
				    : arena_printf("c (n,%lld) = a (n,%lld) b (%lld,%lld)",
						   (long long)o, (long long)c, (long long)c,
						   (long long)o)},
		{"N", int_text(n)},
		{"C", int_text(c)},
		{"O", int_text(o)},
		{"ROWS", adjoint ? "C" : "N"},
		{"TERMS", adjoint ? "N" : "C"},
		{"rows", adjoint ? "C" : "n"},
		{"terms", adjoint ? "n" : "C"},
		{"row", adjoint ? "1" : "CV * L"},
		{"term", adjoint ? "CV * L" : "1"},
		{"minus", adjoint ? "-" : "+"},
		{"re", adjoint ? "s + t" : "s - t"},
		{"im", adjoint ? "u - s + t" : "u - s - t"},
		{NULL, NULL},
	};
	use_tile(e);
	emit_function(e, name, "fft_product", holes);
	return name;
}

#ifdef TEMPLATE_fft_lines
/* s: the bins of each line of $id$ images x, bin k at s + k * column */
static void $name$(const NncThread *thread, int n, const real *restrict x, nnc_vec *restrict s,
		   int column)
{
	enum { H = $H$, W = $W$, C = $C$, CV = NNC_VECTORS(C), WHOLE = C % NNC_LANES == 0 };
	enum { IMAGE = $IMAGE$, LINE = $LINE$, STEP = $STEP$ };
	const NncRange share = nnc_share(thread, n * H);

	s += share.first * 2 * CV;
	for (int i = share.first; i < share.end; i++, s += 2 * CV) {
		const real *line = x + i / H * IMAGE + i % H * LINE;
		nnc_vec t[W * CV];
		for (int j = 0; j < (WHOLE ? 0 : W); j++)
			for (int v = 0; v < CV; v++)
				t[j * CV + v] = nnc_load(line + j * STEP + v * NNC_LANES,
							 v < CV - 1 ? NNC_LANES : C - v * NNC_LANES);
		for (int v = 0; v < CV; v++)
			$codelet$(WHOLE ? (const nnc_vec *)line + v : t + v,
				  WHOLE ? STEP / NNC_LANES : CV, s + v, column, CV);
	}
}
#endif

#ifdef TEMPLATE_fft_columns
/* f: the bins of one column of lines s; half: those of a real column */
static void $name$(int n, const nnc_vec *restrict s, nnc_vec *restrict f, bool half)
{
	enum { H = $H$, CV = NNC_VECTORS($C$), PART = $COUNT$ * CV, BIN = 2 * PART | 1 };

	for (int i = 0; i < n * CV; i++) {
		const nnc_vec *line = s + i / CV * (H * 2 * CV) + i % CV;
		if (half)
			$half$(line, 2 * CV, f + i, BIN, PART);
		else
			$whole$(line, 2 * CV, CV, f + i, BIN, PART);
	}
}
#endif

#ifdef TEMPLATE_fft_inverse_columns
/* s: one column of lines, from its bins f; half: of a real column */
static void $name$(int n, const nnc_vec *restrict f, nnc_vec *restrict s, bool half)
{
	enum { H = $H$, CV = NNC_VECTORS($C$), PART = $COUNT$ * CV, BIN = 2 * PART | 1 };

	for (int i = 0; i < n * CV; i++) {
		nnc_vec *line = s + i / CV * (H * 2 * CV) + i % CV;
		if (half)
			$half$(f + i, BIN, PART, line, 2 * CV);
		else
			$whole$(f + i, BIN, PART, line, 2 * CV, CV);
	}
}
#endif

#ifdef TEMPLATE_fft_seen
/* seen (n,$H$,$W$): whether any channel of x (n,$H$,$W$,$C$) is not 0 there */
static void $name$(const NncThread *thread, int n, const real *restrict x,
		   uint8_t *restrict seen)
{
	enum { H = $H$, W = $W$, C = $C$ };
	const NncRange share = nnc_share(thread, n * H);

	for (int p = share.first * W; p < share.end * W; p++) {
		int any = 0;
		for (int k = 0; k < C; k++)
			any |= x[p * C + k] != 0;
		seen[p] = (uint8_t)any;
	}
}
#endif

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

#ifdef TEMPLATE_fft_inverse_lines
/* $id$ images y from the bins of their lines, bin k at s + k * column$then$ */
static void $name$(const NncThread *thread, int n, const nnc_vec *restrict s, int column,
		   real *restrict y$seen$$params$)
{
	enum { H = $H$, W = $W$, C = $C$, CV = NNC_VECTORS(C), CP = CV * NNC_LANES };
	enum { IMAGE = $IMAGE$, LINE = $LINE$, STEP = $STEP$ };
	const real part = (real)(1.0 / $places$);
	const NncRange share = nnc_share(thread, n * H);

	s += share.first * 2 * CV;
	for (int i = share.first; i < share.end; i++, s += 2 * CV) {
		const int line = i / H * IMAGE + i % H * LINE;
		nnc_vec t[W * CV];
		$live$
		for (int v = 0; v < CV; v++)
			$codelet$(s + v, column, CV, t + v, CV);
		for (int p = 0; p < W; p++)
			for (int j = 0; j < C; j++) {
				const int at = line + p * STEP + j;
				real v = $share$ * ((const real *)t)[p * CP + j];
				$epilogue$
				$store$
			}
	}
}
#endif

#ifdef TEMPLATE_fft_product
/*
 * $formula$, complex, by three real products:
 * s and t of the real and the imaginary parts, u of sums of both. `sums` is scratch.
 */
static void $name$(int n, const nnc_vec *restrict a, const nnc_vec *restrict b,
		   nnc_vec *restrict c, nnc_vec *restrict sums)
{
	enum { L = NNC_LANES, N = $N$, C = $C$, CV = NNC_VECTORS(C), OV = NNC_VECTORS($O$) };
	enum { ROWS = NNC_ROWS($ROWS$), A = N * CV, B = $TERMS$ * OV, PART = $ROWS$ * OV };
	const nnc_vec *as[] = {a, a + A, sums}, *bs[] = {b, b + B, sums + A};

	for (int i = 0; i < n * CV; i++)
		sums[i] = a[i] $minus$ a[A + i];
	for (int i = 0; i < $terms$ * OV; i++)
		sums[A + i] = b[i] + b[B + i];
	for (int j = 0; j < OV; j += 2)
		for (int i = 0; i < $rows$; i += ROWS) {
			const int rows = $rows$ - i < ROWS ? $rows$ - i : ROWS;
			const int vecs = OV - j < 2 ? 1 : 2;
			nnc_vec part[3][NNC_TILE_MAX];
			for (int p = 0; p < 3; p++) {
				const real *ap = (const real *)as[p] + i * $row$;
				const real *bp = (const real *)(bs[p] + j);
				if (rows == ROWS && vecs == 2)
					tile(ROWS, 2, L, 1, $terms$, ap, $row$, $term$, 0, bp, OV * L, 0, part[p]);
				else if (rows == ROWS)
					tile(ROWS, 1, L, 1, $terms$, ap, $row$, $term$, 0, bp, OV * L, 0, part[p]);
				else
					tile(rows, vecs, L, 1, $terms$, ap, $row$, $term$, 0, bp, OV * L, 0, part[p]);
			}
			for (int r = 0; r < rows; r++)
				for (int q = 0; q < vecs; q++) {
					const nnc_vec s = part[0][r * vecs + q], t = part[1][r * vecs + q];
					const nnc_vec u = part[2][r * vecs + q];
					nnc_vec *to = c + (i + r) * OV + j + q;
					to[0] = $re$;
					to[PART] = $im$;
				}
		}
}
#endif
