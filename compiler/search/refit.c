/*
 * refit.c - the best point, trained as `./NAME train` would: on all of the model's
 * training samples, to NAME.run, and tested. One that was interrupted goes on.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "search/search.h"

typedef struct Refit {
	Search *s;
	const Point *best;
	const char *run; /* NAME.run */
	const char *key; /* of what it trains */
	const char *program;
} Refit;

/* The file `refit` is there while one is under way, and says which. */
static bool is_under_way(const Refit *r)
{
	size_t size;
	const char *why;
	const char *text = read_file(folder_file(r->s, "refit"), 1 << 16, &size, &why);
	return text && strcmp(text, r->key) == 0 &&
	       access(arena_printf("%s/last.safetensors", r->run), F_OK) == 0;
}

static bool wanted(void *data, int i)
{
	(void)data;
	(void)i;
	return true;
}

static pid_t start(void *data, int i)
{
	const Refit *r = data;
	const SearchOptions *o = r->s->options;
	const Value *lr = point_value(r->s, r->best, "lr");
	Command c = {0};
	(void)i;
	command_add(&c, r->program);
	command_add(&c, "train");
	command_add(&c, arena_printf("--out=%s", r->run));
	if (lr)
		command_add(&c, arena_printf("--lr=%s", short_number(lr->number)));
	if (o->data)
		command_add(&c, arena_printf("--data=%s", o->data));
	if (o->quiet)
		command_add(&c, "--quiet");
	if (o->json)
		command_add(&c, "--json");
	if (is_under_way(r))
		command_add(&c, "--resume");
	else if (folder_write(r->s, "refit", r->key, strlen(r->key)))
		return -1;
	if (o->build.verbose)
		command_print(&c);
	return process_start(&c, NULL, NULL, NULL, r->s->lock);
}

static int ended(void *data, int i, int status, bool told)
{
	(void)data;
	(void)i;
	(void)told;
	return exit_status(status);
}

/* NAME.tune/best: the program of the best point, for eval and predict. */
static void link_best(const Refit *r)
{
	const char *name = folder_file(r->s, "best");
	const char *fresh = folder_file(r->s, "tmp/best");
	const char *target = arena_printf("variants/%s", r->best->variant->id);
	unlink(fresh);
	if (symlink(target, fresh) == 0 && rename(fresh, name) == 0)
		live_note(r->s, "to use it: %s eval --weights %s/...",
			  *name == '/' ? name : arena_printf("./%s", name), r->run);
}

int refit_best(Search *s)
{
	Refit r = {.s = s, .best = best_point(s)};
	Pool pool = {.data = &r,
		     .count = 1,
		     .at_once = 1,
		     .wanted = wanted,
		     .start = start,
		     .ended = ended};
	const Value *lr = point_value(s, r.best, "lr");
	r.run = arena_printf("%s.run", s->name);
	r.key = arena_printf("%s %s %s\n", r.best->variant->id, s->data_id,
			     lr ? short_number(lr->number) : "-");
	r.program = r.best->variant->program;
	if (*r.program != '/')
		r.program = arena_printf("./%s", r.program);
	r.best->variant->needed = true;
	int status = variants_compile(s);
	if (status)
		return status;
	live_note(s, "training with %s on all samples, to %s", point_text(s, r.best),
		  r.run);
	status = pool_run(&pool);
	if (status)
		return status;
	unlink(folder_file(s, "refit"));
	link_best(&r);
	return 0;
}
