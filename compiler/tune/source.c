/*
 * source.c - the C text of the program that times parts: for each trial a file with the
 * parts it is the first to have, as they would be emitted in its whole network, and one
 * with main(), which runs all of them in turns.
 */
#include <string.h>

#include "tune/tune.h"

static void put_template(Emit *e, const char *name, const Hole *holes)
{
	const char *text = fill(find_template(name), holes);
	text_add(e->out, text, strlen(text));
}

/* ---- one node ---------------------------------------------------------------------- */

static bool updates(const Node *n)
{
	bool any = n->op->consumes;
	for (int f = 0; f < n->fused_count; f++)
		any |= n->fused[f]->op->consumes;
	return any;
}

typedef struct Inputs {
	const Tensor *values[MAX_IN + MAX_FUSED * MAX_IN]; /* in the arena */
	int count;
	const Node *places;     /* what makes those that are no numbers, or NULL */
} Inputs;

static void add_input(Inputs *all, const Tensor *t)
{
	if (t->kind != TENSOR_VALUE && t->kind != TENSOR_INPUT)
		return;
	if (t->element == ELEMENT_REAL)
		all->values[all->count++] = storage((Tensor *)t);
	else
		all->places = t->producer;
}

static Inputs inputs_of(const Node *n)
{
	Inputs all = {0};
	for (int k = 0; k < n->in_count; k++)
		add_input(&all, n->in[k]);
	for (int f = 0; f < n->fused_count; f++)
		for (int k = 1; k < n->fused[f]->in_count; k++)
			add_input(&all, n->fused[f]->in[k]);
	return all;
}

/* A function that runs n, and where its numbers come from; as the initialiser of a Work. */
static const char *put_work(Emit *e, const Node *n, const Inputs *in, const char *name)
{
	Text body = {0}, *saved = e->out;
	const char *blocks = "";
	e->out = &body;
	e->depth = 1;
	emit_node(e, n);
	e->out = saved;
	e->depth = 0;
	emit_step(e, comment_text(node_text(e->net, n)), name,
		  updates(n) ? setup_text(e) : "", "", body.bytes);
	for (int i = 0; i < in->count; i++)
		blocks = arena_printf("%s{%s, %lld}, ", blocks,
				      upper_text(in->values[i]->id),
				      (long long)in->values[i]->reals);
	put(e, "\nstatic const Block %s_inputs[] = {%s{0, 0}};", name, blocks);
	return arena_printf("{%s, %s_inputs}", name, name);
}

static void put_run(Emit *e, Text *table, const Node *n, int number)
{
	Inputs in = inputs_of(n);
	const char *before = "{NULL, NULL}";
	if (in.places) {
		Inputs first = inputs_of(in.places);
		before = put_work(e, in.places, &first,
				  arena_printf("before_%d", number));
	}
	const char *work = put_work(e, n, &in, arena_printf("part_%d", number));
	const char *row = arena_printf("\t{%d, %s, %s},\n", number, before, work);
	text_add(table, row, strlen(row));
}

static void put_runs(Emit *e, Tuning *t, const Program *p, int trial, Text *table)
{
	for (int i = 0; i < p->count; i++) {
		if (!is_part(p->nodes[i]))
			continue;
		Part *part = find_part(t, part_text(e->net, p->nodes[i]), trial);
		if (!part->number || part->trial != trial || part->written)
			continue;
		part->written = true;
		put_run(e, table, p->nodes[i], part->number);
	}
}

/* ---- files ------------------------------------------------------------------------- */

static void put_head(Emit *e)
{
	put(e, "#include \"nnc_rt.h\"");
	if (e->blas)
		put(e, "#include <cblas.h>");
	put(e, "\ntypedef nnc_real real;\n");
	put_template(e, "timing_types", NULL);
}

const char *trial_text(Tuning *t, const Net *net, int trial)
{
	Text works = {0}, table = {0}, file = {0};
	Emit e = {.net = net, .out = &works};
	put_runs(&e, t, &net->train, trial, &table);
	put_runs(&e, t, &net->infer, trial, &table);
	e.out = &file;
	put_head(&e);
	emit_params(&e);
	emit_arena(&e, &net->train, "training", "ARENA");
	emit_arena(&e, &net->infer, "inference", "INFER_ARENA");
	emit_prototypes(&e);
	text_add(&file, works.bytes, works.length);
	emit_kernels(&e);
	const Hole holes[] = {
		{"trial", int_text(trial)},
		{"runs", table.bytes},
		{"scratch", int_text(net->train.scratch > net->infer.scratch
					     ? net->train.scratch
					     : net->infer.scratch)},
		{NULL, NULL},
	};
	put_template(&e, "timing_runs", holes);
	return file.bytes;
}

const char *timing_text(const Net *net, const int *trials, int count)
{
	const char *names = "", *list = "";
	const char *const *slots;
	const Training *training = &net->training;
	Text file = {0};
	Emit e = {.net = net, .out = &file};
	for (int i = 0; i < count; i++) {
		names = arena_printf("%s%strial_%d", names, i ? ", " : "", trials[i]);
		list = arena_printf("%s&trial_%d, ", list, trials[i]);
	}
	const Hole holes[] = {
		{"names", names},
		{"list", list},
		{"batch", int_text(training->batch)},
		{"slots", int_text(training->optimizer->slots(&training->optimizer_args,
							      &slots))},
		{NULL, NULL},
	};
	put_head(&e);
	put_template(&e, "timing_main", holes);
	return file.bytes;
}

#ifdef TEMPLATE_timing_types
typedef struct Block {          /* in the arena */
	size_t offset, reals;
} Block;

typedef struct Work {
	NncWork *run;           /* NULL: there is none */
	const Block *inputs;    /* that are numbers; the last has none */
} Work;

typedef struct Run {
	int number;
	Work before, work;      /* before: makes what is no number */
} Run;

typedef struct Trial {
	const Run *runs;
	int count;
	size_t params, arena, scratch; /* reals */
} Trial;
#endif

#ifdef TEMPLATE_timing_runs

static const Run runs[] = {
$runs$
};

extern const Trial trial_$trial$;
const Trial trial_$trial$ = {
	runs, sizeof runs / sizeof *runs, sizeof(Params) / sizeof(real),
	(int)ARENA > (int)INFER_ARENA ? (int)ARENA : (int)INFER_ARENA, $scratch$,
};
#endif

#ifdef TEMPLATE_timing_main
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <sys/mman.h>

#define SAMPLE 2.7e-3 /* seconds of calls between two looks at the clock */
#define BUDGET 30e-3  /* of each run in all */
#define LONG 0.5      /* what takes so long is timed once */

enum { ROUNDS = 11, NOISE = 1 << 14, HUGE_PAGE = 1 << 21 };

extern const Trial $names$;
static const Trial *const trials[] = {$list$};
enum { TRIALS = sizeof trials / sizeof *trials };

/* OpenBLAS, where a kernel uses it. */
void openblas_set_num_threads(int threads) __attribute__((weak));

typedef struct Timing {
	const Run *run;
	double seconds[ROUNDS]; /* a call */
	double spent;
	int count, calls;       /* samples so far; calls in each */
} Timing;

static NncContext context;
static NncThread thread = {.count = 1};
static const NncBatch batch = {.rows = $batch$};
static real noise[NOISE];

/* Seconds that this thread has run: what else the machine does is none of them. */
static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/*
 * Half of it 0, as of pixels and of what relu leaves; else ordinary numbers: none so small
 * that a sum of products could be denormal.
 */
static void make_noise(void)
{
	uint32_t state = 1;

	for (int i = 0; i < NOISE; i++) {
		state = state * 1664525 + 1013904223;
		noise[i] = state >> 31 ? 0 : (real)(0.05 + (state >> 9) / 8388608.0);
		if (state & 256)
			noise[i] = -noise[i];
	}
}

static void fill(real *to, size_t count)
{
	for (size_t i = 0; i < count; i += NOISE)
		memcpy(to + i, noise, (count - i < NOISE ? count - i : NOISE) * sizeof *to);
}

static void fill_positive(real *to, size_t count)
{
	fill(to, count);
	for (size_t i = 0; i < count; i++)
		to[i] = to[i] < 0 ? -to[i] : to[i];
}

/* Weights, gradients, optimizer state, arena and scratch, as large as any trial has them. */
static void open_context(void)
{
	size_t params = 0, arena = 0, scratch = 0;
	real *p;

	for (int i = 0; i < TRIALS; i++) {
		params = trials[i]->params > params ? trials[i]->params : params;
		arena = trials[i]->arena > arena ? trials[i]->arena : arena;
		scratch = trials[i]->scratch > scratch ? trials[i]->scratch : scratch;
	}
	size_t bytes = ((2 + $slots$) * params + arena + scratch + NNC_ALIGN) * sizeof *p;
	bytes = (bytes + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
	p = aligned_alloc(HUGE_PAGE, bytes);
	if (!p) {
		fprintf(stderr, "not enough memory to time the kernels\n");
		exit(1);
	}
	madvise(p, bytes, MADV_HUGEPAGE);
	memset(p, 0, bytes);
	context.params = p;
	context.grads = p += params;
	fill(context.params, 2 * params);
	for (int i = 0; i < $slots$; i++)
		fill_positive(context.slot[i] = p += params, params);
	context.arena = p += params;
	thread.scratch = p + (arena + NNC_ALIGN - 1) / NNC_ALIGN * NNC_ALIGN;
}

static void prepare(const Work *work)
{
	for (const Block *b = work->inputs; b && b->reals; b++)
		fill((real *)context.arena + b->offset, b->reals);
}

/* Seconds of a call, without the first few that bring its operands into the caches. */
static double sample(const Run *run, int calls, int warm)
{
	prepare(&run->before);
	if (run->before.run)
		run->before.run(&context, &batch, &thread);
	prepare(&run->work);
	for (int i = 0; i < warm; i++)
		run->work.run(&context, &batch, &thread);
	double start = now();
	for (int i = 0; i < calls; i++)
		run->work.run(&context, &batch, &thread);
	return (now() - start) / calls;
}

static void begin(Timing *t)
{
	double first = sample(t->run, 1, 0);

	t->seconds[t->count++] = first;
	if (first > LONG) {
		t->spent = BUDGET;
		return;
	}
	double next = sample(t->run, 1, 1);
	t->calls = next > SAMPLE ? 1 : (int)(SAMPLE / (next > 1e-8 ? next : 1e-8));
	t->count = 0;
}

/* At least three samples of what takes little more than its budget. */
static void go_on(Timing *t)
{
	if (t->count == ROUNDS || (t->spent >= BUDGET && (t->count >= 3 || t->spent > 4 * BUDGET ||
							   t->calls == 0)))
		return;
	double each = sample(t->run, t->calls, 1);
	t->spent += each * t->calls;
	t->seconds[t->count++] = each;
}

static double median(Timing *t)
{
	for (int i = 1; i < t->count; i++)
		for (int k = i; k > 0 && t->seconds[k] < t->seconds[k - 1]; k--) {
			double swap = t->seconds[k];
			t->seconds[k] = t->seconds[k - 1];
			t->seconds[k - 1] = swap;
		}
	return t->seconds[t->count / 2];
}

int main(void)
{
	int count = 0;

	for (int i = 0; i < TRIALS; i++)
		count += trials[i]->count;
	Timing *timings = calloc((size_t)count, sizeof *timings);
	if (!timings)
		return 1;
	if (openblas_set_num_threads)
		openblas_set_num_threads(1);
	make_noise();
	open_context();
	count = 0;
	for (int i = 0; i < TRIALS; i++)
		for (int k = 0; k < trials[i]->count; k++, count++) {
			timings[count].run = &trials[i]->runs[k];
			begin(&timings[count]);
		}
	for (int round = 0; round < ROUNDS; round++)
		for (int i = 0; i < count; i++)
			go_on(&timings[i]);
	for (int i = 0; i < count; i++)
		printf("%d %.6g\n", timings[i].run->number, 1e6 * median(&timings[i]));
	free(timings);
	return 0;
}
#endif
