/* web_download: see include/akin/web_download.h. */
#include "web_download.h"
#include <akin/mem.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

enum { HEADER_SIZE = 1024, REASON_SIZE = 512 };

typedef struct {
    akin_web_pool *pool;
    CURL *handle;
    struct curl_slist *headers;
    size_t job;
    bool used, conditional;
    uint8_t *bytes;
    size_t count, room;
    bool is_private, too_large, no_memory; /* why a callback aborted the transfer */
    char etag[HEADER_SIZE], last_modified[HEADER_SIZE];
    char detail[CURL_ERROR_SIZE];
} place;

struct akin_web_pool {
    CURLM *multi;
    akin_web_limits limits;
    size_t running;
    place places[];
};

/* --- which addresses are private --- */

typedef struct {
    uint8_t bytes[16];
    int bits;
} network;

/* RFC 6890 and what IANA has added to its registry of special addresses. */
static const network private_4[] = {
    {{0}, 8},
    {{10}, 8},
    {{100, 64}, 10},
    {{127}, 8},
    {{169, 254}, 16},
    {{172, 16}, 12},
    {{192, 0, 0}, 24},
    {{192, 0, 2}, 24},
    {{192, 88, 99}, 24},
    {{192, 168}, 16},
    {{198, 18}, 15},
    {{198, 51, 100}, 24},
    {{203, 0, 113}, 24},
    {{224}, 4},
    {{240}, 4},
};

/* Of IPv6, only 2000::/3 is assigned; inside it: */
static const network public_6 = {{0x20}, 3};
static const network private_6[] = {
    {{0x20, 0x01, 0x00}, 23},       /* protocols, with Teredo */
    {{0x20, 0x01, 0x0D, 0xB8}, 32}, /* documentation */
    {{0x3F, 0xFF}, 20},             /* documentation */
};
/* These embed an IPv4 address, the one that is actually reached, at this byte: */
static const struct {
    network prefix;
    size_t at;
} embedded_4[] = {
    {{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF}, 96}, 12}, /* ::ffff:a.b.c.d */
    {{{0x00, 0x64, 0xFF, 0x9B}, 96}, 12},                   /* 64:ff9b::/96, NAT64 */
    {{{0x20, 0x02}, 16}, 2},                                /* 6to4 */
};

static bool is_in(const uint8_t *address, const network *net) {
    int whole = net->bits / 8, rest = net->bits % 8;
    if (memcmp(address, net->bytes, (size_t)whole) != 0) return false;
    uint8_t mask = (uint8_t)(0xFF00 >> rest);
    return rest == 0 || ((address[whole] ^ net->bytes[whole]) & mask) == 0;
}

static bool is_private_4(const uint8_t *address) {
    for (size_t i = 0; i < sizeof private_4 / sizeof *private_4; i++)
        if (is_in(address, &private_4[i])) return true;
    return false;
}

static bool is_private_6(const uint8_t *address) {
    for (size_t i = 0; i < sizeof embedded_4 / sizeof *embedded_4; i++)
        if (is_in(address, &embedded_4[i].prefix)) return is_private_4(address + embedded_4[i].at);
    for (size_t i = 0; i < sizeof private_6 / sizeof *private_6; i++)
        if (is_in(address, &private_6[i])) return true;
    return !is_in(address, &public_6);
}

bool akin_web_is_private(const void *socket_address) {
    const struct sockaddr *any = socket_address;
    if (any->sa_family == AF_INET) {
        struct sockaddr_in in4;
        memcpy(&in4, socket_address, sizeof in4);
        return is_private_4((const uint8_t *)&in4.sin_addr);
    }
    if (any->sa_family != AF_INET6) return true;
    struct sockaddr_in6 in6;
    memcpy(&in6, socket_address, sizeof in6);
    return is_private_6((const uint8_t *)&in6.sin6_addr);
}

/* --- callbacks of libcurl --- */

static curl_socket_t open_socket(void *context, curlsocktype purpose,
                                 struct curl_sockaddr *address) {
    place *at = context;
    (void)purpose;
    if (!at->pool->limits.allow_private && akin_web_is_private(&address->addr)) {
        at->is_private = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static size_t take_bytes(char *bytes, size_t size, size_t count, void *context) {
    place *at = context;
    size_t length = size * count;
    if (length > at->pool->limits.max_bytes - at->count) {
        at->too_large = true;
        return 0;
    }
    if (at->count + length > at->room) {
        size_t room = at->room + at->room / 2 + length + 65536;
        uint8_t *grown = akin_mem_resize(at->bytes, at->count, room, 1);
        if (!grown) {
            at->no_memory = true;
            return 0;
        }
        at->bytes = grown;
        at->room = room;
    }
    memcpy(at->bytes + at->count, bytes, length);
    at->count += length;
    return length;
}

/* Copies the value of "Name: value\r\n" to out, if the line has that name and it fits. */
static void take_value(const char *line, size_t length, const char *name, char out[HEADER_SIZE]) {
    size_t begin = strlen(name);
    if (length <= begin || strncasecmp(line, name, begin) != 0 || line[begin] != ':') return;
    begin++;
    while (begin < length && (line[begin] == ' ' || line[begin] == '\t')) begin++;
    while (length > begin && strchr(" \t\r\n", line[length - 1])) length--;
    bool fits = length - begin < HEADER_SIZE && !memchr(line + begin, '\0', length - begin);
    snprintf(out, HEADER_SIZE, "%.*s", fits ? (int)(length - begin) : 0, line + begin);
}

static size_t take_header(char *bytes, size_t size, size_t count, void *context) {
    place *at = context;
    take_value(bytes, size * count, "ETag", at->etag);
    take_value(bytes, size * count, "Last-Modified", at->last_modified);
    return size * count;
}

/* --- a transfer --- */

static akin_status no_memory(void) {
    return akin_error_set(AKIN_FAILED, "not enough memory for a transfer");
}

static akin_status add_header(place *at, const char *name, const char *value) {
    char line[HEADER_SIZE + 64];
    if (!*value) return AKIN_OK;
    snprintf(line, sizeof line, "%s: %s", name, value);
    struct curl_slist *longer = curl_slist_append(at->headers, line);
    if (!longer) return no_memory();
    at->headers = longer;
    return AKIN_OK;
}

static void set_up(place *at, const char *address) {
    CURL *handle = at->handle;
    const akin_web_limits *limits = &at->pool->limits;
    long milliseconds = (long)(limits->timeout * 1000) + 1;
    const char *authorities = getenv("SSL_CERT_FILE");
    curl_easy_reset(handle);
#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    curl_easy_setopt(handle, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
    curl_easy_setopt(handle, CURLOPT_URL, address);
    curl_easy_setopt(handle, CURLOPT_PRIVATE, at);
    curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(handle, CURLOPT_PROXY, ""); /* it would hide the address connected to */
    curl_easy_setopt(handle, CURLOPT_USERAGENT, "akin/" AKIN_VERSION);
    curl_easy_setopt(handle, CURLOPT_HTTPHEADER, at->headers);
    curl_easy_setopt(handle, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(handle, CURLOPT_OPENSOCKETDATA, at);
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, take_bytes);
    curl_easy_setopt(handle, CURLOPT_WRITEDATA, at);
    curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(handle, CURLOPT_HEADERDATA, at);
    curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, at->detail);
    curl_easy_setopt(handle, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)limits->max_bytes);
    curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS,
                     milliseconds < 15000 ? milliseconds : 15000);
    curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, milliseconds);
    if (authorities) curl_easy_setopt(handle, CURLOPT_CAINFO, authorities);
}

static void clear(place *at) {
    curl_slist_free_all(at->headers);
    at->headers = NULL;
    at->count = 0;
    at->is_private = at->too_large = at->no_memory = at->conditional = false;
    at->etag[0] = at->last_modified[0] = at->detail[0] = '\0';
}

akin_status akin_web_pool_start(akin_web_pool *pool, size_t job, const char *address,
                                const char *etag, const char *last_modified) {
    akin_status status = AKIN_OK;
    place *at = pool->places;
    while (at < pool->places + pool->limits.places && at->used) at++;
    AKIN_ASSERT(at < pool->places + pool->limits.places);
    clear(at);
    at->job = job;
    at->conditional = *etag || *last_modified;
    AKIN_TRY(add_header(at, "Accept", "image/*, */*;q=0.5"));
    AKIN_TRY(add_header(at, "If-None-Match", etag));
    AKIN_TRY(add_header(at, "If-Modified-Since", last_modified));
    set_up(at, address);
    if (curl_multi_add_handle(pool->multi, at->handle) != CURLM_OK) return no_memory();
    at->used = true;
    pool->running++;
done:
    return status;
}

/* --- results --- */

static const char *name_of(long code) {
    static const struct {
        long code;
        const char *name;
    } names[] = {
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {406, "Not Acceptable"},
        {408, "Request Timeout"},
        {410, "Gone"},
        {429, "Too Many Requests"},
        {451, "Unavailable For Legal Reasons"},
        {500, "Internal Server Error"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].code == code) return names[i].name;
    return code < 300 ? "no picture" : code < 400 ? "redirect without a target address" : "error";
}

static bool is_temporary(long code) {
    static const long codes[] = {408, 425, 429, 500, 502, 503, 504};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (codes[i] == code) return true;
    return code > 504 && code < 600 && code != 505 && code != 511;
}

/* Errors of libcurl that may be temporary; the others are not. */
static bool may_pass(CURLcode code) {
    static const CURLcode codes[] = {
        CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_CONNECT, CURLE_PARTIAL_FILE,
        CURLE_OPERATION_TIMEDOUT,   CURLE_SEND_ERROR,      CURLE_RECV_ERROR,
        CURLE_GOT_NOTHING,          CURLE_HTTP2,           CURLE_HTTP2_STREAM,
        CURLE_SSL_CONNECT_ERROR,    CURLE_AGAIN,           CURLE_WEIRD_SERVER_REPLY,
    };
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (codes[i] == code) return true;
    return false;
}

/* Judges a transfer that ended without a complete answer. */
static void judge_failure(const place *at, CURLcode code, akin_web_result *result, char *reason) {
    const akin_web_limits *limits = &at->pool->limits;
    result->outcome = AKIN_WEB_REFUSED;
    if (at->is_private) {
        snprintf(reason, REASON_SIZE,
                 "leads into a private network, which is refused without --allow-private");
    } else if (at->too_large || code == CURLE_FILESIZE_EXCEEDED) {
        snprintf(reason, REASON_SIZE, "larger than the %zu bytes that --max-bytes allows",
                 limits->max_bytes);
    } else {
        result->outcome = may_pass(code) ? AKIN_WEB_AGAIN : AKIN_WEB_REFUSED;
        result->unanswered = code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST ||
                             (code == CURLE_OPERATION_TIMEDOUT && result->code == 0);
        snprintf(reason, REASON_SIZE, "%s", *at->detail ? at->detail : curl_easy_strerror(code));
    }
}

static void judge_answer(const place *at, akin_web_result *result, char *reason) {
    char *location = NULL;
    curl_off_t wait = 0;
    long code = result->code;
    curl_easy_getinfo(at->handle, CURLINFO_REDIRECT_URL, &location);
    curl_easy_getinfo(at->handle, CURLINFO_RETRY_AFTER, &wait);
    result->wait = (double)wait;
    result->location = location;
    if (code == 200) {
        result->outcome = AKIN_WEB_DONE;
    } else if (code == 304 && at->conditional) {
        result->outcome = AKIN_WEB_UNCHANGED;
    } else if (location && code >= 300 && code < 400) {
        result->outcome = AKIN_WEB_MOVED;
    } else {
        result->outcome = is_temporary(code) ? AKIN_WEB_AGAIN : AKIN_WEB_REFUSED;
        snprintf(reason, REASON_SIZE, "the server answered %ld %s", code, name_of(code));
    }
}

static akin_status finish(place *at, CURLcode code, akin_web_finished each, void *context) {
    char reason[REASON_SIZE] = "";
    akin_web_result result = {.job = at->job,
                              .bytes = at->bytes,
                              .count = at->count,
                              .etag = at->etag,
                              .last_modified = at->last_modified,
                              .reason = reason};
    curl_multi_remove_handle(at->pool->multi, at->handle);
    at->used = false;
    at->pool->running--;
    if (at->no_memory || code == CURLE_OUT_OF_MEMORY) return no_memory();
    curl_easy_getinfo(at->handle, CURLINFO_RESPONSE_CODE, &result.code);
    if (code == CURLE_OK)
        judge_answer(at, &result, reason);
    else
        judge_failure(at, code, &result, reason);
    return each(context, &result);
}

akin_status akin_web_pool_work(akin_web_pool *pool, double seconds, akin_web_finished each,
                               void *context) {
    akin_status status = AKIN_OK;
    int running, left;
    CURLMcode code = curl_multi_perform(pool->multi, &running);
    if (code == CURLM_OK && running == (int)pool->running && seconds > 0)
        code = curl_multi_poll(pool->multi, NULL, 0, (int)(seconds * 1000) + 1, NULL);
    if (code == CURLM_OK) code = curl_multi_perform(pool->multi, &running);
    if (code != CURLM_OK)
        return akin_error_set(AKIN_FAILED, "transfers fail: %s", curl_multi_strerror(code));
    CURLMsg *message;
    while (status == AKIN_OK && (message = curl_multi_info_read(pool->multi, &left))) {
        char *found = NULL;
        if (message->msg != CURLMSG_DONE) continue;
        CURLcode outcome = message->data.result;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &found);
        status = finish((place *)(void *)found, outcome, each, context);
    }
    return status;
}

/* --- the pool --- */

akin_status akin_web_pool_create(const akin_web_limits *limits, akin_web_pool **out) {
    akin_status status = AKIN_OK;
    *out = NULL;
    akin_web_pool *pool = akin_mem_zalloc(1, sizeof *pool + limits->places * sizeof *pool->places);
    if (!pool) return AKIN_FAILED;
    pool->limits = *limits;
    pool->multi = curl_multi_init();
    if (!pool->multi) AKIN_TRY(no_memory());
    for (size_t i = 0; i < limits->places; i++) {
        pool->places[i].pool = pool;
        pool->places[i].handle = curl_easy_init();
        if (!pool->places[i].handle) AKIN_TRY(no_memory());
    }
    *out = pool;
    pool = NULL;
done:
    akin_web_pool_free(pool);
    return status;
}

size_t akin_web_pool_running(const akin_web_pool *pool) {
    return pool->running;
}

void akin_web_pool_free(akin_web_pool *pool) {
    if (!pool) return;
    for (size_t i = 0; i < pool->limits.places; i++) {
        place *at = &pool->places[i];
        if (at->used) curl_multi_remove_handle(pool->multi, at->handle);
        curl_easy_cleanup(at->handle);
        curl_slist_free_all(at->headers);
        akin_mem_free(at->bytes);
    }
    if (pool->multi) curl_multi_cleanup(pool->multi);
    akin_mem_free(pool);
}
