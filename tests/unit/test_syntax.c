/* test_syntax.c - from text to statements: scanning, parsing, recovery. */
#include <CUnit/Basic.h>
#include <string.h>

#include "front.h"

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

static Value first_value(const char *text)
{
	int count;
	listen();
	Stmt *s = parse_source(source_new("t.nn", text, strlen(text)), &count);
	CU_ASSERT_EQUAL_FATAL(heard(), 0);
	CU_ASSERT_FATAL(count == 1 && s[0].count >= 1);
	return s[0].args[0].value;
}

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

void suite_syntax(void);

void suite_syntax(void)
{
	CU_pSuite suite = CU_add_suite("syntax", NULL, NULL);
	CU_add_test(suite, "words", words);
	CU_add_test(suite, "numbers", numbers);
	CU_add_test(suite, "ratios", ratios);
	CU_add_test(suite, "shapes", shapes);
	CU_add_test(suite, "precedence", precedence);
	CU_add_test(suite, "bytes", bytes);
	CU_add_test(suite, "no escapes", no_escapes);
	CU_add_test(suite, "recovery", recovery);
}
