/*
 * context.c - the memory of a model: params, grads, optimizer state, arena and the
 * rows' losses, in one aligned allocation; its threads; and how to look at its numbers
 * whatever they are.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

/* Where each part of the allocation begins; bytes. */
typedef struct Layout {
	size_t params, grads, slot[NNC_MAX_SLOTS], arena, row_loss, row_hit;
	size_t end;
} Layout;

/* Appends a part of `count` elements, and sets where it is; false: too large. */
static bool append(Layout *l, size_t *part, size_t count, size_t element)
{
	size_t bytes = count;

	if (!nnc_multiply(&bytes, element) || bytes > SIZE_MAX / 4 ||
	    l->end > SIZE_MAX / 4)
		return false;
	*part = l->end;
	l->end += (bytes + NNC_ALIGN - 1) / NNC_ALIGN * NNC_ALIGN;
	return true;
}

static size_t larger(size_t a, size_t b)
{
	return a > b ? a : b;
}

/* The parts that there are, in their order. A training run is evaluated now and then.
 */
static bool lay_out(Layout *l, const NncModel *model, NncPurpose purpose)
{
	size_t real = (size_t)model->real_bytes, rows = (size_t)model->batch;
	size_t arena = model->infer_arena_reals;
	bool fits = append(l, &l->params, model->params_reals, real);

	if (purpose == NNC_TRAINING) {
		arena = larger(arena, model->arena_reals);
		fits = fits && append(l, &l->grads, model->params_reals, real);
		for (int32_t i = 0; i < model->slot_count; i++)
			fits = fits &&
			       append(l, &l->slot[i], model->params_reals, real);
	}
	return fits && append(l, &l->arena, arena, real) &&
	       append(l, &l->row_loss, rows, sizeof(double)) &&
	       append(l, &l->row_hit, rows, sizeof(uint8_t));
}

size_t nnc_context_bytes(const NncModel *model, NncPurpose purpose)
{
	Layout l = {0};

	return lay_out(&l, model, purpose) ? l.end : 0;
}

/* Bytes of each thread's; false: too large. */
static bool scratch_bytes(size_t *bytes, const NncModel *model, NncPurpose purpose)
{
	*bytes = model->infer_scratch_reals;
	if (purpose == NNC_TRAINING)
		*bytes = larger(*bytes, model->scratch_reals);
	return nnc_multiply(bytes, (size_t)model->real_bytes);
}

static int check_open(const NncModel *model, int threads, NncError *err)
{
	if (model->slot_count < 0 || model->slot_count > NNC_MAX_SLOTS)
		return nnc_fail(err, NNC_BUG, "%s has %d optimizer states",
				model->source, (int)model->slot_count);
	if (threads < 1 || threads > NNC_MAX_THREADS)
		return nnc_fail(err, NNC_BUG, "%s is to run on %d threads",
				model->source, threads);
	return NNC_OK;
}

int nnc_context_open(NncContext *c, const NncModel *model, NncPurpose purpose,
		     int threads, NncError *err)
{
	Layout l = {0};
	size_t scratch;
	char *memory = NULL;
	int code = check_open(model, threads, err);

	memset(c, 0, sizeof *c);
	if (code)
		return code;
	bool fits =
		lay_out(&l, model, purpose) && scratch_bytes(&scratch, model, purpose);
	if (fits && l.end > nnc_memory_left())
		return nnc_fail(err, NNC_NOMEM,
				"%s needs %.1f GB of memory, this machine has %.1f GB "
				"left\nhelp: a smaller batch, or a smaller model",
				model->source, (double)l.end / 1e9,
				(double)nnc_memory_left() / 1e9);
	if (fits)
		memory = nnc_allocate_pages(l.end);
	if (!memory)
		return nnc_fail(err, NNC_NOMEM, "not enough memory to run %s",
				model->source);
	code = nnc_team_open(&c->team, threads, scratch, err);
	if (code) {
		free(memory);
		return code;
	}
	c->params = memory + l.params;
	if (purpose == NNC_TRAINING) {
		c->grads = memory + l.grads;
		for (int32_t i = 0; i < model->slot_count; i++)
			c->slot[i] = memory + l.slot[i];
	}
	c->arena = memory + l.arena;
	c->row_loss = (double *)(void *)(memory + l.row_loss);
	c->row_hit = (uint8_t *)memory + l.row_hit;
	c->lr = model->training.lr;
	c->seed = model->training.seed;
	return NNC_OK;
}

void nnc_context_close(NncContext *c)
{
	nnc_team_close(c->team);
	free(c->params); /* the first part */
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
