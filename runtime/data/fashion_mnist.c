/*
 * fashion_mnist - Xiao, Rasul and Vollgraf 2017, arXiv:1708.07747: 60,000 + 10,000
 * grey pictures of clothes, 28 x 28, as four IDX files.
 */
#include "internal.h"

static const char *const classes[] = {
	"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
	"Sandal",      "Shirt",   "Sneaker",  "Bag",   "Ankle boot",
};

static int load(NncData *data, const NncDataRequest *request, NncError *err)
{
	static const char *const files[2][2][3] = {
		{{"train-images-idx3-ubyte", "train-images.idx3-ubyte"},
		 {"train-labels-idx1-ubyte", "train-labels.idx1-ubyte"}},
		{{"t10k-images-idx3-ubyte", "t10k-images.idx3-ubyte"},
		 {"t10k-labels-idx1-ubyte", "t10k-labels.idx1-ubyte"}},
	};
	NncSearch images = {request->test ? "test images" : "training images",
			    "fashion_mnist", NULL, "dataset-fashion-mnist",
			    files[request->test][0]};
	NncSearch labels = images;

	labels.what = request->test ? "test labels" : "training labels";
	labels.files = files[request->test][1];
	return nnc_idx_load(data, request, &images, &labels, 10, err);
}

const NncFormat format_fashion_mnist = {
	.name = "fashion_mnist",
	.summary = "Fashion-MNIST: 60,000 + 10,000 grey 28x28 pictures, 10 kinds of "
		   "clothes",
	.package = "dataset-fashion-mnist",
	.bytes = true,
	.height = 28,
	.width = 28,
	.channels = 1,
	.classes = 10,
	.class_names = classes,
	.samples_crc = {0xb4f29f28, 0x678fe0b1},
	.labels_crc = {0x741a4657, 0x80142c1f},
	.load = load,
};
