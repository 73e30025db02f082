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

/*
 * A thread that reads some columns of all rows has the CPU fetch some of another's, too,
 * between which it has to ask for them again to write the next batch. All of it, for
 * itself alone, takes less.
 */
static bool own(const Net *net, const Node *n)
{
	const Tensor *x = n->out[0];
	while (x->reader && x->reader->op->reshape)
		x = x->reader->out[0];
	return x->reader && x->reader->op->by_columns && batch_size(net, x) <= MOST_OWN;
}

static bool read_by_halves(const Net *net, const Tensor *x)
{
	for (int i = 0; i < x->reader_count; i++) {
		const Node *n = x->readers[i];
		if (n->op->reshape) {
			if (!read_by_halves(net, n->out[0]))
				return false;
		} else if (n->in[0] != x || split_of(net, n, 'a') != SPLIT_HALVES) {
			return false;
		}
	}
	return x->reader_count > 0;
}

/* Two threads each need half of the columns, if nobody reads more, here or at inference. */
static bool in_halves(const Net *net)
{
	return net->x->own && read_by_halves(net, net->x) && read_by_halves(net, net->infer_x);
}

static void emit(Emit *e, const Node *n)
{
	const Net *net = e->net;
	const bool halves = in_halves(net);
	const Hole holes[] = {
		{"K", int_text(shape_size(net->input))},
		{"share", n->out[0]->own ? "nnc_whole" : "nnc_share"},
		{"columns", halves ? "const NncRange columns = nnc_half(thread, K);" : ""},
		{"first", halves ? "columns.first" : "0"},
		{"end", halves ? "columns.end" : "K"},
		{"sample", takes_bytes(net) ? "uint8_t" : "float"},
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
	enum { K = $K$, LINE = NNC_ALIGN / sizeof($sample$) };
	const NncRange share = $share$(thread, batch->rows);
	$columns$
	const $sample$ *samples = batch->samples;

	for (int i = share.first; i < share.end; i++) {
		const $sample$ *sample = samples + (size_t)batch->index[i] * K;
		for (int k = $first$; k < $end$; k++)
			x[i * K + k] = (real)sample[k]$scale$;
		for (int k = $first$; k < $end$ && i < batch->next_rows; k += LINE)
			__builtin_prefetch(samples + (size_t)batch->next[i] * K + k);
	}
}
#endif
