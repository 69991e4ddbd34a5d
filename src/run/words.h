/* words: a growing list of words, for options that may be repeated. */
#ifndef AKIN_WORDS_H
#define AKIN_WORDS_H

#include <akin/error.h>
#include <stddef.h>

typedef struct {
    char **words; /* [count], then NULL; owned; NULL as long as it is empty */
    size_t count;
} akin_words;

/* Adds a copy. Not collective, like all of these. */
AKIN_MUST_CHECK akin_status akin_words_add(akin_words *list, const char *word);
void akin_words_clear(akin_words *list);

#endif
