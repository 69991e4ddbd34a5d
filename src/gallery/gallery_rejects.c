/* gallery_rejects: a file of rejects, grouped by reason. */
#include "gallery_rejects.h"
#include <akin/csv.h>
#include <akin/file.h>
#include <akin/mem.h>
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OTHERS "other reasons"

enum { GROUPS = 64, EXAMPLES = 3, KEY_SIZE = 160, EXAMPLE_SIZE = 96, REASON_SIZE = 8192 };

typedef struct {
    char key[KEY_SIZE], shown[KEY_SIZE]; /* with # for every number; and as in the first example */
    bool varied;                         /* whether the numbers differ between examples */
    size_t count, example_count;
    char examples[EXAMPLES][EXAMPLE_SIZE];
} reason_group;

typedef struct {
    reason_group groups[GROUPS]; /* the last group takes all reasons beyond the limit */
    size_t group_count, total;
    size_t id, path, reason; /* columns */
} rejects;

/* Copies as many whole UTF-8 characters as fit. */
static void copy_text(char *to, size_t room, const char *from) {
    size_t length = strlen(from);
    if (length >= room) {
        length = room - 4;
        while (length > 0 && ((unsigned char)from[length] & 0xC0) == 0x80) length--;
        memcpy(to, from, length);
        memcpy(to + length, "...", 4);
        return;
    }
    memcpy(to, from, length + 1);
}

static void key_of(char key[KEY_SIZE], const char *reason) {
    copy_text(key, KEY_SIZE, reason);
    char *to = key;
    for (const char *from = key; *from; from++) {
        bool digit = isdigit((unsigned char)*from) != 0;
        if (!digit || to == key || to[-1] != '#') *to++ = digit ? '#' : *from;
    }
    *to = '\0';
}

static reason_group *find_group(rejects *all, const char *reason) {
    char key[KEY_SIZE];
    key_of(key, reason);
    for (size_t i = 0; i < all->group_count; i++)
        if (strcmp(all->groups[i].key, key) == 0) return &all->groups[i];
    if (all->group_count == GROUPS) return &all->groups[GROUPS - 1];
    reason_group *group = &all->groups[all->group_count++];
    if (all->group_count == GROUPS) reason = OTHERS;
    copy_text(group->shown, KEY_SIZE, reason);
    key_of(group->key, reason);
    return group;
}

/* The header has the names of the columns; the index of a missing column is out of range. */
static void read_header(rejects *all, size_t count, const char *const *fields) {
    all->id = all->path = all->reason = count;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(fields[i], "id") == 0) all->id = i;
        if (strcmp(fields[i], "path") == 0) all->path = i;
        if (strcmp(fields[i], "reason") == 0) all->reason = i;
    }
}

/* Copies a reason without the file at its end, "no such file (pictures/a.png)", which differs from row
 * to row. */
static void copy_reason(char *to, size_t room, const char *reason, const char *path) {
    copy_text(to, room, reason);
    size_t length = strlen(to), named = strlen(path);
    if (named == 0 || length < named + 3 || to[length - 1] != ')' ||
        strncmp(to + length - 1 - named, path, named) != 0)
        return;
    for (size_t at = length - 1 - named; at > 0; at--) /* before the path, which may hold " (" */
        if (strncmp(to + at, " (", 2) == 0) {
            to[at] = '\0';
            return;
        }
}

static akin_status read_row(void *context, size_t row, size_t count, const char *const *fields,
                            const size_t *lengths) {
    rejects *all = context;
    (void)lengths;
    if (row == 1) {
        read_header(all, count, fields);
        return AKIN_OK;
    }
    const char *id = all->id < count ? fields[all->id] : "",
               *path = all->path < count ? fields[all->path] : "";
    char reason[REASON_SIZE];
    copy_reason(reason, sizeof reason, all->reason < count ? fields[all->reason] : "", path);
    if (!*reason) copy_text(reason, sizeof reason, "no reason given");
    reason_group *group = find_group(all, reason);
    char shown[KEY_SIZE];
    copy_text(shown, KEY_SIZE, reason);
    if (strcmp(shown, group->shown) != 0 && strcmp(group->shown, OTHERS) != 0) group->varied = true;
    group->count++;
    all->total++;
    if (group->example_count < EXAMPLES && (*id || *path))
        copy_text(group->examples[group->example_count++], EXAMPLE_SIZE, *id ? id : path);
    return AKIN_OK;
}

static int more_frequent(const void *a, const void *b) {
    const reason_group *left = a, *right = b;
    if (left->count != right->count) return left->count > right->count ? -1 : 1;
    return strcmp(left->shown, right->shown);
}

static void describe_group(const reason_group *group, akin_json *reasons) {
    char reason[KEY_SIZE + 32];
    snprintf(reason, sizeof reason, "%s%s", group->shown, group->varied ? ", and similar" : "");
    akin_json *entry = akin_json_object(), *examples = akin_json_array();
    akin_json_set_text(entry, "reason", reason);
    akin_json_set_integer(entry, "count", (long long)group->count);
    for (size_t i = 0; i < group->example_count; i++)
        akin_json_append_text(examples, group->examples[i]);
    akin_json_set_node(entry, "examples", &examples);
    akin_json_append_node(reasons, &entry);
}

static akin_json *describe(rejects *all) {
    if (all->group_count > 0)
        qsort(all->groups, all->group_count, sizeof *all->groups, more_frequent);
    akin_json *object = akin_json_object(), *reasons = akin_json_array();
    for (size_t i = 0; i < all->group_count; i++) describe_group(&all->groups[i], reasons);
    akin_json_set_integer(object, "total", (long long)all->total);
    akin_json_set_node(object, "reasons", &reasons);
    return object;
}

akin_status akin_gallery_rejects(const char *path, akin_json **out) {
    akin_status status = AKIN_OK;
    *out = NULL;
    if (!akin_file_exists(path)) return AKIN_OK;
    rejects *all = akin_mem_zalloc(1, sizeof *all);
    if (!all) return AKIN_FAILED;
    AKIN_TRY(akin_csv_read(path, ',', read_row, all));
    *out = describe(all);
    status = akin_json_check(*out);
done:
    akin_mem_free(all);
    return status;
}
