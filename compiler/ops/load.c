/* load: the batch's samples, gathered by index, as scaled numbers: the input x. */
#include <math.h>

#include "nnc.h"

/* The factor as a person would write it: 1.0 / 255 where it is one over an integer. */
static const char *scale_text(double scale)
{
	double inverse = 1 / scale;
	if (scale == 1)
		return "";
	if (inverse == floor(inverse) && 1 / inverse == scale && fabs(inverse) < 1e9)
		return arena_printf(" * (real)(1.0 / %.0f)", inverse);
	return arena_printf(" * %s", real_text(scale));
}

enum {
	MOST_OWN = 1 << 19, /* numbers: they stay in the second cache */
};

/* Does a gemm read x, some columns of all rows? */
static bool by_columns(const Node *n)
{
	const Tensor *x = n->out[0];
	while (x->reader && x->reader->op->reshape)
		x = x->reader->out[0];
	return x->reader && x->reader->op->by_columns;
}

/*
 * A thread that reads its columns of all rows has the CPU fetch some of another's, too,
 * between which it has to ask for them again to write the next batch. All of it, for
 * itself alone, takes less.
 */
static bool own(const Net *net, const Node *n)
{
	return by_columns(n) && batch_size(net, n->out[0]) <= MOST_OWN;
}

static void emit(Emit *e, const Node *n)
{
	const Net *net = e->net;
	bool bytes = takes_bytes(net), all = n->out[0]->own;
	bool halves = !all && by_columns(n); /* then each thread loads what it will read */
	const Hole holes[] = {
		{"K", int_text(shape_size(net->input))},
		{"share", all ? "nnc_whole" : "nnc_share"},
		{"pieces", halves ? "2" : "batch->rows"},
		{"first", halves ? "share.first * HALF" : "0"},
		{"end", halves ? "share.end == 2 ? K : share.end * HALF" : "K"},
		{"HALF", halves ? ", HALF = K / 2" : ""},
		{"rows", halves ? "0; i < batch->rows; i++" : "share.first; i < share.end; i++"},
		{"sample", bytes ? "uint8_t" : "float"},
		{"scale", scale_text(n->attr.scale)},
		{NULL, NULL},
	};
	emit_function(e, "gather", "load", holes);
	put(e, "gather(thread, batch, %s);", ref(n->out[0]));
}

static void print_attr(FILE *out, const Node *n)
{
	fprintf(out, " scale %.9g", n->attr.scale);
}

const Op op_load = {
	.name = "load",
	.emit = emit,
	.own = own,
	.print_attr = print_attr,
};

#ifdef TEMPLATE_load
/* x (n,$K$) = the samples of this batch; those of the next are on their way by then */
static void gather(const NncThread *thread, const NncBatch *batch, real *restrict x)
{
	enum { K = $K$, LINE = NNC_ALIGN / sizeof($sample$)$HALF$ };
	const NncRange share = $share$(thread, $pieces$);
	const int first = $first$, end = $end$;
	const $sample$ *samples = batch->samples;

	for (int i = $rows$) {
		const $sample$ *sample = samples + (size_t)batch->index[i] * K;
		for (int k = first; k < end; k++)
			x[i * K + k] = (real)sample[k]$scale$;
		for (int k = first; k < end && i < batch->next_rows; k += LINE)
			__builtin_prefetch(samples + (size_t)batch->next[i] * K + k);
	}
}
#endif
