/* redis_stage: writes a catalogue's new lists into :next, which no reader uses. */
#include "redis_stage.h"
#include "bucket.h"
#include <akin/mem.h>
#include <akin/text.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define NONE SIZE_MAX
#define BLOCK_BYTES ((size_t)512 << 10)    /* per transaction, which is for one hash */
#define ALL_BLOCKS_BYTES ((size_t)4 << 20) /* of all hashes */
#define GONE_AT_ONCE ((size_t)500)

/* Lists waiting to be sent to a hash, each id and value encoded in Redis's protocol. */
typedef struct {
    akin_text *fields;
    size_t count;
} block;

struct akin_redis_stage {
    akin_redis_store *place;
    akin_listing *lists;
    const akin_sink_source *source;
    size_t buckets, hash_count, waiting;
    block *blocks;        /* [hash_count] */
    akin_text *value;     /* of the list being added */
    size_t flying, armed; /* the hash whose transaction is unanswered; the one whose lock is
                           * watched; or NONE */
    const char **words;
    size_t *lengths, word_room;
};

akin_status akin_redis_stage_create(akin_redis_store *place, size_t buckets, akin_listing *lists,
                                    const akin_sink_source *source, akin_redis_stage **out) {
    akin_redis_stage *stage = akin_mem_zalloc(1, sizeof *stage);
    *out = NULL;
    if (!stage) return AKIN_FAILED;
    *stage = (akin_redis_stage){.place = place,
                                .lists = lists,
                                .source = source,
                                .buckets = buckets,
                                .hash_count = akin_redis_store_count(place),
                                .flying = NONE,
                                .armed = NONE};
    stage->blocks = akin_mem_zalloc(stage->hash_count, sizeof *stage->blocks);
    if (!stage->blocks || akin_text_create(&stage->value) != AKIN_OK) {
        akin_redis_stage_free(stage);
        return AKIN_FAILED;
    }
    *out = stage;
    return AKIN_OK;
}

/* --- watching the lock --- */

/* Takes the answers to the transaction in progress; then the lock is watched again. */
static akin_status settle(akin_redis_stage *stage) {
    akin_redis_reply *done = NULL;
    if (stage->flying == NONE) return AKIN_OK;
    size_t flown = stage->flying;
    akin_redis_hash hash = akin_redis_store_hash(stage->place, flown);
    stage->flying = stage->armed = NONE;
    akin_status status = akin_redis_take(hash.server, 4, &done);
    if (status == AKIN_OK && akin_redis_is_nil(done)) status = akin_redis_store_lost(stage->place);
    akin_redis_free(done);
    if (status != AKIN_OK) { /* the guard after it is answered too */
        if (!akin_redis_broken(hash.server)) (void)!akin_redis_take(hash.server, 2, NULL);
        return status;
    }
    status = akin_redis_store_take_guard(stage->place, &hash);
    if (status == AKIN_OK) stage->armed = flown;
    return status;
}

static akin_status watch_lock(akin_redis_stage *stage, size_t b) {
    akin_status status = AKIN_OK;
    akin_redis_hash hash = akin_redis_store_hash(stage->place, b);
    AKIN_TRY(settle(stage));
    if (stage->armed == b) goto done;
    stage->armed = NONE;
    AKIN_TRY(akin_redis_store_queue_guard(stage->place, &hash));
    AKIN_TRY(akin_redis_store_take_guard(stage->place, &hash));
done:
    return status;
}

/* One command from stage->words as a transaction, answered. */
static akin_status run_guarded(akin_redis_stage *stage, size_t b, size_t count) {
    akin_status status = AKIN_OK;
    akin_redis_reply *done = NULL;
    akin_redis_hash hash = akin_redis_store_hash(stage->place, b);
    AKIN_TRY(watch_lock(stage, b));
    stage->armed = NONE;
    for (size_t i = 0; i < count; i++) stage->lengths[i] = strlen(stage->words[i]);
    AKIN_TRY(akin_redis_queue_texts(hash.server, "MULTI", NULL));
    AKIN_TRY(akin_redis_queue(hash.server, count, stage->words, stage->lengths));
    AKIN_TRY(akin_redis_queue_texts(hash.server, "EXEC", NULL));
    AKIN_TRY(akin_redis_take(hash.server, 3, &done));
    if (akin_redis_is_nil(done)) status = akin_redis_store_lost(stage->place);
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
        stage->words[1] = akin_redis_store_hash(stage->place, b).next;
        status = run_guarded(stage, b, 2);
    }
    return status;
}

/* --- a delta: the server copies the live table, and only changes are sent --- */

akin_status akin_redis_stage_copy(akin_redis_stage *stage, bool *copied) {
    akin_status status = reserve_words(stage, 4);
    *copied = false;
    for (size_t b = 0; b < stage->hash_count && status == AKIN_OK; b++) {
        akin_redis_hash hash = akin_redis_store_hash(stage->place, b);
        const char *const words[] = {"COPY", hash.live, hash.next, "REPLACE"};
        memcpy(stage->words, words, sizeof words);
        status = run_guarded(stage, b, 4);
        if (status != AKIN_OK && !akin_redis_broken(hash.server) &&
            akin_redis_unknown_command(hash.server)) {
            akin_error_clear();
            return AKIN_OK;
        }
    }
    *copied = status == AKIN_OK;
    return status;
}

akin_status akin_redis_stage_remove(akin_redis_stage *stage, const akin_publish_diff *change) {
    akin_status status = reserve_words(stage, 2 + GONE_AT_ONCE);
    const char *id = akin_publish_diff_gone(change, 0);
    for (size_t i = 0; id && status == AKIN_OK;) {
        size_t b = akin_bucket(id, strlen(id), stage->buckets), count = 0, next = b;
        stage->words[0] = "HDEL";
        stage->words[1] = akin_redis_store_hash(stage->place, b).next;
        while (id && next == b && count < GONE_AT_ONCE) {
            stage->words[2 + count++] = id;
            id = akin_publish_diff_gone(change, ++i);
            if (id) next = akin_bucket(id, strlen(id), stage->buckets);
        }
        status = run_guarded(stage, b, 2 + count);
    }
    return status;
}

/* --- lists --- */

/* HSET and the fields, already encoded: hiredis would copy each once more. */
static akin_status queue_lists(akin_redis_stage *stage, size_t b) {
    char head[64 + AKIN_REDIS_KEY];
    akin_redis_hash hash = akin_redis_store_hash(stage->place, b);
    const block *it = &stage->blocks[b];
    int length = snprintf(head, sizeof head, "*%zu\r\n$4\r\nHSET\r\n$%zu\r\n%s\r\n",
                          2 + 2 * it->count, strlen(hash.next), hash.next);
    akin_status status = akin_redis_queue_bytes(hash.server, head, (size_t)length, false);
    if (status != AKIN_OK) return status;
    return akin_redis_queue_bytes(hash.server, akin_text_bytes(it->fields),
                                  akin_text_length(it->fields), true);
}

/* Sends the block as a transaction without waiting: the next block is formatted meanwhile. */
static akin_status flush(akin_redis_stage *stage, size_t b) {
    akin_status status = AKIN_OK;
    block *it = &stage->blocks[b];
    char time[24];
    if (it->count == 0) return AKIN_OK;
    akin_redis_hash hash = akin_redis_store_hash(stage->place, b);
    snprintf(time, sizeof time, "%d", AKIN_REDIS_LOCK_SECONDS * 1000);
    AKIN_TRY(watch_lock(stage, b));
    AKIN_TRY(akin_redis_queue_texts(hash.server, "MULTI", NULL));
    AKIN_TRY(queue_lists(stage, b));
    AKIN_TRY(akin_redis_queue_texts(hash.server, "PEXPIRE", hash.lock, time, NULL));
    AKIN_TRY(akin_redis_queue_texts(hash.server, "EXEC", NULL));
    AKIN_TRY(akin_redis_store_queue_guard(stage->place, &hash));
    stage->flying = b;
    AKIN_TRY(akin_redis_send(hash.server));
    stage->waiting -= akin_text_length(it->fields);
    akin_text_clear(it->fields);
    it->count = 0;
done:
    return status;
}

static akin_status flush_all(akin_redis_stage *stage) {
    akin_status status = AKIN_OK;
    for (size_t b = 0; b < stage->hash_count && status == AKIN_OK; b++) status = flush(stage, b);
    return status;
}

/* A bulk string of RESP: its length, its bytes. */
static akin_status append_bulk(akin_text *text, const char *bytes, size_t length) {
    char digits[24], *out = akin_text_room(text, length + sizeof digits + 5);
    size_t count = 0;
    if (!out) return AKIN_FAILED;
    for (size_t left = length; left > 0 || count == 0; left /= 10)
        digits[count++] = (char)('0' + left % 10);
    char *at = out;
    *at++ = '$';
    while (count > 0) *at++ = digits[--count];
    memcpy(at, "\r\n", 2);
    memcpy(at + 2, bytes, length);
    memcpy(at + 2 + length, "\r\n", 2);
    akin_text_extend(text, (size_t)(at + 4 + length - out));
    return AKIN_OK;
}

akin_status akin_redis_stage_add(akin_redis_stage *stage, size_t row, akin_published *published) {
    akin_status status = AKIN_OK;
    const char *id = akin_ids_text(stage->source->ids, row);
    size_t id_length = akin_ids_length(stage->source->ids, row),
           b = akin_bucket(id, id_length, stage->buckets);
    block *it = &stage->blocks[b];
    if (!it->fields) AKIN_TRY(akin_text_create(&it->fields));
    size_t before = akin_text_length(it->fields);
    akin_text_clear(stage->value);
    AKIN_TRY(akin_listing_append(stage->lists, row, stage->value));
    AKIN_TRY(append_bulk(it->fields, id, id_length));
    AKIN_TRY(
        append_bulk(it->fields, akin_text_bytes(stage->value), akin_text_length(stage->value)));
    it->count++;
    stage->waiting += akin_text_length(it->fields) - before;
    published->bytes += akin_text_length(stage->value) + id_length;
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
    (void)!settle(stage); /* unread answers would be taken for later ones */
    for (size_t b = 0; stage->blocks && b < stage->hash_count; b++)
        akin_text_free(stage->blocks[b].fields);
    akin_mem_free(stage->blocks);
    akin_text_free(stage->value);
    akin_mem_free(stage->words);
    akin_mem_free(stage->lengths);
    akin_mem_free(stage);
}
