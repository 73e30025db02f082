/* json.c - results as JSON on the standard output, and whether JSON had memory. */
#include "internal.h"

#include <math.h>
#include <stdlib.h>

/*
 * jansson 2.14 does not survive every allocation that fails, and is silent about
 * others. So none does: there is a reserve, and whoever uses JSON asks afterwards if it
 * was needed.
 */
enum { RESERVE = 1 << 20, UNIT = 16 };
static _Alignas(UNIT) char reserve[RESERVE];
static size_t used;
static bool needed, exhausted;

static void *allocate(size_t bytes)
{
	void *memory = malloc(bytes);

	if (memory)
		return memory;
	needed = true;
	if (bytes > RESERVE - used) {
		exhausted = true;
		return NULL;
	}
	memory = reserve + used;
	used += (bytes + UNIT - 1) / UNIT * UNIT;
	return memory;
}

void nnc_json_free(void *memory)
{
	uintptr_t at = (uintptr_t)memory, first = (uintptr_t)reserve;

	if (at < first || at >= first + RESERVE)
		free(memory);
}

__attribute__((constructor)) static void set_allocator(void)
{
	json_set_alloc_funcs(allocate, nnc_json_free);
}

bool nnc_json_no_memory(void)
{
	bool was = needed || exhausted;

	needed = false;
	return was;
}

json_t *nnc_score_json(const NncScore *score)
{
	json_t *root = json_object();

	json_object_set_new(root, "accuracy", nnc_json_real(score->accuracy));
	json_object_set_new(root, "loss", nnc_json_real(score->loss));
	json_object_set_new(root, "samples", json_integer(score->samples));
	return root;
}

json_t *nnc_json_real(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

int nnc_print_json(json_t *root, NncError *err)
{
	char *text = json_dumps(root, JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(10));

	json_decref(root);
	if (nnc_json_no_memory() || !text) {
		nnc_json_free(text);
		return nnc_fail(err, NNC_NOMEM, "not enough memory for the JSON");
	}
	puts(text);
	nnc_json_free(text);
	return NNC_OK;
}
