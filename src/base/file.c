/* file: see file.h. */
#include <akin/fault.h>
#include <akin/file.h>
#include <akin/mem.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

struct akin_outfile {
    FILE *stream;
    char *path, *part;
};

static akin_status cannot_read(const char *path) {
    return akin_error_set(AKIN_FAILED, "%s: cannot be read: %s", path, strerror(errno));
}

typedef struct {
    int code;
    const char *text;
} advice;

/* In a table that ends with what to do about any other error. */
static const char *find_advice(const advice *all, int code) {
    while (all->code && all->code != code) all++;
    return all->text;
}

akin_status akin_file_cannot_open(const char *path, int code) {
    static const advice advices[] = {
        {ENOENT,
         "; check the name: a relative path starts in the folder in which akin was started"},
        {ENOTDIR, "; a part of its path is not a folder"},
        {EACCES, "; give this user permission to read it"},
        {EMFILE, "; allow more open files (ulimit -n)"},
        {0, ""}};
    const char *what = find_advice(advices, code);
    if (code == ENOENT && strstr(path, "://"))
        what = "; it is an address, where only a file can be read: download it first";
    return akin_error_set(AKIN_FAILED, "%s: cannot be opened: %s%s", path, strerror(code), what);
}

static const advice writing[] = {
    {ENOENT, "create its folder, or choose another"},
    {ENOSPC, "free some space on its disk, or choose another place"},
    {EDQUOT, "free some of this user's space there, or choose another place"},
    {EFBIG, "allow larger files (ulimit -f), or choose another disk"},
    {EMFILE, "allow more open files (ulimit -n)"},
    {0, "fix that, or choose another place"}};

akin_status akin_file_cannot_write(const char *path, int code) {
    return akin_error_set(AKIN_FAILED, "%s: cannot be written: %s; %s", path, strerror(code),
                          find_advice(writing, code));
}

akin_status akin_file_cannot_make(const char *folder, int code) {
    const char *what = code == ENOENT   ? "create the one above it, or choose another"
                       : code == EEXIST ? "remove the file of that name, or choose another place"
                                        : find_advice(writing, code);
    return akin_error_set(AKIN_FAILED, "%s: the folder cannot be created: %s; %s", folder,
                          strerror(code), what);
}

/* Whether it is an error of what stands there already, not of the disk or of this process. */
static bool is_in_the_way(int code) {
    return code == EISDIR || code == EACCES || code == EPERM || code == ETXTBSY || code == ENXIO ||
           code == EEXIST || code == ENOTEMPTY;
}

akin_status akin_file_cannot_write_part(const char *part, const char *path, int code) {
    if (!is_in_the_way(code) || !akin_file_exists(part)) return akin_file_cannot_write(path, code);
    return akin_error_set(AKIN_FAILED, "%s: cannot be written: %s is in the way (%s); remove it",
                          path, part, strerror(code));
}

akin_status akin_file_no_room(const char *path, uint64_t bytes, int code) {
    const char *what =
        code == EFBIG ? "a limit on the size of files is below" : "the disk has no room for";
    return akin_error_set(AKIN_FAILED, "%s: %s the %" PRIu64 " bytes that it needs: %s; %s", path,
                          what, bytes, strerror(code), find_advice(writing, code));
}

/* --- reading whole files --- */

/* Reads until the end of the file, which may have grown or shrunk since its size was taken. */
static akin_status read_all(int file, const char *path, size_t limit, size_t capacity,
                            unsigned char **bytes, size_t *count) {
    unsigned char *block = akin_mem_alloc(capacity, 1);
    size_t length = 0;
    if (!block) return akin_error_context(AKIN_FAILED, "%s: ", path);
    for (;;) {
        if (length + 1 == capacity) { /* the file grew, or the end is next; one byte is kept for
                                       * the NUL */
            unsigned char *grown = akin_mem_resize(block, length, capacity + capacity / 4 + 64, 1);
            if (!grown) goto no_memory;
            block = grown;
            capacity += capacity / 4 + 64;
        }
        ssize_t got = akin_fault_read() ? -1 : read(file, block + length, capacity - 1 - length);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) {
            akin_mem_free(block);
            return cannot_read(path);
        }
        if (got == 0) break;
        length += (size_t)got;
        if (length > limit) break;
    }
    block[length] = '\0';
    *bytes = block;
    *count = length;
    return AKIN_OK;
no_memory:
    akin_mem_free(block);
    return akin_error_context(AKIN_FAILED, "%s: ", path);
}

akin_status akin_file_digest(const char *path, char digest[AKIN_HASH_TEXT_SIZE]) {
    unsigned char *bytes = NULL;
    size_t count = 0;
    akin_status status = akin_file_read(path, SIZE_MAX / 4, &bytes, &count);
    if (status == AKIN_OK) akin_hash_text(akin_hash_128(bytes, count, 0), digest);
    akin_mem_free(bytes);
    return status;
}

akin_status akin_file_read(const char *path, size_t limit, unsigned char **bytes, size_t *count) {
    *bytes = NULL;
    *count = 0;
    int file =
        open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* do not block on a pipe without a writer */
    if (file < 0) return akin_file_cannot_open(path, errno);
    struct stat facts;
    akin_status status = AKIN_OK;
    if (fstat(file, &facts) != 0)
        status = cannot_read(path);
    else if (!S_ISREG(facts.st_mode))
        status = akin_error_set(AKIN_FAILED, "%s: not a regular file", path);
    else if ((uint64_t)facts.st_size <= limit)
        status = read_all(file, path, limit, (size_t)facts.st_size + 2, bytes, count);
    close(file);
    if (status == AKIN_OK && (!*bytes || *count > limit)) {
        akin_mem_free(*bytes);
        *bytes = NULL;
        *count = 0;
        status = akin_error_set(AKIN_FAILED, "%s: larger than %zu bytes", path, limit);
    }
    return status;
}

/* --- writing files atomically --- */

/* The target of a symbolic link, resolved from the link's folder. Owned; NULL: not a link, or out
 * of memory. */
static char *follow(const char *path, bool *failed) {
    char goal[PATH_MAX];
    ssize_t length = readlink(path, goal, sizeof goal - 1);
    if (length <= 0) return NULL;
    goal[length] = '\0';
    char *folder = akin_file_folder(path), *next = folder ? akin_file_join(folder, goal) : NULL;
    akin_mem_free(folder);
    *failed = !next;
    return next;
}

char *akin_file_resolved(const char *path) {
    enum {
        LINKS_MOST = 40
    }; /* the kernel's limit; a cycle of links has no target and is replaced */
    bool failed = false;
    char *at = akin_mem_text(path);
    for (int i = 0; at && i < LINKS_MOST; i++) {
        char *next = follow(at, &failed);
        if (!next && !failed) return at;
        akin_mem_free(at);
        at = next;
    }
    if (failed) return NULL;
    akin_mem_free(at);
    return akin_mem_text(path);
}

char *akin_file_part_name(const char *path) {
    char *real = akin_file_resolved(path),
         *part = real ? akin_file_with_ending(real, ".part") : NULL;
    akin_mem_free(real);
    return part;
}

/* A file system that cannot sync this kind of object returns EINVAL, which is ignored. output: whom
 * it is for, which messages name. */
static akin_status sync_path(const char *path, int flags, const char *output) {
    int file = open(path, flags | O_RDONLY | O_CLOEXEC);
    if (file < 0) return akin_file_cannot_write(output, errno);
    akin_status status =
        fsync(file) != 0 && errno != EINVAL ? akin_file_cannot_write(output, errno) : AKIN_OK;
    if (close(file) != 0 && status == AKIN_OK) status = akin_file_cannot_write(output, errno);
    return status;
}

void akin_file_remove(const char *path) {
    char *part = akin_file_part_name(path);
    if (part) (void)unlink(part);
    (void)unlink(path);
    akin_mem_free(part);
}

akin_status akin_file_sync_rename(const char *part, const char *path) {
    char *real = akin_file_resolved(path), *folder = real ? akin_file_folder(real) : NULL;
    akin_status status = folder ? sync_path(part, 0, path) : AKIN_FAILED;
    if (status == AKIN_OK && rename(part, real) != 0) status = akin_file_cannot_write(path, errno);
    if (status == AKIN_OK)
        status = sync_path(folder, O_DIRECTORY, path); /* makes the rename durable */
    akin_mem_free(real);
    akin_mem_free(folder);
    return status;
}

static akin_status check_name(const char *path) {
    if (!*path) return akin_error_set(AKIN_FAILED, "the name of an output is empty");
    if (akin_file_is_folder(path) || !*akin_file_name(path))
        return akin_error_set(AKIN_FAILED, "%s: is a folder; give the name of a file in it", path);
    return AKIN_OK;
}

akin_status akin_outfile_create(const char *path, akin_outfile **out) {
    *out = NULL;
    akin_status status = AKIN_FAILED;
    if (check_name(path) != AKIN_OK) return AKIN_FAILED;
    akin_outfile *file = akin_mem_zalloc(1, sizeof *file);
    if (!file) return status;
    file->path = akin_mem_text(path);
    file->part = akin_file_part_name(path);
    if (!file->path || !file->part) goto done;
    file->stream = fopen(file->part, "wbe");
    if (!file->stream) {
        akin_file_cannot_write_part(file->part, path, errno);
        goto done;
    }
    *out = file;
    return AKIN_OK;
done:
    akin_mem_free(file->part);
    akin_mem_free(file->path);
    akin_mem_free(file);
    return status;
}

FILE *akin_outfile_stream(akin_outfile *file) {
    return file->stream;
}

/* output: whom it is for, which messages name. */
static akin_status copy_file(const char *from, const char *to, const char *output) {
    char block[1 << 16];
    ssize_t got = -1;
    int in = open(from, O_RDONLY | O_CLOEXEC);
    if (in < 0) return akin_file_cannot_open(from, errno);
    int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (out < 0) {
        akin_file_cannot_write_part(to, output, errno);
        close(in);
        return AKIN_FAILED;
    }
    while ((got = read(in, block, sizeof block)) > 0) {
        errno = ENOSPC; /* which a write that stops half-way does not say */
        if (write(out, block, (size_t)got) != got) break;
    }
    akin_status status =
        got == 0 && fsync(out) == 0 ? AKIN_OK : akin_file_cannot_write(output, errno);
    if (close(out) != 0 && status == AKIN_OK) status = akin_file_cannot_write(output, errno);
    close(in);
    return status;
}

akin_status akin_file_link(const char *from, const char *to) {
    if (link(from, to) == 0) return AKIN_OK;
    char *part = akin_file_part_name(to); /* a file system without hard links */
    if (!part) return AKIN_FAILED;
    akin_status status = copy_file(from, part, to);
    if (status == AKIN_OK) status = akin_file_sync_rename(part, to);
    if (status != AKIN_OK) unlink(part);
    akin_mem_free(part);
    return status;
}

/* PATH also becomes PATH.prev. A run killed after this leaves PATH unchanged, so the next run
 * repeats it. */
static akin_status keep_as_previous(const char *path) {
    if (!akin_file_exists(path)) return AKIN_OK;
    akin_status status = AKIN_FAILED;
    char *previous = akin_file_with_ending(path, ".prev"),
         *link_name = akin_file_with_ending(path, ".prev.part");
    if (!previous || !link_name) goto done;
    if (unlink(link_name) != 0 && errno != ENOENT) {
        akin_file_cannot_write_part(link_name, previous, errno);
        goto done;
    }
    if (link(path, link_name) != 0)
        AKIN_TRY(copy_file(path, link_name, previous)); /* a file system without hard links */
    if (rename(link_name, previous) != 0) {
        akin_file_cannot_write(previous, errno);
        goto done;
    }
    status = AKIN_OK;
done:
    /* Also after a rename, which removes neither of two links to the same file. */
    if (link_name) unlink(link_name);
    akin_mem_free(previous);
    akin_mem_free(link_name);
    return status;
}

static void free_outfile(akin_outfile *file) {
    if (file->stream) fclose(file->stream);
    akin_mem_free(file->part);
    akin_mem_free(file->path);
    akin_mem_free(file);
}

akin_status akin_outfile_commit(akin_outfile *file, bool keep_previous) {
    akin_status status = AKIN_OK;
    errno = 0;
    bool written = !ferror(file->stream);
    written &= fclose(file->stream) == 0; /* closed after an error too */
    file->stream = NULL;
    if (!written) {
        if (!errno) errno = EIO;
        status = akin_file_cannot_write(file->path, errno);
    }
    if (status == AKIN_OK && keep_previous) status = keep_as_previous(file->path);
    if (status == AKIN_OK) status = akin_file_sync_rename(file->part, file->path);
    if (status != AKIN_OK) unlink(file->part);
    free_outfile(file);
    return status;
}

void akin_outfile_discard(akin_outfile *file) {
    if (!file) return;
    unlink(file->part);
    free_outfile(file);
}

/* --- whether an output can be written --- */

/* path: what the message names; name: of the file, owned, NULL = out of memory. */
static akin_status check_space(const char *path, char *name, uint64_t bytes) {
    struct statvfs disk;
    if (!name) return AKIN_FAILED;
    int file = mkstemp(name);
    akin_status status = file < 0 ? akin_file_cannot_write(path, errno) : AKIN_OK;
    if (file >= 0) unlink(name);
    if (status == AKIN_OK && bytes > INT64_MAX) status = akin_file_no_room(path, bytes, ENOSPC);
    /* Not posix_fallocate: on file systems without support it writes every block instead of
     * failing. */
    if (status == AKIN_OK && bytes && fallocate(file, 0, 0, (off_t)bytes) != 0) {
        if (errno != EOPNOTSUPP && errno != ENOSYS)
            status = akin_file_no_room(path, bytes, errno);
        else if (fstatvfs(file, &disk) == 0 && (uint64_t)disk.f_bavail * disk.f_frsize < bytes)
            status = akin_file_no_room(path, bytes, ENOSPC);
    }
    if (file >= 0) close(file);
    akin_mem_free(name);
    return status;
}

akin_status akin_file_check_space(const char *path, uint64_t bytes) {
    return check_space(path, akin_file_with_ending(path, ".space-XXXXXX"), bytes);
}

akin_status akin_file_check_space_in(const char *folder, uint64_t bytes) {
    return check_space(folder, akin_file_join(folder, ".akin.space-XXXXXX"), bytes);
}

/* By creating the part (owned): access() succeeds for root on a read-only disk. */
static akin_status check_output(const char *path, char *part) {
    if (!part) return AKIN_FAILED;
    akin_status status = AKIN_OK;
    int file = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    bool ours = file >= 0;
    if (!ours && errno == EEXIST)
        file = open(part, O_WRONLY | O_CLOEXEC | O_NONBLOCK); /* a leftover */
    if (file < 0) status = akin_file_cannot_write_part(part, path, errno);
    if (file >= 0) close(file);
    if (ours) unlink(part);
    akin_mem_free(part);
    return status;
}

akin_status akin_file_check_output(const char *path) {
    return check_name(path) == AKIN_OK ? check_output(path, akin_file_part_name(path))
                                       : AKIN_FAILED;
}

akin_status akin_file_check_output_in(const char *folder) {
    return check_output(folder, akin_file_join(folder, ".akin.part"));
}
