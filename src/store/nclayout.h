/* nclayout: the dimensions and variables of one NetCDF file, their sizes, and its content
 * digest. No I/O. content_digest, 32 hexadecimal digits, is the XXH3-128 of a text with the
 * lines "KIND", for each dimension "NAME=LENGTH", and for each variable, in order of definition,
 * "TYPE NAME(DIMS) LOW HIGH", where LOW and HIGH are the sums modulo 2^64, as 16 hexadecimal
 * digits, of the halves of XXH3-128(row bytes, seed = row number + 1); a row is one index of the
 * first dimension, a scalar is one row. They are sums so that any rank may add any rows in any
 * order. Not collective. */
#ifndef AKIN_NCLAYOUT_H
#define AKIN_NCLAYOUT_H

#include <akin/error.h>
#include <akin/hash.h>
#include <akin/ncfile.h>
#include <stddef.h>
#include <stdint.h>

#define AKIN_NC_DIMS_MAX 8 /* of one variable */
#define AKIN_NC_NONE ((size_t)-1)

const char *akin_nc_type_name(akin_nc_type type); /* "ubyte", as in ncdump */
size_t akin_nc_type_size(akin_nc_type type);      /* bytes of one value */

typedef struct akin_nclayout akin_nclayout;

AKIN_MUST_CHECK akin_status akin_nclayout_create(akin_nclayout **out);
void akin_nclayout_free(akin_nclayout *layout); /* NULL is fine */

/* Names are copied. AKIN_INPUT: an empty or repeated name, a length of 0, an unknown dimension,
 * more than AKIN_NC_DIMS_MAX of them, or more bytes than can be counted. */
AKIN_MUST_CHECK akin_status akin_nclayout_add_dimension(akin_nclayout *layout, const char *name,
                                                        size_t length);
AKIN_MUST_CHECK akin_status
akin_nclayout_add_variable(akin_nclayout *layout, const char *name, akin_nc_type type,
                           const char *dims /* "item,row", "" = scalar */);

size_t akin_nclayout_dimension_count(const akin_nclayout *layout);
size_t akin_nclayout_find_dimension(const akin_nclayout *layout,
                                    const char *name); /* AKIN_NC_NONE: not found */
const char *akin_nclayout_dimension_name(const akin_nclayout *layout, size_t dimension);
size_t akin_nclayout_dimension_length(const akin_nclayout *layout, size_t dimension);

size_t akin_nclayout_variable_count(const akin_nclayout *layout);
size_t akin_nclayout_find_variable(const akin_nclayout *layout, const char *name);
const char *akin_nclayout_variable_name(const akin_nclayout *layout, size_t variable);
akin_nc_type akin_nclayout_variable_type(const akin_nclayout *layout, size_t variable);
const char *akin_nclayout_variable_dims(const akin_nclayout *layout, size_t variable);
/* Number of dimensions, and their indices [AKIN_NC_DIMS_MAX], borrowed. */
size_t akin_nclayout_variable_shape(const akin_nclayout *layout, size_t variable,
                                    const size_t **dimensions);
size_t akin_nclayout_rows(const akin_nclayout *layout, size_t variable);      /* 1 for a scalar */
size_t akin_nclayout_row_bytes(const akin_nclayout *layout, size_t variable); /* bytes of one row */

/* Adds rows [first, first + count) to the sums; data [count, row_bytes], borrowed. */
void akin_nclayout_hash_rows(akin_nclayout *layout, size_t variable, size_t first, size_t count,
                             const void *data);
/* The sums, to be added up over ranks: [*count], three per variable: low, high, rows hashed.
 * Borrowed, may be written. */
uint64_t *akin_nclayout_sums(akin_nclayout *layout, size_t *count);
/* A digest of the definitions and of the sums so far. AKIN_FAILED: out of memory. */
AKIN_MUST_CHECK akin_status akin_nclayout_digest(const akin_nclayout *layout, const char *kind,
                                                 char out[AKIN_HASH_TEXT_SIZE]);

#endif
