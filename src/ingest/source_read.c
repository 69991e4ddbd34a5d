/* source_read: reads one row after another, wherever its picture is stored. */
#include "source_read.h"
#include "source_file.h"
#include "source_tar.h"
#include <akin/mem.h>
#include <stdlib.h>
#include <string.h>

/* A reader: the open archive, if any, and the last bytes read. */
typedef struct {
    const akin_source_list *rows;
    akin_picture_cache *cache; /* NULL: none */
    akin_source_picture each;
    void *context;
    akin_source_tar *tar;
    const char *tar_path;
    akin_source_bytes bytes;
} reading;

static akin_status open_archive(reading *r, const char *path) {
    if (r->tar && strcmp(r->tar_path, path) == 0) return AKIN_OK;
    akin_source_tar_close(r->tar);
    r->tar = NULL;
    r->tar_path = path;
    return akin_source_tar_open(path, &r->tar);
}

static akin_status read_row(reading *r, size_t row) {
    const akin_source_list *rows = r->rows;
    const akin_source_record *record = akin_source_list_get(rows, row);
    const char *base = akin_source_list_text(rows, record->base),
               *path = akin_source_list_text(rows, record->path);
    akin_status status;
    if (record->address && !r->cache) {
        status = akin_error_set(AKIN_INPUT,
                                "is an address, and --cache gives no folder with the downloads");
    } else if (record->address) {
        status = akin_picture_cache_read(r->cache, path, &r->bytes);
    } else if (record->member == 0) {
        status = akin_source_file_read(base, path, record->confined, &r->bytes);
    } else {
        status = open_archive(r, base);
        if (status == AKIN_OK) status = akin_source_tar_read(r->tar, record->member, &r->bytes);
    }
    if (status == AKIN_INPUT) return r->each(r->context, row, NULL, 0, akin_error_message());
    if (status != AKIN_OK) return akin_error_context(status, "%s: ", path);
    return r->each(r->context, row, r->bytes.bytes, r->bytes.count, NULL);
}

/* A required member of an archive. */
typedef struct {
    uint64_t archive, member; /* archive: the position of its name, which all of its rows share */
    size_t row;
} place;

static int compare_places(const void *a, const void *b) {
    const place *x = a, *y = b;
    if (x->archive != y->archive) return x->archive < y->archive ? -1 : 1;
    if (x->member != y->member) return x->member < y->member ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

static bool is_member(const akin_source_list *rows, size_t row) {
    const akin_source_record *record = akin_source_list_get(rows, row);
    return !record->reason && record->member > 0;
}

/* Archives are read from front to back, whatever the order of their ids. */
static akin_status read_members(reading *r, akin_source_choice wanted) {
    akin_status status = AKIN_OK;
    const akin_source_list *rows = r->rows;
    size_t count = 0;
    place *places = NULL;
    for (size_t row = 0; row < akin_source_list_count(rows); row++) count += is_member(rows, row);
    if (count == 0) return AKIN_OK;
    places = akin_mem_alloc(count, sizeof *places);
    if (!places) return AKIN_FAILED;
    count = 0;
    bool ascending = true; /* usually they are listed in this order */
    for (size_t row = 0; row < akin_source_list_count(rows); row++) {
        const akin_source_record *record = akin_source_list_get(rows, row);
        if (!is_member(rows, row)) continue;
        places[count] = (place){record->base, record->member, row};
        ascending = ascending && (!count || compare_places(&places[count - 1], &places[count]) < 0);
        count++;
    }
    if (!ascending) qsort(places, count, sizeof *places, compare_places);
    for (size_t i = 0; i < count && status == AKIN_OK; i++)
        if (wanted(r->context, places[i].row)) status = read_row(r, places[i].row);
    akin_mem_free(places);
    return status;
}

akin_status akin_source_list_read(const akin_source_list *rows, akin_picture_cache *cache,
                                  akin_source_choice wanted, akin_source_picture each,
                                  void *context) {
    akin_status status = AKIN_OK;
    reading r = {.rows = rows, .cache = cache, .each = each, .context = context};
    for (size_t row = 0; row < akin_source_list_count(rows) && status == AKIN_OK; row++) {
        const akin_source_record *record = akin_source_list_get(rows, row);
        if (record->reason || record->member > 0) continue;
        if (wanted(context, row)) status = read_row(&r, row);
    }
    if (status == AKIN_OK) status = read_members(&r, wanted);
    akin_source_tar_close(r.tar);
    akin_source_bytes_free(&r.bytes);
    return status;
}
