/* tiny_run.c - see tiny.h. */
#include "tiny.h"

#include "internal.h"
#include "temp_folder.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TRAIN = 203, TEST = 101, MAX_ARGUMENTS = 32 };

/* ---- data -------------------------------------------------------------------- */

static size_t put_header(unsigned char *at, unsigned char rank, uint32_t count)
{
	const uint32_t dim[] = {count, TINY_HEIGHT, TINY_WIDTH};

	memcpy(at, (unsigned char[]){0, 0, 8, rank}, 4);
	for (size_t d = 0; d < rank; d++)
		for (size_t i = 0; i < 4; i++)
			at[4 + 4 * d + i] = (unsigned char)(dim[d] >> (24 - 8 * i));
	return 4 + 4 * (size_t)rank;
}

/* Noise, and a quarter of the image brighter: which one is the class. */
static void write_part(const char *images, const char *labels, uint32_t count)
{
	static unsigned char x[16 + TRAIN * TINY_K], y[8 + TRAIN];
	NncRng rng = nnc_rng(7, NNC_STREAM_SYNTHETIC, count, 0);
	size_t at = put_header(x, 3, count), label_at = put_header(y, 1, count);

	for (uint32_t n = 0; n < count; n++) {
		uint32_t class = nnc_rng_below(&rng, TINY_O);
		y[label_at++] = (unsigned char)class;
		for (uint32_t k = 0; k < TINY_K; k++) {
			uint32_t quarter = k / TINY_WIDTH / 3 * 2 + k % TINY_WIDTH / 3;
			uint32_t value = nnc_rng_below(&rng, 160);
			x[at++] = (unsigned char)(value + (quarter == class ? 60 : 0));
		}
	}
	temp_write(images, x, at);
	temp_write(labels, y, label_at);
}

void tiny_write_data(void)
{
	write_part("d/train-images-idx3-ubyte", "d/train-labels-idx1-ubyte", TRAIN);
	write_part("d/t10k-images-idx3-ubyte", "d/t10k-labels-idx1-ubyte", TEST);
}

/* ---- programs ---------------------------------------------------------------- */

static void read_text(char text[TINY_TEXT], const char *name)
{
	FILE *file = fopen(temp_path(name), "rb");
	size_t n = file ? fread(text, 1, TINY_TEXT - 1, file) : 0;

	text[n] = '\0';
	if (file)
		fclose(file);
}

static void child(const NncModel *model, const NncModel *twin, char *arguments)
{
	char *argv[MAX_ARGUMENTS + 1], program[] = "tiny";
	int argc = 0;

	argv[argc++] = program;
	for (char *word = strtok(arguments, " "); word; word = strtok(NULL, " "))
		if (argc < MAX_ARGUMENTS)
			argv[argc++] = word;
	argv[argc] = NULL;
	fflush(stdout);
	if (!freopen(temp_path("out.txt"), "wb", stdout) ||
	    !freopen(temp_path("err.txt"), "wb", stderr) || chdir(temp_path(".")))
		_exit(99);
	exit(nnc_main(argc, argv, model, twin));
}

const TinyRun *tiny_run(const NncModel *model, const NncModel *twin,
			const char *arguments)
{
	static TinyRun run;
	char *copy = strdup(arguments);
	int status = 0;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0)
		child(model, twin, copy);
	free(copy);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		abort();
	run.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	read_text(run.out, "out.txt");
	read_text(run.err, "err.txt");
	return &run;
}

/* ---- comparing --------------------------------------------------------------- */

static bool same_tensors(const NncTensors *a, const NncTensors *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		const NncEntry *x = &a->entry[i], *y = nnc_tensors_find(b, x->name);
		if (!y || strcmp(x->dtype, y->dtype) != 0 || x->size != y->size ||
		    memcmp(x->data, y->data, x->size) != 0)
			return false;
	}
	return true;
}

bool tiny_same(const char *one, const char *two, const char *const *metadata)
{
	NncTensors a = {0}, b = {0};
	bool same = !nnc_tensors_load(&a, temp_path(one), NULL) &&
		    !nnc_tensors_load(&b, temp_path(two), NULL) && same_tensors(&a, &b);

	for (; same && metadata && *metadata; metadata++) {
		const char *x = nnc_tensors_get(&a, *metadata);
		const char *y = nnc_tensors_get(&b, *metadata);
		same = x && y && !strcmp(x, y);
	}
	nnc_tensors_free(&a);
	nnc_tensors_free(&b);
	return same;
}
