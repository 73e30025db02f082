/* test_align.c - which layers `nnc diff` puts side by side. */
#include "compare/compare.h"
#include "nets.h"

#include <CUnit/CUnit.h>
#include <stdlib.h>
#include <string.h>

/* "=": a pair, the same; "|": a pair; "<" and ">": alone. */
static const char *marks(const char *left, const char *right)
{
	int count, i = 0, j = 0;
	Net *a = net_of(left), *b = net_of(right);
	CU_ASSERT_FATAL(a && b);
	Pair *pairs = align_layers(a, b, &count);
	char *text = arena_alloc((size_t)count + 1);
	for (int k = 0; k < count; k++) {
		const Pair *p = &pairs[k];
		CU_ASSERT_FATAL(p->a || p->b);
		/* every layer of both, once and in order */
		if (p->a)
			CU_ASSERT_PTR_EQUAL(p->a->layer, a->layers[i++]);
		if (p->b)
			CU_ASSERT_PTR_EQUAL(p->b->layer, b->layers[j++]);
		text[k] = !p->b ? '<' : !p->a ? '>' : same_row(p->a, p->b) ? '=' : '|';
	}
	CU_ASSERT_EQUAL(i, a->layer_count);
	CU_ASSERT_EQUAL(j, b->layer_count);
	return text;
}

#define ALIGNED(left, right, expected)                                                 \
	CU_ASSERT_STRING_EQUAL(marks(left, right), expected)

#define MLP "input 9; dense 8 relu; dense 8 relu; dense 3 softmax;"

static void pairs(void)
{
	ALIGNED(MLP, MLP, "====");
	ALIGNED(MLP, "input 9; dense 8 relu; dense 8 tanh; dense 3 softmax;", "==|=");
	/* another width goes on into the next layer, whose statement is the same */
	ALIGNED(MLP, "input 9; dense 8 relu; dense 7 relu; dense 3 softmax;", "==||");
	/* what differs in words only is the same */
	ALIGNED(MLP, "const k=8; input 9; repeat 2 { dense k relu; } dense 3 softmax;",
		"====");
	ALIGNED(MLP,
		"input 9; dense units=8 relu; dense 8 activation=relu; "
		"dense 3 softmax;",
		"=||=");
}

static void alone(void)
{
	ALIGNED(MLP,
		"input 9; dense 8 relu; dropout 0.2; dense 8 relu; dropout 0.2; "
		"dense 3 softmax;",
		"==>=>=");
	ALIGNED("input 9; dense 8 relu; dense 7 relu; dense 6 relu; dense 3 softmax;",
		"input 9; dense 8 relu; dense 6 relu; dense 3 softmax;", "==<|=");
	/* a dropout is no partner for a dense layer */
	ALIGNED("input 9; dropout 0.5; dense 3 softmax;",
		"input 9; dense 9 relu; dense 3 softmax;", "=<>=");
	ALIGNED("input 9; dense 3 softmax;", "input 9; dropout 0.1; dense 3 softmax;",
		"=>=");
}

static void either_way(void)
{
	static const char *const models[] = {
		MLP,
		"input 9; dense 3 softmax;",
		"input 9; dropout 0.1; dense 8 tanh; dense 8 relu; dense 3 softmax;",
		"input 3x3x1; conv 4 3x3 relu; flatten; dense 8 relu; dense 3 softmax;",
	};
	enum { N = sizeof models / sizeof *models };
	for (int i = 0; i < N; i++)
		for (int j = 0; j < N; j++) {
			const char *there = marks(models[i], models[j]);
			const char *back = marks(models[j], models[i]);
			int same[2] = {0, 0}, pair[2] = {0, 0};
			for (const char *c = there; *c; c++) {
				same[0] += *c == '=';
				pair[0] += *c == '|';
			}
			for (const char *c = back; *c; c++) {
				same[1] += *c == '=';
				pair[1] += *c == '|';
			}
			CU_ASSERT_EQUAL(same[0], same[1]);
			CU_ASSERT_EQUAL(pair[0], pair[1]);
		}
}

void suite_align(void);
void suite_align(void)
{
	CU_pSuite s = CU_add_suite("align", NULL, NULL);
	CU_add_test(s, "layers that belong together", pairs);
	CU_add_test(s, "layers without a partner", alone);
	CU_add_test(s, "the other way round", either_way);
}
