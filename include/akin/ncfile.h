/* ncfile: NetCDF-4 files, written in parallel and atomically, read by every rank; the one module
 * with <netcdf.h>. Writing is Collective throughout; reading is Not collective, but for open.
 *
 * Every file carries the global attributes Conventions ("CF-1.10, ACDD-1.3"), title, summary,
 * keywords, source, akin_version, akin_kind ("catalog", "model", "embeddings", "table",
 * "checkpoint"), akin_format (a whole number, 1), akin_options (the resolved options),
 * akin_result_options (those that shape the result), one input_<name>_digest for each input, and
 * content_digest (nclayout.h says how it is made). It contains no time and no number of ranks.
 *
 * After its end follows a checksum of all its bytes (seal.h): damage is found before the library sees
 * the file. A file without one, changed or copied by another program, is checked by its
 * content_digest.
 *
 * Disk full: begin checks and reserves the space and fails by agreement; an error inside a parallel
 * write cannot be agreed on: it is printed and ends all ranks with 1.
 */
#ifndef AKIN_NCFILE_H
#define AKIN_NCFILE_H

#include <akin/comm.h>
#include <akin/error.h>
#include <akin/text.h>
#include <stdbool.h>
#include <stddef.h>

typedef enum {
    AKIN_NC_CHAR,   /* UTF-8, NUL-padded; gets _Encoding = "utf-8" */
    AKIN_NC_BYTE,   /* int8_t */
    AKIN_NC_UBYTE,  /* uint8_t */
    AKIN_NC_INT,    /* int32_t */
    AKIN_NC_INT64,  /* int64_t */
    AKIN_NC_UINT64, /* uint64_t */
    AKIN_NC_FLOAT,
    AKIN_NC_DOUBLE,
    AKIN_NC_TYPES,
} akin_nc_type;

typedef struct akin_ncfile akin_ncfile;

/* The definition of a variable. A schema is an array of them that ends with a NULL name; both
 * writing and reading use it. */
typedef struct {
    const char *name;
    akin_nc_type type;
    const char *dims;              /* as of akin_ncfile_variable */
    const char *units, *long_name; /* NULL: none */
} akin_ncfile_field;

/* --- writing: all Collective, all arguments the same on all ranks but for rows and data --- */

/* Starts PATH.part; the old PATH stays until commit. Definitions are kept in memory until begin: a
 * failure (out of memory) is recorded and agreed on there, an invalid definition (a repeated name,
 * an unknown dimension) is an assert. */
AKIN_MUST_CHECK akin_status akin_ncfile_create(akin_comm *comm, const char *path, const char *kind,
                                               akin_ncfile **out);
void akin_ncfile_dimension(akin_ncfile *file, const char *name, size_t length);
/* dims: "item,row,column,channel"; "" is a scalar. Contiguous. long_name and units may be NULL. */
void akin_ncfile_variable(akin_ncfile *file, const char *name, akin_nc_type type, const char *dims,
                          const char *long_name, const char *units);
/* variable NULL: global. A text of NULL adds no attribute; setting a name twice keeps the last
 * value. */
void akin_ncfile_attribute(akin_ncfile *file, const char *variable, const char *name,
                           const char *text);
/* An int if the value is a whole number that fits, otherwise a double. */
void akin_ncfile_attribute_number(akin_ncfile *file, const char *variable, const char *name,
                                  double value);
/* values [count] in the variable's own type, as CF requires for flag_values and valid_range. */
void akin_ncfile_attribute_values(akin_ncfile *file, const char *variable, const char *name,
                                  size_t count, const void *values);
/* The variables of a schema, whose dimensions are already defined. */
void akin_ncfile_define(akin_ncfile *file, const akin_ncfile_field *schema);
/* Ends the definitions and reserves the space. */
AKIN_MUST_CHECK akin_status akin_ncfile_begin(akin_ncfile *file);
/* Rows [first, first + count) of this rank; count may be 0; each row must be put exactly once,
 * by one rank. `data` has the layout of the file, [count, other dims...]; borrowed. An error in
 * here aborts all ranks. */
void akin_ncfile_put(akin_ncfile *file, const char *variable, size_t first, size_t count,
                     const void *data);
/* Digest, sync, close, rename. Frees the file in every case, *digest_out (may be NULL) gets
 * content_digest. */
AKIN_MUST_CHECK akin_status akin_ncfile_commit(akin_ncfile *file, char digest_out[33]);
void akin_ncfile_discard(
    akin_ncfile *file); /* Collective. Closes and removes the part; NULL is fine */

/* For tests: the number of bytes that a rank puts per round (at least a row); 0 = the default,
 * 512 MiB. */
void akin_ncfile_round_bytes(size_t bytes);

/* --- reading --- */

/* Missing or unreadable: AKIN_FAILED; not NetCDF, truncated, other kind, other akin_format, or
 * damaged: AKIN_INPUT. Collective; agreed; reads every byte once, each rank its part. */
AKIN_MUST_CHECK akin_status akin_ncfile_open(akin_comm *comm, const char *path, const char *kind,
                                             akin_ncfile **out);
/* Attributes only: fast, by this rank alone; only a small file is verified. kind may be NULL
 * (any). Not collective. */
AKIN_MUST_CHECK akin_status akin_ncfile_peek(const char *path, const char *kind, akin_ncfile **out);
void akin_ncfile_close(akin_ncfile *file); /* Not collective; NULL is fine */

/* The rest is Not collective. AKIN_INPUT if a dimension or variable is missing or has another
 * type or shape. */
const char *akin_ncfile_path(const akin_ncfile *file);
const char *akin_ncfile_kind(const akin_ncfile *file);
const char *akin_ncfile_digest(const akin_ncfile *file); /* content_digest, borrowed */
bool akin_ncfile_has(const akin_ncfile *file, const char *variable);
AKIN_MUST_CHECK akin_status akin_ncfile_length(const akin_ncfile *file, const char *dimension,
                                               size_t *length);
AKIN_MUST_CHECK akin_status akin_ncfile_expect(const akin_ncfile *file, const char *variable,
                                               akin_nc_type type, const char *dims);
/* All variables of a schema. */
AKIN_MUST_CHECK akin_status akin_ncfile_check_schema(const akin_ncfile *file,
                                                     const akin_ncfile_field *schema);
/* Rows [first, first + count) into data [count, other dims...]. */
AKIN_MUST_CHECK akin_status akin_ncfile_get(const akin_ncfile *file, const char *variable,
                                            size_t first, size_t count, void *data);
/* A text attribute, owned; *out = NULL if there is none (that is OK). */
AKIN_MUST_CHECK akin_status akin_ncfile_get_attribute(const akin_ncfile *file, const char *name,
                                                      char **out);
/* Whether a text attribute is there and is this. */
bool akin_ncfile_has_text(const akin_ncfile *file, const char *name, const char *text);
/* As akin_ncfile_get_attribute, of a variable. */
AKIN_MUST_CHECK akin_status akin_ncfile_get_variable_attribute(const akin_ncfile *file,
                                                               const char *variable,
                                                               const char *name, char **out);
/* The kernels that computed a file (cpu.h). */
#define AKIN_NCFILE_CPU "akin_cpu"
/* Logs if they differ from those of this run, for a file whose bits depend on them; `what`: its
 * name ("the checkpoint"). Not collective. */
AKIN_MUST_CHECK akin_status akin_ncfile_tell_cpu(const akin_ncfile *file, const char *what);
/* Text attributes that say what a file was made from. */
typedef struct {
    const char *attribute, *what; /* what: for messages, "the options" */
    const char *wanted;           /* NULL: "" */
} akin_ncfile_claim;
/* Appends the differences between the file and the claims, "the options (it has 'a', this run 'b'),
 * ..."; nothing if all match. */
AKIN_MUST_CHECK akin_status akin_ncfile_differences(const akin_ncfile *file,
                                                    const akin_ncfile_claim *claims, size_t count,
                                                    akin_text *differences);
/* AKIN_INPUT: "<path> is a <kind> from another run; what differs: ..." */
AKIN_MUST_CHECK akin_status akin_ncfile_check_claims(const akin_ncfile *file, const char *kind,
                                                     const akin_ncfile_claim *claims, size_t count);
/* For inspect: names in definition order; borrowed. */
size_t akin_ncfile_dimension_count(const akin_ncfile *file);
const char *akin_ncfile_dimension_name(const akin_ncfile *file, size_t index, size_t *length);
size_t akin_ncfile_variable_count(const akin_ncfile *file);
const char *akin_ncfile_variable_name(const akin_ncfile *file, size_t index, const char **type,
                                      const char **dims);
size_t akin_ncfile_attribute_count(const akin_ncfile *file);
const char *akin_ncfile_attribute_name(const akin_ncfile *file, size_t index);

#endif
