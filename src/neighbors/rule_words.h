/* rule_words: parses the words of rules, such as "price=0.8..1.2x" of --within or "brand=2" of
 * --at-most. Not collective. */
#ifndef AKIN_RULE_WORDS_H
#define AKIN_RULE_WORDS_H

#include <akin/error.h>
#include <akin/row_rules.h>

enum { AKIN_RULE_WORD_SIZE = 256 }; /* bytes of an attribute's name, with NUL */

typedef enum {
    AKIN_RULE_WORD_NAME,   /* ATTR */
    AKIN_RULE_WORD_BAND,   /* ATTR=LOW..HIGHx, ATTR=LOW..HIGH */
    AKIN_RULE_WORD_VALUE,  /* ATTR=VALUE */
    AKIN_RULE_WORD_LIMIT,  /* ATTR=N */
    AKIN_RULE_WORD_WEIGHT, /* ATTR=WEIGHT */
} akin_rule_word_form;

typedef struct {
    char attribute[AKIN_RULE_WORD_SIZE];
    akin_row_rule band; /* kind, low and high */
    int32_t most;       /* of a limit */
    double weight;
} akin_rule_word;

/* AKIN_USAGE: the word is not of this form. */
AKIN_MUST_CHECK akin_status akin_rule_word_read(akin_rule_word_form form, const char *option,
                                                const char *word, akin_rule_word *out);

/* The next one of several words separated by blanks, starting at *at; false: there are no more.
 * AKIN_USAGE as above, through *status. */
bool akin_rule_word_next(akin_rule_word_form form, const char *option, const char **at,
                         akin_rule_word *out, akin_status *status);

#endif
