/* fetch: downloads the pictures of a source that are addresses (http://, https://, s3://) into a
 * cache folder, from which they are read like files. Every rank downloads its part; the
 * connections and requests per second to one host are limited over all ranks. Redirects are
 * followed in rounds, so that the limits also apply to the target's host. A failure is recorded
 * in the cache with its reason and does not fail the call. */
#ifndef AKIN_FETCH_H
#define AKIN_FETCH_H

#include <akin/comm.h>
#include <akin/error.h>
#include <akin/source.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    const char *cache;       /* the folder */
    const char *s3_endpoint; /* the prefix of /bucket/key for s3:// addresses; NULL = none */
    bool offline;            /* download nothing */
    size_t connections;      /* concurrent, to one host, over all ranks */
    double rate;             /* requests per second to one host, over all ranks; 0 = unlimited */
    size_t retries;          /* per address, after the first attempt */
    double timeout;          /* seconds for one transfer */
    size_t max_bytes;        /* of one picture */
    uint64_t max_pixels;     /* of one picture */
    bool allow_private;      /* also addresses inside private networks */
    double fresh;            /* seconds during which a run that left failures only retries those */
} akin_fetch_params;

typedef struct {
    size_t addresses; /* distinct ones */
    size_t fetched, unchanged;
    size_t settled; /* not requested, as an earlier run of this session has them */
    size_t kept;    /* no answer, but the cache has a copy from an earlier run */
    size_t failed;  /* no picture available */
    uint64_t bytes; /* of the downloaded pictures */
    double seconds;
} akin_fetch_result;

/* Afterwards the source knows what is available (akin_source_look_again). AKIN_USAGE: s3://
 * addresses without an endpoint. A source without addresses needs nothing, not even a cache.
 * Collective; same arguments; agreed. */
AKIN_MUST_CHECK akin_status akin_fetch(akin_comm *comm, akin_source *source,
                                       const akin_fetch_params *params, akin_fetch_result *result);

/* Whether the last download run into this cache was complete and ended less than `fresh` seconds
 * ago. Not collective. */
bool akin_fetch_is_recent(const char *cache, double fresh);

#endif
