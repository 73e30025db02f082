/*
 * test_checkpoint.c - checkpoints, one function at a time: every field that a file may
 * lack or have wrong, every allocation that may fail. (Whole runs are test_train.c's.)
 */
#include "internal.h"
#include "refuse.h"
#include "temp_folder.h"
#include "tiny.h"

#include <CUnit/CUnit.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static NncContext context;
static NncFolder folder;
static const NncState start = {.lr = 0.5,
			       .epochs = 9,
			       .watch = "val_loss",
			       .data_count = 100,
			       .epoch = 3,
			       .step = 2,
			       .updates = 41,
			       .best = 0.25,
			       .best_epoch = 2};

static int set_up(void)
{
	if (temp_folder_make())
		return 1;
	snprintf(folder.path, sizeof folder.path, "%s", temp_path("run"));
	mkdir(folder.path, 0700);
	return nnc_context_open(&context, &tiny_model, NNC_TRAINING, 1, NULL);
}

static int tear_down(void)
{
	nnc_context_close(&context);
	return temp_folder_remove();
}

/* The checkpoint with another text under `key`, or without it; made anew, and saved. */
static void alter(const char *key, const char *text)
{
	NncTensors found, made = {0};

	CU_ASSERT_FATAL(
		!nnc_checkpoint_save(&folder, &tiny_model, &context, &start, NULL));
	remove(temp_path("run/" NNC_LAST_PREVIOUS));
	CU_ASSERT_FATAL(!nnc_tensors_load(&found, temp_path("run/" NNC_LAST), NULL));
	for (size_t i = 0; i < found.count; i++) {
		const NncEntry *e = &found.entry[i];
		CU_ASSERT_FATAL(!nnc_tensors_add(&made, e->name, e->dtype, e->rank,
						 e->dim, e->data, NULL));
	}
	made.metadata = json_copy(found.metadata);
	if (text)
		json_object_set_new(made.metadata, key, json_string(text));
	else
		json_object_del(made.metadata, key);
	CU_ASSERT_FATAL(
		!nnc_tensors_save(&made, temp_path("run/" NNC_LAST), NULL, NULL));
	nnc_tensors_free(&made);
	nnc_tensors_free(&found);
}

/* What is said of a checkpoint altered so; NULL: nothing, it is read. */
static const char *refusal(const NncModel *model, const char *key, const char *text)
{
	static NncError err;
	NncState state;

	alter(key, text);
	int code = nnc_checkpoint_load(&folder, model, NULL, &state, &err);
	CU_ASSERT(code == NNC_OK || code == NNC_DATA);
	return code ? err.message : NULL;
}

static void says(const NncModel *model, const char *key, const char *text,
		 const char *want)
{
	const char *message = refusal(model, key, text);

	CU_ASSERT_PTR_NOT_NULL_FATAL(message);
	CU_ASSERT_PTR_NOT_NULL(strstr(message, want));
	if (!strstr(message, want))
		printf("\n%s=%s: %s\n", key, text ? text : "", message);
}

static void comes_back(void)
{
	NncState state = {0};
	NncContext other;

	for (int64_t i = 0; i < 10; i++)
		((float *)context.params)[i] = (float)i;
	context.updates = 7;
	CU_ASSERT(!nnc_checkpoint_save(&folder, &tiny_model, &context, &start, NULL));
	CU_ASSERT_FATAL(!nnc_context_open(&other, &tiny_model, NNC_TRAINING, 1, NULL));
	CU_ASSERT(!nnc_checkpoint_load(&folder, &tiny_model, &other, &state, NULL));
	CU_ASSERT_EQUAL(((float *)other.params)[9], 9);
	CU_ASSERT_EQUAL(other.updates, 41);
	CU_ASSERT_EQUAL(state.best, 0.25);
	CU_ASSERT_STRING_EQUAL(state.watch, "val_loss");
	nnc_context_close(&other);
	CU_ASSERT(!nnc_checkpoint_save_best(&folder, &tiny_model, &context, &start,
					    NULL));
	CU_ASSERT(!nnc_checkpoint_state(temp_path("run/" NNC_BEST), &state, NULL));
	CU_ASSERT_EQUAL(state.epoch, 3);
}

/* Of each field: missing, no number, out of its bounds, too long. */
static void fields(void)
{
	static const char *const keys[] = {
		"train",       "validation", "folds",    "fold",      "lr",
		"epochs",      "seed",       "patience", "min_delta", "data_count",
		"samples_crc", "labels_crc", "epoch",    "step",      "updates",
		"loss_sum",    "correct",    "seconds",  "best",      "best_epoch",
		"waited"};
	static const char *const wrong[] = {"",    "x",       "1x",
					    "nan", "-1e400x", "99999999999999999999x"};
	char want[64];

	CU_ASSERT_PTR_NULL(refusal(&tiny_model, "extra", "is allowed"));
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		snprintf(want, sizeof want, "is damaged: %s is ", keys[i]);
		says(&tiny_model, keys[i], NULL, want);
		for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++)
			says(&tiny_model, keys[i], wrong[k], want);
	}
	says(&tiny_model, "train", "99999999999999999999", "train is 9999");
	says(&tiny_model, "train", "-1", "train is -1");
	says(&tiny_model, "train", "2147483648", "train is 2147483648");
	says(&tiny_model, "validation", "1.5", "validation is 1.5");
	says(&tiny_model, "validation", "-0.5", "validation is -0.5");
	says(&tiny_model, "watch", NULL, "watch is missing");
	says(&tiny_model, "watch", "sixteen letters.", "watch is sixteen");
	says(&tiny_model, "watch", "fifteen letters", "CRC of its metadata");
	says(&tiny_model, "epoch", "4", "CRC of its metadata");
	says(&tiny_model, "state_crc32", NULL, "CRC of its metadata");
	says(&tiny_model, "state_crc32", "1", "CRC of its metadata");
	says(&tiny_model, "nnc_checkpoint", NULL, "weights, but not a run");
	says(&tiny_model, "nnc_checkpoint", "1", "of version 1, this program reads 2");
}

static void other_models(void)
{
	NncModel other = tiny_model;
	NncState state;
	char key[32];

	says(&tiny_model, "optimizer", NULL,
	     "with the optimizer ?, the model has adam");
	says(&tiny_model, "optimizer", "sgd",
	     "with the optimizer sgd, the model has adam");
	says(&tiny_model, "batch", NULL, "inside an epoch of batches of ?, the");
	says(&tiny_model, "batch", "7", "inside an epoch of batches of 7, the");
	says(&tiny_model, "layer2", NULL, "its layer 2 is \"\"");
	says(&tiny_model, "layer2", "dense 9", "its layer 2 is \"dense 9\"");
	snprintf(key, sizeof key, "layer%d", (int)tiny_model.layer_count + 1);
	says(&tiny_model, key, "dense 9",
	     "is \"dense 9\", the model's (tiny.nn) is \"\"");
	/* Between epochs another batch does no harm. */
	other.batch = 4;
	CU_ASSERT_EQUAL(nnc_checkpoint_save(&folder, &tiny_model, &context,
					    &(NncState){.epochs = 1, .data_count = 1},
					    NULL),
			NNC_OK);
	CU_ASSERT_EQUAL(nnc_checkpoint_load(&folder, &other, NULL, &state, NULL),
			NNC_OK);
	/* Its state is looked for only where its own says so. */
	other = tiny_model;
	other.tensor_count--;
	CU_ASSERT_EQUAL(nnc_checkpoint_load(&folder, &other, NULL, &state, NULL),
			NNC_DATA);
}

/* The best weights are where they were left, or go back to the ones before. */
static void finds_best(void)
{
	NncState best = start, wanted = start;
	NncError err;

	best.epoch = 2;
	CU_ASSERT(
		!nnc_checkpoint_save_best(&folder, &tiny_model, &context, &best, NULL));
	wanted.best_epoch = 2;
	CU_ASSERT_EQUAL(nnc_checkpoint_find_best(&folder, &wanted, NULL), NNC_OK);
	best.epoch = 5;
	CU_ASSERT(
		!nnc_checkpoint_save_best(&folder, &tiny_model, &context, &best, NULL));
	wanted.best_epoch = 4; /* neither 5 nor 2 */
	CU_ASSERT_EQUAL(nnc_checkpoint_find_best(&folder, &wanted, &err), NNC_DATA);
	CU_ASSERT_PTR_NOT_NULL(
		strstr(err.message, "is of epoch 5, the best one was 4"));
	wanted.best_epoch = 2; /* the one before it is */
	CU_ASSERT_EQUAL(nnc_checkpoint_find_best(&folder, &wanted, NULL), NNC_OK);
	CU_ASSERT(!nnc_checkpoint_state(temp_path("run/" NNC_BEST), &best, NULL));
	CU_ASSERT_EQUAL(best.epoch, 2);
	/* Neither is there. */
	remove(temp_path("run/" NNC_BEST));
	CU_ASSERT_EQUAL(nnc_checkpoint_find_best(&folder, &wanted, &err), NNC_NOINPUT);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.message, "help: --patience 0"));
	/* What is in its place cannot be replaced. */
	best.epoch = 2;
	CU_ASSERT(
		!nnc_checkpoint_save_best(&folder, &tiny_model, &context, &best, NULL));
	rename(temp_path("run/" NNC_BEST), temp_path("run/" NNC_BEST_PREVIOUS));
	mkdir(temp_path("run/" NNC_BEST), 0700);
	CU_ASSERT_EQUAL(nnc_checkpoint_find_best(&folder, &wanted, &err), NNC_IO);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.message, "rename"));
	remove(temp_path("run/" NNC_BEST));
}

static int save_one(void)
{
	return nnc_checkpoint_save(&folder, &tiny_model, &context, &start, NULL);
}

static int load_one(void)
{
	NncState state;

	return nnc_checkpoint_load(&folder, &tiny_model, &context, &state, NULL);
}

/* Text that JSON does not take, in the model, its layers and the state. */
static void no_text(void)
{
	NncModel other = tiny_model;
	NncLayer layers[8];
	NncState state = start;

	CU_ASSERT(!nnc_checkpoint_save(&folder, &tiny_model, &context, &start, NULL));
	other.name = "\xff";
	CU_ASSERT(nnc_checkpoint_save(&folder, &other, &context, &start, NULL));
	other = tiny_model;
	memcpy(layers, other.layers, (size_t)other.layer_count * sizeof *layers);
	other.layers = layers;
	layers[1].source = "\xff";
	CU_ASSERT(nnc_checkpoint_save(&folder, &other, &context, &start, NULL));
	memcpy(state.watch, "\xff", 2);
	CU_ASSERT(nnc_checkpoint_save(&folder, &tiny_model, &context, &state, NULL));
	CU_ASSERT(!nnc_checkpoint_load(&folder, &tiny_model, NULL, &state, NULL));
}

/* Where any allocation fails it says so, or needs none; the file is a whole one. */
static void out_of_memory_in(int (*run)(void))
{
	long n = 1, failed = 0;
	int code;

	CU_ASSERT_EQUAL(save_one(), NNC_OK);
	for (;; n++) {
		refuse(n);
		code = run();
		if (!refused())
			break;
		CU_ASSERT(code == NNC_NOMEM || code == NNC_OK); /* JSON has a reserve */
		failed += code == NNC_NOMEM;
		CU_ASSERT_EQUAL(load_one(), NNC_OK);
	}
	CU_ASSERT_EQUAL(code, NNC_OK);
	CU_ASSERT(failed > 10);
}

static void no_memory_to_save(void)
{
	out_of_memory_in(save_one);
}

static void no_memory_to_load(void)
{
	out_of_memory_in(load_one);
}

extern void suite_checkpoint(void);

void suite_checkpoint(void)
{
	CU_pSuite suite = CU_add_suite("checkpoint", set_up, tear_down);

	CU_add_test(suite, "comes back", comes_back);
	CU_add_test(suite, "its fields", fields);
	CU_add_test(suite, "other models", other_models);
	CU_add_test(suite, "the best weights", finds_best);
	CU_add_test(suite, "no text", no_text);
	CU_add_test(suite, "no memory to save", no_memory_to_save);
	CU_add_test(suite, "no memory to load", no_memory_to_load);
}
