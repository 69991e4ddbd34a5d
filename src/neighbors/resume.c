/* resume: the state in which an all-pairs run starts. */
#include "resume.h"
#include <akin/file.h>
#include <akin/log.h>
#include <akin/mem.h>
#include <string.h>

enum { LAYERS = AKIN_ROW_BLOCK_LAYERS, DELTA_LABELS = 3 };

struct akin_resume {
    akin_comm *comm;
    size_t count;
    const akin_vectors *vectors;
    bool same_category; /* for all tables */
    int tables;
    akin_resume_table table[AKIN_ROW_BLOCK_TABLES];
    akin_partition_prior prior[AKIN_ROW_BLOCK_TABLES];
    int32_t *fresh;                    /* [count]: labels for a table without a previous one */
    akin_ring_checkpoint *waypoint;    /* NULL: none */
    bool same_ranks;                   /* the ring continues where it stopped */
    int first, layers;                 /* the previous table's layer, then those of earlier runs */
    akin_ring_progress before[LAYERS]; /* of layers first, first + 1, ... */
    int32_t *label[LAYERS];            /* [count], of layers first, first + 1, ... */
    uint8_t *done[LAYERS];
};

/* If any table reuses a previous one, all tables have that layer. */
static akin_status label_tables(akin_resume *k) {
    for (int t = 0; t < k->tables; t++) k->first |= k->table[t].delta != NULL;
    k->layers = k->first;
    if (!k->first) return AKIN_OK;
    if ((k->fresh = akin_mem_alloc(k->count, sizeof *k->fresh)) == NULL) return AKIN_FAILED;
    for (size_t i = 0; i < k->count; i++) k->fresh[i] = DELTA_LABELS - 1;
    for (int t = 0; t < k->tables; t++) {
        const akin_delta *delta = k->table[t].delta;
        k->prior[t].label[0] = delta ? delta->label : k->fresh;
        if (delta) k->prior[t].lists = delta->lists;
    }
    return AKIN_OK;
}

akin_status akin_resume_create(akin_comm *comm, const akin_vectors *vectors,
                               const akin_resume_table *table, int tables, akin_resume **out) {
    akin_resume *k = akin_mem_zalloc(1, sizeof *k);
    if (k != NULL) {
        k->comm = comm, k->count = akin_vectors_count(vectors), k->vectors = vectors;
        k->tables = tables, k->same_category = true;
        for (int t = 0; t < tables; t++) {
            k->table[t] = table[t];
            k->same_category = k->same_category && table[t].rules->same_category;
        }
    }
    akin_status status = akin_agree(comm, k != NULL ? label_tables(k) : AKIN_FAILED);
    if (status != AKIN_OK) {
        akin_resume_free(k);
        k = NULL;
    }
    *out = k;
    return status;
}

void akin_resume_free(akin_resume *k) {
    if (!k) return;
    for (int l = 0; l < LAYERS; l++) {
        akin_mem_free(k->label[l]);
        akin_mem_free(k->done[l]);
    }
    akin_mem_free(k->fresh);
    akin_ring_checkpoint_free(k->waypoint);
    akin_mem_free(k);
}

/* --- layers --- */

/* Adds column `column` of the checkpoint's labels as the next layer. */
static akin_status add_layer(akin_resume *k, int column, akin_ring_progress progress) {
    int layer = k->layers;
    size_t width = (size_t)k->waypoint->layers + 1,
           parts = (size_t)progress.size * (size_t)progress.subs;
    int32_t *label = akin_mem_alloc(k->count, sizeof *label);
    uint8_t *done = akin_mem_alloc(parts, parts);
    k->label[layer] = label, k->done[layer] = done, k->before[layer] = progress;
    if (!label || !done) return AKIN_FAILED;
    for (size_t i = 0; i < k->count; i++) label[i] = k->waypoint->label[i * width + (size_t)column];
    for (size_t a = 0; a < parts; a++)
        for (size_t b = 0; b < parts; b++)
            done[a * parts + b] = akin_ring_done(
                progress, (int)(a / (size_t)progress.subs), (int)(a % (size_t)progress.subs),
                (int)(b / (size_t)progress.subs), (int)(b % (size_t)progress.subs));
    for (int t = 0; t < k->tables; t++) k->prior[t].label[layer] = label;
    k->layers++;
    return AKIN_OK;
}

/* Adds the earlier runs, starting with the one that compared most pairs; the pairs of runs that do
 * not fit are computed again. If the number of ranks is the same, the last run is not a layer: its
 * ring continues. */
static akin_status add_layers(akin_resume *k) {
    akin_status status = AKIN_OK;
    const akin_ring_checkpoint *w = k->waypoint;
    bool taken[LAYERS + 1] = {k->same_ranks};
    for (int left = LAYERS - k->first; left > 0 && status == AKIN_OK; left--) {
        int best = -1;
        double most = 0;
        for (int c = 0; c <= w->layers; c++) {
            double share = (c == 0 ? w->progress : w->before[c - 1]).share;
            if (!taken[c] && share > most) most = share, best = c;
        }
        if (best < 0) break;
        taken[best] = true;
        status = add_layer(k, best, best == 0 ? w->progress : w->before[best - 1]);
    }
    return status;
}

/* The engine uses the saved places without checking them: exactly the rows that are compared must
 * have one. */
static akin_status check_rows(const akin_resume *k, const char *path) {
    const int32_t *category = akin_labels_category(akin_vectors_labels(k->vectors));
    for (size_t i = 0; i < k->count; i++) {
        bool takes_part =
            akin_vectors_usable(k->vectors, i) && !(k->same_category && category[i] < 0);
        if (takes_part != (k->waypoint->place[i] >= 0))
            return akin_error_set(AKIN_INPUT,
                                  "%s: damaged: its rows are not those that are compared", path);
    }
    return AKIN_OK;
}

/* Collective; agreed. */
static akin_status read_checkpoint(akin_resume *k, const char *path,
                                   const akin_ring_checkpoint_origin *origin, size_t items) {
    akin_status status;
    akin_ring_checkpoint_table table[AKIN_ROW_BLOCK_TABLES];
    for (int t = 0; t < k->tables; t++) {
        const akin_row_rules *more = k->table[t].rules->more;
        table[t] = (akin_ring_checkpoint_table){k->table[t].list, more ? more->limits : NULL,
                                                more && more->offset};
    }
    AKIN_TRY(
        akin_ring_checkpoint_read(k->comm, path, origin, items, table, k->tables, &k->waypoint));
    AKIN_TRY(akin_agree(k->comm, check_rows(k, path)));
done:
    if (status != AKIN_OK) akin_ring_checkpoint_free(k->waypoint);
    if (status != AKIN_OK) k->waypoint = NULL;
    return status;
}

akin_status akin_resume_resume(akin_resume *k, const char *path, bool named,
                               const akin_ring_checkpoint_origin *origin) {
    akin_status status;
    int64_t items = (int64_t)k->count,
            found = akin_comm_rank(k->comm) == 0 && akin_file_exists(path);
    akin_comm_max_i64(k->comm, &found, 1);
    if (!found) return AKIN_OK;
    akin_comm_sum_i64(k->comm, &items, 1);
    status = read_checkpoint(k, path, origin, (size_t)items);
    if (status == AKIN_INPUT && !named) {
        akin_log_warning("neighbors: starting over, because of %s", akin_error_message());
        akin_error_clear();
        return AKIN_OK;
    }
    if (status != AKIN_OK) return named ? akin_error_context(status, "--checkpoint: ") : status;
    k->same_ranks = k->waypoint->progress.size == akin_comm_size(k->comm);
    AKIN_TRY(akin_agree(k->comm, add_layers(k)));
    for (int t = 0; t < k->tables; t++) {
        k->prior[t].lists = k->waypoint->lists[t];
        k->prior[t].bars = k->waypoint->bars[t];
        if (!k->same_ranks) continue;
        k->prior[t].place = k->waypoint->place, k->prior[t].counts = k->waypoint->counts;
    }
    akin_log_info("neighbors: resuming from %s at %.0f %%", path,
                  100 * akin_ring_share(k->waypoint->progress));
done:
    return status;
}

/* --- for the engine --- */

const akin_partition_prior *akin_resume_apply(const akin_resume *k, int table,
                                              akin_row_block_rules *rules) {
    rules->layers = k->layers;
    if (k->first) rules->layer[0] = (akin_row_block_layer){DELTA_LABELS, akin_delta_done};
    for (int l = k->first; l < k->layers; l++)
        rules->layer[l] = (akin_row_block_layer){k->before[l].size * k->before[l].subs, k->done[l]};
    rules->again = k->prior[table].lists != NULL;
    return k->first || k->waypoint ? &k->prior[table] : NULL;
}

akin_ring_progress akin_resume_progress(const akin_resume *k) {
    akin_ring_progress at = {0};
    if (k->same_ranks) return k->waypoint->progress;
    if (k->waypoint) at.before = akin_ring_share(k->waypoint->progress);
    return at;
}

akin_status akin_resume_save(const akin_resume *k, const char *stage, const char *path,
                             const akin_ring_checkpoint_origin *origin,
                             const akin_allpairs_state *state) {
    akin_ring_checkpoint_state s = {.layers = k->layers - k->first,
                                    .first_label = k->first,
                                    .progress = state->progress,
                                    .counts = state->counts,
                                    .own = state->own,
                                    .held = state->held,
                                    .held_rank = state->held_rank};
    for (int l = k->first; l < k->layers; l++) s.before[l - k->first] = k->before[l];
    akin_status status = akin_ring_checkpoint_write(k->comm, path, origin, &s);
    if (status == AKIN_OK)
        akin_log_info("%s: saved %s at %.0f %%", stage, path,
                      100 * akin_ring_share(state->progress));
    return status;
}
