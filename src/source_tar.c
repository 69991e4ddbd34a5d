/* source_tar: a catalogue in a tar archive; the one file with <archive.h>. Floor 2; looks down to error, mem, text,
 * source_list. */
#include <akin/mem.h>
#include <akin/source_tar.h>
#include <akin/text.h>
#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 1 << 18, CHAIN = 8 }; /* bytes read at a time; links to links that are followed */

static akin_status open_archive(const char *path, struct archive **out) {
    struct archive *archive = *out = archive_read_new();
    if (!archive) return akin_error_set(AKIN_FAILED, "no memory to read %s", path);
    archive_read_support_filter_all(archive);
    archive_read_support_format_tar(archive);
    if (archive_read_open_filename(archive, path, BLOCK) == ARCHIVE_OK) return AKIN_OK;
    return akin_error_set(AKIN_INPUT, "%s: no tar archive: %s", path, archive_error_string(archive));
}

/* The next entry; *entry NULL at the end. A warning is only that. */
static akin_status next(const char *path, struct archive *archive, struct archive_entry **entry) {
    int result = archive_read_next_header(archive, entry);
    if (result == ARCHIVE_OK || result == ARCHIVE_WARN) return AKIN_OK;
    *entry = NULL;
    if (result == ARCHIVE_EOF) return AKIN_OK;
    return akin_error_set(AKIN_INPUT, "%s: damaged or cut: %s", path, archive_error_string(archive));
}

bool akin_source_tar_matches(const char *path) {
    struct archive *archive = NULL;
    struct archive_entry *entry = NULL;
    bool matches = open_archive(path, &archive) == AKIN_OK && next(path, archive, &entry) == AKIN_OK && entry &&
                   (archive_format(archive) & ARCHIVE_FORMAT_BASE_MASK) == ARCHIVE_FORMAT_TAR;
    archive_read_free(archive);
    akin_error_clear();
    return matches;
}

/* --- listing --------------------------------------------------------------------------------------------------------
 */

/* A member, or a link in wait of its target. */
typedef struct {
    char *name, *target; /* owned; target NULL: it has bytes of its own */
    const char *reason;
    int64_t member;
} listed;

typedef struct {
    listed *items;
    size_t count, room;
    size_t *by_name; /* [count] */
} listing;

/* The name without "./" and doubled slashes; NULL where it is absolute, holds ".." or there is no memory. Owned. */
static char *clean_name(const char *name, bool *leads_out) {
    char *clean = akin_mem_zalloc(strlen(name) + 1, 1);
    size_t length = 0;
    *leads_out = *name == '/';
    while (clean && *name) {
        size_t part = strcspn(name, "/");
        if (part == 2 && strncmp(name, "..", 2) == 0) *leads_out = true;
        if (part && !(part == 1 && *name == '.')) {
            if (length) clean[length++] = '/';
            memcpy(clean + length, name, part);
            length += part;
        }
        name += part + (name[part] == '/');
    }
    return clean;
}

/* Where a symbolic link of that name leads, as a member's name; NULL as above. Owned. */
static char *resolve_link(const char *name, const char *target, bool *leads_out) {
    akin_text *path = NULL;
    const char *slash = strrchr(name, '/');
    char *parts = NULL;
    *leads_out = *target == '/';
    if (akin_text_create(&path) != AKIN_OK) return NULL;
    if (akin_text_append(path, "%.*s/%s", slash ? (int)(slash - name) : 0, name, target) == AKIN_OK)
        parts = akin_mem_zalloc(akin_text_length(path) + 1, 1);
    const char *from = akin_text_bytes(path);
    size_t length = 0;
    while (parts && *from) {
        size_t part = strcspn(from, "/");
        if (part == 2 && strncmp(from, "..", 2) == 0) {
            if (length == 0) *leads_out = true;
            while (length && parts[--length] != '/') {
            }
            parts[length] = 0;
        } else if (part && !(part == 1 && *from == '.')) {
            if (length) parts[length++] = '/';
            memcpy(parts + length, from, part);
            length += part;
            parts[length] = 0;
        }
        from += part + (from[part] == '/');
    }
    akin_text_free(path);
    return parts;
}

static akin_status append(listing *list, const listed *item) {
    if (list->count == list->room) {
        size_t room = list->room ? 2 * list->room : 256;
        listed *grown = akin_mem_resize(list->items, list->count, room, sizeof *grown);
        if (!grown) return AKIN_FAILED;
        list->items = grown;
        list->room = room;
    }
    list->items[list->count++] = *item;
    return AKIN_OK;
}

static akin_status note_entry(listing *list, struct archive_entry *entry, int64_t member) {
    const char *name = archive_entry_pathname(entry), *hard = archive_entry_hardlink(entry);
    const char *symbolic = archive_entry_symlink(entry);
    bool leads_out = false, target_out = false;
    if (!hard && archive_entry_filetype(entry) == AE_IFDIR) return AKIN_OK;
    listed item = {.member = member};
    item.name = clean_name(name ? name : "", &leads_out);
    if (!item.name) return AKIN_FAILED;
    if (hard)
        item.target = clean_name(hard, &target_out);
    else if (symbolic)
        item.target = resolve_link(item.name, symbolic, &target_out);
    if ((hard || symbolic) && !item.target) {
        akin_mem_free(item.name);
        return AKIN_FAILED;
    }
    if (!name)
        item.reason = "the member's name cannot be read";
    else if (leads_out)
        item.reason = "the member's name leads outside of the archive";
    else if (target_out)
        item.reason = "the link leads outside of the archive";
    else if (!item.target && archive_entry_filetype(entry) != AE_IFREG)
        item.reason = "not a regular file";
    akin_status status = append(list, &item);
    if (status != AKIN_OK) {
        akin_mem_free(item.name);
        akin_mem_free(item.target);
    }
    return status;
}

static int compare_names(const void *a, const void *b, void *context) {
    const listed *items = context, *x = &items[*(const size_t *)a], *y = &items[*(const size_t *)b];
    int order = strcmp(x->name, y->name);
    return order ? order : (x->member > y->member) - (x->member < y->member);
}

/* The last member of that name, as unpacking would leave it; NULL. */
static const listed *find(const listing *list, const char *name) {
    size_t low = 0, high = list->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(list->items[list->by_name[middle]].name, name) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    const listed *found = low ? &list->items[list->by_name[low - 1]] : NULL;
    return found && strcmp(found->name, name) == 0 ? found : NULL;
}

/* Links get the member of what they lead to. */
static akin_status follow_links(listing *list) {
    list->by_name = akin_mem_alloc(list->count, sizeof *list->by_name);
    if (!list->by_name) return AKIN_FAILED;
    for (size_t i = 0; i < list->count; i++) list->by_name[i] = i;
    qsort_r(list->by_name, list->count, sizeof *list->by_name, compare_names, list->items);
    for (size_t i = 0; i < list->count; i++) {
        const listed *at = &list->items[i];
        for (int step = 0; at && at->target && step < CHAIN; step++) at = find(list, at->target);
        if (!list->items[i].target || list->items[i].reason) continue;
        if (!at || at->target)
            list->items[i].reason = "the link leads to no file in the archive";
        else if (at->reason)
            list->items[i].reason = at->reason;
        else
            list->items[i].member = at->member;
    }
    return AKIN_OK;
}

static akin_status add_row(const listed *item, akin_source_list *rows, akin_text *category) {
    akin_status status;
    const char *slash = strrchr(item->name, '/');
    akin_text_clear(category);
    AKIN_TRY(akin_text_append_bytes(category, item->name, slash ? (size_t)(slash - item->name) : 0));
    akin_source_entry entry = {.id = item->name,
                               .id_length = strlen(item->name),
                               .path = item->name,
                               .category = akin_text_bytes(category),
                               .category_length = akin_text_length(category),
                               .group = "",
                               .available = true,
                               .reason = item->reason,
                               .member = item->member};
    AKIN_TRY(akin_source_list_add(rows, &entry));
done:
    return status;
}

static akin_status list_members(const char *path, struct archive *archive, listing *list) {
    akin_status status = AKIN_OK;
    struct archive_entry *entry;
    for (int64_t member = 0;; member++) {
        AKIN_TRY(next(path, archive, &entry));
        if (!entry) break;
        AKIN_TRY(note_entry(list, entry, member));
    }
    AKIN_TRY(follow_links(list));
done:
    return status;
}

akin_status akin_source_tar_list(const char *path, akin_source_list *rows) {
    akin_status status = AKIN_OK;
    struct archive *archive = NULL;
    listing list = {0};
    akin_text *category = NULL;
    AKIN_TRY(akin_text_create(&category));
    AKIN_TRY(open_archive(path, &archive));
    AKIN_TRY(list_members(path, archive, &list));
    for (size_t i = 0; i < list.count; i++) AKIN_TRY(add_row(&list.items[i], rows, category));
done:
    for (size_t i = 0; i < list.count; i++) {
        akin_mem_free(list.items[i].name);
        akin_mem_free(list.items[i].target);
    }
    akin_mem_free(list.items);
    akin_mem_free(list.by_name);
    akin_text_free(category);
    archive_read_free(archive);
    return status;
}

/* --- reading --------------------------------------------------------------------------------------------------------
 */

typedef struct {
    uint8_t *bytes;
    size_t count, room;
} buffer;

/* The data of the present entry; *reason is set where it cannot be had. No size that the archive claims is trusted. */
static akin_status read_data(struct archive *archive, size_t limit, buffer *data, const char **reason) {
    *reason = NULL;
    data->count = 0;
    for (;;) {
        if (data->count == data->room) {
            size_t room = data->room ? 2 * data->room : BLOCK;
            uint8_t *grown = akin_mem_resize(data->bytes, data->count, room, 1);
            if (!grown) return AKIN_FAILED;
            data->bytes = grown;
            data->room = room;
        }
        la_ssize_t got = archive_read_data(archive, data->bytes + data->count, data->room - data->count);
        if (got == ARCHIVE_WARN || got == ARCHIVE_RETRY) continue;
        if (got < 0) *reason = "the member is damaged or cut";
        if (got <= 0) return AKIN_OK;
        data->count += (size_t)got;
        if (data->count > limit) {
            *reason = "the file is too large";
            return AKIN_OK;
        }
    }
}

akin_status akin_source_tar_read(const char *path, const int64_t *members, size_t member_count, size_t limit,
                                 akin_source_tar_member each, void *context) {
    akin_status status = AKIN_OK;
    struct archive *archive = NULL;
    struct archive_entry *entry;
    buffer data = {0};
    const char *reason;
    size_t done_count = 0;
    if (member_count == 0) return AKIN_OK;
    AKIN_TRY(open_archive(path, &archive));
    for (int64_t member = 0; done_count < member_count; member++) {
        AKIN_TRY(next(path, archive, &entry));
        if (!entry) {
            status = akin_error_set(AKIN_FAILED, "%s: the archive has changed while it was read", path);
            goto done;
        }
        if (members[done_count] != member) continue;
        AKIN_TRY(read_data(archive, limit, &data, &reason));
        AKIN_TRY(each(context, member, reason ? NULL : data.bytes, data.count, reason));
        done_count++;
    }
done:
    akin_mem_free(data.bytes);
    archive_read_free(archive);
    return status;
}
