/* test_front.c - from text to plain statements: scanning, parsing, expansion, bounds.
 */
#include <CUnit/Basic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nnc.h"
#include "temp_folder.h"

static char *messages; /* of the last expansion */
static size_t messages_size;
static FILE *stream;

static void listen(void)
{
	free(messages);
	messages = NULL;
	stream = open_memstream(&messages, &messages_size);
	diag_reset(stream);
}

static int heard(void)
{
	int errors = diag_errors();
	fclose(stream);
	diag_reset(NULL);
	return errors;
}

static bool says(const char *text)
{
	return strstr(messages, text) != NULL;
}

/* The normal form of some statements, in the arena. */
static const char *normal(const Stmt *stmts, int count)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	print_stmts(out, stmts, count);
	fclose(out);
	const char *copy = arena_strndup(text, size);
	free(text);
	return copy;
}

static const char *parse_bytes(const char *text, size_t size, int *errors)
{
	int count;
	listen();
	Stmt *stmts = parse_source(source_new("t.nn", text, size), &count);
	*errors = heard();
	return normal(stmts, count);
}

static const char *parse(const char *text, int *errors)
{
	return parse_bytes(text, strlen(text), errors);
}

static const char *expand_with(const char *text, const ExpandOptions *options,
			       int *errors)
{
	int count;
	const Source *source;
	listen();
	Stmt *stmts = expand_text("t.nn", text, strlen(text), options, &count, &source);
	*errors = heard();
	return normal(stmts, count);
}

static const char *expand(const char *text, int *errors)
{
	ExpandOptions none = {NULL, 0, NULL, 0};
	return expand_with(text, &none, errors);
}

/* text, parsed without an error, prints as expected. */
static void same(const char *text, const char *expected)
{
	int errors;
	const char *printed = parse(text, &errors);
	CU_ASSERT_EQUAL(errors, 0);
	CU_ASSERT_STRING_EQUAL(printed, expected);
	const char *again = parse(printed, &errors);
	CU_ASSERT_EQUAL(errors, 0);
	CU_ASSERT_STRING_EQUAL(again, printed);
}

/* text expands without an error to expected. */
static void gives(const char *text, const char *expected)
{
	int errors;
	const char *printed = expand(text, &errors);
	CU_ASSERT_EQUAL(errors, 0);
	CU_ASSERT_STRING_EQUAL(printed, expected);
}

static int errors_of(const char *text)
{
	int errors;
	expand(text, &errors);
	return errors;
}

/* n times c, with something before and after. */
static const char *filled(const char *before, char c, size_t n, const char *after)
{
	size_t head = strlen(before), tail = strlen(after);
	char *text = arena_alloc(head + n + tail + 1);
	memcpy(text, before, head);
	memset(text + head, c, n);
	memcpy(text + head + n, after, tail);
	return text;
}

static Value first_value(const char *text)
{
	int count;
	listen();
	Stmt *s = parse_source(source_new("t.nn", text, strlen(text)), &count);
	CU_ASSERT_EQUAL_FATAL(heard(), 0);
	CU_ASSERT_FATAL(count == 1 && s[0].count >= 1);
	return s[0].args[0].value;
}

/* ---- text to statements ------------------------------------------------- */

static void words(void)
{
	same("a;", "a;\n");
	same("a b_1 C=d;", "a b_1 C=d;\n");
	same("a key = 3 ;", "a key=3;\n");
	same("a relu leaky_relu(0.1) f(x, k = 2) g();",
	     "a relu leaky_relu(0.1) f(x, k=2) g();\n");
	same("a [1e-4, -1, 1/255];", "a [0.0001, -1, 1/255];\n");
	same("a \"x\\ty\\\"\\u00e9\\101\";", "a \"x\\ty\\\"\xC3\xA9"
					     "A\";\n");
	same("a { b; c { } }", "a {\n\tb;\n\tc {\n\t}\n}\n");
	same("a/**/b; // c\n/* ; ** */ d;", "a b;\nd;\n");
	same("// only a comment", "");
	same("", "");
}

static void numbers(void)
{
	same("a 0 7 -1 0.2 .5 5. 1e-4 -2E+3 9223372036854775807;",
	     "a 0 7 -1 0.2 0.5 5.0 0.0001 -2000.0 9223372036854775807;\n");
	Value v = first_value("a 128;");
	CU_ASSERT(v.kind == VALUE_NUMBER && v.is_integer && v.integer == 128 &&
		  v.number == 128);
	v = first_value("a -9223372036854775808;");
	CU_ASSERT(v.is_integer && v.integer == INT64_MIN);
	v = first_value("a 128.0;");
	CU_ASSERT(!v.is_integer && v.number == 128);
	v = first_value("a 0.1;");
	CU_ASSERT(v.number == 0.1);
	CU_ASSERT_EQUAL(errors_of("a 9223372036854775808;"), 1);
	CU_ASSERT_EQUAL(errors_of("a 1e999;"), 1);
	CU_ASSERT_EQUAL(errors_of("a 128units;"), 1);
	CU_ASSERT_EQUAL(errors_of("a units-1;"), 1);
}

static void ratios(void)
{
	Value v = first_value("a 1/255;");
	CU_ASSERT(v.kind == VALUE_NUMBER && !v.is_integer && v.number == 1.0 / 255);
	CU_ASSERT_STRING_EQUAL(value_text(&v), "1/255");
	v = first_value("a -6/3;");
	CU_ASSERT(v.is_integer && v.integer == -2);
	v = first_value("a (1/255);");
	CU_ASSERT(v.kind == VALUE_BINARY && v.op == '/');
	v = first_value("a (c-1);");
	CU_ASSERT(v.kind == VALUE_BINARY && v.op == '-');
	same("a ([-1, 1/2]) f([-1]);", "a [-1, 1/2] f([-1]);\n");
	CU_ASSERT_EQUAL(errors_of("a 1/0;"), 1);
	CU_ASSERT_EQUAL(errors_of("a 1/0.0;"), 1);
}

static void shapes(void)
{
	Value v = first_value("a 28x28x1;");
	CU_ASSERT(v.kind == VALUE_SHAPE && v.count == 3);
	CU_ASSERT(v.items[0].value.integer == 28 && v.items[2].value.integer == 1);
	same("a 7x7 (3, 3, c) (3,(c + 1));", "a 7x7 (3, 3, c) (3, c + 1);\n");
	CU_ASSERT_EQUAL(errors_of("a 28x0;"), 1);
	CU_ASSERT_EQUAL(errors_of("a 28x;"), 1);
	CU_ASSERT_EQUAL(errors_of("a 28X28;"), 1);
}

static void precedence(void)
{
	same("a (1 + 2 * 3);", "a (1 + 2 * 3);\n");
	same("a ((1 + 2) * 3);", "a ((1 + 2) * 3);\n");
	same("a ((1 - 2) - 3);", "a (1 - 2 - 3);\n");
	same("a (1 - (2 - 3));", "a (1 - (2 - 3));\n");
	same("a (8 / (4 / 2) % 3);", "a (8 / (4 / 2) % 3);\n");
	same("a (-b * -(c + 1));", "a (-b * -(c + 1));\n");
	same("a ((((5))));", "a 5;\n");
}

static void bytes(void)
{
	int errors;
	CU_ASSERT_STRING_EQUAL(parse("a 1;\r\nb 2;\r\n", &errors), "a 1;\nb 2;\n");
	CU_ASSERT_EQUAL(errors, 0);
	CU_ASSERT_STRING_EQUAL(parse("\xEF\xBB\xBF"
				     "a 1;",
				     &errors),
			       "a 1;\n");
	CU_ASSERT_EQUAL(errors, 0);
	parse("a 1;\r\nb =;\r\n", &errors);
	CU_ASSERT(errors == 1 && says("t.nn:2:3: error") && says("    2 | b =;\n"));
	parse("\xEF\xBB\xBF"
	      "a =;",
	      &errors);
	CU_ASSERT(errors == 1 && says("t.nn:1:3: error"));
	parse_bytes("a\0;", 3, &errors);
	CU_ASSERT(errors == 1 && says("NUL"));
	parse("// \xC3\xA9 ok\na \"\xE2\x82\xAC\";", &errors);
	CU_ASSERT_EQUAL(errors, 0);
	const char *const bad[] = {"\x80",
				   "\xC0\x80",
				   "\xC3",
				   "\xED\xA0\x80",
				   "\xE0\x80\x80",
				   "\xF4\x90\x80\x80",
				   "\xF8\x88\x80\x80\x80",
				   "\xFF"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		parse(bad[i], &errors);
		CU_ASSERT(errors == 1 && says("not UTF-8"));
	}
}

/* What a file says reaches the terminal without its control characters. */
static void no_escapes(void)
{
	int errors;
	parse("a \"\033[31m\xC2\x9B\xE2\x80\xAE\" =;", &errors);
	CU_ASSERT(errors == 1);
	CU_ASSERT(!says("\033") && !says("\xC2\x9B") && !says("\xE2\x80\xAE"));
}

static void recovery(void)
{
	CU_ASSERT_EQUAL(errors_of("a = ; b; c = ; d { e = ; f } g = ;"), 5);
	CU_ASSERT_EQUAL(errors_of("a (1; b [2; c (3 + ; d"), 4);
	CU_ASSERT_EQUAL(errors_of("} a; } b"), 3);
	CU_ASSERT_EQUAL(errors_of("a { b { c"), 1);
	CU_ASSERT_EQUAL(errors_of("a \"b\nc 'd' e 1x ;"), 3);
	CU_ASSERT_EQUAL(errors_of("a /* b"), 1);
	int errors;
	parse("a = ;\nb 1;\nc (;\nd 2;", &errors);
	CU_ASSERT_EQUAL(errors, 2);
	/* What is right between the errors is still there. */
	CU_ASSERT_STRING_EQUAL(parse("a = ;\nb 1;\nc (;\nd 2;", &errors),
			       "b 1;\nd 2;\n");
}

/* ---- expansion ---------------------------------------------------------- */

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

/* ---- bounds ------------------------------------------------------------- */

static void limits(void)
{
	int errors;
	parse(filled("", 'a', MAX_TOKEN, ";"), &errors);
	CU_ASSERT_EQUAL(errors, 0);
	parse(filled("", 'a', MAX_TOKEN + 1, ";"), &errors);
	CU_ASSERT_EQUAL(errors, 1);
	parse(filled("a \"", 'a', MAX_TOKEN - 2, "\";"), &errors);
	CU_ASSERT_EQUAL(errors, 0);
	parse(filled("a \"", 'a', MAX_TOKEN - 1, "\";"), &errors);
	CU_ASSERT_EQUAL(errors, 1);
	const char *close = filled("", ')', MAX_NESTING, ";");
	parse(filled("a ", '(', MAX_NESTING, arena_printf("1%s", close)), &errors);
	CU_ASSERT_EQUAL(errors, 0);
	parse(filled("a ", '(', MAX_NESTING + 1, arena_printf("1)%s", close)), &errors);
	CU_ASSERT_EQUAL(errors, 1);
	parse(filled("a (", '-', MAX_NESTING, "1);"), &errors);
	CU_ASSERT_EQUAL(errors, 0);
	parse(filled("a (", '-', MAX_NESTING + 1, "1);"), &errors);
	CU_ASSERT_EQUAL(errors, 1);
	parse(filled("a (", ' ', MAX_TOKEN - 3, "1);"), &errors);
	CU_ASSERT_EQUAL(errors, 0);
	parse(filled("a (", ' ', MAX_TOKEN - 2, "1);"), &errors);
	CU_ASSERT_EQUAL(errors, 1);
	CU_ASSERT_EQUAL(errors_of(filled("", '}', 60, "")), MAX_ERRORS + 1);
	CU_ASSERT(says("more than 50 errors"));
}

static void limits_of_source(void)
{
	int errors, count;
	const Source *source;
	ExpandOptions none = {NULL, 0, NULL, 0};
	const char *text = filled("a; //", 'x', MAX_SOURCE, "");
	listen();
	expand_text("t.nn", text, MAX_SOURCE, &none, &count, &source);
	CU_ASSERT_EQUAL(heard(), 0);
	CU_ASSERT_EQUAL(count, 1);
	listen();
	expand_text("t.nn", text, MAX_SOURCE + 1, &none, &count, &source);
	CU_ASSERT_EQUAL(heard(), 1);
	temp_write("big.nn", text, MAX_SOURCE + 1);
	size_t size;
	const char *why;
	CU_ASSERT_PTR_NULL(read_file(temp_path("big.nn"), MAX_SOURCE, &size, &why));
	CU_ASSERT_PTR_NOT_NULL(
		read_file(temp_path("big.nn"), MAX_SOURCE + 1, &size, &why));
	CU_ASSERT_EQUAL(size, MAX_SOURCE + 1);
	/* The shape of a bomb: as much as fits of one thing. */
	const char *const bombs[] = {"a;",
				     "a{",
				     "(",
				     "[",
				     "a 1;",
				     "\"",
				     "a=",
				     "-",
				     "1+",
				     "}",
				     "a(",
				     "const a=1;",
				     "include \"\";",
				     "repeat 4096{",
				     "/*",
				     "x ",
				     "1/",
				     "\\",
				     "a{}",
				     "block a{}",
				     "1,",
				     "\xC3\xA9",
				     "#\n"};
	for (size_t i = 0; i < sizeof bombs / sizeof *bombs; i++) {
		size_t n = strlen(bombs[i]);
		char *bomb = arena_alloc(MAX_SOURCE);
		for (size_t k = 0; k + n <= MAX_SOURCE; k += n)
			memcpy(bomb + k, bombs[i], n);
		parse_bytes(bomb, MAX_SOURCE / n * n, &errors);
		arena_free();
	}
}

static void limits_of_expansion(void)
{
	CU_ASSERT_EQUAL(errors_of("repeat 4096 { a; }"), 0);
	CU_ASSERT_EQUAL(errors_of("repeat 4096 { a; } a;"), 1);
	CU_ASSERT_EQUAL(errors_of("repeat 64 { repeat 64 { repeat 64 { a; } } }"), 1);
	CU_ASSERT_EQUAL(errors_of("repeat 4096 { repeat 4096 { repeat 4096 { } } }"),
			1);
	CU_ASSERT_EQUAL(errors_of("repeat 4097 { }"), 1);
	const char *chain = "block b0 { a; }", *list = "1";
	for (int i = 1; i <= MAX_NESTING; i++)
		chain = arena_printf("%s block b%d { b%d; }", chain, i, i - 1);
	CU_ASSERT_EQUAL(errors_of(arena_printf("%s b%d;", chain, MAX_NESTING - 1)), 0);
	CU_ASSERT_EQUAL(errors_of(arena_printf("%s b%d;", chain, MAX_NESTING)), 1);
	for (int i = 1; i < 1024; i++)
		list = arena_printf("%s, 1", list);
	CU_ASSERT_EQUAL(errors_of(arena_printf("a [%s];", list)), 0);
	CU_ASSERT_EQUAL(errors_of(arena_printf("a [%s, 1];", list)), 1);
	/* Each doubles the one before. */
	chain = "block b0 { a; }";
	for (int i = 1; i < 40; i++)
		chain = arena_printf("%s block b%d { b%d; b%d; }", chain, i, i - 1,
				     i - 1);
	CU_ASSERT_EQUAL(errors_of(arena_printf("%s b39;", chain)), 1);
}

/* ---- bind --------------------------------------------------------------- */

static const Param conv[] = {
	{"filters", NNC_ARG_INT, true, true, 0, 1, 1000, NULL, "outputs"},
	{"kernel", NNC_ARG_SIZE2, true, true, 0, 1, 100, NULL, "window"},
	{"activation", NNC_ARG_ACTIVATION, true, false, 0, 0, 0, NULL, "function"},
	{"padding", NNC_ARG_CHOICE, false, false, 0, 0, 0, "same|valid", "edges"},
	{"l2", NNC_ARG_REAL, false, false, 0.5, 0, 1, NULL, "decay"},
	{"bias", NNC_ARG_FLAG, false, false, 1, 0, 0, NULL, "bias"},
	{"nesterov", NNC_ARG_FLAG, true, false, 0, 0, 0, NULL, "ahead"},
	{"init", NNC_ARG_INIT, false, false, 0, 0, 0, NULL, "first weights"},
	{"name", NNC_ARG_STRING, false, false, 0, 0, 0, NULL, "name"},
	{"rates", NNC_ARG_REAL | NNC_ARG_LIST, false, false, 0, 0, 1, NULL, "to try"},
	{.name = NULL},
};

static int bind_errors(Args *a, const char *text)
{
	int count;
	const Source *source;
	ExpandOptions none = {NULL, 0, NULL, 0};
	listen();
	Stmt *s = expand_text("t.nn", text, strlen(text), &none, &count, &source);
	CU_ASSERT_EQUAL_FATAL(count, 1);
	bool ok = bind_args(a, s->name, s->span, s->args, s->count, conv);
	int errors = heard();
	CU_ASSERT_EQUAL(ok, errors == 0);
	return errors;
}

static void binding(void)
{
	Args a;
	int64_t size[2];
	CU_ASSERT_EQUAL(bind_errors(&a, "conv 64 7;"), 0);
	CU_ASSERT_EQUAL(arg_int(&a, "filters"), 64);
	CU_ASSERT(arg_size2(&a, "kernel", size) && size[0] == 7 && size[1] == 7);
	CU_ASSERT_STRING_EQUAL(arg_choice(&a, "padding"), "same");
	CU_ASSERT_EQUAL(arg_real(&a, "l2"), 0.5);
	CU_ASSERT(arg_flag(&a, "bias") && !arg_flag(&a, "nesterov"));
	CU_ASSERT(!arg_given(&a, "activation") && !arg_string(&a, "name"));
	CU_ASSERT_EQUAL(
		bind_errors(&a,
			    "conv leaky_relu(0.1) 3x5 64 padding=valid l2=1 bias=false "
			    "nesterov init=he name=\"x\" rates=[0.1, 1];"),
		0);
	CU_ASSERT_EQUAL(arg_int(&a, "filters"), 64); /* 3x5 is no integer */
	CU_ASSERT_EQUAL(bind_errors(&a,
				    "conv 64 3x5 relu padding=valid l2=1 bias=false "
				    "nesterov init=he name=\"x\" rates=[0.1, 1];"),
			0);
	CU_ASSERT(arg_size2(&a, "kernel", size) && size[0] == 3 && size[1] == 5);
	CU_ASSERT_STRING_EQUAL(arg_choice(&a, "padding"), "valid");
	CU_ASSERT_STRING_EQUAL(arg_string(&a, "name"), "x");
	CU_ASSERT(!arg_flag(&a, "bias") && arg_flag(&a, "nesterov"));
	CU_ASSERT_EQUAL(arg_value(&a, "rates")->count, 2);
	CU_ASSERT_EQUAL(span_column(arg_span(&a, "filters")), 6);
	CU_ASSERT_EQUAL(bind_errors(&a, "conv kernel=3 64;"), 0);
	CU_ASSERT_EQUAL(arg_int(&a, "filters"), 64);
}

static void binding_errors(void)
{
	static const char *const wrong[] = {"conv;",
					    "conv 64;",
					    "conv 0.5 3;",
					    "conv 0 3;",
					    "conv 1001 3;",
					    "conv 64 3x3x3;",
					    "conv 64 101x1;",
					    "conv 64 3 rellu;",
					    "conv 64 3 relu relu;",
					    "conv 64 3 he;",
					    "conv 64 3 3;",
					    "conv 64 3 filters=3;",
					    "conv 64 3 padding=sme;",
					    "conv 64 3 l2=2;",
					    "conv 64 3 l2=relu;",
					    "conv 64 3 bias=1;",
					    "conv 64 3 init=relu;",
					    "conv 64 3 name=x;",
					    "conv 64 3 nme=\"x\";",
					    "conv 64 3 rates=[2];",
					    "conv 64 3 rates=[0.1, a];",
					    "conv 64 3 \"x\";",
					    "conv 64 3 l2;",
					    "conv 64 3 same;",
					    "conv 64 3 l2=1 l2=1;",
					    "conv 64 3 init=he(1);"};
	Args a;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		CU_ASSERT_EQUAL(bind_errors(&a, wrong[i]), 1);
	CU_ASSERT_EQUAL(bind_errors(&a, "conv 64 3 relu\nconv 64 3;"), 1);
	CU_ASSERT(says("is a ';' missing at the end of line 1?"));
	CU_ASSERT_EQUAL(bind_errors(&a, "conv 64 3 rellu;"), 1);
	CU_ASSERT(says("did you mean 'relu'?"));
	CU_ASSERT_EQUAL(bind_errors(&a, "conv 64 3 relu (0.1);"), 1);
	CU_ASSERT(says("write relu(0.1)"));
}

/* ---- util --------------------------------------------------------------- */

static void utilities(void)
{
	int64_t r = 5;
	CU_ASSERT(mul_ok(1 << 30, 1 << 30, &r) && r == (int64_t)1 << 60);
	CU_ASSERT(!mul_ok(INT64_MAX, 2, &r) && r == (int64_t)1 << 60);
	CU_ASSERT(!add_ok(INT64_MAX, 1, &r) && r == (int64_t)1 << 60);
	static const char *const names[] = {"conv", "dense", "dropout", "maxpool"};
	CU_ASSERT_STRING_EQUAL(nearest("dens", names, 4), "dense");
	CU_ASSERT_STRING_EQUAL(nearest("Dense", names, 4), "dense");
	CU_ASSERT_STRING_EQUAL(nearest("maxpol", names, 4), "maxpool");
	CU_ASSERT_STRING_EQUAL(nearest("ocnv", names, 4), "conv");
	CU_ASSERT_PTR_NULL(nearest("lstm", names, 4));
	CU_ASSERT_PTR_NULL(nearest("", names, 4));
	int *v = NULL, n = 0, *w = NULL, m = 0;
	for (int i = 0; i < 1000; i++) {
		*vec_push(&v, &n) = i;
		if (i % 3 == 0) /* they must not run into one another */
			*vec_push(&w, &m) = -i;
	}
	bool right = n == 1000;
	for (int i = 0; i < n; i++)
		right = right && v[i] == i;
	for (int i = 0; i < m; i++)
		right = right && w[i] == -3 * i;
	CU_ASSERT(right);
}

void suite_front(void);

void suite_front(void)
{
	CU_pSuite suite = CU_add_suite("front", temp_folder_make, temp_folder_remove);
	CU_add_test(suite, "words", words);
	CU_add_test(suite, "numbers", numbers);
	CU_add_test(suite, "ratios", ratios);
	CU_add_test(suite, "shapes", shapes);
	CU_add_test(suite, "precedence", precedence);
	CU_add_test(suite, "bytes", bytes);
	CU_add_test(suite, "no escapes", no_escapes);
	CU_add_test(suite, "recovery", recovery);
	CU_add_test(suite, "constants", constants);
	CU_add_test(suite, "arithmetic", arithmetic);
	CU_add_test(suite, "repeats", repeats);
	CU_add_test(suite, "blocks", blocks);
	CU_add_test(suite, "defines", defines);
	CU_add_test(suite, "includes", includes);
	CU_add_test(suite, "limits", limits);
	CU_add_test(suite, "limits of a source", limits_of_source);
	CU_add_test(suite, "limits of expansion", limits_of_expansion);
	CU_add_test(suite, "binding", binding);
	CU_add_test(suite, "binding errors", binding_errors);
	CU_add_test(suite, "utilities", utilities);
}
