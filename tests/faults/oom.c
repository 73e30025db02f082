/*
 * oom.c - LD_PRELOAD: memory runs out. Of the allocations after main() begins, number
 * OOM_AT fails, and with OOM_ALL all after it; OOM_COUNT names a file that gets how many
 * there were. Children are left alone.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

static long at, count;
static bool armed, all;
static const char *report;
static int (*real_main)(int, char **, char **);

static bool refused(void)
{
	if (!armed)
		return false;
	long n = __atomic_add_fetch(&count, 1, __ATOMIC_RELAXED);
	if (!at || n < at || (n > at && !all))
		return false;
	errno = ENOMEM;
	return true;
}

void *malloc(size_t size)
{
	return refused() ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	return refused() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *old, size_t size)
{
	return refused() ? NULL : __libc_realloc(old, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	return refused() ? NULL : __libc_memalign(alignment, size);
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
	*out = refused() ? NULL : __libc_memalign(alignment, size);
	return *out ? 0 : ENOMEM;
}

__attribute__((destructor)) static void write_report(void)
{
	char text[32];
	int fd, length;

	armed = false;
	if (!report)
		return;
	fd = open(report, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	length = snprintf(text, sizeof text, "%ld\n", count);
	if (fd < 0 || write(fd, text, (size_t)length) != length)
		abort();
	close(fd);
}

static int armed_main(int argc, char **argv, char **envp)
{
	const char *number = getenv("OOM_AT");

	at = number ? atol(number) : 0;
	all = getenv("OOM_ALL") != NULL;
	report = getenv("OOM_COUNT");
	unsetenv("LD_PRELOAD");
	armed = true;
	return real_main(argc, argv, envp);
}

int __libc_start_main(int (*program)(int, char **, char **), int argc, char **argv,
		      void (*init)(void), void (*fini)(void), void (*rtld_fini)(void),
		      void *stack_end)
{
	int (*start)(int (*)(int, char **, char **), int, char **, void (*)(void),
		     void (*)(void), void (*)(void), void *);

	*(void **)&start = dlsym(RTLD_NEXT, "__libc_start_main");
	real_main = program;
	return start(armed_main, argc, argv, init, fini, rtld_fini, stack_end);
}
