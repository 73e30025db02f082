/*
 * driver.c - runs every case: all kernels against the plain loops, on the same random
 * operands, for a whole batch and partial ones, by one thread and, to the same bits, by
 * three. Everything that a kernel has no business with is NaN before it runs: other rows
 * of the batch, what lies around each operand, its output and workspace. Afterwards all
 * but the last two must be unchanged.
 */
#include "cases.h"
#include "internal.h"

#include <float.h>
#include <stdio.h>
#include <stdlib.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(start, size)   ((void)(start), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(start, size) ((void)(start), (void)(size))
#endif

typedef nnc_real real;

enum { GUARD = 64 }; /* reals behind scratch that must stay as they are */

static const double epsilon = sizeof(real) == 4 ? FLT_EPSILON : DBL_EPSILON;

typedef struct Memory {
	real *now[BLOCKS], *before[BLOCKS];
	real *size, *plain, *result, *shared; /* the outputs, copied */
	NncContext context;
	NncTeam *one, *three;
} Memory;

static void *allocate(long reals)
{
	size_t bytes =
		((size_t)reals * sizeof(real) + NNC_ALIGN) / NNC_ALIGN * NNC_ALIGN;
	void *p = aligned_alloc(NNC_ALIGN, bytes);

	if (!p)
		abort();
	return p;
}

static long count(const Buffer *b, int n)
{
	return b->row * (b->rows ? b->rows : n);
}

/* ---- operands -------------------------------------------------------------------- */

/* One NaN of many, so that a copy of another is noticed too. */
static real poison(long i)
{
	real x;
#ifdef NNC_DOUBLE
	uint64_t bits = 0x7ff8000000000000u | (uint32_t)(i * 2654435761u);
#else
	uint32_t bits = 0x7fc00000u | ((uint32_t)(i * 2654435761u) >> 11);
#endif
	memcpy(&x, &bits, sizeof x);
	return x;
}

/* Everything NaN but the operands, in -1..1 with some zeros; or their sizes, in 0..1.
 */
static void fill(Memory *m, const Case *c, int n, bool absolute)
{
	NncRng rng = nnc_rng(1, NNC_STREAM_SYNTHETIC, (uint32_t)n,
			     (uint32_t)c->reals[ARENA]);

	for (int b = 0; b < BLOCKS; b++)
		for (long i = 0; i < c->reals[b]; i++)
			m->now[b][i] = poison(i);
	for (int k = 0; k < c->in_count; k++) {
		real *x = m->now[c->in[k].block] + c->in[k].offset;
		for (long i = 0; i < count(&c->in[k], n); i++) {
			x[i] = (real)(2 * nnc_rng_uniform(&rng) - 1);
			if (nnc_rng_below(&rng, 20) == 0)
				x[i] = 0;
			if (absolute && x[i] < 0)
				x[i] = -x[i];
		}
	}
	for (int b = 0; b < BLOCKS; b++)
		memcpy(m->before[b], m->now[b], (size_t)c->reals[b] * sizeof(real));
}

/* Under AddressSanitizer even a look at the rest is an error. */
static void fence(Memory *m, const Case *c, const Buffer *out, const Variant *v, int n)
{
	for (int b = 0; b < BLOCKS; b++)
		ASAN_POISON_MEMORY_REGION(m->now[b],
					  (size_t)c->reals[b] * sizeof(real));
	for (int k = 0; k < c->in_count; k++)
		ASAN_UNPOISON_MEMORY_REGION(m->now[c->in[k].block] + c->in[k].offset,
					    (size_t)count(&c->in[k], n) * sizeof(real));
	ASAN_UNPOISON_MEMORY_REGION(m->now[out->block] + out->offset,
				    (size_t)count(out, n) * sizeof(real));
	if (out->block == PARAMS) /* the gradient, which need not be kept */
		ASAN_UNPOISON_MEMORY_REGION(m->now[GRADS] + c->size.offset,
					    (size_t)count(&c->size, n) * sizeof(real));
	if (v && v->work_reals)
		ASAN_UNPOISON_MEMORY_REGION(m->now[ARENA] + v->work,
					    (size_t)v->work_reals * sizeof(real));
}

static void unfence(Memory *m, const Case *c)
{
	for (int b = 0; b < BLOCKS; b++)
		ASAN_UNPOISON_MEMORY_REGION(m->now[b],
					    (size_t)c->reals[b] * sizeof(real));
}

/* ---- checks ------------------------------------------------------------------------
 */

static bool fails(const Case *c, const char *variant, int n, const char *what, long at)
{
	printf("FAIL case %s: %s, %d of %d rows: %s at %ld\n", c->what, variant, n,
	       c->batch, what, at);
	return false;
}

/* All but the output and the workspace is as it was. */
static bool untouched(Memory *m, const Case *c, const Variant *v, int n)
{
	static const char *const where[] = {"wrote into the arena",
					    "wrote into the weights",
					    "wrote into the gradients"};
	const Buffer *out = &c->out;

	memcpy(m->before[out->block] + out->offset, m->now[out->block] + out->offset,
	       (size_t)count(out, n) * sizeof(real));
	if (out->block == PARAMS)
		memcpy(m->before[GRADS] + c->size.offset, m->now[GRADS] + c->size.offset,
		       (size_t)count(&c->size, n) * sizeof(real));
	memcpy(m->before[ARENA] + v->work, m->now[ARENA] + v->work,
	       (size_t)v->work_reals * sizeof(real));
	for (int b = 0; b < BLOCKS; b++)
		for (long i = 0; i < c->reals[b]; i++)
			if (memcmp(&m->now[b][i], &m->before[b][i], sizeof(real)))
				return fails(c, v->name, n, where[b], i);
	return true;
}

/*
 * Two sums of the same terms in another order differ by about the root of their number
 * in units of epsilon of the sum of their sizes; what is fused at most doubles that.
 * A transform spreads the error of its largest sums over all of them.
 */
static bool agrees(const Memory *m, const Case *c, const char *variant, int n)
{
	double terms = (double)c->terms * (c->rows_too ? n : 1), largest = 0;

	for (long i = 0; i < count(&c->out, n) && strstr(variant, "fft"); i++)
		largest = fmax(largest, m->size[i]);
	for (long i = 0; i < count(&c->out, n); i++) {
		double plain = m->plain[i], got = m->result[i];
		double size = fmax(largest, m->size[i]);
		double slack = (2 + sqrt(terms)) * (size + 1) + 4 * (fabs(plain) + 1);
		if (isnan(got))
			return fails(c, variant, n,
				     "not written, or from what is no operand,", i);
		if (fabs(got - plain) <= 2 * epsilon * slack)
			continue;
		printf("plain loops %.9g, here %.9g: ", plain, got);
		return fails(c, variant, n, "wrong", i);
	}
	return true;
}

typedef struct Call {
	void (*run)(const NncThread *thread, NncContext *c, int n);
	NncContext *context;
	int n;
	long scratch;
	bool overrun[3]; /* by thread: it wrote behind its scratch */
} Call;

static void work(void *argument, const NncThread *thread)
{
	Call *call = argument;
	real *end = (real *)thread->scratch + call->scratch;

	for (int i = 0; i < GUARD; i++)
		end[i] = 7;
	call->run(thread, call->context, call->n);
	for (int i = 0; i < GUARD; i++)
		call->overrun[thread->id] |= end[i] < 7 || end[i] > 7 || isnan(end[i]);
}

/* Runs one variant (NULL: the sizes) and copies its output. */
static bool run(Memory *m, const Case *c, NncTeam *team, const Variant *v, int n, real *to)
{
	const Buffer *out = v ? &c->out : &c->size;
	Call call = {v ? v->run : c->run_size, &m->context, n, v ? v->scratch : 0, {0}};

	fill(m, c, n, !v);
	fence(m, c, out, v, n);
	nnc_team_run(team, work, &call);
	unfence(m, c);
	memcpy(to, m->now[out->block] + out->offset,
	       (size_t)count(out, n) * sizeof(real));
	for (int i = 0; i < 3; i++)
		if (call.overrun[i])
			return fails(c, v ? v->name : "sizes", n, "wrote behind its scratch, thread", i);
	return !v || untouched(m, c, v, n);
}

static bool run_rows(Memory *m, const Case *c, int n)
{
	bool ok = run(m, c, m->one, NULL, n, m->size) &&
		  run(m, c, m->one, &c->variant[0], n, m->plain);

	for (int k = 0; k < c->variant_count && ok; k++) {
		const Variant *v = &c->variant[k];
		ok = run(m, c, m->one, v, n, m->result) && agrees(m, c, v->name, n) &&
		     run(m, c, m->three, v, n, m->shared);
		if (ok && memcmp(m->result, m->shared, (size_t)count(&c->out, n) * sizeof(real)))
			ok = fails(c, v->name, n, "other bits by three threads", 0);
	}
	return ok;
}

/* Teams with the scratch that the case's hungriest kernel asks for. */
static void open_teams(Memory *m, const Case *c)
{
	long scratch = 0;

	for (int k = 0; k < c->variant_count; k++)
		if (c->variant[k].scratch > scratch)
			scratch = c->variant[k].scratch;
	size_t bytes = (size_t)(scratch + GUARD) * sizeof(real);
	if (nnc_team_open(&m->one, 1, bytes, NULL) || nnc_team_open(&m->three, 3, bytes, NULL))
		abort();
}

static bool run_case(const Case *c)
{
	Memory m;
	bool ok;

	open_teams(&m, c);
	for (int b = 0; b < BLOCKS; b++) {
		m.now[b] = allocate(c->reals[b]);
		m.before[b] = allocate(c->reals[b]);
	}
	m.context = (NncContext){
		.arena = m.now[ARENA], .params = m.now[PARAMS], .grads = m.now[GRADS], .lr = 0.5};
	m.size = allocate(count(&c->size, c->batch));
	m.plain = allocate(count(&c->out, c->batch));
	m.result = allocate(count(&c->out, c->batch));
	m.shared = allocate(count(&c->out, c->batch));
	ok = run_rows(&m, c, c->batch);
	if (ok && c->batch > 1)
		ok = run_rows(&m, c, 1);
	if (ok && c->batch > 2)
		ok = run_rows(&m, c, 2 + (int)(c->reals[ARENA] / 16 % (c->batch - 2)));
	for (int b = 0; b < BLOCKS; b++) {
		free(m.now[b]);
		free(m.before[b]);
	}
	free(m.size);
	free(m.plain);
	free(m.result);
	free(m.shared);
	nnc_team_close(m.one);
	nnc_team_close(m.three);
	return ok;
}

int main(void)
{
	int failed = 0;

	for (int i = 0; i < case_count; i++)
		failed += !run_case(&cases[i]);
	printf("%d passed, %d failed\n", case_count - failed, failed);
	return failed > 0;
}
