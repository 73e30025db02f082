/* test_report.c - what a report is made of: text, pictures, intervals, tallies. */
#include "internal.h"
#include "report/html.h"
#include "temp_folder.h"
#include "tiny.h"

#include <CUnit/CUnit.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

extern void suite_report(void);

static int set_up(void)
{
	if (temp_folder_make())
		return 1;
	tiny_write_data();
	return 0;
}

static void escapes(void)
{
	static const struct {
		const char *text, *html;
	} c[] = {
		{"", ""},
		{"plain text 1", "plain text 1"},
		{"<script>alert('x')</script>",
		 "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;"},
		{"\" onload=\"x", "&quot; onload=&quot;x"},
		{"&lt;", "&amp;lt;"},
		{"a\nb\tc\x1b", "a\xef\xbf\xbd"
				"b\xef\xbf\xbd"
				"c\xef\xbf\xbd"},
		{"\xc3\xa9\xff", "\xc3\xa9\xef\xbf\xbd"},
		{"\xe6\x3c"
		 "b>",
		 "\xef\xbf\xbd&lt;b&gt;"}, /* half a letter hides no < */
	};

	for (size_t i = 0; i < sizeof c / sizeof *c; i++) {
		char *text = NULL;
		size_t size;
		FILE *page = open_memstream(&text, &size);
		nnc_html_text(page, c[i].text);
		fclose(page);
		CU_ASSERT_STRING_EQUAL(text, c[i].html);
		free(text);
	}
}

static unsigned digit(char c)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		"0123456789+/";
	const char *at = strchr(digits, c);

	return at && *at ? (unsigned)(at - digits) : 0;
}

/* The picture that an <img> holds, read back by the reader of PNG files. */
static void read_back(const char *html, NncArray *array, const NncImage *image)
{
	static unsigned char bytes[4096];
	const char *at = strstr(html, "base64,");
	size_t used = 0;

	CU_ASSERT_PTR_NOT_NULL_FATAL(at);
	for (at += 7; *at != '"' && used + 3 < sizeof bytes; at += 4) {
		unsigned word = digit(at[0]) << 18 | digit(at[1]) << 12 |
				digit(at[2]) << 6 | digit(at[3]);
		bytes[used++] = (unsigned char)(word >> 16);
		if (at[2] != '=')
			bytes[used++] = (unsigned char)(word >> 8);
		if (at[3] != '=')
			bytes[used++] = (unsigned char)word;
	}
	CU_ASSERT_EQUAL_FATAL(nnc_png_read(array, temp_write("x.png", bytes, used),
					   image->height, image->width, image->channels,
					   0, NULL),
			      NNC_OK);
}

static void pictures(void)
{
	unsigned char pixels[3 * 7 * 5];

	for (int32_t channels = 1; channels <= 3; channels += 2)
		for (int32_t width = 1; width <= 7; width++) {
			NncImage image = {width, 5, channels, pixels};
			NncArray array = {0};
			char *html = NULL;
			size_t size;
			FILE *page = open_memstream(&html, &size);
			for (size_t i = 0; i < sizeof pixels; i++)
				pixels[i] = (unsigned char)(i * 37 + (size_t)width);
			CU_ASSERT_EQUAL(nnc_html_image(page, &image, "\"<x>", NULL), 0);
			fclose(page);
			CU_ASSERT_PTR_NOT_NULL(strstr(html, "alt=\"&quot;&lt;x&gt;\""));
			read_back(html, &array, &image);
			CU_ASSERT_EQUAL(array.count, (size_t)(width * 5 * channels));
			CU_ASSERT_EQUAL(memcmp(array.data, pixels, array.count), 0);
			nnc_array_free(&array);
			free(html);
		}
}

/* Wilson's interval, for samples whose ends are known. */
static void intervals(void)
{
	NncScore s = {.samples = 100, .correct = 90, .accuracy = 0.9};
	double low, high;

	nnc_interval(&s, &low, &high);
	CU_ASSERT_DOUBLE_EQUAL(low, 0.82563, 1e-5);
	CU_ASSERT_DOUBLE_EQUAL(high, 0.94477, 1e-5);
	s = (NncScore){.samples = 10, .correct = 10, .accuracy = 1};
	nnc_interval(&s, &low, &high);
	CU_ASSERT_DOUBLE_EQUAL(low, 0.72247, 1e-5);
	CU_ASSERT_DOUBLE_EQUAL(high, 1, 1e-12);
	s = (NncScore){0};
	nnc_interval(&s, &low, &high);
	CU_ASSERT(low >= 0 && high <= 1 && low < high);
}

static void classes(void)
{
	static const int64_t confusion[] = {8, 2, 0, 1, 4, 5, 0, 0, 0};
	NncClassScore s = nnc_class_score(confusion, 3, 1);
	NncConfused most[2];

	CU_ASSERT_DOUBLE_EQUAL(s.precision, 4.0 / 6, 1e-12);
	CU_ASSERT_DOUBLE_EQUAL(s.recall, 0.4, 1e-12);
	CU_ASSERT_DOUBLE_EQUAL(s.f1, 0.5, 1e-12);
	CU_ASSERT_EQUAL(s.support, 10);
	s = nnc_class_score(confusion, 3, 2); /* no sample, only wrong answers */
	CU_ASSERT(s.precision == 0 && s.recall == 0 && s.f1 == 0 && s.support == 0);
	CU_ASSERT_EQUAL(nnc_most_confused(most, 2, confusion, 3), 2);
	CU_ASSERT(most[0].label == 1 && most[0].answer == 2 && most[0].count == 5);
	CU_ASSERT(most[1].label == 0 && most[1].answer == 1 && most[1].count == 2);
}

/* The mistakes that are kept, against a sort of all of them. */
static void mistakes(void)
{
	NncMistake few[5], all[200];
	NncTally some = {.mistakes = few, .mistake_room = 5};
	NncTally every = {.mistakes = all, .mistake_room = 200};
	NncContext c = {0};
	NncData data = {0};
	NncScore score;

	CU_ASSERT_EQUAL_FATAL(nnc_synthetic(&data, &tiny_model, 150, 3, NULL), NNC_OK);
	CU_ASSERT_EQUAL_FATAL(nnc_context_open(&c, &tiny_model, NNC_INFERENCE, 1, NULL),
			      NNC_OK);
	nnc_init_params(&c, &tiny_model, 9);
	nnc_evaluate(&c, &tiny_model, &data, NULL, 150, &some, &score, NULL);
	nnc_evaluate(&c, &tiny_model, &data, NULL, 150, &every, &score, NULL);
	CU_ASSERT_EQUAL(every.mistake_count, score.samples - score.correct);
	CU_ASSERT_EQUAL_FATAL(some.mistake_count, 5);
	CU_ASSERT_EQUAL(memcmp(few, all, sizeof few), 0);
	for (int i = 0; i < every.mistake_count; i++) {
		const NncMistake *m = &all[i];
		CU_ASSERT(m->label != m->answer && m->sure >= m->label_sure);
		CU_ASSERT_EQUAL(m->label, data.labels[m->sample]);
		CU_ASSERT(i == 0 || m[-1].sure >= m->sure);
	}
	nnc_context_close(&c);
	nnc_data_free(&data);
}

static void reports(void)
{
	const TinyRun *r;

	r = tiny_run(&tiny_model, NULL, "report --data d");
	CU_ASSERT_EQUAL(r->status, NNC_NOINPUT);
	tiny_run(&tiny_model, NULL, "train --data d --quiet --no-plot --epochs 3");
	r = tiny_run(&tiny_model, NULL, "report --data d");
	CU_ASSERT_EQUAL(r->status, 0);
	CU_ASSERT_STRING_EQUAL(r->out, "tiny.run/report.html\n");
	CU_ASSERT_STRING_EQUAL(r->err, "");
	r = tiny_run(&tiny_model, NULL, "report --data none -o page.html");
	CU_ASSERT_EQUAL(r->status, 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(r->err, "nothing was scored"));
	tiny_run(&tiny_model, NULL, "init -o w.safetensors");
	r = tiny_run(&tiny_model, NULL, "report --data d --weights w.safetensors -o -");
	CU_ASSERT_EQUAL(r->status, 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(r->out, "<h2>Result</h2>"));
	CU_ASSERT_PTR_NULL(strstr(r->out, "<h2>Training</h2>"));
	r = tiny_run(&tiny_model, NULL, "report --data d -o none/page.html");
	CU_ASSERT_EQUAL(r->status, NNC_IO);
}

void suite_report(void)
{
	CU_pSuite suite = CU_add_suite("report", set_up, temp_folder_remove);

	CU_add_test(suite, "escapes", escapes);
	CU_add_test(suite, "pictures", pictures);
	CU_add_test(suite, "intervals", intervals);
	CU_add_test(suite, "classes", classes);
	CU_add_test(suite, "mistakes", mistakes);
	CU_add_test(suite, "reports", reports);
}
