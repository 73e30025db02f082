/*
 * completion.c - nnc's options and subcommands as the runtime's tables, which it makes
 * the scripts of the shells from, as for the programs that nnc builds.
 */
#include <string.h>

#include "nnc.h"

/* "a|b" where the words are known. */
static const char *value_choices(const Option *o)
{
	int n = 0;
	const char *const *words = option_words(o, &n);
	const char *text = words ? "" : o->value;
	for (int i = 0; words && i < n; i++)
		text = arena_printf("%s%s%s", text, i ? "|" : "", words[i]);
	return text;
}

static NncCommand shell_command(const Subcommand *c)
{
	NncOption *options = NULL;
	int n = 0;
	for (const Option *o = c->options; o->key; o++) {
		if (o->key == '#') /* -###, which no shell takes for an option */
			continue;
		*vec_push(&options, &n) = (NncOption){
			.name = o->name ? o->name : "",
			.letter = (char)(o->key < OPTION_LONG ? o->key : 0),
			.value = value_choices(o),
			.help = o->help,
		};
	}
	*vec_push(&options, &n) = (NncOption){.name = NULL};
	return (NncCommand){.name = c->name,
			    .operands = *c->operands ? c->operands : NULL,
			    .summary = c->summary,
			    .options = options};
}

bool print_completion(FILE *out, const char *shell)
{
	NncCommand first = shell_command(&command_compile);
	const NncCommand **commands = NULL;
	int n = 0;
	for (int i = 0; subcommands[i]; i++) {
		NncCommand *command = arena_alloc(sizeof *command);
		*command = shell_command(subcommands[i]);
		*vec_push(&commands, &n) = command;
	}
	*vec_push(&commands, &n) = NULL;
	return nnc_completion(out, shell, "nnc", &first, commands, NULL) == NNC_OK;
}
