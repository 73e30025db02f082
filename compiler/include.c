/*
 * include.c - finds and reads included files.
 *
 * A path is relative and stays in its folder: no '..', and no symbolic link that
 * leads out of it. It is looked up beside the including file, then in the -I folders.
 * A file is read and parsed once, however often it is included.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "expand.h"

struct File {
	const char *path; /* resolved: links followed, absolute */
	StmtList stmts;
	bool ok;     /* it could be parsed */
	bool active; /* being expanded */
};

/* Resolved and copied, or NULL with errno set. */
static const char *resolve(const char *path)
{
	char *real = realpath(path, NULL);
	if (!real)
		return NULL;
	const char *copy = arena_strndup(real, strlen(real));
	free(real);
	return copy;
}

static bool has_dotdot(const char *path)
{
	for (const char *p = path; *p;) {
		size_t n = strcspn(p, "/");
		if (n == 2 && p[0] == '.' && p[1] == '.')
			return true;
		p += n + (p[n] == '/');
	}
	return false;
}

static bool is_inside(const char *path, const char *folder)
{
	size_t n = strlen(folder);
	if (n == 1) /* "/" */
		return true;
	return strncmp(path, folder, n) == 0 && (path[n] == '/' || !path[n]);
}

static const char *join(const char *dir, const char *path)
{
	if (strcmp(dir, ".") == 0)
		return path;
	return arena_printf("%s%s%s", dir, dir[strlen(dir) - 1] == '/' ? "" : "/",
			    path);
}

/* Looks for path in dir. NULL if it is not there; *bad if it is, but must not be read.
 */
static const char *look_in(Expand *x, const char *dir, const Value *path, bool *bad)
{
	const char *shown = join(dir, path->text);
	const char *folder = resolve(dir), *real = folder ? resolve(shown) : NULL;
	struct stat st;
	if (!real && (errno == ENOENT || errno == ENOTDIR))
		return NULL;
	*bad = true;
	if (!real || stat(real, &st) != 0)
		expand_error(x, path->span, "cannot read '%s': %s", shown,
			     strerror(errno));
	else if (!is_inside(real, folder))
		expand_error(x, path->span,
			     "'%s' leads out of its folder through a link", shown);
	else if (!S_ISREG(st.st_mode))
		expand_error(x, path->span, "'%s' is not a file", shown);
	else
		*bad = false;
	return shown;
}

/* The path to read, or NULL and reported. */
static const char *find(Expand *x, const Value *path)
{
	bool bad = false;
	if (path->text[0] == '\0' || path->text[0] == '/' || has_dotdot(path->text)) {
		expand_error(x, path->span,
			     "include takes a path inside this file's folder");
		diag_help("to include from elsewhere, name that folder with -I");
		return NULL;
	}
	const char *shown = look_in(x, path->span.source->dir, path, &bad);
	for (int i = 0; !shown && i < x->options->include_count; i++)
		shown = look_in(x, x->options->include_dirs[i], path, &bad);
	if (shown)
		return bad ? NULL : shown;
	expand_error(x, path->span, "there is no file '%s'", path->text);
	diag_help("looked in '%s'%s", path->span.source->dir,
		  x->options->include_count ? " and the -I folders" : "");
	return NULL;
}

static File *read_and_parse(Expand *x, const char *shown, const char *real, Span at)
{
	if (x->file_count > MAX_FILES) {
		expand_error(x, at, "more than %d files are included", MAX_FILES);
		x->stopped = true;
		return NULL;
	}
	size_t size;
	const char *why;
	char *text = read_file(real, MAX_SOURCE, &size, &why);
	if (!text) {
		expand_error(x, at, "cannot read '%s': %s", shown, why);
		return NULL;
	}
	int errors = diag_errors();
	File *file = arena_alloc(sizeof *file);
	file->path = real;
	file->stmts.items =
		parse_source(source_new(shown, text, size), &file->stmts.count);
	file->ok = diag_errors() == errors;
	if (!file->ok)
		diag_note(at, "included here");
	*vec_push(&x->files, &x->file_count) = file;
	return file;
}

File *include_file(Expand *x, const Stmt *s)
{
	const Value *path = s->count == 1 ? &s->args[0].value : NULL;
	if (!path || s->args[0].key || path->kind != VALUE_STRING || s->has_body) {
		expand_error(x, s->span,
			     "include takes one string: include \"data.nn\";");
		if (s->count > 1)
			diag_semicolon(s->args[0].value.span, s->args[1].value.span);
		return NULL;
	}
	const char *shown = find(x, path), *real = shown ? resolve(shown) : NULL;
	if (!shown)
		return NULL;
	if (!real) {
		expand_error(x, path->span, "cannot read '%s': %s", shown,
			     strerror(errno));
		return NULL;
	}
	File *file = NULL;
	for (int i = 0; i < x->file_count; i++)
		if (strcmp(x->files[i]->path, real) == 0)
			file = x->files[i];
	if (!file)
		file = read_and_parse(x, shown, real, path->span);
	if (!file || !file->ok) {
		x->stopped = true; /* what it defines is missing from here on */
		return NULL;
	}
	if (file->active) {
		expand_error(x, path->span, "'%s' includes itself", shown);
		return NULL;
	}
	return file;
}

const StmtList *file_enter(File *file)
{
	file->active = true;
	return &file->stmts;
}

void file_leave(File *file)
{
	file->active = false;
}

/* The main file takes part, so that an include of it is seen to be a cycle. */
void file_main(Expand *x, const char *path, StmtList stmts)
{
	const char *real = resolve(path);
	File *file = arena_alloc(sizeof *file);
	*file = (File){
		.path = real ? real : "", .stmts = stmts, .ok = true, .active = true};
	*vec_push(&x->files, &x->file_count) = file;
}
