/* centre: the mean latent of a catalogue. Floor 3; looks down to error, mem, shard, comm, log, fixed, network, catalog,
 * model. */
#include <akin/centre.h>
#include <akin/fixed.h>
#include <akin/log.h>
#include <akin/mem.h>
#include <akin/shard.h>
#include <math.h>

/* A latent counts in units of 2^-40, its sum in two words of 32 low bits and the rest: exact for any number of items.
 */
#define LATENT_BITS 40
#define LATENT_LIMIT 0x1p20F
#define CHUNK ((size_t)1024) /* images between two looks at what other ranks say */
#define DIM ((size_t)AKIN_NETWORK_LATENT)
#define MICRO ((size_t)AKIN_NETWORK_MICRO_BATCH)

typedef struct {
    const akin_catalog *catalog;
    akin_network *network;
    akin_model *model;
    size_t items, sample; /* of the catalogue; of them, those that count */
    uint8_t *images;      /* [CHUNK] */
    int64_t low[AKIN_NETWORK_LATENT], high[AKIN_NETWORK_LATENT];
} centre;

/* Row of item i of the sample. */
static size_t row_of(const centre *c, size_t i) {
    return c->items == c->sample ? i : i * c->items / c->sample;
}

/* Items [first, first + count) of the sample, at most CHUNK. Not collective. */
static akin_status add_latents(centre *c, size_t first, size_t count) {
    akin_status status;
    float latent[AKIN_NETWORK_MICRO_BATCH * AKIN_NETWORK_LATENT];
    size_t rows[1024];
    for (size_t i = 0; i < count; i++) rows[i] = row_of(c, first + i);
    AKIN_TRY(akin_catalog_images_at(c->catalog, rows, count, c->images));
    for (size_t i = 0; i < count; i += MICRO) {
        size_t part = count - i < MICRO ? count - i : MICRO;
        akin_network_encode(c->network, akin_model_weights(c->model), c->images + i * AKIN_IMAGE_BYTES, part, latent);
        if (!(akin_fixed_peak(latent, part * DIM) < LATENT_LIMIT))
            return akin_error_set(AKIN_FAILED,
                                  "%s rows %zu to %zu: their latents are not finite; try a smaller --learning-rate",
                                  akin_ncfile_path(akin_catalog_file(c->catalog)), rows[i], rows[i + part - 1]);
        for (size_t v = 0; v < part * DIM; v++) {
            int64_t fixed = akin_fixed_from((double)latent[v], LATENT_BITS);
            c->low[v % DIM] += fixed & UINT32_MAX;
            c->high[v % DIM] += fixed >> 32;
        }
    }
done:
    return status;
}

static akin_status add_all(akin_comm *comm, centre *c) {
    akin_status status = AKIN_OK;
    int size = akin_comm_size(comm), rank = akin_comm_rank(comm);
    size_t first = akin_shard_first(c->sample, size, rank), end = akin_shard_first(c->sample, size, rank + 1);
    size_t longest = akin_shard_count(c->sample, size, 0); /* all ranks do as many rounds as the one with most */
    for (size_t done = 0; done < longest; done += CHUNK) {
        akin_status local = AKIN_OK;
        size_t from = first + done, count = from >= end ? 0 : end - from < CHUNK ? end - from : CHUNK;
        if (count > 0) local = add_latents(c, from, count);
        if (local == AKIN_OK && akin_comm_signalled())
            local = akin_error_set(AKIN_INTERRUPTED, "interrupted behind the last step, which is saved; submit again "
                                                     "to go on");
        AKIN_TRY(akin_agree(comm, local));
        akin_log_progress("train: mean latent", "images", (double)(done + CHUNK), (double)longest);
    }
    akin_comm_sum_i64(comm, c->low, DIM);
    akin_comm_sum_i64(comm, c->high, DIM);
done:
    akin_log_progress_end();
    return status;
}

akin_status akin_centre_fit(akin_comm *comm, const akin_catalog *catalog, akin_network *network, akin_model *model) {
    akin_status status;
    size_t items = akin_catalog_items(catalog);
    centre c = {.catalog = catalog,
                .network = network,
                .model = model,
                .items = items,
                .sample = items < AKIN_CENTRE_ITEMS ? items : AKIN_CENTRE_ITEMS};
    c.images = akin_mem_alloc(CHUNK, AKIN_IMAGE_BYTES);
    AKIN_TRY(akin_agree(comm, c.images ? AKIN_OK : AKIN_FAILED));
    AKIN_TRY(add_all(comm, &c));
    for (size_t d = 0; d < DIM; d++) {
        double total = (double)c.high[d] * 0x1p32 + (double)c.low[d];
        akin_model_latent_mean(model)[d] = (float)(ldexp(total, -LATENT_BITS) / (double)c.sample);
    }
done:
    akin_mem_free(c.images);
    return status;
}
