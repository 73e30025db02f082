/* diff: two models side by side, then the difference of their C. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "bind.h"
#include "compare/compare.h"

enum { OPT_COLOR = OPTION_LONG, OPT_NO_C, OPT_EXIT_CODE };

#define WHEN "auto|always|never"

static const Option options[] = {
	{'U', "context", "N", "lines of C shown around each difference [3]"},
	{OPT_NO_C, "no-c", NULL, "only say how many lines of C differ"},
	{OPT_COLOR, "color", WHEN, "auto is always on a terminal, else never [auto]"},
	{OPT_EXIT_CODE, "exit-code", NULL, "exit status 1 if anything differs"},
	MODEL_OPTIONS,
	{'h', "help", NULL, "this text"},
	{.key = 0},
};

static const Exit exits[] = {
	{0, "done; with --exit-code: nothing differs"},
	{EXIT_MODEL, "errors in a model; with --exit-code: something differs"},
	{EXIT_USAGE, "usage"},
	{EXIT_COMPILER, "diff(1) is missing"},
	{EXIT_BUG, "a bug of nnc"},
	{EXIT_IO, "output failed"},
	{0, NULL},
};

typedef struct DiffOptions {
	ModelOptions model;
	const char *color;
	int context;
	bool exit_code, help;
} DiffOptions;

static bool read_context(DiffOptions *o, const char *text)
{
	char *end;
	long n = strtol(text, &end, 10);
	if (end == text || *end || n < 0 || n > 1000000)
		return false;
	o->context = (int)n;
	return true;
}

/* What is wrong, or NULL. */
static const char *take_option(DiffOptions *o, int key, const char *value)
{
	switch (key) {
	case 'U':
		return read_context(o, value) ? NULL
					      : "--context takes a number of lines";
	case OPT_NO_C:
		o->context = -1;
		return NULL;
	case OPT_COLOR:
		o->color = value;
		return is_choice(WHEN, value) ? NULL : "--color takes one of " WHEN;
	case OPT_EXIT_CODE:
		o->exit_code = true;
		return NULL;
	case 'h':
		o->help = true;
		return NULL;
	default:
		return model_option(&o->model, key, value);
	}
}

/* Both are read before one is given up, so that the errors of both are seen. */
static bool make_both(const DiffOptions *o, char **files, Net *nets[2])
{
	static Model models[2];
	bool read = true, made = true;
	for (int i = 0; i < 2; i++)
		read = read_model(&models[i], files[i], &o->model) && read;
	for (int i = 0; i < 2 && read; i++) {
		nets[i] = make_net(&models[i], NULL, NULL);
		made = nets[i] && made;
	}
	for (int i = 0; i < 2 && read && made; i++)
		check_memory_expectations(nets[i], models[i].stmts, models[i].count);
	return diag_errors() == 0;
}

static int compare(const DiffOptions *o, char **files)
{
	Net *nets[2] = {NULL, NULL};
	if (!make_both(o, files, nets))
		return EXIT_MODEL;
	const bool automatic = strcmp(o->color, "auto") == 0;
	const Comparison c = {
		.a = nets[0],
		.b = nets[1],
		.name_a = printable(files[0]),
		.name_b = printable(files[1]),
		.out = stdout,
		.colour = automatic ? nnc_colored(stdout) : *o->color == 'a',
	};
	int status;
	bool differ = compare_layers(&c);
	differ |= compare_settings(&c);
	differ |= compare_code(&c, o->context, &status);
	return status ? status : o->exit_code && differ ? 1 : 0;
}

static int run(const Subcommand *self, int argc, char **argv)
{
	DiffOptions o = {.color = "auto", .context = 3};
	const char *value;
	for (int key; (key = next_option(options, argc, argv, &value)) != -1;) {
		const char *wrong = key == '?' ? NULL : take_option(&o, key, value);
		if (key == '?' || wrong)
			return usage_error(self, wrong);
	}
	if (o.help)
		return print_help(self);
	if (argc - optind != 2)
		return usage_error(self, "diff takes two models");
	return compare(&o, argv + optind);
}

const Subcommand subcommand_diff = {
	.name = "diff",
	.operands = "A.nn B.nn",
	.summary = "two models side by side, then their C",
	.detail = "Between the layers: | changed, < only left, > only right. The C of "
		  "the right "
		  "model is\nmade under the left one's name. A model named diff is "
		  "./diff.",
	.options = options,
	.exits = exits,
	.run = run,
};
