/* source: rows of all kinds of sources, their order, and their bytes. */
#include "picture_cache.h"
#include "source_attributes.h"
#include "source_csv.h"
#include "source_file.h"
#include "source_folder.h"
#include "source_list.h"
#include "source_read.h"
#include "source_tar.h"
#include <akin/file.h>
#include <akin/hash.h>
#include <akin/mem.h>
#include <akin/shard.h>
#include <akin/source.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

_Static_assert(AKIN_SOURCE_ID_LIMIT == AKIN_SOURCE_TEXT_LIMIT, "one limit for ids");

struct akin_source {
    akin_source_list *rows;
    akin_source_attributes attributes;
    akin_picture_cache *cache; /* NULL: none, or not yet */
    int64_t missing, unfetched;
    size_t first_missing;
    size_t *order; /* [valid] */
    size_t valid;
    bool withdrawals;
    char digest[AKIN_HASH_TEXT_SIZE];
};

/* --- listing, by rank 0 --- */

static akin_status refuse_attributes(const char *name, const char *kind) {
    return akin_error_option(
        "attributes",
        "source %s: --attributes names columns of a CSV or TSV file, and this is "
        "%s %s, which has none; list its pictures in a CSV file",
        name, *kind == 'a' ? "an" : "a", kind);
}

/* Whether it is a local file or folder. */
static akin_status look_at(const char *name, struct stat *info) {
    if (akin_source_scheme(name) > 0)
        return akin_error_set(AKIN_FAILED,
                              "source %s: is an address; a source is a local file or folder, whose "
                              "rows may be addresses: download it first",
                              name);
    if (stat(name, info) != 0)
        return akin_error_set(AKIN_FAILED,
                              "source %s: %s; give a CSV or TSV file, a folder or a tar archive",
                              name, errno == ENOENT ? "no such file or folder" : strerror(errno));
    if (S_ISDIR(info->st_mode) || S_ISREG(info->st_mode)) return AKIN_OK;
    return akin_error_set(AKIN_FAILED,
                          "source %s: is a pipe, socket or device; give a file or a folder", name);
}

akin_status akin_source_there(const char *name) {
    struct stat info;
    return look_at(name, &info);
}

static akin_status list_one(const char *name, const akin_source_params *params,
                            akin_source_list *rows) {
    struct stat info;
    bool is_tar = false;
    akin_status status = look_at(name, &info);
    if (status != AKIN_OK) return status;
    if (S_ISDIR(info.st_mode) && params->attributes) return refuse_attributes(name, "folder");
    if (S_ISDIR(info.st_mode)) return akin_source_folder_list(name, rows);
    status = info.st_size > 0 ? akin_source_tar_list(name, rows, &is_tar) : AKIN_OK;
    if (status == AKIN_OK && is_tar && params->attributes)
        return refuse_attributes(name, "archive");
    if (status != AKIN_OK || is_tar) return status;
    const akin_source_table form = {params->root,      params->columns,    params->encoding,
                                    params->separator, params->reject_bad, params->withdrawals};
    return akin_source_csv_list(name, &form, rows);
}

/* ends [count]: for each source, the number of rows up to its end. */
static akin_status list_all(const akin_source_params *params, akin_source_list *rows,
                            size_t *ends) {
    akin_status status = AKIN_OK;
    if (params->root && !akin_file_is_folder(params->root))
        return akin_error_set(AKIN_FAILED, "--root %s: no such folder", params->root);
    for (size_t i = 0; i < params->count && status == AKIN_OK; i++) {
        status = list_one(params->names[i], params, rows);
        if (i == 0 && params->last_replaces && status == AKIN_OK)
            status = akin_source_list_replace(rows);
        ends[i] = akin_source_list_count(rows);
    }
    return status;
}

/* For qsort, which takes no context. */
typedef struct {
    const char *id;
    size_t row;
    bool repeated;
} keyed;

static int compare_keys(const void *a, const void *b) {
    const keyed *x = a, *y = b;
    int order = strcmp(x->id, y->id);
    if (order != 0) return order;
    return x->row < y->row ? -1 : x->row > y->row;
}

/* Describes the first row with the id to the user. */
static akin_status refuse_duplicate(akin_source_list *rows, const akin_source_params *params,
                                    const size_t *ends, size_t row, size_t first) {
    char own[32] = "", number[32] = "", reason[512];
    size_t of = 0, at = akin_source_list_get(rows, row)->row,
           in_table = akin_source_list_get(rows, first)->row;
    while (ends[of] <= first) of++;
    if (in_table) snprintf(number, sizeof number, "row %zu", in_table);
    if (at) snprintf(own, sizeof own, "row %zu: ", at);
    if (in_table && ends[0] == akin_source_list_count(rows))
        snprintf(reason, sizeof reason, "%sduplicate id: %s has it", own, number);
    else
        snprintf(reason, sizeof reason, "%sduplicate id: %s%s%s has it", own, number,
                 in_table ? " of " : "", params->names[of]);
    return akin_source_list_refuse(rows, row, reason);
}

/* The first of several rows with the same id is accepted, the others are rejected; the remaining
 * ones define the order. */
static akin_status sort_rows(akin_source *source, const akin_source_params *params,
                             const size_t *ends) {
    akin_status status = AKIN_OK;
    akin_source_list *rows = source->rows;
    size_t count = akin_source_list_count(rows), used = 0, first = 0;
    keyed *keys = akin_mem_alloc(count, sizeof *keys);
    source->order = akin_mem_alloc(count, sizeof *source->order);
    if (!keys || !source->order) {
        status = AKIN_FAILED;
        goto done;
    }
    for (size_t row = 0; row < count; row++)
        if (akin_source_list_get(rows, row)->has_id)
            keys[used++] = (keyed){akin_source_list_text(rows, akin_source_list_get(rows, row)->id),
                                   row, false};
    if (used > 0) qsort(keys, used, sizeof *keys, compare_keys);
    /* The order is computed first, because adding a reason can move the texts that the keys point
     * to. */
    for (size_t i = 0; i < used; i++) {
        keys[i].repeated = i > 0 && strcmp(keys[i].id, keys[i - 1].id) == 0;
        if (!keys[i].repeated && !akin_source_list_get(rows, keys[i].row)->reason)
            source->order[source->valid++] = keys[i].row;
    }
    for (size_t i = 0; i < used && status == AKIN_OK; i++) {
        if (!keys[i].repeated) {
            first = keys[i].row;
            continue;
        }
        status = refuse_duplicate(rows, params, ends, keys[i].row, first);
    }
done:
    akin_mem_free(keys);
    return status;
}

/* The source whose rows replace others is listed first. */
static akin_status list_here(akin_source *source, const akin_source_params *given) {
    akin_status status;
    akin_source_params params = *given;
    size_t *ends = akin_mem_zalloc(params.count, sizeof *ends);
    const char **names = akin_mem_alloc(params.count, sizeof *names);
    if (!ends || !names) AKIN_TRY(AKIN_FAILED);
    for (size_t i = 0; i < params.count; i++)
        names[(i + params.last_replaces) % params.count] = given->names[i];
    params.names = names;
    AKIN_TRY(list_all(&params, source->rows, ends));
    AKIN_TRY(sort_rows(source, &params, ends));
done:
    akin_mem_free(ends);
    akin_mem_free(names);
    return status;
}

/* --- the digest, by all ranks --- */

/* of this rank's share */
typedef struct {
    akin_hash128 sum;
    int64_t missing, first_missing; /* -1: none */
    int64_t unfetched;
} share_seen;

/* The state of an address. */
static akin_status digest_address(const akin_source *source, size_t row, akin_hasher *hasher,
                                  share_seen *seen) {
    akin_cached found = {0};
    akin_status status = AKIN_OK;
    const akin_source_record *record = akin_source_list_get(source->rows, row);
    if (source->cache)
        status = akin_picture_cache_find(source->cache,
                                         akin_source_list_text(source->rows, record->path), &found);
    akin_hasher_add_text(hasher, found.digest);
    if (!record->reason && (!found.has_picture || *found.failure))
        seen->unfetched += akin_source_needs_picture(source, row);
    return status;
}

/* The file of a row, or the archive that it is in: whether it is there. */
static bool look_at_file(const akin_source *source, size_t row, uint64_t *size, int64_t *changed) {
    const akin_source_list *rows = source->rows;
    const akin_source_record *record = akin_source_list_get(rows, row);
    const char *base = akin_source_list_text(rows, record->base);
    return akin_source_file_stat(
        record->member > 0 ? "" : base,
        record->member > 0 ? base : akin_source_list_text(rows, record->path), size, changed);
}

/* The state of a file; a member of an archive changes with the archive. */
static void digest_file(const akin_source *source, size_t row, akin_hasher *hasher,
                        share_seen *seen) {
    uint64_t size;
    int64_t changed;
    const akin_source_record *record = akin_source_list_get(source->rows, row);
    bool there = look_at_file(source, row, &size, &changed);
    if (!there && !record->reason && akin_source_needs_picture(source, row) && seen->missing++ == 0)
        seen->first_missing = (int64_t)row;
    const uint64_t numbers[] = {row, record->available, record->member, size, (uint64_t)changed};
    akin_hasher_add(hasher, numbers, sizeof numbers);
}

static akin_status digest_row(const akin_source *source, size_t row, share_seen *seen) {
    const akin_source_list *rows = source->rows;
    akin_hasher *hasher;
    akin_status status = akin_hasher_create(&hasher);
    if (status != AKIN_OK) return status;
    const akin_source_record *record = akin_source_list_get(rows, row);
    const uint64_t texts[] = {record->id, record->path, record->category, record->group,
                              record->reason};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        akin_hasher_add_text(hasher, akin_source_list_text(rows, texts[i]));
    for (size_t a = 0; a < source->attributes.count; a++) {
        const float number = akin_source_number(source, row, a);
        akin_hasher_add_text(hasher, akin_source_label(source, row, a));
        akin_hasher_add(hasher, &number, sizeof number);
    }
    if (record->address)
        status = digest_address(source, row, hasher, seen);
    else
        digest_file(source, row, hasher, seen);
    akin_hash128 hash = akin_hasher_result(hasher);
    akin_hasher_free(hasher);
    seen->sum.low += hash.low;
    seen->sum.high += hash.high;
    return status;
}

/* Fields that every row has are part of the digest, whether they have a value or not. */
static akin_status add_attributes(const akin_source *source, akin_hash128 *sum) {
    akin_hasher *hasher;
    if (source->attributes.count == 0) return AKIN_OK;
    akin_status status = akin_hasher_create(&hasher);
    if (status != AKIN_OK) return status;
    for (size_t a = 0; a < source->attributes.count; a++) {
        akin_hasher_add_text(hasher, source->attributes.of[a].name);
        akin_hasher_add_text(hasher, akin_attribute_kind_name(source->attributes.of[a].kind));
    }
    akin_hash128 hash = akin_hasher_result(hasher);
    akin_hasher_free(hasher);
    sum->low += hash.low;
    sum->high += hash.high;
    return AKIN_OK;
}

/* Each rank checks its share of the files, which may be on slow storage; sums can be added in any
 * order. Collective. */
static akin_status make_digest(akin_source *source, akin_comm *comm) {
    akin_status status = AKIN_OK;
    share_seen seen = {.first_missing = -1};
    size_t count = akin_source_list_count(source->rows);
    size_t row = akin_shard_first(count, akin_comm_size(comm), akin_comm_rank(comm));
    size_t end = row + akin_shard_count(count, akin_comm_size(comm), akin_comm_rank(comm));
    if (akin_comm_rank(comm) == 0) status = add_attributes(source, &seen.sum);
    for (; row < end && status == AKIN_OK; row++) status = digest_row(source, row, &seen);
    AKIN_TRY(akin_agree(comm, status));
    int64_t parts[4] = {(int64_t)seen.sum.low, (int64_t)seen.sum.high, seen.missing,
                        seen.unfetched};
    akin_comm_sum_i64(comm, parts, 4);
    int64_t first = seen.first_missing < 0 ? INT64_MIN : -seen.first_missing;
    akin_comm_max_i64(comm, &first, 1);
    source->missing = parts[2];
    source->unfetched = parts[3];
    source->first_missing = source->missing > 0 ? (size_t)-first : SIZE_MAX;
    akin_hash_text((akin_hash128){(uint64_t)parts[0] + count, (uint64_t)parts[1]}, source->digest);
done:
    return status;
}

/* --- the object --- */

/* May return NULL: no source yet. Not collective. */
static akin_status open_cache(akin_source *source, const char *folder) {
    akin_picture_cache_close(source->cache);
    source->cache = NULL;
    if (!folder || !akin_file_is_folder(folder)) return AKIN_OK;
    return akin_picture_cache_open(folder, false, &source->cache);
}

akin_status akin_source_look_again(akin_comm *comm, akin_source *source, const char *cache) {
    akin_status status = AKIN_OK;
    AKIN_TRY(akin_agree(comm, open_cache(source, cache)));
    AKIN_TRY(make_digest(source, comm));
done:
    return status;
}

akin_status akin_source_open(akin_comm *comm, const akin_source_params *params, akin_source **out) {
    akin_status status, local = AKIN_OK;
    *out = NULL;
    akin_source *source = akin_mem_zalloc(1, sizeof *source);
    if (!source || akin_source_list_create(&source->rows) != AKIN_OK) local = AKIN_FAILED;
    if (local == AKIN_OK)
        local = akin_source_attributes_parse(params->attributes, &source->attributes);
    if (local == AKIN_OK) akin_source_list_set_attributes(source->rows, &source->attributes);
    if (local == AKIN_OK) source->withdrawals = params->withdrawals;
    AKIN_TRY(akin_agree(comm, local));
    bool lists = akin_comm_rank(comm) == 0;
    AKIN_TRY(akin_agree_with_first(comm, lists ? list_here(source, params) : AKIN_OK));
    AKIN_TRY(akin_source_list_share(comm, source->rows));
    void *order = source->order;
    size_t bytes = source->valid * sizeof *source->order;
    AKIN_TRY(akin_comm_share(comm, &order, &bytes, 0));
    source->order = order;
    source->valid = bytes / sizeof *source->order;
    AKIN_TRY(akin_source_look_again(comm, source, params->cache));
    *out = source;
    source = NULL;
done:
    akin_source_close(source);
    return status;
}

void akin_source_close(akin_source *source) {
    if (!source) return;
    akin_source_list_free(source->rows);
    akin_picture_cache_close(source->cache);
    akin_mem_free(source->order);
    akin_mem_free(source);
}

/* --- queries --- */

size_t akin_source_rows(const akin_source *source) {
    return akin_source_list_count(source->rows);
}

bool akin_source_is_address(const akin_source *source, size_t row) {
    return akin_source_list_get(source->rows, row)->address;
}

bool akin_source_has_addresses(const akin_source *source) {
    for (size_t row = 0; row < akin_source_rows(source); row++)
        if (akin_source_is_address(source, row)) return true;
    return false;
}

bool akin_source_needs_picture(const akin_source *source, size_t row) {
    return !source->withdrawals || akin_source_list_get(source->rows, row)->available;
}

size_t akin_source_unfetched(const akin_source *source) {
    return (size_t)source->unfetched;
}

size_t akin_source_missing(const akin_source *source, size_t *first) {
    *first = source->first_missing;
    return (size_t)source->missing;
}

bool akin_source_is_there(const akin_source *source, size_t row) {
    uint64_t size;
    int64_t changed;
    if (akin_source_is_address(source, row)) return true;
    return *akin_source_get(source, row).path && look_at_file(source, row, &size, &changed);
}

akin_status akin_source_explain(const akin_source *source, size_t row, const char *reason,
                                akin_text *out) {
    akin_status status = AKIN_OK;
    const akin_source_record *record = akin_source_list_get(source->rows, row);
    const char *base = akin_source_list_text(source->rows, record->base),
               *path = akin_source_list_text(source->rows, record->path);
    if (record->row == 0) return akin_text_append(out, "%s", reason);
    AKIN_TRY(akin_text_append(out, "row %zu: %s", (size_t)record->row, reason));
    if (record->address || record->member > 0 || *base == '\0' || *path == '/' ||
        strcmp(base, ".") == 0)
        goto done;
    AKIN_TRY(akin_text_append(out, " (%s%s", base, base[strlen(base) - 1] == '/' ? "" : "/"));
    AKIN_TRY(akin_text_append_hidden(out, path));
    AKIN_TRY(akin_text_append(out, ")"));
done:
    return status;
}

akin_source_row akin_source_get(const akin_source *source, size_t row) {
    const akin_source_list *rows = source->rows;
    const akin_source_record *record = akin_source_list_get(rows, row);
    return (akin_source_row){.id = akin_source_list_text(rows, record->id),
                             .path = akin_source_list_text(rows, record->path),
                             .category = akin_source_list_text(rows, record->category),
                             .group = akin_source_list_text(rows, record->group),
                             .available = record->available,
                             .says_available = record->says_available,
                             .reason = record->reason ? akin_source_list_text(rows, record->reason)
                                                      : NULL};
}

const akin_source_attributes *akin_source_attributes_of(const akin_source *source) {
    return &source->attributes;
}

float akin_source_number(const akin_source *source, size_t row, size_t attribute) {
    bool number = source->attributes.of[attribute].kind == AKIN_ATTRIBUTE_NUMBER;
    return number ? akin_source_list_number(source->rows, row, attribute) : NAN;
}

const char *akin_source_label(const akin_source *source, size_t row, size_t attribute) {
    bool number = source->attributes.of[attribute].kind == AKIN_ATTRIBUTE_NUMBER;
    return number ? "" : akin_source_list_label(source->rows, row, attribute);
}

const char *akin_source_digest(const akin_source *source) {
    return source->digest;
}

size_t akin_source_valid(const akin_source *source) {
    return source->valid;
}

const size_t *akin_source_order(const akin_source *source) {
    return source->order;
}

size_t akin_source_find(const akin_source *source, const char *id) {
    size_t low = 0, high = source->valid;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(akin_source_get(source, source->order[middle]).id, id);
        if (order == 0) return source->order[middle];
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return SIZE_MAX;
}

/* --- bytes --- */

akin_status akin_source_read_chosen(const akin_source *source, akin_source_choice wanted,
                                    akin_source_picture each, void *context) {
    return akin_source_list_read(source->rows, source->cache, wanted, each, context);
}

typedef struct {
    const bool *wanted;
    akin_source_picture each;
    void *context;
} listed;

static bool is_listed(void *context, size_t row) {
    return ((const listed *)context)->wanted[row];
}

static akin_status pass_on(void *context, size_t row, const uint8_t *bytes, size_t count,
                           const char *reason) {
    const listed *l = context;
    return l->each(l->context, row, bytes, count, reason);
}

akin_status akin_source_read(const akin_source *source, const bool *wanted,
                             akin_source_picture each, void *context) {
    listed l = {wanted, each, context};
    return akin_source_read_chosen(source, is_listed, pass_on, &l);
}
