/*
 * npy - pairs of NumPy arrays in one folder: x_train.npy of (N, K), (N, H, W) or
 * (N, H, W, C) numbers and y_train.npy of N class numbers; x_test.npy and y_test.npy.
 */
#include "internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* The shape of a sample: what follows the count. */
static int take_shape(NncData *data, const NncArray *x, NncError *err)
{
	if (x->rank < 2 || x->rank > 4)
		return nnc_fail(
			err, NNC_DATA,
			"\"%s\" has rank %d; (N, K), (N, H, W) and (N, H, W, C) are "
			"read",
			data->source, x->rank);
	for (int r = 0; r < x->rank; r++)
		if (x->dim[r] > (r == 0 ? INT32_MAX : NNC_MAX_DIM))
			return nnc_fail(err, NNC_DATA, "\"%s\": a dimension is %zu",
					data->source, x->dim[r]);
	data->count = (int64_t)x->dim[0];
	data->height = x->rank == 2 ? 1 : (int32_t)x->dim[1];
	data->width = x->rank == 2 ? 1 : (int32_t)x->dim[2];
	data->channels = x->rank == 3 ? 1 : (int32_t)x->dim[x->rank - 1];
	data->samples_crc = x->crc;
	return NNC_OK;
}

static int take_samples(NncData *data, const NncArray *x, NncError *err)
{
	float *sample = data->samples;

	for (size_t i = 0; i < x->count; i++) {
		sample[i] = (float)nnc_array_number(x, i);
		if (!isfinite(sample[i]))
			return nnc_fail(
				err, NNC_DATA,
				"\"%s\": number %zu of sample %zu is not finite",
				data->source, i % nnc_sample_size(data),
				i / nnc_sample_size(data));
	}
	return NNC_OK;
}

static int take_labels(NncData *data, const NncArray *y, int32_t outputs,
		       const char *path, NncError *err)
{
	if (y->rank < 1 || y->count != y->dim[0])
		return nnc_fail(err, NNC_DATA,
				"\"%s\" is not a list of class numbers (rank %d)%s",
				path, y->rank,
				y->rank == 2 ? "\nhelp: of one-hot rows save "
					       "y.argmax(axis=1)"
					     : "");
	if (y->count != (size_t)data->count)
		return nnc_fail(err, NNC_DATA,
				"%zu labels in \"%s\" for %lld samples in "
				"\"%s\"",
				y->count, path, (long long)data->count, data->source);
	for (size_t i = 0; i < y->count; i++) {
		double label = nnc_array_number(y, i);
		if (!(label >= 0 && label < NNC_MAX_CLASSES) || label != floor(label))
			return nnc_fail(
				err, NNC_DATA,
				"\"%s\": label %g of sample %zu is not a class number",
				path, label, i);
		data->labels[i] = (int32_t)label;
	}
	data->labels_crc = y->crc;
	return nnc_data_check_labels(data, outputs, path, err);
}

/* Both files: the samples where the search finds them, the labels beside them. */
static int read_pair(NncArray *x, NncArray *y, char source[512], char path[512],
		     const NncDataRequest *request, NncError *err)
{
	static const char *const x_train[] = {"x_train.npy", "X_train.npy",
					      "train_x.npy", "train_images.npy", NULL};
	static const char *const y_train[] = {"y_train.npy", "Y_train.npy",
					      "train_y.npy", "train_labels.npy", NULL};
	static const char *const x_test[] = {"x_test.npy", "X_test.npy", "test_x.npy",
					     "test_images.npy", NULL};
	static const char *const y_test[] = {"y_test.npy", "Y_test.npy", "test_y.npy",
					     "test_labels.npy", NULL};
	NncSearch samples = {request->test ? "test samples" : "training samples", "npy",
			     NULL, NULL, request->test ? x_test : x_train};
	NncSearch labels = {request->test ? "test labels" : "training labels", "npy",
			    NULL, NULL, request->test ? y_test : y_train};
	NncDataRequest beside = *request;
	char folder[512];
	int code = nnc_search(source, &samples, request, err);

	if (code == NNC_OK) {
		memcpy(folder, source, sizeof folder);
		*strrchr(folder, '/') = 0;
		beside.directory = folder;
		code = nnc_search(path, &labels, &beside, err);
	}
	if (code == NNC_OK)
		code = nnc_npy_read(x, source, err);
	if (code == NNC_OK)
		code = nnc_npy_read(y, path, err);
	return code;
}

static int load(NncData *data, const NncDataRequest *request, NncError *err)
{
	NncArray x = {0}, y = {0};
	char path[512];
	int code;

	*data = (NncData){0};
	code = read_pair(&x, &y, data->source, path, request, err);
	if (code == NNC_OK)
		code = take_shape(data, &x, err);
	if (code == NNC_OK)
		code = nnc_data_fits(data, request, err);
	if (code == NNC_OK)
		code = nnc_data_allocate(data, err);
	if (code == NNC_OK)
		code = take_samples(data, &x, err);
	if (code == NNC_OK)
		code = take_labels(data, &y, request->classes, path, err);
	if (code == NNC_OK)
		code = nnc_data_fits(data, request, err);
	nnc_array_free(&x);
	nnc_array_free(&y);
	if (code != NNC_OK)
		nnc_data_free(data);
	return code;
}

const NncFormat format_npy = {
	.name = "npy",
	.summary = "a folder of NumPy arrays: x_train, y_train, x_test, y_test (.npy)",
	.takes_path = true,
	.load = load,
};
