/* gen.c - writes every kind of transform, of every size, as conv_fft may ask for it. */
#include "fft/fft.h"

static int number;

static void put_case(Emit *e, Codelet c)
{
	const char *name = codelet_function(e, &c);
	put(e, "static void run%d(const nnc_vec *in, nnc_vec *out)\n{", number);
	put(e, "%s(in, 2%s, out, 2%s);\n}", name, c.real && !c.inverse ? "" : ", 1",
	    c.real && c.inverse ? "" : ", 1");
	printf("#define CASE_%d {\"%s\", %d, %d, %d, %d, %d, %d, run%d}\n", number,
	       name, (int)c.size, (int)c.count, (int)c.first, (int)c.step, c.inverse,
	       c.real, number);
	number++;
}

static void put_kinds(Emit *e, int64_t size, int64_t count, int64_t first, int64_t step)
{
	if (count < 1 || count > size)
		return;
	for (int kind = 0; kind < 4; kind++)
		put_case(e, (Codelet){.size = size,
				      .count = count,
				      .first = first,
				      .step = step,
				      .inverse = kind & 1,
				      .real = kind & 2});
}

int main(void)
{
	Text calls = {0};
	Emit e = {.out = &calls};
	for (int64_t size = 2; size <= MAX_TRANSFORM; size += 2) {
		if (!is_smooth(size))
			continue;
		put_kinds(&e, size, size, 0, 1);
		put_kinds(&e, size, size / 2, 0, 1);
		put_kinds(&e, size, size - 1, 0, 1);
		put_kinds(&e, size, 3, 1, -1);
		put_kinds(&e, size, 7, 6, -1);
		put_kinds(&e, size, size, 2, -1);
	}
	printf("#include \"cases.h\"\n\ntypedef nnc_real real;\n");
	for (int i = 0; i < e.function_count; i++)
		printf("\n%s", e.functions[i].text);
	printf("\n%s\nconst Case cases[] = {\n", calls.bytes);
	for (int i = 0; i < number; i++)
		printf("\tCASE_%d,\n", i);
	printf("};\nconst int case_count = %d;\n", number);
	arena_free();
	return 0;
}
