/* refuse.c - see refuse.h. What libraries allocate themselves is not refused. */
#include "refuse.h"

#include <errno.h>
#include <stddef.h>

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
char *__wrap_strdup(const char *text);
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
char *__real_strdup(const char *text);

static long left; /* allocations until one is refused; 0: none is */
static bool came;

void refuse(long n)
{
	left = n;
	came = false;
}

bool refused(void)
{
	left = 0;
	return came;
}

static bool now(void)
{
	if (left == 0 || --left > 0)
		return false;
	came = true;
	errno = ENOMEM;
	return true;
}

void *__wrap_malloc(size_t size)
{
	return now() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return now() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	return now() ? NULL : __real_realloc(old, size);
}

char *__wrap_strdup(const char *text)
{
	return now() ? NULL : __real_strdup(text);
}
