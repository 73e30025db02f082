/* dataset.c - the data of a model: the parts its .nn file names, or made-up ones. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

int nnc_model_format(const NncFormat **format, const NncModel *model, NncError *err)
{
	const char *name = model->training.format;

	if (!name)
		return nnc_fail(
			err, NNC_USAGE,
			"%s has no data section, so there is "
			"nothing to train or test with\nhelp: write for example "
			"data fashion_mnist; and compile it again",
			model->source);
	*format = nnc_find_format(name);
	if (!*format)
		return nnc_fail(err, NNC_BUG,
				"%s wants the data format %s, which this "
				"runtime has not",
				model->source, name);
	return NNC_OK;
}

static NncDataRequest request_of(const NncModel *model)
{
	return (NncDataRequest){
		.path = model->training.path,
		.label = model->training.label,
		.height = model->height,
		.width = model->width,
		.channels = model->channels,
		.classes = model->outputs,
	};
}

/* Frees what does not suit. */
static int check(NncData *data, const NncModel *model, NncError *err)
{
	int code = NNC_OK;

	if (data->bytes != model->bytes)
		code = nnc_fail(err, NNC_DATA,
				"%s holds %s, but %s was compiled for %s", data->source,
				data->bytes ? "bytes" : "floats", model->source,
				model->bytes ? "bytes" : "floats");
	else if (data->count < 1)
		code = nnc_fail(err, NNC_DATA, "%s holds no sample", data->source);
	else if (data->count > INT32_MAX)
		code = nnc_fail(err, NNC_DATA, "%s holds too many samples",
				data->source);
	if (code)
		nnc_data_free(data);
	return code;
}

int nnc_model_data(NncData *data, const NncModel *model, const char *directory,
		   bool test, NncError *err)
{
	const NncFormat *format = NULL;
	NncDataRequest request = request_of(model);
	int code = nnc_model_format(&format, model, err);

	request.directory = directory;
	request.test = test;
	if (!code && format)
		code = format->load(data, &request, err);
	return code ? code : check(data, model, err);
}

int nnc_model_snapshot(NncData *data, const NncModel *model, const char *path,
		       NncError *err)
{
	NncDataRequest request = request_of(model);
	int code = nnc_snapshot_load(data, path, err);

	if (code)
		return code;
	code = nnc_data_fits(data, &request, err);
	if (code)
		nnc_data_free(data);
	return code ? code : check(data, model, err);
}

int nnc_synthetic(NncData *data, const NncModel *model, int64_t count, uint32_t seed,
		  NncError *err)
{
	NncRng rng = nnc_rng(seed, NNC_STREAM_SYNTHETIC, 0, 0);
	int code;

	*data = (NncData){
		.count = count,
		.height = model->height,
		.width = model->width,
		.channels = model->channels,
		.classes = model->outputs,
		.bytes = model->bytes,
	};
	code = nnc_data_allocate(data, err);
	if (code)
		return code;
	snprintf(data->source, sizeof data->source, "made-up samples");
	size_t total = (size_t)count * nnc_sample_size(data);
	if (data->bytes)
		for (size_t i = 0; i < total; i++)
			((uint8_t *)data->samples)[i] =
				(uint8_t)nnc_rng_below(&rng, 256);
	else
		for (size_t i = 0; i < total; i++)
			((float *)data->samples)[i] = (float)nnc_rng_uniform(&rng);
	for (int64_t i = 0; i < count; i++)
		data->labels[i] = (int32_t)nnc_rng_below(&rng, (uint32_t)data->classes);
	return NNC_OK;
}

const char *nnc_class_name(char text[64], const NncModel *model, int64_t label)
{
	const char *name = model->training.format;
	const NncFormat *format = name ? nnc_find_format(name) : NULL;

	if (format && format->class_names && label >= 0 && label < format->classes)
		snprintf(text, 64, "%s", format->class_names[label]);
	else
		snprintf(text, 64, "%lld", (long long)label);
	return text;
}
