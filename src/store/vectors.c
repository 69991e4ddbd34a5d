/* vectors: the unit rows among which neighbours are searched. */
#include <akin/embeddings.h>
#include <akin/file.h>
#include <akin/hash.h>
#include <akin/mem.h>
#include <akin/npy.h>
#include <akin/shard.h>
#include <akin/text.h>
#include <akin/vectors.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ID_MAX = 1024 };
static const size_t file_limit = (size_t)1 << 36;

struct akin_vectors {
    size_t items, sources, dim, columns, first, count, unusable;
    float *rows;                                         /* [count, dim] */
    uint8_t *usable;                                     /* [count] */
    akin_labels *labels, *source_labels, *target_labels; /* NULL: none of the last two */
    char digest[AKIN_HASH_TEXT_SIZE], model_digest[AKIN_HASH_TEXT_SIZE];
    char source_digest[AKIN_HASH_TEXT_SIZE], target_digest[AKIN_HASH_TEXT_SIZE];
    char *catalog_options; /* NULL = unknown */
};

bool akin_vectors_unit(const float *row, size_t dim, float *out) {
    double squares = 0;
    for (size_t t = 0; t < dim; t++) squares += (double)row[t] * row[t];
    double length = sqrt(squares);
    bool usable = isfinite(length) && length > 0;
    if (fabs(length - 1) <= 0x1.01p-24)
        length = 1; /* slightly more, for the rounding of `length` itself */
    for (size_t t = 0; t < dim; t++) out[t] = usable ? (float)(row[t] / length) + 0.0f : 0;
    return usable;
}

/* --- an object for this rank's shard --- */

typedef struct {
    size_t first, count;
} range;

static range shard_of(const akin_comm *comm, size_t n) {
    return (range){akin_shard_first(n, akin_comm_size(comm), akin_comm_rank(comm)),
                   akin_shard_count(n, akin_comm_size(comm), akin_comm_rank(comm))};
}

static akin_status create(const range *mine, size_t n, size_t dim, akin_vectors **out) {
    akin_vectors *v = akin_mem_zalloc(1, sizeof *v);
    *out = v;
    if (v == NULL) return AKIN_FAILED;
    v->items = v->sources = n, v->dim = v->columns = dim;
    v->first = mine->first, v->count = mine->count;
    v->rows = akin_mem_alloc(v->count, dim * sizeof *v->rows);
    v->usable = akin_mem_alloc(v->count, 1);
    return v->rows != NULL && v->usable != NULL ? AKIN_OK : AKIN_FAILED;
}

/* Normalises rows as they are read. Collective. */
static void bring_to_unit_length(akin_comm *comm, akin_vectors *v) {
    int64_t unusable = 0;
    for (size_t i = 0; i < v->count; i++) {
        v->usable[i] = akin_vectors_unit(v->rows + i * v->dim, v->dim, v->rows + i * v->dim);
        unusable += !v->usable[i];
    }
    akin_comm_sum_i64(comm, &unusable, 1);
    v->unusable = (size_t)unusable;
}

akin_status akin_vectors_create(akin_comm *comm, size_t n, size_t dim, const float *rows,
                                akin_labels *labels, akin_vectors **out) {
    akin_status status;
    akin_vectors *v;
    *out = NULL;
    const range mine = shard_of(comm, n);
    akin_status local = create(&mine, n, dim, &v);
    if (v != NULL) v->labels = labels;
    AKIN_TRY(akin_agree(comm, local));
    memcpy(v->rows, rows, v->count * dim * sizeof *rows);
    bring_to_unit_length(comm, v);
    *out = v, v = NULL, labels = NULL;
done:
    if (v == NULL) akin_labels_free(labels);
    akin_vectors_free(v);
    return status;
}

/* The labels of sources and targets. */
static akin_status copy_sides(const akin_vectors *from, akin_vectors *to) {
    akin_status status;
    akin_labels *a = from->source_labels, *b = from->target_labels;
    AKIN_TRY(akin_labels_join(a, akin_labels_count(a), a, 0, &to->source_labels));
    AKIN_TRY(akin_labels_join(b, akin_labels_count(b), b, 0, &to->target_labels));
done:
    return status;
}

akin_status akin_vectors_create_of(akin_comm *comm, const akin_vectors *made_of,
                                   akin_vectors_shape shape, const float *rows, akin_labels *labels,
                                   akin_vectors **out) {
    akin_status status, local = AKIN_OK;
    AKIN_TRY(akin_vectors_create(comm, shape.n, shape.dim, rows, labels, out));
    akin_vectors *v = *out;
    v->sources = shape.sources, v->columns = shape.dim - shape.ends;
    memcpy(v->digest, made_of->digest, sizeof v->digest);
    memcpy(v->model_digest, made_of->model_digest, sizeof v->model_digest);
    memcpy(v->source_digest, made_of->source_digest, sizeof v->source_digest);
    memcpy(v->target_digest, made_of->target_digest, sizeof v->target_digest);
    if (made_of->source_labels && shape.n == made_of->items) local = copy_sides(made_of, v);
    if (made_of->catalog_options && !(v->catalog_options = akin_mem_text(made_of->catalog_options)))
        local = AKIN_FAILED;
    AKIN_TRY(akin_agree(comm, local));
done:
    return status;
}

void akin_vectors_free(akin_vectors *v) {
    if (v == NULL) return;
    akin_labels_free(v->labels);
    akin_labels_free(v->source_labels);
    akin_labels_free(v->target_labels);
    akin_mem_free(v->rows);
    akin_mem_free(v->usable);
    akin_mem_free(v->catalog_options);
    akin_mem_free(v);
}

/* --- ids from a text file --- */

static akin_status check_id(const char *path, size_t line, const char *id, size_t length) {
    const char *wrong = length == 0                      ? "is empty"
                        : length > ID_MAX                ? "is longer than 1,024 bytes"
                        : !akin_text_is_utf8(id, length) ? "is not UTF-8"
                        : memchr(id, '\t', length) || memchr(id, '\r', length)
                            ? "contains a tab or a newline"
                            : NULL;
    if (wrong == NULL) return AKIN_OK;
    return akin_error_set(AKIN_INPUT, "%s line %zu: the id %s", path, line, wrong);
}

/* Makes lines NUL-terminated texts in place, consecutively; *used bytes in total. */
static akin_status split_lines(const char *path, char *bytes, size_t length, size_t *lines,
                               size_t *used) {
    size_t at = length >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0, put = 0;
    for (*lines = 0; at < length;) {
        char *end = memchr(bytes + at, '\n', length - at);
        size_t next = end ? (size_t)(end - bytes) + 1 : length, count = next - at - (end ? 1 : 0);
        if (count > 0 && bytes[at + count - 1] == '\r') count--;
        akin_status status = check_id(path, ++*lines, bytes + at, count);
        if (status != AKIN_OK) return status;
        memmove(bytes + put, bytes + at, count);
        bytes[put + count] = '\0'; /* at most where the line's end was, or the NUL after the file */
        put += count + 1;
        at = next;
    }
    *used = put;
    return AKIN_OK;
}

static int ascending(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static akin_status check_unique(const char *path, const char *ids, size_t lines) {
    const char **all = akin_mem_alloc(lines, sizeof *all);
    if (all == NULL) return AKIN_FAILED;
    for (size_t i = 0; i < lines; i++, ids += strlen(ids) + 1) all[i] = ids;
    qsort(all, lines, sizeof *all, ascending);
    akin_status status = AKIN_OK;
    for (size_t i = 1; i < lines && status == AKIN_OK; i++)
        if (strcmp(all[i - 1], all[i]) == 0)
            status = akin_error_set(AKIN_INPUT, "%s: the id '%s' occurs twice", path, all[i]);
    akin_mem_free(all);
    return status;
}

static akin_status read_ids(const char *path, const char *npy_path, size_t n, char **ids,
                            size_t *length) {
    size_t lines, bytes;
    akin_status status = AKIN_OK;
    AKIN_TRY(akin_file_read(path, file_limit, (unsigned char **)ids, &bytes));
    AKIN_TRY(split_lines(path, *ids, bytes, &lines, length));
    if (lines != n)
        AKIN_TRY(akin_error_set(AKIN_INPUT, "%s: %zu ids for the %zu rows of %s", path, lines, n,
                                npy_path));
    AKIN_TRY(check_unique(path, *ids, lines));
done:
    return status;
}

/* Labels of this rank's rows from all ids, or row numbers if there are none. */
static akin_status make_labels(akin_vectors *v, const char *ids, size_t length) {
    char number[24];
    size_t longest = 1;
    for (size_t at = 0, one; at < length; at += one + 1)
        longest = (one = strlen(ids + at)) > longest ? one : longest;
    if (ids == NULL) longest = (size_t)snprintf(number, sizeof number, "%zu", v->items - 1);
    akin_status status = akin_labels_create(v->count, longest, &v->labels);
    for (size_t skip = 0; ids != NULL && skip < v->first; skip++) ids += strlen(ids) + 1;
    for (size_t i = 0; i < v->count && status == AKIN_OK; i++) {
        snprintf(number, sizeof number, "%zu", v->first + i);
        status = akin_labels_set_id(v->labels, i, ids != NULL ? ids : number);
        if (ids != NULL) ids += strlen(ids) + 1;
    }
    return status;
}

/* Collective; agreed. */
static akin_status label_npy(akin_comm *comm, const char *path, const char *ids_path,
                             akin_vectors *v, akin_hash128 *ids_hash) {
    akin_status status = AKIN_OK;
    char *ids = NULL;
    size_t length = 0;
    if (ids_path != NULL) {
        bool reader = akin_comm_rank(comm) == 0;
        AKIN_TRY(
            akin_agree(comm, reader ? read_ids(ids_path, path, v->items, &ids, &length) : AKIN_OK));
        AKIN_TRY(akin_comm_share(comm, (void **)&ids, &length, 0));
    }
    *ids_hash = akin_hash_128(ids != NULL ? ids : "", length, 0);
    AKIN_TRY(akin_agree(comm, make_labels(v, ids, length)));
done:
    akin_mem_free(ids);
    return status;
}

/* --- the two kinds of files --- */

static akin_status check_rows(const char *path, size_t rows) {
    if (rows < INT32_MAX) return AKIN_OK;
    return akin_error_set(AKIN_INPUT, "%s: has %zu rows; a table can have fewer than 2^31", path,
                          rows);
}

static akin_status check_npy(const char *path, const akin_npy *npy) {
    size_t columns = akin_npy_columns(npy);
    if (columns < AKIN_VECTORS_DIM_MIN || columns > AKIN_VECTORS_DIM_MAX)
        return akin_error_set(AKIN_INPUT, "%s: has %zu column%s; akin takes %d to %d", path,
                              columns, columns == 1 ? "" : "s", (int)AKIN_VECTORS_DIM_MIN,
                              (int)AKIN_VECTORS_DIM_MAX);
    return check_rows(path, akin_npy_rows(npy));
}

/* Collective. */
static void digest_npy(akin_comm *comm, akin_vectors *v, akin_hash128 ids) {
    int64_t sum[2] = {0, 0};
    for (size_t i = 0; i < v->count; i++) {
        akin_hash128 row =
            akin_hash_128(v->rows + i * v->dim, v->dim * sizeof *v->rows, v->first + i + 1);
        sum[0] = (int64_t)((uint64_t)sum[0] + row.low),
        sum[1] = (int64_t)((uint64_t)sum[1] + row.high);
    }
    akin_comm_sum_i64(comm, sum, 2);
    char text[200];
    int length =
        snprintf(text, sizeof text, "npy %zu %zu %" PRIx64 " %" PRIx64 " %" PRIx64 " %" PRIx64,
                 v->items, v->dim, (uint64_t)sum[0], (uint64_t)sum[1], ids.low, ids.high);
    akin_hash_text(akin_hash_128(text, (size_t)length, 0), v->digest);
}

/* some: which rows are this rank's, NULL: its shard. So too below. */
static akin_status open_npy(akin_comm *comm, const akin_vectors_source *source, const range *some,
                            akin_vectors **out) {
    akin_status status;
    const char *path = source->path;
    akin_npy *npy = NULL;
    akin_hash128 ids_hash;
    akin_status local = akin_npy_open(path, &npy);
    if (local == AKIN_OK) local = check_npy(path, npy);
    AKIN_TRY(akin_agree(comm, local));
    const range mine = some != NULL ? *some : shard_of(comm, akin_npy_rows(npy));
    local = create(&mine, akin_npy_rows(npy), akin_npy_columns(npy), out);
    if (local == AKIN_OK) local = akin_npy_read(npy, (*out)->first, (*out)->count, (*out)->rows);
    AKIN_TRY(akin_agree(comm, local));
    AKIN_TRY(label_npy(comm, path, source->ids_path, *out, &ids_hash));
    digest_npy(comm, *out, ids_hash);
done:
    akin_npy_close(npy);
    return status;
}

static akin_status open_embeddings(akin_comm *comm, const char *path, const range *some,
                                   akin_vectors **out) {
    akin_status status;
    akin_embeddings *file = NULL;
    AKIN_TRY(akin_embeddings_open(comm, path, &file));
    akin_status local = check_rows(path, akin_embeddings_items(file));
    const range mine = some != NULL ? *some : shard_of(comm, akin_embeddings_items(file));
    if (local == AKIN_OK)
        local = create(&mine, akin_embeddings_items(file), akin_embeddings_dim(file), out);
    akin_vectors *v = *out;
    if (local == AKIN_OK) {
        snprintf(v->digest, sizeof v->digest, "%s", akin_embeddings_digest(file));
        snprintf(v->model_digest, sizeof v->model_digest, "%s", akin_embeddings_model_digest(file));
        local = akin_embeddings_rows(file, v->first, v->count, v->rows);
    }
    if (local == AKIN_OK)
        local = akin_ncfile_get_attribute(akin_embeddings_file(file), "catalog_options",
                                          &v->catalog_options);
    if (local == AKIN_OK)
        local = akin_labels_read(akin_embeddings_file(file), v->first, v->count, &v->labels);
    AKIN_TRY(akin_agree(comm, local));
done:
    akin_embeddings_close(file);
    return status;
}

/* Rows as they are in the file. */
static akin_status open_rows(akin_comm *comm, const akin_vectors_source *source, const range *some,
                             akin_vectors **out) {
    akin_status status;
    bool is_npy = false;
    AKIN_TRY(akin_agree(comm, akin_npy_recognise(source->path, &is_npy)));
    if (!is_npy && source->ids_path != NULL)
        AKIN_TRY(akin_error_option("ids", "--ids %s: only for a .npy file; %s has its own ids",
                                   source->ids_path, source->path));
    AKIN_TRY(is_npy ? open_npy(comm, source, some, out)
                    : open_embeddings(comm, source->path, some, out));
done:
    return status;
}

akin_status akin_vectors_open(akin_comm *comm, const char *path, const char *ids_path,
                              akin_vectors **out) {
    akin_status status;
    const akin_vectors_source source = {path, ids_path};
    akin_vectors *v = NULL;
    *out = NULL;
    AKIN_TRY(open_rows(comm, &source, NULL, &v));
    bring_to_unit_length(comm, v);
    *out = v, v = NULL;
done:
    akin_vectors_free(v);
    return status;
}

/* --- two files --- */

static akin_status check_pair(const akin_vectors *a, const akin_vectors *b, const char *a_path,
                              const char *b_path) {
    if (a->dim != b->dim)
        return akin_error_set(AKIN_INPUT,
                              "%s has vectors of %zu columns, %s of %zu: embed both "
                              "with the same model",
                              a_path, a->dim, b_path, b->dim);
    if (*a->model_digest && *b->model_digest && strcmp(a->model_digest, b->model_digest) != 0)
        return akin_error_set(AKIN_INPUT,
                              "%s and %s were embedded with different models: scores "
                              "between them would mean nothing; embed both with the "
                              "same one",
                              a_path, b_path);
    if (a->items + b->items >= INT32_MAX)
        return akin_error_set(AKIN_INPUT,
                              "%s and %s have %zu rows together; akin takes fewer than "
                              "2^31",
                              a_path, b_path, a->items + b->items);
    return AKIN_OK;
}

/* The rows and labels of both in one. Not collective. */
static akin_status append(akin_vectors *v, const akin_vectors *a, const akin_vectors *b) {
    akin_status status;
    char text[2 * AKIN_HASH_TEXT_SIZE + 16];
    size_t row = v->dim * sizeof *v->rows;
    memcpy(v->rows, a->rows, a->count * row);
    memcpy(v->rows + a->count * v->dim, b->rows, b->count * row);
    int length = snprintf(text, sizeof text, "%s against %s", a->digest, b->digest);
    akin_hash_text(akin_hash_128(text, (size_t)length, 0), v->digest);
    memcpy(v->model_digest, a->model_digest, sizeof v->model_digest);
    memcpy(v->source_digest, a->digest, sizeof v->source_digest);
    memcpy(v->target_digest, b->digest, sizeof v->target_digest);
    v->sources = a->items;
    if (a->catalog_options && !(v->catalog_options = akin_mem_text(a->catalog_options)))
        return AKIN_FAILED;
    AKIN_TRY(akin_labels_join(a->labels, a->count, b->labels, b->count, &v->labels));
    AKIN_TRY(akin_labels_join(a->labels, a->count, b->labels, 0, &v->source_labels));
    AKIN_TRY(akin_labels_join(a->labels, 0, b->labels, b->count, &v->target_labels));
done:
    return status;
}

/* How many rows a file has: none of them are read. Collective; agreed. */
static akin_status count_rows(akin_comm *comm, const akin_vectors_source *source, size_t *items) {
    static const range none = {0, 0};
    akin_vectors *v = NULL;
    akin_status status = open_rows(comm, source, &none, &v);
    if (status == AKIN_OK) *items = v->items;
    akin_vectors_free(v);
    return status;
}

akin_status akin_vectors_open_against(akin_comm *comm, const akin_vectors_source *sources,
                                      const akin_vectors_source *against, akin_vectors **out) {
    akin_status status;
    size_t n = 0, m = 0;
    akin_vectors *a = NULL, *b = NULL, *v = NULL;
    *out = NULL;
    AKIN_TRY(count_rows(comm, sources, &n));
    AKIN_TRY(count_rows(comm, against, &m));
    const range mine = shard_of(comm, n + m);
    size_t end = mine.first + mine.count;
    range of_a = {mine.first < n ? mine.first : n, 0},
          of_b = {mine.first > n ? mine.first - n : 0, 0};
    of_a.count = (end < n ? end : n) - of_a.first;
    of_b.count = (end > n ? end - n : 0) - of_b.first;
    AKIN_TRY(open_rows(comm, sources, &of_a, &a));
    AKIN_TRY(open_rows(comm, against, &of_b, &b));
    AKIN_TRY(akin_agree(comm, check_pair(a, b, sources->path, against->path)));
    akin_status local = create(&mine, n + m, a->dim, &v);
    if (local == AKIN_OK) local = append(v, a, b);
    AKIN_TRY(akin_agree(comm, local));
    bring_to_unit_length(comm, v);
    *out = v, v = NULL;
done:
    akin_vectors_free(a);
    akin_vectors_free(b);
    akin_vectors_free(v);
    return status;
}

size_t akin_vectors_items(const akin_vectors *v) {
    return v->items;
}

size_t akin_vectors_sources(const akin_vectors *v) {
    return v->sources;
}

size_t akin_vectors_own_sources(const akin_vectors *v) {
    size_t first = akin_vectors_first(v), count = akin_vectors_count(v),
           left = first < v->sources ? v->sources - first : 0;
    return left < count ? left : count;
}

size_t akin_vectors_unusable(const akin_vectors *v) {
    return v->unusable;
}

size_t akin_vectors_dim(const akin_vectors *v) {
    return v->dim;
}

size_t akin_vectors_columns(const akin_vectors *v) {
    return v->columns;
}

size_t akin_vectors_first(const akin_vectors *v) {
    return v->first;
}

size_t akin_vectors_count(const akin_vectors *v) {
    return v->count;
}

const float *akin_vectors_row(const akin_vectors *v, size_t item) {
    return v->rows + item * v->dim;
}

bool akin_vectors_usable(const akin_vectors *v, size_t item) {
    return v->usable[item] != 0;
}

akin_labels *akin_vectors_labels(const akin_vectors *v) {
    return v->labels;
}

akin_labels *akin_vectors_source_labels(const akin_vectors *v) {
    return v->source_labels;
}

akin_labels *akin_vectors_target_labels(const akin_vectors *v) {
    return v->target_labels;
}

const char *akin_vectors_digest(const akin_vectors *v) {
    return v->digest;
}

const char *akin_vectors_source_digest(const akin_vectors *v) {
    return v->source_digest;
}

const char *akin_vectors_target_digest(const akin_vectors *v) {
    return v->target_digest;
}

const char *akin_vectors_model_digest(const akin_vectors *v) {
    return v->model_digest;
}

const char *akin_vectors_catalog_options(const akin_vectors *v) {
    return v->catalog_options != NULL ? v->catalog_options : "";
}
