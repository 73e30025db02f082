/*
 * params.c - parameter tables in words: for messages, and for `nnc --doc`.
 */
#include <ctype.h>
#include <string.h>

#include "bind.h"

/* ---- what a parameter takes --------------------------------------------- */

const char *param_word(const Param *p)
{
	char *word = arena_strndup(p->name, strlen(p->name));
	for (char *c = word; p->positional && *c; c++)
		*c = (char)toupper((unsigned char)*c);
	return word;
}

static const char *limit(double x)
{
	Value v = {.kind = VALUE_NUMBER, .number = x};
	v.is_integer = x > -1e15 && x < 1e15 && x == (double)(int64_t)x;
	v.integer = v.is_integer ? (int64_t)x : 0;
	return value_text(&v);
}

const char *param_range(const Param *p)
{
	const double unread = 1e18; /* bounds that nobody wants to read */
	bool low = p->min > -unread, high = p->max < unread;
	bool counts =
		p->forms & (NNC_ARG_INT | NNC_ARG_REAL | NNC_ARG_SIZE2 | NNC_ARG_SHAPE);
	if (!counts || (p->min == 0 && p->max == 0) || (!low && !high))
		return "";
	if (!high)
		return arena_printf("of at least %s", limit(p->min));
	if (!low)
		return arena_printf("of at most %s", limit(p->max));
	return arena_printf("from %s to %s", limit(p->min), limit(p->max));
}

/* The choices of "same|valid", behind what is in words already. */
static void push_choices(const char *choices, const char ***words, int *n)
{
	for (const char *p = choices; p && *p;) {
		size_t length = strcspn(p, "|");
		*vec_push(words, n) = arena_strndup(p, length);
		p += length + (p[length] == '|');
	}
}

/* "a", "a or b", "a, b or c" */
static const char *either(const char *const *words, int n)
{
	const char *text = n ? words[0] : "nothing";
	for (int i = 1; i < n; i++)
		text = arena_printf("%s%s%s", text, i + 1 < n ? ", " : " or ",
				    words[i]);
	return text;
}

const char *param_forms(const Param *p)
{
	int f = p->forms, n = 0;
	const char **words = NULL;
	const struct {
		int form;
		const char *text;
	} forms[] = {
		{NNC_ARG_REAL, "a number"},
		{f & NNC_ARG_REAL ? 0 : NNC_ARG_INT, "an integer"},
		{NNC_ARG_SIZE2,
		 f & NNC_ARG_INT ? "a size such as 3x3" : "a size such as 3 or 3x3"},
		{NNC_ARG_SHAPE, "a shape such as 784 or 28x28x1"},
		{NNC_ARG_FLAG, "true or false"},
		{NNC_ARG_ACTIVATION, "an activation"},
		{NNC_ARG_INIT, "an initialiser"},
		{NNC_ARG_STRING, "a string"},
	};
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
		if (f & forms[i].form)
			*vec_push(&words, &n) = forms[i].text;
	if (f & NNC_ARG_CHOICE)
		push_choices(p->choices, &words, &n);
	const char *list = n ? "a list of them" : "a list";
	if (f & NNC_ARG_LIST)
		*vec_push(&words, &n) = list;
	return either(words, n);
}

static bool says_itself(const char *text)
{
	return strchr("(", *text) || isalpha((unsigned char)*text);
}

const char *found_text(const Value *v)
{
	const char *text = span_text(v->span);
	bool computed = (v->kind == VALUE_NUMBER || v->kind == VALUE_SHAPE) &&
			says_itself(text);
	const char *value = value_text(v);
	if (!v->span.source || strlen(text) > 60 || strlen(value) > 60)
		return strlen(value) > 60 ? "this" : arena_printf("'%s'", value);
	if (computed || ((v->kind == VALUE_STRING || v->kind == VALUE_NAME) &&
			 strcmp(text, value) != 0 && says_itself(text)))
		return arena_printf("'%s', which is %s", text, value);
	return arena_printf("'%s'", text);
}

/* ---- errors ------------------------------------------------------------- */

static const char **param_names(const Param *params, int *count)
{
	const char **names = NULL;
	*count = 0;
	for (; params->name; params++)
		*vec_push(&names, count) = params->name;
	return names;
}

void unknown_key(const Args *a, const Arg *arg)
{
	int count;
	const char **names = param_names(a->params, &count);
	diag_error(arg->key_span, "%s has no key '%s'", a->what, arg->key);
	diag_suggest(arg->key, names, count);
}

/* The words a parameter knows: choices, activations, initialisers. */
static void suggest_words(const Param *p, const char *name)
{
	const char **words = NULL;
	int count = 0;
	if (p->forms & NNC_ARG_CHOICE)
		push_choices(p->choices, &words, &count);
	int known_count = 0;
	const char *const *known = activation_names(&known_count);
	for (int i = 0; p->forms & NNC_ARG_ACTIVATION && i < known_count; i++)
		*vec_push(&words, &count) = known[i];
	for (int i = 0; p->forms & NNC_ARG_INIT && nnc_inits[i]; i++)
		*vec_push(&words, &count) = nnc_inits[i]->name;
	diag_suggest(name, words, count);
}

static bool takes_words(const Param *p)
{
	return p->forms & (NNC_ARG_CHOICE | NNC_ARG_ACTIVATION | NNC_ARG_INIT);
}

static bool is_name(const Value *v)
{
	return v->kind == VALUE_NAME || v->kind == VALUE_CALL;
}

/* Of a list, the item that does not fit; else the value itself. */
static const Value *culprit(const Param *p, const Value *v)
{
	Param item = *p;
	item.forms &= ~NNC_ARG_LIST;
	for (int i = 0;
	     v->kind == VALUE_LIST && p->forms & NNC_ARG_LIST && i < v->count; i++)
		if (!form_fits(&item, &v->items[i].value))
			return &v->items[i].value;
	return v;
}

/* The value has the wrong form. */
void misfit(const Args *a, const Param *p, const Value *v)
{
	v = culprit(p, v);
	diag_error(v->span, "%s takes %s as %s, found %s", a->what, param_word(p),
		   param_forms(p), found_text(v));
	if (is_name(v) && takes_words(p))
		suggest_words(p, v->text);
}

/* The argument before, or the beginning of the statement's name. */
static Span end_before(const Args *a, const Arg *before)
{
	Span span = before ? before->value.span : a->span;
	if (!before)
		span.end = span.start + 1;
	return span;
}

/* A name where no parameter left takes it: which one did the user mean? */
static void unplaced_name(const Args *a, const Value *v, const Arg *before)
{
	const Param *words = NULL;
	const char *given = found_text(v);
	for (int i = 0; a->params[i].name; i++) {
		const Param *p = &a->params[i];
		if (strcmp(p->name, v->text) == 0) {
			diag_error(v->span,
				   "%s takes %s as a key, found it without a value",
				   a->what, given);
			diag_help("write %s=...", p->name);
			return;
		}
		if (!p->positional && !a->values[i] && form_fits(p, v)) {
			diag_error(v->span, "%s takes %s as %s=", a->what, given,
				   p->name);
			diag_help("write %s=%s", p->name, value_text(v));
			return;
		}
		if (p->positional && a->values[i] && form_fits(p, v)) {
			diag_error(v->span, "%s is given its %s twice: %s", a->what,
				   p->name, given);
			diag_note(a->values[i]->span, "the first");
			return;
		}
		if (!words && p->positional && !a->values[i] && takes_words(p))
			words = p;
	}
	const char *kind = !words                              ? NULL
			   : words->forms & NNC_ARG_ACTIVATION ? "activation"
			   : words->forms & NNC_ARG_INIT       ? "initialiser"
							       : words->name;
	if (words)
		diag_error(v->span, "unknown %s '%s'", kind, v->text);
	else
		diag_error(v->span, "%s does not take %s", a->what, given);
	if (!diag_semicolon(end_before(a, before), v->span) && words)
		suggest_words(words, v->text);
}

/* leaky_relu (0.1): the space makes two arguments of a call. */
static bool help_call(const Value *v, const Arg *before)
{
	if (!before || before->key || before->value.kind != VALUE_NAME ||
	    span_text(v->span)[0] != '(' ||
	    !(is_activation(before->value.text) || nnc_find_init(before->value.text)))
		return false;
	diag_help("a call has no space before its '(': write %s%s", before->value.text,
		  span_text(v->span));
	return true;
}

void unplaced(const Args *a, const Value *v, const Arg *before)
{
	if (is_name(v)) {
		unplaced_name(a, v, before);
		return;
	}
	const Param *left = NULL;
	int taken = 0;
	for (int i = 0; a->params[i].name; i++) {
		const Param *p = &a->params[i];
		bool names_only = !(p->forms & ~(NNC_ARG_CHOICE | NNC_ARG_ACTIVATION |
						 NNC_ARG_INIT | NNC_ARG_FLAG));
		if (!p->positional || names_only)
			continue;
		if (!a->values[i] && !left)
			left = p;
		taken += a->values[i] != NULL;
	}
	if (left)
		misfit(a, left, v);
	else
		diag_error(v->span, "%s takes no %s, found %s", a->what,
			   taken               ? "further value"
			   : a->params[0].name ? "value without a key"
					       : "arguments",
			   found_text(v));
	if (!help_call(v, before))
		diag_semicolon(end_before(a, before), v->span);
}

void missing(const Args *a, const Param *p)
{
	diag_error(a->span, "%s needs %s, %s", a->what, param_word(p), param_forms(p));
	if (p->help)
		diag_help("%s: %s", param_word(p), p->help);
}

/* ---- nnc --doc ---------------------------------------------------------- */

static const char *initial_text(const Param *p)
{
	if (p->required)
		return "required";
	if (p->forms & NNC_ARG_CHOICE && p->choices)
		return arena_printf("%.*s by default", (int)strcspn(p->choices, "|"),
				    p->choices);
	if (p->forms & NNC_ARG_FLAG)
		return p->initial != 0 ? "true by default" : "false by default";
	if (p->forms & (NNC_ARG_INT | NNC_ARG_REAL))
		return arena_printf("%s by default", limit(p->initial));
	return "optional";
}

const char *params_form(const char *what, const Param *params)
{
	const char *text = what;
	for (const Param *p = params; p->name; p++) {
		const char *open = p->required ? "" : "[",
			   *close = p->required ? "" : "]";
		text = arena_printf("%s %s%s%s%s", text, open, param_word(p),
				    p->positional ? "" : "=...", close);
	}
	return text;
}

const char *param_text(const Param *p)
{
	const char *range = param_range(p);
	return arena_printf("%s%s%s%s; %s", param_forms(p), *range ? " (" : "", range,
			    *range ? ")" : "", initial_text(p));
}

void print_params(FILE *out, const char *what, const Param *params)
{
	fprintf(out, "%s\n", params_form(what, params));
	for (const Param *p = params; p->name; p++) {
		fprintf(out, "  %-12s %s\n", param_word(p), param_text(p));
		if (p->help)
			fprintf(out, "  %-12s %s\n", "", p->help);
	}
}
