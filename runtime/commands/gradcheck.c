/*
 * gradcheck.c - the command `gradcheck`: every gradient with an incomplete batch, then
 * with a full one, and what came out as a table.
 */
#include "cli.h"

#include <stdlib.h>

/* What only this command takes. */
typedef struct GradcheckOptions {
	NncOptions shared;
	int64_t samples;
} GradcheckOptions;

static const NncOption options[] = {
	{"samples", 0, NNC_OPT_INT, offsetof(GradcheckOptions, samples), 1, INT32_MAX,
	 "N", "elements checked of each tensor [40]"},
	NNC_OPTION_SEED,
	NNC_OPTION_JSON,
	NNC_OPTION_END,
};

enum {
	SAMPLES = 40,     /* of each tensor, with the incomplete batch */
	PARTIAL_ROWS = 4, /* of that batch */
	FULL_SHARE = 10,  /* one in so many is checked with the full one too */
};

static bool passes(const NncGradReport *r)
{
	return r->error <= NNC_GRADCHECK_BOUND; /* of NaN: false */
}

static void print_table(const NncGradReport *report, int32_t lines)
{
	printf("%-24s %5s %10s %8s %8s %10s %10s\n", "tensor", "rows", "elements",
	       "checked", "refined", "largest", "error");
	for (int32_t i = 0; i < lines; i++) {
		const NncGradReport *r = &report[i];
		printf("%-24s %5d %10lld %8lld %8lld %10.3g %10.2e%s\n", r->name,
		       (int)r->rows, (long long)r->elements, (long long)r->checked,
		       (long long)r->refined, r->scale, r->error,
		       passes(r) ? "" : "  WRONG");
	}
}

static int print_json(const NncGradReport *report, int32_t lines, const char *model,
		      NncError *err)
{
	json_t *root = json_object(), *list = json_array();
	bool pass = true;

	for (int32_t i = 0; i < lines; i++) {
		const NncGradReport *r = &report[i];
		json_t *one = json_object();
		json_object_set_new(one, "tensor", json_string(r->name));
		json_object_set_new(one, "rows", json_integer(r->rows));
		json_object_set_new(one, "elements", json_integer(r->elements));
		json_object_set_new(one, "checked", json_integer(r->checked));
		json_object_set_new(one, "largest", nnc_json_real(r->scale));
		json_object_set_new(one, "error", nnc_json_real(r->error));
		json_array_append_new(list, one);
		pass = pass && passes(r);
	}
	json_object_set_new(root, "model", json_string(model));
	json_object_set_new(root, "bound", json_real(NNC_GRADCHECK_BOUND));
	json_object_set_new(root, "pass", json_boolean(pass));
	json_object_set_new(root, "tensors", list);
	return nnc_print_json(root, err);
}

/* NNC_FAILED with the names of the tensors over the bound. */
static int judge(const NncGradReport *report, int32_t lines, NncError *err)
{
	char names[1024] = "";
	size_t used = 0;
	double worst = 0;

	for (int32_t i = 0; i < lines; i++) {
		const NncGradReport *r = &report[i];
		if (!(r->error <= worst))
			worst = r->error;
		if (passes(r) || used >= sizeof names - 100)
			continue;
		used += (size_t)snprintf(names + used, 100, "%s%.60s (%d rows)",
					 used ? ", " : "", r->name, (int)r->rows);
	}
	if (!used)
		return NNC_OK;
	return nnc_fail(err, NNC_FAILED,
			"gradients are wrong by up to %.2e (the bound is %g) "
			"in %s",
			worst, NNC_GRADCHECK_BOUND, names);
}

static int run(const NncProgram *program, NncError *err)
{
	const NncOptions *o = program->options;
	int64_t samples = ((const GradcheckOptions *)o)->samples;
	const NncModel *twin = program->twin;
	uint32_t seed;
	int32_t lines = 0, each, partial;
	NncGradReport *report;
	int code = NNC_OK;

	if (!twin)
		return nnc_fail(
			err, NNC_USAGE,
			"this program has no twin in double\n"
			"help: compile %s again without leaving the twin out, or link "
			"its C once more, compiled with -DNNC_DOUBLE",
			program->model->source);
	samples = samples < 0 ? SAMPLES : samples;
	seed = o->seed < 0 ? twin->training.seed : (uint32_t)o->seed;
	each = twin->tensor_count + 1;
	partial = twin->batch > PARTIAL_ROWS ? PARTIAL_ROWS : twin->batch - 1;
	report = nnc_allocate(2 * (size_t)each, sizeof *report);
	if (!report)
		return nnc_fail(err, NNC_NOMEM, "not enough memory");
	if (partial > 0) {
		code = nnc_gradcheck(report, twin, partial, samples, seed, err);
		lines = each;
		samples = samples / FULL_SHARE;
	}
	if (!code)
		code = nnc_gradcheck(report + lines, twin, twin->batch, samples, seed,
				     err);
	lines += each;
	if (!code && o->json)
		code = print_json(report, lines, program->model->name, err);
	else if (!code)
		print_table(report, lines);
	if (!code)
		code = judge(report, lines, err);
	free(report);
	return code;
}

const NncCommand command_gradcheck = {
	.name = "gradcheck",
	.place = 50,
	.summary = "Compares the gradients with central differences.",
	.note = "In double, dropout included; 1e-6 is the bound of the relative error.",
	.options = options,
	.options_size = sizeof(GradcheckOptions),
	.run = run,
};
