/*
 * completion.c - scripts that make bash, fish and zsh complete a command line, from the
 * tables of its commands and options. What they name is ours, but for the program's own
 * name and the help, which go through put_quoted().
 */
#include "options.h"

#include <string.h>

/* A command line. */
typedef struct Line {
	FILE *out;
	const char *program;
	const NncCommand *first, *const *commands;
} Line;

static const NncOption help_option = {"help", 'h', NNC_OPT_FLAG, 0,
				      0,      0,   NULL,         "this text"};

/* ---- what a value is ------------------------------------------------------------ */

typedef enum { NOTHING, WORDS, FILES, MODELS, FOLDERS } Kind;

static Kind value_kind(const char *value)
{
	if (strchr(value, '|'))
		return WORDS;
	if (!strcmp(value, "DIR"))
		return FOLDERS;
	return strcmp(value, "FILE") ? NOTHING : FILES;
}

static Kind operand_kind(const NncCommand *command)
{
	if (!command->operands)
		return NOTHING;
	return strstr(command->operands, ".nn") ? MODELS : FILES;
}

/* ---- text ----------------------------------------------------------------------- */

/*
 * Between single quotes, on one line; `also` are escaped by a backslash. A ':' at the
 * end of a help text announces what is not shown here.
 */
static void put_quoted(FILE *out, const char *text, const char *also, const char *quote)
{
	for (; *text && strcmp(text, ":") != 0; text++) {
		if (*text == '\'')
			fputs(quote, out);
		else if (strchr(also, *text))
			fprintf(out, "\\%c", *text);
		else
			fputc(*text == '\n' ? ' ' : *text, out);
	}
}

#define SHELL_QUOTE "'\\''" /* of bash and zsh */
#define FISH_QUOTE  "\\'"

/* "a|b" with spaces. */
static void put_words(FILE *out, const char *choices)
{
	for (; *choices; choices++)
		fputc(*choices == '|' ? ' ' : *choices, out);
}

/* The option after o, the last being --help. */
static const NncOption *next(const NncOption *o, bool *helped)
{
	if (o == &help_option)
		return NULL;
	*helped |= !strcmp(o->name, "help");
	if (o[1].name)
		return o + 1;
	return *helped ? NULL : &help_option;
}

#define EACH_OPTION(command)                                                           \
	bool helped = false;                                                           \
	for (const NncOption *o = (command)->options->name ? (command)->options        \
							   : &help_option;             \
	     o; o = next(o, &helped))

/* ---- bash ----------------------------------------------------------------------- */

/* All of an option's spellings, with this before each but the first. */
static void bash_spellings(FILE *out, const NncOption *o, const char *between)
{
	if (*o->name)
		fprintf(out, "--%s", o->name);
	if (o->letter)
		fprintf(out, "%s-%c", *o->name ? between : "", o->letter);
}

static void bash_kind(FILE *out, Kind kind, const char *value)
{
	static const char *const names[] = {"nothing", "words", "files", "models",
					    "folders"};
	fprintf(out, "kind=%s", names[kind]);
	if (kind == WORDS) {
		fputs(" words='", out);
		put_words(out, value);
		fputs("'", out);
	}
	fputs(" ;;\n", out);
}

static void bash_command(FILE *out, const NncCommand *c)
{
	fprintf(out, "\t%s)\n\t\toptions='", *c->name ? c->name : "''");
	EACH_OPTION(c)
	{
		bash_spellings(out, o, " ");
		fputc(' ', out);
	}
	fputs("'\n\t\tcase $option in\n", out);
	helped = false;
	for (const NncOption *o = c->options; o->name; o++) {
		if (!o->value)
			continue;
		fputs("\t\t", out);
		bash_spellings(out, o, " | ");
		fputs(") ", out);
		bash_kind(out, value_kind(o->value), o->value);
	}
	fputs("\t\t*) ", out);
	bash_kind(out, operand_kind(c), "");
	fputs("\t\tesac ;;\n", out);
}

/* Words are cut at '=', too, unless COMP_WORDBREAKS was changed. */
static const char bash_begin[] =
	"{\n"
	"\tlocal cur=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD - 1]}\n"
	"\tlocal before='' command='' kind words options\n"
	"\tCOMPREPLY=()\n"
	"\tcase $cur in\n"
	"\t'=') cur= ;;\n"
	"\t--*=*) option=${cur%%=*} before=$option= cur=${cur#*=} ;;\n"
	"\t*) [[ $option != '=' ]] || option=${COMP_WORDS[COMP_CWORD - 2]} ;;\n"
	"\tesac\n"
	"\tif ((COMP_CWORD > 1)); then\n"
	"\t\tcase ${COMP_WORDS[1]} in\n";

static const char bash_end[] =
	"\tif [[ $kind != words && $cur == -* ]]; then\n"
	"\t\tkind=words words=$options\n"
	"\tfi\n"
	"\tif ((COMP_CWORD == 1)) && [[ $cur != -* ]]; then\n"
	"\t\tmapfile -t COMPREPLY < <(compgen -W \"$commands\" -- \"$cur\")\n"
	"\tfi\n"
	"\tcase $kind in\n"
	"\twords) mapfile -t COMPREPLY < <(compgen -P \"$before\" -W \"$words\" -- "
	"\"$cur\") ;;\n"
	"\tfiles | models | folders)\n"
	"\t\tcompopt -o filenames 2>/dev/null\n"
	"\t\tcur=${cur#[\\\"\\']} cur=${cur//\\\\/}\n"
	"\t\tmapfile -t -O \"${#COMPREPLY[@]}\" COMPREPLY < <(\n"
	"\t\t\tcase $kind in\n"
	"\t\t\tfiles) compgen -P \"$before\" -f -- \"$cur\" ;;\n"
	"\t\t\tmodels) compgen -f -X '!*.nn' -- \"$cur\" ;;&\n"
	"\t\t\t*) compgen -P \"$before\" -d -- \"$cur\" ;;\n"
	"\t\t\tesac) ;;\n"
	"\tesac\n"
	"}\n";

static void bash(const Line *l)
{
	FILE *out = l->out;
	const char *function = l->first->operands ? "_nnc" : "_nnc_program";

	fprintf(out, "%s()\n%s\t\t", function, bash_begin);
	fputs("''", out);
	for (const NncCommand *const *c = l->commands; *c; c++)
		fprintf(out, " | %s", (*c)->name);
	fputs(") command=${COMP_WORDS[1]} ;;\n\t\tesac\n\tfi\n\tlocal commands='", out);
	for (const NncCommand *const *c = l->commands; *c; c++)
		fprintf(out, "%s%s", c == l->commands ? "" : " ", (*c)->name);
	fputs("'\n\tcase $command in\n", out);
	bash_command(out, l->first);
	for (const NncCommand *const *c = l->commands; *c; c++)
		bash_command(out, *c);
	fprintf(out, "\tesac\n%scomplete -F %s -- '", bash_end, function);
	put_quoted(out, l->program, "", SHELL_QUOTE);
	fputs("'\n", out);
}

/* ---- zsh ------------------------------------------------------------------------ */

static void zsh_action(FILE *out, Kind kind, const char *value)
{
	switch (kind) {
	case NOTHING:
		fputs("( )", out);
		return;
	case WORDS:
		fputc('(', out);
		put_words(out, value);
		fputc(')', out);
		return;
	case FILES:
		fputs("_files", out);
		return;
	case MODELS:
		fputs("_files -g \"*.nn\"", out);
		return;
	case FOLDERS:
		fputs("_files -/", out);
	}
}

/* '*--epochs=[passes over ...]:N:( )', a line of _arguments for each spelling. */
static void zsh_option(FILE *out, const NncOption *o, const char *spelling,
		       const char *end)
{
	fprintf(out, "\t\t'*%s%s[", spelling, o->value ? end : "");
	put_quoted(out, o->help, "[]:\\", SHELL_QUOTE);
	fputc(']', out);
	if (o->value) {
		fprintf(out,
			":%s:", value_kind(o->value) == WORDS ? o->name : o->value);
		zsh_action(out, value_kind(o->value), o->value);
	}
	fputs("' \\\n", out);
}

static void zsh_options(FILE *out, const NncCommand *c)
{
	char spelling[64];

	EACH_OPTION(c)
	{
		if (o->letter) {
			snprintf(spelling, sizeof spelling, "-%c", o->letter);
			zsh_option(out, o, spelling, "+");
		}
		if (*o->name) {
			snprintf(spelling, sizeof spelling, "--%s", o->name);
			zsh_option(out, o, spelling, "=");
		}
	}
}

static void zsh_operands(FILE *out, const NncCommand *c)
{
	fprintf(out, "\t\t'*:%s:", operand_kind(c) == NOTHING ? " " : "file");
	zsh_action(out, operand_kind(c), "");
	fputs("'\n", out);
}

static void zsh_command(FILE *out, const NncCommand *c)
{
	fprintf(out,
		"\t%s)\n\t\tshift words\n\t\t((CURRENT--))\n\t\t_arguments -S \\\n",
		c->name);
	zsh_options(out, c);
	zsh_operands(out, c);
	fputs("\t\treturn ;;\n", out);
}

static void zsh(const Line *l)
{
	FILE *out = l->out;
	const char *function = l->first->operands ? "_nnc" : "_nnc_program";

	fputs("#compdef ", out);
	put_quoted(out, l->program, "", SHELL_QUOTE);
	fprintf(out,
		"\n%s()\n{\n\tlocal context state state_descr line\n"
		"\ttypeset -A opt_args\n\tlocal -a commands\n\tcommands=(\n",
		function);
	for (const NncCommand *const *c = l->commands; *c; c++) {
		fprintf(out, "\t\t'%s:", (*c)->name);
		put_quoted(out, (*c)->summary, ":\\", SHELL_QUOTE);
		fputs("'\n", out);
	}
	fputs("\t)\n\t((CURRENT > 2)) && case $words[2] in\n", out);
	for (const NncCommand *const *c = l->commands; *c; c++)
		zsh_command(out, *c);
	fputs("\tesac\n\t_arguments -S \\\n", out);
	zsh_options(out, l->first);
	fputs("\t\t'1: :->first' \\\n", out);
	zsh_operands(out, l->first);
	fputs("\tif [[ $state == first ]]; then\n"
	      "\t\t_describe -t commands command commands\n",
	      out);
	if (operand_kind(l->first) == MODELS)
		fputs("\t\t_files -g \"*.nn\"\n", out);
	/* Autoloaded from a file of the same name, it is to complete at once. */
	fprintf(out,
		"\tfi\n}\nif [[ $funcstack[1] == %s ]]; then\n\t%s \"$@\"\nelse\n"
		"\tcompdef %s -- '",
		function, function, function);
	put_quoted(out, l->program, "", SHELL_QUOTE);
	fputs("'\nfi\n", out);
}

/* ---- fish ----------------------------------------------------------------------- */

static void fish_line(const Line *l, const NncCommand *c)
{
	fputs("complete -c '", l->out);
	put_quoted(l->out, l->program, "\\", FISH_QUOTE);
	fputs("' -n '", l->out);
	if (!*c->name)
		fputs("not ", l->out);
	fputs("__fish_seen_subcommand_from", l->out);
	if (*c->name)
		fprintf(l->out, " %s", c->name);
	for (int i = 0; !*c->name && l->commands[i]; i++)
		fprintf(l->out, " %s", l->commands[i]->name);
	fputs("'", l->out);
}

static void fish_help(FILE *out, const char *text)
{
	fputs(" -d '", out);
	put_quoted(out, text, "\\", FISH_QUOTE);
	fputs("'\n", out);
}

static void fish_value(FILE *out, Kind kind, const char *value)
{
	switch (kind) {
	case NOTHING:
		fputs(" -x", out);
		return;
	case WORDS:
		fputs(" -x -a '", out);
		put_words(out, value);
		fputs("'", out);
		return;
	case FILES:
		fputs(" -r -F", out);
		return;
	case MODELS:
		fputs(" -k -x -a '(__fish_complete_suffix .nn)'", out);
		return;
	case FOLDERS:
		fputs(" -x -a '(__fish_complete_directories)'", out);
	}
}

static void fish_command(const Line *l, const NncCommand *c)
{
	EACH_OPTION(c)
	{
		fish_line(l, c);
		if (o->letter)
			fprintf(l->out, " -s %c", o->letter);
		if (*o->name)
			fprintf(l->out, " -l %s", o->name);
		if (o->value)
			fish_value(l->out, value_kind(o->value), o->value);
		fish_help(l->out, o->help);
	}
	fish_line(l, c);
	if (operand_kind(c) == NOTHING)
		fputs(" -f", l->out);
	else if (operand_kind(c) == FILES)
		fputs(" -F", l->out);
	else
		fish_value(l->out, operand_kind(c), "");
	fputc('\n', l->out);
}

static void fish(const Line *l)
{
	for (const NncCommand *const *c = l->commands; *c; c++) {
		fish_line(l, l->first);
		fprintf(l->out, " -f -a %s", (*c)->name);
		fish_help(l->out, (*c)->summary);
	}
	fish_command(l, l->first);
	for (const NncCommand *const *c = l->commands; *c; c++)
		fish_command(l, *c);
}

/* ---- all ------------------------------------------------------------------------ */

int nnc_completion(FILE *out, const char *shell, const char *program,
		   const NncCommand *first, const NncCommand *const *commands,
		   NncError *err)
{
	const Line line = {out, program, first, commands};

	if (!strcmp(shell, "bash"))
		bash(&line);
	else if (!strcmp(shell, "fish"))
		fish(&line);
	else if (!strcmp(shell, "zsh"))
		zsh(&line);
	else
		return nnc_fail(err, NNC_USAGE,
				"--completion wants one of " NNC_SHELLS ", not '%s'",
				shell);
	return NNC_OK;
}
