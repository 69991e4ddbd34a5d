/* path: the names of files and folders, and folders as a whole; see file.h. */
#include <akin/file.h>
#include <akin/mem.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool akin_file_exists(const char *path) {
    struct stat facts;
    return stat(path, &facts) == 0;
}

bool akin_file_is_folder(const char *path) {
    struct stat facts;
    return stat(path, &facts) == 0 && S_ISDIR(facts.st_mode);
}

akin_status akin_file_make_folders(const char *path) {
    char *head = akin_mem_text(path);
    if (!head) return AKIN_FAILED;
    int failed = 0;
    size_t length = strlen(head);
    for (size_t i = 1; i <= length && failed == 0; i++) {
        if (head[i] != '/' && head[i] != '\0') continue;
        char end = head[i];
        head[i] = '\0';
        int code = mkdir(head, 0777) == 0 ? 0 : errno;
        if (code != 0 && !akin_file_is_folder(head)) {
            (void)akin_file_cannot_make(head, code);
            failed = code;
        }
        head[i] = end;
    }
    akin_mem_free(head);
    errno = failed;
    return failed == 0 ? AKIN_OK : AKIN_FAILED;
}

static int remove_one(const char *path, const struct stat *facts, int kind, struct FTW *place) {
    (void)facts, (void)kind, (void)place;
    if (remove(path) == 0 || errno == ENOENT) return 0;
    akin_error_set(AKIN_FAILED, "%s: cannot be removed: %s", path, strerror(errno));
    return 1;
}

akin_status akin_file_remove_tree(const char *path) {
    struct stat facts;
    if (lstat(path, &facts) != 0) {
        if (errno == ENOENT || errno == ENOTDIR) return AKIN_OK;
        return akin_error_set(AKIN_FAILED, "%s: cannot be removed: %s", path, strerror(errno));
    }
    int failed = nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    if (failed < 0)
        return akin_error_set(AKIN_FAILED, "%s: cannot be removed: %s", path, strerror(errno));
    return failed ? AKIN_FAILED : AKIN_OK;
}

/* If the kernel cannot exchange names: neither name is ever without a file, but for a moment
 * both are the same file. */
static int swap_by_link(const char *a, const char *b) {
    char *third = akin_file_with_ending(a, ".swap");
    if (!third) {
        errno = ENOMEM;
        return -1;
    }
    unlink(third);
    int failed = link(a, third) != 0 || rename(b, a) != 0 || rename(third, b) != 0;
    akin_mem_free(third);
    return failed ? -1 : 0;
}

akin_status akin_file_swap(const char *a, const char *b) {
    int failed = renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE);
    if (failed && (errno == EINVAL || errno == ENOSYS)) failed = swap_by_link(a, b);
    if (failed)
        return akin_error_set(AKIN_FAILED, "%s and %s: cannot be swapped: %s", a, b,
                              strerror(errno));
    return AKIN_OK;
}

char *akin_file_join(const char *folder, const char *name) {
    size_t head = strlen(folder), tail = strlen(name);
    if (*name == '/' || !head) return akin_mem_text(name);
    bool slash = folder[head - 1] != '/';
    char *path = akin_mem_alloc(head + slash + tail + 1, 1);
    if (!path) return NULL;
    memcpy(path, folder, head);
    if (slash) path[head] = '/';
    memcpy(path + head + slash, name, tail + 1);
    return path;
}

char *akin_file_folder(const char *path) {
    size_t length = (size_t)(akin_file_name(path) - path);
    if (!length) return akin_mem_text(".");
    while (length > 1 && path[length - 1] == '/') length--;
    char *folder = akin_mem_alloc(length + 1, 1);
    if (!folder) return NULL;
    memcpy(folder, path, length);
    folder[length] = '\0';
    return folder;
}

const char *akin_file_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

const char *akin_file_ending(const char *path) {
    const char *name = akin_file_name(path), *dot = strrchr(name, '.');
    return dot && dot != name ? dot : name + strlen(name);
}

char *akin_file_with_ending(const char *path, const char *ending) {
    size_t length = strlen(path), more = strlen(ending) + 1;
    char *name = akin_mem_alloc(length + more, 1);
    if (!name) return NULL;
    memcpy(name, path, length);
    memcpy(name + length, ending, more);
    return name;
}
