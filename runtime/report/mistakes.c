/* mistakes.c - the samples that were answered wrongly with the most confidence. */
#include "report/report.h"

#include <math.h>
#include <stdlib.h>

enum { MAX_VALUES = 16 /* of a sample that is no image */ };

static double number(const NncData *data, size_t i)
{
	return data->bytes ? ((const uint8_t *)data->samples)[i]
			   : (double)((const float *)data->samples)[i];
}

static bool is_image(const NncData *data)
{
	return data->height > 1 && data->width > 1 && data->channels <= 4;
}

/* 0 and the scale that bring a sample's numbers to 0..255: bytes are that already. */
static void find_range(const NncData *data, size_t from, double *low, double *scale)
{
	double high = -INFINITY;

	*low = data->bytes ? 0 : INFINITY;
	*scale = 1;
	for (size_t i = 0; i < nnc_sample_size(data) && !data->bytes; i++) {
		double value = number(data, from + i);
		*low = value < *low ? value : *low;
		high = value > high ? value : high;
	}
	if (!data->bytes)
		*scale = high > *low ? 255 / (high - *low) : 0;
}

/* Grey from one channel, or of two the first; colours of three, or of four the first.
 */
static int put_image(FILE *page, const NncData *data, uint32_t sample,
		     unsigned char *pixels, const char *alt, NncError *err)
{
	int32_t channels = data->channels < 3 ? 1 : 3;
	NncImage image = {data->width, data->height, channels, pixels};
	size_t size = nnc_sample_size(data), from = sample * size, used = 0;
	double low, scale;

	find_range(data, from, &low, &scale);
	for (size_t i = 0; i < size; i += (size_t)data->channels)
		for (int32_t c = 0; c < channels; c++) {
			double value =
				(number(data, from + i + (size_t)c) - low) * scale;
			pixels[used++] = isfinite(value) ? (unsigned char)value : 0;
		}
	return nnc_html_image(page, &image, alt, err);
}

static void put_values(FILE *page, const NncData *data, uint32_t sample)
{
	size_t size = nnc_sample_size(data), from = sample * size;

	fputs("<br><code>", page);
	for (size_t i = 0; i < size && i < MAX_VALUES; i++)
		fprintf(page, "%s%g", i ? ", " : "", number(data, from + i));
	fprintf(page, "%s</code>", size > MAX_VALUES ? ", ..." : "");
}

static int put_mistake(FILE *page, const NncReport *r, const NncMistake *m,
		       unsigned char *pixels, NncError *err)
{
	char label[64], answer[64], alt[200];
	bool image = is_image(&r->data);
	int code = NNC_OK;

	nnc_class_name(label, r->model, m->label);
	nnc_class_name(answer, r->model, m->answer);
	fputs("<figure>", page);
	snprintf(alt, sizeof alt, "sample %u: %s", (unsigned)m->sample, label);
	if (image)
		code = put_image(page, &r->data, m->sample, pixels, alt, err);
	fputs("<figcaption><b>", page);
	nnc_html_text(page, answer);
	fprintf(page, "</b> %.4f<br>label ", m->sure);
	nnc_html_text(page, label);
	fprintf(page, ", %.4f<br>sample %u", m->label_sure, (unsigned)m->sample);
	if (!image)
		put_values(page, &r->data, m->sample);
	fputs("</figcaption></figure>\n", page);
	return code;
}

int nnc_report_mistakes(FILE *page, const NncReport *r, NncError *err)
{
	int count = r->tally.mistake_count, code = NNC_OK;
	unsigned char *pixels;

	if (!r->score.samples || !count)
		return NNC_OK;
	pixels = nnc_allocate(nnc_sample_size(&r->data), 3);
	if (!pixels)
		return nnc_fail(err, NNC_NOMEM, "not enough memory for pictures");
	fprintf(page,
		"<h2>The most confident mistakes</h2>\n<p class=\"faint\">The answer "
		"and its %s; the label and its own. Samples are numbered from 0 in the "
		"order of their file.</p>\n<div class=\"grid%s\">\n",
		r->probabilities ? "probability" : "output",
		is_image(&r->data) ? "" : " values");
	for (int i = 0; i < count && !code; i++)
		code = put_mistake(page, r, &r->mistakes[i], pixels, err);
	fputs("</div>\n", page);
	free(pixels);
	return code;
}
