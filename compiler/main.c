/* main.c - which command a command line is. */
#include <errno.h>
#include <string.h>

#include "nnc.h"

/* `nnc diff A B` is a command; a model of that name is ./diff. */
static const Subcommand *find_command(const char *word)
{
	for (int i = 0; word && subcommands[i]; i++)
		if (strcmp(subcommands[i]->name, word) == 0)
			return subcommands[i];
	return NULL;
}

/* Answers that did not reach their file are none. */
static int close_stdout(int status)
{
	if (status == EXIT_IO || (fflush(stdout) == 0 && !ferror(stdout)))
		return status;
	fprintf(stderr, "nnc: error: cannot write to stdout: %s\n", strerror(errno));
	return status ? status : EXIT_IO;
}

int main(int argc, char **argv)
{
	const Subcommand *command = find_command(argc > 1 ? argv[1] : NULL);
	int status = command ? command->run(command, argc - 1, argv + 1)
			     : command_compile.run(&command_compile, argc, argv);
	status = close_stdout(status);
	arena_free();
	return status;
}
