/*
 * cli.h - what a file of commands/ describes its command with.
 *
 * A command is one file with one `const NncCommand command_NAME`; registry.sh collects
 * them. What several commands take is in NncOptions, with its row below. What only one
 * takes is a struct of its own file, which begins with an NncOptions:
 *
 *     typedef struct BenchOptions {
 *             NncOptions shared;
 *             double seconds;
 *     } BenchOptions;
 *
 *     static const NncOption options[] = {
 *             NNC_OPTION_THREADS,
 *             {"seconds", 0, NNC_OPT_REAL, offsetof(BenchOptions, seconds), ...},
 *             NNC_OPTION_END,
 *     };
 *
 *     const NncCommand command_bench = {
 *             .options = options, .options_size = sizeof(BenchOptions), ...
 */
#ifndef NNC_CLI_H
#define NNC_CLI_H

#include "internal.h"
#include "options.h"

enum { NNC_MAX_OPTIONS = 32 /* of a command */ };

extern const NncCommand *const nnc_commands[]; /* every one; ends with NULL */
extern const NncCommand nnc_no_command; /* cli.c: no name, what stands without one */

/* clang-format off */
/* The rows of options that several commands have. */
#define NNC_OPTION_DATA {"data", 0, NNC_OPT_TEXT, offsetof(NncOptions, data), 0, 0, \
	"DIR", "where the data set is (else $NNC_DATA, ./data, the system's)"}
#define NNC_OPTION_SEED {"seed", 0, NNC_OPT_INT, offsetof(NncOptions, seed), 0, \
	UINT32_MAX, "N", "of every random number"}
#define NNC_OPTION_THREADS {"threads", 0, NNC_OPT_INT, offsetof(NncOptions, threads), 1, \
	NNC_MAX_THREADS, "N", "threads that compute"}
#define NNC_OPTION_JSON {"json", 0, NNC_OPT_FLAG, offsetof(NncOptions, json), 0, 0, \
	NULL, "the result as JSON"}
#define NNC_OPTION_WEIGHTS {"weights", 0, NNC_OPT_TEXT, offsetof(NncOptions, weights), \
	0, 0, "FILE", "safetensors to use (else the run's best, then its last)"}
#define NNC_OPTION_OUT_WEIGHTS {"out", 'o', NNC_OPT_TEXT, offsetof(NncOptions, out), \
	0, 0, "FILE", "the safetensors file to write"}
#define NNC_OPTION_QUIET {"quiet", 'q', NNC_OPT_FLAG, offsetof(NncOptions, quiet), \
	0, 0, NULL, "no progress on stderr"}
#define NNC_OPTION_EPOCHS {"epochs", 0, NNC_OPT_INT, offsetof(NncOptions, epochs), 1, \
	NNC_MAX_EPOCHS, "N", "passes over the training samples"}
#define NNC_OPTION_LR {"lr", 0, NNC_OPT_REAL, offsetof(NncOptions, lr), 1e-30, 1e30, \
	"X", "learning rate"}
#define NNC_OPTION_TRAIN {"train", 0, NNC_OPT_INT, offsetof(NncOptions, train), 1, \
	INT32_MAX, "N", "samples used"}
#define NNC_OPTION_VALIDATION {"validation", 0, NNC_OPT_REAL, \
	offsetof(NncOptions, validation), 0, 0.9, "X", "share of them held out"}
#define NNC_OPTION_END {NULL, 0, 0, 0, 0, 0, NULL, NULL}
/* clang-format on */

/* ---- options.c: one table per command, which parses and is the help ---------- */

/* Parses argv[1..], argv[0] being the command's name, into the struct of its options.
   Errors: NNC_USAGE, with the nearest known option. After --help nothing else is
   checked. */
int nnc_options_parse(NncOptions *options, const NncCommand *command, int argc,
		      char **argv, NncError *err);
/* Appends the help of a command's options to a stream, with the model's defaults. */
void nnc_options_help(FILE *out, const NncCommand *command, const NncModel *model);
/* NNC_USAGE: a command that wants --out has none. */
int nnc_no_output(const NncProgram *program, const char *command, NncError *err);
/* The name of a table (names `stride` bytes apart, ended by NULL) nearest to a misspelt
   word, or NULL if none is near. */
const char *nnc_nearest(const char *word, const char *const *names, size_t stride);

#endif
