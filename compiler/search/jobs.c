/*
 * jobs.c - the runs of a search. A job that has ended leaves jobs/HASH.json with its
 * key and its score; one that was cut short leaves the folder jobs/HASH.run, from whose
 * checkpoint the same job goes on, to the same bits.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "search/search.h"

enum { MAX_OUTPUT = 1 << 20 };

static const char *file_of(const Job *j, const char *ending)
{
	return arena_printf("%s%s", j->path, ending);
}

/* ---- what is done ---- */

static double number_of(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	return json_is_number(value) ? json_number_value(value) : NAN;
}

/* A file of another key is of another job, and this one is still to be made. */
static bool load(Job *j)
{
	json_t *root = json_load_file(file_of(j, ".json"), 0, NULL);
	const char *key = json_string_value(json_object_get(root, "key"));
	bool ours = key && strcmp(key, j->key) == 0;
	if (ours) {
		j->score = number_of(root, "score");
		j->fit = number_of(root, "fit_seconds");
		j->scoring = number_of(root, "score_seconds");
		j->state = JOB_DONE;
	}
	json_decref(root);
	return ours;
}

void jobs_load(Search *s)
{
	for (int i = 0; i < s->job_count; i++) {
		Job *j = s->jobs[i];
		if (!load(j))
			continue;
		s->done_before++;
		j->variant->seconds += j->fit + j->scoring;
		j->variant->done++;
	}
}

static int store(const Job *j)
{
	NncError err;
	json_t *root = json_object();
	json_object_set_new(root, "job", json_string(j->text));
	json_object_set_new(root, "key", json_string(j->key));
	json_object_set_new(root, "score",
			    isnan(j->score) ? json_null() : json_real(j->score));
	json_object_set_new(root, "fit_seconds", nnc_json_real(j->fit));
	json_object_set_new(root, "score_seconds", nnc_json_real(j->scoring));
	char *text = json_dumps(root, JSON_PRESERVE_ORDER | JSON_INDENT(2));
	int code = nnc_write_file(file_of(j, ".json"), text, strlen(text), &err);
	if (code)
		fprintf(stderr, "nnc: error: %s\n", err.message);
	free(text);
	json_decref(root);
	return code;
}

/* ---- what a run has left ---- */

static const char *text_of(const Job *j, const char *ending)
{
	size_t size;
	const char *why;
	const char *text = read_file(file_of(j, ending), MAX_OUTPUT, &size, &why);
	return text ? text : "";
}

/* The seconds of all epochs, also of those before an interruption. */
static double fit_seconds(const Job *j)
{
	double sum = 0;
	const char *line = text_of(j, ".run/history.jsonl");
	while (*line) {
		json_t *row = json_loads(line, JSON_DISABLE_EOF_CHECK, NULL);
		if (row)
			sum += number_of(row, "seconds");
		json_decref(row);
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	return sum;
}

/* The accuracy is a ratio of whole numbers: all of its digits, not those printed. */
static bool read_score(Job *j)
{
	json_t *root = json_loads(text_of(j, ".out"), 0, NULL);
	double samples = number_of(root, "samples");
	double correct = round(number_of(root, "accuracy") * samples);
	j->score = correct / samples;
	j->scoring = number_of(root, "score_seconds");
	json_decref(root);
	return !isnan(j->score);
}

static void clean(const Job *j)
{
	unlink(file_of(j, ".out"));
	unlink(file_of(j, ".err"));
	remove_tree(file_of(j, ".run"));
}

/* ---- running ---- */

static bool wanted(void *data, int i)
{
	const Search *s = data;
	return s->jobs[i]->state == JOB_WAITING;
}

static void add_option(Command *c, const char *name, const char *value)
{
	command_add(c, name);
	command_add(c, value);
}

static Command command_of(const Search *s, const Job *j)
{
	const Tune *t = s->tune;
	Command c = {0};
	command_add_file(&c, j->variant->program[0] == '/'
				     ? j->variant->program
				     : arena_printf("./%s", j->variant->program));
	command_add_words(&c,
			  "train --quiet --json --no-plot --threads 1 --patience 0");
	add_option(&c, "--epochs", arena_printf("%lld", (long long)t->epochs));
	add_option(&c, "--folds", arena_printf("%lld", (long long)t->folds));
	add_option(&c, "--fold", arena_printf("%d", j->fold));
	if (t->samples)
		add_option(&c, "--train", arena_printf("%lld", (long long)t->samples));
	if (j->lr)
		add_option(&c, "--lr", short_number(j->lr->number));
	command_add(&c, arena_printf("--snapshot=%s", folder_file(s, SNAPSHOT)));
	command_add(&c, arena_printf("--out=%s", file_of(j, ".run")));
	if (access(file_of(j, ".run/last.safetensors"), F_OK) == 0)
		command_add(&c, "--resume");
	return c;
}

static pid_t start(void *data, int i)
{
	Search *s = data;
	Job *j = s->jobs[i];
	Command c = command_of(s, j);
	if (s->options->build.verbose)
		command_print(&c);
	j->state = JOB_RUNNING;
	j->began = nnc_clock();
	return process_start(&c, NULL, file_of(j, ".out"), file_of(j, ".err"), s->lock);
}

static void report_point(Search *s, const Job *j)
{
	for (int i = 0; i < s->point_count; i++) {
		const Point *p = &s->points[i];
		if (p->jobs[j->fold - 1] == j && folds_done(s, p) == s->tune->folds)
			live_point(s, p);
	}
}

static int finish(Search *s, Job *j)
{
	j->fit = fit_seconds(j);
	int status = store(j);
	if (status)
		return status;
	clean(j);
	j->state = JOB_DONE;
	j->variant->seconds += nnc_clock() - j->began;
	j->variant->done++;
	report_point(s, j);
	return 0;
}

/* Its own message and its own exit status are ours. */
static int fail(Search *s, const Job *j, int code)
{
	live_clear(s);
	fputs(text_of(j, ".err"), stderr);
	fprintf(stderr, "nnc: error: the run with %s failed%s\n", j->text,
		code >= 128 ? arena_printf(" (%s)", strsignal(code - 128)) : "");
	return code;
}

static int ended(void *data, int i, int status, bool told)
{
	Search *s = data;
	Job *j = s->jobs[i];
	int code = exit_status(status);
	j->state = JOB_WAITING;
	if (code == 0 && read_score(j))
		return finish(s, j);
	if (code == NNC_FAILED) { /* it diverged */
		j->score = NAN;
		j->scoring = 0;
		return finish(s, j);
	}
	if (told)
		return code;
	return fail(s, j, code ? code : NNC_BUG);
}

int jobs_run(Search *s)
{
	Pool pool = {.data = s,
		     .count = s->job_count,
		     .at_once = s->options->at_once,
		     .wanted = wanted,
		     .start = start,
		     .ended = ended,
		     .tick = live_tick};
	return pool_run(&pool);
}
