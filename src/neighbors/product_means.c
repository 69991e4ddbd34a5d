/* product_means: compares products as rows, by the mean of their pictures' cosines. */
#include "product_means.h"
#include "remote_rows.h"
#include <akin/mem.h>
#include <akin/shard.h>
#include <math.h>
#include <string.h>

enum { AT_ONCE_MIB = 32 };
#define WHOLE 0x1p-22 /* largest deviation of a squared length from 1 that rounding can cause */

typedef struct {
    akin_comm *comm;
    const akin_vectors *vectors;
    const akin_products *products;
    bool twins;               /* each product is a source and a target */
    bool alone;               /* each product is a group of its own */
    size_t rows, sources;     /* there will be, and sources among them */
    size_t dim, first, count; /* this rank's shard of the products */
    double *sums;             /* [count, dim] */
    int64_t *pictures;        /* [count]: number of usable pictures */
} means;

/* --- sums, on the ranks that own the products --- */

static int owner_of(const means *m, size_t item) {
    size_t product = (size_t)m->products->of_item[akin_vectors_first(m->vectors) + item];
    return akin_shard_owner(m->products->count, akin_comm_size(m->comm), product);
}

/* The usable rows with the numbers of their products, in the order of the ranks that own these. */
static akin_status pack(const means *m, size_t record, char **out, size_t *counts) {
    int size = akin_comm_size(m->comm);
    size_t n = akin_vectors_count(m->vectors), *at = akin_mem_zalloc((size_t)size, sizeof *at);
    *out = akin_mem_alloc(n, record);
    if (!at || !*out) {
        akin_mem_free(at);
        return AKIN_FAILED;
    }
    for (int r = 0; r < size; r++) counts[r] = 0;
    for (size_t i = 0; i < n; i++) counts[owner_of(m, i)] += akin_vectors_usable(m->vectors, i);
    for (int r = 1; r < size; r++) at[r] = at[r - 1] + counts[r - 1];
    for (size_t i = 0; i < n; i++) {
        if (!akin_vectors_usable(m->vectors, i)) continue;
        char *to = *out + at[owner_of(m, i)]++ * record;
        memcpy(to, &m->products->of_item[akin_vectors_first(m->vectors) + i], sizeof(int32_t));
        memcpy(to + sizeof(int32_t), akin_vectors_row(m->vectors, i), m->dim * sizeof(float));
    }
    akin_mem_free(at);
    return AKIN_OK;
}

static void add(means *m, size_t record, const char *records, size_t count) {
    for (size_t r = 0; r < count; r++, records += record) { /* in the order of the items */
        int32_t product;
        memcpy(&product, records, sizeof product);
        const float *row = (const void *)(records + sizeof product);
        double *sum = m->sums + ((size_t)product - m->first) * m->dim;
        for (size_t t = 0; t < m->dim; t++) sum[t] += row[t];
        m->pictures[(size_t)product - m->first]++;
    }
}

/* Collective; agreed. */
static akin_status sum_rows(means *m) {
    akin_status status;
    size_t record = sizeof(int32_t) + m->dim * sizeof(float), came = 0;
    char *mine = NULL, *all = NULL;
    size_t *counts = akin_mem_alloc((size_t)akin_comm_size(m->comm), sizeof *counts);
    m->sums = akin_mem_zalloc(m->count, m->dim * sizeof *m->sums);
    m->pictures = akin_mem_zalloc(m->count, sizeof *m->pictures);
    akin_status local = counts && m->sums && m->pictures ? AKIN_OK : AKIN_FAILED;
    if (local == AKIN_OK) local = pack(m, record, &mine, counts);
    AKIN_TRY(akin_agree(m->comm, local));
    AKIN_TRY(akin_comm_exchange(m->comm, mine, counts, record, (void **)&all, &came));
    add(m, record, all, came);
done:
    akin_mem_free(mine);
    akin_mem_free(all);
    akin_mem_free(counts);
    return status;
}

/* --- rows: one source and one target per product --- */

/* (m, s) of a product of this rank; zeros if it has no usable picture. */
static void make_row(const means *m, size_t p, float *out) {
    double square = 0;
    memset(out, 0, (m->dim + 1) * sizeof *out);
    if (m->pictures[p] == 0) return;
    for (size_t t = 0; t < m->dim; t++) {
        out[t] = (float)(m->sums[p * m->dim + t] / (double)m->pictures[p]);
        square += (double)out[t] * out[t];
    }
    if (1 - square > WHOLE) out[m->dim] = (float)sqrt(1 - square);
}

typedef struct {
    size_t first, end; /* rows of products as sources, followed by those as targets */
} span;

static span span_of(const means *m, int rank) {
    int size = akin_comm_size(m->comm);
    size_t first = akin_shard_first(m->rows, size, rank);
    return (span){first, first + akin_shard_count(m->rows, size, rank)};
}

/* How far behind a product's number its row as a target is. */
static size_t shift_of(const means *m) {
    return m->twins ? m->products->count : 0;
}

/* The products of this rank that have a row in a span, as a source or as a target. */
static span shared(const means *m, span of, bool targets) {
    size_t shift = targets ? shift_of(m) : 0, first = m->first + shift, end = first + m->count;
    const span side = targets ? (span){m->sources, m->rows} : (span){0, m->sources};
    if (of.first < side.first) of.first = side.first;
    if (of.end > side.end) of.end = side.end;
    if (of.first > first) first = of.first;
    if (of.end < end) end = of.end;
    return first < end ? (span){first - shift - m->first, end - shift - m->first} : (span){0, 0};
}

/* The rows that each rank needs, with their numbers. */
static akin_status send_rows(const means *m, size_t record, char **out, size_t *counts) {
    char *to = *out = akin_mem_alloc(2 * m->count, record);
    float *row = akin_mem_alloc(m->dim + 1, sizeof *row);
    if (!*out || !row) {
        akin_mem_free(row);
        return AKIN_FAILED;
    }
    for (int r = 0; r < akin_comm_size(m->comm); r++) {
        counts[r] = 0;
        for (int side = 0; side < 2; side++) {
            span some = shared(m, span_of(m, r), side == 1);
            for (size_t p = some.first; p < some.end; p++, to += record, counts[r]++) {
                int32_t number = (int32_t)(m->first + p + (side ? shift_of(m) : 0));
                make_row(m, p, row);
                memcpy(to, &number, sizeof number);
                memcpy(to + sizeof number, row, (m->dim + 1) * sizeof *row);
            }
        }
    }
    akin_mem_free(row);
    return AKIN_OK;
}

/* This rank's part of all rows, [.., dim + 2]; owned. Collective; agreed. */
static akin_status make_rows(const means *m, float **out) {
    akin_status status;
    const span mine = span_of(m, akin_comm_rank(m->comm));
    size_t record = sizeof(int32_t) + (m->dim + 1) * sizeof(float), came = 0;
    char *sent = NULL, *all = NULL;
    size_t *counts = akin_mem_alloc((size_t)akin_comm_size(m->comm), sizeof *counts);
    *out = akin_mem_zalloc(mine.end - mine.first, (m->dim + 2) * sizeof **out);
    akin_status local = counts && *out ? AKIN_OK : AKIN_FAILED;
    if (local == AKIN_OK) local = send_rows(m, record, &sent, counts);
    AKIN_TRY(akin_agree(m->comm, local));
    AKIN_TRY(akin_comm_exchange(m->comm, sent, counts, record, (void **)&all, &came));
    for (size_t r = 0; r < came; r++) {
        int32_t number;
        const char *from = all + r * record;
        memcpy(&number, from, sizeof number);
        float *row = *out + ((size_t)number - mine.first) * (m->dim + 2);
        memcpy(row, from + sizeof number, m->dim * sizeof *row);
        memcpy(row + m->dim + ((size_t)number >= m->sources ? 1 : 0),
               from + sizeof number + m->dim * sizeof *row, sizeof *row);
    }
done:
    akin_mem_free(sent);
    akin_mem_free(all);
    akin_mem_free(counts);
    return status;
}

/* For this rank's rows. Collective; agreed. */
static akin_status label_rows(const means *m, akin_labels **out) {
    akin_status status;
    const span mine = span_of(m, akin_comm_rank(m->comm));
    size_t n = m->sources, first = mine.first < n ? mine.first : n,
           end = mine.end < n ? mine.end : n, beyond = mine.first > n ? mine.first : n,
           last = mine.end > n ? mine.end : n;
    akin_labels *sources = NULL, *targets = NULL;
    AKIN_TRY(akin_products_label(m->comm, m->vectors, m->products, first, end - first, m->alone,
                                 &sources));
    AKIN_TRY(akin_products_label(m->comm, m->vectors, m->products, beyond - shift_of(m),
                                 last - beyond, m->alone, &targets));
    status =
        akin_agree(m->comm, akin_labels_join(sources, end - first, targets, last - beyond, out));
    if (status != AKIN_OK) { /* perhaps of another rank */
        akin_labels_free(*out);
        *out = NULL;
    }
done:
    akin_labels_free(sources);
    akin_labels_free(targets);
    return status;
}

akin_status akin_product_means_create(akin_comm *comm, const akin_vectors *vectors,
                                      const akin_products *products, bool alone,
                                      akin_vectors **out) {
    akin_status status;
    means m = {
        .comm = comm,
        .vectors = vectors,
        .products = products,
        .alone = alone,
        .dim = akin_vectors_dim(vectors),
        .first = akin_shard_first(products->count, akin_comm_size(comm), akin_comm_rank(comm)),
        .count = akin_shard_count(products->count, akin_comm_size(comm), akin_comm_rank(comm))};
    float *rows = NULL;
    akin_labels *labels = NULL;
    *out = NULL;
    m.twins = products->sources.count == products->count;
    m.rows = products->sources.count + products->targets.count;
    m.sources = products->sources.count;
    AKIN_TRY(sum_rows(&m));
    AKIN_TRY(make_rows(&m, &rows));
    AKIN_TRY(label_rows(&m, &labels));
    const akin_vectors_shape shape = {m.rows, m.sources, m.dim + 2, 2};
    status = akin_vectors_create_of(comm, vectors, shape, rows, labels, out);
done:
    akin_mem_free(rows);
    akin_mem_free(m.sums);
    akin_mem_free(m.pictures);
    return status;
}

/* --- the most similar pictures --- */

typedef struct {
    const akin_products *products;
    size_t k;
    akin_product_lists *lists;
    const int32_t *of_each; /* number of entries per list to process; NULL: all */
    int32_t *first, *items; /* [products + 1], [..]: the usable items of each product, ascending */
    akin_remote_rows *fetch;
    int32_t *wanted;
    size_t wanted_count, room;
} search;

static size_t pictures_of(const search *s, int32_t product) {
    return (size_t)(s->first[product + 1] - s->first[product]);
}

static akin_status begin(akin_comm *comm, const akin_vectors *vectors, search *s) {
    const akin_products *p = s->products;
    size_t longest = 0;
    s->first = akin_mem_zalloc(p->count + 1, sizeof *s->first);
    s->items = akin_mem_alloc(p->items, sizeof *s->items);
    if (!s->of_each) {
        s->lists->picture = akin_mem_alloc(s->lists->count * s->k, sizeof(int32_t));
        s->lists->other = akin_mem_alloc(s->lists->count * s->k, sizeof(int32_t));
    }
    akin_status status = akin_remote_rows_create(comm, vectors, &s->fetch);
    if (status != AKIN_OK || !s->first || !s->items || !s->lists->picture || !s->lists->other)
        return AKIN_FAILED;
    for (size_t i = 0; i < p->items; i++) s->first[p->of_item[i] + 1] += p->usable[i];
    for (size_t q = 0; q < p->count; q++) {
        if ((size_t)s->first[q + 1] > longest) longest = (size_t)s->first[q + 1];
        s->first[q + 1] += s->first[q];
    }
    const int32_t end = s->first[p->count];
    for (size_t i = p->items; i-- > 0;)
        if (p->usable[i]) s->items[--s->first[p->of_item[i] + 1]] = (int32_t)i;
    memmove(s->first, s->first + 1, p->count * sizeof *s->first);
    s->first[p->count] = end;
    s->room = akin_remote_rows_most(s->fetch, AT_ONCE_MIB) + 2 * longest;
    s->wanted = akin_mem_alloc(s->room, sizeof *s->wanted);
    return s->wanted ? AKIN_OK : AKIN_FAILED;
}

static void want(search *s, int32_t product) {
    size_t count = pictures_of(s, product);
    memcpy(s->wanted + s->wanted_count, s->items + s->first[product], count * sizeof *s->wanted);
    s->wanted_count += count;
}

/* Whether the pictures of this entry are wanted. */
static bool is_sought(const search *s, size_t e) {
    return !s->of_each || e % s->k < (size_t)s->of_each[e / s->k];
}

/* The entries from `begin` on that fit into one step; returns their end. */
static size_t gather_wanted(search *s, size_t begin) {
    size_t end = begin;
    s->wanted_count = 0;
    for (; end < s->lists->count * s->k; end++) {
        int32_t own = (int32_t)(s->lists->first + end / s->k), other = s->lists->neighbor[end];
        if (other < 0 || !is_sought(s, end)) continue;
        if (s->wanted_count + pictures_of(s, own) + pictures_of(s, other) > s->room) break;
        if (end % s->k == 0 || s->wanted_count == 0) want(s, own);
        want(s, other);
    }
    return end;
}

static void choose(const search *s, size_t e) {
    int32_t own = (int32_t)(s->lists->first + e / s->k), other = s->lists->neighbor[e];
    float best = -2;
    if (!is_sought(s, e)) return;
    s->lists->picture[e] = s->lists->other[e] = -1;
    for (int32_t a = s->first[own]; other >= 0 && a < s->first[own + 1]; a++)
        for (int32_t b = s->first[other]; b < s->first[other + 1]; b++) {
            float score = akin_remote_rows_score(akin_remote_rows_get(s->fetch, s->items[a]),
                                                 akin_remote_rows_get(s->fetch, s->items[b]),
                                                 akin_remote_rows_stride(s->fetch));
            if (score <= best) continue;
            best = score;
            s->lists->picture[e] = s->items[a], s->lists->other[e] = s->items[b];
        }
    if (s->of_each) s->lists->score[e] = best;
}

akin_status akin_product_means_pictures(akin_comm *comm, const akin_vectors *vectors,
                                        const akin_products *products, size_t k,
                                        const int32_t *first, akin_product_lists *lists) {
    akin_status status;
    search s = {.products = products, .k = k, .lists = lists, .of_each = first};
    AKIN_TRY(akin_agree(comm, begin(comm, vectors, &s)));
    size_t at = 0;
    for (int64_t more = 1; more;) {
        size_t end = gather_wanted(&s, at);
        AKIN_TRY(akin_remote_rows_bring(s.fetch, s.wanted, s.wanted_count));
        for (; at < end; at++) choose(&s, at);
        more = at < lists->count * k;
        akin_comm_max_i64(comm, &more, 1);
    }
done:
    akin_remote_rows_free(s.fetch);
    akin_mem_free(s.first);
    akin_mem_free(s.items);
    akin_mem_free(s.wanted);
    return status;
}
