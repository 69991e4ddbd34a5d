/* sink_file: tables published as files, JSON lines or CSV by the ending of the name; the file before is kept as
 * PATH.prev.
 *
 * Floor 3 (stages); looks down to error, mem, text, hash, file, shard, comm, log, labels, table; within its floor to
 * sink and listing.
 *
 * One rank writes, so that any file system will do: in each round every rank formats a block of items, and the blocks
 * come to rank 0 in rank order, which is row order.
 */
#include <akin/file.h>
#include <akin/listing.h>
#include <akin/log.h>
#include <akin/mem.h>
#include <akin/shard.h>
#include <akin/sink.h>
#include <akin/text.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SCHEME "file:"
#define READ_VALUES ((size_t)1 << 18) /* neighbours read from the table at a time */
#define BLOCK_BYTES ((size_t)1 << 20) /* text of a rank in a round ... */
#define ROUND_BYTES ((size_t)1 << 26) /* ... and of all ranks, on rank 0 */

typedef struct {
    const char *ending;
    const char *head;
    akin_status (*append)(akin_text *text, const akin_labels *labels, const akin_list *list);
} file_form;

static const file_form forms[] = {
    {".jsonl", "", akin_listing_json},
    {".csv", "id,rank,neighbor,score\n", akin_listing_csv},
};

struct akin_target {
    const akin_sink_source *source;
    const file_form *form;
    const char *path;   /* within the URL, borrowed */
    uint64_t bytes;     /* of the whole file */
    akin_outfile *file; /* on rank 0, from stage to commit */
};

/* Where lists are read to and formatted. */
typedef struct {
    size_t room; /* items */
    int32_t *neighbor, *counts;
    float *score;
    akin_text *text;
} formatter;

static const file_form *form_of(const char *url) {
    const char *ending = akin_file_ending(url + strlen(SCHEME));
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (strcmp(ending, forms[i].ending) == 0) return &forms[i];
    return NULL;
}

static akin_status check_url(const char *url) {
    if (form_of(url)) return AKIN_OK;
    return akin_error_set(AKIN_USAGE, "%s: a file to publish to ends in %s or %s", url, forms[0].ending,
                          forms[1].ending);
}

static char *identity(const char *url) {
    const char *path = url + strlen(SCHEME);
    char *folder = akin_file_folder(path), *real = folder ? realpath(folder, NULL) : NULL;
    char *name = folder ? akin_file_join(real ? real : folder, akin_file_name(path)) : NULL;
    free(real);
    akin_mem_free(folder);
    return name;
}

/* --- formatting --- */

static void formatter_end(formatter *format) {
    akin_mem_free(format->neighbor);
    akin_mem_free(format->counts);
    akin_mem_free(format->score);
    akin_text_free(format->text);
}

static akin_status formatter_start(const akin_table *table, formatter *format) {
    akin_status status = AKIN_FAILED;
    size_t k = akin_table_k(table);
    *format = (formatter){.room = k < READ_VALUES ? READ_VALUES / k : 1};
    if (format->room > akin_table_items(table)) format->room = akin_table_items(table);
    format->neighbor = akin_mem_alloc(format->room * k, sizeof *format->neighbor);
    format->counts = akin_mem_alloc(format->room, sizeof *format->counts);
    format->score = akin_mem_alloc(format->room * k, sizeof *format->score);
    if (format->neighbor && format->counts && format->score) status = akin_text_create(&format->text);
    if (status != AKIN_OK) {
        formatter_end(format);
        *format = (formatter){0};
    }
    return status;
}

/* The text of items [first, first + count), count <= room, into format->text. */
static akin_status format_items(const akin_target *target, formatter *format, size_t first, size_t count) {
    akin_status status = AKIN_OK;
    const akin_table *table = target->source->table;
    size_t k = akin_table_k(table);
    akin_text_clear(format->text);
    AKIN_TRY(akin_table_rows(table, first, count, format->neighbor, format->score, format->counts));
    for (size_t i = 0; i < count; i++) {
        akin_list list = {first + i, (size_t)format->counts[i], format->neighbor + i * k, format->score + i * k};
        AKIN_TRY(target->form->append(format->text, target->source->labels, &list));
    }
done:
    return status;
}

/* Bytes of the whole file, from a dry run over this rank's shard: the disk is asked before anything is written. */
static akin_status measure(akin_comm *comm, akin_target *target) {
    akin_status status = AKIN_OK;
    formatter format;
    size_t n = akin_table_items(target->source->table);
    int rank = akin_comm_rank(comm), size = akin_comm_size(comm);
    size_t at = akin_shard_first(n, size, rank), end = akin_shard_first(n, size, rank + 1);
    int64_t bytes = rank == 0 ? (int64_t)strlen(target->form->head) : 0;
    akin_status local = formatter_start(target->source->table, &format);
    while (local == AKIN_OK && at < end) {
        size_t count = end - at < format.room ? end - at : format.room;
        local = format_items(target, &format, at, count);
        if (local == AKIN_OK) bytes += (int64_t)akin_text_length(format.text);
        at += count;
    }
    AKIN_TRY(akin_agree(comm, local));
    akin_comm_sum_i64(comm, &bytes, 1);
    target->bytes = (uint64_t)bytes;
done:
    formatter_end(&format);
    return status;
}

/* --- the steps of a sink --- */

static void close_target(akin_comm *comm, akin_target *target) {
    (void)comm;
    if (!target) return;
    akin_outfile_discard(target->file);
    akin_mem_free(target);
}

static char *previous_name(const char *path) {
    size_t room = strlen(path) + sizeof ".prev";
    char *name = akin_mem_alloc(room, 1);
    if (name) snprintf(name, room, "%s.prev", path);
    return name;
}

static akin_status check_names(const char *path) {
    akin_status status = akin_file_check_output(path);
    char *previous = previous_name(path);
    if (!previous) return AKIN_FAILED;
    if (status == AKIN_OK && akin_file_is_folder(previous))
        status = akin_error_set(AKIN_FAILED, "%s: is a folder, but the file before is kept by that name; move it away",
                                previous);
    akin_mem_free(previous);
    return status;
}

/* A part that a killed run left may hold the very space that is needed. */
static akin_status check_space(const char *path, uint64_t bytes) {
    char *part = akin_file_part_name(path);
    if (!part) return AKIN_FAILED;
    unlink(part);
    akin_mem_free(part);
    return akin_file_check_space(path, bytes);
}

static akin_status open_target(akin_comm *comm, const char *url, const akin_sink_source *source, akin_target **out) {
    akin_status status = AKIN_OK, local = AKIN_OK;
    const char *path = url + strlen(SCHEME);
    akin_target *target = akin_mem_alloc(1, sizeof *target);
    if (target)
        *target = (akin_target){.source = source, .form = form_of(url), .path = path};
    else
        local = AKIN_FAILED;
    if (local == AKIN_OK && akin_comm_rank(comm) == 0) local = check_names(path);
    AKIN_TRY(akin_agree(comm, local));
    AKIN_TRY(measure(comm, target));
    if (akin_comm_rank(comm) == 0) local = check_space(path, target->bytes);
    AKIN_TRY(akin_agree(comm, local));
done:
    if (status != AKIN_OK) {
        close_target(comm, target);
        target = NULL;
    }
    *out = target;
    return status;
}

/* Items that a rank formats in a round. */
static size_t block_items(const akin_target *target, const formatter *format, int size) {
    size_t bytes = ROUND_BYTES / (size_t)size < BLOCK_BYTES ? ROUND_BYTES / (size_t)size : BLOCK_BYTES;
    size_t line = (size_t)(target->bytes / akin_table_items(target->source->table)) + 1;
    size_t items = bytes / line < format->room ? bytes / line : format->room;
    return items > 0 ? items : 1;
}

static akin_status write_bytes(akin_target *target, akin_hasher *hasher, const void *bytes, size_t count) {
    akin_hasher_add(hasher, bytes, count);
    if (fwrite(bytes, 1, count, akin_outfile_stream(target->file)) == count) return AKIN_OK;
    return akin_error_set(AKIN_FAILED, "%s: cannot be written: is the disk full?", target->path);
}

/* One round: the blocks from item `first` on, one a rank. Collective; `local` is what this rank comes with. */
static akin_status write_round(akin_comm *comm, akin_target *target, formatter *format, akin_hasher *hasher,
                               size_t first, size_t block, akin_status local) {
    akin_status status = AKIN_OK;
    void *all = NULL;
    size_t n = akin_table_items(target->source->table), mine = first + block * (size_t)akin_comm_rank(comm);
    size_t count = mine >= n ? 0 : n - mine < block ? n - mine : block;
    size_t *offsets = akin_mem_alloc((size_t)akin_comm_size(comm) + 1, sizeof *offsets);
    if (!offsets && local == AKIN_OK) local = AKIN_FAILED;
    if (local == AKIN_OK) local = format_items(target, format, mine < n ? mine : n - 1, count);
    AKIN_TRY(akin_agree(comm, local));
    AKIN_TRY(akin_comm_gather(comm, akin_text_bytes(format->text), akin_text_length(format->text), 0, &all, offsets));
    if (all) local = write_bytes(target, hasher, all, offsets[akin_comm_size(comm)]);
    AKIN_TRY(akin_agree(comm, local));
done:
    akin_mem_free(all);
    akin_mem_free(offsets);
    return status;
}

static akin_status stage(akin_comm *comm, akin_target *target, akin_published *published) {
    akin_status status = AKIN_OK;
    formatter format = {0};
    akin_hasher *hasher = NULL;
    size_t n = akin_table_items(target->source->table);
    akin_status local = formatter_start(target->source->table, &format);
    if (local == AKIN_OK) local = akin_hasher_create(&hasher);
    if (local == AKIN_OK && akin_comm_rank(comm) == 0) {
        local = akin_outfile_create(target->path, &target->file);
        if (local == AKIN_OK) local = write_bytes(target, hasher, target->form->head, strlen(target->form->head));
    }
    AKIN_TRY(akin_agree(comm, local));
    size_t block = block_items(target, &format, akin_comm_size(comm));
    for (size_t first = 0; first < n; first += block * (size_t)akin_comm_size(comm)) {
        AKIN_TRY(akin_comm_check_signal(comm));
        AKIN_TRY(write_round(comm, target, &format, hasher, first, block, local));
        akin_log_progress("publish", "items", (double)first, (double)n);
    }
    published->bytes = target->bytes;
    akin_hash128 digest = akin_hasher_result(hasher);
    akin_comm_broadcast(comm, &digest, sizeof digest, 0);
    akin_hash_text(digest, published->digest);
done:
    akin_log_progress_end();
    formatter_end(&format);
    akin_hasher_free(hasher);
    return status;
}

static akin_status commit(akin_comm *comm, akin_target *target) {
    akin_status local = AKIN_OK;
    if (target->file) local = akin_outfile_commit(target->file, true);
    target->file = NULL;
    return akin_agree(comm, local);
}

/* --- back to the file before --- */

static akin_status check_rollback(akin_comm *comm, const char *url) {
    akin_status local = AKIN_OK;
    if (akin_comm_rank(comm) == 0) {
        char *previous = previous_name(url + strlen(SCHEME));
        if (!previous)
            local = AKIN_FAILED;
        else if (!akin_file_exists(previous) || akin_file_is_folder(previous))
            local = akin_error_set(
                AKIN_FAILED, "%s: there is no such file, so nothing to go back to: publish twice first", previous);
        akin_mem_free(previous);
    }
    return akin_agree(comm, local);
}

static akin_status rollback(akin_comm *comm, const char *url) {
    akin_status local = AKIN_OK;
    if (akin_comm_rank(comm) == 0) {
        const char *path = url + strlen(SCHEME);
        char *previous = previous_name(path);
        if (!previous)
            local = AKIN_FAILED;
        else if (akin_file_exists(path))
            local = akin_file_swap(path, previous);
        else /* someone removed it: the one before comes back all the same */
            local = akin_file_sync_rename(previous, path);
        akin_mem_free(previous);
    }
    return akin_agree(comm, local);
}

const akin_sink akin_sink_file = {
    .scheme = "file",
    .forms = "file:PATH.jsonl, file:PATH.csv",
    .check_url = check_url,
    .identity = identity,
    .open = open_target,
    .stage = stage,
    .commit = commit,
    .close = close_target,
    .check_rollback = check_rollback,
    .rollback = rollback,
};
