/* front.h - the front end, as its suites call it: text in, normal form and messages
 * out. */
#ifndef FRONT_H
#define FRONT_H

#include "nnc.h"

/* Messages go to memory between the two; heard() gives the number of errors. */
void listen(void);
int heard(void);
/* Whether the messages before the last heard() had this text. */
bool says(const char *text);

/* The normal form of the statements, in the arena, and the number of errors. */
const char *parse_bytes(const char *text, size_t size, int *errors);
const char *parse(const char *text, int *errors);
const char *expand_with(const char *text, const ExpandOptions *options, int *errors);
const char *expand(const char *text, int *errors);
int errors_of(const char *text);

#endif
