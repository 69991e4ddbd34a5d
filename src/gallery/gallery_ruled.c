/* gallery_ruled: the attributes by which a table's rules and boosts choose. */
#include "gallery_ruled.h"
#include <akin/labels.h>
#include <akin/mem.h>
#include <akin/ncfile.h>
#include <akin/options.h>
#include <stddef.h>
#include <string.h>

struct akin_gallery_ruled {
    char **words; /* the table's options */
    size_t count;
    bool any;
};

static const char *const rules[] = {
    "same=", "different=", "within=", "at-most=", "only=", "not=", "boost="};

/* Whether a value such as "price=0.5..2x brand=3" names the attribute. */
static bool names(const char *value, const char *attribute) {
    size_t length = strlen(attribute);
    while (*value) {
        size_t word = strcspn(value, " ");
        if (strncmp(value, attribute, length) == 0 && (word == length || value[length] == '='))
            return true;
        value += word + strspn(value + word, " ");
    }
    return false;
}

bool akin_gallery_ruled_is(const akin_gallery_ruled *ruled, const char *attribute) {
    for (size_t w = 0; w < ruled->count; w++)
        for (size_t r = 0; r < sizeof rules / sizeof *rules; r++) {
            size_t length = strlen(rules[r]);
            if (strncmp(ruled->words[w], rules[r], length) == 0 &&
                names(ruled->words[w] + length, attribute))
                return true;
        }
    return false;
}

static bool any_of(const akin_gallery_ruled *ruled, const akin_labels *labels) {
    for (size_t a = 0; labels && a < akin_labels_attributes(labels); a++)
        if (akin_gallery_ruled_is(ruled, akin_labels_attribute_name(labels, a))) return true;
    return false;
}

akin_status akin_gallery_ruled_read(const akin_table *table, const akin_gallery_rows *rows,
                                    akin_gallery_ruled **out) {
    akin_status status = AKIN_OK;
    char *options = NULL;
    akin_gallery_ruled *ruled = akin_mem_zalloc(1, sizeof *ruled);
    if (!ruled) return AKIN_FAILED;
    AKIN_TRY(akin_ncfile_get_attribute(akin_table_file(table), "akin_result_options", &options));
    AKIN_TRY(akin_options_recorded(options, &ruled->words, &ruled->count));
    ruled->any = any_of(ruled, rows->labels) || any_of(ruled, rows->target_facts) ||
                 any_of(ruled, rows->target_shots.labels);
done:
    akin_mem_free(options);
    if (status != AKIN_OK) akin_gallery_ruled_free(ruled);
    *out = status == AKIN_OK ? ruled : NULL;
    return status;
}

bool akin_gallery_ruled_any(const akin_gallery_ruled *ruled) {
    return ruled->any;
}

void akin_gallery_ruled_free(akin_gallery_ruled *ruled) {
    if (ruled) akin_options_free_words(ruled->words, ruled->count);
    akin_mem_free(ruled);
}
