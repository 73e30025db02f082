/*
 * command.h - programs run by their arguments, never by a shell. Part of nnc.h: include
 * that first.
 */
#ifndef COMMAND_H
#define COMMAND_H

typedef struct Command {
	char **argv;
	int argc;
} Command;

void command_add(Command *c, const char *text);
/* A file name that the command cannot take for an option or a response file. */
void command_add_file(Command *c, const char *path);
void command_add_words(Command *c, const char *text); /* as spaces part them */
void command_print(const Command *c);
/* $CC, or cc: the beginning of its arguments. */
Command compiler_command(void); /* cc.c */

/* Runs the C compiler, as often side by side as there are CPUs; false: one failed. */
bool command_run(Command *commands, int count);
/* Runs anything; what it prints, and its exit status; NULL with *why: it cannot be run, or
 * was killed. */
const char *command_result(Command *c, int *status, const char **why);
/* The same, where any status but 0 is a failure. */
const char *command_output(Command *c, const char **why);

#endif
