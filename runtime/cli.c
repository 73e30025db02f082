/*
 * cli.c - the command line of a built program: finds the command, runs it, and answers
 * with the help, the messages and the exit status.
 */
#include "cli.h"

#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_COMMANDS = 64 };

/* The commands in the order of the help. */
typedef struct Commands {
	const NncCommand *command[MAX_COMMANDS + 1]; /* then NULL */
	const char *name[MAX_COMMANDS + 1];          /* theirs, then NULL */
	int count;
} Commands;

static void list_commands(Commands *all)
{
	memset(all, 0, sizeof *all);
	for (const NncCommand *const *c = nnc_commands; *c; c++) {
		int at = all->count++;
		assert(at < MAX_COMMANDS);
		for (; at > 0 && all->command[at - 1]->place > (*c)->place; at--)
			all->command[at] = all->command[at - 1];
		all->command[at] = *c;
	}
	for (int i = 0; i < all->count; i++)
		all->name[i] = all->command[i]->name;
}

static const NncCommand *find_command(const char *name)
{
	const NncCommand *const *c = nnc_commands;

	while (*c && strcmp((*c)->name, name) != 0)
		c++;
	return *c;
}

static const NncOption no_command_options[] = {
	{"version", 0, NNC_OPT_FLAG, 0, 0, 0, NULL, "what it was made of, and by"},
	{"completion", 0, NNC_OPT_TEXT, 0, 0, 0, NNC_SHELLS,
	 "the script that makes this shell complete its command lines"},
	NNC_OPTION_END,
};

const NncCommand nnc_no_command = {
	.name = "",
	.summary = "Trains, tests and uses a network.",
	.options = no_command_options,
};

/* ---- help and messages ------------------------------------------------------- */

static void print_commands(FILE *out, const NncProgram *program)
{
	Commands all;

	list_commands(&all);
	fprintf(out, "usage: %s COMMAND [OPTION...]\n\n", program->path);
	for (int i = 0; i < all.count; i++)
		fprintf(out, "  %-10s %s\n", all.name[i], all.command[i]->summary);
	fprintf(out, "\n%s COMMAND --help shows a command's options.\n", program->path);
	fprintf(out, "%s --completion %s prints what completes them.\n", program->path,
		NNC_SHELLS);
}

static void print_usage(FILE *out, const NncProgram *program, const NncCommand *command)
{
	fprintf(out, "usage: %s %s [OPTION...]%s%s\n", program->path, command->name,
		command->operands ? " " : "",
		command->operands ? command->operands : "");
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
	size_t size =
		command->options_size ? command->options_size : sizeof(NncOptions);
	NncOptions *options = malloc(size);
	NncError err = {0};
	int status;

	program->options = options;
	status = options ? nnc_options_parse(options, command, argc, argv, &err)
			 : nnc_fail(&err, NNC_NOMEM, "not enough memory");
	if (options && !status && options->help)
		print_help(program, command);
	else if (!status)
		status = command->run(program, &err);
	free(options);
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
	const char *nearest;
	Commands all;

	list_commands(&all);
	nearest = nnc_nearest(word, all.name, sizeof *all.name);
	fprintf(stderr, "%s: error: unknown command '%s'\n", program->model->name,
		word);
	if (nearest)
		fprintf(stderr, "help: did you mean %s?\n", nearest);
	print_commands(stderr, program);
	return NNC_USAGE;
}

/* Sourced, it completes this program, by whatever path it is called. */
static int print_completion(const NncProgram *program, const char *shell)
{
	const char *slash = strrchr(program->path, '/');
	NncError err = {0};
	Commands all;

	list_commands(&all);
	if (nnc_completion(stdout, shell, slash ? slash + 1 : program->path,
			   &nnc_no_command, all.command, &err))
		print_error(program, &err);
	return err.code;
}

/* The SHELL of `--completion SHELL` or `--completion=SHELL`; NULL: it is another word.
 */
static const char *completion_shell(char **argv)
{
	static const char option[] = "--completion";
	const char *rest = argv[1] + strlen(option);

	if (strncmp(argv[1], option, strlen(option)) != 0 || !strchr("=", *rest))
		return NULL;
	return *rest ? rest + 1 : argv[2] ? argv[2] : "";
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
	const char *shell;
	int status;

	signal(SIGXFSZ, SIG_IGN); /* a limit on files is an error, not a crash */
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
	else if ((shell = completion_shell(argv)))
		status = print_completion(&program, shell);
	else if ((command = find_command(argv[1])))
		status = run_command(&program, command, argc - 1, argv + 1);
	else
		status = unknown_command(&program, argv[1]);
	return close_stdout(&program, status);
}
