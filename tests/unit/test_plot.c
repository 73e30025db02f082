/* test_plot.c - text for gnuplot and terminals, gnuplot itself, the learning curves. */
#include "internal.h"
#include "plot.h"
#include "temp_folder.h"
#include "tiny.h"

#include <CUnit/CUnit.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

extern void suite_plot(void);

static char *path_before;

static int set_up(void)
{
	path_before = strdup(getenv("PATH"));
	if (temp_folder_make())
		return 1;
	tiny_write_data();
	return 0;
}

static int tear_down(void)
{
	setenv("PATH", path_before, 1);
	free(path_before);
	return temp_folder_remove();
}

/* ---- text -------------------------------------------------------------------- */

static void code_points(void)
{
	static const struct {
		const char *text;
		uint32_t code;
		int bytes;
	} c[] = {
		{"a", 'a', 1},
		{"\x1b", 0xfffd, 1},
		{"\x7f", 0xfffd, 1},
		{"\xc3\xa9", 0xe9, 2},
		{"\xc2\x80", 0xfffd, 2}, /* a control character */
		{"\xe2\x82\xac", 0x20ac, 3},
		{"\xf0\x9f\x91\x9f", 0x1f45f, 4},
		{"\xc3", 0xfffd, 1}, /* cut off */
		{"\xe2\x82", 0xfffd, 1},
		{"\xc0\xaf", 0xfffd, 2}, /* too long for what it is */
		{"\xe0\x80\xaf", 0xfffd, 3},
		{"\xed\xa0\x80", 0xfffd, 3},     /* half a pair */
		{"\xf4\x90\x80\x80", 0xfffd, 4}, /* beyond the last */
		{"\xef\xbf\xbe", 0xfffd, 3},     /* no character */
		{"\xff", 0xfffd, 1},
		{"\x80", 0xfffd, 1},
	};
	char bytes[4];

	for (size_t i = 0; i < sizeof c / sizeof *c; i++) {
		const char *at = c[i].text;
		uint32_t code = nnc_code_point(&at);
		CU_ASSERT_EQUAL(code, c[i].code);
		CU_ASSERT_EQUAL(at - c[i].text, c[i].bytes);
		if (code == 0xfffd)
			continue;
		CU_ASSERT_EQUAL(nnc_utf8(bytes, code), (size_t)c[i].bytes);
		CU_ASSERT_EQUAL(memcmp(bytes, c[i].text, (size_t)c[i].bytes), 0);
	}
}

static void cells(void)
{
	static const struct {
		const char *text, *in_six;
		int cells;
	} c[] = {
		{"", "      ", 0},
		{"shoe", "shoe  ", 4},
		{"sandal", "sandal", 6},
		{"trouser", "trous\xe2\x80\xa6", 7},
		{"\xc3\xa9t\xc3\xa9", "\xc3\xa9t\xc3\xa9   ", 3},
		{"e\xcc\x81", "e\xcc\x81     ", 1},
		{"\xe9\x9e\x8b\xe9\x9e\x8b", "\xe9\x9e\x8b\xe9\x9e\x8b  ", 4},
		{"\xe9\x9e\x8b\xe9\x9e\x8b\xe9\x9e\x8b\xe9\x9e\x8b",
		 "\xe9\x9e\x8b\xe9\x9e\x8b\xe2\x80\xa6 ", 8},
		{"\x1b[2J", "\xef\xbf\xbd[2J  ", 4},
	};

	for (size_t i = 0; i < sizeof c / sizeof *c; i++) {
		char *text = NULL;
		size_t size;
		FILE *out = open_memstream(&text, &size);
		nnc_print_cells(out, c[i].text, 6);
		fclose(out);
		CU_ASSERT_EQUAL(nnc_cells(c[i].text), c[i].cells);
		CU_ASSERT_STRING_EQUAL(text, c[i].in_six);
		free(text);
	}
}

static void strings(void)
{
	static const struct {
		const char *text, *string;
	} c[] = {
		{"", "\"\""},
		{"cnn: lr 1e-4, (2)", "\"cnn: lr 1e-4, (2)\""},
		{"say \"hi\"", "\"say \\042hi\\042\""},
		{"it's", "\"it\\047s\""},
		{"a\nset output", "\"a\\357\\277\\275set output\""},
		{"`id`", "\"\\140id\\140\""},
		{"@x %s $(x) |<>", "\"\\100x \\045s \\044(x) \\174\\074\\076\""},
		{"\\\"", "\"\\134\\042\""},
		{"a_{b}^c~&#", "\"a_\\173b\\175\\136c\\176\\046\\043\""},
		{"\xc3\xa9\xff", "\"\\303\\251\\357\\277\\275\""},
	};

	for (size_t i = 0; i < sizeof c / sizeof *c; i++) {
		char *text = NULL;
		size_t size;
		FILE *out = open_memstream(&text, &size);
		nnc_plot_string(out, c[i].text);
		fclose(out);
		CU_ASSERT_STRING_EQUAL(text, c[i].string);
		free(text);
	}
}

/* ---- gnuplot ----------------------------------------------------------------- */

/* A gnuplot of our own that is found first; with NULL, none is found. */
static void pretend(const char *commands)
{
	char script[512], path[8192];

	if (!commands) {
		setenv("PATH", temp_path("nothing"), 1);
		return;
	}
	snprintf(script, sizeof script, "#!/bin/sh\n%s\n", commands);
	chmod(temp_write("bin/gnuplot", script, strlen(script)), 0700);
	snprintf(path, sizeof path, "%s:%s", temp_path("bin"), path_before);
	setenv("PATH", path, 1);
}

static void runs_gnuplot(void)
{
	NncError err;
	char *output;

	setenv("PATH", path_before, 1);
	CU_ASSERT_EQUAL(
		nnc_gnuplot(NULL, "set print '-'\nprint 6 * 7\n", 30, &output, &err),
		NNC_OK);
	CU_ASSERT_STRING_EQUAL(output, "42\n");
	free(output);
	CU_ASSERT_EQUAL(nnc_gnuplot(NULL, "set print '-'\nplot (\n", 30, &output, &err),
			NNC_FAILED);
	CU_ASSERT_PTR_NULL(output);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.message, "invalid expression"));
	CU_ASSERT_EQUAL(nnc_gnuplot(temp_path("none"), "", 30, NULL, &err), NNC_IO);
	/* its names are of the folder */
	CU_ASSERT_EQUAL(nnc_gnuplot(temp_path("d"), "set print 'here'\nprint 1\n", 30,
				    NULL, &err),
			NNC_OK);
	CU_ASSERT_EQUAL(access(temp_path("d/here"), F_OK), 0);
}

static void gnuplot_fails(void)
{
	NncError err;

	pretend(NULL);
	CU_ASSERT_EQUAL(nnc_gnuplot(NULL, "", 30, NULL, &err), NNC_NOINPUT);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.message, "apt-get install gnuplot-nox"));
	pretend("echo out of luck >&2; exit 3");
	CU_ASSERT_EQUAL(nnc_gnuplot(NULL, "", 30, NULL, &err), NNC_FAILED);
	CU_ASSERT_STRING_EQUAL(err.message, "gnuplot failed: out of luck");
	pretend("kill -9 $$");
	CU_ASSERT_EQUAL(nnc_gnuplot(NULL, "", 30, NULL, &err), NNC_FAILED);
	pretend("trap '' TERM INT; sleep 1000");
	CU_ASSERT_EQUAL(nnc_gnuplot(NULL, "", 0.1, NULL, &err), NNC_FAILED);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.message, "was stopped"));
	setenv("PATH", path_before, 1);
}

/* ---- the curves of a run ----------------------------------------------------- */

static bool exists(const char *name)
{
	return access(temp_path(name), F_OK) == 0;
}

static void draws(void)
{
	const TinyRun *r =
		tiny_run(&tiny_model, NULL, "train --data d --out one --epochs 1");

	CU_ASSERT_EQUAL(r->status, 0);
	CU_ASSERT(exists("one/curves.gnuplot"));
	CU_ASSERT(exists("one/curves.svg"));
	CU_ASSERT(exists("one/curves.png"));
	r = tiny_run(&tiny_model, NULL, "train --data d --out no --no-plot");
	CU_ASSERT_EQUAL(r->status, 0);
	CU_ASSERT(!exists("no/curves.gnuplot"));
	r = tiny_run(&tiny_model, NULL, "train --data d --out one");
	CU_ASSERT(exists("one/curves.gnuplot~"));
	CU_ASSERT(exists("one/curves.png~"));
}

/* A picture that cannot be drawn is no reason for another exit status. */
static void draws_nothing(void)
{
	const TinyRun *r;

	pretend(NULL);
	r = tiny_run(&tiny_model, NULL, "train --data d --out none --epochs 2");
	CU_ASSERT_EQUAL(r->status, 0);
	CU_ASSERT(exists("none/curves.gnuplot"));
	CU_ASSERT(!exists("none/curves.svg"));
	const char *once = strstr(r->err, "gnuplot is not installed");
	CU_ASSERT_PTR_NOT_NULL_FATAL(once);
	CU_ASSERT_PTR_NULL(strstr(once + 1, "gnuplot is not installed"));
	pretend("echo a >curves.svg; exit 1");
	r = tiny_run(&tiny_model, NULL, "train --data d --out none --epochs 2");
	CU_ASSERT_EQUAL(r->status, 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(r->err, "warning: no picture of the curves"));
	CU_ASSERT(!exists("none/curves.svg"));
	r = tiny_run(&tiny_model, NULL, "train --data d --out none --epochs 2 --quiet");
	CU_ASSERT_STRING_EQUAL(r->err, "");
	setenv("PATH", path_before, 1);
}

/* All of a file; its length. */
static size_t bytes_of(char *bytes, size_t most, const char *name)
{
	FILE *file = fopen(temp_path(name), "rb");
	size_t n = file ? fread(bytes, 1, most, file) : 0;

	if (file)
		fclose(file);
	return n;
}

/* A run that is killed or stopped while it draws: no half a picture, and resuming draws
   what a run would have drawn that was not. */
static void draws_again(void)
{
	static char before[1 << 18], after[sizeof before];
	static const char *const pictures[] = {"curves.svg", "curves.png"};
	const TinyRun *r;

	r = tiny_run(&tiny_model, NULL, "train --data d --out all --epochs 2");
	CU_ASSERT_EQUAL(r->status, 0);
	pretend("head -c 100000 /dev/zero | tee curves.png >curves.svg; kill -TERM "
		"$PPID; sleep 1000");
	r = tiny_run(&tiny_model, NULL, "train --data d --out part --epochs 2 --quiet");
	CU_ASSERT_EQUAL(r->status, 143);
	CU_ASSERT_PTR_NOT_NULL(strstr(r->err, "interrupted after the last epoch"));
	CU_ASSERT_PTR_NOT_NULL(strstr(r->err, "train --resume --out part"));
	CU_ASSERT(!exists("part/curves.svg") && !exists("part/curves.png"));
	setenv("PATH", path_before, 1);
	r = tiny_run(&tiny_model, NULL, "train --data d --out part --resume");
	CU_ASSERT_EQUAL(r->status, 0);
	pretend("kill -KILL $PPID; sleep 1");
	tiny_run(&tiny_model, NULL, "train --data d --out part --resume");
	for (size_t i = 0; i < sizeof pictures / sizeof *pictures; i++) {
		char name[32];
		snprintf(name, sizeof name, "all/%s", pictures[i]);
		size_t n = bytes_of(before, sizeof before, name);
		snprintf(name, sizeof name, "part/%s", pictures[i]);
		CU_ASSERT(n > 1000);
		CU_ASSERT_EQUAL(bytes_of(after, sizeof after, name), n);
		CU_ASSERT_EQUAL(memcmp(before, after, n), 0);
	}
	pretend("exit 0");
	r = tiny_run(&tiny_model, NULL, "train --data d --out part --resume");
	CU_ASSERT_EQUAL(r->status, 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(r->err, "gnuplot drew no picture"));
	CU_ASSERT(!exists("part/curves.svg"));
	setenv("PATH", path_before, 1);
}

/* Titles, many epochs, one epoch, hostile names: gnuplot takes it, and prints an SVG.
 */
static void scripts(void)
{
	static NncRow row[5000];
	NncState state = {.lr = 0.1, .seed = 3};
	NncScore test = {.samples = 1, .loss = 0.25, .accuracy = 0.5};
	NncModel model = tiny_model;
	NncCurves c = {.model = &model, .state = &state, .rows = row, .test = &test};

	model.name = "</text><script>\"`touch canary`\n$(touch canary)@x\\";
	for (uint32_t i = 0; i < 5000; i++)
		row[i] = (NncRow){.epoch = i + 1,
				  .loss = 1.0 / (i + 1),
				  .accuracy = 0.5,
				  .val_loss = i % 2 ? NAN : 1,
				  .val_accuracy = NAN};
	for (uint32_t n = 1; n <= 5000; n = n * 7 + 3) {
		char *script, *svg = NULL;
		NncError err = {0};
		c.row_count = c.epochs = n;
		c.held_out = n > 1;
		c.best_epoch = n / 2;
		script = nnc_curves_script(&c);
		CU_ASSERT_EQUAL(nnc_gnuplot(temp_path("."), script, 30, &svg, &err),
				NNC_OK);
		CU_ASSERT_STRING_EQUAL(err.message, "");
		CU_ASSERT(svg && strstr(svg, "<svg") && strstr(svg, ">test 0.5000<"));
		CU_ASSERT(svg && !strstr(svg, "<script"));
		free(svg);
		free(script);
	}
	row[0].loss = row[1].loss = 0; /* flat, at the ends of the axes */
	row[0].accuracy = row[1].accuracy = 1;
	c.row_count = c.epochs = 2;
	char *flat = nnc_curves_script(&c);
	CU_ASSERT_EQUAL(nnc_gnuplot(NULL, flat, 30, NULL, NULL), NNC_OK);
	free(flat);
	c.rows = NULL; /* with a title, which is not on the page */
	char *script = nnc_curves_script(&c);
	CU_ASSERT_PTR_NULL(strstr(script, "touch canary`"));
	CU_ASSERT_PTR_NOT_NULL(strstr(script, "\\140touch canary\\140"));
	CU_ASSERT(!exists("canary"));
	free(script);
}

/* ---- reading the history ----------------------------------------------------- */

static void reads_history(void)
{
	static const char text[] =
		"epoch,loss,accuracy,val_loss,val_accuracy,lr,seconds\n"
		"1,0.5,0.75,,,0.1,2.000000\n"
		"2,0.25,1,0.5,0.125,0.1,3.000000\n"
		"3,0.2,1,,,0.1,1.000000\n"
		"4,oops\n"
		"5,0.1,1,,,0.1,1.000000\n";
	static const char torn[] = "epoch\n1,0.5,0.75,,,0.1,2.0";
	NncRow *row;
	size_t count;

	temp_write("h.csv", text, sizeof text - 1);
	CU_ASSERT_EQUAL(nnc_history_read(temp_path("h.csv"), 99, &row, &count, NULL),
			0);
	CU_ASSERT_EQUAL_FATAL(count, 3);
	CU_ASSERT_EQUAL(row[1].epoch, 2);
	CU_ASSERT_EQUAL(row[1].val_accuracy, 0.125);
	CU_ASSERT_EQUAL(row[1].seconds, 3);
	CU_ASSERT(isnan(row[0].val_loss) && row[0].accuracy == 0.75);
	free(row);
	CU_ASSERT_EQUAL(nnc_history_read(temp_path("h.csv"), 2, &row, &count, NULL), 0);
	CU_ASSERT_EQUAL(count, 2);
	free(row);
	temp_write("h.csv", torn, sizeof torn - 1);
	CU_ASSERT_EQUAL(nnc_history_read(temp_path("h.csv"), 99, &row, &count, NULL),
			0);
	CU_ASSERT_EQUAL(count, 0);
	free(row);
	temp_write("h.csv", "", 0);
	CU_ASSERT_EQUAL(nnc_history_read(temp_path("h.csv"), 99, &row, &count, NULL),
			0);
	CU_ASSERT_EQUAL(count, 0);
	free(row);
	CU_ASSERT_EQUAL(nnc_history_read(temp_path("missing"), 99, &row, &count, NULL),
			NNC_NOINPUT);
}

void suite_plot(void)
{
	CU_pSuite suite = CU_add_suite("plot", set_up, tear_down);

	CU_add_test(suite, "code points", code_points);
	CU_add_test(suite, "cells", cells);
	CU_add_test(suite, "strings", strings);
	CU_add_test(suite, "runs gnuplot", runs_gnuplot);
	CU_add_test(suite, "gnuplot fails", gnuplot_fails);
	CU_add_test(suite, "draws", draws);
	CU_add_test(suite, "draws nothing", draws_nothing);
	CU_add_test(suite, "draws again", draws_again);
	CU_add_test(suite, "scripts", scripts);
	CU_add_test(suite, "reads history", reads_history);
}
