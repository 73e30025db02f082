/*
 * driver.c - linked with generated models: `driver N WEIGHTS CASE OUT` makes what CASE
 * says with the N-th of them, from these weights, and saves all that comes of it;
 * `driver N gradcheck` compares its gradients with central differences.
 *
 * Everything is done by one thread and beside it by three, which must come to the same
 * bits. CASE is made by reference.py: words of 32 bits, and the samples.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

extern const NncModel *const models[];

enum { THREADS = 3, SAMPLES = 12 };

typedef enum Kind { GRADIENTS, STEP, INFER, EVALUATE } Kind;

/* What to do with one batch. */
typedef struct Run {
	Kind kind;
	uint32_t epoch, step;
	bool dropout;
	NncBatch batch;
} Run;

/* A file of words, from which parts are taken. */
typedef struct Case {
	NncBytes bytes;
	uint32_t at; /* words */
	const void *samples;
	const int32_t *labels;
	uint32_t seed;
} Case;

static void stop(const NncError *err)
{
	fprintf(stderr, "%s\n", err->message);
	exit(2);
}

static void *allocate(size_t count, size_t size)
{
	void *p = calloc(count ? count : 1, size);

	if (!p)
		abort();
	return p;
}

/* ---- the case ------------------------------------------------------------------- */

static const uint32_t *take(Case *c, uint32_t words)
{
	const uint32_t *p = (const uint32_t *)(const void *)c->bytes.data + c->at;

	c->at += words;
	if (c->at * sizeof *p > c->bytes.size)
		abort();
	return p;
}

static uint32_t word(Case *c)
{
	return *take(c, 1);
}

static void read_case(Case *c, const char *path, const NncModel *model)
{
	FILE *f = fopen(path, "rb");
	uint32_t samples, sample_words;

	if (!f || fseek(f, 0, SEEK_END))
		abort();
	c->bytes.size = (size_t)ftell(f);
	c->bytes.data = allocate(c->bytes.size, 1);
	rewind(f);
	if (fread(c->bytes.data, 1, c->bytes.size, f) != c->bytes.size)
		abort();
	fclose(f);
	if (word(c) != model->bytes) {
		fprintf(stderr, "the model takes %s\n",
			model->bytes ? "bytes" : "floats");
		exit(2);
	}
	c->seed = word(c);
	samples = word(c);
	sample_words = word(c);
	c->labels = (const int32_t *)take(c, samples);
	c->samples = take(c, sample_words);
}

static Run read_run(Case *c)
{
	Run r = {.kind = (Kind)word(c)};

	r.epoch = word(c);
	r.step = word(c);
	r.dropout = word(c);
	r.batch = (NncBatch){.samples = c->samples, .labels = c->labels};
	r.batch.rows = (int32_t)word(c);
	r.batch.index = take(c, (uint32_t)r.batch.rows);
	return r;
}

/* ---- runs ----------------------------------------------------------------------- */

static void open_context(NncContext *c, const NncModel *model, int threads,
			 const char *weights, uint32_t seed)
{
	NncError err;

	if (nnc_context_open(c, model, NNC_TRAINING, threads, &err) ||
	    nnc_weights_load(weights, model, c->params, &err))
		stop(&err);
	c->lr = model->training.lr;
	c->seed = seed;
}

/* Gradients, by a step of rate 0: what it leaves of the optimizer's state is put back. */
static void gradients(NncContext *c, const NncModel *model, const NncBatch *batch)
{
	size_t size = model->params_reals * (size_t)model->real_bytes;
	void *kept[NNC_MAX_SLOTS];

	for (int32_t i = 0; i < model->slot_count; i++)
		kept[i] = memcpy(allocate(size, 1), c->slot[i], size);
	nnc_step_gradients(c, model, batch);
	for (int32_t i = 0; i < model->slot_count; i++) {
		memcpy(c->slot[i], kept[i], size);
		free(kept[i]);
	}
}

static void do_run(NncContext *c, const NncModel *model, const Run *r)
{
	c->loss = 0;
	c->correct = 0;
	c->epoch = r->epoch;
	c->step = r->step;
	c->dropout = r->dropout;
	if (r->kind == GRADIENTS)
		gradients(c, model, &r->batch);
	else if (r->kind == INFER)
		nnc_step_infer(c, model, &r->batch);
	else if (r->kind == EVALUATE)
		nnc_step_evaluate(c, model, &r->batch);
	else if (nnc_step(c, model, &r->batch))
		c->updates++;
}

static void add(NncTensors *to, int run, const char *name, int32_t rows, int32_t columns,
		const void *data, bool wide)
{
	char full[64];
	const int64_t dim[] = {rows, columns};
	NncError err;

	snprintf(full, sizeof full, "%d/%s", run, name);
	if (nnc_tensors_add(to, full, wide ? "F64" : "F32", 2, dim, data, &err))
		stop(&err);
}

/* What a run leaves: the loss and hits, gradients or weights, the answers. */
static void store(NncTensors *to, int run, const NncModel *model, const NncContext *c,
		  const Run *r)
{
	char prefix[32];
	const double score[] = {c->loss / r->batch.rows, (double)c->correct};
	const char *arena = c->arena;
	NncError err;
	const void *block = r->kind == GRADIENTS ? c->grads
			    : r->kind == STEP    ? c->params
						 : NULL;

	snprintf(prefix, sizeof prefix, "%d/", run);
	if (r->kind != INFER)
		add(to, run, " score", 1, 2, score, true);
	if (block && nnc_block_store(to, model, block, prefix, &err))
		stop(&err);
	if (!block)
		add(to, run, " output", r->batch.rows, model->outputs,
		    arena + model->output * model->real_bytes,
		    model->real_bytes == (int32_t)sizeof(double));
}

static bool same(const NncTensors *a, const NncTensors *b)
{
	for (size_t i = 0; i < a->count; i++) {
		const NncEntry *x = &a->entry[i], *y = &b->entry[i];
		if (x->size == y->size && !memcmp(x->data, y->data, x->size))
			continue;
		printf("%d threads come to other bits in %s\n", THREADS, x->name);
		return false;
	}
	return a->count == b->count;
}

static int run_case(const NncModel *model, char **arguments)
{
	Case file = {0};
	NncContext one, many;
	NncTensors alone = {0}, shared = {0};
	NncError err;
	bool ok;

	read_case(&file, arguments[1], model);
	open_context(&one, model, 1, arguments[0], file.seed);
	open_context(&many, model, THREADS, arguments[0], file.seed);
	for (int runs = (int)word(&file), i = 0; i < runs; i++) {
		const Run r = read_run(&file);
		do_run(&one, model, &r);
		do_run(&many, model, &r);
		store(&alone, i, model, &one, &r);
		store(&shared, i, model, &many, &r);
	}
	nnc_init_params(&one, model, file.seed);
	if (nnc_block_store(&alone, model, one.params, "init/", &err) ||
	    nnc_block_store(&shared, model, one.params, "init/", &err))
		stop(&err);
	ok = same(&alone, &shared);
	if (nnc_tensors_save(&alone, arguments[2], NULL, &err))
		stop(&err);
	nnc_tensors_free(&alone);
	nnc_tensors_free(&shared);
	nnc_context_close(&one);
	nnc_context_close(&many);
	free(file.bytes.data);
	return !ok;
}

/* ---- gradcheck ------------------------------------------------------------------ */

/*
 * Of the model with other initialisers: weights of zero, and biases of zero behind
 * units that are never more than 0, would lie on a kink, where there is no gradient.
 */
static int gradcheck(const NncModel *given)
{
	NncModel model = *given;
	size_t count = (size_t)model.tensor_count;
	NncTensor *tensors = allocate(count, sizeof *tensors);
	NncGradReport *report = allocate(count + 1, sizeof *report);
	const int32_t rows[] = {model.batch > 3 ? 3 : model.batch, model.batch};
	NncError err;
	int wrong = 0;

	memcpy(tensors, model.tensors, count * sizeof *tensors);
	for (size_t t = 0; t < count; t++) {
		tensors[t].init = tensors[t].rank > 1 ? "he" : "normal";
		tensors[t].init_argument = 0.3;
	}
	model.tensors = tensors;
	for (int i = 0; i < 2; i++) {
		if (nnc_gradcheck(report, &model, rows[i], SAMPLES, 1, &err))
			stop(&err);
		for (size_t t = 0; t <= count; t++) {
			if (report[t].error <= 1e-6)
				continue;
			printf("gradcheck: %s is wrong by %.2e (%d rows)\n",
			       report[t].name, report[t].error, (int)rows[i]);
			wrong++;
		}
	}
	free(tensors);
	free(report);
	return wrong > 0;
}

int main(int argc, char **argv)
{
	const NncModel *model;

	if (argc != 3 && argc != 5)
		return 2;
	model = models[atoi(argv[1])];
	return argc == 3 ? gradcheck(model) : run_case(model, argv + 2);
}
