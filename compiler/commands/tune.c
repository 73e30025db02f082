/*
 * tune.c - the command `nnc tune`: the model's tune section as a cross-validated grid
 * search. Its stages, in order; the work is in search/.
 */
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "search/search.h"

enum {
	OPT_OUT = OPTION_LONG,
	OPT_DATA,
	OPT_REFIT,
	OPT_JSON,
	OPT_MARCH,
};

enum { MAX_AT_ONCE = 1024 };

static const Option options[] = {
	{'j', "jobs", "N", "runs side by side (default: one for each CPU)"},
	{'o', "out", "DIR", "the folder of the search (default: NAME.tune)"},
	{OPT_DATA, "data", "DIR", "where the data set is, as for train"},
	{OPT_REFIT, "refit", NULL,
	 "then train the best point on all samples, to NAME.run, and test it"},
	MODEL_OPTIONS,
	{OPT_MARCH, "march", "ARCH",
	 "build for this CPU, as cc -march (default: native)"},
	{OPT_JSON, "json", NULL, "the results as JSON"},
	{'q', "quiet", NULL, "no progress on stderr"},
	{'v', NULL, NULL, "print the commands that are run"},
	{'h', "help", NULL, "this text"},
	{.key = 0},
};

static const Exit exits[] = {
	{0, "done"},
	{EXIT_MODEL, "errors in the model, or every point diverged"},
	{EXIT_USAGE, "usage"},
	{EXIT_COMPILER, "the C compiler is missing or failed"},
	{NNC_DATA, "malformed data"},
	{NNC_NOINPUT, "the data are missing"},
	{EXIT_BUG, "a bug of nnc, or a run crashed"},
	{NNC_NOMEM, "out of memory"},
	{EXIT_IO, "a file cannot be written"},
	{128 + SIGINT, "interrupted; the same command goes on"},
	{128 + SIGTERM, "ended by a signal, likewise"},
	{0, NULL},
};

/* ---- options ---- */

static bool read_jobs(SearchOptions *o, const char *value)
{
	char *end;
	long n = strtol(value, &end, 10);
	if (end == value || *end || n < 1 || n > MAX_AT_ONCE)
		return false;
	o->at_once = (int)n;
	return true;
}

/* -1: go on; otherwise the exit status. */
static int read_option(const Subcommand *self, SearchOptions *o, int key,
		       const char *value)
{
	switch (key) {
	case 'j':
		if (!read_jobs(o, value))
			return usage_error(self, "--jobs wants a number from 1");
		break;
	case 'o':
		if (!*value)
			return usage_error(self, "--out wants a name, not ''");
		o->out = value;
		break;
	case OPT_DATA:
		o->data = value;
		break;
	case OPT_REFIT:
		o->refit = true;
		break;
	case OPT_MARCH:
		o->build.march = value;
		break;
	case OPT_JSON:
		o->json = true;
		break;
	case 'q':
		o->quiet = true;
		break;
	case 'v':
		o->build.verbose = true;
		break;
	case 'h':
		return print_help(self);
	case '?':
		return usage_error(self, NULL);
	default:;
		const char *wrong = model_option(&o->model, key, value);
		return wrong ? usage_error(self, wrong) : -1;
	}
	return -1;
}

static int read_options(const Subcommand *self, SearchOptions *o, int argc, char **argv)
{
	const char *value;
	*o = (SearchOptions){.at_once = nnc_cpu_count(), .build = {.march = "native"}};
	for (int key; (key = next_option(self->options, argc, argv, &value)) != -1;) {
		int status = read_option(self, o, key, value);
		if (status >= 0)
			return status;
	}
	if (optind + 1 != argc)
		return usage_error(self, optind == argc ? "no model to tune"
							: "one model at a time");
	o->input = argv[optind];
	return -1;
}

/* ---- the model and its data ---- */

static const char *stem(const char *base)
{
	size_t n = strlen(base);
	bool known = n > 3 && strcmp(base + n - 3, ".nn") == 0;
	return arena_strndup(base, known ? n - 3 : n);
}

/* -D of a constant that the tune section varies. */
static bool is_fixed(const Search *s)
{
	const ExpandOptions *x = &s->options->model.expand;
	for (int i = 0; i < x->define_count; i++)
		for (int k = 0; k < s->tune->axis_count; k++)
			if (strcmp(x->defines[i].name, s->tune->axes[k].name) == 0) {
				diag_error(s->tune->axes[k].span,
					   "-D fixes %s, which is to be varied here",
					   x->defines[i].name);
				return true;
			}
	return false;
}

static int read_it(Search *s)
{
	const SearchOptions *o = s->options;
	if (!read_model(&s->model, o->input, &o->model))
		return EXIT_MODEL;
	Net *net = make_net(&s->model, NULL, NULL);
	if (!net)
		return EXIT_MODEL;
	check_memory_expectations(net, s->model.stmts, s->model.count);
	Span file = {s->model.source, 0, 0};
	s->net = net;
	s->tune = &net->tune;
	s->name = stem(s->model.source->base);
	s->folder = o->out ? o->out : arena_printf("%s.tune", s->name);
	if (!s->tune->given) {
		diag_error(file, "the model has no tune section");
		diag_help("say what to try: `tune { lr [1e-3, 1e-2]; batch [16, 64]; "
			  "}`");
	} else if (!net->training.format) {
		diag_error(file, "the model has no data section");
		diag_help("write, for example, `data csv \"train.csv\";`");
	} else {
		is_fixed(s);
	}
	return diag_errors() ? EXIT_MODEL : 0;
}

static NncDataRequest request_of(const Search *s)
{
	const Net *net = s->net;
	Shape in = net->input.rank == 3 ? net->input : shape3(1, 1, net->input.dim[0]);
	return (NncDataRequest){.directory = s->options->data,
				.path = net->training.path,
				.label = net->training.label,
				.height = (int32_t)in.dim[0],
				.width = (int32_t)in.dim[1],
				.channels = (int32_t)in.dim[2],
				.classes = (int32_t)net->outputs};
}

static int say(const NncError *err)
{
	fprintf(stderr, "nnc: error: %s\n", err->message);
	return err->code;
}

/* What is missing or too little is found out before anything is compiled. */
static int look_at_data(Search *s, NncData *data)
{
	const Training *t = &s->net->training;
	NncDataRequest request = request_of(s);
	NncSplit split;
	NncError err = {0};
	if (t->format->load(data, &request, &err))
		return say(&err);
	s->data_id = arena_printf(
		"%lld %08x %08x", (long long)data->count,
		nnc_crc32(data->samples, (size_t)data->count * nnc_sample_size(data) *
						 (data->bytes ? 1 : sizeof(float))),
		nnc_crc32(data->labels, (size_t)data->count * sizeof *data->labels));
	int code = nnc_split_fold(&split, data,
				  s->tune->samples ? s->tune->samples : t->train,
				  (int32_t)s->tune->folds, 1, t->seed, &err);
	if (code == NNC_USAGE) {
		diag_error(s->tune->span, "%s", err.message);
		return EXIT_MODEL;
	}
	if (code)
		return say(&err);
	s->samples = (int64_t)(split.train_count + split.validation_count);
	nnc_split_free(&split);
	return 0;
}

/* The jobs map it: many of them are done sooner than a data set is unpacked. */
static int save_data(const Search *s, const NncData *data)
{
	NncError err;
	return nnc_snapshot_save(folder_file(s, SNAPSHOT), data, &err) ? say(&err) : 0;
}

/* ---- the stages ---- */

/* Opens the folder, with the data in it. */
static int prepare(Search *s)
{
	NncData data = {0};
	int status = look_at_data(s, &data);
	if (!status)
		status = folder_open(s);
	if (!status)
		pool_hold_signals();
	if (!status && (status = save_data(s, &data)))
		folder_close(s, false);
	nnc_data_free(&data);
	return status;
}

static void say_what(Search *s)
{
	live_note(s, "%s: %s x %s of %s, %s; %s side by side, in %s", s->name,
		  count_text(s->point_count, "point"),
		  count_text(s->tune->folds, "fold"), count_text(s->samples, "sample"),
		  count_text(s->tune->epochs, "epoch"),
		  count_text(s->options->at_once, "run"), s->folder);
	if (s->done_before)
		live_note(s, "%d of %s done before", s->done_before,
			  count_text(s->job_count, "run"));
}

static int search(Search *s)
{
	grid_points(s);
	int status = variants_identify(s);
	if (status)
		return status;
	grid_jobs(s);
	jobs_load(s);
	say_what(s);
	status = variants_compile(s);
	if (!status)
		status = jobs_run(s);
	live_clear(s);
	return status;
}

/* An optimum at the end of an axis may not be one. */
static void look_beyond(Search *s, const Point *best)
{
	for (int i = 0; i < s->tune->axis_count; i++) {
		const Axis *axis = &s->tune->axes[i];
		int lower = 0, higher = 0;
		for (int k = 0; k < axis->count; k++) {
			lower += axis->values[k]->number < best->values[i]->number;
			higher += axis->values[k]->number > best->values[i]->number;
		}
		if (axis->values[0]->kind == VALUE_NUMBER && axis->count > 2 &&
		    (!lower || !higher))
			live_note(s, "%s=%s is the %s tried: the best may lie beyond",
				  axis->name, plain_text(best->values[i]),
				  lower ? "largest" : "smallest");
	}
}

static int show(Search *s)
{
	points_rank(s);
	const Point *best = best_point(s);
	int status = write_results(s);
	if (!status)
		status = plot_results(s);
	if (!status)
		status = print_results(s);
	if (status)
		return status;
	if (!best) {
		fprintf(stderr, "nnc: error: every point diverged\n"
				"help: lower learning rates may not\n");
		return NNC_FAILED;
	}
	live_note(s, "best: %s, accuracy %.4f %s %.4f; see %s", point_text(s, best),
		  best->mean, plus_minus(s), best->sd, s->folder);
	look_beyond(s, best);
	return s->options->refit ? refit_best(s) : 0;
}

/* An argument as a shell takes it. */
static void print_argument(const char *text)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVW"
				    "XYZ0123456789_-+=./,:";
	if (*text && !text[strspn(text, plain)]) {
		fprintf(stderr, " %s", text);
		return;
	}
	fputs(" '", stderr);
	for (; *text; text++)
		fputs(*text == '\'' ? "'\\''" : (char[]){*text, '\0'}, stderr);
	fputc('\'', stderr);
}

static void say_how_to_go_on(const Search *s, int argc, char **argv)
{
	int done = 0;
	for (int i = 0; i < s->job_count; i++)
		done += s->jobs[i]->state == JOB_DONE;
	fprintf(stderr, "interrupted: %d of %s done\nto go on: nnc", done,
		count_text(s->job_count, "run"));
	for (int i = 0; i < argc; i++)
		print_argument(argv[i]);
	fputc('\n', stderr);
}

static int run(const Subcommand *self, int argc, char **argv)
{
	SearchOptions o;
	Search s = {.options = &o};
	/* getopt sorts argv. */
	char **words = arena_alloc((size_t)argc * sizeof *words);
	memcpy(words, argv, (size_t)argc * sizeof *words);
	int status = read_options(self, &o, argc, argv);
	if (status >= 0)
		return status;
	live_open(&s);
	status = read_it(&s);
	if (!status)
		status = prepare(&s);
	if (status)
		return status;
	status = search(&s);
	if (!status)
		status = show(&s);
	if (status > 128)
		say_how_to_go_on(&s, argc, words);
	folder_close(&s, status == EXIT_COMPILER);
	return status;
}

const Subcommand command_tune = {
	.name = "tune",
	.operands = "MODEL.nn",
	.summary = "the best of the model's tune section, by cross-validation",
	.detail =
		"Every point is trained once for each fold, without early stopping, "
		"and "
		"scored by its\naccuracy on that fold. DIR has cv_results.csv "
		"(scikit-learn's columns), a heat map,\nand best.nn, the winning train "
		"section. What was interrupted is gone on with by the\nsame command.",
	.options = options,
	.exits = exits,
	.run = run,
};
