/*
 * nnc_rt.h - the runtime of networks compiled by nnc.
 *
 * Two readers: the C file that nnc generates (it fills one NncModel and calls
 * nothing but the vector helpers of nnc_vec.h, nnc_philox and, where a kernel
 * wants it, OpenBLAS), and the program around it (data, epochs, metrics, files,
 * command line), which lives in libnncrt.a.
 *
 * Letters: B batch, N rows in this batch (1..B), H height, W width, C channels,
 * K inputs, O outputs. Images are H x W x C, channels fastest (NHWC).
 *
 * Nothing here exits or prints, but for nnc_main(). A function that can fail
 * takes an NncError, fills it and returns its code; NNC_OK is 0.
 */
#ifndef NNC_RT_H
#define NNC_RT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NNC_VERSION "0.1.0"
#define NNC_ABI 5 /* of NncModel; a model of another ABI is refused */

/* ---- numbers -------------------------------------------------------------- */

/*
 * The number that a model computes in. The same C text compiled with
 * -DNNC_DOUBLE is the twin that gradcheck differentiates numerically.
 */
#ifdef NNC_DOUBLE
typedef double nnc_real;
#else
typedef float nnc_real;
#endif

#define NNC_ALIGN 64 /* bytes; of every tensor: one AVX-512 vector, one cache line */

/* ---- limits --------------------------------------------------------------- */

enum {
	NNC_MAX_RANK = 4,
	NNC_MAX_SLOTS = 2,          /* optimizer state tensors per weight tensor */
	NNC_MAX_CLASSES = 1 << 16,
	NNC_MAX_BATCH = 1 << 20,
	NNC_MAX_EPOCHS = 1000000,
	NNC_MAX_FOLDS = 100,
	NNC_MAX_DIM = 1 << 24,
	NNC_MAX_HEADER = 16 << 20,  /* bytes of a safetensors header */
	NNC_MAX_IMAGE = 16384,      /* pixels a side */
};

/* ---- errors --------------------------------------------------------------- */

/* Each code is the exit status that nnc_main() answers with. */
enum {
	NNC_OK = 0,
	NNC_FAILED = 1,      /* diverged, gradcheck out of bounds */
	NNC_USAGE = 2,       /* a bad option or argument */
	NNC_DATA = 65,       /* malformed data, weights, or another architecture's */
	NNC_NOINPUT = 66,    /* an input is missing */
	NNC_BUG = 70,        /* ours */
	NNC_NOMEM = 71,      /* out of memory */
	NNC_IO = 74,         /* reading or writing failed, disk full */
	NNC_CPU = 78,        /* this CPU cannot run this build */
};

typedef struct NncError {
	int code;            /* NNC_OK or one of the codes above */
	char message[2048];  /* what went wrong; then, on lines of their own, "help: ..." */
} NncError;

/* Sets *err (may be NULL) and returns code, so that `return nnc_fail(...)` reads well. */
int nnc_fail(NncError *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* What a code means, in a few words; never NULL. */
const char *nnc_strerror(int code);

/* ---- descriptors ---------------------------------------------------------- */

/* The forms an argument in a .nn file may take; or-ed together. */
enum {
	NNC_ARG_INT = 1 << 0,        /* 128 */
	NNC_ARG_REAL = 1 << 1,       /* 0.2, 1/255; an integer will do too */
	NNC_ARG_FLAG = 1 << 2,       /* nesterov, or nesterov=true, nesterov=false */
	NNC_ARG_CHOICE = 1 << 3,     /* one of `choices` */
	NNC_ARG_SIZE2 = 1 << 4,      /* 7 or 7x7: height x width */
	NNC_ARG_SHAPE = 1 << 5,      /* 784, 28x28 or 28x28x1 */
	NNC_ARG_ACTIVATION = 1 << 6, /* relu, leaky_relu(0.1) */
	NNC_ARG_INIT = 1 << 7,       /* he, normal(0.01) */
	NNC_ARG_STRING = 1 << 8,     /* "data/train.csv" */
	NNC_ARG_LIST = 1 << 9,       /* [1e-4, 1e-3]: the values each of the other forms */
};

/*
 * One parameter of a layer, optimizer, loss, initialiser, data format or setting.
 * A table of them ends with a NULL name. It drives checking, messages and --doc.
 */
typedef struct NncParam {
	const char *name;
	int forms;            /* NNC_ARG_..., or-ed */
	bool positional;      /* may stand without its name; matched in table order by form */
	bool required;
	double initial;       /* the default of an INT, REAL, FLAG */
	double min, max;      /* inclusive bounds of an INT, REAL, of each side of a SIZE2 or
	                         SHAPE, of each value of a LIST */
	const char *choices;  /* of a CHOICE: "same|valid"; the first is the default */
	const char *help;     /* one line */
} NncParam;

/* ---- random numbers ------------------------------------------------------- */

/*
 * Philox 4x32-10 (Salmon et al. 2011, Random123's definition): four words for a
 * counter and a key. counter = { epoch, step, sample, block }, key = { seed,
 * stream }, so a draw depends on where it is used, never on when or by which thread.
 */
void nnc_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

/* The streams of the runtime. A layer that draws has NNC_STREAM_LAYER + its number. */
enum {
	NNC_STREAM_INIT = 1,     /* initial weights: counter = { 0, tensor, 0, block } */
	NNC_STREAM_SUBSET = 2,   /* which samples `train N` takes */
	NNC_STREAM_SPLIT = 3,    /* which of them are held out for validation */
	NNC_STREAM_SHUFFLE = 4,  /* the order of an epoch: counter[0] = epoch */
	NNC_STREAM_SYNTHETIC = 5, /* gradcheck's and bench's made-up samples */
	NNC_STREAM_LAYER = 256,
};

/* A uniform integer in [0, bound), bound >= 1, unbiased; one stream of draws a position. */
typedef struct NncRng {
	uint32_t counter[4]; /* counter[3] is the next block */
	uint32_t key[2];
	uint32_t words[4];
	int left;            /* words not yet used */
} NncRng;

NncRng nnc_rng(uint32_t seed, uint32_t stream, uint32_t epoch, uint32_t step);
uint32_t nnc_rng_below(NncRng *rng, uint32_t bound);
double nnc_rng_uniform(NncRng *rng); /* in [0, 1), 32 bits */
double nnc_rng_normal(NncRng *rng);  /* mean 0, deviation 1 (Box-Muller) */

/* Fisher-Yates over index[0..count). */
void nnc_shuffle(uint32_t *index, size_t count, NncRng *rng);

/* ---- initialisers (runtime/init/NAME.c) ------------------------------------ */

typedef struct NncInit {
	const char *name;     /* the word in the .nn file: he */
	const char *summary;  /* one line, with the formula's source */
	NncParam param;       /* its argument, or a NULL name: normal(s) */
	/* The value of one element: fan_in inputs, fan_out outputs of its tensor. */
	double (*draw)(NncRng *rng, double argument, double fan_in, double fan_out);
} NncInit;

extern const NncInit *const nnc_inits[]; /* every one, by name; ends with NULL */
const NncInit *nnc_find_init(const char *name); /* or NULL */

/* ---- data ------------------------------------------------------------------ */

/* Labelled samples in memory. */
typedef struct NncData {
	int64_t count;          /* samples */
	int32_t height, width, channels; /* of a sample; a vector of K is 1 x 1 x K */
	int32_t classes;        /* every label is below it */
	bool bytes;             /* samples are uint8_t; otherwise float */
	void *samples;          /* (count, height, width, channels) */
	int32_t *labels;        /* (count) */
	uint32_t samples_crc, labels_crc; /* CRC-32 of the payloads as stored; 0: not known */
	char source[512];       /* the file or folder the samples came from */
	void *map;              /* both are in this mapping of a file; or NULL */
	size_t map_bytes;
} NncData;

/* What a program asks of a data format. */
typedef struct NncDataRequest {
	const char *directory;  /* --data, or NULL: search as documented */
	const char *path;       /* the string of `data idx "dir"`, or NULL */
	const char *label;      /* the label's column: "first", "last", "3", a heading; or NULL */
	int32_t height, width, channels; /* the model's input; 0: whatever is found */
	int32_t classes;        /* the model's outputs; 0: whatever is found */
	bool test;              /* the test part, else the training part */
} NncDataRequest;

/* A data format or a registered data set (runtime/data/NAME.c). */
typedef struct NncFormat {
	const char *name;       /* the word in the .nn file: fashion_mnist, idx */
	const char *summary;    /* one line */
	const char *package;    /* Debian's package that holds it, or NULL */
	bool takes_path;        /* data idx "dir" */
	bool takes_label;       /* { label last; } */
	bool bytes;             /* its samples are uint8_t */
	int32_t height, width, channels, classes; /* fixed for a registered set; else 0 */
	const char *const *class_names; /* `classes` of them, or NULL */
	/* CRC-32 of the published payloads, [test]: NncData's two; 0: not known */
	uint32_t samples_crc[2], labels_crc[2];
	/* Loads one part. Errors: NNC_NOINPUT (with every path tried, and the package),
	   NNC_DATA, NNC_IO, NNC_NOMEM. */
	int (*load)(NncData *data, const NncDataRequest *request, NncError *err);
} NncFormat;

extern const NncFormat *const nnc_formats[]; /* every one, by name; ends with NULL */
const NncFormat *nnc_find_format(const char *name); /* or NULL */
void nnc_data_free(NncData *data); /* leaves it all zero */

/* ---- the machine (runtime/cpu.c) ---------------------------------------------- */

enum { NNC_CPU_NAME = 128 };
/* "Intel(R) Xeon(R) Gold 6348", or the architecture where Linux tells no more. */
const char *nnc_cpu_name(char name[NNC_CPU_NAME]);

/* ---- the compiled model ----------------------------------------------------- */

/* One weight tensor. Files hold it in PyTorch's shape and order, C in its own. */
typedef struct NncTensor {
	const char *name;           /* "conv1.weight" */
	int32_t rank;
	int32_t dim[NNC_MAX_RANK];  /* PyTorch's shape, e.g. (O,I,kH,kW); (O,I); (O) */
	int32_t stride[NNC_MAX_RANK]; /* element (i,j,k,l) is at offset + i*stride[0] + ... */
	int64_t offset;             /* reals from the start of the parameter block */
	const char *init;           /* an initialiser's name */
	double init_argument;
	double fan_in, fan_out;
} NncTensor;

/* One layer, for tables and messages. */
typedef struct NncLayer {
	const char *name;           /* "conv1" */
	const char *source;         /* the statement: "conv 64 7x7 relu" */
	const char *file;           /* an included one; NULL: NncModel.source */
	int32_t below;              /* its line, less that of the layer before it */
	int32_t rank;
	int32_t dim[NNC_MAX_RANK];  /* its output without the batch: H, W, C or K */
	int64_t parameters;
	int64_t macs;               /* multiply-adds of one sample's forward pass */
} NncLayer;

typedef enum NncPhase {
	NNC_PHASE_LOAD,             /* both of a training step and of an inference */
	NNC_PHASE_FORWARD,
	NNC_PHASE_BACKWARD,
	NNC_PHASE_INFER,
} NncPhase;

/* One call of a kernel in load, forward, backward or infer. */
typedef struct NncOp {
	NncPhase phase;
	const char *layer;          /* the layer's name */
	const char *function;       /* what is called */
	double flops;               /* of B rows, with what is fused into it */
	const char *helper;         /* whose nnc_share it comes to first; NULL: its own */
} NncOp;

/* What the .nn file's data and train sections say; options may override most. */
typedef struct NncTraining {
	const char *format;         /* a data format's name, or NULL: no data section */
	const char *path;           /* its string, or NULL */
	const char *label;          /* its label setting, or NULL */
	int64_t train;              /* training samples used; 0: all */
	double validation;          /* share of them held out, stratified; 0: none */
	const char *loss;           /* "cross_entropy" */
	const char *optimizer;      /* "adam" */
	double lr;
	int32_t epochs;
	uint32_t seed;
	/* early stopping: watch is "" or one of val_accuracy, val_loss, accuracy, loss */
	const char *watch;
	int32_t patience;           /* epochs without an improvement before stopping */
	double min_delta;           /* an improvement is more than this */
} NncTraining;

/* One batch: rows of a data set, picked by index. */
typedef struct NncBatch {
	const void *samples;        /* of the whole data set: uint8_t or float, see NncModel.bytes */
	const int32_t *labels;      /* of the whole data set */
	const uint32_t *index;      /* (rows) which samples */
	const uint32_t *next;       /* (next_rows) those of the batch after it, to prefetch */
	int32_t rows;               /* 1..B */
	int32_t next_rows;          /* 0: not known */
} NncBatch;

/* ---- threads (runtime/team.c) ------------------------------------------------- */

typedef struct NncTeam NncTeam;
typedef struct NncTrace NncTrace;

/*
 * One of the threads that make a step together. All of them call the same functions in
 * the same order; each function computes this thread's share of its output. What is
 * shared out never depends on how many there are, so neither do the numbers.
 */
typedef struct NncThread {
	int32_t id, count;          /* 0..count - 1 */
	void *scratch;              /* (scratch_reals, infer_scratch_reals) its own: kernels'
	                               workspace, then what nnc_own() finds */
	NncTeam *team;
	NncTrace *trace;            /* bench --ops: who notes when ops begin; or NULL */
} NncThread;

typedef struct NncRange {
	int first, end;             /* end exclusive */
} NncRange;

/* Notes that `function` shares out work, if that is how the trace's next op begins. */
void nnc_trace_share(NncTrace *trace, const char *function);

/*
 * Which of `count` equal pieces of work are this thread's: nnc_share(thread, count) gives
 * its share of them, nnc_whole(thread, count) all, of what each thread does for itself.
 * Macros, so that a trace sees which function they are called by.
 */
#define nnc_share(...) nnc_share_in(__func__, __VA_ARGS__)
#define nnc_whole(...) nnc_whole_in(__func__, __VA_ARGS__)

static inline NncRange nnc_whole_in(const char *function, const NncThread *t, int count)
{
	if (__builtin_expect(t->trace != NULL, 0))
		nnc_trace_share(t->trace, function);
	return (NncRange){0, count};
}

static inline NncRange nnc_share_in(const char *function, const NncThread *t, int count)
{
	const NncRange whole = nnc_whole_in(function, t, count);
	if (t->count == 1)
		return whole;
	return (NncRange){(int)((int64_t)count * t->id / t->count),
			  (int)((int64_t)count * (t->id + 1) / t->count)};
}

/* Of two threads, each one's half of what all of them have to themselves; else all of it. */
static inline NncRange nnc_half(const NncThread *t, int count)
{
	if (t->count != 2)
		return (NncRange){0, count};
	return t->id == 0 ? (NncRange){0, count / 2} : (NncRange){count / 2, count};
}

/*
 * Where (i,j) of a matrix (rows,cols) is whose two halves of columns lie one behind the
 * other. Of two threads each so has its half to itself: had the halves lines side by side,
 * what one CPU fetches ahead would be taken from the other's cache.
 */
static inline int nnc_halved(int rows, int cols, int i, int j)
{
	const int half = cols / 2;

	return j / half * rows * half + i * half + j % half;
}

/* Returns when every thread of the team is here: what they wrote can then be read. */
void nnc_barrier(const NncThread *t);

/* The same of more than two threads: of two, each goes on with the half that it has made. */
static inline void nnc_barrier_of_many(const NncThread *t)
{
	if (t->count > 2)
		nnc_barrier(t);
}

/* Has what other threads have just made come nearer, meanwhile. */
static inline void nnc_fetch(const NncThread *t, const nnc_real *p, int count)
{
	const int line = (int)(NNC_ALIGN / sizeof *p);

	for (int k = 0; t->count > 1 && k < count; k += line)
		__builtin_prefetch(p + k, 0, 2);
}

/* What a context is for. */
typedef enum NncPurpose {
	NNC_TRAINING,               /* all that a model can do */
	NNC_INFERENCE,              /* load, infer and evaluate only */
} NncPurpose;

/*
 * Everything a compiled model works on. The blocks are zeroed and NNC_ALIGN-ed
 * arrays of the model's real_bytes-sized numbers; nnc_context_open() makes them. For
 * inference there are no grads and slots (NULL), and arena and scratch are smaller.
 */
typedef struct NncContext {
	void *params;               /* (params_reals) the weights */
	void *grads;                /* (params_reals) filled by backward */
	void *slot[NNC_MAX_SLOTS];  /* (params_reals) optimizer state */
	/* (arena_reals, infer_arena_reals: the larger) activations, adjoints, workspace */
	void *arena;
	double *row_loss;           /* (B) forward, evaluate: the loss of each row */
	uint8_t *row_hit;           /* (B) and whether its argmax is the label */
	bool keep_grads;            /* backward also fills grads where it could do without */
	NncTeam *team;              /* the threads that compute */
	double lr;                  /* this step's learning rate; 0: weights stay */
	uint64_t updates;           /* updates made before this one (Adam's t - 1) */
	uint32_t seed, epoch, step; /* where we are: the key and counter of draws */
	bool dropout;               /* forward: false passes everything through */
	double loss;                /* the sum over all rows since it was set to 0 */
	int64_t correct;            /* and those whose argmax is the label */
} NncContext;

/*
 * What each thread has of its own: thread 0's is where the arena begins, the others' is
 * `at` reals behind the beginning of their scratch.
 */
static inline nnc_real *nnc_own(const NncContext *c, const NncThread *t, int64_t at)
{
	return t->id == 0 ? (nnc_real *)c->arena : (nnc_real *)t->scratch + at;
}

/* A part of a step, as every thread of a team does it. */
typedef void NncWork(NncContext *c, const NncBatch *batch, const NncThread *t);

typedef struct NncModel {
	uint32_t abi;               /* NNC_ABI */
	const char *name;           /* "cnn" */
	const char *source;         /* "cnn.nn" */
	int32_t real_bytes;         /* sizeof(nnc_real) it was compiled with */
	const char *cpu;            /* what its CPU must have: "avx2 fma avx512f" */
	int32_t batch;              /* B */
	int32_t height, width, channels; /* input; a vector is 1 x 1 x K */
	int32_t outputs;            /* classes */
	bool bytes;                 /* takes uint8_t samples, else float */
	int64_t parameters;         /* weights, without padding */
	int64_t macs;               /* of one sample's forward pass */
	double step_flops;          /* of one training step of B rows */
	size_t params_reals;
	size_t arena_reals, infer_arena_reals; /* forward, backward; infer, evaluate */
	size_t scratch_reals, infer_scratch_reals; /* of each thread; the same */
	int64_t input;              /* arena offset of the input (B, H, W, C) */
	int64_t input_grad;         /* of its gradient; only real_bytes 8 computes it */
	int64_t output;             /* of infer's output (B, outputs) */
	const NncTensor *tensors;
	int32_t tensor_count;
	const NncLayer *layers;
	int32_t layer_count;
	const NncOp *ops;           /* in the order of the calls */
	int32_t op_count;
	const char *const *slots;   /* the optimizer's state: "m", "v"; slot_count names */
	int32_t slot_count;
	NncTraining training;

	/*
	 * One training step is load, forward, backward, with a barrier before backward and at
	 * the end. Every thread of a team calls them.
	 */
	NncWork *load;              /* gather, scale: the input */
	NncWork *forward;           /* dropout included; row_loss, row_hit, the loss's gradient */
	/* Gradients of the mean loss, and the optimizer's step, for every weight. */
	NncWork *backward;
	/* After load: the output (probabilities where the loss is cross_entropy). */
	NncWork *infer;
	/* infer, then row_loss and row_hit against the labels. */
	NncWork *evaluate;
} NncModel;

/* Allocates the blocks for a model and starts its threads. Errors: NNC_NOMEM. */
int nnc_context_open(NncContext *c, const NncModel *model, NncPurpose purpose,
		     int threads, NncError *err);
void nnc_context_close(NncContext *c);

/* Draws every weight by its initialiser. */
void nnc_init_params(NncContext *c, const NncModel *model, uint32_t seed);

/*
 * The built program: `MODEL train|eval|predict|bench|gradcheck|grad|info`.
 * twin is the same model compiled with -DNNC_DOUBLE, or NULL (then gradcheck
 * says how to get it). Returns the exit status.
 */
int nnc_main(int argc, char **argv, const NncModel *model, const NncModel *twin);

/* The compiler of the generated file, "gcc 12.2.0"; NULL where that has no NNC_MAIN. */
extern const char nnc_compiler[] __attribute__((weak));

/* ---- for the generated file ------------------------------------------------- */

#define NNC_COUNT(array) (sizeof(array) / sizeof *(array))

/* NNC_MODEL(cnn): cnn_model, or cnn_model_double in the double twin. Pasted at once: the
   name of a model may be that of a macro, as linux is. */
#ifdef NNC_DOUBLE
#define NNC_MODEL(name) name##_model_double
#else
#define NNC_MODEL(name) name##_model
#endif

/* NNC_MAIN(cnn) is main() in the float build, and nothing in the double one. */
#if defined(NNC_DOUBLE)
#define NNC_MAIN(name) extern const NncModel name##_model_double
#elif defined(NNC_LIBRARY)
#define NNC_MAIN(name) extern const NncModel name##_model
#else
#ifdef __clang__
#define NNC_COMPILER __VERSION__
#else
#define NNC_COMPILER "gcc " __VERSION__
#endif
#define NNC_MAIN(name)                                                           \
	const char nnc_compiler[] = NNC_COMPILER;                                    \
	extern const NncModel name##_model_double __attribute__((weak));             \
	int main(int argc, char **argv)                                              \
	{                                                                            \
		return nnc_main(argc, argv, &name##_model, &name##_model_double);        \
	}                                                                            \
	extern const NncModel name##_model
#endif

#include "nnc_vec.h"

#endif
