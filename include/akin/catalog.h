/* catalog: catalog.nc, the accepted items, their 32x32 pictures and labels, ascending by id. Not
 * collective unless stated.
 *
 * dimensions: item, row = 32, column = 32, channel = 3, and those of labels
 * ubyte image(item, row, column, channel); RGB, contiguous
 * uint64 content_hash(item); XXH3-64 of the image file's bytes; 0 = none
 * and those of labels; if a pretrained network was run on the pictures also
 * float network(item, network_feature); its output
 * with attributes that identify the network and its input: network_digest, network_request ...
 */
#ifndef AKIN_CATALOG_H
#define AKIN_CATALOG_H

#include <akin/comm.h>
#include <akin/labels.h>
#include <akin/ncfile.h>
#include <stdbool.h>

#define AKIN_IMAGE_SIDE 32
#define AKIN_IMAGE_CHANNELS 3
#define AKIN_IMAGE_BYTES (AKIN_IMAGE_SIDE * AKIN_IMAGE_SIDE * AKIN_IMAGE_CHANNELS)

typedef struct akin_catalog akin_catalog;

/* Collective; agreed (akin_ncfile_open). */
AKIN_MUST_CHECK akin_status akin_catalog_open(akin_comm *comm, const char *path,
                                              akin_catalog **out);
void akin_catalog_close(akin_catalog *catalog); /* Not collective; NULL is fine */

/* Not collective. */
size_t akin_catalog_items(const akin_catalog *catalog);
const char *akin_catalog_digest(const akin_catalog *catalog);
const akin_ncfile *
akin_catalog_file(const akin_catalog *catalog); /* for labels and attributes; borrowed */
AKIN_MUST_CHECK akin_status akin_catalog_images(const akin_catalog *catalog, size_t first,
                                                size_t count,
                                                uint8_t *images /* [count, 32, 32, 3] */);
/* Rows items [count], in any order; consecutive rows are read at once. */
AKIN_MUST_CHECK akin_status akin_catalog_images_at(const akin_catalog *catalog, const size_t *items,
                                                   size_t count,
                                                   uint8_t *images /* [count, 32, 32, 3] */);
AKIN_MUST_CHECK akin_status akin_catalog_hashes(const akin_catalog *catalog, size_t first,
                                                size_t count, uint64_t *hashes /* [count] */);

/* How its pictures were decoded: akin_result_options, and the decoding that a network required,
 * which may slightly change a 32x32 image: "... network-view=160,160,160,0"; owned. */
AKIN_MUST_CHECK akin_status akin_catalog_decoding(const akin_catalog *catalog, char **out);

/* The output of a network: columns of a row, 0 without a network; rows [count, features]. */
size_t akin_catalog_network_features(const akin_catalog *catalog);
AKIN_MUST_CHECK akin_status akin_catalog_network_rows(const akin_catalog *catalog, size_t first,
                                                      size_t count, float *rows);
/* The same of rows items [count], in any order. */
AKIN_MUST_CHECK akin_status akin_catalog_network_at(const akin_catalog *catalog,
                                                    const size_t *items, size_t count, float *rows);

/* A text about a network: an attribute and its value. A list ends with a NULL name. */
typedef struct {
    const char *name, *value;
} akin_catalog_fact;

typedef struct {
    size_t features;
    const akin_catalog_fact *facts; /* borrowed */
    /* Rows [first, first + count) of this rank's into rows [count, features]. Not collective. */
    akin_status (*rows)(void *context, size_t first, size_t count, float *rows);
    void *context;
} akin_catalog_network;

typedef struct {
    const char *options;        /* resolved text */
    const char *result_options; /* those that affect the result */
    const char *source_digest;
    const char *rejects_digest; /* of the file that lists what is missing here; NULL = none was
                                 * requested */
} akin_catalog_origin;

/* This rank's rows, from first on; as many as its labels; borrowed. */
typedef struct {
    size_t n; /* of the whole catalogue */
    size_t first;
    const uint8_t *images;  /* [count, 32, 32, 3] */
    const uint64_t *hashes; /* [count] */
} akin_catalog_part;

/* Writes the whole file; network NULL: no network was run. Collective. */
AKIN_MUST_CHECK akin_status akin_catalog_write(akin_comm *comm, const char *path,
                                               const akin_catalog_origin *origin,
                                               const akin_labels *labels,
                                               const akin_catalog_part *part,
                                               const akin_catalog_network *network);
#endif
