/* rule_words: parses the words of rules. */
#include "rule_words.h"
#include "item_boost.h"
#include <akin/log.h>
#include <akin/neighbors.h>
#include <akin/text.h>
#include <akin/topk.h>
#include <math.h>
#include <string.h>

enum { SIZE = AKIN_RULE_WORD_SIZE };

_Static_assert(AKIN_TOPK_MAX == 65536 && AKIN_ITEM_BOOST_LARGEST == 100, "as the messages say");

/* The form of a word is wrong; other faults are told beside the form. */
static const char ill_formed[] = "";

/* "LOW..HIGH" or "LOW..HIGHx". NULL: it is right, otherwise what is wrong. */
static const char *read_band(const char *text, akin_row_rule *rule) {
    const char *dots = strstr(text, "..");
    char low[SIZE] = "", high[SIZE] = "";
    if (dots == NULL || (size_t)(dots - text) >= sizeof low || strlen(dots + 2) >= sizeof high)
        return ill_formed;
    memcpy(low, text, (size_t)(dots - text));
    strcpy(high, dots + 2);
    size_t length = strlen(high);
    rule->kind = AKIN_ROW_RULE_DIFFERENCE;
    if (length > 0 && high[length - 1] == 'x') {
        high[length - 1] = '\0';
        rule->kind = AKIN_ROW_RULE_RATIO;
    }
    if (!akin_text_to_real(low, &rule->low) || !akin_text_to_real(high, &rule->high))
        return "LOW and HIGH must be numbers with a decimal point";
    if (rule->low > rule->high) return "LOW is above HIGH";
    return rule->kind == AKIN_ROW_RULE_RATIO && rule->low < 0 ? "a factor cannot be negative"
                                                              : NULL;
}

static const char *read_limit(const char *text, int32_t *out) {
    long long most;
    if (!akin_text_to_int(text, &most)) return ill_formed;
    if (most < 1 || most > AKIN_TOPK_MAX) return "N must be from 1 to 65536";
    *out = (int32_t)most;
    return NULL;
}

static const char *read_weight(const char *text, double *out) {
    if (!akin_text_to_real(text, out)) return "WEIGHT must be a number with a decimal point";
    return fabs(*out) <= AKIN_ITEM_BOOST_LARGEST ? NULL : "WEIGHT must be from -100 to 100";
}

/* text: what follows the equals sign. */
static const char *read_form(akin_rule_word_form form, const char *text, akin_rule_word *out) {
    switch (form) {
    case AKIN_RULE_WORD_NAME: return NULL;
    case AKIN_RULE_WORD_BAND: return read_band(text, &out->band);
    case AKIN_RULE_WORD_VALUE: return *text != '\0' ? NULL : ill_formed;
    case AKIN_RULE_WORD_LIMIT: return read_limit(text, &out->most);
    case AKIN_RULE_WORD_WEIGHT: return read_weight(text, &out->weight);
    }
    return ill_formed;
}

akin_status akin_rule_word_read(akin_rule_word_form form, const char *option, const char *word,
                                akin_rule_word *out) {
    static const char *const wanted[] = {
        [AKIN_RULE_WORD_NAME] = "ATTR",
        [AKIN_RULE_WORD_BAND] = "ATTR=LOW..HIGHx (times the item's own value) or ATTR=LOW..HIGH "
                                "(more than it)",
        [AKIN_RULE_WORD_VALUE] = "ATTR=VALUE",
        [AKIN_RULE_WORD_LIMIT] = "ATTR=N, N at least 1",
        [AKIN_RULE_WORD_WEIGHT] = "ATTR=WEIGHT, as popularity=0.1"};
    size_t length = form == AKIN_RULE_WORD_NAME ? strlen(word) : strcspn(word, "=");
    *out = (akin_rule_word){0};
    if (length < SIZE) memcpy(out->attribute, word, length);
    bool complete =
        length > 0 && length < SIZE && (word[length] != '\0' || form == AKIN_RULE_WORD_NAME);
    const char *fault =
        complete ? read_form(form, word + length + (word[length] == '='), out) : ill_formed;
    if (!fault) return AKIN_OK;
    return akin_error_option(option, "--%s %s: %s%swrite %s", option, word, fault,
                             *fault ? "; " : "", wanted[form]);
}

bool akin_rule_word_next(akin_rule_word_form form, const char *option, const char **at,
                         akin_rule_word *out, akin_status *status) {
    char word[SIZE] = "";
    *at += strspn(*at, " ");
    size_t length = strcspn(*at, " ");
    *status = AKIN_OK;
    if (length == 0) return false;
    memcpy(word, *at, length < SIZE ? length : SIZE - 1);
    *at += length;
    *status = akin_rule_word_read(form, option, word, out);
    return true;
}

void akin_neighbors_tell_value(const char *before, const char *option, const char *word,
                               const char *const *names) {
    const char *value = word + strcspn(word, "=") + 1, *nearest = akin_text_nearest(value, names);
    if (nearest && !akin_text_is_near(value, nearest, 3)) nearest = NULL;
    akin_log_warning(nearest ? "%s%s %s: no item has this value; did you mean %s?"
                             : "%s%s %s: no item has this value",
                     before, option, word, nearest);
}

/* --- the attributes used by rules --- */

static akin_rule_needs needs_of(akin_rule_word_form form) {
    return form == AKIN_RULE_WORD_BAND || form == AKIN_RULE_WORD_WEIGHT ? AKIN_RULE_NEEDS_NUMBER
           : form == AKIN_RULE_WORD_LIMIT                               ? AKIN_RULE_NEEDS_NAMES
                                                                        : AKIN_RULE_NEEDS_ANY;
}

void akin_neighbors_rules_attributes(const akin_neighbors_rules *rules, akin_rule_attribute each,
                                     void *context) {
    const struct {
        const char *option;
        const akin_neighbors_words *words;
        akin_rule_word_form form;
    } lists[] = {{"same", &rules->same, AKIN_RULE_WORD_NAME},
                 {"different", &rules->different, AKIN_RULE_WORD_NAME},
                 {"within", &rules->within, AKIN_RULE_WORD_BAND},
                 {"only", &rules->only, AKIN_RULE_WORD_VALUE},
                 {"not", &rules->barred, AKIN_RULE_WORD_VALUE},
                 {"at-most", &rules->at_most, AKIN_RULE_WORD_LIMIT},
                 {"boost", &rules->boost, AKIN_RULE_WORD_WEIGHT}};
    akin_rule_word word;
    akin_status status;
    for (size_t l = 0; l < sizeof lists / sizeof *lists; l++)
        for (size_t w = 0; w < lists[l].words->count; w++) {
            const char *text = lists[l].words->words[w], *at = text;
            if (lists[l].form != AKIN_RULE_WORD_WEIGHT) {
                status = akin_rule_word_read(lists[l].form, lists[l].option, text, &word);
                each(context, lists[l].option, word.attribute, needs_of(lists[l].form), status);
            } else
                while (akin_rule_word_next(lists[l].form, lists[l].option, &at, &word, &status))
                    each(context, lists[l].option, word.attribute, needs_of(lists[l].form), status);
        }
    if (rules->categories.count > 0)
        each(context, "categories", "category", AKIN_RULE_NEEDS_ANY, AKIN_OK);
}
