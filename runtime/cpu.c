/*
 * cpu.c - what this CPU has, how many there are and how fast one multiplies.
 *
 * The runtime itself is built for any x86-64 (or any other CPU); only the measuring
 * loops below are compiled for more, each behind the question whether it may run.
 */
#define _GNU_SOURCE
#include "internal.h"

#include <sched.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#if defined(__x86_64__) || defined(__i386__)
#define X86 1
#else
#define X86 0
#endif

double nnc_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

int nnc_cpu_count(void)
{
	cpu_set_t
		set[16]; /* 16384 CPUs: a kernel refuses what has no room for its own */
	int count = 0;

	if (!sched_getaffinity(0, sizeof set, set))
		count = CPU_COUNT_S(sizeof set, set);
	return count < 1 ? 1 : count;
}

unsigned nnc_cpu_flush_denormals(void)
{
#if X86
	unsigned mode = __builtin_ia32_stmxcsr();

	/* MXCSR's FTZ (15) and DAZ (6): denormal Adam moments cost 15 % otherwise */
	__builtin_ia32_ldmxcsr(mode | 1u << 15 | 1u << 6);
	return mode;
#else
	return 0;
#endif
}

void nnc_cpu_restore_denormals(unsigned mode)
{
#if X86
	__builtin_ia32_ldmxcsr(mode);
#else
	(void)mode;
#endif
}

/* ---- features ---------------------------------------------------------------- */

/* __builtin_cpu_supports takes nothing but literals, so each has its own question. */
static bool has_feature(const char *name, size_t length)
{
#if X86
#define HAS(feature)                                                                   \
	if (strlen(feature) == length && !memcmp(name, feature, length))               \
	return __builtin_cpu_supports(feature) != 0
	HAS("sse4.2");
	HAS("avx");
	HAS("avx2");
	HAS("fma");
	HAS("bmi");
	HAS("bmi2");
	HAS("avx512f");
	HAS("avx512bw");
	HAS("avx512cd");
	HAS("avx512dq");
	HAS("avx512vl");
	HAS("avx512vnni");
#undef HAS
#else
	(void)name;
	(void)length;
#endif
	return false;
}

int nnc_cpu_check(const char *needs, NncError *err)
{
#if X86
	__builtin_cpu_init();
#endif
	while (needs && *needs) {
		size_t length = strcspn(needs, " ");
		if (length && !has_feature(needs, length))
			return nnc_fail(
				err, NNC_CPU,
				"this program was built for a CPU with %.*s, which "
				"this one has not\nhelp: compile the model again on "
				"this machine, or with nnc --march=x86-64-v2",
				(int)length, needs);
		needs += length;
		needs += strspn(needs, " ");
	}
	return NNC_OK;
}

/* ---- peak -------------------------------------------------------------------- */

enum { ACCUMULATORS = 12, ROUNDS = 20000 };

/* clang-format off */
/*
 * A loop of ACCUMULATORS independent chains, enough to hide a latency of 4 to 6
 * cycles on two units. The asm keeps every chain in a register and alive.
 */
#define EACH(statement)                                                                \
	do {                                                                           \
		statement(0); statement(1); statement(2); statement(3);                \
		statement(4); statement(5); statement(6); statement(7);                \
		statement(8); statement(9); statement(10); statement(11);              \
	} while (0)
#define BEGIN(i) acc[i] = a * (float)(i)
#define MULTIPLY_ADD(i) acc[i] = acc[i] * a + a; KEEP(acc[i])
#define SUM(i) sum += acc[i]
#define DEFINE_PEAK(function, bytes, attributes)                                       \
	attributes static float function(float one)                                    \
	{                                                                              \
		typedef float Vector __attribute__((vector_size(bytes)));              \
		Vector acc[ACCUMULATORS], a = one - (Vector){0}, sum = {0};            \
		EACH(BEGIN);                                                           \
		for (int round = 0; round < ROUNDS; round++)                           \
			EACH(MULTIPLY_ADD);                                            \
		EACH(SUM);                                                             \
		return sum[0];                                                         \
	}
/* clang-format on */

#if X86
#define KEEP(v) __asm__ volatile("" : "+x"(v))
DEFINE_PEAK(peak_512, 64, __attribute__((target("avx512f"), noinline)))
DEFINE_PEAK(peak_256, 32, __attribute__((target("avx2,fma"), noinline)))
#else
#define KEEP(v) __asm__ volatile("" : "+w"(v))
#endif
#if X86 || defined(__aarch64__)
DEFINE_PEAK(peak_128, 16, __attribute__((noinline)))
#define HAS_PEAK 1
#else
#define HAS_PEAK 0
#endif

const char *nnc_cpu_name(char name[NNC_CPU_NAME])
{
	static const char key[] = "model name";
	char line[512];
	struct utsname machine;
	FILE *f = fopen("/proc/cpuinfo", "re");

	snprintf(name, NNC_CPU_NAME, "%s",
		 uname(&machine) == 0 ? machine.machine : "unknown");
	while (f && fgets(line, sizeof line, f)) {
		const char *value = strchr(line, ':');
		if (strncmp(line, key, sizeof key - 1) != 0 || !value)
			continue;
		value += 1 + strspn(value + 1, " \t");
		snprintf(name, NNC_CPU_NAME, "%.*s", (int)strcspn(value, "\n"), value);
		break;
	}
	if (f)
		fclose(f);
	return name;
}

double nnc_cpu_peak(double seconds)
{
#if HAS_PEAK
	float (*loop)(float) = peak_128;
	double lanes = 4, best = 1e30, started = nnc_clock();
	volatile float one = 1e-6f, sink = 0;

#if X86
	__builtin_cpu_init();
	if (__builtin_cpu_supports("avx512f")) {
		loop = peak_512;
		lanes = 16;
	} else if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
		loop = peak_256;
		lanes = 8;
	}
#endif
	do {
		double before = nnc_clock();
		sink = sink + loop(one);
		double took = nnc_clock() - before;
		if (took < best)
			best = took;
	} while (nnc_clock() - started < seconds);
	return 2.0 * lanes * ACCUMULATORS * ROUNDS / best * 1e-9;
#else
	(void)seconds;
	return 0;
#endif
}
