/* tensors.c - a list of named tensors and metadata. */
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t nnc_dtype_size(const char *dtype)
{
	static const struct {
		const char *name;
		size_t size;
	} dtypes[] = {
		{"F32", 4}, {"F64", 8}, {"F16", 2},  {"BF16", 2}, {"I64", 8},
		{"I32", 4}, {"I16", 2}, {"I8", 1},   {"U64", 8},  {"U32", 4},
		{"U16", 2}, {"U8", 1},  {"BOOL", 1},
	};

	for (size_t i = 0; i < sizeof dtypes / sizeof dtypes[0]; i++)
		if (strcmp(dtypes[i].name, dtype) == 0)
			return dtypes[i].size;
	return 0;
}

void nnc_tensors_free(NncTensors *tensors)
{
	for (size_t i = 0; i < tensors->count; i++) {
		free(tensors->entry[i].name);
		if (!tensors->file.data)
			free(tensors->entry[i].data);
	}
	free(tensors->entry);
	json_decref(tensors->metadata);
	nnc_bytes_free(&tensors->file);
	*tensors = (NncTensors){0};
}

NncEntry *nnc_tensors_new(NncTensors *tensors)
{
	if (tensors->count == tensors->room) {
		size_t room = tensors->room ? 2 * tensors->room : 32;
		NncEntry *grown = realloc(tensors->entry, room * sizeof *grown);
		if (!grown)
			return NULL;
		tensors->entry = grown;
		tensors->room = room;
	}
	tensors->entry[tensors->count] = (NncEntry){0};
	return &tensors->entry[tensors->count++];
}

const NncEntry *nnc_tensors_find(const NncTensors *tensors, const char *name)
{
	for (size_t i = 0; i < tensors->count; i++)
		if (strcmp(tensors->entry[i].name, name) == 0)
			return &tensors->entry[i];
	return NULL;
}

const char *nnc_tensors_get(const NncTensors *tensors, const char *key)
{
	return json_string_value(json_object_get(tensors->metadata, key));
}

int nnc_tensors_set(NncTensors *tensors, const char *key, const char *value,
		    NncError *err)
{
	if (!tensors->metadata)
		tensors->metadata = json_object();
	if (json_object_set_new(tensors->metadata, key, json_string(value)) != 0)
		return nnc_fail(err, NNC_NOMEM, "out of memory");
	return NNC_OK;
}

int nnc_tensors_add(NncTensors *tensors, const char *name, const char *dtype, int rank,
		    const int64_t *dim, const void *data, NncError *err)
{
	NncEntry made = {.rank = rank, .size = nnc_dtype_size(dtype)};
	NncEntry *entry;

	if (made.size == 0 || rank < 0 || rank > NNC_MAX_ARRAY_RANK)
		return nnc_fail(err, NNC_BUG, "tensor %s: dtype %s, rank %d", name,
				dtype, rank);
	for (int r = 0; r < rank; r++) {
		made.dim[r] = dim[r];
		if (dim[r] < 0 || !nnc_multiply(&made.size, (size_t)dim[r]))
			return nnc_fail(err, NNC_BUG, "tensor %s is too large", name);
	}
	snprintf(made.dtype, sizeof made.dtype, "%s", dtype);
	made.name = strdup(name);
	made.data = calloc(made.size ? made.size : 1, 1);
	entry = made.name && made.data ? nnc_tensors_new(tensors) : NULL;
	if (!entry) {
		free(made.name);
		free(made.data);
		return nnc_fail(err, NNC_NOMEM, "out of memory");
	}
	if (data && made.size)
		memcpy(made.data, data, made.size);
	*entry = made;
	return NNC_OK;
}
