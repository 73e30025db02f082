/*
 * options.h - a command line as tables: what its commands and options are called. They
 * parse it, print its help, and complete it in a shell. nnc completes its own by them,
 * and sees by what is here, too, where it may colour.
 */
#ifndef NNC_OPTIONS_H
#define NNC_OPTIONS_H

#include <stddef.h>
#include <stdio.h>

#include "nnc_rt.h"

typedef struct NncProgram NncProgram;

/* What an option takes, and so the type of its field. */
enum {
	NNC_OPT_FLAG, /* nothing; bool, false when not given */
	NNC_OPT_INT,  /* a whole number in [min, max]; int64_t, -1 when not given */
	NNC_OPT_REAL, /* a finite number in [min, max]; double, NAN when not given */
	NNC_OPT_TEXT, /* text; const char *, NULL when not given */
};

/* One option of a command. A table of them ends with a NULL name. */
typedef struct NncOption {
	const char *name;  /* "epochs": --epochs; of nnc's also "": just a letter */
	char letter;       /* 'o': -o; or 0 */
	int kind;          /* NNC_OPT_... */
	size_t field;      /* offset of its field in the command's options */
	double min, max;   /* of an INT or REAL */
	const char *value; /* how the help calls its value: "N"; "FILE" and "DIR" are
			      completed as such, "a|b" is a choice */
	const char *help;  /* a few words */
} NncOption;

/* A command of a built program. */
typedef struct NncCommand {
	const char *name;     /* "train" */
	int place;            /* the help lists commands by it */
	const char *operands; /* how the help calls its operands, or NULL: it has none */
	int min_operands, max_operands;
	const char *summary; /* one line */
	const char *note;    /* more lines for its own help, or NULL */
	const NncOption *options;
	size_t options_size; /* of its options' struct; 0: NncOptions is all */
	/* Returns the exit status; fills err where there is something to say. */
	int (*run)(const NncProgram *program, NncError *err);
} NncCommand;

/* ---- completion.c --------------------------------------------------------------- */

#define NNC_SHELLS "bash|fish|zsh"

/*
 * Prints what makes the shell complete the command lines of `program`, a file's name.
 * Options of `first` stand before or without a command, and so do its operands;
 * `commands` end with NULL.
 * Errors: NNC_USAGE, none of NNC_SHELLS.
 */
int nnc_completion(FILE *out, const char *shell, const char *program,
		   const NncCommand *first, const NncCommand *const *commands,
		   NncError *err);

/* ---- terminal.c ----------------------------------------------------------------- */

/* The columns of the terminal that a stream goes to; 0: it goes to none. */
int nnc_columns(FILE *stream);
/* May it be coloured? NO_COLOR and terminals that cannot are honoured. */
bool nnc_colored(FILE *stream);

#endif
