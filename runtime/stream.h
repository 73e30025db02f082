/*
 * stream.h - text that is written into memory, for the runtime and for the compiler.
 *
 * open_memstream() does the same, but where memory runs out a part of the text is missing
 * and nobody hears of it.
 */
#ifndef NNC_STREAM_H
#define NNC_STREAM_H

#include <stdbool.h>
#include <stdio.h>

typedef struct NncStream {
	FILE *out; /* write here; it is closed by nnc_stream_close() */
	char *text;
	size_t size, room;
	bool failed;
} NncStream;

/* False: out of memory; nothing needs closing. */
bool nnc_stream_open(NncStream *stream);
/* All that was written, *size bytes (if not NULL) and a NUL, to be freed. NULL: there was
   no memory for it. */
char *nnc_stream_close(NncStream *stream, size_t *size);

#endif
