/*
 * test_team.c - threads: every one works and knows which it is, shares cover everything
 * once, barriers order what is written, and sleepers wake. Errors of order show under
 * -fsanitize=thread.
 */
#include "internal.h"

#include <CUnit/CUnit.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>

enum { MOST = 7 };

static const int counts[] = {1, 2, 3, 4, MOST};

enum { COUNTS = sizeof counts / sizeof *counts };

static NncTeam *open_team(int threads, size_t scratch_bytes)
{
	NncTeam *team = NULL;

	CU_ASSERT_EQUAL_FATAL(nnc_team_open(&team, threads, scratch_bytes, NULL),
			      NNC_OK);
	CU_ASSERT_EQUAL(nnc_team_count(team), threads);
	return team;
}

static void rest(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
}

/* ---- OpenBLAS is not linked here: this is what a team calls if it is ----------- */

void openblas_set_num_threads(int threads);

static int blas_threads = 8;

void openblas_set_num_threads(int threads)
{
	blas_threads = threads;
}

static void blas(void)
{
	nnc_team_close(open_team(2, 0));
	CU_ASSERT_EQUAL(blas_threads, 1);
}

/* ---- every thread ------------------------------------------------------------- */

/* What the threads of a team say of themselves. */
typedef struct Seen {
	int times[MOST];
	int count[MOST];
	pthread_t self[MOST];
} Seen;

static void be_seen(void *argument, const NncThread *t)
{
	Seen *seen = argument;

	seen->times[t->id]++;
	seen->count[t->id] = t->count;
	seen->self[t->id] = pthread_self();
}

static void everyone(void)
{
	for (int i = 0; i < COUNTS; i++) {
		NncTeam *team = open_team(counts[i], 0);
		Seen seen = {0};
		for (int run = 0; run < 500; run++)
			nnc_team_run(team, be_seen, &seen);
		for (int id = 0; id < MOST; id++) {
			bool member = id < counts[i];
			CU_ASSERT_EQUAL(seen.times[id], member ? 500 : 0);
			CU_ASSERT_EQUAL(seen.count[id], member ? counts[i] : 0);
			if (member && id)
				CU_ASSERT(!pthread_equal(seen.self[id], seen.self[0]));
		}
		CU_ASSERT(pthread_equal(seen.self[0], pthread_self()));
		nnc_team_close(team);
	}
	nnc_team_close(NULL);
}

static void shares(void)
{
	static const int sizes[] = {0,  1,   2,    3,     7,       10,       16,
				    31, 100, 1023, 65536, 1000003, INT32_MAX};

	for (int threads = 1; threads <= NNC_MAX_THREADS; threads = threads * 3 / 2 + 1)
		for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
			int next = 0, least = INT32_MAX, most = 0;
			for (int id = 0; id < threads; id++) {
				NncRange r = nnc_share(
					&(NncThread){.id = id, .count = threads},
					sizes[s]);
				int size = r.end - r.first;
				CU_ASSERT(r.first == next && size >= 0);
				next = r.end;
				least = size < least ? size : least;
				most = size > most ? size : most;
			}
			CU_ASSERT(next == sizes[s] && most - least <= 1);
		}
}

/* ---- scratch ------------------------------------------------------------------ */

enum { SCRATCH = 10000 };

static void fill_scratch(void *argument, const NncThread *t)
{
	bool *clean = argument;
	unsigned char *mine = t->scratch;

	clean[t->id] = (uintptr_t)mine % NNC_ALIGN == 0;
	for (int i = 0; i < SCRATCH; i++)
		clean[t->id] = clean[t->id] && mine[i] == 0;
	nnc_barrier(t);
	memset(mine, t->id + 1, SCRATCH);
	nnc_barrier(t);
	for (int i = 0; i < SCRATCH; i++)
		clean[t->id] = clean[t->id] && mine[i] == t->id + 1;
}

static void look_for_none(void *argument, const NncThread *t)
{
	((bool *)argument)[t->id] = t->scratch == NULL;
}

static void scratch(void)
{
	NncError err;
	NncTeam *team;

	for (int i = 0; i < COUNTS; i++) {
		bool clean[MOST] = {false}, none[MOST] = {false};
		team = open_team(counts[i], SCRATCH);
		nnc_team_run(team, fill_scratch, clean);
		nnc_team_close(team);
		team = open_team(counts[i], 0);
		nnc_team_run(team, look_for_none, none);
		nnc_team_close(team);
		for (int id = 0; id < counts[i]; id++)
			CU_ASSERT(clean[id] && none[id]);
	}
	CU_ASSERT_EQUAL(nnc_team_open(&team, 4, SIZE_MAX / 4, &err), NNC_NOMEM);
	CU_ASSERT_PTR_NULL(team);
	CU_ASSERT_EQUAL(nnc_team_open(&team, 1, SIZE_MAX, &err), NNC_NOMEM);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.message, "1 thread"));
}

/* ---- barriers ----------------------------------------------------------------- */

enum { ROUNDS = 3000, WAITS = 20 };

/* Each round every thread adds up what all wrote in the one before. */
typedef struct Relay {
	bool slow; /* now and then one of the threads is late: the others sleep */
	uint64_t value[2][MOST];
	uint64_t wrong[MOST];
} Relay;

static void pass_on(void *argument, const NncThread *t)
{
	Relay *relay = argument;
	uint64_t count = (uint64_t)t->count, id = (uint64_t)t->id;

	for (uint64_t round = 0; round < ROUNDS; round++) {
		uint64_t sum = 0;
		relay->value[round % 2][id] = round + id;
		if (relay->slow && round % (ROUNDS / WAITS) == id)
			rest();
		nnc_barrier(t);
		for (uint64_t i = 0; i < count; i++)
			sum += relay->value[round % 2][i];
		relay->wrong[id] += sum != count * round + count * (count - 1) / 2;
	}
}

static void barriers(void)
{
	for (int i = 0; i < COUNTS; i++) {
		NncTeam *team = open_team(counts[i], 0);
		for (int slow = 0; slow < 2; slow++) {
			Relay relay = {.slow = slow};
			nnc_team_run(team, pass_on, &relay);
			for (int id = 0; id < counts[i]; id++)
				CU_ASSERT_EQUAL(relay.wrong[id], 0);
		}
		nnc_team_close(team);
	}
}

static void be_seen_late(void *argument, const NncThread *t)
{
	if (t->id == t->count - 1)
		rest();
	be_seen(argument, t);
}

/* Work that comes while the others sleep, and an end that the caller sleeps for. */
static void pauses(void)
{
	for (int i = 0; i < COUNTS; i++) {
		NncTeam *team = open_team(counts[i], 0);
		Seen seen = {0};
		for (int run = 0; run < 20; run++) {
			if (run % 2)
				rest();
			nnc_team_run(team, run % 3 ? be_seen : be_seen_late, &seen);
		}
		rest();
		nnc_team_close(team);
		for (int id = 0; id < counts[i]; id++)
			CU_ASSERT_EQUAL(seen.times[id], 20);
	}
}

static void opens_and_closes(void)
{
	for (int round = 0; round < 100; round++) {
		NncTeam *team = open_team(1 + round % MOST, 64);
		Seen seen = {0};
		if (round % 3)
			nnc_team_run(team, be_seen, &seen);
		nnc_team_close(team);
		CU_ASSERT_EQUAL(seen.times[round % MOST], round % 3 != 0);
	}
}

static void meet(void *argument, const NncThread *t)
{
	for (int i = 0; i < *(const int *)argument; i++)
		nnc_barrier(t);
}

static void more_than_cpus(void)
{
	int times = 50, threads = 4 * nnc_cpu_count();
	NncTeam *team = open_team(threads < 64 ? threads : 64, 0);

	for (int run = 0; run < 10; run++)
		nnc_team_run(team, meet, &times);
	nnc_team_close(team);
}

/* ---- what a thread is set to --------------------------------------------------- */

static void halve(void *argument, const NncThread *t)
{
	volatile float small = 2e-38f;

	small = small / 4;
	((float *)argument)[t->id] = small;
}

/* In the threads and, as long as they work, in the caller. */
static void denormals(void)
{
	for (int i = 0; i < COUNTS; i++) {
		NncTeam *team = open_team(counts[i], 0);
		float half[MOST], after;
		nnc_team_run(team, halve, half);
		halve(&after, &(NncThread){.id = 0});
		CU_ASSERT(after > 0);
#ifdef __x86_64__
		for (int id = 0; id < counts[i]; id++)
			CU_ASSERT(half[id] <= 0);
#endif
		nnc_team_close(team);
	}
}

static void look_at_mask(void *argument, const NncThread *t)
{
	pthread_sigmask(SIG_SETMASK, NULL, (sigset_t *)argument + t->id);
}

/* Signals are the caller's, whose mask stays; but for those that a thread makes. */
static void signals(void)
{
	NncTeam *team = open_team(3, 0);
	sigset_t mask[3];

	nnc_team_run(team, look_at_mask, mask);
	nnc_team_close(team);
	for (int id = 0; id < 3; id++) {
		CU_ASSERT_EQUAL(sigismember(&mask[id], SIGINT), id > 0);
		CU_ASSERT_EQUAL(sigismember(&mask[id], SIGTERM), id > 0);
		CU_ASSERT_EQUAL(sigismember(&mask[id], SIGCHLD), id > 0);
		CU_ASSERT_EQUAL(sigismember(&mask[id], SIGSEGV), 0);
	}
}

extern void suite_team(void);

void suite_team(void)
{
	CU_pSuite suite = CU_add_suite("team", NULL, NULL);

	CU_add_test(suite, "every thread", everyone);
	CU_add_test(suite, "shares", shares);
	CU_add_test(suite, "scratch", scratch);
	CU_add_test(suite, "barriers", barriers);
	CU_add_test(suite, "pauses", pauses);
	CU_add_test(suite, "opens and closes", opens_and_closes);
	CU_add_test(suite, "more threads than CPUs", more_than_cpus);
	CU_add_test(suite, "OpenBLAS", blas);
	CU_add_test(suite, "denormals", denormals);
	CU_add_test(suite, "signals", signals);
}
