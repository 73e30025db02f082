/*
 * ast.c - builds the statements of a file, and prints them in normal form.
 *
 * Normal form is the canonical spelling: one statement a line, one space between
 * words, tabs for nesting, the fewest parentheses. Parsing it gives the same again.
 */
#include <stdlib.h>
#include <string.h>

#include "ast.h"

/* ---- builders ----------------------------------------------------------- */

ArgList ast_args(ArgList list, Arg arg)
{
	if (list.count > MAX_ITEMS)
		return list;
	if (list.count == MAX_ITEMS)
		diag_error(arg.value.span, "more than %d values in a row", MAX_ITEMS);
	*vec_push(&list.items, &list.count) = arg;
	return list;
}

ArgList ast_first(Arg arg)
{
	return ast_args((ArgList){NULL, 0}, arg);
}

Arg ast_arg(Value value)
{
	return (Arg){.value = value};
}

Arg ast_key(Value name, Value value)
{
	return (Arg){.key = name.text, .key_span = name.span, .value = value};
}

Value ast_items(ValueKind kind, Span span, ArgList items)
{
	return (Value){
		.kind = kind, .span = span, .items = items.items, .count = items.count};
}

Value ast_call(Span span, Value name, ArgList items)
{
	Value v = ast_items(VALUE_CALL, span, items);
	v.text = name.text;
	return v;
}

Value ast_negate(Span span, Value a)
{
	return ast_items(VALUE_NEGATE, span, ast_first(ast_arg(a)));
}

Value ast_binary(Span span, Value a, char op, Value b)
{
	ArgList two = ast_first(ast_arg(a));
	Value v = ast_items(VALUE_BINARY, span, ast_args(two, ast_arg(b)));
	v.op = op;
	return v;
}

Value ast_paren(Span span, Value inner)
{
	inner.span = span;
	return inner;
}

Stmt ast_stmt(Span span, Value name, ArgList args)
{
	return (Stmt){.name = name.text,
		      .name_span = name.span,
		      .span = span,
		      .args = args.items,
		      .count = args.count};
}

Stmt ast_body(Span span, Value name, ArgList args, StmtList body)
{
	Stmt stmt = ast_stmt(span, name, args);
	stmt.has_body = true;
	stmt.body = body.items;
	stmt.body_count = body.count;
	return stmt;
}

StmtList ast_stmts(StmtList list, Stmt stmt)
{
	*vec_push(&list.items, &list.count) = stmt;
	return list;
}

StmtList ast_join(StmtList list, StmtList more)
{
	if (list.count == 0)
		return more;
	for (int i = 0; i < more.count; i++)
		list = ast_stmts(list, more.items[i]);
	return list;
}

/* ---- normal form -------------------------------------------------------- */

/* The shortest decimal that reads back as the same double, and as a real. */
static void print_real(FILE *out, double x)
{
	char text[40];
	for (int digits = 1; digits <= 17; digits++) {
		snprintf(text, sizeof text, "%.*g", digits, x);
		if (strtod(text, NULL) == x)
			break;
	}
	char *e = strchr(text, 'e');
	if (e && x > -1e15 && x < 1e15 && strtol(e + 1, NULL, 10) > 0) {
		fprintf(out, "%.1f", x); /* 100.0, not 1e+02 */
		return;
	}
	if (e)
		*e = '\0';
	fputs(text, out);
	if (e)
		fprintf(out, "e%ld", strtol(e + 1, NULL, 10));
	else if (!strchr(text, '.'))
		fputs(".0", out);
}

static void print_string(FILE *out, const char *text)
{
	putc('"', out);
	for (const unsigned char *p = (const unsigned char *)text; *p; p++)
		if (*p == '"' || *p == '\\')
			fprintf(out, "\\%c", *p);
		else if (*p == '\n')
			fputs("\\n", out);
		else if (*p == '\t')
			fputs("\\t", out);
		else if (*p < 0x20 || *p == 0x7F)
			fprintf(out, "\\%03o", *p);
		else
			putc(*p, out);
	putc('"', out);
}

/* How strongly a value holds together in arithmetic. */
enum { LOOSE, SUM, PRODUCT, SIGN, ATOM };

static int strength(const Value *v)
{
	if (v->kind == VALUE_BINARY)
		return v->op == '+' || v->op == '-' ? SUM : PRODUCT;
	return v->kind == VALUE_NEGATE ? SIGN : ATOM;
}

static void print_value(FILE *out, const Value *v, bool inside, int around);

static void print_items(FILE *out, const Value *v, const char *between, bool inside)
{
	for (int i = 0; i < v->count; i++) {
		if (i)
			fputs(between, out);
		if (v->items[i].key)
			fprintf(out, "%s=", v->items[i].key);
		print_value(out, &v->items[i].value, inside, LOOSE);
	}
}

static void print_number(FILE *out, const Value *v, bool inside)
{
	const char *slash = v->text ? strchr(v->text, '/') : NULL;
	if (v->is_integer)
		fprintf(out, "%lld", (long long)v->integer);
	else if (slash && inside) /* there it is a division */
		fprintf(out, "%.*s / %s", (int)(slash - v->text), v->text, slash + 1);
	else if (slash)
		fputs(v->text, out);
	else
		print_real(out, v->number);
}

static void print_arithmetic(FILE *out, const Value *v)
{
	int own = strength(v);
	if (v->kind == VALUE_NEGATE) {
		putc('-', out);
		print_value(out, &v->items[0].value, true, own);
		return;
	}
	print_value(out, &v->items[0].value, true, own);
	fprintf(out, " %c ", v->op);
	print_value(out, &v->items[1].value, true, own + 1);
}

/* inside: directly in ( ). around: of what stands around it, which decides on ( ). */
static void print_value(FILE *out, const Value *v, bool inside, int around)
{
	bool parens = strength(v) < around || (strength(v) < ATOM && !inside);
	switch (v->kind) {
	case VALUE_NUMBER:
		print_number(out, v, inside);
		break;
	case VALUE_SHAPE:
		print_items(out, v, "x", false);
		break;
	case VALUE_NAME:
		fputs(v->text, out);
		break;
	case VALUE_STRING:
		print_string(out, v->text);
		break;
	case VALUE_TUPLE:
	case VALUE_CALL:
		fprintf(out, "%s(", v->kind == VALUE_CALL ? v->text : "");
		print_items(out, v, ", ", true);
		putc(')', out);
		break;
	case VALUE_LIST:
		putc('[', out);
		print_items(out, v, ", ", false);
		putc(']', out);
		break;
	case VALUE_BINARY:
	case VALUE_NEGATE:
		fputs(parens ? "(" : "", out);
		print_arithmetic(out, v);
		fputs(parens ? ")" : "", out);
		break;
	}
}

const char *value_text(const Value *value)
{
	TextStream stream;
	text_open(&stream);
	print_value(stream.out, value, false, LOOSE);
	return text_close(&stream, NULL);
}

static void indent(FILE *out, int depth)
{
	while (depth-- > 0)
		putc('\t', out);
}

static void print_nested(FILE *out, const Stmt *stmts, int count, int depth)
{
	for (int k = 0; k < count; k++) {
		const Stmt *s = &stmts[k];
		indent(out, depth);
		fputs(s->name, out);
		for (int i = 0; i < s->count; i++) {
			const Arg *a = &s->args[i];
			fprintf(out, " %s%s", a->key ? a->key : "", a->key ? "=" : "");
			print_value(out, &a->value, false, LOOSE);
		}
		if (!s->has_body) {
			fputs(";\n", out);
			continue;
		}
		fputs(" {\n", out);
		print_nested(out, s->body, s->body_count, depth + 1);
		indent(out, depth);
		fputs("}\n", out);
	}
}

void print_stmts(FILE *out, const Stmt *stmts, int count)
{
	print_nested(out, stmts, count, 0);
}
