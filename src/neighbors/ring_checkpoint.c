/* ring_checkpoint: the state of an all-pairs run. */
#include "ring_checkpoint.h"
#include "ring_checkpoint_file.h"
#include <akin/mem.h>
#include <akin/ncfile.h>
#include <akin/shard.h>
#include <akin/topk.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

int akin_ring_checkpoint_part(size_t count, int subs, size_t index) {
    size_t panels = (count + AKIN_ROW_BLOCK_PANEL - 1) / AKIN_ROW_BLOCK_PANEL,
           panel = index / AKIN_ROW_BLOCK_PANEL;
    size_t part =
        panel * (size_t)subs / panels; /* the last rank whose first panel is not after this one */
    while (part + 1 < (size_t)subs && panels * (part + 1) / (size_t)subs <= panel) part++;
    return (int)part;
}

/* --- writing --- */

typedef struct {
    size_t places, own_first, held_first, held_count;
} extent;

static extent extent_of(akin_comm *comm, const akin_ring_checkpoint_state *s) {
    extent e = {0, 0, 0, 0};
    int held = s->held != NULL ? s->held_rank : akin_comm_rank(comm);
    for (int r = 0; r < s->progress.size; r++) {
        if (r == akin_comm_rank(comm)) e.own_first = e.places;
        if (r == held) e.held_first = e.places, e.held_count = s->counts[r];
        e.places += s->counts[r];
    }
    return e;
}

/* Sorted copies of a block's lists; zeros if there is no block. [count, k], owned. */
static akin_status copy_lists(akin_row_block *block, size_t count, size_t k, uint64_t **out) {
    uint64_t *scratch = akin_mem_alloc(akin_topk_words(k), sizeof *scratch);
    *out = akin_mem_zalloc(count, k * sizeof **out);
    if (scratch == NULL || *out == NULL) {
        akin_mem_free(scratch);
        return AKIN_FAILED;
    }
    for (size_t i = 0; i < count && block != NULL; i++) {
        memcpy(scratch, akin_row_block_list(block, i), akin_topk_words(k) * sizeof *scratch);
        akin_topk_sort(scratch, k);
        memcpy(*out + i * k, scratch, k * sizeof *scratch);
    }
    akin_mem_free(scratch);
    return AKIN_OK;
}

static akin_status put_lists(akin_comm *comm, akin_ncfile *file, const char *variable,
                             akin_row_block *block, size_t first, size_t count, size_t k) {
    akin_status status;
    uint64_t *lists = NULL;
    AKIN_TRY(akin_agree(comm, copy_lists(block, count, k, &lists)));
    akin_ncfile_put(file, variable, first, count, lists);
done:
    akin_mem_free(lists);
    return status;
}

static akin_status put_bars(akin_comm *comm, akin_ncfile *file, const char *variable,
                            akin_row_block *own, size_t first) {
    akin_status status;
    size_t count = akin_row_block_count(own);
    uint64_t *bars = akin_mem_alloc(count, sizeof *bars);
    AKIN_TRY(akin_agree(comm, bars != NULL ? AKIN_OK : AKIN_FAILED));
    for (size_t i = 0; i < count; i++) bars[i] = akin_topk_bar(akin_row_block_list(own, i));
    akin_ncfile_put(file, variable, first, count, bars);
done:
    akin_mem_free(bars);
    return status;
}

static akin_status put_table(akin_comm *comm, akin_ncfile *file,
                             const akin_ring_checkpoint_state *s, const extent *e, int table) {
    akin_status status;
    akin_ring_checkpoint_names f;
    akin_row_block *own = akin_row_block_table(s->own, table),
                   *held = s->held != NULL ? akin_row_block_table(s->held, table) : NULL;
    size_t k = akin_row_block_k(own), count = akin_row_block_count(own);
    akin_ring_checkpoint_name(&f, table);
    AKIN_TRY(put_bars(comm, file, f.bar, own, e->own_first));
    AKIN_TRY(put_lists(comm, file, f.own, own, e->own_first, count, k));
    AKIN_TRY(put_lists(comm, file, f.held, held, e->held_first, e->held_count, k));
done:
    return status;
}

static akin_status put_rows(akin_comm *comm, akin_ncfile *file, const akin_ring_checkpoint_state *s,
                            size_t first) {
    akin_status status;
    int rank = akin_comm_rank(comm);
    size_t count = akin_row_block_count(s->own), layers = (size_t)s->layers + 1;
    const akin_row_block_item *items = akin_row_block_items(s->own);
    int32_t *rows = akin_mem_alloc(count, sizeof *rows),
            *labels = akin_mem_alloc(count, layers * sizeof *labels);
    AKIN_TRY(akin_agree(comm, rows != NULL && labels != NULL ? AKIN_OK : AKIN_FAILED));
    for (size_t i = 0; i < count; i++) {
        rows[i] = items[i].row;
        labels[i * layers] =
            rank * s->progress.subs + akin_ring_checkpoint_part(count, s->progress.subs, i);
        for (size_t l = 1; l < layers; l++)
            labels[i * layers + l] = items[i].label[s->first_label + (int)l - 1];
    }
    akin_ncfile_put(file, "row", first, count, rows);
    akin_ncfile_put(file, "label", first, count, labels);
done:
    akin_mem_free(rows);
    akin_mem_free(labels);
    return status;
}

static void put_progress(akin_comm *comm, akin_ncfile *file, const akin_ring_checkpoint_state *s) {
    bool mine = akin_comm_rank(comm) == 0;
    int64_t count = (int64_t)s->counts[akin_comm_rank(comm)];
    int32_t progress[AKIN_ROW_BLOCK_LAYERS + 1][AKIN_RING_CHECKPOINT_PROGRESS];
    double share[AKIN_ROW_BLOCK_LAYERS + 1], before[AKIN_ROW_BLOCK_LAYERS + 1];
    for (int l = 0; l <= s->layers; l++) {
        const akin_ring_progress *p = l == 0 ? &s->progress : &s->before[l - 1];
        const int32_t numbers[AKIN_RING_CHECKPOINT_PROGRESS] = {p->size, p->subs, p->step,
                                                                p->slice};
        memcpy(progress[l], numbers, sizeof numbers);
        share[l] = p->share, before[l] = p->before;
    }
    akin_ncfile_put(file, "count", (size_t)akin_comm_rank(comm), 1, &count);
    akin_ncfile_put(file, "progress", 0, mine ? (size_t)s->layers + 1 : 0, progress);
    akin_ncfile_put(file, "share", 0, mine ? (size_t)s->layers + 1 : 0, share);
    akin_ncfile_put(file, "before", 0, mine ? (size_t)s->layers + 1 : 0, before);
}

akin_status akin_ring_checkpoint_write(akin_comm *comm, const char *path,
                                       const akin_ring_checkpoint_origin *origin,
                                       const akin_ring_checkpoint_state *s) {
    akin_status status;
    akin_ncfile *file = NULL;
    extent e = extent_of(comm, s);
    if (e.places == 0) return AKIN_OK; /* no rows were distributed: nothing to save */
    AKIN_TRY(akin_ncfile_create(comm, path, "checkpoint", &file));
    const akin_ring_checkpoint_shape shape = {e.places, (size_t)s->progress.size,
                                              (size_t)s->layers + 1};
    akin_ring_checkpoint_table table[AKIN_ROW_BLOCK_TABLES] = {{0}};
    int tables = akin_row_block_tables(s->own);
    for (int t = 0; t < tables; t++) table[t].k = akin_row_block_k(akin_row_block_table(s->own, t));
    akin_ring_checkpoint_define(file, origin, &shape, table, tables);
    AKIN_TRY(akin_ncfile_begin(file));
    AKIN_TRY(put_rows(comm, file, s, e.own_first));
    for (int t = 0; t < akin_row_block_tables(s->own); t++)
        AKIN_TRY(put_table(comm, file, s, &e, t));
    put_progress(comm, file, s);
    return akin_ncfile_commit(file, NULL);
done:
    akin_ncfile_discard(file);
    return status;
}

/* --- reading --- */

typedef struct {
    akin_comm *comm;
    const akin_ncfile *file;
    const akin_ring_checkpoint_table *table; /* [tables] */
    int tables;
    size_t n, places, ranks, layers;
    size_t first, count; /* range of places that this rank reads */
    unsigned char *records;
    size_t record_size, lists_at;
} reader;

/* A record: the row and its position, the labels, then for each table the score that its list
 * required and the merged list. */
typedef struct {
    int64_t row, place;
} record_head;

static void take_shape(reader *r, const akin_ring_checkpoint_shape *shape) {
    int size = akin_comm_size(r->comm), rank = akin_comm_rank(r->comm);
    r->places = shape->places, r->ranks = shape->ranks, r->layers = shape->layers;
    r->first = akin_shard_first(r->places, size, rank);
    r->count = akin_shard_count(r->places, size, rank);
    r->record_size = r->lists_at =
        sizeof(record_head) +
        (r->layers + 1) / 2 * 2 * sizeof(int32_t); /* rounded up to whole keys */
    for (int t = 0; t < r->tables; t++) r->record_size += (1 + r->table[t].k) * sizeof(uint64_t);
}

static akin_status read_progress(const reader *r, akin_ring_checkpoint *w) {
    akin_status status;
    int32_t progress[AKIN_ROW_BLOCK_LAYERS + 1][AKIN_RING_CHECKPOINT_PROGRESS];
    double share[AKIN_ROW_BLOCK_LAYERS + 1], before[AKIN_ROW_BLOCK_LAYERS + 1];
    int64_t total = 0, *counts = NULL;
    AKIN_TRY(akin_ncfile_get(r->file, "progress", 0, r->layers, progress));
    AKIN_TRY(akin_ncfile_get(r->file, "share", 0, r->layers, share));
    AKIN_TRY(akin_ncfile_get(r->file, "before", 0, r->layers, before));
    for (size_t l = 0; l < r->layers; l++) {
        akin_ring_progress p = {progress[l][0], progress[l][1], progress[l][2],
                                progress[l][3], share[l],       before[l]};
        if (!akin_ring_checkpoint_is_progress(p)) return akin_ring_checkpoint_refuse(r->file);
        *(l == 0 ? &w->progress : &w->before[l - 1]) = p;
    }
    w->layers = (int)r->layers - 1;
    if ((size_t)w->progress.size != r->ranks) return akin_ring_checkpoint_refuse(r->file);
    counts = akin_mem_alloc(r->ranks, sizeof *counts);
    w->counts = akin_mem_alloc(r->ranks, sizeof *w->counts);
    if (counts == NULL || w->counts == NULL) AKIN_TRY(AKIN_FAILED);
    AKIN_TRY(akin_ncfile_get(r->file, "count", 0, r->ranks, counts));
    for (size_t i = 0; i < r->ranks && status == AKIN_OK; i++) {
        if (counts[i] < 0 || counts[i] > (int64_t)r->places - total)
            status = akin_ring_checkpoint_refuse(r->file);
        total += counts[i], w->counts[i] = (size_t)counts[i];
    }
    if (status == AKIN_OK && total != (int64_t)r->places)
        status = akin_ring_checkpoint_refuse(r->file);
done:
    akin_mem_free(counts);
    return status;
}

typedef struct {
    int32_t row;
    size_t at;
} by_row;

static int ascending(const void *x, const void *y) {
    const by_row *a = x, *b = y;
    return a->row < b->row ? -1 : a->row > b->row;
}

/* Whether this is a valid entry of a row's list: none, or another existing row with a possible
 * score. */
static bool is_key(const reader *r, int32_t of, uint64_t key, bool offsets) {
    int32_t row = akin_topk_row(key);
    float score = akin_topk_score(key);
    return key == 0 || (row >= 0 && (size_t)row < r->n && row != of &&
                        (offsets ? isfinite(score) : fabsf(score) < 1.01f));
}

/* Best first; empty entries come last. */
static bool is_list(const reader *r, const akin_ring_checkpoint_table *table, int32_t of,
                    const uint64_t *keys) {
    bool good = true;
    for (size_t e = 0; e < table->k; e++) {
        good = good && is_key(r, of, keys[e], table->offsets);
        good = good && (e == 0 || keys[e] == 0 || keys[e] <= keys[e - 1]);
    }
    return good;
}

static bool are_labels(const reader *r, const akin_ring_checkpoint *w, const int32_t *labels) {
    bool good = true;
    for (size_t l = 0; l < r->layers; l++) {
        const akin_ring_progress *p = l == 0 ? &w->progress : &w->before[l - 1];
        good = good && labels[l] >= 0 && labels[l] < p->size * p->subs;
    }
    return good;
}

/* Copies the lists of this rank's places into the records. */
static akin_status pack_table(reader *r, int table, const by_row *order, size_t at_byte) {
    akin_status status = AKIN_FAILED;
    akin_ring_checkpoint_names f;
    size_t k = r->table[table].k;
    uint64_t *own = akin_mem_alloc(r->count, k * sizeof *own),
             *held = akin_mem_alloc(r->count, k * sizeof *held),
             *bars = akin_mem_alloc(r->count, sizeof *bars);
    akin_ring_checkpoint_name(&f, table);
    if (!own || !held || !bars) goto done;
    AKIN_TRY(akin_ncfile_get(r->file, f.own, r->first, r->count, own));
    AKIN_TRY(akin_ncfile_get(r->file, f.held, r->first, r->count, held));
    AKIN_TRY(akin_ncfile_get(r->file, f.bar, r->first, r->count, bars));
    for (size_t i = 0; i < r->count; i++) {
        size_t at = order[i].at;
        uint64_t *to = (uint64_t *)(void *)(r->records + i * r->record_size + at_byte);
        if (!is_list(r, &r->table[table], order[i].row, own + at * k) ||
            !is_list(r, &r->table[table], order[i].row, held + at * k))
            AKIN_TRY(akin_ring_checkpoint_refuse(r->file));
        to[0] = bars[at];
        akin_topk_limits_merge(r->table[table].limits, own + at * k, held + at * k, k, to + 1);
    }
    status = AKIN_OK;
done:
    akin_mem_free(own);
    akin_mem_free(held);
    akin_mem_free(bars);
    return status;
}

/* This rank's places as records, in the order of rows and therefore of the shards that they are
 * sent to. */
static akin_status pack(reader *r, const akin_ring_checkpoint *w, size_t *send) {
    akin_status status = AKIN_FAILED;
    int32_t *rows = akin_mem_alloc(r->count, sizeof *rows);
    int32_t *labels = akin_mem_alloc(r->count, r->layers * sizeof *labels);
    by_row *order = akin_mem_alloc(r->count, sizeof *order);
    r->records = akin_mem_zalloc(r->count, r->record_size);
    if (!rows || !labels || !order || !r->records) goto done;
    AKIN_TRY(akin_ncfile_get(r->file, "row", r->first, r->count, rows));
    AKIN_TRY(akin_ncfile_get(r->file, "label", r->first, r->count, labels));
    for (size_t i = 0; i < r->count; i++) {
        order[i] = (by_row){rows[i], i};
        bool good = rows[i] >= 0 && (size_t)rows[i] < r->n;
        if (!good || !are_labels(r, w, labels + i * r->layers))
            AKIN_TRY(akin_ring_checkpoint_refuse(r->file));
    }
    qsort(order, r->count, sizeof *order, ascending);
    for (size_t i = 0; i < r->count; i++) {
        unsigned char *record = r->records + i * r->record_size;
        const record_head head = {order[i].row, (int64_t)(r->first + order[i].at)};
        memcpy(record, &head, sizeof head);
        memcpy(record + sizeof head, labels + order[i].at * r->layers, r->layers * sizeof *labels);
        send[akin_shard_owner(r->n, akin_comm_size(r->comm), (size_t)order[i].row)]++;
    }
    status = AKIN_OK;
    for (size_t t = 0, at = r->lists_at; t < (size_t)r->tables; t++) {
        AKIN_TRY(pack_table(r, (int)t, order, at));
        at += (1 + r->table[t].k) * sizeof(uint64_t);
    }
done:
    akin_mem_free(rows);
    akin_mem_free(labels);
    akin_mem_free(order);
    return status;
}

static akin_status make_arrays(const reader *r, akin_ring_checkpoint *w, size_t count) {
    w->place = akin_mem_alloc(count, sizeof *w->place);
    w->label = akin_mem_alloc(count, r->layers * sizeof *w->label);
    if (!w->place || !w->label) return AKIN_FAILED;
    for (int t = 0; t < r->tables; t++) {
        w->lists[t] = akin_mem_zalloc(count, r->table[t].k * sizeof **w->lists);
        w->bars[t] = akin_mem_zalloc(count, sizeof **w->bars);
        if (!w->lists[t] || !w->bars[t]) return AKIN_FAILED;
    }
    for (size_t i = 0; i < count; i++) w->place[i] = -1;
    for (size_t i = 0; i < count * r->layers; i++) w->label[i] = -1;
    return AKIN_OK;
}

/* AKIN_INPUT: two places have the same row. */
static akin_status unpack(const reader *r, akin_ring_checkpoint *w, const unsigned char *records,
                          size_t received, size_t first) {
    for (size_t i = 0; i < received; i++) {
        const unsigned char *record = records + i * r->record_size, *from = record + r->lists_at;
        record_head head;
        memcpy(&head, record, sizeof head);
        size_t at = (size_t)head.row - first;
        if (w->place[at] >= 0) return akin_ring_checkpoint_refuse(r->file);
        w->place[at] = head.place;
        memcpy(w->label + at * r->layers, record + sizeof head, r->layers * sizeof *w->label);
        for (int t = 0; t < r->tables; t++) {
            size_t k = r->table[t].k;
            memcpy(w->bars[t] + at, from, sizeof **w->bars);
            memcpy(w->lists[t] + at * k, from + sizeof **w->bars, k * sizeof **w->lists);
            from += (1 + k) * sizeof **w->lists;
        }
    }
    return AKIN_OK;
}

static akin_status read_file(reader *r, const akin_ring_checkpoint_origin *origin,
                             akin_ring_checkpoint *w) {
    akin_status status;
    unsigned char *received = NULL;
    size_t records = 0, *send = akin_mem_zalloc((size_t)akin_comm_size(r->comm), sizeof *send);
    int size = akin_comm_size(r->comm), rank = akin_comm_rank(r->comm);
    akin_ring_checkpoint_shape shape;
    akin_status local = send != NULL ? akin_ring_checkpoint_check(r->file, origin, r->n, r->table,
                                                                  r->tables, &shape)
                                     : AKIN_FAILED;
    if (local == AKIN_OK) take_shape(r, &shape);
    if (local == AKIN_OK) local = read_progress(r, w);
    if (local == AKIN_OK) local = pack(r, w, send);
    if (local == AKIN_OK) local = make_arrays(r, w, akin_shard_count(r->n, size, rank));
    AKIN_TRY(akin_agree(r->comm, local));
    AKIN_TRY(akin_comm_exchange(r->comm, r->records, send, r->record_size, (void **)&received,
                                &records));
    local = unpack(r, w, received, records, akin_shard_first(r->n, size, rank));
    AKIN_TRY(akin_agree(r->comm, local));
done:
    akin_mem_free(send);
    akin_mem_free(received);
    return status;
}

akin_status akin_ring_checkpoint_read(akin_comm *comm, const char *path,
                                      const akin_ring_checkpoint_origin *origin, size_t n,
                                      const akin_ring_checkpoint_table *table, int tables,
                                      akin_ring_checkpoint **out) {
    akin_status status;
    akin_ncfile *file = NULL;
    reader r = {.comm = comm, .n = n, .table = table, .tables = tables};
    *out = NULL;
    akin_ring_checkpoint *w = akin_mem_zalloc(1, sizeof *w);
    AKIN_TRY(akin_agree(comm, w != NULL ? AKIN_OK : AKIN_FAILED));
    AKIN_TRY(akin_ncfile_open(comm, path, "checkpoint", &file));
    r.file = file;
    AKIN_TRY(read_file(&r, origin, w));
    *out = w, w = NULL;
done:
    akin_ncfile_close(file);
    akin_mem_free(r.records);
    akin_ring_checkpoint_free(w);
    return status;
}

void akin_ring_checkpoint_free(akin_ring_checkpoint *w) {
    if (w == NULL) return;
    akin_mem_free(w->counts);
    akin_mem_free(w->place);
    akin_mem_free(w->label);
    for (int t = 0; t < AKIN_ROW_BLOCK_TABLES; t++) {
        akin_mem_free(w->lists[t]);
        akin_mem_free(w->bars[t]);
    }
    akin_mem_free(w);
}
