/* test_bounds.c - how long, deep and many the statements of a source may be. */
#include <CUnit/Basic.h>
#include <string.h>

#include "front.h"
#include "temp_folder.h"

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

void suite_bounds(void);

void suite_bounds(void)
{
	CU_pSuite suite = CU_add_suite("bounds", temp_folder_make, temp_folder_remove);
	CU_add_test(suite, "limits", limits);
	CU_add_test(suite, "limits of a source", limits_of_source);
	CU_add_test(suite, "limits of expansion", limits_of_expansion);
}
