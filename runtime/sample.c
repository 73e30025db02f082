/*
 * sample.c - the inputs of `predict`: .npy, IDX and PNG files, told apart by their
 * content, as the samples that a model takes.
 */
#include "internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KIND_NPY, KIND_IDX, KIND_PNG };

/* Which kind of file it is. */
static int find_kind(int *kind, const char *path, NncError *err)
{
	unsigned char head[512] = {0};
	char quoted[80];
	NncReader reader;
	size_t got;
	int code = nnc_reader_open(&reader, path, err);

	if (code == NNC_OK)
		code = nnc_reader_read(&reader, head, sizeof head, &got, err);
	nnc_reader_close(&reader);
	if (code != NNC_OK)
		return code;
	if (got >= 6 && memcmp(head, "\x93NUMPY", 6) == 0)
		*kind = KIND_NPY;
	else if (got >= 4 && head[0] == 0 && head[1] == 0 && head[2] >= 8 &&
		 head[2] < 15)
		*kind = KIND_IDX;
	else if (got >= 4 && memcmp(head, "\x89PNG", 4) == 0)
		*kind = KIND_PNG;
	else
		return nnc_fail(err, NNC_DATA,
				"\"%s\" is neither .npy nor IDX nor PNG: it is %s",
				nnc_quote(quoted, path), nnc_kind_of(head, got));
	return NNC_OK;
}

/* Do these dimensions make one sample of the model? */
static bool is_sample(const size_t *dim, int rank, const NncModel *m)
{
	size_t height = (size_t)m->height, width = (size_t)m->width;
	size_t channels = (size_t)m->channels, product = 1;

	for (int r = 0; r < rank; r++)
		product *= dim[r];
	if (product != height * width * channels)
		return false;
	if (rank <= 1 || (height == 1 && width == 1)) /* flat: 784 */
		return true;
	if (rank == 2)
		return channels == 1 && dim[0] == height && dim[1] == width;
	return rank == 3 && dim[0] == height && dim[1] == width && dim[2] == channels;
}

/* Sets the count: the array is one sample, or a list of them. */
static int find_count(NncData *data, const NncArray *array, const NncModel *model,
		      NncError *err)
{
	char has[160] = "", wants[64], quoted[80];
	size_t used = 0;

	if (array->count > 0) {
		if (is_sample(array->dim, array->rank, model)) {
			data->count = 1;
			return NNC_OK;
		}
		if (array->rank > 0 &&
		    is_sample(array->dim + 1, array->rank - 1, model)) {
			data->count = (int64_t)array->dim[0];
			return NNC_OK;
		}
	}
	for (int r = 0; r < array->rank; r++)
		used += (size_t)snprintf(has + used, sizeof has - used, "%s%zu",
					 r ? ", " : "", array->dim[r]);
	nnc_shape_text(wants, model->height, model->width, model->channels);
	return nnc_fail(
		err, NNC_DATA,
		"\"%s\" is (%s), the input of model %s is %s, or a list of such",
		nnc_quote(quoted, data->source), has, model->name, wants);
}

static int convert(NncData *data, const NncArray *array, NncError *err)
{
	char quoted[80];

	nnc_quote(quoted, data->source);
	data->samples = nnc_allocate(array->count, data->bytes ? 1 : sizeof(float));
	if (!data->samples)
		return nnc_fail(err, NNC_NOMEM, "out of memory");
	for (size_t i = 0; i < array->count; i++) {
		double number = nnc_array_number(array, i);
		if (!isfinite(number) || fabs(number) > 3e38)
			return nnc_fail(err, NNC_DATA,
					"\"%s\": number %zu is not finite", quoted, i);
		if (!data->bytes) {
			((float *)data->samples)[i] = (float)number;
			continue;
		}
		if (number < 0 || number > 255 || number != floor(number))
			return nnc_fail(
				err, NNC_DATA,
				"\"%s\": number %zu is %g; the model takes bytes, "
				"0..255, and scales them itself",
				quoted, i, number);
		((uint8_t *)data->samples)[i] = (uint8_t)number;
	}
	data->samples_crc = array->crc;
	return NNC_OK;
}

int nnc_samples_read(NncData *data, const char *path, const NncModel *model,
		     NncError *err)
{
	int64_t numbers = (int64_t)model->height * model->width * model->channels;
	bool vector = model->height == 1 && model->width == 1;
	NncArray array = {0};
	int kind = KIND_NPY, code;

	*data = (NncData){.height = model->height,
			  .width = model->width,
			  .channels = model->channels,
			  .classes = model->outputs,
			  .bytes = model->bytes};
	snprintf(data->source, sizeof data->source, "%s", path);
	code = find_kind(&kind, path, err);
	if (code == NNC_OK && kind == KIND_NPY)
		code = nnc_npy_read(&array, path, err);
	else if (code == NNC_OK && kind == KIND_IDX)
		code = nnc_idx_read(&array, path, err);
	else if (code == NNC_OK)
		code = nnc_png_read(&array, path, vector ? 0 : model->height,
				    vector ? 0 : model->width, model->channels, numbers,
				    err);
	if (code == NNC_OK)
		code = find_count(data, &array, model, err);
	if (code == NNC_OK)
		code = convert(data, &array, err);
	nnc_array_free(&array);
	if (code != NNC_OK)
		nnc_data_free(data);
	return code;
}
