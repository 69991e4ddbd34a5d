/* source_folder: walks a folder. */
#include "source_folder.h"
#include "source_file.h"
#include <akin/file.h>
#include <akin/log.h>
#include <akin/mem.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { DEEPEST = 200 }; /* depth of nesting; each level needs names and a descriptor */

/* The folders from the top to here. */
typedef struct level {
    const struct level *above;
    dev_t device;
    ino_t node;
    int depth;
} level;

typedef struct {
    const char *top;
    char *real; /* top with links resolved */
    akin_source_list *rows;
} walk;

static akin_status add(const walk *w, const char *path, const char *reason) {
    const char *slash = strrchr(path, '/');
    akin_source_found found = {.id = {path, strlen(path)},
                               .path = {path, strlen(path)},
                               .category = {path, slash ? (size_t)(slash - path) : 0},
                               .base = w->top,
                               .available = true,
                               .reason = reason};
    if (akin_source_list_is_replaced(w->rows, found.id)) return AKIN_OK;
    return akin_source_list_add(w->rows, &found);
}

static int compare_names(const void *a, const void *b) {
    return strcmp(*(char *const *)a + 1, *(char *const *)b + 1);
}

static void free_names(char **names, size_t count) {
    for (size_t i = 0; i < count; i++) akin_mem_free(names[i]);
    akin_mem_free(names);
}

static akin_status add_name(char ***names, size_t *count, size_t *room,
                            const struct dirent *entry) {
    size_t length = strlen(entry->d_name);
    if (*count == *room) {
        char **grown = akin_mem_resize(*names, *count, *room * 2 + 64, sizeof **names);
        if (!grown) return AKIN_FAILED;
        *names = grown;
        *room = *room * 2 + 64;
    }
    char *name = akin_mem_alloc(length + 2, 1);
    if (!name) return AKIN_FAILED;
    name[0] = entry->d_type == DT_REG ? 'r' : '?';
    memcpy(name + 1, entry->d_name, length + 1);
    (*names)[(*count)++] = name;
    return AKIN_OK;
}

/* The names in a folder, sorted, each preceded by a letter: r a file, ? unknown. AKIN_INPUT: it
 * cannot be read. */
static akin_status list_names(const char *full, char ***names, size_t *count) {
    akin_status status = AKIN_OK;
    size_t room = 0;
    *names = NULL;
    *count = 0;
    DIR *folder = opendir(full);
    if (!folder)
        return akin_error_set(errno == EMFILE || errno == ENOMEM ? AKIN_FAILED : AKIN_INPUT,
                              "is a folder that cannot be read: %s", strerror(errno));
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(folder);
        if (!entry) break;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        if (akin_lock_is_name(entry->d_name)) continue; /* an output that is in this folder too */
        AKIN_TRY(add_name(names, count, &room, entry));
    }
    if (errno)
        status = akin_error_set(AKIN_INPUT, "is a folder that cannot be read: %s", strerror(errno));
    if (*count > 0) qsort(*names, *count, sizeof **names, compare_names);
done:
    closedir(folder);
    return status;
}

/* NULL: the link may be followed */
static const char *find_link_fault(const walk *w, const char *full) {
    char *target = realpath(full, NULL);
    if (!target) return errno == ELOOP ? "is a link that leads to itself" : "is a dangling link";
    bool below = akin_source_file_is_below(target, w->real);
    free(target);
    return below ? NULL : "is a link that leads outside the folder";
}

static akin_status visit_folder(const walk *w, const char *full, const char *path,
                                const level *here);

static akin_status visit_subfolder(const walk *w, const char *full, const char *path,
                                   const level *above, const struct stat *info) {
    level here = {above, info->st_dev, info->st_ino, above->depth + 1};
    for (const level *l = above; l; l = l->above)
        if (l->device == here.device && l->node == here.node) {
            akin_log_warning_once("%s is a link to a folder that contains it: not followed", full);
            return AKIN_OK;
        }
    if (here.depth > DEEPEST) return add(w, path, "is a folder nested too deeply");
    return visit_folder(w, full, path, &here);
}

/* kind: see list_names. */
static akin_status visit(const walk *w, const char *full, const char *path, char kind,
                         const level *above) {
    struct stat info;
    if (kind == 'r') return add(w, path, NULL); /* on remote storage each query is expensive */
    if (lstat(full, &info) != 0) return add(w, path, strerror(errno));
    if (S_ISLNK(info.st_mode)) {
        const char *fault = find_link_fault(w, full);
        if (fault) return add(w, path, fault);
        if (stat(full, &info) != 0) return add(w, path, strerror(errno));
    }
    if (S_ISDIR(info.st_mode)) return visit_subfolder(w, full, path, above, &info);
    return add(w, path, S_ISREG(info.st_mode) ? NULL : "is a pipe, socket or device, not a file");
}

static akin_status visit_folder(const walk *w, const char *full, const char *path,
                                const level *here) {
    char **names;
    size_t count;
    akin_status status = list_names(full, &names, &count);
    if (status == AKIN_INPUT && here->above) {
        /* Its contents are missing, which must be visible; the top folder itself is given by the
         * user. */
        free_names(names, count);
        return add(w, path, akin_error_message());
    }
    for (size_t i = 0; i < count && status == AKIN_OK; i++) {
        const char *name = names[i] + 1;
        char *below = *path ? akin_file_join(path, name) : akin_mem_text(name);
        char *full_below = akin_file_join(full, name);
        status = below && full_below ? visit(w, full_below, below, names[i][0], here) : AKIN_FAILED;
        akin_mem_free(below);
        akin_mem_free(full_below);
    }
    free_names(names, count);
    return status;
}

akin_status akin_source_folder_list(const char *path, akin_source_list *rows) {
    struct stat info;
    walk w = {path, realpath(path, NULL), rows};
    if (!w.real || stat(path, &info) != 0) {
        free(w.real);
        return akin_error_set(AKIN_FAILED, "%s: cannot be read: %s", path, strerror(errno));
    }
    level top = {NULL, info.st_dev, info.st_ino, 0};
    akin_status status = visit_folder(&w, path, "", &top);
    if (status == AKIN_INPUT) status = akin_error_context(AKIN_FAILED, "%s: ", path);
    free(w.real);
    return status;
}
