/* extend: adds the vectors of new items to those of a catalogue. */
#include <akin/csv.h>
#include <akin/embed.h>
#include <akin/embeddings.h>
#include <akin/file.h>
#include <akin/hash.h>
#include <akin/log.h>
#include <akin/mem.h>
#include <akin/shard.h>
#include <akin/text.h>
#include <string.h>

/* Rows [first, first + count) of one of the two files. */
typedef struct {
    akin_embeddings *file;
    size_t items, first, count;
    akin_labels *labels;
    float *rows;      /* [count, dim] */
    uint64_t *hashes; /* [count] */
} side;

typedef struct {
    akin_comm *comm;
    const akin_extend_params *params;
    side base, added; /* for base, this rank's shard; for added, all rows */
    size_t dim;
    char *ids; /* ids to be removed, each NUL-terminated, in ids_bytes */
    size_t ids_bytes;
    int64_t *place; /* [added]: the first row of base that is not before each */
    bool *gone;     /* [count of base] */
    size_t *order;  /* [count]: rows to write; added rows are numbered after those of base */
    size_t count, first, items;
    int64_t replaced, left_out, withdrawn; /* withdrawn: of the added */
} extension;

/* --- reading --- */

static akin_status read_side(const extension *run, side *s, size_t first, size_t count) {
    akin_status status;
    s->first = first, s->count = count;
    s->rows = akin_mem_alloc(count, run->dim * sizeof *s->rows);
    s->hashes = akin_mem_alloc(count, sizeof *s->hashes);
    if (!s->rows || !s->hashes) AKIN_TRY(AKIN_FAILED);
    AKIN_TRY(akin_labels_read(akin_embeddings_file(s->file), first, count, &s->labels));
    AKIN_TRY(akin_embeddings_rows(s->file, first, count, s->rows));
    AKIN_TRY(akin_embeddings_hashes(s->file, first, count, s->hashes));
done:
    return status;
}

static void release_side(side *s) {
    akin_mem_free(s->rows);
    akin_mem_free(s->hashes);
    akin_labels_free(s->labels);
    akin_embeddings_close(s->file);
}

static bool same_attributes(const akin_labels *a, const akin_labels *b) {
    bool same = akin_labels_attributes(a) == akin_labels_attributes(b);
    for (size_t i = 0; same && i < akin_labels_attributes(a); i++) {
        size_t other = akin_labels_find_attribute(b, akin_labels_attribute_name(a, i));
        same = other != SIZE_MAX &&
               akin_labels_attribute_kind(a, i) == akin_labels_attribute_kind(b, other);
    }
    return same;
}

static akin_status refuse(const extension *run, const char *what) {
    return akin_error_set(AKIN_INPUT,
                          "%s: %s than those of the new items: its whole catalogue has to be "
                          "embedded again first (akin run)",
                          run->params->base, what);
}

/* Checks before anything is read that the vectors of both files are compatible. */
static akin_status check_sides(extension *run) {
    akin_status status;
    char *a = NULL, *b = NULL;
    const akin_embeddings *base = run->base.file, *added = run->added.file;
    if (strcmp(akin_embeddings_model_digest(base), akin_embeddings_model_digest(added)) != 0 ||
        akin_embeddings_dim(base) != akin_embeddings_dim(added))
        AKIN_TRY(refuse(run, "its vectors are of another model"));
    AKIN_TRY(akin_ncfile_get_attribute(akin_embeddings_file(base), "catalog_options", &a));
    AKIN_TRY(akin_ncfile_get_attribute(akin_embeddings_file(added), "catalog_options", &b));
    if (!a || !b || strcmp(a, b) != 0)
        AKIN_TRY(refuse(run, "its pictures were shrunk with other options"));
done:
    akin_mem_free(a);
    akin_mem_free(b);
    return status;
}

/* This rank's rows of base and all added rows. Collective; agreed. */
static akin_status read_sides(extension *run) {
    akin_status status;
    int size = akin_comm_size(run->comm), rank = akin_comm_rank(run->comm);
    AKIN_TRY(akin_embeddings_open(run->comm, run->params->base, &run->base.file));
    AKIN_TRY(akin_embeddings_open(run->comm, run->params->added, &run->added.file));
    AKIN_TRY(akin_agree(run->comm, check_sides(run)));
    size_t n = run->base.items = akin_embeddings_items(run->base.file);
    size_t m = run->added.items = akin_embeddings_items(run->added.file);
    run->dim = akin_embeddings_dim(run->base.file);
    akin_status local = read_side(run, &run->base, akin_shard_first(n, size, rank),
                                  akin_shard_count(n, size, rank));
    if (local == AKIN_OK) local = read_side(run, &run->added, 0, m);
    if (local == AKIN_OK && !same_attributes(run->base.labels, run->added.labels))
        local = refuse(run, "its items have other attributes");
    AKIN_TRY(akin_agree(run->comm, local));
done:
    return status;
}

/* --- items to remove --- */

static akin_status take_id(void *context, size_t row, size_t count, const char *const *fields,
                           const size_t *lengths) {
    (void)count;
    const char *id = akin_csv_unsafe(fields[0]);
    bool whole = strlen(fields[0]) == lengths[0];
    if (row == 1 || !whole || *id == '\0') return AKIN_OK; /* not an id, or the header */
    return akin_text_append_bytes(context, id, strlen(id) + 1);
}

/* Rank 0 reads the list and broadcasts it. Collective; agreed. */
static akin_status share_left_out(extension *run) {
    akin_status status = AKIN_OK;
    akin_text *text = NULL;
    if (!run->params->left_out) return AKIN_OK;
    if (akin_comm_rank(run->comm) == 0) {
        status = akin_text_create(&text);
        if (status == AKIN_OK) status = akin_csv_read(run->params->left_out, ',', take_id, text);
        run->ids_bytes = status == AKIN_OK ? akin_text_length(text) : 0;
        run->ids = akin_mem_alloc(run->ids_bytes + 1, 1);
        if (status == AKIN_OK && !run->ids) status = AKIN_FAILED;
        if (status == AKIN_OK) memcpy(run->ids, akin_text_bytes(text), run->ids_bytes + 1);
    }
    AKIN_TRY(akin_agree(run->comm, status));
    status = akin_comm_share(run->comm, (void **)&run->ids, &run->ids_bytes, 0);
done:
    akin_text_free(text);
    return status;
}

/* --- the merged order --- */

/* The first row, in ascending order of ids, that is not before the id; *same: whether it has that
 * id. */
static size_t find_place(const side *s, const char *id, bool *same) {
    size_t low = 0, high = s->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(akin_labels_id(s->labels, middle), id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *same = low < s->count && strcmp(akin_labels_id(s->labels, low), id) == 0;
    return low;
}

/* An added item without a picture is only withdrawn. */
static bool is_withdrawn(const extension *run, size_t j) {
    return run->added.hashes[j] == 0;
}

/* Finds the rows of base that are replaced or removed, and the places of the added items.
 * Collective. */
static void find_places(extension *run) {
    bool same;
    for (size_t j = 0; j < run->added.count; j++) {
        size_t at = find_place(&run->base, akin_labels_id(run->added.labels, j), &same);
        run->place[j] = (int64_t)at;
        if (same) run->gone[at] = true;
        *(is_withdrawn(run, j) ? &run->left_out : &run->replaced) += same;
        run->withdrawn += is_withdrawn(run, j);
    }
    for (const char *id = run->ids; run->ids && id < run->ids + run->ids_bytes;
         id += strlen(id) + 1) {
        size_t at = find_place(&run->base, id, &same);
        run->left_out += same && !run->gone[at];
        if (same) run->gone[at] = true;
    }
    akin_comm_sum_i64(run->comm, run->place, run->added.count);
    akin_comm_sum_i64(run->comm, &run->replaced, 1);
    akin_comm_sum_i64(run->comm, &run->left_out, 1);
}

/* Whether an added item is written by this rank: it precedes one of its rows, or this is the last
 * rank and it follows all rows. */
static bool is_mine(const extension *run, size_t place) {
    bool last = akin_comm_rank(run->comm) == akin_comm_size(run->comm) - 1;
    return (place >= run->base.first && place < run->base.first + run->base.count) ||
           (last && place == run->base.items);
}

static void put_in_order(extension *run) {
    size_t j = 0, m = run->added.count;
    while (j < m && !is_mine(run, (size_t)run->place[j])) j++;
    for (size_t i = 0; i <= run->base.count; i++) {
        for (; j < m && is_mine(run, (size_t)run->place[j]) &&
               (size_t)run->place[j] == run->base.first + i;
             j++)
            if (!is_withdrawn(run, j)) run->order[run->count++] = run->base.count + j;
        if (i < run->base.count && !run->gone[i]) run->order[run->count++] = i;
    }
}

/* The number of rows that the ranks before this one write. Collective; agreed. */
static akin_status find_first(extension *run) {
    akin_status status;
    int size = akin_comm_size(run->comm), rank = akin_comm_rank(run->comm);
    int64_t *counts = akin_mem_zalloc((size_t)size, sizeof *counts);
    AKIN_TRY(akin_agree(run->comm, counts ? AKIN_OK : AKIN_FAILED));
    counts[rank] = (int64_t)run->count;
    akin_comm_sum_i64(run->comm, counts, (size_t)size);
    for (int r = 0; r < size; r++) {
        if (r < rank) run->first += (size_t)counts[r];
        run->items += (size_t)counts[r];
    }
done:
    akin_mem_free(counts);
    return status;
}

/* Collective; agreed. */
static akin_status arrange(extension *run) {
    akin_status status;
    size_t n = run->base.count, m = run->added.count;
    run->place = akin_mem_alloc(m, sizeof *run->place);
    run->gone = akin_mem_zalloc(n, sizeof *run->gone);
    run->order = akin_mem_alloc(n + m, sizeof *run->order);
    AKIN_TRY(akin_agree(run->comm, run->place && run->gone && run->order ? AKIN_OK : AKIN_FAILED));
    find_places(run);
    put_in_order(run);
    AKIN_TRY(find_first(run));
    if (run->items == 0) /* the same on all ranks */
        status = akin_error_set(AKIN_INPUT, "every item would be withdrawn: %s stays as it is",
                                run->params->base);
done:
    return status;
}

/* --- writing --- */

/* Copies the provenance of the vectors: the catalogue of base, and the changes made to it since. */
static akin_status digest_sources(const extension *run, char catalog[AKIN_HASH_TEXT_SIZE],
                                  char **added) {
    akin_status status;
    akin_hasher *hasher = NULL;
    char *base = NULL;
    AKIN_TRY(akin_hasher_create(&hasher));
    AKIN_TRY(akin_ncfile_get_attribute(akin_embeddings_file(run->base.file), "input_catalog_digest",
                                       &base));
    AKIN_TRY(akin_ncfile_get_attribute(akin_embeddings_file(run->added.file),
                                       "input_catalog_digest", added));
    akin_hasher_add_text(hasher, base ? base : "");
    akin_hasher_add_text(hasher, *added ? *added : "");
    akin_hasher_add_text(hasher, run->params->left_out_digest ? run->params->left_out_digest : "");
    akin_hash_text(akin_hasher_result(hasher), catalog);
done:
    akin_hasher_free(hasher);
    akin_mem_free(base);
    return status;
}

static void copy_rows(const extension *run, float *rows, uint64_t *hashes) {
    for (size_t i = 0; i < run->count; i++) {
        bool of_base = run->order[i] < run->base.count;
        const side *s = of_base ? &run->base : &run->added;
        size_t at = of_base ? run->order[i] : run->order[i] - run->base.count;
        memcpy(rows + i * run->dim, s->rows + at * run->dim, run->dim * sizeof *rows);
        hashes[i] = s->hashes[at];
    }
}

/* Collective; agreed. */
static akin_status write_all(extension *run) {
    akin_status status;
    char catalog[AKIN_HASH_TEXT_SIZE];
    char *options = NULL, *added = NULL;
    akin_labels *joined = NULL, *labels = NULL;
    float *rows = akin_mem_alloc(run->count, run->dim * sizeof *rows);
    uint64_t *hashes = akin_mem_alloc(run->count, sizeof *hashes);
    akin_status local = rows && hashes ? digest_sources(run, catalog, &added) : AKIN_FAILED;
    if (local == AKIN_OK)
        local = akin_ncfile_get_attribute(akin_embeddings_file(run->base.file), "catalog_options",
                                          &options);
    if (local == AKIN_OK)
        local = akin_labels_join(run->base.labels, run->base.count, run->added.labels,
                                 run->added.count, &joined);
    AKIN_TRY(akin_agree(run->comm, local));
    AKIN_TRY(akin_labels_take(run->comm, joined, run->order, run->count, &labels));
    copy_rows(run, rows, hashes);
    const akin_embeddings_origin origin = {.options = run->params->options,
                                           .result_options = run->params->result_options,
                                           .catalog_digest = catalog,
                                           .catalog_options = options,
                                           .model_digest =
                                               akin_embeddings_model_digest(run->base.file),
                                           .added_digest = added,
                                           .left_out_digest = run->params->left_out_digest};
    const akin_embeddings_content content = {run->items, run->dim, run->first,
                                             labels,     rows,     hashes};
    AKIN_TRY(akin_embeddings_write(run->comm, run->params->output, &origin, &content));
done:
    akin_labels_free(joined);
    akin_labels_free(labels);
    akin_mem_free(rows);
    akin_mem_free(hashes);
    akin_mem_free(options);
    akin_mem_free(added);
    return status;
}

static void report(const extension *run, akin_extend_result *result) {
    char items[AKIN_TEXT_COMMAS];
    *result =
        (akin_extend_result){.items = run->items,
                             .dim = run->dim,
                             .fresh = run->added.items - (size_t)(run->replaced + run->withdrawn),
                             .replaced = (size_t)run->replaced,
                             .left_out = (size_t)run->left_out};
    akin_log_summary("embed: %s item%s: %zu new, %zu replaced, %zu taken out",
                     akin_text_commas((double)run->items, items), AKIN_PLURAL(run->items),
                     result->fresh, result->replaced, result->left_out);
}

akin_status akin_extend(akin_comm *comm, const akin_extend_params *params,
                        akin_extend_result *result) {
    akin_status status;
    extension run = {.comm = comm, .params = params};
    *result = (akin_extend_result){0};
    AKIN_TRY(read_sides(&run));
    AKIN_TRY(share_left_out(&run));
    AKIN_TRY(arrange(&run));
    AKIN_TRY(write_all(&run));
    report(&run, result);
done:
    release_side(&run.base);
    release_side(&run.added);
    akin_mem_free(run.ids);
    akin_mem_free(run.place);
    akin_mem_free(run.gone);
    akin_mem_free(run.order);
    return status;
}
