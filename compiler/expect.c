/* expect.c - the claims of a model about itself: params, shape, macs, memory. */
#include <string.h>

#include "nnc.h"

const Param expect_params[] = {
	{"params", NNC_ARG_INT, false, false, 0, 0, 1e18, NULL,
	 "the number of weights"},
	{"shape", NNC_ARG_SHAPE | NNC_ARG_INT, false, false, 0, 1, NNC_MAX_DIM, NULL,
	 "the output of the layer above"},
	{"macs", NNC_ARG_INT, false, false, 0, 0, 1e18, NULL,
	 "multiply-adds of one sample's forward pass"},
	{"memory", NNC_ARG_INT, false, false, 0, 0, 1e18, NULL,
	 "bytes that training needs, at most"},
	{.name = NULL},
};

static void check_count(const Args *args, const char *key, const char *what,
			int64_t found)
{
	if (!arg_given(args, key) || arg_int(args, key) == found)
		return;
	diag_error(arg_span(args, key), "expected %lld %s, but the model has %lld",
		   (long long)arg_int(args, key), what, (long long)found);
	diag_help("run `nnc --summary` to see where they are, or write %s=%lld", key,
		  (long long)found);
}

static void check_shape(const Args *args, const NetLayer *layer)
{
	const Value *v = arg_value(args, "shape");
	if (!v)
		return;
	Shape want = {.rank = v->kind == VALUE_SHAPE ? v->count : 1,
		      .dim = {v->integer}};
	for (int i = 0; v->kind == VALUE_SHAPE && i < v->count && i < NNC_MAX_RANK; i++)
		want.dim[i] = v->items[i].value.integer;
	if (shape_equal(want, layer->out))
		return;
	diag_error(v->span, "expected shape %s here, but it is %s", shape_name(want),
		   shape_name(layer->out));
	diag_note(layer->stmt->span, "%s comes from this %s%s", shape_name(layer->out),
		  layer->word, origin_turn(layer->stmt->origin));
}

static void check_memory(const Args *args, const Net *net)
{
	int64_t bytes = training_bytes(net);
	if (!arg_given(args, "memory") || bytes <= arg_int(args, "memory"))
		return;
	diag_error(arg_span(args, "memory"),
		   "expected at most %lld bytes, but training needs %lld",
		   (long long)arg_int(args, "memory"), (long long)bytes);
	diag_help("use a smaller batch or smaller layers");
}

/* The last layer written before a statement; expansion keeps the order of the file. */
static const NetLayer *layer_before(const Net *net, const Stmt *stmts,
				    const Stmt *expect)
{
	int n = 0;
	for (const Stmt *s = stmts; s < expect; s++)
		n += !is_section(s->name);
	return n > 0 ? net->layers[n - 1] : NULL;
}

static bool bind_expect(Args *args, const Stmt *s)
{
	if (s->has_body || s->count == 0) {
		diag_error(s->span, "expect takes claims");
		diag_help("write, for example, `expect params=101770;`");
		return false;
	}
	return bind_args(args, "expect", s->span, s->args, s->count, expect_params);
}

void check_expectations(const Net *net, const Stmt *stmts, int count)
{
	for (int i = 0; i < count; i++) {
		const Stmt *s = &stmts[i];
		Args args;
		if (strcmp(s->name, "expect") != 0 || !bind_expect(&args, s))
			continue;
		check_count(&args, "params", "parameters", net->params_total);
		check_count(&args, "macs", "multiply-adds", net->macs_total);
		const NetLayer *layer = layer_before(net, stmts, s);
		if (layer)
			check_shape(&args, layer);
		else if (arg_given(&args, "shape"))
			diag_error(arg_span(&args, "shape"),
				   "no layer stands before this claim");
	}
}

void check_memory_expectations(const Net *net, const Stmt *stmts, int count)
{
	for (int i = 0; i < count; i++) {
		Args args;
		if (strcmp(stmts[i].name, "expect") == 0 &&
		    bind_expect(&args, &stmts[i]))
			check_memory(&args, net);
	}
}
