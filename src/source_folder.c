/* source_folder: a catalogue that is a folder. Floor 2; looks down to error, mem, text, file, source_list. */
#include <akin/file.h>
#include <akin/mem.h>
#include <akin/source_folder.h>
#include <akin/text.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct above {
    const struct above *up;
    dev_t device;
    ino_t inode;
} above; /* the folders that the present one lies in, links followed */

typedef struct {
    const char *top;
    char *real_top; /* by malloc */
    akin_source_list *list;
} walk;

static akin_status walk_folder(walk *w, const char *path, const char *below, const above *up);

/* below: the path below the top. */
static akin_status add(walk *w, const char *below, const char *reason) {
    const char *slash = strrchr(below, '/');
    size_t length = slash ? (size_t)(slash - below) : 0;
    akin_text *category = NULL;
    akin_status status;
    AKIN_TRY(akin_text_create(&category));
    AKIN_TRY(akin_text_append_bytes(category, below, length));
    akin_source_entry entry = {.id = below,
                               .id_length = strlen(below),
                               .path = below,
                               .category = akin_text_bytes(category),
                               .category_length = length,
                               .group = "",
                               .available = true,
                               .reason = reason,
                               .member = -1};
    AKIN_TRY(akin_source_list_add(w->list, &entry));
done:
    akin_text_free(category);
    return status;
}

static bool lies_below(const walk *w, const char *path) {
    char *real = realpath(path, NULL);
    size_t length = strlen(w->real_top);
    if (length == 1) length = 0; /* the root of all */
    bool below = real && strncmp(real, w->real_top, length) == 0 && (real[length] == '/' || real[length] == 0);
    free(real);
    return below;
}

static bool is_above(const above *up, const struct stat *what) {
    for (; up; up = up->up)
        if (up->device == what->st_dev && up->inode == what->st_ino) return true;
    return false;
}

static akin_status visit(walk *w, const char *path, const char *below, const above *up) {
    struct stat own, target;
    if (lstat(path, &own) != 0) return add(w, below, "cannot be looked at");
    target = own;
    if (S_ISLNK(own.st_mode)) {
        if (stat(path, &target) != 0) return add(w, below, "the link leads nowhere");
        if (!lies_below(w, path)) return add(w, below, "the link leads outside of the folder");
    }
    if (S_ISREG(target.st_mode)) return add(w, below, NULL);
    if (!S_ISDIR(target.st_mode)) return add(w, below, "not a regular file");
    if (is_above(up, &target)) return AKIN_OK;
    const above here = {up, target.st_dev, target.st_ino};
    return walk_folder(w, path, below, &here);
}

static int by_name(const struct dirent **a, const struct dirent **b) {
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int no_dots(const struct dirent *entry) {
    return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

static akin_status visit_name(walk *w, const char *path, const char *below, const char *name, const above *up) {
    char *full = akin_file_join(path, name), *inner = *below ? akin_file_join(below, name) : akin_mem_text(name);
    akin_status status = full && inner ? visit(w, full, inner, up) : AKIN_FAILED;
    akin_mem_free(full);
    akin_mem_free(inner);
    return status;
}

static akin_status walk_folder(walk *w, const char *path, const char *below, const above *up) {
    struct dirent **names = NULL;
    akin_status status = AKIN_OK;
    int count = scandir(path, &names, no_dots, by_name);
    if (count < 0) {
        if (errno == ENOMEM) return akin_error_set(AKIN_FAILED, "no memory for the names in %s", path);
        if (!*below) return akin_error_set(AKIN_FAILED, "%s: cannot be read: %s", path, strerror(errno));
        return add(w, below, "the folder cannot be read");
    }
    for (int i = 0; i < count; i++) {
        if (status == AKIN_OK) status = visit_name(w, path, below, names[i]->d_name, up);
        free(names[i]);
    }
    free(names);
    return status;
}

akin_status akin_source_folder_list(const char *path, akin_source_list *list) {
    struct stat top;
    walk w = {.top = path, .real_top = realpath(path, NULL), .list = list};
    if (!w.real_top || stat(path, &top) != 0) {
        free(w.real_top);
        return akin_error_set(AKIN_FAILED, "%s: cannot be read: %s", path, strerror(errno));
    }
    const above here = {NULL, top.st_dev, top.st_ino};
    akin_status status = walk_folder(&w, path, "", &here);
    free(w.real_top);
    return status;
}
