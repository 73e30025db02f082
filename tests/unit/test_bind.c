/* test_bind.c - arguments against a table of parameters; what the compiler counts and
 * compares with. */
#include <CUnit/Basic.h>
#include <string.h>

#include "front.h"

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

void suite_bind(void);

void suite_bind(void)
{
	CU_pSuite suite = CU_add_suite("bind", NULL, NULL);
	CU_add_test(suite, "binding", binding);
	CU_add_test(suite, "binding errors", binding_errors);
	CU_add_test(suite, "utilities", utilities);
}
