/* json: objects for --json and metrics.json; the one module with <cJSON.h>. */
#include <akin/json.h>
#include <akin/mem.h>
#include <akin/text.h>
#include <cjson/cJSON.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An akin_json is a cJSON node; only this file knows. */
static cJSON *inner(const akin_json *json) {
    return (cJSON *)(uintptr_t)json;
}

static akin_json *outer(const cJSON *json) {
    return (akin_json *)(uintptr_t)json;
}

static _Thread_local bool out_of_memory; /* cJSON's parser does not report why it failed */

static void *take(size_t size) {
    void *block = akin_mem_alloc(size, 1);
    if (!block) out_of_memory = true;
    return block;
}

static void use_our_memory(void) {
    cJSON_Hooks hooks = {.malloc_fn = take, .free_fn = akin_mem_free};
    cJSON_InitHooks(&hooks);
}

static akin_status hand_out(cJSON *node, akin_json **out) {
    *out = outer(node);
    return node ? AKIN_OK : akin_error_set(AKIN_FAILED, "not enough memory for a report");
}

/* --- create and free --- */

akin_json *akin_json_object(void) {
    use_our_memory();
    return outer(cJSON_CreateObject());
}

akin_json *akin_json_array(void) {
    use_our_memory();
    return outer(cJSON_CreateArray());
}

akin_status akin_json_parse(const char *text, size_t length, akin_json **out) {
    use_our_memory();
    const char *end = NULL;
    out_of_memory = false;
    cJSON *node = cJSON_ParseWithLengthOpts(text, length, &end, false);
    bool clean = node != NULL;
    for (; clean && end < text + length; end++)
        clean = *end != '\0' && strchr(" \t\r\n", *end) != NULL;
    if (!clean) {
        cJSON_Delete(node);
        *out = NULL;
        return out_of_memory ? AKIN_FAILED : akin_error_set(AKIN_INPUT, "not JSON");
    }
    return hand_out(node, out);
}

akin_json *akin_json_copy(const akin_json *json) {
    use_our_memory();
    return outer(cJSON_Duplicate(inner(json), true));
}

void akin_json_free(akin_json *json) {
    cJSON_Delete(inner(json));
}

/* --- write --- */

/* cJSON does not use an object's or array's integer: here it records that something is missing, and
 * is copied with them. */
static bool is_defective(const cJSON *node) {
    return node->valueint != 0;
}

static void keep_defect(cJSON *node) {
    node->valueint = 1;
}

akin_status akin_json_check(const akin_json *json) {
    return json && !is_defective(inner(json))
               ? AKIN_OK
               : akin_error_set(AKIN_FAILED, "not enough memory for a report");
}

static bool is_container(const cJSON *node) {
    return cJSON_IsObject(node) || cJSON_IsArray(node);
}

/* When cJSON has no memory for the key, it still replaces the node, but without a key: such a node
 * is removed again, and the replaced value is lost. */
static bool replace(cJSON *whole, const char *key, cJSON *node) {
    if (!cJSON_ReplaceItemInObjectCaseSensitive(whole, key, node)) return false;
    if (node->string) return true;
    cJSON_DetachItemViaPointer(whole, node);
    return false;
}

/* A fresh node becomes part of an object (with a key) or array; NULL is a failed allocation. */
static void put(akin_json *json, const char *key, cJSON *node) {
    cJSON *whole = inner(json);
    cJSON_bool done = whole && node;
    if (done && is_container(node) && is_defective(node)) keep_defect(whole);
    if (done && !key)
        done = cJSON_AddItemToArray(whole, node);
    else if (done && cJSON_GetObjectItemCaseSensitive(whole, key))
        done = replace(whole, key, node);
    else if (done)
        done = cJSON_AddItemToObject(whole, key, node);
    if (done) return;
    if (whole) keep_defect(whole);
    cJSON_Delete(node);
}

/* cJSON prints 15 digits if that is close enough; a large whole number keeps all its digits as
 * raw text. */
static cJSON *number_node(double value) {
    char digits[32];
    if (!isfinite(value)) return cJSON_CreateNull();
    if (fabs(value) < 1e15 || fabs(value) > 9007199254740992.0) return cJSON_CreateNumber(value);
    snprintf(digits, sizeof digits, "%.17g", value);
    return cJSON_CreateRaw(digits);
}

/* Length in bytes of the UTF-8 character at `at`; 0: none. */
static size_t character_length(const char *at, size_t left) {
    for (size_t length = 1; length <= 4 && length <= left; length++)
        if (akin_text_is_utf8(at, length)) return length;
    return 0;
}

/* The text with U+FFFD for each byte that is not valid UTF-8. */
static cJSON *text_node(const char *value) {
    size_t length = strlen(value), used = 0;
    if (akin_text_is_utf8(value, length)) return cJSON_CreateString(value);
    char *mended = akin_mem_alloc(3 * length + 1, 1);
    if (!mended) return NULL;
    for (size_t at = 0; at < length;) {
        size_t good = character_length(value + at, length - at);
        memcpy(mended + used, good ? value + at : "\xEF\xBF\xBD", good ? good : 3);
        used += good ? good : 3;
        at += good ? good : 1;
    }
    mended[used] = '\0';
    cJSON *node = cJSON_CreateString(mended);
    akin_mem_free(mended);
    return node;
}

void akin_json_set_text(akin_json *object, const char *key, const char *value) {
    put(object, key, text_node(value));
}

void akin_json_set_number(akin_json *object, const char *key, double value) {
    put(object, key, number_node(value));
}

void akin_json_set_integer(akin_json *object, const char *key, long long value) {
    put(object, key, number_node((double)value));
}

void akin_json_set_bool(akin_json *object, const char *key, bool value) {
    put(object, key, cJSON_CreateBool(value));
}

void akin_json_set_null(akin_json *object, const char *key) {
    put(object, key, cJSON_CreateNull());
}

void akin_json_set_node(akin_json *object, const char *key, akin_json **node) {
    akin_json *taken = *node;
    *node = NULL;
    put(object, key, inner(taken));
}

void akin_json_append_text(akin_json *array, const char *value) {
    put(array, NULL, text_node(value));
}

void akin_json_append_number(akin_json *array, double value) {
    put(array, NULL, number_node(value));
}

void akin_json_append_node(akin_json *array, akin_json **node) {
    akin_json *taken = *node;
    *node = NULL;
    put(array, NULL, inner(taken));
}

/* --- read --- */

const akin_json *akin_json_get(const akin_json *object, const char *key) {
    return object ? outer(cJSON_GetObjectItemCaseSensitive(inner(object), key)) : NULL;
}

const char *akin_json_as_text(const akin_json *node) {
    return node && cJSON_IsString(inner(node)) ? inner(node)->valuestring : NULL;
}

double akin_json_as_number(const akin_json *node, double fallback) {
    if (!node) return fallback;
    if (cJSON_IsRaw(inner(node))) return strtod(inner(node)->valuestring, NULL);
    return cJSON_IsNumber(inner(node)) ? inner(node)->valuedouble : fallback;
}

const char *akin_json_text(const akin_json *object, const char *key) {
    return akin_json_as_text(akin_json_get(object, key));
}

double akin_json_number(const akin_json *object, const char *key, double fallback) {
    return akin_json_as_number(akin_json_get(object, key), fallback);
}

bool akin_json_is_true(const akin_json *object, const char *key) {
    const akin_json *node = akin_json_get(object, key);
    return node && cJSON_IsTrue(inner(node));
}

size_t akin_json_count(const akin_json *node) {
    return node ? (size_t)cJSON_GetArraySize(inner(node)) : 0;
}

const akin_json *akin_json_at(const akin_json *node, size_t index) {
    return node ? outer(cJSON_GetArrayItem(inner(node), (int)index)) : NULL;
}

const akin_json *akin_json_first(const akin_json *node) {
    return node ? outer(inner(node)->child) : NULL;
}

const akin_json *akin_json_next(const akin_json *node) {
    return node ? outer(inner(node)->next) : NULL;
}

const char *akin_json_key(const akin_json *node) {
    return inner(node)->string;
}

char *akin_json_print(const akin_json *json, bool indented) {
    use_our_memory();
    return indented ? cJSON_Print(inner(json)) : cJSON_PrintUnformatted(inner(json));
}
