/*
 * doc.c - every word of the language with what there is to say about it, gathered from
 * the tables that check it: for --doc, the manual, completions and editors.
 */
#include <string.h>

#include "bind.h"
#include "nnc.h"

/* ---- the words ------------------------------------------------------------------- */

typedef struct Words {
	Word *words;
	int count;
} Words;

static void add(Words *w, const char *kind, const char *name, const char *summary,
		const char *detail, const Param *params)
{
	static const Param none[] = {{.name = NULL}};
	*vec_push(&w->words, &w->count) =
		(Word){kind, name, summary, detail, params ? params : none};
}

/* A table of the one row, or of none where it has no name. */
static const Param *table_of(const Param *param)
{
	Param *table = arena_alloc(2 * sizeof *table);
	table[0] = *param;
	return table;
}

static void add_activations(Words *w)
{
	for (const Activation *a = activations; a->name; a++)
		add(w, "activation", a->name, a->summary, NULL, table_of(&a->param));
	add(w, "activation", "softmax", "e^x / sum of all e^x: shares that sum to 1",
	    NULL, NULL);
}

/* `loss mse;`: what a setting takes that is a name of a table and its keys. */
static const Param chosen_by_name[] = {
	{"name", NNC_ARG_CHOICE, true, true, 0, 0, 0, NULL, "then its keys"},
	{.name = NULL},
};

static void add_settings(Words *w, const char *section, SettingParams *setting)
{
	const char *kind = arena_printf("%s setting", section), *name;
	const Param *params;
	for (int i = 0; (params = setting(section, i, &name)); i++) {
		bool named = !params->name; /* by a table of its own */
		add(w, kind, name, named ? arena_printf("the %s", name) : params->help,
		    NULL, named ? chosen_by_name : params);
	}
}

static Words gather(void)
{
	Words w = {0};
	for (int i = 0; layers[i]; i++)
		add(&w, "layer", layers[i]->name, layers[i]->summary, layers[i]->detail,
		    layers[i]->params);
	add_activations(&w);
	for (int i = 0; nnc_inits[i]; i++)
		add(&w, "initialiser", nnc_inits[i]->name, nnc_inits[i]->summary, NULL,
		    table_of(&nnc_inits[i]->param));
	for (int i = 0; losses[i]; i++)
		add(&w, "loss", losses[i]->name, losses[i]->summary, NULL,
		    losses[i]->params);
	for (int i = 0; optimizers[i]; i++)
		add(&w, "optimizer", optimizers[i]->name, optimizers[i]->summary, NULL,
		    optimizers[i]->params);
	for (int i = 0; nnc_formats[i]; i++)
		add(&w, "data", nnc_formats[i]->name, nnc_formats[i]->summary, NULL,
		    NULL);
	add_settings(&w, "data", section_setting);
	add_settings(&w, "train", section_setting);
	add_settings(&w, "tune", section_setting);
	add(&w, "statement", "expect", "what the model claims about itself", NULL,
	    expect_params);
	return w;
}

const Word *word_at(int i)
{
	static Words all; /* freed with the arena */
	if (!all.words)
		all = gather();
	return i < all.count ? &all.words[i] : NULL;
}

const char *const *documented_words(int *n)
{
	const char **names = NULL;
	*n = 0;
	for (int i = 0; section_names[i]; i++)
		*vec_push(&names, n) = section_names[i];
	for (int i = 0; word_at(i); i++) {
		int k = 0;
		while (k < *n && strcmp(names[k], word_at(i)->name) != 0)
			k++;
		if (k == *n)
			*vec_push(&names, n) = word_at(i)->name;
	}
	return names;
}

/* ---- --doc ----------------------------------------------------------------------- */

static void print_word(FILE *out, const Word *w)
{
	fprintf(out, "%s %s - %s\n", w->kind, w->name, w->summary);
	if (w->detail)
		fprintf(out, "\n%s\n", w->detail);
	fputs("\n", out);
	print_params(out, w->name, w->params);
}

/* The settings of a section, a line each. True if there is such a section. */
static bool print_section(FILE *out, const char *name)
{
	const char *kind = arena_printf("%s setting", name);
	bool found = false;
	for (int i = 0; word_at(i); i++) {
		const Word *w = word_at(i);
		if (strcmp(w->kind, kind) != 0)
			continue;
		if (!found)
			fprintf(out, "section %s - its settings\n\n", name);
		found = true;
		fprintf(out, "  %-12s %s\n", w->name, w->summary);
	}
	return found;
}

int print_doc(FILE *out, const char *name)
{
	int found = print_section(out, name);
	for (int i = 0; word_at(i); i++)
		if (strcmp(word_at(i)->name, name) == 0) {
			fputs(found++ ? "\n" : "", out);
			print_word(out, word_at(i));
		}
	if (found)
		return 0;
	int n;
	const char *const *names = documented_words(&n);
	const char *close = nearest(name, names, n);
	fprintf(stderr, "nnc: nothing is called '%s'", name);
	if (close)
		fprintf(stderr, "; did you mean '%s'?", close);
	fputs("\nhelp: there are", stderr);
	for (int i = 0; i < n; i++)
		fprintf(stderr, " %s", names[i]);
	fputs("\n", stderr);
	return EXIT_USAGE;
}
