/*
 * driver.c - linked with a generated model, renamed MODEL: `driver THREADS...` makes
 * steps, gradients, evaluations and inferences on made-up samples, for whole and
 * partial batches, and for each of these numbers of threads the same beside it: after
 * every call all numbers of both, activations included, must have the same bits.
 *
 * For ThreadSanitizer, in a model built with -Dnnc_barrier=model_barrier: `driver race
 * N THREADS` only makes the calls, without the N-th barrier of each thread (-1: with
 * all).
 */
#include "internal.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

extern const NncModel MODEL;
void model_barrier(const NncThread *t);

static uint8_t *samples;
static int32_t *labels;
static uint32_t *order;

/* ---- barriers ------------------------------------------------------------------- */

static bool racing;
static int left_out;              /* the number of a barrier, or -1 */
static pthread_barrier_t both[2]; /* in turn */
static _Thread_local int passed;  /* barriers of this thread */

/*
 * The runtime's barrier lets a thread that slept see what the others have done since,
 * which hides races; of two in turn each shows what was before it, and no more.
 */
void model_barrier(const NncThread *t)
{
	int number = passed++;

	if (!racing)
		nnc_barrier(t);
	else if (number != left_out && t->count > 1)
		pthread_barrier_wait(&both[(number > left_out) ^ (number & 1)]);
}

/* ---- samples -------------------------------------------------------------------- */

static int32_t sample_count(void)
{
	return 2 * MODEL.batch + 3;
}

static void *allocate(size_t count, size_t size)
{
	void *p = calloc(count, size);

	if (!p)
		abort();
	return p;
}

/* Small enough for models that do not scale them. */
static void make_samples(void)
{
	NncRng rng = nnc_rng(1, NNC_STREAM_SYNTHETIC, 0, 0);
	size_t count = (size_t)sample_count();
	size_t numbers = count * (size_t)(MODEL.height * MODEL.width * MODEL.channels);

	samples = allocate(numbers, sizeof(float));
	labels = allocate(count, sizeof *labels);
	order = allocate(count, sizeof *order);
	for (size_t i = 0; i < numbers; i++)
		if (MODEL.bytes)
			samples[i] = (uint8_t)nnc_rng_below(&rng, 16);
		else
			((float *)samples)[i] = (float)(2 * nnc_rng_uniform(&rng) - 1);
	for (size_t i = 0; i < count; i++) {
		labels[i] = (int32_t)nnc_rng_below(&rng, (uint32_t)MODEL.outputs);
		order[i] = (uint32_t)i;
	}
	nnc_shuffle(order, count, &rng);
}

/* ---- calls ---------------------------------------------------------------------- */

/* Half of them are enough where they take long. */
static int calls(void)
{
	return MODEL.params_reals > 1 << 20 ? 5 : 10;
}

static void open_context(NncContext *c, NncPurpose purpose, int threads)
{
	NncError err;

	if (nnc_context_open(c, &MODEL, purpose, threads, &err)) {
		fprintf(stderr, "%s\n", err.message);
		exit(1);
	}
	nnc_init_params(c, &MODEL, 1);
	c->lr = MODEL.training.lr;
	c->seed = 1;
	passed = 0;
}

/* The i-th call: its rows differ, whole batches among them. */
static void call(NncContext *c, int i)
{
	int32_t part = MODEL.batch * (i % 5) / 5 + 1;
	NncBatch batch = {.samples = samples,
			  .labels = labels,
			  .index = order + i % 3,
			  .rows = i % 2 && part < MODEL.batch ? part : MODEL.batch};

	batch.next = batch.index + batch.rows;
	batch.next_rows = batch.rows;
	c->step = (uint32_t)i;
	c->dropout = i % 5 != 4;
	if (i == 4 || (!c->grads && i < 5))
		nnc_step_infer(c, &MODEL, &batch);
	else if (i == 9 || !c->grads)
		nnc_step_evaluate(c, &MODEL, &batch);
	else if (i % 5 == 2)
		nnc_step_gradients(c, &MODEL, &batch);
	else if (nnc_step(c, &MODEL, &batch))
		c->updates++;
}

/* ---- bits ----------------------------------------------------------------------- */

static bool equal(const char *what, const void *a, const void *b, size_t count,
		  size_t size, int threads, int at)
{
	const char *x = a, *y = b;
	size_t i = 0;

	if (!memcmp(a, b, count * size))
		return true;
	while (!memcmp(x + i * size, y + i * size, size))
		i++;
	printf("FAIL %d threads, call %d: other bits in %s, from number %zu of %zu "
	       "on\n",
	       threads, at, what, i, count);
	return false;
}

static bool same(const NncContext *one, const NncContext *many, int threads, int at)
{
	size_t real = (size_t)MODEL.real_bytes, rows = (size_t)MODEL.batch;
	size_t arena = MODEL.infer_arena_reals;
	bool ok = true;

	if (one->grads && arena < MODEL.arena_reals)
		arena = MODEL.arena_reals;

#define EQUAL(field, count, size)                                                      \
	(ok = equal(#field, one->field, many->field, count, size, threads, at) && ok)
	EQUAL(params, MODEL.params_reals, real);
	if (one->grads)
		EQUAL(grads, MODEL.params_reals, real);
	for (int32_t i = 0; i < MODEL.slot_count && one->slot[i]; i++)
		EQUAL(slot[i], MODEL.params_reals, real);
	/* Of two threads each may have half of x only. */
	size_t x =
		threads == 2
			? rows * (size_t)(MODEL.height * MODEL.width * MODEL.channels)
			: 0;
	ok = equal("arena", (char *)one->arena + x * real,
		   (char *)many->arena + x * real, arena - x, real, threads, at) &&
	     ok;
	EQUAL(row_loss, rows, sizeof *one->row_loss);
	EQUAL(row_hit, rows, sizeof *one->row_hit);
	ok = equal("loss", &one->loss, &many->loss, 1, sizeof one->loss, threads, at) &&
	     ok;
	ok = equal("correct", &one->correct, &many->correct, 1, sizeof one->correct,
		   threads, at) &&
	     ok;
#undef EQUAL
	return ok;
}

/* Numbers that are all NaN would agree, too. */
static bool all_finite(const NncContext *c)
{
	const NncTensor *tensor = nnc_not_finite(&MODEL, c->params, false);

	if (isfinite(c->loss) && !tensor)
		return true;
	printf("FAIL not finite: %s\n", tensor ? tensor->name : "the loss");
	return false;
}

static bool compare(NncPurpose purpose, int threads)
{
	NncContext one, many;
	bool ok = true;

	open_context(&one, purpose, 1);
	open_context(&many, purpose, threads);
	for (int i = 0; i < calls() && ok; i++) {
		call(&one, i);
		call(&many, i);
		ok = same(&one, &many, threads, i) && all_finite(&one);
	}
	nnc_context_close(&one);
	nnc_context_close(&many);
	return ok;
}

static bool race(int threads)
{
	NncContext c;

	racing = true;
	for (int i = 0; i < 2; i++)
		pthread_barrier_init(&both[i], NULL, (unsigned)threads);
	open_context(&c, NNC_TRAINING, threads);
	for (int i = 0; i < calls(); i++)
		call(&c, i);
	nnc_context_close(&c);
	for (int i = 0; i < 2; i++)
		pthread_barrier_destroy(&both[i]);
	return true;
}

int main(int argc, char **argv)
{
	int failed = 0, count = 0;

	make_samples();
	if (argc == 4 && !strcmp(argv[1], "race")) {
		left_out = atoi(argv[2]);
		failed = !race(atoi(argv[3]));
		count = 1;
	} else {
		for (int i = 1; i < argc; i++, count++)
			failed += !compare(NNC_TRAINING, atoi(argv[i])) ||
				  !compare(NNC_INFERENCE, atoi(argv[i]));
	}
	printf("%d passed, %d failed\n", count - failed, failed);
	free(samples);
	free(labels);
	free(order);
	return failed > 0;
}
