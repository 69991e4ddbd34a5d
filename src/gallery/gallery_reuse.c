/* gallery_reuse: reuses the pictures of earlier galleries. */
#include "gallery_reuse.h"
#include <akin/file.h>
#include <akin/ids.h>
#include <akin/mem.h>
#include <akin/text.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIST "list.txt"
#define LIST_LIMIT ((size_t)4 << 30)

enum { EARLIER = 2, HASH_DIGITS = 16, HEAD_SIZE = 128 };

/* One earlier gallery. */
typedef struct {
    char *folder;
    akin_ids *ids;
    uint64_t *hashes; /* [ids] */
} earlier;

struct akin_gallery_reuse {
    const char *kind; /* borrowed */
    earlier galleries[EARLIER];
};

static void write_head(const akin_gallery_size *size, char head[HEAD_SIZE]) {
    snprintf(head, HEAD_SIZE, "akin pictures 1 %s %zu %" PRIu64 "\n", AKIN_VERSION, size->side,
             size->max_pixels);
}

static void free_earlier(earlier *one) {
    akin_mem_free(one->folder);
    akin_ids_free(one->ids);
    akin_mem_free(one->hashes);
    *one = (earlier){0};
}

static size_t count_lines(const char *text) {
    size_t count = 0;
    for (; *text; text++) count += *text == '\n';
    return count;
}

/* Parses the lines after the first one, and changes the text. The list ends at the first invalid
 * line. */
static akin_status read_lines(earlier *one, char *text) {
    akin_status status = AKIN_OK;
    size_t count = 0, room = count_lines(text) + 1;
    const char **ids = akin_mem_alloc(room, sizeof *ids);
    one->hashes = akin_mem_zalloc(room, sizeof *one->hashes);
    if (!ids || !one->hashes) AKIN_TRY(AKIN_FAILED);
    for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
        char *tab = memchr(line, '\t', (size_t)(end - line));
        if (!tab) break;
        *end = *tab = '\0';
        if (tab - line == HASH_DIGITS) one->hashes[count] = strtoull(line, NULL, 16);
        ids[count++] = tab + 1;
    }
    if (count > 0) status = akin_ids_create(count, ids, &one->ids);
done:
    akin_mem_free(ids);
    return status;
}

static akin_status open_earlier(const char *folder, const char *kind, const akin_gallery_size *size,
                                earlier *one) {
    akin_status status = AKIN_OK;
    unsigned char *bytes = NULL;
    char head[HEAD_SIZE], *text = NULL, *pictures = akin_file_join(folder, kind),
                          *path = pictures ? akin_file_join(pictures, LIST) : NULL;
    size_t count = 0;
    akin_mem_free(pictures);
    if (!path) AKIN_TRY(AKIN_FAILED);
    if (!akin_file_exists(path)) goto done;
    AKIN_TRY(akin_file_read(path, LIST_LIMIT, &bytes, &count));
    text = akin_mem_alloc(count + 1, 1);
    one->folder = akin_mem_text(folder);
    if (!text || !one->folder) AKIN_TRY(AKIN_FAILED);
    memcpy(text, bytes, count);
    text[count] = '\0';
    write_head(size, head);
    if (strncmp(text, head, strlen(head)) == 0) status = read_lines(one, text + strlen(head));
done:
    akin_mem_free(text);
    akin_mem_free(bytes);
    akin_mem_free(path);
    return status;
}

akin_status akin_gallery_reuse_open(const char *first, const char *second, const char *kind,
                                    const akin_gallery_size *size, akin_gallery_reuse **out) {
    const char *const folders[EARLIER] = {first, second};
    *out = akin_mem_zalloc(1, sizeof **out);
    if (!*out) return AKIN_FAILED;
    (*out)->kind = kind;
    for (size_t i = 0; i < EARLIER; i++) {
        if (!folders[i]) continue;
        uint64_t failures = akin_mem_failures();
        akin_status status = open_earlier(folders[i], kind, size, &(*out)->galleries[i]);
        if (status == AKIN_OK) continue;
        if (akin_mem_failures() != failures) return status;
        akin_error_clear(); /* pictures of an unreadable gallery are made again */
        free_earlier(&(*out)->galleries[i]);
    }
    return AKIN_OK;
}

void akin_gallery_reuse_free(akin_gallery_reuse *reuse) {
    if (!reuse) return;
    for (size_t i = 0; i < EARLIER; i++) free_earlier(&reuse->galleries[i]);
    akin_mem_free(reuse);
}

/* hash NULL: any. If the picture no longer exists there, it is made again. */
static akin_status take(const akin_gallery_reuse *reuse, const char *id, const uint64_t *hash,
                        akin_gallery_folder *folder, const char *name, bool *done) {
    *done = false;
    for (size_t i = 0; i < EARLIER && !*done; i++) {
        const earlier *one = &reuse->galleries[i];
        int64_t row = one->ids ? akin_ids_find(one->ids, id) : -1;
        if (row < 0 || one->hashes[row] == 0 || (hash && one->hashes[row] != *hash)) continue;
        char from[AKIN_GALLERY_NAME_SIZE];
        akin_gallery_name(from, reuse->kind, (size_t)row, ".jpg");
        char *path = akin_file_join(one->folder, from);
        if (!path) return AKIN_FAILED;
        akin_status status =
            akin_file_exists(path) ? akin_gallery_folder_take(folder, name, path, done) : AKIN_OK;
        akin_mem_free(path);
        if (status != AKIN_OK) return status;
    }
    return AKIN_OK;
}

akin_status akin_gallery_reuse_take(const akin_gallery_reuse *reuse, const char *id, uint64_t hash,
                                    akin_gallery_folder *folder, const char *name, bool *done) {
    *done = false;
    return hash != 0 ? take(reuse, id, &hash, folder, name, done) : AKIN_OK;
}

akin_status akin_gallery_reuse_take_last(const akin_gallery_reuse *reuse, const char *id,
                                         akin_gallery_folder *folder, const char *name,
                                         bool *done) {
    return take(reuse, id, NULL, folder, name, done);
}

akin_status akin_gallery_reuse_write(akin_gallery_folder *folder, const char *kind,
                                     const akin_gallery_size *size, const akin_labels *labels,
                                     const uint64_t *hashes) {
    akin_status status = AKIN_OK;
    akin_text *text = NULL;
    char *name = akin_file_join(kind, LIST);
    char head[HEAD_SIZE];
    write_head(size, head);
    if (!name) AKIN_TRY(AKIN_FAILED);
    AKIN_TRY(akin_text_create(&text));
    AKIN_TRY(akin_text_append(text, "%s", head));
    for (size_t i = 0; i < akin_labels_count(labels); i++) {
        AKIN_TRY(hashes[i] ? akin_text_append(text, "%016" PRIx64 "\t", hashes[i])
                           : akin_text_append(text, "-\t"));
        AKIN_TRY(akin_text_append(text, "%s\n", akin_labels_id(labels, i)));
    }
    status = akin_gallery_folder_put(folder, name, akin_text_bytes(text), akin_text_length(text));
done:
    akin_text_free(text);
    akin_mem_free(name);
    return status;
}
