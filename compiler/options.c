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
	Getopt g;
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
static const char *spelling(const Option *o)
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

void print_options(FILE *out, const Option *table)
{
	enum { COLUMN = 20 };
	for (; table->key; table++) {
		const char *left = spelling(table), *help = table->help;
		fprintf(out, "  %-*s", COLUMN - 2, left);
		if (strlen(left) > COLUMN - 3)
			fprintf(out, "\n%*s", COLUMN, "");
		for (size_t n; n = strcspn(help, "\n"), help[n]; help += n + 1)
			fprintf(out, "%.*s\n%*s", (int)n, help, COLUMN, "");
		fprintf(out, "%s\n", help);
	}
}

/* ---- of a subcommand ---------------------------------------------------------- */

void print_usage(FILE *out, const Subcommand *c)
{
	fprintf(out, "usage: nnc %s [OPTION...]%s%s\n", c->name,
		*c->operands ? " " : "", c->operands);
}

int print_help(const Subcommand *c)
{
	print_usage(stdout, c);
	printf("%s\n\n", c->summary);
	print_options(stdout, c->options);
	if (c->detail)
		printf("\n%s\n", c->detail);
	return 0;
}

int usage_error(const Subcommand *c, const char *message)
{
	if (message)
		fprintf(stderr, "nnc: error: %s\n", message);
	print_usage(stderr, c);
	return EXIT_USAGE;
}
