/* init.c - initial weights, and the walk through a tensor in PyTorch's order. */
#include "internal.h"

#include <string.h>

NncWalk nnc_walk(const NncTensor *tensor)
{
	NncWalk walk = {
		.tensor = tensor, .rows = 1, .offset = tensor->offset, .length = 1};

	for (int32_t r = 0; r < tensor->rank - 1; r++)
		walk.rows *= tensor->dim[r];
	if (tensor->rank > 0) {
		walk.length = tensor->dim[tensor->rank - 1];
		walk.stride = tensor->stride[tensor->rank - 1];
	}
	return walk;
}

void nnc_walk_next(NncWalk *walk)
{
	const NncTensor *t = walk->tensor;

	walk->rows--;
	for (int32_t r = t->rank - 2; r >= 0; r--) {
		walk->offset += t->stride[r];
		if (++walk->at[r] < t->dim[r])
			return;
		walk->offset -= (int64_t)t->stride[r] * t->dim[r];
		walk->at[r] = 0;
	}
}

const NncInit *nnc_find_init(const char *name)
{
	for (const NncInit *const *init = nnc_inits; *init; init++)
		if (strcmp((*init)->name, name) == 0)
			return *init;
	return NULL;
}

static void init_tensor(void *params, int32_t real_bytes, const NncTensor *t,
			uint32_t seed)
{
	const NncInit *init = nnc_find_init(t->init);
	NncRng rng = nnc_rng(seed, NNC_STREAM_INIT, 0, nnc_hash(t->name));

	for (NncWalk w = nnc_walk(t); w.rows > 0; nnc_walk_next(&w)) {
		for (int64_t i = 0; i < w.length; i++) {
			int64_t at = w.offset + i * w.stride;
			float value = 0;
			if (init)
				value = (float)init->draw(&rng, t->init_argument,
							  t->fan_in, t->fan_out);
			if (real_bytes == 8)
				((double *)params)[at] = (double)value;
			else
				((float *)params)[at] = value;
		}
	}
}

/*
 * A tensor's draws are keyed by its name, so that another layer more or less leaves
 * them as they are; the double twin starts from the same float values.
 */
void nnc_init_params(NncContext *c, const NncModel *model, uint32_t seed)
{
	for (int32_t i = 0; i < model->tensor_count; i++)
		init_tensor(c->params, model->real_bytes, &model->tensors[i], seed);
}
