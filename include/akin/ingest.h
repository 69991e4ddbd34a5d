/* ingest: reads, checks and shrinks the pictures of a catalogue into catalog.nc; rejected rows
 * go to the rejects. Row i of the rows sorted by id is processed by rank i % size, so that a
 * slow or large folder is shared by all; results go to contiguous shards by one exchange. */
#ifndef AKIN_INGEST_H
#define AKIN_INGEST_H

#include <akin/comm.h>
#include <akin/error.h>
#include <akin/fetch.h>
#include <akin/image.h>
#include <akin/pretrained.h>
#include <akin/source.h>
#include <stdbool.h>

typedef struct {
    akin_source_params source;
    akin_fetch_params fetch; /* of rows whose path is an address */
    const char *output;
    akin_image_fit fit;
    uint64_t max_pixels;
    const char *rejects;        /* CSV of id,path,reason; NULL: the first are logged */
    double max_reject_fraction; /* of the rows; more: AKIN_INPUT, and the old output stays */
    const char
        *previous; /* catalog.nc: pictures whose bytes are unchanged are reused; NULL: none */
    akin_pretrained_params network; /* path NULL: none looks at the pictures */
    const char *checkpoint;         /* of what it has given; NULL: <output>.checkpoint */
    double checkpoint_every;        /* seconds */
    akin_source *listed;        /* `source`, already opened; borrowed; NULL: it is opened here */
    const char *options;        /* resolved text */
    const char *result_options; /* those that affect the result */
} akin_ingest_params;

typedef struct {
    size_t rows, items, rejected; /* items + rejected = rows */
    size_t reused;                /* items whose picture came from `previous` */
    akin_fetch_result fetch;      /* of rows whose path is an address */
    size_t broken_profiles;       /* pictures whose colour profile was ignored */
    double images_per_second;     /* decoded by all ranks together; NaN: none was */
} akin_ingest_result;

/* Whether more than that fraction of the rows was rejected, by the decimal number as written,
 * not its binary value: 29 of 100 are 0.29. Not collective. */
bool akin_ingest_too_many(size_t rejected, size_t rows, double max_reject_fraction);

/* Collective; all arguments the same on all ranks; agreed. The result is filled even if too many
 * rows are rejected. */
AKIN_MUST_CHECK akin_status akin_ingest(akin_comm *comm, const akin_ingest_params *params,
                                        akin_ingest_result *result);

#endif
