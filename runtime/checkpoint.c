/*
 * checkpoint.c - a run in a safetensors file: weights under their own names, optimizer
 * state as optimizer.SLOT.NAME, and everything else as strings in __metadata__.
 *
 * Numbers are written with 17 digits, which a double survives unchanged, so that a run
 * that goes on makes the same bits as one that never stopped. The tensors have a CRC of
 * their own (safetensors.c); state_crc is that of the strings.
 */
#include "internal.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char version[] = "2";

/* ---- the fields of NncState -------------------------------------------------- */

typedef enum Kind {
	KIND_I32,
	KIND_U32,
	KIND_I64,
	KIND_U64,
	KIND_REAL,
	KIND_TEXT, /* char[16] */
} Kind;

typedef struct Field {
	const char *key;
	Kind kind;
	size_t at;       /* offset in NncState */
	double min, max; /* a file with another value is refused */
} Field;

#define FIELD(name, kind, min, max)                                                    \
	{                                                                              \
#name, kind, offsetof(NncState, name), min, max                        \
	}

static const Field fields[] = {
	FIELD(train, KIND_I64, 0, INT32_MAX),
	FIELD(validation, KIND_REAL, 0, 1),
	FIELD(folds, KIND_I32, 0, NNC_MAX_FOLDS),
	FIELD(fold, KIND_I32, 0, NNC_MAX_FOLDS),
	FIELD(lr, KIND_REAL, 0, HUGE_VAL),
	FIELD(epochs, KIND_I32, 1, NNC_MAX_EPOCHS),
	FIELD(seed, KIND_U32, 0, UINT32_MAX),
	FIELD(watch, KIND_TEXT, 0, 0),
	FIELD(patience, KIND_I32, 0, NNC_MAX_EPOCHS),
	FIELD(min_delta, KIND_REAL, 0, HUGE_VAL),
	FIELD(data_count, KIND_I64, 1, INT32_MAX),
	FIELD(samples_crc, KIND_U32, 0, UINT32_MAX),
	FIELD(labels_crc, KIND_U32, 0, UINT32_MAX),
	FIELD(epoch, KIND_U32, 0, NNC_MAX_EPOCHS),
	FIELD(step, KIND_U32, 0, UINT32_MAX),
	FIELD(updates, KIND_U64, 0, 1e15),
	FIELD(loss_sum, KIND_REAL, -HUGE_VAL, HUGE_VAL),
	FIELD(correct, KIND_I64, 0, 1e15),
	FIELD(seconds, KIND_REAL, 0, HUGE_VAL),
	FIELD(best, KIND_REAL, -HUGE_VAL, HUGE_VAL),
	FIELD(best_epoch, KIND_U32, 0, NNC_MAX_EPOCHS),
	FIELD(waited, KIND_U32, 0, NNC_MAX_EPOCHS),
};

enum { FIELDS = sizeof fields / sizeof *fields };

static void format_field(char text[64], const Field *field, const NncState *state)
{
	const void *value = (const char *)state + field->at;

	switch (field->kind) {
	case KIND_I32:
		snprintf(text, 64, "%d", (int)*(const int32_t *)value);
		break;
	case KIND_U32:
		snprintf(text, 64, "%u", (unsigned)*(const uint32_t *)value);
		break;
	case KIND_I64:
		snprintf(text, 64, "%lld", (long long)*(const int64_t *)value);
		break;
	case KIND_U64:
		snprintf(text, 64, "%llu",
			 (unsigned long long)*(const uint64_t *)value);
		break;
	case KIND_REAL:
		snprintf(text, 64, "%.17g", *(const double *)value);
		break;
	default: /* KIND_TEXT */
		snprintf(text, 64, "%s", (const char *)value);
		break;
	}
}

/* False: not a number, or out of its bounds. */
static bool parse_field(const char *text, const Field *field, NncState *state)
{
	void *value = (char *)state + field->at;
	long long whole = 0;
	double real;
	char *end;

	if (field->kind == KIND_TEXT) {
		if (strlen(text) >= sizeof state->watch)
			return false;
		memcpy(value, text, strlen(text) + 1);
		return true;
	}
	errno = 0;
	if (field->kind == KIND_REAL) {
		real = strtod(text, &end);
	} else {
		whole = strtoll(text, &end, 10);
		real = (double)whole;
		if (errno)
			return false;
	}
	if (end == text || *end || !(real >= field->min && real <= field->max))
		return false;
	switch (field->kind) {
	case KIND_I32:
		*(int32_t *)value = (int32_t)whole;
		break;
	case KIND_U32:
		*(uint32_t *)value = (uint32_t)whole;
		break;
	case KIND_REAL:
		*(double *)value = real;
		break;
	default:
		*(int64_t *)value = whole; /* of a U64 too: it is not negative */
		break;
	}
	return true;
}

/* ---- metadata ---------------------------------------------------------------- */

/* CRC-32 of every field's text, each with its NUL, in table order. */
static uint32_t state_crc(const NncState *state)
{
	char text[FIELDS * 64];
	size_t used = 0;

	for (int i = 0; i < FIELDS; i++) {
		format_field(text + used, &fields[i], state);
		used += strlen(text + used) + 1;
	}
	return nnc_crc32(text, used);
}

/* The key of layer i's statement. */
static void layer_key(char key[32], int32_t i)
{
	snprintf(key, 32, "layer%d", (int)i + 1);
}

static int store_layers(NncTensors *tensors, const NncModel *model, NncError *err)
{
	char key[32];
	int code = NNC_OK;

	for (int32_t i = 0; i < model->layer_count && !code; i++) {
		layer_key(key, i);
		code = nnc_tensors_set(tensors, key, model->layers[i].source, err);
	}
	return code;
}

static int store_state(NncTensors *tensors, const NncModel *model,
		       const NncState *state, NncError *err)
{
	char batch[16], crc[16], text[64];
	const char *const known[][2] = {
		{"nnc_checkpoint", version},
		{"format", "pt"},
		{"model", model->name},
		{"optimizer", model->training.optimizer},
		{"batch", batch},
		{"state_crc32", crc},
	};
	int code = NNC_OK;

	snprintf(batch, sizeof batch, "%d", (int)model->batch);
	snprintf(crc, sizeof crc, "%08x", (unsigned)state_crc(state));
	for (size_t i = 0; i < sizeof known / sizeof *known && !code; i++)
		code = nnc_tensors_set(tensors, known[i][0], known[i][1], err);
	for (int i = 0; i < FIELDS && !code; i++) {
		format_field(text, &fields[i], state);
		code = nnc_tensors_set(tensors, fields[i].key, text, err);
	}
	return code ? code : store_layers(tensors, model, err);
}

static int fetch_state(const NncTensors *tensors, NncState *state, NncError *err)
{
	const char *text = nnc_tensors_get(tensors, "nnc_checkpoint");
	NncState read = {0};

	if (!text)
		return nnc_fail(err, NNC_DATA, "%s holds weights, but not a run",
				tensors->source);
	if (strcmp(text, version) != 0)
		return nnc_fail(err, NNC_DATA,
				"%s is a checkpoint of version %.20s, this "
				"program reads %s",
				tensors->source, text, version);
	for (int i = 0; i < FIELDS; i++) {
		text = nnc_tensors_get(tensors, fields[i].key);
		if (!text || !parse_field(text, &fields[i], &read))
			return nnc_fail(err, NNC_DATA, "%s is damaged: %s is %.40s",
					tensors->source, fields[i].key,
					text ? text : "missing");
	}
	text = nnc_tensors_get(tensors, "state_crc32");
	if (!text || strtoul(text, NULL, 16) != state_crc(&read))
		return nnc_fail(err, NNC_DATA,
				"%s is damaged: the CRC of its metadata is "
				"wrong",
				tensors->source);
	*state = read;
	return NNC_OK;
}

/* Layers can differ where no tensor does: another activation, another dropout. */
static int check_layers(const NncTensors *tensors, const NncModel *model, NncError *err)
{
	char key[32], quoted[80], source[80], place[NNC_MAX_PLACE];

	for (int32_t i = 0; i <= model->layer_count; i++) {
		const NncLayer *layer =
			i < model->layer_count ? &model->layers[i] : NULL;
		const char *ours = layer ? layer->source : NULL, *text;
		layer_key(key, i);
		text = nnc_tensors_get(tensors, key);
		if (ours && text ? strcmp(text, ours) == 0 : text == ours)
			continue;
		return nnc_fail(err, NNC_DATA,
				"\"%s\" is of a run of another network: its layer "
				"%d is \"%s\", the model's (%s) is \"%s\"\n"
				"help: --weights %s starts a new run from its weights",
				nnc_quote(source, tensors->source), (int)i + 1,
				nnc_quote(quoted, text ? text : ""),
				layer ? nnc_layer_place(place, model, layer)
				      : model->source,
				ours ? ours : "", source);
	}
	return NNC_OK;
}

/* Optimizer and batch must be those of the model: the position depends on them. */
static int check_training(const NncTensors *tensors, const NncModel *model,
			  const NncState *state, NncError *err)
{
	const char *optimizer = nnc_tensors_get(tensors, "optimizer");
	const char *batch = nnc_tensors_get(tensors, "batch");

	if (!optimizer || strcmp(optimizer, model->training.optimizer) != 0)
		return nnc_fail(
			err, NNC_DATA,
			"%s is of a run with the optimizer %.40s, "
			"the model has %s\nhelp: --weights %s starts a new run from "
			"its weights",
			tensors->source, optimizer ? optimizer : "?",
			model->training.optimizer, tensors->source);
	if (state->step > 0 && (!batch || strtol(batch, NULL, 10) != model->batch))
		return nnc_fail(
			err, NNC_DATA,
			"%s stopped inside an epoch of batches of "
			"%.20s, the model has batches of %d\nhelp: --weights %s "
			"starts a new run from its weights",
			tensors->source, batch ? batch : "?", (int)model->batch,
			tensors->source);
	return NNC_OK;
}

/* ---- files ------------------------------------------------------------------- */

static void slot_prefix(char prefix[64], const NncModel *model, int32_t slot)
{
	snprintf(prefix, 64, "optimizer.%s.", model->slots[slot]);
}

static int save(const NncFolder *folder, const char *name, const char *previous,
		const NncModel *model, const NncContext *context, const NncState *state,
		bool optimizer, NncError *err)
{
	NncTensors tensors = {0};
	char prefix[64], path[NNC_MAX_PATH];
	int code = nnc_block_store(&tensors, model, context->params, "", err);

	for (int32_t s = 0; optimizer && s < model->slot_count && !code; s++) {
		slot_prefix(prefix, model, s);
		code = nnc_block_store(&tensors, model, context->slot[s], prefix, err);
	}
	if (!code)
		code = store_state(&tensors, model, state, err);
	nnc_folder_file(path, folder, name);
	if (!code)
		code = nnc_tensors_save(&tensors, path, previous, err);
	nnc_tensors_free(&tensors);
	return code;
}

int nnc_checkpoint_save(const NncFolder *folder, const NncModel *model,
			const NncContext *context, const NncState *state, NncError *err)
{
	return save(folder, NNC_LAST, NNC_LAST_PREVIOUS, model, context, state, true,
		    err);
}

int nnc_checkpoint_save_best(const NncFolder *folder, const NncModel *model,
			     const NncContext *context, const NncState *state,
			     NncError *err)
{
	return save(folder, NNC_BEST, NNC_BEST_PREVIOUS, model, context, state, false,
		    err);
}

/* One checkpoint; context NULL: checks only. */
static int load(const char *path, const NncModel *model, NncContext *context,
		NncState *state, NncError *err)
{
	NncTensors tensors = {0};
	char prefix[64];
	int code = nnc_tensors_load(&tensors, path, err);

	if (!code)
		code = fetch_state(&tensors, state, err);
	if (!code) /* the model's first: "shape (128, 784) in the file" says more */
		code = nnc_block_fetch(&tensors, model, NULL, "", err);
	if (!code)
		code = nnc_block_no_extra(&tensors, model, err);
	if (!code)
		code = check_layers(&tensors, model, err);
	if (!code)
		code = check_training(&tensors, model, state, err);
	if (!code)
		code = nnc_block_fetch(&tensors, model,
				       context ? context->params : NULL, "", err);
	for (int32_t s = 0; s < model->slot_count && !code; s++) {
		slot_prefix(prefix, model, s);
		code = nnc_block_fetch(&tensors, model,
				       context ? context->slot[s] : NULL, prefix, err);
	}
	if (!code && context)
		context->updates = state->updates;
	nnc_tensors_free(&tensors);
	return code;
}

int nnc_checkpoint_load(const NncFolder *folder, const NncModel *model,
			NncContext *context, NncState *state, NncError *err)
{
	char last[NNC_MAX_PATH], previous[NNC_MAX_PATH];
	NncError failed = {0};
	NncState before;
	int code;

	nnc_folder_file(last, folder, NNC_LAST);
	nnc_folder_file(previous, folder, NNC_LAST_PREVIOUS);
	code = load(last, model, context, state, &failed);
	if (code == NNC_DATA && !load(previous, model, NULL, &before, NULL))
		return nnc_fail(err, code,
				"%s\nhelp: mv %s %s goes back to the save before it, "
				"after epoch %u, step %u",
				failed.message, previous, last, (unsigned)before.epoch,
				(unsigned)before.step);
	if (code)
		nnc_fail(err, code, "%s", failed.message);
	return code;
}

int nnc_checkpoint_state(const char *path, NncState *state, NncError *err)
{
	NncTensors tensors = {0};
	int code = nnc_tensors_load(&tensors, path, err);

	if (!code)
		code = fetch_state(&tensors, state, err);
	nnc_tensors_free(&tensors);
	return code;
}

int nnc_checkpoint_find_best(const NncFolder *folder, const NncState *state,
			     NncError *err)
{
	char path[NNC_MAX_PATH], previous[NNC_MAX_PATH];
	NncState best = {0}, before = {0};
	NncError failed = {0};
	int code;

	nnc_folder_file(path, folder, NNC_BEST);
	nnc_folder_file(previous, folder, NNC_BEST_PREVIOUS);
	code = nnc_checkpoint_state(path, &best, &failed);
	if (!code && best.epoch == state->best_epoch)
		return NNC_OK;
	if (!nnc_checkpoint_state(previous, &before, NULL) &&
	    before.epoch == state->best_epoch) {
		if (!rename(previous, path))
			return NNC_OK;
		return nnc_fail_io(err, "rename", previous);
	}
	if (!code)
		code = nnc_fail(&failed, NNC_DATA,
				"%s is of epoch %u, the best one was %u", path,
				(unsigned)best.epoch, (unsigned)state->best_epoch);
	return nnc_fail(err, code, "%s\nhelp: --patience 0 goes on without it",
			failed.message);
}
