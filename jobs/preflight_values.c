/* preflight_values: whether the values that --only and --not name are those of some item. */
#include "preflight.h"
#include "rules.h"
#include "tables.h"
#include <akin/log.h>
#include <akin/mem.h>
#include <akin/text.h>
#include <string.h>

/* An attribute of a source; of a number only the form is looked at, and `available` is not. */
typedef struct {
    const akin_source *source;
    enum { CATEGORY, GROUP, LABEL, NUMBER, OTHER } which;
    size_t attribute;
    bool many; /* a value can consist of several, "a|b" */
} column;

static column find_column(const akin_source *source, const char *word) {
    column out = {.source = source, .which = OTHER};
    const akin_source_attributes *all = akin_source_attributes_of(source);
    size_t length = strcspn(word, "=");
    if (length == strlen("category") && strncmp(word, "category", length) == 0)
        out.which = CATEGORY;
    if (length == strlen("group") && strncmp(word, "group", length) == 0) out.which = GROUP;
    for (size_t a = 0; a < all->count; a++) {
        const akin_source_attribute *one = &all->of[a];
        if (strlen(one->name) != length || strncmp(word, one->name, length) != 0) continue;
        out.which = one->kind == AKIN_ATTRIBUTE_NUMBER ? NUMBER : LABEL, out.attribute = a;
        out.many = one->kind == AKIN_ATTRIBUTE_LABELS;
    }
    return out;
}

static const char *value_of(const column *c, size_t row) {
    switch (c->which) {
    case CATEGORY: return akin_source_get(c->source, row).category;
    case GROUP: return akin_source_get(c->source, row).group;
    case LABEL: return akin_source_label(c->source, row, c->attribute);
    case NUMBER:
    case OTHER: break;
    }
    return "";
}

/* Warns unless an item has the value. */
static akin_status check_word(const column *c, const char *before, const char *option,
                              const char *word) {
    size_t count = akin_source_valid(c->source);
    const size_t *order = akin_source_order(c->source);
    const char *value = word + strcspn(word, "=") + 1;
    double number;
    if (c->which == NUMBER && akin_text_to_real(value, &number)) return AKIN_OK;
    if (c->which == NUMBER) count = 0;
    const char **names = akin_mem_alloc(count + 1, sizeof *names);
    if (!names) return AKIN_FAILED;
    bool there = false;
    for (size_t i = 0; i < count && !there; i++) {
        names[i] = value_of(c, order[i]);
        there = c->many ? akin_text_has_part(names[i], value) : strcmp(names[i], value) == 0;
    }
    names[count] = NULL;
    if (!there) akin_neighbors_tell_value(before, option, word, names);
    akin_mem_free(names);
    return AKIN_OK;
}

static akin_status check_words(akin_jobfile *job, const char *section, const char *option,
                               const akin_source *source) {
    akin_status status = AKIN_OK;
    akin_text *before = NULL;
    const akin_neighbors_words words = akin_rules_words(akin_jobfile_options(job, section), option);
    char *place = akin_jobfile_place(job, section, option);
    AKIN_TRY(akin_text_create(&before));
    AKIN_TRY(akin_text_append(before, "%s: [%s] ", place ? place : "", section));
    for (size_t w = 0; w < words.count; w++) {
        const column c = find_column(source, words.words[w]);
        if (c.which != OTHER)
            AKIN_TRY(check_word(&c, akin_text_bytes(before), option, words.words[w]));
    }
done:
    akin_text_free(before);
    akin_mem_free(place);
    return status;
}

akin_status akin_preflight_tell_values(akin_jobfile *job, const akin_source *source) {
    akin_status status = AKIN_OK;
    const char *section;
    for (size_t i = 0; (section = akin_job_neighbors_section(job, i)); i++) {
        if (akin_options_text(akin_jobfile_options(job, section), "against")) continue;
        AKIN_TRY(check_words(job, section, "only", source));
        AKIN_TRY(check_words(job, section, "not", source));
    }
done:
    return status;
}
