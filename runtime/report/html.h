/*
 * html.h - text and pictures for a page that is whole in one file.
 */
#ifndef NNC_HTML_H
#define NNC_HTML_H

#include "nnc_rt.h"

#include <stdio.h>

/* Text between tags or in a quoted attribute: & < > " ' as entities; what is not UTF-8
   or a control character as U+FFFD. All text from outside gets into a page by this. */
void nnc_html_text(FILE *page, const char *text);
/* printf, and then the same. At most 4095 bytes of it. */
void nnc_html_format(FILE *page, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* A small picture in memory. */
typedef struct NncImage {
	int32_t width, height;
	int32_t channels;      /* 1: grey, 3: red, green, blue */
	unsigned char *pixels; /* (height, width, channels) */
} NncImage;

/* <img> with the picture as a PNG inside. Errors: NNC_NOMEM. */
int nnc_html_image(FILE *page, const NncImage *image, const char *alt, NncError *err);

#endif
