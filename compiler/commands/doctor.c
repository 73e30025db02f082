/* doctor: what nnc needs of this machine, and whether it is there. */
#include <getopt.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "doctor/doctor.h"

static void (*const checks[])(Doctor *d) = {
	check_runtime,  check_compiler,  check_temporary, check_program,
	check_openblas, check_libraries, check_gnuplot,   check_cpu,
	check_cores,    check_memory,    check_cache,     check_data,
};

static const char *const levels[] = {
	[LEVEL_PASS] = "PASS",
	[LEVEL_WARN] = "WARN",
	[LEVEL_FAIL] = "FAIL",
};

void note(Doctor *d, Level level, const char *subject, const char *found,
	  const char *remedy)
{
	*vec_push(&d->findings, &d->count) = (Finding){level, subject, found, remedy};
}

static int count_of(const Doctor *d, Level level)
{
	int n = 0;
	for (int i = 0; i < d->count; i++)
		n += d->findings[i].level == level;
	return n;
}

/* ---- output ---------------------------------------------------------------- */

enum { SUBJECT = 20, INDENT = 6 + SUBJECT + 1 };

/* Lines after the first are indented as that is. */
static void print_lines(const char *text)
{
	for (const char *c = text; *c; c++) {
		putchar(*c);
		if (*c == '\n')
			printf("%*s", INDENT, "");
	}
	putchar('\n');
}

static void print_findings(const Doctor *d)
{
	static const char *const colours[] = {"\033[32m", "\033[33m", "\033[1;31m"};
	const bool coloured = nnc_colored(stdout);
	for (int i = 0; i < d->count; i++) {
		const Finding *f = &d->findings[i];
		printf("%s%s%s  %-*s ", coloured ? colours[f->level] : "",
		       levels[f->level], coloured ? "\033[0m" : "", SUBJECT,
		       f->subject);
		print_lines(f->found);
		if (f->remedy) {
			printf("%*shelp: ", INDENT, "");
			print_lines(f->remedy);
		}
	}
	printf("%d PASS, %d WARN, %d FAIL\n", count_of(d, LEVEL_PASS),
	       count_of(d, LEVEL_WARN), count_of(d, LEVEL_FAIL));
}

static void print_json(const Doctor *d)
{
	json_t *list = json_array(), *root = json_object();
	for (int i = 0; i < d->count; i++) {
		const Finding *f = &d->findings[i];
		json_t *one = json_object();
		json_object_set_new(one, "level", json_string(levels[f->level]));
		json_object_set_new(one, "subject", json_string(f->subject));
		json_object_set_new(one, "found", json_string(f->found));
		json_object_set_new(one, "help",
				    f->remedy ? json_string(f->remedy) : json_null());
		json_array_append_new(list, one);
	}
	json_object_set_new(root, "checks", list);
	json_object_set_new(root, "pass", json_integer(count_of(d, LEVEL_PASS)));
	json_object_set_new(root, "warn", json_integer(count_of(d, LEVEL_WARN)));
	json_object_set_new(root, "fail", json_integer(count_of(d, LEVEL_FAIL)));
	char *text = json_dumps(root, JSON_PRESERVE_ORDER);
	puts(text ? text : "null");
	free(text);
	json_decref(root);
}

/* ---- the command ----------------------------------------------------------- */

enum { OPT_JSON = OPTION_LONG };

static const Option options[] = {
	{OPT_JSON, "json", NULL, "the findings as JSON"},
	{'h', "help", NULL, "this text"},
	{.key = 0},
};

static const Exit exits[] = {
	{0, "nothing FAILs"},
	{1, "something FAILs"},
	{EXIT_USAGE, "usage"},
	{EXIT_IO, "output failed"},
	{0, NULL},
};

static int run(const Subcommand *self, int argc, char **argv)
{
	Doctor d = {0};
	const char *value;
	bool json = false;
	for (int key; (key = next_option(options, argc, argv, &value)) != -1;) {
		if (key == 'h')
			return print_help(self);
		if (key == '?')
			return usage_error(self, NULL);
		json = true;
	}
	if (optind < argc)
		return usage_error(self, "doctor takes no model");
	for (size_t i = 0; i < sizeof checks / sizeof *checks; i++)
		checks[i](&d);
	if (json)
		print_json(&d);
	else
		print_findings(&d);
	return count_of(&d, LEVEL_FAIL) > 0;
}

const Subcommand subcommand_doctor = {
	.name = "doctor",
	.operands = "",
	.summary = "what nnc needs here: PASS, WARN or FAIL",
	.detail = "CC, CFLAGS, LDFLAGS, TMPDIR, NNC_DATA and OPENBLAS_CORETYPE count, "
		  "as they do "
		  "for nnc\nand its programs.",
	.options = options,
	.exits = exits,
	.run = run,
};
