/* ncfile_verify: whether the bytes of a file are those that were written: by the seal at its end, or
 * for a file of another program by its content_digest. */
#include "ncfile_body.h"

#include <akin/mem.h>
#include <akin/shard.h>
#include <string.h>

#define VERIFY_BYTES (4u << 20) /* memory for checking a digest */

/* Only a file that matches its seal, or has none, may be opened by the library. */
akin_status akin_ncfile_check_seal(akin_ncfile *file, akin_seal_sum found) {
    file->whole = file->sealed && found.low == file->seal.low && found.high == file->seal.high;
    if (file->whole || !file->sealed) return AKIN_OK;
    return akin_ncfile_refuse(file, "damaged: its bytes do not match the checksum at its end");
}

/* Hashes this rank's shard of every variable, in pieces of bounded memory. */
static akin_status hash_shard(akin_ncfile *file, akin_comm *comm) {
    akin_status status = AKIN_OK;
    int size = akin_comm_size(comm), rank = akin_comm_rank(comm);
    void *piece = NULL;
    for (size_t v = 0; v < akin_nclayout_variable_count(file->layout); v++) {
        const char *name = akin_nclayout_variable_name(file->layout, v);
        size_t rows = akin_nclayout_rows(file->layout, v),
               row_bytes = akin_nclayout_row_bytes(file->layout, v);
        size_t row = akin_shard_first(rows, size, rank),
               end = akin_shard_first(rows, size, rank + 1);
        size_t step = VERIFY_BYTES / row_bytes ? VERIFY_BYTES / row_bytes : 1;
        if (row == end) continue;
        akin_mem_free(piece);
        piece = akin_mem_alloc(step < end - row ? step : end - row, row_bytes);
        if (!piece) AKIN_TRY(AKIN_FAILED);
        for (; row < end; row += step) {
            size_t count = step < end - row ? step : end - row;
            AKIN_TRY(akin_ncfile_get(file, name, row, count, piece));
            akin_nclayout_hash_rows(file->layout, v, row, count, piece);
            akin_comm_poll(comm); /* a slow disk is not a stall */
        }
    }
done:
    akin_mem_free(piece);
    return status;
}

/* Verifies every byte of a sealed file, each rank its part. Collective; agreed. */
akin_status akin_ncfile_verify_seal(akin_comm *comm, akin_ncfile *file) {
    akin_seal_sum sum = {0};
    akin_status status = AKIN_OK;
    if (file->sealed)
        status = akin_seal_add(file->path, file->path, file->sealed_bytes, akin_comm_size(comm),
                               akin_comm_rank(comm), &sum);
    status = akin_agree(comm, status);
    if (status != AKIN_OK) return status;
    akin_comm_sum_i64(comm, (int64_t *)&sum.low, 1);
    akin_comm_sum_i64(comm, (int64_t *)&sum.high, 1);
    return akin_agree(comm, akin_ncfile_check_seal(file, sum));
}

/* Verifies the content of a file without a seal, which another program wrote, each rank its
 * rows. Collective; agreed. */
akin_status akin_ncfile_verify_digest(akin_comm *comm, akin_ncfile *file) {
    char digest[AKIN_HASH_TEXT_SIZE];
    size_t count;
    akin_status status = akin_agree(comm, hash_shard(file, comm));
    if (status != AKIN_OK) return status;
    uint64_t *sums = akin_nclayout_sums(file->layout, &count);
    akin_comm_sum_i64(comm, (int64_t *)sums, count);
    status = akin_nclayout_digest(file->layout, file->kind, digest);
    if (status == AKIN_OK && strcmp(digest, file->digest) != 0)
        status = akin_ncfile_refuse(file, "damaged: its content does not match its content_digest");
    return akin_agree(comm, status);
}
