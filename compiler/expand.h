/*
 * expand.h - the names in force while expanding, and arithmetic on them. Shared by
 * expand.c (statements), scope.c (names), eval.c (values), include.c (files).
 *
 * Bounds. Every statement met, every turn of a repeat and every value computed is a
 * step; steps and statements written are bounded, and so is the depth of bodies,
 * includes and block calls together. So nothing a file says makes expansion long,
 * large or deep.
 */
#ifndef EXPAND_H
#define EXPAND_H

#include "ast.h"

enum {
	MAX_STEPS = 1 << 18,
	MAX_FILES = 64, /* different files included */
};

typedef struct Symbol Symbol;
typedef struct Binding Binding;

/* A block's definition. */
typedef struct Block {
	const char *name;
	Span span; /* of its name where it is defined */
	const Stmt *definition;
	const Arg *params; /* name, or name=default */
	int param_count;
	int serial;
	bool active; /* being expanded: must not be used again */
} Block;

/* A constant or a block's parameter. */
struct Binding {
	Value value;
	Span span;  /* of its name where it is defined */
	int serial; /* its place among all definitions */
	int frame;  /* the call it belongs to; 0: none */
	Symbol *symbol;
	Binding *hidden; /* the same name, further out */
	Binding *before; /* bound just before this one */
};

/* What a name means now. */
struct Symbol {
	const char *name;
	Binding *binding; /* innermost */
	Block *block;
	Symbol *next;
};

/* Where names are looked up: a block sees what stands before its definition. */
typedef struct Frame {
	int id;
	int serial; /* definitions of other frames count if before this */
} Frame;

enum { SYMBOLS = 1 << 12 };

/* -D name=value */
typedef struct Override {
	const char *name;
	Span span; /* of the name */
	Value value;
	bool used;
} Override;

typedef struct File File; /* a file read: include.c */

typedef struct Expand {
	const ExpandOptions *options;
	Symbol *symbols[SYMBOLS];
	Binding *newest;
	int serial, frames;
	Frame frame;
	Override *overrides;
	int override_count;
	File **files;
	int file_count;
	const Origin *origin;
	int depth;  /* bodies, blocks and includes around us */
	int bodies; /* of which bodies and blocks */
	int written, steps;
	bool stopped;
} Expand;

/* ---- scope.c ------------------------------------------------------------ */
Symbol *scope_symbol(Expand *x, const char *name); /* made if new */
Block *scope_block(Expand *x, const char *name);   /* or NULL */
const Binding *scope_find(Expand *x, const char *name);
void scope_bind(Expand *x, const char *name, Span span, Value value);
void scope_leave(Expand *x, Binding *newest); /* forgets what was bound since */
/* Whether name may be defined here; reports why not. */
bool scope_free_name(Expand *x, const char *what, const char *name, Span span);
void scope_suggest(Expand *x, const char *name);

/* ---- eval.c ------------------------------------------------------------- */
/* The value with constants put in and arithmetic done; false if reported. */
bool eval(Expand *x, const Value *value, Value *result);
bool eval_args(Expand *x, const Arg *args, int count, Arg **result);

/* ---- include.c ---------------------------------------------------------- */
/* The statements of the file that an include names; NULL and reported if none. */
File *include_file(Expand *x, const Stmt *s);
const StmtList *file_enter(File *file);
void file_leave(File *file);
void file_main(Expand *x, const char *path, StmtList stmts);

/* ---- block.c ------------------------------------------------------------ */
void do_block(Expand *x, const Stmt *s, StmtList *out);
void call_block(Expand *x, Block *b, const Stmt *s, StmtList *out);

/* ---- expand.c ----------------------------------------------------------- */
/* Counts one step; false, and reported once, when that is one too many. */
bool expand_step(Expand *x, Span at);
/* One level deeper, which the caller undoes by depth--; false if too deep. */
bool expand_enter(Expand *x, Span at);
/* An error, with the origin of the statement being expanded. */
void expand_error(Expand *x, Span at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Puts an origin in front; returns what was there, to be put back. */
const Origin *expand_origin(Expand *x, Origin o);
void expand_body(Expand *x, const Stmt *stmts, int count, StmtList *out);
/* The same one level deeper, with constants of its own. */
void expand_nested(Expand *x, const Stmt *stmts, int count, Span at, StmtList *out);
/* Whether name is not yet defined; the first definition is noted if it is. */
bool expand_is_new(Expand *x, const char *name, Span span);
bool is_word(const Value *v); /* a name or call */

#endif
