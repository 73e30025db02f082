/* test_train.c - the command train: results, resuming, early stopping, divergence. */
#include "internal.h"
#include "temp_folder.h"
#include "tiny.h"

#include <CUnit/CUnit.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static int set_up(void)
{
	if (temp_folder_make())
		return 1;
	tiny_write_data();
	return 0;
}

/* A new run of the model in folder `run`; returns how it ended. */
static const TinyRun *train(const NncModel *model, const char *run, const char *more)
{
	char arguments[512];

	snprintf(arguments, sizeof arguments, "train --data d --no-plot --out %s %s",
		 run, more);
	return tiny_run(model, NULL, arguments);
}

/* Lines of a file of the temporary folder. */
static int lines(const char *name)
{
	FILE *file = fopen(temp_path(name), "rb");
	int count = 0, c;

	while (file && (c = getc(file)) != EOF)
		count += c == '\n';
	if (file)
		fclose(file);
	return count;
}

/* ---- models that misbehave --------------------------------------------------- */

static uint64_t stop_at; /* the update after which Ctrl-C comes */
static int64_t stop_in;  /* the evaluated batch in which it comes */

static void backward_and_stop(NncContext *c, const NncBatch *batch, const NncThread *t)
{
	tiny_model.backward(c, batch, t);
	if (c->updates == stop_at && t->id == 0)
		raise(SIGINT);
}

/* As from outside: the process is signalled, by one of its threads as it happens. */
static void backward_and_kill(NncContext *c, const NncBatch *batch, const NncThread *t)
{
	tiny_model.backward(c, batch, t);
	if (c->updates == stop_at && t->id == t->count - 1)
		kill(getpid(), SIGTERM);
}

static void evaluate_and_stop(NncContext *c, const NncBatch *batch, const NncThread *t)
{
	tiny_model.evaluate(c, batch, t);
	if (t->id == 0 && stop_in-- == 0)
		raise(SIGTERM);
}

static void backward_to_infinity(NncContext *c, const NncBatch *batch,
				 const NncThread *t)
{
	tiny_model.backward(c, batch, t);
	nnc_barrier(t);
	if (c->updates == stop_at && t->id == 0)
		((float *)c->params)[tiny_model.tensors[2].offset] = HUGE_VALF;
}

/* An infinite bias ... */
static void backward_unseen(NncContext *c, const NncBatch *batch, const NncThread *t)
{
	tiny_model.backward(c, batch, t);
	nnc_barrier(t);
	if (c->updates == stop_at && t->id == 0)
		((float *)c->params)[tiny_model.tensors[1].offset] = -HUGE_VALF;
}

/* ... that does not show in the loss. */
static void forward_unseen(NncContext *c, const NncBatch *batch, const NncThread *t)
{
	tiny_model.forward(c, batch, t);
	nnc_barrier(t);
	for (int32_t row = 0; row < batch->rows && t->id == 0; row++)
		c->row_loss[row] = 1;
}

/* Adam's square of the gradient overflows: that weight moves no more. */
static void backward_to_rest(NncContext *c, const NncBatch *batch, const NncThread *t)
{
	tiny_model.backward(c, batch, t);
	nnc_barrier(t);
	if (c->updates == stop_at && t->id == 0)
		((float *)c->slot[1])[tiny_model.tensors[3].offset] = HUGE_VALF;
}

static void forward_to_infinity(NncContext *c, const NncBatch *batch,
				const NncThread *t)
{
	tiny_model.forward(c, batch, t);
	nnc_barrier(t);
	if (c->updates == stop_at && t->id == 0)
		c->row_loss[batch->rows - 1] = HUGE_VAL;
}

/* Keeps the weights as they are: nothing ever improves. */
static void backward_nothing(NncContext *c, const NncBatch *batch, const NncThread *t)
{
	(void)c;
	(void)batch;
	(void)t;
}

/* ---- tests ------------------------------------------------------------------- */

static void learns(void)
{
	const TinyRun *run = train(&tiny_model, "learns", "--epochs 20");
	double accuracy = 0;

	CU_ASSERT_EQUAL(run->status, 0);
	CU_ASSERT_EQUAL(sscanf(run->out, "test accuracy %lf", &accuracy), 1);
	CU_ASSERT(accuracy > 0.9);
	CU_ASSERT_PTR_NOT_NULL(strstr(run->out, "(101 samples)\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(run->err, "\nEpoch 20/20 "));
	CU_ASSERT_PTR_NOT_NULL(strstr(run->err, " 21/21  "));
	CU_ASSERT_EQUAL(lines("learns/history.csv"), 21);
	CU_ASSERT_EQUAL(lines("learns/history.jsonl"), 20);
	CU_ASSERT(access(temp_path("learns/best.safetensors"), F_OK) != 0);
	run = train(&tiny_model, "learns", "--epochs 1 --quiet --json");
	CU_ASSERT_STRING_EQUAL(run->err, "");
	CU_ASSERT(run->out[0] == '{' && strstr(run->out, "\"samples\": 101"));
	CU_ASSERT(access(temp_path("learns/last.safetensors~"), F_OK) == 0);
}

static void deterministic(void)
{
	train(&tiny_model, "one", "--epochs 3");
	train(&tiny_model, "two", "--epochs 3 --quiet");
	CU_ASSERT(tiny_same("one/last.safetensors", "two/last.safetensors", NULL));
	train(&tiny_model, "two", "--epochs 3 --seed 2");
	CU_ASSERT(!tiny_same("one/last.safetensors", "two/last.safetensors", NULL));
}

/* The number of threads changes no bit of what a run leaves. */
static void threads(void)
{
	train(&tiny_model, "one", "--epochs 3 --threads 1");
	for (int n = 2; n <= 4; n++) {
		char more[64];
		snprintf(more, sizeof more, "--epochs 3 --threads %d", n);
		CU_ASSERT_EQUAL(train(&tiny_model, "more", more)->status, 0);
		CU_ASSERT(tiny_same("one/last.safetensors", "more/last.safetensors",
				    NULL));
	}
	CU_ASSERT_EQUAL(train(&tiny_model, "more", "--epochs 1 --threads 40")->status,
			0);
}

static const char *const position[] = {"epoch",    "step",    "updates",
				       "loss_sum", "correct", "best_epoch",
				       "waited",   "best",    NULL};

/* Stopped after any step, at the end of an epoch too, and resumed: the same bits. */
static void resumes(void)
{
	NncModel stopping = tiny_model;

	stopping.backward = backward_and_stop;
	train(&tiny_model, "never", "--epochs 4 --patience 3");
	for (stop_at = 17; stop_at < 48; stop_at++) {
		const TinyRun *run =
			train(&stopping, "stops", "--epochs 4 --patience 3");
		CU_ASSERT_EQUAL(run->status, 130);
		CU_ASSERT_STRING_EQUAL(run->out, "");
		CU_ASSERT_PTR_NOT_NULL(
			strstr(run->err, "train --resume --out stops --data d"));
		run = train(&tiny_model, "stops", "--resume");
		CU_ASSERT_EQUAL(run->status, 0);
		CU_ASSERT(tiny_same("never/last.safetensors", "stops/last.safetensors",
				    position));
		CU_ASSERT(tiny_same("never/best.safetensors", "stops/best.safetensors",
				    position));
		CU_ASSERT_EQUAL(lines("stops/history.csv"), lines("never/history.csv"));
	}
}

/* A signal to the process is for the thread that saves, never for one of its team. */
static void stops_with_threads(void)
{
	NncModel stopping = tiny_model;

	stopping.backward = backward_and_kill;
	train(&tiny_model, "never", "--epochs 4 --threads 1");
	for (stop_at = 0; stop_at < 20; stop_at++) {
		CU_ASSERT_EQUAL(
			train(&stopping, "stops", "--epochs 4 --threads 3")->status,
			143);
		CU_ASSERT_EQUAL(
			train(&tiny_model, "stops", "--resume --threads 2")->status, 0);
		CU_ASSERT(tiny_same("never/last.safetensors", "stops/last.safetensors",
				    position));
	}
}

static void resumes_in_validation(void)
{
	NncModel stopping = tiny_model;

	stopping.evaluate = evaluate_and_stop;
	stop_in = 8;
	train(&tiny_model, "never", "--epochs 4");
	CU_ASSERT_EQUAL(train(&stopping, "stops", "--epochs 4")->status, 143);
	CU_ASSERT_EQUAL(train(&tiny_model, "stops", "--resume")->status, 0);
	CU_ASSERT(tiny_same("never/last.safetensors", "stops/last.safetensors",
			    position));
}

static void longer(void)
{
	train(&tiny_model, "never", "--epochs 5");
	train(&tiny_model, "stops", "--epochs 2");
	CU_ASSERT_EQUAL(train(&tiny_model, "stops", "--resume --epochs 5")->status, 0);
	CU_ASSERT(tiny_same("never/last.safetensors", "stops/last.safetensors",
			    position));
	CU_ASSERT_EQUAL(train(&tiny_model, "stops", "--resume --seed 9")->status,
			NNC_USAGE);
	CU_ASSERT_EQUAL(train(&tiny_model, "stops", "--resume --train 9")->status,
			NNC_USAGE);
	CU_ASSERT_EQUAL(train(&tiny_model, "none", "--resume")->status, NNC_NOINPUT);
	CU_ASSERT(access(temp_path("none"), F_OK) != 0);
}

static void stops_early(void)
{
	NncModel still = tiny_model;
	const TinyRun *run;

	still.backward = backward_nothing;
	run = train(&still, "early", "--epochs 50 --patience 4");
	CU_ASSERT_EQUAL(run->status, 0);
	CU_ASSERT_EQUAL(lines("early/history.csv"), 1 + 5);
	CU_ASSERT_PTR_NOT_NULL(strstr(run->err, "best: epoch 1 with val_accuracy"));
	CU_ASSERT_EQUAL(train(&still, "early", "--resume")->status, 0);
	CU_ASSERT_EQUAL(lines("early/history.csv"), 1 + 5);
	run = train(&still, "early", "--patience 4 --validation 0");
	CU_ASSERT_PTR_NOT_NULL(strstr(run->err, "best: epoch 1 with accuracy"));
	still.training.watch = "val_loss";
	run = train(&still, "early", "--validation 0");
	CU_ASSERT_EQUAL(run->status, NNC_USAGE);
}

/* The result is the best epoch's even if patience did not end the run. */
static void keeps_best(void)
{
	NncState best, last;
	const TinyRun *run;
	char out[128];

	run = train(&tiny_model, "best", "--epochs 12 --patience 100 --lr 0.2");
	CU_ASSERT_EQUAL(run->status, 0);
	snprintf(out, sizeof out, "%s", strstr(run->out, "accuracy"));
	CU_ASSERT(
		!nnc_checkpoint_state(temp_path("best/best.safetensors"), &best, NULL));
	CU_ASSERT(
		!nnc_checkpoint_state(temp_path("best/last.safetensors"), &last, NULL));
	CU_ASSERT(best.epoch == last.best_epoch && best.epoch < last.epoch);
	run = tiny_run(&tiny_model, NULL,
		       "eval --data d --weights best/best.safetensors");
	CU_ASSERT(!strncmp(run->out, out, strlen(out)));
}

static void diverges(void)
{
	NncModel wild = tiny_model;
	const TinyRun *run;
	NncState state;

	wild.backward = backward_to_infinity;
	stop_at = 21 + 5;
	run = train(&wild, "wild", "--epochs 4");
	CU_ASSERT_EQUAL(run->status, NNC_FAILED);
	CU_ASSERT_PTR_NOT_NULL(
		strstr(run->err, "loss is not finite at epoch 2 step 7, first "
				 "in dense2.weight (tiny.nn:4); try a learning rate of "
				 "0.001\n"));
	CU_ASSERT(!nnc_checkpoint_state(temp_path("wild/last.safetensors"), &state,
					NULL));
	CU_ASSERT(state.epoch == 1 && state.step == 0);
	stop_at = 20; /* found out at the end of the epoch, before it is saved */
	CU_ASSERT_EQUAL(train(&wild, "wild", "--epochs 1")->status, NNC_FAILED);
	stop_at = 3; /* only the loss, and what it leads to, is not finite */
	wild.forward = forward_to_infinity;
	wild.backward = tiny_model.backward;
	run = train(&wild, "wild", "--epochs 1");
	CU_ASSERT_EQUAL(run->status, NNC_FAILED);
	CU_ASSERT_PTR_NOT_NULL(
		strstr(run->err, "epoch 1 step 4, first in dense1 (tiny.nn:2)"));
}

/* What does not show in the loss is found before it is saved. */
static void diverges_unseen(void)
{
	NncModel wild = tiny_model;
	const TinyRun *run;
	NncState state;

	wild.forward = forward_unseen;
	wild.backward = backward_unseen;
	stop_at = 21 + 20;
	run = train(&wild, "unseen", "--epochs 4");
	CU_ASSERT_EQUAL(run->status, NNC_FAILED);
	CU_ASSERT_PTR_NOT_NULL(strstr(run->err,
				      "a weight is not finite at epoch 2 step 21, "
				      "first in dense1.bias (tiny.nn:2)"));
	wild.forward = tiny_model.forward;
	wild.backward = backward_to_rest;
	run = train(&wild, "unseen", "--epochs 4");
	CU_ASSERT_EQUAL(run->status, NNC_FAILED);
	CU_ASSERT_PTR_NOT_NULL(strstr(run->err, "first in dense2.bias (tiny.nn:4)"));
	CU_ASSERT(!nnc_checkpoint_state(temp_path("unseen/" NNC_LAST), &state, NULL));
	CU_ASSERT(state.epoch == 1 && state.step == 0);
	wild.batch = 2; /* 82 steps: it is not left until the end */
	wild.forward = forward_unseen;
	wild.backward = backward_unseen;
	stop_at = 63;
	run = train(&wild, "unseen", "--epochs 1");
	CU_ASSERT_PTR_NOT_NULL(strstr(run->err, "not finite at epoch 1 step 64,"));
}

static void copy(const char *from, const char *to)
{
	NncBytes bytes = {0};

	CU_ASSERT_EQUAL_FATAL(nnc_read_file(&bytes, temp_path(from), 1 << 20, NULL), 0);
	temp_write(to, bytes.data, bytes.size);
	nnc_bytes_free(&bytes);
}

/* Each save keeps the one before it, which can be gone back to. */
static void keeps_previous(void)
{
	NncState last, previous;
	const TinyRun *run;

	train(&tiny_model, "never", "--epochs 5 --patience 100");
	train(&tiny_model, "p", "--epochs 4 --patience 100");
	CU_ASSERT(!nnc_checkpoint_state(temp_path("p/" NNC_LAST), &last, NULL));
	CU_ASSERT(!nnc_checkpoint_state(temp_path("p/" NNC_LAST_PREVIOUS), &previous,
					NULL));
	CU_ASSERT(last.epoch == 4 && previous.epoch == 3);
	temp_write("p/" NNC_LAST, "lost", 4);
	run = train(&tiny_model, "p", "--resume");
	CU_ASSERT_EQUAL(run->status, NNC_DATA);
	CU_ASSERT_PTR_NOT_NULL(strstr(run->err, "help: mv p/" NNC_LAST_PREVIOUS
						" p/" NNC_LAST " goes back to the save "
						"before it, after epoch 3, step 0\n"));
	rename(temp_path("p/" NNC_LAST_PREVIOUS), temp_path("p/" NNC_LAST));
	CU_ASSERT_EQUAL(train(&tiny_model, "p", "--resume --epochs 5")->status, 0);
	CU_ASSERT(tiny_same("never/" NNC_LAST, "p/" NNC_LAST, position));
	CU_ASSERT(tiny_same("never/" NNC_BEST, "p/" NNC_BEST, position));
	CU_ASSERT_EQUAL(lines("p/history.csv"), lines("never/history.csv"));
}

/* Killed between the best weights of an epoch and the checkpoint that says so: where
   the epoch ends otherwise the second time, the best is still the one before it. */
static void keeps_previous_best(void)
{
	NncState last, best;

	train(&tiny_model, "b", "--epochs 1 --patience 9");
	copy("b/" NNC_LAST, "saved");
	CU_ASSERT_EQUAL(train(&tiny_model, "b", "--resume --epochs 2")->status, 0);
	CU_ASSERT(!nnc_checkpoint_state(temp_path("b/" NNC_BEST), &best, NULL));
	CU_ASSERT_EQUAL_FATAL(best.epoch, 2);
	copy("saved", "b/" NNC_LAST);
	CU_ASSERT_EQUAL(
		train(&tiny_model, "b", "--resume --epochs 2 --lr 1e-30")->status, 0);
	CU_ASSERT(!nnc_checkpoint_state(temp_path("b/" NNC_LAST), &last, NULL));
	CU_ASSERT(!nnc_checkpoint_state(temp_path("b/" NNC_BEST), &best, NULL));
	CU_ASSERT(last.epoch == 2 && last.best_epoch == 1 && best.epoch == 1);
	remove(temp_path("b/" NNC_BEST));
	remove(temp_path("b/" NNC_BEST_PREVIOUS));
	CU_ASSERT_EQUAL(train(&tiny_model, "b", "--resume --epochs 3")->status,
			NNC_NOINPUT);
	CU_ASSERT_EQUAL(
		train(&tiny_model, "b", "--resume --epochs 3 --patience 0")->status, 0);
}

/* A run of another network is refused where no tensor differs. */
static void other_network(void)
{
	NncModel other = tiny_model;
	NncLayer layers[8];
	const TinyRun *run;

	memcpy(layers, other.layers, (size_t)other.layer_count * sizeof *layers);
	other.layers = layers;
	layers[1].source = "dense 16 tanh";
	train(&tiny_model, "o", "--epochs 1");
	run = train(&other, "o", "--resume --epochs 2");
	CU_ASSERT_EQUAL(run->status, NNC_DATA);
	CU_ASSERT_PTR_NOT_NULL(strstr(run->err,
				      "its layer 2 is \"dense 16 relu\", the model's "
				      "(tiny.nn:2) is \"dense 16 tanh\"\n"));
	layers[1].source = "dense 16 relu";
	CU_ASSERT_EQUAL(train(&other, "o", "--resume --epochs 2")->status, 0);
	other.layer_count--;
	CU_ASSERT_EQUAL(train(&other, "o", "--resume --epochs 3")->status, NNC_DATA);
}

/* A run that was not trained for a step does not push an earlier one out. */
static void untrained(void)
{
	NncModel stopping = tiny_model;

	train(&tiny_model, "u", "--epochs 2");
	copy("u/" NNC_LAST, "first");
	stopping.forward = forward_to_infinity;
	for (stop_at = 0; stop_at < 3; stop_at++)
		train(&stopping, "u", "");
	CU_ASSERT(tiny_same("first", "u/" NNC_LAST "~", position));
	CU_ASSERT_EQUAL(lines("u/history.csv~"), 3);
	CU_ASSERT(access(temp_path("u/" NNC_LAST_PREVIOUS), F_OK) != 0);
}

static void refuses(void)
{
	NncModel other = tiny_model;
	int lock;

	train(&tiny_model, "r", "--epochs 1");
	other.training.optimizer = "rmsprop";
	CU_ASSERT_EQUAL(train(&other, "r", "--resume --epochs 2")->status, NNC_DATA);
	CU_ASSERT_EQUAL(train(&tiny_model, "r", "--resume --weights w")->status,
			NNC_USAGE);
	CU_ASSERT_EQUAL(train(&tiny_model, "r", "--train 204")->status, NNC_USAGE);
	CU_ASSERT_EQUAL(train(&tiny_model, "d/train-images-idx3-ubyte", "")->status,
			NNC_IO);
	lock = open(temp_path("r"), O_RDONLY);
	CU_ASSERT_EQUAL(flock(lock, LOCK_EX), 0);
	CU_ASSERT_EQUAL(train(&tiny_model, "r", "")->status, NNC_IO);
	close(lock);
	CU_ASSERT_EQUAL(train(&tiny_model, "r", "--weights r/last.safetensors")->status,
			0);
}

extern void suite_train(void);

void suite_train(void)
{
	CU_pSuite suite = CU_add_suite("train", set_up, temp_folder_remove);

	CU_add_test(suite, "learns", learns);
	CU_add_test(suite, "deterministic", deterministic);
	CU_add_test(suite, "any number of threads", threads);
	CU_add_test(suite, "resumes to the same bits", resumes);
	CU_add_test(suite, "a signal with threads", stops_with_threads);
	CU_add_test(suite, "resumes in validation", resumes_in_validation);
	CU_add_test(suite, "more epochs", longer);
	CU_add_test(suite, "stops early", stops_early);
	CU_add_test(suite, "keeps the best", keeps_best);
	CU_add_test(suite, "diverges", diverges);
	CU_add_test(suite, "diverges unseen", diverges_unseen);
	CU_add_test(suite, "keeps the previous checkpoint", keeps_previous);
	CU_add_test(suite, "keeps the previous best", keeps_previous_best);
	CU_add_test(suite, "another network", other_network);
	CU_add_test(suite, "a run that was not trained", untrained);
	CU_add_test(suite, "refuses", refuses);
}
