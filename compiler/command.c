/* command.c - running other programs: argument lists, processes, their output. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nnc.h"

#include "command.h"

extern char **environ;

/* ---- arguments ------------------------------------------------------------------- */

void command_add(Command *c, const char *text)
{
	*vec_push(&c->argv, &c->argc) = arena_printf("%s", text);
}

void command_add_file(Command *c, const char *path)
{
	command_add(c,
		    *path == '-' || *path == '@' ? arena_printf("./%s", path) : path);
}

void command_add_words(Command *c, const char *text)
{
	char *copy = arena_printf("%s", text), *rest = NULL;
	for (char *w = strtok_r(copy, " \t\n", &rest); w;
	     w = strtok_r(NULL, " \t\n", &rest))
		command_add(c, w);
}

void command_print(const Command *c)
{
	for (int i = 0; i < c->argc; i++)
		fprintf(stderr, "%s%s", i ? " " : "", c->argv[i]);
	fputs("\n", stderr);
}

/* ---- processes ------------------------------------------------------------------- */

/* The process, or -1 with errno; its output goes to `output` unless that is < 0. */
static pid_t start(const Command *c, int output)
{
	pid_t pid;
	Command all = {0};
	for (int i = 0; i < c->argc; i++)
		*vec_push(&all.argv, &all.argc) = c->argv[i];
	*vec_push(&all.argv, &all.argc) = NULL;
	assert(all.argv[0]);
	posix_spawn_file_actions_t actions;
	int error = posix_spawn_file_actions_init(&actions);
	if (!error && output >= 0)
		error = posix_spawn_file_actions_adddup2(&actions, output,
							 STDOUT_FILENO);
	if (error == ENOMEM)
		out_of_memory();
	if (!error)
		error = posix_spawnp(&pid, all.argv[0], &actions, NULL, all.argv,
				     environ);
	if (error == ENOMEM)
		out_of_memory();
	posix_spawn_file_actions_destroy(&actions);
	errno = error;
	return error ? -1 : pid;
}

/* How it ended: NULL and its exit status, or why it has none. */
static const char *finish(pid_t pid, int *exit_status)
{
	int status;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return strerror(errno);
	if (WIFSIGNALED(status))
		return strsignal(WTERMSIG(status));
	*exit_status = WEXITSTATUS(status);
	return NULL;
}

static void cannot_run(const char *compiler)
{
	fprintf(stderr, "nnc: error: cannot run the C compiler %s: %s\n", compiler,
		strerror(errno));
	fprintf(stderr, "help: apt-get install gcc, or set CC\n");
}

bool command_run(Command *commands, int count)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	int at_once = cpus > 2 ? (int)cpus : 2, started = 0;
	pid_t *pids = arena_alloc((size_t)count * sizeof *pids);
	int status = 0;
	bool ok = true;
	for (int i = 0; i < count && (ok || i < started); i++) {
		while (ok && started < count && started < i + at_once) {
			pids[started] = start(&commands[started], -1);
			ok = pids[started] >= 0;
			if (ok)
				started++;
			else
				cannot_run(commands[started].argv[0]);
		}
		ok = i < started && !finish(pids[i], &status) && status == 0 && ok;
	}
	return ok;
}

/* All that can be read, until the other end is closed. */
static const char *read_pipe(int fd)
{
	size_t used = 0, room = 4096;
	char *text = arena_alloc(room);
	for (;;) {
		ssize_t got = read(fd, text + used, room - used - 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		used += (size_t)got;
		if (used == room - 1) {
			char *more = arena_alloc(2 * room);
			memcpy(more, text, used);
			text = more;
			room *= 2;
		}
	}
	text[used] = '\0';
	return text;
}

const char *command_result(Command *c, int *status, const char **why)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) != 0) {
		*why = strerror(errno);
		return NULL;
	}
	pid_t pid = start(c, ends[1]);
	*why = strerror(errno);
	close(ends[1]);
	const char *text = read_pipe(ends[0]);
	close(ends[0]);
	if (pid >= 0)
		*why = finish(pid, status);
	return *why ? NULL : text;
}

const char *command_output(Command *c, const char **why)
{
	int status = 0;
	const char *text = command_result(c, &status, why);
	if (text && status != 0)
		*why = arena_printf("exit status %d", status);
	return *why ? NULL : text;
}
