/*
 * csv - numbers in rows, one of them the class number: the column that the model names,
 * or that a heading calls label, class, target or y, else the last. Separated by
 * commas, semicolons, tabs or spaces. The path is a folder with train.csv and test.csv,
 * or the training file, in whose name "train" becomes "test" for the test part.
 */
#include "internal.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A table of floats, with the place that is being read. */
typedef struct Table {
	char path[80];  /* quoted */
	char *at, *end; /* of the text; *end is NUL */
	size_t line;    /* counted from 1 */
	char separator; /* ' ': any white space */
	size_t rows, columns, room;
	float *number; /* (rows, columns) */
	long label;    /* its column, or -1 */
	const char
		*wanted; /* what the model says of it: first, last, a number, a name */
} Table;

/* Cuts the next line that is not blank; NULL at the end. */
static int next_line(Table *t, char **line, NncError *err)
{
	*line = NULL;
	while (t->at < t->end) {
		char *start = t->at;
		char *stop = memchr(start, '\n', (size_t)(t->end - start));
		if (!stop)
			stop = t->end;
		t->at = stop < t->end ? stop + 1 : stop;
		t->line++;
		if (stop - start > NNC_MAX_CSV_LINE)
			return nnc_fail(err, NNC_DATA,
					"\"%s\" line %zu is over %d bytes", t->path,
					t->line, NNC_MAX_CSV_LINE);
		while (stop > start && isspace((unsigned char)stop[-1]) &&
		       stop[-1] != '\t')
			stop--;
		*stop = 0;
		if (strlen(start) != (size_t)(stop - start))
			return nnc_fail(err, NNC_DATA, "\"%s\" line %zu has a NUL byte",
					t->path, t->line);
		if (*start) {
			*line = start;
			return NNC_OK;
		}
	}
	return NNC_OK;
}

/* Cuts the next field of *line, without blanks and quotes around it; NULL: none left.
 */
static char *next_field(const Table *t, char **line)
{
	char *start = *line, *stop;
	size_t length;

	if (!start)
		return NULL;
	while (*start == ' ')
		start++;
	stop = t->separator == ' ' ? start + strcspn(start, " \t")
				   : strchr(start, t->separator);
	if (stop && *stop) {
		*stop = 0;
		*line = stop + 1;
		if (t->separator == ' ')
			*line += strspn(*line, " \t");
	} else {
		*line = NULL;
	}
	length = strlen(start);
	while (length > 0 && isspace((unsigned char)start[length - 1]))
		start[--length] = 0;
	if (length >= 2 && start[0] == '"' && start[length - 1] == '"') {
		start[length - 1] = 0;
		start++;
	}
	return start;
}

static bool parse_number(float *value, const char *field)
{
	char *end;

	if (!*field || strcspn(field, "xXnN") != strlen(field)) /* 0x10, nan, inf */
		return false;
	*value = strtof(field, &end);
	return *end == 0 && isfinite(*value);
}

/* Room for another row. */
static int grow(Table *t, NncError *err)
{
	size_t size = t->columns;
	float *grown;

	if (t->rows < t->room)
		return NNC_OK;
	t->room = t->room ? 2 * t->room : 256;
	if (t->rows >= INT32_MAX || !nnc_multiply(&size, t->room) ||
	    !nnc_multiply(&size, sizeof(float)) || size > NNC_MAX_FILE)
		return nnc_fail(err, NNC_DATA, "\"%s\" has too many numbers", t->path);
	grown = realloc(t->number, size);
	if (!grown)
		return nnc_fail(err, NNC_NOMEM, "out of memory: \"%s\" needs %zu bytes",
				t->path, size);
	t->number = grown;
	return NNC_OK;
}

static int read_row(Table *t, char *line, NncError *err)
{
	char *field;
	char quoted[80];
	size_t column = 0;
	int code = grow(t, err);

	if (code != NNC_OK)
		return code;
	for (; (field = next_field(t, &line)); column++) {
		float value = 0;
		if (column < t->columns && !parse_number(&value, field))
			return nnc_fail(
				err, NNC_DATA,
				"\"%s\" line %zu, column %zu: \"%s\" is not a number",
				t->path, t->line, column + 1, nnc_quote(quoted, field));
		if (column < t->columns)
			t->number[t->rows * t->columns + column] = value;
	}
	if (column != t->columns)
		return nnc_fail(err, NNC_DATA,
				"\"%s\" line %zu has %zu columns, the first "
				"line has %zu",
				t->path, t->line, column, t->columns);
	t->rows++;
	return NNC_OK;
}

/* The heading that names the label: the one asked for, or one of the usual. */
static bool names_label(const Table *t, const char *field)
{
	static const char *const names[] = {"label", "class", "target", "y"};

	if (t->wanted)
		return strcmp(field, t->wanted) == 0;
	for (int i = 0; i < 4; i++)
		if (strcasecmp(field, names[i]) == 0)
			return true;
	return false;
}

/* The first line: a heading if none of its fields is a number. */
static int read_first_line(Table *t, NncError *err)
{
	char *line, *copy, *rest, *field;
	bool heading = true;
	int code = next_line(t, &line, err);

	if (code != NNC_OK || !line)
		return code;
	t->separator = strchr(line, ',')    ? ','
		       : strchr(line, ';')  ? ';'
		       : strchr(line, '\t') ? '\t'
					    : ' ';
	copy = rest = strdup(line);
	if (!copy)
		return nnc_fail(err, NNC_NOMEM, "out of memory");
	for (long column = 0; (field = next_field(t, &rest)); column++) {
		float value;
		heading &= *field && !parse_number(&value, field);
		if (names_label(t, field))
			t->label = column;
		t->columns++;
	}
	free(copy);
	return heading ? NNC_OK : read_row(t, line, err);
}

static int read_table(Table *t, const NncBytes *text, NncError *err)
{
	const char *kind = nnc_kind_of(text->data, text->size);
	char *line;
	int code;

	if (strcmp(kind, "text") != 0)
		return nnc_fail(err, NNC_DATA, "\"%s\" is not CSV: it is %s", t->path,
				kind);
	t->at = (char *)text->data;
	t->end = t->at + text->size;
	if (text->size >= 3 && memcmp(t->at, "\xef\xbb\xbf", 3) == 0)
		t->at += 3;
	code = read_first_line(t, err);
	while (code == NNC_OK) {
		code = next_line(t, &line, err);
		if (code != NNC_OK || !line)
			break;
		code = read_row(t, line, err);
	}
	if (code == NNC_OK && (t->rows == 0 || t->columns < 2))
		code = nnc_fail(err, NNC_DATA,
				"\"%s\" has no rows of numbers and a class", t->path);
	return code;
}

/* Is every number of the column a class number? */
static bool is_label(const Table *t, size_t column)
{
	for (size_t row = 0; row < t->rows; row++) {
		float value = t->number[row * t->columns + column];
		if (!(value >= 0 && value < NNC_MAX_CLASSES) || value != floorf(value))
			return false;
	}
	return true;
}

/* Which column is the label: what the model says, the heading, else the last. */
static int find_label(const Table *t, size_t *label, NncError *err)
{
	const char *wanted = t->wanted;
	long number = wanted ? strtol(wanted, NULL, 10) : 0;

	*label = t->label >= 0 ? (size_t)t->label : t->columns - 1;
	if (wanted && strcmp(wanted, "first") == 0)
		*label = 0;
	else if (wanted && number >= 1 && (size_t)number <= t->columns)
		*label = (size_t)number - 1;
	else if (wanted && strcmp(wanted, "last") != 0 && t->label < 0)
		return nnc_fail(err, NNC_DATA, "\"%s\" has no column \"%s\" of its %zu",
				t->path, wanted, t->columns);
	if (is_label(t, *label))
		return NNC_OK;
	return nnc_fail(err, NNC_DATA,
			"\"%s\": column %zu is not class numbers 0, 1, 2 ...\n"
			"help: say which column is: data csv \"...\" { label first; }",
			t->path, *label + 1);
}

/* Moves the label column out of the table, whose numbers become the samples. */
static int take_table(NncData *data, Table *t, NncError *err)
{
	size_t label;
	float *to;
	int code = find_label(t, &label, err);

	if (code != NNC_OK)
		return code;
	data->count = (int64_t)t->rows;
	data->height = data->width = 1;
	data->channels = (int32_t)(t->columns - 1);
	data->labels = nnc_allocate(t->rows, sizeof *data->labels);
	if (!data->labels)
		return nnc_fail(err, NNC_NOMEM, "out of memory");
	data->samples = to = t->number;
	for (size_t row = 0; row < t->rows; row++)
		for (size_t column = 0; column < t->columns; column++) {
			float value = t->number[row * t->columns + column];
			if (column == label)
				data->labels[row] = (int32_t)value;
			else
				*to++ = value;
		}
	t->number = NULL;
	return NNC_OK;
}

/* The file of a part; see the head of this file. */
static int find(char found[512], const NncDataRequest *request, NncError *err)
{
	static const char *const files[2][2] = {{"train.csv"}, {"test.csv"}};
	NncSearch search = {request->test ? "test part" : "training part", "csv", NULL,
			    NULL, files[request->test]};
	const char *path = request->directory ? request->directory : request->path;
	const char *last;
	struct stat st;
	char quoted[80];

	if (!path || (stat(path, &st) == 0 && S_ISDIR(st.st_mode)))
		return nnc_search(found, &search, request, err);
	last = strrchr(path, '/');
	last = strstr(last ? last : path, "train");
	nnc_quote(quoted, path);
	if (strlen(path) >= 500)
		return nnc_fail(err, NNC_NOINPUT, "too long a path: \"%s\"", quoted);
	if (!request->test)
		snprintf(found, 512, "%s", path);
	else if (last)
		snprintf(found, 512, "%.*stest%s", (int)(last - path), path, last + 5);
	else
		return nnc_fail(
			err, NNC_NOINPUT,
			"\"%s\" has no test part\n"
			"help: put train.csv and test.csv into a folder and write "
			"data csv \"FOLDER\"",
			quoted);
	return NNC_OK;
}

static int load(NncData *data, const NncDataRequest *request, NncError *err)
{
	NncBytes text = {0};
	Table table = {.label = -1};
	int code;

	*data = (NncData){0};
	table.wanted = request->label;
	code = find(data->source, request, err);
	if (code == NNC_OK)
		code = nnc_read_file(&text, data->source, NNC_MAX_FILE, err);
	nnc_quote(table.path, data->source);
	if (code == NNC_OK) {
		data->samples_crc = nnc_crc32(text.data, text.size);
		code = read_table(&table, &text, err);
	}
	if (code == NNC_OK)
		code = take_table(data, &table, err);
	if (code == NNC_OK)
		code = nnc_data_fits(data, request, err);
	if (code == NNC_OK)
		code = nnc_data_check_labels(data, request->classes, table.path, err);
	if (code == NNC_OK)
		code = nnc_data_fits(data, request, err);
	free(table.number);
	nnc_bytes_free(&text);
	if (code != NNC_OK)
		nnc_data_free(data);
	return code;
}

const NncFormat format_csv = {
	.name = "csv",
	.summary =
		"rows of numbers and a class number; train.csv and test.csv, or a file",
	.takes_path = true,
	.takes_label = true,
	.load = load,
};
