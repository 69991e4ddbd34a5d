/* gallery_figures: data/summary.js: what the gallery's page shows about the whole table and the job
 * that made it. Figures of the job come from rejects.csv and metrics.json in the output folder of a
 * run, if they exist. */
#ifndef AKIN_GALLERY_FIGURES_H
#define AKIN_GALLERY_FIGURES_H

#include "gallery_data.h"
#include "gallery_folder.h"
#include "gallery_strip.h"
#include <akin/error.h>
#include <akin/evaluate.h>
#include <akin/json.h>
#include <akin/labels.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct {
    const char *results;       /* a run's output folder, NULL = none */
    const char *name;          /* name of another table; NULL: the first */
    const char *const *names;  /* names of all other tables that have a page, ends with NULL */
    const char *table_options; /* options that affected the table, "k=20 ..." */
    bool diverse, calibrated;  /* of the table */
    bool against;              /* whether there is a previous table, and data/changes.js */
    const akin_evaluate_figures *measured;
    const akin_evaluate_categories *by_category;
    size_t duplicates, placed; /* entries of data/duplicates.js and data/map.js; 0: no such file */
    const akin_gallery_counts *counts;
    const akin_gallery_rows *rows;
    const char *items_name, *targets_name; /* of two catalogues */
    size_t placeholders;
    const char *product_url, *beside; /* as in akin_gallery_params */
    size_t leaving, listed;           /* lists with a neighbour of another category; all lists */
    akin_json *outliers;              /* owned by the caller */
    const akin_gallery_learnt *learnt;
    bool ranked;            /* whether there is data/ranks */
    const akin_json *parts; /* names of the parts in data/why; NULL: no such files */
} akin_gallery_facts;

/* Writes data/summary.js. Rank 0 only; not collective. */
AKIN_MUST_CHECK akin_status akin_gallery_figures(akin_gallery_folder *folder,
                                                 const akin_gallery_facts *facts);

#endif
