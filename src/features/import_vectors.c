/* import_vectors: imports vectors computed by another program. */
#include "join_vectors.h"
#include <akin/catalog.h>
#include <akin/embed.h>
#include <akin/embeddings.h>
#include <akin/file.h>
#include <akin/ids.h>
#include <akin/log.h>
#include <akin/mem.h>
#include <akin/npy.h>
#include <akin/shard.h>
#include <akin/text.h>
#include <akin/vectors.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#define ROUND_BYTES ((size_t)8 << 20) /* bytes of rows that a rank sends at a time */

typedef struct {
    akin_comm *comm;
    const akin_import_vectors_params *params;
    akin_vectors *vectors; /* this rank's shard of the .npy */
    akin_catalog *catalog; /* NULL = none */
    akin_ids *ids;         /* of the catalogue */
    size_t items, dim, first, count;
    akin_labels *labels; /* [count], of the catalogue's shard */
    uint64_t *hashes;    /* [count] */
    float *rows;         /* [count, dim] */
    uint8_t *have;       /* [count], 1: there is a vector */
    int64_t strangers, unusable;
    char blended
        [AKIN_HASH_TEXT_SIZE]; /* digest of the model that they were joined with, "" = none */
} adoption;

static akin_status open_vectors(akin_comm *comm, const akin_import_vectors_params *params,
                                akin_vectors **out) {
    akin_status status;
    bool is_npy = false;
    akin_status local = akin_npy_recognise(params->from, &is_npy);
    if (local == AKIN_OK && !is_npy)
        local = akin_error_set(AKIN_INPUT,
                               "--from %s: not a .npy file; save the vectors with numpy.save",
                               params->from);
    AKIN_TRY(akin_agree(comm, local));
    status = akin_vectors_open(comm, params->from, params->ids, out);
done:
    return status;
}

/* Everything that can fail on one rank only. */
static akin_status read_shard(adoption *a) {
    akin_status status = AKIN_OK;
    a->hashes = akin_mem_zalloc(a->count, sizeof *a->hashes);
    if (!a->hashes) return AKIN_FAILED;
    if (!a->catalog) return AKIN_OK;
    a->rows = akin_mem_zalloc(a->count, a->dim * sizeof *a->rows);
    a->have = akin_mem_zalloc(a->count, 1);
    if (!a->rows || !a->have) return AKIN_FAILED;
    const akin_ncfile *file = akin_catalog_file(a->catalog);
    AKIN_TRY(akin_ids_read(file, &a->ids));
    AKIN_TRY(akin_labels_read(file, a->first, a->count, &a->labels));
    AKIN_TRY(akin_catalog_hashes(a->catalog, a->first, a->count, a->hashes));
done:
    return status;
}

static akin_status begin(adoption *a) {
    akin_status status;
    const akin_import_vectors_params *p = a->params;
    int size = akin_comm_size(a->comm), rank = akin_comm_rank(a->comm);
    AKIN_TRY(akin_agree(a->comm, rank == 0 ? akin_file_check_output(p->output) : AKIN_OK));
    AKIN_TRY(open_vectors(a->comm, p, &a->vectors));
    if (p->catalog) AKIN_TRY(akin_catalog_open(a->comm, p->catalog, &a->catalog));
    a->dim = akin_vectors_dim(a->vectors);
    a->items = a->catalog ? akin_catalog_items(a->catalog) : akin_vectors_items(a->vectors);
    a->first = akin_shard_first(a->items, size, rank);
    a->count = akin_shard_count(a->items, size, rank);
    AKIN_TRY(akin_agree(a->comm, read_shard(a)));
done:
    return status;
}

/* --- the join --- */

/* A row in transit: the item's row in the catalogue, whether the vector is usable, and the
 * vector [dim]. */
typedef struct {
    int32_t row, usable;
    float vector[];
} parcel;

typedef struct {
    size_t most, bytes; /* parcels per round, and the bytes of each */
    int64_t *row;       /* [most] rows of the catalogue, -1 = not in it */
    size_t *counts;     /* [size] for each rank */
    size_t *at;         /* [size] */
    char *send;         /* [most, bytes] */
} mail;

static akin_status make_mail(const adoption *a, mail *m) {
    size_t size = (size_t)akin_comm_size(a->comm);
    m->bytes = sizeof(parcel) + a->dim * sizeof(float);
    m->most = ROUND_BYTES / m->bytes;
    m->row = akin_mem_alloc(m->most, sizeof *m->row);
    m->counts = akin_mem_alloc(size, sizeof *m->counts);
    m->at = akin_mem_alloc(size, sizeof *m->at);
    m->send = akin_mem_alloc(m->most, m->bytes);
    return m->row && m->counts && m->at && m->send ? AKIN_OK : AKIN_FAILED;
}

static void free_mail(mail *m) {
    akin_mem_free(m->row);
    akin_mem_free(m->counts);
    akin_mem_free(m->at);
    akin_mem_free(m->send);
}

/* Packs rows [begin, begin + count) of this rank's vectors by their destination rank. */
static void pack(adoption *a, mail *m, size_t begin, size_t count) {
    int size = akin_comm_size(a->comm);
    memset(m->counts, 0, (size_t)size * sizeof *m->counts);
    for (size_t i = 0; i < count; i++) {
        m->row[i] =
            akin_ids_find(a->ids, akin_labels_id(akin_vectors_labels(a->vectors), begin + i));
        a->strangers += m->row[i] < 0;
        if (m->row[i] >= 0) m->counts[akin_shard_owner(a->items, size, (size_t)m->row[i])]++;
    }
    for (int r = 0; r < size; r++) m->at[r] = r > 0 ? m->at[r - 1] + m->counts[r - 1] : 0;
    for (size_t i = 0; i < count; i++) {
        if (m->row[i] < 0) continue;
        size_t to = m->at[akin_shard_owner(a->items, size, (size_t)m->row[i])]++;
        const parcel head = {.row = (int32_t)m->row[i],
                             .usable = akin_vectors_usable(a->vectors, begin + i)};
        memcpy(m->send + to * m->bytes, &head, sizeof head);
        memcpy(m->send + to * m->bytes + sizeof head, akin_vectors_row(a->vectors, begin + i),
               a->dim * sizeof(float));
    }
}

static void unpack(adoption *a, const mail *m, const char *received, size_t count) {
    for (size_t i = 0; i < count; i++) {
        parcel head;
        memcpy(&head, received + i * m->bytes, sizeof head);
        size_t at = (size_t)head.row - a->first;
        a->have[at] = 1;
        a->unusable += !head.usable;
        memcpy(a->rows + at * a->dim, received + i * m->bytes + sizeof head,
               a->dim * sizeof(float));
    }
}

/* Collective; agreed. */
static akin_status join(adoption *a) {
    akin_status status;
    mail m = {0};
    size_t count = akin_vectors_count(a->vectors);
    AKIN_TRY(akin_agree(a->comm, make_mail(a, &m)));
    const size_t rounds = akin_comm_rounds(a->comm, count, m.most);
    for (size_t round = 0; round < rounds; round++) {
        size_t begin = round * m.most < count ? round * m.most : count, got = 0;
        void *received = NULL;
        pack(a, &m, begin, count - begin < m.most ? count - begin : m.most);
        AKIN_TRY(akin_comm_exchange(a->comm, m.send, m.counts, m.bytes, &received, &got));
        unpack(a, &m, received, got);
        akin_mem_free(received);
        akin_status local = AKIN_OK;
        if (akin_comm_signalled())
            local = akin_error_set(AKIN_INTERRUPTED,
                                   "embed was interrupted; %s is unchanged, submit again",
                                   a->params->output);
        AKIN_TRY(akin_agree(a->comm, local));
        akin_log_progress("embed", "rounds of vectors", (double)round + 1, (double)rounds);
    }
done:
    akin_log_progress_end();
    free_mail(&m);
    return status;
}

/* Joins the rows with those of a model. Collective; agreed. */
static akin_status join_model(adoption *a, akin_import_vectors_result *out) {
    akin_status status;
    const akin_join_vectors_source source = {
        a->catalog, a->params->model, a->params->weight, a->first, a->count, a->dim, a->rows};
    akin_join_vectors_result blended;
    AKIN_TRY(akin_join_vectors(a->comm, &source, &blended));
    akin_mem_free(a->rows);
    a->rows = blended.rows;
    a->dim = out->dim = blended.dim;
    out->images_per_second = blended.images_per_second;
    memcpy(a->blended, blended.model_digest, sizeof a->blended);
done:
    return status;
}

/* --- finishing --- */

static akin_status write_embeddings(adoption *a) {
    const akin_import_vectors_params *p = a->params;
    const akin_embeddings_origin origin = {.options = p->options,
                                           .result_options = p->result_options,
                                           .catalog_digest =
                                               a->catalog ? akin_catalog_digest(a->catalog) : NULL,
                                           .vectors_digest = akin_vectors_digest(a->vectors),
                                           .blended_digest = *a->blended ? a->blended : NULL};
    if (a->catalog)
        return akin_embeddings_write(
            a->comm, p->output, &origin,
            &(akin_embeddings_content){a->items, a->dim, a->first, a->labels, a->rows, a->hashes});
    const float *rows = a->count > 0 ? akin_vectors_row(a->vectors, 0) : NULL;
    return akin_embeddings_write(a->comm, p->output, &origin,
                                 &(akin_embeddings_content){a->items, a->dim, a->first,
                                                            akin_vectors_labels(a->vectors), rows,
                                                            a->hashes});
}

/* Collective. */
static void count_up(adoption *a, akin_import_vectors_result *out) {
    int64_t sums[3] = {a->strangers, a->unusable, 0};
    for (size_t i = 0; a->have && i < a->count; i++) sums[2] += !a->have[i];
    akin_comm_sum_i64(a->comm, sums, 3);
    *out = (akin_import_vectors_result){.items = a->items,
                                        .dim = a->dim,
                                        .vectors = akin_vectors_items(a->vectors),
                                        .without_vector = (size_t)sums[2],
                                        .without_item = (size_t)sums[0],
                                        .unusable = a->catalog ? (size_t)sums[1]
                                                               : akin_vectors_unusable(a->vectors),
                                        .images_per_second = NAN};
}

static void tell(const akin_import_vectors_params *p, const akin_import_vectors_result *r) {
    char items[AKIN_TEXT_COMMAS];
    size_t with = r->items - r->without_vector;
    akin_log_summary("embed: %s item%s with vectors of %zu features from %s%s%s",
                     akin_text_commas((double)with, items), AKIN_PLURAL(with), r->dim, p->from,
                     p->model ? " and " : "", p->model ? p->model : "");
    if (r->without_vector > 0)
        akin_log_warning("%zu of %zu items of %s have no vector in %s: they %s", r->without_vector,
                         r->items, p->catalog, p->from,
                         p->model ? "are compared by their pictures only" : "get no neighbours");
    if (r->without_item > 0)
        akin_log_warning("%zu of %zu vectors of %s belong to no item of %s and are left out",
                         r->without_item, r->vectors, p->from, p->catalog);
    if (r->unusable > 0)
        akin_log_warning("%zu vector%s of %s: zero or not finite: %s", r->unusable,
                         AKIN_PLURAL(r->unusable), p->from,
                         p->model ? "compared by their pictures only" : "they get no neighbours");
}

static akin_status check_joined(const adoption *a, const akin_import_vectors_result *r) {
    if (!a->catalog || r->without_item < r->vectors) return AKIN_OK;
    return akin_error_set(
        AKIN_INPUT, "none of the ids of %s is in %s%s",
        a->params->ids ? a->params->ids : a->params->from, a->params->catalog,
        a->params->ids ? ""
                       : ": without --ids FILE, one line per row, the ids are row numbers from 0");
}

akin_status akin_import_vectors(akin_comm *comm, const akin_import_vectors_params *params,
                                akin_import_vectors_result *result) {
    akin_status status;
    adoption a = {.comm = comm, .params = params};
    *result = (akin_import_vectors_result){0};
    AKIN_TRY(begin(&a));
    if (a.catalog) AKIN_TRY(join(&a));
    count_up(&a, result);
    AKIN_TRY(akin_agree(comm, check_joined(&a, result)));
    if (params->model) AKIN_TRY(join_model(&a, result));
    AKIN_TRY(write_embeddings(&a));
    tell(params, result);
done:
    akin_mem_free(a.rows);
    akin_mem_free(a.have);
    akin_mem_free(a.hashes);
    akin_labels_free(a.labels);
    akin_ids_free(a.ids);
    akin_catalog_close(a.catalog);
    akin_vectors_free(a.vectors);
    return status;
}

akin_status akin_import_vectors_digest(akin_comm *comm, const akin_import_vectors_params *params,
                                       char out[AKIN_HASH_TEXT_SIZE]) {
    akin_vectors *vectors = NULL;
    akin_status status = open_vectors(comm, params, &vectors);
    if (status == AKIN_OK) memcpy(out, akin_vectors_digest(vectors), AKIN_HASH_TEXT_SIZE);
    akin_vectors_free(vectors);
    return status;
}
