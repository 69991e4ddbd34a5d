/* gallery_rows: the rows that a page shows: the items of a table, which have lists, followed by the
 * targets of a table between two catalogues, which only appear in lists. */
#ifndef AKIN_GALLERY_ROWS_H
#define AKIN_GALLERY_ROWS_H

#include <akin/comm.h>
#include <akin/error.h>
#include <akin/labels.h>
#include <akin/table.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The pictures of products: number i has shown[first[i]] .. shown[first[i + 1] - 1]. All owned. */
typedef struct {
    akin_labels *labels; /* of the items with pictures; NULL: each row has its own */
    int32_t *first, *shown;
} akin_gallery_shots;

/* On every rank; all labels are owned. */
typedef struct {
    size_t items, targets;      /* targets: 0 except with two catalogues */
    akin_labels *labels;        /* [items] */
    akin_labels *target_labels; /* [targets], with the names of `labels`; NULL: no targets */
    akin_labels *target_facts;  /* [targets], their attributes; NULL: not known */
    akin_gallery_shots shots, target_shots; /* for a table between products */
} akin_gallery_rows;

/* The files that a table was made from, NULL = unknown. */
typedef struct {
    const char *embeddings;        /* required for a table between products */
    bool given;                    /* they must match the table; else: used only if they do */
    const char *target_embeddings; /* for targets' attributes; ignored if of another table. Required
                                    * for a table between products of two catalogues */
} akin_gallery_made_from;

/* AKIN_USAGE: the embeddings are needed; AKIN_INPUT: the table was not made from them. Collective;
 * agreed; same arguments. */
AKIN_MUST_CHECK akin_status akin_gallery_rows_read(akin_comm *comm, const akin_table *table,
                                                   const akin_gallery_made_from *from,
                                                   akin_gallery_rows *out);
void akin_gallery_rows_release(akin_gallery_rows *rows);

/* The number of pictures that the items have; so too the targets. */
size_t akin_gallery_rows_pictures(const akin_gallery_rows *rows);
size_t akin_gallery_rows_target_pictures(const akin_gallery_rows *rows);
/* The labels of the items that have pictures; so too of the targets, NULL = there are none. Borrowed. */
akin_labels *akin_gallery_rows_pictured(const akin_gallery_rows *rows);
akin_labels *akin_gallery_rows_target_pictured(const akin_gallery_rows *rows);
/* The picture shown for an item; for a target, by its number among these. */
size_t akin_gallery_rows_picture(const akin_gallery_rows *rows, size_t item);
size_t akin_gallery_rows_target_picture(const akin_gallery_rows *rows, size_t target);
/* akin_table_pictures, checked. */
AKIN_MUST_CHECK akin_status akin_gallery_rows_pairs(const akin_gallery_rows *rows,
                                                    const akin_table *table, size_t first,
                                                    size_t count, int32_t *picture, int32_t *other);
/* Whether the pages of both can share the pictures of items and targets. */
bool akin_gallery_rows_alike(const akin_gallery_rows *a, const akin_gallery_rows *b);

#endif
