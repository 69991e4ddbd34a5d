/* table: table.nc, the recommendation table. Not collective unless stated.
 *
 *   int   neighbor(item, k)   row of the neighbour, -1 = none; best first
 *   float score(item, k)      cosine, 0 if none
 *   int   count(item)         number of neighbours
 *   and the variables of labels
 *   attributes: input_embeddings_digest, input_model_digest (of the model that made them)
 *
 * A refined table (refine.h) has the attribute list_order, "score", "diversity" or "boosted" (then
 * scores need not be descending), and of these what was requested:
 *
 *   int    filled(item)               how many of the last neighbours were filled in, in any order
 *   float  boost(item)                what rules add to the score of the item as a neighbour
 *   int    pinned(item)               how many of the first neighbours were pinned, in any order
 *   int    duplicate_of(item)         row of the item that is kept instead, -1 = this one is kept
 *   float  calibration_cosine(knot)   ascending
 *   double calibration_share(knot)    see below; score(item, k) is then a share
 *
 * A table between products (neighbors --by group) has one row per product, and for each neighbour
 * the most similar pair of pictures, as rows of the embeddings:
 *
 *   int   picture(item, k), neighbor_picture(item, k)
 *
 * and, in the order of the embeddings, the items that its products are:
 *
 *   char  member_id(member, member_id_length)
 *   int   member_product(member)              row of the product
 *
 * In a table between two catalogues (neighbors --against) the neighbours are from a different
 * catalogue than the items, and `neighbor` is a row of that catalogue:
 *
 *   char target_id(target, target_id_length)   and
 *   int  target_category(target), target_group(target), indices into the same names
 *   byte target_available(target)
 *   float target_boost(target)                in place of boost
 *   int  target_duplicate_of(target)          in place of duplicate_of, rows of targets
 *   target_member_id, target_member_product   between products: rows of targets
 */
#ifndef AKIN_TABLE_H
#define AKIN_TABLE_H

#include <akin/comm.h>
#include <akin/error.h>
#include <akin/labels.h>
#include <akin/ncfile.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Calibration: maps a cosine to the share of random pairs of the catalogue that are less alike.
 * Not collective. It is built from the scores of a sample of pairs. At a value of the sample the
 * share is exactly that of the sample's pairs below it; between two of them it is interpolated
 * linearly, up to 1 at a cosine of 1; below the smallest it is 0. So it never decreases, and it
 * is comparable from night to night, whatever network made the vectors. Stored are the upper
 * AKIN_CALIBRATION_TAIL values of the sample, where neighbours are, and as many spread evenly
 * over the rest. */

enum { AKIN_CALIBRATION_TAIL = 4096 };

typedef struct akin_calibration akin_calibration;

/* scores [count] are sorted in place; count may be 0: then all shares are 0 below a cosine of 1. */
AKIN_MUST_CHECK akin_status akin_calibration_create(float *scores, size_t count,
                                                    akin_calibration **out);
void akin_calibration_free(akin_calibration *calibration); /* NULL is fine */

float akin_calibration_share(const akin_calibration *calibration, float cosine); /* in [0, 1] */

/* The knots, both ascending, [*count], borrowed. */
void akin_calibration_knots(const akin_calibration *calibration, size_t *count,
                            const float **cosine, const double **share);

typedef struct akin_table akin_table;

AKIN_MUST_CHECK akin_status akin_table_open(akin_comm *comm, const char *path,
                                            akin_table **out); /* Collective; agreed */
void akin_table_close(akin_table *table);

size_t akin_table_items(const akin_table *table);
size_t akin_table_k(const akin_table *table);
const char *akin_table_digest(const akin_table *table);
const akin_ncfile *akin_table_file(const akin_table *table);
/* Rows that `neighbor` points to: the items, or the targets of another catalogue. */
size_t akin_table_targets(const akin_table *table);
bool akin_table_is_against(const akin_table *table);  /* another catalogue */
bool akin_table_is_by_group(const akin_table *table); /* between products */
bool akin_table_is_refined(const akin_table *table);
bool akin_table_is_diverse(const akin_table *table); /* lists are in the order of diversity.h */
bool akin_table_is_boosted(
    const akin_table *table); /* ... of the cosine and what rules add to it */
bool akin_table_is_calibrated(const akin_table *table);
/* Rows [first, first + count): 0 (-1) if the table has no such variable. Checked (AKIN_INPUT). */
bool akin_table_has_fill(const akin_table *table);
AKIN_MUST_CHECK akin_status akin_table_filled(const akin_table *table, size_t first, size_t count,
                                              int32_t *filled /* [count] */);
bool akin_table_has_pins(const akin_table *table);
AKIN_MUST_CHECK akin_status akin_table_pinned(const akin_table *table, size_t first, size_t count,
                                              int32_t *pinned /* [count] */);
/* Of what can be recommended: rows of the items, or of the targets. */
bool akin_table_has_duplicates(const akin_table *table);
AKIN_MUST_CHECK akin_status akin_table_duplicates(const akin_table *table, size_t first,
                                                  size_t count,
                                                  int32_t *duplicate_of /* [count] */);
/* What rules add to the score of these rows as neighbours (rows of items, or of targets); 0 if the table
 * has no such variable. Checked (AKIN_INPUT). */
AKIN_MUST_CHECK akin_status akin_table_boost(const akin_table *table, size_t first, size_t count,
                                             float *boost /* [count] */);
/* Of a table between products: their most similar pictures, -1 = none, which are rows of so many; others:
 * of the neighbours.
 * Checked (AKIN_INPUT). */
AKIN_MUST_CHECK akin_status akin_table_pictures(const akin_table *table, size_t first, size_t count,
                                                size_t pictures, size_t others,
                                                int32_t *picture /* [count, k] */,
                                                int32_t *other /* [count, k] */);
/* neighbor and score [count, k], counts [count]; each may be NULL. Checks that rows are in
 * range, counts within k, scores in [-1, 1], and the order of each list (AKIN_INPUT). */
AKIN_MUST_CHECK akin_status akin_table_rows(const akin_table *table, size_t first, size_t count,
                                            int32_t *neighbor, float *score, int32_t *counts);

typedef struct {
    const char *options, *result_options;
    const char *embeddings_digest;
    const char *model_digest; /* "" = unknown */
} akin_table_origin;

/* The items of products: this rank's, from first on. */
typedef struct {
    const akin_labels *labels; /* their ids, borrowed; NULL = none */
    const int32_t *product;    /* row of each in the table, or in its targets; borrowed */
    size_t first, items;       /* items: of all ranks */
} akin_table_members;

/* What a refined table has in addition to its lists; for this rank's rows, borrowed. */
typedef struct {
    bool diverse; /* lists are in the order of diversity.h */
    bool boosted; /* ... of the cosine and what rules add to it */
    const int32_t *filled, *duplicate_of,
        *pinned;        /* [count]; NULL = not requested; duplicate_of: of
                                                     * this rank's targets, where there are some */
    const float *boost; /* [count], of this rank's targets where there are some; NULL = none */
    const akin_calibration *calibration; /* NULL: scores are cosines */
    /* Of a table between products: the items whose cosine is the score, [count, k]; NULL = none. */
    const int32_t *picture, *neighbor_picture;
    akin_table_members members, target_members;
    /* Of a table between two catalogues: this rank's of the `targets`, from first_target on; NULL =
     * none. */
    akin_labels *target_labels;
    size_t targets, first_target;
    const char *against_digest; /* of their file; NULL = none */
    bool exact;                 /* the lists are those of the comparison: nothing is refined */
    const char *rules_digest;   /* of the files of rules; NULL = none */
} akin_table_extras;

/* The lists of this rank's rows, from first on; as many as its labels; borrowed. */
typedef struct {
    size_t n, k; /* of the whole table: items, and neighbours of each */
    size_t first;
    const int32_t *neighbor; /* [count, k], -1 = none */
    const float *score;      /* [count, k], 0 if none */
    const int32_t *counts;   /* [count] */
} akin_table_part;

/* Writes the whole file; extras NULL: none. Collective. */
AKIN_MUST_CHECK akin_status akin_table_write(akin_comm *comm, const char *path,
                                             const akin_table_origin *origin,
                                             const akin_labels *labels, const akin_table_part *part,
                                             const akin_table_extras *extras);

/* Lists: the neighbours of a table's items, read in blocks on demand. Not collective. */

/* One item's list: `count` neighbours with their scores, best first; borrowed. A neighbour is its
 * row in the table's ids (ids.h): a row of the table, or after those a target. */
typedef struct {
    size_t item;
    size_t count;
    const int32_t *neighbor;
    const float *score;
} akin_list;

typedef struct akin_lists akin_lists;

/* The table is borrowed. */
AKIN_MUST_CHECK akin_status akin_lists_create(const akin_table *table, akin_lists **out);
/* The list of a row, valid until the next call. Rows requested in order are read a block at a time,
 * others one by one. */
AKIN_MUST_CHECK akin_status akin_lists_get(akin_lists *lists, size_t row, akin_list *out);
/* The same, but only if it is already in memory. */
bool akin_lists_peek(const akin_lists *lists, size_t row, akin_list *out);
/* |A and B| of two lists of rows, which it sorts; -1 is no row. */
size_t akin_lists_common(int32_t *a, size_t a_count, int32_t *b, size_t b_count);
void akin_lists_free(akin_lists *lists); /* NULL is fine */

#endif
