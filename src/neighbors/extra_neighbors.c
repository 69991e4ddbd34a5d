/* extra_neighbors: neighbours beyond those of the table. */
#include "extra_neighbors.h"
#include <akin/mem.h>
#include <akin/ncfile.h>
#include <akin/topk.h>
#include <string.h>

struct akin_extra_neighbors {
    akin_ncfile *file;
    size_t n, k, rows;
};

#define ORDER "row_order"
#define BY_PRODUCT "product"

static const akin_ncfile_field schema[] = {
    {"key", AKIN_NC_UINT64, "item,k", "1", "score and row of a neighbour"},
    {"whole", AKIN_NC_BYTE, "item", "1", "whether there are no more neighbours"},
    {0}};

static void define(akin_ncfile *file, const char *table_digest,
                   const akin_extra_neighbors_part *part) {
    akin_ncfile_attribute(file, NULL, "title", "Spare neighbours of a recommendation table");
    akin_ncfile_attribute(
        file, NULL, "summary",
        "Lets the next night avoid recomputing lists that lose members. May be removed.");
    akin_ncfile_attribute(file, NULL, "input_table_digest", table_digest);
    if (part->by_product) akin_ncfile_attribute(file, NULL, ORDER, BY_PRODUCT);
    akin_ncfile_dimension(file, "item", part->n);
    akin_ncfile_dimension(file, "k", part->k);
    akin_ncfile_define(file, schema);
}

akin_status akin_extra_neighbors_write(akin_comm *comm, const char *path, const char *table_digest,
                                       const akin_extra_neighbors_part *part) {
    akin_status status;
    akin_ncfile *file = NULL;
    AKIN_TRY(akin_ncfile_create(comm, path, "spare", &file));
    define(file, table_digest, part);
    AKIN_TRY(akin_ncfile_begin(file));
    akin_ncfile_put(file, "key", part->first, part->count, part->keys);
    akin_ncfile_put(file, "whole", part->first, part->count, part->whole);
    return akin_ncfile_commit(file, NULL);
done:
    akin_ncfile_discard(file);
    return status;
}

static akin_status check(akin_extra_neighbors *spare, const akin_extra_neighbors_claim *claim) {
    akin_status status;
    size_t n;
    char *digest = NULL, *order = NULL;
    AKIN_TRY(akin_ncfile_get_attribute(spare->file, "input_table_digest", &digest));
    AKIN_TRY(akin_ncfile_get_attribute(spare->file, ORDER, &order));
    AKIN_TRY(akin_ncfile_check_schema(spare->file, schema));
    AKIN_TRY(akin_ncfile_length(spare->file, "item", &n));
    AKIN_TRY(akin_ncfile_length(spare->file, "k", &spare->k));
    if (n != spare->n || !digest || strcmp(digest, claim->table_digest) != 0)
        status = akin_error_set(AKIN_INPUT, "%s belongs to another table",
                                akin_ncfile_path(spare->file));
    else if (strcmp(order ? order : "", claim->by_product ? BY_PRODUCT : "") != 0)
        status = akin_error_set(AKIN_INPUT, "%s numbers the pictures of products otherwise",
                                akin_ncfile_path(spare->file));
done:
    akin_mem_free(digest);
    akin_mem_free(order);
    return status;
}

akin_status akin_extra_neighbors_open(akin_comm *comm, const char *path,
                                      const akin_extra_neighbors_claim *claim,
                                      akin_extra_neighbors **out) {
    akin_status status;
    *out = NULL;
    akin_extra_neighbors *spare = akin_mem_zalloc(1, sizeof *spare);
    AKIN_TRY(akin_agree(comm, spare != NULL ? AKIN_OK : AKIN_FAILED));
    spare->n = claim->n, spare->rows = claim->rows;
    AKIN_TRY(akin_ncfile_open(comm, path, "spare", &spare->file));
    AKIN_TRY(akin_agree(comm, check(spare, claim)));
    *out = spare, spare = NULL;
done:
    akin_extra_neighbors_close(spare);
    return status;
}

void akin_extra_neighbors_close(akin_extra_neighbors *spare) {
    if (!spare) return;
    akin_ncfile_close(spare->file);
    akin_mem_free(spare);
}

size_t akin_extra_neighbors_k(const akin_extra_neighbors *spare) {
    return spare->k;
}

akin_status akin_extra_neighbors_rows(const akin_extra_neighbors *spare, size_t first, size_t count,
                                      uint64_t *keys, int8_t *whole) {
    akin_status status;
    AKIN_TRY(akin_ncfile_get(spare->file, "key", first, count, keys));
    AKIN_TRY(akin_ncfile_get(spare->file, "whole", first, count, whole));
    for (size_t i = 0; i < count * spare->k; i++)
        if (keys[i] != 0 &&
            (akin_topk_row(keys[i]) < 0 || (size_t)akin_topk_row(keys[i]) >= spare->rows))
            return akin_error_set(AKIN_INPUT,
                                  "%s: item %zu has a neighbour that is not one of its items",
                                  akin_ncfile_path(spare->file), first + i / spare->k);
done:
    return status;
}
