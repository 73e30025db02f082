/* driver.c - every transform against the sum that defines it, lane by lane. */
#include "cases.h"

#include <float.h>
#include <stdio.h>

enum { MOST = 64, L = NNC_LANES };

static const double epsilon = sizeof(nnc_real) == 4 ? FLT_EPSILON : DBL_EPSILON;

static nnc_vec in[2 * MOST], out[2 * MOST];
static double x[MOST][2], y[MOST][2]; /* one lane, by place: before and after */

static double lane(const nnc_vec *v, int l)
{
	return (double)((const nnc_real *)v)[l];
}

static int place(const Case *c, int i)
{
	return ((c->first + c->step * i) % c->size + c->size) % c->size;
}

static void transform(const Case *c)
{
	for (int k = 0; k < c->size; k++) {
		y[k][0] = y[k][1] = 0;
		for (int j = 0; j < c->size; j++) {
			double turn = (c->inverse ? 2 : -2) * M_PI * (j * k % c->size) /
				      c->size;
			y[k][0] += x[j][0] * cos(turn) - x[j][1] * sin(turn);
			y[k][1] += x[j][0] * sin(turn) + x[j][1] * cos(turn);
		}
	}
}

/* What the function is given, in the places of a whole transform. */
static void gather(const Case *c, int l)
{
	int given = !c->inverse ? c->count : c->real ? c->size / 2 + 1 : c->size;

	memset(x, 0, sizeof x);
	for (int i = 0; i < given; i++) {
		int at = c->inverse ? i : place(c, i);
		bool real = c->real && (!c->inverse || i % (c->size / 2) == 0);
		x[at][0] = lane(&in[2 * i], l);
		x[at][1] = real ? 0 : lane(&in[2 * i + 1], l);
		if (c->inverse && c->real && !real) {
			x[c->size - i][0] = x[at][0];
			x[c->size - i][1] = -x[at][1];
		}
	}
}

static double worst_error(const Case *c, int l)
{
	int made = c->inverse ? c->count : c->real ? c->size / 2 + 1 : c->size;
	double worst = 0;

	gather(c, l);
	transform(c);
	for (int i = 0; i < made; i++) {
		int at = c->inverse ? place(c, i) : i;
		worst = fmax(worst, fabs(lane(&out[2 * i], l) - y[at][0]));
		if (!c->inverse || !c->real)
			worst = fmax(worst, fabs(lane(&out[2 * i + 1], l) - y[at][1]));
	}
	return worst;
}

int main(void)
{
	NncRng rng = nnc_rng(1, NNC_STREAM_SYNTHETIC, 0, 0);
	int failed = 0;

	for (int i = 0; i < case_count; i++) {
		const Case *c = &cases[i];
		double worst = 0;
		for (int k = 0; k < 2 * MOST * L; k++)
			((nnc_real *)in)[k] = (nnc_real)(2 * nnc_rng_uniform(&rng) - 1);
		memset(out, 0xff, sizeof out);
		c->run(in, out);
		for (int l = 0; l < L; l++)
			worst = fmax(worst, worst_error(c, l));
		if (worst <
		    (2 * epsilon + 1e-15) * c->size) /* constants have 15 digits */
			continue;
		printf("FAIL fft %s: off by %g\n", c->name, worst);
		failed++;
	}
	printf("%d passed, %d failed\n", case_count - failed, failed);
	return failed > 0;
}
