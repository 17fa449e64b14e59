/* The C interface of compiled functions: what emitted headers and objects are written against.
 *
 * A compiled function NAME is three symbols:
 *   int NAME(const double* const* in, double* const* out, const int64_t* dims, void* work);   (float* for a float function)
 *   int NAME(..., void* work, const struct ricci_function* functions);   if it calls functions that the program only declares (`fun h(...)`)
 *   size_t NAME_work_bytes(const int64_t* dims);
 *   const struct ricci_meta NAME_meta;
 * `in` and `out` have an array per argument and result, dense, in the layout its metadata says (row-major unless said otherwise). out[i] == NULL
 * skips that result. `dims` are the values of the symbolic dimensions in the order of meta.dims; NULL if there are none. `work` is the
 * caller's, 64-byte aligned, NAME_work_bytes(dims) bytes, uninitialised. Nothing is allocated and nothing kept: calls are reentrant.
 * Inputs may overlap each other; outputs may overlap nothing. The result is RICCI_OK, RICCI_SINGULAR or RICCI_FUNCTION.
 *
 * The raw call checks nothing. ricci_call (below, in libricci_runtime) checks everything and packs strided arrays.
 */
#ifndef RICCI_ABI_H
#define RICCI_ABI_H
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define RICCI_ABI_VERSION 1

enum ricci_status {
  RICCI_OK = 0,
  RICCI_SINGULAR = 1,   /* a matrix was singular, or not positive definite, or max or min had no entries: the results that depend on it are inf or NaN */
  RICCI_COUNT = 2,      /* more or fewer arrays than the function takes */
  RICCI_NULL = 3,       /* an array, or a function of the host's, is missing */
  RICCI_DTYPE = 4,      /* double for float, or the reverse */
  RICCI_RANK = 5,       /* a vector where a matrix is taken, ... */
  RICCI_SHAPE = 6,      /* a size differs from the declared or the unified one */
  RICCI_STRIDE = 7,     /* an output whose entries share memory */
  RICCI_OVERLAP = 8,    /* an output overlaps another array */
  RICCI_ALIGNMENT = 9,  /* an address that is no multiple of the element's size */
  RICCI_WORK = 10,      /* too little scratch, or not 64-byte aligned */
  RICCI_VERSION = 11,   /* the metadata is of another ABI version */
  RICCI_FUNCTION = 12   /* a function of the host's failed: the results that depend on it are NaN */
};

enum ricci_dtype { RICCI_F64 = 0, RICCI_F32 = 1 };
enum ricci_layout { RICCI_ROW_MAJOR = 0, RICCI_COLUMN_MAJOR = 1 };

/* An argument or a result. */
struct ricci_array_meta {
  const char* name;
  int32_t rank;
  int32_t dtype;          /* enum ricci_dtype */
  int32_t layout;         /* enum ricci_layout */
  const int64_t* shape;   /* per axis: its size, or -1 if it is symbolic */
  const int32_t* symbol;  /* per axis: the index of its dimension in meta.dims, or -1 if it is fixed or built from others */
};

/* A size that is made of others: the sum of coefficient * dims[factors[0]] * dims[factors[1]] * ... */
struct ricci_term {
  int64_t coefficient;
  int32_t factor_count;
  const int32_t* factors;
};
struct ricci_polynomial {
  int32_t term_count;
  const struct ricci_term* terms;
};

/* An axis whose size is built, m*n or n + 1: of an argument, or of result `array - argument_count`. */
struct ricci_built_axis {
  int32_t array, axis;
  struct ricci_polynomial size;
};

/* What the dimensions must satisfy, so that every entry and slice in the program exists: value >= 0. */
struct ricci_condition {
  const char* text; /* "n >= 5" */
  struct ricci_polynomial value;
};

/* A function that the host supplies: one that a program declares and does not define, or a derivative of one. `in` has a dense row-major array per
 * argument, `out` is what to write: the axes of the function, then those of each argument it is differentiated by. `sizes` are those of the axes
 * of the arguments, one argument after the other, then of `out`. 0 is success; otherwise the compiled function makes `out` NaN, goes on and
 * returns RICCI_FUNCTION. It is called on the caller's thread, perhaps never, perhaps several times for one value, and must give the same
 * for the same arguments; it must neither throw nor jump out, nor touch the arrays of the call but through `in` and `out`. */
#ifndef RICCI_FUNCTION_DEFINED
#define RICCI_FUNCTION_DEFINED
struct ricci_function {
  int (*f64)(void* context, const double* const* in, double* out, const int64_t* sizes);  /* of double functions */
  int (*f32)(void* context, const float* const* in, float* out, const int64_t* sizes);    /* of float functions */
  void* context;                                                                          /* handed on as it is */
};
#endif

/* A function that a compiled function calls. */
struct ricci_function_meta {
  const char* name;      /* "h", "Dh", "D12h" */
  int32_t argument_count;
  const int32_t* ranks;  /* of the arguments, then of the value */
};

struct ricci_meta {
  size_t struct_size; /* sizeof(struct ricci_meta) of the compiler that wrote it; later versions only append */
  int32_t abi_version;
  int32_t argument_count, result_count, dim_count;
  const char* name;
  const struct ricci_array_meta* arguments;
  const struct ricci_array_meta* results;
  const char* const* dims;                    /* names of the symbolic dimensions */
  const char* target;                         /* triple, CPU and options it was compiled for */
  const char* hash;                           /* of the program and the options */
  const char* source;                         /* the formula as written */
  int (*f64)(const double* const*, double* const*, const int64_t*, void*);  /* the entry: one of these two, or of the two below */
  int (*f32)(const float* const*, float* const*, const int64_t*, void*);
  size_t (*work_bytes)(const int64_t* dims);
  int32_t built_count, condition_count;
  const struct ricci_built_axis* built;
  const struct ricci_condition* conditions;
  int32_t function_count;
  const struct ricci_function_meta* functions; /* of the host's, in the order of the entry's `functions` */
  int (*f64_calling)(const double* const*, double* const*, const int64_t*, void*, const struct ricci_function*); /* if there are some */
  int (*f32_calling)(const float* const*, float* const*, const int64_t*, void*, const struct ricci_function*);
};

/* A strided array of the host's. Strides count elements and may be negative; a NULL stride means dense in C order. */
struct ricci_array {
  void* data;
  int32_t dtype;
  int32_t rank;
  const int64_t* shape;
  const int64_t* strides;
};

struct ricci_report {
  int32_t status;     /* enum ricci_status */
  int32_t argument;   /* index of the array at fault: inputs first, then outputs; -1 if none */
  char message[240];  /* one line for people, "" if all is well */
};

/* A built size; -1 if it exceeds 64 bits. */
int64_t ricci_size(const struct ricci_polynomial* size, const int64_t* dims);

/* The dimensions that the shapes of the arguments say; -1 where they say nothing. */
void ricci_dims(const struct ricci_meta* meta, const struct ricci_array* in, int64_t* dims);

/* The text of the first condition that these dimensions do not satisfy, or NULL. */
const char* ricci_unmet(const struct ricci_meta* meta, const int64_t* dims);

/* The scratch that ricci_call needs for these arrays: the function's own and room to pack what is not dense. */
size_t ricci_call_work_bytes(const struct ricci_meta* meta, const struct ricci_array* in, const struct ricci_array* out);

/* The checked entry. Verifies counts, types, ranks, shapes against the unified dimensions, strides, overlap and alignment; packs what is not
 * dense, calls, unpacks. out[i].data == NULL skips that result. Nothing is written unless all checks pass. `report` may be NULL. */
int ricci_call(const struct ricci_meta* meta, const struct ricci_array* in, int32_t in_count, const struct ricci_array* out, int32_t out_count,
               void* work, size_t work_bytes, struct ricci_report* report);

/* The same with the functions that the host supplies, in the order of meta.functions. A missing one is reported by its name. */
int ricci_call_with(const struct ricci_meta* meta, const struct ricci_function* functions, int32_t function_count, const struct ricci_array* in,
                    int32_t in_count, const struct ricci_array* out, int32_t out_count, void* work, size_t work_bytes,
                    struct ricci_report* report);

/* From now on dense products and factorisations use `count` threads (0: one per CPU; at the start: 1, the caller's). The same inputs give the
 * same bits for any number. Waits for calls in being. */
void ricci_set_threads(int32_t count);

#ifdef __cplusplus
}
#endif
#endif
