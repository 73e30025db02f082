/*
 * scope.c - which constant, parameter or block a name means.
 *
 * A name's bindings are a stack, innermost on top; entering a call or a body only
 * remembers the newest binding, leaving it unbinds what came after. What a block's
 * body must not see (the caller's names, constants defined later) is still on the
 * stack, and is skipped by its serial number.
 */
#include <string.h>

#include "expand.h"

static Symbol **bucket(Expand *x, const char *name)
{
	return &x->symbols[hash_text(name) % SYMBOLS];
}

static Symbol *find(Expand *x, const char *name)
{
	Symbol *s = *bucket(x, name);
	while (s && strcmp(s->name, name) != 0)
		s = s->next;
	return s;
}

Symbol *scope_symbol(Expand *x, const char *name)
{
	Symbol *s = find(x, name);
	if (s)
		return s;
	Symbol **slot = bucket(x, name);
	s = arena_alloc(sizeof *s);
	s->name = name;
	s->next = *slot;
	*slot = s;
	return s;
}

Block *scope_block(Expand *x, const char *name)
{
	const Symbol *s = find(x, name);
	return s ? s->block : NULL;
}

static bool visible(const Expand *x, const Binding *b)
{
	return b->frame == x->frame.id || b->serial < x->frame.serial;
}

const Binding *scope_find(Expand *x, const char *name)
{
	const Symbol *s = find(x, name);
	const Binding *b = s ? s->binding : NULL;
	while (b && !visible(x, b))
		b = b->hidden;
	return b;
}

void scope_bind(Expand *x, const char *name, Span span, Value value)
{
	Binding *b = arena_alloc(sizeof *b);
	b->value = value;
	b->span = span;
	b->serial = ++x->serial;
	b->frame = x->frame.id;
	b->symbol = scope_symbol(x, name);
	b->hidden = b->symbol->binding;
	b->before = x->newest;
	b->symbol->binding = b;
	x->newest = b;
}

void scope_leave(Expand *x, Binding *newest)
{
	for (; x->newest != newest; x->newest = x->newest->before)
		x->newest->symbol->binding = x->newest->hidden;
}

const char *const directive_names[] = {"block", "const", "include", "repeat", NULL};

bool scope_free_name(Expand *x, const char *what, const char *name, Span span)
{
	const char *kind = is_activation(name)   ? "an activation"
			   : nnc_find_init(name) ? "an initialiser"
						 : NULL;
	for (int i = 0; directive_names[i]; i++)
		if (strcmp(name, directive_names[i]) == 0)
			kind = "a word of the language";
	if (strcmp(name, "true") == 0 || strcmp(name, "false") == 0)
		kind = "a word of the language";
	if (kind)
		expand_error(x, span, "%s cannot be called '%s', which is %s", what,
			     name, kind);
	return !kind;
}

void scope_suggest(Expand *x, const char *name)
{
	enum { ENOUGH = 1000 };
	const char **names = NULL;
	int count = 0;
	for (const Binding *b = x->newest; b && count < ENOUGH; b = b->before)
		if (visible(x, b))
			*vec_push(&names, &count) = b->symbol->name;
	diag_suggest(name, names, count);
}
