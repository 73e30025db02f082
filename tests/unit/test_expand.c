/* test_expand.c - const, -D, include, block, repeat: to plain statements. */
#include <CUnit/Basic.h>
#include <string.h>
#include <unistd.h>

#include "front.h"
#include "temp_folder.h"

/* text expands without an error to expected. */
static void gives(const char *text, const char *expected)
{
	int errors;
	const char *printed = expand(text, &errors);
	CU_ASSERT_EQUAL(errors, 0);
	CU_ASSERT_STRING_EQUAL(printed, expected);
}

static void constants(void)
{
	gives("const n=128; dense n;", "dense 128;\n");
	gives("const n=1/255 act=leaky_relu(0.1) s=\"x\" k=3x3 l=[1, 2]; a n act s k l "
	      "x=n;",
	      "a 1/255 leaky_relu(0.1) \"x\" 3x3 [1, 2] x=1/255;\n");
	gives("a n; const n=1; a n;", "a n;\na 1;\n");
	gives("const n=2; n n=n f(n, n=n) [n];", "n n=2 f(2, n=2) [2];\n");
	gives("t { const k=1; a k; } a k;", "t {\n\ta 1;\n}\na k;\n");
	gives("const n=2; a f(1/2) normal(n); const r=1/3; b normal(r);",
	      "a f(0.5) normal(2);\nb normal(1 / 3);\n");
	CU_ASSERT_EQUAL(errors_of("const n=1; const n=2;"), 1);
	CU_ASSERT_EQUAL(errors_of("const relu=1;"), 1);
	CU_ASSERT_EQUAL(errors_of("const he=1;"), 1);
	CU_ASSERT_EQUAL(errors_of("const n 1;"), 1);
}

static void arithmetic(void)
{
	gives("a (2 + 3 * 4) (7 / 2) (8 / 2) (7 % 4) (-7 % 4) (2 - -3) (1.5 * 2);",
	      "a 14 3.5 4 3 -3 5 3.0;\n");
	gives("const c=4; a (3, 3, 2 * c) (-c);", "a 3x3x8 -4;\n");
	gives("a (9223372036854775807 - 1);", "a 9223372036854775806;\n");
	CU_ASSERT_EQUAL(errors_of("a (9223372036854775807 + 1);"), 1);
	CU_ASSERT_EQUAL(errors_of("a (3037000500 * 3037000500);"), 1);
	CU_ASSERT_EQUAL(errors_of("a ((-9223372036854775807 - 1) / -1);"), 1);
	gives("a ((-9223372036854775807 - 1) % -1);", "a 0;\n");
	CU_ASSERT_EQUAL(errors_of("a (-(-9223372036854775807 - 1));"), 1);
	CU_ASSERT_EQUAL(errors_of("a (1 / 0);"), 1);
	CU_ASSERT_EQUAL(errors_of("a (1 % 0);"), 1);
	CU_ASSERT_EQUAL(errors_of("a (1.5 % 1);"), 1);
	CU_ASSERT_EQUAL(errors_of("a (1e300 * 1e300);"), 1);
	CU_ASSERT_EQUAL(errors_of("a (relu + 1);"), 1);
	CU_ASSERT_EQUAL(errors_of("a (3, 0);"), 1);
	CU_ASSERT_EQUAL(errors_of("a (3, 0.5);"), 1);
}

static void repeats(void)
{
	gives("repeat 2 { a; b { repeat 2 { c; } } }",
	      "a;\nb {\n\tc;\n\tc;\n}\na;\nb {\n\tc;\n\tc;\n}\n");
	gives("repeat 0 { a; } const n=1; repeat n { b; } repeat (n + 1) { const k=n; "
	      "c k; }",
	      "b;\nc 1;\nc 1;\n");
	CU_ASSERT_EQUAL(errors_of("repeat -1 { a; }"), 1);
	CU_ASSERT_EQUAL(errors_of("repeat 1.5 { a; }"), 1);
	CU_ASSERT_EQUAL(errors_of("repeat 2;"), 1);
	int count;
	const Source *source;
	ExpandOptions none = {NULL, 0, NULL, 0};
	const char *text = "repeat 2 { a; }";
	Stmt *s = expand_text("t.nn", text, strlen(text), &none, &count, &source);
	CU_ASSERT_FATAL(count == 2);
	CU_ASSERT_STRING_EQUAL(origin_turn(s[0].origin), ", first time round");
	CU_ASSERT_STRING_EQUAL(origin_turn(s[1].origin), ", second time round");
	CU_ASSERT_STRING_EQUAL(origin_turn(NULL), "");
}

static void blocks(void)
{
	const char *res =
		"block res(c, stride = 1) { conv c 3x3 stride=stride; relu; }";
	gives(arena_printf("%s res 64; res c=32 stride=2; res stride=3 16;", res),
	      "conv 64 3x3 stride=1;\nrelu;\nconv 32 3x3 stride=2;\nrelu;\n"
	      "conv 16 3x3 stride=3;\nrelu;\n");
	gives("block a(n, m=(2 * n)) { d n m; } a 1; a 1 5;", "d 1 2;\nd 1 5;\n");
	gives("block a { x; } block b() { a; a; } b; t { b; }",
	      "x;\nx;\nt {\n\tx;\n\tx;\n}\n");
	/* Its own names hide constants; its caller's names are hidden from it. */
	gives("const c=1; block a(c) { x c; } a 2; y c;", "x 2;\ny 1;\n");
	gives("block a { x c; } block b(c) { a; } b 2; const c=1; a;", "x c;\nx c;\n");
	CU_ASSERT_EQUAL(errors_of("block a { a; } a;"), 1);
	CU_ASSERT_EQUAL(errors_of("block a { b; } block b { a; } b;"), 1);
	CU_ASSERT_EQUAL(errors_of("block a { x; } a { y; }"), 1);
	CU_ASSERT_EQUAL(errors_of("block a(n) { x n; } a; a 1 2; a m=1; a 1 n=1;"), 4);
	CU_ASSERT_EQUAL(errors_of("block a { x; } block a { y; }"), 1);
	CU_ASSERT_EQUAL(errors_of("t { block a { x; } }"), 1);
	CU_ASSERT_EQUAL(errors_of("block a(n) { x (1 / n); } a 0;"), 1);
	CU_ASSERT(says("t.nn:1:27: note: in block 'a' used here"));
}

static const char *define(const char *text, const char *name, const char *value,
			  int *errors)
{
	Define d = {name, value};
	ExpandOptions options = {&d, 1, NULL, 0};
	return expand_with(text, &options, errors);
}

static void defines(void)
{
	const char *text = "const n=128 r=0.5 s=\"x\" f=relu k=3x3; a n r s f k;";
	int e;
	CU_ASSERT_STRING_EQUAL(define(text, "n", "256", &e),
			       "a 256 0.5 \"x\" relu 3x3;\n");
	CU_ASSERT_STRING_EQUAL(define(text, "n", "(2 * 8)", &e),
			       "a 16 0.5 \"x\" relu 3x3;\n");
	CU_ASSERT_STRING_EQUAL(define(text, "r", "1", &e), "a 128 1 \"x\" relu 3x3;\n");
	CU_ASSERT_STRING_EQUAL(define(text, "f", "elu(0.1)", &e),
			       "a 128 0.5 \"x\" elu(0.1) 3x3;\n");
	CU_ASSERT_STRING_EQUAL(define(text, "k", "5x5", &e),
			       "a 128 0.5 \"x\" relu 5x5;\n");
	CU_ASSERT_EQUAL(e, 0);
	const char *const wrong[][2] = {{"n", "0.5"},   {"n", "relu"}, {"s", "3"},
					{"k", "3"},     {"m", "1"},    {"n", ""},
					{"n", NULL},    {"n", "1 2"},  {"n", "1; a"},
					{"n", "1 r=2"}, {"n", "1; }"}, {"", "1"},
					{"n m", "1"},   {"n", "1 {}"}, {"n", "(1 / 0)"},
					{"n", "1//"},   {"n", "\xFF"}};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		define(text, wrong[i][0], wrong[i][1], &e);
		CU_ASSERT(e >= 1);
	}
	define(text, "nn", "1", &e);
	CU_ASSERT(e == 1 && says("no constant of that name"));
	/* Only constants outside all bodies are overridden. */
	define("t { const n=1; a n; }", "n", "2", &e);
	CU_ASSERT_EQUAL(e, 1);
	Define twice[] = {{"n", "1"}, {"n", "2"}};
	expand_with(text, &(ExpandOptions){twice, 2, NULL, 0}, &e);
	CU_ASSERT_EQUAL(e, 1);
}

static int include_errors(const char *main, const char *text, const char *dir,
			  int *count)
{
	const Source *source;
	const char *path = temp_write(main, text, strlen(text));
	ExpandOptions options = {NULL, 0, &dir, dir ? 1 : 0};
	listen();
	expand_file(path, &options, count, &source);
	return heard();
}

static void includes(void)
{
	int n;
	temp_write("in/part.nn", "const k=1; a;", 13);
	temp_write("other/far.nn", "b; b;", 5);
	CU_ASSERT_EQUAL(
		include_errors("in/m.nn", "include \"part.nn\"; c k;", NULL, &n), 0);
	CU_ASSERT_EQUAL(n, 2);
	CU_ASSERT_EQUAL(
		include_errors("m.nn", "include \"in/part.nn\"; c k;", NULL, &n), 0);
	const char *other = arena_printf("%s", temp_path("other"));
	CU_ASSERT_EQUAL(include_errors("in/m.nn", "include \"far.nn\";", NULL, &n), 1);
	CU_ASSERT_EQUAL(include_errors("in/m.nn", "include \"far.nn\";", other, &n), 0);
	CU_ASSERT_EQUAL(n, 2);
	CU_ASSERT_EQUAL(
		include_errors("in/m.nn", "include \"../other/far.nn\";", NULL, &n), 1);
	CU_ASSERT_EQUAL(
		include_errors("in/m.nn", "include \"x/../part.nn\";", NULL, &n), 1);
	const char *far = arena_printf("include \"%s\";", temp_path("other/far.nn"));
	CU_ASSERT_EQUAL(include_errors("in/m.nn", far, NULL, &n), 1);
	CU_ASSERT_EQUAL(include_errors("in/m.nn", "include \"m.nn\";", NULL, &n), 1);
	temp_write("in/c1.nn", "include \"c2.nn\";", 16);
	temp_write("in/c2.nn", "include \"c1.nn\";", 16);
	CU_ASSERT_EQUAL(include_errors("in/m.nn", "include \"c1.nn\";", NULL, &n), 1);
	CU_ASSERT(says("includes itself"));
	CU_ASSERT_EQUAL(symlink("../other/far.nn", temp_path("in/link.nn")), 0);
	CU_ASSERT_EQUAL(include_errors("in/m.nn", "include \"link.nn\";", NULL, &n), 1);
	CU_ASSERT(says("through a link"));
	CU_ASSERT_EQUAL(symlink("../other", temp_path("in/sub")), 0);
	CU_ASSERT_EQUAL(include_errors("in/m.nn", "include \"sub/far.nn\";", NULL, &n),
			1);
	CU_ASSERT_EQUAL(symlink("part.nn", temp_path("in/ok.nn")), 0);
	CU_ASSERT_EQUAL(include_errors("in/m.nn", "include \"ok.nn\";", NULL, &n), 0);
	CU_ASSERT_EQUAL(include_errors("in/m.nn", "include \"/dev/zero\";", NULL, &n),
			1);
	/* Included a million times, read once. */
	temp_write("in/part.nn", "", 0);
	CU_ASSERT_EQUAL(
		include_errors("in/m.nn",
			       "repeat 1000 { repeat 1000 { include \"part.nn\"; } }",
			       NULL, &n),
		1);
	CU_ASSERT(says("steps"));
}

void suite_expand(void);

void suite_expand(void)
{
	CU_pSuite suite = CU_add_suite("expand", temp_folder_make, temp_folder_remove);
	CU_add_test(suite, "constants", constants);
	CU_add_test(suite, "arithmetic", arithmetic);
	CU_add_test(suite, "repeats", repeats);
	CU_add_test(suite, "blocks", blocks);
	CU_add_test(suite, "defines", defines);
	CU_add_test(suite, "includes", includes);
}
