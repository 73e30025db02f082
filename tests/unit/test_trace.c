/*
 * test_trace.c - which function begins which op of a step, when a step is kept, and
 * what the kept ones come to.
 */
#include "internal.h"
#include "tiny.h"

#include <CUnit/CUnit.h>
#include <math.h>
#include <string.h>

/* Two calls of the same kernel, which begins in a helper that others have as well. */
static const NncOp ops[] = {
	{NNC_PHASE_LOAD, "input", "gather", 0, NULL},
	{NNC_PHASE_FORWARD, "dense1", "gemm", 10, NULL},
	{NNC_PHASE_BACKWARD, "dense1", "conv_dx", 20, "turn"},
	{NNC_PHASE_BACKWARD, "dense1", "conv_dx", 20, "turn"},
	{NNC_PHASE_BACKWARD, "dense1", "gemm", 10, NULL},
	{NNC_PHASE_INFER, "dense1", "gemm", 10, NULL},
	{NNC_PHASE_INFER, "dense1", "softmax", 5, NULL},
};

static NncModel model_of_ops(void)
{
	NncModel model = tiny_model;

	model.ops = ops;
	model.op_count = sizeof ops / sizeof *ops;
	return model;
}

/* Shares of these functions, words between single spaces. */
static void share(NncTrace *t, const char *functions)
{
	char copy[256];

	snprintf(copy, sizeof copy, "%s", functions);
	for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
		nnc_trace_share(t, word);
}

static void beginnings(void)
{
	NncModel model = model_of_ops();
	NncTrace t;

	CU_ASSERT_FATAL(!nnc_trace_open(&t, &model, NNC_TRAINING, NULL));
	CU_ASSERT_EQUAL(t.count, 5);
	share(&t, "gemm gather tile");
	CU_ASSERT_EQUAL(t.next, 1);
	share(&t, "gemm pad gather turn gemm conv_dx");
	CU_ASSERT_EQUAL(t.next, 3);
	share(&t, "turn conv_dx conv_dx");
	CU_ASSERT_EQUAL(t.next, 4);
	share(&t, "gemm gemm turn");
	CU_ASSERT_EQUAL(t.next, 5);
	nnc_trace_close(&t);
	CU_ASSERT_FATAL(!nnc_trace_open(&t, &model, NNC_INFERENCE, NULL));
	CU_ASSERT_EQUAL(t.count, 3);
	share(&t, "gather gemm turn softmax");
	CU_ASSERT_EQUAL(t.next, 3);
	nnc_trace_close(&t);
	nnc_trace_close(&t);
}

/* A step whose ops take 1, 2, ... times a unit. */
static void step(NncTrace *t, double unit)
{
	double now = 100;

	share(t, "gather gemm turn turn gemm");
	for (int32_t i = 0; i < t->count; i++) {
		t->began[i] = now;
		now += unit * (i + 1);
	}
	nnc_trace_end(t, now);
}

static void kept(void)
{
	NncModel model = model_of_ops();
	NncError err = {0};
	NncTrace t;

	CU_ASSERT_FATAL(!nnc_trace_open(&t, &model, NNC_TRAINING, NULL));
	share(&t, "gather gemm turn");
	nnc_trace_end(&t, nnc_clock());
	CU_ASSERT_EQUAL(t.steps, 0);
	CU_ASSERT_EQUAL(nnc_trace_medians(&t, &model, &err), NNC_BUG);
	step(&t, 5);
	step(&t, 1);
	step(&t, 2);
	CU_ASSERT_EQUAL(t.steps, 3);
	CU_ASSERT_EQUAL(nnc_trace_medians(&t, &model, &err), NNC_OK);
	for (int32_t i = 0; i < t.count; i++)
		CU_ASSERT_DOUBLE_EQUAL(t.median[i], 2 * (i + 1), 1e-9);
	for (size_t room = t.room; t.steps < room;)
		step(&t, 1);
	step(&t, 1);
	CU_ASSERT_EQUAL(t.steps, t.room);
	nnc_trace_close(&t);
}

static void medians(void)
{
	double numbers[] = {3, -1, 8, 2};

	CU_ASSERT_EQUAL(nnc_median(numbers, 1), 3);
	CU_ASSERT_EQUAL(nnc_median(numbers, 3), 3);
	CU_ASSERT_EQUAL(nnc_median(numbers, 4), 2.5);
}

/* ---- what threads do ----------------------------------------------------------- */

static void whole_steps(NncPurpose purpose, int threads)
{
	static const uint8_t samples[TINY_B * TINY_K];
	static const int32_t labels[TINY_B];
	static const uint32_t index[TINY_B];
	NncBatch batch = {samples, labels, index, NULL, TINY_B, 0};
	NncContext c;
	NncTrace t;
	double before, sum = 0;

	CU_ASSERT_FATAL(!nnc_trace_open(&t, &tiny_model, purpose, NULL));
	CU_ASSERT_FATAL(!nnc_context_open(&c, &tiny_model, purpose, threads, NULL));
	nnc_init_params(&c, &tiny_model, 1);
	nnc_team_trace(c.team, &t);
	before = nnc_clock();
	if (purpose == NNC_TRAINING)
		CU_ASSERT(nnc_step(&c, &tiny_model, &batch));
	if (purpose == NNC_INFERENCE)
		nnc_step_infer(&c, &tiny_model, &batch);
	nnc_trace_end(&t, nnc_clock());
	CU_ASSERT_EQUAL(t.steps, 1);
	CU_ASSERT_FATAL(!nnc_trace_medians(&t, &tiny_model, NULL));
	for (int32_t i = 0; i < t.count; i++) {
		CU_ASSERT(t.median[i] > 0);
		sum += t.median[i];
	}
	CU_ASSERT(sum < nnc_clock() - before);
	nnc_team_trace(c.team, NULL);
	nnc_step_evaluate(&c, &tiny_model, &batch);
	CU_ASSERT_EQUAL(t.next, 0);
	nnc_context_close(&c);
	nnc_trace_close(&t);
}

static void by_threads(void)
{
	for (int threads = 1; threads <= 3; threads++) {
		whole_steps(NNC_TRAINING, threads);
		whole_steps(NNC_INFERENCE, threads);
	}
}

extern void suite_trace(void);

void suite_trace(void)
{
	CU_pSuite suite = CU_add_suite("trace", NULL, NULL);

	CU_add_test(suite, "which op begins", beginnings);
	CU_add_test(suite, "what is kept", kept);
	CU_add_test(suite, "medians", medians);
	CU_add_test(suite, "any number of threads", by_threads);
}
