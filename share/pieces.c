/*
 * pieces.c - fills the {{holes}} of a template from the tables of nnc and of the
 * programs that it builds, so that manual pages and editors' files know what the code
 * knows.
 *
 *     pieces TEMPLATE [COMMAND] >FILE
 *
 * A hole is {{PIECE ARGUMENT}}; what a piece prints is text, or markdown for man.awk.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"
#include "nnc.h"

static const char *command_name; /* of the template for any subcommand */

static void die(const char *what, const char *name)
{
	fprintf(stderr, "pieces: %s '%s'\n", what, name);
	exit(1);
}

static const Subcommand *find_command(const char *name)
{
	if (!*name)
		return &command_compile;
	for (int i = 0; subcommands[i]; i++)
		if (strcmp(subcommands[i]->name, name) == 0)
			return subcommands[i];
	die("no command", name);
	return NULL;
}

/* ---- options and commands ----------------------------------------------------------
 */

/* A term of a list, and on the lines behind ':' what it means. */
static void put_item(const char *term, const char *text)
{
	printf("`%s`\n:   ", term);
	for (; *text; text++)
		putchar(*text == '\n' ? ' ' : *text);
}

static void put_words(const char *const *words, int n)
{
	for (int i = 0; i < n; i++)
		printf("%s`%s`%s", i ? " " : "", words[i], i + 1 < n ? "," : ".");
}

static void options_of(const Subcommand *c)
{
	for (const Option *o = c->options; o->key; o++) {
		int n;
		const char *const *words = option_words(o, &n);
		size_t end = strlen(o->help);
		put_item(option_spelling(o), o->help);
		if (words && end && o->help[end - 1] == ':') {
			putchar(' ');
			put_words(words, n);
		}
		fputs("\n\n", stdout);
	}
}

static void options(const char *name)
{
	options_of(find_command(*name ? name : command_name));
}

static void commands(const char *unused)
{
	(void)unused;
	for (int i = 0; subcommands[i]; i++) {
		const Subcommand *c = subcommands[i];
		put_item(arena_printf("nnc %s %s", c->name, c->operands), c->summary);
		printf("; see nnc-%s(1)\n\n", c->name);
	}
}

static void see_commands(const char *unused)
{
	(void)unused;
	for (int i = 0; subcommands[i]; i++)
		printf(", nnc-%s(1)", subcommands[i]->name);
}

static void name(const char *unused)
{
	(void)unused;
	fputs(command_name, stdout);
}

static void summary(const char *unused)
{
	(void)unused;
	fputs(find_command(command_name)->summary, stdout);
}

static void operands(const char *unused)
{
	(void)unused;
	fputs(find_command(command_name)->operands, stdout);
}

static void detail(const char *unused)
{
	const char *text = find_command(command_name)->detail;
	(void)unused;
	fputs(text ? text : "", stdout);
}

static void exit_list(const char *unused)
{
	(void)unused;
	for (const Exit *e = exits_of(find_command(command_name)); e->meaning; e++) {
		put_item(arena_printf("%d", e->status), e->meaning);
		fputs("\n\n", stdout);
	}
}

/* ---- of built programs ----------------------------------------------------- */

static void program_option(const NncOption *o)
{
	const char *letter = o->letter ? arena_printf("-%c, ", o->letter) : "";
	put_item(arena_printf("%s--%s%s%s", letter, o->name, o->value ? "=" : "",
			      o->value ? o->value : ""),
		 o->help);
	fputs("\n\n", stdout);
}

static int by_place(const void *a, const void *b)
{
	const NncCommand *const *x = a, *const *y = b;
	return ((*x)->place > (*y)->place) - ((*x)->place < (*y)->place);
}

static void program_commands(const char *unused)
{
	const NncCommand **all = NULL;
	int n = 0;
	(void)unused;
	for (int i = 0; nnc_commands[i]; i++)
		*vec_push(&all, &n) = nnc_commands[i];
	qsort(all, (size_t)n, sizeof *all, by_place);
	for (int i = 0; i < n; i++) {
		const NncCommand *c = all[i];
		printf("### %s%s%s\n\n%s\n%s\n\n", c->name, c->operands ? " " : "",
		       c->operands ? c->operands : "", c->summary,
		       c->note ? c->note : "");
		for (const NncOption *o = c->options; o->name; o++)
			program_option(o);
	}
}

static void program_options(const char *unused)
{
	(void)unused;
	for (const NncOption *o = nnc_no_command.options; o->name; o++)
		program_option(o);
}

static void program_exits(const char *unused)
{
	const char *unknown = nnc_strerror(-1);
	(void)unused;
	for (int code = 0; code < 128; code++)
		if (strcmp(nnc_strerror(code), unknown) != 0) {
			put_item(arena_printf("%d", code), nnc_strerror(code));
			fputs("\n\n", stdout);
		}
}

/* ---- the language ---------------------------------------------------------- */

/* One kind of words, each with its form, what it is, and what its parameters take. */
static void words_of(const char *kind)
{
	for (int i = 0; word_at(i); i++) {
		const Word *w = word_at(i);
		if (strcmp(w->kind, kind) != 0)
			continue;
		printf("### %s\n\n`%s`\n\n%s.\n\n", w->name,
		       params_form(w->name, w->params), w->summary);
		for (const char *line = w->detail; line && *line;) {
			size_t length = strcspn(line, "\n");
			printf("    %.*s\n", (int)length, line);
			line += length + (line[length] == '\n');
		}
		fputs("\n", stdout);
		for (const Param *p = w->params; p->name; p++) {
			put_item(p->name, param_text(p));
			printf("%s%s\n\n", p->help ? ". " : "", p->help ? p->help : "");
		}
	}
}

/* The same, an item each. */
static void list_of(const char *kind)
{
	for (int i = 0; word_at(i); i++) {
		const Word *w = word_at(i);
		if (strcmp(w->kind, kind) != 0)
			continue;
		put_item(params_form(w->name, w->params), w->summary);
		for (const Param *p = w->params; p->name; p++) {
			bool more = p->help && strcmp(p->help, w->summary) != 0;
			printf(". `%s`: %s%s%s", p->name, param_text(p),
			       more ? ": " : "", more ? p->help : "");
		}
		fputs("\n\n", stdout);
	}
}

/* ---- lists of words, for patterns ------------------------------------------ */

typedef struct Set {
	const char **words;
	int count;
} Set;

static void add(Set *set, const char *word)
{
	for (int i = 0; i < set->count; i++)
		if (strcmp(set->words[i], word) == 0)
			return;
	*vec_push(&set->words, &set->count) = word;
}

static void add_choices(Set *set, const char *choices)
{
	while (choices && *choices) {
		size_t length = strcspn(choices, "|");
		add(set, arena_strndup(choices, length));
		choices += length + (choices[length] == '|');
	}
}

/* The words of a kind; directive, section, key and choice are kinds, too. */
static Set words_in(const char *kind)
{
	Set set = {NULL, 0};
	for (int i = 0; strcmp(kind, "directive") == 0 && directive_names[i]; i++)
		add(&set, directive_names[i]);
	for (int i = 0; strcmp(kind, "section") == 0 && section_names[i]; i++)
		add(&set, section_names[i]);
	for (int i = 0; word_at(i); i++) {
		if (strcmp(word_at(i)->kind, kind) == 0)
			add(&set, word_at(i)->name);
		for (const Param *p = word_at(i)->params; p->name; p++) {
			if (strcmp(kind, "key") == 0)
				add(&set, p->name);
			if (strcmp(kind, "choice") == 0)
				add_choices(&set, p->choices);
		}
	}
	if (!set.count)
		die("no words of kind", kind);
	return set;
}

/* {{join | layer}}: conv|dense|... */
static void join(const char *argument)
{
	size_t length = strcspn(argument, " ");
	Set set = words_in(argument + length + (argument[length] == ' '));
	for (int i = 0; i < set.count; i++)
		printf("%.*s%s", i ? (int)length : 0, argument, set.words[i]);
}

/* ---- the rest -------------------------------------------------------------- */

static void version(const char *unused)
{
	(void)unused;
	fputs(NNC_VERSION, stdout);
}

/* Of $SOURCE_DATE_EPOCH; without it there is none, so that the same source is the same.
 */
static void date(const char *unused)
{
	const char *epoch = getenv("SOURCE_DATE_EPOCH");
	time_t when = epoch ? (time_t)strtoll(epoch, NULL, 10) : 0;
	struct tm day;
	char text[32];
	(void)unused;
	if (epoch && gmtime_r(&when, &day) &&
	    strftime(text, sizeof text, "%Y-%m-%d", &day))
		fputs(text, stdout);
}

static void libs(const char *unused)
{
	(void)unused;
	fputs(NNC_LIBS, stdout);
}

static const char *read_text(const char *path)
{
	size_t size;
	const char *why, *text = read_file(path, 1 << 20, &size, &why);
	if (!text)
		die(why, path);
	return text;
}

/* A file without its title, markdown as it is. */
static void file(const char *path)
{
	const char *text = read_text(path);
	fputs(text + strcspn(text, "\n"), stdout);
}

/* The same from its first section on; "docs/" is the command's own, if it has one. */
static void sections(const char *path)
{
	size_t length = strlen(path);
	if (length && path[length - 1] == '/') {
		path = arena_printf("%s%s.md", path, command_name);
		if (access(path, F_OK) != 0)
			return;
	}
	const char *first = strstr(read_text(path), "\n## ");
	if (!first)
		die("no section in", path);
	fputs(first + 1, stdout);
}

static const struct Piece {
	const char *name;
	void (*print)(const char *argument);
} pieces[] = {
	{"commands", commands},
	{"date", date},
	{"detail", detail},
	{"exits", exit_list},
	{"file", file},
	{"join", join},
	{"libs", libs},
	{"list", list_of},
	{"name", name},
	{"operands", operands},
	{"options", options},
	{"program-commands", program_commands},
	{"program-exits", program_exits},
	{"program-options", program_options},
	{"sections", sections},
	{"see-commands", see_commands},
	{"summary", summary},
	{"version", version},
	{"words", words_of},
};

static void put_piece(const char *hole)
{
	size_t length = strcspn(hole, " ");
	const char *argument = hole + length + (hole[length] == ' ');
	for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++)
		if (strlen(pieces[i].name) == length &&
		    strncmp(pieces[i].name, hole, length) == 0) {
			pieces[i].print(argument);
			return;
		}
	die("no piece", hole);
}

int main(int argc, char **argv)
{
	if (argc < 2)
		die("no template", "");
	command_name = argc > 2 ? argv[2] : "";
	const char *text = read_text(argv[1]);
	for (const char *open; (open = strstr(text, "{{")) != NULL;) {
		const char *close = strstr(open, "}}");
		if (!close)
			die("no end of", open);
		fwrite(text, 1, (size_t)(open - text), stdout);
		put_piece(arena_strndup(open + 2, (size_t)(close - open - 2)));
		text = close + 2;
	}
	fputs(text, stdout);
	arena_free();
	return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}
