/*
 * safetensors.c - named tensors in a file, as Hugging Face defined it: the length of a
 * header (8 bytes, little-endian), the header (JSON: name -> dtype, shape and
 * data_offsets, and __metadata__), then the data.
 */
#include "internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "data is written as it is");

#define METADATA "__metadata__"

/* ---- writing ----------------------------------------------------------------------
 */

/* {"dtype": "F32", "shape": [64, 1, 7, 7], "data_offsets": [0, 12544]} */
static json_t *describe(const NncEntry *entry, size_t begin)
{
	json_t *shape = json_array();

	for (int r = 0; r < entry->rank; r++)
		json_array_append_new(shape, json_integer(entry->dim[r]));
	return json_pack("{s:s, s:o, s:[I,I]}", "dtype", entry->dtype, "shape", shape,
			 "data_offsets", (json_int_t)begin,
			 (json_int_t)(begin + entry->size));
}

/* The header's text, padded with blanks so that the data begins at a multiple of 8. */
static char *make_header(const NncTensors *tensors, size_t *length)
{
	json_t *root = json_object();
	json_t *metadata =
		tensors->metadata ? json_copy(tensors->metadata) : json_object();
	uint32_t crc = 0;
	size_t begin = 0;
	char text[16], *header, *padded;
	bool bad = false;

	for (size_t i = 0; i < tensors->count; i++)
		crc = nnc_crc32_more(crc, tensors->entry[i].data,
				     tensors->entry[i].size);
	snprintf(text, sizeof text, "%08" PRIx32, crc);
	bad |= json_object_set_new(metadata, "crc32", json_string(text)) != 0;
	bad |= json_object_set_new(root, METADATA, metadata) != 0;
	for (size_t i = 0; i < tensors->count; i++) {
		const NncEntry *entry = &tensors->entry[i];
		bad |= json_object_set_new(root, entry->name, describe(entry, begin)) !=
		       0;
		begin += entry->size;
	}
	bad |= json_object_size(root) != tensors->count + 1; /* a name given twice */
	header = bad ? NULL : json_dumps(root, JSON_COMPACT);
	json_decref(root);
	*length = header ? (strlen(header) + 7) & ~(size_t)7 : 0;
	padded = header ? malloc(*length + 1) : NULL;
	if (padded)
		snprintf(padded, *length + 1, "%-*s", (int)*length, header);
	free(header);
	return padded;
}

int nnc_tensors_save(const NncTensors *tensors, const char *path, NncError *err)
{
	unsigned char head[8];
	size_t length;
	char *header = make_header(tensors, &length);
	NncFile file;
	int code;

	if (!header)
		return nnc_fail(err, NNC_NOMEM, "cannot describe the tensors of \"%s\"",
				path);
	for (int i = 0; i < 8; i++)
		head[i] = (unsigned char)(length >> 8 * i);
	code = nnc_file_open(&file, path, err);
	if (code == NNC_OK)
		code = nnc_file_write(&file, head, sizeof head, err);
	if (code == NNC_OK)
		code = nnc_file_write(&file, header, length, err);
	for (size_t i = 0; i < tensors->count && code == NNC_OK; i++)
		code = nnc_file_write(&file, tensors->entry[i].data,
				      tensors->entry[i].size, err);
	if (code == NNC_OK)
		code = nnc_file_commit(&file, err);
	free(header);
	return code;
}

/* ---- reading ----------------------------------------------------------------------
 */

/* A file being read: where its data section lies. */
typedef struct Parse {
	NncTensors *tensors;
	unsigned char *data;
	size_t size;
	char source[80]; /* quoted */
	NncError *err;
} Parse;

/* dtype and shape of one tensor; sets entry->size. */
static int parse_shape(Parse *p, NncEntry *entry, const json_t *info, const char *name)
{
	const char *dtype = json_string_value(json_object_get(info, "dtype"));
	const json_t *shape = json_object_get(info, "shape");
	size_t size = dtype ? nnc_dtype_size(dtype) : 0, rank = json_array_size(shape);
	char quoted[80];

	if (!dtype || !json_is_array(shape))
		return nnc_fail(p->err, NNC_DATA,
				"\"%s\": tensor \"%s\" has no dtype or shape",
				p->source, name);
	if (size == 0)
		return nnc_fail(p->err, NNC_DATA,
				"\"%s\": tensor \"%s\" has dtype \"%s\", "
				"which is not known",
				p->source, name, nnc_quote(quoted, dtype));
	if (rank > NNC_MAX_ARRAY_RANK)
		return nnc_fail(p->err, NNC_DATA,
				"\"%s\": tensor \"%s\" has rank %zu, "
				"over %d",
				p->source, name, rank, NNC_MAX_ARRAY_RANK);
	snprintf(entry->dtype, sizeof entry->dtype, "%s", dtype);
	entry->rank = (int)rank;
	for (size_t r = 0; r < rank; r++) {
		const json_t *dim = json_array_get(shape, r);
		entry->dim[r] = json_integer_value(dim);
		if (!json_is_integer(dim) || entry->dim[r] < 0 ||
		    !nnc_multiply(&size, (size_t)entry->dim[r]))
			return nnc_fail(p->err, NNC_DATA,
					"\"%s\": tensor \"%s\" has an impossible shape",
					p->source, name);
	}
	entry->size = size;
	return NNC_OK;
}

static int parse_entry(Parse *p, const char *name, const json_t *info)
{
	const json_t *offsets = json_object_get(info, "data_offsets");
	const json_t *begin = json_array_get(offsets, 0),
		     *end = json_array_get(offsets, 1);
	json_int_t from = json_integer_value(begin), to = json_integer_value(end);
	NncEntry *entry = nnc_tensors_new(p->tensors);
	char quoted[80];
	int code;

	if (!entry || !(entry->name = strdup(name)))
		return nnc_fail(p->err, NNC_NOMEM, "out of memory");
	nnc_quote(quoted, name);
	code = parse_shape(p, entry, info, quoted);
	if (code != NNC_OK)
		return code;
	if (json_array_size(offsets) != 2 || !json_is_integer(begin) ||
	    !json_is_integer(end) || from < 0 || to < from || (size_t)to > p->size)
		return nnc_fail(
			p->err, NNC_DATA,
			"\"%s\": the data_offsets of tensor \"%s\" are malformed or "
			"outside of the file's %zu bytes of data",
			p->source, quoted, p->size);
	if ((size_t)(to - from) != entry->size)
		return nnc_fail(
			p->err, NNC_DATA,
			"\"%s\": tensor \"%s\" needs %zu bytes, its data_offsets "
			"say %lld",
			p->source, quoted, entry->size, (long long)(to - from));
	entry->data = p->data + from;
	return NNC_OK;
}

static int by_place(const void *left, const void *right)
{
	const NncEntry *a = left, *b = right;

	if (a->data != b->data)
		return a->data < b->data ? -1 : 1;
	return (a->size > b->size) - (a->size < b->size);
}

/* No overlap, no hole, nothing after the last one. */
static int check_places(Parse *p)
{
	NncTensors *t = p->tensors;
	size_t at = 0;
	char quoted[80];

	if (t->count > 0)
		qsort(t->entry, t->count, sizeof *t->entry, by_place);
	for (size_t i = 0; i < t->count; i++) {
		size_t begin = (size_t)(t->entry[i].data - p->data);
		if (begin != at)
			return nnc_fail(
				p->err, NNC_DATA,
				"\"%s\": tensor \"%s\" begins at byte %zu of the "
				"data, the one before it ends at %zu: %s",
				p->source, nnc_quote(quoted, t->entry[i].name), begin,
				at, begin < at ? "they overlap" : "there is a hole");
		at += t->entry[i].size;
	}
	if (at != p->size)
		return nnc_fail(p->err, NNC_DATA,
				"\"%s\": %zu bytes follow the last tensor's", p->source,
				p->size - at);
	return NNC_OK;
}

static int check_metadata(Parse *p, json_t *metadata)
{
	const char *key, *crc;
	json_t *value;

	if (!json_is_object(metadata))
		return nnc_fail(p->err, NNC_DATA, "\"%s\": " METADATA " is no object",
				p->source);
	json_object_foreach(metadata, key, value) if (
		!json_is_string(value)) return nnc_fail(p->err, NNC_DATA,
							"\"%s\": a value of " METADATA
							" is no string",
							p->source);
	p->tensors->metadata = json_incref(metadata);
	crc = nnc_tensors_get(p->tensors, "crc32");
	if (crc) {
		char actual[16];
		char quoted[80];
		snprintf(actual, sizeof actual, "%08" PRIx32,
			 nnc_crc32(p->data, p->size));
		if (strcmp(crc, actual) != 0)
			return nnc_fail(
				p->err, NNC_DATA,
				"\"%s\" is damaged: the CRC-32 of its data is %s, its "
				"header says \"%s\"",
				p->source, actual, nnc_quote(quoted, crc));
	}
	return NNC_OK;
}

static int parse_tensors(Parse *p, json_t *root)
{
	const char *name;
	json_t *info;
	int code = NNC_OK;

	json_object_foreach(root, name, info)
	{
		if (strcmp(name, METADATA) == 0)
			code = check_metadata(p, info);
		else
			code = parse_entry(p, name, info);
		if (code != NNC_OK)
			return code;
	}
	return check_places(p);
}

static int parse_file(Parse *p, const NncBytes *bytes)
{
	uint64_t length = 0;
	json_error_t error;
	json_t *root;
	char quoted[80];
	int code;

	for (size_t i = 0; i < 8 && bytes->size >= 8; i++)
		length |= (uint64_t)bytes->data[i] << 8 * i;
	if (bytes->size < 10 || length > bytes->size - 8 || bytes->data[8] != '{')
		return nnc_fail(
			p->err, NNC_DATA,
			"\"%s\" is not a safetensors file, or truncated (it is %s)",
			p->source, nnc_kind_of(bytes->data, bytes->size));
	if (length > NNC_MAX_HEADER)
		return nnc_fail(p->err, NNC_DATA,
				"\"%s\": a header of %" PRIu64 " bytes (at most %d)",
				p->source, length, NNC_MAX_HEADER);
	root = json_loadb((char *)bytes->data + 8, (size_t)length,
			  JSON_REJECT_DUPLICATES, &error);
	if (!root)
		return nnc_fail(p->err, NNC_DATA, "\"%s\": its header is malformed: %s",
				p->source, nnc_quote(quoted, error.text));
	p->data = bytes->data + 8 + length;
	p->size = bytes->size - 8 - (size_t)length;
	code = parse_tensors(p, root);
	json_decref(root);
	return code;
}

int nnc_tensors_parse(NncTensors *tensors, NncBytes *bytes, const char *source,
		      NncError *err)
{
	Parse parse = {.tensors = tensors, .err = err};
	int code;

	*tensors = (NncTensors){.file = *bytes};
	*bytes = (NncBytes){0};
	snprintf(tensors->source, sizeof tensors->source, "%s", source);
	nnc_quote(parse.source, source);
	code = parse_file(&parse, &tensors->file);
	if (code != NNC_OK)
		nnc_tensors_free(tensors);
	return code;
}

int nnc_tensors_load(NncTensors *tensors, const char *path, NncError *err)
{
	NncBytes bytes;
	int code = nnc_read_file(&bytes, path, NNC_MAX_FILE, err);

	*tensors = (NncTensors){0};
	if (code == NNC_OK)
		code = nnc_tensors_parse(tensors, &bytes, path, err);
	return code;
}
