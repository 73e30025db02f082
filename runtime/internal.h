/*
 * internal.h - what the files of libnncrt.a share and nobody else sees.
 *
 * A section per file, in the order data flows. As in nnc_rt.h: nothing prints or
 * exits; a function that can fail takes an NncError (may be NULL), fills it and
 * returns its code. Unless said otherwise the errors are NNC_DATA (malformed),
 * NNC_NOINPUT (no such file), NNC_IO (reading or writing failed) and NNC_NOMEM.
 * Every _free/_close accepts a zeroed struct and leaves it zeroed.
 */
#ifndef NNC_INTERNAL_H
#define NNC_INTERNAL_H

#include "nnc_rt.h"
#include "stream.h"

#include <jansson.h>
#include <stdio.h>

/* ==== data, random numbers and files ========================================= */

enum {
	NNC_MAX_CSV_LINE = 1 << 20, /* bytes */
	NNC_MAX_ARRAY_RANK = 8,     /* of a tensor in a safetensors or .npy file */
};

/* Bytes of the largest file or data set that is read: 64 GiB. */
#define NNC_MAX_FILE ((size_t)1 << 36)

/* ---- util.c: overflow-checked products and small strings ---------------------- */

/* *product *= factor; false (and *product as it was) if it would exceed SIZE_MAX/2. */
bool nnc_multiply(size_t *product, size_t factor);

/* FNV-1a of a NUL-terminated string, 32 bits: a tensor's place in its random stream. */
uint32_t nnc_hash(const char *text);

/*
 * malloc(count * bytes), overflow-checked, never of 0 bytes, in huge pages where it is
 * large; NULL: out of memory.
 */
void *nnc_allocate(size_t count, size_t bytes);

/*
 * Zeroed memory in whole pages of its own, huge ones where it is large; NULL: there is
 * none. nnc_page_bytes: the size of those pages.
 */
void *nnc_allocate_pages(size_t bytes);
size_t nnc_page_bytes(size_t bytes);

/* Bytes that this machine can still give without swapping; SIZE_MAX: it does not say. */
size_t nnc_memory_left(void);

/* The median of `count` numbers, at least one, which it sorts. */
double nnc_median(double *numbers, size_t count);

/* CRC-32 (zlib's, as gzip and PNG) of any number of bytes. */
uint32_t nnc_crc32(const void *bytes, size_t count);
/* The same, continued; crc is 0 at the start. */
uint32_t nnc_crc32_more(uint32_t crc, const void *bytes, size_t count);
/* That of two runs of bytes, one behind the other, from theirs. */
uint32_t nnc_crc32_join(uint32_t first, uint32_t second, size_t second_count);

/* Text from outside for messages: control characters escaped, at most 79 bytes; returns
   quoted. */
const char *nnc_quote(char quoted[80], const char *text);

/* ---- text.c: UTF-8 from outside -------------------------------------------------- */

/* The code point at *text (not its end), which moves on. What is not UTF-8, a control
   character or none at all is U+FFFD, and one byte long. */
uint32_t nnc_code_point(const char **text);
/* Its UTF-8; returns the length. */
size_t nnc_utf8(char bytes[4], uint32_t code);
/* How many cells of a terminal a text takes. */
int nnc_cells(const char *text);
/* Prints a text in just so many: cut off with an ellipsis, or filled with spaces. */
void nnc_print_cells(FILE *out, const char *text, int cells);

/* A shape for messages, "28x28x1", or "784" for a vector; returns text. */
const char *nnc_shape_text(char text[64], int32_t height, int32_t width,
			   int32_t channels);
/* A layer's output likewise: "28x28x64". */
const char *nnc_layer_shape(char text[64], const NncLayer *layer);
/* 623306 as "623,306". */
const char *nnc_grouped(char text[32], int64_t number);

/* ---- init.c: walking a weight tensor in PyTorch's order -------------------------- */

/*
 * A tensor's rows (of its last dimension), in PyTorch's index order:
 *     for (NncWalk w = nnc_walk(t); w.rows > 0; nnc_walk_next(&w))
 *             for (int64_t i = 0; i < w.length; i++)
 *                     block[w.offset + i * w.stride] ...
 */
typedef struct NncWalk {
	const NncTensor *tensor;
	int64_t rows;           /* left, this one included */
	int64_t offset;         /* of the row's first element in the block */
	int64_t length, stride; /* of a row */
	int32_t at[NNC_MAX_RANK];
} NncWalk;

NncWalk nnc_walk(const NncTensor *tensor);
void nnc_walk_next(NncWalk *walk);

/* ---- file.c: files that are either the old one or the new one ------------------ */

/*
 * A file being written. The bytes go to a temporary in the same folder; commit
 * makes them durable and gives them the name. Whatever fails: the temporary is
 * removed, the old file is as it was, the answer is NNC_IO and names the reason.
 */
typedef struct NncFile {
	char *path;             /* as it was asked for; NULL: no file is open */
	const char *name;       /* its last part */
	char temporary[256];    /* in the same folder: .NAME.tmp-PID-N */
	int folder, fd;         /* open; fd is the temporary's, locked until renamed */
	unsigned char *buffer;
	size_t used;            /* bytes waiting in the buffer */
} NncFile;

/* Writes all of it; false: errno says why. */
bool nnc_write_all(int fd, const void *bytes, size_t count);
/* fsync of a file or a folder; a file system that cannot do that is none to wait for. */
bool nnc_sync(int fd);
/* "cannot DOING "PATH": why", by errno, and what to do if the disk is full: NNC_IO, or
   NNC_NOMEM. */
int nnc_fail_io(NncError *err, const char *doing, const char *path);
/* Begins a file. On failure nothing needs closing. Errors: NNC_IO, NNC_NOMEM. */
int nnc_file_open(NncFile *file, const char *path, NncError *err);
/* Appends bytes. On failure the file is aborted and the struct zeroed. */
int nnc_file_write(NncFile *file, const void *bytes, size_t count, NncError *err);
/* Appends formatted text of any length. */
int nnc_file_printf(NncFile *file, NncError *err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/*
 * Flush, fsync, close, rename, fsync of the folder. Closes the file in any case. The old
 * file keeps the name `previous`, in the same folder, unless that is NULL, there is no
 * old file, or the file system has no hard links.
 */
int nnc_file_commit(NncFile *file, const char *previous, NncError *err);
/* Removes the temporary; does nothing to a file that is committed or aborted. */
void nnc_file_abort(NncFile *file);
/* The four above in one call, from memory. */
int nnc_write_file(const char *path, const void *bytes, size_t count, NncError *err);

/* ---- reader.c: whole files, gzip or not ---------------------------------------- */

/* A regular file being read; gzip is recognised by its first bytes, not by its name. */
typedef struct NncReader {
	void *gz;               /* zlib's gzFile */
	char *path;
	size_t stored;          /* bytes of the file itself */
	bool gzip;
} NncReader;

/* Errors: NNC_NOINPUT, NNC_IO (a folder or a device is refused too), NNC_NOMEM. */
int nnc_reader_open(NncReader *reader, const char *path, NncError *err);
/* Reads up to count bytes into bytes and sets *got; less than count only at the end.
   Errors: NNC_DATA (gzip: damaged, truncated, wrong CRC), NNC_IO. */
int nnc_reader_read(NncReader *reader, void *bytes, size_t count, size_t *got,
		    NncError *err);
/* May `count` more bytes be in this file at all? False spares a huge allocation. */
bool nnc_reader_could_hold(const NncReader *reader, size_t count);
void nnc_reader_close(NncReader *reader);

/* A block of bytes that somebody owns. A NUL follows data[size - 1]. */
typedef struct NncBytes {
	unsigned char *data;
	size_t size;
} NncBytes;

/* Reads and, if it is gzip, unpacks a whole file of at most limit bytes (to its end,
   so that its CRC is checked). Also NNC_DATA: it is larger than limit. */
int nnc_read_file(NncBytes *bytes, const char *path, size_t limit, NncError *err);
void nnc_bytes_free(NncBytes *bytes);

/* What the first bytes of a file look like: "a PNG image", "an HTML page", "gzip data
   (compressed twice)", "empty", ..., "not a format known to nnc"; for messages. */
const char *nnc_kind_of(const unsigned char *bytes, size_t size);

/* ---- data.c: finding and checking data sets ------------------------------------ */

/* Names under which a file may be found, and what to say if it is not. */
typedef struct NncSearch {
	const char *what;       /* for messages: "training images" */
	const char *name;       /* of the set: subfolder, /usr/share/datasets/NAME */
	const char *folder;     /* another subfolder that may hold it, or NULL */
	const char *package;    /* Debian's package, or NULL */
	const char *const *files; /* spellings, then NULL; each tried with .gz too */
} NncSearch;

/*
 * Looks for a file and puts its path into found[512]. In order: --data if given (and
 * nothing else); else the path of the .nn file if given (and nothing else); else
 * $NNC_DATA, ./data, /usr/share/datasets/NAME, each also with a subfolder NAME (NAME
 * in both spellings, fashion-mnist and fashion_mnist).
 * Errors: NNC_NOINPUT with every path tried and the package to install.
 */
int nnc_search(char found[512], const NncSearch *search, const NncDataRequest *request,
	       NncError *err);

/* Allocates samples and labels for the count, shape and bytes set in *data.
   Errors: NNC_DATA (zero or excessive dimensions), NNC_NOMEM. */
int nnc_data_allocate(NncData *data, NncError *err);

/* Is the shape and number of classes what the request (the model) wants? A vector of K
   and an image with H*W*C = K are the same to a model whose input is either.
   Errors: NNC_DATA naming both. */
int nnc_data_fits(const NncData *data, const NncDataRequest *request, NncError *err);

/* Checks that every label is in 0 .. classes-1; classes 0: sets it to the largest + 1,
   or to outputs (the model's) if that is more. `where`: the labels' file. */
int nnc_data_check_labels(NncData *data, int32_t outputs, const char *where,
			  NncError *err);

/* Bytes of one sample / in one sample's numbers: height * width * channels. */
size_t nnc_sample_size(const NncData *data);

/* ---- idx_file.c, npy_file.c, png_file.c: one file each ------------------------- */

/* An array as a file holds it, row-major, native byte order, converted to one type. */
typedef struct NncArray {
	int rank;
	size_t dim[NNC_MAX_ARRAY_RANK];
	size_t count;           /* product of dim */
	char type;              /* 'B' uint8_t, 'f' float, 'd' double, 'q' int64_t */
	void *data;
	uint32_t crc;           /* CRC-32: of the unpacked file; .npy: of its numbers */
} NncArray;

/* IDX of unsigned bytes, rank 1..4, gzip or not; trailing bytes are refused. */
int nnc_idx_read(NncArray *array, const char *path, NncError *err);
/* .npy version 1..3, C order; u1, b1 -> 'B', f4 -> 'f', f8 -> 'd', other integers
   -> 'q'. */
int nnc_npy_read(NncArray *array, const char *path, NncError *err);
/*
 * A PNG of any depth and colour as (height, width, channels) of 'B': channels 1 (luma
 * of ITU-R BT.601, alpha is dropped, as Pillow's convert("L")), 3 or 4. It must be
 * height x width, and if both are 0: of the size that makes it `numbers` bytes in one
 * or three channels (channels is then ignored).
 */
int nnc_png_read(NncArray *array, const char *path, int32_t height, int32_t width,
		 int32_t channels, int64_t numbers, NncError *err);
/* Number i of count, row-major, whatever the type. */
double nnc_array_number(const NncArray *array, size_t i);
void nnc_array_free(NncArray *array);

/*
 * A part of a data set in two IDX files: images of rank 2..4 (N, K), (N, H, W) or
 * (N, H, W, C), and as many labels from the same folder. classes 0: from the labels.
 */
int nnc_idx_load(NncData *data, const NncDataRequest *request, const NncSearch *images,
		 const NncSearch *labels, int32_t classes, NncError *err);

/* ---- snapshot.c: samples as they are in memory --------------------------------- */

/* Writes samples and labels to a file of this machine's byte order. Errors: NNC_IO. */
int nnc_snapshot_save(const char *path, const NncData *data, NncError *err);
/* Maps them. Errors: NNC_NOINPUT, NNC_IO, NNC_DATA (it is something else). */
int nnc_snapshot_load(NncData *data, const char *path, NncError *err);

/* ---- split.c: who trains, who validates, in which order ------------------------ */

/* Indices into the data set. */
typedef struct NncSplit {
	uint32_t *train;
	size_t train_count;
	uint32_t *validation;   /* NULL when there is none */
	size_t validation_count;
} NncSplit;

/*
 * Takes the first `train` samples (0: all) of the seeded shuffle and holds the share
 * `validation` (0 <= share < 1) of them out, the same share of every class (largest
 * remainder). Depends on the seed, the labels and both numbers only.
 * Errors: NNC_USAGE (train exceeds the data, a bad share, nothing left to train).
 */
int nnc_split_make(NncSplit *split, const NncData *data, int64_t train,
		   double validation, uint32_t seed, NncError *err);
/*
 * The same, but held out is fold `fold` (1 .. folds) of `folds`. Every sample is in one
 * of them; they differ by one sample at most, in all and in each class.
 * Errors: NNC_USAGE (no such fold, fewer samples than folds), NNC_NOMEM.
 */
int nnc_split_fold(NncSplit *split, const NncData *data, int64_t train, int32_t folds,
		   int32_t fold, uint32_t seed, NncError *err);
void nnc_split_free(NncSplit *split);

/* The order of an epoch: a permutation of train[] that depends on (seed, epoch) only,
   into order[train_count]. */
void nnc_split_order(const NncSplit *split, uint32_t *order, uint32_t seed,
		     uint32_t epoch);

/* ---- tensors.c, safetensors.c: named tensors, in memory and in a file ---------- */

/* One tensor to write, or of a file that was read. */
typedef struct NncEntry {
	char *name;
	char dtype[8];          /* "F32", "F64", "I64", "U8", "U32", ... */
	int rank;               /* 0: a single number */
	int64_t dim[NNC_MAX_ARRAY_RANK];
	unsigned char *data;    /* row-major, little-endian */
	size_t size;            /* bytes */
} NncEntry;

/* The tensors and metadata of a file. Zeroed it is empty and may be added to. */
typedef struct NncTensors {
	NncEntry *entry;        /* in the order of their data */
	size_t count, room;
	json_t *metadata;       /* string -> string, or NULL */
	NncBytes file;          /* of one that was read: what data points into */
	char source[512];       /* ... and where it came from, for messages */
} NncTensors;

/* Bytes of one number of a dtype; 0: not known. */
size_t nnc_dtype_size(const char *dtype);
/* A new entry at the end, zeroed, or NULL: out of memory. */
NncEntry *nnc_tensors_new(NncTensors *tensors);
/* Appends a tensor (not to a list that was read); name and data (NULL: zeros) are
   copied. Errors: NNC_BUG (an unknown dtype, a bad shape), NNC_NOMEM. */
int nnc_tensors_add(NncTensors *tensors, const char *name, const char *dtype, int rank,
		    const int64_t *dim, const void *data, NncError *err);
/* Sets a pair of __metadata__. Errors: NNC_NOMEM. */
int nnc_tensors_set(NncTensors *tensors, const char *key, const char *value,
		    NncError *err);
/* The value of a metadata key, or NULL. */
const char *nnc_tensors_get(const NncTensors *tensors, const char *key);
/* The tensor of that name, or NULL. */
const NncEntry *nnc_tensors_find(const NncTensors *tensors, const char *name);
/* Writes the file atomically, in the order given, with CRC-32s added to the metadata:
   "crc32" of all data and "crc32:NAME" of each tensor. previous: as nnc_file_commit.
   Errors: NNC_IO, NNC_NOMEM. */
int nnc_tensors_save(const NncTensors *tensors, const char *path, const char *previous,
		     NncError *err);
/* Reads a file; all of it is checked, and the CRC-32 where the metadata has one: the
   message names the first tensor that is damaged. */
int nnc_tensors_load(NncTensors *tensors, const char *path, NncError *err);
/* The same from memory: takes ownership of bytes (freed on failure too). */
int nnc_tensors_parse(NncTensors *tensors, NncBytes *bytes, const char *source,
		      NncError *err);
void nnc_tensors_free(NncTensors *tensors);

/* ---- weights.c: a model's blocks as tensors in PyTorch's names and order --------- */

/*
 * Appends every tensor of a block (params, grads or slot[i] of an NncContext) under
 * prefix + its name: "" for weights, "optimizer.m." for the slot "m". F32 for models
 * with real_bytes 4, F64 with 8. Errors: NNC_NOMEM.
 */
int nnc_block_store(NncTensors *tensors, const NncModel *model, const void *block,
		    const char *prefix, NncError *err);
/*
 * The way back. Refuses (NNC_DATA) a file of another architecture, naming the first
 * tensor that differs and how: missing, shape, dtype. F32 is widened for a double
 * model. The block is untouched on failure; block NULL: checks only. Tensors that do
 * not begin with prefix are not looked at.
 */
int nnc_block_fetch(const NncTensors *tensors, const NncModel *model, void *block,
		    const char *prefix, NncError *err);
/* Refuses (NNC_DATA) a file with a tensor that neither the model has nor starts with
   "optimizer.". */
int nnc_block_no_extra(const NncTensors *tensors, const NncModel *model, NncError *err);
/* Weights only: store and save; load, no_extra and fetch. */
int nnc_weights_save(const char *path, const NncModel *model, const void *params,
		     NncError *err);
int nnc_weights_load(const char *path, const NncModel *model, void *params,
		     NncError *err);

/* ---- sample.c: the inputs of `predict` ------------------------------------------- */

/*
 * Reads one file of inputs for a model: .npy (u1, f4, f8; one sample or a leading
 * count), IDX images (gzip or not), or a PNG (one; brought to the model's channels).
 * Recognised by content. data->labels is NULL, data->bytes is model->bytes: floats
 * for a byte model and the other way round are refused unless exact (whole numbers
 * 0..255; bytes are widened). Errors: NNC_DATA naming both shapes, ...
 */
int nnc_samples_read(NncData *data, const char *path, const NncModel *model,
		     NncError *err);

/* ==== end of data, random numbers and files ====================================== */

/* ==== the program =============================================================== */

/* Bytes of the longest path of a run's folder, with the NUL. */
enum { NNC_MAX_PATH = 4096 };

enum { NNC_MAX_THREADS = 1024 };

/* ---- options.c: what the command line asks for (see cli.h) ---------------- */

/* What several commands take. Not given: -1, NAN, NULL or false. */
typedef struct NncOptions {
	const char *data, *out, *weights;
	int64_t epochs, seed, threads, train, patience, folds, fold;
	double lr, validation;
	bool resume, quiet, json, help;
	char **operands;        /* what is left of argv */
	int operand_count;
} NncOptions;

/* What a command works with. */
typedef struct NncProgram {
	const char *path;       /* argv[0] */
	const NncModel *model;
	const NncModel *twin;   /* in double, or NULL */
	const NncOptions *options; /* the beginning of the command's own struct, if any */
} NncProgram;

/*
 * How many threads compute: --threads, else one for each CPU of this process, or just one
 * for steps so short that the others would only be waited for.
 */
int nnc_threads(const NncModel *model, const NncOptions *options);

/* ---- cpu.c ------------------------------------------------------------------- */

/* Does this CPU have every feature of the list "avx2 fma avx512f ..." (NULL: none)?
   Errors: NNC_CPU naming the first that it lacks. */
int nnc_cpu_check(const char *needs, NncError *err);
/* How many CPUs this process may use: at least 1. */
int nnc_cpu_count(void);
/* Treat denormal floats as zero from here on, in this thread; returns the mode until
   now, which restore brings back. */
unsigned nnc_cpu_flush_denormals(void);
void nnc_cpu_restore_denormals(unsigned mode);
/* GFLOP/s of fused multiply-adds on one core, in float, measured for about `seconds` */
double nnc_cpu_peak(double seconds);
/* Seconds of a clock that never goes back. */
double nnc_clock(void);

/* ---- team.c: threads that work together -------------------------------------- */

/*
 * A team of `threads` (1 .. NNC_MAX_THREADS): thread 0, which is whoever calls
 * nnc_team_run, and threads of its own, which no signal is delivered to. Each has a
 * block of zeroed scratch (NULL where scratch_bytes is 0) on pages that no other uses.
 * Makes OpenBLAS, where it is linked, compute in the thread that calls it. On failure
 * *team is NULL. Errors: NNC_NOMEM (no memory, or no more threads).
 */
int nnc_team_open(NncTeam **team, int threads, size_t scratch_bytes, NncError *err);
void nnc_team_close(NncTeam *team); /* may be NULL */
int nnc_team_count(const NncTeam *team);
/* Every thread calls work(argument, t), with denormals as zero; returns when all have
   returned. They see all that was written before, and what they wrote is seen after.
   Not from within work. */
void nnc_team_run(NncTeam *team, void (*work)(void *argument, const NncThread *t),
		  void *argument);

/* What thread 0 does from here on is traced; NULL: no more. Not from within work. */
void nnc_team_trace(NncTeam *team, NncTrace *trace);

/* ---- trace.c: when the ops of a step begin ------------------------------------ */

/* Of the ops of training steps, or of inferences. */
struct NncTrace {
	const NncOp **op;       /* (count) in the order of their calls */
	int32_t count;
	int32_t next;           /* the one that begins next */
	double *began;          /* (count + 1) nnc_clock() of each, and of the end */
	double *times;          /* (count, room) seconds, of each step that was kept */
	double *median;         /* (count) seconds: see nnc_trace_medians */
	size_t steps, room;
	/* called when thread 0 is done with an op and the next begins; or NULL */
	void (*visit)(void *argument, const NncOp *done);
	void *argument;
};

/* Errors: NNC_NOMEM. */
int nnc_trace_open(NncTrace *trace, const NncModel *model, NncPurpose purpose,
		   NncError *err);
void nnc_trace_close(NncTrace *trace);
/* A step ended `now`; its times are kept while there is room. */
void nnc_trace_end(NncTrace *trace, double now);
/* Sets the medians. Errors: NNC_BUG (no step was kept). */
int nnc_trace_medians(NncTrace *trace, const NncModel *model, NncError *err);

/* ---- step.c: what a team does with a batch ----------------------------------- */

/* The losses and hits of the batch's rows are added to c->loss and c->correct, in the
   order of the rows, by all of these but load and infer. */

/* One training step. False: the loss is not finite, so weights and optimizer state are
   as they were. Counting c->step and c->updates is the caller's. */
bool nnc_step(NncContext *c, const NncModel *model, const NncBatch *batch);
/* Its loss and c->grads for it, whatever they are; weights stay. */
void nnc_step_gradients(NncContext *c, const NncModel *model, const NncBatch *batch);
/* The halves of a step's beginning: the input can be changed in between. */
void nnc_step_load(NncContext *c, const NncModel *model, const NncBatch *batch);
void nnc_step_forward(NncContext *c, const NncModel *model, const NncBatch *batch);
/* The output; evaluate also scores it. */
void nnc_step_infer(NncContext *c, const NncModel *model, const NncBatch *batch);
void nnc_step_evaluate(NncContext *c, const NncModel *model, const NncBatch *batch);

/* ---- context.c (see nnc_rt.h) ------------------------------------------------ */

/* What it allocates, without the threads' scratch; 0: too much. */
size_t nnc_context_bytes(const NncModel *model, NncPurpose purpose);

/* Element i of a block or of the arena of a model, whatever it computes in. */
double nnc_real_at(const NncModel *model, const void *block, int64_t i);
/* Where element `element` (PyTorch's row-major order) of a tensor is in a block. */
int64_t nnc_tensor_at(const NncTensor *tensor, int64_t element);
/* How many elements a tensor has. */
int64_t nnc_tensor_count(const NncTensor *tensor);

/* ---- finite.c: NaN and infinity ---------------------------------------------- */

/* The first (or the last) tensor with a NaN or an infinity in a block, or NULL. */
const NncTensor *nnc_not_finite(const NncModel *model, const void *block, bool last);
/* The layer of a tensor ("conv1" of "conv1.weight"), or NULL. */
const NncLayer *nnc_layer_of(const NncModel *model, const NncTensor *tensor);
/* Makes the forward pass of a batch again, in memory of its own: the layer in which a
   NaN or an infinity comes up first, the last one if that is the loss; or NULL. */
const NncLayer *nnc_not_finite_layer(const NncContext *context, const NncModel *model,
				     const NncBatch *batch);
enum { NNC_MAX_PLACE = 128 };

/* The layer of that name. */
const NncLayer *nnc_layer_named(const NncModel *model, const char *name);
/* Where it stands, "cnn.nn:9"; returns text. */
const char *nnc_layer_place(char text[NNC_MAX_PLACE], const NncModel *model,
			    const NncLayer *layer);

/* ---- dataset.c: the data of a model ------------------------------------------ */

/* The model's data format. Errors: NNC_USAGE (no data section), NNC_BUG. */
int nnc_model_format(const NncFormat **format, const NncModel *model, NncError *err);
/* Loads the test or the training part, from `directory` (--data) if not NULL. */
int nnc_model_data(NncData *data, const NncModel *model, const char *directory,
		   bool test, NncError *err);
/* Maps the snapshot of a part that suits the model. */
int nnc_model_snapshot(NncData *data, const NncModel *model, const char *path,
		       NncError *err);
/* Made-up samples and labels of the model's shape, keyed by the seed. */
int nnc_synthetic(NncData *data, const NncModel *model, int64_t count, uint32_t seed,
		  NncError *err);
/* The name of a class into text[64] (its number if it has none); returns it. */
const char *nnc_class_name(char text[64], const NncModel *model, int64_t label);

/* ---- stop.c: the first Ctrl-C ------------------------------------------------ */

/* From here on the first SIGINT or SIGTERM is only noted; the second one kills. */
void nnc_stop_watch(void);
/* The signal noted since, or 0. */
int nnc_stop_signal(void);
/* Forgets the signal and restores the default actions. */
void nnc_stop_unwatch(void);

/* ---- folder.c: the folder of a run ------------------------------------------- */

/*
 * The files of a run. Each save keeps the file before it under the second name, so that
 * there is something to go back to.
 */
#define NNC_LAST "last.safetensors"
#define NNC_LAST_PREVIOUS "last.prev.safetensors"
#define NNC_BEST "best.safetensors"
#define NNC_BEST_PREVIOUS "best.prev.safetensors"

/* MODEL.run/ or --out, locked against a second run while it is open. */
typedef struct NncFolder {
	char path[NNC_MAX_PATH - 64]; /* without a trailing slash */
	int fd;                 /* of the folder, which carries the lock */
	bool open;
} NncFolder;

/* "path/name" into out. */
void nnc_folder_file(char out[NNC_MAX_PATH], const NncFolder *folder, const char *name);
/* The folder's name: `out` if not NULL, else that of the program + ".run". Errors: NNC_USAGE (too long) */
int nnc_folder_name(NncFolder *folder, const char *program, const char *out,
		    NncError *err);
/* Makes the folder where it is missing, and locks it. Errors: NNC_IO. */
int nnc_folder_open(NncFolder *folder, NncError *err);
/* Renames what an earlier run left to NAME~, and sets *moved if it left anything. A run
   without a step is worth nothing: it goes, and what was kept before it stays. */
int nnc_folder_start_over(const NncFolder *folder, bool *moved, NncError *err);
void nnc_folder_close(NncFolder *folder);

/* ---- history.c: one row an epoch --------------------------------------------- */

/* What an epoch ended with. Without validation its two numbers are NAN. */
typedef struct NncRow {
	uint32_t epoch;         /* the first is 1 */
	double loss, accuracy, val_loss, val_accuracy;
	double lr, seconds;
} NncRow;

/* history.csv and history.jsonl, open for appending. */
typedef struct NncHistory {
	int csv, jsonl;         /* descriptors; 0: not open */
} NncHistory;

/* Opens both; rows after epoch `keep`, which a killed run wrote but did not save, and
   torn lines are cut off first. Errors: NNC_IO, NNC_NOMEM. */
int nnc_history_open(NncHistory *history, const NncFolder *folder, uint32_t keep,
		     NncError *err);
/* Appends a row and syncs. Errors: NNC_IO. */
int nnc_history_add(NncHistory *history, const NncRow *row, NncError *err);
void nnc_history_close(NncHistory *history);
/* The rows of a history.csv, up to the first that is none or is of an epoch after `keep`;
   *rows is to be freed. Errors: NNC_NOINPUT, NNC_IO, NNC_NOMEM. */
int nnc_history_read(const char *path, uint32_t keep, NncRow **rows, size_t *count,
		     NncError *err);

/* ---- progress.c: the line on stderr ------------------------------------------ */

typedef struct NncProgress {
	FILE *out;
	bool quiet;             /* prints nothing */
	bool terminal, color, unicode;
	int columns;            /* of the terminal */
	double drawn;           /* nnc_clock() of the last drawing */
	bool pending;           /* the terminal shows a line that is not final */
} NncProgress;

/* What the line says. NAN numbers are left out. */
typedef struct NncLine {
	uint32_t epoch, epochs; /* 3 of 20 */
	int64_t step, steps;    /* 312 of 312 */
	double seconds;         /* of this epoch */
	double per_step;        /* seconds a step */
	double loss, accuracy, val_loss, val_accuracy;
} NncLine;

/* Looks at the stream, at NO_COLOR and at the locale's name. */
void nnc_progress_open(NncProgress *progress, FILE *out, bool quiet);
/* The line as text, its bar as long as `columns` lets it (0: any width); metrics that
   do not fit are left out of a line that is not final. Returns text. */
char *nnc_progress_text(char *text, size_t size, const NncProgress *progress,
			const NncLine *line);
/* Redraws on a terminal, at most 10 times a second. */
void nnc_progress_step(NncProgress *progress, const NncLine *line);
/* The final line of an epoch, which stays. */
void nnc_progress_epoch(NncProgress *progress, const NncLine *line);
/* Removes a line that is not final, before something else is printed. */
void nnc_progress_clear(NncProgress *progress);
/* A note, unless quiet. */
void nnc_progress_note(NncProgress *progress, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* ---- score.c ----------------------------------------------------------------- */

typedef struct NncScore {
	int64_t samples, correct;
	double loss, accuracy;  /* means over the samples */
} NncScore;

/* A sample with a wrong answer. */
typedef struct NncMistake {
	uint32_t sample;        /* its place in the data set */
	int32_t label, answer;
	double sure;            /* the answer's probability (or output, if it is none) */
	double label_sure;      /* the label's */
} NncMistake;

/* What is kept of the answers. */
typedef struct NncTally {
	/* (outputs, outputs): the label, the answer; added to unless NULL */
	int64_t *confusion;
	NncMistake *mistakes;   /* (room) the surest first; of equals the first sample */
	int mistake_count, mistake_room;
} NncTally;

/*
 * Scores `count` samples: index[0..count), or the first `count` when index is NULL.
 * tally may be NULL. Stops early, with fewer samples, once nnc_stop_signal(). Errors:
 * NNC_NOMEM.
 */
int nnc_evaluate(NncContext *context, const NncModel *model, const NncData *data,
		 const uint32_t *index, int64_t count, NncTally *tally, NncScore *score,
		 NncError *err);

/* The ends of Wilson's interval: where the accuracy on more samples would be, with 95 %
   confidence. */
void nnc_interval(const NncScore *score, double *low, double *high);

/* How well a class is told from the others; 0 where that is 0/0, as in scikit-learn. */
typedef struct NncClassScore {
	double precision, recall, f1;
	int64_t support;        /* samples with this label */
} NncClassScore;

/* Of a confusion matrix of `outputs` classes. */
NncClassScore nnc_class_score(const int64_t *confusion, int32_t outputs, int32_t class);

/* An off-diagonal cell of a confusion matrix. */
typedef struct NncConfused {
	int32_t label, answer;
	int64_t count;
} NncConfused;

/* The most frequent of them, at most `room`, the largest first; returns how many. */
int nnc_most_confused(NncConfused *confused, int room, const int64_t *confusion,
		      int32_t outputs);
/* The weights a command reads: --weights, or the run's best, or its last.
   Errors: NNC_NOINPUT with the paths tried. */
int nnc_find_weights(char path[NNC_MAX_PATH], const NncProgram *program, NncError *err);

/* ---- json.c: results for programs -------------------------------------------- */

/* Has jansson been out of memory since the last time this was asked? What it made is then
   not to be used. */
bool nnc_json_no_memory(void);
/* Frees what json_dumps() made. */
void nnc_json_free(void *memory);
/* A number, or null if it is not finite. */
json_t *nnc_json_real(double value);
/* {"accuracy", "loss", "samples"}. */
json_t *nnc_score_json(const NncScore *score);
/* Prints an object in one line and releases it. Errors: NNC_NOMEM. */
int nnc_print_json(json_t *root, NncError *err);

/* ---- checkpoint.c: a run, saved ---------------------------------------------- */

/* A training run but for its weights: what it was started with and how far it is. */
typedef struct NncState {
	/* settings: the model's training section, altered by options */
	int64_t train;          /* samples used, 0: all */
	double validation;      /* share held out */
	int32_t folds, fold;    /* or: this fold of so many is held out; 0: none */
	double lr;
	int32_t epochs;
	uint32_t seed;
	char watch[16];         /* what early stopping watches, or "" */
	int32_t patience;
	double min_delta;
	/* the data they are about */
	int64_t data_count;
	uint32_t samples_crc, labels_crc; /* 0: not known */
	/* position */
	uint32_t epoch;         /* epochs finished */
	uint32_t step;          /* steps made of the next */
	uint64_t updates;       /* steps made in all */
	double loss_sum;        /* of the next epoch's samples so far */
	int64_t correct;
	double seconds;         /* spent in the next epoch so far */
	/* early stopping */
	double best;            /* value of `watch` after best_epoch */
	uint32_t best_epoch;    /* the first is 1; 0: none yet */
	uint32_t waited;        /* epochs since without an improvement */
} NncState;

/* Writes weights, optimizer state and *state to the folder's NNC_LAST, atomically. */
int nnc_checkpoint_save(const NncFolder *folder, const NncModel *model,
			const NncContext *context, const NncState *state,
			NncError *err);
/* The way back, context->updates included. Errors: NNC_DATA (another architecture,
   optimizer or version; damaged: then it says if the previous one is not),
   NNC_NOINPUT, NNC_IO, NNC_NOMEM. */
int nnc_checkpoint_load(const NncFolder *folder, const NncModel *model,
			NncContext *context, NncState *state, NncError *err);
/* Writes the weights and *state only, what evaluation needs, to NNC_BEST. */
int nnc_checkpoint_save_best(const NncFolder *folder, const NncModel *model,
			     const NncContext *context, const NncState *state,
			     NncError *err);
/* Reads *state only, of either kind of file. */
int nnc_checkpoint_state(const char *path, NncState *state, NncError *err);
/* Makes NNC_BEST what `state` means by it, which after a kill may be NNC_BEST_PREVIOUS.
   Errors: NNC_DATA (it is neither), ... */
int nnc_checkpoint_find_best(const NncFolder *folder, const NncState *state,
			     NncError *err);

/* ---- sweep.c: the learning rate, swept ---------------------------------------- */

/* The loss of one step at each of some learning rates, which grow by a constant factor. */
typedef struct NncSweep {
	double from, to;        /* the first rate and, if it is not cut short, the last */
	int64_t steps;          /* planned, at least NNC_MIN_SWEEP */
	/* filled by nnc_sweep_make and nnc_sweep_judge: */
	int64_t count;          /* steps made whose loss is finite */
	bool diverged;          /* which ended it */
	double *loss;           /* (steps) of each step's rows */
	double *smooth;         /* (steps) the line through the losses around it */
	double *slope;          /* (steps) of that line, per decade */
	int64_t least;          /* where smooth is least; -1: it does not fall before */
	int64_t steepest;       /* where it falls most, before the least; -1: nowhere */
} NncSweep;

enum { NNC_MIN_SWEEP = 20 };

/* Allocates for sweep->steps. Errors: NNC_NOMEM. */
int nnc_sweep_open(NncSweep *sweep, NncError *err);
void nnc_sweep_close(NncSweep *sweep);
/* The learning rate of a step. */
double nnc_sweep_rate(const NncSweep *sweep, int64_t step);
/* Adds the loss of step sweep->count; false: it has diverged, and that was the last. */
bool nnc_sweep_add(NncSweep *sweep, double loss);
/* Sets smooth, slope, least and steepest. */
void nnc_sweep_judge(NncSweep *sweep);

/* ---- curves.c: the learning curves, drawn ------------------------------------ */

typedef struct NncCurves {
	const NncModel *model;
	const NncState *state;
	uint32_t epochs;        /* in the history; at least 1 */
	uint32_t best_epoch;    /* whose weights were kept, or 0 */
	bool held_out;          /* samples are: there are validation columns */
	const NncScore *test;   /* of the test part, or NULL */
	const NncRow *rows;     /* NULL: the script reads history.csv */
	size_t row_count;
} NncCurves;

/* A script for gnuplot, to be freed, or NULL: out of memory. With rows it prints one SVG,
   for a page; else it draws curves.svg and curves.png beside history.csv. */
char *nnc_curves_script(const NncCurves *curves);
/* Writes the script, curves.gnuplot, and runs it. Errors: NNC_NOINPUT (gnuplot is not
   installed; the script is there), NNC_FAILED, NNC_IO, NNC_NOMEM. */
int nnc_curves_draw(const NncCurves *curves, const NncFolder *folder, NncError *err);

/* ---- settings.c: what a run is ----------------------------------------------- */

/* The settings of a new run: the model's and the options'. Errors: NNC_USAGE (it is to
   watch held-out samples, but holds none out). */
int nnc_settings_new(NncState *state, const NncProgram *program, NncError *err);
/* Who trains and who validates in such a run. Errors: as of nnc_split_make, _fold. */
int nnc_settings_split(NncSplit *split, const NncData *data, const NncState *state,
		       NncError *err);
/* Takes over what may change between two parts of a run: epochs, lr, patience. */
void nnc_settings_change(NncState *state, const NncOptions *options);
/* Refuses (NNC_USAGE) options that would make another run of a resumed one. */
int nnc_settings_unchanged(const NncState *state, const NncOptions *options,
			   NncError *err);

/* ---- loop.c: epochs and steps ------------------------------------------------ */

/* A run in memory. */
typedef struct NncRun {
	const NncModel *model;
	NncContext context;
	NncState state;
	NncData data, test;     /* the training and the test part */
	NncSplit split;
	uint32_t *order;        /* (split.train_count) the present epoch's */
	NncFolder folder;
	NncHistory history;
	NncProgress progress;
	double started;         /* nnc_clock() less what state.seconds says */
	double saved;           /* nnc_clock() of the last checkpoint */
} NncRun;

/* Trains until the epochs are over, patience is, or a signal came: then the run is
   saved where it is, and *signal tells. Errors: NNC_FAILED (not finite), NNC_IO,
   NNC_NOMEM. */
int nnc_loop(NncRun *run, int *signal, NncError *err);
/* Is nothing left to train? */
bool nnc_loop_finished(const NncState *state);

/* ---- ops.c: what bench --ops shows ------------------------------------------- */

/* Traces with their medians. */
typedef struct NncOpTimes {
	NncTrace step, infer;
} NncOpTimes;

/* Op by op, then layer by layer. Shares are of the sum of all medians of a trace. */
void nnc_ops_print(const NncModel *model, const NncOpTimes *times, int threads);
/* [{"phase", "layer", "kernel", "us", "share", "gflops"}, ...] */
json_t *nnc_ops_json(const NncTrace *trace);

/* ---- gradcheck.c ------------------------------------------------------------- */

/* The largest relative error that passes. */
#define NNC_GRADCHECK_BOUND 1e-6

/* One line of the report. */
typedef struct NncGradReport {
	const char *name;       /* of the tensor, or "input" */
	int32_t rows;           /* of the batch */
	int64_t elements, checked, refined; /* refined: of them, by more than one difference */
	double error;           /* the largest relative error */
	double scale;           /* the largest gradient */
} NncGradReport;

/* Compares `samples` elements of every tensor and of the input with differences of the
   loss on a made-up batch of `rows` rows; report has tensor_count + 1 lines, the input's
   last. twin is a model in double. Errors: NNC_NOMEM. */
int nnc_gradcheck(NncGradReport *report, const NncModel *twin, int32_t rows,
		  int64_t samples, uint32_t seed, NncError *err);

/* ==== end of the program ========================================================== */

#endif
