/* settings.c - how it was trained, on which data, and on what machine. */
#include "report/report.h"

#include <string.h>
#include <sys/utsname.h>

static void begin(FILE *page, const char *title)
{
	fprintf(page, "<section><h3>%s</h3>\n<div class=\"wide\"><table><tbody>\n",
		title);
}

static void end(FILE *page)
{
	fputs("</tbody></table></div></section>\n", page);
}

/* What the weights' file says of its run; else what a run would begin with. */
static void put_training(FILE *page, const NncReport *r)
{
	const NncTraining *t = &r->model->training;
	const NncState *s = &r->state;
	bool run = r->of_run;

	begin(page, run ? "Run" : "Settings");
	nnc_report_row(page, "loss", "%s", t->loss);
	nnc_report_row(page, "optimizer", "%s", t->optimizer);
	nnc_report_row(page, "learning rate", "%g", run ? s->lr : t->lr);
	nnc_report_row(page, "batch", "%d", (int)r->model->batch);
	if (run)
		nnc_report_row(page, "epochs", "%u of %d",
			       (unsigned)(r->row_count ? r->rows[r->row_count - 1].epoch
						       : s->epoch),
			       (int)s->epochs);
	else
		nnc_report_row(page, "epochs", "%d", (int)t->epochs);
	nnc_report_row(page, "seed", "%u", (unsigned)(run ? s->seed : t->seed));
	if (run && s->watch[0])
		nnc_report_row(page, "early stopping",
			       "%s, patience %d; best %.4f in epoch %u", s->watch,
			       (int)s->patience, s->best, (unsigned)s->best_epoch);
	if (run)
		nnc_report_row(page, "weights", "%s, after epoch %u", r->weights,
			       (unsigned)s->epoch);
	else
		nnc_report_row(page, "weights", "%s", r->weights);
	end(page);
}

static void put_crc(FILE *page, const char *name, uint32_t samples, uint32_t labels)
{
	if (samples && labels)
		nnc_report_row(page, name, "samples %08x, labels %08x",
			       (unsigned)samples, (unsigned)labels);
	else if (samples)
		nnc_report_row(page, name, "%08x", (unsigned)samples);
}

static void put_data(FILE *page, const NncReport *r)
{
	const NncTraining *t = &r->model->training;
	const NncState *s = &r->state;

	begin(page, "Data");
	nnc_report_row(page, "format", "%s", t->format ? t->format : "none");
	if (t->path)
		nnc_report_row(page, "path", "%s", t->path);
	if (t->label)
		nnc_report_row(page, "label", "%s", t->label);
	if (r->of_run) {
		nnc_report_row(page, "training part",
			       "%lld of %lld samples, %g held out",
			       (long long)(s->train ? s->train : s->data_count),
			       (long long)s->data_count, s->validation);
		put_crc(page, "its CRC-32", s->samples_crc, s->labels_crc);
	}
	if (r->data.count) {
		nnc_report_row(page, "scored", "%s part, %lld samples", r->part,
			       (long long)r->score.samples);
		nnc_report_row(page, "read from", "%s", r->data.source);
		put_crc(page, "its CRC-32", r->data.samples_crc, r->data.labels_crc);
	}
	end(page);
}

static void put_machine(FILE *page, const NncReport *r)
{
	char cpu[NNC_CPU_NAME];
	struct utsname system;
	int count = nnc_cpu_count();

	begin(page, "Machine of this report");
	nnc_report_row(page, "CPU", "%s", nnc_cpu_name(cpu));
	nnc_report_row(page, "cores", "%d", count);
	if (!uname(&system))
		nnc_report_row(page, "system", "%s %s, %s", system.sysname,
			       system.release, system.machine);
	nnc_report_row(page, "compiler", "%s",
		       nnc_compiler ? nnc_compiler : "not known");
	if (r->model->cpu)
		nnc_report_row(page, "compiled for", "%s", r->model->cpu);
	nnc_report_row(page, "nnc", "%s", NNC_VERSION);
	end(page);
}

void nnc_report_settings(FILE *page, const NncReport *r)
{
	fputs("<h2>Configuration</h2>\n<div class=\"pairs\">\n", page);
	put_training(page, r);
	put_data(page, r);
	put_machine(page, r);
	fputs("</div>\n", page);
}
