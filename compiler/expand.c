/*
 * expand.c - const, -D, include, block and repeat -> plain statements.
 *
 * Expansion is on the tree, never on text, so a span always points at what the user
 * wrote; how a statement came to stand where it stands is its Origin. Bounds and the
 * names in force are in expand.h.
 */
#include <stdarg.h>
#include <string.h>

#include "expand.h"

void expand_error(Expand *x, Span at, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	char *message = arena_vprintf(format, ap);
	va_end(ap);
	diag_error(at, "%s", message);
	diag_origin(x->origin);
}

bool expand_step(Expand *x, Span at)
{
	if (x->stopped || diag_errors() > MAX_ERRORS)
		x->stopped = true;
	else if (++x->steps > MAX_STEPS) {
		expand_error(x, at, "the model takes more than %d steps to expand",
			     MAX_STEPS);
		x->stopped = true;
	}
	return !x->stopped;
}

bool expand_enter(Expand *x, Span at)
{
	if (x->depth == MAX_NESTING) {
		expand_error(x, at, "bodies, blocks and includes nested deeper than %d",
			     MAX_NESTING);
		x->stopped = true;
		return false;
	}
	x->depth++;
	return true;
}

const Origin *expand_origin(Expand *x, Origin o)
{
	const Origin *outer = x->origin;
	Origin *copy = arena_alloc(sizeof *copy);
	*copy = o;
	copy->outer = outer;
	x->origin = copy;
	return outer;
}

/* ---- const and -D -------------------------------------------------------- */

bool is_word(const Value *v)
{
	return v->kind == VALUE_NAME || v->kind == VALUE_CALL;
}

static bool same_type(const Value *a, const Value *b)
{
	if (a->kind == VALUE_NUMBER && b->kind == VALUE_NUMBER)
		return b->is_integer || !a->is_integer;
	return a->kind == b->kind || (is_word(a) && is_word(b));
}

const char *value_kind(const Value *v)
{
	switch (v->kind) {
	case VALUE_NUMBER:
		return v->is_integer ? "an integer" : "a number";
	case VALUE_SHAPE:
		return "a shape";
	case VALUE_STRING:
		return "a string";
	case VALUE_LIST:
		return "a list";
	default:
		return "a name";
	}
}

/* A const that -D overrides takes its value, which must be of the const's type. */
static void override(Expand *x, const Arg *a, Value *value)
{
	if (x->frame.id != 0 || x->bodies > 0)
		return;
	for (int i = 0; i < x->override_count; i++) {
		Override *o = &x->overrides[i];
		if (strcmp(o->name, a->key) != 0)
			continue;
		o->used = true;
		if (same_type(value, &o->value)) {
			*value = o->value;
			return;
		}
		diag_error(o->value.span, "'%s' is %s, -D gives %s: %s", o->name,
			   value_kind(value), value_kind(&o->value),
			   value_text(&o->value));
		diag_note(a->key_span, "defined here");
	}
}

bool expand_is_new(Expand *x, const char *name, Span span)
{
	const Binding *b = scope_find(x, name);
	const Block *block = scope_block(x, name);
	if (!b && !block)
		return true;
	expand_error(x, span, "'%s' is defined twice", name);
	diag_note(b ? b->span : block->span, "first defined here");
	return false;
}

static void do_const(Expand *x, const Stmt *s, StmtList *out)
{
	(void)out;
	if (s->has_body || s->count == 0)
		expand_error(x, s->span, "const takes NAME=value%s",
			     s->has_body ? " and no body" : "");
	for (int i = 0; i < s->count; i++) {
		const Arg *a = &s->args[i];
		Span before = i ? s->args[i - 1].value.span : s->name_span;
		if (!a->key) {
			expand_error(x, a->value.span,
				     "const takes NAME=value, found '%s'",
				     span_text(a->value.span));
			if (!diag_semicolon(before, a->value.span))
				diag_help("write const units=128;");
			return;
		}
		Value value;
		if (!scope_free_name(x, "a constant", a->key, a->key_span) ||
		    !expand_is_new(x, a->key, a->key_span) ||
		    !eval(x, &a->value, &value))
			continue;
		override(x, a, &value);
		scope_bind(x, a->key, a->key_span, value);
	}
}

/* -D units=256 is read as `const units=256;` by the same grammar. */
static void read_define(Expand *x, const Define *d)
{
	const char *text =
		arena_printf("const %s=%s;", d->name, d->value ? d->value : "");
	Span none = {NULL, 0, 0};
	if (!d->value || !*d->value || strlen(text) > MAX_TOKEN) {
		diag_error(none, "-D takes NAME=VALUE");
		return;
	}
	int count, errors = diag_errors();
	Stmt *s = parse_source(source_new("<-D>", text, strlen(text)), &count);
	if (diag_errors() != errors)
		return;
	if (count != 1 || s->has_body || s->count != 1 || !s->args[0].key ||
	    strcmp(s->args[0].key, d->name) != 0) {
		diag_error(none, "-D takes one NAME=VALUE, found '%s=%s'", d->name,
			   d->value);
		return;
	}
	for (int i = 0; i < x->override_count; i++) {
		if (strcmp(x->overrides[i].name, d->name) != 0)
			continue;
		diag_error(s->args[0].key_span, "-D %s is given twice", d->name);
		return;
	}
	Override o = {.name = d->name, .span = s->args[0].key_span};
	if (eval(x, &s->args[0].value, &o.value))
		*vec_push(&x->overrides, &x->override_count) = o;
}

static void report_unused(Expand *x)
{
	for (int i = 0; i < x->override_count; i++) {
		const Override *o = &x->overrides[i];
		if (o->used)
			continue;
		diag_error(o->span, "-D %s: the model has no constant of that name",
			   o->name);
		scope_suggest(x, o->name);
	}
}

/* ---- include, repeat ----------------------------------------------------- */

static void do_include(Expand *x, const Stmt *s, StmtList *out)
{
	File *file = include_file(x, s);
	if (!file || !expand_enter(x, s->span))
		return;
	const Origin *outer =
		expand_origin(x, (Origin){.kind = ORIGIN_INCLUDE, .span = s->span});
	const StmtList *stmts = file_enter(file);
	expand_body(x, stmts->items, stmts->count, out);
	file_leave(file);
	x->origin = outer;
	x->depth--;
}

static void do_repeat(Expand *x, const Stmt *s, StmtList *out)
{
	Value n = {.kind = VALUE_NAME};
	if (s->count != 1 || s->args[0].key || !s->has_body) {
		expand_error(x, s->span,
			     "repeat takes a count and a body: repeat 2 { ... }");
		return;
	}
	if (!eval(x, &s->args[0].value, &n))
		return;
	if (n.kind != VALUE_NUMBER || !n.is_integer || n.integer < 0 ||
	    n.integer > MAX_LAYERS) {
		expand_error(x, n.span,
			     "repeat takes an integer from 0 to %d, found '%s'",
			     MAX_LAYERS, value_text(&n));
		n.integer = 0;
	}
	int errors = diag_errors();
	/* What is wrong the first time round is wrong every time: it is said once. */
	for (int turn = 1; turn <= n.integer && diag_errors() == errors; turn++) {
		Origin turned = {.kind = ORIGIN_REPEAT,
				 .span = s->span,
				 .turn = turn,
				 .turns = (int)n.integer};
		const Origin *outer = expand_origin(x, turned);
		expand_nested(x, s->body, s->body_count, s->span, out);
		x->origin = outer;
	}
}

/* ---- statements --------------------------------------------------------- */

/* Any other statement is written out, its arguments and body expanded. */
static void do_plain(Expand *x, const Stmt *s, StmtList *out)
{
	Stmt plain = *s;
	if (++x->written > MAX_LAYERS) {
		expand_error(x, s->span, "the model has more than %d statements",
			     MAX_LAYERS);
		x->stopped = true;
		return;
	}
	plain.origin = x->origin;
	bool ok = eval_args(x, s->args, s->count, &plain.args);
	StmtList body = {NULL, 0};
	if (s->has_body)
		expand_nested(x, s->body, s->body_count, s->span, &body);
	plain.body = body.items;
	plain.body_count = body.count;
	if (ok)
		*out = ast_stmts(*out, plain);
}

static void expand_stmt(Expand *x, const Stmt *s, StmtList *out)
{
	static const struct {
		const char *name;
		void (*expand)(Expand *x, const Stmt *s, StmtList *out);
	} words[] = {{"const", do_const},
		     {"include", do_include},
		     {"block", do_block},
		     {"repeat", do_repeat}};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (strcmp(s->name, words[i].name) == 0) {
			words[i].expand(x, s, out);
			return;
		}
	}
	Block *block = scope_block(x, s->name);
	if (block)
		call_block(x, block, s, out);
	else
		do_plain(x, s, out);
}

void expand_body(Expand *x, const Stmt *stmts, int count, StmtList *out)
{
	for (int i = 0; i < count && expand_step(x, stmts[i].span); i++)
		expand_stmt(x, &stmts[i], out);
}

void expand_nested(Expand *x, const Stmt *stmts, int count, Span at, StmtList *out)
{
	if (!expand_step(x, at) || !expand_enter(x, at))
		return;
	Binding *newest = x->newest;
	x->bodies++;
	expand_body(x, stmts, count, out);
	x->bodies--;
	x->depth--;
	scope_leave(x, newest);
}

/* ---- the whole ---------------------------------------------------------- */

/* The constants of the model that was expanded last: what `tune` may vary. */
static Constant *constants;
static int constant_count;

const Constant *model_constants(int *n)
{
	*n = constant_count;
	return constants;
}

bool constant_takes(const Constant *constant, const Value *value)
{
	return same_type(&constant->value, value);
}

static void keep_constants(const Expand *x)
{
	constants = NULL;
	constant_count = 0;
	for (const Binding *b = x->newest; b; b = b->before)
		*vec_push(&constants, &constant_count) =
			(Constant){b->symbol->name, b->span, b->value};
}

static Stmt *expand(const char *path, const Source *source,
		    const ExpandOptions *options, int *count)
{
	int errors = diag_errors();
	StmtList parsed = {NULL, 0}, out = {NULL, 0};
	parsed.items = parse_source(source, &parsed.count);
	*count = 0;
	Expand *x = arena_alloc(sizeof *x);
	x->options = options;
	for (int i = 0; i < options->define_count; i++)
		read_define(x, &options->defines[i]);
	if (diag_errors() != errors)
		return NULL;
	file_main(x, path, parsed);
	expand_body(x, parsed.items, parsed.count, &out);
	if (!x->stopped)
		report_unused(x);
	keep_constants(x);
	*count = out.count;
	return out.items;
}

Stmt *expand_file(const char *path, const ExpandOptions *options, int *count,
		  const Source **main_source)
{
	size_t size;
	const char *why;
	char *text = read_file(path, MAX_SOURCE, &size, &why);
	*count = 0;
	*main_source = NULL;
	if (!text) {
		diag_error((Span){NULL, 0, 0}, "cannot read '%s': %s", path, why);
		return NULL;
	}
	*main_source = source_new(path, text, size);
	return expand(path, *main_source, options, count);
}

Stmt *expand_text(const char *name, const char *text, size_t size,
		  const ExpandOptions *options, int *count, const Source **main_source)
{
	*count = 0;
	*main_source = NULL;
	if (size > MAX_SOURCE) {
		diag_error((Span){NULL, 0, 0},
			   "cannot read '%s': it is larger than %d bytes", name,
			   MAX_SOURCE);
		return NULL;
	}
	*main_source = source_new(name, text, size);
	return expand(name, *main_source, options, count);
}
