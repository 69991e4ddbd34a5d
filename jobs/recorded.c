/* recorded: see recorded.h. */
#include "recorded.h"
#include <akin/file.h>
#include <akin/mem.h>
#include <stdlib.h>
#include <string.h>

/* --- where the run was --- */

/* The value of one of the options that are recorded as text; owned, NULL: none. */
static char *find_value(const char *text, const char *name) {
    char **words = NULL, *value = NULL;
    size_t count = 0, length = strlen(name);
    if (akin_options_split(text, &words, &count) != AKIN_OK) return NULL;
    for (size_t w = 0; w < count && !value; w++)
        if (strncmp(words[w], name, length) == 0 && words[w][length] == '=')
            value = akin_mem_text(words[w] + length + 1);
    akin_options_free_words(words, count);
    return value;
}

/* Cuts the end off the path, "/" and `end`; whether it had it. */
static bool cut_end(char *path, const char *end) {
    while (strncmp(end, "./", 2) == 0) end += 2 + strspn(end + 2, "/");
    size_t length = strlen(path), cut = strlen(end) + 1;
    if (length <= cut || path[length - cut] != '/' || strcmp(path + length - cut + 1, end) != 0)
        return false;
    path[length - cut] = '\0';
    return true;
}

/* The current folder of the run that wrote the file, from which it named it; owned, NULL: not known, or that
 * of this process. */
static char *folder_of_run(const akin_ncfile *file) {
    char *text = NULL, *folder = NULL;
    akin_status status = akin_ncfile_get_attribute(file, "akin_options", &text);
    char *output = status == AKIN_OK && text ? find_value(text, "output") : NULL;
    char *here = realpath(".", NULL), *path = realpath(akin_ncfile_path(file), NULL);
    if (here && path && output && cut_end(path, output) && strcmp(path, here) != 0)
        folder = akin_mem_text(path);
    akin_error_clear();
    free(here);
    free(path);
    akin_mem_free(output);
    akin_mem_free(text);
    return folder;
}

static bool is_file(const char *name) {
    static const char *const files[] = {"categories", "pins", "blocks"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (strcmp(files[i], name) == 0) return true;
    return false;
}

/* A file of rules, where the folder of its run is given, as it is found from here. */
static akin_status append_value(akin_options *o, const char *name, const char *value,
                                const char *folder) {
    char *there = folder && *value != '/' ? akin_file_join(folder, value) : NULL;
    bool found = there && akin_file_exists(there);
    akin_status status = akin_options_append(o, name, found ? there : value);
    akin_mem_free(there);
    return status;
}

/* --- the options --- */

/* "k=20", "same=brand" ...; given [count]: room for whether an option has a value already. */
static akin_status take_words(const char *path, const char *folder, akin_options *o, char **words,
                              size_t count, bool *given, akin_recorded_other *other,
                              void *context) {
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
            status = append_value(o, words[w], value, is_file(words[w]) ? folder : NULL);
        else if (!given[w])
            status = akin_options_set(o, words[w], value, path);
    }
    return status;
}

akin_status akin_recorded_take(const akin_ncfile *file, akin_options *options,
                               akin_recorded_other *other, void *context) {
    akin_status status;
    char *text = NULL, **words = NULL, *folder = folder_of_run(file);
    bool *given = NULL;
    size_t count = 0;
    AKIN_TRY(akin_ncfile_get_attribute(file, "akin_result_options", &text));
    AKIN_TRY(akin_options_split(text ? text : "", &words, &count));
    if (!(given = akin_mem_zalloc(count, sizeof *given))) AKIN_TRY(AKIN_FAILED);
    status =
        take_words(akin_ncfile_path(file), folder, options, words, count, given, other, context);
done:
    akin_mem_free(given);
    akin_mem_free(folder);
    akin_options_free_words(words, count);
    akin_mem_free(text);
    return status;
}
