/* gallery: web pages that show the items of a table, their neighbours, and the job's figures.
 * Static files. */
#ifndef AKIN_GALLERY_H
#define AKIN_GALLERY_H

#include <akin/comm.h>
#include <akin/error.h>
#include <akin/hash.h>
#include <akin/source.h>
#include <stddef.h>
#include <stdint.h>

/* Tables of the same rows with longer lists, for the ranks that neighbours would have: without any
 * rules, and with all but those that add to scores. NULL = not known. */
typedef struct {
    const char *plain, *unboosted;
} akin_gallery_longer;

/* Another table of the same items, with a page of its own. */
typedef struct {
    const char *name, *table;
    akin_gallery_longer longer;
} akin_gallery_more;

/* For tables between two catalogues: the other one. All NULL or 0: not known. */
typedef struct {
    const char *name;
    akin_source_params source; /* for its pictures; count 0: the small ones in */
    const char *catalog;       /* its catalog.nc */
    const char *embeddings;    /* what the table was made against, for attributes and shares */
} akin_gallery_target;

typedef struct {
    const char *table;
    akin_gallery_longer longer;
    const char *name; /* of the catalogue; NULL: that of the run, or of the source */
    akin_gallery_target target;
    const akin_gallery_more
        *more; /* [more_count]; one with other items is left out, with a warning */
    size_t more_count;
    const char *against;       /* the previous table, NULL = none; those of the other tables have
                                * their names, in its folder */
    const char *beside;        /* a table to compare with, NULL = none */
    const char *previous;      /* an earlier gallery, whose pictures are reused; NULL = only the one
                                * that is replaced */
    const char *product_url;   /* "https://shop/p/{id}", NULL = none */
    const char *embeddings;    /* what the table was made from, for a map; NULL: embeddings.nc of
                                * `results`, if any */
    akin_source_params source; /* as in ingest */
    const char *output;        /* a folder */
    const char *results;       /* a run's output folder, NULL = none */
    size_t side;               /* of a picture, pixels on its longer side */
    uint64_t max_pixels;       /* as in ingest */
} akin_gallery_params;

typedef struct {
    size_t items;
    size_t pictures, placeholders; /* items with and without a picture that could be read */
    uint64_t bytes;                /* of all files */
    size_t written, linked;        /* files */
    char table_digest[AKIN_HASH_TEXT_SIZE];
} akin_gallery_result;

/* Whether the required options are given: AKIN_USAGE. Reads no file. Not collective. */
AKIN_MUST_CHECK akin_status akin_gallery_check(const akin_gallery_params *params);

/* Writes the folder next to its final name and renames it. A folder that is neither empty nor a
 * gallery is never replaced: AKIN_USAGE. AKIN_INPUT: an id of the table is in no source. The
 * files are the same for any number of ranks. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_gallery(akin_comm *comm, const akin_gallery_params *params,
                                         akin_gallery_result *result);

#endif
