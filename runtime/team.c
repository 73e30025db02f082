/*
 * team.c - threads that work together: the caller of nnc_team_run and a pool of others.
 *
 * Work begins when the caller says so and ends at a barrier; it may have more barriers
 * inside. Who waits spins at first, because the others are mostly less than a
 * microsecond away, and then sleeps, because one of them may have lost its CPU to
 * another process, and would get it back the later the more of the others spin. Who has
 * often spun in vain spins less: on a machine that is busy, sleeping at once is best.
 *
 * A barrier takes one trip from CPU to CPU: each thread counts its own arrivals and
 * looks at the counts of all others, and no two write to the same cache line. All
 * atomics are in one order (seq_cst), as who goes to sleep relies on: see wait_until.
 */
#include "internal.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
	LINES = 2 * NNC_ALIGN, /* CPUs fetch cache lines in pairs */
	LOOKS = 32,            /* of who waits, between looking at the clock */
	MAX_VAIN = 9,          /* who spun in vain spins down to 2^-9 of the time */
	TRIED_VAIN = 4,        /* of whom a full try was not in vain */
	AGAIN = 512,           /* waits, of which the first has its full time again */
};

/*
 * To spin, at a barrier and for the next work. It takes a virtual CPU up to a
 * millisecond to wake up on a busy host: those who spun for less would find each other
 * asleep for ever.
 */
static const double spin_seconds = 1e-3;

/* Where those sleep who wait for one thing. */
typedef struct Bed {
	_Alignas(LINES) atomic_int sleepers;
	pthread_mutex_t mutex;
	pthread_cond_t wake;
} Bed;

typedef struct Member {
	_Alignas(LINES) atomic_uint arrivals; /* at barriers; written by this thread */
	_Alignas(LINES) NncThread thread;
	int vain;         /* how often of late it has spun in vain, 0..MAX_VAIN */
	pthread_t handle; /* unless it is the caller */
} Member;

struct NncTeam {
	int count, running; /* running: threads that were started, and the caller */
	double seconds;     /* to spin at most */
	char *scratch;      /* (count, scratch_bytes) in whole pages, or NULL */
	Bed idle, barrier;

	/* What there is to do; written by the caller. */
	_Alignas(LINES) atomic_uint calls; /* to work, so far */
	bool closing;                      /* there is none: the threads end */
	void (*work)(void *argument, const NncThread *t);
	void *argument;

	Member member[];
};

/* OpenBLAS, where a kernel of the model uses it. */
void openblas_set_num_threads(int threads) __attribute__((weak));

/* ---- waiting ----------------------------------------------------------------- */

/* What thread `id` waits for: that work is called for the n-th time; ... */
typedef bool Condition(NncTeam *team, int id, unsigned n);

static bool called(NncTeam *team, int id, unsigned n)
{
	(void)id;
	return atomic_load(&team->calls) == n;
}

/* ... that all are at barrier n. Who is may have been let through to the next. */
static bool all_here(NncTeam *team, int id, unsigned n)
{
	for (int i = 1; i < team->count; i++) {
		int other = id + i < team->count ? id + i : id + i - team->count;
		if (atomic_load(&team->member[other].arrivals) == n - 1)
			return false;
	}
	return true;
}

/* Tells a CPU that this is a loop of waiting. */
static inline void pause_cpu(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

/*
 * Spins until it is so, or for as long as this thread should: then false. Waking up
 * takes longer than the shorter times, so those who have come down to them would find
 * each other asleep for ever, if they did not all try again together.
 */
static inline bool spin(Condition *is_so, Member *me, unsigned n)
{
	double end = 0, now = 0;

	while (now <= end) {
		for (int look = 0; look < LOOKS; look++) {
			if (is_so(me->thread.team, me->thread.id, n)) {
				if (n % AGAIN == 0 && me->vain > TRIED_VAIN)
					me->vain = TRIED_VAIN;
				me->vain -= me->vain > 0;
				return true;
			}
			pause_cpu();
		}
		now = nnc_clock();
		if (end <= 0)
			end = now + me->thread.team->seconds /
					    (n % AGAIN ? 1 << me->vain : 1);
	}
	me->vain += me->vain < MAX_VAIN;
	return false;
}

/*
 * Who will sleep counts itself and then looks once more whether what it waits for is
 * so; who makes it so then looks for sleepers: one of them sees the other.
 */
static inline void wait_until(Condition *is_so, Bed *bed, Member *me, unsigned n)
{
	if (spin(is_so, me, n))
		return;
	pthread_mutex_lock(&bed->mutex);
	atomic_fetch_add(&bed->sleepers, 1);
	while (!is_so(me->thread.team, me->thread.id, n))
		pthread_cond_wait(&bed->wake, &bed->mutex);
	atomic_fetch_sub(&bed->sleepers, 1);
	pthread_mutex_unlock(&bed->mutex);
}

static void wake_all(Bed *bed)
{
	pthread_mutex_lock(&bed->mutex);
	pthread_cond_broadcast(&bed->wake);
	pthread_mutex_unlock(&bed->mutex);
}

void nnc_barrier(const NncThread *t)
{
	NncTeam *team = t->team;
	Member *me;
	unsigned n;

	if (t->count == 1)
		return;
	me = &team->member[t->id];
	n = atomic_load_explicit(&me->arrivals, memory_order_relaxed) + 1;
	atomic_store(&me->arrivals, n);
	if (atomic_load(&team->barrier.sleepers) && all_here(team, t->id, n))
		wake_all(&team->barrier);
	else
		wait_until(all_here, &team->barrier, me, n);
}

/* Calls the other threads to work. */
static void call(NncTeam *team)
{
	atomic_fetch_add(&team->calls, 1);
	if (atomic_load(&team->idle.sleepers))
		wake_all(&team->idle);
}

/* ---- work -------------------------------------------------------------------- */

static void *worker(void *argument)
{
	Member *me = argument;
	NncTeam *team = me->thread.team;

	nnc_cpu_flush_denormals();
	for (unsigned n = 1;; n++) {
		wait_until(called, &team->idle, me, n);
		if (team->closing)
			return NULL;
		team->work(team->argument, &me->thread);
		nnc_barrier(&me->thread);
	}
}

void nnc_team_run(NncTeam *team, void (*work)(void *argument, const NncThread *t),
		  void *argument)
{
	const NncThread *t = &team->member[0].thread;
	unsigned mode = nnc_cpu_flush_denormals();

	if (team->count > 1) {
		team->work = work;
		team->argument = argument;
		call(team);
	}
	work(argument, t);
	nnc_barrier(t);
	nnc_cpu_restore_denormals(mode);
}

int nnc_team_count(const NncTeam *team)
{
	return team->count;
}

void nnc_team_trace(NncTeam *team, NncTrace *trace)
{
	team->member[0].thread.trace = trace;
}

/* ---- opening ----------------------------------------------------------------- */

static void bed_init(Bed *bed)
{
	atomic_init(&bed->sleepers, 0);
	pthread_mutex_init(&bed->mutex, NULL);
	pthread_cond_init(&bed->wake, NULL);
}

static void bed_destroy(Bed *bed)
{
	pthread_cond_destroy(&bed->wake);
	pthread_mutex_destroy(&bed->mutex);
}

/* Bytes up to the next multiple of `unit`, a power of 2. */
static size_t round_up(size_t bytes, size_t unit)
{
	return (bytes + unit - 1) & ~(unit - 1);
}

/* A team without its threads yet, or NULL. */
static NncTeam *allocate(int threads, size_t scratch_bytes)
{
	size_t each, all;
	size_t size = sizeof(NncTeam) + (size_t)threads * sizeof(Member);
	NncTeam *team;

	if (scratch_bytes > SIZE_MAX / 2)
		return NULL;
	each = all = round_up(scratch_bytes, nnc_page_bytes(scratch_bytes));
	if (!nnc_multiply(&all, (size_t)threads))
		return NULL;
	size = round_up(size, LINES);
	team = aligned_alloc(LINES, size);
	if (!team)
		return NULL;
	memset(team, 0, size);
	team->count = threads;
	team->scratch = all ? nnc_allocate_pages(all) : NULL;
	if (all && !team->scratch) {
		free(team);
		return NULL;
	}
	for (int i = 0; i < threads; i++)
		team->member[i].thread = (NncThread){
			.id = i,
			.count = threads,
			.scratch = all ? team->scratch + (size_t)i * each : NULL,
			.team = team};
	return team;
}

/* Starts all threads but the caller, which is one. False: there are too many. */
static bool start_threads(NncTeam *team)
{
	static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL};
	sigset_t blocked, kept;
	int error = 0;

	/* A thread begins with its maker's mask. Faults stay with who makes them. */
	sigfillset(&blocked);
	for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
		sigdelset(&blocked, faults[i]);
	pthread_sigmask(SIG_SETMASK, &blocked, &kept);
	for (team->running = 1; team->running < team->count && !error;) {
		Member *m = &team->member[team->running];
		error = pthread_create(&m->handle, NULL, worker, m);
		team->running += !error;
	}
	pthread_sigmask(SIG_SETMASK, &kept, NULL);
	return !error;
}

int nnc_team_open(NncTeam **team, int threads, size_t scratch_bytes, NncError *err)
{
	NncTeam *t = allocate(threads, scratch_bytes);

	*team = NULL;
	if (!t)
		return nnc_fail(err, NNC_NOMEM, "not enough memory for %d thread%s",
				threads, threads == 1 ? "" : "s");
	if (openblas_set_num_threads)
		openblas_set_num_threads(1);
	/* With more threads than CPUs, who spins is in the way of the others. */
	t->seconds = threads <= nnc_cpu_count() ? spin_seconds : 0;
	bed_init(&t->idle);
	bed_init(&t->barrier);
	if (!start_threads(t)) {
		int started = t->running;
		nnc_team_close(t);
		return nnc_fail(err, NNC_NOMEM,
				"only %d of %d threads can be started\n"
				"help: --threads %d",
				started, threads, started);
	}
	*team = t;
	return NNC_OK;
}

void nnc_team_close(NncTeam *team)
{
	if (!team)
		return;
	team->closing = true;
	if (team->running > 1)
		call(team);
	for (int i = 1; i < team->running; i++)
		pthread_join(team->member[i].handle, NULL);
	bed_destroy(&team->idle);
	bed_destroy(&team->barrier);
	free(team->scratch);
	free(team);
}
