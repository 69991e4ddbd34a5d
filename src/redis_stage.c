/* redis_stage: writes a catalogue's new lists into :next, where no reader looks.
 *
 * Floor 3 (stages); looks down to error, mem, text, bucket, redis, ids; within its floor to sink, redis_place,
 * cachelist, change.
 */
#include <akin/bucket.h>
#include <akin/mem.h>
#include <akin/redis_stage.h>
#include <akin/text.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define NONE SIZE_MAX
#define BLOCK_BYTES ((size_t)1 << 20)      /* values of a transaction, one hash */
#define ALL_BLOCKS_BYTES ((size_t)4 << 20) /* of all hashes */
#define GONE_AT_ONCE ((size_t)500)

/* Lists that wait to be sent into a hash. */
typedef struct {
    akin_text *values;
    size_t *rows, *starts; /* of each value; starts [count + 1] */
    size_t count, room;
} block;

struct akin_redis_stage {
    akin_redis_place *place;
    akin_cachelist *lists;
    const akin_sink_source *source;
    size_t buckets, hash_count, waiting;
    block *blocks;        /* [hash_count] */
    size_t flying, armed; /* the hash whose transaction has no answer yet; the one whose lock is watched; or NONE */
    const char **words;
    size_t *lengths, word_room;
};

akin_status akin_redis_stage_create(akin_redis_place *place, size_t buckets, akin_cachelist *lists,
                                    const akin_sink_source *source, akin_redis_stage **out) {
    akin_redis_stage *stage = akin_mem_zalloc(1, sizeof *stage);
    *out = NULL;
    if (!stage) return AKIN_FAILED;
    *stage = (akin_redis_stage){.place = place,
                                .lists = lists,
                                .source = source,
                                .buckets = buckets,
                                .hash_count = akin_redis_place_count(place),
                                .flying = NONE,
                                .armed = NONE};
    stage->blocks = akin_mem_zalloc(stage->hash_count, sizeof *stage->blocks);
    if (!stage->blocks) {
        akin_redis_stage_free(stage);
        return AKIN_FAILED;
    }
    *out = stage;
    return AKIN_OK;
}

/* --- the lock, watched --- */

/* The answers to the transaction that is under way; behind it the lock is watched again. */
static akin_status settle(akin_redis_stage *stage) {
    akin_redis_reply *done = NULL;
    if (stage->flying == NONE) return AKIN_OK;
    size_t flown = stage->flying;
    akin_redis_hash hash = akin_redis_place_hash(stage->place, flown);
    stage->flying = stage->armed = NONE;
    akin_status status = akin_redis_take(hash.server, 4, &done);
    if (status == AKIN_OK && akin_redis_is_nil(done)) status = akin_redis_place_lost(stage->place);
    akin_redis_free(done);
    if (status != AKIN_OK) { /* the guard behind it is answered too */
        if (!akin_redis_broken(hash.server)) (void)!akin_redis_take(hash.server, 2, NULL);
        return status;
    }
    status = akin_redis_place_take_guard(stage->place, &hash);
    if (status == AKIN_OK) stage->armed = flown;
    return status;
}

static akin_status watch_lock(akin_redis_stage *stage, size_t b) {
    akin_status status = AKIN_OK;
    akin_redis_hash hash = akin_redis_place_hash(stage->place, b);
    AKIN_TRY(settle(stage));
    if (stage->armed == b) goto done;
    stage->armed = NONE;
    AKIN_TRY(akin_redis_place_queue_guard(stage->place, &hash));
    AKIN_TRY(akin_redis_place_take_guard(stage->place, &hash));
done:
    return status;
}

/* One command of stage->words as a transaction, answered. */
static akin_status run_guarded(akin_redis_stage *stage, size_t b, size_t count) {
    akin_status status = AKIN_OK;
    akin_redis_reply *done = NULL;
    akin_redis_hash hash = akin_redis_place_hash(stage->place, b);
    AKIN_TRY(watch_lock(stage, b));
    stage->armed = NONE;
    for (size_t i = 0; i < count; i++) stage->lengths[i] = strlen(stage->words[i]);
    AKIN_TRY(akin_redis_queue_texts(hash.server, "MULTI", NULL));
    AKIN_TRY(akin_redis_queue(hash.server, count, stage->words, stage->lengths));
    AKIN_TRY(akin_redis_queue_texts(hash.server, "EXEC", NULL));
    AKIN_TRY(akin_redis_take(hash.server, 3, &done));
    if (akin_redis_is_nil(done)) status = akin_redis_place_lost(stage->place);
done:
    akin_redis_free(done);
    return status;
}

static akin_status reserve_words(akin_redis_stage *stage, size_t count) {
    if (count <= stage->word_room) return AKIN_OK;
    const char **words = akin_mem_resize(stage->words, stage->word_room, count, sizeof *words);
    if (words) stage->words = words;
    size_t *lengths = akin_mem_resize(stage->lengths, stage->word_room, count, sizeof *lengths);
    if (lengths) stage->lengths = lengths;
    if (!words || !lengths) return AKIN_FAILED;
    stage->word_room = count;
    return AKIN_OK;
}

akin_status akin_redis_stage_clear(akin_redis_stage *stage) {
    akin_status status = reserve_words(stage, 2);
    for (size_t b = 0; b < stage->hash_count && status == AKIN_OK; b++) {
        stage->words[0] = "UNLINK";
        stage->words[1] = akin_redis_place_hash(stage->place, b).next;
        status = run_guarded(stage, b, 2);
    }
    return status;
}

/* --- a delta: the server copies, and only what changed is sent --- */

akin_status akin_redis_stage_copy(akin_redis_stage *stage, bool *copied) {
    akin_status status = reserve_words(stage, 4);
    *copied = false;
    for (size_t b = 0; b < stage->hash_count && status == AKIN_OK; b++) {
        akin_redis_hash hash = akin_redis_place_hash(stage->place, b);
        const char *const words[] = {"COPY", hash.live, hash.next, "REPLACE"};
        memcpy(stage->words, words, sizeof words);
        status = run_guarded(stage, b, 4);
        if (status != AKIN_OK && !akin_redis_broken(hash.server) && strstr(akin_error_message(), "unknown command")) {
            akin_error_clear();
            return AKIN_OK;
        }
    }
    *copied = status == AKIN_OK;
    return status;
}

akin_status akin_redis_stage_remove(akin_redis_stage *stage, const akin_change *change) {
    akin_status status = reserve_words(stage, 2 + GONE_AT_ONCE);
    const char *id = akin_change_gone(change, 0);
    for (size_t i = 0; id && status == AKIN_OK;) {
        size_t b = akin_bucket(id, strlen(id), stage->buckets), count = 0, next = b;
        stage->words[0] = "HDEL";
        stage->words[1] = akin_redis_place_hash(stage->place, b).next;
        while (id && next == b && count < GONE_AT_ONCE) {
            stage->words[2 + count++] = id;
            id = akin_change_gone(change, ++i);
            if (id) next = akin_bucket(id, strlen(id), stage->buckets);
        }
        status = run_guarded(stage, b, 2 + count);
    }
    return status;
}

/* --- lists --- */

static akin_status queue_lists(akin_redis_stage *stage, size_t b) {
    akin_redis_hash hash = akin_redis_place_hash(stage->place, b);
    const akin_ids *ids = stage->source->ids;
    block *it = &stage->blocks[b];
    size_t count = 2 + 2 * it->count;
    if (reserve_words(stage, count) != AKIN_OK) return AKIN_FAILED;
    stage->words[0] = "HSET", stage->lengths[0] = 4;
    stage->words[1] = hash.next, stage->lengths[1] = strlen(hash.next);
    for (size_t i = 0; i < it->count; i++) {
        stage->words[2 + 2 * i] = akin_ids_text(ids, it->rows[i]);
        stage->lengths[2 + 2 * i] = akin_ids_length(ids, it->rows[i]);
        stage->words[3 + 2 * i] = akin_text_bytes(it->values) + it->starts[i];
        stage->lengths[3 + 2 * i] = it->starts[i + 1] - it->starts[i];
    }
    return akin_redis_queue(hash.server, count, stage->words, stage->lengths);
}

/* Sends the block as a transaction, and does not wait: the next block is formatted meanwhile. */
static akin_status flush(akin_redis_stage *stage, size_t b) {
    akin_status status = AKIN_OK;
    block *it = &stage->blocks[b];
    char time[24];
    if (it->count == 0) return AKIN_OK;
    akin_redis_hash hash = akin_redis_place_hash(stage->place, b);
    snprintf(time, sizeof time, "%d", AKIN_REDIS_LOCK_SECONDS * 1000);
    AKIN_TRY(watch_lock(stage, b));
    AKIN_TRY(akin_redis_queue_texts(hash.server, "MULTI", NULL));
    AKIN_TRY(queue_lists(stage, b));
    AKIN_TRY(akin_redis_queue_texts(hash.server, "PEXPIRE", hash.lock, time, NULL));
    AKIN_TRY(akin_redis_queue_texts(hash.server, "EXEC", NULL));
    AKIN_TRY(akin_redis_place_queue_guard(stage->place, &hash));
    stage->flying = b;
    AKIN_TRY(akin_redis_send(hash.server));
    stage->waiting -= akin_text_length(it->values);
    akin_text_clear(it->values);
    it->count = 0;
done:
    return status;
}

static akin_status flush_all(akin_redis_stage *stage) {
    akin_status status = AKIN_OK;
    for (size_t b = 0; b < stage->hash_count && status == AKIN_OK; b++) status = flush(stage, b);
    return status;
}

static akin_status grow(block *it) {
    if (!it->values && akin_text_create(&it->values) != AKIN_OK) return AKIN_FAILED;
    if (it->count < it->room) return AKIN_OK;
    size_t room = 2 * it->room + 16;
    size_t *rows = akin_mem_resize(it->rows, it->count, room, sizeof *rows);
    if (rows) it->rows = rows;
    size_t *starts = akin_mem_resize(it->starts, it->room ? it->count + 1 : 0, room + 1, sizeof *starts);
    if (starts) it->starts = starts;
    if (!rows || !starts) return AKIN_FAILED;
    it->room = room;
    return AKIN_OK;
}

akin_status akin_redis_stage_add(akin_redis_stage *stage, size_t row, akin_published *published) {
    akin_status status = AKIN_OK;
    const akin_ids *ids = stage->source->ids;
    size_t b = akin_bucket(akin_ids_text(ids, row), akin_ids_length(ids, row), stage->buckets);
    block *it = &stage->blocks[b];
    AKIN_TRY(grow(it));
    size_t before = akin_text_length(it->values);
    AKIN_TRY(akin_cachelist_append(stage->lists, row, it->values));
    size_t length = akin_text_length(it->values) - before;
    it->rows[it->count] = row;
    it->starts[it->count] = before;
    it->starts[++it->count] = before + length;
    stage->waiting += length;
    published->bytes += length + akin_ids_length(ids, row);
    published->sent++;
    if (stage->hash_count == 1 && stage->waiting >= BLOCK_BYTES) status = flush(stage, b);
    if (stage->hash_count > 1 && stage->waiting >= ALL_BLOCKS_BYTES) status = flush_all(stage);
done:
    return status;
}

akin_status akin_redis_stage_finish(akin_redis_stage *stage) {
    akin_status status = flush_all(stage);
    return status == AKIN_OK ? settle(stage) : status;
}

void akin_redis_stage_free(akin_redis_stage *stage) {
    if (!stage) return;
    (void)!settle(stage); /* answers that nobody waits for any more would be taken for others */
    for (size_t b = 0; stage->blocks && b < stage->hash_count; b++) {
        akin_text_free(stage->blocks[b].values);
        akin_mem_free(stage->blocks[b].rows);
        akin_mem_free(stage->blocks[b].starts);
    }
    akin_mem_free(stage->blocks);
    akin_mem_free(stage->words);
    akin_mem_free(stage->lengths);
    akin_mem_free(stage);
}
