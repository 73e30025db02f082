/* html.c - see html.h. PNG is libpng's. */
#include "report/html.h"

#include "internal.h"

#include <png.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void nnc_html_text(FILE *page, const char *text)
{
	char bytes[4];

	while (*text) {
		uint32_t code = nnc_code_point(&text);
		switch (code) {
		case '&':
			fputs("&amp;", page);
			break;
		case '<':
			fputs("&lt;", page);
			break;
		case '>':
			fputs("&gt;", page);
			break;
		case '"':
			fputs("&quot;", page);
			break;
		case '\'':
			fputs("&#39;", page);
			break;
		default:
			fwrite(bytes, 1, nnc_utf8(bytes, code), page);
		}
	}
}

void nnc_html_format(FILE *page, const char *format, ...)
{
	char text[4096];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	nnc_html_text(page, text);
}

static void put_base64(FILE *page, const unsigned char *bytes, size_t size)
{
	static const char digit[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		"0123456789+/";

	for (size_t i = 0; i < size; i += 3) {
		size_t left = size - i;
		unsigned word = (unsigned)bytes[i] << 16 |
				(left > 1 ? (unsigned)bytes[i + 1] << 8 : 0) |
				(left > 2 ? bytes[i + 2] : 0);
		fputc(digit[word >> 18], page);
		fputc(digit[word >> 12 & 63], page);
		fputc(left > 1 ? digit[word >> 6 & 63] : '=', page);
		fputc(left > 2 ? digit[word & 63] : '=', page);
	}
}

int nnc_html_image(FILE *page, const NncImage *image, const char *alt, NncError *err)
{
	png_image png = {.version = PNG_IMAGE_VERSION,
			 .width = (png_uint_32)image->width,
			 .height = (png_uint_32)image->height,
			 .format = image->channels == 1 ? PNG_FORMAT_GRAY
							: PNG_FORMAT_RGB};
	png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(png);
	unsigned char *bytes = malloc(size);

	if (!bytes ||
	    !png_image_write_to_memory(&png, bytes, &size, 0, image->pixels, 0, NULL)) {
		free(bytes);
		return nnc_fail(err, NNC_NOMEM, "not enough memory for a picture");
	}
	fprintf(page, "<img width=\"%d\" height=\"%d\" alt=\"", (int)image->width,
		(int)image->height);
	nnc_html_text(page, alt);
	fputs("\" src=\"data:image/png;base64,", page);
	put_base64(page, bytes, size);
	fputs("\">", page);
	free(bytes);
	return NNC_OK;
}
