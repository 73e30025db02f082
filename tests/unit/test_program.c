/* test_program.c - the other commands, the options, the progress line, the history. */
#include "cli.h"
#include "temp_folder.h"
#include "tiny.h"

#include <CUnit/CUnit.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int set_up(void)
{
	if (temp_folder_make())
		return 1;
	tiny_write_data();
	return 0;
}

static const TinyRun *run(const char *arguments)
{
	return tiny_run(&tiny_model, &tiny_model_double, arguments);
}

/* The output as JSON; fatal if it is none. Release with json_decref. */
static json_t *json_of(const TinyRun *r)
{
	json_t *root = json_loads(r->out, 0, NULL);

	CU_ASSERT_EQUAL(r->status, 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(root);
	return root;
}

static double number(const json_t *root, const char *key)
{
	const json_t *value = json_object_get(root, key);

	CU_ASSERT(json_is_number(value));
	return json_number_value(value);
}

/* ---- options ----------------------------------------------------------------- */

static void usage(void)
{
	static const struct {
		const char *arguments, *says;
	} wrong[] = {
		{"", "usage: tiny COMMAND"},
		{"trian", "did you mean train?"},
		{"train --epochs 0", "--epochs wants a whole number from 1 to 1000000"},
		{"train --epochs 1e3", "not '1e3'"},
		{"train --epcohs 3", "did you mean --epochs?"},
		{"train --lr nan", "--lr wants a number"},
		{"train --lr", "--lr wants a value"},
		{"train --json=1", "takes no value"},
		{"train --threads 1025", "from 1 to 1024"},
		{"eval --threads 0", "from 1 to 1024"},
		{"gradcheck --threads 1", "unknown option --threads"},
		{"train --seed 4294967296", "from 0 to 4294967295"},
		{"train -z", "unknown option -z"},
		{"train more", "train does not take 'more'"},
		{"predict", "predict wants INPUT..."},
		{"grad", "tiny grad -o FILE"},
		{"bench --seconds inf", "--seconds wants a number"},
	};

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		const TinyRun *r = run(wrong[i].arguments);
		CU_ASSERT_EQUAL(r->status, NNC_USAGE);
		CU_ASSERT_PTR_NOT_NULL(strstr(r->err, wrong[i].says));
		CU_ASSERT_PTR_NOT_NULL(strstr(r->err, "usage: "));
		CU_ASSERT_STRING_EQUAL(r->out, "");
	}
}

static void help(void)
{
	CU_ASSERT_PTR_NOT_NULL(strstr(run("--help")->out, "gradcheck"));
	CU_ASSERT_PTR_NOT_NULL(strstr(run("--version")->out, NNC_VERSION));
	CU_ASSERT_PTR_NOT_NULL(strstr(run("train --help")->out, "--patience N"));
	CU_ASSERT_PTR_NOT_NULL(
		strstr(run("train -h --bad")->out, "learning rate [0.01]"));
	CU_ASSERT_EQUAL(run("eval --help")->status, 0);
}

static void misspelt(void)
{
	static const char *const names[] = {"epochs", "lr", "validation", NULL};

	CU_ASSERT_PTR_EQUAL(nnc_nearest("epoch", names, sizeof *names), names[0]);
	CU_ASSERT_PTR_EQUAL(nnc_nearest("validatoin", names, sizeof *names), names[2]);
	CU_ASSERT_PTR_NULL(nnc_nearest("xy", names, sizeof *names));
	CU_ASSERT_PTR_NULL(nnc_nearest("", names, sizeof *names));
	CU_ASSERT_PTR_NULL(nnc_nearest("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
				       names, sizeof *names));
}

static void wrong_models(void)
{
	NncModel model = tiny_model;
	NncError err;

	model.abi = NNC_ABI + 1;
	CU_ASSERT_EQUAL(tiny_run(&model, NULL, "info")->status, NNC_BUG);
	CU_ASSERT_EQUAL(nnc_cpu_check("avx9000 fma", &err), NNC_CPU);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.message, "avx9000"));
	CU_ASSERT_EQUAL(nnc_cpu_check(" ", &err), NNC_OK);
}

/* ---- commands ---------------------------------------------------------------- */

static void evaluates(void)
{
	const TinyRun *r = run("eval --data d");
	json_t *root, *row, *cell;
	size_t i, j;
	json_int_t sum = 0, right = 0;

	CU_ASSERT_EQUAL(r->status, NNC_NOINPUT);
	CU_ASSERT_PTR_NOT_NULL(strstr(r->err, "tiny.run/last.safetensors"));
	run("train --data d --quiet");
	root = json_of(run("eval --data d --json"));
	json_array_foreach(json_object_get(root, "confusion"), i, row)
		json_array_foreach(row, j, cell)
	{
		sum += json_integer_value(cell);
		right += i == j ? json_integer_value(cell) : 0;
	}
	CU_ASSERT_EQUAL(sum, 101);
	CU_ASSERT_DOUBLE_EQUAL(number(root, "accuracy"), (double)right / 101, 1e-9);
	CU_ASSERT(number(root, "loss") > 0);
	CU_ASSERT_EQUAL(json_array_size(json_object_get(root, "classes")), TINY_O);
	json_decref(root);
	root = json_of(run("eval --data d --json --validation"));
	CU_ASSERT_EQUAL((int)number(root, "samples"), 41);
	json_decref(root);
	CU_ASSERT_PTR_NOT_NULL(strstr(run("eval --data d")->out, "Confusion matrix"));
}

static void predicts(void)
{
	json_t *root, *one;
	char *text;

	run("train --data d --quiet");
	root = json_of(run("predict d/t10k-images-idx3-ubyte --json --top 3"));
	CU_ASSERT_EQUAL(json_array_size(root), 101);
	one = json_array_get(root, 100);
	CU_ASSERT_EQUAL((int)number(one, "sample"), 100);
	CU_ASSERT_EQUAL(json_array_size(json_object_get(one, "top")), 3);
	CU_ASSERT(number(one, "probability") > 1.0 / TINY_O);
	json_decref(root);
	CU_ASSERT_EQUAL(run("predict d/none.png")->status, NNC_NOINPUT);
	text = strdup(run("predict d/t10k-images-idx3-ubyte --threads 1")->out);
	CU_ASSERT_STRING_EQUAL(run("predict d/t10k-images-idx3-ubyte --threads 3")->out,
			       text);
	free(text);
}

static void measures(void)
{
	json_t *root = json_of(run("bench --json --seconds 0.05 --threads 2"));

	CU_ASSERT_EQUAL((int)number(root, "batch"), TINY_B);
	CU_ASSERT_EQUAL((int)number(root, "threads"), 2);
	CU_ASSERT(number(root, "step_us") > 0 && number(root, "infer_us") > 0);
	CU_ASSERT(number(root, "gflops") > 0 && number(root, "samples_per_s") > 0);
	CU_ASSERT(number(root, "peak_gflops") > 0);
	json_decref(root);
	CU_ASSERT_PTR_NOT_NULL(
		strstr(run("bench --seconds 0.01 --threads 1")->out, "on 1 thread,"));
}

static void measures_ops(void)
{
	json_t *root = json_of(run("bench --ops --json --seconds 0.05 --threads 2"));
	json_t *ops = json_object_get(root, "ops"), *op;
	double share = 0;
	size_t i;

	CU_ASSERT_EQUAL(json_array_size(ops), 3);
	CU_ASSERT_EQUAL(json_array_size(json_object_get(root, "infer_ops")), 2);
	json_array_foreach(ops, i, op)
	{
		CU_ASSERT(number(op, "us") > 0);
		CU_ASSERT(i == 0 || number(op, "gflops") > 0);
		share += number(op, "share");
	}
	CU_ASSERT_DOUBLE_EQUAL(share, 1, 1e-9);
	op = json_array_get(ops, 1);
	CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(op, "layer")),
			       "dense1");
	CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(op, "kernel")),
			       "forward");
	json_decref(root);
	const char *out = run("bench --ops --seconds 0.01 --threads 2")->out;
	CU_ASSERT_PTR_NOT_NULL(strstr(out, "as thread 0 of 2 sees it"));
	CU_ASSERT_PTR_NOT_NULL(strstr(out, "\nbackward  dense1  backward "));
	CU_ASSERT_PTR_NOT_NULL(strstr(out, "\ntotal "));
}

static void informs(void)
{
	json_t *root = json_of(run("info --json"));

	CU_ASSERT_EQUAL((int)number(root, "parameters"), 660);
	CU_ASSERT_EQUAL((int)number(root, "classes"), TINY_O);
	CU_ASSERT_EQUAL((int)number(root, "macs"), 640);
	CU_ASSERT_EQUAL(json_array_size(json_object_get(root, "input")), 3);
	json_decref(root);
	CU_ASSERT_PTR_NOT_NULL(strstr(run("info")->out, "dense 4 softmax"));
}

/* The gradient file against the definition: a small move along it lowers the loss. */
static void gradients(void)
{
	NncTensors w = {0}, g = {0};
	float before, after;

	CU_ASSERT_EQUAL(run("init --seed 5 -o w.safetensors")->status, 0);
	CU_ASSERT_EQUAL(
		run("grad --data d --weights w.safetensors -o g.safetensors")->status,
		0);
	CU_ASSERT_FATAL(!nnc_tensors_load(&w, temp_path("w.safetensors"), NULL));
	CU_ASSERT_FATAL(!nnc_tensors_load(&g, temp_path("g.safetensors"), NULL));
	CU_ASSERT_EQUAL(g.count, w.count + 1);
	memcpy(&before, nnc_tensors_find(&g, "loss")->data, sizeof before);
	for (size_t i = 0; i < w.count; i++) {
		const NncEntry *d = nnc_tensors_find(&g, w.entry[i].name);
		CU_ASSERT_FATAL(d && d->size == w.entry[i].size);
		for (size_t j = 0; j < d->size; j += sizeof(float)) {
			float x, dx;
			memcpy(&x, w.entry[i].data + j, sizeof x);
			memcpy(&dx, d->data + j, sizeof dx);
			x -= 0.01f * dx;
			memcpy(w.entry[i].data + j, &x, sizeof x);
		}
	}
	CU_ASSERT(!nnc_tensors_save(&w, temp_path("w2.safetensors"), NULL, NULL));
	run("grad --data d --weights w2.safetensors -o g2.safetensors");
	nnc_tensors_free(&g);
	CU_ASSERT_FATAL(!nnc_tensors_load(&g, temp_path("g2.safetensors"), NULL));
	memcpy(&after, nnc_tensors_find(&g, "loss")->data, sizeof after);
	CU_ASSERT(after < before);
	nnc_tensors_free(&w);
	nnc_tensors_free(&g);
}

static void gradchecks(void)
{
	static const char *const wrong[TINY_BUGS] = {NULL, "dense2.weight", "(4 rows)",
						     "dense1.bias", "input"};

	for (tiny_bug = TINY_RIGHT; tiny_bug < TINY_BUGS; tiny_bug++) {
		const TinyRun *r = run("gradcheck --samples 60");
		if (!wrong[tiny_bug]) {
			CU_ASSERT_EQUAL(r->status, 0);
			CU_ASSERT_PTR_NOT_NULL(strstr(r->out, "input"));
		} else {
			CU_ASSERT_EQUAL(r->status, NNC_FAILED);
			CU_ASSERT_PTR_NOT_NULL(strstr(r->err, wrong[tiny_bug]));
		}
	}
	tiny_bug = TINY_RIGHT;
	for (int seed = 0; seed < 20; seed++) {
		char arguments[64];
		snprintf(arguments, sizeof arguments, "gradcheck --json --seed %d",
			 seed);
		CU_ASSERT_EQUAL(run(arguments)->status, 0);
	}
	CU_ASSERT_EQUAL(tiny_run(&tiny_model, NULL, "gradcheck")->status, NNC_USAGE);
}

/* ---- checkpoints, history, progress ------------------------------------------ */

static void damaged(void)
{
	char path[512];
	NncState state;
	NncBytes bytes = {0};
	NncError err;

	run("train --data d --quiet --epochs 1");
	snprintf(path, sizeof path, "%s", temp_path("tiny.run/last.safetensors"));
	CU_ASSERT_FATAL(!nnc_read_file(&bytes, path, 1 << 20, NULL));
	char *epoch = strstr((char *)bytes.data + 8, "\"epoch\":");
	CU_ASSERT_PTR_NOT_NULL_FATAL(epoch);
	epoch = strchr(epoch, '1');
	*epoch = '2'; /* the CRC of the metadata is that of epoch 1 */
	temp_write("bad.safetensors", bytes.data, bytes.size);
	CU_ASSERT_EQUAL(
		nnc_checkpoint_state(temp_path("bad.safetensors"), &state, &err),
		NNC_DATA);
	*epoch = '-';
	temp_write("bad.safetensors", bytes.data, bytes.size);
	CU_ASSERT_EQUAL(
		nnc_checkpoint_state(temp_path("bad.safetensors"), &state, &err),
		NNC_DATA);
	*epoch = '1';
	temp_write("bad.safetensors", bytes.data, bytes.size);
	CU_ASSERT_EQUAL(
		nnc_checkpoint_state(temp_path("bad.safetensors"), &state, &err),
		NNC_OK);
	nnc_bytes_free(&bytes);
	run("init -o w.safetensors");
	CU_ASSERT_EQUAL(nnc_checkpoint_state(temp_path("w.safetensors"), &state, &err),
			NNC_DATA);
}

static void history(void)
{
	static const char rows[] =
		"epoch,loss,accuracy,val_loss,val_accuracy,lr,seconds\n"
		"1,1,1,,,1,1\n2,1,1,,,1,1\n3,1,1,,,1,1\n4,1,";
	static const char json[] = "{\"epoch\": 1}\n{\"epoch\": 2}\n{\"epo";
	NncRow row = {.epoch = 3, .loss = 0.5, .val_loss = NAN, .val_accuracy = NAN};
	NncFolder folder = {0};
	NncHistory h;
	NncBytes bytes = {0};

	temp_write("h/history.csv", rows, sizeof rows - 1);
	temp_write("h/history.jsonl", json, sizeof json - 1);
	snprintf(folder.path, sizeof folder.path, "%s", temp_path("h"));
	CU_ASSERT_FATAL(!nnc_history_open(&h, &folder, 2, NULL));
	CU_ASSERT(!nnc_history_add(&h, &row, NULL));
	nnc_history_close(&h);
	CU_ASSERT_FATAL(!nnc_read_file(&bytes, temp_path("h/history.csv"), 1000, NULL));
	CU_ASSERT_PTR_NOT_NULL(
		strstr((char *)bytes.data, "2,1,1,,,1,1\n3,0.5,0,,,0,0.0"));
	nnc_bytes_free(&bytes);
	CU_ASSERT_FATAL(
		!nnc_read_file(&bytes, temp_path("h/history.jsonl"), 1000, NULL));
	CU_ASSERT_PTR_NOT_NULL(strstr((char *)bytes.data,
				      "{\"epoch\": 2}\n{\"epoch\": 3, "
				      "\"loss\": 0.5, "));
	CU_ASSERT_PTR_NOT_NULL(strstr((char *)bytes.data, "\"val_loss\": null"));
	nnc_bytes_free(&bytes);
}

static void progress(void)
{
	NncProgress p = {.columns = 80};
	NncLine line = {3, 20, 312, 312, 0.8, 0.0025, 0.56721, 0.789, 0.44, 0.801};
	char text[512];

	CU_ASSERT_STRING_EQUAL(nnc_progress_text(text, sizeof text, &p, &line),
			       "Epoch 3/20 ==== 312/312  0.8s 2.5ms/step  loss 0.5672  "
			       "acc 0.789  val_acc 0.801");
	line = (NncLine){1, 2, 5, 10, 4000, 2, 12345678, NAN, NAN, NAN};
	p = (NncProgress){.unicode = true};
	CU_ASSERT_STRING_EQUAL(nnc_progress_text(text, sizeof text, &p, &line),
			       "Epoch 1/2 ━━━━━━━━━━╌╌╌╌╌╌╌╌╌╌ 5/10  1h06m 2.0s/step  "
			       "loss 1.235e+07");
	p.columns = 40;
	CU_ASSERT_PTR_NULL(
		strstr(nnc_progress_text(text, sizeof text, &p, &line), "loss"));
}

extern void suite_program(void);

void suite_program(void)
{
	CU_pSuite suite = CU_add_suite("program", set_up, temp_folder_remove);

	CU_add_test(suite, "usage", usage);
	CU_add_test(suite, "help", help);
	CU_add_test(suite, "misspelt words", misspelt);
	CU_add_test(suite, "wrong models", wrong_models);
	CU_add_test(suite, "eval", evaluates);
	CU_add_test(suite, "predict", predicts);
	CU_add_test(suite, "bench", measures);
	CU_add_test(suite, "bench --ops", measures_ops);
	CU_add_test(suite, "info", informs);
	CU_add_test(suite, "init, grad", gradients);
	CU_add_test(suite, "gradcheck", gradchecks);
	CU_add_test(suite, "damaged checkpoints", damaged);
	CU_add_test(suite, "history", history);
	CU_add_test(suite, "progress", progress);
}
