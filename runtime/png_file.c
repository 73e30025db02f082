/*
 * png_file.c - a PNG of any depth and colour as 8-bit samples, by libpng.
 *
 * Samples are taken as stored: no gamma, no colour profile, alpha dropped, as Pillow's
 * and Keras's loaders do.
 */
#include "internal.h"

#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

/* Everything that outlives a longjmp out of libpng. */
typedef struct Decoder {
	png_structp png;
	png_infop info;
	NncBytes file;
	size_t at;             /* bytes of file consumed */
	unsigned char *pixels; /* (height, width, 4), RGBA */
	unsigned char **row;
	char quoted[80];
	char message[80]; /* libpng's, once it gave up */
} Decoder;

static void on_error(png_structp png, png_const_charp message)
{
	Decoder *d = png_get_error_ptr(png);

	nnc_quote(d->message, message);
	png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp message)
{
	(void)png, (void)message;
}

static void on_read(png_structp png, png_bytep to, size_t count)
{
	Decoder *d = png_get_io_ptr(png);

	if (count > d->file.size - d->at)
		png_error(png, "the file is truncated");
	memcpy(to, d->file.data + d->at, count);
	d->at += count;
}

/* What the caller wants; see nnc_png_read(). */
typedef struct Wanted {
	int32_t height, width, channels;
	int64_t numbers;
} Wanted;

static int check_size(Wanted *wanted, uint32_t height, uint32_t width, const char *path,
		      NncError *err)
{
	int64_t pixels = (int64_t)height * width;

	if (wanted->height || wanted->width) {
		if (height != (uint32_t)wanted->height ||
		    width != (uint32_t)wanted->width)
			return nnc_fail(
				err, NNC_DATA,
				"\"%s\" is %ux%u (height x width), the model's input "
				"is %dx%d",
				path, height, width, wanted->height, wanted->width);
		return NNC_OK;
	}
	if (pixels != wanted->numbers && 3 * pixels != wanted->numbers)
		return nnc_fail(
			err, NNC_DATA,
			"\"%s\" is %ux%u, %lld pixels; the model's input is %lld "
			"numbers",
			path, height, width, (long long)pixels,
			(long long)wanted->numbers);
	wanted->channels = pixels == wanted->numbers ? 1 : 3;
	return NNC_OK;
}

static int check_header(Decoder *d, Wanted *wanted, NncError *err)
{
	uint32_t height, width;

	png_set_user_limits(d->png, NNC_MAX_IMAGE, NNC_MAX_IMAGE);
	png_set_chunk_malloc_max(d->png, 8 << 20);
	png_set_chunk_cache_max(d->png, 128);
	png_set_read_fn(d->png, d, on_read);
	png_read_info(d->png, d->info);
	height = png_get_image_height(d->png, d->info);
	width = png_get_image_width(d->png, d->info);
	return check_size(wanted, height, width, d->quoted, err);
}

static int read_pixels(Decoder *d, NncError *err)
{
	size_t height = png_get_image_height(d->png, d->info);
	size_t width = png_get_image_width(d->png, d->info);

	png_set_expand(d->png); /* palette, 1 2 4 bits, transparency */
	png_set_scale_16(d->png);
	png_set_gray_to_rgb(d->png);
	png_set_add_alpha(d->png, 255, PNG_FILLER_AFTER);
	png_set_interlace_handling(d->png);
	png_read_update_info(d->png, d->info);
	if (png_get_rowbytes(d->png, d->info) != 4 * width)
		png_error(d->png, "unexpected kind of rows");
	d->pixels = nnc_allocate(height, 4 * width);
	d->row = nnc_allocate(height, sizeof *d->row);
	if (!d->pixels || !d->row)
		return nnc_fail(err, NNC_NOMEM, "out of memory");
	for (size_t y = 0; y < height; y++)
		d->row[y] = d->pixels + y * 4 * width;
	png_read_image(d->png, d->row);
	png_read_end(d->png, NULL);
	return NNC_OK;
}

/* The part that libpng may jump out of. */
static int decode(Decoder *d, Wanted *wanted, NncError *err)
{
	int code;

	if (setjmp(png_jmpbuf(d->png)))
		return nnc_fail(err, NNC_DATA, "\"%s\" is a damaged PNG: %s", d->quoted,
				d->message);
	code = check_header(d, wanted, err);
	if (code == NNC_OK)
		code = read_pixels(d, err);
	return code;
}

/* RGBA to the wanted channels; grey pixels stay exactly what they are. */
static int convert(NncArray *array, const Decoder *d, int32_t channels, NncError *err)
{
	size_t height = png_get_image_height(d->png, d->info);
	size_t width = png_get_image_width(d->png, d->info);
	const unsigned char *from = d->pixels;
	unsigned char *to;

	*array = (NncArray){.rank = 3,
			    .dim = {height, width, (size_t)channels},
			    .count = height * width * (size_t)channels,
			    .type = 'B'};
	array->data = to = nnc_allocate(array->count, 1);
	if (!to)
		return nnc_fail(err, NNC_NOMEM, "out of memory");
	for (size_t i = 0; i < height * width; i++, from += 4) {
		if (channels == 1) /* 0.299 R + 0.587 G + 0.114 B, rounded */
			*to++ = (unsigned char)((from[0] * 19595u + from[1] * 38470u +
						 from[2] * 7471u + 32768u) >>
						16);
		else
			for (int32_t c = 0; c < channels; c++)
				*to++ = from[c];
	}
	array->crc = nnc_crc32(d->file.data, d->file.size);
	return NNC_OK;
}

int nnc_png_read(NncArray *array, const char *path, int32_t height, int32_t width,
		 int32_t channels, int64_t numbers, NncError *err)
{
	Decoder d = {0};
	Wanted wanted = {height, width, channels, numbers};
	int code = nnc_read_file(&d.file, path, (size_t)1 << 31, err);

	*array = (NncArray){0};
	nnc_quote(d.quoted, path);
	if (code == NNC_OK && (d.file.size < 8 || png_sig_cmp(d.file.data, 0, 8) != 0))
		code = nnc_fail(err, NNC_DATA, "\"%s\" is not a PNG: it is %s",
				d.quoted, nnc_kind_of(d.file.data, d.file.size));
	if (code == NNC_OK && (height || width) && channels != 1 && channels != 3 &&
	    channels != 4)
		code = nnc_fail(
			err, NNC_DATA,
			"a PNG has 1, 3 or 4 channels, the model's input has %d",
			channels);
	if (code == NNC_OK) {
		d.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &d, on_error,
					       on_warning);
		d.info = d.png ? png_create_info_struct(d.png) : NULL;
		code = d.info ? decode(&d, &wanted, err)
			      : nnc_fail(err, NNC_NOMEM, "out of memory");
	}
	if (code == NNC_OK)
		code = convert(array, &d, wanted.channels, err);
	png_destroy_read_struct(&d.png, &d.info, NULL);
	free(d.row);
	free(d.pixels);
	nnc_bytes_free(&d.file);
	return code;
}
