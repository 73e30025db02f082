/*
 * model.c - a model from its file to the Net: what is read once, and made by the passes
 * as often as is asked for.
 */
#include <string.h>

#include "nnc.h"

/* ---- options ------------------------------------------------------------------ */

static bool add_define(ModelOptions *o, const char *text)
{
	const char *equals = strchr(text, '=');
	if (!equals || equals == text)
		return false;
	Define *defines = (Define *)o->expand.defines;
	Define *d = vec_push(&defines, &o->expand.define_count);
	*d = (Define){arena_strndup(text, (size_t)(equals - text)), equals + 1};
	o->expand.defines = defines;
	return true;
}

static void add_include(ModelOptions *o, const char *dir)
{
	const char **dirs = (const char **)o->expand.include_dirs;
	*vec_push(&dirs, &o->expand.include_count) = dir;
	o->expand.include_dirs = dirs;
}

/* A kernel's name, or `plain`: the op's own loops, which are no kernel. */
static bool add_kernel(ModelOptions *o, const char *name)
{
	if (strcmp(name, "plain") == 0) {
		*vec_push(&o->kernels, &o->kernel_count) = NULL;
		return true;
	}
	for (int i = 0; kernels[i]; i++)
		if (strcmp(kernels[i]->name, name) == 0) {
			*vec_push(&o->kernels, &o->kernel_count) = kernels[i];
			return true;
		}
	return false;
}

const char *model_option(ModelOptions *o, int key, const char *value)
{
	if (key == 'D' && !add_define(o, value))
		return "-D takes NAME=VALUE";
	if (key == OPTION_KERNEL && !add_kernel(o, value))
		return "--kernel takes a kernel's name, as --explain shows them";
	if (key == 'I')
		add_include(o, value);
	return NULL;
}

/* ---- the road ----------------------------------------------------------------- */

bool read_model(Model *m, const char *path, const ModelOptions *options)
{
	int errors = diag_errors();
	*m = (Model){.options = options};
	m->stmts = expand_file(path, &options->expand, &m->count, &m->source);
	return diag_errors() == errors;
}

Net *make_net(void *model, Tuning *tuning, const char *after)
{
	Model *m = model;
	diag_silence(m->made);
	m->made = true;
	Net *net = build_net(m->stmts, m->count, m->source);
	if (net) {
		net->preferred = m->options->kernels;
		net->preferred_count = m->options->kernel_count;
		net->tuning = tuning;
		run_passes(net, NULL, after);
	}
	diag_silence(false);
	return net;
}
