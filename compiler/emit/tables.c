/* tables.c - the end of the generated file: what the runtime knows of the model. */
#include <ctype.h>
#include <string.h>

#include "nnc.h"

static const char *ints_text(const int64_t *values, int count)
{
	const char *text = "{";
	for (int i = 0; i < count; i++)
		text = arena_printf("%s%s%lld", text, i ? ", " : "",
				    (long long)values[i]);
	return arena_printf("%s}", text);
}

static void emit_tensors(Emit *e)
{
	const Net *net = e->net;
	put(e, "/* PyTorch's name and shape, the stride of each of its dimensions in "
	       "ours, place, init. */");
	put(e, "static const NncTensor tensors[] = {");
	for (int i = 0; i < net->param_count; i++) {
		scratch_begin();
		const Tensor *t = net->params[i];
		int64_t dim[NNC_MAX_RANK], stride[NNC_MAX_RANK];
		for (int k = 0; k < t->shape.rank; k++) {
			dim[k] = t->shape.dim[t->torch[k]];
			stride[k] = 1;
			for (int q = t->torch[k] + 1; q < t->shape.rank; q++)
				stride[k] *= t->shape.dim[q];
		}
		put(e, "{%s, %d, %s, %s, offsetof(Params, %s) / sizeof(real),",
		    string_text(t->name), t->shape.rank, ints_text(dim, t->shape.rank),
		    ints_text(stride, t->shape.rank), t->id);
		put(e, " %s, %s, %s, %s},", string_text(t->init),
		    number_text(t->init_argument), number_text(t->fan_in),
		    number_text(t->fan_out));
		scratch_end();
	}
	put(e, "};\n");
}

static int line_of(const NetLayer *layer)
{
	return layer->stmt->span.source ? span_line(layer->stmt->span) : 0;
}

/* Of an included file; NULL: the model's own. */
static const char *file_of(const Net *net, const NetLayer *layer)
{
	const Source *source = layer->stmt->span.source;
	return source && source != net->source ? source->base : NULL;
}

/* Lines are relative, so that one more in the file does not alter all below it. */
static void emit_layers(Emit *e)
{
	const Net *net = e->net;
	int before = 0;
	put(e,
	    "/* Name, statement, included file, lines below the layer before; output, "
	    "parameters,\n"
	    " * multiply-adds. */");
	put(e, "static const NncLayer layers[] = {");
	for (int i = 0; i < net->layer_count; i++) {
		const NetLayer *l = net->layers[i];
		scratch_begin();
		put(e, "{%s, %s, %s, %d, %d, %s, %lld, %lld},", string_text(l->name),
		    string_text(l->text), string_text(file_of(net, l)),
		    line_of(l) - before, l->out.rank,
		    ints_text(l->out.dim, l->out.rank), (long long)l->params,
		    (long long)l->macs);
		scratch_end();
		before = line_of(l);
	}
	put(e, "};\n");
}

static void emit_training(Emit *e)
{
	const Training *t = &e->net->training;
	put(e, ".training = {");
	put(e, ".format = %s,", string_text(t->format ? t->format->name : NULL));
	if (t->path)
		put(e, ".path = %s,", string_text(t->path));
	if (t->label)
		put(e, ".label = %s,", string_text(t->label));
	put(e, ".train = %lld,", (long long)t->train);
	put(e, ".validation = %s,", number_text(t->validation));
	put(e, ".loss = %s,", string_text(t->loss->name));
	put(e, ".optimizer = %s,", string_text(t->optimizer->name));
	put(e, ".lr = %s,", number_text(arg_real(&t->optimizer_args, "lr")));
	put(e, ".epochs = %lld,", (long long)t->epochs);
	put(e, ".seed = %u,", t->seed);
	put(e, ".watch = %s,", string_text(t->watch));
	if (*t->watch) {
		put(e, ".patience = %lld,", (long long)t->patience);
		put(e, ".min_delta = %s,", number_text(t->min_delta));
	}
	put(e, "},");
}

/* ---- the calls ------------------------------------------------------------------- */

static double flops_of(const Net *net, const Node *n)
{
	return n->op->flops ? n->op->flops(net, n) : 0;
}

/* With what is fused into it. */
static double node_flops(const Net *net, const Node *n)
{
	double flops = flops_of(net, n);
	for (int f = 0; f < n->fused_count; f++)
		flops += flops_of(net, n->fused[f]);
	return n->spread ? flops + flops_of(net, n->spread) : flops;
}

static double step_flops(const Net *net)
{
	double flops = 0;
	for (int i = 0; i < net->train.count; i++)
		if (!net->train.nodes[i]->input_only)
			flops += node_flops(net, net->train.nodes[i]);
	return flops;
}

/* Of a function and its helpers, the one that shares out work first; or NULL. */
static const char *first_to_share(const Emit *e, const char *name)
{
	const Function *f = find_function(e, name);
	const char *text = f ? f->text : "", *end = strstr(text, "(thread,");
	if (!end)
		return NULL;
	const char *start = end;
	while (start > text && (isalnum((unsigned char)start[-1]) || start[-1] == '_'))
		start--;
	const char *called = arena_strndup(start, (size_t)(end - start));
	bool shares =
		strcmp(called, "nnc_share") == 0 || strcmp(called, "nnc_whole") == 0;
	return shares ? name : first_to_share(e, called);
}

/* An update belongs to the layer that the gradient comes from. */
static const NetLayer *layer_of(const Node *n)
{
	return n->layer ? n->layer : n->in[0]->producer->layer;
}

static const char *phase_text(const Net *net, const Call *c)
{
	static const char *const names[] = {
		[PHASE_LOAD] = "NNC_PHASE_LOAD",
		[PHASE_FORWARD] = "NNC_PHASE_FORWARD",
		[PHASE_BACKWARD] = "NNC_PHASE_BACKWARD",
		[PHASE_UPDATE] = "NNC_PHASE_BACKWARD",
	};
	return c->program == &net->infer ? "NNC_PHASE_INFER" : names[c->node->phase];
}

/* What all threads do alike has no row, for no trace can see it. */
static void emit_op(Emit *e, const Call *c)
{
	const Net *net = e->net;
	const char *first = first_to_share(e, c->function);
	if (!first || c->node->input_only || c->node == net->infer_loss)
		return;
	const char *helper = strcmp(first, c->function) ? first : NULL;
	put(e, "{%s, %s, %s, %.0f, %s},", phase_text(net, c),
	    string_text(layer_of(c->node)->name), string_text(c->function),
	    node_flops(net, c->node), string_text(helper));
}

static void emit_ops(Emit *e)
{
	put(e,
	    "/* What load, forward, backward and infer call: phase, layer, name, the "
	    "operations of a\n"
	    " * whole batch, and the helper that begins it, if it does not itself. */");
	put(e, "static const NncOp ops[] = {");
	for (int i = 0; i < e->call_count; i++) {
		scratch_begin();
		emit_op(e, &e->calls[i]);
		scratch_end();
	}
	put(e, "};\n");
}

/* ---- the model ------------------------------------------------------------------- */

static void emit_slots(Emit *e, int *count)
{
	const Training *t = &e->net->training;
	const char *const *names;
	*count = t->optimizer->slots(&t->optimizer_args, &names);
	if (*count == 0)
		return;
	const char *list = string_text(names[0]);
	for (int i = 1; i < *count; i++)
		list = arena_printf("%s, %s", list, string_text(names[i]));
	put(e, "static const char *const slots[] = {%s};\n", list);
}

static void emit_sizes(Emit *e)
{
	const Net *net = e->net;
	Shape in = net->input.rank == 3 ? net->input : shape3(1, 1, net->input.dim[0]);
	put(e, ".real_bytes = sizeof(real),");
	put(e, ".cpu = NNC_CPU_NEEDS,");
	put(e, ".batch = %lld,", (long long)net->training.batch);
	put(e, ".height = %lld,\n.width = %lld,\n.channels = %lld,",
	    (long long)in.dim[0], (long long)in.dim[1], (long long)in.dim[2]);
	put(e, ".outputs = %lld,", (long long)net->outputs);
	put(e, ".bytes = %s,", takes_bytes(net) ? "true" : "false");
	put(e, ".parameters = %lld,", (long long)net->params_total);
	put(e, ".macs = %lld,", (long long)net->macs_total);
	put(e, ".step_flops = %.0f,", step_flops(net));
	put(e, ".params_reals = sizeof(Params) / sizeof(real),");
	put(e, ".arena_reals = ARENA,\n.infer_arena_reals = INFER_ARENA,");
	put(e, ".scratch_reals = %lld,", (long long)net->train.scratch);
	put(e, ".infer_scratch_reals = %lld,", (long long)net->infer.scratch);
	put(e, ".input = %s,", upper_text(net->x->id));
	if (net->d_x)
		put(e, "#ifdef NNC_DOUBLE\n.input_grad = %s,\n#endif",
		    upper_text(place_of(net->d_x)->id));
	put(e, ".output = %s,", upper_text(place_of(net->infer_result)->id));
}

void emit_tables(Emit *e)
{
	const Net *net = e->net;
	int slots;
	put_section(e, "what the runtime knows of it");
	emit_tensors(e);
	emit_layers(e);
	emit_ops(e);
	emit_slots(e, &slots);
	put(e, "const NncModel NNC_MODEL(%s) = {", net->name);
	put(e, ".abi = NNC_ABI,");
	put(e, ".name = %s,", string_text(net->name));
	put(e, ".source = %s,", string_text(net->file));
	emit_sizes(e);
	put(e, ".tensors = tensors,\n.tensor_count = NNC_COUNT(tensors),");
	put(e, ".layers = layers,\n.layer_count = NNC_COUNT(layers),");
	put(e, ".ops = ops,\n.op_count = NNC_COUNT(ops),");
	if (slots)
		put(e, ".slots = slots,\n.slot_count = NNC_COUNT(slots),");
	emit_training(e);
	put(e, ".load = load,\n.forward = forward,\n.backward = backward,");
	put(e, ".infer = infer,\n.evaluate = evaluate,");
	put(e, "};\n");
	put(e, "NNC_MAIN(%s);", net->name);
}

bool takes_bytes(const Net *net)
{
	return net->training.format && net->training.format->bytes;
}
