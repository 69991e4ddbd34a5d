/* fetch: the pictures of a source that are addresses (http://, https://, s3://), brought into a
 * cache folder, from which they are read like files.
 *
 * Every rank fetches its part; how many connections and requests a second one host gets is bounded
 * over all ranks. Redirects are followed in rounds, so that the bounds hold for the host that is
 * led to as well. What fails is noted in the cache with its reason and does not fail the call.
 */
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
    const char *s3_endpoint; /* what stands before /bucket/key of s3:// addresses; NULL = none */
    bool offline;            /* nothing is fetched */
    size_t connections;      /* to one host at a time, over all ranks */
    double rate;             /* requests to one host a second, over all ranks; 0 = any */
    size_t retries;          /* of one address, after the first try */
    double timeout;          /* seconds for one transfer */
    size_t max_bytes;        /* of one picture */
    uint64_t max_pixels;     /* of one picture */
    bool allow_private;      /* also addresses inside private networks */
    double fresh; /* seconds in which a fetch that left failures tries those alone again */
} akin_fetch_params;

typedef struct {
    size_t addresses; /* different ones */
    size_t fetched, unchanged;
    size_t settled; /* not asked for, as an earlier fetch of this session has them */
    size_t kept;    /* no answer, but the cache has a copy of an earlier fetch */
    size_t failed;  /* there is no picture */
    uint64_t bytes; /* of the pictures that were fetched */
    double seconds;
} akin_fetch_result;

/* Afterwards the source has what there is (akin_source_look_again). AKIN_USAGE: s3:// addresses
 * without an endpoint. A source without addresses is nothing to do, and needs no cache. Collective;
 * same arguments; agreed. */
AKIN_MUST_CHECK akin_status akin_fetch(akin_comm *comm, akin_source *source,
                                       const akin_fetch_params *params, akin_fetch_result *result);

/* Whether the last fetch into this cache was complete and ended less than `fresh` seconds ago. Not
 * collective. */
bool akin_fetch_is_recent(const char *cache, double fresh);

#endif
