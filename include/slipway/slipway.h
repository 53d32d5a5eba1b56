/* Slipway's scorer inside other people's processes: open a bundle, score tables, get the answers `slipway predict` gives.
 *
 *   struct slipway_error error = SLIPWAY_NO_ERROR;
 *   struct slipway_scorer* scorer = NULL;
 *   if (slipway_open("flights-1.0.0.slipway", NULL, &scorer, &error) != SLIPWAY_OK) { puts(error.message); … }
 *   slipway_score(scorer, &schema, &batch, NULL, &answer_schema, &answers, &error);
 *   slipway_close(scorer);
 *
 * Tables come and go through the Arrow C data and stream interfaces (https://arrow.apache.org/docs/format/CDataInterface.html),
 * which need no library of Arrow's.
 *
 * Ownership: what a function returns is the caller's, and is given back by the function named beside it; strings that are
 * `const` belong to the object that they come from. Arrow structures that go in are taken over: they are moved from and
 * released on every path, errors among them, at the latest when what was made of them is released. Structures that come out
 * are the caller's to release.
 *
 * Threads: a scorer may be used by any number of threads at once; slipway_close() waits for nobody and must come last. An
 * error and a stream belong to one thread at a time.
 *
 * Errors: functions return SLIPWAY_OK or another slipway_code, and then fill `error`, unless it is NULL. No exception leaves the
 * library, and it never ends the process. Whatever comes out (scorer, answers, streams) is untouched when a call fails.
 *
 * Stability: SLIPWAY_ABI counts up when something here changes in a way that programs compiled before cannot live with;
 * structures of options grow at their end and say how large they are. docs/design/c-abi.md tells what is promised.
 *
 * Processes: the library opens libonnxruntime.so beside itself when the first model is loaded, and sets ORT_DISABLE_TELEMETRY
 * before. In a child made by fork() a scorer of the parent is not to be used: open the bundle again.
 */
#ifndef SLIPWAY_SLIPWAY_H
#define SLIPWAY_SLIPWAY_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SLIPWAY_ABI 1
#define SLIPWAY_API __attribute__((visibility("default")))

/* Of the Arrow project, word for word, so that headers of several projects can be included together. */
#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE

#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE 2
#define ARROW_FLAG_MAP_KEYS_SORTED 4

struct ArrowSchema {
  const char* format;
  const char* name;
  const char* metadata;
  int64_t flags;
  int64_t n_children;
  struct ArrowSchema** children;
  struct ArrowSchema* dictionary;
  void (*release)(struct ArrowSchema*);
  void* private_data;
};

struct ArrowArray {
  int64_t length;
  int64_t null_count;
  int64_t offset;
  int64_t n_buffers;
  int64_t n_children;
  const void** buffers;
  struct ArrowArray** children;
  struct ArrowArray* dictionary;
  void (*release)(struct ArrowArray*);
  void* private_data;
};

#endif /* ARROW_C_DATA_INTERFACE */

#ifndef ARROW_C_STREAM_INTERFACE
#define ARROW_C_STREAM_INTERFACE

struct ArrowArrayStream {
  int (*get_schema)(struct ArrowArrayStream*, struct ArrowSchema* out);
  int (*get_next)(struct ArrowArrayStream*, struct ArrowArray* out);
  const char* (*get_last_error)(struct ArrowArrayStream*);
  void (*release)(struct ArrowArrayStream*);
  void* private_data;
};

#endif /* ARROW_C_STREAM_INTERFACE */

/* gRPC's canonical codes. */
enum slipway_code {
  SLIPWAY_OK = 0,
  SLIPWAY_CANCELLED = 1,
  SLIPWAY_INVALID_ARGUMENT = 3,
  SLIPWAY_DEADLINE_EXCEEDED = 4,
  SLIPWAY_NOT_FOUND = 5,
  SLIPWAY_ALREADY_EXISTS = 6,
  SLIPWAY_PERMISSION_DENIED = 7,
  SLIPWAY_RESOURCE_EXHAUSTED = 8,
  SLIPWAY_FAILED_PRECONDITION = 9,
  SLIPWAY_ABORTED = 10,
  SLIPWAY_OUT_OF_RANGE = 11,
  SLIPWAY_UNIMPLEMENTED = 12,
  SLIPWAY_INTERNAL = 13,
  SLIPWAY_UNAVAILABLE = 14,
  SLIPWAY_DATA_LOSS = 15,
  SLIPWAY_UNAUTHENTICATED = 16
};

/* Why a call failed. Starts as SLIPWAY_NO_ERROR; a call that fails frees what an earlier one left in it. Texts are UTF-8, never
 * NULL once filled, and live until slipway_error_clear(). */
struct slipway_error {
  int32_t code;        /* a slipway_code */
  const char* reason;  /* stable, dotted: "arrow.missing_column", "bundle.digest_mismatch" */
  const char* field;   /* the column, or where in a file the fault stands; "" when nowhere */
  const char* message; /* one sentence, with the way out */
  void* memory;        /* the library's */
};

#define SLIPWAY_NO_ERROR \
  { SLIPWAY_OK, NULL, NULL, NULL, NULL }

/* Frees the texts and makes it SLIPWAY_NO_ERROR again. */
SLIPWAY_API void slipway_error_clear(struct slipway_error* error);

/* SLIPWAY_ABI of the library, for programs to compare with their own. */
SLIPWAY_API uint32_t slipway_abi(void);
/* The release of Slipway: "0.1.0". */
SLIPWAY_API const char* slipway_version(void);

struct slipway_scorer;

/* Opens a bundle, a folder or a .slipway file, and compiles it. A model that might crash the process is tried in another one
 * first where the program `slipway` stands in the folder above the library's; without it models are loaded at once.
 * `options`: NULL, there are none yet. Given back by slipway_close(). */
SLIPWAY_API int32_t slipway_open(const char* path, const void* options, struct slipway_scorer** out,
                                 struct slipway_error* error);
/* NULL is fine. No call on the scorer may be under way; streams made by slipway_score_stream() may outlive it. */
SLIPWAY_API void slipway_close(struct slipway_scorer* scorer);

/* The contract as JSON, valid as long as the scorer: {"name", "version", "digest", "inputs", "rules", "outputs", "columns", "model"}.
 * "inputs" and "rules" are in the manifest's words; "columns" are those of the answers: {"name", "type", "lists"}, where
 * "type" is Arrow's word for a value and "lists" says how many lists stand around it. */
SLIPWAY_API const char* slipway_describe(const struct slipway_scorer* scorer);

/* Starts as all zeros with `size` set to sizeof(struct slipway_score_options). Everything is lent for the call. */
struct slipway_score_options {
  size_t size;
  /* Columns of the table that are no inputs and no mistake either: what the caller carries along itself. They are not read. */
  const char* const* known;
  int64_t known_count;
  /* Leaves out every other column that is no input; otherwise one is an error. */
  int32_t ignore_unknown;
  /* That score one table's rows; 0: what the machine allows. Answers do not depend on it. */
  int32_t threads;
  /* Of slipway_score_stream(): everything is scored before it returns; the stream hands out what is there. */
  int32_t eager;
};

/* Scores a record batch: a struct array with a child for each column. `out` gets as many rows, in the same order: the model's
 * outputs, then `error`, null where the row was fine, or {"code","violations"} as JSON with everything that is wrong with it;
 * then the outputs are null. What concerns the table as a whole is an error of the call: a column that is missing
 * ("arrow.missing_column"), unknown ("arrow.unknown_column"), there twice ("arrow.duplicate_column"), of a type that no
 * input takes ("arrow.type"), a structure that contradicts itself ("arrow.malformed"), an engine that failed ("engine.run"). */
SLIPWAY_API int32_t slipway_score(const struct slipway_scorer* scorer, struct ArrowSchema* schema,
                                  struct ArrowArray* batch, const struct slipway_score_options* options,
                                  struct ArrowSchema* out_schema, struct ArrowArray* out, struct slipway_error* error);

/* The same for a stream of record batches: `out` scores a batch when it is asked for one, on the thread that asks. Its
 * get_last_error() says "reason: message". */
SLIPWAY_API int32_t slipway_score_stream(const struct slipway_scorer* scorer, struct ArrowArrayStream* batches,
                                         const struct slipway_score_options* options, struct ArrowArrayStream* out,
                                         struct slipway_error* error);

/* The same for records in JSON, a line each (`size` bytes; the last line may lack its break); `out` gets `predict`'s lines:
 * {"row":0,"prediction":{…}} or {"row":3,"error":{…}}. Of the options, `ignore_unknown` counts. `out` ends with a
 * NUL byte that `out_size` does not count; given back by slipway_free(). */
SLIPWAY_API int32_t slipway_score_json(const struct slipway_scorer* scorer, const char* lines, size_t size,
                                       const struct slipway_score_options* options, char** out, size_t* out_size,
                                       struct slipway_error* error);
SLIPWAY_API void slipway_free(char* text);

/* The columns of the answers. */
SLIPWAY_API int32_t slipway_output_schema(const struct slipway_scorer* scorer, struct ArrowSchema* out,
                                          struct slipway_error* error);

/* For Python, with the GIL held: an Arrow structure in a PyCapsule of its name ("arrow_schema", "arrow_array",
 * "arrow_array_stream"), which releases it unless somebody takes it out. The structure is moved from. A new reference, or NULL
 * with Python's exception set; NULL alone where this process has no Python or the name is another. */
SLIPWAY_API void* slipway_python_capsule(const char* name, void* structure);

#ifdef __cplusplus
}
#endif

#endif /* SLIPWAY_SLIPWAY_H */
