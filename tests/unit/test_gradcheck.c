/*
 * test_gradcheck.c - gradients next to a kink: the side they are on decides what is
 * right, however near it is.
 */
#include "internal.h"
#include "tiny.h"

#include <CUnit/CUnit.h>
#include <math.h>

enum { BIAS = 3, SAMPLES = 4, SEED = 1 };

/* What is added to the loss of every row: |b - kink| / 2 of the first output's bias b,
   which is 0 at first; and what backward takes for the gradient of that. */
static double kink, gradient;

static double *first_bias(double *block)
{
	return block + tiny_model_double.tensors[BIAS].offset;
}

static void forward(NncContext *c, const NncBatch *batch, const NncThread *t)
{
	NncRange r = nnc_share(t, batch->rows);

	tiny_model_double.forward(c, batch, t);
	for (int n = r.first; n < r.end; n++)
		c->row_loss[n] += fabs(*first_bias(c->params) - kink) / 2;
}

static void backward(NncContext *c, const NncBatch *batch, const NncThread *t)
{
	tiny_model_double.backward(c, batch, t);
	if (t->id == 0)
		*first_bias(c->grads) += gradient;
}

/* The report's line of that bias. */
static NncGradReport check(double where, double said)
{
	NncModel model = tiny_model_double;
	NncGradReport report[BIAS + 2];

	model.forward = forward;
	model.backward = backward;
	kink = where;
	gradient = said;
	CU_ASSERT_FATAL(!nnc_gradcheck(report, &model, TINY_B, SAMPLES, SEED, NULL));
	for (int i = 0; i < BIAS + 2; i++)
		CU_ASSERT(i == BIAS || report[i].error <= NNC_GRADCHECK_BOUND);
	return report[BIAS];
}

static void passes(double where, double said, int64_t refined)
{
	NncGradReport r = check(where, said);

	CU_ASSERT(r.error <= NNC_GRADCHECK_BOUND);
	CU_ASSERT_EQUAL(r.checked, TINY_O);
	CU_ASSERT_EQUAL(r.refined, refined);
}

/* The slope is -1/2 below the kink, 1/2 above it; of the last no step is as small. */
static const double distances[] = {1, 1e-2, 3e-4, 1e-5, 1e-6, 1e-7, 1e-9};

enum { DISTANCES = sizeof distances / sizeof *distances };

static void right(void)
{
	for (int i = 0; i < DISTANCES; i++) {
		int64_t refined = distances[i] < 1e-4;
		passes(distances[i], -0.5, refined);
		passes(-distances[i], 0.5, refined);
	}
	passes(0, 0.5, 1);
	passes(0, -0.5, 1);
}

/* By a thousandth; and the slope on the other side, unless that is as good as here. */
static void wrong(void)
{
	for (int i = 0; i < DISTANCES; i++) {
		double d = distances[i];
		CU_ASSERT(check(d, -0.5005).error > NNC_GRADCHECK_BOUND);
		CU_ASSERT(check(-d, 0.4995).error > NNC_GRADCHECK_BOUND);
		if (d < 1e-7)
			continue;
		CU_ASSERT(check(d, 0.5).error > NNC_GRADCHECK_BOUND);
		CU_ASSERT(check(-d, -0.5).error > NNC_GRADCHECK_BOUND);
	}
}

extern void suite_gradcheck(void);

void suite_gradcheck(void)
{
	CU_pSuite suite = CU_add_suite("gradcheck", NULL, NULL);

	CU_add_test(suite, "right", right);
	CU_add_test(suite, "wrong", wrong);
}
