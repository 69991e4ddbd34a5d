/* ncfile_body: what ncfile.c (writing), ncfile_open.c, ncfile_read.c and ncfile_verify.c share; the
 * files with <netcdf.h>. */
#ifndef AKIN_NCFILE_BODY_H
#define AKIN_NCFILE_BODY_H

#include "nclayout.h"
#include "seal.h"
#include <akin/hash.h>
#include <akin/ncfile.h>
#include <netcdf.h>

#define AKIN_NCFILE_FORMAT 1
#define AKIN_NCFILE_DIGEST "content_digest"

typedef struct {
    char *variable; /* NULL = global */
    char *name;
    nc_type type;
    size_t count;
    void *values;
} akin_ncfile_attr;

struct akin_ncfile {
    akin_comm *comm; /* NULL when peeked */
    char *path, *part, *kind;
    char digest[AKIN_HASH_TEXT_SIZE];
    akin_nclayout *layout;
    int id; /* of the library; -1 = not open */
    /* for writing */
    akin_ncfile_attr *attributes; /* until begin */
    size_t attribute_count;
    int *variables;     /* [variable_count], ids of the library, after begin */
    akin_status defect; /* error in a definition, until begin agrees on it */
    bool part_exists;
    /* for reading */
    char (*names)[NC_MAX_NAME + 1]; /* of global attributes */
    size_t name_count, bytes;
    bool sealed, whole; /* whole: its bytes were verified against the seal */
    uint64_t sealed_bytes;
    akin_seal_sum seal;
};

/* The library's name of each of our types. */
extern const nc_type akin_ncfile_types[AKIN_NC_TYPES];

AKIN_MUST_CHECK akin_status akin_ncfile_allocate(const char *path, akin_ncfile **out);
void akin_ncfile_release(akin_ncfile *file); /* memory only; NULL is fine */

/* AKIN_INPUT: the file is `what`. */
AKIN_MUST_CHECK akin_status akin_ncfile_refuse(const akin_ncfile *file, const char *what);
/* Interprets an error of the library on a file that was readable a moment ago: damage, or a disk
 * that cannot be read. A positive code is the system's; HDF5 hides it behind one of its own, but
 * a file that was intact just now is not damaged. */
AKIN_MUST_CHECK akin_status akin_ncfile_trouble(const akin_ncfile *file, int code);

/* ncfile_verify.c. Only a file that matches its seal, or has none, may be opened by the library; found:
 * the sum of its bytes. Not collective. */
AKIN_MUST_CHECK akin_status akin_ncfile_check_seal(akin_ncfile *file, akin_seal_sum found);
/* Every byte, or the content of an open file without a seal, each rank its part. Collective;
 * agreed. */
AKIN_MUST_CHECK akin_status akin_ncfile_verify_seal(akin_comm *comm, akin_ncfile *file);
AKIN_MUST_CHECK akin_status akin_ncfile_verify_digest(akin_comm *comm, akin_ncfile *file);

#endif
