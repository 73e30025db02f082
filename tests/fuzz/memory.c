/* memory.c - see memory.h. */
#include "memory.h"

#include <png.h>
#include <stdlib.h>
#include <string.h>

int __wrap_nnc_read_file(NncBytes *bytes, const char *path, size_t limit,
			 NncError *err);
int __wrap_nnc_reader_open(NncReader *reader, const char *path, NncError *err);
int __wrap_nnc_reader_read(NncReader *reader, void *bytes, size_t count, size_t *got,
			   NncError *err);
bool __wrap_nnc_reader_could_hold(const NncReader *reader, size_t count);
void __wrap_nnc_reader_close(NncReader *reader);
int __wrap_nnc_search(char found[512], const NncSearch *search,
		      const NncDataRequest *request, NncError *err);
uint32_t __wrap_nnc_crc32(const void *bytes, size_t count);
uint32_t __real_nnc_crc32(const void *bytes, size_t count);
int __wrap_nnc_write_file(const char *path, const void *bytes, size_t count,
			  NncError *err);
png_structp __wrap_png_create_read_struct(const char *version, void *data,
					  png_error_ptr error, png_error_ptr warning);
png_structp __real_png_create_read_struct(const char *version, void *data,
					  png_error_ptr error, png_error_ptr warning);

typedef struct Memory {
	const uint8_t *bytes;
	size_t size, at;
} Memory;

static Memory files[MEMORY_FILES];
static int file_count, file_next;
static bool forged;

void memory_files(const uint8_t *const *bytes, const size_t *sizes, int count)
{
	file_count = count;
	file_next = 0;
	for (int i = 0; i < count; i++)
		files[i] = (Memory){bytes[i], sizes[i], 0};
}

void memory_file(const uint8_t *bytes, size_t size)
{
	memory_files(&bytes, &size, 1);
}

void memory_forge_crc(bool on)
{
	forged = on;
}

/* "memory/2" is the third file; every other path the one there is. */
static Memory *file_of(const char *path)
{
	int i = strncmp(path, "memory/", 7) == 0 ? path[7] - '0' : 0;
	return &files[i];
}

int __wrap_nnc_search(char found[512], const NncSearch *search,
		      const NncDataRequest *request, NncError *err)
{
	(void)search, (void)request, (void)err;
	snprintf(found, 512, "memory/%d", file_next);
	file_next += file_next + 1 < file_count;
	return NNC_OK;
}

/* A copy of exactly its size, so that the sanitizers see a byte too many. */
int __wrap_nnc_read_file(NncBytes *bytes, const char *path, size_t limit, NncError *err)
{
	const Memory *m = file_of(path);

	*bytes = (NncBytes){0};
	if (m->size > limit)
		return nnc_fail(err, NNC_DATA, "\"%s\" holds more than %zu bytes", path,
				limit);
	bytes->data = malloc(m->size + 1);
	if (!bytes->data)
		return nnc_fail(err, NNC_NOMEM, "out of memory");
	if (m->size)
		memcpy(bytes->data, m->bytes, m->size);
	bytes->data[m->size] = 0;
	bytes->size = m->size;
	return NNC_OK;
}

int __wrap_nnc_reader_open(NncReader *reader, const char *path, NncError *err)
{
	Memory *m = file_of(path);

	(void)err;
	m->at = 0;
	*reader = (NncReader){.gz = m, .stored = m->size};
	return NNC_OK;
}

int __wrap_nnc_reader_read(NncReader *reader, void *bytes, size_t count, size_t *got,
			   NncError *err)
{
	Memory *m = reader->gz;

	(void)err;
	*got = m->size - m->at < count ? m->size - m->at : count;
	if (*got)
		memcpy(bytes, m->bytes + m->at, *got);
	m->at += *got;
	return NNC_OK;
}

bool __wrap_nnc_reader_could_hold(const NncReader *reader, size_t count)
{
	return count <= reader->stored;
}

void __wrap_nnc_reader_close(NncReader *reader)
{
	*reader = (NncReader){0};
}

/* What is kept of a history goes nowhere. */
int __wrap_nnc_write_file(const char *path, const void *bytes, size_t count,
			  NncError *err)
{
	(void)path, (void)bytes, (void)count, (void)err;
	return NNC_OK;
}

uint32_t __wrap_nnc_crc32(const void *bytes, size_t count)
{
	return forged ? 0 : __real_nnc_crc32(bytes, count);
}

/* A PNG's checksums are not checked, or nothing behind them would ever be reached. */
png_structp __wrap_png_create_read_struct(const char *version, void *data,
					  png_error_ptr error, png_error_ptr warning)
{
	png_structp png = __real_png_create_read_struct(version, data, error, warning);

	if (png) {
		png_set_crc_action(png, PNG_CRC_QUIET_USE, PNG_CRC_QUIET_USE);
		png_set_option(png, PNG_IGNORE_ADLER32, PNG_OPTION_ON);
	}
	return png;
}
