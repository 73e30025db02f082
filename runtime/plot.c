/* plot.c - runs gnuplot: see plot.h. No shell is between. */
#define _GNU_SOURCE /* memfd_create, posix_spawn_file_actions_addfchdir_np */
#include "plot.h"

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

enum {
	MAX_OUTPUT = 64 << 20, /* bytes that are taken from gnuplot */
	PICTURES = 2,          /* an SVG and a PNG */
};

static const char *const kinds[PICTURES] = {"svg", "png"};

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

void nnc_plot_begin(FILE *script, const char *name)
{
	fprintf(script,
		"if (!exists(\"into\")) into = \"%s.svg %s.png\"\n"
		"do for [i = 1:2] {\n"
		"\tif (i == 1) {\n"
		"\t\tset terminal svg size 960,400 dynamic noenhanced "
		"font \"sans-serif,13\" background \"white\"\n"
		"\t} else {\n"
		"\t\tset terminal pngcairo size 960,400 noenhanced "
		"font \"sans-serif,10\"\n"
		"\t}\n"
		"\tset output word(into, i)\n",
		name, name);
}

/* ---- its files --------------------------------------------------------------- */

/* The child's standard streams and pictures, in memory, and the folder it works in. */
typedef struct Streams {
	int in, out, messages, folder, picture[PICTURES];
} Streams;

static void close_streams(const Streams *s)
{
	const int fds[] = {s->in,     s->out,        s->messages,
			   s->folder, s->picture[0], s->picture[1]};

	for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

/* With `pictures`, files for them, of which the script is told first. */
static bool open_pictures(Streams *s, bool pictures)
{
	char into[128];

	if (!pictures)
		return true;
	for (int i = 0; i < PICTURES; i++) {
		s->picture[i] = memfd_create(kinds[i], MFD_CLOEXEC);
		if (s->picture[i] < 0)
			return false;
	}
	snprintf(into, sizeof into, "into = \"/dev/fd/%d /dev/fd/%d\"\n", s->picture[0],
		 s->picture[1]);
	return nnc_write_all(s->in, into, strlen(into));
}

static int open_streams(Streams *s, const char *folder, const char *script,
			bool pictures, NncError *err)
{
	*s = (Streams){
		.in = memfd_create("script", MFD_CLOEXEC),
		.out = memfd_create("output", MFD_CLOEXEC),
		.messages = memfd_create("messages", MFD_CLOEXEC),
		.folder =
			open(folder ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC),
		.picture = {-1, -1},
	};
	if (s->in < 0 || s->out < 0 || s->messages < 0 || !open_pictures(s, pictures) ||
	    !nnc_write_all(s->in, script, strlen(script)) ||
	    lseek(s->in, 0, SEEK_SET) != 0)
		return nnc_fail(err, NNC_IO, "cannot write the script of a plot: %s",
				strerror(errno));
	if (s->folder < 0)
		return nnc_fail(err, NNC_IO, "cannot open the folder %s: %s",
				folder ? folder : ".", strerror(errno));
	return NNC_OK;
}

/* All that was written to one of them, *length bytes, and a NUL. NULL: too much, or no
   memory. */
static char *contents(int fd, size_t *length)
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
	*length = used;
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
	for (int i = 0; i < PICTURES && !code && s->picture[i] >= 0; i++)
		code = posix_spawn_file_actions_adddup2(
			&files, s->picture[i], s->picture[i]); /* it stays open */
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
	size_t length;
	char *text = contents(s->messages, &length), *line = NULL, quoted[80];

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

/* Starts it on what is in the streams, and waits. */
static int run(const Streams *s, double seconds, NncError *err)
{
	pid_t pid;
	int status = 0, error = start(&pid, s);

	if (error == ENOENT)
		return nnc_fail(err, NNC_NOINPUT,
				"gnuplot is not installed: apt-get install %s",
				NNC_PLOT_PACKAGE);
	if (error)
		return nnc_fail(err, error == ENOMEM ? NNC_NOMEM : NNC_FAILED,
				"cannot run gnuplot: %s", strerror(error));
	if (!finish(pid, seconds, &status))
		return nnc_fail(err, NNC_FAILED,
				"gnuplot was stopped, after at most %g seconds",
				seconds);
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		return failed(s, err);
	return NNC_OK;
}

int nnc_gnuplot(const char *folder, const char *script, double seconds, char **output,
		NncError *err)
{
	Streams s;
	size_t length;
	int code = open_streams(&s, folder, script, false, err);

	if (!code)
		code = run(&s, seconds, err);
	if (output)
		*output = code ? NULL : contents(s.out, &length);
	if (output && !code && !*output)
		code = nnc_fail(err, NNC_NOMEM, "not enough memory for a picture");
	close_streams(&s);
	return code;
}

/* ---- pictures in a folder ---------------------------------------------------- */

static int save_picture(const char *path, int fd, NncError *err)
{
	size_t length;
	char *bytes = contents(fd, &length);
	int code;

	if (!bytes)
		return nnc_fail(err, NNC_NOMEM, "not enough memory for a picture");
	code = length ? nnc_write_file(path, bytes, length, err)
		      : nnc_fail(err, NNC_FAILED, "gnuplot drew no picture");
	free(bytes);
	return code;
}

int nnc_plot_draw(const NncFolder *folder, const char *name, const char *script,
		  NncError *err)
{
	char file[64], path[NNC_MAX_PATH];
	Streams s;
	int code;

	snprintf(file, sizeof file, "%s.gnuplot", name);
	nnc_folder_file(path, folder, file);
	code = nnc_write_file(path, script, strlen(script), err);
	if (!code) {
		code = open_streams(&s, folder->path, script, true, err);
		if (!code)
			code = run(&s, NNC_PLOT_SECONDS, err);
		for (int i = 0; i < PICTURES && !code; i++) {
			snprintf(file, sizeof file, "%s.%s", name, kinds[i]);
			nnc_folder_file(path, folder, file);
			code = save_picture(path, s.picture[i], err);
		}
		close_streams(&s);
	}
	for (int i = 0; i < PICTURES && code; i++) {
		snprintf(file, sizeof file, "%s.%s", name, kinds[i]);
		nnc_folder_file(path, folder, file);
		unlink(path); /* of fewer epochs, or of another run */
	}
	return code;
}
