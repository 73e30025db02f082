/*
 * tile.c - the inner loop of every product kernel: a tile of rows x vectors that stays in
 * registers while its terms are summed, in GCC's vector extensions.
 */
#include "nnc.h"

/* "tile" with that suffix, and the terms it sums, which take `params` more and do `prefetch` at each. */
static void emit_tile(Emit *e, const char *suffix, const char *says, const char *params,
		      const char *names, const char *prefetch)
{
	const char *name = arena_printf("tile%s", suffix);
	const char *terms = arena_printf("tile_terms%s", suffix);
	const Hole holes[] = {
		{"name", name},
		{"terms", terms},
		{"says", says},
		{"params", params},
		{"names", names},
		{"prefetch", prefetch},
		{NULL, NULL},
	};
	emit_function(e, terms, "tile_terms", holes);
	emit_function(e, name, "tile", holes);
}

void use_tile(Emit *e)
{
	emit_tile(e, "", "", "", "", "");
}

/*
 * Emits the tile that a product's tiles are made by, and gives the holes that differ: with
 * `ahead` one that fetches what comes next into the second cache meanwhile.
 */
const Hole *tile_ahead_holes(Emit *e, bool ahead)
{
	static const Hole here[] = {
		{"tile", "tile"},
		{"next_params", ""},
		{"next", ""},
		{"AHEAD", ""},
		{"next_names", ""},
		{NULL, NULL},
	};
	static const Hole fetching[] = {
		{"tile", "tile_ahead"},
		{"next_params", "const real *next, int ahead, "},
		{"next", "next, ahead, "},
		{"AHEAD", ", AHEAD = (COLS * ROWS + M - 1) / M"}, /* all of them fetch it all */
		{"next_names", "next, AHEAD, "},
		{NULL, NULL},
	};
	if (!ahead) {
		use_tile(e);
		return here;
	}
	emit_tile(e, "_ahead", " Each term fetches `ahead` numbers of `next`.",
		  "const real *next, int ahead, ", "next + p * terms * ahead, ahead, ",
		  "for (int q = 0; q < ahead; q += (int)(NNC_ALIGN / sizeof(real)))\n"
		  "\t__builtin_prefetch(next + k * ahead + q, 0, 2);");
	return fetching;
}

#ifdef TEMPLATE_tile_terms
/*
 * sum: rows x vecs vectors; to each `terms` terms are added, of a number of a times a vector
 * of b. a has a row every ar, and a line of `line` rows every al, a term every ak; b a term
 * every bk. The last vector has `last` columns.$says$
 */
static NNC_INLINE void $terms$(int rows, int vecs, int last, int terms, const real *restrict a,
			     int line, int al, int ar, int ak, const real *restrict b, int bk,
			     $params$nnc_vec *restrict sum)
{
	NNC_UNROLL_4
	for (int k = 0; k < terms; k++) {
		nnc_vec bv[NNC_TILE_MAX];
		$prefetch$
		NNC_UNROLL
		for (int q = 0; q < vecs; q++)
			bv[q] = nnc_load(b + k * bk + q * NNC_LANES,
					 q < vecs - 1 ? NNC_LANES : last);
		NNC_UNROLL
		for (int r = 0; r < rows; r++) {
			const real x = a[r / line * al + r % line * ar + k * ak];
			NNC_UNROLL
			for (int q = 0; q < vecs; q++)
				sum[r * vecs + q] += x * bv[q];
		}
	}
}
#endif

#ifdef TEMPLATE_tile
/* s: the sums of `runs` runs of such terms; a run is every as in a, every bs in b. */
static NNC_INLINE void $name$(int rows, int vecs, int last, int runs, int terms,
			    const real *restrict a, int line, int al, int ar, int ak,
			    int as, const real *restrict b, int bk, int bs,
			    $params$nnc_vec *restrict s)
{
	nnc_vec sum[NNC_TILE_MAX] = {{0}}; /* s may have to be in memory after each term */

	for (int p = 0; p < runs; p++)
		$terms$(rows, vecs, last, terms, a + p * as, line, al, ar, ak, b + p * bs, bk,
		      $names$sum);
	NNC_UNROLL
	for (int i = 0; i < rows * vecs; i++)
		s[i] = sum[i];
}
#endif

#ifdef TEMPLATE_tile_triple
/*
 * s: of three products at a time rows x vecs vectors each, sums of `terms` terms: of a number
 * of a[0] times a vector of b[0], of a[1] times b[1], and of a[2] times the sum of both, or
 * b[0] `minus` b[1]. a has a row every ar, a term every ak; b a term every bk.
 */
static NNC_INLINE void tile_triple(int rows, int vecs, bool minus, int terms,
				 const real *const a[3], int ar, int ak,
				 const real *const b[2], int bk,
				 nnc_vec (*restrict s)[NNC_TILE_SUMS])
{
	nnc_vec sum[3][NNC_TILE_SUMS] = {{{0}}};

	for (int k = 0; k < terms; k++) {
		nnc_vec bv[3][2];
		NNC_UNROLL
		for (int q = 0; q < vecs; q++) {
			bv[0][q] = nnc_load(b[0] + k * bk + q * NNC_LANES, NNC_LANES);
			bv[1][q] = nnc_load(b[1] + k * bk + q * NNC_LANES, NNC_LANES);
			bv[2][q] = minus ? bv[0][q] - bv[1][q] : bv[0][q] + bv[1][q];
		}
		NNC_UNROLL
		for (int r = 0; r < rows; r++)
			NNC_UNROLL
			for (int p = 0; p < 3; p++) {
				const real x = a[p][r * ar + k * ak];
				NNC_UNROLL
				for (int q = 0; q < vecs; q++)
					sum[p][r * vecs + q] += x * bv[p][q];
			}
	}
	NNC_UNROLL
	for (int p = 0; p < 3; p++)
		NNC_UNROLL
		for (int k = 0; k < rows * vecs; k++)
			s[p][k] = sum[p][k];
}
#endif
