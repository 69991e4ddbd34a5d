/* recompute: recomputes lists whose threshold was too high. */
#include "recompute.h"
#include "thresholds.h"
#include <akin/mem.h>
#include <akin/row_search.h>
#include <akin/topk.h>
#include <stdint.h>

typedef struct {
    const akin_row_block *own;
    uint32_t *broken; /* [count]: this rank's rows */
    size_t count;
} mender;

/* Returns how many broken lists there are. */
static size_t find_broken(mender *m, akin_row_block *own, size_t most) {
    size_t found = 0;
    for (size_t i = 0; i < akin_row_block_count(own); i++) {
        if (!akin_topk_broken(akin_row_block_list(own, i), akin_row_block_k(own))) continue;
        if (m->count < most) m->broken[m->count++] = (uint32_t)i;
        found++;
    }
    return found;
}

static const float *broken_row(const void *context, size_t i, akin_row_block_item *item) {
    const mender *m = context;
    *item = akin_row_block_items(m->own)[m->broken[i]];
    return akin_row_block_row(m->own, m->broken[i]);
}

/* Collective; agreed. */
static akin_status mend(akin_comm *comm, const akin_row_block_rules *rules, const mender *m,
                        akin_row_block *own) {
    akin_status status;
    akin_row_search *search = NULL;
    size_t k = akin_row_block_k(own);
    const akin_row_search_rows rows = {
        m->count, akin_row_block_dim(own), k, akin_row_block_leading(own), broken_row, m};
    uint64_t *lists = akin_mem_alloc(m->count, k * sizeof *lists);
    AKIN_TRY(akin_agree(comm, lists ? AKIN_OK : AKIN_FAILED));
    AKIN_TRY(akin_row_search_begin(comm, rules, &rows, &search));
    AKIN_TRY(akin_agree(comm, akin_thresholds_prove(akin_row_search_block(search), own, rules)));
    akin_row_block_rest(own, true);
    akin_row_search_among(search, own);
    akin_row_block_rest(own, false);
    AKIN_TRY(akin_row_search_end(search, lists));
    for (size_t b = 0; b < m->count; b++)
        akin_topk_restore(akin_row_block_list(own, m->broken[b]), k, lists + b * k, 0);
done:
    akin_mem_free(lists);
    akin_row_search_free(search);
    return status;
}

akin_status akin_recompute(akin_comm *comm, const akin_row_block_rules *rules, akin_row_block *own,
                           size_t most, size_t *left, double *mended) {
    akin_status status;
    mender m = {.own = own, .broken = akin_mem_alloc(most, sizeof *m.broken)};
    akin_row_block_rules alone = *rules;
    alone.layers = 0, alone.again = false;
    AKIN_TRY(akin_agree(comm, m.broken ? AKIN_OK : AKIN_FAILED));
    int64_t found = (int64_t)find_broken(&m, own, most), done = (int64_t)m.count,
            sums[2] = {found, done};
    akin_comm_sum_i64(comm, sums, 2);
    *left = (size_t)(sums[0] - sums[1]);
    *mended += (double)sums[1];
    if (sums[1] > 0) status = mend(comm, &alone, &m, own);
done:
    akin_mem_free(m.broken);
    return status;
}
