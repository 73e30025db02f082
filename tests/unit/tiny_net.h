/* tiny_net.h - the network of tiny.h; included once in float and once in double. */
#include "tiny.h"

#include <math.h>
#include <string.h>

enum { B = TINY_B, K = TINY_K, H = TINY_H, O = TINY_O };

/* Offsets in the parameter block, each a multiple of 16 reals. */
enum {
	W1 = 0,          /* (K, H) */
	B1 = W1 + K * H, /* (H) */
	W2 = B1 + H,     /* (H, O) */
	B2 = W2 + H * O, /* (O), padded */
	PARAMS = B2 + 16,
};

/* Offsets in the arena. */
enum {
	X = 0,           /* (B, K) */
	A = X + B * K,   /* (B, H) after relu and dropout */
	M = A + B * H,   /* (B, H) d a / d z: relu's derivative by dropout's factor */
	P = M + B * H,   /* (B, O) probabilities */
	INFER_ARENA = P + B * O,
	DY = INFER_ARENA, /* (B, O) */
	DA = DY + B * O, /* (B, H) */
	DX = DA + B * H, /* (B, K) */
	ARENA = DX + B * K,
};

static void load(NncContext *c, const NncBatch *batch, const NncThread *t)
{
	nnc_real *x = (nnc_real *)c->arena + X;
	const uint8_t *samples = batch->samples;
	NncRange r = nnc_share(t, batch->rows);

	for (int n = r.first; n < r.end; n++)
		for (int k = 0; k < K; k++)
			x[n * K + k] = (nnc_real)samples[batch->index[n] * (size_t)K +
							 (size_t)k] /
				       255;
}

/* Dropout's factor of unit h in row n: 0, or 1 / (1 - 0.25). */
static nnc_real keep(const NncContext *c, int n, int h)
{
	uint32_t counter[4] = {c->epoch, c->step, (uint32_t)n, (uint32_t)h};
	uint32_t key[2] = {c->seed, NNC_STREAM_LAYER}, word[4];

	nnc_philox(counter, key, word);
	return word[0] < 1u << 30 ? 0 : (nnc_real)(4.0 / 3.0);
}

static void hidden(NncContext *c, int n, bool dropout)
{
	const nnc_real *p = c->params, *x = (nnc_real *)c->arena + X + n * K;
	nnc_real *a = (nnc_real *)c->arena + A + n * H,
		 *m = (nnc_real *)c->arena + M + n * H;

	for (int h = 0; h < H; h++) {
		nnc_real z = p[B1 + h];
		for (int k = 0; k < K; k++)
			z += x[k] * p[W1 + k * H + h];
		m[h] = z * 0; /* NaN stays NaN */
		if (z > 0)
			m[h] = dropout ? keep(c, n, h) : 1;
		a[h] = z * m[h];
	}
}

static void output(NncContext *c, int n)
{
	const nnc_real *p = c->params, *a = (nnc_real *)c->arena + A + n * H;
	nnc_real *y = (nnc_real *)c->arena + P + n * O, largest, sum = 0;

	for (int o = 0; o < O; o++) {
		y[o] = p[B2 + o];
		for (int h = 0; h < H; h++)
			y[o] += a[h] * p[W2 + h * O + o];
	}
	largest = y[0];
	for (int o = 1; o < O; o++)
		largest = y[o] > largest ? y[o] : largest;
	for (int o = 0; o < O; o++) {
		y[o] = (nnc_real)exp((double)(y[o] - largest));
		sum += y[o];
	}
	for (int o = 0; o < O; o++)
		y[o] /= sum;
}

static void score(NncContext *c, const NncBatch *batch, const NncThread *t,
		  bool dropout)
{
	NncRange r = nnc_share(t, batch->rows);

	for (int n = r.first; n < r.end; n++) {
		const nnc_real *y = (nnc_real *)c->arena + P + n * O;
		int label = batch->labels[batch->index[n]], best = 0;
		hidden(c, n, dropout);
		output(c, n);
		for (int o = 1; o < O; o++)
			best = y[o] > y[best] ? o : best;
		c->row_loss[n] = -log((double)y[label]);
		c->row_hit[n] = best == label;
	}
}

static void forward(NncContext *c, const NncBatch *batch, const NncThread *t)
{
	score(c, batch, t, c->dropout);
}

/* The adjoints of row n, each the mean's share; dz (H) is scratch. */
static void backward_row(NncContext *c, const NncBatch *batch, int n, nnc_real *dz)
{
	const nnc_real *p = c->params;
	const nnc_real *m = (nnc_real *)c->arena + M + n * H;
	const nnc_real *y = (nnc_real *)c->arena + P + n * O;
	nnc_real *dy = (nnc_real *)c->arena + DY + n * O;
	nnc_real *da = (nnc_real *)c->arena + DA + n * H;
	nnc_real *dx = (nnc_real *)c->arena + DX + n * K;

	for (int o = 0; o < O; o++)
		dy[o] = (y[o] - (o == batch->labels[batch->index[n]])) /
			(nnc_real)batch->rows;
	for (int h = 0; h < H; h++) {
		da[h] = 0;
		for (int o = 0; o < O; o++)
			da[h] += dy[o] * p[W2 + h * O + o];
		dz[h] = da[h] * m[h];
	}
	for (int k = 0; k < K; k++) {
		dx[k] = 0;
		for (int h = 0; h < H; h++)
			dx[k] += dz[h] * p[W1 + k * H + h];
		if (tiny_bug == TINY_SCALE)
			dx[k] *= (nnc_real)1.01;
	}
}

/* The gradients of hidden unit h: its column of W1, its bias, its row of W2. */
static void backward_unit(NncContext *c, int rows, int h)
{
	nnc_real *g = c->grads;

	for (int k = 0; k < K; k++)
		g[W1 + k * H + h] = 0;
	g[B1 + h] = 0;
	for (int o = 0; o < O; o++)
		g[W2 + h * O + o] = 0;
	for (int n = 0; n < rows; n++) {
		const nnc_real *x = (nnc_real *)c->arena + X + n * K;
		const nnc_real *dy = (nnc_real *)c->arena + DY + n * O;
		nnc_real a = ((nnc_real *)c->arena)[A + n * H + h];
		nnc_real da = ((nnc_real *)c->arena)[DA + n * H + h];
		nnc_real dz = da * ((nnc_real *)c->arena)[M + n * H + h];
		for (int k = 0; k < K; k++)
			g[W1 + k * H + h] += dz * x[k];
		g[B1 + h] += tiny_bug == TINY_BIAS ? da : dz;
		for (int o = 0; o < O; o++)
			g[W2 + h * O + o] += dy[o] * a;
	}
	if (tiny_bug == TINY_SIGN && h == H - 1)
		g[W2 + H * O - 1] = -g[W2 + H * O - 1];
}

static void backward_output_bias(NncContext *c, int rows, int o)
{
	nnc_real *g = c->grads;

	g[B2 + o] = 0;
	for (int n = 0; n < rows; n++)
		g[B2 + o] += ((nnc_real *)c->arena)[DY + n * O + o];
}

/* Adam, of the weights of a range. Gradients that nobody asked for are not kept. */
static void update(NncContext *c, NncRange r)
{
	nnc_real *w = c->params, *m = c->slot[0], *v = c->slot[1], *g = c->grads;
	double t = (double)c->updates + 1;
	nnc_real lr = (nnc_real)(c->lr * sqrt(1 - pow(0.999, t)) / (1 - pow(0.9, t)));

	for (int i = r.first; i < r.end; i++) {
		m[i] += (nnc_real)0.1 * (g[i] - m[i]);
		v[i] += (nnc_real)0.001 * (g[i] * g[i] - v[i]);
		if (c->lr > 0)
			w[i] -= lr * m[i] /
				((nnc_real)sqrt((double)v[i]) + (nnc_real)1e-8);
		if (!c->keep_grads)
			g[i] = (nnc_real)NAN;
	}
}

static void backward(NncContext *c, const NncBatch *batch, const NncThread *t)
{
	NncRange rows = nnc_share(t, batch->rows), units = nnc_share(t, H);
	NncRange outputs = nnc_share(t, O);
	int counted = batch->rows;

	if (tiny_bug == TINY_LOST_ROW && counted < B)
		counted--;
	for (int n = rows.first; n < rows.end; n++)
		backward_row(c, batch, n, t->scratch);
	nnc_barrier(t);
	for (int h = units.first; h < units.end; h++)
		backward_unit(c, counted, h);
	for (int o = outputs.first; o < outputs.end; o++)
		backward_output_bias(c, counted, o);
	nnc_barrier(t);
	update(c, nnc_share(t, B2 + O));
}

static void infer(NncContext *c, const NncBatch *batch, const NncThread *t)
{
	NncRange r = nnc_share(t, batch->rows);

	for (int n = r.first; n < r.end; n++) {
		hidden(c, n, false);
		output(c, n);
	}
}

static void evaluate(NncContext *c, const NncBatch *batch, const NncThread *t)
{
	score(c, batch, t, false);
}

static const NncTensor tensors[] = {
	{"dense1.weight", 2, {H, K}, {1, H}, W1, "he", 0, K, H},
	{"dense1.bias", 1, {H}, {1}, B1, "zeros", 0, K, H},
	{"dense2.weight", 2, {O, H}, {1, O}, W2, "glorot", 0, H, O},
	{"dense2.bias", 1, {O}, {1}, B2, "zeros", 0, H, O},
};

static const NncLayer layers[] = {
	{"input", "input 6x6x1", NULL, 1, 3, {6, 6, 1}, 0, 0},
	{"dense1", "dense 16 relu", NULL, 1, 1, {H}, K *H + H, K *H},
	{"dropout1", "dropout 0.25", NULL, 1, 1, {H}, 0, 0},
	{"dense2", "dense 4 softmax", NULL, 1, 1, {O}, H *O + O, H *O},
};

/* Some of its functions share out work twice: that begins nothing. */
static const NncOp ops[] = {
	{NNC_PHASE_LOAD, "input", "load", 0, NULL},
	{NNC_PHASE_FORWARD, "dense1", "forward", 2.0 * B * (K * H + H * O), "score"},
	{NNC_PHASE_BACKWARD, "dense1", "backward", 4.0 * B * (K * H + H * O), NULL},
	{NNC_PHASE_INFER, "dense2", "infer", 2.0 * B * (K * H + H * O), NULL},
};

static const char *const slots[] = {"m", "v"};

const NncModel NNC_MODEL(tiny) = {
	.abi = NNC_ABI,
	.name = "tiny",
	.source = "tiny.nn",
	.real_bytes = sizeof(nnc_real),
	.batch = B,
	.height = TINY_HEIGHT,
	.width = TINY_WIDTH,
	.channels = 1,
	.outputs = O,
	.bytes = true,
	.parameters = K * H + H + H * O + O,
	.macs = K * H + H * O,
	.step_flops = 6.0 * B * (K * H + H * O),
	.params_reals = PARAMS,
	.arena_reals = ARENA,
	.infer_arena_reals = INFER_ARENA,
	.scratch_reals = H,
	.input = X,
	.input_grad = DX,
	.output = P,
	.tensors = tensors,
	.tensor_count = sizeof tensors / sizeof *tensors,
	.layers = layers,
	.layer_count = sizeof layers / sizeof *layers,
	.ops = ops,
	.op_count = sizeof ops / sizeof *ops,
	.slots = slots,
	.slot_count = 2,
	.training =
		{
			.format = "idx",
			.train = 0,
			.validation = 0.2,
			.loss = "cross_entropy",
			.optimizer = "adam",
			.lr = 0.01,
			.epochs = 6,
			.seed = 1,
			.watch = "",
		},
	.load = load,
	.forward = forward,
	.backward = backward,
	.infer = infer,
	.evaluate = evaluate,
};
