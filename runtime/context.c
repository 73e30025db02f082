/*
 * context.c - the memory of a model: params, grads, optimizer state and arena, in one
 * aligned allocation, and how to look at its numbers whatever they are.
 */
#include "internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of a block of `reals` numbers, up to the next multiple of NNC_ALIGN. */
static bool block_bytes(size_t *bytes, const NncModel *model, size_t reals)
{
	*bytes = reals;
	if (!nnc_multiply(bytes, (size_t)model->real_bytes))
		return false;
	*bytes = (*bytes + NNC_ALIGN - 1) / NNC_ALIGN * NNC_ALIGN;
	return true;
}

int nnc_context_open(NncContext *c, const NncModel *model, NncError *err)
{
	size_t block, arena, total;
	size_t blocks = 2 + (size_t)model->slot_count;
	char *memory = NULL;

	memset(c, 0, sizeof *c);
	if (model->slot_count < 0 || model->slot_count > NNC_MAX_SLOTS)
		return nnc_fail(err, NNC_BUG, "%s has %d optimizer states",
				model->source, (int)model->slot_count);
	if (block_bytes(&block, model, model->params_reals) &&
	    block_bytes(&arena, model, model->arena_reals)) {
		total = block;
		if (nnc_multiply(&total, blocks) && total <= SIZE_MAX / 2 - arena) {
			total += arena;
			memory = aligned_alloc(NNC_ALIGN, total ? total : NNC_ALIGN);
		}
	}
	if (!memory)
		return nnc_fail(err, NNC_NOMEM, "not enough memory to run %s",
				model->source);
	memset(memory, 0, total);
	c->params = memory;
	c->grads = memory + block;
	for (size_t i = 2; i < blocks; i++)
		c->slot[i - 2] = memory + i * block;
	c->arena = memory + blocks * block;
	c->lr = model->training.lr;
	c->seed = model->training.seed;
	return NNC_OK;
}

void nnc_context_close(NncContext *c)
{
	free(c->params);
	memset(c, 0, sizeof *c);
}

double nnc_real_at(const NncModel *model, const void *block, int64_t i)
{
	if (model->real_bytes == (int32_t)sizeof(double))
		return ((const double *)block)[i];
	return (double)((const float *)block)[i];
}

int64_t nnc_tensor_at(const NncTensor *tensor, int64_t element)
{
	int64_t at = tensor->offset;

	for (int32_t d = tensor->rank - 1; d >= 0; d--) {
		at += element % tensor->dim[d] * tensor->stride[d];
		element /= tensor->dim[d];
	}
	return at;
}

int64_t nnc_tensor_count(const NncTensor *tensor)
{
	int64_t count = 1;

	for (int32_t d = 0; d < tensor->rank; d++)
		count *= tensor->dim[d];
	return count;
}

/* Is a whole block finite? */
static bool block_finite(const NncModel *model, const void *block)
{
	size_t reals = model->params_reals;

	if (model->real_bytes == (int32_t)sizeof(double)) {
		const double *d = block;
		for (size_t i = 0; i < reals; i++)
			if (!isfinite(d[i]))
				return false;
	} else {
		const float *f = block;
		for (size_t i = 0; i < reals; i++)
			if (!isfinite(f[i]))
				return false;
	}
	return true;
}

const NncTensor *nnc_not_finite(const NncModel *model, const void *block)
{
	if (block_finite(model, block))
		return NULL;
	for (int32_t t = 0; t < model->tensor_count; t++) {
		const NncTensor *tensor = &model->tensors[t];
		int64_t count = nnc_tensor_count(tensor);
		for (int64_t i = 0; i < count; i++)
			if (!isfinite(nnc_real_at(model, block,
						  nnc_tensor_at(tensor, i))))
				return tensor;
	}
	return NULL;
}

const NncLayer *nnc_layer_of(const NncModel *model, const NncTensor *tensor)
{
	const char *dot = strrchr(tensor->name, '.');
	size_t length = dot ? (size_t)(dot - tensor->name) : strlen(tensor->name);

	for (int32_t i = 0; i < model->layer_count; i++) {
		const char *name = model->layers[i].name;
		if (strlen(name) == length && !strncmp(name, tensor->name, length))
			return &model->layers[i];
	}
	return NULL;
}
