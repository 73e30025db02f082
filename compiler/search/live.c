/*
 * live.c - what a search says on stderr: on a terminal a table that is drawn anew,
 * elsewhere a line for each point that is done.
 */
#include <math.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "search/search.h"

struct Live {
	NncProgress progress; /* what the terminal can do */
	int lines;            /* that stand there now */
	double drawn;         /* nnc_clock() */
	int points;           /* done */
};

void live_open(Search *s)
{
	s->live = arena_alloc(sizeof *s->live);
	nnc_progress_open(&s->live->progress, stderr, s->options->quiet);
}

void live_clear(Search *s)
{
	if (s->live->lines)
		fprintf(stderr, "\033[%dA\r\033[J", s->live->lines);
	s->live->lines = 0;
	fflush(stderr);
}

void live_note(Search *s, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	const char *text = arena_vprintf(format, args);
	va_end(args);
	if (s->options->quiet)
		return;
	live_clear(s);
	fprintf(stderr, "%s\n", text);
}

const char *plus_minus(const Search *s)
{
	return s->live->progress.unicode ? "\xc2\xb1" : "+-";
}

/* ---- the time left ---- */

/* What a job takes: the mean of its variant's, else of all; NAN: not known yet. */
static double job_seconds(const Search *s, const Variant *v)
{
	double seconds = 0;
	int done = 0;
	if (v->done)
		return v->seconds / v->done;
	for (int i = 0; i < s->variant_count; i++) {
		seconds += s->variants[i]->seconds;
		done += s->variants[i]->done;
	}
	return done ? seconds / done : NAN;
}

/* NAN: not known yet. */
static double seconds_left(const Search *s)
{
	double now = nnc_clock(), sum = 0, longest = 0;
	for (int i = 0; i < s->job_count; i++) {
		const Job *j = s->jobs[i];
		if (j->state == JOB_DONE)
			continue;
		double left = job_seconds(s, j->variant);
		if (isnan(left))
			return NAN;
		if (j->state == JOB_RUNNING)
			left = fmax(left - (now - j->began), 0);
		sum += left;
		longest = fmax(longest, left);
	}
	return fmax(sum / s->options->at_once, longest);
}

static const char *left_text(const Search *s)
{
	double left = seconds_left(s);
	if (isnan(left))
		return "";
	int whole = (int)(left + 0.5);
	if (whole < 60)
		return arena_printf("; about %ds left", whole);
	if (whole < 3600)
		return arena_printf("; about %dm%02ds left", whole / 60, whole % 60);
	return arena_printf("; about %dh%02dm left", whole / 3600, whole / 60 % 60);
}

/* ---- lines ---- */

static void scores_of(const Search *s, const Point *p, double *scores, int *n)
{
	*n = 0;
	for (int k = 0; k < s->tune->folds; k++)
		if (p->jobs[k]->state == JOB_DONE)
			scores[(*n)++] = p->jobs[k]->score;
}

/* "0.8123 ± 0.0042", of the folds that are done */
static const char *score_text(const Search *s, const Point *p)
{
	double scores[NNC_MAX_FOLDS];
	int n;
	scores_of(s, p, scores, &n);
	if (n == 0)
		return "";
	double mean = mean_of(scores, n);
	if (isnan(mean))
		return "diverged";
	return arena_printf("%.4f %s %.4f", mean, plus_minus(s),
			    deviation_of(scores, n));
}

/* A mark for each fold. */
static const char *folds_text(const Search *s, const Point *p)
{
	static const char *const unicode[] = {"\xc2\xb7", "\xe2\x96\x91",
					      "\xe2\x96\x88"};
	static const char *const ascii[] = {".", ">", "#"};
	const char *const *marks = s->live->progress.unicode ? unicode : ascii;
	const char *text = "";
	if (s->tune->folds > 20)
		return arena_printf("%d of %d", folds_done(s, p), (int)s->tune->folds);
	for (int k = 0; k < s->tune->folds; k++)
		text = arena_printf("%s%s", text, marks[p->jobs[k]->state]);
	return text;
}

static const char *status_text(const Search *s)
{
	const Point *best = NULL;
	double most = -1, scores[NNC_MAX_FOLDS];
	int runs = 0, points = 0, running = 0;
	for (int i = 0; i < s->job_count; i++) {
		runs += s->jobs[i]->state == JOB_DONE;
		running += s->jobs[i]->state == JOB_RUNNING;
	}
	for (int i = 0; i < s->point_count; i++) {
		const Point *p = &s->points[i];
		int n;
		scores_of(s, p, scores, &n);
		if (n < s->tune->folds)
			continue;
		points++;
		if (mean_of(scores, n) > most) {
			most = mean_of(scores, n);
			best = p;
		}
	}
	return arena_printf("%d of %s, %d of %s done, %d running%s%s%s", points,
			    count_text(s->point_count, "point"), runs,
			    count_text(s->job_count, "run"), running, left_text(s),
			    best ? arena_printf("; best %.4f with ", most) : "",
			    best ? point_text(s, best) : "");
}

/* ---- on a terminal ---- */

/* One line of the table, cut at the terminal's width. */
static void draw(Search *s, const char *text, int columns)
{
	size_t n = 0;
	for (int cells = 0; text[n]; n++) {
		bool begins = ((unsigned char)text[n] & 0xC0) != 0x80;
		if (begins && cells++ == columns - 1)
			break;
	}
	fprintf(stderr, "\r%.*s\033[K\n", (int)n, text);
	s->live->lines++;
}

static void draw_point(Search *s, const Point *p, int width, int columns)
{
	const char *name = point_text(s, p);
	draw(s,
	     arena_printf("  %s%*s  %s  %s", name, width - (int)strlen(name), "",
			  folds_text(s, p), score_text(s, p)),
	     columns);
}

static void draw_all(Search *s)
{
	struct winsize size = {.ws_row = 24, .ws_col = 80};
	int width = 0, first = 0;
	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
		size = (struct winsize){.ws_row = 24, .ws_col = 80};
	int columns = size.ws_col, room = size.ws_row > 8 ? size.ws_row - 3 : 5;
	for (int i = 0; i < s->point_count; i++) {
		int n = (int)strlen(point_text(s, &s->points[i]));
		width = n > width ? n : width;
	}
	/* Where they are too many: those around the first that is not done. */
	while (first < s->point_count &&
	       folds_done(s, &s->points[first]) == s->tune->folds)
		first++;
	first = first > room / 2 ? first - room / 2 : 0;
	if (first + room > s->point_count)
		first = s->point_count > room ? s->point_count - room : 0;
	if (s->live->lines)
		fprintf(stderr, "\033[%dA", s->live->lines);
	s->live->lines = 0;
	for (int i = first; i < s->point_count && i < first + room; i++)
		draw_point(s, &s->points[i], width, columns);
	draw(s, status_text(s), columns);
	fflush(stderr);
}

void live_tick(void *search)
{
	const double redraw = 0.2; /* seconds */
	Search *s = search;
	double now = nnc_clock();
	if (s->options->quiet || !s->live->progress.terminal ||
	    now - s->live->drawn < redraw)
		return;
	s->live->drawn = now;
	draw_all(s);
}

/* ---- elsewhere ---- */

void live_point(Search *s, const Point *p)
{
	if (s->options->quiet || s->live->progress.terminal)
		return;
	int done = 0;
	for (int i = 0; i < s->point_count; i++)
		done += folds_done(s, &s->points[i]) == s->tune->folds;
	fprintf(stderr, "%s: %s  (%d of %s%s)\n", point_text(s, p), score_text(s, p),
		done, count_text(s->point_count, "point"), left_text(s));
}
