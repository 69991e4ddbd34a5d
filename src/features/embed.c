/* embed: one unit vector per item. */
#include <akin/catalog.h>
#include <akin/embed.h>
#include <akin/embeddings.h>
#include <akin/encoder.h>
#include <akin/file.h>
#include <akin/log.h>
#include <akin/mem.h>
#include <akin/shard.h>
#include <akin/text.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK ((size_t)1024)    /* images between two checks for messages of other ranks */
#define PREVIOUS ((size_t)4096) /* rows of the previous file at a time */

typedef struct {
    uint64_t hash;
    size_t item; /* of this rank's shard */
} wanted;

typedef struct {
    akin_comm *comm;
    const akin_embed_params *params;
    akin_catalog *catalog;
    akin_model *model;
    akin_encoder *encoder;
    akin_embeddings *previous;
    size_t first, count, dim; /* this rank's rows */
    akin_labels *labels;      /* [count] */
    uint64_t *hashes;         /* [count] */
    float *rows;              /* [count, dim] */
    float *seen;              /* [CHUNK] rows of network outputs; NULL: the model needs none */
    size_t *missing;          /* [missing_count] rows of the catalogue to compute, ascending */
    size_t missing_count;
    double seconds;
} embed;

/* Everything that can fail on one rank only. */
static akin_status read_shard(embed *run) {
    akin_status status;
    if (akin_comm_rank(run->comm) == 0) AKIN_TRY(akin_file_check_output(run->params->output));
    AKIN_TRY(akin_model_check_network(run->model, run->catalog));
    AKIN_TRY(akin_encoder_create(run->model, &run->encoder));
    run->dim = akin_encoder_dim(run->encoder);
    run->hashes = akin_mem_alloc(run->count, sizeof *run->hashes);
    run->rows = akin_mem_alloc(run->count, run->dim * sizeof *run->rows);
    run->missing = akin_mem_alloc(run->count, sizeof *run->missing);
    if (!run->hashes || !run->rows || !run->missing) return AKIN_FAILED;
    AKIN_TRY(
        akin_labels_read(akin_catalog_file(run->catalog), run->first, run->count, &run->labels));
    AKIN_TRY(akin_catalog_hashes(run->catalog, run->first, run->count, run->hashes));
done:
    return status;
}

static akin_status begin(embed *run) {
    akin_status status;
    AKIN_TRY(akin_catalog_open(run->comm, run->params->catalog, &run->catalog));
    AKIN_TRY(akin_model_read(run->comm, run->params->model, &run->model));
    int size = akin_comm_size(run->comm), rank = akin_comm_rank(run->comm);
    run->first = akin_shard_first(akin_catalog_items(run->catalog), size, rank);
    run->count = akin_shard_count(akin_catalog_items(run->catalog), size, rank);
    AKIN_TRY(akin_agree(run->comm, read_shard(run)));
done:
    return status;
}

/* --- reusing vectors of the previous file --- */

static int compare_wanted(const void *a, const void *b) {
    const wanted *x = a, *y = b;
    if (x->hash != y->hash) return x->hash < y->hash ? -1 : 1;
    return x->item < y->item ? -1 : x->item > y->item;
}

/* The first of the wanted rows, ascending by hash, that has this hash; count if none has. */
static size_t find_wanted(const wanted *list, size_t count, uint64_t hash) {
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (list[middle].hash < hash)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && list[low].hash == hash ? low : count;
}

/* Copies rows [first, first + count) of the previous file to the rows that want them. Reads vectors
 * only if at least one is wanted. */
static akin_status take_previous(embed *run, const wanted *list, size_t first, size_t count,
                                 uint64_t *hashes, float *vectors, bool *found) {
    akin_status status;
    bool have_vectors = false;
    AKIN_TRY(akin_embeddings_hashes(run->previous, first, count, hashes));
    for (size_t i = 0; i < count; i++)
        for (size_t w = find_wanted(list, run->count, hashes[i]);
             w < run->count && list[w].hash == hashes[i]; w++) {
            if (!have_vectors) AKIN_TRY(akin_embeddings_rows(run->previous, first, count, vectors));
            have_vectors = true;
            memcpy(run->rows + list[w].item * run->dim, vectors + i * run->dim,
                   run->dim * sizeof(float));
            found[list[w].item] = true;
        }
done:
    return status;
}

/* Streams the previous file and looks up the sorted hashes of this shard; memory is needed for the
 * shard alone. found [count]. */
static akin_status search_previous(embed *run, bool *found) {
    akin_status status = AKIN_OK;
    wanted *list = akin_mem_alloc(run->count, sizeof *list);
    uint64_t *hashes = akin_mem_alloc(PREVIOUS, sizeof *hashes);
    float *vectors = akin_mem_alloc(PREVIOUS, run->dim * sizeof *vectors);
    if (!list || !hashes || !vectors) {
        status = AKIN_FAILED;
        goto done;
    }
    for (size_t i = 0; i < run->count; i++) list[i] = (wanted){.hash = run->hashes[i], .item = i};
    qsort(list, run->count, sizeof *list, compare_wanted);
    size_t n = akin_embeddings_items(run->previous);
    for (size_t first = 0; first < n && run->count > 0; first += PREVIOUS)
        AKIN_TRY(take_previous(run, list, first, n - first < PREVIOUS ? n - first : PREVIOUS,
                               hashes, vectors, found));
done:
    akin_mem_free(list);
    akin_mem_free(hashes);
    akin_mem_free(vectors);
    return status;
}

/* Whether the previous file contains the vectors that this model would compute: the model must be
 * the same, and the pictures must have been shrunk with the same options, because equal hashes of
 * files imply equal pictures only then. Otherwise nothing is reused. The answer is the same on
 * every rank. */
static akin_status previous_serves(embed *run, bool *serves) {
    akin_status status;
    char *options = NULL, *previous_options = NULL;
    if (strcmp(akin_embeddings_model_digest(run->previous), akin_model_digest(run->model)) != 0 ||
        akin_embeddings_dim(run->previous) != run->dim)
        return akin_error_set(AKIN_INPUT,
                              "--previous %s was made with another model than %s; leave it out",
                              run->params->previous, run->params->model);
    AKIN_TRY(akin_catalog_decoding(run->catalog, &options));
    AKIN_TRY(akin_ncfile_get_attribute(akin_embeddings_file(run->previous), "catalog_options",
                                       &previous_options));
    *serves = options && previous_options && strcmp(options, previous_options) == 0;
    if (*serves) AKIN_TRY(akin_ncfile_tell_cpu(akin_embeddings_file(run->previous), "--previous"));
done:
    akin_mem_free(options);
    akin_mem_free(previous_options);
    return status;
}

/* Copies the rows that --previous contains, and lists the missing ones. */
static akin_status list_missing(embed *run, bool serves) {
    akin_status status = AKIN_OK;
    bool *found = akin_mem_zalloc(run->count, sizeof *found);
    if (!found) return AKIN_FAILED;
    if (serves) AKIN_TRY(search_previous(run, found));
    for (size_t i = 0; i < run->count; i++)
        if (!found[i]) run->missing[run->missing_count++] = run->first + i;
done:
    akin_mem_free(found);
    return status;
}

static akin_status use_previous(embed *run) {
    akin_status status;
    bool serves = false;
    if (run->params->previous) {
        AKIN_TRY(akin_embeddings_open(run->comm, run->params->previous, &run->previous));
        AKIN_TRY(akin_agree(run->comm, previous_serves(run, &serves)));
        if (!serves)
            akin_log_warning("embed: the pictures of %s were shrunk with other options: all "
                             "vectors are computed again",
                             run->params->previous);
    }
    AKIN_TRY(akin_agree(run->comm, list_missing(run, serves)));
done:
    return status;
}

/* --- computing --- */

static akin_status compute_chunk(embed *run, const size_t *items, size_t count, uint8_t *images,
                                 float *vectors) {
    akin_status status;
    AKIN_TRY(akin_catalog_images_at(run->catalog, items, count, images));
    if (run->seen) AKIN_TRY(akin_catalog_network_at(run->catalog, items, count, run->seen));
    AKIN_TRY(akin_encoder_vectors(run->encoder, images, run->seen, count, vectors));
    for (size_t i = 0; i < count; i++)
        memcpy(run->rows + (items[i] - run->first) * run->dim, vectors + i * run->dim,
               run->dim * sizeof(float));
done:
    if (status != AKIN_OK)
        akin_error_context(status, "%s from row %zu: ", run->params->catalog,
                           count > 0 ? items[0] : run->first);
    return status;
}

static akin_status compute(embed *run) {
    akin_status status;
    int64_t most = (int64_t)run->missing_count; /* all ranks do the same number of rounds */
    uint8_t *images = akin_mem_alloc(CHUNK, AKIN_IMAGE_BYTES);
    float *vectors = akin_mem_alloc(CHUNK, run->dim * sizeof *vectors);
    size_t seen = akin_encoder_seen(run->encoder);
    if (seen > 0) run->seen = akin_mem_alloc(CHUNK, seen * sizeof *run->seen);
    bool room = images && vectors && (run->seen || seen == 0);
    AKIN_TRY(akin_agree(run->comm, room ? AKIN_OK : AKIN_FAILED));
    akin_comm_max_i64(run->comm, &most, 1);
    double start = akin_comm_seconds();
    for (size_t done = 0; done < (size_t)most; done += CHUNK) {
        akin_status local = AKIN_OK;
        size_t rest = run->missing_count > done ? run->missing_count - done : 0;
        if (rest > 0)
            local = compute_chunk(run, run->missing + done, rest < CHUNK ? rest : CHUNK, images,
                                  vectors);
        if (local == AKIN_OK && akin_comm_signalled())
            local = akin_error_set(AKIN_INTERRUPTED,
                                   "embed was interrupted; %s is unchanged, submit again",
                                   run->params->output);
        AKIN_TRY(akin_agree(run->comm, local));
        size_t shown = done + CHUNK < (size_t)most ? done + CHUNK : (size_t)most;
        akin_log_progress("embed", "images of rank 0", (double)shown, (double)most);
    }
    run->seconds = akin_comm_seconds() - start;
done:
    akin_log_progress_end();
    akin_mem_free(images);
    akin_mem_free(vectors);
    return status;
}

/* --- finishing --- */

static akin_status finish(embed *run) {
    akin_status status;
    char *catalog_options = NULL;
    AKIN_TRY(akin_agree(run->comm, akin_catalog_decoding(run->catalog, &catalog_options)));
    akin_embeddings_origin origin = {.options = run->params->options,
                                     .result_options = run->params->result_options,
                                     .catalog_digest = akin_catalog_digest(run->catalog),
                                     .catalog_options = catalog_options,
                                     .model_digest = akin_model_digest(run->model)};
    AKIN_TRY(akin_embeddings_write(run->comm, run->params->output, &origin,
                                   &(akin_embeddings_content){akin_catalog_items(run->catalog),
                                                              run->dim, run->first, run->labels,
                                                              run->rows, run->hashes}));
done:
    akin_mem_free(catalog_options);
    return status;
}

static void report(embed *run, akin_embed_result *result) {
    int64_t computed = (int64_t)run->missing_count;
    double seconds = run->seconds;
    akin_comm_sum_i64(run->comm, &computed, 1);
    akin_comm_max_f64(run->comm, &seconds, 1);
    *result =
        (akin_embed_result){.items = akin_catalog_items(run->catalog),
                            .dim = run->dim,
                            .computed = (size_t)computed,
                            .images_per_second = computed > 0 ? (double)computed / seconds : NAN};
    char items[AKIN_TEXT_COMMAS], fresh[AKIN_TEXT_COMMAS], reused[AKIN_TEXT_COMMAS];
    akin_log_summary("embed: %s item%s, %s computed, %s reused from the previous file",
                     akin_text_commas((double)result->items, items), AKIN_PLURAL(result->items),
                     akin_text_commas((double)result->computed, fresh),
                     akin_text_commas((double)(result->items - result->computed), reused));
}

static void end(embed *run) {
    akin_mem_free(run->hashes);
    akin_mem_free(run->rows);
    akin_mem_free(run->seen);
    akin_mem_free(run->missing);
    akin_labels_free(run->labels);
    akin_encoder_free(run->encoder);
    akin_model_free(run->model);
    akin_embeddings_close(run->previous);
    akin_catalog_close(run->catalog);
}

akin_status akin_embed(akin_comm *comm, const akin_embed_params *params,
                       akin_embed_result *result) {
    akin_status status;
    embed run = {.comm = comm, .params = params};
    *result = (akin_embed_result){0};
    AKIN_TRY(begin(&run));
    AKIN_TRY(use_previous(&run));
    AKIN_TRY(compute(&run));
    AKIN_TRY(finish(&run));
    report(&run, result);
done:
    end(&run);
    return status;
}
