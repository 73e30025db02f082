/*
 * sections.c - data, train and expect: settings, checked against their tables and kept
 * in Net.training; tune is read by search/axes.c. What a section leaves out has the
 * default stated here.
 */
#include <string.h>

#include "nnc.h"

const char *const section_names[] = {"data", "expect", "train", "tune", NULL};

bool is_section(const char *name)
{
	for (int i = 0; section_names[i]; i++)
		if (strcmp(section_names[i], name) == 0)
			return true;
	return false;
}

/* One word of a section: `read` takes the bound arguments, `choose` the statement
 * itself. */
typedef struct Setting {
	const char *name;
	Param params[4];
	void (*read)(Training *t, const Args *args);
	void (*choose)(Training *t, const Stmt *stmt);
} Setting;

#define VALUE(forms, initial, min, max, help)                                          \
	{                                                                              \
		"value", forms, true, true, initial, min, max, NULL, help              \
	}

/* ---- data ------------------------------------------------------------------------ */

static void read_train_count(Training *t, const Args *args)
{
	t->train = arg_int(args, "value");
}

static void read_validation(Training *t, const Args *args)
{
	t->validation = arg_real(args, "value");
}

static void read_scale(Training *t, const Args *args)
{
	t->scale = arg_real(args, "value");
}

/* first, last, a column's number from 1, or its heading. */
static void read_label(Training *t, const Args *args)
{
	const Value *v = arg_value(args, "value");
	if (!t->format || !t->format->takes_label) {
		diag_error(args->span, "only a csv file has a label column");
		return;
	}
	t->label = v->kind == VALUE_NUMBER ? int_text(v->integer) : v->text;
}

static const Setting data_settings[] = {
	{"label",
	 {{"value", NNC_ARG_CHOICE | NNC_ARG_INT | NNC_ARG_STRING, true, true, 0, 1,
	   1e6, "last|first",
	   "the column of the class: last, first, its number or its heading"}},
	 read_label,
	 NULL},
	{"train",
	 {VALUE(NNC_ARG_INT, 0, 1, 1e12, "training samples used")},
	 read_train_count,
	 NULL},
	{"validation",
	 {VALUE(NNC_ARG_REAL, 0, 0, 0.9, "share of them held out")},
	 read_validation,
	 NULL},
	{"scale",
	 {VALUE(NNC_ARG_REAL, 1, -1e9, 1e9, "every pixel is multiplied by it")},
	 read_scale,
	 NULL},
	{.name = NULL},
};

static void choose_format(Training *t, const Stmt *stmt)
{
	const char **names = NULL;
	int n = 0;
	for (int i = 0; nnc_formats[i]; i++)
		*vec_push(&names, &n) = nnc_formats[i]->name;
	if (stmt->count == 0 || stmt->args[0].key ||
	    stmt->args[0].value.kind != VALUE_NAME) {
		diag_error(stmt->span, "data names a data set or format first");
		diag_help("write, for example, `data fashion_mnist { scale 1/255; }`");
		return;
	}
	const Value *name = &stmt->args[0].value;
	const NncFormat *format = nnc_find_format(name->text);
	if (!format) {
		diag_unknown(name->span, "data set or format", name->text, names, n);
		return;
	}
	const Param params[] = {
		{"path", NNC_ARG_STRING, true, format->takes_path, 0, 0, 0, NULL,
		 "the file or folder"},
		{.name = NULL},
	};
	Args args;
	if (!bind_args(&args, format->name, stmt->span, stmt->args + 1, stmt->count - 1,
		       format->takes_path ? params : params + 1))
		return;
	t->format = format;
	t->path = format->takes_path ? arg_string(&args, "path") : NULL;
	t->data_span = stmt->span;
}

/* ---- train ----------------------------------------------------------------------- */

/* `loss NAME key=value...`, `optimizer NAME ...`: the rest is bound by NAME's table. */
static const Value *chosen_name(const Stmt *stmt, const char *example)
{
	if (stmt->count && !stmt->args[0].key && stmt->args[0].value.kind == VALUE_NAME)
		return &stmt->args[0].value;
	diag_error(stmt->span, "%s takes a name", stmt->name);
	diag_help("write, for example, `%s`", example);
	return NULL;
}

static void choose_loss(Training *t, const Stmt *stmt)
{
	const Value *name = chosen_name(stmt, "loss cross_entropy;");
	if (!name)
		return;
	const Loss *loss = find_loss(name->text);
	if (!loss) {
		const char **names = NULL;
		int n = 0;
		for (int i = 0; losses[i]; i++)
			*vec_push(&names, &n) = losses[i]->name;
		diag_unknown(name->span, "loss", name->text, names, n);
		return;
	}
	if (bind_args(&t->loss_args, loss->name, stmt->span, stmt->args + 1,
		      stmt->count - 1, loss->params)) {
		t->loss = loss;
		t->loss_span = stmt->span;
	}
}

static void choose_optimizer(Training *t, const Stmt *stmt)
{
	const Value *name = chosen_name(stmt, "optimizer adam lr=1e-3;");
	if (!name)
		return;
	const Optimizer *optimizer = find_optimizer(name->text);
	if (!optimizer) {
		const char **names = NULL;
		int n = 0;
		for (int i = 0; optimizers[i]; i++)
			*vec_push(&names, &n) = optimizers[i]->name;
		diag_unknown(name->span, "optimizer", name->text, names, n);
		return;
	}
	if (bind_args(&t->optimizer_args, optimizer->name, stmt->span, stmt->args + 1,
		      stmt->count - 1, optimizer->params)) {
		t->optimizer = optimizer;
		if (optimizer->check)
			optimizer->check(&t->optimizer_args);
	}
}

static void read_batch(Training *t, const Args *args)
{
	t->batch = arg_int(args, "value");
}

static void read_epochs(Training *t, const Args *args)
{
	t->epochs = arg_int(args, "value");
}

static void read_seed(Training *t, const Args *args)
{
	t->seed = (uint32_t)arg_int(args, "value");
}

static void read_early_stop(Training *t, const Args *args)
{
	t->watch = arg_choice(args, "metric");
	t->patience = arg_int(args, "patience");
	t->min_delta = arg_real(args, "min_delta");
	t->watch_span = args->span;
}

static const Setting train_settings[] = {
	{"loss", {{.name = NULL}}, NULL, choose_loss},
	{"optimizer", {{.name = NULL}}, NULL, choose_optimizer},
	{"batch",
	 {VALUE(NNC_ARG_INT, 32, 1, NNC_MAX_BATCH, "samples a step")},
	 read_batch,
	 NULL},
	{"epochs",
	 {VALUE(NNC_ARG_INT, 10, 1, NNC_MAX_EPOCHS, "passes over the samples")},
	 read_epochs,
	 NULL},
	{"seed",
	 {VALUE(NNC_ARG_INT, 1, 0, 4294967295.0, "the key of every random draw")},
	 read_seed,
	 NULL},
	{"early_stop",
	 {{"metric", NNC_ARG_CHOICE, true, false, 0, 0, 0,
	   "val_accuracy|val_loss|accuracy|loss", "what must improve"},
	  {"patience", NNC_ARG_INT, false, false, 10, 1, NNC_MAX_EPOCHS, NULL,
	   "epochs without an improvement"},
	  {"min_delta", NNC_ARG_REAL, false, false, 0, 0, 1e9, NULL,
	   "the least improvement"}},
	 read_early_stop,
	 NULL},
	{.name = NULL},
};

/* ---- a section ----------------------------------------------------------- */

/* `lr 1e-3;` in train: a key of the optimizer, not a setting. */
static bool optimizer_key(const Stmt *stmt)
{
	for (int i = 0; optimizers[i]; i++)
		for (const Param *p = optimizers[i]->params; p->name; p++)
			if (strcmp(p->name, stmt->name) == 0) {
				diag_error(stmt->name_span,
					   "%s belongs to the optimizer", p->name);
				diag_help("write, for example, `optimizer %s %s=...;`",
					  optimizers[i]->name, p->name);
				return true;
			}
	return false;
}

static const Setting *find_setting(const Setting *table, const Stmt *stmt,
				   const char *section)
{
	const char **names = NULL;
	int n = 0;
	for (const Setting *s = table; s->name; s++) {
		if (strcmp(s->name, stmt->name) == 0)
			return s;
		*vec_push(&names, &n) = s->name;
	}
	if (strcmp(section, "train") != 0 || !optimizer_key(stmt))
		diag_unknown(stmt->name_span, arena_printf("%s setting", section),
			     stmt->name, names, n);
	return NULL;
}

bool setting_repeated(const Stmt *body, int i)
{
	for (int k = 0; k < i; k++)
		if (strcmp(body[k].name, body[i].name) == 0) {
			diag_error(body[i].name_span, "%s is given twice",
				   body[i].name);
			diag_note(body[k].name_span, "the first time is here");
			return true;
		}
	return false;
}

static void read_body(Training *t, const Stmt *section, const Setting *table)
{
	for (int i = 0; i < section->body_count; i++) {
		const Stmt *stmt = &section->body[i];
		const Setting *setting = find_setting(table, stmt, section->name);
		if (!setting || setting_repeated(section->body, i))
			continue;
		if (stmt->has_body) {
			diag_error(stmt->name_span, "%s takes no body", stmt->name);
			diag_help("end it with ';'");
			continue;
		}
		if (setting->choose) {
			setting->choose(t, stmt);
			continue;
		}
		Args args;
		if (bind_args(&args, stmt->name, stmt->span, stmt->args, stmt->count,
			      setting->params))
			setting->read(t, &args);
	}
}

/* ---- all sections -------------------------------------------------------- */

const Param *section_setting(const char *section, int i, const char **name)
{
	const Setting *s =
		strcmp(section, "data") == 0 ? data_settings : train_settings;
	if (strcmp(section, "tune") == 0)
		return tune_setting(i, name);
	for (; i > 0 && s->name; i--)
		s++;
	*name = s->name;
	return s->name ? s->params : NULL;
}

static bool section_form(const Stmt *s, const Stmt *first)
{
	if (first) {
		diag_error(s->name_span, "a second %s section", s->name);
		diag_note(first->name_span, "the first one is here");
		return false;
	}
	bool named = strcmp(s->name, "data") == 0; /* `data fashion_mnist;` is whole */
	if (!s->has_body && !named) {
		diag_error(s->span, "%s takes a body", s->name);
		diag_help("write `%s { ... }`", s->name);
		return false;
	}
	if (s->count && !named) {
		diag_error(s->args[0].value.span,
			   "%s takes no arguments before its body", s->name);
		diag_help("put settings inside: `%s { ... }`", s->name);
		return false;
	}
	return true;
}

static void set_defaults(Training *t)
{
	static const Arg none[1];
	*t = (Training){.scale = 1, .batch = 32, .epochs = 10, .seed = 1, .watch = ""};
	t->loss = find_loss("cross_entropy");
	t->optimizer = find_optimizer("adam");
	Span nowhere = {NULL, 0, 0};
	bind_args(&t->loss_args, t->loss->name, nowhere, none, 0, t->loss->params);
	bind_args(&t->optimizer_args, t->optimizer->name, nowhere, none, 0,
		  t->optimizer->params);
}

void read_sections(Net *net, const Stmt *stmts, int count)
{
	Training *t = &net->training;
	const Stmt *data = NULL, *train = NULL, *tune = NULL;
	set_defaults(t);
	for (int i = 0; i < count; i++) {
		const Stmt *s = &stmts[i];
		const Stmt **slot = strcmp(s->name, "data") == 0    ? &data
				    : strcmp(s->name, "train") == 0 ? &train
				    : strcmp(s->name, "tune") == 0  ? &tune
								    : NULL;
		if (!slot || !section_form(s, *slot))
			continue;
		*slot = s;
		if (slot == &data)
			choose_format(t, s);
		if (slot == &tune)
			read_tune(&net->tune, s);
		else
			read_body(t, s, slot == &data ? data_settings : train_settings);
	}
	net->has_data = data != NULL;
	bool validated = strncmp(t->watch, "val_", 4) == 0;
	if (validated && t->validation == 0 && diag_errors() == 0) {
		diag_error(t->watch_span,
			   "early_stop watches %s, but no samples are held out",
			   t->watch);
		diag_help(data ? "add `validation 0.1;` to the data section, or watch "
				 "loss or accuracy"
			       : "add a data section with `validation 0.1;`, or watch "
				 "loss or accuracy");
	}
}

/* A model without a data section takes the registered set that has its shape. */
static void default_format(Net *net)
{
	for (int i = 0; nnc_formats[i]; i++) {
		const NncFormat *f = nnc_formats[i];
		int64_t size = (int64_t)f->height * f->width * f->channels;
		if (f->classes == net->outputs && size == shape_size(net->input)) {
			net->training.format = f;
			net->training.scale = f->bytes ? 1.0 / 255 : 1;
			net->x->producer->attr.scale = net->training.scale;
			return;
		}
	}
}

void check_data_shape(Net *net)
{
	if (!net->has_data)
		default_format(net);
	const NncFormat *f = net->training.format;
	if (!f || !f->classes)
		return;
	int64_t size = (int64_t)f->height * f->width * f->channels;
	const Stmt *input = net->layers[0]->stmt;
	if (size != shape_size(net->input)) {
		diag_error(input->span,
			   "the input is %s, but the samples of %s are %dx%dx%d",
			   shape_name(net->input), f->name, f->height, f->width,
			   f->channels);
		diag_note(net->training.data_span, "the data comes from here");
		diag_help("write `input %dx%dx%d;`", f->height, f->width, f->channels);
	}
	if (f->classes != net->outputs) {
		diag_error(net->layers[net->layer_count - 1]->stmt->span,
			   "the model has %lld outputs, but %s has %d classes",
			   (long long)net->outputs, f->name, f->classes);
		diag_note(net->training.data_span, "the data comes from here");
		diag_help("end the model with `dense %d softmax;`", f->classes);
	}
}
