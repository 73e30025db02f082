/*
 * gradcheck.c - are the gradients right? Every weight tensor and the input against
 * central differences, in the double twin, with dropout on (the draws depend on epoch
 * and step only, so the mask stays the same).
 *
 *   numeric = (loss(x + h) - loss(x - h)) / 2h
 *   error = |numeric - analytic| / max(|numeric| + |analytic|, 1e-3 s, min(1e6 r, 10
 * s))
 *
 * s is the tensor's largest gradient: what is a thousandth of it need not be known to
 * the same relative precision. r = 16 eps max(1, |loss|) / h is the rounding error of
 * the difference; it never excuses more than 1e-5 s. A kink (relu, maxpool) between
 * x - h and x + h makes the numeric side wrong, so an element over the bound is tried
 * again with a smaller h, and the best of these errors counts.
 */
#include "internal.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double bound = 1e-6;
static const double steps[] = {1e-4, 1e-5, 1e-6, 1e-7};

enum { STEPS = sizeof steps / sizeof *steps, PARTIAL_ROWS = 4, FULL_SHARE = 10 };

/* A check under way. */
typedef struct Check {
	const NncModel *model;
	NncContext context;
	NncData data;
	uint32_t *index; /* (rows) */
	NncBatch batch;
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

/* The error of one element; counts it as refined if the first step was not enough. */
static double element_error(Check *k, double *x, double analytic, double scale,
			    bool input, int64_t *refined)
{
	double best = INFINITY;

	for (int i = 0; i < STEPS; i++) {
		double h = steps[i] * fmax(1, fabs(*x));
		double up = loss_at(k, x, h, input);
		double down = loss_at(k, x, -h, input);
		double numeric = (up - down) / (2 * h);
		double rounding = 16 * DBL_EPSILON * fmax(1, fabs(up)) / h;
		double size = fmax(fabs(numeric) + fabs(analytic), 1e-3 * scale);
		size = fmax(size, fmin(1e6 * rounding, 10 * scale));
		double error = fabs(numeric - analytic);
		if (error > 0)
			error /= size; /* 0 / 0: both are 0 */
		if (isfinite(error) && error < best)
			best = error;
		if (best <= bound)
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
	nnc_step_gradients(&k->context, k->model, &k->batch);
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

static int open_check(Check *k, const NncModel *twin, int32_t rows, int64_t samples,
		      uint32_t seed, NncError *err)
{
	NncRng rng = nnc_rng(seed, NNC_STREAM_SYNTHETIC, 1, 0);
	int code;

	*k = (Check){.model = twin};
	code = nnc_context_open(&k->context, twin, NNC_TRAINING, 1, err);
	if (!code)
		code = nnc_synthetic(&k->data, twin, 2 * (int64_t)rows, seed, err);
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

/* ---- the command ------------------------------------------------------------- */

static bool passes(const NncGradReport *r)
{
	return r->error <= bound; /* of NaN: false */
}

static void print_table(const NncGradReport *report, int32_t lines)
{
	printf("%-24s %5s %10s %8s %8s %10s %10s\n", "tensor", "rows", "elements",
	       "checked", "refined", "largest", "error");
	for (int32_t i = 0; i < lines; i++) {
		const NncGradReport *r = &report[i];
		printf("%-24s %5d %10lld %8lld %8lld %10.3g %10.2e%s\n", r->name,
		       (int)r->rows, (long long)r->elements, (long long)r->checked,
		       (long long)r->refined, r->scale, r->error,
		       passes(r) ? "" : "  WRONG");
	}
}

static int print_json(const NncGradReport *report, int32_t lines, const char *model,
		      NncError *err)
{
	json_t *root = json_object(), *list = json_array();
	bool pass = true;

	for (int32_t i = 0; i < lines; i++) {
		const NncGradReport *r = &report[i];
		json_t *one = json_object();
		json_object_set_new(one, "tensor", json_string(r->name));
		json_object_set_new(one, "rows", json_integer(r->rows));
		json_object_set_new(one, "elements", json_integer(r->elements));
		json_object_set_new(one, "checked", json_integer(r->checked));
		json_object_set_new(one, "largest", nnc_json_real(r->scale));
		json_object_set_new(one, "error", nnc_json_real(r->error));
		json_array_append_new(list, one);
		pass = pass && passes(r);
	}
	json_object_set_new(root, "model", json_string(model));
	json_object_set_new(root, "bound", json_real(bound));
	json_object_set_new(root, "pass", json_boolean(pass));
	json_object_set_new(root, "tensors", list);
	return nnc_print_json(root, err);
}

/* NNC_FAILED with the names of the tensors over the bound. */
static int judge(const NncGradReport *report, int32_t lines, NncError *err)
{
	char names[1024] = "";
	size_t used = 0;
	double worst = 0;

	for (int32_t i = 0; i < lines; i++) {
		const NncGradReport *r = &report[i];
		if (!(r->error <= worst))
			worst = r->error;
		if (passes(r) || used >= sizeof names - 100)
			continue;
		used += (size_t)snprintf(names + used, 100, "%s%.60s (%d rows)",
					 used ? ", " : "", r->name, (int)r->rows);
	}
	if (!used)
		return NNC_OK;
	return nnc_fail(err, NNC_FAILED,
			"gradients are wrong by up to %.2e (the bound is %g) "
			"in %s",
			worst, bound, names);
}

int nnc_command_gradcheck(const NncProgram *program, NncError *err)
{
	const NncOptions *o = &program->options;
	const NncModel *twin = program->twin;
	int64_t samples = o->samples < 0 ? 40 : o->samples;
	uint32_t seed;
	int32_t lines = 0, each, partial;
	NncGradReport *report;
	int code = NNC_OK;

	if (!twin)
		return nnc_fail(
			err, NNC_USAGE,
			"this program has no twin in double\n"
			"help: compile %s again without leaving the twin out, or link "
			"its C once more, compiled with -DNNC_DOUBLE",
			program->model->source);
	seed = o->seed < 0 ? twin->training.seed : (uint32_t)o->seed;
	each = twin->tensor_count + 1;
	partial = twin->batch > PARTIAL_ROWS ? PARTIAL_ROWS : twin->batch - 1;
	report = nnc_allocate(2 * (size_t)each, sizeof *report);
	if (!report)
		return nnc_fail(err, NNC_NOMEM, "not enough memory");
	if (partial > 0) {
		code = nnc_gradcheck(report, twin, partial, samples, seed, err);
		lines = each;
		samples = samples / FULL_SHARE;
	}
	if (!code)
		code = nnc_gradcheck(report + lines, twin, twin->batch, samples, seed,
				     err);
	lines += each;
	if (!code && o->json)
		code = print_json(report, lines, program->model->name, err);
	else if (!code)
		print_table(report, lines);
	if (!code)
		code = judge(report, lines, err);
	free(report);
	return code;
}
