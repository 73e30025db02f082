/*
 * npy_file.c - NumPy's .npy, versions 1 to 3: a magic, the length of a header that is
 * a Python dict of descr, fortran_order and shape, then the numbers.
 */
#include "internal.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_NPY_HEADER = 1 << 16 };

/* What the header says. */
typedef struct Header {
	char order, kind; /* '<' '>' '|' '='; 'u' 'i' 'b' 'f' ... */
	size_t size;      /* bytes of a number */
	bool fortran;
	char descr[16];
} Header;

/* The text after 'KEY': in the dict, or NULL. */
static const char *value_of(const char *dict, const char *key)
{
	size_t length = strlen(key);
	const char *at = dict;

	while ((at = strstr(at, key))) {
		const char *end = at + length;
		bool quoted = at > dict && (at[-1] == '\'' || at[-1] == '"') &&
			      *end == at[-1];
		if (quoted) {
			end++;
			while (*end == ' ')
				end++;
			if (*end == ':') {
				end++;
				while (*end == ' ')
					end++;
				return end;
			}
		}
		at += length;
	}
	return NULL;
}

/* '<f4' */
static bool parse_descr(Header *header, const char *text)
{
	char quote = text ? *text : '\0';
	size_t length;

	if (quote != '\'' && quote != '"')
		return false;
	length = strcspn(++text, "'\"");
	if (length < 3 || length >= sizeof header->descr || text[length] != quote)
		return false;
	memcpy(header->descr, text, length);
	header->descr[length] = 0;
	header->order = header->descr[0];
	header->kind = header->descr[1];
	if (!strchr("<>|=", header->order))
		return false;
	if (length != 3 || !isdigit((unsigned char)header->descr[2]))
		header->size = 0; /* some other type than those read */
	else
		header->size = (size_t)(header->descr[2] - '0');
	return true;
}

/* (60000, 28, 28) */
static bool parse_shape(NncArray *array, const char *text)
{
	if (!text || *text++ != '(')
		return false;
	array->count = 1;
	while (*text != ')') {
		char *end;
		if (!isdigit((unsigned char)*text) || array->rank == NNC_MAX_ARRAY_RANK)
			return false;
		unsigned long long dim = strtoull(text, &end, 10);
		if (dim > NNC_MAX_FILE || !nnc_multiply(&array->count, (size_t)dim) ||
		    array->count > NNC_MAX_FILE)
			return false;
		array->dim[array->rank++] = (size_t)dim;
		text = end + strspn(end, " L");
		if (*text == ',')
			text += 1 + strspn(text + 1, " ");
		else if (*text != ')')
			return false;
	}
	return true;
}

static int parse_header(Header *header, NncArray *array, const char *dict,
			const char *path, NncError *err)
{
	const char *fortran = value_of(dict, "fortran_order");

	if (!parse_descr(header, value_of(dict, "descr")))
		return nnc_fail(err, NNC_DATA,
				"\"%s\": only plain numbers are read, not "
				"objects or records",
				path);
	if (!fortran ||
	    (strncmp(fortran, "True", 4) != 0 && strncmp(fortran, "False", 5) != 0))
		return nnc_fail(err, NNC_DATA,
				"\"%s\": its header has no fortran_order", path);
	header->fortran = *fortran == 'T';
	if (!parse_shape(array, value_of(dict, "shape")))
		return nnc_fail(
			err, NNC_DATA,
			"\"%s\": its shape is malformed, too large, or of a rank "
			"over %d",
			path, NNC_MAX_ARRAY_RANK);
	if (header->fortran && array->rank > 1)
		return nnc_fail(err, NNC_DATA,
				"\"%s\" is in Fortran order\n"
				"help: save it with numpy.ascontiguousarray(a)",
				path);
	return NNC_OK;
}

/* Reads magic, length and dict. */
static int read_header(Header *header, NncArray *array, NncReader *reader,
		       const char *path, NncError *err)
{
	unsigned char head[12] = {0};
	size_t got, length, size;
	char *dict;
	int code = nnc_reader_read(reader, head, 10, &got, err);

	if (code != NNC_OK)
		return code;
	if (got < 10 || memcmp(head, "\x93NUMPY", 6) != 0)
		return nnc_fail(err, NNC_DATA, "\"%s\" is not a .npy file: it is %s",
				path, nnc_kind_of(head, got));
	if (head[6] < 1 || head[6] > 3)
		return nnc_fail(err, NNC_DATA,
				"\"%s\" is .npy version %d; 1..3 are read", path,
				head[6]);
	if (head[6] > 1 &&
	    (code = nnc_reader_read(reader, head + 10, 2, &got, err)) != NNC_OK)
		return code;
	length = (size_t)head[8] | (size_t)head[9] << 8 | (size_t)head[10] << 16 |
		 (size_t)head[11] << 24;
	if (length > MAX_NPY_HEADER)
		return nnc_fail(err, NNC_DATA,
				"\"%s\": a header of %zu bytes (at most %d)", path,
				length, MAX_NPY_HEADER);
	dict = calloc(length + 1, 1);
	if (!dict)
		return nnc_fail(err, NNC_NOMEM, "out of memory");
	size = length;
	code = nnc_reader_read(reader, dict, length, &got, err);
	if (code == NNC_OK && got < size)
		code = nnc_fail(err, NNC_DATA, "\"%s\" ends inside its header", path);
	if (code == NNC_OK)
		code = parse_header(header, array, dict, path, err);
	free(dict);
	return code;
}

/* The type of the numbers in memory, or 0. */
static char type_of(const Header *h)
{
	if ((h->kind == 'u' || h->kind == 'b') && h->size == 1)
		return 'B';
	if (h->kind == 'f' && (h->size == 4 || h->size == 8))
		return h->size == 4 ? 'f' : 'd';
	if ((h->kind == 'i' || h->kind == 'u') &&
	    (h->size == 1 || h->size == 2 || h->size == 4 || h->size == 8))
		return 'q';
	return 0;
}

static void swap_bytes(unsigned char *data, size_t count, size_t size)
{
	for (size_t i = 0; i < count; i++, data += size)
		for (size_t b = 0; b < size / 2; b++) {
			unsigned char swap = data[b];
			data[b] = data[size - 1 - b];
			data[size - 1 - b] = swap;
		}
}

/* Widens count integers in place, from the last one: data has room for int64_t. */
static bool widen(void *data, size_t count, const Header *h)
{
	for (size_t i = count; i-- > 0;) {
		uint64_t value = 0;
		int shift = (int)(64 - 8 * h->size);
		memcpy(&value, (char *)data + i * h->size, h->size);
		if (h->kind == 'u' && value > INT64_MAX)
			return false;
		if (h->kind == 'i')
			value = (uint64_t)((int64_t)(value << shift) >> shift);
		memcpy((char *)data + i * 8, &value, 8);
	}
	return true;
}

static int read_numbers(const Header *h, NncArray *array, NncReader *reader,
			const char *path, NncError *err)
{
	size_t size = array->count, got;
	unsigned char more;
	int code;

	if (!nnc_multiply(&size, h->size) || !nnc_reader_could_hold(reader, size))
		return nnc_fail(
			err, NNC_DATA,
			"\"%s\" is truncated: its header says %zu numbers of %zu "
			"bytes, more than a file of %zu bytes can hold",
			path, array->count, h->size, reader->stored);
	array->data = nnc_allocate(array->count, array->type == 'q' ? 8 : h->size);
	if (!array->data)
		return nnc_fail(err, NNC_NOMEM,
				"out of memory: \"%s\" holds %zu numbers", path,
				array->count);
	code = nnc_reader_read(reader, array->data, size, &got, err);
	if (code != NNC_OK)
		return code;
	if (got < size)
		return nnc_fail(
			err, NNC_DATA,
			"\"%s\" is truncated: its header says %zu numbers of %zu "
			"bytes, but only %zu bytes follow",
			path, array->count, h->size, got);
	code = nnc_reader_read(reader, &more, 1, &got, err);
	if (code == NNC_OK && got > 0)
		code = nnc_fail(err, NNC_DATA,
				"\"%s\" goes on after the %zu numbers of its header",
				path, array->count);
	array->crc = nnc_crc32(array->data, size);
	if (h->order == '>')
		swap_bytes(array->data, array->count, h->size);
	if (array->type == 'q' && !widen(array->data, array->count, h))
		return nnc_fail(err, NNC_DATA, "\"%s\": an integer is over 2^63", path);
	return code;
}

double nnc_array_number(const NncArray *array, size_t i)
{
	switch (array->type) {
	case 'B':
		return ((const uint8_t *)array->data)[i];
	case 'f':
		return (double)((const float *)array->data)[i];
	case 'd':
		return ((const double *)array->data)[i];
	default:
		return (double)((const int64_t *)array->data)[i];
	}
}

int nnc_npy_read(NncArray *array, const char *path, NncError *err)
{
	Header header = {0};
	NncReader reader;
	char quoted[80], descr[80];
	int code = nnc_reader_open(&reader, path, err);

	*array = (NncArray){0};
	nnc_quote(quoted, path);
	if (code != NNC_OK)
		return code;
	code = read_header(&header, array, &reader, quoted, err);
	array->type = type_of(&header);
	if (code == NNC_OK && !array->type)
		code = nnc_fail(
			err, NNC_DATA,
			"\"%s\" holds numbers of type '%s'; u1, integers, f4 and f8 "
			"are read",
			quoted, nnc_quote(descr, header.descr));
	if (code == NNC_OK)
		code = read_numbers(&header, array, &reader, quoted, err);
	if (code != NNC_OK)
		nnc_array_free(array);
	nnc_reader_close(&reader);
	return code;
}
