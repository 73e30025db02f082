/*
 * diag.c - sources, spans and messages in gcc's form.
 *
 * The only place that knows of lines and columns. What a user wrote reaches the
 * terminal only through put_text(), which lets no control character through.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nnc.h"

enum {
	TAB = 8,      /* columns of a tab */
	WINDOW = 160, /* columns shown of a longer line */
	LEAD = 60,    /* ... of which so many stand before the caret */
	FEW = 12,     /* candidates that are listed when none is near */
	SHOWN_ORIGINS = 6,
	LONGEST = 240, /* bytes of a source's text in messages and comments */
};

static FILE *stream; /* NULL: stderr */
static int errors, warnings;
static bool muted; /* the message before was not shown: nor are its notes */
static bool silent;

/* ---- sources and spans -------------------------------------------------- */

const Source *source_new(const char *name, const char *text, size_t size)
{
	assert(size <= MAX_SOURCE);
	if (size >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) {
		text += 3;
		size -= 3;
	}
	Source *s = arena_alloc(sizeof *s);
	const char *slash = strrchr(name, '/');
	s->name = arena_strndup(name, strlen(name));
	s->base = slash ? s->name + (slash - name) + 1 : s->name;
	s->dir = !slash          ? "."
		 : slash == name ? "/"
				 : arena_strndup(name, (size_t)(slash - name));
	s->text = arena_strndup(text, size);
	s->size = (uint32_t)size;
	*vec_push(&s->lines, &s->line_count) = 0;
	for (uint32_t i = 0; i < s->size; i++)
		if (s->text[i] == '\n')
			*vec_push(&s->lines, &s->line_count) = i + 1;
	return s;
}

Span span_join(Span a, Span b)
{
	if (!a.source || a.source != b.source)
		return a.source ? a : b;
	Span s = {a.source, a.start < b.start ? a.start : b.start,
		  a.end > b.end ? a.end : b.end};
	return s;
}

/* Not the second or later byte of a UTF-8 character. */
static bool starts_char(char c)
{
	return ((unsigned char)c & 0xC0) != 0x80;
}

const char *span_text(Span s)
{
	if (!s.source)
		return "";
	/* A statement in a repeat is asked for again and again. */
	uint32_t end = s.end - s.start > MAX_TOKEN ? s.start + MAX_TOKEN : s.end;
	char *text = arena_alloc(LONGEST + sizeof "...");
	size_t n = 0;
	uint32_t i = s.start;
	for (; i < end && n < LONGEST; i++) {
		char c = s.source->text[i];
		bool space = c == ' ' || c == '\t' || c == '\r' || c == '\n' ||
			     c == '\f' || c == '\v';
		if (!space)
			text[n++] = c;
		else if (n && text[n - 1] != ' ')
			text[n++] = ' ';
	}
	if (i < s.end) {
		while (n && !starts_char(s.source->text[i])) /* not half a character */
			i--, n--;
		memcpy(text + n, "...", sizeof "...");
	}
	return arena_resize(text, LONGEST + sizeof "...", strlen(text) + 1);
}

int span_line(Span s)
{
	if (!s.source || !s.source->lines)
		return 1;
	int low = 0, high = s.source->line_count;
	while (high - low > 1) {
		int middle = low + (high - low) / 2;
		if (s.source->lines[middle] <= s.start)
			low = middle;
		else
			high = middle;
	}
	return low + 1;
}

static uint32_t line_start(Span s)
{
	return s.source->lines ? s.source->lines[span_line(s) - 1] : 0;
}

int span_column(Span s)
{
	int column = 1;
	if (s.source)
		for (uint32_t i = line_start(s); i < s.start; i++)
			column += starts_char(s.source->text[i]);
	return column;
}

/* ---- printing ------------------------------------------------------------ */

static FILE *out(void)
{
	return stream ? stream : stderr;
}

size_t safe_char(const char *text, size_t n)
{
	const unsigned char *u = (const unsigned char *)text;
	if (u[0] < 0x80)
		return u[0] >= 0x20 && u[0] != 0x7F;
	size_t length = u[0] >= 0xF0 ? 4 : u[0] >= 0xE0 ? 3 : u[0] >= 0xC2 ? 2 : 0;
	if (!length || u[0] > 0xF4 || length > n)
		return 0;
	for (size_t i = 1; i < length; i++)
		if (starts_char(text[i]))
			return 0;
	if (u[0] == 0xC2 && u[1] < 0xA0)
		return 0; /* C1 controls */
	if (u[0] == 0xE2 && ((u[1] == 0x80 && (u[2] & 0xF8) == 0xA8) ||
			     (u[1] == 0x81 && u[2] >= 0xA6 && u[2] <= 0xA9)))
		return 0; /* line separators and the overrides of text direction */
	return length;
}

static void put_char(const char *text, size_t n)
{
	size_t length = safe_char(text, n);
	if (length)
		fwrite(text, 1, length, out());
	else if (starts_char(*text))
		putc('?', out());
}

const char *printable(const char *text)
{
	size_t n = strlen(text), used = 0;
	char *safe = arena_alloc(n + 1);
	for (size_t i = 0; i < n; i++) {
		size_t length = safe_char(text + i, n - i);
		if (length) {
			memcpy(safe + used, text + i, length);
			used += length;
			i += length - 1;
		} else if (starts_char(text[i])) {
			safe[used++] = '?';
		}
	}
	return safe;
}

static void put_text(const char *text)
{
	fputs(printable(text), out());
}

/* One line of the source from column first on, tabs as spaces. */
static void put_line(const char *line, size_t n, int first)
{
	int column = 0;
	for (size_t i = 0; i < n && column < first + WINDOW; i++) {
		if (!starts_char(line[i]))
			continue;
		int next = line[i] == '\t' ? (column / TAB + 1) * TAB : column + 1;
		if (line[i] != '\t' && column >= first)
			put_char(line + i, n - i);
		for (; line[i] == '\t' && column < next; column++)
			if (column >= first)
				putc(' ', out());
		column = next;
	}
	if (column >= first + WINDOW)
		fputs("...", out());
	putc('\n', out());
}

/* Columns that the first n bytes of a line take, tabs counted. */
static int width(const char *line, size_t n)
{
	int column = 0;
	for (size_t i = 0; i < n; i++)
		if (line[i] == '\t')
			column = (column / TAB + 1) * TAB;
		else
			column += starts_char(line[i]);
	return column;
}

static void show_source(Span at, const char *colour)
{
	const Source *s = at.source;
	uint32_t start = line_start(at), end = start;
	while (end < s->size && s->text[end] != '\n')
		end++;
	if (end > start && s->text[end - 1] == '\r')
		end--;
	uint32_t from = at.start < end ? at.start : end,
		 to = at.end < end ? at.end : end;
	int caret = width(s->text + start, from - start);
	int after = to > from ? width(s->text + start, to - start) : caret + 1;
	int first = caret > WINDOW - LEAD ? caret - LEAD : 0;
	fprintf(out(), "%5d | %s", span_line(at), first ? "..." : "");
	put_line(s->text + start, end - start, first);
	fprintf(out(), "%5s | %*s%s^", "", caret - first + (first ? 3 : 0), "", colour);
	for (int i = caret + 1; i < after && i < first + WINDOW; i++)
		putc('~', out());
	fprintf(out(), "%s\n", *colour ? "\033[0m" : "");
}

static void report(Span at, const char *kind, const char *colour, bool source,
		   const char *format, va_list ap)
{
	char *message = arena_vprintf(format, ap);
	bool colour_it = nnc_colored(out());
	const char *bold = colour_it ? "\033[1m" : "",
		   *plain = colour_it ? "\033[0m" : "";
	if (!colour_it)
		colour = "";
	fputs(bold, out());
	if (at.source) {
		put_text(at.source->name);
		fprintf(out(), ":%d:%d: ", span_line(at), span_column(at));
	} else if (strcmp(kind, "help") != 0) {
		fputs("nnc: ", out());
	}
	fprintf(out(), "%s%s%s:%s ", plain, colour, kind, plain);
	fputs(source ? bold : "", out());
	put_text(message);
	fprintf(out(), "%s\n", source ? plain : "");
	if (source && at.source)
		show_source(at, colour);
}

void diag_error(Span at, const char *format, ...)
{
	if (errors == MAX_ERRORS)
		fprintf(out(),
			"nnc: error: more than %d errors, the rest is not shown\n",
			MAX_ERRORS);
	muted = ++errors > MAX_ERRORS;
	if (muted)
		return;
	va_list ap;
	va_start(ap, format);
	report(at, "error", "\033[1;31m", true, format, ap);
	va_end(ap);
}

void diag_warn(Span at, const char *format, ...)
{
	muted = silent || ++warnings > MAX_ERRORS;
	if (muted)
		return;
	va_list ap;
	va_start(ap, format);
	report(at, "warning", "\033[1;35m", true, format, ap);
	va_end(ap);
}

void diag_note(Span at, const char *format, ...)
{
	if (muted)
		return;
	va_list ap;
	va_start(ap, format);
	report(at, "note", "\033[1;36m", false, format, ap);
	va_end(ap);
}

void diag_help(const char *format, ...)
{
	if (muted)
		return;
	va_list ap;
	va_start(ap, format);
	report((Span){NULL, 0, 0}, "help", "\033[1;32m", false, format, ap);
	va_end(ap);
}

void diag_suggest(const char *name, const char *const *candidates, int n)
{
	if (muted || n == 0)
		return;
	const char *near = nearest(name, candidates, n);
	if (near) {
		diag_help("did you mean '%s'?", near);
	} else if (n <= FEW) {
		const char *all = candidates[0];
		for (int i = 1; i < n; i++)
			all = arena_printf("%s%s%s", all, i + 1 < n ? ", " : " or ",
					   candidates[i]);
		diag_help(n > 1 ? "it is one of %s" : "there is only '%s'", all);
	}
}

void diag_unknown(Span at, const char *what, const char *name,
		  const char *const *candidates, int n)
{
	diag_error(at, "unknown %s '%s'", what, name);
	diag_suggest(name, candidates, n);
}

bool diag_semicolon(Span before, Span at)
{
	if (!before.source || before.source != at.source || at.start < before.end)
		return false;
	Span last = {before.source, before.end ? before.end - 1 : 0, before.end};
	if (span_line(last) >= span_line(at))
		return false;
	diag_help("is a ';' missing at the end of line %d?", span_line(last));
	return true;
}

int diag_errors(void)
{
	return errors;
}

int diag_warnings(void)
{
	return warnings;
}

void diag_silence(bool on)
{
	silent = on;
}

void diag_reset(FILE *to)
{
	stream = to;
	errors = warnings = 0;
	muted = silent = false;
}

/* ---- origins ------------------------------------------------------------- */

static const char *ordinal(int n)
{
	static const char *const words[] = {"first", "second", "third",   "fourth",
					    "fifth", "sixth",  "seventh", "eighth",
					    "ninth", "tenth"};
	if (n >= 1 && n <= 10)
		return words[n - 1];
	bool teens = n % 100 >= 11 && n % 100 <= 13;
	const char *end = teens         ? "th"
			  : n % 10 == 1 ? "st"
			  : n % 10 == 2 ? "nd"
			  : n % 10 == 3 ? "rd"
					: "th";
	return arena_printf("%d%s", n, end);
}

void diag_origin(const Origin *origin)
{
	for (int shown = 0; origin; origin = origin->outer) {
		if (shown++ == SHOWN_ORIGINS)
			break;
		if (origin->kind == ORIGIN_BLOCK)
			diag_note(origin->span, "in block '%s' used here",
				  origin->name);
		else if (origin->kind == ORIGIN_INCLUDE)
			diag_note(origin->span, "included here");
		else if (origin->turns > 1)
			diag_note(origin->span, "in this repeat, %s time round",
				  ordinal(origin->turn));
		else
			diag_note(origin->span, "in this repeat");
	}
}

const char *origin_turn(const Origin *origin)
{
	while (origin && (origin->kind != ORIGIN_REPEAT || origin->turns < 2))
		origin = origin->outer;
	return origin ? arena_printf(", %s time round", ordinal(origin->turn)) : "";
}
