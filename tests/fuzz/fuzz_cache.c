/* The folder of downloaded pictures: these bytes are the record of an address and of the last
 * session. */
#include "fuzz.h"
#include "ingest/picture_cache.h"
#include <akin/mem.h>
#include <string.h>
#include <sys/stat.h>

static const char folder[] = "/dev/shm/akin-fuzz-cache", address[] = "https://u:pw@a.shop/1.png";

static void put(const char *path, const uint8_t *bytes, size_t count) {
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(bytes, 1, count, file) != count || fclose(file) != 0) abort();
}

/* The names of the address's picture and record. */
static void name_files(char picture[128], char record[128]) {
    char digits[AKIN_HASH_TEXT_SIZE], part[128];
    akin_hash_text(akin_hash_128(address, strlen(address), 0), digits);
    snprintf(part, sizeof part, "%s/%.2s", folder, digits);
    mkdir(folder, 0777);
    mkdir(part, 0777);
    snprintf(picture, 128, "%s/%s", part, digits);
    snprintf(record, 128, "%s/%s.json", part, digits);
}

static akin_status use(const akin_picture_cache *cache) {
    akin_status status = AKIN_OK;
    akin_cached found, again;
    int64_t session;
    akin_source_bytes picture = {0};
    AKIN_TRY(akin_picture_cache_find(cache, address, &found));
    status = akin_picture_cache_read(cache, address, &picture);
    if (status != AKIN_OK && status != AKIN_INPUT) goto done;
    akin_error_clear();
    AKIN_TRY(akin_picture_cache_begin(cache, 3600, &session));
    if (session < 1) abort();
    (void)akin_picture_cache_is_recent(cache, 3600);
    AKIN_TRY(akin_picture_cache_find(cache, address, &found));
    AKIN_TRY(akin_picture_cache_note(cache, address, &found));
    AKIN_TRY(akin_picture_cache_find(cache, address, &again));
    if (found.has_picture != again.has_picture || strcmp(found.etag, again.etag) != 0) abort();
    AKIN_TRY(akin_picture_cache_complete(cache, session));
done:
    akin_source_bytes_free(&picture);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    char picture[128], record[128], session[128];
    akin_picture_cache *cache = NULL;
    uint64_t blocks = akin_mem_live();
    name_files(picture, record);
    snprintf(session, sizeof session, "%s/session.json", folder);
    put(picture, (const uint8_t *)"twelve bytes", 12);
    put(record, bytes, count);
    put(session, bytes, count);
    akin_status status = akin_picture_cache_open(folder, false, &cache);
    if (status == AKIN_OK) status = use(cache);
    akin_picture_cache_close(cache);
    fuzz_check(status);
    if (akin_mem_live() != blocks) abort(); /* memory was not freed */
    return 0;
}
