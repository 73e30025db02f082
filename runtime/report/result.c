/* result.c - the score, the confusion matrix, and how well each class is told. */
#include "report/report.h"

#include <math.h>
#include <string.h>

/* ---- in large figures -------------------------------------------------------- */

/* "1 h 04 min", "3 min 12 s", "7.5 s", "0.04 s". */
static void put_duration(FILE *page, double s)
{
	if (s < 60)
		fprintf(page, "%.*f s", s < 1 ? 2 : 1, s);
	else if (s < 3600)
		fprintf(page, "%d min %02d s", (int)s / 60, (int)s % 60);
	else
		fprintf(page, "%.0f h %02d min", floor(s / 3600),
			(int)fmod(s / 60, 60));
}

static void put_score(FILE *page, const NncReport *r)
{
	const NncScore *s = &r->score;
	double low, high;

	nnc_interval(s, &low, &high);
	fprintf(page,
		"<div><b>%.2f %%</b>%s accuracy<br><span class=\"faint\">"
		"95 %% interval %.2f to %.2f %%</span></div>\n",
		100 * s->accuracy, r->part, 100 * low, 100 * high);
	fprintf(page, "<div><b>%.4f</b>%s loss<br><span class=\"faint\">", s->loss,
		r->part);
	nnc_html_text(page, r->model->training.loss);
	fputs("</span></div>\n", page);
	fprintf(page,
		"<div><b>%lld</b>samples<br><span class=\"faint\">%lld answered "
		"wrongly</span></div>\n",
		(long long)s->samples, (long long)(s->samples - s->correct));
}

static void put_training_time(FILE *page, const NncReport *r)
{
	double seconds = 0;

	for (size_t i = 0; i < r->row_count; i++)
		seconds += isfinite(r->rows[i].seconds) ? r->rows[i].seconds : 0;
	fputs("<div><b>", page);
	put_duration(page, seconds);
	fprintf(page,
		"</b>of training<br><span class=\"faint\">%zu epoch%s</span></div>\n",
		r->row_count, r->row_count == 1 ? "" : "s");
}

/* ---- the matrix -------------------------------------------------------------- */

static void put_class(FILE *page, const NncReport *r, int32_t class)
{
	char name[64], number[16];

	snprintf(number, sizeof number, "%d", (int)class);
	nnc_class_name(name, r->model, class);
	nnc_html_text(page, name);
	if (strcmp(name, number) != 0)
		fprintf(page, " <span class=\"faint\">%s</span>", number);
}

/* A cell is as strong as its share of its row; a mistake's is stretched, as few are
   many already. */
static void put_cell(FILE *page, int64_t count, int64_t row, bool right)
{
	double share = row ? (double)count / (double)row : 0;

	if (!count)
		fputs("<td class=\"zero\">&middot;</td>", page);
	else
		fprintf(page, "<td class=\"%s\" style=\"--v:%.2f\">%lld</td>",
			right ? "hit" : "miss", right ? 0.5 * share : 0.6 * sqrt(share),
			(long long)count);
}

static void put_matrix(FILE *page, const NncReport *r)
{
	int32_t n = r->model->outputs;

	fputs("<h3>Confusion matrix</h3>\n<div class=\"wide\"><table "
	      "class=\"matrix\">\n"
	      "<caption>Row: the label. Column: the answer.</caption>\n"
	      "<thead><tr><th scope=\"col\">label</th>",
	      page);
	for (int32_t j = 0; j < n; j++)
		fprintf(page, "<th scope=\"col\">%d</th>", (int)j);
	fputs("</tr></thead>\n<tbody>\n", page);
	for (int32_t i = 0; i < n; i++) {
		const int64_t *row = r->tally.confusion + (int64_t)i * n;
		int64_t samples = 0;
		for (int32_t j = 0; j < n; j++)
			samples += row[j];
		fputs("<tr><th scope=\"row\">", page);
		put_class(page, r, i);
		fputs("</th>", page);
		for (int32_t j = 0; j < n; j++)
			put_cell(page, row[j], samples, i == j);
		fputs("</tr>\n", page);
	}
	fputs("</tbody></table></div>\n", page);
}

/* What the matrix would show, where it is too large. */
static void put_confused(FILE *page, const NncReport *r)
{
	NncConfused confused[NNC_REPORT_CONFUSED];
	int count = nnc_most_confused(confused, NNC_REPORT_CONFUSED, r->tally.confusion,
				      r->model->outputs);

	if (!count)
		return;
	fputs("<h3>Most frequent mistakes</h3>\n<div "
	      "class=\"wide\"><table>\n<thead><tr>"
	      "<th scope=\"col\">label</th><th scope=\"col\">answer</th>"
	      "<th scope=\"col\" class=\"n\">samples</th></tr></thead>\n<tbody>\n",
	      page);
	for (int i = 0; i < count; i++) {
		fputs("<tr><td>", page);
		put_class(page, r, confused[i].label);
		fputs("</td><td>", page);
		put_class(page, r, confused[i].answer);
		fprintf(page, "</td><td class=\"n\">%lld</td></tr>\n",
			(long long)confused[i].count);
	}
	fputs("</tbody></table></div>\n", page);
}

/* ---- classes ----------------------------------------------------------------- */

static void put_classes(FILE *page, const NncReport *r)
{
	fputs("<h3>Classes</h3>\n<div class=\"wide\"><table>\n<thead><tr>"
	      "<th scope=\"col\">class</th><th scope=\"col\" class=\"n\">precision</th>"
	      "<th scope=\"col\" class=\"n\">recall</th>"
	      "<th scope=\"col\" class=\"n\">F1</th>"
	      "<th scope=\"col\" class=\"n\">samples</th></tr></thead>\n<tbody>\n",
	      page);
	for (int32_t i = 0; i < r->model->outputs; i++) {
		NncClassScore s =
			nnc_class_score(r->tally.confusion, r->model->outputs, i);
		fputs("<tr><th scope=\"row\">", page);
		put_class(page, r, i);
		fprintf(page,
			"</th><td class=\"n\">%.4f</td><td class=\"n\">%.4f</td>"
			"<td class=\"n\">%.4f</td><td class=\"n\">%lld</td></tr>\n",
			s.precision, s.recall, s.f1, (long long)s.support);
	}
	fputs("</tbody></table></div>\n", page);
}

void nnc_report_result(FILE *page, const NncReport *r)
{
	fputs("<h2>Result</h2>\n", page);
	if (!r->score.samples) {
		fputs("<p>Nothing was scored: ", page);
		nnc_html_text(page, r->missing);
		fputs("</p>\n", page);
	}
	if (r->score.samples || r->row_count) {
		fputs("<div class=\"big\">\n", page);
		if (r->score.samples)
			put_score(page, r);
		if (r->row_count)
			put_training_time(page, r);
		fputs("</div>\n", page);
	}
	if (!r->score.samples || !r->tally.confusion)
		return;
	if (r->model->outputs <= NNC_REPORT_MATRIX)
		put_matrix(page, r);
	else
		put_confused(page, r);
	put_classes(page, r);
}
