/* mnist - LeCun, Cortes and Burges: handwritten digits, 28 x 28, as four IDX files. */
#include "internal.h"

static const char *const classes[] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};

static int load(NncData *data, const NncDataRequest *request, NncError *err)
{
	static const char *const files[2][2][3] = {
		{{"train-images-idx3-ubyte", "train-images.idx3-ubyte"},
		 {"train-labels-idx1-ubyte", "train-labels.idx1-ubyte"}},
		{{"t10k-images-idx3-ubyte", "t10k-images.idx3-ubyte"},
		 {"t10k-labels-idx1-ubyte", "t10k-labels.idx1-ubyte"}},
	};
	NncSearch images = {request->test ? "test images" : "training images", "mnist",
			    NULL, NULL, files[request->test][0]};
	NncSearch labels = images;

	labels.what = request->test ? "test labels" : "training labels";
	labels.files = files[request->test][1];
	return nnc_idx_load(data, request, &images, &labels, 10, err);
}

const NncFormat format_mnist = {
	.name = "mnist",
	.summary = "MNIST: 60,000 + 10,000 grey 28x28 pictures of handwritten digits",
	.bytes = true,
	.height = 28,
	.width = 28,
	.channels = 1,
	.classes = 10,
	.class_names = classes,
	.load = load,
};
