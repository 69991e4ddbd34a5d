/* gallery_data: the items and their neighbours as scripts that the gallery's page loads.
 *
 *   data/index/000/00000n.js   akin.index(first, {id, category, unavailable, missing, facts, pictures}) of
 *                              AKIN_GALLERY_INDEX items, followed by the targets. The page loads
 *                              all of them for its search. facts: {attribute: value} of each, if
 *                              the table's rules use attributes. pictures, for products: [number
 *                              or -1, id...] of each
 *   data/lists/000/00000n.js   akin.list(first, [[group, [row...], [score...], fill, in, [row...],
 *                              {attribute: value}, pinned, [[picture, other]...]]...]) of
 *                              AKIN_GALLERY_LIST items and targets, loaded when one of them is
 *                              shown. fill: how many neighbours at the end were filled in; in: how
 *                              many lists contain the item, followed by some of those; pinned: how
 *                              many neighbours at the beginning are pinned; picture, other: for
 *                              products, the numbers of their most similar pictures */
#ifndef AKIN_GALLERY_DATA_H
#define AKIN_GALLERY_DATA_H

#include "gallery_folder.h"
#include "gallery_rows.h"
#include <akin/comm.h>
#include <akin/error.h>
#include <akin/labels.h>
#include <akin/table.h>
#include <akin/text.h>
#include <stdint.h>

enum { AKIN_GALLERY_INDEX = 10000, AKIN_GALLERY_LIST = 250, AKIN_GALLERY_BINS = 100 };
enum { AKIN_GALLERY_DECADES = 6, AKIN_GALLERY_WORST = 4 };

/* Statistics of the whole table. Bin b has the scores from -1 + 2 b / BINS; of a calibrated table,
 * where most are close to 1, those above which a share of 10^-(DECADES b / BINS) of random pairs
 * is left. The last one includes 1. */
typedef struct {
    int64_t all[AKIN_GALLERY_BINS];  /* all scores */
    int64_t best[AKIN_GALLERY_BINS]; /* the best one of each item, of those not filled in */
    int64_t unavailable;             /* items */
    int32_t *worst; /* [categories, WORST]: rows of the category with the fewest neighbours of it
                     * among the first 10, the fewest first; -1 = none; owned by the caller */
} akin_gallery_counts;

/* Appends a score with 4 digits (6 for a calibrated table); never rounded up to 1. Not collective.
 */
AKIN_MUST_CHECK akin_status akin_gallery_score(akin_text *text, const akin_table *table,
                                               float score);

/* 1 if there is no picture; the same on all ranks. */
typedef struct {
    uint8_t *pictures; /* [pictures of the items] */
    uint8_t *targets;  /* [targets] */
} akin_gallery_missing;

/* Writes all scripts. Collective; agreed; every rank gets the statistics. */
AKIN_MUST_CHECK akin_status akin_gallery_data(akin_comm *comm, akin_gallery_folder *folder,
                                              const akin_table *table,
                                              const akin_gallery_rows *rows,
                                              const akin_gallery_missing *missing,
                                              akin_gallery_counts *counts);

#endif
