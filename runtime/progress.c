/*
 * progress.c - Keras's line for an epoch, on stderr:
 *
 *   Epoch 3/20 ━━━━━━━━ 312/312  0.8s 2.5ms/step  loss 0.5672  acc 0.789  val_acc 0.801
 *
 * A terminal gets it redrawn in place, at most ten times a second; anything else gets
 * it once, when the epoch is over.
 */
#include "internal.h"
#include "options.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { BAR = 20, MIN_BAR = 4 }; /* cells */

static const double redraw_seconds = 0.1;

/* Does the environment name a UTF-8 locale? (The locale itself is never set.) */
static bool unicode_locale(void)
{
	static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		const char *value = getenv(names[i]);
		if (value && *value)
			return strstr(value, "UTF-8") || strstr(value, "utf8") ||
			       strstr(value, "UTF8") || strstr(value, "utf-8");
	}
	return false;
}

void nnc_progress_open(NncProgress *progress, FILE *out, bool quiet)
{
	memset(progress, 0, sizeof *progress);
	progress->out = out;
	progress->quiet = quiet;
	progress->columns = nnc_columns(out);
	progress->terminal = progress->columns > 0;
	progress->color = nnc_colored(out);
	progress->unicode = !progress->terminal || unicode_locale();
}

/* ---- the line's parts -------------------------------------------------------- */

/* Appends to text; what does not fit is cut off. */
static void __attribute__((format(printf, 3, 4)))
append(char *text, size_t size, const char *format, ...)
{
	size_t used = strlen(text);
	va_list args;

	va_start(args, format);
	vsnprintf(text + used, size - used, format, args);
	va_end(args);
}

static void append_duration(char *text, size_t size, double s)
{
	if (s < 99.95)
		append(text, size, "%.1fs", s);
	else if (s < 3600)
		append(text, size, "%dm%02ds", (int)s / 60, (int)s % 60);
	else
		append(text, size, "%.0fh%02dm", floor(s / 3600),
		       (int)fmod(s / 60, 60));
}

static void append_per_step(char *text, size_t size, double s, bool unicode)
{
	if (s < 1e-3)
		append(text, size, " %.0f%s/step", s * 1e6, unicode ? "µs" : "us");
	else if (s < 1)
		append(text, size, " %.1fms/step", s * 1e3);
	else
		append(text, size, " %.1fs/step", s);
}

/* "  loss 0.5672", with three or four digits after the point. */
static void append_metric(char *text, size_t size, const char *name, double value,
			  int digits)
{
	if (isnan(value))
		return;
	if (fabs(value) < 1000)
		append(text, size, "  %s %.*f", name, digits, value);
	else
		append(text, size, "  %s %.4g", name, value);
}

/* `width` cells, of which the share done is drawn bold, the rest light. */
static void append_bar(char *text, size_t size, const NncProgress *p, int width,
		       double share)
{
	int done = (int)(share * width);

	if (p->color)
		append(text, size, "\033[32m");
	for (int i = 0; i < width; i++) {
		if (i == done && p->color)
			append(text, size, "\033[0m\033[2m");
		append(text, size, "%s",
		       p->unicode ? i < done || p->color ? "━" : "╌"
		       : i < done ? "="
				  : "-");
	}
	if (p->color)
		append(text, size, "\033[0m");
}

/* The metrics, but for those that would make a passing line wider than `room`. */
static void append_metrics(char *text, size_t size, const NncLine *line, int room)
{
	struct {
		const char *name;
		double value;
		int digits;
	} metric[] = {
		{"loss", line->loss, 4},
		{"acc", line->accuracy, 3},
		{"val_acc", line->val_accuracy, 3},
	};

	for (size_t i = 0; i < sizeof metric / sizeof *metric; i++) {
		char one[64] = "";
		append_metric(one, sizeof one, metric[i].name, metric[i].value,
			      metric[i].digits);
		if (line->step < line->steps && nnc_cells(text) + nnc_cells(one) > room)
			return;
		append(text, size, "%s", one);
	}
}

char *nnc_progress_text(char *text, size_t size, const NncProgress *p,
			const NncLine *line)
{
	static const char later[] = "  val_acc 0.000"; /* keeps the bar's length */
	char tail[256] = "";
	double share = line->steps ? (double)line->step / (double)line->steps : 1;
	int width = BAR, room;

	*text = '\0';
	append(text, size, "Epoch %u/%u ", (unsigned)line->epoch,
	       (unsigned)line->epochs);
	room = p->columns ? p->columns - 1 - nnc_cells(text) : 1 << 20;
	append(tail, sizeof tail, " %lld/%lld  ", (long long)line->step,
	       (long long)line->steps);
	append_duration(tail, sizeof tail, line->seconds);
	append_per_step(tail, sizeof tail, line->per_step, p->unicode);
	append_metrics(tail, sizeof tail, line, room - MIN_BAR);
	room -= nnc_cells(tail) +
		(isnan(line->val_accuracy) ? (int)sizeof later - 1 : 0);
	if (room < width)
		width = room < MIN_BAR ? MIN_BAR : room;
	append_bar(text, size, p, width, share);
	append(text, size, "%s", tail);
	return text;
}

/* ---- drawing ----------------------------------------------------------------- */

void nnc_progress_step(NncProgress *p, const NncLine *line)
{
	char text[1024];
	double now;

	if (p->quiet || !p->terminal)
		return;
	now = nnc_clock();
	if (now - p->drawn < redraw_seconds)
		return;
	p->drawn = now;
	p->columns = nnc_columns(p->out);
	nnc_progress_text(text, sizeof text, p, line);
	fprintf(p->out, "\r%s\033[K", text);
	fflush(p->out);
	p->pending = true;
}

void nnc_progress_epoch(NncProgress *p, const NncLine *line)
{
	char text[1024];

	if (p->quiet)
		return;
	nnc_progress_text(text, sizeof text, p, line);
	fprintf(p->out, p->terminal ? "\r%s\033[K\n" : "%s\n", text);
	fflush(p->out);
	p->pending = false;
}

void nnc_progress_clear(NncProgress *p)
{
	if (p->pending) {
		fputs("\r\033[K", p->out);
		fflush(p->out);
	}
	p->pending = false;
}

void nnc_progress_note(NncProgress *p, const char *format, ...)
{
	va_list args;

	if (p->quiet)
		return;
	nnc_progress_clear(p);
	va_start(args, format);
	vfprintf(p->out, format, args);
	va_end(args);
	fputc('\n', p->out);
	fflush(p->out);
}
