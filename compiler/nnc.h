/*
 * nnc.h - everything inside the compiler, in the order a model passes through it.
 *
 *     text -> Ast -> plain statements -> Net -> passes -> C text -> cc
 *
 * Everything is allocated from one arena that lives as long as the compilation.
 * `assert` is for our bugs; a user's error is a diagnostic and the stage goes on.
 */
#ifndef NNC_H
#define NNC_H

#include <assert.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "nnc_rt.h"
#include "options.h"
#include "stream.h"

typedef struct Source Source;
typedef struct Span Span;
typedef struct Value Value;
typedef struct Arg Arg;
typedef struct Stmt Stmt;
typedef struct Origin Origin;

/* ---- limits ----------------------------------------------------------------- */

enum {
	MAX_SOURCE = 1 << 20,    /* bytes of one .nn file */
	MAX_TOKEN = 4096,        /* bytes of one token */
	MAX_NESTING = 64,        /* bodies in bodies, parentheses, includes, block calls */
	MAX_LAYERS = 4096,       /* layer statements after expansion */
	MAX_ERRORS = 50,         /* reported before a stage gives up */
	MAX_KERNEL_TEXT = 16 << 20, /* bytes of all kernels of a model, as C */
};

/* ---- arena.c: memory, vectors, texts ------------------------------------------- */

/* Zeroed memory that lives until arena_free(); aborts with a message when there is none. */
void *arena_alloc(size_t size);
void arena_free(void);
/*
 * What is allocated between these two lives until the second. Not so while arena_keep() is
 * on, which it is outside of them; it answers whether it was.
 */
void scratch_begin(void);
void scratch_end(void);
bool arena_keep(bool on);
/* Says so and ends with status 71. */
_Noreturn void out_of_memory(void);
/* A stream to write text into, and all of that text once it is closed; *size may be NULL. */
typedef NncStream TextStream;
void text_open(TextStream *stream);
const char *text_close(TextStream *stream, size_t *size);
char *arena_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *arena_vprintf(const char *format, va_list args);
char *arena_strndup(const char *text, size_t length);
/* Gives back what is not needed any more; does nothing to a small allocation. */
void arena_drop(const void *p);
/* p, an allocation of `old` bytes, as one of `size`: in place where it is the newest. */
void *arena_resize(void *p, size_t old, size_t size);
/* The same; where it is large, what p was is gone. */
void *arena_move(void *p, size_t old, size_t size);

/* A growing array in the arena: int *v = NULL; int n = 0; *vec_push(&v, &n) = 7; */
void *vec_grow(void *items, int count, size_t item_size);
#define vec_push(items, count)                                                     \
	((*(items) = vec_grow(*(items), *(count), sizeof **(items))), &(*(items))[(*(count))++])

/* ---- util.c: numbers, hashes, names, files ---------------------------------------- */

/* a * b, a + b; false and *r untouched on overflow. Operands are not negative. */
bool mul_ok(int64_t a, int64_t b, int64_t *r);
bool add_ok(int64_t a, int64_t b, int64_t *r);

/* Of a table's keys; long ones take no longer than reading them. */
uint32_t hash_text(const char *text);

/* The nearest of candidates[0..n) to name, or NULL when none is near enough to offer. */
const char *nearest(const char *name, const char *const *candidates, int n);

/* A whole file (size in *size, NUL appended), or NULL with *why set. At most limit bytes. */
char *read_file(const char *path, size_t limit, size_t *size, const char **why);

/* ---- diag.c: sources, spans, messages ----------------------------------------- */

/* The text that spans point into. Line and column are computed only in diag.c. */
struct Source {
	const char *name;       /* as shown: "models/cnn.nn" or "<-D>" */
	const char *base;       /* its last component: "cnn.nn" */
	const char *dir;        /* the folder include looks in; "." if none */
	const char *text;       /* NUL-terminated, without a BOM */
	uint32_t size;
	uint32_t *lines;        /* where each line starts: lines[0] is 0 */
	int line_count;
};

struct Span {
	const Source *source;   /* NULL: no place to show */
	uint32_t start, end;    /* bytes, end exclusive */
};

/* A source of at most MAX_SOURCE bytes; both are copied, a BOM is left out. */
const Source *source_new(const char *name, const char *text, size_t size);

Span span_join(Span a, Span b);
const char *span_text(Span s);       /* the spanned bytes on one line, spaces folded */
int span_line(Span s);               /* 1-based */
int span_column(Span s);             /* 1-based, in characters */

/*
 * Bytes of the character at text, of n: 1..4; 0 if it is none, or must not reach a
 * terminal: a control, a line separator, an override of the text's direction.
 */
size_t safe_char(const char *text, size_t n);

/*
 * gcc's form: file:line:column: error: message, the source line, a caret under the
 * span. diag_note and diag_help belong to the message before them. Colours only on a
 * terminal without NO_COLOR. All go to diag_stream (stderr by default).
 */
void diag_error(Span at, const char *format, ...) __attribute__((format(printf, 2, 3)));
void diag_warn(Span at, const char *format, ...) __attribute__((format(printf, 2, 3)));
void diag_note(Span at, const char *format, ...) __attribute__((format(printf, 2, 3)));
void diag_help(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* "unknown layer 'dens'" with the nearest of candidates as help, or all of them if few. */
void diag_unknown(Span at, const char *what, const char *name,
                  const char *const *candidates, int n);
/* Only its help: "did you mean 'dense'?" */
void diag_suggest(const char *name, const char *const *candidates, int n);
/* "is a ';' missing at the end of line 8?", if at starts on a line after before. */
bool diag_semicolon(Span before, Span at);
int diag_errors(void);               /* errors reported so far */
int diag_warnings(void);
void diag_silence(bool on);          /* warnings were given already: not again */
const char *printable(const char *text); /* '?' for what must not reach a terminal */
void diag_reset(FILE *stream);       /* for tests: counts to zero, messages to stream */

/* ---- ast.c: what the grammar builds --------------------------------------------- */

typedef enum {
	VALUE_NUMBER,   /* 128, 0.2, -1, 1e-4, 1/255 */
	VALUE_SHAPE,    /* 28x28x1: items are numbers */
	VALUE_TUPLE,    /* (3, 3, c): items; after expansion a VALUE_SHAPE */
	VALUE_NAME,     /* relu */
	VALUE_CALL,     /* leaky_relu(0.1): text and items */
	VALUE_STRING,   /* "data/train.csv": text after escapes; no NUL inside */
	VALUE_LIST,     /* [1e-4, 1e-3]: items */
	VALUE_BINARY,   /* a + b in parentheses: op is one of + - * / %; two items; gone after expansion */
	VALUE_NEGATE,   /* -a in parentheses: one item; gone after expansion */
} ValueKind;

struct Value {
	ValueKind kind;
	Span span;
	double number;      /* NUMBER */
	int64_t integer;    /* NUMBER: its value where is_integer */
	bool is_integer;    /* written (or computed) as an exact integer */
	char op;            /* BINARY */
	const char *text;   /* NAME, CALL, STRING; NUMBER: "1/255" of a ratio, else NULL */
	Arg *items;         /* SHAPE, TUPLE, CALL, LIST, BINARY, NEGATE */
	int count;
};

/* One argument: positional (key NULL) or key=value. */
struct Arg {
	const char *key;
	Span key_span;
	Value value;
};

/* NAME args ( ';' | '{' body '}' ) */
struct Stmt {
	const char *name;
	Span name_span;
	Span span;          /* from the name to the last argument */
	Arg *args;
	int count;
	bool has_body;
	Stmt *body;
	int body_count;
	const Origin *origin; /* how expansion came here; NULL: written in the file */
};

/* Why a statement stands where it stands: innermost first. */
struct Origin {
	enum { ORIGIN_BLOCK, ORIGIN_REPEAT, ORIGIN_INCLUDE } kind;
	Span span;          /* the call, the repeat, the include */
	const char *name;   /* of the block */
	int turn, turns;    /* of a repeat: 2 of 3 */
	const Origin *outer;
};

/* The statements of a source, or as many as could be recovered; errors are reported. */
Stmt *parse_source(const Source *source, int *count);

/* Prints statements in normal form: the canonical spelling, one a line, tabs for nesting. */
void print_stmts(FILE *out, const Stmt *stmts, int count);
/* One value in normal form. */
const char *value_text(const Value *value);

/* ---- expand.c: const, -D, include, block, repeat -> plain statements ------------- */

typedef struct Define {     /* -D name=value */
	const char *name;
	const char *value;
} Define;

typedef struct ExpandOptions {
	const Define *defines;
	int define_count;
	const char *const *include_dirs; /* -I, searched after the includer's folder */
	int include_count;
} ExpandOptions;

/*
 * Reads a file and expands it. What is left are statements whose values are numbers,
 * shapes, names, calls, strings and lists: no const, include, block, repeat, tuple or
 * arithmetic; every name that is a constant replaced by its value (its span stays where
 * it was written). *main_source is the file itself. Check diag_errors() afterwards.
 */
Stmt *expand_file(const char *path, const ExpandOptions *options, int *count,
                  const Source **main_source);
/* The same from memory, for tests; name is what messages show. */
Stmt *expand_text(const char *name, const char *text, size_t size,
                  const ExpandOptions *options, int *count, const Source **main_source);

/* The constants of the model expanded last: what its tune section may vary. */
typedef struct Constant {
	const char *name;
	Span span;          /* of its name where it is defined */
	Value value;
} Constant;

const Constant *model_constants(int *n);
/* Whether -D may give a constant that value: it is of the same kind. */
bool constant_takes(const Constant *constant, const Value *value);
const char *value_kind(const Value *value); /* "an integer" */

/* Adds the notes of a statement's origin: "in block res used here", "second time round". */
void diag_origin(const Origin *origin);
/* "", or ", second time round": for a message that names a statement in a repeat. */
const char *origin_turn(const Origin *origin);

/* ---- bind.c: arguments against a parameter table ---------------------------------- */

typedef struct NncParam Param;

enum { MAX_PARAMS = 16 };

/* activations.c: the words that NNC_ARG_ACTIVATION accepts. */
bool is_activation(const char *name);
/* A name or call of one: whether its arguments are right; reports what is not. */
bool check_activation(const Value *value);
const char *const *activation_names(int *n);

/*
 * The arguments of a statement or call, one value per row of its table. Positional
 * arguments go to the first positional parameter left whose forms accept them.
 */
typedef struct Args {
	const char *what;               /* "dense", for messages */
	Span span;                      /* of the whole */
	const Param *params;
	const Value *values[MAX_PARAMS]; /* NULL: not given */
} Args;

/*
 * Checks args against params and fills *bound: unknown, repeated, missing, ill-typed,
 * out of range: each reported with what was expected. Names of activations and
 * initialisers are looked up here, so a bound one exists. False if
 * anything was wrong.
 */
bool bind_args(Args *bound, const char *what, Span span, const Arg *args, int count,
               const Param *params);

bool arg_given(const Args *a, const char *name);
int64_t arg_int(const Args *a, const char *name);           /* or its default */
double arg_real(const Args *a, const char *name);
bool arg_flag(const Args *a, const char *name);
const char *arg_choice(const Args *a, const char *name);    /* the default: the first choice */
const char *arg_string(const Args *a, const char *name);    /* or NULL */
/* height x width; false if not given. 7 is 7x7. */
bool arg_size2(const Args *a, const char *name, int64_t size[2]);
Span arg_span(const Args *a, const char *name);             /* of the value, else of the whole */
const Value *arg_value(const Args *a, const char *name);    /* or NULL */

const char *params_form(const char *what, const Param *params); /* "dense UNITS [bias=...]" */
const char *param_text(const Param *p); /* "an integer (of at least 1); required" */
/* Prints what `nnc --doc NAME` says of a parameter table. */
void print_params(FILE *out, const char *what, const Param *params);

/* ---- activations.c: one table ------------------------------------------------------ */

/*
 * An elementwise function. `value` is a C expression of v, the input; `grad` one of v,
 * the adjoint of the output, and y, the output (or x, the input, where from_input).
 * Both may use `alpha`. They are written so that compilers vectorise them.
 */
typedef struct Activation {
	const char *name;
	const char *summary;
	Param param;            /* its argument, or a NULL name */
	const char *value;      /* NULL: the identity */
	const char *grad;
	bool from_input;
	bool rises;             /* never less for a larger v */
	bool zeros;             /* grad is 0 where y is, whatever v is */
	const char *init;       /* the initialiser that suits the layer before it */
} Activation;

extern const Activation activations[]; /* by name; ends with a NULL name */
const Activation *find_activation(const char *name); /* or NULL: softmax is an op */
double activation_argument(const Activation *act, const Value *v); /* or its default */

/* ---- ir.c: the Net ------------------------------------------------------------------ */

typedef struct Net Net;
typedef struct NetLayer NetLayer;
typedef struct Node Node;
typedef struct Tensor Tensor;
typedef struct Program Program;
typedef struct Op Op;
typedef struct Layer Layer;
typedef struct Kernel Kernel;
typedef struct Optimizer Optimizer;
typedef struct Loss Loss;
typedef struct Emit Emit;
typedef struct Tuning Tuning;
typedef struct Choice Choice;

#define MAX_TENSOR INT64_C(0x7fffffff) /* elements of one tensor, the batch included */

typedef struct Shape { /* of one sample, or of a weight */
	int rank;
	int64_t dim[NNC_MAX_RANK];
} Shape;

Shape shape1(int64_t k);
Shape shape2(int64_t a, int64_t b);
Shape shape3(int64_t h, int64_t w, int64_t c);
Shape shape4(int64_t a, int64_t b, int64_t c, int64_t d);
int64_t shape_size(Shape s);
int64_t columns(Shape s);       /* the last dimension: channels, or the values of a vector */
bool shape_equal(Shape a, Shape b);
const char *shape_name(Shape s); /* "28x28x1" */

typedef enum {
	TENSOR_INPUT,  /* the batch, scaled: x */
	TENSOR_VALUE,  /* an activation, an adjoint, a saved intermediate: in the arena */
	TENSOR_PARAM,  /* a weight */
	TENSOR_GRAD,   /* its gradient */
} TensorKind;

typedef enum {
	ELEMENT_REAL,
	ELEMENT_BYTE,  /* uint8_t: which of at most 256 places in a pool's window */
	ELEMENT_INT,   /* int32_t: the same for larger windows */
} Element;

struct Tensor {
	TensorKind kind;
	Element element;
	const char *id;         /* a C identifier from the layer's path: dense1, d_dense1 */
	const char *name;       /* of a weight, as files call it: "dense1.weight" */
	Shape shape;            /* batched tensors have B of these */
	bool batched;
	Node *producer;         /* NULL for weights */
	int uses;               /* how many nodes read it, and the last of them: count_uses */
	Node *reader;
	Node **readers;         /* all of them: count_uses; a weight's are of both programs */
	int reader_count;
	struct Made *made;      /* its transforms so far: kernels/conv_fft.c */
	bool halved;            /* halve: it lies as two halves of its columns, (2,B,K/2) */
	bool needed;            /* diff: some weight's gradient depends on its adjoint, */
	Tensor *adjoint;        /* which is this, as far as it has been summed */
	Tensor *grad;           /* of a PARAM, once diff has run */
	Tensor *alias;          /* lives in that tensor's memory: a reshape, or work in place */
	Tensor *next_id;        /* in its program's table of ids */
	unsigned seen;          /* ir_check: defined in this round */
	/* a weight: */
	const char *init;       /* initialiser and its argument */
	double init_argument;
	double fan_in, fan_out;
	int torch[NNC_MAX_RANK]; /* PyTorch's dimension i is our dimension torch[i] */
	/* set by plan: */
	int64_t offset, reals;  /* in the arena */
	bool own;               /* x: of each thread, the others' in their scratch */
	const Tensor *after;    /* whose place it takes, or whose end is its start; NULL: at 0 */
	int first, last;        /* the nodes between which it lives */
};

/* A layer of the model, as written. */
struct NetLayer {
	const Layer *layer;
	const Stmt *stmt;
	const char *word;       /* what the statement begins with: conv, relu */
	const char *id;         /* conv1 */
	const char *name;       /* the same, or the user's */
	const char *text;       /* the statement on one line */
	Shape in, out;
	int64_t params, macs;   /* weights; multiply-adds of one sample's forward pass */
	Tensor *output;
	int index;              /* in the Net's layers */
	int ordinal;            /* among those of its word, from 1 */
	NetLayer *next_name;    /* in its bucket of by_name */
};

typedef enum {
	PHASE_LOAD,     /* gather and scale the batch */
	PHASE_FORWARD,  /* and the loss */
	PHASE_BACKWARD,
	PHASE_UPDATE,
} Phase;

typedef enum { BINS_Y, BINS_DX, BINS_DW } BinsForm; /* which of a convolution's passes */

/* What an op needs beyond its tensors; each op uses the fields its file names. */
typedef struct Attr {
	bool ta, tb;            /* gemm: transposed operands */
	int64_t kernel[2], stride[2], dilation[2];
	int64_t pad[4];         /* top, left, bottom, right */
	const Activation *act;
	double alpha;           /* its argument */
	double rate;            /* dropout: the share set to zero */
	int stream;             /* dropout: its number among the net's */
	double scale;           /* load */
	const Optimizer *optimizer;
	const Args *args;       /* of the optimizer */
	const struct Spectral *spectral; /* fft_rows, fft_bins, fft_back: fft/fft.h */
	const struct Rows *rows; /* fft_rows, fft_back: of what */
	BinsForm form;          /* fft_bins */
} Attr;

/*
 * How threads share out what a node does with a value. Where two nodes share it out alike, a
 * thread goes on with what it has made itself; the others may still be making the rest.
 */
typedef enum Split {
	SPLIT_ANY,    /* in a way of its own */
	SPLIT_ROWS,   /* by rows: nnc_share(thread, n) */
	SPLIT_HALVES, /* of two threads each has half of the columns; of more, SPLIT_ANY */
} Split;

typedef enum Barrier { BARRIER_NONE, BARRIER_OF_MANY, BARRIER } Barrier; /* of many: of > 2 threads */

enum { MAX_IN = 4, MAX_OUT = 2, MAX_FUSED = 6 };

struct Node {
	const Op *op;
	Phase phase;
	Attr attr;
	Tensor *in[MAX_IN];
	int in_count;
	Tensor *out[MAX_OUT];   /* out[0] is the one that adjoints belong to */
	int out_count;
	const NetLayer *layer;  /* whose statement it comes from; NULL: an update */
	bool input_only;        /* leads only to the input's gradient, which gradcheck reads */
	bool dead;              /* for sweep */
	int index;              /* its place in the program: count_uses */
	/* fuse: elementwise nodes done on the way out, in order; see result() */
	Node *fused[MAX_FUSED];
	int fused_count;
	Node *spread;           /* pool: what makes the adjoint, of in[adjoint_in] and in[2] */
	/* select: */
	const Kernel *kernel;   /* NULL: the op's plain loops */
	const Kernel *lowered;  /* lower: the kernel that it is a part of, or NULL */
	double cost;            /* microseconds on the nominal machine */
	const Choice *choice;   /* tune: what it was chosen from, or NULL */
	Tensor *workspace;      /* what its threads share while they compute, or NULL */
	Barrier barrier;        /* sync: who must be done with what is before it */
	Tensor *fetch;          /* fetch: what comes nearer meanwhile, or NULL */
};

enum { NAME_BUCKETS = 1024 };

/* Nodes in order of execution, and the tensors they make. */
struct Program {
	const char *name;       /* "train", "infer" */
	Node **nodes;
	int count;
	Tensor **tensors;       /* INPUT and VALUE, in order of creation */
	int tensor_count;
	Tensor **ids;           /* the same by id: a hash table of chains */
	unsigned id_buckets;    /* a power of two */
	int id_count;
	Tensor **kept;          /* must be whole when the program has run */
	int kept_count;
	/* plan: */
	Tensor **placed;        /* with memory of their own, in order of `after` */
	int placed_count;
	int64_t arena;          /* reals, without what only the input's gradient needs */
	int64_t scratch;        /* reals of each thread: the most that a kernel needs, and x */
};

typedef struct Training {   /* the data and train sections, checked */
	const NncFormat *format; /* NULL: no data section, and no registered set fits */
	const char *path, *label;
	int64_t train;          /* samples; 0: all */
	double validation, scale;
	const Loss *loss;
	Args loss_args;
	const Optimizer *optimizer;
	Args optimizer_args;
	int64_t batch, epochs;
	uint32_t seed;
	const char *watch;      /* early stopping's metric, or "" */
	int64_t patience;
	double min_delta;
	Span data_span, loss_span, watch_span;
} Training;

/* search/axes.c: the tune section, checked. */
typedef struct Axis {
	const char *name;       /* lr, batch or a constant */
	Span span;
	const Value **values;   /* each another */
	int count;
} Axis;

typedef struct Tune {
	bool given;             /* there is one */
	Span span;
	int64_t folds, epochs;
	int64_t samples;        /* 0: as many as training takes */
	Axis *axes;             /* in the order written */
	int axis_count;
} Tune;

struct Net {
	const char *name;       /* a C identifier: mlp3_relu */
	const char *file;       /* as the generated C calls it: mlp3_relu.nn */
	const Source *source;
	Shape input;
	int64_t outputs;
	bool has_data;          /* a data section was written */
	Training training;
	Tune tune;
	NetLayer **layers;
	int layer_count;
	NetLayer *by_name[NAME_BUCKETS]; /* the same by name */
	Tensor **params;
	int param_count;
	int64_t params_total, macs_total;
	int dropouts;           /* streams handed out */
	Program train, infer;
	Tensor *x, *infer_x;    /* the input of each program */
	int64_t own;            /* reals: where threads' scratch has x, if it is their own */
	Tensor *output;         /* the last value: the logits, or what mse compares */
	Tensor *infer_result;   /* what infer shows: probabilities under cross_entropy */
	Tensor *d_x;            /* the input's gradient, or NULL */
	Node *loss, *infer_loss;
	const Kernel **preferred; /* --kernel: taken where they fit, whatever they cost */
	int preferred_count;
	Tuning *tuning;         /* --tune-kernels, or NULL */
	Phase phase;            /* of the nodes being appended */
	bool input_only;        /* and whether they lead to d_x only */
};

Tensor *new_value(Program *p, const char *id, Shape shape); /* batched; id is made unique */
void rename_value(Program *p, Tensor *t, const char *id);
Tensor *new_param(Net *net, NetLayer *layer, const char *part, Shape shape);
Tensor *param_grad(Tensor *param);
/* Appends to net->train in net->phase; append makes out[0], append_into is given it. */
Node *append(Net *net, const Op *op, const NetLayer *layer, const Attr *attr,
	     Tensor *const *in, int in_count, const char *out_id, Shape out_shape);
Node *append_into(Net *net, const Op *op, const NetLayer *layer, const Attr *attr,
		  Tensor *const *in, int in_count, Tensor *out);
Tensor *add_output(Net *net, Node *n, const char *id, Shape shape, Element element);
Tensor *storage(Tensor *t);                 /* the tensor whose memory it lives in */
Tensor *result(const Node *n);              /* out[0], after what is fused */
int64_t rows_of(const Net *net, const Tensor *t); /* B, or 1 */
/* How n shares out in[0], 'a'; in[1], 'b'; or all its other operands, 'c'. */
Split split_of(const Net *net, const Node *n, char operand);
Split split_by_rows(const Net *net, const Node *n, char operand); /* an op's split: SPLIT_ROWS */
void keep(Program *p, Tensor *t);
void count_uses(Program *p);
void sweep(Program *p);                     /* drops dead nodes */
void input_only_last(Program *p);
void ir_check(const Net *net);              /* aborts on our bugs */
void print_ir(FILE *out, const Net *net);   /* print.c: --emit=ir */

/* ---- layers/NAME.c: words of the language ------------------------------------------- */

struct Layer {
	const char *name;
	const char *summary;
	const char *detail;     /* shape rule and formula, for --doc */
	const Param *params;
	/*
	 * Appends the ops of one use: x is its input (NULL before the first layer), the
	 * result its output, or NULL after a reported error.
	 */
	Tensor *(*build)(Net *net, NetLayer *use, const Args *args, Tensor *x);
};

extern const Layer *const layers[]; /* by name; ends with NULL */
extern const Layer layer_activation; /* what `relu;` is short for */

/* Rows of many layers' tables. */
#define PARAM_ACTIVATION                                                           \
	{"activation", NNC_ARG_ACTIVATION, true, false, 0, 0, 0, NULL,             \
	 "applied to the output; none by default"}
#define PARAM_BIAS                                                                 \
	{"bias", NNC_ARG_FLAG, false, false, 1, 0, 1, NULL, "adds a learned number to each output"}
#define PARAM_INIT                                                                 \
	{"init", NNC_ARG_INIT, false, false, 0, 0, 0, NULL,                        \
	 "how the weights begin; follows the activation by default"}
#define PARAM_NAME                                                                 \
	{"name", NNC_ARG_STRING, false, false, 0, 0, 0, NULL, "in files, instead of kind and number"}

/* window.c: what layers share. */
const char *layer_id(const NetLayer *use, const char *part); /* "dense1_sum" */
bool param_fits(const NetLayer *use, Shape shape);
bool value_fits(const Net *net, const NetLayer *use, Shape shape);
Tensor *flatten(Net *net, NetLayer *use, Tensor *x);
Tensor *add_bias(Net *net, NetLayer *use, const Args *args, Tensor *x);
Tensor *activate(Net *net, NetLayer *use, const Args *args, Tensor *x);
void init_weight(Tensor *weight, const Args *args, double fan_in, double fan_out);
bool needs_image(const NetLayer *use, const Tensor *x);
/* Window, stride, dilation and padding; out is x's shape with the new height and width. */
bool window_attr(Attr *attr, const NetLayer *use, const Args *args, Tensor *x, Shape *out);

/* ---- build.c, sections.c, expect.c: statements -> the forward half of a Net ------------ */

Net *build_net(const Stmt *stmts, int count, const Source *source); /* NULL: errors */
const Layer *find_layer(const char *name);
const Loss *find_loss(const char *name);
const Optimizer *find_optimizer(const char *name);

extern const char *const directive_names[]; /* const, include ...; ends with NULL */
extern const char *const section_names[];
bool is_section(const char *name);
void read_sections(Net *net, const Stmt *stmts, int count);
bool setting_repeated(const Stmt *body, int i); /* body[i] has been before: reported */
void read_tune(Tune *tune, const Stmt *section);
void check_data_shape(Net *net);
/* The table of a section's setting number i, and its name; NULL: no more. */
typedef const Param *SettingParams(const char *section, int i, const char **name);
SettingParams section_setting;
const Param *tune_setting(int i, const char **name); /* the same of the tune section */
extern const Param expect_params[];
void check_expectations(const Net *net, const Stmt *stmts, int count);
void check_memory_expectations(const Net *net, const Stmt *stmts, int count); /* after plan */

/* ---- ops/NAME.c: nodes of the IR ------------------------------------------------------ */

typedef struct Operand {    /* of a fused op, as a parameter of the kernel */
	const char *type, *name; /* "const real *restrict", "bias" */
	const char *argument;   /* "w->dense1_bias" */
	bool batched;
	bool changed;           /* an array of in[0]'s size, at `at` */
} Operand;

enum { MAX_OPERANDS = 8 };

struct Op {
	const char *name;
	/*
	 * Appends what computes the adjoints: dout is that of out[0]; sets din[i] for each
	 * input with wanted[i]. NULL: never asked for.
	 */
	void (*grad)(Net *net, Node *n, Tensor *dout, const bool *wanted, Tensor **din);
	double (*flops)(const Net *net, const Node *n); /* of a whole batch; NULL: 0 */
	/* Calls plain loops: what every kernel of this op must agree with. */
	void (*emit)(Emit *e, const Node *n);
	/*
	 * An elementwise op: the C statement that turns v, the element at flat index `at` in
	 * column j, into its result. It can be fused into any kernel with an epilogue.
	 */
	const char *(*element)(const Node *n);
	const char *operand;    /* what it calls in[1], or NULL */
	/* Where one name is not enough: all that its statement uses; how many. */
	int (*operands)(const Node *n, Operand *list);
	const char *(*suffix)(const Node *n); /* in kernels' names: "bias", "relu" */
	void (*helper)(Emit *e, const Node *n); /* the function that its statement calls */
	/* The same for a whole vector v; emits the function that it calls. NULL, as result too: none. */
	const char *(*whole)(Emit *e, const Node *n);
	int64_t (*scratch)(const Net *net, const Node *n); /* reals of each thread; NULL: none */
	/* Which operands may be halved: "a" in[0], "b" in[1], "c" all the others; NULL: none. */
	const char *(*halves)(const Net *net, const Node *n);
	/* How it shares out an operand, named as above, by its plain loops; NULL: SPLIT_ANY. */
	Split (*split)(const Net *net, const Node *n, char operand);
	bool by_columns;        /* a thread reads some columns of in[0], not some rows */
	bool (*own)(const Net *net, const Node *n); /* load: each thread has all of x for itself */
	int adjoint_in;         /* conv_dx, conv_dw: which in[] is the adjoint of conv's output */
	bool product;           /* its plain loops sum products: they hardly vectorise */
	bool epilogue;          /* its kernels can end with elementwise ops */
	bool updates;           /* its plain loops can end with an optimizer's step */
	bool consumes;          /* an update: fused, it leaves nothing of in[0] to be stored */
	bool training_only;     /* the identity at inference */
	bool in_place;          /* out[0] may overwrite in[0] */
	bool reshape;           /* out[0] is in[0]; nothing is computed */
	bool keeps_largest;     /* out[0] are numbers of in[0], the largest of several */
	bool spreads;           /* its gradient: in[0], to where out[1] of the forward says */
	bool (*rises)(const Node *n); /* elementwise: never less for a larger number; or NULL */
	void (*print_attr)(FILE *out, const Node *n); /* for --emit=ir, or NULL */
};

extern const Op *const ops[];

/* Ops that layers, gradients and passes append. */
extern const Op op_load, op_gemm, op_bias, op_bias_grad, op_activation, op_activation_grad,
	op_softmax, op_softmax_grad, op_reshape, op_dropout, op_dropout_grad, op_add, op_conv, op_conv_dx,
	op_conv_dw, op_maxpool, op_maxpool_grad, op_avgpool, op_avgpool_grad,
	op_cross_entropy, op_mse, op_update, op_fft_rows, op_fft_bins, op_fft_back;

/* The sizes of a gemm, of a node or inside another kernel. */
typedef struct Gemm {
	int64_t m, n, k;
	char rows;              /* which of m, k is the number of rows at run time: 'm', 'k' */
	bool ta, tb;
	bool accumulate;        /* c += */
	const Node *node;       /* whose epilogue it ends with, or NULL */
} Gemm;

/* The sizes of a sliding window: image side h w c, output side oh ow o. */
typedef struct Window {
	int64_t h, w, c, oh, ow, o, kh, kw, sh, sw, dh, dw, top, left;
	bool uneven;            /* more padding at the end than at the start */
} Window;

Gemm gemm_of(const Net *net, const Node *n);
bool gemm_halved(const Gemm *g, char operand); /* is 'a', 'b' or 'c'? */
Window conv_window(const Node *n);
const Node *pool_of(const Node *n);     /* the maxpool that conv n ends with, or NULL */
const char *maxpool_line_function(Emit *e, const Node *n);
const char *maxpool_grad_function(Emit *e, const Node *n);

/* ---- losses/, optimizers/ --------------------------------------------------------------- */

typedef struct Hole Hole;

struct Loss {
	const char *name;
	const char *summary;
	const Param *params;
	Node *(*build)(Net *net, Tensor *output); /* appends the loss; may fuse the softmax */
	bool probabilities;     /* the output is logits: infer ends with a softmax */
};

extern const Loss *const losses[];

struct Optimizer {
	const char *name;
	const char *summary;
	const Param *params;    /* the first row is lr */
	void (*check)(const Args *args); /* of arguments against each other, or NULL */
	int (*slots)(const Args *args, const char *const **names); /* state per weight */
	/*
	 * Of the inline function that moves one weight, named as the optimizer:
	 * NAME(g, scalars..., w, slots...), w and slots by address.
	 */
	const char *(*template)(const Args *args);
	const Hole *(*holes)(const Args *args);
	bool vectors;           /* the template is of a function $name$ of any $number$: of vectors, too */
	const char *setup;      /* statements once a step, with holes */
	const char *const *scalars; /* what they made, for every element; ends with NULL */
	bool (*rests)(const Args *args); /* where the gradient is 0: NULL, never */
	int flops;              /* an element */
};

#define PARAM_LR(initial)                                                          \
	{"lr", NNC_ARG_REAL, false, false, initial, 1e-12, 1e6, NULL, "learning rate"}

extern const Optimizer *const optimizers[];

/* ---- passes.c, passes/NAME.c, in this order ----------------------------------------------- */

/*
 * From the pass `first` (NULL: the first of all) to `last` (NULL: the last), with both;
 * "build" is the stage before them.
 */
void run_passes(Net *net, const char *first, const char *last);
const char *const *stage_names(int *n); /* build and the passes */
bool is_stage(const char *name);

void pass_reorder(Net *net); /* bias and activation behind the maxpool that follows */
void pass_infer(Net *net);   /* the inference program */
void pass_diff(Net *net);    /* backward and update */
void pass_fuse(Net *net);    /* elementwise ops into their producers */
void pass_select(Net *net);  /* a kernel for every node */
void pass_tune(Net *net);    /* another, where that was measured to be faster */
void pass_update(Net *net);  /* the optimizer's step into the kernels of gradients */
void pass_pool(Net *net);    /* maxpool into the kernels beside it */
void pass_lower(Net *net);   /* kernels that are made of other ops */
void pass_halve(Net *net);   /* values as two halves of their columns */
void pass_plan(Net *net);    /* a place for every value */
void pass_sync(Net *net);    /* barriers between threads */
void pass_fetch(Net *net);   /* what they made comes nearer */

void verify_plan(const Net *net, Program *p); /* aborts on a plan that is wrong */
void verify_sync(const Net *net, const Program *p); /* aborts where a barrier is missing */
/* sync.c, for plan: the barriers that p needs as it is placed; and at or behind node i the
   first before which all threads are done with what is before i, or p->count. */
void mark_barriers(const Net *net, Program *p);
int next_meeting(const Program *p, int i);
int64_t training_bytes(const Net *net);       /* weights, gradients, state, arena */
int64_t inference_bytes(const Net *net);      /* weights, arena */

/* ---- kernels/NAME.c: ways to compute an op ---------------------------------------------- */

struct Kernel {
	const char *name;
	const char *summary;
	const Op *op;
	/* NULL if it can compute n, else the reason why not; NULL itself: always can. */
	const char *(*fits)(const Net *net, const Node *n);
	const char *on_request; /* why only --kernel=NAME takes it, or NULL */
	double (*cost)(const Net *net, const Node *n); /* microseconds, nominal machine */
	bool updates;           /* it can end with an optimizer's step */
	bool pools;             /* conv: it can end with a maxpool, which may end with more */
	bool spreads;           /* conv_dx, conv_dw: it can begin with a maxpool's gradient */
	int64_t (*workspace)(const Net *net, const Node *n); /* reals, shared; NULL: none */
	int64_t (*scratch)(const Net *net, const Node *n); /* reals of each thread; NULL: none */
	bool meets;             /* with a workspace it has a barrier, before which it writes only there */
	const char *(*halves)(const Net *net, const Node *n); /* the same as an op's */
	Split (*split)(const Net *net, const Node *n, char operand); /* the same as an op's */
	/* One of these: writes a call, or appends to p the nodes that compute n's results. */
	void (*emit)(Emit *e, const Node *n);
	void (*lower)(Net *net, Program *p, Node *n);
};

extern const Kernel *const kernels[];

/* The machine that costs are stated for, so that the choice is the same everywhere. */
#define NOMINAL_GFLOPS 100.0     /* multiply-adds count two; one core, vectors full */
#define NOMINAL_GBYTES 20.0      /* copying within the larger caches */
#define NOMINAL_NEAR (512 << 10) /* bytes that stay in the second cache until they are used again */
#define NOMINAL_FAR (20 << 20)   /* training_bytes() of which little stays in any from step to step */
#define NOMINAL_SCALAR 1.5       /* GFLOP/s of plain loops over products */
#define NOMINAL_ELEMENTWISE 8.0  /* of loops that compilers vectorise */

bool has_kernels(const Node *n);
bool is_preferred(const Net *net, const Kernel *k); /* by --kernel */
/* The maxpool that n ends with, or could; its gradient that n begins with, or could; or NULL. */
const Node *pool_behind(const Node *n);
const Node *spread_before(const Node *n);
/* In us: what a maxpool beside n costs if kernel k, or NULL, does not take it in. */
double pool_beside_cost(const Net *net, const Node *n, const Kernel *k);
void each_kernel(const Net *net, const Node *n,
		 void (*visit)(void *data, const Kernel *k, double cost, const char *reason),
		 void *data);

enum { MAX_LANES = 16 }; /* of a vector of any CPU */

/* gemms as parts of other kernels: their cost, and the function once it is emitted. */
double tile_cost(Gemm g);
double memory_bytes(const Gemm *g);
int tile_vectors(const Gemm *g); /* of a tile's columns */
bool has_even_tiles(const Gemm *g); /* side by side, on any CPU: none is in both halves of c */
const char *parts_misfit(const Gemm *g); /* why its terms should not be summed in two parts */
const char *halves_misfit(const Gemm *g); /* in two halves, and of one tile at a time */
double halves_cost(Gemm g);
int64_t halves_workspace(const Net *net, const Node *n);
const Hole *halves_functions(Emit *e, const Gemm *g, const char *name, const Hole *extra);
void call_halves(Emit *e, const Node *n, const char *name);
double openblas_cost(Gemm g);
void use_tile(Emit *e);
const Hole *tile_ahead_holes(Emit *e, bool ahead);
const char *tile_function(Emit *e, const Gemm *g);
Split tile_split(const Net *net, const Node *n, char operand);
const char *tile_halves(const Net *net, const Node *n);
bool is_long_step(const Emit *e, const Gemm *g); /* does what changes the weights take long? */
const char *vector_step(Emit *e, const Gemm *g); /* by a vector v at `at`; NULL: by numbers only */
const char *openblas_function(Emit *e, const Gemm *g);

/* ---- model.c: a file -> its Net ------------------------------------------------------------- */

/* Makes the model's Net again, by the passes up to and with `after`, or all if it is NULL. */
typedef Net *MakeNet(void *model, Tuning *tuning, const char *after);

typedef struct ModelOptions { /* those of MODEL_OPTIONS */
	ExpandOptions expand;
	const Kernel **kernels;
	int kernel_count;
} ModelOptions;

typedef struct Model {      /* as read; Nets are made of it */
	const ModelOptions *options;
	Stmt *stmts;
	int count;
	const Source *source;
	bool made;              /* once: the warnings were given */
} Model;

/* False: errors, reported. */
bool read_model(Model *m, const char *path, const ModelOptions *options);
/* A MakeNet; NULL: errors, reported. */
Net *make_net(void *model, Tuning *tuning, const char *after);

/* ---- emit/: the Net -> C text -------------------------------------------------------------- */

#include "emit/emit.h"

/* ---- report.c: --summary, --explain --------------------------------------------------------- */

const char *cut_text(const char *text, int width); /* "abc...", of that many columns */
void print_summary(FILE *out, const Net *net);
void print_explain(FILE *out, const Net *net);

/* ---- doc.c: the words of the language, for people and editors -------------------------------- */

typedef struct Word {
	const char *kind;       /* "layer", "activation", "train setting" */
	const char *name;
	const char *summary;
	const char *detail;     /* lines, or NULL */
	const Param *params;    /* what it takes */
} Word;

const Word *word_at(int i); /* every one, kind by kind; NULL: no more */
const char *const *documented_words(int *n); /* their names, each once */
int print_doc(FILE *out, const char *name); /* 0, or 2 after an error */

/* ---- folder.c: private folders ---------------------------------------------------------------- */

const char *temporary_base(void); /* $TMPDIR or /tmp */
/* A new folder in it that only this user can look into; NULL: see errno. */
const char *private_folder(void);
/* Removes the newest one with the files in it, or keeps it. Exiting removes those left. */
void end_folder(const char *path, bool keep);

/* ---- cc.c: C text -> program --------------------------------------------------------------- */

typedef struct BuildOptions {
	const char *march;      /* -march= of the C compiler; "native" by default */
	bool verbose;           /* -v: print the commands */
	bool dry;               /* -###: print them and run none */
	bool keep;              /* --keep: leave the C beside the output */
} BuildOptions;

typedef struct Runtime {    /* where nnc_rt.h and libnncrt.a are */
	const char *include, *library;
} Runtime;

/* Beside this program, or where it was installed, or $NNC_RUNTIME; false: *r is the last place
 * that was tried. */
bool find_runtime(Runtime *r);
/* Writes text to path by way of a temporary in the same folder. False: see errno. */
bool replace_file(const char *path, const char *text, size_t size);
/* The same: 0, or an exit status after a message. */
int write_output(const char *path, const char *text, size_t size);
/* Compiles the float and the double build side by side and links them. */
int compile_program(const Net *net, const char *output, const BuildOptions *options);
/* Compiles texts as a model's, into one program, and runs it: what it prints. */
int run_texts(const char *const *texts, int count, const BuildOptions *options,
              const char **output);
/* The C compiler's version and flags, on a line; NULL after an error. */
const char *compiler_text(void);
/* The path of libnncrt.a; NULL after an error. */
const char *runtime_library(void);

/* ---- tune/: which kernels are the fastest here ---------------------------------------------- */

/* Times what the cache does not know. *tuning is for make; 0, or an exit status. */
int tune_kernels(Tuning **tuning, MakeNet *make, void *model,
                 const BuildOptions *options);
/* Microseconds that n takes by k, as measured; < 0: they were not. */
double tuned_us(const Node *n, const Kernel *k);
/* Where times are kept: ".../nnc"; NULL: neither XDG_CACHE_HOME nor HOME says. */
const char *cache_folder(void);
/* Of all that choices make a difference to: as chosen, or by the estimates. */
double tuned_total(const Tuning *t, bool chosen);

/* ---- options.c: a command's options, from one table ------------------------------------------ */

enum { OPTION_LONG = 256 };     /* keys from here on have no letter */

typedef struct Option {     /* tables end with a key of 0 */
	int key;                /* its letter, or a number from OPTION_LONG on */
	const char *name;       /* behind "--", or NULL */
	const char *value;      /* what it takes, as the help calls it; NULL: nothing */
	const char *help;       /* lines; behind a ':' at the end come its words */
} Option;

/*
 * The words to offer for an option's value where it is called a KERNEL, a PASS, a WORD
 * of the language, an ARCH. Else NULL.
 */
const char *const *option_words(const Option *o, int *n);
/* The next one's key; -1: only operands are left, from optind on; '?': wrong, reported. */
int next_option(const Option *table, int argc, char **argv, const char **value);
void print_options(FILE *out, const Option *table);
const char *option_spelling(const Option *o); /* "-o, --out=FILE" */

/* How a model is read, for every command that reads one: rows of its table. */
enum { OPTION_KERNEL = OPTION_LONG + 100 };
#define MODEL_OPTIONS                                                              \
	{'D', NULL, "NAME=VALUE", "another value for a constant of the model"},    \
	{'I', NULL, "DIR", "look for included files here too"},                    \
	{OPTION_KERNEL, "kernel", "KERNEL",                                        \
	 "take this one where it fits, whatever it costs; may be repeated:"}
/* Takes one of these, and no other; what is wrong with its value, or NULL. */
const char *model_option(ModelOptions *o, int key, const char *value);

/* ---- commands/NAME.c: what `nnc NAME` does ----------------------------------------------------- */

enum { EXIT_MODEL = 1, EXIT_USAGE = 2, EXIT_COMPILER = 3, EXIT_BUG = 70, EXIT_IO = 74 };

typedef struct Exit {       /* tables end with a NULL meaning */
	int status;
	const char *meaning;
} Exit;

typedef struct Subcommand Subcommand;
struct Subcommand {
	const char *name;
	const char *operands;   /* "A.nn B.nn" */
	const char *summary;
	const char *detail;     /* lines below the options, or NULL */
	const Option *options;
	const Exit *exits;      /* NULL: those of command_compile */
	/* argv[0] is its name; the exit status. */
	int (*run)(const Subcommand *self, int argc, char **argv);
};

extern const Subcommand *const subcommands[]; /* by name; ends with NULL */
extern const Subcommand command_compile; /* compile.c: no name, what others are not */
/* What completes all of them in a shell, one of NNC_SHELLS; false if it is none. */
bool print_completion(FILE *out, const char *shell);
void print_usage(FILE *out, const Subcommand *c);
int print_help(const Subcommand *c); /* 0 */
void print_end(const Subcommand *c); /* of its help, behind the options */
const Exit *exits_of(const Subcommand *c);
int usage_error(const Subcommand *c, const char *message); /* 2; NULL: it was said already */

#endif
