/* seal: a line after the end of an HDF5 file with a checksum of all its bytes. HDF5 1.10 crashes
 * or hangs on some damaged internal tables, so damage must be found before HDF5 opens the file.
 * The line, 59 bytes, is "akin sum LENGTH SUM\n": the number of bytes before it as 16 and their
 * sum as 32 hexadecimal digits. The sum adds up, both halves modulo 2^64, XXH3-128(block, seed =
 * block number + 1) of all blocks of 1 MiB, so any rank may add any of them. HDF5 and everything
 * built on it ignore what follows the end that the superblock gives; a program that changes the
 * file removes the line, and then there is no seal. Not collective. */
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
 * cannot be read. name: of the output that path is the part of, or path; messages use it. */
AKIN_MUST_CHECK akin_status akin_seal_add(const char *path, const char *name, uint64_t bytes,
                                          int size, int rank, akin_seal_sum *sum);
/* Appends the seal for the whole file, `bytes` bytes with this sum. */
AKIN_MUST_CHECK akin_status akin_seal_write(const char *path, const char *name, uint64_t bytes,
                                            akin_seal_sum sum);
/* Whether the file has a seal; if so, *bytes before it, and their sum. AKIN_INPUT: it had a
 * seal, but was truncated. */
AKIN_MUST_CHECK akin_status akin_seal_read(const char *path, bool *sealed, uint64_t *bytes,
                                           akin_seal_sum *sum);

#endif
