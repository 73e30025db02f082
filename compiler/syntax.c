/*
 * syntax.c - from a source to statements: bytes, brackets, bounds and messages.
 *
 * Every syntax error says what was found and what could have stood there. The parser
 * tells which kinds of token it could have taken; the last two tokens and the open
 * brackets tell the rest.
 */
#include <stdlib.h>
#include <string.h>

#include "ast.h"

/* ---- called by the scanner ---------------------------------------------- */

Span scan_advance(Parse *parse, int bytes)
{
	uint32_t start = parse->offset;
	parse->offset += (uint32_t)bytes;
	return (Span){parse->source, start, parse->offset};
}

/* The outermost '(' in the innermost body, or NULL. */
static const Token *outermost_paren(const Parse *parse)
{
	const Token *found = NULL;
	for (int i = parse->depth - 1; i >= 0 && parse->open[i].kind != '{'; i--)
		if (parse->open[i].kind == '(')
			found = &parse->open[i];
	return found;
}

/* The parser leaves the statement without a message, then comes to the end. */
static int stop(Parse *parse)
{
	enum { YYERROR_TOKEN = 256 }; /* POSIX's number of `error` */
	parse->stopped = true;
	return YYERROR_TOKEN;
}

int scan_token(Parse *parse, int kind, Span span, int token)
{
	if (parse->stopped)
		return TOKEN_END;
	if (diag_errors() > MAX_ERRORS)
		return stop(parse);
	parse->previous = parse->last;
	parse->last = (Token){kind, span};
	parse->around = (Token){0};
	if (parse->depth)
		parse->around = parse->open[parse->depth - 1];
	parse->signs = kind == '-' ? parse->signs + 1 : 0;
	if (span.end - span.start > MAX_TOKEN) {
		span.end = span.start + 1;
		diag_error(span, "this word is longer than %d bytes", MAX_TOKEN);
		return stop(parse);
	}
	if (parse->signs > MAX_NESTING) {
		diag_error(span, "more than %d signs in a row", MAX_NESTING);
		return stop(parse);
	}
	/* What stands in one ( ) becomes a tree, and trees are walked recursively. */
	const Token *paren = outermost_paren(parse);
	if (paren && span.end - paren->span.start > MAX_TOKEN) {
		diag_error(paren->span, "more than %d bytes between '(' and ')'",
			   MAX_TOKEN);
		return stop(parse);
	}
	return token;
}

static bool opens(int open, int close)
{
	return (open == '(' && close == ')') || (open == '[' && close == ']') ||
	       (open == '{' && close == '}');
}

int scan_bracket(Parse *parse, int kind, Span span, int token)
{
	token = scan_token(parse, kind, span, token);
	if (parse->stopped)
		return token;
	/* A ';' or brace ends the ( and [ that were forgotten; the parser reports them.
	 */
	if (kind == ';' || kind == '{' || kind == '}')
		while (parse->depth && parse->open[parse->depth - 1].kind != '{')
			parse->depth--;
	if (kind == '(' || kind == '[' || kind == '{') {
		if (parse->depth == MAX_NESTING) {
			diag_error(span, "brackets nested deeper than %d", MAX_NESTING);
			return stop(parse);
		}
		parse->open[parse->depth++] = (Token){kind, span};
	} else if (parse->depth && opens(parse->open[parse->depth - 1].kind, kind)) {
		parse->depth--;
	}
	return token;
}

bool scan_arithmetic(const Parse *parse)
{
	return parse->depth && parse->open[parse->depth - 1].kind == '(';
}

bool scan_calls(const Parse *parse)
{
	return parse->source->text[parse->offset] == '(';
}

/* A sign glued to what is before it, as in units-1. */
void scan_glued(const Parse *parse, Span span)
{
	const Token *last = &parse->last;
	if (parse->source->text[span.start] != '-' || last->span.end != span.start ||
	    !last->kind || !strchr("nv)]", last->kind))
		return;
	diag_error(span, "arithmetic stands in parentheses");
	diag_help("write (%s%s), or a space before a second value",
		  span_text(last->span), span_text(span));
}

void scan_junk(Span span)
{
	const char *text = span_text(span);
	if (span.end - span.start > 40)
		text = "this";
	diag_error(span, "'%s' is neither a number nor a shape", text);
	size_t n = strspn(text, "0123456789");
	if (n && (text[n] == 'X' || (text[n] == 'x' && text[n + 1] == '\0')))
		diag_help("a shape is written 28x28x1; with computed parts (h, w, c)");
	else if (n && text[n] == 'x')
		diag_help("with computed parts a shape is written (3, 3, c)");
	else if (n && text[n] != '.')
		diag_help("a name begins with a letter; between two words stands a "
			  "space");
}

void scan_stray(Span span)
{
	static const struct {
		const char *text, *help;
	} known[] = {
		{"#", "a comment is // to the end of the line, or /* ... */"},
		{":", "a key stands before '=': lr=1e-4"},
		{"\xC3\x97", "a shape is written with the letter x: 28x28x1"},
		{"\xE2\x88\x92", "the minus sign is '-'"},
	};
	if (diag_errors() > MAX_ERRORS)
		return;
	const char *text = span_text(span);
	size_t length = 1;
	while (((unsigned char)text[0] & 0x80) &&
	       ((unsigned char)text[length] & 0xC0) == 0x80)
		length++;
	/* Of several characters together only the first is shown. */
	diag_error(span, "unexpected '%s'", arena_strndup(text, *text ? length : 0));
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (strncmp(text, known[i].text, strlen(known[i].text)) == 0)
			diag_help("%s", known[i].help);
}

void scan_unclosed(Parse *parse, Span span, const char *what)
{
	if (!what) {
		diag_error(
			span,
			"a string stands in plain double quotes: \"data/train.csv\"");
		return;
	}
	for (uint32_t i = span.start; i < span.end; i++)
		parse->swallowed += parse->source->text[i] == '{';
	if (strcmp(what, "comment") == 0) {
		diag_error(span, "this comment is not closed");
		diag_help("end it with */");
		parse->stopped = true;
	} else {
		span.end = span.start + 1;
		diag_error(span, "this string is not closed on its line");
		diag_help("end it with \"; a quote inside it is written \\\"");
	}
}

void scan_fatal(const char *message)
{
	if (strstr(message, "memory"))
		out_of_memory();
	fprintf(stderr, "nnc: error: scanner: %s\n", message);
	exit(NNC_BUG);
}

/* ---- called by the grammar ---------------------------------------------- */

static const char *found(const Parse *parse)
{
	const Token *t = &parse->last;
	if (t->kind == TOKEN_END)
		return "the end of the file";
	if (t->span.end - t->span.start > 40)
		return "this";
	return arena_printf("'%s%s'", span_text(t->span),
			    t->kind == TOKEN_CALL ? "(" : "");
}

static bool is_operator(int kind)
{
	return kind && strchr("+-*/%", kind);
}

/* Right behind the last good token: where the missing one belongs. */
static Span behind(const Parse *parse)
{
	Span at = parse->previous.span.source ? parse->previous.span : parse->last.span;
	at.start = at.end;
	return at;
}

/* Between the arguments of a statement. */
static void error_in_arguments(const Parse *parse)
{
	Span at = parse->last.span;
	int kind = parse->last.kind;
	if (kind == '}' || kind == TOKEN_END) {
		diag_error(behind(parse), "expected ';' after this statement, found %s",
			   found(parse));
		if (kind == TOKEN_END && parse->depth)
			diag_note(parse->around.span, "nor is this '{' closed");
	} else if (kind == ',') {
		diag_error(at, "expected an argument or ';', found ','");
		diag_help("arguments stand apart by spaces; a shape is 28x28x1 or (28, "
			  "28, 1)");
	} else if (is_operator(kind)) {
		diag_error(at, "arithmetic stands in parentheses, found %s",
			   found(parse));
		diag_help("write it as one argument, such as (2 * units)");
	} else if (kind == '=') {
		diag_error(at, "expected a name before '=', found '%s'",
			   span_text(parse->previous.span));
		diag_help("a key is one name: lr=1e-4");
	} else if (kind == ')' || kind == ']') {
		diag_error(at, "unmatched %s", found(parse));
	} else {
		diag_error(at, "expected an argument, ';' or '{', found %s",
			   found(parse));
	}
}

/* Where a statement begins. */
static void error_at_statement(const Parse *parse)
{
	Span at = parse->last.span;
	int kind = parse->last.kind;
	if (kind == TOKEN_END && parse->depth) {
		diag_error(behind(parse), "expected '}' before the end of the file");
		diag_note(parse->open[parse->depth - 1].span, "to close this '{'");
	} else if (kind == TOKEN_CALL) {
		diag_error(at, "expected a statement, found the call %s", found(parse));
		diag_help("arguments follow a space: %s ... ;", span_text(at));
	} else if (kind == ';') {
		diag_error(at, "expected a statement, found ';'");
		if (parse->previous.kind == '}')
			diag_help("no ';' follows a '}'");
	} else {
		diag_error(at,
			   "expected a statement, which begins with a name, found %s",
			   found(parse));
		if (parse->previous.kind == ';' && kind == TOKEN_VALUE)
			diag_help("is the ';' before it one too many?");
	}
}

/* In ( ) or [ ]. A value is missing, or the bracket is not closed. */
static void error_in_brackets(const Parse *parse, unsigned wanted, const Token *open)
{
	bool paren = open->kind == '(';
	int kind = parse->last.kind;
	bool ends = kind == ';' || kind == '{' || kind == '}' || kind == TOKEN_END;
	if (wanted & WANT_VALUE && !(wanted & WANT_CLOSE && ends)) {
		bool empty = parse->previous.kind == open->kind;
		const char *after =
			arena_printf("after '%s'", span_text(parse->previous.span));
		diag_error(parse->last.span, "expected a value %s, found %s",
			   !empty  ? after
			   : paren ? "in ( )"
				   : "in [ ]",
			   found(parse));
		return;
	}
	const char *what = paren ? "')', ',' or an operator" : "']' or ','";
	if (ends)
		what = paren ? "')'" : "']'";
	diag_error(ends ? behind(parse) : parse->last.span, "expected %s, found %s",
		   what, found(parse));
	if (ends)
		diag_note(open->span, "to close this '%c'", open->kind);
	else if (!paren && is_operator(kind))
		diag_help("arithmetic stands in parentheses: [(2 * units), 64]");
	else if (kind == TOKEN_NAME || kind == TOKEN_VALUE || kind == TOKEN_CALL)
		diag_help("between two values stands a ','");
}

void syntax_error(const Parse *parse, unsigned wanted)
{
	const Token *around = &parse->around;
	bool brackets = around->kind == '(' || around->kind == '[';
	if (wanted & WANT_SEMICOLON)
		error_in_arguments(parse);
	else if (wanted & WANT_VALUE && parse->previous.kind == '=')
		diag_error(parse->last.span, "expected a value after '=', found %s",
			   found(parse));
	else if (brackets && wanted & (WANT_VALUE | WANT_CLOSE))
		error_in_brackets(parse, wanted, around);
	else if (wanted & (WANT_VALUE | WANT_CLOSE))
		diag_error(parse->last.span,
			   "expected a value or a closing bracket, found %s",
			   found(parse));
	else
		error_at_statement(parse);
}

void syntax_stray(Parse *parse, Span brace)
{
	if (parse->swallowed > 0)
		parse->swallowed--;
	else
		diag_error(brace, "no '{' was opened for this '}'");
}

/* ---- the bytes ----------------------------------------------------------- */

/* Bytes of the UTF-8 character at p, 0 if it is none. */
static uint32_t utf8(const unsigned char *p, uint32_t left)
{
	if (*p < 0x80)
		return *p != 0;
	uint32_t n = *p >= 0xF0 ? 4 : *p >= 0xE0 ? 3 : 2;
	if (*p < 0xC2 || *p > 0xF4 || n > left)
		return 0;
	for (uint32_t i = 1; i < n; i++)
		if ((p[i] & 0xC0) != 0x80)
			return 0;
	/* too long a form, surrogates, beyond U+10FFFF */
	if ((*p == 0xE0 && p[1] < 0xA0) || (*p == 0xED && p[1] > 0x9F) ||
	    (*p == 0xF0 && p[1] < 0x90) || (*p == 0xF4 && p[1] > 0x8F))
		return 0;
	return n;
}

static bool check_bytes(const Source *source)
{
	const unsigned char *text = (const unsigned char *)source->text;
	uint32_t n;
	for (uint32_t i = 0; i < source->size; i += n) {
		n = utf8(text + i, source->size - i);
		if (n)
			continue;
		Span at = {source, i, i + 1};
		if (text[i] == 0)
			diag_error(at, "a NUL byte: this is not a text file");
		else
			diag_error(at, "byte 0x%02x is not UTF-8 text", text[i]);
		return false;
	}
	return true;
}

Stmt *parse_source(const Source *source, int *count)
{
	Parse *parse = arena_alloc(sizeof *parse);
	parse->source = source;
	if (check_bytes(source))
		scan_source(parse);
	*count = parse->file.count;
	return parse->file.items;
}
