/* npy: reads NumPy's array files with rows of float32 or float16. Not collective. The format is
 * NumPy Enhancement Proposal 1 with versions 1.0, 2.0 and 3.0 (numpy.lib.format): the bytes 93
 * "NUMPY", major and minor version, the length of the header (2 bytes in 1.0, otherwise 4,
 * little-endian), the header - a Python dictionary with exactly the keys 'descr',
 * 'fortran_order' and 'shape' - and the array. Debian has no C library for it; this reader
 * accepts two dimensions, '<f4' or '<f2', C order, and a file that ends with its array, and
 * describes anything else in its message. */
#ifndef AKIN_NPY_H
#define AKIN_NPY_H

#include <akin/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct akin_npy akin_npy;

/* Judged by its first bytes. AKIN_FAILED if the file cannot be read. */
AKIN_MUST_CHECK akin_status akin_npy_recognise(const char *path, bool *out);

/* AKIN_FAILED: cannot be read; AKIN_INPUT: damaged, or of a form that is not accepted. */
AKIN_MUST_CHECK akin_status akin_npy_open(const char *path, akin_npy **out);
void akin_npy_close(akin_npy *npy); /* NULL is fine */

size_t akin_npy_rows(const akin_npy *npy);    /* at least 1 */
size_t akin_npy_columns(const akin_npy *npy); /* at least 1 */

/* Rows [first, first + count) as float32; reads only those. */
AKIN_MUST_CHECK akin_status akin_npy_read(const akin_npy *npy, size_t first, size_t count,
                                          float *rows /* [count, columns] */);

/* The float32 for the bits of a float16 (IEEE 754-2019, 3.6: binary16); exact. */
float akin_npy_half(uint16_t bits);

#endif
