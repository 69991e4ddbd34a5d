/* row_lead: a block's rows as their leading numbers and the tail. */
#include "row_lead.h"
#include "sift.h"
#include <akin/mem.h>
#include <math.h>
#include <string.h>

enum { PANEL = AKIN_ROW_BLOCK_PANEL };

struct akin_row_lead {
    const akin_leading *leading;
    int8_t *tails;          /* [panels, PANEL, tail] */
    akin_sift_tails *known; /* [panels]: of them */
    float *numbers, *tail;  /* [PANEL, count], [tail]: of the panel that is being made */
    float *centre;          /* [count]: of its mean */
    double *taken;          /* [tail] */
};

akin_status akin_row_lead_create(size_t panels, const akin_leading *leading, akin_row_lead **out) {
    *out = NULL;
    akin_row_lead *lead = akin_mem_zalloc(1, sizeof *lead);
    if (lead == NULL) return AKIN_FAILED;
    lead->leading = leading;
    lead->tails = akin_mem_alloc(panels, PANEL * leading->tail);
    lead->known = akin_mem_alloc(panels, sizeof *lead->known);
    lead->numbers = akin_mem_alloc(PANEL, leading->count * sizeof *lead->numbers);
    lead->tail = akin_mem_alloc(leading->tail + leading->lost, sizeof *lead->tail);
    lead->centre = akin_mem_alloc(1, leading->count * sizeof *lead->centre);
    lead->taken = akin_mem_alloc(leading->tail, sizeof *lead->taken);
    if (!lead->tails || !lead->known || !lead->numbers || !lead->tail || !lead->centre ||
        !lead->taken) {
        akin_row_lead_free(lead);
        return AKIN_FAILED;
    }
    *out = lead;
    return AKIN_OK;
}

void akin_row_lead_free(akin_row_lead *lead) {
    if (lead == NULL) return;
    akin_mem_free(lead->tails);
    akin_mem_free(lead->known);
    akin_mem_free(lead->numbers);
    akin_mem_free(lead->tail);
    akin_mem_free(lead->centre);
    akin_mem_free(lead->taken);
    akin_mem_free(lead);
}

const akin_leading *akin_row_lead_leading(const akin_row_lead *lead) {
    return lead != NULL ? lead->leading : NULL;
}

static float add_square(float length, double square) {
    return (float)(sqrt((double)length * length + square) * (1 + 0x1p-20));
}

/* A tail in 8 bits, and what is known of it; the dimensions that are not in the bytes are part of what these leave
 * (sketch.h). */
static void sketch_tail(const akin_row_lead *lead, int8_t *bytes, akin_sift_tails *known,
                        size_t i) {
    const akin_leading *l = lead->leading;
    akin_sketch_single single;
    double lost = 0;
    akin_sketch_take(lead->tail, 1, l->tail, lead->taken);
    akin_sketch_one(lead->taken, l->tail, bytes, &single);
    for (size_t t = l->tail; t < l->tail + l->lost; t++)
        lost += (double)lead->tail[t] * lead->tail[t];
    known->unit[i] = single.unit, known->reach[i] = single.reach, known->sum[i] = single.sum;
    known->error[i] = add_square(single.error, lost);
    known->length[i] = add_square(single.length, lost);
}

const float *akin_row_lead_part(akin_row_lead *lead, size_t p, const float *rows, size_t count) {
    const akin_leading *l = lead->leading;
    int8_t *tails = lead->tails + p * PANEL * l->tail;
    akin_sift_tails *known = &lead->known[p];
    if (count < PANEL) memset(known, 0, sizeof *known);
    for (size_t i = 0; i < count; i++) {
        float *numbers = lead->numbers + i * l->count;
        akin_leading_part(l, rows + i * l->stride, numbers, lead->tail);
        sketch_tail(lead, tails + i * l->tail, known, i);
        numbers[l->place] = known->length[i];
    }
    memset(tails + count * l->tail, 0, (PANEL - count) * l->tail);
    return lead->numbers;
}

const float *akin_row_lead_mean(akin_row_lead *lead, const float *centre) {
    akin_leading_part(lead->leading, centre, lead->centre, lead->tail);
    return lead->centre;
}

size_t akin_row_lead_sift(const akin_row_lead *rows, size_t p, const akin_row_lead *columns,
                          size_t q, const akin_tile_task *task, akin_dot_hit *hits, size_t count,
                          float *bounds) {
    const size_t width = rows->leading->tail;
    const float unit = 1 / (task->row_sketch->row_scale * task->column_sketch->column_scale),
                off = unit + 0x1p-18f; /* what is found, and the arithmetic here */
    const akin_sift_task of = {.width = width,
                               .rows = rows->tails + p * PANEL * width,
                               .columns = columns->tails + q * PANEL * width,
                               .of_rows = &rows->known[p],
                               .of_columns = &columns->known[q],
                               .row_least = task->row_least,
                               .column_least = task->column_least,
                               .found = task->found,
                               .unit = unit,
                               .margin = task->margin + off};
    return akin_sift()->sift(&of, hits, count, bounds);
}
