/* product_order: puts the rows of pictures in the order of their products. */
#include "product_order.h"
#include <akin/mem.h>
#include <akin/shard.h>
#include <string.h>

enum { FIELDS = 4 /* of a record, before the attributes: row, category, group, available */ };
#define AT_ONCE ((size_t)16 << 20) /* bytes that a rank sends at a time */

static bool is_ordered(const akin_products *products) {
    for (size_t i = 1; i < products->items; i++)
        if (products->of_item[i] < products->of_item[i - 1]) return false;
    return true;
}

/* Rows are sent as records: fields and attributes (int32 or float), the vector, the id with a NUL. */
typedef struct {
    akin_comm *comm;
    const akin_vectors *vectors;
    int32_t *place; /* [items]: where each row goes */
    size_t dim, attributes, id_length, size, batch;
    char *sent;
    size_t *counts, *at; /* [ranks] */
    akin_labels *labels; /* of this rank's new rows */
    float *rows;
} moving;

static int32_t place_of(const moving *m, size_t item) {
    return m->place[akin_vectors_first(m->vectors) + item];
}

static void pack(const moving *m, size_t item, char *to) {
    akin_labels *labels = akin_vectors_labels(m->vectors);
    const int32_t fields[FIELDS] = {place_of(m, item), akin_labels_category(labels)[item],
                                    akin_labels_group(labels)[item],
                                    akin_labels_available(labels)[item]};
    memcpy(to, fields, sizeof fields);
    to += sizeof fields;
    for (size_t a = 0; a < m->attributes; a++, to += sizeof(int32_t))
        if (akin_labels_attribute_kind(labels, a) == AKIN_ATTRIBUTE_NUMBER)
            memcpy(to, akin_labels_attribute_numbers(labels, a) + item, sizeof(float));
        else
            memcpy(to, akin_labels_attribute_values(labels, a) + item, sizeof(int32_t));
    memcpy(to, akin_vectors_row(m->vectors, item), m->dim * sizeof(float));
    strcpy(to + m->dim * sizeof(float), akin_labels_id(labels, item));
}

static akin_status unpack(const moving *m, const char *from) {
    int32_t fields[FIELDS];
    memcpy(fields, from, sizeof fields);
    from += sizeof fields;
    size_t item =
        (size_t)fields[0] - akin_shard_first(akin_vectors_items(m->vectors),
                                             akin_comm_size(m->comm), akin_comm_rank(m->comm));
    akin_labels_category(m->labels)[item] = fields[1];
    akin_labels_group(m->labels)[item] = fields[2];
    akin_labels_available(m->labels)[item] = (int8_t)fields[3];
    for (size_t a = 0; a < m->attributes; a++, from += sizeof(int32_t))
        if (akin_labels_attribute_kind(m->labels, a) == AKIN_ATTRIBUTE_NUMBER)
            memcpy(akin_labels_attribute_numbers(m->labels, a) + item, from, sizeof(float));
        else
            memcpy(akin_labels_attribute_values(m->labels, a) + item, from, sizeof(int32_t));
    memcpy(m->rows + item * m->dim, from, m->dim * sizeof(float));
    return akin_labels_set_id(m->labels, item, from + m->dim * sizeof(float));
}

static akin_status begin(moving *m, const int32_t *rows) {
    size_t count = akin_vectors_count(m->vectors), items = akin_vectors_items(m->vectors),
           ranks = (size_t)akin_comm_size(m->comm);
    m->size =
        (FIELDS + m->attributes) * sizeof(int32_t) + m->dim * sizeof(float) + m->id_length + 1;
    m->batch = AT_ONCE / m->size + 1;
    if (m->batch > count + 1) m->batch = count + 1;
    m->place = akin_mem_alloc(items, sizeof *m->place);
    m->sent = akin_mem_zalloc(m->batch, m->size);
    m->counts = akin_mem_alloc(ranks, sizeof *m->counts);
    m->at = akin_mem_alloc(ranks, sizeof *m->at);
    m->rows = akin_mem_alloc(count, m->dim * sizeof *m->rows);
    if (!m->place || !m->sent || !m->counts || !m->at || !m->rows) return AKIN_FAILED;
    for (size_t i = 0; i < items; i++) m->place[rows[i]] = (int32_t)i;
    return akin_labels_create_like(akin_vectors_labels(m->vectors), count, m->id_length,
                                   &m->labels);
}

/* Packs items [first, end) of this rank, ordered by the rank that they go to. */
static void pack_some(moving *m, size_t first, size_t end) {
    int ranks = akin_comm_size(m->comm);
    size_t items = akin_vectors_items(m->vectors);
    memset(m->counts, 0, (size_t)ranks * sizeof *m->counts);
    for (size_t i = first; i < end; i++)
        m->counts[akin_shard_owner(items, ranks, (size_t)place_of(m, i))]++;
    m->at[0] = 0;
    for (int r = 1; r < ranks; r++) m->at[r] = m->at[r - 1] + m->counts[r - 1];
    for (size_t i = first; i < end; i++)
        pack(m, i,
             m->sent + m->at[akin_shard_owner(items, ranks, (size_t)place_of(m, i))]++ * m->size);
}

/* Collective; agreed. */
static akin_status move_some(moving *m, size_t first, size_t end) {
    char *came = NULL;
    size_t count = 0;
    pack_some(m, first, end);
    akin_status status =
        akin_comm_exchange(m->comm, m->sent, m->counts, m->size, (void **)&came, &count);
    if (status != AKIN_OK) return status;
    for (size_t r = 0; r < count && status == AKIN_OK; r++) status = unpack(m, came + r * m->size);
    akin_mem_free(came);
    return akin_agree(m->comm, status);
}

/* Collective; agreed. */
static akin_status move_all(moving *m) {
    akin_status status = AKIN_OK;
    size_t count = akin_vectors_count(m->vectors);
    const size_t rounds = akin_comm_rounds(m->comm, count, m->batch);
    for (size_t r = 0; r < rounds; r++) {
        size_t first = r * m->batch < count ? r * m->batch : count;
        AKIN_TRY(move_some(m, first, count - first < m->batch ? count : first + m->batch));
    }
done:
    return status;
}

/* Collective; agreed. */
static akin_status take(akin_comm *comm, const akin_vectors *vectors, const akin_products *products,
                        akin_vectors **out, int32_t **rows) {
    akin_status status;
    akin_labels *labels = akin_vectors_labels(vectors);
    int32_t *first = NULL;
    int64_t longest = (int64_t)akin_labels_id_length(labels);
    moving m = {.comm = comm,
                .vectors = vectors,
                .dim = akin_vectors_dim(vectors),
                .attributes = akin_labels_attributes(labels)};
    *out = NULL, *rows = NULL;
    akin_comm_max_i64(comm, &longest, 1);
    m.id_length = (size_t)longest;
    akin_status local = akin_products_items(products, &first, rows);
    if (local == AKIN_OK) local = begin(&m, *rows);
    AKIN_TRY(akin_agree(comm, local));
    AKIN_TRY(move_all(&m));
    const akin_vectors_shape shape = {akin_vectors_items(vectors), akin_vectors_sources(vectors),
                                      m.dim, 0};
    labels = m.labels, m.labels = NULL;
    status = akin_vectors_create_of(comm, vectors, shape, m.rows, labels, out);
done:
    akin_labels_free(m.labels);
    akin_mem_free(m.place);
    akin_mem_free(m.sent);
    akin_mem_free(m.counts);
    akin_mem_free(m.at);
    akin_mem_free(m.rows);
    akin_mem_free(first);
    return status;
}

akin_status akin_product_order_put(akin_comm *comm, akin_vectors **vectors, akin_products *products,
                                   int32_t **rows) {
    akin_vectors *ordered = NULL;
    *rows = NULL;
    if (is_ordered(products)) return AKIN_OK;
    akin_products found = {0};
    akin_status status = take(comm, *vectors, products, &ordered, rows);
    if (status == AKIN_OK) status = akin_products_find(comm, ordered, &found);
    if (status == AKIN_OK) {
        akin_products_release(products);
        *vectors = ordered, *products = found;
        return AKIN_OK;
    }
    akin_products_release(&found);
    akin_vectors_free(ordered);
    akin_mem_free(*rows);
    *rows = NULL;
    return status;
}
