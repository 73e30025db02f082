/*
 * plot.c - the search as a picture, through gnuplot: accuracy over two axes as a heat
 * map, lr x batch where they are there, or over one as a curve. What more axes there
 * are is at its best. The script and its data stay beside the picture.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "plot.h"
#include "search/search.h"

typedef struct Plot {
	const Search *s;
	const char *name;   /* heatmap or curve */
	const Axis *x, *y;  /* y: NULL of a curve */
	const Point **best; /* (y, x) of the points of a cell; NULL: all diverged */
	double least, most; /* accuracy */
} Plot;

/* ---- what is plotted ---- */

static int value_index(const Search *s, const Point *p, const Axis *axis)
{
	int i = 0;
	while (axis && axis->values[i] != point_value(s, p, axis->name))
		i++;
	return i;
}

/* lr and batch first, then the others as they are written. */
static void choose_axes(Plot *plot)
{
	const Tune *t = plot->s->tune;
	for (int turn = 0; turn < 3; turn++)
		for (int i = 0; i < t->axis_count; i++) {
			const char *name = t->axes[i].name;
			int place = strcmp(name, "lr") == 0      ? 0
				    : strcmp(name, "batch") == 0 ? 1
								 : 2;
			if (place != turn)
				continue;
			if (!plot->x)
				plot->x = &t->axes[i];
			else if (!plot->y)
				plot->y = &t->axes[i];
		}
}

static void choose_points(Plot *plot)
{
	const Search *s = plot->s;
	int rows = plot->y ? plot->y->count : 1;
	plot->best = arena_alloc((size_t)(rows * plot->x->count) * sizeof *plot->best);
	plot->least = 2;
	plot->most = -1;
	for (int i = 0; i < s->point_count; i++) {
		const Point *p = &s->points[i];
		const Point **cell =
			&plot->best[value_index(s, p, plot->y) * plot->x->count +
				    value_index(s, p, plot->x)];
		if (!isnan(p->mean) && (!*cell || p->mean > (*cell)->mean))
			*cell = p;
	}
	for (int i = 0; i < rows * plot->x->count; i++)
		if (plot->best[i]) {
			plot->least = fmin(plot->least, plot->best[i]->mean);
			plot->most = fmax(plot->most, plot->best[i]->mean);
		}
}

/* ---- text for gnuplot ---- */

static const char *axis_label(const Axis *axis)
{
	if (strcmp(axis->name, "lr") == 0)
		return "learning rate";
	return strcmp(axis->name, "batch") == 0 ? "batch size" : axis->name;
}

static void print_axis(FILE *out, char which, const Axis *axis)
{
	fprintf(out, "set %clabel ", which);
	nnc_plot_string(out, axis_label(axis));
	fprintf(out, " noenhanced\nset %crange [-0.5:%d.5]\nset %ctics scale 0 (",
		which, axis->count - 1, which);
	for (int i = 0; i < axis->count; i++) {
		fputs(i ? ", " : "", out);
		nnc_plot_string(out, plain_text(axis->values[i]));
		fprintf(out, " %d", i);
	}
	fputs(") noenhanced\n", out);
}

/* Values that would run into one another are written aslant. */
static bool crowded(const Axis *axis, int pixels)
{
	int most = 0;
	for (int i = 0; i < axis->count; i++) {
		int n = (int)strlen(plain_text(axis->values[i]));
		most = n > most ? n : most;
	}
	return 8 * most + 8 > pixels / axis->count;
}

/* ---- the files ---- */

static void print_data(FILE *out, const Plot *plot)
{
	int columns = plot->x->count, rows = plot->y ? plot->y->count : 1;
	fprintf(out, "# %s\t%s\taccuracy\tdeviation\ttext\tits colour\n", plot->x->name,
		plot->y ? plot->y->name : "-");
	for (int i = 0; i < rows * columns; i++) {
		const Point *p = plot->best[i];
		double span = plot->most - plot->least;
		bool dark = p && p->mean < plot->least + 0.6 * span;
		fprintf(out, "%d\t%d\t%s\t%s\t%s\t%d\n", i % columns, i / columns,
			p ? short_number(p->mean) : "nan",
			p ? short_number(p->sd) : "nan",
			p ? arena_printf("%.4f", p->mean) : "diverged",
			dark ? 0xffffff : 0);
	}
}

static void print_map(FILE *out, const Plot *plot)
{
	const Search *s = plot->s;
	const Point *best = best_point(s);
	double least = plot->least, most = plot->most;
	if (!(most > least)) {
		least -= 0.01;
		most += 0.01;
	}
	print_axis(out, 'x', plot->x);
	print_axis(out, 'y', plot->y);
	fprintf(out, "set cblabel 'accuracy'\nset cbrange [%s:%s]\n",
		short_number(least), short_number(most));
	fputs("set palette defined (0 '#440154', 0.25 '#3b528b', 0.5 '#21918c', "
	      "0.75 '#5ec962', 1 '#fde725')\n"
	      "unset key\n",
	      out);
	int x = value_index(s, best, plot->x), y = value_index(s, best, plot->y);
	fprintf(out,
		"set object rectangle from %d-0.5,%d-0.5 to %d+0.5,%d+0.5 front "
		"fillstyle empty border lc rgb '#d62728' lw 3\n",
		x, y, x, y);
}

static void print_curve(FILE *out, const Plot *plot)
{
	print_axis(out, 'x', plot->x);
	fputs("set ylabel 'accuracy'\nset grid ytics\nset key below\n", out);
}

static void print_plot(FILE *out, const Plot *plot)
{
	if (plot->y)
		fprintf(out,
			"plot '%s.tsv' using 1:2:(0.5):(0.5):3 with boxxyerror "
			"fillstyle solid border lc rgb 'white' lc palette, \\\n"
			"     '' using 1:2:5:6 with labels tc rgb variable\n",
			plot->name);
	else
		fprintf(out,
			"plot '%s.tsv' using 1:3:4 with yerrorlines lw 2 pt 7 "
			"title 'mean and standard deviation'\n",
			plot->name);
}

static void print_script(FILE *out, const Plot *plot)
{
	const Search *s = plot->s;
	int rows = plot->y ? plot->y->count : 5;
	int width = 230 + 88 * plot->x->count, height = 170 + 56 * rows;
	width = width < 640 ? 640 : width > 2000 ? 2000 : width;
	height = height < 420 ? 420 : height > 1600 ? 1600 : height;
	fprintf(out, "# gnuplot %s.gp draws %s.svg and %s.png\n", plot->name,
		plot->name, plot->name);
	fputs("set encoding utf8\nset datafile separator tab\n", out);
	fputs("set title ", out);
	nnc_plot_string(out, arena_printf("%s: %d folds of %s, %s", s->name,
					  (int)s->tune->folds,
					  count_text(s->samples, "sample"),
					  count_text(s->tune->epochs, "epoch")));
	fputs(" noenhanced\n", out);
	if (plot->y)
		print_map(out, plot);
	else
		print_curve(out, plot);
	if (crowded(plot->x, width - 200))
		fputs("set xtics rotate by -35\n", out);
	fprintf(out,
		"set terminal svg size %d,%d font 'sans,13' background 'white'\n"
		"set output '%s.svg'\n",
		width, height, plot->name);
	print_plot(out, plot);
	fprintf(out,
		"set terminal pngcairo size %d,%d font 'sans,10' background 'white'\n"
		"set output '%s.png'\nreplot\n",
		width, height, plot->name);
}

/* What `print` prints, also in the file NAME + ending; *status after a message. */
static const char *write_part(const Plot *plot, const char *ending,
			      void (*print)(FILE *out, const Plot *plot), int *status)
{
	TextStream stream;
	size_t size;
	text_open(&stream);
	print(stream.out, plot);
	const char *text = text_close(&stream, &size);
	*status = folder_write(plot->s, arena_printf("%s%s", plot->name, ending), text,
			       size);
	return text;
}

/* A picture is not what a search is for: without one it still has succeeded. */
static void draw(const Plot *plot, const char *script)
{
	NncError err;
	int code = nnc_gnuplot(plot->s->folder, script, NNC_PLOT_SECONDS, NULL, &err);
	if (code == NNC_NOINPUT)
		fprintf(stderr, "nnc: note: no picture: %s\n", err.message);
	else if (code)
		fprintf(stderr, "nnc: warning: no picture: %s\n", err.message);
}

static void remove_old(const Search *s)
{
	static const char *const names[] = {"heatmap", "curve"};
	static const char *const endings[] = {".gp", ".tsv", ".svg", ".png"};
	for (int i = 0; i < 2; i++)
		for (int k = 0; k < 4; k++)
			unlink(folder_file(s,
					   arena_printf("%s%s", names[i], endings[k])));
}

int plot_results(Search *s)
{
	Plot plot = {.s = s};
	int status;
	remove_old(s);
	choose_axes(&plot);
	if (!plot.x || !best_point(s))
		return 0;
	plot.name = plot.y ? "heatmap" : "curve";
	choose_points(&plot);
	write_part(&plot, ".tsv", print_data, &status);
	if (status)
		return status;
	const char *script = write_part(&plot, ".gp", print_script, &status);
	if (!status)
		draw(&plot, script);
	return status;
}
