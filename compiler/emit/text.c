/* text.c - how numbers, names and tensors are spelled in the generated C. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "nnc.h"

/* Without printf: a large model has a million of them. */
const char *int_text(int64_t value)
{
	char digits[24], *at = digits + sizeof digits;
	uint64_t left = value < 0 ? -(uint64_t)value : (uint64_t)value;
	do
		*--at = (char)('0' + left % 10);
	while ((left /= 10));
	if (value < 0)
		*--at = '-';
	return arena_strndup(at, (size_t)(digits + sizeof digits - at));
}

/* "n", or "n * 196". */
const char *times_text(const char *factor, int64_t times)
{
	return times == 1 ? factor
			  : arena_printf("%s * %lld", factor, (long long)times);
}

/* The shortest decimal that reads back as the same double. */
static const char *shortest(double value)
{
	if (value < 1e15 && value > -1e15 && value == (double)(int64_t)value)
		return arena_printf("%.0f", value);
	for (int digits = 1; digits < 17; digits++) {
		const char *text = arena_printf("%.*g", digits, value);
		if (strtod(text, NULL) == value)
			return text;
	}
	return arena_printf("%.17g", value);
}

const char *number_text(double value)
{
	return shortest(value);
}

const char *real_text(double value)
{
	return arena_printf("(real)%s", shortest(value));
}

/* A number as part of an identifier: 0.1 is 0_1, 1e-05 is 1em05. */
const char *identifier_text(double value)
{
	char *text = arena_printf("%s", shortest(value));
	for (char *c = text; *c; c++)
		*c = *c == '-' ? 'm' : isalnum((unsigned char)*c) ? *c : '_';
	return text;
}

/* 1234567 as "1,234,567". */
const char *grouped_text(int64_t value)
{
	const char *digits = arena_printf("%lld", (long long)value);
	const char *text = "";
	size_t length = strlen(digits);
	for (size_t i = 0; i < length; i++)
		text = arena_printf("%s%s%c", text,
				    i && (length - i) % 3 == 0 ? "," : "", digits[i]);
	return text;
}

const char *upper_text(const char *id)
{
	char *text = arena_printf("%s", id);
	for (char *c = text; *c; c++)
		*c = (char)toupper((unsigned char)*c);
	return text;
}

/* Bytes one at a time, in linear space. */
static void add(Text *t, const char *text)
{
	text_add(t, text, strlen(text));
}

/* User's text inside a comment: nothing that could end it, begin another, or make it
 * look like something else. */
const char *comment_text(const char *text)
{
	Text out = {0};
	size_t left = strlen(text);
	add(&out, "");
	for (const char *c = text; left > 0;) {
		size_t size = *c == '\\' ? 0 : safe_char(c, left);
		text_add(&out, size ? c : " ", size ? size : 1);
		if ((c[0] == '*' && c[1] == '/') || (c[0] == '/' && c[1] == '*'))
			add(&out, " ");
		size = size ? size : 1;
		c += size;
		left -= size;
	}
	return out.bytes;
}

/* User's text as a C string literal. */
const char *string_text(const char *text)
{
	if (!text)
		return "NULL";
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789 _-+.,:;=()[]{}/<>!*&|^~@#$'`";
	Text out = {0};
	add(&out, "\"");
	while (*text) {
		size_t run = strspn(text, plain);
		text_add(&out, text, run);
		text += run;
		if (*text)
			add(&out, arena_printf("\\%03o", (unsigned char)*text++));
	}
	add(&out, "\"");
	return out.bytes;
}

/* Every occurrence of the identifier `word` in text, replaced. */
const char *replace_word(const char *text, const char *word, const char *with)
{
	Text out = {0};
	size_t length = strlen(word);
	add(&out, "");
	for (const char *c = text; *c;) {
		bool starts =
			c == text || (!isalnum((unsigned char)c[-1]) && c[-1] != '_');
		bool ends = strncmp(c, word, length) == 0 &&
			    !isalnum((unsigned char)c[length]) && c[length] != '_';
		if (starts && ends) {
			add(&out, with);
			c += length;
		} else {
			text_add(&out, c++, 1);
		}
	}
	return out.bytes;
}

const char *element_type(Element element)
{
	return element == ELEMENT_BYTE  ? "uint8_t"
	       : element == ELEMENT_INT ? "int32_t"
					: "real";
}

const char *adjoint_id(const Tensor *t)
{
	return arena_printf("d_%s", t->id);
}

/* The tensor whose name stands for t's place: t itself, or what it is a reshape of. */
const Tensor *place_of(const Tensor *t)
{
	while (t->alias && t->producer->op->reshape)
		t = t->alias;
	return t;
}

/* A tensor as an argument: `a + DENSE1`, `own + X`, `w->dense1_weight`, `dw->...`. */
const char *ref(const Tensor *t)
{
	if (t->kind == TENSOR_PARAM)
		return arena_printf("w->%s", t->id);
	if (t->kind == TENSOR_GRAD)
		return arena_printf("dw->%s", t->id);
	const Tensor *at = place_of(t);
	const char *place =
		arena_printf("%s + %s", at->own ? "own" : "a", upper_text(at->id));
	if (t->element == ELEMENT_REAL)
		return place;
	return arena_printf("(%s *)(%s)", element_type(t->element), place);
}

/* The elements of a whole batch, for costs. */
double batch_size(const Net *net, const Tensor *t)
{
	return (double)(shape_size(t->shape) * rows_of(net, t));
}

int64_t padded(int64_t reals)
{
	return (reals + 15) / 16 * 16;
}
