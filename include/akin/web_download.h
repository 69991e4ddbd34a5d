/* web_download: files fetched from http:// and https:// addresses, many at a time. Not collective.
 *
 * A pool has a fixed number of places; a transfer is one request, without redirects and without a
 * second try: what it found is told, and whoever started it decides. Every address that is
 * connected to is looked at when the connection is opened, whatever name led there.
 */
#ifndef AKIN_WEB_DOWNLOAD_H
#define AKIN_WEB_DOWNLOAD_H

#include <akin/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    size_t places;      /* transfers at a time, at least 1 */
    size_t max_bytes;   /* of one file */
    double timeout;     /* seconds for one transfer, from its start to its last byte */
    bool allow_private; /* also addresses inside private networks, and this machine's own */
} akin_web_limits;

typedef enum {
    AKIN_WEB_DONE,      /* bytes are there */
    AKIN_WEB_UNCHANGED, /* what the caller has is still good */
    AKIN_WEB_MOVED,     /* `location` says where to */
    AKIN_WEB_AGAIN,     /* another try may go well */
    AKIN_WEB_REFUSED,   /* another try would end the same way */
} akin_web_outcome;

/* What a transfer found; everything is borrowed during the call. */
typedef struct {
    size_t job; /* as given */
    akin_web_outcome outcome;
    long code;       /* of HTTP, 0 = there was no answer */
    bool unanswered; /* no server answered: nothing listens there, or the name is unknown */
    double wait; /* seconds that the server asks to wait before the next try; 0 = nothing said */
    const uint8_t *bytes;
    size_t count;
    const char *etag, *last_modified; /* "" = none */
    const char *location;             /* of MOVED, an absolute address */
    const char *reason;               /* of AGAIN and REFUSED, for a person */
} akin_web_result;

typedef akin_status (*akin_web_finished)(void *context, const akin_web_result *result);

typedef struct akin_web_pool akin_web_pool;

AKIN_MUST_CHECK akin_status akin_web_pool_create(const akin_web_limits *limits,
                                                 akin_web_pool **out);
void akin_web_pool_free(akin_web_pool *pool); /* ends what is under way; NULL is fine */
size_t akin_web_pool_running(const akin_web_pool *pool);

/* Starts a transfer in a free place. etag, last_modified: of what the caller has, "" = nothing. */
AKIN_MUST_CHECK akin_status akin_web_pool_start(akin_web_pool *pool, size_t job,
                                                const char *address, const char *etag,
                                                const char *last_modified);
/* Lets them move, waits at most so long for that, and calls `each` for those that are finished,
 * whose places are free then. What it returns, if not AKIN_OK, is passed on. */
AKIN_MUST_CHECK akin_status akin_web_pool_work(akin_web_pool *pool, double seconds,
                                               akin_web_finished each, void *context);

/* Whether a socket address (struct sockaddr, IPv4 or IPv6) is not one of the public internet:
 * private, loopback, link-local, shared, reserved, multicast, or one of these inside IPv6. */
bool akin_web_is_private(const void *socket_address);

#endif
