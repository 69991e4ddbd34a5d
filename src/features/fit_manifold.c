/* fit_manifold: fits the dictionary and the axes of a manifold on a catalogue. Each rank encodes
 * its own pictures; the statistics of the codes are summed as integers. */
#include "fit_manifold.h"
#include "code_sums.h"
#include "manifold.h"
#include <akin/log.h>
#include <akin/mem.h>
#include <akin/rng.h>
#include <akin/shard.h>

#define MOST_ROWS ((size_t)65536) /* approximate number of rows of each covariance */

enum {
    MOST_PICTURES = 4096,
    ATOMS_A_PICTURE = 4,
    ATOMS_STEP = 64,
    SQUARES_A_PICTURE = 64, /* most pictures for the dictionary */
    ALONG = AKIN_MANIFOLD_ALONG,
    SQUARES = AKIN_MANIFOLD_SQUARES,
    CONTEXT = AKIN_MANIFOLD_CONTEXT,
    CORNERS = ALONG - CONTEXT + 1, /* neighbourhoods along a side */
    MEMBERS = CONTEXT * CONTEXT,
};

typedef struct {
    size_t each, places; /* rows used per picture, of all its places */
    akin_code_sums *sums;
} tally;

typedef struct {
    akin_comm *comm;
    const akin_catalog *catalog;
    akin_manifold *manifold; /* borrowed */
    size_t pictures, items;  /* pictures used, of all items */
    size_t first, count;     /* this rank's pictures */
    size_t words;
    uint8_t *squares; /* [count * each, AKIN_MANIFOLD_VALUES] */
    uint16_t *codes;  /* [SQUARES, words] */
    uint16_t counts[SQUARES];
    tally alone, near; /* codes; sums of the codes of a neighbourhood */
} fit;

static void plan(fit *f) {
    int size = akin_comm_size(f->comm), rank = akin_comm_rank(f->comm);
    f->items = akin_catalog_items(f->catalog);
    f->pictures = f->items < MOST_PICTURES ? f->items : MOST_PICTURES;
    f->first = akin_shard_first(f->pictures, size, rank);
    f->count = akin_shard_count(f->pictures, size, rank);
}

static size_t atoms_of(size_t pictures) {
    size_t atoms = pictures * ATOMS_A_PICTURE / ATOMS_STEP * ATOMS_STEP;
    if (atoms < AKIN_MANIFOLD_AXES) return AKIN_MANIFOLD_AXES;
    return atoms < AKIN_MANIFOLD_ATOMS ? atoms : AKIN_MANIFOLD_ATOMS;
}

static akin_status look_at_signals(void) {
    if (!akin_comm_signalled()) return AKIN_OK;
    return akin_error_set(AKIN_INTERRUPTED, "fitting was interrupted; submit again to restart it");
}

static akin_status read_picture(const fit *f, size_t at, uint8_t *picture) {
    size_t row = (f->first + at) * f->items / f->pictures;
    akin_comm_poll(f->comm);
    akin_status status = look_at_signals();
    return status != AKIN_OK ? status : akin_catalog_images_at(f->catalog, &row, 1, picture);
}

/* --- the dictionary --- */

static size_t squares_each(const fit *f) {
    size_t each = AKIN_MANIFOLD_LEARNT / f->pictures;
    return each < SQUARES_A_PICTURE ? each : SQUARES_A_PICTURE;
}

static akin_status cut_squares(fit *f) {
    akin_status status = AKIN_FAILED;
    uint8_t picture[AKIN_IMAGE_BYTES];
    size_t each = squares_each(f);
    f->squares = akin_mem_alloc(f->count * each, AKIN_MANIFOLD_VALUES);
    if (!f->squares) goto done;
    for (size_t at = 0; at < f->count; at++) {
        AKIN_TRY(read_picture(f, at, picture));
        for (size_t s = 0; s < each; s++) {
            uint64_t place =
                akin_rng_bits(0, AKIN_RNG_SAMPLE, (uint32_t)s, f->first + at) % SQUARES;
            akin_manifold_cut(picture, place, f->squares + (at * each + s) * AKIN_MANIFOLD_VALUES);
        }
    }
    status = AKIN_OK;
done:
    return status;
}

/* Rank 0 learns from the squares of all ranks, in the order of the items. Collective; agreed. */
static akin_status learn_dictionary(fit *f) {
    akin_status status;
    void *all = NULL;
    size_t each = squares_each(f);
    AKIN_TRY(akin_agree(f->comm, cut_squares(f)));
    AKIN_TRY(akin_comm_gather(f->comm, f->squares, f->count * each * AKIN_MANIFOLD_VALUES, 0, &all,
                              NULL));
    status = akin_comm_rank(f->comm) == 0
                 ? akin_manifold_learn(f->manifold, all, f->pictures * each)
                 : AKIN_OK;
    AKIN_TRY(akin_agree(f->comm, status));
    akin_comm_broadcast(f->comm, akin_manifold_mean(f->manifold),
                        AKIN_MANIFOLD_VALUES * sizeof(float), 0);
    akin_comm_broadcast(f->comm, akin_manifold_whitening(f->manifold),
                        sizeof(float) * AKIN_MANIFOLD_VALUES * AKIN_MANIFOLD_VALUES, 0);
    akin_comm_broadcast(f->comm, akin_manifold_dictionary(f->manifold),
                        akin_manifold_atoms(f->manifold) * AKIN_MANIFOLD_VALUES * sizeof(float), 0);
    akin_manifold_prepare(f->manifold);
done:
    akin_mem_free(all);
    return status;
}

/* --- the sums --- */

static akin_status begin_tally(const fit *f, tally *t, size_t places) {
    size_t each = MOST_ROWS / f->pictures;
    t->places = places;
    t->each = each < places ? each : places;
    return akin_code_sums_create(f->words, &t->sums);
}

/* The place of row number `which` of a picture. Rows are evenly spread over the places and shifted
 * from picture to picture. */
static size_t place_of(const tally *t, size_t item, size_t which) {
    return (which * t->places / t->each + item * 5) % t->places;
}

static void add_code(const fit *f, size_t s, float *row) {
    for (size_t i = 0; i < f->counts[s]; i++) row[f->codes[s * f->words + i]] += 1;
}

static void add_alone(const fit *f, size_t item) {
    const tally *t = &f->alone;
    for (size_t j = 0; j < t->each; j++)
        add_code(f, place_of(t, item, j), akin_code_sums_row(t->sums));
}

static void add_near(const fit *f, size_t item) {
    const tally *t = &f->near;
    for (size_t j = 0; j < t->each; j++) {
        size_t place = place_of(t, item, j), corner = place / CORNERS * ALONG + place % CORNERS;
        float *row = akin_code_sums_row(t->sums);
        for (size_t m = 0; m < MEMBERS; m++)
            add_code(f, corner + m / CONTEXT * ALONG + m % CONTEXT, row);
    }
}

static akin_status count_codes(fit *f) {
    akin_status status;
    uint8_t picture[AKIN_IMAGE_BYTES];
    AKIN_TRY(begin_tally(f, &f->alone, SQUARES));
    AKIN_TRY(begin_tally(f, &f->near, (size_t)CORNERS * CORNERS));
    f->codes = akin_mem_alloc(SQUARES, f->words * sizeof *f->codes);
    if (!f->codes) return AKIN_FAILED;
    for (size_t at = 0; at < f->count; at++) {
        AKIN_TRY(read_picture(f, at, picture));
        akin_manifold_encode(f->manifold, picture, f->codes, f->counts);
        add_alone(f, f->first + at);
        add_near(f, f->first + at);
        akin_log_progress("train: manifold", "images of rank 0", (double)at + 1, (double)f->count);
    }
    akin_code_sums_finish(f->alone.sums);
    akin_code_sums_finish(f->near.sums);
done:
    akin_log_progress_end();
    return status;
}

/* Sums over all ranks. Collective. */
static void sum_tally(const fit *f, const tally *t) {
    size_t count;
    int64_t *counts = akin_code_sums_counts(t->sums, &count);
    akin_comm_sum_i64(f->comm, counts, count);
}

/* --- the axes --- */

/* The covariance of rows divided by `unit`; owned, NULL: out of memory. */
static double *matrix_of(const fit *f, const tally *t, double unit) {
    double *matrix = akin_mem_alloc(f->words, f->words * sizeof *matrix);
    if (matrix) akin_code_sums_covariance(t->sums, f->pictures * t->each, unit, matrix);
    return matrix;
}

static akin_status find_axes(fit *f) {
    double *near = matrix_of(f, &f->near, MEMBERS), *alone = matrix_of(f, &f->alone, 1);
    akin_status status =
        near && alone ? akin_manifold_solve(f->manifold, near, alone) : AKIN_FAILED;
    akin_mem_free(near);
    akin_mem_free(alone);
    return status;
}

akin_status akin_fit_manifold(akin_comm *comm, const akin_catalog *catalog,
                              akin_feature_params *fitted) {
    akin_status status;
    fit f = {.comm = comm, .catalog = catalog};
    plan(&f);
    AKIN_TRY(akin_agree(comm, akin_feature_params_make_manifold(fitted, atoms_of(f.pictures))));
    f.manifold = akin_feature_params_manifold(fitted);
    f.words = akin_manifold_words(f.manifold);
    AKIN_TRY(learn_dictionary(&f));
    AKIN_TRY(akin_agree(comm, count_codes(&f)));
    sum_tally(&f, &f.alone);
    sum_tally(&f, &f.near);
    float *share = akin_manifold_share(f.manifold);
    for (size_t w = 0; w < f.words; w++)
        share[w] = (float)akin_code_sums_mean(f.alone.sums, f.pictures * f.alone.each, 1, w);
    AKIN_TRY(akin_agree(comm, akin_comm_rank(comm) == 0 ? find_axes(&f) : AKIN_OK));
    akin_comm_broadcast(comm, akin_manifold_axes(f.manifold),
                        f.words * AKIN_MANIFOLD_AXES * sizeof(float), 0);
    akin_manifold_prepare(f.manifold);
done:
    akin_code_sums_free(f.alone.sums);
    akin_code_sums_free(f.near.sums);
    akin_mem_free(f.squares);
    akin_mem_free(f.codes);
    return status;
}
