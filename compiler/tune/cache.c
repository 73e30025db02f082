/*
 * cache.c - times measured by earlier compilations: $XDG_CACHE_HOME/nnc/kernels, else
 * ~/.cache/nnc/kernels, a line each: CPU, -march, compiler and flags, nnc, node,
 * kernel, microseconds, with tabs between. What is wrong with it is a warning: then it
 * is measured again. The file is replaced as a whole, by what it holds then and the new
 * lines.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tune/tune.h"

enum { MAX_CACHE = 1 << 26, FIELDS = 7 };

static const Span nowhere;

/* ---- where, and for what ------------------------------------------------- */

/* As the XDG specification has it: a relative path counts as none. */
const char *cache_folder(void)
{
	const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	if (cache && *cache == '/')
		return arena_printf("%s/nnc", cache);
	if (home && *home == '/')
		return arena_printf("%s/.cache/nnc", home);
	return NULL;
}

/* Of all C text that kernels are made from: what was timed is what would be emitted. */
static unsigned fingerprint(void)
{
	unsigned h = 0;
	for (const Template *t = templates; t->name; t++)
		h = 31 * h + text_hash(t->text);
	return h;
}

/* A field of a line: without what would end it. */
static const char *field(const char *text)
{
	char *copy = arena_printf("%s", *text ? text : "-");
	for (char *c = copy; *c; c++)
		if (*c == '\t' || *c == '\n')
			*c = ' ';
	return copy;
}

/* ---- lines --------------------------------------------------------------- */

typedef struct Line {
	const char *start, *time; /* microseconds begin at `time` */
	size_t size;              /* without the newline */
	double us;
	bool good;
} Line;

static Line read_line(const char *start, const char *end)
{
	const char *stop = memchr(start, '\n', (size_t)(end - start));
	Line l = {.start = start, .time = start};
	l.size = (size_t)((stop ? stop : end) - start);
	int tabs = 0;
	for (size_t i = 0; i < l.size; i++) {
		if (start[i] == '\0')
			return l;
		if (start[i] == '\t') {
			tabs++;
			l.time = start + i + 1;
		}
	}
	char *after;
	l.us = strtod(l.time, &after);
	l.good = stop && tabs == FIELDS - 1 && after == stop && after > l.time &&
		 isfinite(l.us) && l.us > 0;
	return l;
}

static bool has_key(const Line *l, const char *key, const char *part)
{
	size_t a = strlen(key), b = strlen(part);
	return (size_t)(l->time - l->start) == a + b + 1 &&
	       memcmp(l->start, key, a) == 0 && memcmp(l->start + a, part, b) == 0;
}

static void load(Cache *c)
{
	const char *why;
	struct stat st;
	c->size = 0;
	c->text = "";
	if (stat(c->path, &st) != 0)
		return; /* what else is wrong with the path is said when it is written
			 */
	bool regular = S_ISREG(st.st_mode);
	const char *text =
		regular ? read_file(c->path, MAX_CACHE, &c->size, &why) : NULL;
	if (text) {
		c->text = text;
		return;
	}
	c->size = 0;
	if (!c->complained)
		diag_warn(nowhere, "cannot read %s: %s", c->path,
			  regular ? why : "it is no file");
	c->complained = true;
}

void cache_check(Cache *c)
{
	int bad = 0;
	const char *end = c->text + c->size;
	for (const char *at = c->text; at < end;) {
		Line l = read_line(at, end);
		bad += !l.good;
		at += l.size + 1;
	}
	if (bad && !c->complained)
		diag_warn(nowhere, "%d line%s of %s cannot be understood: ignored", bad,
			  bad == 1 ? "" : "s", c->path);
	c->complained |= bad > 0;
}

bool cache_open(Cache *c, const BuildOptions *options)
{
	const char *dir = cache_folder(), *compiler = compiler_text();
	char cpu[NNC_CPU_NAME];
	*c = (Cache){.text = ""};
	if (!compiler)
		return false;
	c->key = arena_printf("%s\t%s\t%s\t%s %08x\t", field(nnc_cpu_name(cpu)),
			      field(options->march), field(compiler), NNC_VERSION,
			      fingerprint());
	if (!dir) {
		diag_warn(nowhere, "there is no folder to keep the kernels' times in");
		diag_help("set XDG_CACHE_HOME or HOME");
		return true;
	}
	c->path = arena_printf("%s/kernels", dir);
	load(c);
	cache_check(c);
	return true;
}

double cache_find(const Cache *c, const char *part)
{
	double us = -1;
	const char *end = c->text + c->size;
	for (const char *at = c->text; at < end;) {
		Line l = read_line(at, end);
		if (l.good && has_key(&l, c->key, part))
			us = l.us;
		at += l.size + 1;
	}
	return us;
}

/* ---- writing ------------------------------------------------------------- */

static bool make_folders(const char *path)
{
	char *copy = arena_printf("%s", path);
	for (char *c = strchr(copy + 1, '/'); c; c = strchr(c + 1, '/')) {
		*c = '\0';
		if (mkdir(copy, 0700) != 0 && errno != EEXIST)
			return false;
		*c = '/';
	}
	return true;
}

static bool is_replaced(const Cache *c, const Line *l, Part *const *parts, int count)
{
	for (int i = 0; i < count; i++)
		if (has_key(l, c->key, parts[i]->text))
			return true;
	return false;
}

Text cache_text(const Cache *c, Part *const *parts, int count)
{
	Text all = {0};
	const char *end = c->text + c->size;
	for (const char *at = c->text; at < end;) {
		Line l = read_line(at, end);
		if (l.good && !is_replaced(c, &l, parts, count))
			text_add(&all, at, l.size + 1);
		at += l.size + 1;
	}
	for (int i = 0; i < count; i++) {
		const char *line = arena_printf("%s%s\t%.6g\n", c->key, parts[i]->text,
						parts[i]->us);
		text_add(&all, line, strlen(line));
	}
	return all;
}

void cache_add(Cache *c, Part *const *parts, int count)
{
	if (!c->path || count == 0)
		return;
	load(c); /* another compilation may have added to it */
	Text all = cache_text(c, parts, count);
	if (make_folders(c->path) && replace_file(c->path, all.bytes, all.length))
		return;
	diag_warn(nowhere, "cannot write %s: %s", c->path, strerror(errno));
	diag_help("the kernels will be timed again; XDG_CACHE_HOME says where to keep "
		  "their times");
}
