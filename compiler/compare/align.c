/*
 * align.c - which layers of two models belong to each other: the alignment of the two
 * sequences that costs least (Needleman and Wunsch 1970).
 */
#include <stdlib.h>
#include <string.h>

#include "compare.h"

enum {
	SAME = 0,    /* nothing differs */
	CARRIED = 1, /* the same statement, but for what comes from the layers before */
	ALTERED = 2, /* the same word, the same output */
	RESHAPED = 3, /* the same word, another output */
	ALONE = 4, /* a layer without a partner: twice is dearer than any pair above */
	APART = 1 << 20, /* never */
};

enum { PAIRED, LEFT, RIGHT };

static const char *normal_text(const Stmt *stmt)
{
	TextStream stream;
	text_open(&stream);
	print_stmts(stream.out, stmt, 1);
	const char *text = text_close(&stream, NULL);
	return arena_strndup(text, strcspn(text, ";\n"));
}

static Row *rows_of_net(const Net *net)
{
	Row *rows = arena_alloc(((size_t)net->layer_count + 1) * sizeof *rows);
	for (int i = 0; i < net->layer_count; i++) {
		const NetLayer *l = net->layers[i];
		rows[i] = (Row){l, normal_text(l->stmt)};
	}
	return rows;
}

bool same_row(const Row *a, const Row *b)
{
	const NetLayer *x = a->layer, *y = b->layer;
	return strcmp(a->text, b->text) == 0 && shape_equal(x->in, y->in) &&
	       shape_equal(x->out, y->out) && x->params == y->params &&
	       x->macs == y->macs;
}

static int pair_cost(const Row *a, const Row *b)
{
	if (a->layer->layer != b->layer->layer)
		return APART;
	if (same_row(a, b))
		return SAME;
	if (strcmp(a->text, b->text) == 0)
		return CARRIED;
	return shape_equal(a->layer->out, b->layer->out) ? ALTERED : RESHAPED;
}

/*
 * steps[i * (m + 1) + j]: how the first i and j layers are aligned best at their end.
 * Of equal alignments the one that pairs earlier layers: what is added is shown last.
 */
static void fill_steps(const Row *a, int n, const Row *b, int m, uint8_t *steps)
{
	int *row = arena_alloc((size_t)(m + 1) * sizeof *row);
	for (int j = 0; j <= m; j++) {
		row[j] = j * ALONE;
		steps[j] = RIGHT;
	}
	for (int i = 1; i <= n; i++) {
		int diagonal = row[0];
		row[0] = i * ALONE;
		steps[(size_t)i * (size_t)(m + 1)] = LEFT;
		for (int j = 1; j <= m; j++) {
			int pair = diagonal + pair_cost(&a[i - 1], &b[j - 1]);
			int left = row[j] + ALONE, right = row[j - 1] + ALONE;
			int best = left < right ? left : right;
			diagonal = row[j];
			row[j] = pair < best ? pair : best;
			steps[(size_t)i * (size_t)(m + 1) + (size_t)j] =
				right <= left && right <= pair ? RIGHT
				: left <= pair                 ? LEFT
							       : PAIRED;
		}
	}
}

Pair *align_layers(const Net *a, const Net *b, int *count)
{
	int i = a->layer_count, j = b->layer_count;
	const size_t width = (size_t)j + 1;
	uint8_t *steps = arena_alloc(((size_t)i + 1) * width);
	const Row *left_rows = rows_of_net(a), *right_rows = rows_of_net(b);
	fill_steps(left_rows, i, right_rows, j, steps);
	Pair *pairs = NULL;
	*count = 0;
	while (i > 0 || j > 0) {
		uint8_t step = steps[(size_t)i * width + (size_t)j];
		const Row *left = step != RIGHT ? &left_rows[--i] : NULL;
		const Row *right = step != LEFT ? &right_rows[--j] : NULL;
		*vec_push(&pairs, count) = (Pair){left, right};
	}
	for (int k = 0; k < *count / 2; k++) {
		Pair other = pairs[*count - 1 - k];
		pairs[*count - 1 - k] = pairs[k];
		pairs[k] = other;
	}
	return pairs;
}
