/*
 * history.c - one row an epoch, as CSV and as JSON lines.
 *
 * A row is written before the checkpoint of its epoch. A run killed between the two
 * makes that epoch again, so opening cuts off every row after the checkpoint's.
 */
#include "internal.h"

#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_HISTORY = 1 << 30 };

static const char header[] = "epoch,loss,accuracy,val_loss,val_accuracy,lr,seconds\n";

/* How many bytes of a file's text belong to epochs 1..keep: whole lines, `skip` lines
   of heading, and then rows that say their epoch after `before`. */
static size_t rows_to_keep(const char *text, size_t size, int skip, const char *before,
			   uint32_t keep)
{
	size_t kept = 0, prefix = strlen(before);

	while (kept < size) {
		const char *line = text + kept;
		const char *end = memchr(line, '\n', size - kept);
		if (!end)
			break;
		if (skip-- <= 0) {
			if ((size_t)(end - line) < prefix ||
			    memcmp(line, before, prefix) != 0)
				break;
			unsigned long epoch = strtoul(line + prefix, NULL, 10);
			if (epoch < 1 || epoch > keep)
				break;
		}
		kept = (size_t)(end + 1 - text);
	}
	return kept;
}

/* Cuts a history to `keep` epochs, or begins it with `heading`, and opens it. */
static int open_one(int *out, const char *path, const char *heading, const char *before,
		    uint32_t keep, NncError *err)
{
	NncBytes old = {0};
	NncError missing;
	size_t kept = 0;
	int code = NNC_OK;

	if (keep) {
		code = nnc_read_file(&old, path, MAX_HISTORY, &missing);
		if (code && code != NNC_NOINPUT) {
			nnc_fail(err, code, "%s", missing.message);
			goto done;
		}
	}
	if (old.data)
		kept = rows_to_keep((const char *)old.data, old.size, *heading != 0,
				    before, keep);
	if (kept)
		code = nnc_write_file(path, old.data, kept, err);
	else
		code = nnc_write_file(path, heading, strlen(heading), err);
	if (code)
		goto done;
	*out = open(path, O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC);
	if (*out < 0)
		code = nnc_fail_io(err, "open", path);
done:
	nnc_bytes_free(&old);
	return code;
}

int nnc_history_open(NncHistory *history, const NncFolder *folder, uint32_t keep,
		     NncError *err)
{
	char path[NNC_MAX_PATH];
	int code;

	memset(history, 0, sizeof *history);
	nnc_folder_file(path, folder, "history.csv");
	code = open_one(&history->csv, path, header, "", keep, err);
	if (!code) {
		nnc_folder_file(path, folder, "history.jsonl");
		code = open_one(&history->jsonl, path, "", "{\"epoch\": ", keep, err);
	}
	if (code)
		nnc_history_close(history);
	return code;
}

/* A row of the CSV file; false: it is none. */
static bool read_row(const char *line, NncRow *row)
{
	double *field[] = {&row->loss,         &row->accuracy, &row->val_loss,
			   &row->val_accuracy, &row->lr,       &row->seconds};
	char *end;
	unsigned long epoch = strtoul(line, &end, 10);

	if (end == line || epoch < 1 || epoch > NNC_MAX_EPOCHS)
		return false;
	row->epoch = (uint32_t)epoch;
	for (size_t i = 0; i < sizeof field / sizeof *field; i++) {
		if (*end != ',')
			return false;
		char *from = end + 1;
		*field[i] = strtod(from, &end);
		if (end == from)
			*field[i] = NAN;
	}
	return *end == '\n';
}

int nnc_history_read(const char *path, uint32_t keep, NncRow **rows, size_t *count,
		     NncError *err)
{
	NncBytes text = {0};
	size_t lines = 0;
	int code = nnc_read_file(&text, path, MAX_HISTORY, err);

	*rows = NULL;
	*count = 0;
	if (code)
		return code;
	for (size_t i = 0; i < text.size; i++)
		lines += text.data[i] == '\n';
	*rows = nnc_allocate(lines, sizeof **rows);
	if (!*rows)
		code = nnc_fail(err, NNC_NOMEM, "not enough memory for %s", path);
	const char *line =
		strchr((const char *)text.data, '\n'); /* after the heading */
	for (; *rows && line && *count < lines; line = strchr(line + 1, '\n')) {
		NncRow *row = *rows + *count;
		if (!read_row(line + 1, row) || row->epoch > keep)
			break;
		++*count;
	}
	nnc_bytes_free(&text);
	return code;
}

/* A row as text. */
typedef struct Text {
	char text[512];
	size_t used;
} Text;

static void put_text(Text *t, const char *before, const char *text)
{
	t->used += (size_t)snprintf(t->text + t->used, sizeof t->text - t->used, "%s%s",
				    before, text);
}

/* A number, or `none` for NAN. */
static void put(Text *t, const char *before, double value, const char *none)
{
	char number[32];

	snprintf(number, sizeof number, "%.9g", value);
	put_text(t, before, isfinite(value) ? number : none);
}

/* It lasts before the checkpoint that counts it does. */
static int append(int fd, const Text *row, NncError *err)
{
	if (nnc_write_all(fd, row->text, row->used) && nnc_sync(fd))
		return NNC_OK;
	return nnc_fail_io(err, "write", "history");
}

int nnc_history_add(NncHistory *history, const NncRow *row, NncError *err)
{
	Text csv = {.used = 0}, jsonl = {.used = 0};
	char seconds[64];
	int code;

	snprintf(seconds, sizeof seconds, "%.6f", row->seconds);
	put(&csv, "", row->epoch, "");
	put(&csv, ",", row->loss, "");
	put(&csv, ",", row->accuracy, "");
	put(&csv, ",", row->val_loss, "");
	put(&csv, ",", row->val_accuracy, "");
	put(&csv, ",", row->lr, "");
	put_text(&csv, ",", seconds);
	put_text(&csv, "\n", "");
	put(&jsonl, "{\"epoch\": ", row->epoch, "null");
	put(&jsonl, ", \"loss\": ", row->loss, "null");
	put(&jsonl, ", \"accuracy\": ", row->accuracy, "null");
	put(&jsonl, ", \"val_loss\": ", row->val_loss, "null");
	put(&jsonl, ", \"val_accuracy\": ", row->val_accuracy, "null");
	put(&jsonl, ", \"lr\": ", row->lr, "null");
	put_text(&jsonl, ", \"seconds\": ", seconds);
	put_text(&jsonl, "}\n", "");
	code = append(history->csv, &csv, err);
	return code ? code : append(history->jsonl, &jsonl, err);
}

void nnc_history_close(NncHistory *history)
{
	if (history->csv > 0)
		close(history->csv);
	if (history->jsonl > 0)
		close(history->jsonl);
	memset(history, 0, sizeof *history);
}
