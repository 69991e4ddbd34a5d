/* source: the rows of a catalogue, from CSV or TSV files, folders and tar archives, and the
 * bytes of their pictures. Not collective unless stated. Rank 0 lists; all ranks get the same
 * rows. A row that cannot be accepted (an id that is a duplicate, empty, too long, not UTF-8 or
 * contains a tab, newline or NUL; a path outside the root; a dangling link; an invalid
 * `available`) remains a row with a reason. Of rows with one id, the first in source order is
 * accepted. */
#ifndef AKIN_SOURCE_H
#define AKIN_SOURCE_H

#include <akin/comm.h>
#include <akin/error.h>
#include <akin/labels.h>
#include <akin/text.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AKIN_SOURCE_ID_LIMIT 1024 /* bytes */

typedef struct {
    const char *const *names; /* [count] CSV or TSV files, folders, tar archives */
    size_t count;
    const char *root;  /* relative paths of a CSV start here, none may lead outside; NULL: the
                        * CSV's own folder */
    const char *cache; /* the folder with the downloads for paths that are addresses; NULL: none */
    const char *columns;  /* which columns of a CSV are what, see --columns; NULL: by their names */
    const char *encoding; /* of a CSV, as akin/charset.h has it; NULL: by its mark, or UTF-8 */
    char separator;       /* between fields of a CSV; NUL: found from its header */
    const char *attributes; /* "price:number brand:label": further columns; NULL: none */
    bool reject_bad;        /* a row with a wrong value of one of them; or the value is left out */
    bool last_replaces; /* rows of the last source replace those of the others with the same id */
    bool withdrawals;   /* rows that are not available need no picture: their path may be empty */
} akin_source_params;

#define AKIN_SOURCE_ATTRIBUTES_MAX 32

typedef struct {
    char name[AKIN_ATTRIBUTE_NAME_MAX + 1];
    akin_attribute_kind kind;
} akin_source_attribute;

typedef struct {
    akin_source_attribute of[AKIN_SOURCE_ATTRIBUTES_MAX];
    size_t count;
} akin_source_attributes;

/* "price:number brand:label season:labels"; NULL: none. AKIN_USAGE: not that.
 * Not collective. */
AKIN_MUST_CHECK akin_status akin_source_attributes_parse(const char *text,
                                                         akin_source_attributes *out);

typedef struct {
    const char *id, *path; /* as found: if there is a reason, the bytes may be anything but NUL */
    const char *category, *group;   /* "" = none */
    bool available, says_available; /* the second: whether the row says so */
    const char *reason; /* why it cannot be accepted; NULL = it can, as far as the list shows */
} akin_source_row;      /* texts borrowed from the source */

typedef struct akin_source akin_source;

/* AKIN_FAILED: no file or folder of this name is there. Not collective. */
AKIN_MUST_CHECK akin_status akin_source_there(const char *name);

/* Whether columns and attributes are values of --columns and --attributes. AKIN_USAGE: they are not.
 * Not collective. */
AKIN_MUST_CHECK akin_status akin_source_check_columns(const akin_source_params *params);

/* Lists all rows. AKIN_FAILED: a source is missing or cannot be read; AKIN_INPUT: it is not a
 * catalogue; AKIN_USAGE: it lacks the column of an attribute. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_source_open(akin_comm *comm, const akin_source_params *params,
                                             akin_source **out);
void akin_source_close(akin_source *source); /* Not collective; NULL is fine */
/* Examines the rows' files again after the cache (as in params) was filled: digest, missing,
 * unfetched. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_source_look_again(akin_comm *comm, akin_source *source,
                                                   const char *cache);

/* The rest is Not collective. */
size_t akin_source_rows(const akin_source *source);
akin_source_row akin_source_get(const akin_source *source,
                                size_t row); /* rows 0.. in source order */
/* Its attributes, and what a row has: NaN or "" = none. Borrowed. */
const akin_source_attributes *akin_source_attributes_of(const akin_source *source);
float akin_source_number(const akin_source *source, size_t row, size_t attribute);
const char *akin_source_label(const akin_source *source, size_t row, size_t attribute);
/* Whether its path is an address: https://, http:// or s3://. */
bool akin_source_is_address(const akin_source *source, size_t row);
bool akin_source_has_addresses(const akin_source *source);             /* any row */
bool akin_source_needs_picture(const akin_source *source, size_t row); /* no: withdrawals */
/* Rows without a reason whose file is needed and missing, the first of them (SIZE_MAX: none). */
size_t akin_source_missing(const akin_source *source, size_t *first);
bool akin_source_is_there(const akin_source *source, size_t row); /* its file, now; or an address */
/* Rows without a reason whose picture is needed and whose path is an address of which the cache
 * has none, or only one from an earlier run. */
size_t akin_source_unfetched(const akin_source *source);
/* 32 hexadecimal digits: XXH3-128 over every row's id, path, labels, and its file's size and
 * modification time (of a tar: the archive's; of an address: the digest of the cached copy).
 * Borrowed. */
const char *akin_source_digest(const akin_source *source);

/* Rows without a reason, ascending by id, bytewise: the numbers of those rows [akin_source_valid].
 * Borrowed. */
size_t akin_source_valid(const akin_source *source);
const size_t *akin_source_order(const akin_source *source);
/* Appends why a row's picture is rejected: with the row's number in its table, and the file that was
 * tried where the path alone does not name it: "row 12: no such file (pictures/a.png)". */
AKIN_MUST_CHECK akin_status akin_source_explain(const akin_source *source, size_t row,
                                                const char *reason, akin_text *out);
/* The row without a reason that has this id; SIZE_MAX if there is none. */
size_t akin_source_find(const akin_source *source, const char *id);

/* Gets the bytes [count] of the row's file, borrowed during the call; or, if they are not
 * available, NULL and the reason. A result other than AKIN_OK stops the reading and is returned. */
typedef akin_status (*akin_source_picture)(void *context, size_t row, const uint8_t *bytes,
                                           size_t count, const char *reason);

/* Calls `each` once for every row r (without a reason) with wanted[r] true, in the order that
 * suits the source: an archive is read once, from front to back. */
AKIN_MUST_CHECK akin_status akin_source_read(const akin_source *source, const bool *wanted,
                                             akin_source_picture each, void *context);

/* The same, but asks for each row without a reason when it is reached, in that order, which depends
 * only on the source. */
typedef bool (*akin_source_choice)(void *context, size_t row);
AKIN_MUST_CHECK akin_status akin_source_read_chosen(const akin_source *source,
                                                    akin_source_choice wanted,
                                                    akin_source_picture each, void *context);

/* Rejects: which rows of a source were rejected, and why. */

typedef struct akin_rejects akin_rejects; /* this rank's until gathered */

/* Not collective. */
AKIN_MUST_CHECK akin_status akin_rejects_create(akin_rejects **out);
AKIN_MUST_CHECK akin_status akin_rejects_add(akin_rejects *rejects, size_t row,
                                             const char *reason); /* Not collective */

/* Collects all ranks' rows and those with a reason in the source on rank 0, in source order;
 * *count on all ranks. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_rejects_gather(akin_rejects *rejects, akin_comm *comm,
                                                const akin_source *source, size_t *count);

/* Writes the CSV id,path,reason atomically; bytes that are not UTF-8 are shown as \xNN. By rank
 * 0, after gather. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_rejects_write(const akin_rejects *rejects, akin_comm *comm,
                                               const akin_source *source, const char *path);
/* Logs the first few, and where all are: in `path`, NULL = how to get them. Not collective; on rank 0,
 * after gather. */
void akin_rejects_show(const akin_rejects *rejects, const akin_source *source, const char *path);
void akin_rejects_free(akin_rejects *rejects); /* Not collective; NULL is fine */

#endif
