/* machine.c - the CPU, how much of it and of the memory this process may use. */
#define _GNU_SOURCE
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "doctor.h"

/* ---- the CPU
 * -------------------------------------------------------------------------- */

int vector_width(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_cpu_init();
	if (__builtin_cpu_supports("avx512f"))
		return 16;
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
		return 8;
#endif
	return 4;
}

void check_cpu(Doctor *d)
{
	char name[NNC_CPU_NAME];
	const int width = vector_width();
	const char *what = width == 16 ? "AVX-512"
			   : width == 8
				   ? "AVX2 and FMA"
				   : "without AVX2: 4 numbers at a time, not 8 or 16";
	note(d, width > 4 ? LEVEL_PASS : LEVEL_WARN, "CPU",
	     arena_printf("%s, %s", printable(nnc_cpu_name(name)), what),
	     width > 4 ? NULL : "expect less speed than the README's");
}

/* ---- control groups
 * -------------------------------------------------------------------- */

/* The beginning of a file of the kernel, which has no size; or NULL. */
static const char *read_words(const char *path)
{
	enum { MOST = 1 << 14 };
	FILE *f = fopen(path, "re");
	if (!f)
		return NULL;
	char *text = arena_alloc(MOST);
	text[fread(text, 1, MOST - 1, f)] = '\0';
	fclose(f);
	return text;
}

/*
 * The path of a group: of controller `name`, or of version 2 ("" in /proc/self/cgroup).
 * A line is "4:memory:/path", "1:cpu,cpuacct:/path" or "0::/path".
 */
static const char *group_path(const char *self, const char *name)
{
	const size_t length = strlen(name);
	for (const char *line = self; *line;) {
		size_t end = strcspn(line, "\n");
		const char *list = strchr(line, ':'),
			   *path = list ? strchr(list + 1, ':') : NULL;
		if (path && path < line + end)
			for (const char *c = list + 1; c <= path;) {
				size_t word = strcspn(c, ",:");
				if (word == length && strncmp(c, name, length) == 0)
					return arena_strndup(
						path + 1,
						(size_t)(line + end - path) - 1);
				c += word + 1;
			}
		line += end + (line[end] == '\n');
	}
	return NULL;
}

/* The least that `limit` says of `file` in the folders of the group and of those above.
 */
static double least(const char *root, const char *path, const char *file,
		    double (*limit)(const char *folder, const char *text))
{
	double all = -1;
	if (!path || strstr(path, ".."))
		return -1;
	char *at = arena_printf("%s", path);
	for (;;) {
		const char *folder =
			arena_printf("%s%s", root, strcmp(at, "/") ? at : "");
		const char *text = read_words(arena_printf("%s/%s", folder, file));
		double one = text ? limit(folder, text) : -1;
		if (one >= 0 && (all < 0 || one < all))
			all = one;
		char *slash = strrchr(at, '/');
		if (!slash || !*at)
			return all;
		*slash = '\0';
	}
}

/* "200000 100000", microseconds of every so many; "max 100000". */
static double cpu_max(const char *folder, const char *text)
{
	char *end;
	(void)folder;
	double quota = strtod(text, &end), period = end > text ? strtod(end, NULL) : 0;
	return period > 0 && quota > 0 ? quota / period : -1;
}

static double cpu_quota(const char *folder, const char *text)
{
	const char *period = read_words(arena_printf("%s/cpu.cfs_period_us", folder));
	double every = period ? strtod(period, NULL) : 0, quota = strtod(text, NULL);
	return every > 0 && quota > 0 ? quota / every : -1;
}

static double left_of(const char *text, const char *usage)
{
	char *end;
	double limit = strtod(text, &end), used = usage ? strtod(usage, NULL) : 0;
	if (end == text || limit > 1e18) /* "max", or version 1's largest number */
		return -1;
	return limit > used ? limit - used : 0;
}

static double memory_max(const char *folder, const char *text)
{
	return left_of(text, read_words(arena_printf("%s/memory.current", folder)));
}

static double memory_limit(const char *folder, const char *text)
{
	return left_of(text,
		       read_words(arena_printf("%s/memory.usage_in_bytes", folder)));
}

static double lesser(double a, double b)
{
	return a < 0 || (b >= 0 && b < a) ? b : a;
}

double group_cpus(const char *root, const char *self)
{
	const char *second = group_path(self, ""), *first = group_path(self, "cpu");
	return lesser(least(root, second, "cpu.max", cpu_max),
		      least(arena_printf("%s/cpu", root), first, "cpu.cfs_quota_us",
			    cpu_quota));
}

double group_bytes(const char *root, const char *self)
{
	const char *second = group_path(self, ""), *first = group_path(self, "memory");
	return lesser(least(root, second, "memory.max", memory_max),
		      least(arena_printf("%s/memory", root), first,
			    "memory.limit_in_bytes", memory_limit));
}

static const char *own_groups(void)
{
	const char *text = read_words("/proc/self/cgroup");
	return text ? text : "";
}

/* ---- cores, memory
 * ------------------------------------------------------------------------- */

void check_cores(Doctor *d)
{
	cpu_set_t set[16]; /* 16384: a kernel refuses what has no room for its own */
	int cores = sched_getaffinity(0, sizeof set, set) == 0
			    ? CPU_COUNT_S(sizeof set, set)
			    : 1;
	double limit = group_cpus("/sys/fs/cgroup", own_groups());
	const char *text = arena_printf("%d for this process", cores);
	if (limit < 0 || limit >= cores) {
		note(d, LEVEL_PASS, "cores", text, NULL);
		return;
	}
	int threads = limit < 1 ? 1 : (int)limit;
	note(d, LEVEL_WARN, "cores",
	     arena_printf(
		     "%s, but its control group has the time of %.3g: threads wait "
		     "for each other",
		     text, limit),
	     arena_printf("train --threads %d", threads));
}

/* What compiling and training models/cnn.nn take, and Fashion-MNIST in memory, with
 * room. */
#define ENOUGH (512.0 * (1 << 20))

void check_memory(Doctor *d)
{
	static const char key[] = "MemAvailable:";
	const char *text = read_words("/proc/meminfo");
	const char *line = text ? strstr(text, key) : NULL;
	double machine = line ? 1024 * strtod(line + sizeof key - 1, NULL) : -1;
	double bytes = lesser(machine, group_bytes("/sys/fs/cgroup", own_groups()));
	if (bytes < 0) {
		note(d, LEVEL_WARN, "memory",
		     "/proc/meminfo does not say what is available", "mount /proc");
		return;
	}
	const char *found =
		arena_printf("%.0f MiB available%s", bytes / (1 << 20),
			     bytes < machine ? " to its control group" : "");
	if (bytes >= ENOUGH)
		note(d, LEVEL_PASS, "memory", found, NULL);
	else
		note(d, LEVEL_WARN, "memory", found,
		     arena_printf(
			     "compiling and training the paper's CNN wants %.0f MiB",
			     ENOUGH / (1 << 20)));
}
