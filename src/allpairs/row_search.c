/* row_search: rows of all ranks among each rank's. */
#include <akin/compare.h>
#include <akin/mem.h>
#include <akin/row_search.h>
#include <akin/topk.h>
#include <string.h>

enum { AT_ONCE = 256 /* panels between two checks of messages */ };

struct akin_row_search {
    akin_comm *comm;
    akin_row_block_rules rules;
    size_t own, total; /* rows of this rank, of all */
    size_t width;
    size_t *counts; /* [size]: rows of each rank */
    akin_row_block *block;
    akin_compare *compare;
};

/* This rank's rows, as they are sent: an item and a row of each; owned. */
static akin_status pack(const akin_row_search_rows *rows, size_t record, unsigned char **out) {
    *out = akin_mem_alloc(rows->count, record);
    if (*out == NULL) return AKIN_FAILED;
    for (size_t i = 0; i < rows->count; i++) {
        unsigned char *to = *out + i * record;
        akin_row_block_item item;
        const float *row = rows->row(rows->context, i, &item);
        memcpy(to, &item, sizeof item);
        memcpy(to + sizeof item, row, rows->dim * sizeof *row);
    }
    return AKIN_OK;
}

static akin_status unpack(akin_row_search *s, size_t dim, const struct akin_leading *leading,
                          size_t record, const unsigned char *all) {
    akin_status status;
    AKIN_TRY(akin_compare_create(&s->rules, &s->compare));
    AKIN_TRY(akin_row_block_create(s->total, dim, s->width, AKIN_ROW_BLOCK_ROWS, &s->block));
    AKIN_TRY(akin_row_block_lead(s->block, leading));
    akin_row_block_begin(s->block, s->total);
    for (size_t i = 0; i < s->total; i++) {
        akin_row_block_item item;
        memcpy(&item, all + i * record, sizeof item);
        const void *row = all + i * record + sizeof item; /* whole floats from the beginning */
        akin_row_block_set(s->block, i, item, row);
    }
    akin_row_block_ready(s->block, &s->rules);
done:
    return status;
}

akin_status akin_row_search_begin(akin_comm *comm, const akin_row_block_rules *rules,
                                  const akin_row_search_rows *rows, akin_row_search **out) {
    akin_status status;
    size_t size = (size_t)akin_comm_size(comm);
    size_t record = sizeof(akin_row_block_item) + rows->dim * sizeof(float);
    size_t *offsets = akin_mem_alloc(size + 1, sizeof *offsets);
    unsigned char *mine = NULL;
    void *all = NULL;
    *out = NULL;
    akin_row_search *s = akin_mem_zalloc(1, sizeof *s);
    akin_status local = s && offsets ? pack(rows, record, &mine) : AKIN_FAILED;
    if (local == AKIN_OK) {
        *s = (akin_row_search){
            .comm = comm, .rules = *rules, .own = rows->count, .width = rows->width};
        s->rules.layers = 0, s->rules.again = false;
        s->counts = akin_mem_alloc(size, sizeof *s->counts);
        if (!s->counts) local = AKIN_FAILED;
    }
    AKIN_TRY(akin_agree(comm, local));
    AKIN_TRY(akin_comm_gather(comm, mine, rows->count * record, -1, &all, offsets));
    for (size_t r = 0; r < size; r++) s->counts[r] = (offsets[r + 1] - offsets[r]) / record;
    s->total = offsets[size] / record;
    AKIN_TRY(akin_agree(comm, unpack(s, rows->dim, rows->leading, record, all)));
    *out = s;
    s = NULL;
done:
    akin_mem_free(all);
    akin_mem_free(mine);
    akin_mem_free(offsets);
    akin_row_search_free(s);
    return status;
}

void akin_row_search_free(akin_row_search *s) {
    if (s == NULL) return;
    akin_mem_free(s->counts);
    akin_compare_free(s->compare);
    akin_row_block_free(s->block);
    akin_mem_free(s);
}

akin_row_block *akin_row_search_block(akin_row_search *s) {
    return s->block;
}

void akin_row_search_among(akin_row_search *s, akin_row_block *block) {
    size_t panels = akin_row_block_panels(block);
    for (size_t q = 0; q < panels; q += AT_ONCE) {
        akin_compare_panels(s->compare, s->block, 0, akin_row_block_panels(s->block), block, q,
                            q + AT_ONCE < panels ? q + AT_ONCE : panels);
        akin_comm_poll(s->comm);
    }
}

/* The lists of all rows, sorted, in the order of ranks; owned. */
static akin_status collect(akin_row_search *s, uint64_t **out) {
    *out = akin_mem_alloc(s->total, s->width * sizeof **out);
    if (*out == NULL) return AKIN_FAILED;
    for (size_t i = 0; i < s->total; i++) {
        uint64_t *list = akin_row_block_list(s->block, i);
        akin_topk_sort(list, s->width);
        memcpy(*out + i * s->width, list, s->width * sizeof *list);
    }
    return AKIN_OK;
}

/* parts: what each rank found for this rank's rows, [size, own, width]. */
static akin_status merge(const akin_row_search *s, const uint64_t *parts, uint64_t *lists) {
    const akin_topk_limits *limits = s->rules.more != NULL ? s->rules.more->limits : NULL;
    uint64_t *merged = akin_mem_alloc(s->width, sizeof *merged);
    if (merged == NULL) return AKIN_FAILED;
    memset(lists, 0, s->own * s->width * sizeof *lists);
    for (size_t i = 0; i < s->own; i++)
        for (size_t r = 0; r < (size_t)akin_comm_size(s->comm); r++) {
            uint64_t *list = lists + i * s->width;
            akin_topk_limits_merge(limits, list, parts + (r * s->own + i) * s->width, s->width,
                                   merged);
            memcpy(list, merged, s->width * sizeof *list);
        }
    akin_mem_free(merged);
    return AKIN_OK;
}

akin_status akin_row_search_end(akin_row_search *s, uint64_t *lists) {
    akin_status status;
    uint64_t *found = NULL;
    void *parts = NULL;
    size_t came = 0;
    AKIN_TRY(akin_agree(s->comm, collect(s, &found)));
    AKIN_TRY(
        akin_comm_exchange(s->comm, found, s->counts, s->width * sizeof *found, &parts, &came));
    status = akin_agree(s->comm, merge(s, parts, lists));
done:
    akin_mem_free(found);
    akin_mem_free(parts);
    return status;
}
