/*
 * cores.c - what two CPUs are to each other at the moment. usage: cores CPU CPU
 *
 * Prints two figures: how many nanoseconds a message takes to the other CPU and back,
 * and how much longer one multiplies while the other does, too: 1.0 if they are two
 * cores, up to 2 if they are two threads of one. Each is the best of many short
 * readings, so that a CPU which is taken away for a moment does not count.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
	LINES = 128, /* bytes: CPUs fetch cache lines in pairs */
	VECTOR = 64, /* bytes, the widest there is; narrower CPUs take two or four */
	SUMS = 12,   /* independent ones: as long as a multiply-add takes, and more */
	READINGS = 30,
	TRIPS = 50,       /* of a reading */
	MULTIPLIES = 500, /* of each sum, of a reading */
};

typedef float Vector __attribute__((vector_size(VECTOR)));

static _Alignas(LINES) atomic_int asked;
static _Alignas(LINES) atomic_int answered;
static _Alignas(LINES) atomic_bool both; /* the other multiplies now */
static volatile float result;            /* so that somebody wants it */

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void stay_on(int cpu)
{
	cpu_set_t set;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof set, &set) != 0) {
		perror("cores: the CPU");
		exit(1);
	}
}

static void multiply(void)
{
	Vector sum[SUMS] = {{0}}, factor = {0}, all = {0};

	for (int k = 0; k < MULTIPLIES; k++) {
		__asm__ volatile("" : "+m"(factor)); /* may differ in each turn */
		for (int i = 0; i < SUMS; i++)
			sum[i] = sum[i] * factor + factor;
	}
	for (int i = 0; i < SUMS; i++)
		all += sum[i];
	result = all[0];
}

/* Answers, and multiplies when asked to, until it is asked for a trip below 0. */
static void *other(void *cpu)
{
	stay_on(*(int *)cpu);
	for (int n = 0; n >= 0;) {
		if (atomic_load(&both))
			multiply();
		n = atomic_load(&asked);
		atomic_store(&answered, n);
	}
	return NULL;
}

static void trips(void)
{
	for (int i = 0; i < TRIPS; i++) {
		int n = atomic_fetch_add(&asked, 1) + 1;
		while (atomic_load(&answered) != n)
			;
	}
}

static double best(void (*work)(void))
{
	double least = 0;

	for (int i = 0; i < READINGS; i++) {
		double begin = now();
		work();
		double took = now() - begin;
		if (i == 0 || took < least)
			least = took;
	}
	return least;
}

int main(int argc, char **argv)
{
	if (argc != 3)
		return fprintf(stderr, "usage: cores CPU CPU\n"), 2;
	int cpu = atoi(argv[2]);
	pthread_t thread;

	stay_on(atoi(argv[1]));
	if (pthread_create(&thread, NULL, other, &cpu) != 0)
		return fprintf(stderr, "cores: no thread\n"), 1;
	double trip = best(trips) / TRIPS;
	double alone = best(multiply);
	atomic_store(&both, true);
	double beside = best(multiply);
	atomic_store(&asked, -1);
	pthread_join(thread, NULL);
	printf("%.1f %.2f\n", trip, beside / alone);
	return 0;
}
