/*
 * conv_direct_pool.c - a direct convolution that ends with a maxpool: a tile is one window
 * of the pool, all of whose outputs are in registers at once. Where that makes too small a
 * tile, or windows are cut off, the lines of one row of windows are in memory at a time.
 */
#include "conv_direct.h"

static Window pool_window(const Node *pool)
{
	return window_of(&pool->attr, pool->in[0]->shape, result(pool)->shape);
}

/* Whole windows, of enough sums to keep the units busy and few enough for the registers. */
static bool in_registers(const Window *w, const Node *pool)
{
	Window p = pool_window(pool);
	int64_t places = p.kh * p.kw, vectors = (w->o + 15) / 16;
	return places <= 8 && places * vectors >= 8 && p.sw >= p.kw && p.top == 0 && p.left == 0 &&
	       (p.oh - 1) * p.sh + p.kh <= p.h && (p.ow - 1) * p.sw + p.kw <= p.w;
}

int64_t pool_lines_reals(const Window *w, const Node *pool)
{
	return in_registers(w, pool) ? 0 : pool->attr.kernel[0] * w->ow * w->o;
}

const Hole *pool_holes(const Node *pool, const Hole *conv)
{
	Window p = pool_window(pool);
	const Hole holes[] = {
		{"index", element_type(pool->out[1]->element)},
		{"pool_then", arena_printf(", then maxpool%s", then_text(pool))},
		{"pool_params", epilogue_params(pool)},
		{"pool_names", epilogue_names_at(pool, "i * LINE")},
		{"pool_epilogue", epilogue_text(pool)},
		{"POOL_H", int_text(p.oh)},
		{"POOL_W", int_text(p.ow)},
		{"POOL_LINE", int_text(p.ow * p.o)},
		{"POOL_KH", int_text(p.kh)},
		{"POOL_KW", int_text(p.kw)},
		{"POOL_SH", int_text(p.sh)},
		{"POOL_SW", int_text(p.sw)},
		{"POOL_TOP", int_text(p.top)},
	};
	return join_holes(holes, sizeof holes / sizeof *holes, conv);
}

/* The convolution itself has nothing fused; the maxpool has what comes after it. */
const char *pooled_function(Emit *e, const Node *n, const Window *w, const Node *pool)
{
	Node conv = *n;
	conv.fused_count = 0;
	const char *name = arena_printf("%s%s", window_name("conv", w), suffixes(n));
	const Hole *holes = pool_holes(pool, direct_holes(e, &conv, w, name));
	if (in_registers(w, pool)) {
		emit_function(e, arena_printf("%s_tile", name), "conv_pool_tile", holes);
		emit_function(e, name, "conv_pool_tiles", holes);
		return name;
	}
	const Hole lines[] = {
		{"line", conv_line_function(e, &conv, w)},
		{"pool", maxpool_line_function(e, pool)},
	};
	emit_function(e, name, "conv_pool_lines",
		      join_holes(lines, sizeof lines / sizeof *lines, holes));
	return name;
}

void call_pooled(Emit *e, const Node *n, const char *name, const Node *pool)
{
	put(e, "%s(thread, n, %s, %s, %s, %s%s);", name, ref(n->in[0]), ref(n->in[1]),
	    ref(result(n)), ref(n->out[1]), epilogue_args(pool));
}

#ifdef TEMPLATE_conv_pool_tile
/* `cols` numbers of y, from j0 on, of the pool's window (i,k): p is the padded image */
static NNC_INLINE void $name$_tile(int cols, int i, int k, int j0, const real *restrict p,
		const real *restrict w, real *restrict y, $index$ *restrict winner$pool_params$)
{
	enum { C = $C$, O = $O$, L = NNC_LANES };
	enum { H = $H$, KH = $KH$, SH = $SH$, SW = $SW$, PW = $PW$, TERMS = $KW$ * C, TOP = $TOP$ };
	enum { HIGH = $POOL_KH$, WIDE = $POOL_KW$, PLACES = HIGH * WIDE };
	const int top = i * $POOL_SH$ * SH, left = k * $POOL_SW$ * SW, vecs = NNC_VECTORS(cols);
	/* lines of the kernel that meet the image; the others would add zeros */
	const int first = TOP - top > (HIGH - 1) * SH ? TOP - top - (HIGH - 1) * SH : 0;
	const int last = H + TOP - top < KH ? H + TOP - top : KH;
	nnc_vec s[NNC_TILE_MAX];
	const real *sums = (const real *)s;

	tile(PLACES, vecs, cols - (vecs - 1) * L, last - first, TERMS,
	     p + ((top + first) * PW + left) * C, WIDE, SH * PW * C, SW * C, 1, PW * C,
	     w + first * TERMS * O + j0, O, TERMS * O, s);
	NNC_INDEPENDENT
	for (int q = 0; q < cols; q++) {
		const int j = j0 + q, at = k * O + j;
		real v = sums[q];
		int place = 0;
		NNC_UNROLL
		for (int r = 1; r < PLACES; r++) {
			const real other = sums[r * vecs * L + q];
			const bool wins = other > v || other != other;
			place = wins ? r : place;
			v = wins ? other : v;
		}
		winner[at] = ($index$)place;
		$pool_epilogue$
		y[at] = v;
	}
}
#endif

#ifdef TEMPLATE_conv_pool_tiles
/* y (n,$POOL_H$,$POOL_W$,$O$), winner: x (n,$H$,$W$,$C$) * w ($KH$,$KW$,$C$,$O$)$pool_then$ */
static void $name$(const NncThread *thread, int n, const real *restrict x,
		   const real *restrict w, real *restrict y, $index$ *restrict winner$pool_params$)
{
	enum { IMAGE = $H$ * $W$ * $C$, O = $O$, POOLED = $POOL_H$, WIDE = $POOL_W$ };
	enum { VECS = NNC_TILE_SUMS / ($POOL_KH$ * $POOL_KW$), LINE = WIDE * O };
	enum { COLS = NNC_COLS(O, VECS), REST = O % COLS };
	const NncRange share = nnc_share(thread, n * POOLED);
	real *p = thread->scratch;

	for (int i = share.first; i < share.end; i++) {
		if (i % POOLED == 0 || i == share.first)
			$pad$(x + i / POOLED * IMAGE, p);
		for (int j = 0; j < O; j += COLS)
			for (int k = 0; k < WIDE; k++)
				if (REST == 0 || O - j >= COLS)
					$name$_tile(COLS, i % POOLED, k, j, p, w, y + i * LINE, winner + i * LINE$pool_names$);
				else
					$name$_tile(REST, i % POOLED, k, j, p, w, y + i * LINE, winner + i * LINE$pool_names$);
	}
}
#endif

#ifdef TEMPLATE_conv_pool_lines
/*
 * y (n,$POOL_H$,$POOL_LINE$), winner: x (n,$H$,$W$,$C$) * w ($KH$,$KW$,$C$,$O$)$pool_then$;
 * only the lines of one row of windows are in memory at a time
 */
static void $name$(const NncThread *thread, int n, const real *restrict x,
		   const real *restrict w, real *restrict y, $index$ *restrict winner$pool_params$)
{
	enum { H = $H$, W = $W$, C = $C$, OH = $OH$, OW = $OW$, O = $O$ };
	enum { POOLED = $POOL_H$, LINE = $POOL_LINE$, KH = $POOL_KH$, SH = $POOL_SH$, TOP = $POOL_TOP$ };
	const NncRange share = nnc_share(thread, n * POOLED);
	real *p = thread->scratch, *lines = p + $padded$;

	for (int i = share.first; i < share.end; i++) {
		const int top = i % POOLED * SH - TOP;
		if (i % POOLED == 0 || i == share.first)
			$pad$(x + i / POOLED * H * W * C, p);
		for (int k = 0; k < KH; k++)
			if (top + k >= 0 && top + k < OH)
				$line$_line(top + k, p, w, lines + k * OW * O);
		$pool$_line(i % POOLED, top, lines, y + i * LINE, winner + i * LINE$pool_names$);
	}
}
#endif
