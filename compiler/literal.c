/*
 * literal.c - the text of one token -> its value.
 *
 * The scanner has checked the form. What is left is size: integers are exact 64-bit
 * numbers or an error, reals finite doubles. A bad literal is reported and becomes
 * something harmless, so that its statement is still checked.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ast.h"

/* An integer if it is written as one and fits. */
static Value number(Span span, const char *text, size_t length)
{
	Value v = {.kind = VALUE_NUMBER, .span = span};
	const char *copy = arena_strndup(text, length);
	v.is_integer = !strpbrk(copy, ".eE");
	errno = 0;
	if (v.is_integer) {
		v.integer = strtoll(copy, NULL, 10);
		v.number = (double)v.integer;
		if (errno == ERANGE) {
			diag_error(span, "the integer %s does not fit 64 bits",
				   length > 40 ? "here" : copy);
			diag_help("with a decimal point it is a real number");
		}
		return v;
	}
	v.number = strtod(copy, NULL);
	if (errno == ERANGE && (v.number > 1 || v.number < -1)) {
		diag_error(span, "the number is too large for a double");
		v.number = 1;
	} else if (errno == ERANGE) {
		diag_error(span, "the number is too small for a double");
		v.number = 1;
	}
	return v;
}

Value scan_number(Span span, const char *text)
{
	return number(span, text, strlen(text));
}

Value scan_ratio(Span span, const char *text)
{
	const char *slash = strchr(text, '/');
	Value above = number(span, text, (size_t)(slash - text));
	Value below = number(span, slash + 1, strlen(slash + 1));
	if (below.number == 0) {
		diag_error(span, "division by zero");
		return above;
	}
	Value v = {.kind = VALUE_NUMBER, .span = span};
	v.number = above.number / below.number;
	/* -2^63/-1 cannot be written: only the upper number has a sign. */
	if (above.is_integer && below.is_integer &&
	    above.integer % below.integer == 0) {
		v.is_integer = true;
		v.integer = above.integer / below.integer;
		v.number = (double)v.integer;
		return v;
	}
	if (!isfinite(v.number)) {
		diag_error(span, "the number is too large for a double");
		v.number = 1;
	}
	v.text = arena_printf("%s/%s", value_text(&above), value_text(&below));
	return v;
}

Value scan_shape(Span span, const char *text)
{
	Value v = {.kind = VALUE_SHAPE, .span = span};
	const char *p = text;
	for (;;) {
		size_t digits = strspn(p, "0123456789");
		Span at = {span.source, span.start + (uint32_t)(p - text), 0};
		at.end = at.start + (uint32_t)digits;
		Value side = number(at, p, digits);
		if (side.integer == 0) {
			diag_error(at, "a side of a shape is at least 1");
			if (v.count == 0)
				diag_help("'%s' is a shape; numbers are written in "
					  "decimal",
					  text);
			side.integer = 1;
			side.number = 1;
		}
		vec_push(&v.items, &v.count)->value = side;
		if (p[digits] == '\0')
			return v;
		p += digits + 1;
	}
}

Value scan_word(Span span, const char *text)
{
	Value v = {.kind = VALUE_NAME, .span = span};
	v.text = arena_strndup(text, span.end - span.start);
	return v;
}

/* ---- strings ------------------------------------------------------------- */

/* Up to `most` digits of the base at p; *n is how many there were. */
static unsigned digits(const char *p, unsigned base, int most, int *n)
{
	unsigned value = 0;
	for (*n = 0; *n < most; ++*n) {
		char c = p[*n];
		unsigned d = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
			     : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
			     : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10
						    : 99;
		if (d >= base)
			break;
		value = value * base + d;
	}
	return value;
}

/* A character as UTF-8; returns its bytes, 0 for what is none. */
static size_t encode(unsigned c, char *to)
{
	if (c < 0x80) {
		to[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		to[0] = (char)(0xC0 | c >> 6);
		to[1] = (char)(0x80 | (c & 0x3F));
		return 2;
	}
	if (c >= 0xD800 && c < 0xE000)
		return 0;
	to[0] = (char)(0xE0 | c >> 12);
	to[1] = (char)(0x80 | (c >> 6 & 0x3F));
	to[2] = (char)(0x80 | (c & 0x3F));
	return 3;
}

/* The escape behind a backslash at p; what it stands for goes to *to. Bytes read. */
static size_t escape(Span span, const char *text, const char *p, char **to)
{
	static const char names[] = "abfnrtv\\\"'?";
	static const char values[] = "\a\b\f\n\r\t\v\\\"'?";
	const char *name = strchr(names, *p);
	uint32_t start = span.start + (uint32_t)(p - text) - 1;
	int n = 0;
	unsigned c = 0;
	if (name && *p) {
		*(*to)++ = values[name - names];
		return 1;
	}
	if (*p >= '0' && *p <= '7') {
		c = digits(p, 8, 3, &n);
	} else if (*p == 'x' || *p == 'u') {
		c = digits(p + 1, 16, *p == 'x' ? 2 : 4, &n);
		if (n == 0 || (*p == 'u' && n < 4))
			c = 0x10000;
		n++;
	} else {
		n = 1;
		c = 0x10000;
	}
	Span at = {span.source, start, start + 1 + (uint32_t)n};
	size_t bytes =
		c == 0 || c > 0xFFFF || (*p != 'u' && c > 0x7F) ? 0 : encode(c, *to);
	if (!bytes && c == 0) {
		diag_error(at, "a string cannot hold a NUL");
	} else if (!bytes && c <= 0xFF) {
		diag_error(at, "a byte above 127 is no character by itself");
		diag_help("write the character, or its number as \\u%04x", c);
	} else if (!bytes) {
		diag_error(at, "unknown escape in a string");
		diag_help("there are \\n \\t \\\\ \\\" and C's others, \\x7e, \\u00e9; "
			  "for a backslash write \\\\");
	}
	*to += bytes;
	return (size_t)n;
}

Value scan_string(Span span, const char *text, size_t size)
{
	Value v = {.kind = VALUE_STRING, .span = span};
	char *to = arena_alloc(size + 1);
	v.text = to;
	for (const char *p = text + 1; p < text + size - 1;) {
		if (*p != '\\')
			*to++ = *p++;
		else
			p += 1 + escape(span, text, p + 1, &to);
	}
	*to = '\0';
	return v;
}
