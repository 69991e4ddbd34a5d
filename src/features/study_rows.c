/* study_rows: see study_rows.h. */
#include "study_rows.h"
#include <akin/mem.h>
#include <akin/rng.h>
#include <stdbool.h>
#include <stdlib.h>

enum { PLACE = 2, TURN = 3 }; /* streams of random numbers */

size_t akin_study_rows_spread(size_t items, size_t count, size_t i) {
    if (count >= items) return i;
    size_t first = i * items / count, length = (i + 1) * items / count - first;
    return first + akin_rng_bits(0, AKIN_RNG_SAMPLE, PLACE, i) % length;
}

typedef struct {
    uint64_t turn;            /* labels are drawn in ascending order of these random numbers */
    size_t label, size, seen; /* items of the catalogue, and of the spread rows */
    bool drawn;
} family;

static int by_turn(const void *a, const void *b) {
    const family *x = a, *y = b;
    if (x->turn != y->turn) return x->turn > y->turn ? 1 : -1;
    return (x->label > y->label) - (x->label < y->label);
}

static int by_label(const void *a, const void *b) {
    const family *x = a, *y = b;
    return (x->label > y->label) - (x->label < y->label);
}

static size_t labels_of(const int32_t *label, size_t items) {
    int32_t most = -1;
    for (size_t i = 0; i < items; i++) most = label[i] > most ? label[i] : most;
    return (size_t)(most + 1);
}

static void count_families(const int32_t *label, size_t items, size_t most, family *families,
                           size_t count) {
    for (size_t l = 0; l < count; l++)
        families[l] = (family){.turn = akin_rng_bits(0, AKIN_RNG_SAMPLE, TURN, l), .label = l};
    for (size_t i = 0; i < items; i++)
        if (label[i] >= 0) families[label[i]].size++;
    for (size_t i = 0; i < most && i < items; i++) {
        size_t row = akin_study_rows_spread(items, most, i);
        if (label[row] >= 0) families[label[row]].seen++;
    }
}

/* Whether fewer than half of the spread rows that have another of their label have one among them. */
static bool torn(const family *families, size_t count) {
    size_t all = 0, kept = 0;
    for (size_t l = 0; l < count; l++) {
        all += families[l].size > 1 ? families[l].seen : 0;
        kept += families[l].seen > 1 ? families[l].seen : 0;
    }
    return 2 * kept < all;
}

/* Draws whole families; returns how many items these have. */
static size_t draw(family *families, size_t count, size_t most) {
    size_t used = 0;
    qsort(families, count, sizeof *families, by_turn);
    for (size_t l = 0; l < count; l++) {
        families[l].drawn = families[l].size > 1 && families[l].size <= most - used;
        if (families[l].drawn) used += families[l].size;
    }
    qsort(families, count, sizeof *families, by_label);
    return used;
}

akin_status akin_study_rows_together(const int32_t *label, size_t items, size_t most, size_t **rows,
                                     size_t *count) {
    akin_status status = AKIN_OK;
    size_t labels = labels_of(label, items);
    family *families = akin_mem_alloc(labels, sizeof *families);
    *rows = NULL;
    *count = 0;
    if (!families) status = AKIN_FAILED;
    if (!families) goto done;
    count_families(label, items, most, families, labels);
    if (!torn(families, labels)) goto done;
    size_t drawn = draw(families, labels, most / 3 * 2);
    *rows = akin_mem_alloc(drawn, sizeof **rows);
    if (!*rows) status = AKIN_FAILED;
    for (size_t i = 0; *rows && i < items; i++)
        if (label[i] >= 0 && families[label[i]].drawn) (*rows)[(*count)++] = i;
done:
    akin_mem_free(families);
    return status;
}
