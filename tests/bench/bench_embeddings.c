/* Writes embeddings of synthetic items, uniform on the sphere, with categories, for benchmarks of
 * the rules.
 *
 * usage: bench_embeddings OUT.nc ITEMS DIM CATEGORIES [half]
 *
 * Categories have the same size; with `half` the first one has half of all items. */
#include <akin/comm.h>
#include <akin/embeddings.h>
#include <akin/mem.h>
#include <akin/rng.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static void draw_row(size_t i, size_t dim, float *row) {
    double length = 0;
    for (size_t t = 0; t < dim; t++) {
        row[t] = (float)akin_rng_normal(1, AKIN_RNG_TEST, 1, i * dim + t);
        length += (double)row[t] * row[t];
    }
    for (size_t t = 0; t < dim; t++) row[t] = (float)(row[t] / sqrt(length)) + 0.0f;
}

static akin_status name_categories(akin_labels *labels, size_t categories) {
    char(*text)[40] = akin_mem_alloc(categories, sizeof *text);
    const char **names = akin_mem_alloc(categories, sizeof *names);
    if (!text || !names) return AKIN_FAILED;
    for (size_t c = 0; c < categories; c++) {
        snprintf(text[c], sizeof text[c], "category-%06zu", c);
        names[c] = text[c];
    }
    akin_status status = akin_labels_set_category_names(labels, categories, names);
    akin_mem_free(text);
    akin_mem_free(names);
    return status;
}

int main(int argc, char **argv) {
    akin_comm *comm = NULL;
    akin_labels *labels = NULL;
    if (akin_comm_start(&argc, &argv, &comm) != AKIN_OK || argc < 5) return 2;
    size_t n = (size_t)atoll(argv[2]), dim = (size_t)atoll(argv[3]),
           categories = (size_t)atoll(argv[4]);
    float *rows = akin_mem_alloc(n, dim * sizeof *rows);
    uint64_t *hashes = akin_mem_zalloc(n, sizeof *hashes);
    if (!rows || !hashes || akin_labels_create(n, 10, &labels) != AKIN_OK) return 1;
    if (name_categories(labels, categories) != AKIN_OK) return 1;
    for (size_t i = 0; i < n; i++) {
        char id[32];
        snprintf(id, sizeof id, "sku%07zu", i);
        if (akin_labels_set_id(labels, i, id) != AKIN_OK) return 1;
        bool first = argc > 5 && akin_rng_bits(2, AKIN_RNG_TEST, 2, i) & 1;
        akin_labels_category(labels)[i] =
            first ? 0 : (int32_t)(akin_rng_bits(2, AKIN_RNG_TEST, 3, i) % categories);
        akin_labels_available(labels)[i] = 1;
        hashes[i] = i;
        draw_row(i, dim, rows + i * dim);
    }
    const akin_embeddings_origin origin = {.options = "", .result_options = ""};
    akin_status status = akin_embeddings_write(
        comm, argv[1], &origin, &(akin_embeddings_content){n, dim, 0, labels, rows, hashes});
    if (status != AKIN_OK) fprintf(stderr, "bench_embeddings: %s\n", akin_error_message());
    akin_labels_free(labels);
    akin_mem_free(rows);
    akin_mem_free(hashes);
    akin_comm_finish(comm);
    return status == AKIN_OK ? 0 : 1;
}
