/* text.c - UTF-8 from outside: what is none of it, and the cells it takes. */
#include "internal.h"

#include <string.h>

enum { REPLACEMENT = 0xfffd };

uint32_t nnc_code_point(const char **text)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *s = (const unsigned char *)*text;
	int length = *s < 0x80       ? 1
		     : *s >> 5 == 6  ? 2
		     : *s >> 4 == 14 ? 3
		     : *s >> 3 == 30 ? 4
				     : 0;
	uint32_t code = *s;

	if (length > 1)
		code &= 0x7fu >> length;
	for (int i = 1; i < length; i++) {
		if ((s[i] & 0xc0) != 0x80)
			length = 0;
		else
			code = code << 6 | (s[i] & 0x3f);
	}
	*text += length ? length : 1;
	if (!length || code < smallest[length] || code > 0x10ffff ||
	    (code >= 0xd800 && code < 0xe000) || code < 32 ||
	    (code >= 127 && code < 160) || (code & 0xfffe) == 0xfffe)
		return REPLACEMENT;
	return code;
}

size_t nnc_utf8(char bytes[4], uint32_t code)
{
	size_t length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
	static const unsigned char first[] = {0, 0, 0xc0, 0xe0, 0xf0};

	for (size_t i = length - 1; i > 0; i--, code >>= 6)
		bytes[i] = (char)(0x80 | (code & 0x3f));
	bytes[0] = (char)(first[length] | code);
	return length;
}

/* Unicode's wide and zero-width letters, as far as names are likely to have them. */
static int cells_of(uint32_t code)
{
	static const struct {
		uint32_t first, last;
		int cells;
	} range[] = {
		{0x0300, 0x036f, 0},   {0x1100, 0x115f, 2},   {0x200b, 0x200f, 0},
		{0x202a, 0x202e, 0},   {0x2060, 0x2069, 0},   {0x20d0, 0x20ff, 0},
		{0x2e80, 0xa4cf, 2},   {0xac00, 0xd7a3, 2},   {0xf900, 0xfaff, 2},
		{0xfe00, 0xfe0f, 0},   {0xfe30, 0xfe6f, 2},   {0xfeff, 0xfeff, 0},
		{0xff01, 0xff60, 2},   {0xffe0, 0xffe6, 2},   {0x1f300, 0x1f64f, 2},
		{0x1f680, 0x1f6ff, 2}, {0x1f900, 0x1faff, 2}, {0x20000, 0x3fffd, 2},
	};

	for (size_t i = 0; i < sizeof range / sizeof *range; i++)
		if (code >= range[i].first && code <= range[i].last)
			return range[i].cells;
	return 1;
}

int nnc_cells(const char *text)
{
	int cells = 0;

	while (*text)
		cells += cells_of(nnc_code_point(&text));
	return cells;
}

void nnc_print_cells(FILE *out, const char *text, int cells)
{
	bool whole = nnc_cells(text) <= cells;
	int left = whole ? cells : cells - 1;
	char bytes[4];

	while (*text) {
		uint32_t code = nnc_code_point(&text);
		if (cells_of(code) > left)
			break;
		left -= cells_of(code);
		size_t size = nnc_utf8(bytes, code);
		fwrite(bytes, 1, size, out);
	}
	if (!whole)
		fputs("\xe2\x80\xa6", out); /* an ellipsis */
	while (left-- > 0)
		fputc(' ', out);
}
