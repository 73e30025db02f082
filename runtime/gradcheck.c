/*
 * gradcheck.c - are the gradients right? Every weight tensor and the input against
 * differences of the loss, in the double twin, with dropout on (the draws depend on
 * epoch and step only, so the mask stays the same).
 *
 *   numeric = (loss(x + h) - loss(x - h)) / 2h
 *           or (4 loss(x + h) - loss(x + 2h) - 3 loss(x)) / 2h, h of either sign
 *   error = |numeric - analytic| / max(|numeric| + |analytic|, 1e-3 s,
 *                                      min(1e6 r, 10 s))
 *
 * s is the tensor's largest gradient: what is a thousandth of it need not be known to
 * the same relative precision. r = 16 eps max(1, |loss|) / h is the rounding error of
 * the difference; it never excuses more than 1e-5 s. A kink (relu, maxpool) between
 * x - h and x + h makes the central difference wrong, so an element over the bound is
 * tried again from either side, one of which has no kink that lies next to x, with a
 * smaller h, and for the tiniest gradients with a larger one; the best of these errors
 * counts. What is within r even then is right as far as differences can say: a
 * saturated network has gradients of 1e-50.
 */
#include "internal.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double steps[] = {1e-4, 1e-5, 1e-6, 1e-7, 1e-3};

static const int sides[] = {0, 1, -1}; /* of difference() */

enum { STEPS = sizeof steps / sizeof *steps, SIDES = sizeof sides / sizeof *sides };

/* A check under way. */
typedef struct Check {
	const NncModel *model;
	NncContext context;
	NncData data;
	uint32_t *index; /* (rows) */
	NncBatch batch;
	double loss;   /* of the unmoved point */
	double *grads; /* what backward said of the tensor under check */
	int64_t *at;   /* (samples) places of the elements to check */
} Check;

/* ---- differences ------------------------------------------------------------- */

/* The mean loss with the number at *x (a weight, or an input that load has just
   written) moved by h. */
static double loss_at(Check *k, double *x, double h, bool input)
{
	NncContext *c = &k->context;
	double kept = *x;

	if (!input)
		*x = kept + h;
	nnc_step_load(c, k->model, &k->batch);
	if (input)
		*x += h;
	c->loss = 0;
	nnc_step_forward(c, k->model, &k->batch);
	*x = kept;
	return c->loss / k->batch.rows;
}

/* The derivative at *x: central, or from one side only (1: above, -1: below). */
static double difference(Check *k, double *x, double h, int side, bool input)
{
	if (!side)
		return (loss_at(k, x, h, input) - loss_at(k, x, -h, input)) / (2 * h);
	h *= side;
	double near = loss_at(k, x, h, input), far = loss_at(k, x, 2 * h, input);
	return (4 * near - far - 3 * k->loss) / (2 * h);
}

/* The error of one element; counts it as refined if one difference was not enough. */
static double element_error(Check *k, double *x, double analytic, double scale,
			    bool input, int64_t *refined)
{
	double best = INFINITY;

	for (int i = 0; i < STEPS * SIDES; i++) {
		double h = steps[i / SIDES] * fmax(1, fabs(*x));
		double numeric = difference(k, x, h, sides[i % SIDES], input);
		double rounding = 16 * DBL_EPSILON * fmax(1, fabs(k->loss)) / h;
		double size = fmax(fabs(numeric) + fabs(analytic), 1e-3 * scale);
		size = fmax(size, fmin(1e6 * rounding, 10 * scale));
		double error = fabs(numeric - analytic);
		bool widest = i / SIDES == STEPS - 1;
		if (widest && error <= rounding)
			error = 0;
		if (error > 0)
			error /= size; /* 0 / 0: both are 0 */
		if (isfinite(error) && error < best)
			best = error;
		if (best <= NNC_GRADCHECK_BOUND)
			break;
		if (i == 0)
			(*refined)++;
	}
	return best;
}

/* Which of `count` elements: all, or the first, the last and random ones. */
static int64_t choose(int64_t *element, int64_t count, int64_t samples, NncRng *rng)
{
	if (count <= samples) {
		for (int64_t i = 0; i < count; i++)
			element[i] = i;
		return count;
	}
	for (int64_t i = 0; i < samples; i++)
		element[i] = nnc_rng_below(rng, (uint32_t)count);
	element[0] = 0;
	element[samples - 1] = count - 1;
	return samples;
}

/* Checks the r->checked elements at k->at[] of a block. */
static void check_elements(Check *k, NncGradReport *r, double *block, bool input)
{
	for (int64_t i = 0; i < r->checked; i++) {
		double error = element_error(k, block + k->at[i], k->grads[i], r->scale,
					     input, &r->refined);
		if (error > r->error)
			r->error = error;
	}
}

/* Backward of the unmoved point; the gradients stay in the context until the next. */
static void differentiate(Check *k)
{
	k->context.loss = 0;
	nnc_step_gradients(&k->context, k->model, &k->batch);
	k->loss = k->context.loss / k->batch.rows;
}

static void check_tensor(Check *k, NncGradReport *r, const NncTensor *tensor,
			 int64_t samples, NncRng *rng)
{
	const double *grads = k->context.grads;

	r->elements = nnc_tensor_count(tensor);
	differentiate(k);
	for (int64_t i = 0; i < r->elements; i++)
		r->scale = fmax(r->scale, fabs(grads[nnc_tensor_at(tensor, i)]));
	r->checked = choose(k->at, r->elements, samples, rng);
	for (int64_t i = 0; i < r->checked; i++) {
		k->at[i] = nnc_tensor_at(tensor, k->at[i]);
		k->grads[i] = grads[k->at[i]];
	}
	check_elements(k, r, k->context.params, false);
}

static void check_input(Check *k, NncGradReport *r, int64_t samples, NncRng *rng)
{
	double *arena = k->context.arena;
	const double *grads = arena + k->model->input_grad;

	r->elements = (int64_t)nnc_sample_size(&k->data) * k->batch.rows;
	differentiate(k);
	for (int64_t i = 0; i < r->elements; i++)
		r->scale = fmax(r->scale, fabs(grads[i]));
	r->checked = choose(k->at, r->elements, samples, rng);
	for (int64_t i = 0; i < r->checked; i++)
		k->grads[i] = grads[k->at[i]];
	check_elements(k, r, arena + k->model->input, true);
}

/* ---- a whole model ----------------------------------------------------------- */

/* Does the pixel at (y,x) have the byte of one of those before it, up to 4 away? */
static bool is_repeated(const NncData *d, const uint8_t *image, int y, int x, int k)
{
	const int channels = d->channels, wide = d->width;
	const uint8_t byte = image[(y * wide + x) * channels + k];

	for (int i = y < 4 ? 0 : y - 4; i <= y; i++)
		for (int j = x < 4 ? 0 : x - 4; j <= x + 4 && j < wide; j++) {
			if (i == y && j == x)
				return false;
			if (image[(i * wide + j) * channels + k] == byte)
				return true;
		}
	return false;
}

/*
 * At 0 a relu has no gradient, and where its two largest are equal a maxpool has none:
 * random bytes are that often. These are not 0, and not like their neighbours.
 */
static void leave_kinks(NncData *d, uint32_t seed)
{
	NncRng rng = nnc_rng(seed, NNC_STREAM_SYNTHETIC, 3, 0);
	const int pixels = d->height * d->width;

	for (int64_t i = 0; i < d->count * pixels; i++) {
		uint8_t *image =
			(uint8_t *)d->samples + i / pixels * pixels * d->channels;
		const int y = (int)(i % pixels) / d->width,
			  x = (int)(i % pixels) % d->width;
		for (int k = 0; k < d->channels; k++)
			do
				image[(y * d->width + x) * d->channels + k] =
					(uint8_t)(1 + nnc_rng_below(&rng, 255));
			while (is_repeated(d, image, y, x, k));
	}
}

static int open_check(Check *k, const NncModel *twin, int32_t rows, int64_t samples,
		      uint32_t seed, NncError *err)
{
	NncRng rng = nnc_rng(seed, NNC_STREAM_SYNTHETIC, 1, 0);
	int code;

	*k = (Check){.model = twin};
	code = nnc_context_open(&k->context, twin, NNC_TRAINING, 1, err);
	if (!code)
		code = nnc_synthetic(&k->data, twin, 2 * (int64_t)rows, seed, err);
	if (!code && twin->bytes)
		leave_kinks(&k->data, seed);
	if (code)
		return code;
	k->index = nnc_allocate((size_t)rows, sizeof *k->index);
	k->grads = nnc_allocate((size_t)samples, sizeof *k->grads);
	k->at = nnc_allocate((size_t)samples, sizeof *k->at);
	if (!k->index || !k->grads || !k->at)
		return nnc_fail(err, NNC_NOMEM, "not enough memory to check %s",
				twin->source);
	for (int32_t i = 0; i < rows; i++)
		k->index[i] = nnc_rng_below(&rng, 2 * (uint32_t)rows);
	k->batch = (NncBatch){.samples = k->data.samples,
			      .labels = k->data.labels,
			      .index = k->index,
			      .rows = rows};
	nnc_init_params(&k->context, twin, seed);
	k->context.dropout = true;
	k->context.seed = seed;
	return NNC_OK;
}

static void close_check(Check *k)
{
	free(k->at);
	free(k->grads);
	free(k->index);
	nnc_data_free(&k->data);
	nnc_context_close(&k->context);
}

int nnc_gradcheck(NncGradReport *report, const NncModel *twin, int32_t rows,
		  int64_t samples, uint32_t seed, NncError *err)
{
	NncRng rng = nnc_rng(seed, NNC_STREAM_SYNTHETIC, 2, (uint32_t)rows);
	int32_t tensors = twin->tensor_count;
	Check k;
	int code;

	if (twin->real_bytes != (int32_t)sizeof(double))
		return nnc_fail(err, NNC_BUG, "gradcheck wants a model in double");
	samples = samples < 2 ? 2 : samples;
	code = open_check(&k, twin, rows, samples, seed, err);
	for (int32_t t = 0; t <= tensors && !code; t++) {
		bool input = t == tensors;
		report[t] = (NncGradReport){
			.name = input ? "input" : twin->tensors[t].name, .rows = rows};
		if (input)
			check_input(&k, &report[t], samples, &rng);
		else
			check_tensor(&k, &report[t], &twin->tensors[t], samples, &rng);
	}
	close_check(&k);
	return code;
}
