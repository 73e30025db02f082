/*
 * tune.c - --tune-kernels: which kernels are the fastest on this machine. Finds what is
 * to be timed, looks it up, times the rest in one program, and chooses.
 */
#include <stdlib.h>

#include "tune/tune.h"

enum { EXIT_TIMING = 3 };

/* Parts that the cache does not know; they are numbered for the program that times
 * them. */
static Part **unknown_parts(Tuning *t, const Cache *cache, int *count)
{
	Part **unknown = NULL;
	*count = 0;
	for (int i = 0; i < t->part_count; i++) {
		Part *p = t->parts[i];
		if (!p->varies)
			continue;
		p->us = cache_find(cache, p->text);
		if (p->us < 0) {
			*vec_push(&unknown, count) = p;
			p->number = *count;
		}
	}
	return unknown;
}

static bool is_first(Part *const *parts, int count, int trial)
{
	for (int i = 0; i < count; i++)
		if (parts[i]->trial == trial)
			return true;
	return false;
}

/* "3 12.5" on a line each: the part's number, microseconds. */
static bool read_times(const char *text, Part *const *parts, int count)
{
	int known = 0;
	for (char *after; *text; text = *after ? after + 1 : after) {
		long number = strtol(text, &after, 10);
		if (number < 1 || number > count || *after != ' ')
			return false;
		double us = strtod(after, &after);
		if (!(us > 0) || *after != '\n')
			return false;
		known += parts[number - 1]->us < 0;
		parts[number - 1]->us = us;
	}
	return known == count;
}

static int measure(Tuning *t, Part *const *parts, int count,
		   const BuildOptions *options)
{
	const char **texts = NULL, *output;
	int *trials = NULL, text_count = 0, trial_count = 0;
	const Net *net = NULL;
	for (int i = 0; i < t->trial_count; i++) {
		if (!is_first(parts, count, i))
			continue;
		set_trial(t, i);
		net = t->make(t->model, t, NULL);
		*vec_push(&texts, &text_count) = trial_text(t, net, i);
		*vec_push(&trials, &trial_count) = i;
	}
	*vec_push(&texts, &text_count) = timing_text(net, trials, trial_count);
	int status = run_texts(texts, text_count, options, &output);
	if (status == 0 && !read_times(output, parts, count)) {
		fprintf(stderr, "nnc: bug: the kernels' times are not understood\n");
		status = NNC_BUG;
	}
	return status;
}

int tune_kernels(Tuning **tuning, MakeNet *make, void *model,
		 const BuildOptions *options)
{
	Cache cache;
	if (!cache_open(&cache, options))
		return EXIT_TIMING;
	Tuning *t = *tuning = arena_alloc(sizeof *t);
	*t = (Tuning){.make = make, .model = model};
	find_trials(t);
	int count;
	Part **parts = unknown_parts(t, &cache, &count);
	if (count > 0 && !options->dry) {
		int status = measure(t, parts, count, options);
		if (status)
			return status;
		cache_add(&cache, parts, count);
	}
	choose_best(t);
	return 0;
}
