/*
 * util.c - the arena, vectors, overflow checks, did-you-mean, reading a file.
 *
 * Nothing allocated here is freed before arena_free(): a compilation is short, and
 * its data structures point into one another.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nnc.h"

/* AddressSanitizer sees a byte too many between two allocations, too. */
#ifndef __has_feature
#define __has_feature(feature) 0
#endif
#if defined __SANITIZE_ADDRESS__ || __has_feature(address_sanitizer)
#include <sanitizer/asan_interface.h>
enum { GAP = 16 };
#else
#define ASAN_POISON_MEMORY_REGION(start, size)   ((void)(start), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(start, size) ((void)(start), (void)(size))
enum { GAP = 0 };
#endif

enum { CHUNK = 1 << 16, ALIGN = 16 };

typedef struct Chunk Chunk;
struct Chunk {
	Chunk *next;
	size_t used, size;
	_Alignas(ALIGN) char data[];
};

static Chunk *arena;
static char *last; /* the newest allocation: a vector may grow where it stands */

typedef struct Adopted Adopted;
struct Adopted {
	Adopted *next;
	void *memory;
};

static Adopted *adopted; /* malloc's, to be freed with the arena */

void out_of_memory(void)
{
	fputs("nnc: error: out of memory\n", stderr);
	exit(NNC_NOMEM);
}

static size_t round_up(size_t size)
{
	if (size > SIZE_MAX / 2)
		out_of_memory();
	return (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
}

void *arena_alloc(size_t size)
{
	size_t asked = size ? size : 1;
	size = round_up(asked) + GAP;
	if (!arena || arena->size - arena->used < size) {
		size_t room = size > CHUNK ? size : CHUNK;
		Chunk *chunk = calloc(1, sizeof *chunk + room);
		if (!chunk)
			out_of_memory();
		chunk->size = room;
		chunk->next = arena;
		ASAN_POISON_MEMORY_REGION(chunk->data, room);
		arena = chunk;
	}
	last = arena->data + arena->used;
	ASAN_UNPOISON_MEMORY_REGION(last, asked);
	arena->used += size;
	return last;
}

void arena_free(void)
{
	for (; adopted; adopted = adopted->next)
		free(adopted->memory);
	while (arena) {
		Chunk *next = arena->next;
		free(arena);
		arena = next;
	}
	last = NULL;
}

char *arena_vprintf(const char *format, va_list args)
{
	va_list again;
	va_copy(again, args);
	assert(format);
	/* Mostly it fits where it would be allocated. */
	size_t room = arena && !GAP ? arena->size - arena->used : 0;
	char *here = room ? arena->data + arena->used : NULL;
	int length = vsnprintf(here, room, format, args);
	if (length < 0)
		out_of_memory();
	if ((size_t)length < room) {
		va_end(again);
		return arena_alloc((size_t)length + 1);
	}
	if (room)
		memset(here, 0, room);
	char *text = arena_alloc((size_t)length + 1);
	vsnprintf(text, (size_t)length + 1, format, again);
	va_end(again);
	return text;
}

char *arena_printf(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	char *text = arena_vprintf(format, args);
	va_end(args);
	return text;
}

char *arena_strndup(const char *text, size_t length)
{
	char *copy = arena_alloc(length + 1);
	memcpy(copy, text, length);
	return copy;
}

void arena_drop(const void *p)
{
	Chunk **at = &arena;
	while (*at && (*at)->data != p)
		at = &(*at)->next;
	Chunk *chunk = *at;
	if (!chunk || chunk->size <= CHUNK)
		return;
	*at = chunk->next;
	last = NULL;
	free(chunk);
}

void *arena_resize(void *p, size_t old, size_t size)
{
	if (p && !GAP && (char *)p == last) {
		size_t begin = (size_t)((char *)p - arena->data), end = arena->used;
		if (round_up(size) <= arena->size - begin) {
			arena->used = begin + round_up(size ? size : 1);
			if (arena->used < end)
				memset((char *)p + size, 0, end - begin - size);
			return p;
		}
	}
	if (size <= old)
		return p;
	void *grown = arena_alloc(size);
	if (p && old)
		memcpy(grown, p, old);
	return grown;
}

/* Of an allocation that has a chunk to itself: nothing of it is left behind. */
static void *resize_chunk(void *p, size_t old, size_t size)
{
	Chunk **at = &arena;
	while (*at && (*at)->data != p)
		at = &(*at)->next;
	if (!*at || (*at)->size != round_up(old))
		return NULL;
	bool newest = p == last;
	size = round_up(size);
	Chunk *chunk = realloc(*at, sizeof *chunk + size);
	if (!chunk)
		out_of_memory();
	memset(chunk->data + chunk->size, 0, size - chunk->size);
	chunk->used = chunk->size = size;
	*at = chunk;
	last = newest ? chunk->data : last;
	return chunk->data;
}

void *arena_move(void *p, size_t old, size_t size)
{
	void *moved =
		!GAP && old > CHUNK && size > old ? resize_chunk(p, old, size) : NULL;
	return moved ? moved : arena_resize(p, old, size);
}

void text_open(TextStream *stream)
{
	if (!nnc_stream_open(stream))
		out_of_memory();
}

const char *text_close(TextStream *stream, size_t *size)
{
	size_t length;
	char *text = nnc_stream_close(stream, &length);
	if (!text)
		out_of_memory();
	if (size)
		*size = length;
	if (length < CHUNK) {
		const char *kept = arena_strndup(text, length);
		free(text);
		return kept;
	}
	Adopted *a = arena_alloc(sizeof *a);
	*a = (Adopted){adopted, text};
	adopted = a;
	return text;
}

/* The capacity is never stored: it is the next power of two. */
void *vec_grow(void *items, int count, size_t item_size)
{
	assert(count >= 0 && count < 1 << 30);
	if (count & (count - 1))
		return items;
	size_t size = (size_t)count * item_size;
	return arena_resize(items, size, size ? 2 * size : item_size);
}

uint32_t hash_text(const char *text)
{
	uint64_t h = 0x9E3779B97F4A7C15u, word;
	size_t n = strlen(text);
	for (; n >= sizeof word; text += sizeof word, n -= sizeof word) {
		memcpy(&word, text, sizeof word);
		h = (h ^ word) * 0xFF51AFD7ED558CCDu;
		h ^= h >> 32;
	}
	word = n;
	memcpy(&word, text, n);
	h = (h ^ word ^ (uint64_t)n << 56) * 0xFF51AFD7ED558CCDu;
	return (uint32_t)(h >> 32);
}

bool mul_ok(int64_t a, int64_t b, int64_t *r)
{
	int64_t product;
	if (__builtin_mul_overflow(a, b, &product))
		return false;
	*r = product;
	return true;
}

bool add_ok(int64_t a, int64_t b, int64_t *r)
{
	int64_t sum;
	if (__builtin_add_overflow(a, b, &sum))
		return false;
	*r = sum;
	return true;
}

enum { MAX_NEAR = 40 }; /* longer names are not worth a guess */

static int min3(int a, int b, int c)
{
	int least = a < b ? a : b;
	return least < c ? least : c;
}

/* Edits between a and b, letter case aside; two neighbours swapped are one edit. More
   than `most` may be any number above it. */
static int distance(const char *a, size_t n, const char *b, size_t m, int most)
{
	int least_above = 0;
	int row[3][MAX_NEAR + 1];
	int *before = row[0], *above = row[1], *here = row[2];
	for (size_t j = 0; j <= m; j++)
		above[j] = (int)j;
	for (size_t i = 1; i <= n; i++) {
		int least = here[0] = (int)i;
		for (size_t j = 1; j <= m; j++) {
			int ca = tolower((unsigned char)a[i - 1]);
			int cb = tolower((unsigned char)b[j - 1]);
			here[j] = min3(above[j] + 1, here[j - 1] + 1,
				       above[j - 1] + (ca != cb));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1] && before[j - 2] + 1 < here[j])
				here[j] = before[j - 2] + 1;
			least = here[j] < least ? here[j] : least;
		}
		if (least > most && least_above > most)
			return most + 1;
		least_above = least;
		int *oldest = before;
		before = above;
		above = here;
		here = oldest;
	}
	return above[m];
}

const char *nearest(const char *name, const char *const *candidates, int n)
{
	size_t length = strlen(name);
	if (length > MAX_NEAR)
		return NULL;
	int limit = length < 3 ? 1 : length < 6 ? 2 : 3, best = limit + 1;
	const char *found = NULL;
	for (int i = 0; i < n; i++) {
		size_t other = strlen(candidates[i]);
		if (other > MAX_NEAR || other > length + (size_t)limit ||
		    length > other + (size_t)limit)
			continue;
		int d = distance(name, length, candidates[i], other, best);
		/* Something of the name has to be left. */
		if (d < best && d < (int)other && d < (int)length) {
			best = d;
			found = candidates[i];
		}
	}
	return found;
}

static char *read_all(int fd, size_t limit, size_t *size, const char **why)
{
	struct stat st;
	if (fstat(fd, &st) != 0 || S_ISDIR(st.st_mode)) {
		*why = S_ISDIR(st.st_mode) ? strerror(EISDIR) : strerror(errno);
		return NULL;
	}
	/* st_size is a hint only: a pipe has none, a file may grow under us. */
	bool known =
		S_ISREG(st.st_mode) && st.st_size >= 0 && (size_t)st.st_size <= limit;
	size_t room = known ? (size_t)st.st_size + 1 : limit + 1;
	char *text = arena_alloc(room + 1);
	size_t used = 0;
	while (used < room) {
		ssize_t got = read(fd, text + used, room - used);
		if (got == 0)
			break;
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			*why = strerror(errno);
			return NULL;
		}
		used += (size_t)got;
	}
	if (used > limit || (S_ISREG(st.st_mode) && !known)) {
		*why = arena_printf("it is larger than %zu bytes", limit);
		return NULL;
	}
	text[used] = '\0';
	*size = used;
	return text;
}

char *read_file(const char *path, size_t limit, size_t *size, const char **why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		*why = strerror(errno);
		return NULL;
	}
	char *text = read_all(fd, limit, size, why);
	close(fd);
	return text;
}
