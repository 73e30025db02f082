/*
 * pool.c - processes side by side, until all are done, one fails, or a signal comes.
 * Each has a group of its own, so that Ctrl-C reaches us only: the first one is passed
 * on, once, and they end and save; the second one kills.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "search/search.h"

/* ---- one process ---- */

static const int stops[] = {SIGINT, SIGTERM, SIGHUP};
enum { STOPS = sizeof stops / sizeof *stops };

/* The signals that are waited for: under nohup, not SIGHUP. */
static sigset_t watched(void)
{
	sigset_t set;
	struct sigaction now;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	for (int i = 0; i < STOPS; i++)
		if (stops[i] != SIGHUP || sigaction(SIGHUP, NULL, &now) != 0 ||
		    now.sa_handler != SIG_IGN)
			sigaddset(&set, stops[i]);
	return set;
}

void pool_hold_signals(void)
{
	sigset_t set = watched();
	sigprocmask(SIG_BLOCK, &set, NULL);
}

pid_t process_fork(void)
{
	pid_t parent = getpid();
	fflush(NULL);
	pid_t pid = fork();
	if (pid < 0)
		fprintf(stderr, "nnc: error: cannot start a process: %s\n",
			strerror(errno));
	if (pid != 0) {
		if (pid > 0)
			setpgid(pid, pid);
		return pid;
	}
	sigset_t set = watched();
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	return 0;
}

static bool point_at(int fd, const char *path, int flags)
{
	if (!path)
		return true;
	int file = open(path, flags | O_CLOEXEC, 0666);
	return file >= 0 && dup2(file, fd) == fd;
}

pid_t process_start(const Command *c, const char *dir, const char *out, const char *err,
		    int lock)
{
	Command all = *c;
	*vec_push(&all.argv, &all.argc) = NULL;
	pid_t pid = process_fork();
	if (pid != 0)
		return pid;
	if (lock >= 0)
		fcntl(lock, F_SETFD, 0);
	if (point_at(STDIN_FILENO, "/dev/null", O_RDONLY) &&
	    point_at(STDOUT_FILENO, out, O_WRONLY | O_CREAT | O_TRUNC) &&
	    point_at(STDERR_FILENO, err, O_WRONLY | O_CREAT | O_TRUNC) &&
	    (!dir || chdir(dir) == 0))
		execvp(all.argv[0], all.argv);
	int error = errno;
	fprintf(stderr, "cannot run %s: %s\n", all.argv[0], strerror(error));
	_exit(error == ENOENT ? 127 : 126);
}

int exit_status(int status)
{
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	switch (WTERMSIG(status)) {
	case SIGSEGV:
	case SIGBUS:
	case SIGILL:
	case SIGFPE:
	case SIGABRT:
		return NNC_BUG;
	default:
		return 128 + WTERMSIG(status);
	}
}

/* ---- many ---- */

typedef struct Running {
	const Pool *pool;
	pid_t *pids; /* 0: not started, or ended */
	int next, running;
	int status; /* 0: go on */
	int signal; /* that was passed on */
} Running;

static void tell(const Running *r, int signal)
{
	for (int i = 0; i < r->pool->count; i++)
		if (r->pids[i] > 0)
			kill(-r->pids[i], signal);
}

static void stop(Running *r, int status, int signal)
{
	if (r->status == 0)
		r->status = status;
	tell(r, r->signal ? SIGKILL : signal);
	r->signal = signal;
}

static void start_some(Running *r)
{
	const Pool *p = r->pool;
	while (r->status == 0 && r->next < p->count && r->running < p->at_once) {
		int i = r->next++;
		if (!p->wanted(p->data, i))
			continue;
		r->pids[i] = p->start(p->data, i);
		if (r->pids[i] < 0)
			stop(r, NNC_NOMEM, SIGTERM);
		else
			r->running++;
	}
}

static void collect(Running *r)
{
	const Pool *p = r->pool;
	for (int i = 0; i < r->next; i++) {
		int status;
		if (r->pids[i] <= 0 || waitpid(r->pids[i], &status, WNOHANG) <= 0)
			continue;
		r->pids[i] = 0;
		r->running--;
		int answer = p->ended(p->data, i, status, r->status != 0);
		if (answer && r->status == 0)
			stop(r, answer, SIGTERM);
	}
}

int pool_run(const Pool *p)
{
	const struct timespec pause = {0, 100000000L}; /* 100 ms */
	sigset_t set = watched(), before;
	Running r = {.pool = p};
	r.pids = arena_alloc((size_t)p->count * sizeof *r.pids);
	sigprocmask(SIG_BLOCK, &set, &before);
	for (;;) {
		start_some(&r);
		if (r.running == 0)
			break;
		if (p->tick)
			p->tick(p->data);
		int signal = sigtimedwait(&set, NULL, &pause);
		for (int i = 0; i < STOPS; i++)
			if (signal == stops[i])
				stop(&r, 128 + signal, signal);
		collect(&r);
	}
	/* What came while the last one ended. */
	const struct timespec none = {0, 0};
	for (int signal; (signal = sigtimedwait(&set, NULL, &none)) > 0;)
		if (signal != SIGCHLD && r.status == 0)
			r.status = 128 + signal;
	sigprocmask(SIG_SETMASK, &before, NULL);
	return r.status;
}
