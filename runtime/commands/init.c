/* init.c - the command `init`: weights before any training. */
#include "cli.h"

static const NncOption options[] = {
	NNC_OPTION_SEED,
	NNC_OPTION_OUT_WEIGHTS,
	NNC_OPTION_END,
};

static int run(const NncProgram *program, NncError *err)
{
	const NncModel *model = program->model;
	const NncOptions *o = program->options;
	NncContext context;
	int code;

	if (!o->out)
		return nnc_no_output(program, "init", err);
	code = nnc_context_open(&context, model, NNC_INFERENCE, 1, err);
	if (code)
		return code;
	nnc_init_params(&context, model,
			o->seed >= 0 ? (uint32_t)o->seed : model->training.seed);
	code = nnc_weights_save(o->out, model, context.params, err);
	nnc_context_close(&context);
	return code;
}

const NncCommand command_init = {
	.name = "init",
	.place = 70,
	.summary = "Writes freshly initialised weights.",
	.options = options,
	.run = run,
};
