/* Answers of a web server to a request for a picture: from a server that sends these bytes whatever
 * the request, and then closes the connection. Every connection goes to it. The first byte chooses
 * the request; the answer becomes a record of the cache and is read back. */
#define _GNU_SOURCE
#include "fuzz.h"
#include "ingest/picture_cache.h"
#include "ingest/web_download.h"
#include <akin/mem.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

static const char address[] = "http://127.0.0.1:9/a.png", folder[] = "/dev/shm/akin-fuzz-web";

static struct {
    const uint8_t *bytes;
    size_t count;
    int end; /* the server's */
} server = {.end = -1};

int connect(int socket, const struct sockaddr *to, socklen_t length);
int getpeername(int socket, struct sockaddr *to, socklen_t *length);
int getsockname(int socket, struct sockaddr *to, socklen_t *length);

/* These replace functions of the C library. */
int connect(int socket, const struct sockaddr *to, socklen_t length) {
    int pair[2];
    (void)to, (void)length;
    if (server.end >= 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) return -1;
    (void)!send(pair[1], server.bytes, server.count, MSG_DONTWAIT | MSG_NOSIGNAL);
    shutdown(pair[1], SHUT_WR);
    dup2(pair[0], socket);
    fcntl(socket, F_SETFL, O_NONBLOCK);
    close(pair[0]);
    server.end = pair[1];
    return 0;
}

static int name_it(struct sockaddr *to, socklen_t *length) {
    const struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(9)};
    memcpy(to, &in, *length < sizeof in ? *length : sizeof in);
    *length = sizeof in;
    return 0;
}

int getpeername(int socket, struct sockaddr *to, socklen_t *length) {
    (void)socket;
    return name_it(to, length);
}

int getsockname(int socket, struct sockaddr *to, socklen_t *length) {
    (void)socket;
    return name_it(to, length);
}

/* What was stored is read back. */
static akin_status keep(const akin_picture_cache *cache, const akin_web_result *found) {
    akin_status status = AKIN_OK;
    akin_source_bytes back = {0};
    akin_cached about = {.session = 1}, read;
    snprintf(about.etag, sizeof about.etag, "%s", found->etag);
    snprintf(about.last_modified, sizeof about.last_modified, "%s", found->last_modified);
    AKIN_TRY(akin_picture_cache_keep(cache, address, found->bytes, found->count, &about));
    AKIN_TRY(akin_picture_cache_read(cache, address, &back));
    if (back.count != found->count) abort();
    if (back.count > 0 && memcmp(back.bytes, found->bytes, back.count) != 0) abort();
    AKIN_TRY(akin_picture_cache_find(cache, address, &read));
    if (!read.has_picture || strchr(read.etag, '\n')) abort();
done:
    akin_source_bytes_free(&back);
    return status;
}

static akin_status finished(void *context, const akin_web_result *found) {
    bool says_why = found->outcome == AKIN_WEB_AGAIN || found->outcome == AKIN_WEB_REFUSED;
    if (says_why && !*found->reason) abort();
    if (found->outcome == AKIN_WEB_MOVED && !*found->location) abort();
    if (found->outcome != AKIN_WEB_DONE) return AKIN_OK;
    return keep(context, found);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    akin_status status = AKIN_OK;
    akin_picture_cache *cache = NULL;
    akin_web_pool *pool = NULL;
    const akin_web_limits limits = {1, 65536, 1, true};
    if (count == 0) return 0;
    uint64_t blocks = akin_mem_live();
    bool known = bytes[0] & 1;
    server.bytes = bytes + 1;
    server.count = count - 1;
    AKIN_TRY(akin_picture_cache_open(folder, true, &cache));
    AKIN_TRY(akin_web_pool_create(&limits, &pool));
    AKIN_TRY(akin_web_pool_start(pool, 7, address, known ? "\"e\"" : "", ""));
    while (akin_web_pool_running(pool) > 0 && status == AKIN_OK)
        status = akin_web_pool_work(pool, 0.01, finished, cache);
done:
    akin_web_pool_free(pool);
    akin_picture_cache_close(cache);
    if (server.end >= 0) close(server.end);
    server.end = -1;
    fuzz_check(status);
    if (akin_mem_live() != blocks) abort(); /* memory was not freed */
    return 0;
}
