/* json: objects for --json and metrics.json; the one module with <cJSON.h>. Not collective. NaN
 * and infinities are written as null; bytes that are not UTF-8 (file names may contain some) as
 * U+FFFD, so that the output is always valid JSON. */
#ifndef AKIN_JSON_H
#define AKIN_JSON_H

#include <akin/error.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct akin_json akin_json; /* a node: object, array, text, number, boolean or null */

/* Empty; NULL: out of memory. Building a node needs no check at every step: a failure is recorded
 * in the object or array and passed on to its parent, and akin_json_check reports it at the end.
 * Setting a value in a NULL object or array does nothing. */
akin_json *akin_json_object(void);
akin_json *akin_json_array(void);
/* AKIN_FAILED: it is NULL, or adding a value to it failed; out of memory. */
AKIN_MUST_CHECK akin_status akin_json_check(const akin_json *json);
AKIN_MUST_CHECK akin_status akin_json_parse(
    const char *text, size_t length, akin_json **out); /* AKIN_INPUT: not JSON; AKIN_FAILED: out of
                                                   * memory */
akin_json *akin_json_copy(const akin_json *json);      /* NULL: out of memory, or of NULL */
void akin_json_free(akin_json *json);                  /* NULL is fine */

/* In an object. Setting a key twice keeps the last value. */
void akin_json_set_text(akin_json *object, const char *key, const char *value);
void akin_json_set_number(akin_json *object, const char *key, double value);
/* exact up to 2^53 */
void akin_json_set_integer(akin_json *object, const char *key, long long value);
void akin_json_set_bool(akin_json *object, const char *key, bool value);
void akin_json_set_null(akin_json *object, const char *key);
/* Takes ownership of *node and sets it to NULL; if it is NULL, records the failure to create it. */
void akin_json_set_node(akin_json *object, const char *key, akin_json **node);
void akin_json_append_text(akin_json *array, const char *value);
void akin_json_append_number(akin_json *array, double value);
void akin_json_append_node(akin_json *array, akin_json **node); /* likewise */

/* Reading. The result is borrowed from the parent; NULL or the fallback if no value of that type
 * has the key. */
const akin_json *akin_json_get(const akin_json *object, const char *key);
const char *akin_json_text(const akin_json *object, const char *key);
double akin_json_number(const akin_json *object, const char *key, double fallback);
bool akin_json_is_true(const akin_json *object, const char *key); /* false if it is absent */
size_t akin_json_count(const akin_json *node);                    /* of an object or array */
const akin_json *akin_json_at(const akin_json *node, size_t index);
const akin_json *
akin_json_first(const akin_json *node); /* for iterating: first, next, next ... NULL */
const akin_json *akin_json_next(const akin_json *node);
const char *akin_json_key(const akin_json *node); /* its name in its object */
const char *akin_json_as_text(const akin_json *node);
double akin_json_as_number(const akin_json *node, double fallback);

/* The text of the whole node, owned (akin_mem_free); on one line, or indented. NULL: out of
 * memory. UTF-8 is not escaped to ASCII. */
char *akin_json_print(const akin_json *json, bool indented);

#endif
