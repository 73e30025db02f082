/*
 * codelet.c - one transform as one function over vectors. Numbers that are zero and bins
 * that nobody reads cost nothing; strides are the caller's, constants once inlined.
 */
#include <string.h>

#include "fft.h"

/* "rfft18_14": 14 real numbers from place 0 on; "ifft18_7down3": to places 3, 2, .. -3. */
static const char *codelet_name(const Codelet *c)
{
	const char *name = arena_printf("%s%sfft%lld_%lld", c->inverse ? "i" : "",
					c->real ? "r" : "", (long long)c->size,
					(long long)c->count);
	if (c->step < 0)
		return arena_printf("%sdown%lld", name, (long long)c->first);
	return c->first ? arena_printf("%sfrom%lld", name, (long long)c->first) : name;
}

static const char *describe(const Codelet *c)
{
	const char *from = arena_printf("%lld..%lld", (long long)c->first,
					(long long)(c->first + c->step * (c->count - 1)));
	const char *kind = c->real ? "real" : "complex";
	return c->inverse ? arena_printf("%s numbers %s of the inverse transform of %lld bins, "
					 "unscaled", kind, from, (long long)c->size)
			  : arena_printf("%lld bins of %s numbers in places %s",
					 (long long)c->size, kind, from);
}

/* Element i of an argument: its real part, or the imaginary one further on. */
static const char *element(const char *array, int64_t i, bool imaginary)
{
	const char *part = arena_printf("%s_im", array);
	if (i == 0)
		return arena_printf("%s[%s]", array, imaginary ? part : "0");
	const char *at = arena_printf("%lld * %s_step", (long long)i, array);
	return arena_printf("%s[%s%s%s]", array, at, imaginary ? " + " : "",
			    imaginary ? part : "");
}

static Complex input(Dag *d, int64_t i, bool real)
{
	Complex z = {0, 0};
	z.re = dag_input(d, arena_printf("x%lld", (long long)i), element("in", i, false));
	if (!real)
		z.im = dag_input(d, arena_printf("y%lld", (long long)i), element("in", i, true));
	return z;
}

static void output(Dag *d, int64_t i, Complex z, bool real)
{
	dag_output(d, element("out", i, false), z.re);
	if (!real)
		dag_output(d, element("out", i, true), z.im);
}

/* The place of number i. */
static int64_t place(const Codelet *c, int64_t i)
{
	return ((c->first + c->step * i) % c->size + c->size) % c->size;
}

static void build_forward(Dag *d, const Codelet *c)
{
	Complex x[MAX_TRANSFORM] = {{0, 0}}, y[MAX_TRANSFORM];
	for (int64_t i = 0; i < c->count; i++)
		x[place(c, i)] = input(d, i, c->real);
	dft(d, x, y, (int)c->size, -1);
	for (int64_t k = 0; k < (c->real ? c->size / 2 + 1 : c->size); k++)
		output(d, k, y[k], false);
}

/* Bins of real numbers: those beyond the middle are conjugates, 0 and the middle real. */
static void build_inverse(Dag *d, const Codelet *c)
{
	Complex x[MAX_TRANSFORM], y[MAX_TRANSFORM];
	int64_t middle = c->size / 2;
	for (int64_t k = 0; k < (c->real ? middle + 1 : c->size); k++)
		x[k] = input(d, k, c->real && k % middle == 0);
	for (int64_t k = middle + 1; k < c->size && c->real; k++)
		x[k] = (Complex){x[c->size - k].re, -x[c->size - k].im};
	dft(d, x, y, (int)c->size, 1);
	for (int64_t i = 0; i < c->count; i++)
		output(d, i, y[place(c, i)], c->real);
}

/* Of one number no stride is used, of two bins no imaginary part. */
static const char *unused(const char *body, bool in_im, bool out_im)
{
	static const char *const params[] = {"in_step", "out_step", "in_im", "out_im"};
	const bool exists[] = {true, true, in_im, out_im};
	const char *text = "";
	for (int i = 0; i < 4; i++)
		if (exists[i] && !strstr(body, params[i]))
			text = arena_printf("%s%s(void)%s;", text, *text ? "\n" : "", params[i]);
	return text;
}

const char *codelet_function(Emit *e, const Codelet *c)
{
	const char *name = codelet_name(c);
	if (is_emitted(e, name))
		return name;
	Dag *d = dag_new();
	int operations;
	assert(c->size % 2 == 0 && c->size <= MAX_TRANSFORM && c->count <= c->size);
	if (c->inverse)
		build_inverse(d, c);
	else
		build_forward(d, c);
	const char *body = dag_text(d, &operations);
	bool in_im = c->inverse || !c->real, out_im = !c->inverse || !c->real;
	const Hole holes[] = {
		{"name", name},
		{"what", describe(c)},
		{"operations", int_text(operations)},
		{"in_im", in_im ? " int in_im," : ""},
		{"out_im", out_im ? ", int out_im" : ""},
		{"unused", unused(body, in_im, out_im)},
		{"body", body},
		{NULL, NULL},
	};
	emit_function(e, name, "fft_codelet", holes);
	return name;
}

#ifdef TEMPLATE_fft_codelet
/* $what$: $operations$ operations */
static NNC_INLINE void $name$(const nnc_vec *restrict in, int in_step,$in_im$
			      nnc_vec *restrict out, int out_step$out_im$)
{
	$unused$
	$body$
}
#endif
