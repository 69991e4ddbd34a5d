/* allpairs: every row against every other, on all ranks. Floor 3 (stages); looks down to error, mem, shard, ring, topk,
 * dot, block, comm, log, vectors. */
#include <akin/allpairs.h>
#include <akin/dot.h>
#include <akin/log.h>
#include <akin/mem.h>
#include <akin/ring.h>
#include <akin/shard.h>
#include <akin/topk.h>
#include <stdlib.h>
#include <string.h>

enum { TAG_BODY = 101, TAG_LISTS };

/* Work is counted in multiply-adds; a core does 1e10 to 1e11 of them in a second. */
static const size_t columns_bytes = 192 << 10; /* panels of the held block that stay in the second-level cache */
static const double piece_work = 1 << 26;      /* between two looks at messages and the clock */
static const double slice_work = 1e10;         /* between two agreements on signals */

typedef struct {
    akin_comm *comm;
    int rank, size;
    const akin_vectors *vectors;
    const akin_block_rules *rules;
    size_t n, dim, k;
    size_t *counts; /* [size]: rows of each rank's block */
    akin_block *own, *held, *next;
    double done, total; /* pairs of panels, for the progress */
} engine;

size_t akin_allpairs_list(size_t n, size_t k) {
    size_t others = n > 1 ? n - 1 : 1;
    return k < others ? k : others;
}

/* --- deal --- */

typedef struct {
    uint64_t key;
    size_t at;
} place;

static int ascending(const void *x, const void *y) {
    const place *a = x, *b = y;
    return a->key < b->key ? -1 : a->key > b->key;
}

/* Orders by category, then who is available, then row: as far as the rules ask. */
static uint64_t place_key(const akin_block_rules *rules, const akin_block_item *item) {
    uint64_t category = rules->same_category ? (uint64_t)item->category + 1 : 0;
    uint64_t unavailable = rules->only_available && !item->available;
    return category << 32 | unavailable << 31 | (uint64_t)item->row;
}

static akin_block_item item_of(const akin_vectors *vectors, size_t i) {
    akin_labels *labels = akin_vectors_labels(vectors);
    return (akin_block_item){(int32_t)(akin_vectors_first(vectors) + i), akin_labels_category(labels)[i],
                             akin_labels_group(labels)[i], akin_labels_available(labels)[i] != 0};
}

/* This rank's rows in the order of dealing. */
static size_t order_shard(const engine *e, place *order) {
    size_t used = 0;
    for (size_t i = 0; i < akin_vectors_count(e->vectors); i++) {
        akin_block_item item = item_of(e->vectors, i);
        if (!akin_vectors_usable(e->vectors, i) || (e->rules->same_category && item.category < 0)) continue;
        order[used++] = (place){place_key(e->rules, &item), i};
    }
    qsort(order, used, sizeof *order, ascending);
    return used;
}

static size_t record_size(const engine *e) {
    return sizeof(akin_block_item) + e->dim * sizeof(float);
}

/* Place p of the order goes to rank (p + rank) % size, so that what is left over does not fall on the same ranks. */
static akin_status pack(const engine *e, unsigned char **records, size_t *send_counts) {
    akin_status status = AKIN_FAILED;
    size_t count = akin_vectors_count(e->vectors), size = (size_t)e->size, sent = 0;
    place *order = akin_mem_alloc(count, sizeof *order);
    *records = akin_mem_alloc(count, record_size(e));
    if (order == NULL || *records == NULL) goto done;
    size_t used = order_shard(e, order);
    for (size_t to = 0; to < size; to++) {
        size_t before = sent;
        for (size_t p = (to + size - (size_t)e->rank) % size; p < used; p += size, sent++) {
            unsigned char *record = *records + sent * record_size(e);
            akin_block_item item = item_of(e->vectors, order[p].at);
            memcpy(record, &item, sizeof item);
            memcpy(record + sizeof item, akin_vectors_row(e->vectors, order[p].at), e->dim * sizeof(float));
        }
        send_counts[to] = sent - before;
    }
    status = AKIN_OK;
done:
    akin_mem_free(order);
    return status;
}

static akin_status fill_own(engine *e, const unsigned char *records, size_t count) {
    akin_status status = AKIN_FAILED;
    place *order = akin_mem_alloc(count, sizeof *order);
    if (order == NULL) goto done;
    AKIN_TRY(akin_block_create(count, e->dim, e->k, &e->own));
    for (size_t i = 0; i < count; i++) {
        const akin_block_item *item = (const void *)(records + i * record_size(e));
        order[i] = (place){place_key(e->rules, item), i};
    }
    qsort(order, count, sizeof *order, ascending);
    akin_block_begin(e->own, count);
    for (size_t i = 0; i < count; i++) {
        const unsigned char *record = records + order[i].at * record_size(e);
        const akin_block_item *item = (const void *)record;
        akin_block_set(e->own, i, *item, (const float *)(const void *)(record + sizeof *item));
    }
    akin_block_ready(e->own, e->rules);
done:
    akin_mem_free(order);
    return status;
}

/* Blocks for what travels, as large as the largest of them. */
static akin_status make_room(engine *e) {
    size_t largest = 0;
    for (int r = 0; r < e->size; r++) largest = e->counts[r] > largest ? e->counts[r] : largest;
    if (e->size == 1) return AKIN_OK;
    akin_status status = akin_block_create(largest, e->dim, e->k, &e->held);
    return status == AKIN_OK ? akin_block_create(largest, e->dim, e->k, &e->next) : status;
}

static akin_status deal(engine *e) {
    akin_status status;
    unsigned char *records = NULL;
    void *received = NULL;
    size_t count = 0;
    size_t *send_counts = akin_mem_zalloc((size_t)e->size, sizeof *send_counts);
    AKIN_TRY(akin_agree(e->comm, send_counts != NULL ? pack(e, &records, send_counts) : AKIN_FAILED));
    AKIN_TRY(akin_comm_exchange(e->comm, records, send_counts, record_size(e), &received, &count));
    akin_mem_free(records);
    records = NULL;
    AKIN_TRY(akin_agree(e->comm, fill_own(e, received, count)));
    AKIN_TRY(akin_comm_gather(e->comm, &count, sizeof count, -1, (void **)&e->counts, NULL));
    AKIN_TRY(akin_agree(e->comm, make_room(e)));
done:
    akin_mem_free(send_counts);
    akin_mem_free(records);
    akin_mem_free(received);
    return status;
}

/* --- ring --- */

static size_t panels_of(const engine *e, int rank) {
    return (e->counts[rank] + AKIN_DOT_PANEL - 1) / AKIN_DOT_PANEL;
}

static akin_ring_part part_of(const engine *e, int step) {
    int held = akin_ring_held(e->size, e->rank, step);
    return akin_ring_work(e->size, e->rank, step, panels_of(e, e->rank), panels_of(e, held));
}

/* Pairs of panels in a part; at step 0 those of a triangle. */
static double panel_pairs(akin_ring_part part, int step) {
    double own = (double)(part.own_end - part.own_first), held = (double)(part.held_end - part.held_first);
    return step == 0 ? own * (own + 1) / 2 : own * held;
}

static double work_of_panels(const engine *e) {
    return (double)AKIN_DOT_HITS * (double)e->dim;
}

/* The same on all ranks: so many times they ask each other for signals in a step. */
static size_t slices_of_step(const engine *e) {
    double panels = 0;
    for (int r = 0; r < e->size; r++) panels = (double)panels_of(e, r) > panels ? (double)panels_of(e, r) : panels;
    return 1 + (size_t)(panels * panels * work_of_panels(e) / slice_work);
}

/* Columns [first, end) of the held block against the part's rows, in pieces. */
static void sweep_columns(engine *e, akin_block *held, akin_ring_part part, size_t first, size_t end) {
    size_t rows_end = held == e->own && end < part.own_end ? end : part.own_end;
    size_t step = 1 + (size_t)(piece_work / (work_of_panels(e) * (double)(end - first)));
    for (size_t row = part.own_first; row < rows_end; row += step) {
        size_t row_end = row + step < rows_end ? row + step : rows_end;
        akin_block_compare(e->rules, e->own, row, row_end, held, first, end);
        e->done += (double)(row_end - row) * (double)(end - first);
        akin_comm_poll(e->comm);
        double share = e->done < e->total ? e->done / e->total : 1;
        akin_log_progress("neighbors", "pairs", share * (double)e->n * (double)(e->n - 1),
                          (double)e->n * (double)(e->n - 1));
    }
}

/* This rank's part of a step, and an agreement on signals after every slice of it. Collective; agreed. */
static akin_status sweep(engine *e, akin_block *held, int step) {
    akin_ring_part part = part_of(e, step);
    size_t at_once = columns_bytes / (AKIN_DOT_PANEL * e->dim * sizeof(float)), slices = slices_of_step(e);
    size_t columns = part.held_end - part.held_first;
    if (at_once == 0) at_once = 1;
    akin_status status = AKIN_OK;
    for (size_t s = 0; s < slices && status == AKIN_OK; s++) {
        size_t first = part.held_first + columns * s / slices, end = part.held_first + columns * (s + 1) / slices;
        for (size_t q = first; q < end; q += at_once)
            sweep_columns(e, held, part, q, q + at_once < end ? q + at_once : end);
        status = akin_comm_check_signal(e->comm);
    }
    return status;
}

typedef struct {
    akin_request *send, *receive;
} crossing;

/* Messages to one rank and from another, under way. That a request cannot be had cannot be agreed on any more. */
static crossing cross(engine *e, int tag, const void *out, size_t out_size, int to, void *in, size_t in_size,
                      int from) {
    crossing c = {NULL, NULL};
    if (akin_comm_receive_start(e->comm, in, in_size, from, tag, &c.receive) != AKIN_OK ||
        akin_comm_send_start(e->comm, out, out_size, to, tag, &c.send) != AKIN_OK)
        akin_comm_abort(e->comm, AKIN_FAILED, "%s", akin_error_message());
    return c;
}

static void arrive(engine *e, crossing *c) {
    akin_comm_wait(e->comm, &c->receive);
    akin_comm_wait(e->comm, &c->send);
}

static int left_of(const engine *e) {
    return (e->rank + e->size - 1) % e->size;
}

static int right_of(const engine *e) {
    return (e->rank + 1) % e->size;
}

/* The block that is held goes to the left, and the one of the next step comes from the right. */
static crossing move_body(engine *e, akin_block *held, int step) {
    size_t count = e->counts[akin_ring_held(e->size, e->rank, step + 1)];
    akin_block_begin(e->next, count);
    return cross(e, TAG_BODY, akin_block_body(held), akin_block_body_size(akin_block_count(held), e->dim), left_of(e),
                 akin_block_body(e->next), akin_block_body_size(count, e->dim), right_of(e));
}

static void move_lists(engine *e, akin_block *held, int to, akin_block *next, int from) {
    crossing c = cross(e, TAG_LISTS, akin_block_lists(held), akin_block_lists_size(akin_block_count(held), e->k), to,
                       akin_block_lists(next), akin_block_lists_size(akin_block_count(next), e->k), from);
    arrive(e, &c);
}

static akin_status go_round(engine *e) {
    akin_status status = AKIN_OK;
    int last = akin_ring_steps(e->size);
    for (int step = 0; step <= last; step++) e->total += panel_pairs(part_of(e, step), step);
    for (int step = 0; step <= last; step++) {
        akin_block *held = step == 0 ? e->own : e->held;
        crossing body = {NULL, NULL};
        if (step < last) body = move_body(e, held, step);
        status = sweep(e, held, step);
        arrive(e, &body);
        if (status != AKIN_OK || step == last) break;
        move_lists(e, held, left_of(e), e->next, right_of(e));
        akin_block_ready(e->next, e->rules);
        akin_block *empty = e->held;
        e->held = e->next, e->next = empty;
    }
    return status;
}

/* The travelling lists come to the rank that keeps their block, and every list is sorted. Collective; agreed. */
static akin_status merge_travellers(engine *e) {
    int last = akin_ring_steps(e->size);
    uint64_t *merged = akin_mem_alloc(e->k, sizeof *merged);
    akin_status status = akin_agree(e->comm, merged != NULL ? AKIN_OK : AKIN_FAILED);
    if (status != AKIN_OK) goto done;
    for (size_t i = 0; i < akin_block_count(e->own); i++) akin_topk_sort(akin_block_list(e->own, i), e->k);
    if (last == 0) goto done;
    akin_block_begin(e->next, e->counts[e->rank]);
    move_lists(e, e->held, akin_ring_held(e->size, e->rank, last), e->next, akin_ring_holder(e->size, e->rank, last));
    for (size_t i = 0; i < akin_block_count(e->own); i++) {
        uint64_t *kept = akin_block_list(e->own, i), *came = akin_block_list(e->next, i);
        akin_topk_sort(came, e->k);
        akin_topk_merge(kept, came, e->k, merged);
        memcpy(kept, merged, e->k * sizeof *merged);
    }
done:
    akin_mem_free(merged);
    return status;
}

/* --- home --- */

/* Records of a row and its list, in the order of rows and so of ranks. */
static akin_status pack_lists(const engine *e, uint64_t **records, size_t *send_counts) {
    akin_status status = AKIN_FAILED;
    size_t count = akin_block_count(e->own);
    const akin_block_item *items = akin_block_items(e->own);
    place *order = akin_mem_alloc(count, sizeof *order);
    *records = akin_mem_alloc(count, (e->k + 1) * sizeof **records);
    if (order == NULL || *records == NULL) goto done;
    for (size_t i = 0; i < count; i++) order[i] = (place){(uint64_t)items[i].row, i};
    qsort(order, count, sizeof *order, ascending);
    for (size_t i = 0; i < count; i++) {
        uint64_t *record = *records + i * (e->k + 1);
        record[0] = order[i].key;
        memcpy(record + 1, akin_block_list(e->own, order[i].at), e->k * sizeof *record);
        send_counts[akin_shard_owner(e->n, e->size, (size_t)order[i].key)]++;
    }
    status = AKIN_OK;
done:
    akin_mem_free(order);
    return status;
}

static void free_blocks(engine *e) {
    akin_block_free(e->own);
    akin_block_free(e->held);
    akin_block_free(e->next);
    e->own = e->held = e->next = NULL;
}

static akin_status bring_home(engine *e, uint64_t **lists) {
    akin_status status;
    uint64_t *records = NULL, *mine = NULL;
    void *received = NULL;
    size_t count = 0;
    size_t *send_counts = akin_mem_zalloc((size_t)e->size, sizeof *send_counts);
    AKIN_TRY(akin_agree(e->comm, send_counts != NULL ? pack_lists(e, &records, send_counts) : AKIN_FAILED));
    free_blocks(e);
    AKIN_TRY(akin_comm_exchange(e->comm, records, send_counts, (e->k + 1) * sizeof *records, &received, &count));
    akin_mem_free(records);
    records = NULL;
    mine = akin_mem_zalloc(akin_vectors_count(e->vectors), e->k * sizeof *mine);
    AKIN_TRY(akin_agree(e->comm, mine != NULL ? AKIN_OK : AKIN_FAILED));
    for (size_t i = 0; i < count; i++) {
        const uint64_t *record = (const uint64_t *)received + i * (e->k + 1);
        memcpy(mine + (record[0] - akin_vectors_first(e->vectors)) * e->k, record + 1, e->k * sizeof *mine);
    }
    *lists = mine, mine = NULL;
done:
    akin_mem_free(send_counts);
    akin_mem_free(records);
    akin_mem_free(mine);
    akin_mem_free(received);
    return status;
}

akin_status akin_allpairs(akin_comm *comm, const akin_vectors *vectors, size_t k, const akin_block_rules *rules,
                          uint64_t **lists, double *seconds) {
    akin_status status;
    size_t n = akin_vectors_items(vectors);
    engine e = {.comm = comm,
                .rank = akin_comm_rank(comm),
                .size = akin_comm_size(comm),
                .vectors = vectors,
                .rules = rules,
                .n = n,
                .dim = akin_vectors_dim(vectors),
                .k = akin_allpairs_list(n, k)};
    *lists = NULL;
    akin_comm_barrier(comm);
    double start = akin_comm_seconds();
    AKIN_TRY(deal(&e));
    AKIN_TRY(go_round(&e));
    AKIN_TRY(merge_travellers(&e));
    AKIN_TRY(bring_home(&e, lists));
    *seconds = akin_comm_seconds() - start;
    akin_comm_max_f64(comm, seconds, 1);
done:
    akin_log_progress_end();
    free_blocks(&e);
    akin_mem_free(e.counts);
    return status;
}
