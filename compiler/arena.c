/*
 * arena.c - the compiler's memory: the arena, and vectors and texts that grow in it.
 *
 * What is allocated is not freed before arena_free(): a compilation is short, and its
 * data structures point into one another. What is made only to be printed, which is far
 * more, comes from a second arena meanwhile, that is emptied again and again.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

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

typedef struct Arena {
	Chunk *chunks;
	char *last; /* the newest allocation: a vector may grow where it stands */
} Arena;

static Arena kept, scratch, *arena = &kept;

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
	Chunk *chunk = arena->chunks;
	if (!chunk || chunk->size - chunk->used < size) {
		size_t room = size > CHUNK ? size : CHUNK;
		chunk = calloc(1, sizeof *chunk + room);
		if (!chunk)
			out_of_memory();
		chunk->size = room;
		chunk->next = arena->chunks;
		ASAN_POISON_MEMORY_REGION(chunk->data, room);
		arena->chunks = chunk;
	}
	arena->last = chunk->data + chunk->used;
	ASAN_UNPOISON_MEMORY_REGION(arena->last, asked);
	chunk->used += size;
	return arena->last;
}

static void free_chunks(Arena *a)
{
	while (a->chunks) {
		Chunk *next = a->chunks->next;
		free(a->chunks);
		a->chunks = next;
	}
	a->last = NULL;
}

void arena_free(void)
{
	for (; adopted; adopted = adopted->next)
		free(adopted->memory);
	free_chunks(&scratch);
	free_chunks(&kept);
	arena = &kept;
}

bool arena_keep(bool on)
{
	bool before = arena == &kept;
	arena = on ? &kept : &scratch;
	return before;
}

void scratch_begin(void)
{
	bool before = arena_keep(false);
	assert(before);
	(void)before;
}

/* One chunk stays for what comes next; where the sanitizer looks on, none. */
void scratch_end(void)
{
	Chunk *newest = scratch.chunks;
	bool stays = newest && newest->size == CHUNK && !GAP;
	bool before = arena_keep(true);
	assert(!before);
	(void)before;
	if (stays)
		scratch.chunks = newest->next;
	free_chunks(&scratch);
	if (!stays)
		return;
	memset(newest->data, 0, newest->used);
	newest->used = 0;
	newest->next = NULL;
	scratch.chunks = newest;
}

char *arena_vprintf(const char *format, va_list args)
{
	va_list again;
	va_copy(again, args);
	assert(format);
	/* Mostly it fits where it would be allocated. */
	Chunk *chunk = arena->chunks;
	size_t room = chunk && !GAP ? chunk->size - chunk->used : 0;
	char *here = room ? chunk->data + chunk->used : NULL;
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
	Chunk **at = &arena->chunks;
	while (*at && (*at)->data != p)
		at = &(*at)->next;
	Chunk *chunk = *at;
	if (!chunk || chunk->size <= CHUNK)
		return;
	*at = chunk->next;
	arena->last = NULL;
	free(chunk);
}

void *arena_resize(void *p, size_t old, size_t size)
{
	if (p && !GAP && (char *)p == arena->last) {
		Chunk *chunk = arena->chunks;
		size_t begin = (size_t)((char *)p - chunk->data), end = chunk->used;
		if (round_up(size) <= chunk->size - begin) {
			chunk->used = begin + round_up(size ? size : 1);
			if (chunk->used < end)
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
	Chunk **at = &arena->chunks;
	while (*at && (*at)->data != p)
		at = &(*at)->next;
	if (!*at || (*at)->size != round_up(old))
		return NULL;
	bool newest = p == arena->last;
	size = round_up(size);
	Chunk *chunk = realloc(*at, sizeof *chunk + size);
	if (!chunk)
		out_of_memory();
	memset(chunk->data + chunk->size, 0, size - chunk->size);
	chunk->used = chunk->size = size;
	*at = chunk;
	if (newest)
		arena->last = chunk->data;
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
		const char *copy = arena_strndup(text, length);
		free(text);
		return copy;
	}
	bool kept_before = arena_keep(true);
	Adopted *a = arena_alloc(sizeof *a);
	*a = (Adopted){adopted, text};
	adopted = a;
	arena_keep(kept_before);
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
