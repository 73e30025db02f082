/*
 * training.c - the learning curves, as an SVG by gnuplot within the page, and the
 * epochs as a table: behind the curves, or instead of them where there is no gnuplot.
 */
#include "plot.h"
#include "report/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ROWS = 200 /* epochs in the table */ };

/* Without its XML heading, and with a title that says what it is. */
static void put_svg(FILE *page, const char *svg)
{
	const char *title = strstr(svg, "<title>"), *after = strstr(svg, "</desc>");

	fputs("<figure class=\"curves\" style=\"margin:0\">", page);
	if (title && after && title < after) {
		fwrite(svg, 1, (size_t)(title - svg), page);
		fputs("<title>Loss and accuracy of each epoch; the numbers are in the "
		      "table below</title>",
		      page);
		svg = after + strlen("</desc>");
	}
	fputs(svg, page);
	fputs("</figure>\n", page);
}

/* *drawn: there are curves. Only a lack of memory is an error. */
static int put_curves(FILE *page, NncReport *r, bool *drawn, NncError *err)
{
	NncCurves curves = {
		.model = r->model,
		.state = &r->state,
		.epochs = r->rows[r->row_count - 1].epoch,
		.best_epoch = r->state.watch[0] ? r->state.best_epoch : 0,
		.held_out = r->state.validation > 0,
		.test = r->score.samples && !strcmp(r->part, "test") ? &r->score : NULL,
		.rows = r->rows,
		.row_count = r->row_count,
	};
	NncError failed = {0};
	char *svg = NULL, *script = nnc_curves_script(&curves);
	const char *start;

	if (!script)
		return nnc_fail(err, NNC_NOMEM, "not enough memory for the curves");
	nnc_gnuplot(NULL, script, NNC_PLOT_SECONDS, &svg, &failed);
	free(script);
	start = svg ? strstr(svg, "<svg") : NULL;
	if (start)
		put_svg(page, start);
	else
		snprintf(r->note, sizeof r->note, "%s",
			 svg ? "gnuplot printed no picture" : failed.message);
	*drawn = start != NULL;
	free(svg);
	return NNC_OK;
}

static void put_number(FILE *page, const char *format, double value)
{
	fputs("<td class=\"n\">", page);
	if (isfinite(value))
		fprintf(page, strcmp(format, "s") ? "%.4f" : "%.2f", value);
	fputs("</td>", page);
}

static void put_table(FILE *page, const NncReport *r)
{
	static const char *const heading[] = {
		"epoch",  "loss", "accuracy", "validation loss", "validation accuracy",
		"seconds"};
	size_t every = (r->row_count + MAX_ROWS - 1) / MAX_ROWS;
	bool held_out = r->state.validation > 0;

	fputs("<div class=\"wide\"><table>\n<thead><tr>", page);
	for (size_t i = 0; i < sizeof heading / sizeof *heading; i++)
		if (held_out || strncmp(heading[i], "validation", 10) != 0)
			fprintf(page, "<th scope=\"col\" class=\"n\">%s</th>",
				heading[i]);
	fputs("</tr></thead>\n<tbody>\n", page);
	for (size_t i = 0; i < r->row_count; i++) {
		const NncRow *row = &r->rows[i];
		if (i % every && i + 1 < r->row_count)
			continue;
		fprintf(page, "<tr><th scope=\"row\" class=\"n\">%u</th>",
			(unsigned)row->epoch);
		put_number(page, "", row->loss);
		put_number(page, "", row->accuracy);
		if (held_out) {
			put_number(page, "", row->val_loss);
			put_number(page, "", row->val_accuracy);
		}
		put_number(page, "s", row->seconds);
		fputs("</tr>\n", page);
	}
	fputs("</tbody></table></div>\n", page);
}

int nnc_report_training(FILE *page, NncReport *r, NncError *err)
{
	bool drawn = false;
	int code;

	if (!r->row_count)
		return NNC_OK;
	fputs("<h2>Training</h2>\n", page);
	code = put_curves(page, r, &drawn, err);
	fprintf(page, "<details%s><summary>%s</summary>\n", drawn ? "" : " open",
		r->row_count > MAX_ROWS ? "Some of the epochs" : "Epochs");
	put_table(page, r);
	fputs("</details>\n", page);
	return code;
}
