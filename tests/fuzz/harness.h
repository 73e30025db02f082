/*
 * harness.h - what the fuzzers share. A harness is given bytes, hands them to the code
 * under test as the file that it would read, and checks what can be said of any answer.
 */
#ifndef HARNESS_H
#define HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef struct Harness {
	const char *name; /* what the program is called when it is to run this one */
	void (*run)(const uint8_t *bytes, size_t size);
} Harness;

extern const Harness harnesses[]; /* ends with a NULL name */

/* Ends the process as a finding, with the reason, unless ok. */
void expect(bool ok, const char *what);

/* An open stream that forgets what is written to it, but for control characters, which
   are a finding: text from a file must not reach a terminal as it is. */
FILE *sink(void);
/* The same of a string. */
void expect_plain(const char *text, size_t size);

#endif
