/*
 * build.c - plain statements to the forward half of a Net: each layer's descriptor
 * checks its arguments, infers its shape and appends its ops; then the loss.
 */
#include <ctype.h>
#include <string.h>

#include "nnc.h"

const Layer *find_layer(const char *name)
{
	for (int i = 0; layers[i]; i++)
		if (strcmp(layers[i]->name, name) == 0)
			return layers[i];
	return NULL;
}

const Loss *find_loss(const char *name)
{
	for (int i = 0; losses[i]; i++)
		if (strcmp(losses[i]->name, name) == 0)
			return losses[i];
	return NULL;
}

const Optimizer *find_optimizer(const char *name)
{
	for (int i = 0; optimizers[i]; i++)
		if (strcmp(optimizers[i]->name, name) == 0)
			return optimizers[i];
	return NULL;
}

/* A model's name as a C identifier: "mlp3_relu.nn" is mlp3_relu, "2-layer.nn" m2_layer.
 */
static const char *model_name(const char *base)
{
	size_t length = strlen(base);
	if (length > 3 && strcmp(base + length - 3, ".nn") == 0)
		length -= 3;
	const char *prefix = length == 0 || !isalpha((unsigned char)base[0]) ? "m" : "";
	char *name =
		arena_printf("%s%.*s", prefix, (int)(length < 64 ? length : 64), base);
	for (char *c = name; *c; c++)
		if (!isalnum((unsigned char)*c) || (unsigned char)*c >= 128)
			*c = '_';
	return name;
}

/* ---- one layer ------------------------------------------------------------------ */

/* Every word a layer statement may begin with, for did-you-mean. */
static const char **layer_words(int *n)
{
	const char **words = NULL;
	*n = 0;
	for (int i = 0; layers[i]; i++)
		*vec_push(&words, n) = layers[i]->name;
	int acts;
	const char *const *names = activation_names(&acts);
	for (int i = 0; i < acts; i++)
		*vec_push(&words, n) = names[i];
	for (int i = 0; section_names[i]; i++)
		*vec_push(&words, n) = section_names[i];
	for (int i = 0; directive_names[i]; i++)
		*vec_push(&words, n) = directive_names[i];
	return words;
}

static void unknown_layer(const Stmt *stmt)
{
	int n;
	const char **words = layer_words(&n);
	diag_unknown(stmt->name_span, "layer", stmt->name, words, n);
	if (!nearest(stmt->name, words, n)) {
		const char *list = NULL;
		for (int i = 0; layers[i]; i++)
			list = list ? arena_printf("%s, %s", list, layers[i]->name)
				    : layers[i]->name;
		diag_help("the layers are %s, and the activations", list);
	}
	diag_origin(stmt->origin);
}

/* `relu;` and `leaky_relu(0.1) name="a";` as arguments of the activation layer. */
static const Stmt *as_activation(const Stmt *stmt)
{
	Stmt *s = arena_alloc(sizeof *s);
	*s = *stmt;
	Arg *args = NULL;
	int count = 0;
	Arg *first = vec_push(&args, &count);
	*first = (Arg){.value = {.kind = VALUE_NAME,
				 .span = stmt->name_span,
				 .text = stmt->name}};
	for (int i = 0; i < stmt->count; i++) {
		const Arg *a = &stmt->args[i];
		bool argument = a->value.kind == VALUE_NUMBER &&
				(!a->key || strcmp(a->key, "alpha") == 0);
		if (!argument) {
			*vec_push(&args, &count) = *a;
			continue;
		}
		Value *call = &args[0].value;
		call->kind = VALUE_CALL;
		call->span = stmt->span;
		*vec_push(&call->items, &call->count) = *a;
	}
	s->args = args;
	s->count = count;
	return s;
}

/* The last layer of the same word, which has its number; or NULL. */
static const NetLayer *last_of(const Net *net, const char *word)
{
	for (int i = net->layer_count - 1; i >= 0; i--)
		if (strcmp(net->layers[i]->word, word) == 0)
			return net->layers[i];
	return NULL;
}

static void number(const Net *net, NetLayer *use)
{
	const NetLayer *before = last_of(net, use->word);
	use->ordinal = before ? before->ordinal + 1 : 1;
	bool input = use->ordinal == 1 && strcmp(use->word, "input") == 0;
	use->id = input ? use->word : arena_printf("%s%d", use->word, use->ordinal);
}

static bool name_taken(Net *net, NetLayer *use, Span at)
{
	NetLayer **bucket = &net->by_name[hash_text(use->name) % NAME_BUCKETS];
	for (const NetLayer *l = *bucket; l; l = l->next_name)
		if (strcmp(l->name, use->name) == 0) {
			diag_error(at, "two layers are named \"%s\"", use->name);
			diag_note(l->stmt->span, "the first one is here");
			return true;
		}
	use->next_name = *bucket;
	*bucket = use;
	return false;
}

/* A name goes into files as "NAME.weight", so it must be one that all readers take. */
static bool name_plain(const Args *args, const char *name)
{
	bool ok = *name && strlen(name) <= 64;
	for (const char *c = name; *c; c++)
		ok = ok && (isalnum((unsigned char)*c) || strchr("_-.", *c)) &&
		     (unsigned char)*c < 128;
	if (!ok) {
		diag_error(arg_span(args, "name"), "a layer cannot be named \"%s\"",
			   name);
		diag_help("use 1 to 64 letters, digits, '_', '-' and '.'");
	}
	return ok;
}

/* Counts a layer's multiply-adds: of one less than 2^62, of all of them as many as can
 * be printed. */
static bool macs_fit(Net *net, const NetLayer *use)
{
	if (add_ok(net->macs_total, use->macs, &net->macs_total))
		return true;
	diag_error(use->stmt->span,
		   "the model has more than %lld multiply-adds a sample",
		   (long long)INT64_MAX);
	diag_help("use smaller kernels, or fewer channels");
	return false;
}

/* Takes the layer into the net, with its result, which is returned. */
static Tensor *keep_layer(Net *net, NetLayer *use, Tensor *y)
{
	if (y->producer && y->producer->layer == use && y->kind == TENSOR_VALUE)
		rename_value(&net->train, y, use->id);
	use->out = y->shape;
	use->output = y;
	*vec_push(&net->layers, &net->layer_count) = use;
	return y;
}

/* The result of one layer statement, or NULL after a reported error. */
static Tensor *build_layer(Net *net, const Stmt *stmt, Tensor *x)
{
	const Layer *layer = find_layer(stmt->name);
	const char *word = stmt->name;
	if (!layer && is_activation(stmt->name)) {
		layer = &layer_activation;
		stmt = as_activation(stmt);
	}
	if (!layer) {
		unknown_layer(stmt);
		return NULL;
	}
	if (stmt->has_body) {
		diag_error(stmt->name_span, "%s takes no body", word);
		diag_help("end it with ';'");
		return NULL;
	}
	if (x && strcmp(word, "input") == 0) {
		diag_error(stmt->span, "a second input: a model has one");
		diag_note(net->layers[0]->stmt->span, "the first one is here");
		return NULL;
	}
	NetLayer *use = arena_alloc(sizeof *use);
	*use = (NetLayer){.layer = layer, .stmt = stmt, .word = word};
	use->index = net->layer_count;
	use->text = span_text(stmt->span);
	number(net, use);
	use->name = use->id;
	if (x)
		use->in = x->shape;
	Args args;
	if (!bind_args(&args, word, stmt->span, stmt->args, stmt->count,
		       layer->params)) {
		diag_origin(stmt->origin);
		return NULL;
	}
	if (arg_string(&args, "name")) {
		use->name = arg_string(&args, "name");
		if (!name_plain(&args, use->name))
			return NULL;
	}
	if (name_taken(net, use, arg_span(&args, "name")))
		return NULL;
	int errors = diag_errors();
	Tensor *y = layer->build(net, use, &args, x);
	if (y && !(value_fits(net, use, y->shape) && macs_fit(net, use)))
		y = NULL;
	if (!y && diag_errors() > errors)
		diag_origin(stmt->origin);
	return y ? keep_layer(net, use, y) : NULL;
}

/* A word that begins a layer. */
static bool is_layer(const char *word)
{
	return find_layer(word) || is_activation(word);
}

/* Behind an error shapes are not known, but words and arguments can still be checked.
 */
static void check_layer(const Stmt *stmt)
{
	const Layer *layer = find_layer(stmt->name);
	const char *word = stmt->name;
	Args args;
	if (!layer && is_activation(word)) {
		layer = &layer_activation;
		stmt = as_activation(stmt);
	}
	if (!layer)
		unknown_layer(stmt);
	else if (!bind_args(&args, word, stmt->span, stmt->args, stmt->count,
			    layer->params))
		diag_origin(stmt->origin);
}

static void build_layers(Net *net, const Stmt *stmts, int count)
{
	Tensor *x = NULL;
	bool lost = false; /* the shape here is not known: an error came before */
	for (int i = 0; i < count; i++) {
		const Stmt *s = &stmts[i];
		if (is_section(s->name))
			continue;
		if (!x && !lost && strcmp(s->name, "input") != 0 && is_layer(s->name)) {
			diag_error(s->name_span,
				   "%s before the input: a model begins with its "
				   "input's shape",
				   s->name);
			diag_help("write, for example, `input 28x28x1;` before it");
			lost = true;
		}
		if (lost) {
			check_layer(s);
			continue;
		}
		Tensor *y = build_layer(net, s, x);
		if (y)
			x = y;
		else
			lost = true;
		if (net->layer_count > MAX_LAYERS) {
			diag_error(s->name_span, "more than %d layers", MAX_LAYERS);
			return;
		}
	}
	net->output = x;
}

/* ---- the whole ------------------------------------------------------------------- */

static void check_output(Net *net, Span file)
{
	if (net->layer_count == 0) {
		diag_error(file, "the model has no layers");
		diag_help("write, for example, `input 28x28x1; dense 10 softmax;`");
		return;
	}
	assert(net->layers);
	const NetLayer *last = net->layers[net->layer_count - 1];
	if (net->param_count == 0) {
		diag_error(last->stmt->span,
			   "the model has no weights: there is nothing to train");
		diag_help("add a layer such as `dense 10 softmax;`");
		return;
	}
	assert(net->output);
	if (net->output->shape.rank != 1) {
		diag_error(last->stmt->span,
			   "the model ends with %s, but a classifier ends with one "
			   "value a class",
			   shape_name(net->output->shape));
		diag_help("end it with `dense CLASSES softmax;`");
		return;
	}
	net->outputs = net->output->shape.dim[0];
	if (net->outputs < 2 || net->outputs > NNC_MAX_CLASSES) {
		diag_error(last->stmt->span,
			   "the model has %lld output%s; a classifier has 2 to %d",
			   (long long)net->outputs, net->outputs == 1 ? "" : "s",
			   NNC_MAX_CLASSES);
		if (net->outputs == 1)
			diag_help("two classes are two outputs: `dense 2 softmax;`");
		return;
	}
	check_data_shape(net);
}

Net *build_net(const Stmt *stmts, int count, const Source *source)
{
	Net *net = arena_alloc(sizeof *net);
	int errors = diag_errors();
	net->source = source;
	net->file = source->base;
	net->name = model_name(source->base);
	net->train.name = "train";
	net->infer.name = "infer";
	read_sections(net, stmts, count);
	build_layers(net, stmts, count);
	if (diag_errors() > errors)
		return NULL;
	Span file = {source, 0, 0};
	check_output(net, file);
	if (diag_errors() > errors)
		return NULL;
	net->loss = net->training.loss->build(net, net->output);
	if (diag_errors() > errors)
		return NULL;
	check_expectations(net, stmts, count);
	return diag_errors() > errors ? NULL : net;
}
