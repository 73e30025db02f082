/* front.c - source text in, normal form and messages out (see front.h). */
#include <stdlib.h>
#include <string.h>

#include "front.h"

static char *messages; /* since listen() */
static size_t messages_size;
static FILE *stream;

void listen(void)
{
	free(messages);
	messages = NULL;
	stream = open_memstream(&messages, &messages_size);
	diag_reset(stream);
}

int heard(void)
{
	int errors = diag_errors();
	fclose(stream);
	diag_reset(NULL);
	return errors;
}

bool says(const char *text)
{
	return strstr(messages, text) != NULL;
}

/* The normal form of some statements, in the arena. */
static const char *normal(const Stmt *stmts, int count)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	print_stmts(out, stmts, count);
	fclose(out);
	const char *copy = arena_strndup(text, size);
	free(text);
	return copy;
}

const char *parse_bytes(const char *text, size_t size, int *errors)
{
	int count;
	listen();
	Stmt *stmts = parse_source(source_new("t.nn", text, size), &count);
	*errors = heard();
	return normal(stmts, count);
}

const char *parse(const char *text, int *errors)
{
	return parse_bytes(text, strlen(text), errors);
}

const char *expand_with(const char *text, const ExpandOptions *options, int *errors)
{
	int count;
	const Source *source;
	listen();
	Stmt *stmts = expand_text("t.nn", text, strlen(text), options, &count, &source);
	*errors = heard();
	return normal(stmts, count);
}

const char *expand(const char *text, int *errors)
{
	ExpandOptions none = {NULL, 0, NULL, 0};
	return expand_with(text, &none, errors);
}

int errors_of(const char *text)
{
	int errors;
	expand(text, &errors);
	return errors;
}
