/* settings.c - what a run is: the model's train section, altered by options. */
#include "internal.h"

#include <math.h>
#include <string.h>

static void settings_of_model(NncState *s, const NncModel *model)
{
	const NncTraining *t = &model->training;

	*s = (NncState){
		.train = t->train,
		.validation = t->validation,
		.lr = t->lr,
		.epochs = t->epochs,
		.seed = t->seed,
		.patience = t->patience,
		.min_delta = t->min_delta,
	};
	snprintf(s->watch, sizeof s->watch, "%s", t->watch ? t->watch : "");
}

void nnc_settings_change(NncState *s, const NncOptions *o)
{
	if (o->epochs >= 0)
		s->epochs = (int32_t)o->epochs;
	if (!isnan(o->lr))
		s->lr = o->lr;
	if (o->patience < 0)
		return;
	s->patience = (int32_t)o->patience;
	if (o->patience == 0)
		s->watch[0] = '\0';
	else if (!s->watch[0])
		snprintf(s->watch, sizeof s->watch, "%s",
			 s->validation > 0 || s->folds ? "val_accuracy" : "accuracy");
}

/* --folds and --fold: both or none, and nothing else is held out then. */
static int settings_folds(NncState *s, const NncOptions *o, NncError *err)
{
	if (o->folds < 0 && o->fold < 0)
		return NNC_OK;
	if (o->folds < 0 || o->fold < 0 || o->fold > o->folds)
		return nnc_fail(err, NNC_USAGE,
				"--folds K goes with --fold N, from 1 to K");
	if (!isnan(o->validation))
		return nnc_fail(err, NNC_USAGE,
				"--fold holds samples out, and so does --validation");
	s->folds = (int32_t)o->folds;
	s->fold = (int32_t)o->fold;
	s->validation = 0;
	return NNC_OK;
}

int nnc_settings_new(NncState *s, const NncProgram *program, NncError *err)
{
	const NncOptions *o = program->options;

	settings_of_model(s, program->model);
	if (o->seed >= 0)
		s->seed = (uint32_t)o->seed;
	if (o->train >= 0)
		s->train = o->train;
	if (!isnan(o->validation))
		s->validation = o->validation;
	if (settings_folds(s, o, err))
		return NNC_USAGE;
	nnc_settings_change(s, o);
	if (!strncmp(s->watch, "val_", 4) && !(s->validation > 0 || s->folds))
		return nnc_fail(err, NNC_USAGE,
				"early stopping watches %s, but no samples "
				"are held out\nhelp: --validation 0.1, or --patience 0 "
				"to train to the end",
				s->watch);
	return NNC_OK;
}

int nnc_settings_split(NncSplit *split, const NncData *data, const NncState *s,
		       NncError *err)
{
	if (s->folds)
		return nnc_split_fold(split, data, s->train, s->folds, s->fold, s->seed,
				      err);
	return nnc_split_make(split, data, s->train, s->validation, s->seed, err);
}

int nnc_settings_unchanged(const NncState *s, const NncOptions *o, NncError *err)
{
	if (o->weights)
		return nnc_fail(err, NNC_USAGE,
				"--resume goes on with the run's own "
				"weights, --weights starts a new run");
	if (o->seed >= 0 && (uint32_t)o->seed != s->seed)
		return nnc_fail(err, NNC_USAGE,
				"--seed %lld, but the run has the seed %u",
				(long long)o->seed, (unsigned)s->seed);
	if (o->train >= 0 && o->train != s->train)
		return nnc_fail(err, NNC_USAGE, "--train %lld, but the run has %lld%s",
				(long long)o->train, (long long)s->train,
				s->train ? "" : " (all)");
	if (!isnan(o->validation) && fabs(o->validation - s->validation) > 0)
		return nnc_fail(err, NNC_USAGE, "--validation %g, but the run has %g",
				o->validation, s->validation);
	if ((o->folds >= 0 && o->folds != s->folds) ||
	    (o->fold >= 0 && o->fold != s->fold))
		return nnc_fail(err, NNC_USAGE,
				"--fold is another than the run's: %d of %d%s",
				(int)s->fold, (int)s->folds, s->folds ? "" : " (none)");
	return NNC_OK;
}
