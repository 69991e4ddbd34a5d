/* json: objects for --json and metrics.json; the one module with <cJSON.h>. Not collective. NaN and
 * infinities are written as null; bytes that are no UTF-8 (a file's name may hold some) as U+FFFD,
 * so that what is printed is always JSON.
 */
#ifndef AKIN_JSON_H
#define AKIN_JSON_H

#include <akin/error.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct akin_json akin_json; /* a node: object, array, text, number, boolean or null */

AKIN_MUST_CHECK akin_status akin_json_create(akin_json **out); /* an empty object */
AKIN_MUST_CHECK akin_status akin_json_create_array(akin_json **out);
AKIN_MUST_CHECK akin_status
akin_json_parse(const char *text, size_t length,
                akin_json **out); /* AKIN_INPUT: not JSON; AKIN_FAILED: no memory */
AKIN_MUST_CHECK akin_status akin_json_copy(const akin_json *json, akin_json **out);
void akin_json_free(akin_json *json); /* NULL is fine */

/* In an object: a key set twice holds the last value. */
AKIN_MUST_CHECK akin_status akin_json_set_text(akin_json *object, const char *key,
                                               const char *value);
AKIN_MUST_CHECK akin_status akin_json_set_number(akin_json *object, const char *key, double value);
AKIN_MUST_CHECK akin_status akin_json_set_integer(akin_json *object, const char *key,
                                                  long long value); /* exact to 2^53 */
AKIN_MUST_CHECK akin_status akin_json_set_bool(akin_json *object, const char *key, bool value);
AKIN_MUST_CHECK akin_status akin_json_set_null(akin_json *object, const char *key);
/* Takes *node over, also on failure, and sets it NULL. */
AKIN_MUST_CHECK akin_status akin_json_set_node(akin_json *object, const char *key,
                                               akin_json **node);
AKIN_MUST_CHECK akin_status akin_json_append_text(akin_json *array, const char *value);
AKIN_MUST_CHECK akin_status akin_json_append_number(akin_json *array, double value);
AKIN_MUST_CHECK akin_status akin_json_append_node(akin_json *array, akin_json **node); /* so too */

/* Reading: borrowed from the parent; NULL or the fallback where there is none of that kind. */
const akin_json *akin_json_get(const akin_json *object, const char *key);
const char *akin_json_text(const akin_json *object, const char *key);
double akin_json_number(const akin_json *object, const char *key, double fallback);
size_t akin_json_count(const akin_json *node); /* of an object or array */
const akin_json *akin_json_at(const akin_json *node, size_t index);
const akin_json *
akin_json_first(const akin_json *node); /* for a walk over many: first, next, next ... NULL */
const akin_json *akin_json_next(const akin_json *node);
const char *akin_json_key(const akin_json *node); /* its name in its object */
const char *akin_json_as_text(const akin_json *node);
double akin_json_as_number(const akin_json *node, double fallback);

/* Text of the whole, owned (akin_mem_free); on one line, or indented. NULL: no memory. Not
 * ASCII-escaped: UTF-8. */
char *akin_json_print(const akin_json *json, bool indented);

#endif
