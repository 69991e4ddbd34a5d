/* seal: a line after the end of an HDF5 file with a checksum of all its bytes. */
#include "seal.h"

#include <akin/fault.h>
#include <akin/file.h>
#include <akin/hash.h>
#include <akin/mem.h>
#include <akin/shard.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK_BYTES (1u << 20)
#define SUPERBLOCK_BYTES                                                                           \
    36 /* of versions 2 and 3, up to the address of the end (HDF5 File Format, II.A) */

static akin_status cannot_read(const char *name) {
    return akin_error_set(AKIN_FAILED, "%s: cannot be read: %s", name,
                          errno ? strerror(errno) : "the file is truncated");
}

/* Reads all of the bytes, or sets an error; errno = 0: the file ends before. */
static bool read_all(int file, void *bytes, size_t count, uint64_t at) {
    for (size_t done = 0; done < count;) {
        ssize_t got = akin_fault_read()
                          ? -1
                          : pread(file, (char *)bytes + done, count - done, (off_t)(at + done));
        if (got < 0 && errno == EINTR) continue;
        if (got == 0) errno = 0;
        if (got <= 0) return false;
        done += (size_t)got;
    }
    return true;
}

akin_status akin_seal_add(const char *path, const char *name, uint64_t bytes, int size, int rank,
                          akin_seal_sum *sum) {
    akin_status status = AKIN_OK;
    size_t blocks = (size_t)((bytes + BLOCK_BYTES - 1) / BLOCK_BYTES);
    size_t end = akin_shard_first(blocks, size, rank + 1);
    unsigned char *block = akin_mem_alloc(BLOCK_BYTES, 1);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (!block) AKIN_TRY(AKIN_FAILED);
    if (file < 0) AKIN_TRY(akin_file_cannot_open(name, errno));
    for (size_t b = akin_shard_first(blocks, size, rank); b < end; b++) {
        uint64_t at = (uint64_t)b * BLOCK_BYTES, left = bytes - at;
        size_t count = left < BLOCK_BYTES ? (size_t)left : BLOCK_BYTES;
        if (!read_all(file, block, count, at)) AKIN_TRY(cannot_read(name));
        akin_hash128 hash = akin_hash_128(block, count, (uint64_t)b + 1);
        sum->low += hash.low;
        sum->high += hash.high;
    }
done:
    if (file >= 0) close(file);
    akin_mem_free(block);
    return status;
}

akin_status akin_seal_write(const char *path, const char *name, uint64_t bytes, akin_seal_sum sum) {
    char line[AKIN_SEAL_BYTES + 1];
    struct stat found;
    snprintf(line, sizeof line, "akin sum %016" PRIx64 " %016" PRIx64 "%016" PRIx64 "\n", bytes,
             sum.high, sum.low);
    int file = open(path, O_WRONLY | O_CLOEXEC);
    bool good = file >= 0 && fstat(file, &found) == 0;
    AKIN_ASSERT(!good || (uint64_t)found.st_size == bytes);
    if (good) errno = ENOSPC; /* which a write that stops half-way does not say */
    good = good && pwrite(file, line, AKIN_SEAL_BYTES, (off_t)bytes) == AKIN_SEAL_BYTES;
    akin_status status = good ? AKIN_OK : akin_file_cannot_write(name, errno);
    if (file >= 0 && close(file) != 0 && good) status = akin_file_cannot_write(name, errno);
    return status;
}

/* The end of the file according to HDF5; its size if that cannot be determined. False: errno
 * says why. */
static bool find_end(int file, uint64_t size, uint64_t *end) {
    unsigned char superblock[SUPERBLOCK_BYTES];
    *end = size;
    if (size < sizeof superblock) return true;
    if (!read_all(file, superblock, sizeof superblock, 0)) return false;
    if (superblock[8] < 2 || superblock[9] != 8) return true; /* version, size of an address */
    *end = 0;
    for (int i = 7; i >= 0; i--) *end = *end << 8 | superblock[28 + i];
    return true;
}

akin_status akin_seal_read(const char *path, bool *sealed, uint64_t *bytes, akin_seal_sum *sum) {
    char line[AKIN_SEAL_BYTES + 1] = "", written[AKIN_SEAL_BYTES + 1];
    struct stat found;
    akin_status status = AKIN_OK;
    *sealed = false;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0 || fstat(file, &found) != 0) AKIN_TRY(akin_file_cannot_open(path, errno));
    uint64_t size = (uint64_t)found.st_size, end = 0;
    if (size > AKIN_SEAL_BYTES && !read_all(file, line, AKIN_SEAL_BYTES, size - AKIN_SEAL_BYTES))
        AKIN_TRY(cannot_read(path));
    *sealed = sscanf(line, "akin sum %16" SCNx64 " %16" SCNx64 "%16" SCNx64, bytes, &sum->high,
                     &sum->low) == 3;
    if (*sealed) { /* only exactly as we write it */
        snprintf(written, sizeof written, "akin sum %016" PRIx64 " %016" PRIx64 "%016" PRIx64 "\n",
                 size - AKIN_SEAL_BYTES, sum->high, sum->low);
        *sealed = strcmp(line, written) == 0;
    }
    if (!*sealed && !find_end(file, size, &end)) AKIN_TRY(cannot_read(path));
    if (!*sealed && end != size)
        AKIN_TRY(akin_error_set(
            AKIN_INPUT, "%s: damaged: it was truncated or appended to; create it again", path));
done:
    if (file >= 0) close(file);
    return status;
}
