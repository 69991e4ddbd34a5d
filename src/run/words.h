/* words: a growing list of words, for options that may be repeated. */
#ifndef AKIN_WORDS_H
#define AKIN_WORDS_H

#include <akin/error.h>
#include <stddef.h>

typedef struct {
    char **words; /* [count], then NULL; owned; NULL as long as it is empty */
    size_t count;
    int *lines; /* [marked]: of a file, where each word stands */
    size_t marked;
} akin_words;

/* Adds a copy. Not collective, like all of these. */
AKIN_MUST_CHECK akin_status akin_words_add(akin_words *list, const char *word);
/* Notes the line where the words added since the last mark stand. */
AKIN_MUST_CHECK akin_status akin_words_mark(akin_words *list, int line);
/* The line of a word; 0: not noted. */
int akin_words_line(const akin_words *list, size_t at);
void akin_words_clear(akin_words *list);

#endif
