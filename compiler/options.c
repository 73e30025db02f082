/* options.c - a command's options, from one table: getopt's arrays, messages, help. */
#include <getopt.h>
#include <string.h>

#include "nnc.h"

enum { MAX_OPTIONS = 32 };

/* What getopt takes, made from a table. */
typedef struct Getopt {
	struct option names[MAX_OPTIONS + 1];
	char letters[2 * MAX_OPTIONS + 2];
} Getopt;

static void make_getopt(Getopt *g, const Option *table)
{
	char *letter = g->letters;
	int named = 0;
	*letter++ = ':'; /* a missing value is answered by ':' */
	for (int i = 0; table[i].key; i++) {
		const Option *o = &table[i];
		assert(i < MAX_OPTIONS);
		if (o->name)
			g->names[named++] = (struct option){
				o->name, o->value ? required_argument : no_argument,
				NULL, o->key};
		if (o->key < OPTION_LONG)
			*letter++ = (char)o->key;
		if (o->key < OPTION_LONG && o->value)
			*letter++ = ':';
	}
	*letter = '\0';
	g->names[named] = (struct option){NULL, 0, NULL, 0};
}

static void unknown_option(const Option *table, const char *word)
{
	const char **names = NULL;
	int n = 0;
	for (; table->key; table++)
		if (table->name)
			*vec_push(&names, &n) = table->name;
	if (optopt >= OPTION_LONG) {
		fprintf(stderr, "nnc: error: %s takes no value\n", word);
		return;
	}
	if (optopt) {
		fprintf(stderr, "nnc: error: unknown option -%c\n", optopt);
		return;
	}
	fprintf(stderr, "nnc: error: unknown option %s\n", word);
	const char *name = arena_strndup(word + 2, strcspn(word + 2, "="));
	const char *close = nearest(name, names, n);
	if (close)
		fprintf(stderr, "help: did you mean --%s?\n", close);
}

int next_option(const Option *table, int argc, char **argv, const char **value)
{
	Getopt g = {0};
	make_getopt(&g, table);
	opterr = 0;
	int key = getopt_long(argc, argv, g.letters, g.names, NULL);
	*value = optarg;
	if (key == ':')
		fprintf(stderr, "nnc: error: %s wants a value\n", argv[optind - 1]);
	if (key == '?')
		unknown_option(table, argv[optind - 1]);
	return key == ':' ? '?' : key;
}

/* "-o, --out FILE"; -### as gcc has it, which is three times -#. */
const char *option_spelling(const Option *o)
{
	const char *text = o->key == '#'          ? "-###"
			   : o->key < OPTION_LONG ? arena_printf("-%c", o->key)
						  : "";
	if (o->name)
		text = arena_printf("%s%s--%s", text, *text ? ", " : "", o->name);
	if (!o->value)
		return text;
	return arena_printf("%s%s%s", text, o->name ? "=" : " ", o->value);
}

static const char *const *kernel_names(int *n)
{
	const char **names = NULL;
	*n = 0;
	for (int i = 0; kernels[i]; i++)
		*vec_push(&names, n) = kernels[i]->name;
	return names;
}

/* What -march= takes on any x86-64; there are many more. */
static const char *const *arch_names(int *n)
{
	static const char *const names[] = {"native", "x86-64", "x86-64-v2",
					    "x86-64-v3", "x86-64-v4"};
	*n = sizeof names / sizeof *names;
	return names;
}

const char *const *option_words(const Option *o, int *n)
{
	static const struct {
		const char *value;
		const char *const *(*list)(int *n);
	} lists[] = {
		{"ARCH", arch_names},
		{"KERNEL", kernel_names},
		{"PASS", stage_names},
		{"WORD", documented_words},
	};
	for (size_t i = 0; o->value && i < sizeof lists / sizeof *lists; i++)
		if (strcmp(o->value, lists[i].value) == 0)
			return lists[i].list(n);
	return NULL;
}

/* Lines that begin and end with the words, as wide as the help. */
static void put_words(FILE *out, const Option *o, int indent)
{
	enum { WIDTH = 79 };
	int n = 0, column = WIDTH;
	const char *const *words = option_words(o, &n);
	for (int i = 0; i < n; i++) {
		int length = (int)strlen(words[i]) + (i + 1 < n);
		if (column + 1 + length > WIDTH)
			column = fprintf(out, "\n%*s", indent, "") - 1;
		else
			column += fprintf(out, " ");
		column += fprintf(out, "%s%s", words[i], i + 1 < n ? "," : "");
	}
}

void print_options(FILE *out, const Option *table)
{
	enum { COLUMN = 20 };
	for (; table->key; table++) {
		const char *left = option_spelling(table), *help = table->help;
		fprintf(out, "  %-*s", COLUMN - 2, left);
		if (strlen(left) > COLUMN - 3)
			fprintf(out, "\n%*s", COLUMN, "");
		for (size_t n; n = strcspn(help, "\n"), help[n]; help += n + 1)
			fprintf(out, "%.*s\n%*s", (int)n, help, COLUMN, "");
		fputs(help, out);
		if (*help && help[strlen(help) - 1] == ':')
			put_words(out, table, COLUMN);
		fputs("\n", out);
	}
}

/* ---- of a command -------------------------------------------------------------- */

void print_usage(FILE *out, const Subcommand *c)
{
	fprintf(out, "usage: nnc %s [OPTION...]%s%s\n", c->name,
		*c->operands ? " " : "", c->operands);
}

const Exit *exits_of(const Subcommand *c)
{
	return c->exits ? c->exits : command_compile.exits;
}

void print_end(const Subcommand *c)
{
	if (c->detail)
		printf("\n%s\n", c->detail);
	puts("\nExit status:");
	for (const Exit *e = exits_of(c); e->meaning; e++)
		printf("  %-4d%s\n", e->status, e->meaning);
}

int print_help(const Subcommand *c)
{
	print_usage(stdout, c);
	printf("%s\n\n", c->summary);
	print_options(stdout, c->options);
	print_end(c);
	return 0;
}

int usage_error(const Subcommand *c, const char *message)
{
	if (message)
		fprintf(stderr, "nnc: error: %s\n", message);
	print_usage(stderr, c);
	return EXIT_USAGE;
}
