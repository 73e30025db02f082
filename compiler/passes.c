/* passes.c - the passes in order: each requires the one before it. */
#include <string.h>

#include "nnc.h"

static const struct {
	const char *name;
	void (*run)(Net *net);
} passes[] = {
	{"reorder", pass_reorder}, /* bias and activation behind maxpool */
	{"infer", pass_infer},     /* the inference program */
	{"diff", pass_diff},       /* loss, backward, update */
	{"fuse", pass_fuse},       /* elementwise ops into their producers */
	{"select", pass_select},   /* a kernel for every node */
	{"tune", pass_tune},       /* another, where that was measured to be faster */
	{"pool", pass_pool},       /* maxpool into the kernels beside it */
	{"update", pass_update},   /* the step into the kernels of gradients */
	{"lower", pass_lower},     /* kernels that are made of other ops */
	{"halve", pass_halve},     /* values as two halves of their columns */
	{"plan", pass_plan},       /* a place for every value */
	{"sync", pass_sync},       /* barriers between threads */
	{"fetch", pass_fetch},     /* what they made comes nearer */
};

enum { PASSES = sizeof passes / sizeof *passes };

/* Its place; PASSES: there is none of this name. */
static int find_pass(const char *name)
{
	int i = 0;
	if (strcmp(name, "build") == 0)
		return -1; /* what comes before them */
	while (i < PASSES && strcmp(passes[i].name, name) != 0)
		i++;
	return i;
}

const char *const *stage_names(int *n)
{
	static const char *names[PASSES + 1] = {"build"};
	for (int i = 0; i < PASSES; i++)
		names[i + 1] = passes[i].name;
	*n = PASSES + 1;
	return names;
}

bool is_stage(const char *name)
{
	return find_pass(name) < PASSES;
}

void run_passes(Net *net, const char *first, const char *last)
{
	int from = first ? find_pass(first) : 0;
	int to = last ? find_pass(last) : PASSES - 1;
	assert(from >= 0 && from < PASSES && to < PASSES);
	ir_check(net);
	for (int i = from; i <= to; i++) {
		passes[i].run(net);
		ir_check(net);
	}
}
