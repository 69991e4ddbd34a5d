/* web: parses addresses (URLs), and sends requests to a REST service; the one module with
 * libcurl. Not collective. */
#ifndef AKIN_WEB_H
#define AKIN_WEB_H

#include <akin/error.h>
#include <akin/text.h>
#include <stddef.h>

typedef struct {
    char *scheme, *user, *password, *host,
        *path;   /* decoded; path with its leading slash; NULL = not given */
    int port;    /* 0 = not given */
    char *query; /* as given, without the question mark */
} akin_url;

/* scheme://[user:password@]host[:port][/path][?query], of any scheme. AKIN_USAGE: not an
 * address; the message shows no password. */
AKIN_MUST_CHECK akin_status akin_url_parse(const char *text, akin_url *out);
/* The value of a key of the query, decoded; owned by the caller; NULL: not given. AKIN_USAGE: a
 * key that is not in `known` (ends with NULL). */
AKIN_MUST_CHECK akin_status akin_url_query(const akin_url *url, const char *const *known,
                                           const char *key, char **value);
void akin_url_free(akin_url *url); /* its parts */

/* What to look for where a server cannot be reached: the end of the message. */
#define AKIN_WEB_UNREACHABLE "is the server running there, and is the address right?"
/* The same where it does not answer in the protocol; a library's own words follow in brackets. */
#define AKIN_WEB_FOREIGN "is another kind of server there, or is TLS expected on one side only?"

typedef struct akin_web akin_web; /* a connection that is kept open between requests */

/* Of http(s)://host:port; key: header api-key, or NULL. timeout: seconds to connect, and for an
 * answer. */
AKIN_MUST_CHECK akin_status akin_web_open(const char *base, const char *key, double timeout,
                                          akin_web **out);
/* method "GET", "PUT", ...; body JSON, or NULL. Stores the answer's body in `answer` and its
 * HTTP status in *code. AKIN_FAILED if there is no answer. */
AKIN_MUST_CHECK akin_status akin_web_request(akin_web *web, const char *method, const char *path,
                                             const char *body, akin_text *answer, long *code);
void akin_web_close(akin_web *web); /* NULL is fine */

#endif
