/*
 * fft_bins: the product of two spectra, bin by bin a complex gemm over channels or over
 * images: y = x w of a convolution, and of its adjoints dx = dy w^H and dw = x^H dy. Spectra
 * come as the bins of rows; a column of them at a time is transformed, multiplied and
 * transformed back, so that whole spectra are never in memory.
 */
#include "fft/fft.h"

/*
 * c (rows,M) from a, whose rows have K numbers: what a form is in terms of its window. n
 * are the tiles whose columns are in the cache at a time.
 */
typedef struct Sizes {
	int64_t n, k, m;
} Sizes;

static Sizes sizes_of(const Node *n)
{
	const Spectral *s = n->attr.spectral;
	Sizes z = {group_strips(s) * s->x.down.count, s->window.c, s->window.o};
	if (n->attr.form == BINS_DX)
		z = (Sizes){z.n, s->window.o, s->window.c};
	return z;
}

/* In several groups. */
static bool is_grouped(const Node *n)
{
	const Spectral *s = n->attr.spectral;
	return group_strips(s) < strips(&s->x);
}

static const Rows *rows_of_form(const Node *n, int operand)
{
	const Spectral *s = n->attr.spectral;
	static const int at[3][3] = {{0, 1, 2}, {2, 1, 0}, {0, 2, 1}}; /* a, b, c of each form */
	const Rows *const all[] = {&s->x, &s->w, &s->y};
	return all[at[n->attr.form][operand]];
}

/* The rows whose columns are transformed: of dx, w's with inputs and outputs exchanged. */
static Rows column_rows(const Node *n, int operand)
{
	Rows r = *rows_of_form(n, operand);
	if (n->attr.form == BINS_DX && r.taps) {
		int64_t lanes = r.count;
		r.count = r.c;
		r.c = lanes;
	}
	return r;
}

/* Of one column of an operand that is in the cache. */
static int64_t tiles_of_column(const Node *n, const Rows *r)
{
	return r->taps ? r->count : group_strips(n->attr.spectral) * r->down.count;
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
		images += (double)(strips(r) * r->down.count * vectors(r->c));
	}
	double tiles = (double)(strips(&n->attr.spectral->x) * n->attr.spectral->x.down.count);
	return 6.0 * bins * tiles * (double)(z.k * z.m) +
	       8.0 * images * (double)t->pw * dft_operations(t->ph);
}

/* A column's bins of all three; sums of a's parts and of b's; the rows of w^T's column. */
static int64_t scratch(const Net *net, const Node *n)
{
	Sizes z = sizes_of(n);
	int64_t terms = n->attr.form == BINS_DW ? z.n : z.k, bins = 0;
	(void)net;
	for (int k = 0; k < 3; k++) {
		Rows r = column_rows(n, k);
		bins += n->attr.spectral->t.ph * (2 * tiles_of_column(n, &r) * vectors(r.c) | 1);
	}
	int64_t turned = n->attr.form == BINS_DX ? 2 * strip_lines(rows_of_form(n, 1)) : 0;
	return 16 * (bins + z.n * vectors(z.k) + (1 + turned) * terms * vectors(z.m));
}

/* Emits the function that transforms the columns of one operand, or back; its name. */
static const char *columns_function(Emit *e, const Node *n, int operand, bool inverse)
{
	const Rows rows = column_rows(n, operand), *r = &rows;
	const Transform *t = &n->attr.spectral->t;
	const char *whole = column_function(e, t, r, inverse, false);
	int64_t tiles = tiles_of_column(n, r);
	bool strip = r->down.count > 1, add = inverse && r->down.size > r->down.step;
	const char *name = arena_printf("columns_%lldx%lld_%s", (long long)tiles,
					(long long)r->c, whole);
	if (strip)
		name = arena_printf("%s_%lldx%lld", name, (long long)r->down.count,
				    (long long)r->down.step);
	const Hole holes[] = {
		{"name", name},
		{"TILES", int_text(tiles)},
		{"at", strip ? arena_printf("(i / CV / %lld * %lld + i / CV %% %lld * %lld) * 2 * CV",
					    (long long)r->down.count, (long long)strip_lines(r),
					    (long long)r->down.count, (long long)r->down.step)
			     : "i / CV * (H * 2 * CV)"},
		{"whole", whole},
		{"half", column_function(e, t, r, inverse, true)},
		{NULL, NULL},
	};
	emit_function(e, name, add ? "fft_columns_add" : inverse ? "fft_columns_back" : "fft_columns",
		      rows_holes(t, r, holes));
	return name;
}

static const char *const names[] = {"product", "product_dx", "product_dw"};

static Hole *product_holes(const Node *n, const char *name)
{
	Sizes z = sizes_of(n);
	bool dw = n->attr.form == BINS_DW, dx = n->attr.form == BINS_DX;
	bool adds = dw && is_grouped(n);
	long long k = (long long)z.k, m = (long long)z.m;
	const Hole holes[] = {
		{"name", name},
		{"formula", dw   ? arena_printf("c (%lld,%lld) %s a^H b of a (n,%lld), b (n,%lld)", k, m,
						 adds ? "+=" : "=", k, m)
			    : dx ? arena_printf("c (n,%lld) = a conj(b) of a (n,%lld), b (%lld,%lld)", m, k, k, m)
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
		{"sets", adds ? "+=" : "="},
		{"aminus", dw ? "-" : "+"},
		{"bminus", dx ? "-" : "+"},
		{"minus", dx ? "true" : "false"},
		{"re", dw || dx ? "s + t" : "s - t"},
		{"im", dw || dx ? "u - s + t" : "u - s - t"},
	};
	return join_holes(holes, sizeof holes / sizeof *holes, NULL);
}

/* The columns of operand k, whose holes begin with `letter`. */
static Hole *operand_holes(Emit *e, const Node *n, int k, const char *letter, const Hole *more)
{
	const Rows *r = rows_of_form(n, k), column = column_rows(n, k);
	const char *tiles =
		is_grouped(n) ? "tiles" : times_text("n", r->down.count * r->across.count);
	const char *vecs = arena_printf("NNC_VECTORS(%lld)", (long long)r->c);
	bool all = tiles_of_column(n, r) == strips(r) && column.c == r->c;
	const char *part = all ? (const char *[]){"A", "B", "C"}[k]
			       : arena_printf("%lld * %s", (long long)strips(r), vecs);
	const Hole holes[] = {
		{letter, columns_function(e, n, k, k == 2)},
		{arena_printf("%s_n", letter), column.taps ? int_text(column.count) : tiles},
		{arena_printf("%s_PART", letter),
		 arena_printf("%lld * NNC_VECTORS(%lld)", (long long)tiles_of_column(n, &column),
			      (long long)column.c)},
		{arena_printf("%s_ROWS", letter),
		 arena_printf("2 * %s * %lld | 1", part, (long long)strip_lines(r))},
		{arena_printf("%s_STRIP", letter),
		 arena_printf("2 * %s * %lld", vecs, (long long)strip_lines(r))},
	};
	return join_holes(holes, sizeof holes / sizeof *holes, more);
}

/* Emits the function that multiplies the bins, and what it calls. */
static void bins_function(Emit *e, const Node *n, const char *name, const char *product)
{
	Sizes z = sizes_of(n);
	const Spectral *s = n->attr.spectral;
	bool grouped = is_grouped(n), dw = n->attr.form == BINS_DW, dx = n->attr.form == BINS_DX;
	const Hole holes[] = {
		{"all", name},
		{"product", product},
		{"PH", int_text(s->t.ph)},
		{"PW", int_text(s->t.pw)},
		{"tiles", grouped ? "tiles" : times_text("n", s->t.down.tiles * s->t.across.tiles)},
		{"strips", times_text("n", s->t.across.tiles)},
		{"STRIPS", int_text(group_strips(s))},
		{"DOWN", int_text(s->t.down.tiles)},
		{"turned_room", dx ? ", *turned = sums + A + B" : ""},
		{"b_rows", dx ? "turned" : "b + column * BROWS"},
		{"turn", dx ? arena_printf("turn(%lld, %lld, %lld, b + column * BROWS, turned);",
					 (long long)z.m, 2 * (long long)strip_lines(&s->w),
					 (long long)z.k) : ""},
	};
	Hole *all = product_holes(n, product);
	for (int k = 0; k < 3; k++)
		all = operand_holes(e, n, k, (const char *[]){"a", "b", "c"}[k], all);
	use_tile(e);
	emit_function(e, "tile_triple", "tile_triple", NULL);
	if (dx)
		emit_function(e, "turn", "fft_turn", NULL);
	emit_function(e, product, "fft_product", product_holes(n, product));
	emit_function(e, name, !grouped ? "fft_bins" : dw ? "fft_bins_sum" : "fft_bins_groups",
		      join_holes(holes, sizeof holes / sizeof *holes, all));
}

static void emit(Emit *e, const Node *n)
{
	Sizes z = sizes_of(n);
	const Spectral *s = n->attr.spectral;
	const char *of_group = n->attr.form == BINS_DW ? "_sum" : "_part";
	const char *product = arena_printf("%s_%lldx%lldx%lld%s", names[n->attr.form], (long long)z.n,
					   (long long)z.k, (long long)z.m,
					   is_grouped(n) ? of_group : "");
	const char *name = window_name(arena_printf("bins_%s_%lldx%lld", product, (long long)s->t.ph,
						    (long long)s->t.pw), &s->window);
	if (is_tiled(&s->x))
		name = arena_printf("%s_tiles_%lldx%lld", name, (long long)s->t.down.tiles,
				    (long long)s->t.across.tiles);
	if (!is_finished(e, name))
		bins_function(e, n, name, product);
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
/* t (k,planes,m) from b (m,planes,k) */
static void turn(int m, int planes, int k, const nnc_vec *restrict b, nnc_vec *restrict t)
{
	enum { L = NNC_LANES };
	const int bs = planes * NNC_VECTORS(k), ts = planes * NNC_VECTORS(m); /* of their rows */

	for (int j = 0; j < m; j += L, b += L * bs, t++)
		for (int p = 0; p < planes; p++)
			for (int i = 0; i < k; i += L) {
				const int rows = m - j < L ? m - j : L, cols = k - i < L ? k - i : L;
				const nnc_vec *from = b + p * NNC_VECTORS(k) + i / L;
				nnc_vec *to = t + p * NNC_VECTORS(m) + i * ts;
				if (rows < L) /* the lanes behind row m */
					for (int c = 0; c < cols; c++)
						to[c * ts] = (nnc_vec){0};
				nnc_move_block((const real *)from, bs * L, (real *)to, ts * L, rows, cols);
			}
}
#endif

#ifdef TEMPLATE_fft_product
/*
 * rows x vecs vectors of c from row i and vector j on, by three real products: s and t of the
 * real and the imaginary parts, u of sums of both
 */
static NNC_INLINE void $name$_tile(int rows, int vecs, int i, int j, int terms,
				 const nnc_vec *const a[3], const nnc_vec *const b[3],
				 nnc_vec *restrict c)
{
	enum { L = NNC_LANES, N = $N$, K = $K$, KV = NNC_VECTORS(K), MV = NNC_VECTORS($M$) };
	enum { PART = $ROWS$ * MV };
	const real *ap[3], *bp[3];
	nnc_vec stu[3][NNC_TILE_SUMS];

	for (int p = 0; p < 3; p++) {
		ap[p] = (const real *)a[p] + i * $row$;
		bp[p] = (const real *)(b[p] + j);
	}
	if (NNC_TILE_TRIPLES > 0)
		tile_triple(rows, vecs, $minus$, terms, ap, $row$, $term$, bp, MV * L, stu);
	else
		for (int p = 0; p < 3; p++)
			tile(rows, vecs, L, 1, terms, ap[p], rows, 0, $row$, $term$, 0, bp[p],
			     MV * L, 0, stu[p]);
	NNC_UNROLL
	for (int k = 0; k < rows * vecs; k++) {
		const nnc_vec s = stu[0][k], t = stu[1][k], u = stu[2][k];
		nnc_vec *to = c + (i + k / vecs) * MV + j + k % vecs;
		to[0] $sets$ $re$;
		to[PART] $sets$ $im$;
	}
}

/* $formula$, complex; sums: room for those of a's and of b's parts */
static void $name$(int n, const nnc_vec *restrict a, const nnc_vec *restrict b,
		   nnc_vec *restrict c, nnc_vec *restrict sums)
{
	enum { N = $N$, K = $K$, A = N * NNC_VECTORS(K), MV = NNC_VECTORS($M$), B = $TERMS$ * MV };
	enum { ROWS = NNC_TILE_TRIPLES > 0 ? NNC_HEIGHT($ROWS$, NNC_TILE_TRIPLES) : NNC_ROWS($ROWS$) };
	const nnc_vec *as[] = {a, a + A, sums}, *bs[] = {b, b + B, sums + A};

	for (int i = 0; i < A; i++)
		sums[i] = a[i] $aminus$ a[A + i];
	if (NNC_TILE_TRIPLES == 0)
		for (int i = 0; i < $terms$ * MV; i++)
			sums[A + i] = b[i] $bminus$ b[B + i];
	for (int j = 0; j < MV; j += 2) {
		int i = 0;
		for (; i + ROWS <= $rows$; i += ROWS)
			if (j + 1 < MV)
				$name$_tile(ROWS, 2, i, j, $terms$, as, bs, c);
			else if (MV % 2 > 0)
				$name$_tile(ROWS, 1, i, j, $terms$, as, bs, c);
		for (; i < $rows$; i++)
			if (j + 1 < MV)
				$name$_tile(1, 2, i, j, $terms$, as, bs, c);
			else if (MV % 2 > 0)
				$name$_tile(1, 1, i, j, $terms$, as, bs, c);
	}
}
#endif

#ifdef TEMPLATE_fft_columns
/* f: the bins of one column of rows s; half: those of a real column */
static void $name$(int n, const nnc_vec *restrict s, nnc_vec *restrict f, bool half)
{
	enum { H = $HIGH$, CV = NNC_VECTORS($C$), PART = $TILES$ * CV, BIN = 2 * PART | 1 };
	enum { NEXT = $DOWN_STEP$ * 2 * CV }; /* from a tile to the next */

	for (int i = 0; i < n * CV; i++) {
		const nnc_vec *row = s + $at$ + i % CV;
		const nnc_vec *next = i + CV < n * CV ? row + NEXT : row;
		for (int h = 0; h < 2 * H; h++)
			__builtin_prefetch(next + h * CV);
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
	enum { H = $HIGH$, CV = NNC_VECTORS($C$), PART = $TILES$ * CV, BIN = 2 * PART | 1 };
	enum { NEXT = $DOWN_STEP$ * 2 * CV }; /* from a tile to the next */

	for (int i = 0; i < n * CV; i++) {
		nnc_vec *row = s + $at$ + i % CV;
		const nnc_vec *next = i + CV < n * CV ? row + NEXT : row;
		for (int h = 0; h < 2 * H; h++)
			__builtin_prefetch(next + h * CV, 1);
		if (half)
			$half$(f + i, BIN, PART, row, 2 * CV);
		else
			$whole$(f + i, BIN, PART, row, 2 * CV, CV);
	}
}
#endif

#ifdef TEMPLATE_fft_columns_add
/*
 * s: one column of rows, from its bins f; half: of a real column. Tiles are added where they
 * overlap
 */
static void $name$(int n, const nnc_vec *restrict f, nnc_vec *restrict s, bool half)
{
	enum { H = $HIGH$, CV = NNC_VECTORS($C$), PART = $TILES$ * CV, BIN = 2 * PART | 1 };
	enum { NEXT = $DOWN_STEP$ * 2 * CV }; /* from a tile to the next */

	for (int i = 0; i < n * CV; i++) {
		const int begun = i / CV % $DOWN$ ? H - $DOWN_STEP$ : 0; /* lines of the tile above */
		nnc_vec *row = s + $at$ + i % CV;
		const nnc_vec *next = i + CV < n * CV ? row + NEXT : row;
		nnc_vec t[2 * H];
		for (int h = 0; h < 2 * H; h++)
			__builtin_prefetch(next + h * CV, 1);
		if (half)
			$half$(f + i, BIN, PART, t, 2);
		else
			$whole$(f + i, BIN, PART, t, 2, 1);
		for (int h = 0; h < H; h++, row += 2 * CV)
			for (int p = 0; p < (half ? 1 : 2); p++) {
				if (h < begun)
					t[2 * h + p] += row[p * CV];
				row[p * CV] = t[2 * h + p];
			}
	}
}
#endif

#ifdef TEMPLATE_fft_bins
/* $formula$ in every bin of $PH$ x $PW$ places, a column at a time */
static void $all$(const NncThread *thread, int n, const nnc_vec *restrict a,
		  const nnc_vec *restrict b, nnc_vec *restrict c)
{
	enum { PH = $PH$, MIDDLE = $PW$ / 2 };
	enum { A = $a_PART$, B = $b_PART$, C = $c_PART$ }; /* of a bin's part */
	enum { ABIN = 2 * A | 1, BBIN = 2 * B | 1, CBIN = 2 * C | 1 };
	enum { AROWS = $a_ROWS$, BROWS = $b_ROWS$, CROWS = $c_ROWS$ };
	nnc_vec *af = thread->scratch, *bf = af + PH * ABIN, *cf = bf + PH * BBIN;
	nnc_vec *sums = cf + PH * CBIN$turned_room$;
	const NncRange share = nnc_share(thread, MIDDLE + 1);

	for (int column = share.first; column < share.end; column++) {
		const bool half = column % MIDDLE == 0;
		$a$($a_n$, a + column * AROWS, af, half);
		$turn$
		$b$($b_n$, $b_rows$, bf, half);
		for (int k = 0; k < (half ? PH / 2 + 1 : PH); k++)
			$product$($tiles$, af + k * ABIN, bf + k * BBIN, cf + k * CBIN, sums);
		$c$($c_n$, cf, c + column * CROWS, half);
	}
}
#endif

#ifdef TEMPLATE_fft_bins_groups
/*
 * $formula$ in every bin of $PH$ x $PW$ places, a column at a time, and of it $STRIPS$ columns of
 * tiles, so that it stays in the cache; that of b is transformed once
 */
static void $all$(const NncThread *thread, int n, const nnc_vec *restrict a,
		  const nnc_vec *restrict b, nnc_vec *restrict c)
{
	enum { PH = $PH$, MIDDLE = $PW$ / 2 };
	enum { A = $a_PART$, B = $b_PART$, C = $c_PART$ }; /* of a bin's part */
	enum { ABIN = 2 * A | 1, BBIN = 2 * B | 1, CBIN = 2 * C | 1 };
	enum { AROWS = $a_ROWS$, BROWS = $b_ROWS$, CROWS = $c_ROWS$ };
	enum { STRIPS = $STRIPS$, ASTRIP = $a_STRIP$, CSTRIP = $c_STRIP$ };
	nnc_vec *af = thread->scratch, *bf = af + PH * ABIN, *cf = bf + PH * BBIN;
	nnc_vec *sums = cf + PH * CBIN$turned_room$;
	const int strips = $strips$, groups = (strips + STRIPS - 1) / STRIPS;
	const NncRange share = nnc_share(thread, (MIDDLE + 1) * groups);

	for (int i = share.first; i < share.end; i++) {
		const int column = i / groups, first = i % groups * STRIPS;
		const int tiles = (strips - first < STRIPS ? strips - first : STRIPS) * $DOWN$;
		const bool half = column % MIDDLE == 0;
		const int bins = half ? PH / 2 + 1 : PH;
		if (first == 0 || i == share.first) {
			$turn$
			$b$($b_n$, $b_rows$, bf, half);
		}
		$a$(tiles, a + column * AROWS + first * ASTRIP, af, half);
		for (int k = 0; k < bins; k++)
			$product$(tiles, af + k * ABIN, bf + k * BBIN, cf + k * CBIN, sums);
		$c$(tiles, cf, c + column * CROWS + first * CSTRIP, half);
	}
}
#endif

#ifdef TEMPLATE_fft_bins_sum
/*
 * $formula$ in every bin of $PH$ x $PW$ places, a column at a time; of those of a and b $STRIPS$
 * columns of tiles, so that they stay in the cache
 */
static void $all$(const NncThread *thread, int n, const nnc_vec *restrict a,
		  const nnc_vec *restrict b, nnc_vec *restrict c)
{
	enum { PH = $PH$, MIDDLE = $PW$ / 2 };
	enum { A = $a_PART$, B = $b_PART$, C = $c_PART$ }; /* of a bin's part */
	enum { ABIN = 2 * A | 1, BBIN = 2 * B | 1, CBIN = 2 * C | 1 };
	enum { AROWS = $a_ROWS$, BROWS = $b_ROWS$, CROWS = $c_ROWS$ };
	enum { STRIPS = $STRIPS$, ASTRIP = $a_STRIP$, BSTRIP = $b_STRIP$ };
	nnc_vec *af = thread->scratch, *bf = af + PH * ABIN, *cf = bf + PH * BBIN;
	nnc_vec *sums = cf + PH * CBIN;
	const int strips = $strips$;
	const NncRange share = nnc_share(thread, MIDDLE + 1);

	for (int column = share.first; column < share.end; column++) {
		const bool half = column % MIDDLE == 0;
		memset(cf, 0, PH * CBIN * sizeof *cf);
		for (int first = 0; first < strips; first += STRIPS) {
			const int tiles = (strips - first < STRIPS ? strips - first : STRIPS) * $DOWN$;
			$a$(tiles, a + column * AROWS + first * ASTRIP, af, half);
			$b$(tiles, b + column * BROWS + first * BSTRIP, bf, half);
			for (int k = 0; k < (half ? PH / 2 + 1 : PH); k++)
				$product$(tiles, af + k * ABIN, bf + k * BBIN, cf + k * CBIN, sums);
		}
		$c$($c_n$, cf, c + column * CROWS, half);
	}
}
#endif
