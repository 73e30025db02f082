/*
 * eval.c - values: constants put in, arithmetic done, tuples made shapes.
 *
 * Integer arithmetic is exact or an error. a / b is an integer where it comes out
 * even, else a real. Recursion is bounded: the text of a ( ) is at most MAX_TOKEN
 * bytes, brackets nest at most MAX_NESTING deep.
 */
#include <math.h>

#include "expand.h"

static Value integer(Span span, int64_t n)
{
	return (Value){.kind = VALUE_NUMBER,
		       .span = span,
		       .is_integer = true,
		       .integer = n,
		       .number = (double)n};
}

static bool real(Expand *x, Span span, double n, Value *result)
{
	if (!isfinite(n)) {
		expand_error(x, span, "the result is too large for a double");
		return false;
	}
	*result = (Value){.kind = VALUE_NUMBER, .span = span, .number = n};
	return true;
}

/* A number to compute with. */
static bool operand(Expand *x, const Value *v, Value *result)
{
	if (v->kind == VALUE_NAME && !scope_find(x, v->text)) {
		expand_error(x, v->span, "'%s' is not a constant", v->text);
		scope_suggest(x, v->text);
		return false;
	}
	if (!eval(x, v, result))
		return false;
	if (result->kind == VALUE_NUMBER)
		return true;
	const char *shown = value_text(result);
	expand_error(x, v->span, "arithmetic takes numbers, found %s", shown);
	return false;
}

static bool divide(Expand *x, const Value *v, const Value *a, const Value *b,
		   Value *result)
{
	if (b->number == 0) {
		expand_error(x, v->span, "division by zero");
		return false;
	}
	if (v->op == '%' && !(a->is_integer && b->is_integer)) {
		expand_error(x, v->span, "%% takes integers, found %s %% %s",
			     value_text(a), value_text(b));
		return false;
	}
	if (!a->is_integer || !b->is_integer)
		return real(x, v->span, a->number / b->number, result);
	if (b->integer == -1) { /* -2^63 has no negative */
		int64_t r = 0;
		if (v->op == '/' &&
		    __builtin_sub_overflow((int64_t)0, a->integer, &r)) {
			expand_error(x, v->span, "the result does not fit 64 bits");
			return false;
		}
		*result = integer(v->span, r);
		return true;
	}
	int64_t rest = a->integer % b->integer;
	if (v->op == '%')
		*result = integer(v->span, rest);
	else if (rest == 0)
		*result = integer(v->span, a->integer / b->integer);
	else
		return real(x, v->span, a->number / b->number, result);
	return true;
}

static bool binary(Expand *x, const Value *v, Value *result)
{
	Value a, b;
	bool left = operand(x, &v->items[0].value, &a);
	if (!operand(x, &v->items[1].value, &b) || !left)
		return false;
	if (v->op == '/' || v->op == '%')
		return divide(x, v, &a, &b, result);
	if (!a.is_integer || !b.is_integer)
		return real(x, v->span,
			    v->op == '+'   ? a.number + b.number
			    : v->op == '-' ? a.number - b.number
					   : a.number * b.number,
			    result);
	int64_t r;
	bool over = v->op == '+'   ? __builtin_add_overflow(a.integer, b.integer, &r)
		    : v->op == '-' ? __builtin_sub_overflow(a.integer, b.integer, &r)
				   : __builtin_mul_overflow(a.integer, b.integer, &r);
	if (over) {
		expand_error(x, v->span, "the result does not fit 64 bits: %s %c %s",
			     value_text(&a), v->op, value_text(&b));
		return false;
	}
	*result = integer(v->span, r);
	return true;
}

static bool negate(Expand *x, const Value *v, Value *result)
{
	Value a;
	if (!operand(x, &v->items[0].value, &a))
		return false;
	if (!a.is_integer)
		return real(x, v->span, -a.number, result);
	if (a.integer == INT64_MIN) {
		expand_error(x, v->span, "the result does not fit 64 bits");
		return false;
	}
	*result = integer(v->span, -a.integer);
	return true;
}

/* (3, 3, c) is a shape: positive integers. */
static bool tuple(Expand *x, const Value *v, Value *result)
{
	bool ok = true;
	*result = (Value){.kind = VALUE_SHAPE, .span = v->span};
	for (int i = 0; i < v->count; i++) {
		const Value *item = &v->items[i].value;
		Value side;
		if (!operand(x, item, &side)) {
			ok = false;
			continue;
		}
		if (!side.is_integer || side.integer < 1) {
			expand_error(
				x, item->span,
				"a side of a shape is a positive integer, found %s",
				value_text(&side));
			ok = false;
		}
		vec_push(&result->items, &result->count)->value = side;
	}
	return ok;
}

bool eval_args(Expand *x, const Arg *args, int count, Arg **result)
{
	bool ok = true;
	int n = 0;
	*result = NULL;
	for (int i = 0; i < count; i++) {
		Arg a = args[i];
		ok &= eval(x, &args[i].value, &a.value);
		*vec_push(result, &n) = a;
	}
	return ok;
}

bool eval(Expand *x, const Value *value, Value *result)
{
	if (!expand_step(x, value->span))
		return false;
	*result = *value;
	const Binding *b;
	switch (value->kind) {
	case VALUE_NAME:
		b = scope_find(x, value->text);
		if (b) {
			*result = b->value;
			result->span = value->span;
		}
		return true;
	case VALUE_CALL:
	case VALUE_LIST:
		return eval_args(x, value->items, value->count, &result->items);
	case VALUE_TUPLE:
		return tuple(x, value, result);
	case VALUE_BINARY:
		return binary(x, value, result);
	case VALUE_NEGATE:
		return negate(x, value, result);
	case VALUE_NUMBER:
	case VALUE_SHAPE:
	case VALUE_STRING:
		return true;
	}
	return true;
}
