/* info.c - the command `info`: the network, layer by layer. */
#include "cli.h"

#include <stdlib.h>
#include <string.h>

static const NncOption options[] = {
	NNC_OPTION_JSON,
	NNC_OPTION_END,
};

/* The input as people write it: 28x28x1, or 784. */
static const char *input_text(char text[64], const NncModel *model)
{
	if (model->height == 1 && model->width == 1)
		snprintf(text, 64, "%d", (int)model->channels);
	else
		nnc_shape_text(text, model->height, model->width, model->channels);
	return text;
}

static int print_info_json(const NncModel *model, NncError *err)
{
	json_t *root = json_object(), *input = json_array();

	if (model->height != 1 || model->width != 1) {
		json_array_append_new(input, json_integer(model->height));
		json_array_append_new(input, json_integer(model->width));
	}
	json_array_append_new(input, json_integer(model->channels));
	json_object_set_new(root, "model", json_string(model->name));
	json_object_set_new(root, "parameters", json_integer(model->parameters));
	json_object_set_new(root, "input", input);
	json_object_set_new(root, "classes", json_integer(model->outputs));
	json_object_set_new(root, "batch", json_integer(model->batch));
	json_object_set_new(root, "macs", json_integer(model->macs));
	return nnc_print_json(root, err);
}

static void print_layers(const NncModel *model)
{
	char shape[64], parameters[32], macs[32];
	int widest = 9;

	for (int32_t i = 0; i < model->layer_count; i++) {
		int length = (int)strlen(model->layers[i].source);
		if (length > widest)
			widest = length > 40 ? 40 : length;
	}
	printf("%-12s  %-*s  %-12s  %12s  %14s\n", "layer", widest, "statement",
	       "output", "parameters", "MACs");
	for (int32_t i = 0; i < model->layer_count; i++) {
		const NncLayer *layer = &model->layers[i];
		printf("%-12s  %-*.*s  %-12s  %12s  %14s\n", layer->name, widest,
		       widest, layer->source, nnc_layer_shape(shape, layer),
		       nnc_grouped(parameters, layer->parameters),
		       nnc_grouped(macs, layer->macs));
	}
	printf("%-12s  %-*s  %-12s  %12s  %14s\n", "total", widest, "", "",
	       nnc_grouped(parameters, model->parameters),
	       nnc_grouped(macs, model->macs));
}

static void print_training(const NncModel *model)
{
	const NncTraining *t = &model->training;

	if (t->format) {
		printf("data       %s", t->format);
		if (t->path)
			printf(" \"%s\"", t->path);
		if (t->train)
			printf(", %lld samples", (long long)t->train);
		if (t->validation > 0)
			printf(", %g of them held out", t->validation);
		printf("\n");
	}
	printf("training   %s, %s lr %g, batch %d, %d epochs, seed %u\n", t->loss,
	       t->optimizer, t->lr, (int)model->batch, (int)t->epochs,
	       (unsigned)t->seed);
	if (t->watch && t->watch[0])
		printf("early stop %s, patience %d, min_delta %g\n", t->watch,
		       (int)t->patience, t->min_delta);
}

static int run(const NncProgram *program, NncError *err)
{
	const NncModel *model = program->model;
	const double mebibyte = 1 << 20;
	char input[64];

	if (program->options->json)
		return print_info_json(model, err);
	printf("%s (%s): input %s, %d classes\n\n", model->name, model->source,
	       input_text(input, model), (int)model->outputs);
	print_layers(model);
	printf("\n");
	print_training(model);
	printf("memory     %.2f MiB to train, %.2f MiB to use\n",
	       (double)nnc_context_bytes(model, NNC_TRAINING) / mebibyte,
	       (double)nnc_context_bytes(model, NNC_INFERENCE) / mebibyte);
	return NNC_OK;
}

const NncCommand command_info = {
	.name = "info",
	.place = 80,
	.summary = "Shows the network layer by layer.",
	.options = options,
	.run = run,
};
