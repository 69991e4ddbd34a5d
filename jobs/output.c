/* output: whether a file that is already there will do. */
#include "output.h"
#include <akin/error.h>
#include <akin/file.h>
#include <akin/log.h>
#include <akin/mem.h>
#include <akin/ncfile.h>
#include <string.h>

bool akin_output_read(const char *path, const char *kind, const char *attribute, char **value) {
    akin_ncfile *file = NULL;
    *value = NULL;
    akin_status status = akin_ncfile_peek(path, kind, &file);
    if (status == AKIN_OK) status = akin_ncfile_get_attribute(file, attribute, value);
    akin_ncfile_close(file);
    akin_error_clear(); /* a missing attribute is not an error here */
    return status == AKIN_OK;
}

bool akin_output_has(const char *path, const char *kind, const char *attribute, const char *value) {
    char *found;
    bool there = akin_output_read(path, kind, attribute, &found);
    bool same = found && value ? strcmp(found, value) == 0 : !found && !value;
    akin_mem_free(found);
    return there && same;
}

bool akin_output_made_from(const char *path, const char *kind, const char *attribute,
                           const char *input) {
    char *digest;
    bool made = akin_output_read(input, NULL, "content_digest", &digest) && digest &&
                akin_output_has(path, kind, attribute, digest);
    akin_mem_free(digest);
    return made;
}

bool akin_output_same_attribute(const char *a, const char *kind_of_a, const char *b,
                                const char *kind_of_b, const char *attribute) {
    char *value;
    bool alike = akin_output_read(a, kind_of_a, attribute, &value) && value &&
                 akin_output_has(b, kind_of_b, attribute, value);
    akin_mem_free(value);
    return alike;
}

bool akin_output_alike(const char *a, const char *b, const char *kind, const char *attribute) {
    return akin_output_same_attribute(a, kind, b, kind, attribute);
}

static size_t length_of(const char *path, const char *kind, const char *dimension) {
    akin_ncfile *file = NULL;
    size_t length = 0;
    if (akin_ncfile_peek(path, kind, &file) != AKIN_OK ||
        akin_ncfile_length(file, dimension, &length) != AKIN_OK)
        length = 0;
    akin_ncfile_close(file);
    return length;
}

bool akin_output_same_length(const char *a, const char *b, const char *kind,
                             const char *dimension) {
    size_t length = length_of(a, kind, dimension);
    return length > 0 && length == length_of(b, kind, dimension);
}

bool akin_output_tell_damage(const char *path, const char *verb, const char *then) {
    akin_ncfile *file = NULL;
    if (!akin_file_exists(path)) return false;
    bool damaged = akin_ncfile_peek(path, NULL, &file) == AKIN_INPUT; /* a read error is not */
    if (damaged) akin_log_warning("%s: %s: %s", verb, then, akin_error_message());
    akin_ncfile_close(file);
    akin_error_clear();
    return damaged;
}
