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
#define CRC      "crc32"

/* ---- writing ------------------------------------------------------------- */

/* {"dtype": "F32", "shape": [64, 1, 7, 7], "data_offsets": [0, 12544]}; where memory
 * was short, make_header() hears of it. */
static json_t *describe(const NncEntry *entry, size_t begin)
{
	json_t *shape = json_array();

	for (int r = 0; r < entry->rank; r++)
		json_array_append_new(shape, json_integer(entry->dim[r]));
	return json_pack("{s:s, s:o, s:[I,I]}", "dtype", entry->dtype, "shape", shape,
			 "data_offsets", (json_int_t)begin,
			 (json_int_t)(begin + entry->size));
}

/* The key of a tensor's own CRC in the metadata, to be freed; NULL: out of memory. */
static char *crc_key(const char *name)
{
	size_t room = sizeof CRC + 1 + strlen(name);
	char *key = malloc(room);

	if (key)
		snprintf(key, room, CRC ":%s", name);
	return key;
}

static bool set_crc(json_t *metadata, const char *key, uint32_t crc)
{
	char text[16];

	snprintf(text, sizeof text, "%08" PRIx32, crc);
	return key && json_object_set_new(metadata, key, json_string(text)) == 0;
}

/* The CRC of all data, and each tensor's, so that a damaged one can be named. */
static bool set_crcs(json_t *metadata, const NncTensors *tensors)
{
	uint32_t all = 0;
	bool done = true;

	for (size_t i = 0; i < tensors->count && done; i++) {
		const NncEntry *entry = &tensors->entry[i];
		uint32_t crc = nnc_crc32(entry->data, entry->size);
		char *key = crc_key(entry->name);
		all = nnc_crc32_join(all, crc, entry->size);
		done = set_crc(metadata, key, crc);
		free(key);
	}
	done &= set_crc(metadata, CRC, all);
	return done;
}

static json_t *make_metadata(const NncTensors *tensors)
{
	json_t *metadata =
		tensors->metadata ? json_copy(tensors->metadata) : json_object();

	if (set_crcs(metadata, tensors))
		return metadata;
	json_decref(metadata);
	return NULL;
}

/* The header's text, padded with blanks so that the data begins at a multiple of 8. */
static char *make_header(const NncTensors *tensors, size_t *length)
{
	json_t *root;
	size_t begin = 0;
	char *header, *padded;
	bool bad;

	nnc_json_no_memory();
	root = json_object();
	bad = json_object_set_new(root, METADATA, make_metadata(tensors)) != 0;

	for (size_t i = 0; i < tensors->count && !bad; i++) {
		const NncEntry *entry = &tensors->entry[i];
		bad = json_object_set_new(root, entry->name, describe(entry, begin)) !=
		      0;
		begin += entry->size;
	}
	bad |= json_object_size(root) != tensors->count + 1; /* a name given twice */
	header = bad ? NULL : json_dumps(root, JSON_COMPACT);
	json_decref(root);
	if (nnc_json_no_memory()) { /* a copy may lack a part without a word */
		nnc_json_free(header);
		header = NULL;
	}
	*length = header ? (strlen(header) + 7) & ~(size_t)7 : 0;
	padded = header ? malloc(*length + 1) : NULL;
	if (padded)
		snprintf(padded, *length + 1, "%-*s", (int)*length, header);
	nnc_json_free(header);
	return padded;
}

int nnc_tensors_save(const NncTensors *tensors, const char *path, const char *previous,
		     NncError *err)
{
	unsigned char head[8];
	size_t length;
	char *header = make_header(tensors, &length);
	NncFile file;
	int code;

	if (!header)
		return nnc_fail(err, NNC_NOMEM, "out of memory to save \"%s\"", path);
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
		code = nnc_file_commit(&file, previous, err);
	free(header);
	return code;
}

/* ---- reading ------------------------------------------------------------- */

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
		if (json_typeof(dim) != JSON_INTEGER || entry->dim[r] < 0 ||
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
	if (json_array_size(offsets) != 2 || json_typeof(begin) != JSON_INTEGER ||
	    json_typeof(end) != JSON_INTEGER || from < 0 || to < from ||
	    (size_t)to > p->size)
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
	if (json_typeof(metadata) != JSON_OBJECT)
		return nnc_fail(p->err, NNC_DATA, "\"%s\": " METADATA " is no object",
				p->source);
	for (void *i = json_object_iter(metadata); i;
	     i = json_object_iter_next(metadata, i))
		if (json_typeof(json_object_iter_value(i)) != JSON_STRING)
			return nnc_fail(p->err, NNC_DATA,
					"\"%s\": a value of " METADATA " is no string",
					p->source);
	p->tensors->metadata = json_incref(metadata);
	return NNC_OK;
}

/* False: the metadata has another CRC-32 under this key than `crc`. */
static bool same_crc(const NncTensors *tensors, const char *key, uint32_t crc)
{
	const char *text = nnc_tensors_get(tensors, key);
	char actual[16];

	snprintf(actual, sizeof actual, "%08" PRIx32, crc);
	return !text || strcmp(text, actual) == 0;
}

/* The first tensor whose own CRC is another, or NULL. */
static const NncEntry *damaged_tensor(const NncTensors *tensors)
{
	for (size_t i = 0; i < tensors->count; i++) {
		const NncEntry *entry = &tensors->entry[i];
		char *key = crc_key(entry->name);
		bool same = !key ||
			    same_crc(tensors, key, nnc_crc32(entry->data, entry->size));
		free(key);
		if (!same)
			return entry;
	}
	return NULL;
}

/* Files of others have no CRC. */
static int check_crc(const Parse *p)
{
	uint32_t crc = nnc_crc32(p->data, p->size);
	const NncEntry *entry;
	char quoted[80];

	if (same_crc(p->tensors, CRC, crc))
		return NNC_OK;
	entry = damaged_tensor(p->tensors);
	if (entry)
		return nnc_fail(p->err, NNC_DATA,
				"\"%s\" is damaged: the CRC-32 of tensor \"%s\" is "
				"not what its header says",
				p->source, nnc_quote(quoted, entry->name));
	return nnc_fail(p->err, NNC_DATA,
			"\"%s\" is damaged: the CRC-32 of its data is %08" PRIx32
			", its header says \"%s\"",
			p->source, crc,
			nnc_quote(quoted, nnc_tensors_get(p->tensors, CRC)));
}

static int parse_tensors(Parse *p, json_t *root)
{
	int code;

	for (void *i = json_object_iter(root); i; i = json_object_iter_next(root, i)) {
		const char *name = json_object_iter_key(i);
		json_t *info = json_object_iter_value(i);
		if (strcmp(name, METADATA) == 0)
			code = check_metadata(p, info);
		else
			code = parse_entry(p, name, info);
		if (code != NNC_OK)
			return code;
	}
	code = check_places(p);
	return code ? code : check_crc(p);
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
	nnc_json_no_memory();
	root = json_loadb((char *)bytes->data + 8, (size_t)length,
			  JSON_REJECT_DUPLICATES, &error);
	if (nnc_json_no_memory()) {
		json_decref(root);
		return nnc_fail(p->err, NNC_NOMEM, "out of memory to read \"%s\"",
				p->source);
	}
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
