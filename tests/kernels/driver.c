/*
 * driver.c - runs every case: its plain loops and all kernels against its ops one after
 * the other, on the same random operands, for a whole batch and partial ones, with
 * gradients kept and not, by one thread and, to the same bits, by three. Everything
 * that they have no business with is NaN before they run: other rows of the batch, what
 * lies around each operand, outputs and workspaces. Afterwards all but the last two
 * must be unchanged, and what lies behind each thread's scratch.
 */
#include <stdlib.h>

#include "run.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(start, size)   ((void)(start), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(start, size) ((void)(start), (void)(size))
#endif

enum {
	GUARD = 64,
	THREADS = 3
}; /* GUARD: reals behind scratch that must stay as they are */

static void *allocate(size_t bytes)
{
	void *p = aligned_alloc(NNC_ALIGN, (bytes + NNC_ALIGN) / NNC_ALIGN * NNC_ALIGN);

	if (!p)
		abort();
	return p;
}

/* ---- operands ------------------------------------------------------------------- */

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

static real draw(NncRng *rng, Fill how)
{
	real x = (real)(2 * nnc_rng_uniform(rng) - 1);

	if (how == FILL_ONES)
		return 1;
	if (how == FILL_RELU)
		return x > 0 ? x : 0;
	if (how == FILL_POSITIVE)
		return (real)0.625 + (real)0.375 * x;
	return nnc_rng_below(rng, 20) == 0 ? 0 : x;
}

/* Winners of a maxpool: the number of a place in each window. */
static void fill_places(const Run *r, const Buffer *b, NncRng *rng)
{
	const Pool *p = &r->c->pool;
	uint8_t *bytes = start(r, b);
	int32_t *wide = start(r, b);

	for (long i = 0; i < count(r, b); i++) {
		long at = i / p->c;
		Range y =
			inside((int)(at / p->ow % p->oh) * p->sh - p->top, p->kh, p->h);
		Range x = inside((int)(at % p->ow) * p->sw - p->left, p->kw, p->w);
		int ky = y.first + (int)nnc_rng_below(rng, (uint32_t)(y.end - y.first));
		int kx = x.first + (int)nnc_rng_below(rng, (uint32_t)(x.end - x.first));
		if (b->unit == 1)
			bytes[i] = (uint8_t)(ky * p->kw + kx);
		else
			wide[i] = ky * p->kw + kx;
	}
}

/* Everything NaN but the operands; or their sizes. */
static void fill(Run *r, bool absolute)
{
	const Case *c = r->c;
	NncRng rng = nnc_rng(1, NNC_STREAM_SYNTHETIC, (uint32_t)r->n,
			     (uint32_t)c->reals[ARENA]);

	for (int b = 0; b < BLOCKS; b++)
		for (long i = 0; i < c->reals[b]; i++)
			r->now[b][i] = poison(i);
	for (int k = 0; k < c->in_count; k++) {
		const Buffer *b = &c->in[k];
		real *x = start(r, b);
		if (b->fill == FILL_PLACES) {
			fill_places(r, b, &rng);
			continue;
		}
		for (long i = 0; i < count(r, b); i++) {
			x[i] = draw(&rng, b->fill);
			if (absolute && x[i] < 0)
				x[i] = -x[i];
		}
	}
	for (int b = 0; b < BLOCKS; b++)
		memcpy(r->before[b], r->now[b], block_bytes(r, b));
}

/* Under AddressSanitizer even a look at the rest is an error. */
static void fence(Run *r, const Variant *v)
{
	const Case *c = r->c;

	for (int b = 0; b < BLOCKS; b++)
		ASAN_POISON_MEMORY_REGION(r->now[b], block_bytes(r, b));
	for (int k = 0; k < c->in_count; k++)
		ASAN_UNPOISON_MEMORY_REGION(start(r, &c->in[k]),
					    bytes_of(r, &c->in[k]));
	for (int k = 0; k < c->out_count; k++)
		ASAN_UNPOISON_MEMORY_REGION(start(r, &c->out[k]),
					    bytes_of(r, &c->out[k]));
	for (int k = 0; k < v->spare_count; k++)
		ASAN_UNPOISON_MEMORY_REGION(start(r, &v->spare[k]),
					    bytes_of(r, &v->spare[k]));
}

static void unfence(Run *r)
{
	for (int b = 0; b < BLOCKS; b++)
		ASAN_UNPOISON_MEMORY_REGION(r->now[b], block_bytes(r, b));
}

/* ---- a case --------------------------------------------------------------------- */

typedef struct Call {
	void (*run)(const NncThread *thread, NncContext *c, int n);
	NncContext *context;
	int n;
	long scratch;
	bool overrun[THREADS]; /* by thread: it wrote behind its scratch */
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

/* Runs one variant and copies its outputs. */
static bool run(Run *r, NncTeam *team, const Variant *v, Outputs *to)
{
	Call call = {v->run, &r->context, r->n, v->scratch, {false}};

	fill(r, false);
	fence(r, v);
	nnc_team_run(team, work, &call);
	unfence(r);
	for (int k = 0; k < r->c->out_count; k++)
		memcpy(to->copy[k], start(r, &r->c->out[k]),
		       bytes_of(r, &r->c->out[k]));
	for (int i = 0; i < THREADS; i++)
		if (call.overrun[i])
			return fails(r, v, "wrote behind its scratch, thread", i);
	return untouched(r, v);
}

/* Copies how large the sums are. */
static void run_sizes(Run *r)
{
	Call call = {r->c->run_size, &r->context, r->n, 0, {false}};

	fill(r, true);
	fence(r, &r->c->variant[0]);
	nnc_team_run(r->one, work, &call);
	unfence(r);
	memcpy(r->size, start(r, &r->c->size), bytes_of(r, &r->c->size));
}

static bool run_rows(Run *r, int n, bool keep_grads)
{
	const Case *c = r->c;

	r->n = n;
	r->context.keep_grads = keep_grads;
	run_sizes(r);
	bool ok = run(r, r->one, &c->variant[0], &r->plain);
	if (c->image.row)
		memcpy(r->image, start(r, &c->image), bytes_of(r, &c->image));
	for (int k = 0; k < c->variant_count && ok; k++) {
		const Variant *v = &c->variant[k];
		ok = run(r, r->one, v, &r->result) && agrees(r, v) &&
		     run(r, r->three, v, &r->shared) && same_bits(r, v);
	}
	return ok;
}

/* Teams with the scratch that the case's hungriest kernel asks for. */
static void open_teams(Run *r)
{
	long scratch = 0;

	for (int k = 0; k < r->c->variant_count; k++)
		if (r->c->variant[k].scratch > scratch)
			scratch = r->c->variant[k].scratch;
	size_t bytes = (size_t)(scratch + GUARD) * sizeof(real);
	if (nnc_team_open(&r->one, 1, bytes, NULL) ||
	    nnc_team_open(&r->three, THREADS, bytes, NULL))
		abort();
}

static void open_run(Run *r)
{
	const Case *c = r->c;

	r->n = c->batch;
	open_teams(r);
	for (int b = 0; b < BLOCKS; b++) {
		r->now[b] = allocate(block_bytes(r, b));
		r->before[b] = allocate(block_bytes(r, b));
	}
	r->context = (NncContext){.arena = r->now[ARENA],
				  .params = r->now[PARAMS],
				  .grads = r->now[GRADS],
				  .slot = {r->now[SLOT_0], r->now[SLOT_1]},
				  .lr = 0.5,
				  .updates = 3};
	r->size = allocate(bytes_of(r, &c->size));
	r->image = allocate(bytes_of(r, &c->image));
	for (int k = 0; k < c->out_count; k++) {
		r->plain.copy[k] = allocate(bytes_of(r, &c->out[k]));
		r->result.copy[k] = allocate(bytes_of(r, &c->out[k]));
		r->shared.copy[k] = allocate(bytes_of(r, &c->out[k]));
	}
}

static void close_run(Run *r)
{
	for (int b = 0; b < BLOCKS; b++) {
		free(r->now[b]);
		free(r->before[b]);
	}
	for (int k = 0; k < r->c->out_count; k++) {
		free(r->plain.copy[k]);
		free(r->result.copy[k]);
		free(r->shared.copy[k]);
	}
	free(r->size);
	free(r->image);
	nnc_team_close(r->one);
	nnc_team_close(r->three);
}

static bool run_case(const Case *c)
{
	Run r = {.c = c};
	bool kept = false;

	open_run(&r);
	for (int k = 0; k < c->out_count; k++)
		kept = kept || c->out[k].kept;
	bool ok = run_rows(&r, c->batch, false);
	if (ok && kept)
		ok = run_rows(&r, c->batch, true);
	if (ok && c->batch > 1)
		ok = run_rows(&r, 1, false);
	if (ok && c->batch > 2)
		ok = run_rows(&r, 2 + (int)(c->reals[ARENA] / 16 % (c->batch - 2)),
			      kept);
	close_run(&r);
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
