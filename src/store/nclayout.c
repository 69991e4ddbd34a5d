/* nclayout: the dimensions and variables of one NetCDF file, their sizes, and its content digest.
 */
#include "nclayout.h"

#include <akin/mem.h>
#include <akin/text.h>
#include <inttypes.h>
#include <string.h>

static const struct {
    const char *name;
    size_t size;
} types[AKIN_NC_TYPES] = {
    [AKIN_NC_CHAR] = {"char", 1},   [AKIN_NC_BYTE] = {"byte", 1},
    [AKIN_NC_UBYTE] = {"ubyte", 1}, [AKIN_NC_INT] = {"int", 4},
    [AKIN_NC_INT64] = {"int64", 8}, [AKIN_NC_UINT64] = {"uint64", 8},
    [AKIN_NC_FLOAT] = {"float", 4}, [AKIN_NC_DOUBLE] = {"double", 8},
};

typedef struct {
    char *name;
    size_t length;
} dimension;

typedef struct {
    char *name, *dims;
    akin_nc_type type;
    size_t shape[AKIN_NC_DIMS_MAX], shape_count;
    size_t rows, row_bytes;
} variable;

enum { SUM_LOW, SUM_HIGH, SUM_ROWS, SUMS };

struct akin_nclayout {
    dimension *dimensions;
    size_t dimension_count;
    variable *variables;
    size_t variable_count;
    uint64_t *sums; /* [variable_count, SUMS] */
};

const char *akin_nc_type_name(akin_nc_type type) {
    return types[type].name;
}

size_t akin_nc_type_size(akin_nc_type type) {
    return types[type].size;
}

akin_status akin_nclayout_create(akin_nclayout **out) {
    *out = akin_mem_zalloc(1, sizeof **out);
    return *out ? AKIN_OK : AKIN_FAILED;
}

void akin_nclayout_free(akin_nclayout *layout) {
    if (!layout) return;
    for (size_t d = 0; d < layout->dimension_count; d++) akin_mem_free(layout->dimensions[d].name);
    for (size_t v = 0; v < layout->variable_count; v++) {
        akin_mem_free(layout->variables[v].name);
        akin_mem_free(layout->variables[v].dims);
    }
    akin_mem_free(layout->dimensions);
    akin_mem_free(layout->variables);
    akin_mem_free(layout->sums);
    akin_mem_free(layout);
}

akin_status akin_nclayout_add_dimension(akin_nclayout *layout, const char *name, size_t length) {
    if (!*name || akin_nclayout_find_dimension(layout, name) != AKIN_NC_NONE)
        return akin_error_set(AKIN_INPUT, "dimension '%s' is defined twice or has no name", name);
    if (length == 0) return akin_error_set(AKIN_INPUT, "dimension %s is empty", name);
    size_t count = layout->dimension_count;
    dimension *grown = akin_mem_resize(layout->dimensions, count, count + 1, sizeof *grown);
    if (!grown) return AKIN_FAILED;
    layout->dimensions = grown;
    grown[count] = (dimension){akin_mem_text(name), length};
    if (!grown[count].name) return AKIN_FAILED;
    layout->dimension_count++;
    return AKIN_OK;
}

/* The dimension named by the text up to the next comma or the end; moves *text past it. */
static size_t next_dimension(const akin_nclayout *layout, const char **text) {
    size_t length = strcspn(*text, ","), found = AKIN_NC_NONE;
    for (size_t d = 0; d < layout->dimension_count; d++) {
        const char *name = layout->dimensions[d].name;
        if (strlen(name) == length && memcmp(name, *text, length) == 0) found = d;
    }
    *text += length;
    *text += **text == ',';
    return found;
}

/* Fills in shape, rows and row_bytes from dims. */
static akin_status measure(const akin_nclayout *layout, const char *name, const char *dims,
                           variable *v) {
    v->rows = 1;
    v->row_bytes = types[v->type].size;
    size_t bytes = v->row_bytes;
    for (const char *rest = dims; *rest;) {
        size_t d = next_dimension(layout, &rest);
        if (d == AKIN_NC_NONE || v->shape_count == AKIN_NC_DIMS_MAX)
            return akin_error_set(AKIN_INPUT, "variable %s(%s): unknown dimensions, or too many",
                                  name, dims);
        size_t length = layout->dimensions[d].length;
        if (length > SIZE_MAX / 4 / bytes)
            return akin_error_set(AKIN_INPUT, "variable %s(%s) is larger than any file", name,
                                  dims);
        bytes *= length;
        if (v->shape_count == 0)
            v->rows = length;
        else
            v->row_bytes *= length;
        v->shape[v->shape_count++] = d;
    }
    return AKIN_OK;
}

akin_status akin_nclayout_add_variable(akin_nclayout *layout, const char *name, akin_nc_type type,
                                       const char *dims) {
    if (!*name || akin_nclayout_find_variable(layout, name) != AKIN_NC_NONE)
        return akin_error_set(AKIN_INPUT, "variable '%s' is defined twice or has no name", name);
    variable made = {.type = type};
    akin_status status = measure(layout, name, dims, &made);
    if (status != AKIN_OK) return status;

    size_t count = layout->variable_count;
    variable *grown = akin_mem_resize(layout->variables, count, count + 1, sizeof *grown);
    if (!grown) return AKIN_FAILED;
    layout->variables = grown;
    uint64_t *sums = akin_mem_resize(layout->sums, count * SUMS, (count + 1) * SUMS, sizeof *sums);
    if (!sums) return AKIN_FAILED;
    layout->sums = sums;
    memset(sums + count * SUMS, 0, SUMS * sizeof *sums);
    made.name = akin_mem_text(name);
    made.dims = akin_mem_text(dims);
    grown[count] = made;
    layout->variable_count++; /* counted even if a text is missing, so that free finds the other */
    return made.name && made.dims ? AKIN_OK : AKIN_FAILED;
}

size_t akin_nclayout_dimension_count(const akin_nclayout *layout) {
    return layout->dimension_count;
}

size_t akin_nclayout_find_dimension(const akin_nclayout *layout, const char *name) {
    for (size_t d = 0; d < layout->dimension_count; d++)
        if (strcmp(layout->dimensions[d].name, name) == 0) return d;
    return AKIN_NC_NONE;
}

const char *akin_nclayout_dimension_name(const akin_nclayout *layout, size_t dimension) {
    return layout->dimensions[dimension].name;
}

size_t akin_nclayout_dimension_length(const akin_nclayout *layout, size_t dimension) {
    return layout->dimensions[dimension].length;
}

size_t akin_nclayout_variable_count(const akin_nclayout *layout) {
    return layout->variable_count;
}

size_t akin_nclayout_find_variable(const akin_nclayout *layout, const char *name) {
    for (size_t v = 0; v < layout->variable_count; v++)
        if (strcmp(layout->variables[v].name, name) == 0) return v;
    return AKIN_NC_NONE;
}

const char *akin_nclayout_variable_name(const akin_nclayout *layout, size_t variable) {
    return layout->variables[variable].name;
}

akin_nc_type akin_nclayout_variable_type(const akin_nclayout *layout, size_t variable) {
    return layout->variables[variable].type;
}

const char *akin_nclayout_variable_dims(const akin_nclayout *layout, size_t variable) {
    return layout->variables[variable].dims;
}

size_t akin_nclayout_variable_shape(const akin_nclayout *layout, size_t variable,
                                    const size_t **dimensions) {
    *dimensions = layout->variables[variable].shape;
    return layout->variables[variable].shape_count;
}

size_t akin_nclayout_rows(const akin_nclayout *layout, size_t variable) {
    return layout->variables[variable].rows;
}

size_t akin_nclayout_row_bytes(const akin_nclayout *layout, size_t variable) {
    return layout->variables[variable].row_bytes;
}

void akin_nclayout_hash_rows(akin_nclayout *layout, size_t variable, size_t first, size_t count,
                             const void *data) {
    size_t row_bytes = layout->variables[variable].row_bytes;
    uint64_t *sums = layout->sums + variable * SUMS;
    const unsigned char *row = data;
    for (size_t i = 0; i < count; i++, row += row_bytes) {
        akin_hash128 hash = akin_hash_128(row, row_bytes, (uint64_t)(first + i) + 1);
        sums[SUM_LOW] += hash.low;
        sums[SUM_HIGH] += hash.high;
    }
    sums[SUM_ROWS] += count;
}

uint64_t *akin_nclayout_sums(akin_nclayout *layout, size_t *count) {
    *count = layout->variable_count * SUMS;
    return layout->sums;
}

akin_status akin_nclayout_digest(const akin_nclayout *layout, const char *kind,
                                 char out[AKIN_HASH_TEXT_SIZE]) {
    akin_status status = AKIN_OK;
    akin_text *text = NULL;
    AKIN_TRY(akin_text_create(&text));
    AKIN_TRY(akin_text_append(text, "%s\n", kind));
    for (size_t d = 0; d < layout->dimension_count; d++)
        AKIN_TRY(akin_text_append(text, "%s=%zu\n", layout->dimensions[d].name,
                                  layout->dimensions[d].length));
    for (size_t v = 0; v < layout->variable_count; v++) {
        const variable *it = &layout->variables[v];
        const uint64_t *sums = layout->sums + v * SUMS;
        AKIN_TRY(akin_text_append(text, "%s %s(%s) %016" PRIx64 " %016" PRIx64 "\n",
                                  types[it->type].name, it->name, it->dims, sums[SUM_LOW],
                                  sums[SUM_HIGH]));
    }
    akin_hash_text(akin_hash_128(akin_text_bytes(text), akin_text_length(text), 0), out);
done:
    akin_text_free(text);
    return status;
}
