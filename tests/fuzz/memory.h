/*
 * memory.h - the files of a loader, from memory. The linker puts these functions in the
 * place of nnc_read_file(), nnc_reader_*() and nnc_search() (--wrap), so that an input
 * is read thousands of times a second; `gzip` alone reads by the real ones, from a
 * memfd.
 */
#ifndef MEMORY_H
#define MEMORY_H

#include "internal.h"

enum { MEMORY_FILES = 5 };

/* What is read next: in the order of the searches, the last one again after that. */
void memory_files(const uint8_t *const *bytes, const size_t *sizes, int count);
/* The same of one file. */
void memory_file(const uint8_t *bytes, size_t size);

/* From here on every CRC-32 is 0, which a fuzzer can write; or what it is. */
void memory_forge_crc(bool on);

/* The real ones. */
int __real_nnc_read_file(NncBytes *bytes, const char *path, size_t limit,
			 NncError *err);

#endif
