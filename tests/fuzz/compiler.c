/*
 * compiler.c - the road of a model without its files: text, statements, expansion,
 * shapes, passes, C text. `front` goes as far as the shapes, `passes` all the way.
 *
 * What must hold for every text: an error is reported or the model is built, not both;
 * nothing is printed that could steer a terminal; the normal form of what was expanded
 * expands to itself; the passes' own verifiers agree (they abort).
 *
 * `times` is the file where --tune-kernels keeps its times.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "nnc.h"
#include "tune/tune.h"

enum {
	MAX_DEFINES = 4,
	MOST_LAYERS =
		12, /* of a model that goes through the passes: they take longer */
};

/* As the golden and diag tests have it: `// nnc: -D units=48 -D act=tanh`. */
static int read_defines(Define *defines, const char *text, size_t size)
{
	static const char mark[] = "// nnc:";
	const char *end = memchr(text, '\n', size);
	if (!end || size < sizeof mark || memcmp(text, mark, sizeof mark - 1) != 0 ||
	    memchr(text, '\0', (size_t)(end - text)))
		return 0;
	char *line = arena_strndup(text, (size_t)(end - text)), *rest = NULL;
	int n = 0;
	bool define = false;
	for (char *word = strtok_r(line, " ", &rest); word && n < MAX_DEFINES;
	     word = strtok_r(NULL, " ", &rest)) {
		char *equals = strchr(word, '=');
		if (define && equals && equals > word) {
			*equals = '\0';
			defines[n++] = (Define){word, equals + 1};
		}
		define = strcmp(word, "-D") == 0;
	}
	return n;
}

static char *printed(const Stmt *stmts, int count, size_t *size)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, size);
	print_stmts(out, stmts, count);
	fclose(out);
	return text;
}

/* --emit=nn: parsing and printing it again changes nothing. */
static void check_normal_form(const Stmt *stmts, int count)
{
	const ExpandOptions none = {0};
	const Source *source;
	size_t size, size_again;
	int count_again;
	char *text = printed(stmts, count, &size);
	if (size <= MAX_SOURCE) {
		Stmt *again = expand_text("again.nn", text, size, &none, &count_again,
					  &source);
		expect(!diag_errors(), "the normal form has errors");
		char *text_again = printed(again, count_again, &size_again);
		expect(size == size_again && memcmp(text, text_again, size) == 0,
		       "the normal form changes when it is read again");
		free(text_again);
	}
	free(text);
}

static void compile(const uint8_t *bytes, size_t size, bool passes)
{
	Define defines[MAX_DEFINES];
	const Source *source;
	int count;
	diag_reset(sink());
	ExpandOptions options = {
		.defines = defines,
		.define_count = read_defines(defines, (const char *)bytes, size)};
	Stmt *stmts = expand_text("fuzz.nn", (const char *)bytes, size, &options,
				  &count, &source);
	Net *net = NULL;
	if (!diag_errors()) {
		check_normal_form(stmts, count);
		net = build_net(stmts, count, source);
		expect(!net == (diag_errors() > 0), "neither a model nor an error");
	}
	if (net && passes && count <= MOST_LAYERS) {
		run_passes(net, NULL, NULL);
		check_memory_expectations(net, stmts, count);
		emit_program(net, sink());
	} else if (net) {
		ir_check(net);
	}
	fflush(sink());
	arena_free();
}

static void front(const uint8_t *bytes, size_t size)
{
	compile(bytes, size, false);
}

static void passes(const uint8_t *bytes, size_t size)
{
	compile(bytes, size, true);
}

/*
 * What is good of the file is found in it, and still is when more has been added: then
 * every line is good.
 */
static void times(const uint8_t *bytes, size_t size)
{
	Part known = {.text = "gemm 8x8x8\tgemm_tile"};
	Part added = {.text = "gemm 1x8x8\tgemm_tile", .us = 2.5};
	Part *const more[] = {&added};
	diag_reset(sink());
	Cache c = {.path = "kernels",
		   .key = "cpu\tnative\tcc\tnnc\t",
		   .text = arena_strndup((const char *)bytes, size),
		   .size = size};
	cache_check(&c);
	double us = cache_find(&c, known.text);
	expect(us == -1 || (us > 0 && isfinite(us)), "a time that is none");

	Text all = cache_text(&c, more, 1);
	Cache again = {
		.path = c.path, .key = c.key, .text = all.bytes, .size = all.length};
	cache_check(&again);
	expect(!again.complained, "a line that is wrong is kept");
	expect(cache_find(&again, added.text) == added.us, "a time is lost");
	expect(cache_find(&again, known.text) == us, "the time of another is lost");
	fflush(sink());
	arena_free();
}

const Harness harnesses[] = {
	{"front", front},
	{"passes", passes},
	{"times", times},
	{NULL, NULL},
};
