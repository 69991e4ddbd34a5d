/* table_spare: writes the neighbours beyond those of a table. */
#include "table_spare.h"
#include "extra_neighbors.h"
#include <akin/mem.h>
#include <akin/ncfile.h>
#include <string.h>
#include <unistd.h>

/* The keys after the first ones, and whether each list is complete. */
static akin_status split_spare(const akin_table_run *r, size_t count, size_t width, uint64_t **keys,
                               int8_t **whole) {
    size_t k = r->list - width;
    *keys = akin_mem_alloc(count, width * sizeof **keys);
    *whole = akin_mem_alloc(count, sizeof **whole);
    if (*keys == NULL || *whole == NULL) return AKIN_FAILED;
    for (size_t i = 0; i < count; i++) {
        const uint64_t *list = r->lists + i * r->list;
        memcpy(*keys + i * width, list + k, width * sizeof **keys);
        (*whole)[i] = list[r->list - 1] == 0 && (r->delta == NULL || r->delta->horizon[i] == 0);
    }
    return AKIN_OK;
}

/* The digest of the existing table. Collective; agreed. */
static akin_status digest_of_table(const akin_table_run *r, char digest[33]) {
    akin_ncfile *file = NULL;
    akin_status local = AKIN_OK;
    if (akin_comm_rank(r->comm) == 0) {
        local = akin_ncfile_peek(r->params->output, "table", &file);
        if (local == AKIN_OK) memcpy(digest, akin_ncfile_digest(file), 33);
        akin_ncfile_close(file);
    }
    akin_status status = akin_agree(r->comm, local);
    akin_comm_broadcast(r->comm, digest, 33, 0);
    return status;
}

akin_status akin_table_spare_write(const akin_table_run *r, bool apart) {
    akin_status status = AKIN_OK;
    size_t sources = akin_vectors_sources(r->vectors), first = akin_vectors_first(r->vectors),
           count = akin_vectors_own_sources(r->vectors);
    uint64_t *keys = NULL;
    int8_t *whole = NULL;
    char digest[33];
    size_t of_table = apart && r->params->spare > 0 ? 0 : r->params->k;
    size_t width = r->list > of_table && r->params->spare > 0 ? r->list - of_table : 0;
    if (width == 0) {
        if (akin_comm_rank(r->comm) == 0)
            (void)unlink(akin_text_bytes(r->spare)); /* of an older table */
        return AKIN_OK;
    }
    AKIN_TRY(digest_of_table(r, digest));
    AKIN_TRY(akin_agree(r->comm, split_spare(r, count, width, &keys, &whole)));
    const akin_extra_neighbors_part part = {.n = sources,
                                            .k = width,
                                            .first = first < sources ? first : sources,
                                            .count = count,
                                            .keys = keys,
                                            .whole = whole,
                                            .by_product = r->order != NULL};
    AKIN_TRY(akin_extra_neighbors_write(r->comm, akin_text_bytes(r->spare), digest, &part));
done:
    akin_mem_free(keys);
    akin_mem_free(whole);
    return status;
}
