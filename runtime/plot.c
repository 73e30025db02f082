/* plot.c - runs gnuplot: see plot.h. No shell is between. */
#define _GNU_SOURCE /* memfd_create, posix_spawn_file_actions_addfchdir_np */
#include "plot.h"

#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum { MAX_OUTPUT = 64 << 20 /* bytes that are taken from gnuplot */ };

static const struct timespec nap = {.tv_nsec = 2000000}; /* between looks at it */

void nnc_plot_string(FILE *script, const char *text)
{
	char bytes[4];

	fputc('"', script);
	while (*text) {
		size_t n = nnc_utf8(bytes, nnc_code_point(&text));
		if (n == 1 && (strchr(" .,:;()/+*=_-", bytes[0]) ||
			       (bytes[0] >= '0' && bytes[0] <= '9') ||
			       ((bytes[0] | 32) >= 'a' && (bytes[0] | 32) <= 'z'))) {
			fputc(bytes[0], script);
			continue;
		}
		for (size_t i = 0; i < n; i++)
			fprintf(script, "\\%03o", (unsigned char)bytes[i]);
	}
	fputc('"', script);
}

/* ---- its files --------------------------------------------------------------- */

/* The child's standard streams, in memory, and the folder it works in. */
typedef struct Streams {
	int in, out, messages, folder;
} Streams;

static void close_streams(const Streams *s)
{
	const int fds[] = {s->in, s->out, s->messages, s->folder};

	for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

static bool write_all(int fd, const char *text, size_t size)
{
	while (size > 0) {
		ssize_t n = write(fd, text, size);
		if (n < 0 && errno != EINTR)
			return false;
		text += n > 0 ? n : 0;
		size -= n > 0 ? (size_t)n : 0;
	}
	return lseek(fd, 0, SEEK_SET) == 0;
}

static int open_streams(Streams *s, const char *folder, const char *script,
			NncError *err)
{
	*s = (Streams){
		.in = memfd_create("script", MFD_CLOEXEC),
		.out = memfd_create("output", MFD_CLOEXEC),
		.messages = memfd_create("messages", MFD_CLOEXEC),
		.folder =
			open(folder ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC),
	};
	if (s->in < 0 || s->out < 0 || s->messages < 0 ||
	    !write_all(s->in, script, strlen(script)))
		return nnc_fail(err, NNC_IO, "cannot write the script of a plot: %s",
				strerror(errno));
	if (s->folder < 0)
		return nnc_fail(err, NNC_IO, "cannot open the folder %s: %s",
				folder ? folder : ".", strerror(errno));
	return NNC_OK;
}

/* All that was written to one of them, and a NUL. NULL: too much, or no memory. */
static char *contents(int fd)
{
	struct stat st;
	size_t used = 0;

	if (fstat(fd, &st) || st.st_size < 0 || st.st_size > MAX_OUTPUT)
		return NULL;
	size_t size = (size_t)st.st_size;
	char *text = malloc(size + 1);
	while (text && used < size) {
		ssize_t n = pread(fd, text + used, size - used, (off_t)used);
		if (n <= 0)
			break;
		used += (size_t)n;
	}
	if (text)
		text[used] = '\0';
	return text;
}

/* ---- the process ------------------------------------------------------------- */

/* Its own group, so that all of it can be ended and Ctrl-C stays ours. */
static int start(pid_t *pid, const Streams *s)
{
	char name[] = "gnuplot", defaults[] = "-d";
	char *argv[] = {name, defaults, NULL};
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t none;
	int code;

	sigemptyset(&none);
	code = posix_spawn_file_actions_init(&files);
	if (code)
		return code;
	code = posix_spawnattr_init(&attributes);
	if (code) {
		posix_spawn_file_actions_destroy(&files);
		return code;
	}
	code = posix_spawn_file_actions_adddup2(&files, s->in, STDIN_FILENO);
	if (!code)
		code = posix_spawn_file_actions_adddup2(&files, s->out, STDOUT_FILENO);
	if (!code)
		code = posix_spawn_file_actions_adddup2(&files, s->messages,
							STDERR_FILENO);
	if (!code)
		code = posix_spawn_file_actions_addfchdir_np(&files, s->folder);
	if (!code)
		code = posix_spawnattr_setflags(
			&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
	if (!code)
		code = posix_spawnattr_setsigmask(&attributes, &none);
	if (!code)
		code = posix_spawnp(pid, name, &files, &attributes, argv, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&files);
	return code;
}

/* Waits; false: it had to be killed. */
static bool finish(pid_t pid, double seconds, int *status)
{
	double end = nnc_clock() + seconds;
	int noted = nnc_stop_signal();

	for (;;) {
		pid_t done = waitpid(pid, status, WNOHANG);
		if (done == pid)
			return true;
		if (done < 0 && errno != EINTR) /* somebody else waited for it */
			return false;
		if (nnc_clock() > end || nnc_stop_signal() != noted)
			break;
		nanosleep(&nap, NULL);
	}
	kill(-pid, SIGKILL);
	while (waitpid(pid, status, 0) < 0 && errno == EINTR)
		continue;
	return false;
}

/* NNC_FAILED with the last line of what it said that has letters. */
static int failed(const Streams *s, NncError *err)
{
	char *text = contents(s->messages), *line = NULL, quoted[80];

	for (char *word = text ? strtok(text, "\n") : NULL; word;
	     word = strtok(NULL, "\n")) {
		word += strspn(word, " \t");
		if (word[strcspn(word, "abcdefghijklmnopqrstuvwxyz")])
			line = word;
	}
	nnc_fail(err, NNC_FAILED, "gnuplot failed%s%s", line ? ": " : "",
		 line ? nnc_quote(quoted, line) : "");
	free(text);
	return NNC_FAILED;
}

int nnc_gnuplot(const char *folder, const char *script, double seconds, char **output,
		NncError *err)
{
	Streams s;
	pid_t pid;
	int status = 0, code = open_streams(&s, folder, script, err), error;

	if (output)
		*output = NULL;
	if (code)
		goto done;
	error = start(&pid, &s);
	if (error == ENOENT) {
		code = nnc_fail(err, NNC_NOINPUT,
				"gnuplot is not installed: apt-get install %s",
				NNC_PLOT_PACKAGE);
	} else if (error) {
		code = nnc_fail(err, NNC_FAILED, "cannot run gnuplot: %s",
				strerror(error));
	} else if (!finish(pid, seconds, &status)) {
		code = nnc_fail(err, NNC_FAILED,
				"gnuplot was stopped, after at most %g seconds",
				seconds);
	} else if (!WIFEXITED(status) || WEXITSTATUS(status)) {
		code = failed(&s, err);
	} else if (output) {
		*output = contents(s.out);
		if (!*output)
			code = nnc_fail(err, NNC_NOMEM,
					"not enough memory for a picture");
	}
done:
	close_streams(&s);
	return code;
}
