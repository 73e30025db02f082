/*
 * idx - images of any size and number of classes in MNIST's layout: in one folder
 * train-images-idx3-ubyte and train-labels-idx1-ubyte, and t10k- (or test-) for the
 * test part; idx2 (rows), idx3 (grey) or idx4 (height, width, channels), gzip or not.
 */
#include "internal.h"

#define IMAGES(part)                                                                   \
	part "-images-idx3-ubyte", part "-images.idx3-ubyte",                          \
		part "-images-idx4-ubyte", part "-images.idx4-ubyte",                  \
		part "-images-idx2-ubyte", part "-images.idx2-ubyte"
#define LABELS(part) part "-labels-idx1-ubyte", part "-labels.idx1-ubyte"

static int load(NncData *data, const NncDataRequest *request, NncError *err)
{
	static const char *const images_train[] = {IMAGES("train"), NULL};
	static const char *const labels_train[] = {LABELS("train"), NULL};
	static const char *const images_test[] = {IMAGES("t10k"), IMAGES("test"), NULL};
	static const char *const labels_test[] = {LABELS("t10k"), LABELS("test"), NULL};
	NncSearch images = {request->test ? "test images" : "training images", "idx",
			    NULL, NULL, request->test ? images_test : images_train};
	NncSearch labels = images;

	labels.what = request->test ? "test labels" : "training labels";
	labels.files = request->test ? labels_test : labels_train;
	return nnc_idx_load(data, request, &images, &labels, 0, err);
}

const NncFormat format_idx = {
	.name = "idx",
	.summary = "a folder of IDX files as MNIST's, of any image size and classes",
	.takes_path = true,
	.bytes = true,
	.load = load,
};
