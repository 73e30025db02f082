/* window.c - the sizes of a sliding window, as the holes and names of its kernels. */
#include "nnc.h"

Window window_of(const Attr *a, Shape x, Shape y)
{
	Window w = {
		.h = x.dim[0],
		.w = x.dim[1],
		.c = x.dim[2],
		.kh = a->kernel[0],
		.kw = a->kernel[1],
		.sh = a->stride[0],
		.sw = a->stride[1],
		.dh = a->dilation[0],
		.dw = a->dilation[1],
		.top = a->pad[0],
		.left = a->pad[1],
		.uneven = a->pad[0] != a->pad[2] || a->pad[1] != a->pad[3],
	};
	if (y.rank == 1) /* a global pool */
		y = shape3(1, 1, y.dim[0]);
	w.oh = y.dim[0];
	w.ow = y.dim[1];
	w.o = y.dim[2];
	return w;
}

/* "conv_28x28x1_7x7x64_p3x3": what is not the default says so. */
const char *window_name(const char *what, const Window *w)
{
	const char *name = arena_printf(
		"%s_%lldx%lldx%lld_%lldx%lld", what, (long long)w->h, (long long)w->w,
		(long long)w->c, (long long)w->kh, (long long)w->kw);
	if (w->o && w->o != w->c)
		name = arena_printf("%sx%lld", name, (long long)w->o);
	if (w->sh != 1 || w->sw != 1)
		name = arena_printf("%s_s%lldx%lld", name, (long long)w->sh,
				    (long long)w->sw);
	if (w->dh != 1 || w->dw != 1)
		name = arena_printf("%s_d%lldx%lld", name, (long long)w->dh,
				    (long long)w->dw);
	if (w->top || w->left)
		name = arena_printf("%s_p%lldx%lld", name, (long long)w->top,
				    (long long)w->left);
	if (w->uneven)
		name = arena_printf("%s_to%lldx%lld", name, (long long)w->oh,
				    (long long)w->ow);
	return name;
}

Hole *window_holes(const Window *w, const Hole *extra)
{
	const Hole holes[] = {
		{"H", int_text(w->h)},     {"W", int_text(w->w)},
		{"C", int_text(w->c)},     {"OH", int_text(w->oh)},
		{"OW", int_text(w->ow)},   {"O", int_text(w->o)},
		{"KH", int_text(w->kh)},   {"KW", int_text(w->kw)},
		{"SH", int_text(w->sh)},   {"SW", int_text(w->sw)},
		{"DH", int_text(w->dh)},   {"DW", int_text(w->dw)},
		{"TOP", int_text(w->top)}, {"LEFT", int_text(w->left)},
	};
	return join_holes(holes, sizeof holes / sizeof *holes, extra);
}

void print_window(FILE *out, const Node *n)
{
	const Attr *a = &n->attr;
	fprintf(out, " kernel %lldx%lld stride %lldx%lld", (long long)a->kernel[0],
		(long long)a->kernel[1], (long long)a->stride[0],
		(long long)a->stride[1]);
	if (a->dilation[0] != 1 || a->dilation[1] != 1)
		fprintf(out, " dilation %lldx%lld", (long long)a->dilation[0],
			(long long)a->dilation[1]);
	if (a->pad[0] || a->pad[1] || a->pad[2] || a->pad[3])
		fprintf(out, " pad %lld,%lld,%lld,%lld", (long long)a->pad[0],
			(long long)a->pad[1], (long long)a->pad[2],
			(long long)a->pad[3]);
}
