/* refuse.h - memory runs out in a test: the program is linked with --wrap=malloc and so on. */
#ifndef REFUSE_H
#define REFUSE_H

#include <stdbool.h>

/* Allocation n from here on fails, once. */
void refuse(long n);
/* Whether it came to that; from here on none fails. */
bool refused(void);

#endif
