/* weights.c - a model's blocks as tensors in PyTorch's names, shapes and order. */
#include "internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *dtype_of(const NncModel *model)
{
	return model->real_bytes == 8 ? "F64" : "F32";
}

static int store_tensor(NncTensors *tensors, const NncModel *model, const NncTensor *t,
			const void *block, const char *prefix, NncError *err)
{
	int64_t dim[NNC_MAX_RANK];
	char name[512];
	int code;

	for (int32_t r = 0; r < t->rank; r++)
		dim[r] = t->dim[r];
	if (snprintf(name, sizeof name, "%s%s", prefix, t->name) >= (int)sizeof name)
		return nnc_fail(err, NNC_BUG, "tensor %s: too long a name", t->name);
	code = nnc_tensors_add(tensors, name, dtype_of(model), t->rank, dim, NULL, err);
	if (code != NNC_OK)
		return code;
	if (model->real_bytes == 8) {
		double *to = (double *)(void *)tensors->entry[tensors->count - 1].data;
		for (NncWalk w = nnc_walk(t); w.rows > 0; nnc_walk_next(&w))
			for (int64_t i = 0; i < w.length; i++)
				*to++ = ((
					const double *)block)[w.offset + i * w.stride];
	} else {
		float *to = (float *)(void *)tensors->entry[tensors->count - 1].data;
		for (NncWalk w = nnc_walk(t); w.rows > 0; nnc_walk_next(&w))
			for (int64_t i = 0; i < w.length; i++)
				*to++ = ((const float *)block)[w.offset + i * w.stride];
	}
	return NNC_OK;
}

int nnc_block_store(NncTensors *tensors, const NncModel *model, const void *block,
		    const char *prefix, NncError *err)
{
	int code = NNC_OK;

	for (int32_t i = 0; i < model->tensor_count && code == NNC_OK; i++)
		code = store_tensor(tensors, model, &model->tensors[i], block, prefix,
				    err);
	return code;
}

/* "(64, 1, 7, 7)" */
static void shape_text(char text[256], int rank, const int64_t *dim)
{
	size_t used = (size_t)snprintf(text, 256, "(");

	for (int r = 0; r < rank; r++)
		used += (size_t)snprintf(text + used, 256 - used, "%s%" PRId64,
					 r ? ", " : "", dim[r]);
	snprintf(text + used, 256 - used, ")");
}

static int check_tensor(const NncEntry *entry, const NncTensors *tensors,
			const NncModel *model, const NncTensor *t, const char *name,
			NncError *err)
{
	static const char help[] =
		"help: these are the weights of another architecture, or the .nn file "
		"was changed since";
	int64_t dim[NNC_MAX_RANK] = {0};
	char source[80], has[256], wants[256];
	bool same = entry && entry->rank == t->rank;

	nnc_quote(source, tensors->source);
	if (!entry)
		return nnc_fail(
			err, NNC_DATA,
			"\"%s\" has no tensor \"%s\", which the model %s has\n%s",
			source, name, model->source, help);
	for (int32_t r = 0; r < t->rank; r++) {
		dim[r] = t->dim[r];
		same = same && entry->dim[r] == dim[r];
	}
	shape_text(has, entry->rank, entry->dim);
	shape_text(wants, t->rank, dim);
	if (!same)
		return nnc_fail(
			err, NNC_DATA,
			"\"%s\": tensor \"%s\" has shape %s in the file, %s in the "
			"model %s\n%s",
			source, name, has, wants, model->source, help);
	if (strcmp(entry->dtype, dtype_of(model)) != 0 &&
	    !(model->real_bytes == 8 && strcmp(entry->dtype, "F32") == 0))
		return nnc_fail(
			err, NNC_DATA,
			"\"%s\": tensor \"%s\" is of dtype %s in the file, %s in the "
			"model %s",
			source, name, entry->dtype, dtype_of(model), model->source);
	return NNC_OK;
}

/* data may lie at any address: it is copied number by number. */
static void fetch_tensor(const NncEntry *entry, const NncModel *model,
			 const NncTensor *t, void *block)
{
	const unsigned char *from = entry->data;
	bool wide = strcmp(entry->dtype, "F64") == 0;

	for (NncWalk w = nnc_walk(t); w.rows > 0; nnc_walk_next(&w))
		for (int64_t i = 0; i < w.length; i++) {
			int64_t at = w.offset + i * w.stride;
			float narrow;
			if (model->real_bytes == 4 || wide) {
				memcpy((char *)block + at * model->real_bytes, from,
				       (size_t)model->real_bytes);
				from += model->real_bytes;
				continue;
			}
			memcpy(&narrow, from, sizeof narrow);
			from += sizeof narrow;
			((double *)block)[at] = (double)narrow;
		}
}

static const NncEntry *find(const NncTensors *tensors, const char *prefix,
			    const char *tensor, char name[512])
{
	snprintf(name, 512, "%s%s", prefix, tensor);
	return nnc_tensors_find(tensors, name);
}

int nnc_block_fetch(const NncTensors *tensors, const NncModel *model, void *block,
		    const char *prefix, NncError *err)
{
	char name[512];

	for (int32_t i = 0; i < model->tensor_count; i++) {
		const NncTensor *t = &model->tensors[i];
		const NncEntry *entry = find(tensors, prefix, t->name, name);
		int code = check_tensor(entry, tensors, model, t, name, err);
		if (code != NNC_OK)
			return code;
	}
	for (int32_t i = 0; block && i < model->tensor_count; i++) {
		const NncTensor *t = &model->tensors[i];
		fetch_tensor(find(tensors, prefix, t->name, name), model, t, block);
	}
	return NNC_OK;
}

int nnc_block_no_extra(const NncTensors *tensors, const NncModel *model, NncError *err)
{
	char quoted[80], source[80];

	for (size_t i = 0; i < tensors->count; i++) {
		const char *name = tensors->entry[i].name;
		int32_t t = 0;
		if (strncmp(name, "optimizer.", 10) == 0)
			continue;
		while (t < model->tensor_count &&
		       strcmp(model->tensors[t].name, name) != 0)
			t++;
		if (t == model->tensor_count)
			return nnc_fail(
				err, NNC_DATA,
				"\"%s\" has a tensor \"%s\", which the model %s has "
				"not\nhelp: these are the weights of another "
				"architecture",
				nnc_quote(source, tensors->source),
				nnc_quote(quoted, name), model->source);
	}
	return NNC_OK;
}

int nnc_weights_save(const char *path, const NncModel *model, const void *params,
		     NncError *err)
{
	NncTensors tensors = {0};
	int code = nnc_block_store(&tensors, model, params, "", err);

	if (code == NNC_OK) /* what PyTorch's loaders look for */
		code = nnc_tensors_set(&tensors, "format", "pt", err);
	if (code == NNC_OK)
		code = nnc_tensors_save(&tensors, path, NULL, err);
	nnc_tensors_free(&tensors);
	return code;
}

int nnc_weights_load(const char *path, const NncModel *model, void *params,
		     NncError *err)
{
	NncTensors tensors = {0};
	int code = nnc_tensors_load(&tensors, path, err);

	/* The model's tensors first: "shape (128, 784) in the file" says more. */
	if (code == NNC_OK)
		code = nnc_block_fetch(&tensors, model, NULL, "", err);
	if (code == NNC_OK)
		code = nnc_block_no_extra(&tensors, model, err);
	if (code == NNC_OK)
		code = nnc_block_fetch(&tensors, model, params, "", err);
	nnc_tensors_free(&tensors);
	return code;
}
