/* partition: distributes rows to ranks. */
#include "partition.h"
#include "cluster.h"
#include "radix.h"
#include <akin/dot.h>
#include <akin/mem.h>
#include <akin/shard.h>
#include <akin/topk.h>
#include <math.h>
#include <string.h>

enum { MOST = AKIN_ROW_BLOCK_TABLES };

/* What is received for each table, in the same order. */
typedef struct {
    akin_row_block_item *items;
    uint64_t *lists, *bars;
} received_table;

typedef struct {
    akin_comm *comm;
    const akin_vectors *vectors;
    const akin_allpairs_table *table; /* [tables] */
    int tables, sent;                 /* sent: the table whose records are sent */
    struct {
        int table, which; /* of the rules' orders */
    } by[AKIN_ROW_RULES_ORDERS];
    int orders;                /* of `by`: the kinds that order the rows */
    size_t size, stride, used; /* used: rows of this shard that are distributed */
    akin_radix_record *order;  /* [used]: at: of the shard */
    int *owner;                /* [used]: the rank each goes to */
    size_t *send;              /* [size] */
    size_t *offsets;           /* [size + 1]: of the blocks in all places */
    received_table came[MOST];
    const float *rows; /* those received, or this rank's own where they stay as they are */
    float *came_rows;  /* owned */
    size_t received;
    size_t *counts; /* [size] */
} dealer;

/* An item as each table has it. */
typedef struct {
    akin_row_block_item of[MOST]; /* [tables] */
} views;

/* What the rules divide rows by: the labels in each table, then category and availability, then
 * kind. */
static int fields_of(const dealer *d) {
    int fields = 1 + d->orders;
    for (int t = 0; t < d->tables; t++) fields += d->table[t].rules->layers;
    return fields;
}

/* Whether one table at least keeps categories apart: it finds each together. */
static bool any_same_category(const dealer *d) {
    for (int t = 0; t < d->tables; t++)
        if (d->table[t].rules->same_category) return true;
    return false;
}

static bool all_same_category(const dealer *d) {
    for (int t = 0; t < d->tables; t++)
        if (!d->table[t].rules->same_category) return false;
    return true;
}

/* Whether the item is nobody's neighbour, in any table. */
static bool is_nobodys(const dealer *d, const views *item) {
    for (int t = 0; t < d->tables; t++)
        if (!d->table[t].rules->only_available || item->of[t].available) return false;
    return true;
}

static uint32_t field_of(const dealer *d, const views *item, int field) {
    for (int t = 0; t < d->tables; field -= d->table[t++].rules->layers)
        if (field < d->table[t].rules->layers) return (uint32_t)item->of[t].label[field] + 1;
    if (field > 0) {
        int table = d->by[field - 1].table;
        return akin_row_rules_kind(d->table[table].rules->more, d->by[field - 1].which,
                                   &item->of[table].values);
    }
    uint32_t category = any_same_category(d) ? (uint32_t)item->of[0].category + 1 : 0;
    return category * 2 + is_nobodys(d, item);
}

static bool same_kind(const dealer *d, const views *a, const views *b) {
    for (int field = 0; field < fields_of(d); field++)
        if (field_of(d, a, field) != field_of(d, b, field)) return false;
    return true;
}

static akin_row_block_item item_of(const dealer *d, int table, size_t i) {
    akin_labels *labels = akin_vectors_labels(d->vectors);
    const akin_allpairs_table *t = &d->table[table];
    akin_row_block_item item = {.row = (int32_t)(akin_vectors_first(d->vectors) + i),
                                .category = akin_labels_category(labels)[i],
                                .group = akin_labels_group(labels)[i],
                                .available = akin_labels_available(labels)[i] != 0};
    for (int l = 0; l < t->rules->layers; l++) item.label[l] = t->prior->label[l][i];
    akin_row_rules_complete(t->rules->more, i, &item.values, &item.available);
    return item;
}

static views views_of(const dealer *d, size_t i) {
    views item;
    for (int t = 0; t < d->tables; t++) item.of[t] = item_of(d, t, i);
    return item;
}

/* The first table's says where rows were. */
static const akin_partition_prior *prior_of(const dealer *d) {
    return d->table[0].prior;
}

static bool placed(const dealer *d) {
    return prior_of(d) != NULL && prior_of(d)->place != NULL;
}

/* Whether a row takes part: not if nobody may be its neighbour, nor if it did not take part
 * before. */
static bool is_dealt(const dealer *d, const views *item, size_t i) {
    if (!akin_vectors_usable(d->vectors, i)) return false;
    bool wanted = false;
    for (int t = 0; t < d->tables; t++) {
        const akin_row_block_rules *rules = d->table[t].rules;
        wanted = wanted || (!(rules->same_category && item->of[t].category < 0) &&
                            (placed(d) || rules->layers == 0 || item->of[t].label[0] >= 0));
    }
    return wanted && (!placed(d) || prior_of(d)->place[i] >= 0);
}

/* This rank's rows in the order of distribution: by kind, then by row; or by previous place. One rank alone
 * has nothing to distribute. */
static akin_status order_shard(dealer *d) {
    size_t count = akin_vectors_count(d->vectors);
    akin_radix_record *scratch = akin_mem_alloc(count, sizeof *scratch);
    if (scratch == NULL) return AKIN_FAILED;
    for (size_t i = 0; i < count; i++) {
        const views item = views_of(d, i);
        if (is_dealt(d, &item, i)) d->order[d->used++].at = (uint32_t)i;
    }
    const int fields = placed(d) ? 1 : d->size > 1 ? fields_of(d) : 0;
    for (int field = fields - 1; field >= 0; field--) {
        for (size_t p = 0; p < d->used; p++) {
            size_t at = d->order[p].at;
            const views item = views_of(d, at);
            d->order[p].key =
                placed(d) ? (uint32_t)prior_of(d)->place[at] : field_of(d, &item, field);
        }
        akin_radix_sort(d->order, d->used, scratch);
    }
    akin_mem_free(scratch);
    return AKIN_OK;
}

/* Position p of the order goes to rank (p + rank) % size, so that remainders do not fall on the
 * same ranks; or to the rank whose block has the row's previous place. */
static void find_owners(dealer *d) {
    size_t rank = (size_t)akin_comm_rank(d->comm);
    for (size_t p = 0, to = 0; p < d->used; p++) {
        if (placed(d))
            while (d->order[p].key >= d->offsets[to + 1]) to++;
        else
            to = (p + rank) % d->size;
        d->owner[p] = (int)to;
        d->send[to]++;
    }
}

static akin_status prepare(dealer *d) {
    size_t count = akin_vectors_count(d->vectors);
    d->order = akin_mem_alloc(count, sizeof *d->order);
    d->owner = akin_mem_alloc(count, sizeof *d->owner);
    d->send = akin_mem_zalloc(d->size, sizeof *d->send);
    d->offsets = akin_mem_zalloc(d->size + 1, sizeof *d->offsets);
    if (!d->order || !d->owner || !d->send || !d->offsets) return AKIN_FAILED;
    for (size_t r = 0; r < d->size && placed(d); r++)
        d->offsets[r + 1] = d->offsets[r] + prior_of(d)->counts[r];
    if (order_shard(d) != AKIN_OK) return AKIN_FAILED;
    find_owners(d);
    return AKIN_OK;
}

/* The record of row `at` of the shard. */
typedef void filler(const dealer *d, size_t at, void *record);

static void fill_item(const dealer *d, size_t at, void *record) {
    akin_row_block_item item = item_of(d, d->sent, at);
    memcpy(record, &item, sizeof item);
}

static void fill_row(const dealer *d, size_t at, void *record) {
    size_t dim = akin_vectors_dim(d->vectors);
    memcpy(record, akin_vectors_row(d->vectors, at), dim * sizeof(float));
    memset((float *)record + dim, 0, (d->stride - dim) * sizeof(float));
}

static void fill_list(const dealer *d, size_t at, void *record) {
    const akin_allpairs_table *t = &d->table[d->sent];
    memcpy(record, t->prior->lists + at * t->k, t->k * sizeof(uint64_t));
}

static void fill_bar(const dealer *d, size_t at, void *record) {
    memcpy(record, d->table[d->sent].prior->bars + at, sizeof(uint64_t));
}

/* Writes the records for one rank, in their order. */
static unsigned char *fill_records(const dealer *d, filler *fill, size_t record_size, int rank,
                                   unsigned char *to) {
    for (size_t p = 0; p < d->used; p++)
        if (d->owner[p] == rank) fill(d, d->order[p].at, to), to += record_size;
    return to;
}

/* Sends one kind of record for every row to its rank, and receives those of the others. */
static akin_status exchange(dealer *d, filler *fill, size_t record_size, void **received) {
    akin_status status;
    const int own = akin_comm_rank(d->comm);
    void *room = NULL;
    unsigned char *records = akin_mem_alloc(d->used - d->send[own], record_size), *end = records;
    AKIN_TRY(akin_agree(d->comm, records != NULL ? AKIN_OK : AKIN_FAILED));
    for (int r = 0; r < (int)d->size; r++)
        if (r != own) end = fill_records(d, fill, record_size, r, end);
    AKIN_TRY(akin_comm_exchange_others(d->comm, records, d->send, record_size, received,
                                       &d->received, &room));
    fill_records(d, fill, record_size, own, room);
done:
    akin_mem_free(records);
    return status;
}

/* Whether the rows that are received would be those of this rank's shard once more, in its order. */
static bool stay(const dealer *d) {
    return d->size == 1 && !placed(d) && d->stride == akin_vectors_dim(d->vectors) &&
           d->used == akin_vectors_count(d->vectors);
}

/* Collective; agreed. */
static akin_status exchange_rows(dealer *d) {
    akin_status status = AKIN_OK;
    if (stay(d)) {
        d->rows = akin_vectors_row(d->vectors, 0);
        return AKIN_OK;
    }
    AKIN_TRY(exchange(d, fill_row, d->stride * sizeof *d->came_rows, (void **)&d->came_rows));
    d->rows = d->came_rows;
done:
    return status;
}

/* --- this rank's block --- */

static views item_at(const dealer *d, const akin_radix_record *places, size_t p) {
    views item;
    for (int t = 0; t < d->tables; t++) item.of[t] = d->came[t].items[places[p].at];
    return item;
}

/* Whether rows with these labels never meet each other: then ordering them by similarity does
 * not pay. */
static bool done_among(const dealer *d, const views *item) {
    for (int t = 0; t < d->tables; t++) {
        const akin_row_block_rules *rules = d->table[t].rules;
        const int32_t *label = item->of[t].label;
        bool done = false;
        for (int l = 0; l < rules->layers; l++)
            done = done || rules->layer[l].done[label[l] * rules->layer[l].labels + label[l]];
        if (!done) return false;
    }
    return true;
}

/* The end of the rows of one kind, starting at `first`. */
static size_t end_of_run(const dealer *d, const akin_radix_record *places, size_t first) {
    const views one = item_at(d, places, first);
    for (size_t end = first + 1; end < d->received; end++) {
        const views other = item_at(d, places, end);
        if (!same_kind(d, &one, &other)) return end;
    }
    return d->received;
}

/* If only rows of one category meet, a rank may be given one half of its block (ring.h), and the
 * halves should have the same work, the sum over their rows of their category's size. The
 * categories can start at any one as long as their cyclic order is kept: rotated by half a block
 * the halves are exchanged, so some rotation in between makes them about even. Returns the first
 * row of that category. */
static size_t even_start(const dealer *d, const akin_radix_record *places) {
    size_t best = 0, n = d->received;
    double least = INFINITY, *work = akin_mem_alloc(2 * n + 1, sizeof *work);
    if (work == NULL) return 0; /* slower, not wrong */
    work[0] = 0;
    for (size_t first = 0, end; first < n; first = end) {
        end = end_of_run(d, places, first);
        for (size_t i = first; i < end; i++) work[i + 1] = work[i] + (double)(end - first);
    }
    for (size_t i = 0; i < n; i++) work[n + i + 1] = work[n] + work[i + 1];
    for (size_t first = 0; first < n; first = end_of_run(d, places, first)) {
        double half = work[first + n / 2] - work[first], uneven = fabs(2 * half - work[n]);
        if (uneven < least) least = uneven, best = first;
    }
    akin_mem_free(work);
    return best;
}

/* Received rows by kind, then by row: already in order, since the shards of the ranks are in the
 * order of rows. */
static void sort_received(const dealer *d, akin_radix_record *places, akin_radix_record *scratch) {
    for (size_t i = 0; i < d->received; i++) places[i].at = (uint32_t)i;
    for (int field = fields_of(d) - 1; field >= 0; field--) {
        for (size_t p = 0; p < d->received; p++) {
            const views item = item_at(d, places, p);
            places[p].key = field_of(d, &item, field);
        }
        akin_radix_sort(places, d->received, scratch);
    }
}

/* The order of the received rows: which record is at each position of the block. */
static akin_status order_block(const dealer *d, uint32_t *order) {
    akin_status status = AKIN_FAILED;
    akin_radix_record *places = akin_mem_alloc(d->received, sizeof *places);
    akin_radix_record *scratch = akin_mem_alloc(d->received, sizeof *scratch);
    if (places == NULL || scratch == NULL) goto done;
    sort_received(d, places, scratch);
    size_t start =
        all_same_category(d) && d->table[0].rules->layers == 0 ? even_start(d, places) : 0;
    for (size_t first = 0, end; first < d->received; first = end) {
        uint32_t *run = order + (first >= start ? first - start : first + d->received - start);
        end = end_of_run(d, places, first);
        for (size_t i = first; i < end; i++) run[i - first] = places[i].at;
        const views one = item_at(d, places, first);
        if (!done_among(d, &one))
            AKIN_TRY(akin_cluster_order(d->rows, d->stride, run, end - first));
    }
    status = AKIN_OK;
done:
    akin_mem_free(places);
    akin_mem_free(scratch);
    return status;
}

/* In their previous order: records arrive from the ranks in the order of their shards, each
 * rank's by place. */
static akin_status order_as_before(const dealer *d, const int64_t *places, uint32_t *order) {
    int64_t first = (int64_t)d->offsets[akin_comm_rank(d->comm)];
    for (size_t i = 0; i < d->received; i++) order[places[i] - first] = (uint32_t)i;
    return AKIN_OK;
}

static void fill_place(const dealer *d, size_t at, void *record) {
    memcpy(record, &prior_of(d)->place[at], sizeof(int64_t));
}

/* The lists that were known, of one table. */
static void fill_lists(const dealer *d, const uint32_t *order, int table, akin_row_block *block) {
    const received_table *came = &d->came[table];
    size_t k = d->table[table].k;
    for (size_t i = 0; came->lists != NULL && i < d->received; i++) {
        const uint64_t *keys = came->lists + order[i] * k;
        uint64_t *list = akin_row_block_list(block, i);
        for (size_t e = 0; e < k && keys[e] != 0; e++) akin_topk_push(list, k, keys[e]);
        if (came->bars != NULL) akin_topk_raise(list, came->bars[order[i]]);
    }
}

static void fill_block(const dealer *d, const uint32_t *order, akin_row_block *own) {
    akin_row_block_begin(own, d->received);
    for (int t = 0; t < d->tables; t++) {
        akin_row_block *block = akin_row_block_table(own, t);
        for (size_t i = 0; i < d->received; i++)
            akin_row_block_set(block, i, d->came[t].items[order[i]],
                               d->rows + order[i] * d->stride);
        fill_lists(d, order, t, block);
    }
}

static akin_status make_block(dealer *d, int64_t *places, akin_row_block **own) {
    akin_status status = AKIN_FAILED;
    uint32_t *order = akin_mem_alloc(d->received, sizeof *order);
    if (order == NULL) goto done;
    AKIN_TRY(places != NULL ? order_as_before(d, places, order) : order_block(d, order));
    AKIN_TRY(akin_row_block_create(d->received, akin_vectors_dim(d->vectors), d->table[0].k,
                                   AKIN_ROW_BLOCK_BOTH, own));
    for (int t = 1; t < d->tables; t++) AKIN_TRY(akin_row_block_add_table(*own, d->table[t].k));
    fill_block(d, order, *own);
done:
    akin_mem_free(order);
    return status;
}

static int attribute_of(const akin_row_rules *rules, int which) {
    return rules->attribute[rules->rule[rules->order[which]].slot];
}

/* Puts a table's order where its share of the pairs places it, unless it is by an attribute that an
 * order before it is by. */
static void add_order(dealer *d, int table, int which) {
    const akin_row_rules *rules = d->table[table].rules->more;
    int at = 0;
    for (; at < d->orders; at++) {
        const akin_row_rules *other = d->table[d->by[at].table].rules->more;
        if (rules->share[which] < other->share[d->by[at].which]) break;
        if (attribute_of(rules, which) == attribute_of(other, d->by[at].which)) return;
    }
    int end = d->orders < AKIN_ROW_RULES_ORDERS ? d->orders++ : AKIN_ROW_RULES_ORDERS - 1;
    for (; end > at; end--) d->by[end] = d->by[end - 1];
    if (at < AKIN_ROW_RULES_ORDERS) d->by[at].table = table, d->by[at].which = which;
}

/* The rules of all tables that the fewest pairs pass: rows that can meet stand together. */
static void choose_orders(dealer *d) {
    for (int t = 0; t < d->tables; t++) {
        const akin_row_rules *rules = d->table[t].rules->more;
        for (int o = 0; rules != NULL && o < rules->orders; o++) add_order(d, t, o);
    }
}

/* Items and lists of each table. Collective; agreed. */
static akin_status exchange_tables(dealer *d) {
    akin_status status = AKIN_OK;
    for (d->sent = 0; d->sent < d->tables; d->sent++) {
        received_table *came = &d->came[d->sent];
        const akin_partition_prior *prior = d->table[d->sent].prior;
        AKIN_TRY(exchange(d, fill_item, sizeof *came->items, (void **)&came->items));
        if (prior != NULL && prior->lists != NULL)
            AKIN_TRY(exchange(d, fill_list, d->table[d->sent].k * sizeof *came->lists,
                              (void **)&came->lists));
        if (prior != NULL && prior->bars != NULL)
            AKIN_TRY(exchange(d, fill_bar, sizeof *came->bars, (void **)&came->bars));
    }
done:
    return status;
}

static void free_dealer(dealer *d) {
    for (int t = 0; t < MOST; t++) {
        akin_mem_free(d->came[t].items);
        akin_mem_free(d->came[t].lists);
        akin_mem_free(d->came[t].bars);
    }
    akin_mem_free(d->order);
    akin_mem_free(d->owner);
    akin_mem_free(d->send);
    akin_mem_free(d->offsets);
    akin_mem_free(d->came_rows);
}

akin_status akin_partition_out(akin_comm *comm, const akin_vectors *vectors,
                               const akin_allpairs_table *table, int tables, akin_row_block **own,
                               size_t **counts) {
    akin_status status;
    int64_t *places = NULL;
    dealer d = {.comm = comm,
                .vectors = vectors,
                .table = table,
                .tables = tables,
                .size = (size_t)akin_comm_size(comm),
                .stride = akin_dot_stride(akin_vectors_dim(vectors))};
    *own = NULL, *counts = NULL;
    choose_orders(&d);
    AKIN_TRY(akin_agree(comm, prepare(&d)));
    AKIN_TRY(exchange_tables(&d));
    AKIN_TRY(exchange_rows(&d));
    if (placed(&d)) AKIN_TRY(exchange(&d, fill_place, sizeof *places, (void **)&places));
    AKIN_TRY(akin_agree(comm, make_block(&d, places, own)));
    AKIN_TRY(akin_comm_gather(comm, &d.received, sizeof d.received, -1, (void **)counts, NULL));
done:
    free_dealer(&d);
    akin_mem_free(places);
    return status;
}
