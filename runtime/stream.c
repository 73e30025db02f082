/* stream.c - text that is written into memory: see stream.h. */
#define _GNU_SOURCE /* fopencookie */
#include "stream.h"

#include <stdlib.h>
#include <string.h>

enum { ROOM = 1 << 12 /* at first */ };

/* Room is kept for the NUL. */
static ssize_t add(void *cookie, const char *text, size_t size)
{
	NncStream *s = cookie;

	while (!s->failed && s->room - s->size <= size) {
		size_t room = 2 * s->room;
		char *grown = realloc(s->text, room);
		s->failed = !grown;
		s->text = grown ? grown : s->text;
		s->room = grown ? room : s->room;
	}
	if (s->failed)
		return 0;
	memcpy(s->text + s->size, text, size);
	s->size += size;
	return (ssize_t)size;
}

bool nnc_stream_open(NncStream *s)
{
	*s = (NncStream){.text = malloc(ROOM), .room = ROOM};
	if (s->text)
		s->out = fopencookie(s, "w", (cookie_io_functions_t){.write = add});
	if (!s->out)
		free(s->text);
	return s->out != NULL;
}

char *nnc_stream_close(NncStream *s, size_t *size)
{
	if (fclose(s->out) != 0)
		s->failed = true;
	s->out = NULL;
	if (s->failed) {
		free(s->text);
		return NULL;
	}
	s->text[s->size] = '\0';
	if (size)
		*size = s->size;
	return s->text;
}
