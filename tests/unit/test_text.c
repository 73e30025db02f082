/*
 * test_text.c - how the user's text, names and numbers stand in generated C: each
 * through one function, which lets nothing out of its literal or comment.
 */
#include "nnc.h"

#include <CUnit/CUnit.h>
#include <stdlib.h>
#include <string.h>

/* Every byte and every pair of bytes: plain characters and octal escapes, nothing else.
 */
static void strings(void)
{
	CU_ASSERT_STRING_EQUAL(string_text(NULL), "NULL");
	CU_ASSERT_STRING_EQUAL(string_text(""), "\"\"");
	CU_ASSERT_STRING_EQUAL(string_text("a\"b\\c\n%?\?/\x80"),
			       "\"a\\042b\\134c\\012\\045\\077\\077/\\200\"");
	for (int a = 1; a < 256; a++) {
		const char text[] = {(char)a, '7', (char)a, 0};
		const char *c = string_text(text);
		size_t length = strlen(c);
		CU_ASSERT(c[0] == '"' && c[length - 1] == '"');
		CU_ASSERT(length == 5 || length == 2 + 4 + 1 + 4);
		bool escaped = length > 5;
		CU_ASSERT_EQUAL(escaped, c[1] == '\\');
		const char octal[] = {c[2], c[3], c[4], 0};
		CU_ASSERT_EQUAL(escaped ? strtol(octal, NULL, 8) : c[1], a);
		for (size_t i = 1; i + 1 < length; i++)
			CU_ASSERT((unsigned char)c[i] >= 32 &&
				  (unsigned char)c[i] < 127 && c[i] != '"' &&
				  c[i] != '?' && c[i] != '%');
	}
	arena_free();
}

/* Nothing ends a comment, begins one, continues its line, or steers a terminal. */
static void comments(void)
{
	static const char bytes[] = "*/\\a \n\x1b\x80\xe2\x80\xae";
	char text[5] = {0};

	CU_ASSERT_STRING_EQUAL(comment_text("conv 3 a/b *c"), "conv 3 a/b *c");
	CU_ASSERT_STRING_EQUAL(comment_text("*/ /* \\\n"), "* / / *   ");
	CU_ASSERT_STRING_EQUAL(comment_text("\xc3\xa9"), "\xc3\xa9");
	for (size_t i = 0;
	     i < sizeof bytes * sizeof bytes * sizeof bytes * sizeof bytes; i++) {
		size_t rest = i;
		for (int k = 0; k < 4; k++, rest /= sizeof bytes)
			text[k] = bytes[rest % sizeof bytes];
		const char *c = comment_text(text);
		CU_ASSERT(!strstr(c, "*/") && !strstr(c, "/*") &&
			  !strpbrk(c, "\\\n\x1b"));
		CU_ASSERT(!strstr(c, "\xe2\x80\xae"));
		if (i % 1000 == 0)
			arena_free();
	}
	arena_free();
}

static void words(void)
{
	CU_ASSERT_STRING_EQUAL(replace_word("v + vv + v_ + av + v", "v", "x[i]"),
			       "x[i] + vv + v_ + av + x[i]");
	CU_ASSERT_STRING_EQUAL(replace_word("v1 _v v", "v", ""), "v1 _v ");
	CU_ASSERT_STRING_EQUAL(replace_word("", "v", "x"), "");
	CU_ASSERT_STRING_EQUAL(upper_text("d_dense1"), "D_DENSE1");
	CU_ASSERT_STRING_EQUAL(element_type(ELEMENT_BYTE), "uint8_t");
	CU_ASSERT_STRING_EQUAL(element_type(ELEMENT_INT), "int32_t");
	CU_ASSERT_STRING_EQUAL(element_type(ELEMENT_REAL), "real");
	arena_free();
}

static void numbers(void)
{
	static const double values[] = {0,         -0.0,  1,      -7,     0.1,
					1e-5,      1e15,  -1e15,  1e16,   -1e16,
					0.1 + 0.2, 1e300, 5e-324, 1.0 / 3};

	for (size_t i = 0; i < sizeof values / sizeof *values; i++)
		CU_ASSERT_EQUAL(strtod(number_text(values[i]), NULL), values[i]);
	CU_ASSERT_STRING_EQUAL(number_text(0.1), "0.1");
	CU_ASSERT_STRING_EQUAL(number_text(0.1 + 0.2), "0.30000000000000004");
	CU_ASSERT_STRING_EQUAL(real_text(2), "(real)2");
	CU_ASSERT_STRING_EQUAL(identifier_text(0.1), "0_1");
	CU_ASSERT_STRING_EQUAL(identifier_text(-1e-5), "m1em05");
	CU_ASSERT_STRING_EQUAL(identifier_text(1e+20), "1e_20");
	CU_ASSERT_STRING_EQUAL(grouped_text(0), "0");
	CU_ASSERT_STRING_EQUAL(grouped_text(999), "999");
	CU_ASSERT_STRING_EQUAL(grouped_text(1234567), "1,234,567");
	CU_ASSERT_STRING_EQUAL(int_text(0), "0");
	CU_ASSERT_STRING_EQUAL(int_text(-60), "-60");
	CU_ASSERT_STRING_EQUAL(int_text(INT64_MAX), "9223372036854775807");
	CU_ASSERT_STRING_EQUAL(int_text(INT64_MIN), "-9223372036854775808");
	CU_ASSERT_STRING_EQUAL(times_text("n", 1), "n");
	CU_ASSERT_STRING_EQUAL(times_text("n", 9), "n * 9");
	arena_free();
}

extern void suite_text(void);

void suite_text(void)
{
	CU_pSuite suite = CU_add_suite("text", NULL, NULL);

	CU_add_test(suite, "strings", strings);
	CU_add_test(suite, "comments", comments);
	CU_add_test(suite, "words", words);
	CU_add_test(suite, "numbers", numbers);
}
