/* ncfile_read: what an open file of ncfile.h holds: its shape, its rows, its attributes. */
#include "ncfile_body.h"

#include <akin/fault.h>
#include <akin/mem.h>
#include <akin/text.h>
#include <errno.h>
#include <string.h>

#define ATTRIBUTE_BYTES_MAX (16u << 20) /* no attribute of ours is close to that */

const char *akin_ncfile_path(const akin_ncfile *file) {
    return file->path;
}

const char *akin_ncfile_kind(const akin_ncfile *file) {
    return file->kind;
}

const char *akin_ncfile_digest(const akin_ncfile *file) {
    return file->digest;
}

bool akin_ncfile_has(const akin_ncfile *file, const char *variable) {
    return akin_nclayout_find_variable(file->layout, variable) != AKIN_NC_NONE;
}

akin_status akin_ncfile_length(const akin_ncfile *file, const char *dimension, size_t *length) {
    size_t d = akin_nclayout_find_dimension(file->layout, dimension);
    if (d == AKIN_NC_NONE)
        return akin_error_set(AKIN_INPUT, "%s: has no dimension %s", file->path, dimension);
    *length = akin_nclayout_dimension_length(file->layout, d);
    return AKIN_OK;
}

akin_status akin_ncfile_expect(const akin_ncfile *file, const char *variable, akin_nc_type type,
                               const char *dims) {
    size_t v = akin_nclayout_find_variable(file->layout, variable);
    if (v == AKIN_NC_NONE)
        return akin_error_set(AKIN_INPUT, "%s: has no variable %s", file->path, variable);
    akin_nc_type found = akin_nclayout_variable_type(file->layout, v);
    const char *found_dims = akin_nclayout_variable_dims(file->layout, v);
    if (found == type && strcmp(found_dims, dims) == 0) return AKIN_OK;
    return akin_error_set(AKIN_INPUT, "%s: variable %s is %s (%s), it should be %s (%s)",
                          file->path, variable, akin_nc_type_name(found), found_dims,
                          akin_nc_type_name(type), dims);
}

akin_status akin_ncfile_check_schema(const akin_ncfile *file, const akin_ncfile_field *schema) {
    akin_status status = AKIN_OK;
    for (const akin_ncfile_field *f = schema; f->name && status == AKIN_OK; f++)
        status = akin_ncfile_expect(file, f->name, f->type, f->dims);
    return status;
}

akin_status akin_ncfile_get(const akin_ncfile *file, const char *variable, size_t first,
                            size_t count, void *data) {
    size_t v = akin_nclayout_find_variable(file->layout, variable);
    if (v == AKIN_NC_NONE)
        return akin_error_set(AKIN_INPUT, "%s: has no variable %s", file->path, variable);
    size_t rows = akin_nclayout_rows(file->layout, v);
    AKIN_ASSERT(count <= rows && first <= rows - count);
    if (count == 0) return AKIN_OK;
    const size_t *shape;
    size_t start[AKIN_NC_DIMS_MAX] = {first}, length[AKIN_NC_DIMS_MAX] = {count};
    size_t dims = akin_nclayout_variable_shape(file->layout, v, &shape);
    for (size_t d = 1; d < dims; d++)
        length[d] = akin_nclayout_dimension_length(file->layout, shape[d]);
    int code = akin_fault_read() ? errno : nc_get_vara(file->id, (int)v, start, length, data);
    return code ? akin_ncfile_trouble(file, code) : AKIN_OK;
}

/* Of a variable by its number, or NC_GLOBAL. */
static akin_status get_attribute(const akin_ncfile *file, int variable, const char *name,
                                 char **out) {
    nc_type type = NC_NAT;
    size_t length = 0;
    *out = NULL;
    int code = nc_inq_att(file->id, variable, name, &type, &length);
    if (code == NC_ENOTATT || (code == NC_NOERR && type != NC_CHAR)) return AKIN_OK;
    if (code) return akin_ncfile_trouble(file, code);
    if (length > ATTRIBUTE_BYTES_MAX || length > file->bytes)
        return akin_ncfile_refuse(file, "damaged: an attribute is too long");
    char *text = akin_mem_zalloc(length + 1, 1);
    if (!text) return AKIN_FAILED;
    if ((code = nc_get_att_text(file->id, variable, name, text))) {
        akin_mem_free(text);
        return akin_ncfile_trouble(file, code);
    }
    *out = text;
    return AKIN_OK;
}

akin_status akin_ncfile_get_attribute(const akin_ncfile *file, const char *name, char **out) {
    return get_attribute(file, NC_GLOBAL, name, out);
}

bool akin_ncfile_has_text(const akin_ncfile *file, const char *name, const char *text) {
    char *found = NULL;
    bool same = akin_ncfile_get_attribute(file, name, &found) == AKIN_OK && found &&
                strcmp(found, text) == 0;
    akin_mem_free(found);
    return same;
}

akin_status akin_ncfile_get_variable_attribute(const akin_ncfile *file, const char *variable,
                                               const char *name, char **out) {
    size_t v = akin_nclayout_find_variable(file->layout, variable);
    *out = NULL;
    return v == AKIN_NC_NONE ? AKIN_OK : get_attribute(file, (int)v, name, out);
}

akin_status akin_ncfile_differences(const akin_ncfile *file, const akin_ncfile_claim *claims,
                                    size_t count, akin_text *differences) {
    akin_status status = AKIN_OK;
    for (size_t i = 0; i < count && status == AKIN_OK; i++) {
        char *found = NULL;
        status = akin_ncfile_get_attribute(file, claims[i].attribute, &found);
        const char *is = found ? found : "", *should = claims[i].wanted ? claims[i].wanted : "";
        if (status == AKIN_OK && strcmp(is, should) != 0)
            status = akin_text_append(differences, "%s%s (it has '%s', this run '%s')",
                                      akin_text_length(differences) ? ", " : "", claims[i].what, is,
                                      should);
        akin_mem_free(found);
    }
    return status;
}

akin_status akin_ncfile_check_claims(const akin_ncfile *file, const char *kind,
                                     const akin_ncfile_claim *claims, size_t count) {
    akin_text *differences = NULL;
    akin_status status = akin_text_create(&differences);
    if (status == AKIN_OK) status = akin_ncfile_differences(file, claims, count, differences);
    if (status == AKIN_OK && akin_text_length(differences) > 0)
        status = akin_error_set(AKIN_INPUT, "%s is a %s from another run; what differs: %s",
                                file->path, kind, akin_text_bytes(differences));
    akin_text_free(differences);
    return status;
}

size_t akin_ncfile_dimension_count(const akin_ncfile *file) {
    return akin_nclayout_dimension_count(file->layout);
}

const char *akin_ncfile_dimension_name(const akin_ncfile *file, size_t index, size_t *length) {
    *length = akin_nclayout_dimension_length(file->layout, index);
    return akin_nclayout_dimension_name(file->layout, index);
}

size_t akin_ncfile_variable_count(const akin_ncfile *file) {
    return akin_nclayout_variable_count(file->layout);
}

const char *akin_ncfile_variable_name(const akin_ncfile *file, size_t index, const char **type,
                                      const char **dims) {
    *type = akin_nc_type_name(akin_nclayout_variable_type(file->layout, index));
    *dims = akin_nclayout_variable_dims(file->layout, index);
    return akin_nclayout_variable_name(file->layout, index);
}

size_t akin_ncfile_attribute_count(const akin_ncfile *file) {
    return file->name_count;
}

const char *akin_ncfile_attribute_name(const akin_ncfile *file, size_t index) {
    return file->names[index];
}
