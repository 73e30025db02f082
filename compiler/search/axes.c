/*
 * axes.c - the tune section: how the cross-validation is made, and what it varies. Any
 * word that is no setting is a constant of the file, with the values to try.
 */
#include <string.h>

#include "nnc.h"

enum { MAX_POINTS = 10000 };

#define VALUE(forms, initial, min, max, help)                                          \
	{                                                                              \
		"value", forms, true, true, initial, min, max, NULL, help              \
	}
#define END                                                                            \
	{                                                                              \
		.name = NULL                                                           \
	}

static const struct TuneSetting {
	const char *name;
	bool axis;
	Param params[2];
} settings[] = {
	{"folds",
	 false,
	 {VALUE(NNC_ARG_INT, 5, 2, NNC_MAX_FOLDS, "parts of the cross-validation"),
	  END}},
	{"samples", false, {VALUE(NNC_ARG_INT, 0, 1, 1e12, "samples used"), END}},
	{"epochs",
	 false,
	 {VALUE(NNC_ARG_INT, 10, 1, NNC_MAX_EPOCHS, "epochs of each run"), END}},
	{"lr",
	 true,
	 {VALUE(NNC_ARG_LIST | NNC_ARG_REAL, 0, 1e-12, 1e6, "rates to try"), END}},
	{"batch",
	 true,
	 {VALUE(NNC_ARG_LIST | NNC_ARG_INT, 0, 1, NNC_MAX_BATCH, "batches to try"),
	  END}},
};

enum { SETTINGS = sizeof settings / sizeof *settings };

const Param *tune_setting(int i, const char **name)
{
	*name = i < SETTINGS ? settings[i].name : NULL;
	return *name ? settings[i].params : NULL;
}

/* What a constant may be; whether it suits the constant is looked at one by one. */
static const Param constant_params[] = {
	VALUE(NNC_ARG_LIST | NNC_ARG_REAL | NNC_ARG_SHAPE | NNC_ARG_ACTIVATION |
		      NNC_ARG_INIT | NNC_ARG_STRING,
	      0, -1e300, 1e300, "values to try"),
	END,
};

static const Constant *find_constant(const char *name)
{
	int n;
	const Constant *all = model_constants(&n);
	for (int i = 0; i < n; i++)
		if (strcmp(all[i].name, name) == 0)
			return &all[i];
	return NULL;
}

static void unknown_word(const Stmt *stmt)
{
	const char **names = NULL;
	int count = 0, n;
	const Constant *all = model_constants(&n);
	for (int i = 0; i < SETTINGS; i++)
		*vec_push(&names, &count) = settings[i].name;
	for (int i = 0; i < n; i++)
		*vec_push(&names, &count) = all[i].name;
	diag_unknown(stmt->name_span, "tune setting or constant", stmt->name, names,
		     count);
}

static bool is_new(const Axis *axis, const Value *v)
{
	for (int i = 0; i < axis->count; i++)
		if (strcmp(value_text(axis->values[i]), value_text(v)) == 0 ||
		    (v->kind == VALUE_NUMBER && axis->values[i]->kind == VALUE_NUMBER &&
		     !(axis->values[i]->number < v->number) &&
		     !(axis->values[i]->number > v->number))) {
			diag_error(v->span, "%s is listed twice", value_text(v));
			diag_note(axis->values[i]->span, "the first time is here");
			return false;
		}
	return true;
}

static bool suits(const Constant *constant, const Value *v)
{
	if (!constant || constant_takes(constant, v))
		return true;
	diag_error(v->span, "'%s' is %s, tune gives %s: %s", constant->name,
		   value_kind(&constant->value), value_kind(v), value_text(v));
	diag_note(constant->span, "defined here");
	return false;
}

static void add_axis(Tune *t, const Stmt *stmt, const Value *list,
		     const Constant *constant)
{
	Axis axis = {.name = stmt->name, .span = stmt->name_span};
	bool one = list->kind != VALUE_LIST;
	for (int i = 0; i < (one ? 1 : list->count); i++) {
		const Value *v = one ? list : &list->items[i].value;
		if (suits(constant, v) && is_new(&axis, v))
			*vec_push(&axis.values, &axis.count) = v;
	}
	*vec_push(&t->axes, &t->axis_count) = axis;
}

static void read_number(Tune *t, const char *name, int64_t value)
{
	if (strcmp(name, "folds") == 0)
		t->folds = value;
	else if (strcmp(name, "samples") == 0)
		t->samples = value;
	else
		t->epochs = value;
}

static void check_size(const Tune *t)
{
	int64_t points = 1;
	for (int i = 0; i < t->axis_count; i++)
		if (points <= MAX_POINTS)
			points *= t->axes[i].count;
	if (points <= MAX_POINTS)
		return;
	diag_error(t->span, "the axes have more than %d points", MAX_POINTS);
	diag_help("list fewer values");
}

void read_tune(Tune *t, const Stmt *section)
{
	*t = (Tune){.given = true, .span = section->span, .folds = 5, .epochs = 10};
	for (int i = 0; i < section->body_count; i++) {
		const Stmt *stmt = &section->body[i];
		const struct TuneSetting *setting = NULL;
		const Constant *constant = NULL;
		for (int k = 0; k < SETTINGS && !setting; k++)
			if (strcmp(settings[k].name, stmt->name) == 0)
				setting = &settings[k];
		if (!setting && !(constant = find_constant(stmt->name))) {
			unknown_word(stmt);
			continue;
		}
		if (stmt->has_body) {
			diag_error(stmt->name_span, "%s takes no body", stmt->name);
			diag_help("end it with ';'");
			continue;
		}
		Args args;
		if (setting_repeated(section->body, i) ||
		    !bind_args(&args, stmt->name, stmt->span, stmt->args, stmt->count,
			       setting ? setting->params : constant_params))
			continue;
		if (setting && !setting->axis)
			read_number(t, stmt->name, arg_int(&args, "value"));
		else
			add_axis(t, stmt, arg_value(&args, "value"), constant);
	}
	check_size(t);
}
