/* aspect: vectors made of selected parts of the model. */
#include "aspect.h"
#include <akin/catalog.h>
#include <akin/embeddings.h>
#include <akin/encoder.h>
#include <akin/file.h>
#include <akin/log.h>
#include <akin/mem.h>
#include <akin/model.h>
#include <akin/text.h>
#include <string.h>

#define CHUNK ((size_t)1024) /* pictures between two checks for messages of other ranks */

typedef struct {
    akin_comm *comm;
    const akin_aspect *aspect;
    const akin_vectors *vectors;
    akin_model *model;
    akin_catalog *catalog, *against; /* with --against, the vectors of the targets; NULL: none */
    akin_encoder *encoder;
    size_t dim, seen; /* columns of a vector; columns of a trained network's output */
    float *rows;      /* [count, dim] */
} work;

/* The given file, or the one with this name in the folder of the embeddings; owned, NULL: out of
 * memory. */
static char *beside(const char *embeddings, const char *given, const char *name) {
    char *folder = given ? NULL : akin_file_folder(embeddings);
    char *path = given ? akin_mem_text(given) : folder ? akin_file_join(folder, name) : NULL;
    akin_mem_free(folder);
    return path;
}

/* --- the selected parts --- */

static akin_status no_such_part(const work *w, const char *name, size_t length) {
    akin_text *parts = NULL;
    akin_status status = akin_text_create(&parts);
    if (status == AKIN_OK) status = akin_features_name_parts(akin_model_features(w->model), parts);
    if (status == AKIN_OK)
        status = akin_error_option("aspect",
                                   "--aspect %s: the vectors of %s have no part \"%.*s\"; they "
                                   "have %s",
                                   w->aspect->parts, w->aspect->input.embeddings, (int)length, name,
                                   akin_text_bytes(parts));
    akin_text_free(parts);
    return status;
}

/* Parses "texture,shape"; each part must have a weight in the model. */
static akin_status choose_parts(const work *w, bool chosen[AKIN_PARTS]) {
    const akin_features *features = akin_model_features(w->model);
    for (const char *at = w->aspect->parts;; at++) {
        size_t length = strcspn(at, ",");
        const akin_part part = akin_features_find_part(features, at, length);
        if (part == AKIN_PARTS) return no_such_part(w, at, length);
        chosen[part] = true;
        at += length;
        if (*at == '\0') return AKIN_OK;
    }
}

/* --- the model and the catalogues --- */

static akin_status check_model(const work *w, const char *path, const char *model,
                               const char *made_by) {
    if (*made_by == '\0')
        return akin_error_option("aspect",
                                 "--aspect %s: %s was not made by a model alone, so its "
                                 "vectors have no known parts",
                                 w->aspect->parts, path);
    if (strcmp(akin_model_digest(w->model), made_by) == 0) return AKIN_OK;
    return akin_error_set(AKIN_INPUT,
                          "--aspect: %s was not made by the model %s; --model names the one "
                          "that made it",
                          path, model);
}

/* Opens the catalogue that the embeddings were made from. Collective; agreed. */
static akin_status open_catalog(const work *w, const akin_aspect_input *input, const char *model,
                                const char *option, akin_catalog **out) {
    akin_status status;
    akin_embeddings *embeddings = NULL;
    char *made_from = NULL, *catalog = beside(input->embeddings, input->catalog, "catalog.nc");
    AKIN_TRY(akin_agree(w->comm, catalog ? AKIN_OK : AKIN_FAILED));
    AKIN_TRY(akin_embeddings_open(w->comm, input->embeddings, &embeddings));
    AKIN_TRY(check_model(w, input->embeddings, model, akin_embeddings_model_digest(embeddings)));
    AKIN_TRY(akin_agree(w->comm, akin_ncfile_get_attribute(akin_embeddings_file(embeddings),
                                                           "input_catalog_digest", &made_from)));
    AKIN_TRY(akin_catalog_open(w->comm, catalog, out));
    if (!made_from || strcmp(akin_catalog_digest(*out), made_from) != 0)
        AKIN_TRY(akin_error_set(AKIN_INPUT,
                                "--aspect: %s was not made from the catalogue %s; --%s names "
                                "the one that it was made from",
                                input->embeddings, catalog, option));
done:
    akin_embeddings_close(embeddings);
    akin_mem_free(made_from);
    akin_mem_free(catalog);
    return status;
}

/* Collective; agreed. */
static akin_status open_files(work *w) {
    akin_status status;
    const akin_aspect_input *input = &w->aspect->input, *against = &w->aspect->against;
    char *model = beside(w->aspect->beside ? w->aspect->beside : input->embeddings,
                         w->aspect->model, "model.nc");
    AKIN_TRY(akin_agree(w->comm, model ? AKIN_OK : AKIN_FAILED));
    if (*akin_vectors_model_digest(w->vectors) == '\0')
        AKIN_TRY(check_model(w, input->embeddings, model, ""));
    AKIN_TRY(akin_model_read(w->comm, model, &w->model));
    AKIN_TRY(open_catalog(w, input, model, "catalog", &w->catalog));
    if (against->embeddings)
        AKIN_TRY(open_catalog(w, against, model, "against-catalog", &w->against));
done:
    akin_mem_free(model);
    return status;
}

static akin_status prepare(work *w) {
    akin_status status;
    bool chosen[AKIN_PARTS] = {false};
    AKIN_TRY(choose_parts(w, chosen));
    AKIN_TRY(akin_encoder_create_of(w->model, chosen, &w->encoder));
    w->dim = akin_encoder_dim(w->encoder), w->seen = akin_encoder_seen(w->encoder);
    if (w->seen > 0) AKIN_TRY(akin_model_check_network(w->model, w->catalog));
    if (w->seen > 0 && w->against) AKIN_TRY(akin_model_check_network(w->model, w->against));
    w->rows = akin_mem_alloc(akin_vectors_count(w->vectors), w->dim * sizeof *w->rows);
    status = w->rows ? AKIN_OK : AKIN_FAILED;
done:
    return status;
}

/* --- the vectors --- */

/* Encodes the pictures of one catalogue. */
static akin_status take_pictures(const akin_catalog *catalog, size_t row, size_t count,
                                 uint8_t *images, float *seen) {
    akin_status status = AKIN_OK;
    if (count == 0) return AKIN_OK;
    AKIN_TRY(akin_catalog_images(catalog, row, count, images));
    if (seen) AKIN_TRY(akin_catalog_network_rows(catalog, row, count, seen));
done:
    return status;
}

static akin_status compute_chunk(const work *w, size_t at, size_t count, uint8_t *images,
                                 float *seen) {
    akin_status status;
    size_t sources = akin_vectors_sources(w->vectors), row = akin_vectors_first(w->vectors) + at,
           left = row < sources ? sources - row : 0, own = left < count ? left : count;
    AKIN_TRY(take_pictures(w->catalog, row, own, images, seen));
    AKIN_TRY(take_pictures(w->against, row + own - sources, count - own,
                           images + own * AKIN_IMAGE_BYTES, seen ? seen + own * w->seen : NULL));
    status = akin_encoder_vectors(w->encoder, images, seen, count, w->rows + at * w->dim);
done:
    return status;
}

/* Collective; agreed. */
static akin_status compute(const work *w) {
    akin_status status;
    size_t count = akin_vectors_count(w->vectors);
    int64_t most = (int64_t)count;
    uint8_t *images = akin_mem_alloc(CHUNK, AKIN_IMAGE_BYTES);
    float *seen = w->seen > 0 ? akin_mem_alloc(CHUNK, w->seen * sizeof *seen) : NULL;
    AKIN_TRY(akin_agree(w->comm, images && (seen || w->seen == 0) ? AKIN_OK : AKIN_FAILED));
    akin_comm_max_i64(w->comm, &most, 1);
    for (size_t done = 0; done < (size_t)most; done += CHUNK) {
        akin_status local = AKIN_OK;
        size_t rest = count > done ? count - done : 0;
        if (rest > 0) local = compute_chunk(w, done, rest < CHUNK ? rest : CHUNK, images, seen);
        if (local == AKIN_OK && akin_comm_signalled())
            local = akin_error_set(AKIN_INTERRUPTED, "interrupted while the vectors of --aspect "
                                                     "were computed: run the same command again");
        AKIN_TRY(akin_agree(w->comm, local));
        akin_log_progress("neighbors", "pictures of rank 0",
                          (double)(done + (rest < CHUNK ? rest : CHUNK)), (double)most);
    }
done:
    akin_log_progress_end();
    akin_mem_free(images);
    akin_mem_free(seen);
    return status;
}

akin_status akin_aspect_take(akin_comm *comm, const akin_aspect *aspect, akin_vectors **vectors) {
    akin_status status;
    work w = {.comm = comm, .aspect = aspect, .vectors = *vectors};
    akin_vectors *taken = NULL;
    akin_labels *labels = NULL, *own = akin_vectors_labels(*vectors);
    size_t n = akin_vectors_items(*vectors);
    AKIN_TRY(open_files(&w));
    AKIN_TRY(akin_agree(comm, prepare(&w)));
    AKIN_TRY(compute(&w));
    AKIN_TRY(akin_agree(comm, akin_labels_join(own, akin_labels_count(own), own, 0, &labels)));
    const akin_vectors_shape shape = {n, akin_vectors_sources(*vectors), w.dim, 0};
    AKIN_TRY(akin_vectors_create_of(comm, *vectors, shape, w.rows, labels, &taken));
    akin_vectors_free(*vectors);
    *vectors = taken;
done:
    akin_encoder_free(w.encoder);
    akin_model_free(w.model);
    akin_catalog_close(w.catalog);
    akin_catalog_close(w.against);
    akin_mem_free(w.rows);
    return status;
}
