/* recorded: see recorded.h. */
#include "recorded.h"
#include <akin/mem.h>
#include <string.h>

/* "k=20", "same=brand" ...; given [count]: room for whether an option has a value already. */
static akin_status take_words(const char *path, akin_options *o, char **words, size_t count,
                              bool *given, akin_recorded_other *other, void *context) {
    akin_status status = AKIN_OK;
    akin_option_type type;
    for (size_t w = 0; w < count; w++) {
        if (!strchr(words[w], '='))
            return akin_error_set(AKIN_INPUT, "%s: its options cannot be read: \"%s\"", path,
                                  words[w]);
        words[w][strcspn(words[w], "=")] = '\0';
        given[w] = akin_options_declared(o, words[w], &type) && akin_options_given(o, words[w]);
    }
    for (size_t w = 0; w < count && status == AKIN_OK; w++) {
        const char *value = words[w] + strlen(words[w]) + 1;
        if (!akin_options_declared(o, words[w], &type)) {
            if (other) status = other(context, path, words[w], value);
        } else if (!given[w] && type == AKIN_OPTION_LIST)
            status = akin_options_append(o, words[w], value);
        else if (!given[w])
            status = akin_options_set(o, words[w], value, path);
    }
    return status;
}

akin_status akin_recorded_take(const akin_ncfile *file, akin_options *options,
                               akin_recorded_other *other, void *context) {
    akin_status status;
    char *text = NULL, **words = NULL;
    bool *given = NULL;
    size_t count = 0;
    AKIN_TRY(akin_ncfile_get_attribute(file, "akin_result_options", &text));
    AKIN_TRY(akin_options_split(text ? text : "", &words, &count));
    if (!(given = akin_mem_zalloc(count, sizeof *given))) AKIN_TRY(AKIN_FAILED);
    status = take_words(akin_ncfile_path(file), options, words, count, given, other, context);
done:
    akin_mem_free(given);
    akin_options_free_words(words, count);
    akin_mem_free(text);
    return status;
}
