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
	X = 0,          /* (B, K) */
	A = X + B * K,  /* (B, H) after relu and dropout */
	M = A + B * H,  /* (B, H) d a / d z: relu's derivative times dropout's factor */
	P = M + B * H,  /* (B, O) probabilities */
	DX = P + B * O, /* (B, K) */
	ARENA = DX + B * K,
};

static void load(NncContext *c, const NncBatch *batch)
{
	nnc_real *x = (nnc_real *)c->arena + X;
	const uint8_t *samples = batch->samples;

	for (int n = 0; n < batch->rows; n++)
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

	if (!c->dropout)
		return 1;
	nnc_philox(counter, key, word);
	return word[0] < 1u << 30 ? 0 : (nnc_real)(4.0 / 3.0);
}

static void hidden(NncContext *c, int n)
{
	const nnc_real *p = c->params, *x = (nnc_real *)c->arena + X + n * K;
	nnc_real *a = (nnc_real *)c->arena + A + n * H,
		 *m = (nnc_real *)c->arena + M + n * H;

	for (int h = 0; h < H; h++) {
		nnc_real z = p[B1 + h];
		for (int k = 0; k < K; k++)
			z += x[k] * p[W1 + k * H + h];
		m[h] = z > 0 ? keep(c, n, h) : z * 0; /* NaN stays NaN */
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

static void forward(NncContext *c, const NncBatch *batch)
{
	for (int n = 0; n < batch->rows; n++) {
		const nnc_real *y = (nnc_real *)c->arena + P + n * O;
		int label = batch->labels[batch->index[n]], best = 0;
		hidden(c, n);
		output(c, n);
		for (int o = 1; o < O; o++)
			best = y[o] > y[best] ? o : best;
		c->loss -= log((double)y[label]);
		c->correct += best == label;
	}
}

/* Adds the gradients of row n, each the mean's share. */
static void backward_row(NncContext *c, const NncBatch *batch, int n)
{
	const nnc_real *p = c->params, *x = (nnc_real *)c->arena + X + n * K;
	const nnc_real *a = (nnc_real *)c->arena + A + n * H;
	const nnc_real *m = (nnc_real *)c->arena + M + n * H;
	const nnc_real *y = (nnc_real *)c->arena + P + n * O;
	nnc_real *g = c->grads, *dx = (nnc_real *)c->arena + DX + n * K, dy[O];

	memset(dx, 0, K * sizeof *dx);
	for (int o = 0; o < O; o++) {
		dy[o] = (y[o] - (o == batch->labels[batch->index[n]])) /
			(nnc_real)batch->rows;
		g[B2 + o] += dy[o];
	}
	for (int h = 0; h < H; h++) {
		nnc_real da = 0;
		for (int o = 0; o < O; o++) {
			da += dy[o] * p[W2 + h * O + o];
			g[W2 + h * O + o] += dy[o] * a[h];
		}
		nnc_real dz = da * m[h];
		g[B1 + h] += tiny_bug == TINY_BIAS ? da : dz;
		for (int k = 0; k < K; k++) {
			g[W1 + k * H + h] += dz * x[k];
			dx[k] += dz * p[W1 + k * H + h];
		}
	}
	for (int k = 0; k < K && tiny_bug == TINY_SCALE; k++)
		dx[k] *= (nnc_real)1.01;
}

static void backward(NncContext *c, const NncBatch *batch)
{
	int rows = batch->rows;
	nnc_real *g = c->grads;

	if (tiny_bug == TINY_LOST_ROW && rows < B)
		rows--;
	memset(g, 0, PARAMS * sizeof *g);
	for (int n = 0; n < rows; n++)
		backward_row(c, batch, n);
	if (tiny_bug == TINY_SIGN)
		g[W2 + H * O - 1] = -g[W2 + H * O - 1];
}

static void update(NncContext *c)
{
	nnc_real *w = c->params, *m = c->slot[0], *v = c->slot[1];
	const nnc_real *g = c->grads;
	double t = (double)c->updates + 1;
	nnc_real lr = (nnc_real)(c->lr * sqrt(1 - pow(0.999, t)) / (1 - pow(0.9, t)));

	for (int i = 0; i < PARAMS; i++) {
		m[i] += (nnc_real)0.1 * (g[i] - m[i]);
		v[i] += (nnc_real)0.001 * (g[i] * g[i] - v[i]);
		w[i] -= lr * m[i] / ((nnc_real)sqrt((double)v[i]) + (nnc_real)1e-8);
	}
}

static void infer(NncContext *c, const NncBatch *batch)
{
	bool dropout = c->dropout;

	c->dropout = false;
	for (int n = 0; n < batch->rows; n++) {
		hidden(c, n);
		output(c, n);
	}
	c->dropout = dropout;
}

static void evaluate(NncContext *c, const NncBatch *batch)
{
	bool dropout = c->dropout;

	c->dropout = false;
	forward(c, batch);
	c->dropout = dropout;
}

static const NncTensor tensors[] = {
	{"dense1.weight", 2, {H, K}, {1, H}, W1, "he", 0, K, H},
	{"dense1.bias", 1, {H}, {1}, B1, "zeros", 0, K, H},
	{"dense2.weight", 2, {O, H}, {1, O}, W2, "glorot", 0, H, O},
	{"dense2.bias", 1, {O}, {1}, B2, "zeros", 0, H, O},
};

static const NncLayer layers[] = {
	{"input", "input 6x6x1", "tiny.nn:1", 3, {6, 6, 1}, 0, 0},
	{"dense1", "dense 16 relu", "tiny.nn:2", 1, {H}, K *H + H, K *H},
	{"dropout1", "dropout 0.25", "tiny.nn:3", 1, {H}, 0, 0},
	{"dense2", "dense 4 softmax", "tiny.nn:4", 1, {O}, H *O + O, H *O},
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
	.input = X,
	.input_grad = DX,
	.output = P,
	.tensors = tensors,
	.tensor_count = sizeof tensors / sizeof *tensors,
	.layers = layers,
	.layer_count = sizeof layers / sizeof *layers,
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
	.update = update,
	.infer = infer,
	.evaluate = evaluate,
};
