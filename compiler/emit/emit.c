/*
 * emit.c - the writer: lines whose indentation follows their braces, templates with
 * $holes$, and functions that are each emitted once.
 */
#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "nnc.h"

enum {
	MAX_COMPARED_TEXT = 4 << 20, /* bytes; takes about 10 ms */
	LARGE = 1 << 20,             /* a text of which memory is not doubled */
};

/* ---- text ------------------------------------------------------------------------ */

void text_add(Text *t, const char *bytes, size_t length)
{
	if (t->length + length + 1 > t->capacity) {
		size_t needed = t->length + length + 1;
		size_t capacity = needed + (needed < LARGE ? needed : needed / 4);
		t->bytes = arena_move(t->bytes, t->capacity, capacity);
		t->capacity = capacity;
	}
	memcpy(t->bytes + t->length, bytes, length);
	t->length += length;
	t->bytes[t->length] = '\0';
}

static void add(Text *t, const char *text)
{
	text_add(t, text, strlen(text));
}

/* The change of nesting that a line makes, and whether it begins by closing. */
static int brace_change(const char *line, size_t length, bool *closes)
{
	int change = 0;
	bool quoted = false, began = false;
	*closes = false;
	for (size_t i = 0; i < length; i++) {
		if (line[i] == '\\' && quoted) {
			i++;
			continue;
		}
		if (line[i] == '"')
			quoted = !quoted;
		if (quoted)
			continue;
		if (!began && !isspace((unsigned char)line[i])) {
			began = true;
			*closes = line[i] == '}';
		}
		change += (line[i] == '{') - (line[i] == '}');
	}
	return change;
}

/* What is written outlives the node that wrote it. */
static void write(Emit *e, const char *bytes, size_t length)
{
	bool before = arena_keep(true);
	text_add(e->out, bytes, length);
	arena_keep(before);
}

void put_raw(Emit *e, const char *text)
{
	write(e, text, strlen(text));
}

/* Adds lines at the depth their braces say; labels of the preprocessor stay at 0. */
void put(Emit *e, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	char few[2048], *text = few;
	int size = vsnprintf(few, sizeof few, format, args);
	va_end(args);
	if (size >= (int)sizeof few) {
		va_start(args, format);
		text = arena_vprintf(format, args);
		va_end(args);
	}
	for (char *line = text; line;) {
		char *end = strchr(line, '\n');
		size_t length = end ? (size_t)(end - line) : strlen(line);
		bool closes;
		int change = brace_change(line, length, &closes);
		int depth = e->depth - closes;
		if (length && line[0] != '#')
			for (int i = 0; i < depth; i++)
				write(e, "\t", 1);
		write(e, line, length);
		write(e, "\n", 1);
		e->depth += change;
		line = end ? end + 1 : NULL;
	}
}

void put_section(Emit *e, const char *title)
{
	put(e, "\n/* ---- %s ---- */\n", title);
}

void blank(Emit *e)
{
	write(e, "\n", 1);
}

/* ---- templates ----------------------------------------------------------- */

const char *find_template(const char *name)
{
	for (const Template *t = templates; t->name; t++)
		if (strcmp(t->name, name) == 0)
			return t->text;
	fprintf(stderr, "nnc: bug: no template %s\n", name);
	abort();
}

static const char *hole_text(const Hole *holes, const char *name, size_t length)
{
	for (const Hole *h = holes; h && h->name; h++)
		if (strlen(h->name) == length && strncmp(h->name, name, length) == 0)
			return h->text;
	fprintf(stderr, "nnc: bug: no text for $%.*s$\n", (int)length, name);
	abort();
}

const char *find_hole(const Hole *holes, const char *name)
{
	return hole_text(holes, name, strlen(name));
}

/* Text of several lines takes the indentation of the line its hole stands in. */
static void add_indented(Text *out, const char *text, const char *indent, size_t width)
{
	while (*text) {
		size_t line = strcspn(text, "\n");
		line += text[line] == '\n';
		text_add(out, text, line);
		if (text[line - 1] == '\n')
			text_add(out, indent, width);
		text += line;
	}
}

/* A line that is one hole without text is left out altogether. */
static bool only_empty_hole(const char *line, size_t length, const Hole *holes)
{
	while (length && isspace((unsigned char)*line)) {
		line++;
		length--;
	}
	if (length < 3 || line[0] != '$' || line[length - 1] != '$' ||
	    memchr(line + 1, '$', length - 2))
		return false;
	return *hole_text(holes, line + 1, length - 2) == '\0';
}

static void fill_line(Text *out, const char *line, size_t length, const Hole *holes)
{
	size_t width = 0;
	while (width < length && isspace((unsigned char)line[width]))
		width++;
	for (size_t i = 0; i < length;) {
		const char *open = memchr(line + i, '$', length - i);
		const char *close =
			open ? memchr(open + 1, '$', (size_t)(line + length - open) - 1)
			     : NULL;
		size_t plain = (close ? (size_t)(open - line) : length) - i;
		text_add(out, line + i, plain);
		i += plain;
		if (!close)
			break;
		size_t name = (size_t)(close - open) - 1;
		add_indented(out, hole_text(holes, open + 1, name), line, width);
		i += name + 2;
	}
	add(out, "\n");
}

char *fill(const char *template, const Hole *holes)
{
	Text out = {0};
	add(&out, "");
	for (const char *line = template; *line;) {
		const char *end = strchr(line, '\n');
		size_t length = end ? (size_t)(end - line) : strlen(line);
		if (!only_empty_hole(line, length, holes))
			fill_line(&out, line, length, holes);
		line += length + (end != NULL);
	}
	return arena_resize(out.bytes, out.capacity, out.length + 1);
}

char *fill_lines(const char *template, const Hole *holes)
{
	char *text = fill(template, holes);
	text[strlen(text) - 1] = '\0'; /* the line of the hole ends itself */
	return text;
}

Hole *join_holes(const Hole *a, size_t count, const Hole *b)
{
	Hole *all = NULL;
	int n = 0;
	for (size_t i = 0; i < count; i++)
		*vec_push(&all, &n) = a[i];
	for (; b && b->name; b++)
		*vec_push(&all, &n) = *b;
	*vec_push(&all, &n) = (Hole){NULL, NULL};
	return all;
}

/* ---- functions ------------------------------------------------------------------- */

/* The place of its number, from 1, in e->by_name; 0 there: it is not yet emitted. */
static int *function_slot(const Emit *e, const char *name)
{
	for (uint32_t h = hash_text(name);; h++) {
		int *slot = &e->by_name[h & (e->slot_count - 1)];
		if (!*slot || strcmp(e->functions[*slot - 1].name, name) == 0)
			return slot;
	}
}

/* At least half of the table stays free. */
static void grow_by_name(Emit *e)
{
	if (2 * ((unsigned)e->function_count + 1) <= e->slot_count)
		return;
	e->slot_count = e->slot_count ? 2 * e->slot_count : 64;
	e->by_name = arena_alloc(e->slot_count * sizeof *e->by_name);
	for (int i = 0; i < e->function_count; i++)
		*function_slot(e, e->functions[i].name) = i + 1;
}

const Function *find_function(const Emit *e, const char *name)
{
	int i = e->slot_count ? *function_slot(e, name) : 0;
	return i ? &e->functions[i - 1] : NULL;
}

bool is_emitted(Emit *e, const char *name)
{
	int i = e->slot_count ? *function_slot(e, name) : 0;
	if (i)
		e->functions[i - 1].double_only &= e->double_only;
	return i != 0;
}

/* Texts are compared while that takes no time. */
static bool compares(const Emit *e)
{
	return e->compared_text <= MAX_COMPARED_TEXT &&
	       e->kernel_text <= MAX_KERNEL_TEXT;
}

bool is_finished(const Emit *e, const char *name)
{
	const Function *f = find_function(e, name);
	return f && !f->double_only && !compares(e);
}

/*
 * A name that does not say all that its text depends on would call another function:
 * the text is made again and compared.
 */
static void check_same(Emit *e, const Function *f, const char *template,
		       const Hole *holes)
{
	if (!compares(e))
		return;
	char *text = fill(find_template(template), holes);
	size_t length = strlen(text);
	if (strcmp(f->text, text) != 0) {
		fprintf(stderr, "nnc: bug: two functions are called %s\n", f->name);
		abort();
	}
	e->compared_text += length;
	arena_resize(text, length + 1, 0);
}

static void add_function(Emit *e, const char *name, const char *text)
{
	bool before = arena_keep(true);
	Function f = {.name = name, .text = text, .double_only = e->double_only};
	if (!before) {
		f.name = arena_strndup(name, strlen(name));
		f.text = arena_strndup(text, strlen(text));
	}
	grow_by_name(e);
	*vec_push(&e->functions, &e->function_count) = f;
	*function_slot(e, f.name) = e->function_count;
	arena_keep(before);
}

void emit_function(Emit *e, const char *name, const char *template, const Hole *holes)
{
	const Function *there = is_emitted(e, name) ? find_function(e, name) : NULL;
	if (there) {
		check_same(e, there, template, holes);
		return;
	}
	bool room = e->kernel_text <= MAX_KERNEL_TEXT;
	const char *text = room ? fill(find_template(template), holes) : "";
	e->kernel_text += strlen(text);
	add_function(e, name, text);
}

/* "static void NAME(...);" of a function's own text, or NULL for an inline one. */
const char *prototype(const Function *f)
{
	const char *start = strstr(f->text, arena_printf("static void %s(", f->name));
	if (!start)
		return NULL;
	const char *end = strstr(start, "\n{");
	return end ? arena_printf("%.*s;", (int)(end - start), start) : NULL;
}

void use_blas(Emit *e)
{
	e->blas = true;
}

void emit_node(Emit *e, const Node *n)
{
	for (int f = 0; f < n->fused_count; f++)
		if (n->fused[f]->op->helper)
			n->fused[f]->op->helper(e, n->fused[f]);
	if (n->kernel)
		n->kernel->emit(e, n);
	else
		n->op->emit(e, n);
}
