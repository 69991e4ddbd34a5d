/* web: parses addresses (URLs) and sends requests to a REST service; the one module with
 * libcurl. */
#include <akin/mem.h>
#include <akin/web.h>
#include <curl/curl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* --- addresses --- */

/* A copy of a part; NULL if the address lacks it, which is allowed. */
static akin_status get_part(CURLU *handle, CURLUPart part, unsigned flags, char **out) {
    char *text = NULL;
    *out = NULL;
    CURLUcode code = curl_url_get(handle, part, &text, flags);
    if (code == CURLUE_OK) *out = akin_mem_text(text);
    curl_free(text);
    if (code == CURLUE_OUT_OF_MEMORY || (code == CURLUE_OK && !*out))
        return akin_error_set(AKIN_FAILED, "not enough memory for an address");
    return AKIN_OK;
}

static akin_status refuse_url(const char *text, const char *why) {
    akin_text *shown = NULL;
    akin_status status = akin_text_create(&shown);
    if (status == AKIN_OK) status = akin_text_append_hidden(shown, text);
    if (status == AKIN_OK)
        status = akin_error_option("to", "--to %s: %s", akin_text_bytes(shown), why);
    akin_text_free(shown);
    return status;
}

akin_status akin_url_parse(const char *text, akin_url *out) {
    akin_status status = AKIN_OK;
    char *port = NULL;
    *out = (akin_url){0};
    CURLU *handle = curl_url();
    if (!handle) return akin_error_set(AKIN_FAILED, "not enough memory for an address");
    CURLUcode code = curl_url_set(handle, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME);
    if (code == CURLUE_OUT_OF_MEMORY)
        AKIN_TRY(akin_error_set(AKIN_FAILED, "not enough memory for an address"));
    if (code != CURLUE_OK)
        AKIN_TRY(refuse_url(text, "is not an address: scheme://[user:password@]host[:port]/..."));
    AKIN_TRY(get_part(handle, CURLUPART_SCHEME, 0, &out->scheme));
    AKIN_TRY(get_part(handle, CURLUPART_USER, CURLU_URLDECODE, &out->user));
    AKIN_TRY(get_part(handle, CURLUPART_PASSWORD, CURLU_URLDECODE, &out->password));
    AKIN_TRY(get_part(handle, CURLUPART_HOST, CURLU_URLDECODE, &out->host));
    AKIN_TRY(get_part(handle, CURLUPART_PATH, CURLU_URLDECODE, &out->path));
    AKIN_TRY(get_part(handle, CURLUPART_QUERY, 0, &out->query));
    AKIN_TRY(get_part(handle, CURLUPART_PORT, 0, &port));
    if (port) out->port = atoi(port); /* libcurl accepts only 1 to 65535 */
done:
    akin_mem_free(port);
    curl_url_cleanup(handle);
    if (status != AKIN_OK) akin_url_free(out);
    return status;
}

static bool is_known(const char *const *known, const char *name, size_t length) {
    for (; *known; known++)
        if (strlen(*known) == length && strncmp(*known, name, length) == 0) return true;
    return false;
}

akin_status akin_url_query(const akin_url *url, const char *const *known, const char *key,
                           char **value) {
    akin_status status = AKIN_OK;
    *value = NULL;
    for (const char *at = url->query; at && *at; at += *at == '&') {
        size_t length = strcspn(at, "&"), name = strcspn(at, "=&");
        if (!is_known(known, at, name))
            AKIN_TRY(akin_error_option(
                "to", "--to %s:...: unknown parameter \"%.*s\"; it takes ?%s=", url->scheme,
                (int)name, at, known[0]));
        if (name < length && strlen(key) == name && strncmp(at, key, name) == 0) {
            char *decoded = curl_easy_unescape(NULL, at + name + 1, (int)(length - name - 1), NULL);
            akin_mem_free(*value);
            *value = decoded ? akin_mem_text(decoded) : NULL;
            curl_free(decoded);
            if (!*value) AKIN_TRY(akin_error_set(AKIN_FAILED, "not enough memory for an address"));
        }
        at += length;
    }
done:
    if (status != AKIN_OK) {
        akin_mem_free(*value);
        *value = NULL;
    }
    return status;
}

void akin_url_free(akin_url *url) {
    char *parts[] = {url->scheme, url->user, url->password, url->host, url->path, url->query};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) akin_mem_free(parts[i]);
    *url = (akin_url){0};
}

/* --- requests --- */

struct akin_web {
    CURL *handle;
    struct curl_slist *headers;
    char *base;
    akin_text *url, *answer; /* answer: borrowed during a request */
    char reason[CURL_ERROR_SIZE];
};

static size_t take(char *bytes, size_t size, size_t count, void *context) {
    akin_web *web = context;
    return akin_text_append_bytes(web->answer, bytes, size * count) == AKIN_OK ? size * count : 0;
}

static akin_status no_memory(void) {
    return akin_error_set(AKIN_FAILED, "not enough memory for a request");
}

static akin_status add_header(akin_web *web, const char *name, const char *value) {
    akin_text *line = NULL;
    akin_status status = akin_text_create(&line);
    if (status == AKIN_OK) status = akin_text_append(line, "%s: %s", name, value);
    struct curl_slist *longer =
        status == AKIN_OK ? curl_slist_append(web->headers, akin_text_bytes(line)) : NULL;
    akin_text_free(line);
    if (!longer) return no_memory();
    web->headers = longer;
    return AKIN_OK;
}

static void set_up(akin_web *web, double timeout) {
    CURL *handle = web->handle;
    long milliseconds = (long)(timeout * 1000);
    curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(handle, CURLOPT_HTTPHEADER, web->headers);
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(handle, CURLOPT_WRITEDATA, web);
    curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, web->reason);
    curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, milliseconds);
    curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, milliseconds);
    curl_easy_setopt(handle, CURLOPT_PROXY, ""); /* a store is not behind the web proxy */
}

akin_status akin_web_open(const char *base, const char *key, double timeout, akin_web **out) {
    akin_status status = AKIN_OK;
    *out = NULL;
    akin_web *web = akin_mem_zalloc(1, sizeof *web);
    if (!web) return AKIN_FAILED;
    web->base = akin_mem_text(base);
    web->handle = curl_easy_init();
    if (!web->base || !web->handle) AKIN_TRY(no_memory());
    AKIN_TRY(akin_text_create(&web->url));
    AKIN_TRY(add_header(web, "Content-Type", "application/json"));
    AKIN_TRY(add_header(web, "Expect", "")); /* send the body without asking first */
    if (key) AKIN_TRY(add_header(web, "api-key", key));
    set_up(web, timeout);
    *out = web;
    web = NULL;
done:
    akin_web_close(web);
    return status;
}

static akin_status say_failure(const akin_web *web, CURLcode code) {
    const char *why = *web->reason ? web->reason : curl_easy_strerror(code);
    bool unreachable = code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST;
    bool foreign = code == CURLE_GOT_NOTHING || code == CURLE_UNSUPPORTED_PROTOCOL ||
                   code == CURLE_WEIRD_SERVER_REPLY || code == CURLE_SSL_CONNECT_ERROR;
    if (foreign)
        return akin_error_set(AKIN_FAILED, "%s: " AKIN_WEB_FOREIGN " (%s)", web->base, why);
    return akin_error_set(AKIN_FAILED, "%s: %s%s", web->base, why,
                          unreachable ? ": " AKIN_WEB_UNREACHABLE : "");
}

akin_status akin_web_request(akin_web *web, const char *method, const char *path, const char *body,
                             akin_text *answer, long *code) {
    akin_status status = AKIN_OK;
    akin_text_clear(answer);
    akin_text_clear(web->url);
    AKIN_TRY(akin_text_append(web->url, "%s%s", web->base, path));
    web->answer = answer;
    web->reason[0] = '\0';
    curl_easy_setopt(web->handle, CURLOPT_URL, akin_text_bytes(web->url));
    curl_easy_setopt(web->handle, CURLOPT_POSTFIELDS, body); /* NULL: none */
    curl_easy_setopt(web->handle, CURLOPT_POSTFIELDSIZE, body ? (long)strlen(body) : 0L);
    if (!body) curl_easy_setopt(web->handle, CURLOPT_HTTPGET, 1L);
    curl_easy_setopt(web->handle, CURLOPT_CUSTOMREQUEST, method);
    CURLcode done = curl_easy_perform(web->handle);
    if (done != CURLE_OK) AKIN_TRY(say_failure(web, done));
    curl_easy_getinfo(web->handle, CURLINFO_RESPONSE_CODE, code);
done:
    return status;
}

void akin_web_close(akin_web *web) {
    if (!web) return;
    curl_easy_cleanup(web->handle);
    curl_slist_free_all(web->headers);
    akin_text_free(web->url);
    akin_mem_free(web->base);
    akin_mem_free(web);
}
