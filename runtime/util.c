/* util.c - overflow-checked products, hashes, medians and text for messages. */
#include "internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <zlib.h>

/* Bytes of a huge page, and of what is large enough to gain by them: it would miss the
   TLB all the time. */
enum { SMALL_PAGE = 4096, HUGE_PAGE = 2 << 20, LARGE = 1 << 20 };

bool nnc_multiply(size_t *product, size_t factor)
{
	if (factor != 0 && *product > SIZE_MAX / 2 / factor)
		return false;
	*product *= factor;
	return true;
}

uint32_t nnc_hash(const char *text)
{
	uint32_t hash = 2166136261u;

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 16777619u;
	return hash;
}

size_t nnc_page_bytes(size_t bytes)
{
	return bytes >= LARGE ? HUGE_PAGE : SMALL_PAGE;
}

/* Whole pages: huge ones where there are any, before they are touched. */
static void *allocate_pages(size_t bytes)
{
	size_t page = nnc_page_bytes(bytes);
	void *memory = aligned_alloc(page, bytes);

	if (memory && page == HUGE_PAGE) /* it is only a wish */
		madvise(memory, bytes, MADV_HUGEPAGE);
	return memory;
}

static size_t whole_pages(size_t bytes)
{
	size_t page = nnc_page_bytes(bytes);

	return bytes ? (bytes + page - 1) / page * page : page;
}

void *nnc_allocate(size_t count, size_t bytes)
{
	if (!nnc_multiply(&count, bytes))
		return NULL;
	if (nnc_page_bytes(count) == HUGE_PAGE)
		return allocate_pages(whole_pages(count));
	return malloc(count ? count : 1);
}

void *nnc_allocate_pages(size_t bytes)
{
	void *memory;

	bytes = whole_pages(bytes);
	memory = allocate_pages(bytes);
	return memory ? memset(memory, 0, bytes) : NULL;
}

/* Allocating more than there is succeeds on Linux, and kills whoever touches it. */
size_t nnc_memory_left(void)
{
	static const char key[] = "MemAvailable:";
	char line[256];
	unsigned long long kilobytes = 0;
	FILE *file = fopen("/proc/meminfo", "re");

	while (file && fgets(line, sizeof line, file))
		if (strncmp(line, key, sizeof key - 1) == 0)
			kilobytes = strtoull(line + sizeof key - 1, NULL, 10);
	if (file)
		fclose(file);
	return kilobytes ? (size_t)kilobytes * 1024 : SIZE_MAX;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double nnc_median(double *numbers, size_t count)
{
	qsort(numbers, count, sizeof *numbers, compare);
	return count % 2 ? numbers[count / 2]
			 : (numbers[count / 2 - 1] + numbers[count / 2]) / 2;
}

uint32_t nnc_crc32(const void *bytes, size_t count)
{
	return nnc_crc32_more(0, bytes, count);
}

uint32_t nnc_crc32_more(uint32_t crc, const void *bytes, size_t count)
{
	return (uint32_t)crc32_z(crc, bytes, count);
}

uint32_t nnc_crc32_join(uint32_t first, uint32_t second, size_t second_count)
{
	return (uint32_t)crc32_combine(first, second, (z_off_t)second_count);
}

const char *nnc_quote(char quoted[80], const char *text)
{
	size_t used = 0;

	for (; *text && used < 72; text++) {
		unsigned char c = (unsigned char)*text;
		if (c < 32 || c == 127 || c == '"' || c == '\\')
			used += (size_t)snprintf(quoted + used, 5, "\\x%02x", c);
		else
			quoted[used++] = (char)c;
	}
	while (*text && used > 0 && ((unsigned char)quoted[used - 1] & 0x80))
		used--; /* not half a character */
	snprintf(quoted + used, 80 - used, "%s", *text ? "..." : "");
	return quoted;
}

const char *nnc_shape_text(char text[64], int32_t height, int32_t width,
			   int32_t channels)
{
	if (height == 1 && width == 1)
		snprintf(text, 64, "%" PRId32, channels);
	else
		snprintf(text, 64, "%" PRId32 "x%" PRId32 "x%" PRId32, height, width,
			 channels);
	return text;
}

const char *nnc_grouped(char text[32], int64_t number)
{
	char digits[24];
	size_t n = (size_t)snprintf(digits, sizeof digits, "%lld", (long long)number);
	char *out = text;

	for (size_t i = 0; i < n; i++) {
		if (i && (n - i) % 3 == 0)
			*out++ = ',';
		*out++ = digits[i];
	}
	*out = '\0';
	return text;
}

const char *nnc_layer_shape(char text[64], const NncLayer *layer)
{
	size_t used = 0;

	*text = '\0';
	for (int32_t d = 0; d < layer->rank && used < 48; d++)
		used += (size_t)snprintf(text + used, 64 - used, "%s%d", d ? "x" : "",
					 (int)layer->dim[d]);
	return text;
}
