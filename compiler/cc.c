/*
 * cc.c - from C text to a program: the C compiler is run by its arguments, never by a
 * shell, in a private folder, and the result is renamed into place.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nnc.h"

#include "command.h"

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

/* A device or a pipe: what is in its place is no longer one. */
static bool is_special(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
}

static bool write_special(const char *path, const char *text, size_t size)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	bool ok = write_all(fd, text, size);
	return close(fd) == 0 && ok;
}

bool replace_file(const char *path, const char *text, size_t size)
{
	if (is_special(path))
		return write_special(path, text, size);
	/* In the same folder, by a name that is never too long. */
	const char *slash = strrchr(path, '/');
	char *temporary = arena_printf("%.*s.nnc-XXXXXX",
				       slash ? (int)(slash + 1 - path) : 0, path);
	int fd = mkstemp(temporary);
	if (fd < 0)
		return false;
	mode_t mask = umask(0);
	umask(mask);
	bool ok = write_all(fd, text, size) && fchmod(fd, 0666 & ~mask) == 0;
	ok = close(fd) == 0 && ok;
	if (ok && rename(temporary, path) == 0)
		return true;
	int error = errno;
	unlink(temporary);
	errno = error;
	return false;
}

int write_output(const char *path, const char *text, size_t size)
{
	return replace_file(path, text, size) ? 0 : fail_io("write", path);
}

/* ---- the runtime
 * ------------------------------------------------------------------------ */

static bool exists(const char *path)
{
	return access(path, R_OK) == 0;
}

/* The folder of this program, whatever link it was called by. */
static const char *own_folder(void)
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
	if (n <= 0)
		return ".";
	path[n] = '\0';
	return arena_printf("%s", dirname(path));
}

bool find_runtime(Runtime *r)
{
	const char *own = own_folder(), *set = getenv("NNC_RUNTIME");
	const char *installed = arena_printf("%s/" NNC_RUNTIME_DIR, own);
	const Runtime places[] = {
		{set ? set : own, arena_printf("%s/libnncrt.a", set ? set : own)},
		{installed, arena_printf("%s/libnncrt.a", installed)},
		{arena_printf("%s/../runtime", own),
		 arena_printf("%s/libnncrt.a", own)},
		{arena_printf("%s/../../runtime", own),
		 arena_printf("%s/libnncrt.a", own)},
	};
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		*r = places[i];
		if (exists(arena_printf("%s/nnc_rt.h", r->include)) &&
		    exists(r->library))
			return true;
	}
	return false;
}

/* The same, or an exit status after a message. */
static int need_runtime(Runtime *r)
{
	if (find_runtime(r))
		return 0;
	fprintf(stderr,
		"nnc: error: the runtime (libnncrt.a, nnc_rt.h) is not beside %s\n",
		own_folder());
	fprintf(stderr,
		"help: run make, or set NNC_RUNTIME to the folder that holds both\n");
	return EXIT_COMPILER;
}

const char *runtime_library(void)
{
	Runtime r;
	return find_runtime(&r) ? r.library : NULL;
}

/* ---- commands
 * ------------------------------------------------------------------------------ */

static void show_commands(const BuildOptions *o, const Command *commands, int count)
{
	for (int i = 0; i < count && (o->verbose || o->dry); i++)
		command_print(&commands[i]);
}

Command compiler_command(void)
{
	Command c = {0};
	const char *cc = getenv("CC");
	command_add_words(&c, cc && *cc ? cc : "cc");
	return c;
}

/*
 * The float build runs for hours: -O3. The double one only checks gradients: -O1. No
 * -ffast-math: not a number must stay one. errno and traps are read by nobody. gcc 12
 * tunes for a Zen as if reading memory cost nothing, and keeps less in registers.
 */
static Command compile_command(const Runtime *r, const BuildOptions *o,
			       const char *source, const char *object, bool twin)
{
	Command c = compiler_command();
	command_add_words(&c, "-std=gnu11 -w -fno-math-errno -fno-trapping-math");
	command_add(&c, twin ? "-O1" : "-O3");
	if (*o->march) {
		command_add(&c, arena_printf("-march=%s", o->march));
		command_add(&c, "-mtune=generic");
	}
	if (twin)
		command_add(&c, "-DNNC_DOUBLE");
	const char *flags = getenv("CFLAGS");
	if (flags)
		command_add_words(&c, flags);
	command_add(&c, arena_printf("-I%s", r->include));
	command_add_words(&c, "-c -o");
	command_add_file(&c, object);
	command_add_file(&c, source);
	return c;
}

static Command link_command(const Runtime *r, const char *const *objects,
			    const char *output)
{
	Command c = compiler_command();
	const char *flags = getenv("CFLAGS"), *link = getenv("LDFLAGS");
	if (flags)
		command_add_words(&c, flags);
	command_add(&c, "-o");
	command_add_file(&c, output);
	for (; *objects; objects++)
		command_add_file(&c, *objects);
	command_add_file(&c, r->library);
	if (link)
		command_add_words(&c, link);
	command_add_words(&c, NNC_LIBS);
	return c;
}

/* ---- the whole
 * ------------------------------------------------------------------------------- */

typedef struct Paths {
	const char *folder;
	const char *source, *object, *twin, *program;
} Paths;

static int build(const Paths *p, const Runtime *r, const BuildOptions *o)
{
	const char *const objects[] = {p->object, p->twin, NULL};
	Command compile[] = {compile_command(r, o, p->source, p->object, false),
			     compile_command(r, o, p->source, p->twin, true)};
	Command last = link_command(r, objects, p->program);
	show_commands(o, compile, 2);
	show_commands(o, &last, 1);
	bool ok = o->dry || (command_run(compile, 2) && command_run(&last, 1));
	return ok ? 0 : EXIT_COMPILER;
}

/* Leaves nothing behind, but for the C text where its compilation failed. */
static void clean(const Paths *p, bool failed)
{
	unlink(p->object);
	unlink(p->twin);
	unlink(p->program);
	end_folder(p->folder, failed);
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
	if (status == 0 && !is_special(to)) {
		mode_t mask = umask(0);
		umask(mask);
		chmod(to, 0777 & ~mask);
	}
	return status;
}

/* private_folder(), or NULL after a message. */
static const char *need_folder(void)
{
	const char *path = private_folder();
	if (!path)
		fail_io("make", arena_printf("a folder in %s", temporary_base()));
	return path;
}

static bool find_paths(Paths *p)
{
	p->folder = need_folder();
	if (!p->folder)
		return false;
	p->source = arena_printf("%s/model.c", p->folder);
	p->object = arena_printf("%s/model.o", p->folder);
	p->twin = arena_printf("%s/twin.o", p->folder);
	p->program = arena_printf("%s/model", p->folder);
	return true;
}

int compile_program(const Net *net, const char *output, const BuildOptions *options)
{
	size_t size;
	Paths paths;
	Runtime runtime;
	TextStream stream;
	if (need_runtime(&runtime) != 0)
		return EXIT_COMPILER;
	text_open(&stream);
	bool emitted = emit_program(net, stream.out);
	const char *text = text_close(&stream, &size);
	if (!emitted)
		return EXIT_MODEL;
	if (!find_paths(&paths))
		return EXIT_IO;
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
	return status;
}

/* ---- a program that is run at once -------------------------------------------- */

const char *compiler_text(void)
{
	Command c = compiler_command();
	const char *why, *flags = getenv("CFLAGS");
	command_add(&c, "--version");
	const char *text = command_output(&c, &why);
	if (!text) {
		fprintf(stderr, "nnc: error: %s --version fails: %s\n", c.argv[0], why);
		fprintf(stderr, "help: apt-get install gcc, or set CC\n");
		return NULL;
	}
	return arena_printf("%.*s %s", (int)strcspn(text, "\n"), text,
			    flags ? flags : "");
}

typedef struct Parts {
	const char *folder;
	const char **sources, **objects; /* objects ends with NULL */
	int count, object_count;
	const char *program;
} Parts;

static int write_parts(Parts *p, const char *const *texts, int count)
{
	p->program = arena_printf("%s/timing", p->folder);
	for (int i = 0; i < count; i++) {
		*vec_push(&p->sources, &p->count) =
			arena_printf("%s/%d.c", p->folder, i);
		*vec_push(&p->objects, &p->object_count) =
			arena_printf("%s/%d.o", p->folder, i);
		int status = write_output(p->sources[i], texts[i], strlen(texts[i]));
		if (status)
			return status;
	}
	*vec_push(&p->objects, &p->object_count) = NULL;
	return 0;
}

static int build_parts(const Parts *p, const Runtime *r, const BuildOptions *o)
{
	Command *compile = NULL, link = link_command(r, p->objects, p->program);
	int count = 0;
	for (int i = 0; i < p->count; i++)
		*vec_push(&compile, &count) =
			compile_command(r, o, p->sources[i], p->objects[i], false);
	show_commands(o, compile, count);
	show_commands(o, &link, 1);
	if (command_run(compile, count) && command_run(&link, 1))
		return 0;
	fprintf(stderr, "nnc: error: the C compiler failed; the C text is in %s\n",
		p->folder);
	return EXIT_COMPILER;
}

static int run_parts(const Parts *p, const BuildOptions *o, const char **output)
{
	Command c = {0};
	const char *why;
	command_add(&c, p->program);
	show_commands(o, &c, 1);
	*output = command_output(&c, &why);
	if (*output)
		return 0;
	fprintf(stderr, "nnc: error: the kernels cannot be timed: %s\n", why);
	fprintf(stderr, "help: leave out --tune-kernels, or give --march this CPU\n");
	return EXIT_COMPILER;
}

int run_texts(const char *const *texts, int count, const BuildOptions *options,
	      const char **output)
{
	Runtime runtime;
	if (need_runtime(&runtime) != 0)
		return EXIT_COMPILER;
	Parts p = {.folder = need_folder()};
	if (!p.folder)
		return EXIT_IO;
	int status = write_parts(&p, texts, count);
	bool written = status == 0;
	if (written)
		status = build_parts(&p, &runtime, options);
	bool built = written && status == 0;
	if (built)
		status = run_parts(&p, options, output);
	for (int i = 0; i < p.count; i++)
		unlink(p.objects[i]);
	unlink(p.program);
	end_folder(p.folder, written && !built);
	return status;
}
