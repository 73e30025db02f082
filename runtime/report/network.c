/*
 * network.c - the layers, and the weights of those that look at the input as pictures:
 * a dense layer's units, a convolution's filters.
 */
#include "report/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- layers ------------------------------------------------------------------ */

void nnc_report_layers(FILE *page, const NncReport *r)
{
	const NncModel *model = r->model;
	char shape[64], number[32], place[NNC_MAX_PLACE];

	fputs("<h2>Network</h2>\n<div class=\"wide\"><table>\n<thead><tr>"
	      "<th scope=\"col\">layer</th><th scope=\"col\">statement</th>"
	      "<th scope=\"col\">where</th><th scope=\"col\">output</th>"
	      "<th scope=\"col\" class=\"n\">parameters</th>"
	      "<th scope=\"col\" class=\"n\">MACs</th></tr></thead>\n<tbody>\n",
	      page);
	for (int32_t i = 0; i < model->layer_count; i++) {
		const NncLayer *layer = &model->layers[i];
		fputs("<tr><th scope=\"row\">", page);
		nnc_html_text(page, layer->name);
		fputs("</th><td><code>", page);
		nnc_html_text(page, layer->source);
		fputs("</code></td><td class=\"faint\">", page);
		nnc_html_text(page, nnc_layer_place(place, model, layer));
		fprintf(page, "</td><td>%s</td>", nnc_layer_shape(shape, layer));
		fprintf(page, "<td class=\"n\">%s</td>",
			nnc_grouped(number, layer->parameters));
		fprintf(page, "<td class=\"n\">%s</td></tr>\n",
			nnc_grouped(number, layer->macs));
	}
	fprintf(page,
		"</tbody>\n<tfoot><tr><th scope=\"row\" colspan=\"4\">total</th>"
		"<td class=\"n\">%s</td>",
		nnc_grouped(number, model->parameters));
	fprintf(page, "<td class=\"n\">%s</td></tr></tfoot>\n</table></div>\n",
		nnc_grouped(number, model->macs));
}

/* ---- filters ----------------------------------------------------------------- */

/* The pictures that the units of a weight tensor are. */
typedef struct Filters {
	const NncTensor *tensor;
	int32_t height, width, channels; /* of each */
	bool dense;                      /* PyTorch's order is H, W, C; else C, H, W */
	double full;                     /* the weight that has the full colour */
} Filters;

/* The shape of what a dense layer gets: of the last layer before it with an image. */
static bool input_shape(Filters *f, const NncReport *r, const NncLayer *layer)
{
	const NncModel *model = r->model;
	int64_t inputs = f->tensor->dim[1];

	for (const NncLayer *before = layer - 1; before >= model->layers; before--)
		if (before->rank == 3) {
			f->height = before->dim[0];
			f->width = before->dim[1];
			f->channels = before->dim[2];
			break;
		}
	if (!f->height) { /* a vector that the data set has as an image */
		f->height = r->data.height;
		f->width = r->data.width;
		f->channels = r->data.channels;
	}
	return f->height > 1 && f->width > 1 &&
	       (int64_t)f->height * f->width * f->channels == inputs;
}

/* The first weight tensor of the model, if its units can be shown as images. */
static bool find_filters(Filters *f, const NncReport *r)
{
	const NncModel *model = r->model;

	memset(f, 0, sizeof *f);
	for (int32_t i = 0; i < model->tensor_count; i++) {
		const NncTensor *t = &model->tensors[i];
		const NncLayer *layer = nnc_layer_of(model, t);
		if (t->rank < 2 || !layer)
			continue;
		f->tensor = t;
		f->dense = t->rank == 2;
		if (f->dense)
			return input_shape(f, r, layer);
		f->channels = t->dim[1];
		f->height = t->dim[2];
		f->width = t->dim[3];
		return t->rank == 4 && f->height > 1 && f->width > 1;
	}
	return false;
}

/* The weight of unit u at a pixel; of more channels, their mean. */
static double weight(const NncReport *r, const Filters *f, int32_t u, int32_t y,
		     int32_t x)
{
	int64_t h = f->height, w = f->width, channels = f->channels;
	double sum = 0;

	for (int64_t c = 0; c < channels; c++) {
		int64_t at =
			f->dense ? (y * w + x) * channels + c : (c * h + y) * w + x;
		at = nnc_tensor_at(f->tensor, u * h * w * channels + at);
		sum += nnc_real_at(r->model, r->context.params, at);
	}
	return sum / (double)channels;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The size that 99 % of the shown weights stay below. Errors: NNC_NOMEM. */
static int find_scale(Filters *f, const NncReport *r, int32_t count, NncError *err)
{
	size_t pixels = (size_t)f->height * (size_t)f->width, used = 0;
	double *size = nnc_allocate((size_t)count * pixels, sizeof *size);

	if (!size)
		return nnc_fail(err, NNC_NOMEM, "not enough memory for the filters");
	for (int32_t u = 0; u < count; u++)
		for (int32_t y = 0; y < f->height; y++)
			for (int32_t x = 0; x < f->width; x++)
				size[used++] = fabs(weight(r, f, u, y, x));
	qsort(size, used, sizeof *size, compare);
	f->full = size[(used - 1) - (used - 1) / 100];
	if (!(f->full > 0))
		f->full = 1;
	free(size);
	return NNC_OK;
}

/* ColorBrewer's RdBu: blue below 0, white, red above. */
static void color(unsigned char rgb[3], double value)
{
	static const double stop[3][3] = {
		{33, 102, 172}, {247, 247, 247}, {178, 24, 43}};
	const double *end = stop[value < 0 ? 0 : 2];
	double share = fmin(fabs(value), 1);

	for (int i = 0; i < 3; i++)
		rgb[i] = (unsigned char)lrint(stop[1][i] +
					      share * (end[i] - stop[1][i]));
}

static int put_filter(FILE *page, const NncReport *r, const Filters *f, int32_t u,
		      unsigned char *pixels, NncError *err)
{
	NncImage image = {f->width, f->height, 3, pixels};
	char alt[32];

	for (int32_t y = 0; y < f->height; y++)
		for (int32_t x = 0; x < f->width; x++)
			color(pixels + 3 * ((int64_t)y * f->width + x),
			      weight(r, f, u, y, x) / f->full);
	snprintf(alt, sizeof alt, "%s %d", f->dense ? "unit" : "filter", (int)u);
	return nnc_html_image(page, &image, alt, err);
}

int nnc_report_filters(FILE *page, const NncReport *r, NncError *err)
{
	Filters f;
	unsigned char *pixels;
	int32_t all, count;
	int code;

	if (!find_filters(&f, r))
		return NNC_OK;
	all = f.tensor->dim[0];
	count = all < NNC_REPORT_FILTERS ? all : NNC_REPORT_FILTERS;
	pixels = nnc_allocate((size_t)f.height * (size_t)f.width, 3);
	if (!pixels)
		return nnc_fail(err, NNC_NOMEM, "not enough memory for the filters");
	code = find_scale(&f, r, count, err);
	fputs("<h2>What the first layer looks for</h2>\n<p class=\"faint\">", page);
	if (count < all)
		fprintf(page, "The first %d of ", (int)count);
	nnc_html_format(page, "%d %s of %s, %dx%d%s. ", (int)all,
			f.dense ? "units" : "filters", f.tensor->name, (int)f.height,
			(int)f.width,
			f.channels > 1 ? ", the mean of their channels" : "");
	fprintf(page,
		"-%.3g <span class=\"scale\" role=\"img\" "
		"aria-label=\"from blue by white to red\"></span> %.3g; white is "
		"0.</p>\n"
		"<div class=\"filters\">\n",
		f.full, f.full);
	for (int32_t u = 0; u < count && !code; u++) {
		code = put_filter(page, r, &f, u, pixels, err);
		fputc('\n', page);
	}
	fputs("</div>\n", page);
	free(pixels);
	return code;
}
