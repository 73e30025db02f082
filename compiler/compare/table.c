/* table.c - the layers of two models side by side, then what they come to. */
#include <string.h>

#include "compare.h"

enum { STATEMENT, OUTPUT, PARAMETERS, MACS, COLUMNS, WIDEST = 40 };

static const char *const heads[COLUMNS] = {"layer", "output", "parameters", "MACs"};

const char *colour(const Comparison *c, const char *code)
{
	return c->colour ? arena_printf("\033[%sm", code) : "";
}

/* ---- layers -------------------------------------------------------------- */

static void cells_of(const Row *row, const char *cells[COLUMNS])
{
	for (int k = 0; k < COLUMNS; k++)
		cells[k] = "";
	if (!row)
		return;
	const NetLayer *l = row->layer;
	cells[STATEMENT] = cut_text(printable(row->text), WIDEST);
	cells[OUTPUT] = shape_name(l->out);
	cells[PARAMETERS] = grouped_text(l->params);
	cells[MACS] = grouped_text(l->macs);
}

static void widen(int width[COLUMNS], const char *const cells[COLUMNS])
{
	for (int k = 0; k < COLUMNS; k++)
		if ((int)strlen(cells[k]) > width[k])
			width[k] = (int)strlen(cells[k]);
}

static int total_width(const int width[COLUMNS])
{
	int sum = 0;
	for (int k = 0; k < COLUMNS; k++)
		sum += width[k] + (k > 0);
	return sum;
}

static void print_cells(FILE *out, const int width[COLUMNS],
			const char *const cells[COLUMNS])
{
	fprintf(out, "%-*s %-*s %*s %*s", width[STATEMENT], cells[STATEMENT],
		width[OUTPUT], cells[OUTPUT], width[PARAMETERS], cells[PARAMETERS],
		width[MACS], cells[MACS]);
}

/* As diff -y has it: '|' both, but not the same; '<' only the left one; '>' the right.
 */
static char mark_of(const Pair *p)
{
	if (!p->a || !p->b)
		return p->a ? '<' : '>';
	return same_row(p->a, p->b) ? ' ' : '|';
}

static const char *mark_colour(const Comparison *c, char mark)
{
	const char *code = mark == '<' ? "31" : mark == '>' ? "32" : "33";
	return mark == ' ' ? "" : colour(c, code);
}

static void print_pair(const Comparison *c, const Pair *p, const int left[COLUMNS],
		       const int right[COLUMNS])
{
	const char *a[COLUMNS], *b[COLUMNS];
	char mark = mark_of(p);
	cells_of(p->a, a);
	cells_of(p->b, b);
	fputs(mark_colour(c, mark), c->out);
	print_cells(c->out, left, a);
	fprintf(c->out, mark == '<' ? " <" : " %c ", mark);
	if (p->b)
		print_cells(c->out, right, b);
	fprintf(c->out, "%s\n", mark == ' ' ? "" : colour(c, "0"));
}

static void print_rule(FILE *out, int width)
{
	while (width-- > 0)
		putc('-', out);
	putc('\n', out);
}

static void print_heads(const Comparison *c, const int left[COLUMNS],
			const int right[COLUMNS])
{
	const int a = total_width(left), b = total_width(right);
	fprintf(c->out, "%-*s   %s\n", a, cut_text(c->name_a, a), c->name_b);
	print_rule(c->out, a + 3 + b);
	print_cells(c->out, left, heads);
	fputs("   ", c->out);
	print_cells(c->out, right, heads);
	fputs("\n", c->out);
	print_rule(c->out, a + 3 + b);
}

/* ---- sums ---------------------------------------------------------------- */

static void print_sum(const Comparison *c, const char *what, int64_t a, int64_t b)
{
	const char *sign = b > a ? "+" : "-", *share = "";
	if (a > 0 && a != b)
		share = arena_printf(" (%+.1f %%)",
				     100 * ((double)b - (double)a) / (double)a);
	const char *by =
		a == b ? "same"
		       : arena_printf("%s%s%s", sign,
				      grouped_text(a > b ? a - b : b - a), share);
	fprintf(c->out, "%-24s %15s %15s   %s%s%s\n", what, grouped_text(a),
		grouped_text(b), a == b ? "" : colour(c, "33"), by,
		a == b ? "" : colour(c, "0"));
}

static void print_sums(const Comparison *c)
{
	const Net *a = c->a, *b = c->b;
	fprintf(c->out, "\n%-24s %15s %15s   difference\n", "in all", "left", "right");
	print_sum(c, "parameters", a->params_total, b->params_total);
	print_sum(c, "multiply-adds a sample", a->macs_total, b->macs_total);
	print_sum(c, "arena in training, bytes", 4 * a->train.arena,
		  4 * b->train.arena);
	print_sum(c, "training, bytes", training_bytes(a), training_bytes(b));
	print_sum(c, "inference, bytes", inference_bytes(a), inference_bytes(b));
}

bool compare_layers(const Comparison *c)
{
	int count, left[COLUMNS] = {0}, right[COLUMNS] = {0};
	const char *cells[COLUMNS];
	bool differ = false;
	Pair *pairs = align_layers(c->a, c->b, &count);
	widen(left, heads);
	widen(right, heads);
	for (int i = 0; i < count; i++) {
		cells_of(pairs[i].a, cells);
		widen(left, cells);
		cells_of(pairs[i].b, cells);
		widen(right, cells);
	}
	print_heads(c, left, right);
	for (int i = 0; i < count; i++) {
		print_pair(c, &pairs[i], left, right);
		differ |= mark_of(&pairs[i]) != ' ';
	}
	print_sums(c);
	return differ;
}
