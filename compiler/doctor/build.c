/* build.c - does the road from a model to a running program work here? */
#include <string.h>
#include <unistd.h>

#include "doctor.h"

#include "command.h"

static const char *first_line(const char *text)
{
	return printable(arena_strndup(text, strcspn(text, "\n")));
}

void check_runtime(Doctor *d)
{
	Runtime r;
	d->compiles = find_runtime(&r);
	if (d->compiles)
		note(d, LEVEL_PASS, "runtime",
		     arena_printf("%s, %s/nnc_rt.h", r.library, r.include), NULL);
	else
		note(d, LEVEL_FAIL, "runtime",
		     "libnncrt.a and nnc_rt.h are not where nnc is",
		     "run make, or set NNC_RUNTIME to the folder that holds both");
}

void check_compiler(Doctor *d)
{
	Command c = compiler_command();
	const char *why, *name = c.argv[0];
	command_add(&c, "--version");
	const char *text = command_output(&c, &why);
	if (text) {
		note(d, LEVEL_PASS, "C compiler",
		     arena_printf("%s: %s", printable(name), first_line(text)), NULL);
		return;
	}
	d->compiles = false;
	note(d, LEVEL_FAIL, "C compiler",
	     arena_printf("%s --version fails: %s", printable(name), why),
	     "apt-get install gcc, or set CC");
}

/* ---- a model, compiled and run
 * -------------------------------------------------------- */

static const char model[] = "data idx \"x\"; input 4; dense 3 relu; dense 2 softmax;";

static Net *tiny_net(const char *kernel)
{
	static const ModelOptions none;
	static ModelOptions one;
	Model m = {.options = &none};
	one = (ModelOptions){0};
	if (kernel && model_option(&one, OPTION_KERNEL, kernel) == NULL)
		m.options = &one;
	m.stmts = expand_text("doctor.nn", model, strlen(model), &none.expand, &m.count,
			      &m.source);
	return make_net(&m, NULL, NULL);
}

/* Compiles the model and has it check its gradients; why that fails, or NULL. */
static const char *try_model(const char *folder, const char *kernel)
{
	const BuildOptions options = {.march = "native"};
	const char *program = arena_printf("%s/doctor", folder), *why = NULL;
	int status = compile_program(tiny_net(kernel), program, &options);
	if (status != 0)
		return "a model cannot be compiled: see the messages above";
	Command run = {0};
	command_add(&run, program);
	command_add_words(&run, "gradcheck --samples 4");
	const char *text = command_result(&run, &status, &why);
	unlink(program);
	if (!text)
		return arena_printf("a compiled model cannot be run: %s", why);
	return status == 0
		       ? NULL
		       : arena_printf("a compiled model fails: exit status %d", status);
}

static void try_kernel(Doctor *d, const char *folder, const char *subject,
		       const char *kernel, const char *works, const char *remedy)
{
	const char *why = try_model(folder, kernel);
	if (why)
		note(d, LEVEL_FAIL, subject, why, remedy);
	else
		note(d, LEVEL_PASS, subject, works, NULL);
}

void check_program(Doctor *d)
{
	const char *folder = d->compiles ? private_folder() : NULL;
	if (!folder)
		return; /* what it needs was found missing */
	try_kernel(d, folder, "a model", NULL,
		   "compiles with -march=native and runs; its gradients are right",
		   "scripts/deps.sh --check lists what is missing; unset CFLAGS and "
		   "LDFLAGS");
	try_kernel(d, folder, "OpenBLAS in a model", "gemm_openblas",
		   "compiles, links and runs", "apt-get install libopenblas-dev");
	end_folder(folder, false);
}
