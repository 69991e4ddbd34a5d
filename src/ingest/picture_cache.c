/* picture_cache: see picture_cache.h. */
#include "picture_cache.h"
#include <akin/file.h>
#include <akin/json.h>
#include <akin/mem.h>
#include <akin/text.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { NAME_SIZE = 64, RECORD_LIMIT = 1 << 16 };

struct akin_picture_cache {
    char *folder;
};

/* --- names --- */

/* "ab/abcd..." and its extension. */
static void name_of(const char *address, const char *ending, char out[NAME_SIZE]) {
    char digits[AKIN_HASH_TEXT_SIZE];
    akin_hash_text(akin_hash_128(address, strlen(address), 0), digits);
    snprintf(out, NAME_SIZE, "%.2s/%s%s", digits, digits, ending);
}

static char *path_of(const akin_picture_cache *cache, const char *address, const char *ending) {
    char name[NAME_SIZE];
    name_of(address, ending, name);
    return akin_file_join(cache->folder, name);
}

/* The address as stored in the record, without a password. Owned; NULL: out of memory. */
static char *shown(const char *address) {
    char *copy = NULL;
    akin_text *text = NULL;
    if (akin_text_create(&text) == AKIN_OK && akin_text_append_hidden(text, address) == AKIN_OK)
        copy = akin_mem_text(akin_text_bytes(text));
    akin_text_free(text);
    return copy;
}

/* --- files: renamed into place but not synced; a truncated file is detected --- */

static akin_status write_all(int file, const char *path, const void *bytes, size_t count) {
    for (size_t at = 0; at < count;) {
        ssize_t wrote = write(file, (const char *)bytes + at, count - at);
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote < 0) return akin_file_cannot_write(path, errno);
        at += (size_t)wrote;
    }
    return AKIN_OK;
}

static akin_status write_file(const char *path, const void *bytes, size_t count) {
    akin_status status = AKIN_OK;
    char ending[40], host[16] = "";
    gethostname(host, sizeof host - 1); /* several nodes may share the folder */
    snprintf(ending, sizeof ending, ".%s.%ld", host, (long)getpid());
    char *part = akin_mem_alloc(strlen(path) + sizeof ending, 1), *folder = NULL;
    if (!part) return AKIN_FAILED;
    snprintf(part, strlen(path) + sizeof ending, "%s%s", path, ending);
    int file = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (file < 0 && errno == ENOENT) {
        folder = akin_file_folder(path);
        if (!folder) AKIN_TRY(AKIN_FAILED);
        AKIN_TRY(akin_file_make_folders(folder));
        file = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    }
    if (file < 0) AKIN_TRY(akin_file_cannot_write(path, errno));
    status = write_all(file, path, bytes, count);
    if (close(file) != 0 && status == AKIN_OK) status = akin_file_cannot_write(path, errno);
    if (status == AKIN_OK && rename(part, path) != 0) status = akin_file_cannot_write(path, errno);
    if (status != AKIN_OK) (void)unlink(part);
done:
    akin_mem_free(part);
    akin_mem_free(folder);
    return status;
}

/* *out: the object in the file, owned; NULL if there is no readable one. */
static akin_status read_json(const char *path, akin_json **out) {
    unsigned char *bytes = NULL;
    size_t count = 0;
    *out = NULL;
    if (!akin_file_exists(path)) return AKIN_OK;
    akin_status status = akin_file_read(path, RECORD_LIMIT, &bytes, &count);
    if (status == AKIN_OK) status = akin_json_parse((char *)bytes, count, out);
    akin_mem_free(bytes);
    if (status != AKIN_OK) akin_error_clear(); /* treated as missing */
    return AKIN_OK;
}

static akin_status write_json(const char *path, const akin_json *json) {
    char *text = akin_json_check(json) == AKIN_OK ? akin_json_print(json, false) : NULL;
    akin_status status = text ? write_file(path, text, strlen(text)) : AKIN_FAILED;
    akin_mem_free(text);
    return status;
}

/* --- records --- */

static void take(const akin_json *record, const char *key, char *out, size_t size) {
    const char *text = akin_json_text(record, key);
    bool fits = text && strlen(text) < size && !strpbrk(text, "\r\n");
    snprintf(out, size, "%s", fits ? text : "");
}

/* Whether the picture exists with the size in the record. */
static bool has_bytes(const akin_picture_cache *cache, const char *address, size_t count) {
    uint64_t size;
    int64_t changed;
    char name[NAME_SIZE];
    name_of(address, "", name);
    return akin_source_file_stat(cache->folder, name, &size, &changed) && size == count;
}

akin_status akin_picture_cache_find(const akin_picture_cache *cache, const char *address,
                                    akin_cached *out) {
    akin_status status = AKIN_OK;
    akin_json *record = NULL;
    char *path = path_of(cache, address, ".json"), *name = shown(address);
    *out = (akin_cached){0};
    if (!path || !name) AKIN_TRY(AKIN_FAILED);
    AKIN_TRY(read_json(path, &record));
    const char *of = record ? akin_json_text(record, "address") : NULL;
    if (!of || strcmp(of, name) != 0) goto done;
    take(record, "failure", out->failure, sizeof out->failure);
    take(record, "digest", out->digest, sizeof out->digest);
    double count = akin_json_number(record, "bytes", -1);
    double session = akin_json_number(record, "session", 0);
    if (strlen(out->digest) != AKIN_HASH_TEXT_SIZE - 1 || !(count >= 0 && count < 0x1p53) ||
        !has_bytes(cache, address, (size_t)count)) {
        out->digest[0] = '\0';
        goto done;
    }
    out->has_picture = true;
    out->count = (size_t)count;
    out->session = session > 0 && session < 0x1p53 ? (int64_t)session : 0;
    take(record, "etag", out->etag, sizeof out->etag);
    take(record, "last_modified", out->last_modified, sizeof out->last_modified);
done:
    akin_mem_free(path);
    akin_mem_free(name);
    akin_json_free(record);
    return status;
}

static void set_if(akin_json *record, const char *key, const char *text) {
    if (*text) akin_json_set_text(record, key, text);
}

akin_status akin_picture_cache_note(const akin_picture_cache *cache, const char *address,
                                    const akin_cached *about) {
    akin_status status = AKIN_OK;
    akin_json *record = NULL;
    char *path = path_of(cache, address, ".json"), *picture = path_of(cache, address, "");
    char *name = shown(address);
    if (!path || !picture || !name) AKIN_TRY(AKIN_FAILED);
    record = akin_json_object();
    akin_json_set_text(record, "address", name);
    set_if(record, "failure", about->failure);
    set_if(record, "etag", about->etag);
    set_if(record, "last_modified", about->last_modified);
    if (about->has_picture) {
        akin_json_set_text(record, "digest", about->digest);
        akin_json_set_integer(record, "bytes", (long long)about->count);
        akin_json_set_integer(record, "session", about->session);
    }
    AKIN_TRY(write_json(path, record));
    if (!about->has_picture) (void)unlink(picture);
done:
    akin_mem_free(path);
    akin_mem_free(picture);
    akin_mem_free(name);
    akin_json_free(record);
    return status;
}

akin_status akin_picture_cache_keep(const akin_picture_cache *cache, const char *address,
                                    const uint8_t *bytes, size_t count, const akin_cached *about) {
    akin_cached record = *about;
    char *path = path_of(cache, address, "");
    akin_status status = path ? write_file(path, bytes, count) : AKIN_FAILED;
    akin_mem_free(path);
    if (status != AKIN_OK) return status;
    record.has_picture = true;
    record.count = count;
    akin_hash_text(akin_hash_128(bytes, count, 0), record.digest);
    return akin_picture_cache_note(cache, address, &record);
}

akin_status akin_picture_cache_read(const akin_picture_cache *cache, const char *address,
                                    akin_source_bytes *out) {
    akin_status status;
    akin_cached found;
    char digest[AKIN_HASH_TEXT_SIZE], name[NAME_SIZE];
    out->count = 0;
    status = akin_picture_cache_find(cache, address, &found);
    if (status != AKIN_OK) return status;
    if (!found.has_picture)
        return akin_error_set(AKIN_INPUT, "%s",
                              *found.failure ? found.failure
                                             : "not in the cache yet: run akin fetch first");
    name_of(address, "", name);
    status = akin_source_file_read(cache->folder, name, false, out);
    if (status != AKIN_OK) return status;
    akin_hash_text(akin_hash_128(out->bytes, out->count, 0), digest);
    if (strcmp(digest, found.digest) == 0) return AKIN_OK;
    found = (akin_cached){.failure = "the cached copy is damaged; the next run downloads it again"};
    status = akin_picture_cache_note(cache, address, &found);
    if (status != AKIN_OK) akin_error_clear(); /* a read-only cache */
    return akin_error_set(AKIN_INPUT, "%s", found.failure);
}

/* --- sessions --- */

static double seconds_now(void) {
    return (double)time(NULL);
}

static akin_status write_session(const char *path, int64_t number, double begun, bool complete) {
    akin_json *json = akin_json_object();
    akin_json_set_integer(json, "session", number);
    akin_json_set_number(json, "begun", begun);
    akin_json_set_integer(json, "incomplete", !complete);
    akin_status status = write_json(path, json);
    akin_json_free(json);
    return status;
}

typedef struct {
    int64_t number; /* 0 = none */
    double begun;   /* when it ended, if it is complete; seconds since 1970 */
    bool complete;
} session;

static akin_status read_session(const char *path, session *out) {
    akin_json *json = NULL;
    akin_status status = read_json(path, &json);
    double number = json ? akin_json_number(json, "session", 0) : 0;
    *out = (session){0};
    if (number >= 1 && number < 0x1p52) {
        out->number = (int64_t)number;
        out->begun = akin_json_number(json, "begun", 0);
        out->complete = akin_json_number(json, "incomplete", 0) == 0;
    }
    akin_json_free(json);
    return status;
}

/* If the clock was set back, nothing may stay fresh forever. */
static bool is_within(double begun, double span) {
    double now = seconds_now();
    return begun <= now && now - begun < span;
}

akin_status akin_picture_cache_begin(const akin_picture_cache *cache, double fresh,
                                     int64_t *number) {
    session last;
    char *path = akin_file_join(cache->folder, "session.json");
    if (!path) return AKIN_FAILED;
    akin_status status = read_session(path, &last);
    bool goes_on = last.number > 0 && !last.complete && is_within(last.begun, fresh);
    *number = last.number + !goes_on;
    if (status == AKIN_OK)
        status = write_session(path, *number, goes_on ? last.begun : seconds_now(), false);
    akin_mem_free(path);
    return status;
}

akin_status akin_picture_cache_complete(const akin_picture_cache *cache, int64_t number) {
    char *path = akin_file_join(cache->folder, "session.json");
    akin_status status = path ? write_session(path, number, seconds_now(), true) : AKIN_FAILED;
    akin_mem_free(path);
    return status;
}

bool akin_picture_cache_is_recent(const akin_picture_cache *cache, double fresh) {
    session last;
    char *path = akin_file_join(cache->folder, "session.json");
    bool recent = path && read_session(path, &last) == AKIN_OK && last.number > 0 &&
                  last.complete && is_within(last.begun, fresh);
    akin_mem_free(path);
    return recent;
}

/* --- the folder --- */

akin_status akin_picture_cache_open(const char *folder, bool create, akin_picture_cache **out) {
    akin_status status = AKIN_OK;
    *out = NULL;
    akin_picture_cache *cache = akin_mem_zalloc(1, sizeof *cache);
    if (!cache) return AKIN_FAILED;
    cache->folder = akin_mem_text(folder);
    if (!cache->folder) AKIN_TRY(AKIN_FAILED);
    if (create && !akin_file_is_folder(folder)) AKIN_TRY(akin_file_make_folders(folder));
    if (!akin_file_is_folder(folder))
        AKIN_TRY(akin_error_set(AKIN_FAILED, "--cache %s: no such folder; akin fetch creates it",
                                folder));
    *out = cache;
    cache = NULL;
done:
    akin_picture_cache_close(cache);
    return status;
}

void akin_picture_cache_close(akin_picture_cache *cache) {
    if (!cache) return;
    akin_mem_free(cache->folder);
    akin_mem_free(cache);
}
