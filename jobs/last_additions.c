/* last_additions: see last_additions.h. catalog.nc holds what the sources had, embeddings.nc what `akin
 * add` made of it. */
#include "last_additions.h"
#include <akin/file.h>
#include <akin/ids.h>
#include <akin/log.h>
#include <akin/mem.h>
#include <akin/text.h>

enum { NAMED = 5 /* items in a warning */ };

/* The items of a file. */
typedef struct {
    akin_ids *ids;
    int8_t *available; /* [items] */
} items;

struct akin_last_additions {
    akin_ids *added, *withdrawn; /* NULL: none */
};

static void items_free(items *of) {
    akin_ids_free(of->ids);
    akin_mem_free(of->available);
}

static akin_status items_read(const akin_ncfile *file, items *out) {
    akin_status status;
    AKIN_TRY(akin_ids_read(file, &out->ids));
    size_t count = akin_ids_count(out->ids);
    out->available = akin_mem_alloc(count, sizeof *out->available);
    if (!out->available) return AKIN_FAILED;
    status = akin_ncfile_get(file, "available", 0, count, out->available);
done:
    return status;
}

static akin_status open_in(const char *folder, const char *name, const char *kind,
                           akin_ncfile **out) {
    char *path = akin_file_join(folder, name);
    akin_status status = path ? akin_ncfile_peek(path, kind, out) : AKIN_FAILED;
    akin_mem_free(path);
    return status;
}

static bool is_live(const items *of, const char *id) {
    int64_t at = akin_ids_find(of->ids, id);
    return at >= 0 && of->available[at];
}

/* The items that can be recommended in one and not in the other; NULL: there are none. */
static akin_status find_more(const items *of, const items *than, akin_ids **out) {
    size_t count = 0, all = akin_ids_count(of->ids);
    const char **texts = akin_mem_alloc(all, sizeof *texts);
    if (!texts) return AKIN_FAILED;
    for (size_t i = 0; i < all; i++) {
        const char *id = akin_ids_text(of->ids, i);
        if (of->available[i] && !is_live(than, id)) texts[count++] = id;
    }
    akin_status status = count > 0 ? akin_ids_create(count, texts, out) : AKIN_OK;
    akin_mem_free(texts);
    return status;
}

/* The folder with the files that the new ones follow; NULL: none. */
static const char *folder_of(const akin_folder *folder) {
    char *own = akin_file_join(akin_folder_path(folder), "embeddings.nc");
    bool there = own && akin_file_exists(own);
    akin_mem_free(own);
    return there ? akin_folder_path(folder) : akin_folder_previous(folder);
}

static akin_status read_last(const char *folder, akin_last_additions *last) {
    akin_status status;
    akin_ncfile *catalog = NULL, *embeddings = NULL;
    char *added = NULL;
    items before = {0}, after = {0};
    AKIN_TRY(open_in(folder, "embeddings.nc", "embeddings", &embeddings));
    AKIN_TRY(akin_ncfile_get_attribute(embeddings, "input_added_digest", &added));
    if (!added) goto done;
    AKIN_TRY(open_in(folder, "catalog.nc", "catalog", &catalog));
    AKIN_TRY(items_read(catalog, &before));
    AKIN_TRY(items_read(embeddings, &after));
    AKIN_TRY(find_more(&after, &before, &last->added));
    status = find_more(&before, &after, &last->withdrawn);
done:
    items_free(&before);
    items_free(&after);
    akin_mem_free(added);
    akin_ncfile_close(catalog);
    akin_ncfile_close(embeddings);
    return status;
}

akin_status akin_last_additions_find(const akin_folder *folder, akin_last_additions **out) {
    const char *last = folder_of(folder);
    *out = last ? akin_mem_zalloc(1, sizeof **out) : NULL;
    if (!last) return AKIN_OK;
    if (!*out) return AKIN_FAILED;
    if (read_last(last, *out) == AKIN_OK) return AKIN_OK;
    akin_error_clear(); /* the stages tell of damage */
    akin_last_additions_free(*out);
    *out = NULL;
    return AKIN_OK;
}

/* What is said of the items that one kind of change left behind. */
typedef struct {
    bool live; /* in the new catalogue */
    const char *did, *are, *source;
} telling;

/* Of these items, those that are live in the catalogue or not: how many, and the first ids. */
static akin_status count_live(const akin_ids *ids, const items *catalog, bool live, size_t *count,
                              akin_text *first) {
    akin_status status = AKIN_OK;
    *count = 0;
    for (size_t i = 0; ids && i < akin_ids_count(ids); i++) {
        const char *id = akin_ids_text(ids, i);
        if (is_live(catalog, id) != live || ++*count > NAMED) continue;
        AKIN_TRY(akin_text_append(first, *count > 1 ? ", %s" : "%s", id));
    }
    if (*count > NAMED) status = akin_text_append(first, " ...");
done:
    return status;
}

static akin_status tell(const akin_ids *ids, const items *catalog, telling of) {
    akin_status status;
    akin_text *first = NULL;
    size_t count;
    AKIN_TRY(akin_text_create(&first));
    AKIN_TRY(count_live(ids, catalog, of.live, &count, first));
    if (count > 0)
        akin_log_warning("%zu item%s that akin add %s the last tables %s %s the new tables: %s; %s "
                         "the source and run again, or repeat akin add",
                         count, AKIN_PLURAL(count), of.did, count == 1 ? "is" : "are", of.are,
                         akin_text_bytes(first), of.source);
done:
    akin_text_free(first);
    return status;
}

akin_status akin_last_additions_tell(const akin_last_additions *last, const akin_folder *folder) {
    static const telling added = {false, "put into",
                                  "missing from the source (or not available there), and from",
                                  "complete"},
                         withdrawn = {true, "took out of", "still in the source, and again in",
                                      "correct"};
    akin_status status;
    akin_ncfile *file = NULL;
    items catalog = {0};
    if (!last || (!last->added && !last->withdrawn)) return AKIN_OK;
    AKIN_TRY(open_in(akin_folder_path(folder), "catalog.nc", "catalog", &file));
    AKIN_TRY(items_read(file, &catalog));
    AKIN_TRY(tell(last->added, &catalog, added));
    status = tell(last->withdrawn, &catalog, withdrawn);
done:
    items_free(&catalog);
    akin_ncfile_close(file);
    return status;
}

void akin_last_additions_free(akin_last_additions *last) {
    if (!last) return;
    akin_ids_free(last->added);
    akin_ids_free(last->withdrawn);
    akin_mem_free(last);
}
