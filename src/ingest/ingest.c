/* ingest: reads the pictures of a catalogue into catalog.nc. */
#include "item_labels.h"
#include "network_feed.h"
#include "picture_exchange.h"
#include "previous_pictures.h"
#include <akin/catalog.h>
#include <akin/file.h>
#include <akin/hash.h>
#include <akin/ingest.h>
#include <akin/log.h>
#include <akin/mem.h>
#include <akin/shard.h>
#include <akin/source.h>
#include <akin/text.h>
#include <math.h>
#include <string.h>

#define ROUND_SECONDS 1.0
#define POLL_SECONDS 0.01 /* longer than reading many unchanged pictures takes */
#define PIECES 256        /* pieces per rank; determines how evenly ranks finish */
#define PIECE_MOST 64     /* rows; larger pieces save nothing */

typedef struct {
    akin_comm *comm;
    const akin_ingest_params *params;
    akin_ingest_result *result;
    akin_source *source;
    akin_previous_pictures *previous; /* NULL: none */
    size_t *place;                    /* [rows] the position of each row in the source's order */
    akin_comm_counter *pieces;        /* which rank reads which piece of the rows */
    uint64_t piece_rows, piece;       /* rows per piece; the piece that this rank has */
    uint64_t reached;                 /* rows that the source has passed, read here or not */
    size_t read_count, reused;
    double round_begin, polled; /* seconds */
    bool agreed;                /* whether the ranks agreed to stop with an error */
    akin_picture_exchange *harvest;
    akin_network_feed *feed; /* NULL: no network runs on them */
    int64_t *accepted;       /* [words] one bit per position in the source's order */
    size_t words;
    akin_rejects *rejects;
    char rejects_digest[AKIN_HASH_TEXT_SIZE]; /* of the rejects file */
} ingest;

/* --- checks before a picture is read --- */

static akin_status check_outputs(const ingest *run) {
    akin_status status = AKIN_OK;
    if (akin_comm_rank(run->comm) != 0) return AKIN_OK;
    AKIN_TRY(akin_file_check_output(run->params->output));
    if (run->params->rejects) AKIN_TRY(akin_file_check_output(run->params->rejects));
done:
    return status;
}

static akin_status prepare(ingest *run) {
    size_t rows = akin_source_rows(run->source), valid = akin_source_valid(run->source);
    const size_t *order = akin_source_order(run->source);
    run->words = (valid + 63) / 64;
    run->place = akin_mem_alloc(rows, sizeof *run->place);
    run->accepted = akin_mem_zalloc(run->words, sizeof *run->accepted);
    if (!run->place || !run->accepted) return AKIN_FAILED;
    for (size_t i = 0; i < valid; i++) run->place[order[i]] = i;
    akin_status status = akin_picture_exchange_create(&run->harvest);
    return status == AKIN_OK ? akin_rejects_create(&run->rejects) : status;
}

/* Collective. */
static akin_status open_network(ingest *run) {
    const akin_ingest_params *params = run->params;
    const akin_network_feed_params feed = {.network = &params->network,
                                           .checkpoint = params->checkpoint,
                                           .output = params->output,
                                           .result_options = params->result_options,
                                           .every = params->checkpoint_every,
                                           .pictures = run->harvest};
    return params->network.path ? akin_network_feed_create(run->comm, &feed, &run->feed) : AKIN_OK;
}

/* --- reading and shrinking --- */

/* Ranks that are faster, or alone on their cores, read more rows than others: a rank that has read
 * a piece takes the next one that is free. Collective. */
static akin_status cut_rows(ingest *run) {
    uint64_t rows = akin_source_valid(run->source) / ((uint64_t)akin_comm_size(run->comm) * PIECES);
    run->piece_rows = rows < 1 ? 1 : rows > PIECE_MOST ? PIECE_MOST : rows;
    akin_status status = akin_comm_counter_create(run->comm, &run->pieces);
    if (status == AKIN_OK) run->piece = akin_comm_counter_take(run->pieces);
    return status;
}

static bool is_mine(void *context, size_t row) {
    ingest *run = context;
    uint64_t piece = run->reached++ / run->piece_rows;
    (void)row;
    if (piece > run->piece) run->piece = akin_comm_counter_take(run->pieces);
    return piece == run->piece;
}

static void accept(ingest *run, size_t place) {
    run->accepted[place / 64] |= (int64_t)((uint64_t)1 << place % 64);
}

/* An item that is withdrawn, whose picture nobody needs. */
static akin_status accept_blank(ingest *run, size_t row) {
    akin_status status = AKIN_OK;
    uint8_t own[AKIN_IMAGE_BYTES] = {0}, *image;
    size_t place = run->place[row];
    if (run->feed) {
        const akin_image_view *view = akin_network_feed_view(run->feed);
        memset(akin_network_feed_seen(run->feed), 0, view->width * view->height * 3);
        AKIN_TRY(akin_network_feed_add(run->feed, place, 0, own));
    } else {
        AKIN_TRY(akin_picture_exchange_room(run->harvest, &image));
        memcpy(image, own, sizeof own);
        akin_picture_exchange_keep(run->harvest, place, 0, 0);
    }
    accept(run, place);
done:
    return status;
}

static akin_status reject(ingest *run, size_t row, const char *reason) {
    return akin_source_needs_picture(run->source, row) ? akin_rejects_add(run->rejects, row, reason)
                                                       : accept_blank(run, row);
}

/* Decodes once for the 32x32 image and the network's input. *refused: whether the row is among the
 * rejects. */
static akin_status decode(ingest *run, size_t row, const uint8_t *bytes, size_t count,
                          uint8_t *image, bool *refused) {
    const akin_image_params params = {AKIN_IMAGE_SIDE, AKIN_IMAGE_SIDE, run->params->fit,
                                      run->params->max_pixels};
    akin_status status = akin_image_decode_both(
        bytes, count, &params, image, run->feed ? akin_network_feed_view(run->feed) : NULL,
        run->feed ? akin_network_feed_seen(run->feed) : NULL);
    *refused = status == AKIN_INPUT;
    return *refused ? reject(run, row, akin_error_message()) : status;
}

static akin_status shrink(ingest *run, size_t row, const uint8_t *bytes, size_t count) {
    akin_status status = AKIN_OK;
    uint8_t *image;
    size_t place = run->place[row];
    uint64_t hash = akin_hash_64(bytes, count), before;
    bool found = false;
    if (run->previous && akin_previous_pictures_find(run->previous, hash, &before)) {
        AKIN_TRY(akin_picture_exchange_refer(run->harvest, place, hash, before));
        run->reused++;
        found = true;
    }
    if (!found && run->feed) AKIN_TRY(akin_network_feed_take(run->feed, place, hash, &found));
    if (!found) {
        bool refused;
        uint8_t own[AKIN_IMAGE_BYTES];
        image = own;
        if (!run->feed) AKIN_TRY(akin_picture_exchange_room(run->harvest, &image));
        AKIN_TRY(decode(run, row, bytes, count, image, &refused));
        if (refused) return AKIN_OK;
        if (run->feed)
            AKIN_TRY(akin_network_feed_add(run->feed, place, hash, image));
        else
            akin_picture_exchange_keep(run->harvest, place, hash, 0);
    }
    accept(run, place);
done:
    return status;
}

/* Once a second all ranks synchronise briefly, so that a signal or an error on one of them stops
 * all, and none waits longer than another one needs for a picture. *left: rows that are not read
 * yet, on all ranks. Collective; agreed. */
static akin_status meet(ingest *run, akin_status local, bool finished, int64_t *left) {
    if (local == AKIN_OK && akin_comm_signalled())
        local = akin_error_set(
            AKIN_INTERRUPTED,
            "interrupted: the previous catalogue, if any, is unchanged%s%s; submit again",
            run->feed ? ", and what is computed is in " : "",
            run->feed ? akin_network_feed_checkpoint(run->feed) : "");
    if (run->feed && local == AKIN_OK) local = akin_network_feed_save(run->feed, false);
    akin_status status = akin_agree(run->comm, local);
    int64_t counts[2] = {(int64_t)run->read_count, !finished};
    run->agreed = status != AKIN_OK;
    if (status != AKIN_OK) return status;
    akin_comm_sum_i64(run->comm, counts, 2);
    *left = counts[1];
    akin_log_progress("ingest", "images", (double)counts[0],
                      (double)akin_source_valid(run->source));
    run->round_begin = akin_comm_seconds();
    return AKIN_OK;
}

static akin_status each_picture(void *context, size_t row, const uint8_t *bytes, size_t count,
                                const char *reason) {
    ingest *run = context;
    int64_t left;
    akin_status status = bytes ? shrink(run, row, bytes, count) : reject(run, row, reason);
    double now = akin_comm_seconds();
    run->read_count++;
    if (now - run->polled > POLL_SECONDS) {
        run->polled = now;
        akin_comm_poll(run->comm);
    }
    if (status == AKIN_OK && now - run->round_begin > ROUND_SECONDS)
        status = meet(run, AKIN_OK, false, &left);
    return status;
}

/* Collective. */
static akin_status read_rows(ingest *run) {
    int64_t left = 1;
    run->round_begin = akin_comm_seconds();
    akin_status status = akin_source_read_chosen(run->source, is_mine, each_picture, run);
    if (run->feed && status == AKIN_OK) status = akin_network_feed_flush(run->feed);
    while (left > 0 && !run->agreed) status = meet(run, status, true, &left);
    return status;
}

/* Collective. */
static akin_status read_pictures(ingest *run) {
    akin_status status = AKIN_OK;
    double begin = akin_comm_seconds();
    uint64_t broken = akin_image_broken_profiles();
    status = read_rows(run);
    akin_log_progress_end();
    if (run->feed && (status == AKIN_OK || status == AKIN_INTERRUPTED)) {
        akin_status saved = akin_agree(run->comm, akin_network_feed_save(run->feed, true));
        if (saved != AKIN_OK) status = saved;
    }
    if (status != AKIN_OK) return status; /* agreed */
    double seconds = akin_comm_seconds() - begin;
    akin_comm_max_f64(run->comm, &seconds, 1);
    int64_t counts[2] = {(int64_t)run->reused, (int64_t)(akin_image_broken_profiles() - broken)};
    akin_comm_sum_i64(run->comm, counts, 2);
    run->result->reused = (size_t)counts[0];
    run->result->broken_profiles = (size_t)counts[1];
    if (counts[1] > 0)
        akin_log_info("ingest: the colour profiles of %lld picture%s are broken, or do not match "
                      "the picture, and were ignored",
                      (long long)counts[1], AKIN_PLURAL(counts[1]));
    double decoded = (double)akin_source_valid(run->source) - (double)run->result->reused;
    run->result->images_per_second = decoded > 0 && seconds > 0 ? decoded / seconds : NAN;
    akin_comm_sum_i64(run->comm, run->accepted,
                      run->words); /* each bit was set by one rank at most */
    return AKIN_OK;
}

/* --- counting --- */

static size_t count_accepted(const ingest *run) {
    size_t count = 0;
    for (size_t i = 0; i < run->words; i++)
        count += (size_t)__builtin_popcountll((uint64_t)run->accepted[i]);
    return count;
}

bool akin_ingest_too_many(size_t rejected, size_t rows, double max_reject_fraction) {
    return (double)rejected > max_reject_fraction * (double)rows * (1 + 1e-12);
}

static bool is_refused(const ingest *run) {
    const akin_ingest_result *result = run->result;
    return result->items == 0 ||
           akin_ingest_too_many(result->rejected, result->rows, run->params->max_reject_fraction);
}

/* Collective. Every row must be in the catalogue or in the rejects. */
static akin_status account(ingest *run) {
    akin_status status = AKIN_OK;
    akin_ingest_result *result = run->result;
    result->rows = akin_source_rows(run->source);
    result->items = count_accepted(run);
    AKIN_TRY(akin_rejects_gather(run->rejects, run->comm, run->source, &result->rejected));
    if (result->items + result->rejected != result->rows)
        return akin_error_set(
            AKIN_FAILED,
            "%zu rows, but %zu items and %zu rejects: rows were lost, please report this",
            result->rows, result->items, result->rejected);
    const char *path = run->params->rejects;
    if (!path || is_refused(run)) akin_rejects_show(run->rejects, run->source, path);
    if (!path) return AKIN_OK;
    AKIN_TRY(akin_rejects_write(run->rejects, run->comm, run->source, run->params->rejects));
    bool reads = akin_comm_rank(run->comm) == 0;
    AKIN_TRY(akin_agree(
        run->comm, reads ? akin_file_digest(run->params->rejects, run->rejects_digest) : AKIN_OK));
    akin_comm_broadcast(run->comm, run->rejects_digest, sizeof run->rejects_digest, 0);
done:
    return status;
}

/* The same on all ranks. */
static akin_status judge(const ingest *run) {
    const akin_ingest_result *result = run->result;
    const char *see = run->params->rejects ? run->params->rejects : "--rejects FILE.csv";
    if (result->rows == 0)
        return akin_error_set(AKIN_INPUT, "%s has 0 rows: there is nothing to ingest",
                              run->params->source.names[0]);
    if (result->items == 0)
        return akin_error_set(AKIN_INPUT,
                              "none of the %zu rows gave a picture: see %s for the reasons",
                              result->rows, see);
    if (akin_ingest_too_many(result->rejected, result->rows, run->params->max_reject_fraction))
        return akin_error_set(
            AKIN_INPUT,
            "%zu of %zu rows were rejected, more than --max-reject-fraction %g allows; %s %s. See "
            "%s",
            result->rejected, result->rows, run->params->max_reject_fraction, run->params->output,
            akin_file_exists(run->params->output) ? "was left unchanged" : "was not written", see);
    return AKIN_OK;
}

/* --- writing --- */

static bool is_accepted(const ingest *run, size_t place) {
    return (uint64_t)run->accepted[place / 64] >> place % 64 & 1;
}

/* Collective. Sends pictures to the ranks that write them; *images [count, 32, 32, 3], *hashes
 * [count] and *spots [count] of this shard. */
static akin_status exchange(ingest *run, size_t count, uint8_t **images, uint64_t **hashes,
                            uint64_t **spots) {
    akin_status status = AKIN_OK;
    size_t places = akin_source_valid(run->source);
    uint64_t item = 0, *item_of = akin_mem_alloc(places, sizeof *item_of);
    *images = akin_mem_alloc(count, AKIN_IMAGE_BYTES);
    *hashes = akin_mem_alloc(count, sizeof **hashes);
    *spots = akin_mem_alloc(count, sizeof **spots);
    AKIN_TRY(
        akin_agree(run->comm, item_of && *images && *hashes && *spots ? AKIN_OK : AKIN_FAILED));
    for (size_t place = 0; place < places; place++) {
        item_of[place] = item;
        item += is_accepted(run, place);
    }
    const akin_picture_items items = {run->result->items, item_of};
    const akin_picture_shard own = {*images, *hashes, *spots};
    AKIN_TRY(akin_picture_exchange_bring_home(
        run->harvest, run->comm, akin_previous_pictures_catalog(run->previous), &items, &own));
    if (run->feed)
        akin_network_feed_bring(run->feed, akin_previous_pictures_catalog(run->previous), *spots);
done:
    akin_mem_free(item_of);
    return status;
}

/* Collective. */
static akin_status write_catalog(ingest *run) {
    akin_status status = AKIN_OK;
    uint8_t *images = NULL;
    uint64_t *hashes = NULL, *spots = NULL;
    akin_catalog_network network;
    int size = akin_comm_size(run->comm), rank = akin_comm_rank(run->comm);
    size_t n = run->result->items;
    size_t first = akin_shard_first(n, size, rank), count = akin_shard_count(n, size, rank);
    akin_labels *labels = NULL;
    const akin_catalog_origin origin = {.options = run->params->options,
                                        .result_options = run->params->result_options,
                                        .source_digest = akin_source_digest(run->source),
                                        .rejects_digest =
                                            run->params->rejects ? run->rejects_digest : NULL};
    AKIN_TRY(akin_agree(
        run->comm, akin_item_labels_create(run->source, run->accepted, n, first, count, &labels)));
    AKIN_TRY(exchange(run, count, &images, &hashes, &spots));
    if (run->feed) network = akin_network_feed_network(run->feed);
    const akin_catalog_part part = {n, first, images, hashes};
    AKIN_TRY(akin_catalog_write(run->comm, run->params->output, &origin, labels, &part,
                                run->feed ? &network : NULL));
    if (run->feed) akin_network_feed_finish(run->feed, run->comm);
done:
    akin_mem_free(spots);
    akin_mem_free(images);
    akin_mem_free(hashes);
    akin_labels_free(labels);
    return status;
}

/* rejects: the file that lists them, NULL = none. */
static void tell(const akin_ingest_result *result, const char *rejects) {
    char rows[AKIN_TEXT_COMMAS], items[AKIN_TEXT_COMMAS], rejected[AKIN_TEXT_COMMAS],
        reused[AKIN_TEXT_COMMAS], rate[AKIN_TEXT_COMMAS];
    bool rated = !akin_log_holds() && isfinite(result->images_per_second); /* run reports it */
    akin_log_summary("ingest: %s row%s, %s item%s, %s rejected%s%s%s, %s reused from the previous "
                     "catalogue%s%s%s",
                     akin_text_commas((double)result->rows, rows), AKIN_PLURAL(result->rows),
                     akin_text_commas((double)result->items, items), AKIN_PLURAL(result->items),
                     akin_text_commas((double)result->rejected, rejected), rejects ? " (see " : "",
                     rejects ? rejects : "", rejects ? ")" : "",
                     akin_text_commas((double)result->reused, reused), rated ? ", " : "",
                     rated ? akin_text_commas(result->images_per_second, rate) : "",
                     rated ? " images/s" : "");
}

akin_status akin_ingest(akin_comm *comm, const akin_ingest_params *params,
                        akin_ingest_result *result) {
    akin_status status = AKIN_OK;
    ingest run = {.comm = comm, .params = params, .result = result};
    *result = (akin_ingest_result){0};
    AKIN_TRY(akin_agree(comm, check_outputs(&run)));
    run.source = params->listed;
    if (!run.source) AKIN_TRY(akin_source_open(comm, &params->source, &run.source));
    AKIN_TRY(akin_fetch(comm, run.source, &params->fetch, &result->fetch));
    if (params->previous)
        AKIN_TRY(akin_previous_pictures_open(comm, params->previous, params->result_options,
                                             &params->network, &run.previous));
    AKIN_TRY(akin_agree(comm, prepare(&run)));
    AKIN_TRY(open_network(&run));
    AKIN_TRY(cut_rows(&run));
    AKIN_TRY(read_pictures(&run));
    AKIN_TRY(account(&run));
    AKIN_TRY(judge(&run));
    AKIN_TRY(akin_comm_check_signal(comm));
    AKIN_TRY(write_catalog(&run));
    const char *rejects = result->rejected > 0 ? params->rejects : NULL;
    tell(result, rejects);
done:
    if (run.source != params->listed) akin_source_close(run.source);
    akin_previous_pictures_close(run.previous);
    akin_mem_free(run.place);
    akin_comm_counter_free(run.pieces);
    akin_network_feed_free(run.feed);
    akin_picture_exchange_free(run.harvest);
    akin_mem_free(run.accepted);
    akin_rejects_free(run.rejects);
    return status;
}
