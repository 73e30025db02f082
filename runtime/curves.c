/*
 * curves.c - the learning curves of a run: loss and accuracy of each epoch, side by
 * side, as a script for gnuplot. In a run's folder it reads history.csv and draws
 * curves.svg and curves.png; for a page it brings its numbers along and prints an SVG.
 */
#include "internal.h"
#include "plot.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
	MAX_MARKED = 40,   /* epochs whose points are marked, not only joined */
	MAX_POINTS = 2000, /* of a curve that are drawn */
};

/* A curve's column of history.csv in the two panels. */
typedef struct Panel {
	const char *title;
	int train, held_out;      /* columns */
	int test;                 /* column of $test */
	const char *most, *limit; /* where its axis ends with one epoch, with more */
} Panel;

static const Panel panels[] = {
	{"loss", 2, 4, 2, "*", "*"},
	{"accuracy", 3, 5, 3, "1", "*<1"},
};

/* The distance of ticks that are whole epochs, ten or fewer. */
static uint32_t tick(uint32_t epochs)
{
	uint32_t power = 1;

	for (;; power *= 10)
		for (uint32_t i = 0; i < 3; i++)
			if (epochs / ((const uint32_t[]){1, 2, 5}[i] * power) <= 10)
				return (const uint32_t[]){1, 2, 5}[i] * power;
}

static void put_title(FILE *out, const NncCurves *c)
{
	const NncModel *model = c->model;
	char text[512];

	snprintf(text, sizeof text, "%.200s: %s, lr %g, batch %d, seed %u, %u epoch%s",
		 model->name, model->training.optimizer, c->state->lr,
		 (int)model->batch, (unsigned)c->state->seed, (unsigned)c->epochs,
		 c->epochs == 1 ? "" : "s");
	nnc_plot_string(out, text);
}

static void put_rows(FILE *out, const NncCurves *c)
{
	fprintf(out, "$history << end\nepoch,loss,accuracy,val_loss,val_accuracy\n");
	for (size_t i = 0; i < c->row_count; i++) {
		const double value[] = {c->rows[i].loss, c->rows[i].accuracy,
					c->rows[i].val_loss, c->rows[i].val_accuracy};
		fprintf(out, "%u", (unsigned)c->rows[i].epoch);
		for (size_t k = 0; k < 4; k++)
			if (isfinite(value[k]))
				fprintf(out, ",%.9g", value[k]);
			else
				fputc(',', out);
		fputc('\n', out);
	}
	fprintf(out, "end\n");
}

static void put_curve(FILE *out, const NncCurves *c, int column, int style,
		      const char *title)
{
	uint32_t every = (c->epochs + MAX_POINTS - 1) / MAX_POINTS;

	fprintf(out,
		" \\\n\t\t%s skip 1 every %u using 1:%d with %s ls %d title \"%s\"",
		c->rows ? "$history" : "\"history.csv\"", (unsigned)every, column,
		c->epochs <= MAX_MARKED ? "linespoints" : "lines", style, title);
}

static void put_panel(FILE *out, const NncCurves *c, const Panel *p)
{
	fprintf(out, "\tset title \"%s\"\n", p->title);
	if (c->epochs == 1) /* one point has no range */
		fprintf(out, "\tset yrange [0:%s]\n", p->most);
	else
		fprintf(out, "\tset yrange [0<*:%s]\n", p->limit);
	fprintf(out, "\tplot");
	put_curve(out, c, p->train, 1, "training");
	if (c->held_out) {
		fprintf(out, ",");
		put_curve(out, c, p->held_out, 2, "validation");
	}
	if (c->test)
		fprintf(out,
			", \\\n\t\t$test using 1:%d with points ls 3 title \"test "
			"%.4f\"",
			p->test, p->test == 2 ? c->test->loss : c->test->accuracy);
	if (c->best_epoch)
		fprintf(out, ", \\\n\t\tNaN with lines ls 4 title \"best: epoch %u\"",
			(unsigned)c->best_epoch);
	fprintf(out, "\n");
}

static void put_settings(FILE *out, const NncCurves *c)
{
	double margin = c->epochs <= MAX_MARKED ? 0.5 : 0;

	fprintf(out,
		"set encoding utf8\n"
		"set datafile separator comma\n"
		"set border 3\n"
		"set tics nomirror\n"
		"set grid ytics lt 1 lc rgb \"#c8c8c8\" lw 0.5\n"
		"set key bmargin center horizontal reverse Left samplen 3 width 1\n"
		"set style line 1 lc rgb \"#0072b2\" lw 2 pt 7 ps 0.5\n"
		"set style line 2 lc rgb \"#d55e00\" lw 2 pt 5 ps 0.5\n"
		"set style line 3 lc rgb \"#009e73\" lw 2 pt 9 ps 1.4\n"
		"set style line 4 lc rgb \"#707070\" lw 1.5 dt 3\n"
		"set xlabel \"epoch\"\n"
		"set bmargin %g\n"
		"set xrange [%g:%g]\n"
		"set xtics %u\n",
		c->best_epoch ? 6.5 : 5, 1 - margin, c->epochs + margin,
		(unsigned)tick(c->epochs));
	if (c->best_epoch)
		fprintf(out, "set arrow from %u, graph 0 to %u, graph 1 nohead ls 4\n",
			(unsigned)c->best_epoch, (unsigned)c->best_epoch);
	if (c->test)
		fprintf(out, "$test << end\n%u,%.9g,%.9g\nend\n",
			(unsigned)(c->best_epoch ? c->best_epoch : c->epochs),
			c->test->loss, c->test->accuracy);
}

char *nnc_curves_script(const NncCurves *c)
{
	NncStream stream;
	FILE *out;

	if (!nnc_stream_open(&stream))
		return NULL;
	out = stream.out;
	put_settings(out, c);
	if (c->rows) {
		put_rows(out, c);
		fprintf(out, "do for [kind in \"svg\"] {\n"
			     "\tset terminal svg size 960,340 dynamic noenhanced "
			     "font \"sans-serif,13\"\n");
	} else {
		nnc_plot_begin(out, "curves");
	}
	fprintf(out, "\tset multiplot layout 1, 2");
	if (!c->rows) {
		fprintf(out, " title ");
		put_title(out, c);
	}
	fprintf(out, "\n");
	for (size_t i = 0; i < sizeof panels / sizeof *panels; i++)
		put_panel(out, c, &panels[i]);
	fprintf(out, "\tunset multiplot\n}\nunset output\n");
	return nnc_stream_close(&stream, NULL);
}

int nnc_curves_draw(const NncCurves *c, const NncFolder *folder, NncError *err)
{
	char *script = nnc_curves_script(c);
	int code;

	if (!script)
		return nnc_fail(err, NNC_NOMEM, "not enough memory for the curves");
	code = nnc_plot_draw(folder, "curves", script, err);
	free(script);
	return code;
}
