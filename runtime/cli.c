/*
 * cli.c - the command line of a built program: the table of commands, each with the
 * one table of its options, the help, and the exit status.
 */
#include "internal.h"

#include <limits.h>
#include <string.h>

/* ---- options ----------------------------------------------------------------- */

#define OPT(field) offsetof(NncOptions, field)

/* clang-format off */
/* The options that several commands have. */
#define DATA {"data", 0, NNC_OPT_TEXT, OPT(data), 0, 0, "DIR", \
	"where the data set is (else $NNC_DATA, ./data, the system's)"}
#define SEED {"seed", 0, NNC_OPT_INT, OPT(seed), 0, UINT32_MAX, "N", \
	"of every random number"}
#define THREADS {"threads", 0, NNC_OPT_INT, OPT(threads), 1, NNC_MAX_THREADS, "N", \
	"threads that compute"}
#define JSON {"json", 0, NNC_OPT_FLAG, OPT(json), 0, 0, NULL, "the result as JSON"}
#define WEIGHTS {"weights", 0, NNC_OPT_TEXT, OPT(weights), 0, 0, "FILE", \
	"safetensors to use (else the run's best, then its last)"}
#define OUT_FILE {"out", 'o', NNC_OPT_TEXT, OPT(out), 0, 0, "FILE", \
	"the safetensors file to write"}
#define END {NULL, 0, 0, 0, 0, 0, NULL, NULL}
/* clang-format on */

static const NncOption train_options[] = {
	DATA,
	{"epochs", 0, NNC_OPT_INT, OPT(epochs), 1, NNC_MAX_EPOCHS, "N",
	 "passes over the training samples"},
	{"lr", 0, NNC_OPT_REAL, OPT(lr), 1e-30, 1e30, "X", "learning rate"},
	SEED,
	THREADS,
	{"train", 0, NNC_OPT_INT, OPT(train), 1, INT32_MAX, "N", "samples used"},
	{"validation", 0, NNC_OPT_REAL, OPT(validation), 0, 0.9, "X",
	 "share of them held out"},
	{"patience", 0, NNC_OPT_INT, OPT(patience), 0, NNC_MAX_EPOCHS, "N",
	 "stop after N epochs without an improvement; 0: never"},
	{"resume", 0, NNC_OPT_FLAG, OPT(resume), 0, 0, NULL,
	 "go on where the run in the folder stopped"},
	{"weights", 0, NNC_OPT_TEXT, OPT(weights), 0, 0, "FILE",
	 "start from these weights, not from random ones"},
	{"out", 'o', NNC_OPT_TEXT, OPT(out), 0, 0, "DIR",
	 "the run's folder (else PROGRAM.run)"},
	{"quiet", 'q', NNC_OPT_FLAG, OPT(quiet), 0, 0, NULL, "no progress on stderr"},
	JSON,
	END,
};

static const NncOption eval_options[] = {
	DATA,
	WEIGHTS,
	{"validation", 0, NNC_OPT_FLAG, OPT(held_out), 0, 0, NULL,
	 "score the samples held out of training, not the test part"},
	THREADS,
	JSON,
	END,
};

static const NncOption predict_options[] = {
	WEIGHTS,
	{"top", 0, NNC_OPT_INT, OPT(top), 1, NNC_MAX_CLASSES, "N",
	 "the N likeliest classes [1]"},
	THREADS,
	JSON,
	END,
};

static const NncOption bench_options[] = {
	THREADS,
	{"seconds", 0, NNC_OPT_REAL, OPT(seconds), 0.01, 3600, "S",
	 "to measure for [2]"},
	{"ops", 0, NNC_OPT_FLAG, OPT(ops), 0, 0, NULL,
	 "and what each op and each layer takes"},
	JSON,
	END,
};

static const NncOption gradcheck_options[] = {
	{"samples", 0, NNC_OPT_INT, OPT(samples), 1, INT32_MAX, "N",
	 "elements checked of each tensor [40]"},
	SEED,
	JSON,
	END,
};

static const NncOption grad_options[] = {DATA, WEIGHTS, OUT_FILE, END};
static const NncOption init_options[] = {SEED, OUT_FILE, END};
static const NncOption info_options[] = {JSON, END};

/* ---- commands ---------------------------------------------------------------- */

static const NncCommand commands[] = {
	{"train", "", 0, 0, "Trains the network and tests it.",
	 "The first Ctrl-C saves the run; train --resume goes on, to the same bits.",
	 train_options, nnc_command_train},
	{"eval", "", 0, 0, "Scores the test part: accuracy, loss, confusion matrix.",
	 NULL, eval_options, nnc_command_eval},
	{"predict", "INPUT...", 1, INT_MAX, "Says which class each input is.",
	 "An input is a .npy file, an IDX file of images (gzip or not) or a .png.",
	 predict_options, nnc_command_predict},
	{"bench", "", 0, 0,
	 "Measures a training step and an inference on made-up data.", NULL,
	 bench_options, nnc_command_bench},
	{"gradcheck", "", 0, 0, "Compares the gradients with central differences.",
	 "In double, dropout included; 1e-6 is the bound of the relative error.",
	 gradcheck_options, nnc_command_gradcheck},
	{"grad", "", 0, 0, "Writes loss and gradients of the first batch.",
	 "The first samples of the training part in file order, without dropout.",
	 grad_options, nnc_command_grad},
	{"init", "", 0, 0, "Writes freshly initialised weights.", NULL, init_options,
	 nnc_command_init},
	{"info", "", 0, 0, "Shows the network layer by layer.", NULL, info_options,
	 nnc_command_info},
	{NULL, NULL, 0, 0, NULL, NULL, NULL, NULL},
};

static const NncCommand *find_command(const char *name)
{
	const NncCommand *command = commands;

	while (command->name && strcmp(command->name, name))
		command++;
	return command->name ? command : NULL;
}

/* ---- help and messages ------------------------------------------------------- */

static void print_commands(FILE *out, const NncProgram *program)
{
	fprintf(out, "usage: %s COMMAND [OPTION...]\n\n", program->path);
	for (const NncCommand *c = commands; c->name; c++)
		fprintf(out, "  %-10s %s\n", c->name, c->summary);
	fprintf(out, "\n%s COMMAND --help shows a command's options.\n", program->path);
}

static void print_usage(FILE *out, const NncProgram *program, const NncCommand *command)
{
	fprintf(out, "usage: %s %s [OPTION...]%s%s\n", program->path, command->name,
		*command->operands ? " " : "", command->operands);
}

static void print_help(const NncProgram *program, const NncCommand *command)
{
	print_usage(stdout, program, command);
	printf("%s\n", command->summary);
	if (command->note)
		printf("%s\n", command->note);
	printf("\n");
	nnc_options_help(stdout, command, program->model);
}

static void print_error(const NncProgram *program, const NncError *err)
{
	fprintf(stderr, "%s: error: %s\n", program->model->name,
		err->message[0] ? err->message : nnc_strerror(err->code));
}

/* Results that did not reach their file are not results. */
static int close_stdout(const NncProgram *program, int status)
{
	NncError err;

	if (!fflush(stdout) && !ferror(stdout))
		return status;
	nnc_fail(&err, NNC_IO, "cannot write to the standard output");
	print_error(program, &err);
	return status ? status : NNC_IO;
}

/* ---- the program ------------------------------------------------------------- */

static int run_command(NncProgram *program, const NncCommand *command, int argc,
		       char **argv)
{
	NncError err = {0};
	int status = nnc_options_parse(&program->options, command, argc, argv, &err);

	if (!status && program->options.help) {
		print_help(program, command);
		return NNC_OK;
	}
	if (!status)
		status = command->run(program, &err);
	if (err.code) {
		fflush(stdout);
		print_error(program, &err);
	}
	if (err.code == NNC_USAGE) {
		print_usage(stderr, program, command);
		fprintf(stderr, "%s %s --help shows the options\n", program->path,
			command->name);
	}
	return status;
}

static int unknown_command(const NncProgram *program, const char *word)
{
	const char *nearest = nnc_nearest(word, &commands->name, sizeof *commands);

	fprintf(stderr, "%s: error: unknown command '%s'\n", program->model->name,
		word);
	if (nearest)
		fprintf(stderr, "help: did you mean %s?\n", nearest);
	print_commands(stderr, program);
	return NNC_USAGE;
}

/* Refuses what this runtime or this CPU cannot run. */
static int check_model(const NncProgram *program)
{
	NncError err = {0};

	if (program->model->abi != NNC_ABI)
		nnc_fail(
			&err, NNC_BUG, "%s was compiled for runtime ABI %u, this is %d",
			program->model->source, (unsigned)program->model->abi, NNC_ABI);
	else
		nnc_cpu_check(program->model->cpu, &err);
	if (err.code)
		print_error(program, &err);
	return err.code;
}

int nnc_main(int argc, char **argv, const NncModel *model, const NncModel *twin)
{
	NncProgram program = {.model = model, .twin = twin};
	const NncCommand *command;
	int status;

	program.path = argc > 0 && argv[0] ? argv[0] : model->name;
	status = check_model(&program);
	if (status)
		return status;
	if (argc < 2) {
		print_commands(stderr, &program);
		return NNC_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") ||
	    !strcmp(argv[1], "help"))
		print_commands(stdout, &program);
	else if (!strcmp(argv[1], "--version"))
		printf("%s (nnc %s)\n", model->name, NNC_VERSION);
	else if ((command = find_command(argv[1])))
		status = run_command(&program, command, argc - 1, argv + 1);
	else
		status = unknown_command(&program, argv[1]);
	return close_stdout(&program, status);
}
