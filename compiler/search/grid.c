/*
 * grid.c - from the axes to points, to the variants and jobs that they need. All are in
 * the order of the points, of which the last axis varies fastest.
 */
#include <string.h>

#include "search/search.h"

static bool is_lr(const Axis *axis)
{
	return strcmp(axis->name, "lr") == 0;
}

const char *count_text(int64_t n, const char *noun)
{
	return arena_printf("%lld %s%s", (long long)n, noun, n == 1 ? "" : "s");
}

/* ---- points and variants ---- */

/* "batch=16, units=64": the point's values, or those that alter the C. */
static const char *values_text(const Search *s, const Value *const *values,
			       bool with_lr)
{
	const char *text = "";
	for (int i = 0; i < s->tune->axis_count; i++)
		if (with_lr || !is_lr(&s->tune->axes[i]))
			text = arena_printf("%s%s%s=%s", text, *text ? ", " : "",
					    s->tune->axes[i].name,
					    plain_text(values[i]));
	return text;
}

const char *point_text(const Search *s, const Point *p)
{
	const char *text = values_text(s, p->values, true);
	return *text ? text : s->name;
}

const Value *point_value(const Search *s, const Point *p, const char *axis)
{
	for (int i = 0; i < s->tune->axis_count; i++)
		if (strcmp(s->tune->axes[i].name, axis) == 0)
			return p->values[i];
	return NULL;
}

/* The variant's number: the point's, if it were not for lr. */
static int variant_number(const Search *s, int point)
{
	int number = 0, place = 1;
	for (int i = s->tune->axis_count - 1; i >= 0; i--) {
		const Axis *axis = &s->tune->axes[i];
		if (!is_lr(axis)) {
			number += point % axis->count * place;
			place *= axis->count;
		}
		point /= axis->count;
	}
	return number;
}

static void make_point(const Search *s, Point *p, int number)
{
	int axes = s->tune->axis_count, rest = number;
	p->values = arena_alloc((size_t)(axes + 1) * sizeof *p->values);
	for (int i = axes - 1; i >= 0; i--) {
		const Axis *axis = &s->tune->axes[i];
		p->values[i] = axis->values[rest % axis->count];
		rest /= axis->count;
	}
}

void grid_points(Search *s)
{
	s->point_count = 1;
	for (int i = 0; i < s->tune->axis_count; i++)
		s->point_count *= s->tune->axes[i].count;
	s->points = arena_alloc((size_t)s->point_count * sizeof *s->points);
	s->variants = arena_alloc((size_t)s->point_count * sizeof *s->variants);
	for (int i = 0; i < s->point_count; i++) {
		Point *p = &s->points[i];
		make_point(s, p, i);
		Variant **v = &s->variants[variant_number(s, i)];
		if (!*v) {
			*v = arena_alloc(sizeof **v);
			(*v)->text = values_text(s, p->values, false);
			s->variant_count++;
		}
		p->variant = *v;
	}
}

/* ---- jobs ---- */

static Job *make_job(const Search *s, const Point *p, int fold)
{
	Job *j = arena_alloc(sizeof *j);
	const Value *lr = point_value(s, p, "lr");
	*j = (Job){.variant = p->variant, .lr = lr, .fold = fold};
	j->text = arena_printf("%s, fold %d of %d", point_text(s, p), fold,
			       (int)s->tune->folds);
	j->key = arena_printf("variant %s, data %s, %lld samples, fold %d of %d, "
			      "%lld epochs, lr %s",
			      p->variant->id, s->data_id, (long long)s->samples, fold,
			      (int)s->tune->folds, (long long)s->tune->epochs,
			      lr ? short_number(lr->number) : "as it is");
	const char *hash = fingerprint(j->key, strlen(j->key));
	j->path = folder_file(s, arena_printf("jobs/%s", hash));
	return j;
}

/* A constant that nothing reads makes points that are the same. */
static const Point *same_point(const Search *s, int number)
{
	const Point *p = &s->points[number];
	for (int i = 0; i < number; i++)
		if (s->points[i].variant == p->variant &&
		    point_value(s, &s->points[i], "lr") == point_value(s, p, "lr"))
			return &s->points[i];
	return NULL;
}

void grid_jobs(Search *s)
{
	int folds = (int)s->tune->folds;
	for (int i = 0; i < s->point_count; i++) {
		Point *p = &s->points[i];
		const Point *same = same_point(s, i);
		if (same) {
			p->jobs = same->jobs;
			continue;
		}
		p->jobs = arena_alloc((size_t)folds * sizeof(Job *));
		for (int k = 0; k < folds; k++) {
			p->jobs[k] = make_job(s, p, k + 1);
			*vec_push(&s->jobs, &s->job_count) = p->jobs[k];
		}
	}
}

int folds_done(const Search *s, const Point *p)
{
	int done = 0;
	for (int k = 0; k < s->tune->folds; k++)
		done += p->jobs[k]->state == JOB_DONE;
	return done;
}
