/*
 * tile.c - the inner loop of every product kernel: a tile of rows x vectors that stays in
 * registers while its terms are summed, in GCC's vector extensions.
 */
#include "nnc.h"

void use_tile(Emit *e)
{
	emit_function(e, "tile", "tile", NULL);
}

#ifdef TEMPLATE_tile
/*
 * t: rows x vecs vectors, each the sum over `runs` runs of `terms` terms of a number of a
 * times a vector of b. a has a row every ar, a term every ak, a run every as; b a term
 * every bk, a run every bs. The last vector has `last` columns; t has a row every tr.
 */
static NNC_INLINE void tile_block(int rows, int vecs, int last, int runs, int terms,
				  const real *restrict a, int ar, int ak, int as,
				  const real *restrict b, int bk, int bs,
				  real *restrict t, int tr)
{
	nnc_vec s[NNC_TILE_MAX] = {{0}};

	for (int p = 0; p < runs; p++, a += as, b += bs)
		for (int k = 0; k < terms; k++) {
			nnc_vec bv[8];
			NNC_UNROLL
			for (int q = 0; q < vecs; q++)
				bv[q] = nnc_load(b + k * bk + q * NNC_LANES,
						 q < vecs - 1 ? NNC_LANES : last);
			NNC_UNROLL
			for (int r = 0; r < rows; r++) {
				const real x = a[r * ar + k * ak];
				NNC_UNROLL
				for (int q = 0; q < vecs; q++)
					s[r * vecs + q] += x * bv[q];
			}
		}
	NNC_UNROLL
	for (int r = 0; r < rows; r++)
		NNC_UNROLL
		for (int q = 0; q < vecs; q++)
			*(nnc_vec *)(t + r * tr + q * NNC_LANES) = s[r * vecs + q];
}

/*
 * A tile of `rows` x `cols`, at most `full` rows (a constant) and as many columns as tr:
 * all at once when it has all its rows, else a row at a time.
 */
static NNC_INLINE void tile(int full, int rows, int cols, int runs, int terms,
			    const real *restrict a, int ar, int ak, int as,
			    const real *restrict b, int bk, int bs, real *restrict t, int tr)
{
	enum { L = NNC_LANES };

	if (rows == full && cols == 2 * L)
		tile_block(full, 2, L, runs, terms, a, ar, ak, as, b, bk, bs, t, tr);
	else if (rows == full && cols <= L)
		tile_block(full, 1, cols, runs, terms, a, ar, ak, as, b, bk, bs, t, tr);
	else if (rows == full && cols < 2 * L)
		tile_block(full, 2, cols - L, runs, terms, a, ar, ak, as, b, bk, bs, t, tr);
	else if (rows == full && cols == 8 * L)
		tile_block(1, 8, L, runs, terms, a, ar, ak, as, b, bk, bs, t, tr);
	else
		for (int r = 0; r < rows; r++)
			for (int j = 0; j < cols; j += L)
				tile_block(1, 1, cols - j < L ? cols - j : L, runs, terms,
					   a + r * ar, ar, ak, as, b + j, bk, bs,
					   t + r * tr + j, tr);
}
#endif
