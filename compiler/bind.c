/*
 * bind.c - the arguments of a statement or call against a parameter table.
 *
 * A positional argument goes to the first positional parameter left whose forms accept
 * it, so `dense 128 relu` and `dense relu 128` are the same. Every other argument is
 * an error that says what was expected. The words for that are in params.c.
 */
#include <string.h>

#include "bind.h"

/* ---- which forms a value has --------------------------------------------- */

bool is_choice(const char *choices, const char *name)
{
	size_t n = strlen(name);
	for (const char *p = choices; p && *p; p += *p == '|') {
		size_t length = strcspn(p, "|");
		if (length == n && strncmp(p, name, n) == 0)
			return true;
		p += length;
	}
	return false;
}

static bool is_bool(const Value *v)
{
	return v->kind == VALUE_NAME &&
	       (strcmp(v->text, "true") == 0 || strcmp(v->text, "false") == 0);
}

static bool list_fits(const Param *p, const Value *v)
{
	Param item = *p;
	item.forms &= ~NNC_ARG_LIST;
	for (int i = 0; i < v->count; i++)
		if (!form_fits(&item, &v->items[i].value))
			return false;
	return v->count > 0;
}

/* Whether the value has one of the forms of p. */
bool form_fits(const Param *p, const Value *v)
{
	int f = p->forms;
	bool whole = v->kind == VALUE_NUMBER && v->is_integer;
	switch (v->kind) {
	case VALUE_NUMBER:
		return f & NNC_ARG_REAL ||
		       (whole && f & (NNC_ARG_INT | NNC_ARG_SIZE2 | NNC_ARG_SHAPE));
	case VALUE_SHAPE:
		return (f & NNC_ARG_SIZE2 && v->count == 2) ||
		       (f & NNC_ARG_SHAPE && v->count <= 3);
	case VALUE_NAME:
		if ((f & NNC_ARG_CHOICE && is_choice(p->choices, v->text)) ||
		    (f & NNC_ARG_FLAG && is_bool(v)))
			return true;
		/* fall through */
	case VALUE_CALL:
		return (f & NNC_ARG_ACTIVATION && is_activation(v->text)) ||
		       (f & NNC_ARG_INIT && nnc_find_init(v->text));
	case VALUE_STRING:
		return f & NNC_ARG_STRING;
	case VALUE_LIST:
		return f & NNC_ARG_LIST && list_fits(p, v);
	case VALUE_TUPLE:
	case VALUE_BINARY:
	case VALUE_NEGATE:
		break; /* gone after expansion */
	}
	return false;
}

/* ---- the value of a parameter ------------------------------------------- */

static bool in_range(const Args *a, const Param *p, const Value *v, const char *side)
{
	if ((p->min == 0 && p->max == 0) ||
	    (v->number >= p->min && v->number <= p->max))
		return true;
	diag_error(v->span, "%s takes %s%s %s, found %s", a->what, side, param_word(p),
		   param_range(p), found_text(v));
	return false;
}

/* The one argument of an initialiser: normal(0.01). */
static bool check_init(const Value *v)
{
	const NncInit *init = nnc_find_init(v->text);
	const Param params[] = {init->param, {.name = NULL}};
	Param positional[] = {params[0], params[1]};
	positional[0].positional = true;
	Args args;
	int count = v->kind == VALUE_CALL ? v->count : 0;
	return bind_args(&args, v->text, v->span, v->items, count, positional);
}

/* What a fitting value must be besides: in range, with arguments of its own that fit.
 */
static bool check_value(const Args *a, const Param *p, const Value *v)
{
	bool ok = true;
	switch (v->kind) {
	case VALUE_NUMBER:
		return in_range(a, p, v, "");
	case VALUE_SHAPE:
		for (int i = 0; i < v->count; i++)
			ok = ok && in_range(a, p, &v->items[i].value, "each side of ");
		return ok;
	case VALUE_LIST:
		for (int i = 0; i < v->count; i++)
			ok &= check_value(a, p, &v->items[i].value);
		return ok;
	case VALUE_NAME:
	case VALUE_CALL:
		if (v->kind == VALUE_NAME &&
		    p->forms & (NNC_ARG_CHOICE | NNC_ARG_FLAG) &&
		    (is_choice(p->choices, v->text) || is_bool(v)))
			return true;
		if (p->forms & NNC_ARG_ACTIVATION && is_activation(v->text))
			return check_activation(v);
		return !(p->forms & NNC_ARG_INIT) || check_init(v);
	default:
		return true;
	}
}

static const Param *param_of(const Param *params, const char *name, int *row)
{
	for (int i = 0; params[i].name; i++) {
		assert(i < MAX_PARAMS);
		if (strcmp(params[i].name, name) == 0) {
			*row = i;
			return &params[i];
		}
	}
	return NULL;
}

static bool give(Args *a, int row, const Value *v, Span at)
{
	if (a->values[row]) {
		diag_error(at, "%s is given its %s twice", a->what,
			   a->params[row].name);
		diag_note(a->values[row]->span, "the first");
		return false;
	}
	a->values[row] = v;
	return check_value(a, &a->params[row], v);
}

/* ---- arguments ---------------------------------------------------------- */

static bool bind_key(Args *a, const Arg *arg)
{
	int row = 0;
	const Param *p = param_of(a->params, arg->key, &row);
	if (!p) {
		unknown_key(a, arg);
		return false;
	}
	if (!form_fits(p, &arg->value)) {
		misfit(a, p, &arg->value);
		return false;
	}
	return give(a, row, &arg->value, arg->key_span);
}

static bool bind_positional(Args *a, const Arg *arg, const Arg *before)
{
	const Value *v = &arg->value;
	int row = 0;
	if (v->kind == VALUE_NAME) {
		const Param *flag = param_of(a->params, v->text, &row);
		if (flag && flag->forms & NNC_ARG_FLAG)
			return give(a, row, v, v->span);
	}
	for (row = 0; a->params[row].name; row++)
		if (a->params[row].positional && !a->values[row] &&
		    form_fits(&a->params[row], v))
			return give(a, row, v, v->span);
	unplaced(a, v, before);
	return false;
}

bool bind_args(Args *bound, const char *what, Span span, const Arg *args, int count,
	       const Param *params)
{
	bool ok = true;
	*bound = (Args){.what = what, .span = span, .params = params};
	for (int i = 0; i < count; i++)
		if (args[i].key)
			ok &= bind_key(bound, &args[i]);
	/* Names first: a key may take what a place would have taken. */
	for (int i = 0; i < count; i++) {
		if (args[i].key)
			continue;
		if (!bind_positional(bound, &args[i], i ? &args[i - 1] : NULL)) {
			ok = false;
			/* What follows a misplaced one has lost its place too. */
			break;
		}
	}
	for (int i = 0; ok && params[i].name; i++) {
		if (!params[i].required || bound->values[i])
			continue;
		missing(bound, &params[i]);
		ok = false;
	}
	return ok;
}

/* ---- reading what was bound --------------------------------------------- */

static int row_of(const Args *a, const char *name)
{
	int row = -1;
	param_of(a->params, name, &row);
	assert(row >= 0); /* the table has no such row */
	return row;
}

const Value *arg_value(const Args *a, const char *name)
{
	return a->values[row_of(a, name)];
}

bool arg_given(const Args *a, const char *name)
{
	return arg_value(a, name) != NULL;
}

int64_t arg_int(const Args *a, const char *name)
{
	const Value *v = arg_value(a, name);
	if (v && v->kind == VALUE_NUMBER)
		return v->is_integer ? v->integer : (int64_t)v->number;
	return (int64_t)a->params[row_of(a, name)].initial;
}

double arg_real(const Args *a, const char *name)
{
	const Value *v = arg_value(a, name);
	return v && v->kind == VALUE_NUMBER ? v->number
					    : a->params[row_of(a, name)].initial;
}

bool arg_flag(const Args *a, const char *name)
{
	const Value *v = arg_value(a, name);
	if (!v)
		return a->params[row_of(a, name)].initial != 0;
	return !(v->kind == VALUE_NAME && strcmp(v->text, "false") == 0);
}

const char *arg_choice(const Args *a, const char *name)
{
	const Param *p = &a->params[row_of(a, name)];
	const Value *v = arg_value(a, name);
	if (v && v->kind == VALUE_NAME)
		return v->text;
	return p->choices ? arena_strndup(p->choices, strcspn(p->choices, "|")) : "";
}

const char *arg_string(const Args *a, const char *name)
{
	const Value *v = arg_value(a, name);
	return v && v->kind == VALUE_STRING ? v->text : NULL;
}

bool arg_size2(const Args *a, const char *name, int64_t size[2])
{
	const Value *v = arg_value(a, name);
	if (!v)
		return false;
	bool square = v->kind == VALUE_NUMBER;
	size[0] = square ? v->integer : v->items[0].value.integer;
	size[1] = square ? v->integer : v->items[1].value.integer;
	return true;
}

Span arg_span(const Args *a, const char *name)
{
	const Value *v = arg_value(a, name);
	return v ? v->span : a->span;
}
