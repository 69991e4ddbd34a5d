/* words: see words.h; also splits a text into words. */
#include "words.h"
#include <akin/mem.h>
#include <akin/options.h>
#include <stdbool.h>
#include <string.h>

void akin_options_free_words(char **words, size_t count) {
    for (size_t i = 0; words && i < count; i++) akin_mem_free(words[i]);
    akin_mem_free(words);
}

const char *akin_options_after(char *const *words, size_t count, const char *beginning) {
    size_t length = strlen(beginning);
    for (size_t i = 0; i < count; i++)
        if (strncmp(words[i], beginning, length) == 0) return words[i] + length;
    return NULL;
}

void akin_words_clear(akin_words *list) {
    akin_options_free_words(list->words, list->count);
    akin_mem_free(list->lines);
    *list = (akin_words){0};
}

akin_status akin_words_add(akin_words *list, const char *word) {
    char **longer = akin_mem_resize(list->words, list->words ? list->count + 1 : 0, list->count + 2,
                                    sizeof(char *));
    if (!longer) return AKIN_FAILED;
    list->words = longer;
    list->words[list->count] = akin_mem_text(word);
    if (!list->words[list->count]) return AKIN_FAILED;
    list->words[++list->count] = NULL;
    return AKIN_OK;
}

akin_status akin_words_mark(akin_words *list, int line) {
    if (list->marked == list->count) return AKIN_OK;
    int *longer = akin_mem_resize(list->lines, list->marked, list->count, sizeof *longer);
    if (!longer) return AKIN_FAILED;
    list->lines = longer;
    while (list->marked < list->count) longer[list->marked++] = line;
    return AKIN_OK;
}

int akin_words_line(const akin_words *list, size_t at) {
    return at < list->marked ? list->lines[at] : 0;
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Copies the word at *text without its quotes into `word`, which has room for the whole text,
 * and advances past it. */
static akin_status take_word(const char **text, char *word) {
    const char *at = *text;
    char quote = *at == '\'' ? *at++ : '\0'; /* '...' only around a whole word: it's.csv is a
                                              * name */
    for (; *at && (quote || !is_blank(*at)); at++) {
        bool is_quote = quote ? *at == quote : *at == '"';
        if (is_quote && quote && at[1] == quote)
            *word++ = *at++;
        else if (is_quote)
            quote = quote ? '\0' : *at;
        else
            *word++ = *at;
    }
    *word = '\0';
    *text = at;
    return quote ? akin_error_set(AKIN_USAGE, "has an unclosed quote (%c)", quote) : AKIN_OK;
}

akin_status akin_options_split(const char *text, char ***words, size_t *count) {
    akin_status status = AKIN_OK;
    akin_words list = {0};
    char *word = akin_mem_alloc(strlen(text) + 1, 1);
    *words = NULL;
    *count = 0;
    if (!word) return AKIN_FAILED;
    while (is_blank(*text)) text++;
    while (*text) {
        AKIN_TRY(take_word(&text, word));
        AKIN_TRY(akin_words_add(&list, word));
        while (is_blank(*text)) text++;
    }
    *words = list.words;
    *count = list.count;
done:
    akin_mem_free(word);
    if (status != AKIN_OK) akin_words_clear(&list);
    return status;
}

akin_status akin_options_recorded(const char *text, char ***words, size_t *count) {
    akin_status status = akin_options_split(text ? text : "", words, count);
    if (status != AKIN_USAGE) return status;
    akin_error_clear();
    return AKIN_OK;
}
