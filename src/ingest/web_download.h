/* web_download: downloads from http:// and https:// addresses, many at a time. Not collective. A
 * pool has a fixed number of slots; a transfer is one request, without redirects and retries: it
 * reports what it found, and the caller decides. Every address is checked when the connection is
 * opened, whatever name led there. */
#ifndef AKIN_WEB_DOWNLOAD_H
#define AKIN_WEB_DOWNLOAD_H

#include <akin/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    size_t places;      /* concurrent transfers, at least 1 */
    size_t max_bytes;   /* of one file */
    double timeout;     /* seconds for one transfer, from start to last byte */
    bool allow_private; /* also addresses inside private networks and of this machine */
} akin_web_limits;

typedef enum {
    AKIN_WEB_DONE,      /* the bytes are there */
    AKIN_WEB_UNCHANGED, /* the caller's copy is still valid */
    AKIN_WEB_MOVED,     /* `location` is the new address */
    AKIN_WEB_AGAIN,     /* a retry may succeed */
    AKIN_WEB_REFUSED,   /* a retry would end the same way */
} akin_web_outcome;

/* The result of a transfer; everything is borrowed during the call. */
typedef struct {
    size_t job; /* as given */
    akin_web_outcome outcome;
    long code;       /* of HTTP, 0 = no answer */
    bool unanswered; /* no server answered: nothing listens there, or the name is unknown */
    double wait;     /* seconds that the server asks to wait before a retry; 0 = not specified */
    const uint8_t *bytes;
    size_t count;
    const char *etag, *last_modified; /* "" = none */
    const char *location;             /* of MOVED, an absolute address */
    const char *reason;               /* of AGAIN and REFUSED, human-readable */
} akin_web_result;

typedef akin_status (*akin_web_finished)(void *context, const akin_web_result *result);

typedef struct akin_web_pool akin_web_pool;

AKIN_MUST_CHECK akin_status akin_web_pool_create(const akin_web_limits *limits,
                                                 akin_web_pool **out);
void akin_web_pool_free(akin_web_pool *pool); /* aborts transfers in progress; NULL is fine */
size_t akin_web_pool_running(const akin_web_pool *pool);

/* Starts a transfer in a free slot. etag, last_modified: of the caller's copy, "" = none. */
AKIN_MUST_CHECK akin_status akin_web_pool_start(akin_web_pool *pool, size_t job,
                                                const char *address, const char *etag,
                                                const char *last_modified);
/* Lets transfers proceed, waits at most this long, and calls `each` for those that finished,
 * whose slots are then free. A result of `each` other than AKIN_OK is returned. */
AKIN_MUST_CHECK akin_status akin_web_pool_work(akin_web_pool *pool, double seconds,
                                               akin_web_finished each, void *context);

/* Whether a socket address (struct sockaddr, IPv4 or IPv6) is not on the public internet:
 * private, loopback, link-local, shared, reserved, multicast, or one of these embedded in IPv6. */
bool akin_web_is_private(const void *socket_address);

#endif
