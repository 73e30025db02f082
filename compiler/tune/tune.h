/*
 * tune.h - what the files of --tune-kernels share. A choice of kernels is worth what the
 * program takes that the passes make of it: kernels take over what stands beside them, or
 * become ops whose results others read too, so the nodes at the end are what is timed.
 */
#ifndef TUNE_H
#define TUNE_H

#include "nnc.h"

enum { MAX_CANDIDATES = 6, PART_BUCKETS = 1024 };

/*
 * Nodes of one op, of the same sizes and with the same ops fused: all take one kernel, as
 * their functions may have one name.
 */
struct Choice {
	const char *text;
	const Kernel *candidate[MAX_CANDIDATES]; /* NULL: plain loops */
	double estimate[MAX_CANDIDATES]; /* microseconds, nominal machine */
	int count, estimated;   /* the one that select took */
	int now;                /* the one that the next Net takes */
	int nodes, group;       /* that take it; its group's label */
	/* What a candidate costs beyond what all need; each node's; < 0: not timed. */
	double us[MAX_CANDIDATES];
};

/* A node at the end of the passes. Nodes of the same text take the same time. */
typedef struct Part {
	const char *text;       /* op, sizes, what is fused, batch; a tab; the kernel */
	double us;              /* < 0: not known */
	int trial;              /* the first to have it */
	int number;             /* in the program that times it, from 1; 0: in none */
	int count, least;       /* for best.c */
	bool varies;            /* combinations differ in it: it is to be timed */
	bool written;
	struct Part *next;      /* in its bucket */
} Part;

/* A candidate for each choice of a group, and what the passes make of its layers then. */
typedef struct Combination {
	int *candidate;
	Part **parts;
	int part_count;
} Combination;

/* Layers whose choices depend on one another. */
typedef struct Group {
	int label;
	Choice **choices;
	int choice_count;
	Combination *combinations; /* the first is the estimates' */
	int combination_count;
} Group;

typedef struct Use {
	int layer;
	Choice *choice;
} Use;

typedef struct Cache {
	const char *path;       /* NULL: there is none */
	const char *key;        /* CPU, -march, compiler, nnc; a tab behind each */
	const char *text;
	size_t size;
	bool complained;        /* of lines that nobody wrote */
} Cache;

struct Tuning {
	MakeNet *make;
	void *model;
	Choice **choices;
	int choice_count;
	Use *uses;
	int use_count;
	Group **groups, **owners; /* owners: of each layer, or NULL */
	int group_count;
	int trial_count;        /* as many as the largest group has combinations */
	Part **parts;
	int part_count;
	Part *buckets[PART_BUCKETS];
	bool collecting;        /* nodes that are new make new choices */
};

/* parts.c */
const char *node_text(const Net *net, const Node *n);
const char *part_text(const Net *net, const Node *n);
bool is_part(const Node *n);
Part *find_part(Tuning *t, const char *text, int trial); /* made in `trial` if it is new */
unsigned text_hash(const char *text);

/* trials.c: what is to be timed. */
void find_trials(Tuning *t);
void set_trial(Tuning *t, int trial);
void set_combination(const Group *g, int number);
int find_combination(const Group *g); /* that the choices stand at; -1: it was not tried */

/* best.c: leaves the choices at the fastest, with what each candidate costs. */
void choose_best(Tuning *t);

/* cache.c: times that were measured before. */
bool cache_open(Cache *c, const BuildOptions *options); /* false after an error */
double cache_find(const Cache *c, const char *part); /* microseconds; < 0: none */
void cache_add(Cache *c, Part *const *parts, int count);
void cache_check(Cache *c); /* warns of lines that are wrong */
/* What the file is to hold: the good lines of others, and a line for each of these. */
Text cache_text(const Cache *c, Part *const *parts, int count);

/* source.c: the C text of one trial's unmeasured parts; of the program's main(). */
const char *trial_text(Tuning *t, const Net *net, int trial);
const char *timing_text(const Net *net, const int *trials, int count);

#endif
