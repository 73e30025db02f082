/*
 * ast.h - between the scanner, the grammar and the builders; nobody else needs it.
 *
 * The scanner knows brackets: directly inside ( ) a '-' and a '/' are operators,
 * elsewhere they belong to a number: -1, 1/255.
 */
#ifndef AST_H
#define AST_H

#include "nnc.h"

enum { MAX_ITEMS = 1024 }; /* arguments of a statement or call, values of a list */

typedef struct ArgList {
	Arg *items;
	int count;
} ArgList;

typedef struct StmtList {
	Stmt *items;
	int count;
} StmtList;

/* What a token is, for messages: a bracket or sign is its own character. */
enum { TOKEN_END = 0, TOKEN_NAME = 'n', TOKEN_CALL = 'c', TOKEN_VALUE = 'v' };

typedef struct Token {
	int kind;
	Span span;
} Token;

/* One run of scanner and parser over a source. */
typedef struct Parse {
	const Source *source;
	uint32_t offset;         /* of the next token */
	Token previous, last;    /* the last two tokens scanned */
	Token around;            /* the bracket that the last one stands in */
	Token open[MAX_NESTING]; /* brackets not yet closed, innermost last */
	int depth;
	int signs;     /* '-' in a row, just scanned */
	Span comment;  /* the one being scanned */
	int swallowed; /* '{' lost in strings that were not closed */
	bool stopped;  /* out of bounds: nothing more is scanned */
	StmtList file; /* the result */
} Parse;

/* ---- literal.c: the text of a token -> its value; all of them report ---- */

Value scan_number(Span span, const char *text);
Value scan_ratio(Span span, const char *text);
Value scan_shape(Span span, const char *text);
Value scan_string(Span span, const char *text, size_t size);
Value scan_word(Span span, const char *text);

/* ---- syntax.c: what the scanner and the grammar report ------------------- */

Span scan_advance(Parse *parse, int bytes);
/* Notes a token; returns it, or what makes the parser give up. */
int scan_token(Parse *parse, int kind, Span span, int token);
/* The same for ( [ { and ) ] } ; which open and close. */
int scan_bracket(Parse *parse, int kind, Span span, int token);
bool scan_arithmetic(const Parse *parse); /* directly inside ( ) */
bool scan_calls(const Parse *parse);      /* a '(' follows immediately */
void scan_glued(const Parse *parse, Span span);
void scan_junk(Span span);
void scan_stray(Span span);
void scan_unclosed(Parse *parse, Span span, const char *what);
_Noreturn void scan_fatal(const char *message);

/* What the grammar could have taken where it met something else. */
enum {
	WANT_VALUE = 1 << 0,
	WANT_SEMICOLON = 1 << 1,
	WANT_CLOSE = 1 << 2, /* ) or ] */
	WANT_OPERATOR = 1 << 3,
};
void syntax_error(const Parse *parse, unsigned wanted);
void syntax_stray(Parse *parse, Span brace);

/* In grammar/nn.l: runs both over parse->source. */
void scan_source(Parse *parse);

/* ---- ast.c: the builders; one a grammar action -------------------------- */

Value ast_negate(Span span, Value a);
Value ast_binary(Span span, Value a, char op, Value b);
Value ast_paren(Span span, Value inner);
Value ast_items(ValueKind kind, Span span, ArgList items); /* TUPLE, LIST */
Value ast_call(Span span, Value name, ArgList items);
Arg ast_arg(Value value);
Arg ast_key(Value name, Value value);
ArgList ast_first(Arg arg);
ArgList ast_args(ArgList list, Arg arg);
Stmt ast_stmt(Span span, Value name, ArgList args);
Stmt ast_body(Span span, Value name, ArgList args, StmtList body);
StmtList ast_stmts(StmtList list, Stmt stmt);
StmtList ast_join(StmtList list, StmtList more);

#endif
