/*
 * main.c - the command: options, the passes in order, and what is written at the end.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "nnc.h"

enum { EXIT_MODEL = 1, EXIT_USAGE = 2 };

/* The passes: each requires the one before it and keeps ir_check() content. */
static const struct Pass {
	const char *name;
	void (*run)(Net *net);
} passes[] = {
	{"reorder", pass_reorder}, /* bias and activation behind maxpool */
	{"infer", pass_infer},     /* the inference program */
	{"diff", pass_diff},       /* loss, backward, update */
	{"fuse", pass_fuse},       /* elementwise ops into their producers */
	{"select", pass_select},   /* a kernel for every node */
	{"tune", pass_tune},       /* another, where that was measured to be faster */
	{"pool", pass_pool},       /* maxpool into the kernels beside it */
	{"update", pass_update},   /* the step into the kernels of gradients */
	{"lower", pass_lower},     /* kernels that are made of other ops */
	{"plan", pass_plan},       /* a place for every value */
	{"sync", pass_sync},       /* barriers between threads */
};

typedef struct Options {
	const char *input, *output;
	const char *emit;  /* exe, c, ir, nn */
	const char *after; /* --after: stop behind this pass */
	bool check, summary, explain, tune;
	const Kernel **kernels; /* --kernel */
	int kernel_count;
	ExpandOptions expand;
	BuildOptions build;
} Options;

static const char usage[] =
	"usage: nnc MODEL.nn [-o PROGRAM]      compile: then ./PROGRAM train\n"
	"       nnc -S MODEL.nn [-o FILE.c]    the generated C (-o - for stdout)\n"
	"       nnc --summary MODEL.nn         layers, shapes, parameters, memory\n"
	"       nnc --explain MODEL.nn         the kernel of every op, and why\n"
	"       nnc --doc NAME                 a layer, activation, optimizer, loss, "
	"data set\n";

static const char details[] =
	"\n"
	"  -o FILE           where to write; by default the model's name\n"
	"  -S                the same as --emit=c\n"
	"  --emit=KIND       exe (default), c, ir, or nn (the model in normal form)\n"
	"  --after=PASS      with --emit=ir: as it is behind build, reorder, infer, "
	"diff, "
	"fuse,\n                    select, tune, pool, update, lower, plan or sync\n"
	"  -D NAME=VALUE     another value for a constant of the model\n"
	"  -I DIR            look for included files here too\n"
	"  --kernel=NAME     take this kernel where it fits, whatever it costs; may be "
	"repeated\n"
	"  --tune-kernels    time the kernels that fit on this CPU, take the fastest, "
	"and "
	"keep\n                    the times in $XDG_CACHE_HOME/nnc or ~/.cache/nnc\n"
	"  --march=ARCH      build for this CPU, as cc -march (default: native)\n"
	"  --check           read and check the model, write nothing\n"
	"  --keep            leave the C text beside the program\n"
	"  -v, -###          print the commands; print them and run none\n"
	"  --version, --help\n"
	"\n"
	"CC, CFLAGS and LDFLAGS are honoured. Exit status: 0; 1 errors in the model; 2 "
	"usage;\n"
	"3 the C compiler is missing or failed, or the kernels cannot be timed; 70 a "
	"bug of "
	"nnc;\n74 a file cannot be written.\n";

enum {
	OPT_EMIT = 256,
	OPT_AFTER,
	OPT_SUMMARY,
	OPT_EXPLAIN,
	OPT_KERNEL,
	OPT_TUNE,
	OPT_MARCH,
	OPT_CHECK,
	OPT_KEEP,
	OPT_DOC,
	OPT_VERSION,
	OPT_HELP,
};

static const struct option long_options[] = {
	{"emit", required_argument, NULL, OPT_EMIT},
	{"after", required_argument, NULL, OPT_AFTER},
	{"summary", no_argument, NULL, OPT_SUMMARY},
	{"explain", no_argument, NULL, OPT_EXPLAIN},
	{"kernel", required_argument, NULL, OPT_KERNEL},
	{"tune-kernels", no_argument, NULL, OPT_TUNE},
	{"march", required_argument, NULL, OPT_MARCH},
	{"check", no_argument, NULL, OPT_CHECK},
	{"keep", no_argument, NULL, OPT_KEEP},
	{"doc", required_argument, NULL, OPT_DOC},
	{"version", no_argument, NULL, OPT_VERSION},
	{"help", no_argument, NULL, OPT_HELP},
	{NULL, 0, NULL, 0},
};

/* ---- options
 * ------------------------------------------------------------------------- */

static int usage_error(const char *message)
{
	fprintf(stderr, "nnc: error: %s\n%s", message, usage);
	return EXIT_USAGE;
}

static bool one_of(const char *word, const char *const *words)
{
	for (; *words; words++)
		if (strcmp(word, *words) == 0)
			return true;
	return false;
}

static bool is_stage(const char *word)
{
	for (size_t i = 0; i < sizeof passes / sizeof *passes; i++)
		if (strcmp(word, passes[i].name) == 0)
			return true;
	return strcmp(word, "build") == 0;
}

static bool add_define(Options *o, const char *text)
{
	const char *equals = strchr(text, '=');
	if (!equals || equals == text)
		return false;
	Define *defines = (Define *)o->expand.defines;
	Define *d = vec_push(&defines, &o->expand.define_count);
	*d = (Define){arena_strndup(text, (size_t)(equals - text)), equals + 1};
	o->expand.defines = defines;
	return true;
}

static void add_include(Options *o, const char *dir)
{
	const char **dirs = (const char **)o->expand.include_dirs;
	*vec_push(&dirs, &o->expand.include_count) = dir;
	o->expand.include_dirs = dirs;
}

static bool add_kernel(Options *o, const char *name)
{
	for (int i = 0; kernels[i]; i++)
		if (strcmp(kernels[i]->name, name) == 0) {
			*vec_push(&o->kernels, &o->kernel_count) = kernels[i];
			return true;
		}
	return false;
}

/* -1: go on; otherwise the exit status. */
static int read_option(Options *o, int option, const char *value)
{
	static const char *const kinds[] = {"exe", "c", "ir", "nn", NULL};
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
	case 'I':
		add_include(o, value);
		break;
	case 'D':
		if (!add_define(o, value))
			return usage_error("-D takes NAME=VALUE");
		break;
	case OPT_EMIT:
		if (!one_of(value, kinds))
			return usage_error("--emit takes exe, c, ir or nn");
		o->emit = value;
		break;
	case OPT_AFTER:
		if (!is_stage(value))
			return usage_error("--after takes build or a pass");
		o->after = value;
		break;
	case OPT_SUMMARY:
		o->summary = true;
		break;
	case OPT_EXPLAIN:
		o->explain = true;
		break;
	case OPT_KERNEL:
		if (!add_kernel(o, value))
			return usage_error("--kernel takes a kernel's name, as "
					   "--explain shows them");
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
	case OPT_HELP:
		printf("%s%s", usage, details);
		return 0;
	default:
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	return -1;
}

/* -### as gcc has it, which getopt cannot spell. */
static int take_dry(int argc, char **argv, Options *o)
{
	int kept = 1;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "-###") == 0)
			o->build.dry = true;
		else
			argv[kept++] = argv[i];
	}
	argv[kept] = NULL;
	return kept;
}

static int read_options(Options *o, int argc, char **argv)
{
	*o = (Options){.emit = "exe", .build = {.march = "native"}};
	argc = take_dry(argc, argv, o);
	int option;
	while ((option = getopt_long(argc, argv, "o:SvD:I:", long_options, NULL)) !=
	       -1) {
		int status = read_option(o, option, optarg);
		if (status >= 0)
			return status;
	}
	if (optind == argc)
		return usage_error("no model to compile");
	if (optind + 1 < argc)
		return usage_error("one model at a time");
	o->input = argv[optind];
	if (o->after && strcmp(o->emit, "ir") != 0)
		return usage_error("--after goes with --emit=ir");
	return -1;
}

/* ---- output
 * -------------------------------------------------------------------------- */

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
	return 74;
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
		return usage_error("the output would overwrite the model");
	if (program)
		return compile_program(net, output, &o->build);
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	if (c)
		emit_program(net, out);
	else if (strcmp(o->emit, "ir") == 0)
		print_ir(out, net);
	else
		print_stmts(out, stmts, count);
	fclose(out);
	int status = write_text(output, text, size);
	free(text);
	return status;
}

/* ---- the road
 * ---------------------------------------------------------------------------- */

static void run_passes(Net *net, const char *after)
{
	ir_check(net);
	for (size_t i = 0; i < sizeof passes / sizeof *passes; i++) {
		if (after && strcmp(after, i ? passes[i - 1].name : "build") == 0)
			return;
		passes[i].run(net);
		ir_check(net);
	}
}

typedef struct Model {
	const Options *options;
	Stmt *stmts;
	int count;
	const Source *source;
	bool made; /* once: the warnings were given */
} Model;

static Net *make_net(void *model, Tuning *tuning, const char *after)
{
	Model *m = model;
	diag_silence(m->made);
	m->made = true;
	Net *net = build_net(m->stmts, m->count, m->source);
	if (net) {
		net->preferred = m->options->kernels;
		net->preferred_count = m->options->kernel_count;
		net->tuning = tuning;
		run_passes(net, after);
	}
	diag_silence(false);
	return net;
}

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
	Model m = {.options = o};
	Tuning *tuning = NULL;
	m.stmts = expand_file(o->input, &o->expand, &m.count, &m.source);
	if (diag_errors())
		return EXIT_MODEL;
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

int main(int argc, char **argv)
{
	Options options;
	int status = read_options(&options, argc, argv);
	if (status < 0)
		status = compile(&options);
	arena_free();
	return status;
}
