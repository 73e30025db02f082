/*
 * emit.h - the writer of C text, for ops, kernels and optimizers. Part of nnc.h, which
 * includes it behind the types it needs; include that.
 */
#ifndef EMIT_H
#define EMIT_H

typedef struct Template {
	const char *name, *text;
} Template;

extern const Template templates[]; /* every #ifdef TEMPLATE_name; ends with NULL */

struct Hole { /* $name$ in a template, and what stands there; tables end with NULL */
	const char *name, *text;
};

typedef struct Text {
	char *bytes;
	size_t length, capacity;
} Text;

typedef struct Function { /* emitted once, by name */
	const char *name, *text;
	bool double_only;       /* only the input's gradient needs it */
} Function;

typedef struct Call {       /* of a node's function, where the network computes it */
	const Node *node;
	const char *function;
	const Program *program;
} Call;

struct Emit {
	const Net *net;
	Text *out;
	FILE *written;          /* where finished text of out goes, or NULL */
	int depth;              /* of braces */
	Function *functions;
	int function_count;
	int *by_name;           /* hash table of slot_count: which function, from 1 */
	unsigned slot_count;
	bool double_only;       /* of the functions being emitted */
	size_t kernel_text;     /* bytes of them all; over MAX_KERNEL_TEXT no more is made */
	size_t compared_text;   /* bytes that were made again, to see that they are the same */
	Call *calls;            /* in their order */
	int call_count;
	bool blas;
};

/* emit.c */
void text_add(Text *t, const char *bytes, size_t length);
void put(Emit *e, const char *format, ...) __attribute__((format(printf, 2, 3)));
void put_raw(Emit *e, const char *text); /* as it is */
void put_section(Emit *e, const char *title);
void blank(Emit *e);
const char *find_template(const char *name);
char *fill(const char *template, const Hole *holes);
char *fill_lines(const char *template, const Hole *holes); /* to be a hole's text */
const char *find_hole(const Hole *holes, const char *name);
Hole *join_holes(const Hole *a, size_t count, const Hole *b); /* b ends with NULL, or is it */
void emit_function(Emit *e, const char *name, const char *template, const Hole *holes);
/* Whether it is there already, for this use too: then its text need not be made. */
bool is_emitted(Emit *e, const char *name);
/* The same of all that it calls; nor is its text compared any more. */
bool is_finished(const Emit *e, const char *name);
const Function *find_function(const Emit *e, const char *name); /* or NULL */
const char *prototype(const Function *f);
void use_blas(Emit *e);
void emit_node(Emit *e, const Node *n);

/* text.c */
const char *int_text(int64_t value);
const char *times_text(const char *factor, int64_t times);
const char *number_text(double value);
const char *real_text(double value);
const char *identifier_text(double value);
const char *grouped_text(int64_t value);
const char *upper_text(const char *id);
const char *comment_text(const char *text);
const char *string_text(const char *text);
const char *replace_word(const char *text, const char *word, const char *with);
const char *element_type(Element element);
const char *adjoint_id(const Tensor *t);
const Tensor *place_of(const Tensor *t);
const char *ref(const Tensor *t);
double batch_size(const Net *net, const Tensor *t); /* elements of a whole batch */
int64_t padded(int64_t reals);                      /* up to a multiple of NNC_ALIGN */

/* wrap.c */
void write_wrapped(const char *text, FILE *out);

/* epilogue.c */
const char *suffixes(const Node *n);
const char *then_text(const Node *n);
const char *epilogue_text(const Node *n);
const char *epilogue_params(const Node *n);
const char *epilogue_names(const Node *n);
const char *epilogue_names_at(const Node *n, const char *offset);
const char *epilogue_args(const Node *n);
const char *store_text(const Node *n, const char *place);
const char *fetch_text(const Emit *e, const Node *n);
void emit_elementwise_function(Emit *e, const Node *n, const char *name, int64_t size,
			       int64_t cols);
void emit_elementwise(Emit *e, const Node *n);
bool reads_columns(const char *statements); /* do they differ from column to column? */
const char *elementwise_halves(const Net *net, const Node *n); /* Op.halves of such */
Split elementwise_split(const Net *net, const Node *n, char operand); /* and Op.split */

/* window.c, ops/gemm.c, ops/conv.c */
Window window_of(const Attr *a, Shape x, Shape y);
const char *window_name(const char *what, const Window *w);
Hole *window_holes(const Window *w, const Hole *extra);
void print_window(FILE *out, const Node *n);
const char *gemm_name(const Gemm *g, const char *kernel);
Hole *gemm_holes(const Gemm *g, const char *name, const Hole *extra);
void call_gemm(Emit *e, const Node *n, const char *name);

/* layout.c */
void emit_params(Emit *e);
void emit_arena(Emit *e, const Program *p, const char *title, const char *total);

/* program.c, tables.c */
const char *setup_text(const Emit *e); /* the optimizer's, once a step */
/* An NncWork: `before` and `body`, with what their text uses declared from the context. */
/* The body is given back to the arena. */
void emit_step(Emit *e, const char *comment, const char *name, const char *setup,
	       const char *before, const char *body);
void emit_prototypes(Emit *e);
void emit_kernels(Emit *e);
/* False, and reported: its kernels would be over MAX_KERNEL_TEXT. */
bool emit_program(const Net *net, FILE *out);
void emit_tables(Emit *e);
bool takes_bytes(const Net *net);

#endif
