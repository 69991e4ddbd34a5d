/* gallery_rows: what a page shows: the items of a table, which have lists, and, of a table between two
 * catalogues, the targets after them, which stand in lists. */
#ifndef AKIN_GALLERY_ROWS_H
#define AKIN_GALLERY_ROWS_H

#include <akin/comm.h>
#include <akin/error.h>
#include <akin/labels.h>
#include <akin/table.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* On every rank; all labels are owned. */
typedef struct {
    size_t items, targets;      /* targets: 0 but for two catalogues */
    akin_labels *labels;        /* [items] */
    akin_labels *target_labels; /* [targets], with the names of `labels`; NULL: there are none */
    akin_labels *target_facts;  /* [targets], their attributes; NULL: not known */
    /* Of a table between products: */
    akin_labels *pictures;  /* of the items that are their pictures; NULL: each item has its own */
    int32_t *first, *shown; /* the pictures of item i: shown[first[i]] to before first[i + 1] */
} akin_gallery_rows;

/* What a table was made from, NULL = not known. */
typedef struct {
    const char *embeddings; /* needed for a table between products */
    bool given;             /* they must be what the table was made from; else: if they are */
    const char
        *target_embeddings; /* for the attributes of targets; those of another table are ignored */
} akin_gallery_made_from;

/* AKIN_USAGE: the embeddings are needed; AKIN_INPUT: the table was not made from them. Collective;
 * agreed; same arguments. */
AKIN_MUST_CHECK akin_status akin_gallery_rows_read(akin_comm *comm, const akin_table *table,
                                                   const akin_gallery_made_from *from,
                                                   akin_gallery_rows *out);
void akin_gallery_rows_release(akin_gallery_rows *rows);

/* How many pictures the items have. */
size_t akin_gallery_rows_pictures(const akin_gallery_rows *rows);
/* Whose pictures these are; borrowed. */
akin_labels *akin_gallery_rows_pictured(const akin_gallery_rows *rows);
/* The picture that stands for an item. */
size_t akin_gallery_rows_picture(const akin_gallery_rows *rows, size_t item);
/* Whether the pages of both can show the same pictures of items and targets. */
bool akin_gallery_rows_alike(const akin_gallery_rows *a, const akin_gallery_rows *b);

#endif
