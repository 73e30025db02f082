/*
 * bench.c - the command `bench`: how long a training step and an inference take, on
 * made-up samples, beside what the CPUs of its threads could do.
 *
 * Medians of single calls; with --ops also of the ops that each is made of. Inference
 * has memory of its own, as it does where nothing is trained. The learning rate is 0:
 * every update is computed, but the weights stay as they were drawn, so that nothing
 * diverges while time passes.
 */
#include "cli.h"

#include <stdlib.h>
#include <string.h>

/* What only this command takes. */
typedef struct BenchOptions {
	NncOptions shared;
	double seconds;
	bool ops;
} BenchOptions;

static const NncOption options[] = {
	NNC_OPTION_THREADS,
	{"seconds", 0, NNC_OPT_REAL, offsetof(BenchOptions, seconds), 0.01, 3600, "S",
	 "to measure for [2]"},
	{"ops", 0, NNC_OPT_FLAG, offsetof(BenchOptions, ops), 0, 0, NULL,
	 "and what each op and each layer takes"},
	NNC_OPTION_JSON,
	NNC_OPTION_END,
};

enum {
	MAX_TIMES = 1 << 20,
	MIN_TIMES = 5,
	WARM_UP = 3,
	MAX_SAMPLES = 10000,
	MAX_BYTES = 64 << 20, /* of the made-up samples */
	SHORT_RUN = 16,       /* inferences of one row that are timed together */
};

static const double default_seconds = 2, peak_seconds = 0.02;

/* What is measured. */
typedef enum Work {
	WORK_STEP,  /* load, forward, backward */
	WORK_INFER, /* load, infer */
} Work;

typedef struct Bench {
	const NncModel *model;
	NncContext context;
	NncData data;
	uint32_t *order; /* (data.count) */
	double *times;   /* (MAX_TIMES) */
	NncTrace *trace; /* of what is measured, or NULL */
	bool finite;     /* every step was made in full */
} Bench;

typedef struct Result {
	double step, infer, infer_batch; /* seconds, median */
	double peak;                     /* GFLOP/s of all threads together */
	int threads;
	bool with_ops;
	NncOpTimes ops; /* of step and infer_batch */
} Result;

static void work(Bench *b, Work what, const NncBatch *batch)
{
	NncContext *c = &b->context;

	if (what == WORK_INFER) {
		nnc_step_infer(c, b->model, batch);
		return;
	}
	b->finite = nnc_step(c, b->model, batch) && b->finite;
	c->updates++;
	c->step++;
}

/* The median of one call with `rows` rows, `run` calls to a reading of the clock. */
static double measure(Bench *b, Work what, int32_t rows, int run, double seconds)
{
	NncBatch batch = {.samples = b->data.samples,
			  .labels = b->data.labels,
			  .rows = rows,
			  .next_rows = rows};
	size_t last = (size_t)b->data.count - (size_t)rows, at = 0, count = 0;
	double started = 0;

	b->context.dropout = what == WORK_STEP;
	for (int warm = 0; count < MAX_TIMES; warm++) {
		if (warm == WARM_UP) {
			nnc_team_trace(b->context.team, b->trace);
			started = nnc_clock();
		}
		double before = nnc_clock();
		for (int i = 0; i < run; i++) {
			batch.index = b->order + at;
			at += (size_t)rows;
			if (at > last)
				at = 0;
			batch.next = b->order + at;
			work(b, what, &batch);
		}
		double after = nnc_clock();
		if (warm < WARM_UP)
			continue;
		b->times[count++] = (after - before) / run;
		if (b->trace)
			nnc_trace_end(b->trace, after);
		if (count >= MIN_TIMES && after - started > seconds)
			break;
	}
	nnc_team_trace(b->context.team, NULL);
	return nnc_median(b->times, count);
}

static void measure_peak(void *peaks, const NncThread *t)
{
	((double *)peaks)[t->id] = nnc_cpu_peak(peak_seconds);
}

/* What all threads do at once; those that take turns on a CPU do no more than it. */
static double machine_peak(NncTeam *team)
{
	double peaks[NNC_MAX_THREADS], sum = 0;
	int threads = nnc_team_count(team), cpus = nnc_cpu_count();

	nnc_team_run(team, measure_peak, peaks);
	for (int i = 0; i < threads; i++)
		sum += peaks[i];
	return threads > cpus ? sum * cpus / threads : sum;
}

/* ---- opening ----------------------------------------------------------------- */

/* As many samples as an epoch may have, within MAX_BYTES, but a batch at least. */
static int64_t sample_count(const NncModel *model)
{
	int64_t bytes = (int64_t)model->height * model->width * model->channels *
			(model->bytes ? 1 : 4);
	int64_t count = MAX_BYTES / (bytes ? bytes : 1);

	if (count > MAX_SAMPLES)
		count = MAX_SAMPLES;
	return count < model->batch ? model->batch : count;
}

/*
 * A picture is not noise: half of its pixels are 0, as in Fashion-MNIST, here the outer
 * quarters of its lines. For a batch of one sample that matters.
 */
static void clear_margins(NncData *data)
{
	size_t channels = (size_t)data->channels, margin = (size_t)data->width / 4;
	size_t line = (size_t)data->width * channels;
	size_t lines = (size_t)data->count * (size_t)data->height;
	uint8_t *x = data->samples;

	if (!data->bytes)
		return;
	for (size_t i = 0; i < lines; i++, x += line) {
		memset(x, 0, margin * channels);
		memset(x + line - margin * channels, 0, margin * channels);
	}
}

static int open_bench(Bench *b, const NncModel *model, NncError *err)
{
	uint32_t seed = model->training.seed;
	int64_t count = sample_count(model);
	NncRng rng = nnc_rng(seed, NNC_STREAM_SYNTHETIC, 3, 0);
	int code;

	*b = (Bench){.model = model, .finite = true};
	code = nnc_synthetic(&b->data, model, count, seed, err);
	if (code)
		return code;
	clear_margins(&b->data);
	b->order = nnc_allocate((size_t)count, sizeof *b->order);
	b->times = nnc_allocate(MAX_TIMES, sizeof *b->times);
	if (!b->order || !b->times)
		return nnc_fail(err, NNC_NOMEM, "not enough memory to measure %s",
				model->source);
	for (int64_t i = 0; i < count; i++)
		b->order[i] = (uint32_t)i;
	nnc_shuffle(b->order, (size_t)count, &rng);
	return NNC_OK;
}

/* In place of the context that there may be. */
static int open_context(Bench *b, NncPurpose purpose, int threads, NncError *err)
{
	int code;

	nnc_context_close(&b->context);
	code = nnc_context_open(&b->context, b->model, purpose, threads, err);
	if (code)
		return code;
	nnc_init_params(&b->context, b->model, b->model->training.seed);
	b->context.lr = 0;
	return NNC_OK;
}

static void close_bench(Bench *b)
{
	free(b->times);
	free(b->order);
	nnc_data_free(&b->data);
	nnc_context_close(&b->context);
}

/* ---- the command ------------------------------------------------------------- */

static double gflops(const NncModel *model, const Result *r)
{
	return model->step_flops / r->step * 1e-9;
}

static double peak_share(const NncModel *model, const Result *r)
{
	return r->peak > 0 ? gflops(model, r) / r->peak : 0;
}

static int print_json(const NncModel *model, const Result *r, NncError *err)
{
	const NncOpTimes *o = &r->ops;
	json_t *root = json_object();

	json_object_set_new(root, "model", json_string(model->name));
	json_object_set_new(root, "threads", json_integer(r->threads));
	json_object_set_new(root, "batch", json_integer(model->batch));
	json_object_set_new(root, "step_us", nnc_json_real(r->step * 1e6));
	json_object_set_new(root, "samples_per_s",
			    nnc_json_real(model->batch / r->step));
	json_object_set_new(root, "infer_us", nnc_json_real(r->infer * 1e6));
	json_object_set_new(root, "gflops", nnc_json_real(gflops(model, r)));
	json_object_set_new(root, "peak_gflops", nnc_json_real(r->peak));
	json_object_set_new(root, "peak_share", nnc_json_real(peak_share(model, r)));
	if (r->with_ops) {
		json_object_set_new(root, "ops", nnc_ops_json(&o->step));
		json_object_set_new(root, "infer_ops", nnc_ops_json(&o->infer));
	}
	return nnc_print_json(root, err);
}

static void print_result(const NncModel *model, const Result *r)
{
	int32_t batch = model->batch;

	printf("%s on %d thread%s, batch %d (medians)\n", model->name, r->threads,
	       r->threads == 1 ? "" : "s", (int)batch);
	printf("training step       %10.1f us  %11.0f samples/s\n", r->step * 1e6,
	       batch / r->step);
	printf("inference, 1 row    %10.2f us  %11.0f samples/s\n", r->infer * 1e6,
	       1 / r->infer);
	printf("inference, %-5d    %11.1f us  %11.0f samples/s\n", (int)batch,
	       r->infer_batch * 1e6, batch / r->infer_batch);
	printf("arithmetic          %10.1f GFLOP/s in a step", gflops(model, r));
	if (r->peak > 0)
		printf(", %.0f %% of the peak of %.1f", 100 * peak_share(model, r),
		       r->peak);
	printf("\n");
	if (r->with_ops)
		nnc_ops_print(model, &r->ops, r->threads);
}

/* One batch of full size at a time, op by op if that is wanted. */
static int measure_batches(Bench *b, Work what, NncTrace *trace, double *result,
			   const Result *r, double seconds, NncError *err)
{
	NncPurpose purpose = what == WORK_STEP ? NNC_TRAINING : NNC_INFERENCE;
	int code = open_context(b, purpose, r->threads, err);

	if (!code && r->with_ops) {
		code = nnc_trace_open(trace, b->model, purpose, err);
		b->trace = trace;
	}
	if (!code)
		*result = measure(b, what, b->model->batch, 1, seconds);
	b->trace = NULL;
	return code;
}

static int measure_all(Bench *b, Result *r, double seconds, NncError *err)
{
	NncOpTimes *o = &r->ops;
	int code =
		measure_batches(b, WORK_STEP, &o->step, &r->step, r, 2 * seconds, err);

	if (code)
		return code;
	if (!b->finite)
		return nnc_fail(err, NNC_FAILED,
				"the loss of %s is not finite with the weights that it "
				"begins with",
				b->model->source);
	r->peak = machine_peak(b->context.team);
	code = measure_batches(b, WORK_INFER, &o->infer, &r->infer_batch, r, seconds,
			       err);
	if (code)
		return code;
	r->infer = measure(b, WORK_INFER, 1, SHORT_RUN, seconds);
	if (r->with_ops)
		code = nnc_trace_medians(&o->step, b->model, err);
	if (r->with_ops && !code)
		code = nnc_trace_medians(&o->infer, b->model, err);
	return code;
}

static int run(const NncProgram *program, NncError *err)
{
	const NncModel *model = program->model;
	const NncOptions *o = program->options;
	const BenchOptions *own = (const BenchOptions *)o;
	double seconds = (own->seconds > 0 ? own->seconds : default_seconds) / 4;
	Bench b;
	Result r = {.threads = nnc_threads(model, o), .with_ops = own->ops};
	int code = open_bench(&b, model, err);

	if (!code)
		code = measure_all(&b, &r, seconds, err);
	if (!code && o->json)
		code = print_json(model, &r, err);
	else if (!code)
		print_result(model, &r);
	nnc_trace_close(&r.ops.step);
	nnc_trace_close(&r.ops.infer);
	close_bench(&b);
	return code;
}

const NncCommand command_bench = {
	.name = "bench",
	.place = 40,
	.summary = "Measures a training step and an inference on made-up data.",
	.options = options,
	.options_size = sizeof(BenchOptions),
	.run = run,
};
