/*
 * cc.c - from C text to a program: the C compiler is run by its arguments, never by a
 * shell, in a private folder, and the result is renamed into place.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nnc.h"

extern char **environ;

enum { EXIT_COMPILER = 3, EXIT_IO = 74 };

/* ---- writing a file
 * ------------------------------------------------------------------ */

static int fail_io(const char *what, const char *path)
{
	fprintf(stderr, "nnc: error: cannot %s %s: %s\n", what, path, strerror(errno));
	return EXIT_IO;
}

static bool write_all(int fd, const char *text, size_t size)
{
	while (size > 0) {
		ssize_t n = write(fd, text, size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		text += n;
		size -= (size_t)n;
	}
	return true;
}

int write_output(const char *path, const char *text, size_t size)
{
	char *temporary = arena_printf("%s.XXXXXX", path);
	int fd = mkstemp(temporary);
	if (fd < 0)
		return fail_io("write", path);
	mode_t mask = umask(0);
	umask(mask);
	bool ok = write_all(fd, text, size) && fchmod(fd, 0666 & ~mask) == 0;
	ok = close(fd) == 0 && ok;
	if (ok && rename(temporary, path) == 0)
		return 0;
	int status = fail_io("write", path);
	unlink(temporary);
	return status;
}

/* ---- the runtime
 * ------------------------------------------------------------------------ */

typedef struct Runtime {
	const char *include, *library;
} Runtime;

static bool exists(const char *path)
{
	return access(path, R_OK) == 0;
}

/* The folder of this program: the runtime lies beside it, or where it was installed. */
static const char *own_folder(void)
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
	if (n <= 0)
		return ".";
	path[n] = '\0';
	return arena_printf("%s", dirname(path));
}

static bool find_runtime(Runtime *r)
{
	const char *own = own_folder(), *set = getenv("NNC_RUNTIME");
	const Runtime places[] = {
		{set ? set : own, arena_printf("%s/libnncrt.a", set ? set : own)},
		{arena_printf("%s/../runtime", own),
		 arena_printf("%s/libnncrt.a", own)},
		{arena_printf("%s/../../runtime", own),
		 arena_printf("%s/libnncrt.a", own)},
		{arena_printf("%s/../lib/nnc", own),
		 arena_printf("%s/../lib/nnc/libnncrt.a", own)},
	};
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		*r = places[i];
		if (exists(arena_printf("%s/nnc_rt.h", r->include)) &&
		    exists(r->library))
			return true;
	}
	fprintf(stderr,
		"nnc: error: the runtime (libnncrt.a, nnc_rt.h) is not beside %s\n",
		own);
	fprintf(stderr,
		"help: run make, or set NNC_RUNTIME to the folder that holds both\n");
	return false;
}

/* ---- commands
 * ------------------------------------------------------------------------------ */

typedef struct Command {
	char **argv;
	int argc;
} Command;

static void arg(Command *c, const char *text)
{
	*vec_push(&c->argv, &c->argc) = arena_printf("%s", text);
}

/* A file name that the C compiler cannot take for an option or a response file. */
static void file_arg(Command *c, const char *path)
{
	arg(c, *path == '-' || *path == '@' ? arena_printf("./%s", path) : path);
}

static void words(Command *c, const char *text)
{
	char *copy = arena_printf("%s", text), *rest = NULL;
	for (char *w = strtok_r(copy, " \t\n", &rest); w;
	     w = strtok_r(NULL, " \t\n", &rest))
		arg(c, w);
}

static void print_command(const Command *c)
{
	for (int i = 0; i < c->argc; i++)
		fprintf(stderr, "%s%s", i ? " " : "", c->argv[i]);
	fputs("\n", stderr);
}

/* The process, or -1 after a message. */
static pid_t start(Command *c)
{
	pid_t pid;
	*vec_push(&c->argv, &c->argc) = NULL;
	int error = posix_spawnp(&pid, c->argv[0], NULL, NULL, c->argv, environ);
	if (error == 0)
		return pid;
	fprintf(stderr, "nnc: error: cannot run the C compiler %s: %s\n", c->argv[0],
		strerror(error));
	fprintf(stderr, "help: apt-get install gcc, or set CC\n");
	return -1;
}

static bool finish(pid_t pid)
{
	int status;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return false;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static Command compiler(void)
{
	Command c = {0};
	const char *cc = getenv("CC");
	words(&c, cc && *cc ? cc : "cc");
	return c;
}

/*
 * The float build runs for hours: -O3. The double one only checks gradients: -O1. No
 * -ffast-math: not a number must stay one. errno and traps are read by nobody.
 */
static Command compile_command(const Runtime *r, const BuildOptions *o,
			       const char *source, const char *object, bool twin)
{
	Command c = compiler();
	words(&c, "-std=gnu11 -w -fno-math-errno -fno-trapping-math");
	arg(&c, twin ? "-O1" : "-O3");
	if (*o->march)
		arg(&c, arena_printf("-march=%s", o->march));
	if (twin)
		arg(&c, "-DNNC_DOUBLE");
	const char *flags = getenv("CFLAGS");
	if (flags)
		words(&c, flags);
	arg(&c, arena_printf("-I%s", r->include));
	words(&c, "-c -o");
	file_arg(&c, object);
	file_arg(&c, source);
	return c;
}

static Command link_command(const Runtime *r, const char *object, const char *twin,
			    const char *output)
{
	Command c = compiler();
	const char *flags = getenv("CFLAGS"), *link = getenv("LDFLAGS");
	if (flags)
		words(&c, flags);
	arg(&c, "-o");
	file_arg(&c, output);
	file_arg(&c, object);
	file_arg(&c, twin);
	file_arg(&c, r->library);
	if (link)
		words(&c, link);
	words(&c, NNC_LIBS);
	return c;
}

/* ---- the whole
 * ------------------------------------------------------------------------------- */

static int run_two(Command *a, Command *b)
{
	pid_t first = start(a);
	if (first < 0)
		return EXIT_COMPILER;
	pid_t second = start(b);
	bool ok = finish(first);
	ok = second >= 0 && finish(second) && ok;
	return ok ? 0 : EXIT_COMPILER;
}

static int run_one(Command *c)
{
	pid_t pid = start(c);
	return pid >= 0 && finish(pid) ? 0 : EXIT_COMPILER;
}

typedef struct Paths {
	char *folder;
	const char *source, *object, *twin, *program;
} Paths;

static int build(const Paths *p, const Runtime *r, const BuildOptions *o)
{
	Command one = compile_command(r, o, p->source, p->object, false);
	Command two = compile_command(r, o, p->source, p->twin, true);
	Command last = link_command(r, p->object, p->twin, p->program);
	if (o->verbose || o->dry) {
		print_command(&one);
		print_command(&two);
		print_command(&last);
	}
	if (o->dry)
		return 0;
	int status = run_two(&one, &two);
	return status ? status : run_one(&last);
}

/* Leaves nothing behind, but for the C text where its compilation failed. */
static void clean(const Paths *p, bool failed)
{
	if (!failed)
		unlink(p->source);
	unlink(p->object);
	unlink(p->twin);
	unlink(p->program);
	rmdir(p->folder);
}

/* The program, from the private folder to its place, also across file systems. */
static int install(const char *from, const char *to)
{
	size_t size;
	const char *why;
	char *bytes = read_file(from, (size_t)1 << 30, &size, &why);
	if (!bytes) {
		fprintf(stderr, "nnc: error: cannot read %s: %s\n", from, why);
		return EXIT_IO;
	}
	int status = write_output(to, bytes, size);
	if (status == 0) {
		mode_t mask = umask(0);
		umask(mask);
		chmod(to, 0777 & ~mask);
	}
	return status;
}

static bool private_folder(Paths *p)
{
	const char *base = getenv("TMPDIR");
	p->folder = arena_printf("%s/nnc-XXXXXX", base && *base ? base : "/tmp");
	if (!mkdtemp(p->folder)) {
		fail_io("make", p->folder);
		return false;
	}
	p->source = arena_printf("%s/model.c", p->folder);
	p->object = arena_printf("%s/model.o", p->folder);
	p->twin = arena_printf("%s/twin.o", p->folder);
	p->program = arena_printf("%s/model", p->folder);
	return true;
}

int compile_program(const Net *net, const char *output, const BuildOptions *options)
{
	char *text = NULL;
	size_t size = 0;
	Paths paths;
	Runtime runtime;
	if (!find_runtime(&runtime))
		return EXIT_COMPILER;
	if (!private_folder(&paths))
		return EXIT_IO;
	FILE *out = open_memstream(&text, &size);
	emit_program(net, out);
	fclose(out);
	int status = write_output(paths.source, text, size);
	if (status == 0)
		status = build(&paths, &runtime, options);
	bool failed = status == EXIT_COMPILER;
	if (failed)
		fprintf(stderr,
			"nnc: error: the C compiler failed; the C text is in %s\n",
			paths.source);
	if (options->keep && status == 0)
		status = write_output(arena_printf("%s.c", output), text, size);
	if (status == 0 && !options->dry)
		status = install(paths.program, output);
	clean(&paths, failed);
	free(text);
	return status;
}
