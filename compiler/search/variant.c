/*
 * variant.c - the programs of a search: the model with other constants and another
 * batch, compiled side by side, and kept under a name that says all they were made of.
 */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "search/search.h"

enum { MAX_ARCHIVE = 1 << 28 };

/* ---- the model ---- */

/* `batch 16;` in the train section, in place of what stands there. */
static void set_batch(Model *m, const Value *batch)
{
	static const Span nowhere;
	Stmt *train = NULL, *setting = NULL;
	for (int i = 0; i < m->count; i++)
		if (strcmp(m->stmts[i].name, "train") == 0)
			train = &m->stmts[i];
	if (!train) {
		train = vec_push(&m->stmts, &m->count);
		*train =
			(Stmt){.name = "train", .name_span = nowhere, .has_body = true};
	}
	for (int i = 0; i < train->body_count; i++)
		if (strcmp(train->body[i].name, "batch") == 0)
			setting = &train->body[i];
	if (!setting)
		setting = vec_push(&train->body, &train->body_count);
	Arg *arg = arena_alloc(sizeof *arg);
	*arg = (Arg){.value = *batch};
	*setting = (Stmt){.name = "batch",
			  .name_span = batch->span,
			  .span = batch->span,
			  .args = arg,
			  .count = 1};
}

/* What `expect` says is of the model as it is written. */
static void drop_expectations(Model *m)
{
	int kept = 0;
	for (int i = 0; i < m->count; i++)
		if (strcmp(m->stmts[i].name, "expect") != 0)
			m->stmts[kept++] = m->stmts[i];
	m->count = kept;
}

/* The options of the command line, and a constant of each axis. */
static ModelOptions *options_of(const Search *s, const Point *p)
{
	ModelOptions *o = arena_alloc(sizeof *o);
	*o = s->options->model;
	Define *defines = NULL;
	int count = 0;
	for (int i = 0; i < o->expand.define_count; i++)
		*vec_push(&defines, &count) = o->expand.defines[i];
	for (int i = 0; i < s->tune->axis_count; i++) {
		const char *name = s->tune->axes[i].name;
		if (strcmp(name, "lr") != 0 && strcmp(name, "batch") != 0)
			*vec_push(&defines, &count) =
				(Define){name, value_text(p->values[i])};
	}
	o->expand.defines = defines;
	o->expand.define_count = count;
	return o;
}

static bool make_variant(const Search *s, Variant *v, const Point *p)
{
	const Value *batch = point_value(s, p, "batch");
	Model m;
	bool ok = read_model(&m, s->options->input, options_of(s, p));
	if (ok) {
		m.made = true;
		drop_expectations(&m);
		if (batch)
			set_batch(&m, batch);
		v->net = make_net(&m, NULL, NULL);
	}
	if (!v->net)
		diag_help("this is the model with %s, from its tune section",
			  *v->text ? v->text : "its own values");
	return v->net != NULL;
}

/* ---- what it is ---- */

static const char *toolchain_id(const Search *s)
{
	size_t size;
	const char *why, *cc = compiler_text(),
			 *library = cc ? runtime_library() : NULL;
	const char *link = getenv("LDFLAGS");
	char cpu[NNC_CPU_NAME];
	if (!library)
		return NULL;
	const char *bytes = read_file(library, MAX_ARCHIVE, &size, &why);
	if (!bytes) {
		fprintf(stderr, "nnc: error: cannot read %s: %s\n", library, why);
		return NULL;
	}
	return arena_printf("%s\n%s\n%s\n%s\n%s\n", cc, link ? link : "",
			    s->options->build.march, nnc_cpu_name(cpu),
			    fingerprint(bytes, size));
}

static void identify(const Search *s, Variant *v, const char *toolchain)
{
	TextStream stream;
	size_t size;
	text_open(&stream);
	fputs(toolchain, stream.out);
	emit_program(v->net, stream.out);
	const char *text = text_close(&stream, &size);
	v->id = fingerprint(text, size);
	v->program = folder_file(s, arena_printf("variants/%s", v->id));
	v->log = folder_file(s, arena_printf("tmp/%s.log", v->id));
}

/* Variants of the same C are one: those of a constant that nothing reads. */
static void merge(Search *s)
{
	int kept = 0;
	for (int i = 0; i < s->variant_count; i++) {
		Variant *v = s->variants[i], *same = NULL;
		for (int k = 0; k < kept && !same; k++)
			if (strcmp(s->variants[k]->id, v->id) == 0)
				same = s->variants[k];
		if (!same)
			s->variants[kept++] = v;
		for (int k = 0; k < s->point_count && same; k++)
			if (s->points[k].variant == v)
				s->points[k].variant = same;
	}
	s->variant_count = kept;
}

int variants_identify(Search *s)
{
	const char *toolchain = toolchain_id(s);
	if (!toolchain)
		return EXIT_COMPILER;
	for (int i = 0; i < s->point_count; i++) {
		Variant *v = s->points[i].variant;
		if (v->id)
			continue;
		if (!make_variant(s, v, &s->points[i]))
			return EXIT_MODEL;
		identify(s, v, toolchain);
	}
	merge(s);
	return 0;
}

/* ---- compiling ---- */

static bool wanted(void *data, int i)
{
	const Search *s = data;
	const Variant *v = s->variants[i];
	return v->needed && access(v->program, X_OK) != 0;
}

/* A process of ours compiles: its temporary files are in the folder, and go with it. */
static pid_t start(void *data, int i)
{
	Search *s = data;
	const Variant *v = s->variants[i];
	live_note(s, "compiling %s", *v->text ? v->text : s->name);
	pid_t pid = process_fork();
	if (pid != 0)
		return pid;
	setenv("TMPDIR", folder_file(s, "tmp"), 1);
	if (!s->options->build.verbose && !freopen(v->log, "w", stderr))
		_exit(EXIT_IO);
	int status = compile_program(v->net, v->program, &s->options->build);
	fflush(NULL);
	_exit(status);
}

static void show_file(const char *path)
{
	size_t size;
	const char *why, *text = read_file(path, 1 << 20, &size, &why);
	if (text)
		fwrite(text, 1, size, stderr);
}

static int ended(void *data, int i, int status, bool told)
{
	const Search *s = data;
	const Variant *v = s->variants[i];
	int code = exit_status(status);
	if (code && !told)
		show_file(v->log);
	return code;
}

/* Programs of another model or machine are in nobody's way, but of no use. */
static void remove_others(const Search *s)
{
	DIR *folder = opendir(folder_file(s, "variants"));
	struct dirent *entry;
	while (folder && (entry = readdir(folder))) {
		bool ours = *entry->d_name == '.';
		for (int i = 0; i < s->variant_count && !ours; i++)
			ours = strcmp(entry->d_name, s->variants[i]->id) == 0;
		if (!ours)
			unlink(folder_file(s,
					   arena_printf("variants/%s", entry->d_name)));
	}
	if (folder)
		closedir(folder);
}

int variants_compile(Search *s)
{
	Pool pool = {.data = s,
		     .count = s->variant_count,
		     .at_once = s->options->at_once,
		     .wanted = wanted,
		     .start = start,
		     .ended = ended};
	remove_others(s);
	for (int i = 0; i < s->job_count; i++)
		if (s->jobs[i]->state != JOB_DONE)
			s->jobs[i]->variant->needed = true;
	return pool_run(&pool);
}
