/*
 * block.c - the user's own blocks: their definition, and their use like a layer.
 *
 * A block's body sees its parameters and what stands before its definition, never
 * its caller's names. Arguments are matched by place or by name, like a layer's.
 */
#include <string.h>

#include "expand.h"

static const char *param_name(const Arg *param)
{
	return param->key ? param->key : param->value.text;
}

static Span param_span(const Arg *param)
{
	return param->key ? param->key_span : param->value.span;
}

static bool check_params(Expand *x, const Value *v)
{
	bool ok = true;
	for (int i = 0; i < v->count; i++) {
		const Arg *p = &v->items[i];
		if (!p->key && p->value.kind != VALUE_NAME) {
			expand_error(x, p->value.span,
				     "a parameter is NAME or NAME=default");
			return false;
		}
		ok &= scope_free_name(x, "a parameter", param_name(p), param_span(p));
		const Arg *q = v->items;
		while (q < p && strcmp(param_name(q), param_name(p)) != 0)
			q++;
		if (q == p)
			continue;
		expand_error(x, param_span(p), "two parameters are called '%s'",
			     param_name(p));
		diag_note(param_span(q), "the first");
		ok = false;
	}
	return ok;
}

/* block NAME { } or block NAME(a, b=1) { } */
void do_block(Expand *x, const Stmt *s, StmtList *out)
{
	(void)out;
	const Value *v = s->count >= 1 ? &s->args[0].value : NULL;
	if (!v || s->count != 1 || s->args[0].key || !is_word(v) || !s->has_body) {
		expand_error(x, s->span, "block takes a name, parameters and a body");
		if (!v || !diag_semicolon(s->name_span, v->span))
			diag_help("write block res(c, stride=1) { ... }");
		return;
	}
	if (x->bodies > 0) {
		expand_error(x, s->span, "a block is defined outside all bodies");
		return;
	}
	Span name = {v->span.source, v->span.start,
		     v->span.start + (uint32_t)strlen(v->text)};
	bool ok = scope_free_name(x, "a block", v->text, name) &&
		  expand_is_new(x, v->text, name);
	if (ok && (find_layer(v->text) || is_section(v->text))) {
		expand_error(x, name, "a block cannot be called '%s', which is a %s",
			     v->text, is_section(v->text) ? "section" : "layer");
		ok = false;
	}
	if (!check_params(x, v) || !ok)
		return;
	Block *b = arena_alloc(sizeof *b);
	*b = (Block){.name = v->text,
		     .span = name,
		     .definition = s,
		     .params = v->items,
		     .param_count = v->count,
		     .serial = ++x->serial};
	scope_symbol(x, v->text)->block = b;
}

static const char *signature(const Block *b)
{
	const char *text = b->name;
	for (int i = 0; i < b->param_count; i++)
		text = arena_printf("%s %s%s", text, param_name(&b->params[i]),
				    b->params[i].key ? "=..." : "");
	return text;
}

/* Which parameter an argument is for, or -1 and reported. */
static int param_of(Expand *x, const Block *b, const Arg *a, const Arg *const *given)
{
	int i = 0;
	if (!a->key) {
		while (i < b->param_count && given[i])
			i++;
		if (i < b->param_count)
			return i;
		const char *most = b->param_count == 0   ? "no arguments"
				   : b->param_count == 1 ? "1 argument"
							 : arena_printf("%d arguments",
									b->param_count);
		expand_error(x, a->value.span, "%s takes %s, found %s'%s'", b->name,
			     most, b->param_count ? "one more: " : "",
			     span_text(a->value.span));
		diag_note(b->span, "defined here: %s", signature(b));
		return -1;
	}
	for (; i < b->param_count; i++)
		if (strcmp(param_name(&b->params[i]), a->key) == 0)
			break;
	if (i == b->param_count) {
		const char **names = NULL;
		int count = 0;
		for (i = 0; i < b->param_count; i++)
			*vec_push(&names, &count) = param_name(&b->params[i]);
		expand_error(x, a->key_span, "%s has no parameter '%s'", b->name,
			     a->key);
		diag_suggest(a->key, names, count);
		diag_note(b->span, "defined here: %s", signature(b));
		return -1;
	}
	if (given[i]) {
		expand_error(x, a->key_span, "%s is given its '%s' twice", b->name,
			     a->key);
		diag_note(given[i]->value.span, "the first");
		return -1;
	}
	return i;
}

/* The value of each parameter from the call, in the caller's names. */
static bool call_args(Expand *x, const Block *b, const Stmt *s, Value *values,
		      const Arg **given)
{
	bool ok = true;
	for (int k = 0; k < s->count; k++) {
		const Arg *a = &s->args[k];
		int i = param_of(x, b, a, given);
		if (i < 0) {
			Span before = k ? s->args[k - 1].value.span : s->name_span;
			if (!a->key)
				diag_semicolon(before, a->value.span);
			return false;
		}
		given[i] = a;
		ok &= eval(x, &a->value, &values[i]);
	}
	for (int i = 0; i < b->param_count; i++) {
		if (given[i] || b->params[i].key)
			continue;
		expand_error(x, s->span, "%s needs its '%s'", b->name,
			     param_name(&b->params[i]));
		diag_note(b->span, "defined here: %s", signature(b));
		ok = false;
	}
	return ok;
}

static bool bind_params(Expand *x, const Block *b, Value *values,
			const Arg *const *given)
{
	bool ok = true;
	for (int i = 0; i < b->param_count; i++) {
		const Arg *p = &b->params[i];
		if (!given[i])
			ok &= eval(x, &p->value, &values[i]);
		scope_bind(x, param_name(&b->params[i]),
			   p->key ? p->key_span : p->value.span, values[i]);
	}
	return ok;
}

void call_block(Expand *x, Block *b, const Stmt *s, StmtList *out)
{
	if (s->has_body) {
		expand_error(x, s->span, "the block '%s' takes no body", b->name);
		diag_note(b->span, "defined here");
		return;
	}
	if (b->active) {
		expand_error(x, s->name_span, "the block '%s' uses itself", b->name);
		return;
	}
	Value *values = arena_alloc(sizeof *values * (size_t)(b->param_count + 1));
	const Arg **given = arena_alloc(sizeof *given * (size_t)(b->param_count + 1));
	if (!call_args(x, b, s, values, given))
		return;
	Origin called = {.kind = ORIGIN_BLOCK, .span = s->span, .name = b->name};
	const Origin *outer = expand_origin(x, called);
	Frame caller = x->frame;
	Binding *newest = x->newest;
	x->frame = (Frame){++x->frames, b->serial};
	b->active = true;
	if (bind_params(x, b, values, given))
		expand_nested(x, b->definition->body, b->definition->body_count,
			      s->span, out);
	b->active = false;
	scope_leave(x, newest);
	x->frame = caller;
	x->origin = outer;
}
