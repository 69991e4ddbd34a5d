/* source_file: one file of any kind. */
#include "source_file.h"
#include <akin/fault.h>
#include <akin/file.h>
#include <akin/mem.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

akin_status akin_source_bytes_reserve(akin_source_bytes *bytes, size_t room) {
    if (room <= bytes->room) return AKIN_OK;
    room += room / 2 + 65536;
    uint8_t *grown = akin_mem_resize(bytes->bytes, bytes->count, room, 1);
    if (!grown) return AKIN_FAILED;
    bytes->bytes = grown;
    bytes->room = room;
    return AKIN_OK;
}

void akin_source_bytes_free(akin_source_bytes *bytes) {
    akin_mem_free(bytes->bytes);
    *bytes = (akin_source_bytes){0};
}

/* An error is attributed to this file unless it would affect every file. */
static akin_status refuse(int error) {
    if (error == ENOMEM || error == EMFILE || error == ENFILE)
        return akin_error_set(AKIN_FAILED, "cannot open files: %s", strerror(error));
    if (error == ENOENT) return akin_error_set(AKIN_INPUT, "no such file");
    return akin_error_set(AKIN_INPUT, "cannot be read: %s", strerror(error));
}

bool akin_source_file_is_below(const char *path, const char *folder) {
    size_t length = strlen(folder);
    if (length == 1) return path[0] == '/';
    return strncmp(path, folder, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

static char *full_path(const char *base, const char *path) {
    return *base ? akin_file_join(base, path) : akin_mem_text(path);
}

static akin_status check_confined(const char *base, const char *path) {
    akin_status status = AKIN_OK;
    char *folder = realpath(base, NULL), *target = folder ? realpath(path, NULL) : NULL;
    if (!folder || !target) {
        status = refuse(errno);
    } else if (!akin_source_file_is_below(target, folder)) {
        status = akin_error_set(AKIN_INPUT, "leads outside %s", base);
    }
    free(folder);
    free(target);
    return status;
}

enum { TRIES = 3 };

static akin_status read_all(int file, akin_source_bytes *out) {
    struct stat info;
    if (fstat(file, &info) != 0) return refuse(errno);
    if (S_ISDIR(info.st_mode)) return akin_error_set(AKIN_INPUT, "is a folder, not a file");
    if (!S_ISREG(info.st_mode))
        return akin_error_set(AKIN_INPUT, "is a pipe, socket or device, not a file");
    if ((uint64_t)info.st_size > AKIN_SOURCE_FILE_LIMIT)
        return akin_error_set(AKIN_INPUT, "has %lld bytes, more than a picture may have",
                              (long long)info.st_size);
    size_t size = (size_t)info.st_size;
    akin_status status =
        akin_source_bytes_reserve(out, size + 1); /* so that there is a block even for an empty
                                                   * file */
    for (int tries = TRIES; status == AKIN_OK && out->count < size;) {
        ssize_t got =
            akin_fault_read() ? -1 : read(file, out->bytes + out->count, size - out->count);
        if (got == 0) break; /* it was truncated meanwhile: the decoder will notice */
        if (got < 0 && errno == EINTR) continue;
        if (got < 0 && errno == EIO && --tries > 0)
            continue; /* a temporary error of remote storage is no reason to reject */
        if (got < 0) return refuse(errno);
        out->count += (size_t)got;
    }
    return status;
}

akin_status akin_source_file_read(const char *base, const char *path, bool confined,
                                  akin_source_bytes *out) {
    akin_status status = AKIN_OK;
    int file = -1;
    out->count = 0;
    char *full = full_path(base, path);
    if (!full) return AKIN_FAILED;
    if (confined) AKIN_TRY(check_confined(base, full));
    file = open(full, O_RDONLY | O_NONBLOCK | O_CLOEXEC |
                          O_NOCTTY); /* opening a pipe without a writer would block */
    if (file < 0) {
        /* A socket cannot be opened, and the system's error for that is confusing. */
        status = errno == ENXIO
                     ? akin_error_set(AKIN_INPUT, "is a pipe, socket or device, not a file")
                     : refuse(errno);
        goto done;
    }
    status = read_all(file, out);
done:
    if (file >= 0) close(file);
    akin_mem_free(full);
    return status;
}

bool akin_source_file_stat(const char *base, const char *path, uint64_t *size, int64_t *changed) {
    struct stat info;
    char *full = full_path(base, path);
    bool there = full && stat(full, &info) == 0;
    akin_mem_free(full);
    *size = there ? (uint64_t)info.st_size : 0;
    *changed = there ? (int64_t)info.st_mtim.tv_sec * 1000000000 + info.st_mtim.tv_nsec : 0;
    return there;
}
