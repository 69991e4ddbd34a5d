/* embeddings: embeddings.nc, one unit vector per item. */
#include <akin/embeddings.h>

#include <akin/mem.h>

struct akin_embeddings {
    akin_ncfile *file;
    size_t items, dim;
    char *model_digest; /* "" = unknown */
};

static const akin_ncfile_field schema[] = {
    {"embedding", AKIN_NC_FLOAT, "item,feature", "1", "embedding of the picture, of unit length"},
    {"content_hash", AKIN_NC_UINT64, "item", NULL,
     "embeddings: embeddings.nc, one unit vector per item."},
    {0}};

static akin_status check_schema(akin_embeddings *embeddings) {
    akin_status status;
    const akin_ncfile *file = embeddings->file;
    AKIN_TRY(akin_ncfile_length(file, "item", &embeddings->items));
    AKIN_TRY(akin_ncfile_length(file, "feature", &embeddings->dim));
    AKIN_TRY(akin_ncfile_check_schema(file, schema));
    AKIN_TRY(akin_ncfile_get_attribute(file, "input_model_digest", &embeddings->model_digest));
    if (!embeddings->model_digest && !(embeddings->model_digest = akin_mem_text("")))
        AKIN_TRY(AKIN_FAILED);
done:
    return status;
}

akin_status akin_embeddings_open(akin_comm *comm, const char *path, akin_embeddings **out) {
    akin_status status;
    *out = NULL;
    akin_embeddings *embeddings = akin_mem_zalloc(1, sizeof *embeddings);
    AKIN_TRY(akin_agree(comm, embeddings ? AKIN_OK : AKIN_FAILED));
    AKIN_TRY(akin_ncfile_open(comm, path, "embeddings", &embeddings->file));
    AKIN_TRY(akin_agree(comm, check_schema(embeddings)));
    *out = embeddings;
    return AKIN_OK;
done:
    akin_embeddings_close(embeddings);
    return status;
}

void akin_embeddings_close(akin_embeddings *embeddings) {
    if (!embeddings) return;
    akin_ncfile_close(embeddings->file);
    akin_mem_free(embeddings->model_digest);
    akin_mem_free(embeddings);
}

size_t akin_embeddings_items(const akin_embeddings *embeddings) {
    return embeddings->items;
}

size_t akin_embeddings_dim(const akin_embeddings *embeddings) {
    return embeddings->dim;
}

const char *akin_embeddings_digest(const akin_embeddings *embeddings) {
    return akin_ncfile_digest(embeddings->file);
}

const char *akin_embeddings_model_digest(const akin_embeddings *embeddings) {
    return embeddings->model_digest;
}

const akin_ncfile *akin_embeddings_file(const akin_embeddings *embeddings) {
    return embeddings->file;
}

akin_status akin_embeddings_rows(const akin_embeddings *embeddings, size_t first, size_t count,
                                 float *rows) {
    return akin_ncfile_get(embeddings->file, "embedding", first, count, rows);
}

akin_status akin_embeddings_hashes(const akin_embeddings *embeddings, size_t first, size_t count,
                                   uint64_t *hashes) {
    return akin_ncfile_get(embeddings->file, "content_hash", first, count, hashes);
}

static void define(akin_ncfile *file, const akin_embeddings_origin *origin, size_t n, size_t dim,
                   const akin_labels *labels) {
    akin_ncfile_attribute(file, NULL, "title", "Embeddings of a product catalogue");
    akin_ncfile_attribute(file, NULL, "summary",
                          "One vector of unit length for the picture of each item of a product "
                          "catalogue, such that pictures that look alike have a large cosine.");
    akin_ncfile_attribute(file, NULL, "akin_options", origin->options);
    akin_ncfile_attribute(file, NULL, "akin_result_options", origin->result_options);
    akin_ncfile_attribute(file, NULL, "input_catalog_digest", origin->catalog_digest);
    akin_ncfile_attribute(file, NULL, "catalog_options", origin->catalog_options);
    akin_ncfile_attribute(file, NULL, "input_model_digest", origin->model_digest);
    akin_ncfile_attribute(file, NULL, "input_vectors_digest", origin->vectors_digest);
    akin_ncfile_attribute(file, NULL, "input_blended_digest", origin->blended_digest);
    akin_ncfile_attribute(file, NULL, "input_added_digest", origin->added_digest);
    akin_ncfile_attribute(file, NULL, "input_left_out_digest", origin->left_out_digest);
    akin_ncfile_dimension(file, "item", n);
    akin_ncfile_dimension(file, "feature", dim);
    akin_labels_define(labels, file);
    akin_ncfile_define(file, schema);
}

akin_status akin_embeddings_write(akin_comm *comm, const char *path,
                                  const akin_embeddings_origin *origin,
                                  const akin_embeddings_content *content) {
    akin_status status;
    akin_ncfile *file = NULL;
    size_t first = content->first, count = akin_labels_count(content->labels);
    AKIN_TRY(akin_ncfile_create(comm, path, "embeddings", &file));
    define(file, origin, content->n, content->dim, content->labels);
    AKIN_TRY(akin_ncfile_begin(file));
    AKIN_TRY(akin_labels_put(content->labels, file, comm, first));
    akin_ncfile_put(file, "embedding", first, count, content->rows);
    akin_ncfile_put(file, "content_hash", first, count, content->hashes);
    status = akin_ncfile_commit(file, NULL);
    file = NULL; /* freed by commit */
done:
    akin_ncfile_discard(file);
    return status;
}
