/* libraries.c - what others made: OpenBLAS and its core, zlib and the rest, gnuplot. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <gnu/libc-version.h>
#include <jansson.h>
#include <png.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

#include "doctor.h"

#include "command.h"

/* "OpenBLAS 0.3.21 DYNAMIC_ARCH ..." and "Haswell", by the library that programs load.
 */
typedef char *Ask(void);

static const char *ask(void *library, const char *function)
{
	Ask *f;
	void *symbol = dlsym(library, function);
	memcpy(&f, &symbol, sizeof f);
	const char *text = f ? f() : NULL;
	return text ? printable(text) : "?";
}

/* The floats in a vector of the cores that have more than 4. */
static int core_width(const char *core)
{
	static const struct {
		const char *name;
		int width;
	} wide[] = {
		{"Sandybridge", 8}, {"Bulldozer", 8},
		{"Piledriver", 8},  {"Steamroller", 8},
		{"Excavator", 8},   {"Haswell", 8},
		{"Zen", 8},         {"SkylakeX", 16},
		{"Cooperlake", 16}, {"Sapphirerapids", 16},
	};
	for (size_t i = 0; i < sizeof wide / sizeof *wide; i++)
		if (strcasecmp(core, wide[i].name) == 0)
			return wide[i].width;
	return 4;
}

/* "OpenBLAS 0.3.21" of "OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH ...". */
static const char *short_version(const char *config)
{
	size_t name = strcspn(config, " ");
	size_t number = config[name] ? strcspn(config + name + 1, " ") + 1 : 0;
	return arena_strndup(config, name + number);
}

void check_openblas(Doctor *d)
{
	void *library = dlopen("libopenblas.so.0", RTLD_LAZY | RTLD_LOCAL);
	if (!library) {
		note(d, LEVEL_FAIL, "OpenBLAS", "libopenblas.so.0 is not found",
		     "apt-get install libopenblas-dev");
		return;
	}
	const char *version = short_version(ask(library, "openblas_get_config"));
	const char *core = ask(library, "openblas_get_corename");
	const char *pinned = getenv("OPENBLAS_CORETYPE");
	const int width = vector_width();
	const char *fitting = width == 16 ? "SkylakeX" : "Haswell";
	const char *found =
		arena_printf("%s, core %s%s%s", version, core,
			     pinned && *pinned ? ", pinned by OPENBLAS_CORETYPE=" : "",
			     pinned ? printable(pinned) : "");
	if (core_width(core) >= width)
		note(d, LEVEL_PASS, "OpenBLAS", found, NULL);
	else
		note(d, LEVEL_WARN, "OpenBLAS",
		     arena_printf(
			     "%s: it computes with %d numbers at a time, the CPU has "
			     "%d",
			     found, core_width(core), width),
		     pinned && *pinned
			     ? arena_printf("unset OPENBLAS_CORETYPE, or set it to %s",
					    fitting)
			     : arena_printf(
				       "export OPENBLAS_CORETYPE=%s: this version does "
				       "not know the CPU",
				       fitting));
	/* not closed: its threads are still there */
}

void check_libraries(Doctor *d)
{
	note(d, LEVEL_PASS, "libraries",
	     arena_printf("zlib %s, libpng %s, jansson %s, glibc %s", zlibVersion(),
			  png_get_libpng_ver(NULL), jansson_version_str(),
			  gnu_get_libc_version()),
	     NULL);
}

void check_gnuplot(Doctor *d)
{
	static const char remedy[] = "apt-get install gnuplot-nox";
	Command version = {0}, terminals = {0};
	const char *why;
	int status = 0;
	command_add_words(&version, "gnuplot --version");
	const char *text = command_output(&version, &why);
	if (!text) {
		note(d, LEVEL_WARN, "gnuplot",
		     arena_printf("not found (%s): runs leave no pictures, only data",
				  why),
		     remedy);
		return;
	}
	const char *name = printable(arena_strndup(text, strcspn(text, "\n")));
	command_add_words(&terminals, "gnuplot -e");
	command_add(&terminals, "set terminal svg; set terminal pngcairo");
	if (command_result(&terminals, &status, &why) && status == 0)
		note(d, LEVEL_PASS, "gnuplot", name, NULL);
	else
		note(d, LEVEL_WARN, "gnuplot",
		     arena_printf("%s, but without the terminals svg and pngcairo",
				  name),
		     remedy);
}
