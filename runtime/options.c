/*
 * options.c - the options of a command, from its one table: getopt_long's arrays, the
 * checks, the messages and the help are all made of it.
 */
#include "cli.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
	LONG = 256, /* getopt's value for option number i is LONG + i */
	HELP = LONG + NNC_MAX_OPTIONS,
	MAX_WORD = 32, /* longest misspelt word that is compared */
};

/* Of a step: some 5 us on one core, too short to gain from a second one. */
static const double least_shared_flops = 0.75e6;

/* ---- did you mean ------------------------------------------------------------ */

/* Levenshtein's distance; both words are shorter than MAX_WORD. */
static size_t distance(const char *a, const char *b)
{
	size_t row[MAX_WORD] = {0};
	size_t n = strlen(b);

	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		size_t diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			size_t best = diagonal + (a[i - 1] != b[j - 1]);
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			diagonal = row[j];
			row[j] = best;
		}
	}
	return row[n];
}

const char *nnc_nearest(const char *word, const char *const *names, size_t stride)
{
	const char *nearest = NULL;
	size_t length = strlen(word), best = length / 3 + 2;

	if (length >= MAX_WORD)
		return NULL;
	for (const char *p = (const char *)names;; p += stride) {
		const char *name = *(const char *const *)(const void *)p;
		if (!name)
			return nearest;
		if (strlen(name) >= MAX_WORD)
			continue;
		size_t d = distance(word, name);
		if (d < best && d < length) {
			best = d;
			nearest = name;
		}
	}
}

/* ---- values ------------------------------------------------------------------ */

/* The shared fields too: not every command has a row for each. */
static void set_defaults(NncOptions *o, const NncCommand *command)
{
	memset(o, 0, command->options_size ? command->options_size : sizeof *o);
	o->epochs = o->seed = o->threads = o->train = o->patience = -1;
	o->folds = o->fold = -1;
	o->lr = o->validation = NAN;
	for (const NncOption *row = command->options; row->name; row++) {
		void *field = (char *)o + row->field;
		if (row->kind == NNC_OPT_INT)
			*(int64_t *)field = -1;
		else if (row->kind == NNC_OPT_REAL)
			*(double *)field = NAN;
	}
}

static int set_integer(const NncOption *option, int64_t *field, const char *text,
		       NncError *err)
{
	char *end;

	errno = 0;
	long long value = strtoll(text, &end, 10);
	if (end == text || *end || errno || (double)value < option->min ||
	    (double)value > option->max)
		return nnc_fail(err, NNC_USAGE,
				"--%s wants a whole number from %.0f to %.0f, not '%s'",
				option->name, option->min, option->max, text);
	*field = value;
	return NNC_OK;
}

static int set_real(const NncOption *option, double *field, const char *text,
		    NncError *err)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end || !(value >= option->min && value <= option->max))
		return nnc_fail(err, NNC_USAGE,
				"--%s wants a number from %g to %g, not '%s'",
				option->name, option->min, option->max, text);
	*field = value;
	return NNC_OK;
}

static int set_value(NncOptions *o, const NncOption *option, char *text, NncError *err)
{
	void *field = (char *)o + option->field;

	switch (option->kind) {
	case NNC_OPT_FLAG:
		*(bool *)field = true;
		return NNC_OK;
	case NNC_OPT_INT:
		return set_integer(option, field, text, err);
	case NNC_OPT_REAL:
		return set_real(option, field, text, err);
	default:
		if (!*text)
			return nnc_fail(err, NNC_USAGE, "--%s wants a name, not ''",
					option->name);
		*(const char **)field = text;
		return NNC_OK;
	}
}

/* ---- parsing ----------------------------------------------------------------- */

/* What getopt takes, made from a table. */
typedef struct Getopt {
	struct option names[NNC_MAX_OPTIONS + 2];
	char letters[2 * NNC_MAX_OPTIONS + 4];
} Getopt;

static void make_getopt(Getopt *g, const NncOption *table)
{
	char *letter = g->letters;
	int i;

	*letter++ = ':'; /* a missing value is answered by ':' */
	*letter++ = 'h';
	for (i = 0; i < NNC_MAX_OPTIONS && table[i].name; i++) {
		bool takes = table[i].kind != NNC_OPT_FLAG;
		g->names[i] = (struct option){table[i].name,
					      takes ? required_argument : no_argument,
					      NULL, LONG + i};
		if (table[i].letter) {
			*letter++ = table[i].letter;
			if (takes)
				*letter++ = ':';
		}
	}
	*letter = '\0';
	g->names[i] = (struct option){"help", no_argument, NULL, HELP};
	g->names[i + 1] = (struct option){NULL, 0, NULL, 0};
}

/* The option of getopt's answer. */
static const NncOption *find_option(const NncOption *table, int answer)
{
	if (answer >= LONG)
		return &table[answer - LONG];
	while (table->name && table->letter != (char)answer)
		table++;
	return table->name ? table : NULL;
}

static int unknown_option(const NncCommand *command, const char *word, NncError *err)
{
	char name[MAX_WORD];
	const char *nearest;

	if (optopt >= LONG)
		return nnc_fail(err, NNC_USAGE, "%s takes no value", word);
	if (optopt)
		return nnc_fail(err, NNC_USAGE, "unknown option -%c", optopt);
	snprintf(name, sizeof name, "%.*s", (int)strcspn(word + 2, "="), word + 2);
	nearest = nnc_nearest(name, &command->options->name, sizeof(NncOption));
	if (nearest)
		return nnc_fail(err, NNC_USAGE,
				"unknown option %s\nhelp: did you mean --%s?", word,
				nearest);
	return nnc_fail(err, NNC_USAGE, "unknown option %s", word);
}

static int check_operands(const NncOptions *o, const NncCommand *command, NncError *err)
{
	if (o->operand_count < command->min_operands)
		return nnc_fail(err, NNC_USAGE, "%s wants %s", command->name,
				command->operands);
	if (o->operand_count > command->max_operands)
		return nnc_fail(err, NNC_USAGE, "%s does not take '%s'", command->name,
				o->operands[command->max_operands]);
	return NNC_OK;
}

int nnc_options_parse(NncOptions *o, const NncCommand *command, int argc, char **argv,
		      NncError *err)
{
	Getopt g = {0};
	int answer;

	set_defaults(o, command);
	make_getopt(&g, command->options);
	opterr = 0;
	optind = 0; /* glibc: begin anew */
	while ((answer = getopt_long(argc, argv, g.letters, g.names, NULL)) != -1) {
		const NncOption *option;
		if (answer == 'h' || answer == HELP) {
			o->help = true;
			return NNC_OK;
		}
		if (answer == '?')
			return unknown_option(command, argv[optind - 1], err);
		if (answer == ':')
			return nnc_fail(err, NNC_USAGE, "%s wants a value",
					argv[optind - 1]);
		option = find_option(command->options, answer);
		int code = option ? set_value(o, option, optarg, err)
				  : unknown_option(command, argv[optind - 1], err);
		if (code)
			return code;
	}
	o->operands = argv + optind;
	o->operand_count = argc - optind;
	return check_operands(o, command, err);
}

int nnc_no_output(const NncProgram *program, const char *command, NncError *err)
{
	return nnc_fail(err, NNC_USAGE,
			"%s wants the file to write\nhelp: %s %s -o FILE", command,
			program->path, command);
}

int nnc_threads(const NncModel *model, const NncOptions *o)
{
	int cpus;

	if (o->threads > 0)
		return (int)o->threads;
	if (model->step_flops < least_shared_flops)
		return 1;
	cpus = nnc_cpu_count();
	return cpus < NNC_MAX_THREADS ? cpus : NNC_MAX_THREADS;
}

/* ---- help -------------------------------------------------------------------- */

/* Appends " [default]" where the model's file, or the machine, has one. */
static void print_default(FILE *out, const NncOption *option, const NncModel *model)
{
	const NncTraining *t = &model->training;

	if (option->field == offsetof(NncOptions, epochs))
		fprintf(out, " [%d]", (int)t->epochs);
	else if (option->field == offsetof(NncOptions, lr))
		fprintf(out, " [%g]", t->lr);
	else if (option->field == offsetof(NncOptions, seed))
		fprintf(out, " [%u]", (unsigned)t->seed);
	else if (option->field == offsetof(NncOptions, train) && t->train)
		fprintf(out, " [%lld]", (long long)t->train);
	else if (option->field == offsetof(NncOptions, threads))
		fprintf(out, " [%d]", nnc_threads(model, &(NncOptions){.threads = -1}));
	else if (option->field == offsetof(NncOptions, validation))
		fprintf(out, " [%g]", t->validation);
	else if (option->field == offsetof(NncOptions, patience) && t->watch[0])
		fprintf(out, " [%d, %s]", (int)t->patience, t->watch);
}

void nnc_options_help(FILE *out, const NncCommand *command, const NncModel *model)
{
	char left[64];

	for (const NncOption *o = command->options; o->name; o++) {
		int n = o->letter ? snprintf(left, sizeof left, "-%c, ", o->letter)
				  : snprintf(left, sizeof left, "    ");
		snprintf(left + n, sizeof left - (size_t)n, "--%s %s", o->name,
			 o->value ? o->value : "");
		fprintf(out, "  %-24s %s", left, o->help);
		print_default(out, o, model);
		fputc('\n', out);
	}
	fprintf(out, "  %-24s %s\n", "-h, --help", "this text");
}
