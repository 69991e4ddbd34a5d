/* seal: a line behind the end of an HDF5 file with a checksum of all its bytes.
 *
 * HDF5 1.10 crashes or hangs on some damaged tables of its own, so damage must be found before it
 * sees the file. The line, 59 bytes, is "akin sum LENGTH SUM\n": the bytes before it as 16 and
 * their sum as 32 hexadecimal digits. The sum adds up, both halves modulo 2^64, XXH3-128(block,
 * seed = block number + 1) of all blocks of 1 MiB, so any rank may add any of them. HDF5 and all
 * that is built on it ignore what lies behind the end that its superblock names; a program that
 * changes the file removes it, and then there is no seal.
 *
 * Not collective.
 */
#ifndef AKIN_SEAL_H
#define AKIN_SEAL_H

#include <akin/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AKIN_SEAL_BYTES 59

typedef struct {
    uint64_t low, high;
} akin_seal_sum;

/* Adds the blocks of this rank's shard of the first `bytes` bytes of the file. AKIN_FAILED: it
 * cannot be read. */
AKIN_MUST_CHECK akin_status akin_seal_add(const char *path, uint64_t bytes, int size, int rank,
                                          akin_seal_sum *sum);
/* Appends the seal of all that the file holds, `bytes` bytes with this sum. */
AKIN_MUST_CHECK akin_status akin_seal_write(const char *path, uint64_t bytes, akin_seal_sum sum);
/* Whether the file has a seal; then *bytes before it, and their sum. AKIN_INPUT: cut, it had one.
 */
AKIN_MUST_CHECK akin_status akin_seal_read(const char *path, bool *sealed, uint64_t *bytes,
                                           akin_seal_sum *sum);

#endif
