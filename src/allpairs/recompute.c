/* recompute: recomputes lists that required too much. */
#include "recompute.h"
#include "thresholds.h"
#include <akin/compare.h>
#include <akin/mem.h>
#include <akin/topk.h>
#include <string.h>

enum { AT_ONCE = 256 /* panels between two checks of messages */ };

typedef struct {
    akin_comm *comm;
    akin_row_block_rules rules;
    akin_row_block *own;
    size_t k, stride, size;
    uint32_t *broken; /* [count]: this rank's rows */
    size_t count;
    unsigned char *records; /* an item and a row for each */
    size_t record_size, total;
    void *all;       /* records of all ranks */
    size_t *offsets; /* [size + 1]: bytes of them */
    size_t *counts;  /* [size] */
    akin_row_block *sought;
    akin_compare *compare;
    uint64_t *lists; /* [total, k] */
    uint64_t *merged[2];
} mender;

/* Returns how many broken lists there are. */
static size_t find_broken(mender *m, size_t most) {
    size_t found = 0;
    for (size_t i = 0; i < akin_row_block_count(m->own); i++) {
        if (!akin_topk_broken(akin_row_block_list(m->own, i), m->k)) continue;
        if (m->count < most) m->broken[m->count++] = (uint32_t)i;
        found++;
    }
    return found;
}

static akin_status make_lists(mender *m, size_t most) {
    m->broken = akin_mem_alloc(most, sizeof *m->broken);
    m->offsets = akin_mem_alloc(m->size + 1, sizeof *m->offsets);
    m->counts = akin_mem_alloc(m->size, sizeof *m->counts);
    m->merged[0] = akin_mem_alloc(m->k, sizeof **m->merged);
    m->merged[1] = akin_mem_alloc(m->k, sizeof **m->merged);
    return m->broken && m->offsets && m->counts && m->merged[0] && m->merged[1] ? AKIN_OK
                                                                                : AKIN_FAILED;
}

static akin_status pack(mender *m) {
    m->records = akin_mem_alloc(m->count, m->record_size);
    if (m->records == NULL) return AKIN_FAILED;
    for (size_t b = 0; b < m->count; b++) {
        unsigned char *record = m->records + b * m->record_size;
        memcpy(record, &akin_row_block_items(m->own)[m->broken[b]], sizeof(akin_row_block_item));
        memcpy(record + sizeof(akin_row_block_item), akin_row_block_row(m->own, m->broken[b]),
               m->stride * sizeof(float));
    }
    return AKIN_OK;
}

/* A block of the rows of all ranks, with lists that begin empty. */
static akin_status unpack(mender *m) {
    akin_status status = AKIN_FAILED;
    size_t dim = akin_row_block_dim(m->own);
    float *row = akin_mem_alloc(m->stride, sizeof *row);
    m->total = m->offsets[m->size] / m->record_size;
    m->lists = akin_mem_alloc(m->total, m->k * sizeof *m->lists);
    if (row == NULL || m->lists == NULL) goto done;
    AKIN_TRY(akin_compare_create(&m->rules, &m->compare));
    AKIN_TRY(akin_row_block_create(m->total, dim, m->k, AKIN_ROW_BLOCK_ROWS, &m->sought));
    akin_row_block_begin(m->sought, m->total);
    for (size_t i = 0; i < m->total; i++) {
        akin_row_block_item item;
        memcpy(&item, (unsigned char *)m->all + i * m->record_size, sizeof item);
        memcpy(row, (unsigned char *)m->all + i * m->record_size + sizeof item,
               m->stride * sizeof *row);
        akin_row_block_set(m->sought, i, item, row);
    }
    akin_row_block_ready(m->sought, &m->rules);
    AKIN_TRY(akin_thresholds_prove(m->sought, m->own, &m->rules));
done:
    akin_mem_free(row);
    return status;
}

static void seek(mender *m) {
    akin_row_block_rest(m->own, true);
    for (size_t q = 0; q < akin_row_block_panels(m->own); q += AT_ONCE) {
        size_t end = q + AT_ONCE < akin_row_block_panels(m->own) ? q + AT_ONCE
                                                                 : akin_row_block_panels(m->own);
        akin_compare_panels(m->compare, m->sought, 0, akin_row_block_panels(m->sought), m->own, q,
                            end);
        akin_comm_poll(m->comm);
    }
    akin_row_block_rest(m->own, false);
    for (size_t i = 0; i < m->total; i++) {
        uint64_t *list = akin_row_block_list(m->sought, i);
        akin_topk_sort(list, m->k);
        memcpy(m->lists + i * m->k, list, m->k * sizeof *list);
    }
    for (size_t r = 0; r < m->size; r++)
        m->counts[r] = (m->offsets[r + 1] - m->offsets[r]) / m->record_size;
}

/* parts: what each rank found for this rank's rows, [size, count, k]. */
static void put_back(mender *m, const uint64_t *parts) {
    const akin_topk_limits *limits = m->rules.more != NULL ? m->rules.more->limits : NULL;
    for (size_t b = 0; b < m->count; b++) {
        memset(m->merged[0], 0, m->k * sizeof **m->merged);
        for (size_t r = 0; r < m->size; r++) {
            akin_topk_limits_merge(limits, m->merged[0], parts + (r * m->count + b) * m->k, m->k,
                                   m->merged[1]);
            uint64_t *whole = m->merged[1];
            m->merged[1] = m->merged[0], m->merged[0] = whole;
        }
        akin_topk_restore(akin_row_block_list(m->own, m->broken[b]), m->k, m->merged[0], 0);
    }
}

static void free_mender(mender *m) {
    akin_mem_free(m->broken);
    akin_mem_free(m->records);
    akin_mem_free(m->all);
    akin_mem_free(m->offsets);
    akin_mem_free(m->counts);
    akin_mem_free(m->lists);
    akin_mem_free(m->merged[0]);
    akin_mem_free(m->merged[1]);
    akin_row_block_free(m->sought);
    akin_compare_free(m->compare);
}

akin_status akin_recompute(akin_comm *comm, const akin_row_block_rules *rules, akin_row_block *own,
                           size_t most, size_t *left, double *mended) {
    akin_status status;
    void *parts = NULL;
    size_t part_count;
    mender m = {.comm = comm,
                .rules = *rules,
                .own = own,
                .k = akin_row_block_k(own),
                .stride = akin_row_block_stride(own),
                .size = (size_t)akin_comm_size(comm),
                .record_size =
                    sizeof(akin_row_block_item) + akin_row_block_stride(own) * sizeof(float)};
    m.rules.layers = 0, m.rules.again = false;
    AKIN_TRY(akin_agree(comm, make_lists(&m, most)));
    int64_t found = (int64_t)find_broken(&m, most), done = (int64_t)m.count,
            sums[2] = {found, done};
    akin_comm_sum_i64(comm, sums, 2);
    *left = (size_t)(sums[0] - sums[1]);
    *mended += (double)sums[1];
    if (sums[1] == 0) goto done;
    AKIN_TRY(akin_agree(comm, pack(&m)));
    AKIN_TRY(akin_comm_gather(comm, m.records, m.count * m.record_size, -1, &m.all, m.offsets));
    AKIN_TRY(akin_agree(comm, unpack(&m)));
    seek(&m);
    AKIN_TRY(
        akin_comm_exchange(comm, m.lists, m.counts, m.k * sizeof *m.lists, &parts, &part_count));
    put_back(&m, parts);
done:
    akin_mem_free(parts);
    free_mender(&m);
    return status;
}
