/* settings.c - what the data and train sections of two models come to, where it
 * differs. */
#include <string.h>

#include "compare.h"

/* "sgd lr=0.002 nesterov": the learning rate, and what is not as it is by default. */
static const char *args_text(const char *name, const Args *args)
{
	const char *text = name;
	for (const Param *p = args->params; p && p->name; p++) {
		if (p->forms & NNC_ARG_FLAG) {
			if (arg_flag(args, p->name) != (p->initial != 0))
				text = arena_printf("%s %s%s", text,
						    p->initial != 0 ? "no " : "",
						    p->name);
			continue;
		}
		double value = arg_real(args, p->name);
		if (value != p->initial || strcmp(p->name, "lr") == 0)
			text = arena_printf("%s %s=%s", text, p->name,
					    number_text(value));
	}
	return text;
}

static const char *stop_text(const Training *t)
{
	if (!*t->watch)
		return "none";
	const char *text =
		arena_printf("%s patience=%lld", t->watch, (long long)t->patience);
	return t->min_delta != 0 ? arena_printf("%s min_delta=%s", text,
						number_text(t->min_delta))
				 : text;
}

static const char *data_text(const Training *t)
{
	const char *text = t->format ? t->format->name : "none";
	if (t->path)
		text = arena_printf("%s \"%s\"", text, printable(t->path));
	return t->label ? arena_printf("%s label %s", text, printable(t->label)) : text;
}

enum {
	DATA,
	SAMPLES,
	HELD_OUT,
	SCALE,
	LOSS,
	OPTIMIZER,
	BATCH,
	EPOCHS,
	STOP,
	SEED,
	SETTINGS
};

static const char *const names[SETTINGS] = {
	[DATA] = "data",
	[SAMPLES] = "training samples",
	[HELD_OUT] = "share held out",
	[SCALE] = "scale",
	[LOSS] = "loss",
	[OPTIMIZER] = "optimizer",
	[BATCH] = "batch",
	[EPOCHS] = "epochs",
	[STOP] = "early stopping",
	[SEED] = "seed",
};

static void texts_of(const Training *t, const char *texts[SETTINGS])
{
	texts[DATA] = data_text(t);
	texts[SAMPLES] = t->train ? grouped_text(t->train) : "all";
	texts[HELD_OUT] = number_text(t->validation);
	texts[SCALE] = number_text(t->scale);
	texts[LOSS] = args_text(t->loss->name, &t->loss_args);
	texts[OPTIMIZER] = args_text(t->optimizer->name, &t->optimizer_args);
	texts[BATCH] = int_text(t->batch);
	texts[EPOCHS] = int_text(t->epochs);
	texts[STOP] = stop_text(t);
	texts[SEED] = arena_printf("%u", t->seed);
}

bool compare_settings(const Comparison *c)
{
	const char *a[SETTINGS], *b[SETTINGS];
	int width = 4;
	bool differ = false;
	texts_of(&c->a->training, a);
	texts_of(&c->b->training, b);
	for (int i = 0; i < SETTINGS; i++)
		if (strcmp(a[i], b[i]) != 0 && (int)strlen(a[i]) > width)
			width = (int)strlen(a[i]);
	for (int i = 0; i < SETTINGS; i++) {
		if (strcmp(a[i], b[i]) == 0)
			continue;
		if (!differ)
			fprintf(c->out, "\n%-24s %-*s   %s\n", "settings", width,
				"left", "right");
		differ = true;
		fprintf(c->out, "%-24s %s%-*s | %s%s\n", names[i], colour(c, "33"),
			width, a[i], b[i], colour(c, "0"));
	}
	if (!differ)
		fputs("\nsettings                 the same\n", c->out);
	return differ;
}
