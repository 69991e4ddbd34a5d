/* preflight_values: whether the values that --only and --not name are those of some item. */
#include "preflight.h"
#include "rules.h"
#include "tables.h"
#include <akin/log.h>
#include <akin/mem.h>
#include <akin/text.h>
#include <string.h>

/* An attribute of the items; of a number only the form is looked at, and `available` is not. */
typedef struct {
    const akin_upcoming *items;
    enum { CATEGORY, GROUP, LABEL, NUMBER, OTHER } which;
    size_t attribute;
    bool many; /* a value can consist of several, "a|b" */
} column;

static column find_column(const akin_upcoming *items, const char *word) {
    column out = {.items = items, .which = OTHER};
    const akin_source_attributes *all = akin_upcoming_attributes(items);
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

static const char *value_of(const column *c, size_t i) {
    switch (c->which) {
    case CATEGORY: return akin_upcoming_category(c->items, i);
    case GROUP: return akin_upcoming_group(c->items, i);
    case LABEL: return akin_upcoming_label(c->items, i, c->attribute);
    case NUMBER:
    case OTHER: break;
    }
    return "";
}

/* Warns unless an item has the value. */
static akin_status check_word(const column *c, const char *before, const char *option,
                              const char *word) {
    size_t count = akin_upcoming_count(c->items);
    const char *value = word + strcspn(word, "=") + 1;
    double number;
    if (c->which == NUMBER && akin_text_to_real(value, &number)) return AKIN_OK;
    if (c->which == NUMBER) count = 0;
    const char **names = akin_mem_alloc(count + 1, sizeof *names);
    if (!names) return AKIN_FAILED;
    bool there = false;
    for (size_t i = 0; i < count && !there; i++) {
        names[i] = value_of(c, i);
        there = c->many ? akin_text_has_part(names[i], value) : strcmp(names[i], value) == 0;
    }
    names[count] = NULL;
    if (!there) akin_neighbors_tell_value(before, option, word, names);
    akin_mem_free(names);
    return AKIN_OK;
}

static akin_status check_words(akin_jobfile *job, const char *section, const char *option,
                               const akin_upcoming *items) {
    akin_status status = AKIN_OK;
    akin_text *before = NULL;
    const akin_neighbors_words words = akin_rules_words(akin_jobfile_options(job, section), option);
    char *place = akin_jobfile_place(job, section, option);
    AKIN_TRY(akin_text_create(&before));
    AKIN_TRY(akin_text_append(before, "%s: [%s] ", place ? place : "", section));
    for (size_t w = 0; w < words.count; w++) {
        const column c = find_column(items, words.words[w]);
        if (c.which != OTHER)
            AKIN_TRY(check_word(&c, akin_text_bytes(before), option, words.words[w]));
    }
done:
    akin_text_free(before);
    akin_mem_free(place);
    return status;
}

akin_status akin_preflight_tell_values(akin_jobfile *job, const akin_upcoming *items) {
    akin_status status = AKIN_OK;
    const char *section;
    for (size_t i = 0; (section = akin_job_neighbors_section(job, i)); i++) {
        if (akin_options_text(akin_jobfile_options(job, section), "against")) continue;
        AKIN_TRY(check_words(job, section, "only", items));
        AKIN_TRY(check_words(job, section, "not", items));
    }
done:
    return status;
}
