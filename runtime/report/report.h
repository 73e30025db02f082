/*
 * report.h - what a report is made of, and the parts of its page.
 *
 * Each part writes to a stream in memory, nothing where there is nothing to show. Errors
 * are NNC_NOMEM.
 */
#ifndef NNC_REPORT_H
#define NNC_REPORT_H

#include "internal.h"
#include "report/html.h"

enum {
	NNC_REPORT_MISTAKES = 25,
	NNC_REPORT_FILTERS = 128,
	NNC_REPORT_MATRIX = 40,  /* classes of the largest matrix shown */
	NNC_REPORT_CLASSES = 4096, /* of the largest that is counted */
	NNC_REPORT_CONFUSED = 20, /* mistakes listed where the matrix is too large */
};

typedef struct NncReport {
	const NncModel *model;
	char weights[NNC_MAX_PATH];
	bool of_run;             /* the weights are a run's: state is set */
	NncState state;
	NncRow *rows;            /* (row_count) its epochs; none: no history was found */
	size_t row_count;
	NncContext context;      /* with the weights */
	NncData data;            /* what was scored; count 0: nothing was, see missing */
	const char *part;        /* "test", "validation" or "training" */
	NncSplit split;          /* of a part that is not the test part */
	bool probabilities;      /* what the model answers with */
	NncScore score;
	NncTally tally;
	NncMistake mistakes[NNC_REPORT_MISTAKES];
	char missing[2048];      /* why nothing was scored */
	char note[2048];         /* why there are no curves */
} NncReport;

/* page.c: all of it. */
int nnc_report_page(FILE *page, NncReport *report, NncError *err);
/* settings.c: how it was trained, with what, where. */
void nnc_report_settings(FILE *page, const NncReport *report);
/* network.c: the layers, and what those that look at the input look for. */
void nnc_report_layers(FILE *page, const NncReport *report);
int nnc_report_filters(FILE *page, const NncReport *report, NncError *err);
/* training.c: the curves and the epochs. A plot that fails is said in report->note. */
int nnc_report_training(FILE *page, NncReport *report, NncError *err);
/* result.c: score, matrix, classes; mistakes.c: the mistakes. */
void nnc_report_result(FILE *page, const NncReport *report);
int nnc_report_mistakes(FILE *page, const NncReport *report, NncError *err);

/* A row of a table of two columns: <th>name</th><td>the rest as printf has it</td>. */
void nnc_report_row(FILE *page, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
