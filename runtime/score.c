/* score.c - how good weights are on samples, and which weights a command means. */
#include "internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The class a row of the output answers with: the first of the largest. */
static int32_t answer(const NncModel *model, const void *arena, int32_t row)
{
	int64_t at = model->output + (int64_t)row * model->outputs;
	double best = nnc_real_at(model, arena, at);
	int32_t largest = 0;

	for (int32_t o = 1; o < model->outputs; o++) {
		double value = nnc_real_at(model, arena, at + o);
		if (value > best) {
			best = value;
			largest = o;
		}
	}
	return largest;
}

/* Keeps the surest, in their order. */
static void add_mistake(NncTally *tally, const NncMistake *mistake)
{
	NncMistake *list = tally->mistakes;
	int at = tally->mistake_count;

	while (at > 0 && (mistake->sure > list[at - 1].sure ||
			  (mistake->sure >= list[at - 1].sure &&
			   mistake->sample < list[at - 1].sample)))
		at--;
	if (at >= tally->mistake_room)
		return;
	if (tally->mistake_count < tally->mistake_room)
		tally->mistake_count++;
	memmove(list + at + 1, list + at,
		(size_t)(tally->mistake_count - 1 - at) * sizeof *list);
	list[at] = *mistake;
}

static void add_answers(NncTally *tally, const NncModel *model, const void *arena,
			const NncBatch *batch)
{
	for (int32_t row = 0; row < batch->rows; row++) {
		int64_t at = model->output + (int64_t)row * model->outputs;
		NncMistake m = {.sample = batch->index[row],
				.label = batch->labels[batch->index[row]],
				.answer = answer(model, arena, row)};
		if (tally->confusion)
			tally->confusion[(int64_t)m.label * model->outputs +
					 m.answer]++;
		if (m.label == m.answer)
			continue;
		m.sure = nnc_real_at(model, arena, at + m.answer);
		m.label_sure = nnc_real_at(model, arena, at + m.label);
		add_mistake(tally, &m);
	}
}

int nnc_evaluate(NncContext *context, const NncModel *model, const NncData *data,
		 const uint32_t *index, int64_t count, NncTally *tally, NncScore *score,
		 NncError *err)
{
	bool dropout = context->dropout;
	uint32_t *own = nnc_allocate((size_t)model->batch, sizeof *own);
	NncBatch batch = {
		.samples = data->samples, .labels = data->labels, .index = own};
	int64_t done = 0;

	*score = (NncScore){0};
	if (!own)
		return nnc_fail(err, NNC_NOMEM, "not enough memory to score %s",
				data->source);
	context->dropout = false;
	context->loss = 0;
	context->correct = 0;
	while (done < count && !nnc_stop_signal()) {
		int64_t left = count - done;
		batch.rows = left < model->batch ? (int32_t)left : model->batch;
		for (int32_t i = 0; i < batch.rows; i++)
			own[i] = index ? index[done + i] : (uint32_t)(done + i);
		nnc_step_evaluate(context, model, &batch);
		if (tally)
			add_answers(tally, model, context->arena, &batch);
		done += batch.rows;
	}
	score->samples = done;
	score->correct = context->correct;
	score->loss = done ? context->loss / (double)done : 0;
	score->accuracy = done ? (double)context->correct / (double)done : 0;
	context->loss = 0;
	context->correct = 0;
	context->dropout = dropout;
	free(own);
	return NNC_OK;
}

void nnc_interval(const NncScore *score, double *low, double *high)
{
	const double z = 1.959964; /* of the normal distribution */
	double n = (double)score->samples, p = score->accuracy;
	double middle, half;

	if (score->samples < 1) {
		*low = 0;
		*high = 1;
		return;
	}
	middle = (p + z * z / (2 * n)) / (1 + z * z / n);
	half = z / (1 + z * z / n) * sqrt(p * (1 - p) / n + z * z / (4 * n * n));
	*low = fmax(0, middle - half);
	*high = fmin(1, middle + half);
}

NncClassScore nnc_class_score(const int64_t *confusion, int32_t outputs, int32_t class)
{
	int64_t n = outputs, answers = 0, right = confusion[class * n + class];
	NncClassScore s = {0};

	for (int64_t i = 0; i < n; i++) {
		s.support += confusion[class * n + i];
		answers += confusion[i * n + class];
	}
	s.precision = answers ? (double)right / (double)answers : 0;
	s.recall = s.support ? (double)right / (double)s.support : 0;
	if (right)
		s.f1 = 2 * s.precision * s.recall / (s.precision + s.recall);
	return s;
}

int nnc_most_confused(NncConfused *confused, int room, const int64_t *confusion,
		      int32_t outputs)
{
	int count = 0;

	for (int32_t i = 0; i < outputs; i++)
		for (int32_t j = 0; j < outputs; j++) {
			NncConfused c = {i, j, confusion[(int64_t)i * outputs + j]};
			int at = count;
			if (i == j || !c.count)
				continue;
			while (at > 0 && c.count > confused[at - 1].count)
				at--;
			if (at >= room)
				continue;
			if (count < room)
				count++;
			memmove(confused + at + 1, confused + at,
				(size_t)(count - 1 - at) * sizeof *confused);
			confused[at] = c;
		}
	return count;
}

int nnc_find_weights(char path[NNC_MAX_PATH], const NncProgram *program, NncError *err)
{
	static const char *const names[] = {NNC_BEST, NNC_LAST};
	NncFolder folder;
	int code;

	if (program->options->weights) {
		int n = snprintf(path, NNC_MAX_PATH, "%s", program->options->weights);
		if (n >= NNC_MAX_PATH)
			return nnc_fail(err, NNC_USAGE,
					"the name of the weights is too "
					"long");
		return NNC_OK;
	}
	code = nnc_folder_name(&folder, program->path, NULL, err);
	for (size_t i = 0; i < sizeof names / sizeof *names && !code; i++) {
		nnc_folder_file(path, &folder, names[i]);
		if (!access(path, F_OK))
			return NNC_OK;
	}
	if (code)
		return code;
	return nnc_fail(err, NNC_NOINPUT,
			"there are no trained weights yet: neither %s/%s "
			"nor %s/%s\nhelp: train first, %s train; or say --weights FILE",
			folder.path, names[0], folder.path, names[1], program->path);
}
