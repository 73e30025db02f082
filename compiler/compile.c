/*
 * compile.c - what nnc does with a model: its options, and what is written at the end.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bind.h"
#include "cli.h"
#include "nnc.h"

typedef struct Options {
	const char *input, *output;
	const char *emit;  /* exe, c, ir, nn */
	const char *after; /* --after: stop behind this pass */
	bool check, summary, explain, tune;
	ModelOptions model;
	BuildOptions build;
} Options;

#define EMIT_KINDS "exe|c|ir|nn"

static const char usage[] =
	"usage: nnc MODEL.nn [-o PROGRAM]      compile: then ./PROGRAM train\n"
	"       nnc -S MODEL.nn [-o FILE.c]    the generated C (-o - for stdout)\n"
	"       nnc --summary MODEL.nn         layers, shapes, parameters, memory\n"
	"       nnc --explain MODEL.nn         the kernel of every op, and why\n"
	"       nnc --doc WORD                 a layer, activation, optimizer, loss, "
	"data set\n";

enum {
	OPT_EMIT = OPTION_LONG,
	OPT_AFTER,
	OPT_SUMMARY,
	OPT_EXPLAIN,
	OPT_TUNE,
	OPT_MARCH,
	OPT_CHECK,
	OPT_KEEP,
	OPT_DOC,
	OPT_VERSION,
	OPT_COMPLETION,
};

static const Option options[] = {
	{'o', NULL, "FILE", "where to write; by default the model's name"},
	{'S', NULL, NULL, "the same as --emit=c"},
	{OPT_EMIT, "emit", EMIT_KINDS,
	 "a program (default), its C, its graph, the model in normal form"},
	{OPT_AFTER, "after", "PASS",
	 "with --emit=ir: as it is behind build or a pass:"},
	MODEL_OPTIONS,
	{OPT_TUNE, "tune-kernels", NULL,
	 "time the kernels that fit on this CPU, take the fastest, and keep\n"
	 "the times in $XDG_CACHE_HOME/nnc or ~/.cache/nnc"},
	{OPT_MARCH, "march", "ARCH",
	 "build for this CPU, as cc -march (default: native)"},
	{OPT_SUMMARY, "summary", NULL, "layers, shapes, parameters and memory"},
	{OPT_EXPLAIN, "explain", NULL, "the kernel of every op, and why no other"},
	{OPT_DOC, "doc", "WORD", "what a word of the language means"},
	{OPT_CHECK, "check", NULL, "read and check the model, write nothing"},
	{OPT_KEEP, "keep", NULL, "leave the C text beside the program"},
	{'v', NULL, NULL, "print the commands that are run"},
	{'#', NULL, NULL, "print the commands and run none"},
	{OPT_VERSION, "version", NULL, "the version of nnc"},
	{OPT_COMPLETION, "completion", NNC_SHELLS,
	 "the script that makes this shell complete nnc's command lines"},
	{'h', "help", NULL, "this text"},
	{.key = 0},
};

static const Exit exits[] = {
	{0, "done"},
	{EXIT_MODEL, "errors in the model"},
	{EXIT_USAGE, "usage"},
	{EXIT_COMPILER,
	 "the C compiler is missing or failed, or the kernels cannot be timed"},
	{EXIT_BUG, "a bug of nnc"},
	{NNC_NOMEM, "out of memory"},
	{EXIT_IO, "a file cannot be written"},
	{0, NULL},
};

/* ---- options ------------------------------------------------------------------ */

static void print_commands(FILE *out)
{
	fputs(usage, out);
	for (int i = 0; subcommands[i]; i++)
		fprintf(out, "       nnc %-26s %s\n",
			arena_printf("%s %s", subcommands[i]->name,
				     subcommands[i]->operands),
			subcommands[i]->summary);
}

static int wrong_usage(const char *message)
{
	fprintf(stderr, "nnc: error: %s\n", message);
	print_commands(stderr);
	return EXIT_USAGE;
}

/* -1: go on; otherwise the exit status. */
static int read_option(Options *o, int option, const char *value)
{
	switch (option) {
	case 'o':
		o->output = value;
		break;
	case 'S':
		o->emit = "c";
		break;
	case 'v':
		o->build.verbose = true;
		break;
	case '#':
		o->build.dry = true;
		break;
	case OPT_EMIT:
		if (!is_choice(EMIT_KINDS, value))
			return wrong_usage("--emit takes one of " EMIT_KINDS);
		o->emit = value;
		break;
	case OPT_AFTER:
		if (!is_stage(value))
			return wrong_usage("--after takes build or a pass");
		o->after = value;
		break;
	case OPT_SUMMARY:
		o->summary = true;
		break;
	case OPT_EXPLAIN:
		o->explain = true;
		break;
	case OPT_TUNE:
		o->tune = true;
		break;
	case OPT_MARCH:
		o->build.march = value;
		break;
	case OPT_CHECK:
		o->check = true;
		break;
	case OPT_KEEP:
		o->build.keep = true;
		break;
	case OPT_DOC:
		return print_doc(stdout, value);
	case OPT_VERSION:
		puts("nnc " NNC_VERSION);
		return 0;
	case OPT_COMPLETION:
		return print_completion(stdout, value)
			       ? 0
			       : wrong_usage("--completion takes one of " NNC_SHELLS);
	case 'h':
		print_commands(stdout);
		puts("");
		print_options(stdout, options);
		print_end(&command_compile);
		return 0;
	case '?':
		print_commands(stderr);
		return EXIT_USAGE;
	default:;
		const char *wrong = model_option(&o->model, option, value);
		return wrong ? wrong_usage(wrong) : -1;
	}
	return -1;
}

/* `nnc train m.nn`, which many will try once. */
static bool of_programs(const char *word)
{
	for (int i = 0; nnc_commands[i]; i++)
		if (strcmp(nnc_commands[i]->name, word) == 0)
			return access(word, F_OK) != 0;
	return false;
}

/* What a word that is no file may have been meant to be, or NULL. */
static const char *near_command(const char *word)
{
	const char **names = NULL;
	int n = 0;
	for (int i = 0; subcommands[i]; i++)
		*vec_push(&names, &n) = subcommands[i]->name;
	return access(word, F_OK) != 0 ? nearest(word, names, n) : NULL;
}

static int read_options(Options *o, int argc, char **argv)
{
	*o = (Options){.emit = "exe", .build = {.march = "native"}};
	if (argc > 1 && of_programs(argv[1]))
		return wrong_usage(arena_printf(
			"'%s' is a command of the programs that nnc builds: nnc "
			"MODEL.nn, then ./MODEL %s",
			argv[1], argv[1]));
	const char *value;
	for (int key; (key = next_option(options, argc, argv, &value)) != -1;) {
		int status = read_option(o, key, value);
		if (status >= 0)
			return status;
	}
	if (optind == argc)
		return wrong_usage("no model to compile; nnc --help lists the options");
	if (optind + 1 < argc) {
		const char *near = near_command(argv[optind]);
		return wrong_usage(
			near ? arena_printf("no command '%s'; did you mean '%s'?",
					    printable(argv[optind]), near)
			     : "one model at a time");
	}
	o->input = argv[optind];
	if (o->after && strcmp(o->emit, "ir") != 0)
		return wrong_usage("--after goes with --emit=ir");
	return -1;
}

/* ---- output ------------------------------------------------------------------- */

static bool same_file(const char *a, const char *b)
{
	struct stat x, y;
	return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev &&
	       x.st_ino == y.st_ino;
}

/* Text goes to `path`, or to stdout where that is "-". */
static int write_text(const char *path, const char *text, size_t size)
{
	if (strcmp(path, "-") != 0)
		return write_output(path, text, size);
	if (fwrite(text, 1, size, stdout) == size && fflush(stdout) == 0)
		return 0;
	fprintf(stderr, "nnc: error: cannot write to stdout: %s\n", strerror(errno));
	return EXIT_IO;
}

static const char *default_output(const Source *source, const char *suffix)
{
	size_t length = strlen(source->base);
	bool known = length > 3 && strcmp(source->base + length - 3, ".nn") == 0;
	const char *stem = arena_strndup(source->base, known ? length - 3 : length);
	return known || *suffix ? arena_printf("%s%s", stem, suffix)
				: arena_printf("%s.out", stem);
}

static int write_result(const Options *o, const Net *net, const Stmt *stmts, int count)
{
	bool program = strcmp(o->emit, "exe") == 0, c = strcmp(o->emit, "c") == 0;
	const char *output = o->output;
	if (!output)
		output =
			program || c ? default_output(net->source, c ? ".c" : "") : "-";
	if (same_file(output, o->input))
		return wrong_usage("the output would overwrite the model");
	if (program)
		return compile_program(net, output, &o->build);
	TextStream stream;
	size_t size;
	int status = 0;
	text_open(&stream);
	if (c)
		status = emit_program(net, stream.out) ? 0 : EXIT_MODEL;
	else if (strcmp(o->emit, "ir") == 0)
		print_ir(stream.out, net);
	else
		print_stmts(stream.out, stmts, count);
	const char *text = text_close(&stream, &size);
	return status == 0 ? write_text(output, text, size) : status;
}

/* ---- the whole ---------------------------------------------------------------- */

/* The answers to --summary and --explain, or what is compiled. */
static int answer(const Options *o, Model *m, Tuning *tuning, const Net *net)
{
	if (o->summary)
		print_summary(stdout, net);
	if (o->explain) /* before kernels become other ops */
		print_explain(stdout, make_net(m, tuning, "update"));
	bool asked = o->check || o->summary || o->explain;
	return asked ? 0 : write_result(o, net, m->stmts, m->count);
}

static int compile(const Options *o)
{
	Model m;
	Tuning *tuning = NULL;
	if (!read_model(&m, o->input, &o->model)) {
		const char *near = near_command(o->input);
		if (near)
			diag_help("did you mean the command '%s'?", near);
		return EXIT_MODEL;
	}
	Net *net = make_net(&m, NULL, o->after);
	if (!net)
		return EXIT_MODEL;
	if (o->tune && !o->check && strcmp(o->emit, "nn") != 0) {
		int status = tune_kernels(&tuning, make_net, &m, &o->build);
		if (status)
			return status;
		net = make_net(&m, tuning, o->after);
	}
	if (!o->after)
		check_memory_expectations(net, m.stmts, m.count);
	if (diag_errors())
		return EXIT_MODEL;
	return answer(o, &m, tuning, net);
}

static int run(const Subcommand *self, int argc, char **argv)
{
	Options o;
	int status = read_options(&o, argc, argv);
	(void)self;
	return status < 0 ? compile(&o) : status;
}

const Subcommand command_compile = {
	.name = "",
	.operands = "MODEL.nn",
	.summary = "compiler for neural networks",
	.detail = "CC, CFLAGS and LDFLAGS are honoured.",
	.options = options,
	.exits = exits,
	.run = run,
};
