/* Writes a catalogue of any number of synthetic items, to measure what a large one needs. Not a
 * test.
 *
 * usage: bench_catalog ITEMS FILE.nc
 *
 * It has 1,024 different pictures, repeated: the same memory is mapped at many addresses for the
 * writer. */
#include <akin/catalog.h>
#include <akin/comm.h>
#include <akin/mem.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "levels.h"

enum { DIFFERENT = 1024, BLOCK = DIFFERENT * AKIN_IMAGE_BYTES };

/* [n, 32, 32, 3], mapped to the memory of DIFFERENT pictures; NULL if that is not possible */
static const uint8_t *show_pictures(size_t n) {
    size_t blocks = (n + DIFFERENT - 1) / DIFFERENT;
    int file = memfd_create("pictures", MFD_CLOEXEC);
    if (file < 0 || ftruncate(file, BLOCK) != 0) return NULL;
    uint8_t *all =
        mmap(NULL, blocks * BLOCK, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (all == MAP_FAILED) return NULL;
    for (size_t b = 0; b < blocks; b++) {
        void *at = all + b * BLOCK;
        if (mmap(at, BLOCK, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file, 0) == MAP_FAILED)
            return NULL;
    }
    for (size_t i = 0; i < DIFFERENT; i++)
        for (size_t at = 0; at < AKIN_IMAGE_BYTES;
             at++) { /* squares of 8x8 pixels in a few colours */
            size_t row = at / 96 / 8, column = at % 96 / 24, channel = at % 3;
            all[i * AKIN_IMAGE_BYTES + at] =
                (uint8_t)(mix((uint32_t)(i * 64 + row * 12 + column * 3 + channel)) >> 24);
        }
    return all;
}

static akin_status write_catalog(akin_comm *comm, size_t n, const char *path) {
    akin_status status;
    akin_labels *labels = NULL;
    const akin_catalog_origin origin = {
        .options = "", .result_options = "", .source_digest = "synthetic"};
    const uint8_t *pictures = show_pictures(n);
    uint64_t *hashes = akin_mem_zalloc(n, sizeof *hashes);
    if (!pictures || !hashes) return akin_error_set(AKIN_FAILED, "not enough memory");
    AKIN_TRY(akin_labels_create(n, 16, &labels));
    for (size_t i = 0; i < n; i++) {
        char id[24];
        snprintf(id, sizeof id, "i%010zu", i);
        AKIN_TRY(akin_labels_set_id(labels, i, id));
        hashes[i] = i % DIFFERENT;
    }
    const akin_catalog_part part = {n, 0, pictures, hashes};
    AKIN_TRY(akin_catalog_write(comm, path, &origin, labels, &part, NULL));
done:
    akin_labels_free(labels);
    akin_mem_free(hashes);
    return status;
}

int main(int argc, char **argv) {
    akin_comm *comm;
    if (akin_comm_start(&argc, &argv, &comm) != AKIN_OK) return 1;
    if (argc != 3 || strtoull(argv[1], NULL, 10) < 1 || akin_comm_size(comm) != 1) {
        fprintf(stderr, "usage: bench_catalog ITEMS FILE.nc, alone\n");
        return 2;
    }
    akin_status status = write_catalog(comm, strtoull(argv[1], NULL, 10), argv[2]);
    if (status != AKIN_OK) fprintf(stderr, "%s\n", akin_error_message());
    akin_comm_finish(comm);
    return status;
}
