/*
 * snapshot.c - samples as they are in memory, in a file: `nnc tune` reads a data set
 * once, and its many runs map what it has read. Of one machine, for as long as a search
 * lasts: a cache, not a format.
 */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* The head of the file; samples and labels follow, each on NNC_ALIGN bytes. */
typedef struct Head {
	char magic[8];
	uint64_t labels, size; /* offset; of the file */
	uint32_t bytes;        /* 0 or 1: what is read into a bool may be neither */
	NncData data;          /* its pointers and `bytes` mean nothing */
} Head;

static const char magic[8] = "nncdata1";

enum { SAMPLES = (sizeof(Head) + NNC_ALIGN - 1) / NNC_ALIGN * NNC_ALIGN };

static size_t aligned(size_t size)
{
	return (size + NNC_ALIGN - 1) / NNC_ALIGN * NNC_ALIGN;
}

static Head head_of(const NncData *data)
{
	size_t samples = (size_t)data->count * nnc_sample_size(data) *
			 (data->bytes ? 1 : sizeof(float));
	Head head = {.labels = SAMPLES + aligned(samples),
		     .bytes = data->bytes,
		     .data = *data};

	memcpy(head.magic, magic, sizeof magic);
	head.size = head.labels + (size_t)data->count * sizeof *data->labels;
	head.data.samples = NULL;
	head.data.labels = NULL;
	return head;
}

int nnc_snapshot_save(const char *path, const NncData *data, NncError *err)
{
	static const char zeros[NNC_ALIGN];
	Head head = head_of(data);
	size_t samples = (size_t)data->count * nnc_sample_size(data) *
			 (data->bytes ? 1 : sizeof(float));
	FILE *out = fopen(path, "we");
	bool ok =
		out && fwrite(&head, sizeof head, 1, out) == 1 &&
		fwrite(zeros, 1, SAMPLES - sizeof head, out) == SAMPLES - sizeof head &&
		fwrite(data->samples, 1, samples, out) == samples &&
		fwrite(zeros, 1, head.labels - SAMPLES - samples, out) ==
			head.labels - SAMPLES - samples &&
		fwrite(data->labels, sizeof *data->labels, (size_t)data->count, out) ==
			(size_t)data->count;

	if (out && fclose(out))
		ok = false;
	if (ok)
		return NNC_OK;
	return nnc_fail(err, NNC_IO, "cannot write %s: %s", path, strerror(errno));
}

/* Whether the head is ours, and says what the file holds. */
static bool is_whole(const Head *head, size_t size)
{
	const NncData *d = &head->data;
	size_t numbers = head->bytes ? 1 : sizeof(float);

	if (memcmp(head->magic, magic, sizeof magic) != 0 || head->size != size ||
	    head->bytes > 1 || !memchr(d->source, '\0', sizeof d->source) ||
	    d->count < 1 || d->count > INT32_MAX || d->height < 1 || d->width < 1 ||
	    d->channels < 1 || d->classes < 1)
		return false;
	if (!nnc_multiply(&numbers, (size_t)d->height) ||
	    !nnc_multiply(&numbers, (size_t)d->width) ||
	    !nnc_multiply(&numbers, (size_t)d->channels) ||
	    !nnc_multiply(&numbers, (size_t)d->count) || numbers > size)
		return false;
	return head->labels == SAMPLES + aligned(numbers) &&
	       head->size == head->labels + (size_t)d->count * sizeof *d->labels;
}

static int take(NncData *data, void *map, size_t size, const char *path, NncError *err)
{
	const Head *head = map;

	if (!is_whole(head, size)) {
		munmap(map, size);
		return nnc_fail(err, NNC_DATA, "%s is no snapshot of this nnc", path);
	}
	*data = head->data;
	data->bytes = head->bytes == 1;
	data->samples = (char *)map + SAMPLES;
	data->labels = (void *)((char *)map + head->labels);
	data->map = map;
	data->map_bytes = size;
	return NNC_OK;
}

int nnc_snapshot_load(NncData *data, const char *path, NncError *err)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC), code;
	void *map = MAP_FAILED;

	*data = (NncData){0};
	if (fd < 0)
		return nnc_fail(err, errno == ENOENT ? NNC_NOINPUT : NNC_IO,
				"cannot read %s: %s", path, strerror(errno));
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    (size_t)st.st_size >= sizeof(Head))
		map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (map == MAP_FAILED)
		return nnc_fail(err, NNC_DATA, "%s is no snapshot of this nnc", path);
	code = take(data, map, (size_t)st.st_size, path, err);
	if (!code)
		code = nnc_data_check_labels(data, 0, path, err);
	if (code)
		nnc_data_free(data);
	return code;
}
