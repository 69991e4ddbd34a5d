/* gallery_folder: a folder that appears atomically. */
#include "gallery_folder.h"
#include <akin/file.h>
#include <akin/log.h>
#include <akin/mem.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MARK_FILE "gallery.json"
static const char mark[] = "{\"akin_gallery\": 1}\n";

struct akin_gallery_folder {
    char *path, *part;
    char *below; /* subfolder of the part that files go to; NULL: the part itself */
    uint64_t bytes;
    size_t written, linked; /* files */
};

/* --- recognising a folder --- */

static bool is_empty(const char *path) {
    DIR *folder = opendir(path);
    if (!folder) return false;
    bool empty = true;
    for (struct dirent *entry; empty && (entry = readdir(folder));)
        empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
    closedir(folder);
    return empty;
}

/* A marker that cannot be read is an error, not a missing marker. */
static akin_status find_mark(const char *path, bool *found) {
    unsigned char *bytes = NULL;
    size_t count = 0;
    char *name = akin_file_join(path, MARK_FILE);
    akin_status status = name ? AKIN_OK : AKIN_FAILED;
    if (name && akin_file_exists(name)) status = akin_file_read(name, 4096, &bytes, &count);
    *found = bytes && count == strlen(mark) && memcmp(bytes, mark, count) == 0;
    akin_mem_free(bytes);
    akin_mem_free(name);
    return status;
}

static akin_status check_replaceable(const char *path) {
    struct stat about;
    if (lstat(path, &about) != 0) return AKIN_OK; /* no such folder */
    bool found = false;
    if (akin_file_is_folder(path) && is_empty(path)) return AKIN_OK;
    akin_status status = akin_file_is_folder(path) ? find_mark(path, &found) : AKIN_OK;
    if (status != AKIN_OK || found) return status;
    return akin_error_set(
        AKIN_USAGE, "%s exists and is not a gallery, so it is not replaced: choose another folder",
        path);
}

/* The target of a link, without trailing slashes; owned. */
static char *where_it_leads(const char *path) {
    char *real = realpath(path, NULL), *name = akin_mem_text(real ? real : path);
    free(real);
    for (size_t length = name ? strlen(name) : 0; length > 1 && name[length - 1] == '/'; length--)
        name[length - 1] = '\0';
    return name;
}

static akin_status check_parent(const char *path) {
    char *parent = akin_file_folder(path);
    if (!parent) return AKIN_FAILED;
    akin_status status = AKIN_OK;
    bool usable = access(parent, W_OK | X_OK) == 0;
    if (akin_file_exists(parent) && !akin_file_is_folder(parent)) usable = false, errno = ENOTDIR;
    if (!usable) status = akin_file_cannot_make(path, errno);
    akin_mem_free(parent);
    return status;
}

akin_status akin_gallery_folder_check(const char *path) {
    akin_status status = AKIN_FAILED;
    if (!*path) return akin_error_set(AKIN_USAGE, "the name of the gallery's folder is empty");
    char *real = where_it_leads(path), *part = real ? akin_file_with_ending(real, ".part") : NULL;
    if (!part) goto done;
    AKIN_TRY(check_replaceable(real));
    AKIN_TRY(check_replaceable(part));
    AKIN_TRY(check_parent(real));
done:
    akin_mem_free(real);
    akin_mem_free(part);
    return status;
}

/* The marker is removed last: the rest of an interrupted removal is still recognised as a gallery.
 */
static akin_status remove_gallery(const char *path) {
    akin_status status = AKIN_OK;
    char *name = NULL;
    DIR *folder = opendir(path);
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        if (strcmp(entry->d_name, MARK_FILE) == 0) continue;
        name = akin_file_join(path, entry->d_name);
        AKIN_TRY(name ? akin_file_remove_tree(name) : AKIN_FAILED);
        akin_mem_free(name);
        name = NULL;
    }
    AKIN_TRY(akin_file_remove_tree(path));
done:
    akin_mem_free(name);
    if (folder) closedir(folder);
    return status;
}

/* --- replacing the folder --- */

static void free_folder(akin_gallery_folder *folder) {
    if (!folder) return;
    akin_mem_free(folder->path);
    akin_mem_free(folder->part);
    akin_mem_free(folder->below);
    akin_mem_free(folder);
}

/* The marker is written first: the part of an interrupted run is recognised as a gallery. */
static akin_status begin_part(akin_gallery_folder *folder) {
    akin_status status = AKIN_OK;
    AKIN_TRY(check_replaceable(folder->path));
    AKIN_TRY(check_replaceable(folder->part));
    AKIN_TRY(remove_gallery(folder->part));
    AKIN_TRY(akin_gallery_folder_make(folder, ""));
    AKIN_TRY(akin_gallery_folder_put(folder, MARK_FILE, mark, strlen(mark)));
done:
    return status;
}

akin_status akin_gallery_folder_create(akin_comm *comm, const char *path,
                                       akin_gallery_folder **out) {
    akin_status status = AKIN_OK, local = AKIN_OK;
    *out = NULL;
    akin_gallery_folder *folder = akin_mem_zalloc(1, sizeof *folder);
    void *name = NULL; /* as rank 0 sees it */
    size_t count = 0;
    if (folder && akin_comm_rank(comm) == 0) {
        name = where_it_leads(path);
        count = name ? strlen(name) + 1 : 0;
    }
    if (!folder || (akin_comm_rank(comm) == 0 && !name)) local = AKIN_FAILED;
    AKIN_TRY(akin_agree(comm, local));
    AKIN_TRY(akin_comm_share(comm, &name, &count, 0));
    folder->path = name;
    name = NULL;
    folder->part = akin_file_with_ending(folder->path, ".part");
    if (!folder->part) local = AKIN_FAILED;
    if (local == AKIN_OK && akin_comm_rank(comm) == 0) local = begin_part(folder);
    AKIN_TRY(akin_agree(comm, local));
    *out = folder;
    folder = NULL;
done:
    akin_mem_free(name);
    free_folder(folder);
    return status;
}

static const char *place_of(const akin_gallery_folder *folder) {
    return folder->below ? folder->below : folder->part;
}

akin_status akin_gallery_folder_enter(akin_gallery_folder *folder, const char *name) {
    akin_mem_free(folder->below);
    folder->below = NULL;
    if (!name) return AKIN_OK;
    folder->below = akin_file_join(folder->part, name);
    return folder->below ? akin_gallery_folder_make(folder, "") : AKIN_FAILED;
}

akin_status akin_gallery_folder_make(akin_gallery_folder *folder, const char *name) {
    const char *place = place_of(folder);
    char *path = *name ? akin_file_join(place, name) : akin_mem_text(place);
    if (!path) return AKIN_FAILED;
    akin_status status = akin_file_make_folders(path);
    if (status != AKIN_OK) status = akin_file_cannot_make(folder->path, errno);
    akin_mem_free(path);
    return status;
}

akin_status akin_gallery_folder_put(akin_gallery_folder *folder, const char *name,
                                    const void *bytes, size_t count) {
    akin_status status = AKIN_OK;
    char *path = akin_file_join(place_of(folder), name);
    if (!path) return AKIN_FAILED;
    (void)unlink(path); /* never write through a link to another gallery's file */
    FILE *stream = fopen(path, "wb");
    bool written = stream && fwrite(bytes, 1, count, stream) == count;
    if (stream && fclose(stream) != 0) written = false;
    if (written)
        folder->bytes += count, folder->written++;
    else
        status = akin_file_cannot_write(folder->path, errno);
    akin_mem_free(path);
    return status;
}

akin_status akin_gallery_folder_take(akin_gallery_folder *folder, const char *name,
                                     const char *from, bool *done) {
    enum { PICTURE_LIMIT = 64 << 20 };
    unsigned char *bytes = NULL;
    size_t count = 0;
    struct stat about;
    *done = false;
    char *path = akin_file_join(folder->part, name);
    if (!path) return AKIN_FAILED;
    if (link(from, path) == 0 && stat(path, &about) == 0) {
        folder->bytes += (uint64_t)about.st_size;
        folder->linked++;
        *done = true;
        akin_mem_free(path);
        return AKIN_OK;
    }
    akin_mem_free(path);
    if (akin_file_read(from, PICTURE_LIMIT, &bytes, &count) != AKIN_OK) {
        akin_error_clear();
        return AKIN_OK;
    }
    akin_status status = akin_gallery_folder_put(folder, name, bytes, count);
    akin_mem_free(bytes);
    *done = status == AKIN_OK;
    return status;
}

void akin_gallery_folder_files(const akin_gallery_folder *folder, size_t *written, size_t *linked) {
    *written = folder->written;
    *linked = folder->linked;
}

uint64_t akin_gallery_folder_bytes(const akin_gallery_folder *folder) {
    return folder->bytes;
}

/* One call for thousands of files, on each rank, since ranks may be on different machines. */
static akin_status sync_part(const akin_gallery_folder *folder) {
    int part = open(folder->part, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool synced = part >= 0 && syncfs(part) == 0;
    akin_status status = synced ? AKIN_OK : akin_file_cannot_write(folder->path, errno);
    if (part >= 0) close(part);
    return status;
}

/* If the file system cannot swap folders (NFS), the old one is renamed away for a moment. */
static akin_status step_aside(const akin_gallery_folder *folder) {
    akin_status status = AKIN_FAILED;
    char *old = akin_file_with_ending(folder->path, ".old");
    if (!old) return AKIN_FAILED;
    AKIN_TRY(check_replaceable(old));
    AKIN_TRY(remove_gallery(old));
    if (rename(folder->path, old) != 0 || rename(folder->part, folder->path) != 0)
        AKIN_TRY(akin_file_cannot_write(folder->path, errno));
    AKIN_TRY(remove_gallery(old));
done:
    akin_mem_free(old);
    return status;
}

static akin_status put_in_place(const akin_gallery_folder *folder) {
    if (rename(folder->part, folder->path) == 0)
        return AKIN_OK; /* there was none, or an empty folder */
    if (errno != ENOTEMPTY && errno != EEXIST) return akin_file_cannot_write(folder->path, errno);
    akin_status status = check_replaceable(folder->path);
    if (status != AKIN_OK) return status;
    if (akin_file_swap(folder->part, folder->path) != AKIN_OK) return step_aside(folder);
    if (remove_gallery(folder->part) != AKIN_OK)
        akin_log_warning("the previous gallery remains as %s: %s", folder->part,
                         akin_error_message());
    return AKIN_OK;
}

akin_status akin_gallery_folder_commit(akin_comm *comm, akin_gallery_folder *folder) {
    akin_status status = AKIN_OK;
    AKIN_TRY(akin_agree(comm, sync_part(folder)));
    AKIN_TRY(akin_agree(comm, akin_comm_rank(comm) == 0 ? put_in_place(folder) : AKIN_OK));
    free_folder(folder);
    folder = NULL;
done:
    akin_gallery_folder_discard(comm, folder);
    return status;
}

void akin_gallery_folder_discard(akin_comm *comm, akin_gallery_folder *folder) {
    if (!folder) return;
    akin_comm_barrier(comm); /* no rank writes there any more */
    if (akin_comm_rank(comm) == 0) {
        akin_error_kept why;
        akin_error_keep(&why);
        if (remove_gallery(folder->part) != AKIN_OK)
            akin_log_warning("%s remains: %s", folder->part, akin_error_message());
        akin_error_restore(&why);
    }
    free_folder(folder);
}

/* --- names --- */

void akin_gallery_name(char out[AKIN_GALLERY_NAME_SIZE], const char *folder, size_t n,
                       const char *ending) {
    snprintf(out, AKIN_GALLERY_NAME_SIZE, "%s/%03zu/%06zu%s", folder, n / AKIN_GALLERY_FANOUT, n,
             ending);
}

akin_status akin_gallery_folder_fan(akin_gallery_folder *folder, const char *name, size_t count) {
    akin_status status = AKIN_OK;
    for (size_t n = 0; n < count && status == AKIN_OK; n += AKIN_GALLERY_FANOUT) {
        char below[AKIN_GALLERY_NAME_SIZE];
        snprintf(below, sizeof below, "%s/%03zu", name, n / AKIN_GALLERY_FANOUT);
        status = akin_gallery_folder_make(folder, below);
    }
    return status;
}
