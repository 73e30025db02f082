/*
 * search.h - what the files of `nnc tune` share: a grid of points, each of them trained
 * and scored once a fold.
 *
 * Whatever alters the C is a variant: a program of its own. A job is one run of one,
 * `train --folds K --fold N`, in a process of its own. Its key names all that its score
 * depends on, so that a score in the folder is this job's or another's, and never mixed
 * up: what is there is not made again, and what was changed is.
 */
#ifndef SEARCH_H
#define SEARCH_H

#include "nnc.h"

#include "command.h"
#include "internal.h"

#include <sys/types.h>

typedef struct SearchOptions {
	const char *input;      /* the .nn file */
	const char *out;        /* the folder; by default NAME.tune */
	const char *data;       /* --data, or NULL */
	int at_once;            /* jobs side by side */
	bool refit, quiet, json;
	ModelOptions model;
	BuildOptions build;
} SearchOptions;

/* A program: the model with one value of each axis that alters the C. */
typedef struct Variant {
	const char *text;       /* "batch=16, units=64" */
	const Net *net;
	const char *id;         /* of all that its numbers depend on: 16 hex digits */
	const char *program, *log; /* its file; what its compilation said */
	bool needed;            /* a job that is left needs it */
	double seconds;         /* of its jobs that are done, */
	int done;               /* which are so many: for the time left */
} Variant;

typedef enum { JOB_WAITING, JOB_RUNNING, JOB_DONE } JobState;

typedef struct Job {
	Variant *variant;
	const Value *lr;        /* or NULL: the model's */
	int fold;               /* from 1 */
	const char *text;       /* "lr=0.01, batch=16, fold 2", for messages */
	const char *key;
	const char *path;       /* jobs/HASH, without an ending */
	JobState state;
	double score;           /* accuracy on the fold; NAN: diverged */
	double fit, scoring;    /* seconds */
	double began;           /* nnc_clock() */
} Job;

typedef struct Point {
	const Value **values;   /* of each axis */
	Variant *variant;
	Job **jobs;             /* of each fold; equal points share them */
	double mean, sd;        /* of the scores; sd is the population's */
	int rank;               /* from 1; points that diverged share the last */
} Point;

typedef struct Search {
	const SearchOptions *options;
	Model model;
	const Net *net;         /* of the model as it is written */
	const Tune *tune;
	const char *name;       /* "mlp1_relu" of "models/mlp1_relu.nn" */
	const char *folder;
	int lock;               /* of the folder; its jobs hold it too */
	int64_t samples;        /* that the folds share */
	const char *data_id;    /* of the training part */
	Variant **variants;
	int variant_count;
	Job **jobs;
	int job_count;
	Point *points;          /* the last axis varies fastest */
	int point_count;
	int done_before;        /* jobs whose score was in the folder */
	struct Live *live;
} Search;

/* ---- grid.c: points, variants and jobs ---- */
void grid_points(Search *s); /* and the variants that they need */
void grid_jobs(Search *s);   /* once variants have ids; equal points share them */
const char *point_text(const Search *s, const Point *p); /* "lr=0.01, batch=16" */
const Value *point_value(const Search *s, const Point *p, const char *axis);
int folds_done(const Search *s, const Point *p);
const char *count_text(int64_t n, const char *noun); /* "1 point", "2 points" */

/* ---- folder.c: NAME.tune/ ---- */
#define SNAPSHOT "tmp/samples" /* the training part, while the search lasts */
int folder_open(Search *s); /* makes and locks it; 0, or an exit status */
void folder_close(Search *s, bool keep); /* tmp/, with C that did not compile */
const char *folder_file(const Search *s, const char *name);
int folder_write(const Search *s, const char *name, const char *text, size_t size);
void remove_tree(const char *path);
const char *fingerprint(const char *text, size_t size); /* 16 hex digits */

/* ---- pool.c: processes side by side ---- */
typedef struct Pool {
	void *data;
	int count, at_once;
	bool (*wanted)(void *data, int i);
	pid_t (*start)(void *data, int i); /* by process_fork; -1 after a message */
	/* Its wait status; 0: go on, else an exit status. told: it was to end. */
	int (*ended)(void *data, int i, int status, bool told);
	void (*tick)(void *data); /* some ten times a second; or NULL */
} Pool;

/* 0; what start or ended said, or 128 + a signal: then all are told to end, and have. */
int pool_run(const Pool *p);
/* From here on a signal waits for the next pool_run, so that it is answered. */
void pool_hold_signals(void);
/* fork(), with a group of its own; it ends when we do. */
pid_t process_fork(void);
/* Runs a command with its output in files (NULL: as ours), holding `lock` if >= 0. */
pid_t process_start(const Command *c, const char *dir, const char *out,
		    const char *err, int lock);
/* The exit status that a wait status stands for. */
int exit_status(int status);

/* ---- variant.c: programs ---- */
int variants_identify(Search *s); /* before jobs are: it is part of their keys */
int variants_compile(Search *s);

/* ---- jobs.c: runs ---- */
void jobs_load(Search *s); /* what is done already */
int jobs_run(Search *s);

/* ---- score.c ---- */
double mean_of(const double *x, int n);
double deviation_of(const double *x, int n);
void points_rank(Search *s);
const Point *best_point(const Search *s); /* NULL: all diverged */

/* ---- live.c: what is said on stderr ---- */
void live_open(Search *s);
void live_tick(void *search);
void live_point(Search *s, const Point *p); /* all of its folds are done */
void live_clear(Search *s);
void live_note(Search *s, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
const char *plus_minus(const Search *s);

/* ---- table.c: results ---- */
int write_results(const Search *s); /* cv_results.csv, best.nn */
int print_results(const Search *s); /* on stdout */
const char *short_number(double x); /* the fewest digits that read as x */
const char *plain_text(const Value *v); /* a number as Python and JSON read it; a word */

/* ---- plot.c ---- */
int plot_results(Search *s); /* heatmap.* or curve.* */

/* ---- refit.c ---- */
int refit_best(Search *s);

#endif
