/* item_targets: which items the words of --only and --not bar from being a neighbour. */
#include "item_targets.h"
#include <akin/mem.h>
#include <akin/text.h>
#include <string.h>

/* Whether this word of a rule for targets is about the same attribute as an earlier word. */
static bool is_again(const akin_neighbors_words *words, size_t w) {
    size_t length = strcspn(words->words[w], "=") + 1;
    for (size_t e = 0; e < w; e++)
        if (strncmp(words->words[e], words->words[w], length) == 0) return true;
    return false;
}

/* Whether a value is named by a word about the same attribute as word w. */
static bool is_named(const akin_neighbors_words *words, size_t w, const akin_item_attribute *a,
                     int32_t value) {
    size_t length = strcspn(words->words[w], "=") + 1;
    for (size_t e = w; e < words->count; e++)
        if (strncmp(words->words[e], words->words[w], length) == 0 &&
            akin_item_attribute_is(a, value, words->words[e] + length))
            return true;
    return false;
}

/* Removes the targets that are rejected by a word and by all later words about its attribute. */
static akin_status strike(const akin_neighbors_words *words, size_t w, const akin_item_attribute *a,
                          bool wanted, uint8_t *target, size_t count) {
    uint8_t *named = akin_mem_zalloc(a->values, sizeof *named);
    if (named == NULL) return AKIN_FAILED;
    for (size_t v = 0; v < a->values; v++) named[v] = is_named(words, w, a, (int32_t)v);
    for (size_t i = 0; i < count; i++) {
        int32_t value = akin_item_attribute_value(a, i);
        if (akin_item_attribute_none(a, value))
            target[i] = 0;
        else if ((a->number ? is_named(words, w, a, value) : named[value]) != wanted)
            target[i] = 0;
    }
    akin_mem_free(named);
    return AKIN_OK;
}

bool akin_neighbors_lets_available(const akin_neighbors_words *words, bool wanted) {
    static const char word[] = "available=";
    const akin_item_attribute available = {.which = AKIN_ITEM_ATTRIBUTE_AVAILABLE, .values = 2};
    for (size_t w = 0; w < words->count; w++)
        if (strncmp(words->words[w], word, strlen(word)) == 0)
            return is_named(words, w, &available, 1) == wanted;
    return true;
}

static akin_status check_value(const char *option, const char *word, const akin_item_attribute *a) {
    const char *value = word + strcspn(word, "=") + 1;
    double number;
    if (a->number && akin_text_to_real(value, &number)) return AKIN_OK; /* ranks have their own */
    if (!a->number && a->values == 0) return AKIN_OK;
    for (size_t v = 0; v < a->values; v++)
        if (akin_item_attribute_is(a, (int32_t)v, value)) return AKIN_OK;
    const char **names = akin_mem_alloc(a->values + 1, sizeof *names);
    if (names == NULL) return AKIN_FAILED;
    for (size_t v = 0; v < a->values; v++) names[v] = akin_item_attribute_text(a, (int32_t)v);
    names[a->values] = NULL;
    akin_neighbors_tell_value("--", option, word, names);
    akin_mem_free(names);
    return AKIN_OK;
}

akin_status akin_item_targets_strike(const akin_neighbors_words *words, size_t w,
                                     const akin_item_attribute *a, const char *option, bool wanted,
                                     uint8_t *target, size_t count) {
    akin_status status = check_value(option, words->words[w], a);
    return status == AKIN_OK && !is_again(words, w) ? strike(words, w, a, wanted, target, count)
                                                    : status;
}
