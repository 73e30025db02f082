/*
 * fft_bins: the product of two spectra, bin by bin a complex gemm over channels or over
 * images: y = x w of a convolution, and of its adjoints dx = dy w^H and dw = x^H dy. Spectra
 * come as the bins of rows; a column of them at a time is transformed, multiplied and
 * transformed back, so that whole spectra are never in memory.
 */
#include "fft/fft.h"

/* c (rows,M) from a, whose rows have K numbers: what a form is in terms of its window. */
typedef struct Sizes {
	int64_t n, k, m;
} Sizes;

static Sizes sizes_of(const Node *n)
{
	const Spectral *s = n->attr.spectral;
	Sizes z = {s->batch, s->window.c, s->window.o};
	if (n->attr.form == BINS_DX)
		z = (Sizes){s->batch, s->window.o, s->window.c};
	return z;
}

static const Rows *rows_of_form(const Node *n, int operand)
{
	const Spectral *s = n->attr.spectral;
	static const int at[3][3] = {{0, 1, 2}, {2, 1, 0}, {0, 2, 1}}; /* a, b, c of each form */
	const Rows *const all[] = {&s->x, &s->w, &s->y};
	return all[at[n->attr.form][operand]];
}

/* Three real products a bin, and the columns of all three spectra. */
static double flops(const Net *net, const Node *n)
{
	Sizes z = sizes_of(n);
	const Transform *t = &n->attr.spectral->t;
	double images = 0, bins = (double)(t->ph * t->pw / 2 + 2);
	(void)net;
	for (int k = 0; k < 3; k++) {
		const Rows *r = rows_of_form(n, k);
		images += (double)(r->count * vectors(r->c));
	}
	return 6.0 * bins * (double)(z.n * z.k * z.m) +
	       8.0 * images * (double)t->pw * dft_operations(t->ph);
}

/* A column's bins of all three; sums of a's parts and of b's; w^H is turned first. */
static int64_t scratch(const Net *net, const Node *n)
{
	Sizes z = sizes_of(n);
	int64_t terms = n->attr.form == BINS_DW ? z.n : z.k, bins = 0;
	(void)net;
	for (int k = 0; k < 3; k++) {
		const Rows *r = rows_of_form(n, k);
		bins += n->attr.spectral->t.ph * (2 * r->count * vectors(r->c) | 1);
	}
	return 16 * (bins + z.n * vectors(z.k) +
		     (n->attr.form == BINS_DX ? 3 : 1) * terms * vectors(z.m));
}

/* Emits the function that transforms the columns of one operand, or back; its name. */
static const char *columns_function(Emit *e, const Node *n, int operand, bool inverse)
{
	const Rows *r = rows_of_form(n, operand);
	const Transform *t = &n->attr.spectral->t;
	const char *whole = column_function(e, t, r, inverse, false);
	const char *name = arena_printf("columns_%lldx%lld_%s", (long long)r->count,
					(long long)r->c, whole);
	const Hole holes[] = {
		{"name", name},
		{"whole", whole},
		{"half", column_function(e, t, r, inverse, true)},
		{NULL, NULL},
	};
	emit_function(e, name, inverse ? "fft_columns_back" : "fft_columns", rows_holes(t, r, holes));
	return name;
}

static const char *const names[] = {"product", "product_dx", "product_dw"};

static Hole *product_holes(const Node *n, const char *name)
{
	Sizes z = sizes_of(n);
	bool dw = n->attr.form == BINS_DW, dx = n->attr.form == BINS_DX;
	long long k = (long long)z.k, m = (long long)z.m;
	const Hole holes[] = {
		{"name", name},
		{"formula", dw   ? arena_printf("c (%lld,%lld) = a^H b of a (n,%lld), b (n,%lld)", k, m, k, m)
			    : dx ? arena_printf("c (n,%lld) = a b^H of a (n,%lld), b (%lld,%lld)", m, k, m, k)
				 : arena_printf("c (n,%lld) = a b of a (n,%lld), b (%lld,%lld)", m, k, k, m)},
		{"N", int_text(z.n)},
		{"K", int_text(k)},
		{"M", int_text(m)},
		{"ROWS", dw ? "K" : "N"},
		{"TERMS", dw ? "N" : "K"},
		{"rows", dw ? "K" : "n"},
		{"terms", dw ? "n" : "K"},
		{"row", dw ? "1" : "KV * L"},
		{"term", dw ? "KV * L" : "1"},
		{"BPART", dx ? "M * KV" : dw ? "N * MV" : "K * MV"},
		{"turned", dx ? "turn(M, K, b, MV, turned, B);" : ""},
		{"bs", dx ? "turned, turned + B, turned + 2 * B" : "b, b + BPART, sums + A"},
		{"sums", dx ? "nnc_vec *turned = sums + A, *bsum = turned + 2 * B;"
			    : "nnc_vec *bsum = sums + A;"},
		{"aminus", dw ? "-" : "+"},
		{"bminus", dx ? "-" : "+"},
		{"unused", dx ? "(void)BPART;" : ""},
		{"re", dw || dx ? "s + t" : "s - t"},
		{"im", dw || dx ? "u - s + t" : "u - s - t"},
	};
	return join_holes(holes, sizeof holes / sizeof *holes, NULL);
}

static void emit(Emit *e, const Node *n)
{
	Sizes z = sizes_of(n);
	const Transform *t = &n->attr.spectral->t;
	const char *product = arena_printf("%s_%lldx%lldx%lld", names[n->attr.form], (long long)z.n,
					   (long long)z.k, (long long)z.m);
	const char *of[3], *count[3], *part[3];
	for (int k = 0; k < 3; k++) {
		const Rows *r = rows_of_form(n, k);
		of[k] = columns_function(e, n, k, k == 2);
		count[k] = r->taps ? int_text(r->count) : "n";
		part[k] = arena_printf("%lld * NNC_VECTORS(%lld)", (long long)r->count, (long long)r->c);
	}
	const char *name = window_name(arena_printf("bins_%s_%lldx%lld", product, (long long)t->ph,
						    (long long)t->pw), &n->attr.spectral->window);
	const Hole holes[] = {
		{"all", name}, {"product", product}, {"PH", int_text(t->ph)}, {"PW", int_text(t->pw)},
		{"a", of[0]}, {"b", of[1]}, {"c", of[2]},
		{"an", count[0]}, {"bn", count[1]}, {"cn", count[2]},
		{"A", part[0]}, {"B", part[1]}, {"C", part[2]},
		{"AH", int_text(rows_of_form(n, 0)->h)}, {"BH", int_text(rows_of_form(n, 1)->h)},
		{"CH", int_text(rows_of_form(n, 2)->h)},
	};
	use_tile(e);
	if (n->attr.form == BINS_DX)
		emit_function(e, "turn", "fft_turn", NULL);
	emit_function(e, product, "fft_product", product_holes(n, product));
	emit_function(e, name, "fft_bins",
		      join_holes(holes, sizeof holes / sizeof *holes, product_holes(n, product)));
	put(e, "%s(thread, n, (const nnc_vec *)(%s), (const nnc_vec *)(%s), (nnc_vec *)(%s));", name,
	    ref(n->in[0]), ref(n->in[1]), ref(n->out[0]));
}

static void print_attr(FILE *out, const Node *n)
{
	static const char *const forms[] = {"", " of dy and w", " of x and dy"};
	fprintf(out, "%s", forms[n->attr.form]);
}

const Op op_fft_bins = {
	.name = "fft_bins",
	.flops = flops,
	.emit = emit,
	.scratch = scratch,
	.print_attr = print_attr,
};

#ifdef TEMPLATE_fft_turn
/* t (k,m): both parts of b (m,k) transposed; a part of t has `part` vectors, a row `width` */
static void turn(int m, int k, const nnc_vec *restrict b, int width, nnc_vec *restrict t,
		 int part)
{
	enum { L = NNC_LANES };
	const int stride = NNC_VECTORS(k) * L;

	if (m % L) /* the lanes behind row m */
		memset(t, 0, (size_t)(2 * part) * sizeof *t);
	for (int p = 0; p < 2; p++, b += m * NNC_VECTORS(k), t += part)
		for (int j = 0; j < m; j += L)
			for (int i = 0; i < k; i += L)
				nnc_move_block((const real *)b + j * stride + i, stride,
					       (real *)t + i * width * L + j, width * L,
					       m - j < L ? m - j : L, k - i < L ? k - i : L);
}
#endif

#ifdef TEMPLATE_fft_product
/*
 * $formula$, complex, by three
 * real products: s and t of the real and the imaginary parts, u of sums of both.
 */
static void $name$(int n, const nnc_vec *restrict a, const nnc_vec *restrict b,
		   nnc_vec *restrict c, nnc_vec *restrict sums)
{
	enum { L = NNC_LANES, N = $N$, K = $K$, M = $M$, KV = NNC_VECTORS(K), MV = NNC_VECTORS(M) };
	enum { ROWS = NNC_ROWS($ROWS$), A = N * KV, BPART = $BPART$, B = $TERMS$ * MV, PART = $ROWS$ * MV };
	$sums$
	const nnc_vec *as[] = {a, a + A, sums}, *bs[] = {$bs$};

	$unused$
	$turned$
	for (int i = 0; i < A; i++)
		sums[i] = a[i] $aminus$ a[A + i];
	for (int i = 0; i < $terms$ * MV; i++)
		bsum[i] = bs[0][i] $bminus$ bs[1][i];
	for (int j = 0; j < MV; j += 2)
		for (int i = 0; i < $rows$; i += ROWS) {
			const int rows = $rows$ - i < ROWS ? $rows$ - i : ROWS;
			const int vecs = MV - j < 2 ? 1 : 2;
			nnc_vec part[3][NNC_TILE_MAX];
			for (int p = 0; p < 3; p++) {
				const real *ap = (const real *)as[p] + i * $row$;
				const real *bp = (const real *)(bs[p] + j);
				if (rows == ROWS && vecs == 2)
					tile(ROWS, 2, L, 1, $terms$, ap, ROWS, 0, $row$, $term$, 0, bp, MV * L, 0, part[p]);
				else if (rows == ROWS)
					tile(ROWS, 1, L, 1, $terms$, ap, ROWS, 0, $row$, $term$, 0, bp, MV * L, 0, part[p]);
				else
					tile(rows, vecs, L, 1, $terms$, ap, rows, 0, $row$, $term$, 0, bp, MV * L, 0, part[p]);
			}
			for (int r = 0; r < rows; r++)
				for (int q = 0; q < vecs; q++) {
					const nnc_vec s = part[0][r * vecs + q], t = part[1][r * vecs + q];
					const nnc_vec u = part[2][r * vecs + q];
					nnc_vec *to = c + (i + r) * MV + j + q;
					to[0] = $re$;
					to[PART] = $im$;
				}
		}
}
#endif

#ifdef TEMPLATE_fft_columns
/* f: the bins of one column of rows s; half: those of a real column */
static void $name$(int n, const nnc_vec *restrict s, nnc_vec *restrict f, bool half)
{
	enum { H = $H$, CV = NNC_VECTORS($C$), PART = $COUNT$ * CV, BIN = 2 * PART | 1 };

	for (int i = 0; i < n * CV; i++) {
		const nnc_vec *row = s + i / CV * (H * 2 * CV) + i % CV;
		if (half)
			$half$(row, 2 * CV, f + i, BIN, PART);
		else
			$whole$(row, 2 * CV, CV, f + i, BIN, PART);
	}
}
#endif

#ifdef TEMPLATE_fft_columns_back
/* s: one column of rows, from its bins f; half: of a real column */
static void $name$(int n, const nnc_vec *restrict f, nnc_vec *restrict s, bool half)
{
	enum { H = $H$, CV = NNC_VECTORS($C$), PART = $COUNT$ * CV, BIN = 2 * PART | 1 };

	for (int i = 0; i < n * CV; i++) {
		nnc_vec *row = s + i / CV * (H * 2 * CV) + i % CV;
		if (half)
			$half$(f + i, BIN, PART, row, 2 * CV);
		else
			$whole$(f + i, BIN, PART, row, 2 * CV, CV);
	}
}
#endif

#ifdef TEMPLATE_fft_bins
/* $formula$ in every bin of $PH$ x $PW$ places, a column at a time */
static void $all$(const NncThread *thread, int n, const nnc_vec *restrict a,
		  const nnc_vec *restrict b, nnc_vec *restrict c)
{
	enum { PH = $PH$, MIDDLE = $PW$ / 2, A = $A$, B = $B$, C = $C$ }; /* of a bin's part */
	enum { ABIN = 2 * A | 1, BBIN = 2 * B | 1, CBIN = 2 * C | 1 };
	enum { AROWS = 2 * A * $AH$ | 1, BROWS = 2 * B * $BH$ | 1, CROWS = 2 * C * $CH$ | 1 };
	nnc_vec *af = thread->scratch, *bf = af + PH * ABIN, *cf = bf + PH * BBIN;
	nnc_vec *sums = cf + PH * CBIN;
	const NncRange share = nnc_share(thread, MIDDLE + 1);

	for (int i = share.first; i < share.end; i++) {
		const bool half = i % MIDDLE == 0;
		$a$($an$, a + i * AROWS, af, half);
		$b$($bn$, b + i * BROWS, bf, half);
		for (int k = 0; k < (half ? PH / 2 + 1 : PH); k++)
			$product$(n, af + k * ABIN, bf + k * BBIN, cf + k * CBIN, sums);
		$c$($cn$, cf, c + i * CROWS, half);
	}
}
#endif
