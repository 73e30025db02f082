/*
 * table.c - results: scikit-learn's cv_results_ as CSV, the best point as a fragment of
 * a model, and both for reading or as JSON on stdout.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "search/search.h"

const char *short_number(double x)
{
	enum { MOST = 17 };
	char text[40];
	int digits = 1;
	double back;
	do {
		snprintf(text, sizeof text, "%.*e", digits - 1, x);
		back = strtod(text, NULL);
	} while ((back < x || back > x) && digits++ < MOST);
	const char *e = strchr(text, 'e');
	int exponent = e ? (int)strtol(e + 1, NULL, 10) : 0;
	if (exponent < -4 || exponent > 15 || !e)
		return arena_printf("%.*g", digits, x);
	return arena_printf("%.*f", digits > exponent ? digits - 1 - exponent : 0, x);
}

const char *plain_text(const Value *v)
{
	if (v->kind == VALUE_NUMBER && !v->is_integer)
		return short_number(v->number);
	return value_text(v);
}

/* ---- cv_results.csv ---- */

static void csv_text(FILE *out, const char *text)
{
	if (!strpbrk(text, ",\"\n\r")) {
		fputs(text, out);
		return;
	}
	putc('"', out);
	for (; *text; text++) {
		if (*text == '"')
			putc('"', out);
		putc(*text, out);
	}
	putc('"', out);
}

/* {'lr': 0.01, 'batch': 16}, as Python prints it */
static const char *python_dict(const Search *s, const Point *p)
{
	const char *text = "";
	for (int i = 0; i < s->tune->axis_count; i++) {
		const Value *v = p->values[i];
		bool bare = v->kind == VALUE_NUMBER || v->kind == VALUE_STRING;
		const char *quote = bare ? "" : "'";
		text = arena_printf("%s%s'%s': %s%s%s", text, i ? ", " : "",
				    s->tune->axes[i].name, quote, plain_text(v), quote);
	}
	return arena_printf("{%s}", text);
}

static void csv_header(FILE *out, const Search *s)
{
	fputs("mean_fit_time,std_fit_time,mean_score_time,std_score_time", out);
	for (int i = 0; i < s->tune->axis_count; i++)
		fprintf(out, ",param_%s", s->tune->axes[i].name);
	fputs(",params", out);
	for (int k = 0; k < s->tune->folds; k++)
		fprintf(out, ",split%d_test_score", k);
	fputs(",mean_test_score,std_test_score,rank_test_score\n", out);
}

static void csv_point(FILE *out, const Search *s, const Point *p)
{
	int folds = (int)s->tune->folds;
	double fit[NNC_MAX_FOLDS], scoring[NNC_MAX_FOLDS];
	for (int k = 0; k < folds; k++) {
		fit[k] = p->jobs[k]->fit;
		scoring[k] = p->jobs[k]->scoring;
	}
	fprintf(out, "%.6f,%.6f,%.6f,%.6f", mean_of(fit, folds),
		deviation_of(fit, folds), mean_of(scoring, folds),
		deviation_of(scoring, folds));
	for (int i = 0; i < s->tune->axis_count; i++) {
		const Value *v = p->values[i];
		putc(',', out);
		csv_text(out, v->kind == VALUE_STRING ? v->text : plain_text(v));
	}
	putc(',', out);
	csv_text(out, python_dict(s, p));
	for (int k = 0; k < folds; k++)
		fprintf(out, ",%s", short_number(p->jobs[k]->score));
	fprintf(out, ",%s,%s,%d\n", short_number(p->mean), short_number(p->sd),
		p->rank);
}

static int write_csv(const Search *s)
{
	TextStream stream;
	size_t size;
	text_open(&stream);
	csv_header(stream.out, s);
	for (int i = 0; i < s->point_count; i++)
		csv_point(stream.out, s, &s->points[i]);
	const char *text = text_close(&stream, &size);
	return folder_write(s, "cv_results.csv", text, size);
}

/* ---- best.nn ---- */

static Stmt *find_setting(Stmt *train, const char *name)
{
	for (int i = 0; i < train->body_count; i++)
		if (strcmp(train->body[i].name, name) == 0)
			return &train->body[i];
	return NULL;
}

static Value word(const char *text)
{
	return (Value){.kind = VALUE_NAME, .text = text};
}

static void set_rate(Stmt *train, const Search *s, const Value *lr)
{
	Stmt *optimizer = find_setting(train, "optimizer");
	if (!optimizer) {
		optimizer = vec_push(&train->body, &train->body_count);
		*optimizer = (Stmt){.name = "optimizer"};
		*vec_push(&optimizer->args, &optimizer->count) =
			(Arg){.value = word(s->net->training.optimizer->name)};
	}
	for (int i = 0; i < optimizer->count; i++)
		if (optimizer->args[i].key &&
		    strcmp(optimizer->args[i].key, "lr") == 0) {
			optimizer->args[i].value = *lr;
			return;
		}
	*vec_push(&optimizer->args, &optimizer->count) =
		(Arg){.key = "lr", .value = *lr};
}

static void set_batch(Stmt *train, const Value *batch)
{
	Stmt *setting = find_setting(train, "batch");
	if (!setting)
		setting = vec_push(&train->body, &train->body_count);
	*setting = (Stmt){.name = "batch"};
	*vec_push(&setting->args, &setting->count) = (Arg){.value = *batch};
}

/* A copy of the model's train section, or an empty one. */
static Stmt train_section(const Search *s)
{
	Stmt train = {.name = "train", .has_body = true};
	for (int i = 0; i < s->model.count; i++) {
		const Stmt *old = &s->model.stmts[i];
		for (int k = 0; strcmp(old->name, "train") == 0 && k < old->body_count;
		     k++) {
			Stmt *copy = vec_push(&train.body, &train.body_count);
			*copy = old->body[k];
			copy->args = NULL;
			copy->count = 0;
			for (int a = 0; a < old->body[k].count; a++)
				*vec_push(&copy->args, &copy->count) =
					old->body[k].args[a];
		}
	}
	return train;
}

static void print_best(FILE *out, const Search *s, const Point *p)
{
	Stmt train = train_section(s);
	const Value *lr = point_value(s, p, "lr"), *batch = point_value(s, p, "batch");
	fprintf(out,
		"// The best of %s: accuracy %.4f, standard deviation %.4f,\n"
		"// over %d folds of %lld samples, %lld epochs each.\n",
		count_text(s->point_count, "point"), p->mean, p->sd,
		(int)s->tune->folds, (long long)s->samples, (long long)s->tune->epochs);
	for (int i = 0; i < s->tune->axis_count; i++)
		if (p->values[i] != lr && p->values[i] != batch)
			fprintf(out, "const %s=%s;\n", s->tune->axes[i].name,
				value_text(p->values[i]));
	if (lr)
		set_rate(&train, s, lr);
	if (batch)
		set_batch(&train, batch);
	print_stmts(out, &train, 1);
}

static int write_best(const Search *s)
{
	const Point *best = best_point(s);
	TextStream stream;
	size_t size;
	text_open(&stream);
	if (best)
		print_best(stream.out, s, best);
	else
		fputs("// Every point diverged: lower learning rates may not.\n",
		      stream.out);
	const char *text = text_close(&stream, &size);
	return folder_write(s, "best.nn", text, size);
}

int write_results(const Search *s)
{
	int status = write_csv(s);
	return status ? status : write_best(s);
}

/* ---- stdout ---- */

static int by_rank(const void *a, const void *b)
{
	const Point *const *x = a, *const *y = b;
	if ((*x)->rank != (*y)->rank)
		return (*x)->rank < (*y)->rank ? -1 : 1;
	return *x < *y ? -1 : *x > *y;
}

static const Point **sorted(const Search *s)
{
	const Point **list = arena_alloc((size_t)s->point_count * sizeof *list);
	for (int i = 0; i < s->point_count; i++)
		list[i] = &s->points[i];
	qsort(list, (size_t)s->point_count, sizeof *list, by_rank);
	return list;
}

/* Widths of the axes' columns. */
static int *widths_of(const Search *s)
{
	int *width = arena_alloc((size_t)(s->tune->axis_count + 1) * sizeof *width);
	for (int i = 0; i < s->tune->axis_count; i++) {
		const Axis *axis = &s->tune->axes[i];
		width[i] = (int)strlen(axis->name);
		for (int k = 0; k < axis->count; k++) {
			int n = (int)strlen(plain_text(axis->values[k]));
			width[i] = n > width[i] ? n : width[i];
		}
	}
	return width;
}

static void print_table(const Search *s)
{
	const int *width = widths_of(s);
	const Point **list = sorted(s);
	printf("rank");
	for (int i = 0; i < s->tune->axis_count; i++)
		printf("  %*s", width[i], s->tune->axes[i].name);
	printf("  accuracy\n");
	for (int i = 0; i < s->point_count; i++) {
		const Point *p = list[i];
		printf("%4d", p->rank);
		for (int k = 0; k < s->tune->axis_count; k++)
			printf("  %*s", width[k], plain_text(p->values[k]));
		if (isnan(p->mean))
			printf("  diverged\n");
		else
			printf("  %.4f %s %.4f\n", p->mean, plus_minus(s), p->sd);
	}
}

static json_t *json_params(const Search *s, const Point *p)
{
	json_t *params = json_object();
	for (int i = 0; i < s->tune->axis_count; i++) {
		const Value *v = p->values[i];
		json_object_set_new(params, s->tune->axes[i].name,
				    v->kind != VALUE_NUMBER
					    ? json_string(v->kind == VALUE_STRING
								  ? v->text
								  : value_text(v))
				    : v->is_integer ? json_integer(v->integer)
						    : json_real(v->number));
	}
	return params;
}

static json_t *json_point(const Search *s, const Point *p)
{
	json_t *root = json_object(), *scores = json_array();
	for (int k = 0; k < s->tune->folds; k++)
		json_array_append_new(scores, nnc_json_real(p->jobs[k]->score));
	json_object_set_new(root, "params", json_params(s, p));
	json_object_set_new(root, "scores", scores);
	json_object_set_new(root, "mean", nnc_json_real(p->mean));
	json_object_set_new(root, "sd", nnc_json_real(p->sd));
	json_object_set_new(root, "rank", json_integer(p->rank));
	return root;
}

static int print_json(const Search *s)
{
	const Point *best = best_point(s);
	json_t *root = json_object(), *points = json_array();
	for (int i = 0; i < s->point_count; i++)
		json_array_append_new(points, json_point(s, &s->points[i]));
	json_object_set_new(root, "model", json_string(s->net->name));
	json_object_set_new(root, "folds", json_integer(s->tune->folds));
	json_object_set_new(root, "samples", json_integer(s->samples));
	json_object_set_new(root, "epochs", json_integer(s->tune->epochs));
	json_object_set_new(root, "points", points);
	json_object_set_new(root, "best", best ? json_point(s, best) : json_null());
	return nnc_print_json(root, NULL);
}

int print_results(const Search *s)
{
	if (s->options->json)
		return print_json(s);
	print_table(s);
	return 0;
}
