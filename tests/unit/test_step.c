/*
 * test_step.c - one batch by a team, and the memory it works on: the same bits with any
 * number of threads, sums in the order of the rows, and no step from a loss that is not
 * finite.
 */
#include "internal.h"
#include "tiny.h"

#include <CUnit/CUnit.h>
#include <math.h>
#include <string.h>

enum { SAMPLES = 32, MOST = 4 };

static uint8_t samples[SAMPLES * TINY_K];
static int32_t labels[SAMPLES];
static uint32_t numbers[SAMPLES];

static int set_up(void)
{
	NncRng rng = nnc_rng(3, NNC_STREAM_SYNTHETIC, 0, 0);

	for (uint32_t i = 0; i < SAMPLES; i++) {
		labels[i] = (int32_t)nnc_rng_below(&rng, TINY_O);
		numbers[i] = i;
		for (int k = 0; k < TINY_K; k++)
			samples[i * TINY_K + (uint32_t)k] =
				(uint8_t)nnc_rng_below(&rng, 256);
	}
	return 0;
}

static NncBatch batch_at(uint32_t first, int32_t rows)
{
	return (NncBatch){.samples = samples,
			  .labels = labels,
			  .index = numbers + first,
			  .rows = rows};
}

static void open_context(NncContext *c, const NncModel *model, int threads)
{
	CU_ASSERT_FATAL(!nnc_context_open(c, model, NNC_TRAINING, threads, NULL));
	nnc_init_params(c, model, 1);
	c->dropout = true;
}

/* Are n bytes the same? */
static bool same(const void *a, const void *b, size_t n)
{
	return memcmp(a, b, n) == 0;
}

static size_t block_bytes(const NncModel *model)
{
	return model->params_reals * (size_t)model->real_bytes;
}

/* ---- steps -------------------------------------------------------------------- */

/* A few steps, the last of an incomplete batch, and an evaluation. */
static void train(NncContext *c, const NncModel *model)
{
	for (uint32_t step = 0; step < 6; step++) {
		NncBatch batch =
			batch_at(step % 3 * TINY_B, step < 5 ? TINY_B : TINY_B - 3);
		c->step = step;
		CU_ASSERT(nnc_step(c, model, &batch));
		c->updates++;
	}
	NncBatch batch = batch_at(0, TINY_B - 1);
	nnc_step_evaluate(c, model, &batch);
}

static void any_threads(const NncModel *model)
{
	size_t bytes = block_bytes(model);
	NncContext one, more;

	open_context(&one, model, 1);
	train(&one, model);
	CU_ASSERT(one.loss > 0 && one.correct > 0);
	for (int threads = 2; threads <= MOST; threads++) {
		open_context(&more, model, threads);
		train(&more, model);
		CU_ASSERT(same(&more.loss, &one.loss, sizeof one.loss));
		CU_ASSERT_EQUAL(more.correct, one.correct);
		CU_ASSERT(same(more.params, one.params, bytes));
		for (int32_t i = 0; i < model->slot_count; i++)
			CU_ASSERT(same(more.slot[i], one.slot[i], bytes));
		nnc_context_close(&more);
	}
	nnc_context_close(&one);
}

static void same_bits(void)
{
	any_threads(&tiny_model);
	any_threads(&tiny_model_double);
}

/* ---- losses that are given ----------------------------------------------------- */

static double given[TINY_B]; /* the loss of each row */

static void forward_given(NncContext *c, const NncBatch *batch, const NncThread *t)
{
	NncRange r = nnc_share(t, batch->rows);

	tiny_model.forward(c, batch, t);
	for (int n = r.first; n < r.end; n++) {
		c->row_loss[n] = given[n];
		c->row_hit[n] = n % 3 == 0;
	}
}

/* Numbers that only this order adds up to this sum. */
static void row_order(void)
{
	static const double losses[TINY_B] = {1e16, 1, -1e16, 1, 3, 1e16, 7, -1e16};
	NncModel model = tiny_model;
	NncBatch batch = batch_at(0, TINY_B);
	double sum = 0;

	model.forward = forward_given;
	memcpy(given, losses, sizeof given);
	for (int n = 0; n < TINY_B; n++)
		sum += losses[n];
	for (int threads = 1; threads <= MOST; threads++) {
		NncContext c;
		open_context(&c, &model, threads);
		CU_ASSERT(nnc_step(&c, &model, &batch));
		CU_ASSERT(same(&c.loss, &sum, sizeof sum));
		CU_ASSERT_EQUAL(c.correct, 3);
		c.loss = 0.5;
		nnc_step_forward(&c, &model, &batch);
		sum += 0.5;
		CU_ASSERT(same(&c.loss, &sum, sizeof sum));
		sum -= 0.5;
		CU_ASSERT_EQUAL(c.correct, 6);
		nnc_context_close(&c);
	}
}

static void not_finite(void)
{
	static const double bad[] = {HUGE_VAL, -HUGE_VAL, NAN};
	size_t bytes = block_bytes(&tiny_model);
	NncBatch batch = batch_at(0, TINY_B - 1);
	NncModel model = tiny_model;
	NncContext c, kept;

	model.forward = forward_given;
	memset(given, 0, sizeof given);
	for (int i = 0; i < 12; i++) {
		open_context(&kept, &model, 1);
		open_context(&c, &model, 1 + i / 3);
		given[TINY_B - 2] = bad[i % 3];
		CU_ASSERT(!nnc_step(&c, &model, &batch));
		CU_ASSERT(!isfinite(c.loss));
		CU_ASSERT(same(c.params, kept.params, bytes));
		CU_ASSERT(same(c.slot[0], kept.slot[0], bytes));
		CU_ASSERT(same(c.slot[1], kept.slot[1], bytes));
		given[TINY_B - 2] = 0;
		given[TINY_B - 1] = NAN; /* of a row that this batch has not */
		CU_ASSERT(nnc_step(&c, &model, &batch));
		CU_ASSERT(!same(c.params, kept.params, bytes));
		nnc_context_close(&c);
		nnc_context_close(&kept);
	}
}

/* ---- the other things ---------------------------------------------------------- */

/* Of tiny's gradients only those that are asked for are finite. */
static void gradients(void)
{
	NncBatch batch = batch_at(3, TINY_B);
	size_t bytes = block_bytes(&tiny_model);
	NncContext one, c;

	open_context(&one, &tiny_model, 1);
	nnc_step_gradients(&one, &tiny_model, &batch);
	CU_ASSERT_PTR_NULL(nnc_not_finite(&tiny_model, one.grads, false));
	CU_ASSERT(one.loss > 0);
	CU_ASSERT(!one.keep_grads);
	CU_ASSERT_EQUAL(one.lr, tiny_model.training.lr);
	for (int threads = 2; threads <= MOST; threads++) {
		open_context(&c, &tiny_model, threads);
		nnc_step_gradients(&c, &tiny_model, &batch);
		CU_ASSERT(same(c.grads, one.grads, bytes));
		CU_ASSERT(same(c.params, one.params, bytes));
		nnc_context_close(&c);
	}
	nnc_step(&one, &tiny_model, &batch);
	CU_ASSERT_PTR_NOT_NULL(nnc_not_finite(&tiny_model, one.grads, false));
	nnc_context_close(&one);
}

/* An input that is changed after it was loaded is what forward sees. */
static void halves(void)
{
	NncBatch batch = batch_at(0, 1);
	NncContext c;
	double before;

	open_context(&c, &tiny_model_double, 2);
	c.dropout = false;
	nnc_step_load(&c, &tiny_model_double, &batch);
	nnc_step_forward(&c, &tiny_model_double, &batch);
	before = c.loss;
	c.loss = 0;
	nnc_step_load(&c, &tiny_model_double, &batch);
	((double *)c.arena)[tiny_model_double.input] += 1;
	nnc_step_forward(&c, &tiny_model_double, &batch);
	CU_ASSERT(fabs(c.loss - before) > 1e-9);
	c.loss = 0;
	nnc_step_infer(&c, &tiny_model_double, &batch);
	double *p = (double *)c.arena + tiny_model_double.output;
	CU_ASSERT_DOUBLE_EQUAL(before, -log(p[labels[0]]), 1e-12);
	CU_ASSERT_EQUAL(c.loss, 0);
	nnc_context_close(&c);
}

/* ---- context.c ----------------------------------------------------------------- */

static bool all_zero(const void *block, size_t bytes)
{
	const unsigned char *at = block;

	while (bytes > 0 && !at[bytes - 1])
		bytes--;
	return bytes == 0;
}

static void look_at_scratch(void *argument, const NncThread *t)
{
	((bool *)argument)[t->id] =
		t->scratch && all_zero(t->scratch, TINY_H * sizeof(float));
}

static void memory(void)
{
	NncModel model = tiny_model;
	const NncContext closed = {0};
	NncContext c;

	for (int i = 0; i < 2; i++) {
		size_t bytes = block_bytes(&model);
		bool scratch[3] = {false};
		CU_ASSERT_FATAL(!nnc_context_open(&c, &model, NNC_TRAINING, 3, NULL));
		const void *part[] = {c.params,  c.grads, c.slot[0],
				      c.slot[1], c.arena, c.row_loss};
		for (size_t p = 0; p < sizeof part / sizeof *part; p++)
			CU_ASSERT_EQUAL((uintptr_t)part[p] % NNC_ALIGN, 0);
		for (int p = 0; p < 4; p++)
			CU_ASSERT(all_zero(part[p], bytes));
		CU_ASSERT(all_zero(c.arena, model.arena_reals * sizeof(float)));
		CU_ASSERT(all_zero(c.row_loss, TINY_B * sizeof(double)));
		CU_ASSERT(all_zero(c.row_hit, TINY_B));
		CU_ASSERT_EQUAL(nnc_team_count(c.team), 3);
		nnc_team_run(c.team, look_at_scratch, scratch);
		CU_ASSERT(scratch[0] && scratch[1] && scratch[2]);
		if (i)
			CU_ASSERT_EQUAL((uintptr_t)c.params % (2 << 20), 0);
		nnc_context_close(&c);
		CU_ASSERT(same(&c, &closed, sizeof c));
		nnc_context_close(&c);
		model.params_reals = 300001; /* more than 4 MB in all: huge pages */
	}
}

/* Inference has no gradients, no optimizer, less of the rest, and the same answers. */
static void purposes(void)
{
	NncBatch batch = batch_at(0, TINY_B);
	const NncModel *model = &tiny_model;
	size_t answers = (size_t)(TINY_B * TINY_O) * sizeof(float);
	size_t params = block_bytes(model), less = params * 3;
	bool scratch[2] = {false};
	NncContext all, c;

	open_context(&all, model, 2);
	CU_ASSERT_FATAL(!nnc_context_open(&c, model, NNC_INFERENCE, 2, NULL));
	CU_ASSERT(!c.grads && !c.slot[0] && !c.slot[1]);
	less += (model->arena_reals - model->infer_arena_reals) * sizeof(float);
	CU_ASSERT_EQUAL(nnc_context_bytes(model, NNC_TRAINING),
			nnc_context_bytes(model, NNC_INFERENCE) + less);
	nnc_team_run(c.team, look_at_scratch, scratch); /* tiny needs none to infer */
	CU_ASSERT(!scratch[0] && !scratch[1]);
	train(&all, model);
	memcpy(c.params, all.params, params);
	nnc_step_infer(&all, model, &batch);
	nnc_step_infer(&c, model, &batch);
	CU_ASSERT(same((float *)c.arena + model->output,
		       (float *)all.arena + model->output, answers));
	all.loss = 0;
	nnc_step_evaluate(&all, model, &batch);
	nnc_step_evaluate(&c, model, &batch);
	CU_ASSERT(c.loss > 0 && same(&c.loss, &all.loss, sizeof c.loss));
	nnc_context_close(&all);
	nnc_context_close(&c);
}

/* A training run is evaluated: it has what inference needs, where that is more. */
static void larger_inference(void)
{
	NncModel model = tiny_model;
	bool scratch[1] = {false};
	NncContext c;

	model.infer_arena_reals = 2 * model.arena_reals;
	model.infer_scratch_reals = model.scratch_reals;
	model.scratch_reals = 0;
	CU_ASSERT_FATAL(!nnc_context_open(&c, &model, NNC_TRAINING, 1, NULL));
	CU_ASSERT(all_zero(c.arena, 2 * model.arena_reals * sizeof(float)));
	nnc_team_run(c.team, look_at_scratch, scratch);
	CU_ASSERT(scratch[0]);
	nnc_context_close(&c);
	model.infer_arena_reals = SIZE_MAX / 2;
	CU_ASSERT_EQUAL(nnc_context_bytes(&model, NNC_INFERENCE), 0);
}

static int refusal(NncContext *c, const NncModel *model, int threads)
{
	NncError err;

	return nnc_context_open(c, model, NNC_TRAINING, threads, &err);
}

static void refusals(void)
{
	NncModel model = tiny_model;
	const NncContext closed = {0};
	NncContext c;

	CU_ASSERT_EQUAL(refusal(&c, &model, 0), NNC_BUG);
	CU_ASSERT_EQUAL(refusal(&c, &model, NNC_MAX_THREADS + 1), NNC_BUG);
	model.slot_count = NNC_MAX_SLOTS + 1;
	CU_ASSERT_EQUAL(refusal(&c, &model, 1), NNC_BUG);
	model = tiny_model;
	model.params_reals = SIZE_MAX / 16;
	model.arena_reals = SIZE_MAX / 16;
	CU_ASSERT_EQUAL(refusal(&c, &model, 1), NNC_NOMEM);
	model = tiny_model;
	model.arena_reals = SIZE_MAX / 2;
	CU_ASSERT_EQUAL(refusal(&c, &model, 1), NNC_NOMEM);
	model = tiny_model;
	model.infer_arena_reals = SIZE_MAX / 2;
	CU_ASSERT_EQUAL(refusal(&c, &model, 1), NNC_NOMEM);
	model = tiny_model;
	model.scratch_reals = SIZE_MAX / 8;
	CU_ASSERT_EQUAL(refusal(&c, &model, 4), NNC_NOMEM);
	CU_ASSERT(same(&c, &closed, sizeof c));
}

extern void suite_step(void);

void suite_step(void)
{
	CU_pSuite suite = CU_add_suite("step", set_up, NULL);

	CU_add_test(suite, "any number of threads", same_bits);
	CU_add_test(suite, "order of the rows", row_order);
	CU_add_test(suite, "not finite", not_finite);
	CU_add_test(suite, "gradients", gradients);
	CU_add_test(suite, "load, forward, infer", halves);
	CU_add_test(suite, "memory", memory);
	CU_add_test(suite, "memory for inference", purposes);
	CU_add_test(suite, "more memory for inference", larger_inference);
	CU_add_test(suite, "refusals", refusals);
}
