/* options: declared once in tables; defaults < job file < command line. */
#include "words.h"
#include <akin/mem.h>
#include <akin/options.h>
#include <akin/text.h>
#include <stdio.h>
#include <string.h>

/* Where a value comes from; a higher source replaces a list from a lower one. */
typedef enum { FROM_DEFAULT, FROM_FILE, FROM_COMMAND_LINE } source;

typedef struct {
    const akin_option *spec;
    source source;
    bool flag;
    long long integer;
    double real;
    char *text;
    akin_words list;
} option_value;

struct akin_options {
    option_value *values;
    size_t count;
    const char **names; /* [count + 1], ends with NULL: the candidates for a misspelled name */
    akin_words arguments;
};

/* --- one value --- */

static bool to_bool(const char *text, bool *out) {
    static const struct {
        const char *word;
        bool value;
    } words[] = {{"yes", true},    {"no", false}, {"true", true},
                 {"false", false}, {"1", true},   {"0", false}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(text, words[i].word) == 0) {
            *out = words[i].value;
            return true;
        }
    return false;
}

static bool is_choice(const char *choices, const char *text) {
    size_t length = strlen(text);
    for (const char *at = choices; length > 0; at++) {
        size_t one = strcspn(at, "|");
        if (one == length && strncmp(at, text, one) == 0) return true;
        at += one;
        if (!*at) break;
    }
    return false;
}

static bool in_range(const akin_option *spec, double value) {
    return (spec->minimum == 0 && spec->maximum == 0) ||
           (value >= spec->minimum && value <= spec->maximum);
}

static akin_status replace_text(char **text, const char *with) {
    char *copy = akin_mem_text(with);
    if (!copy) return AKIN_FAILED;
    akin_mem_free(*text);
    *text = copy;
    return AKIN_OK;
}

/* What is allowed, for the message: "a whole number from 1 to 1000". */
static akin_status refuse(const akin_option *spec, const char *value) {
    static const char *const kinds[] = {
        [AKIN_OPTION_FLAG] = "yes or no", [AKIN_OPTION_INT] = "a whole number",
        [AKIN_OPTION_REAL] = "a number",  [AKIN_OPTION_TEXT] = "a non-empty text",
        [AKIN_OPTION_CHOICE] = "one of ", [AKIN_OPTION_LIST] = "a non-empty text"};
    char range[80] = "";
    if ((spec->type == AKIN_OPTION_INT || spec->type == AKIN_OPTION_REAL) &&
        (spec->minimum != 0 || spec->maximum != 0))
        snprintf(range, sizeof range, " from %.12g to %.12g", spec->minimum, spec->maximum);
    return akin_error_set(AKIN_USAGE, "must be %s%s, not \"%s\"", kinds[spec->type],
                          spec->type == AKIN_OPTION_CHOICE ? spec->choices : range, value);
}

static akin_status store(option_value *value, const char *text, source from) {
    const akin_option *spec = value->spec;
    bool fits = *text != '\0';
    akin_status status = AKIN_OK;
    switch (spec->type) {
    case AKIN_OPTION_FLAG: fits = to_bool(text, &value->flag); break;
    case AKIN_OPTION_INT:
        fits = akin_text_to_int(text, &value->integer) && in_range(spec, (double)value->integer);
        break;
    case AKIN_OPTION_REAL:
        fits = akin_text_to_real(text, &value->real) && in_range(spec, value->real);
        break;
    case AKIN_OPTION_TEXT: break;
    case AKIN_OPTION_CHOICE: fits = is_choice(spec->choices, text); break;
    case AKIN_OPTION_LIST:
        if (from > value->source) akin_words_clear(&value->list);
        break;
    }
    if (!fits) return refuse(spec, text);
    status = spec->type == AKIN_OPTION_LIST ? akin_words_add(&value->list, text)
                                            : replace_text(&value->text, text);
    value->source = from;
    return status;
}

/* --- the options --- */

static akin_status declare(akin_options *options, const akin_option *spec) {
    option_value *value = &options->values[options->count];
    options->names[options->count++] = spec->name;
    *value = (option_value){.spec = spec};
    akin_status status = spec->initial ? store(value, spec->initial, FROM_DEFAULT) : AKIN_OK;
    AKIN_ASSERT(status != AKIN_USAGE); /* a default in the table that the table does not allow */
    return status;
}

akin_status akin_options_create(const akin_option *const *tables, akin_options **out) {
    akin_status status = AKIN_OK;
    size_t count = 0;
    *out = NULL;
    akin_options *options = akin_mem_zalloc(1, sizeof *options);
    if (!options) return AKIN_FAILED;
    for (size_t t = 0; tables[t]; t++)
        for (const akin_option *spec = tables[t]; spec->name; spec++) count++;
    options->values = akin_mem_zalloc(count, sizeof *options->values);
    options->names = akin_mem_zalloc(count + 1, sizeof *options->names);
    if (!options->values || !options->names) AKIN_TRY(AKIN_FAILED);
    for (size_t t = 0; tables[t]; t++)
        for (const akin_option *spec = tables[t]; spec->name; spec++)
            AKIN_TRY(declare(options, spec));
    *out = options;
done:
    if (status != AKIN_OK) akin_options_free(options);
    return status;
}

void akin_options_free(akin_options *options) {
    if (!options) return;
    for (size_t i = 0; i < options->count; i++) {
        akin_mem_free(options->values[i].text);
        akin_words_clear(&options->values[i].list);
    }
    akin_words_clear(&options->arguments);
    akin_mem_free(options->values);
    akin_mem_free(options->names);
    akin_mem_free(options);
}

static option_value *find(const akin_options *options, const char *name, size_t length) {
    for (size_t i = 0; i < options->count; i++)
        if (strlen(options->names[i]) == length && strncmp(options->names[i], name, length) == 0)
            return &options->values[i];
    return NULL;
}

/* other: a name beside those of the options, or NULL. */
static akin_status unknown(const akin_options *options, const char *kind, const char *dashes,
                           const char *name, const char *other) {
    const char *candidates[3] = {other};
    candidates[other != NULL] = akin_text_nearest(name, options->names);
    const char *nearest = akin_text_nearest(name, candidates);
    return nearest ? akin_error_set(AKIN_USAGE, "unknown %s %s%s; did you mean %s%s?", kind, dashes,
                                    name, dashes, nearest)
                   : akin_error_set(AKIN_USAGE, "unknown %s %s%s; --help lists all", kind, dashes,
                                    name);
}

akin_status akin_options_refuse_key(const akin_options *options, const char *key,
                                    const char *other) {
    return unknown(options, "key", "", key, other);
}

bool akin_options_declared(const akin_options *options, const char *name, akin_option_type *type) {
    const option_value *value = find(options, name, strlen(name));
    if (value && type) *type = value->spec->type;
    return value != NULL;
}

/* One value of a job file; a list may hold several words. */
static akin_status store_from_file(option_value *value, const char *text) {
    char **words = NULL;
    size_t count = 0;
    if (value->spec->type != AKIN_OPTION_LIST) return store(value, text, FROM_FILE);
    akin_status status = akin_options_split(text, &words, &count);
    for (size_t i = 0; status == AKIN_OK && i < count; i++)
        status = store(value, words[i], FROM_FILE);
    akin_options_free_words(words, count);
    return status;
}

akin_status akin_options_set(akin_options *options, const char *name, const char *value,
                             const char *where) {
    option_value *found = find(options, name, strlen(name));
    akin_status status =
        found ? store_from_file(found, value) : unknown(options, "key", "", name, NULL);
    if (status != AKIN_OK && found) status = akin_error_context(status, "%s ", name);
    return status == AKIN_OK || !where ? status : akin_error_context(status, "%s: ", where);
}

akin_status akin_options_append(akin_options *options, const char *name, const char *word) {
    option_value *found = find(options, name, strlen(name));
    AKIN_ASSERT(found && found->spec->type == AKIN_OPTION_LIST);
    return store(found, word, FROM_FILE);
}

void akin_options_empty(akin_options *options, const char *name) {
    option_value *found = find(options, name, strlen(name));
    AKIN_ASSERT(found && found->spec->type == AKIN_OPTION_LIST);
    akin_words_clear(&found->list);
}

/* --- a command line --- */

/* A word that may follow an option as its value: not an option itself. */
static bool can_be_value(const char *word) {
    double number;
    return word[0] != '-' || word[1] == '\0' || akin_text_to_real(word, &number);
}

const char *akin_option_argument(const akin_option *spec) {
    return spec->type == AKIN_OPTION_FLAG ? ""
           : spec->argument               ? spec->argument
           : spec->choices                ? spec->choices
                                          : "VALUE";
}

/* `shown` is the option as the user wrote it, for the message. */
static akin_status store_word(option_value *value, const char *shown, const char *attached,
                              int count, char *const *words, int *at) {
    if (!attached && value->spec->type == AKIN_OPTION_FLAG)
        return store(value, "yes", FROM_COMMAND_LINE);
    if (!attached) {
        if (*at + 1 >= count || !can_be_value(words[*at + 1]))
            return akin_error_set(AKIN_USAGE, "%s needs a value: %s %s", shown, shown,
                                  akin_option_argument(value->spec));
        attached = words[++*at];
    }
    akin_status status = store(value, attached, FROM_COMMAND_LINE);
    return status == AKIN_OK ? AKIN_OK : akin_error_context(status, "%s ", shown);
}

static akin_status parse_long(akin_options *options, int count, char *const *words, int *at) {
    const char *name = words[*at] + 2;
    size_t length = strcspn(name, "=");
    const char *attached = name[length] ? name + length + 1 : NULL;
    option_value *value = find(options, name, length);
    option_value *negated =
        strncmp(name, "no-", 3) == 0 && !attached ? find(options, name + 3, length - 3) : NULL;
    if (!value && negated && negated->spec->type == AKIN_OPTION_FLAG)
        return store(negated, "no", FROM_COMMAND_LINE);
    char *shown = akin_mem_text(words[*at]);
    if (!shown) return AKIN_FAILED;
    shown[length + 2] = '\0';
    akin_status status = value ? store_word(value, shown, attached, count, words, at)
                               : unknown(options, "option", "--", shown + 2, NULL);
    akin_mem_free(shown);
    return status;
}

static akin_status parse_letter(akin_options *options, int count, char *const *words, int *at) {
    const char *word = words[*at];
    for (size_t i = 0; i < options->count; i++) {
        option_value *value = &options->values[i];
        if (value->spec->letter && value->spec->letter == word[1])
            return store_word(value, (char[]){'-', word[1], '\0'},
                              word[2] ? word + 2 + (word[2] == '=') : NULL, count, words, at);
    }
    const char *nearest = akin_text_nearest(word + 1, options->names); /* -json for --json */
    return nearest
               ? akin_error_set(AKIN_USAGE, "unknown option %s; did you mean --%s?", word, nearest)
               : akin_error_set(AKIN_USAGE, "unknown option %s; --help lists all", word);
}

akin_status akin_options_parse(akin_options *options, int count, char *const *words) {
    akin_status status = AKIN_OK;
    bool options_ended = false;
    for (int at = 0; at < count && status == AKIN_OK; at++) {
        const char *word = words[at];
        if (options_ended || word[0] != '-' || word[1] == '\0')
            status = akin_words_add(&options->arguments, word);
        else if (strcmp(word, "--") == 0)
            options_ended = true;
        else if (word[1] == '-')
            status = parse_long(options, count, words, &at);
        else
            status = parse_letter(options, count, words, &at);
    }
    return status;
}

/* --- values --- */

static const option_value *require(const akin_options *options, const char *name) {
    const option_value *value = find(options, name, strlen(name));
    AKIN_ASSERT(value != NULL);
    return value;
}

bool akin_options_given(const akin_options *options, const char *name) {
    return require(options, name)->source != FROM_DEFAULT;
}

bool akin_options_changed(const akin_options *options, const char *name) {
    const option_value *value = require(options, name);
    const char *initial = value->spec->initial;
    double before, now;
    if (value->spec->type == AKIN_OPTION_FLAG && !initial) return value->flag;
    if (value->source == FROM_DEFAULT || !initial || !value->text)
        return value->source != FROM_DEFAULT;
    if (akin_text_to_real(initial, &before) && akin_text_to_real(value->text, &now))
        return before != now;
    return strcmp(initial, value->text) != 0;
}

bool akin_options_flag(const akin_options *options, const char *name) {
    return require(options, name)->flag;
}

long long akin_options_int(const akin_options *options, const char *name) {
    return require(options, name)->integer;
}

double akin_options_real(const akin_options *options, const char *name) {
    return require(options, name)->real;
}

const char *akin_options_text(const akin_options *options, const char *name) {
    return require(options, name)->text;
}

bool akin_options_is(const akin_options *options, const char *name, const char *value) {
    const char *given = akin_options_text(options, name);
    return given && strcmp(given, value) == 0;
}

static size_t list_view(const akin_words *list, const char *const **values) {
    *values = (const char *const *)list->words;
    return list->count;
}

size_t akin_options_list(const akin_options *options, const char *name,
                         const char *const **values) {
    return list_view(&require(options, name)->list, values);
}

size_t akin_options_arguments(const akin_options *options, const char *const **values) {
    return list_view(&options->arguments, values);
}

akin_status akin_options_mark(akin_options *options, const char *name, int line) {
    option_value *value = name ? find(options, name, strlen(name)) : NULL;
    AKIN_ASSERT(value || !name);
    return akin_words_mark(value ? &value->list : &options->arguments, line);
}

int akin_options_line(const akin_options *options, const char *name, size_t at) {
    const option_value *value = name ? find(options, name, strlen(name)) : NULL;
    return !name   ? akin_words_line(&options->arguments, at)
           : value ? akin_words_line(&value->list, at)
                   : 0;
}

void akin_options_empty_arguments(akin_options *options) {
    akin_words_clear(&options->arguments);
}

akin_status akin_options_add_argument(akin_options *options, const char *value) {
    return akin_words_add(&options->arguments, value);
}

/* --- texts --- */

/* The shortest form that reads back as the same number. */
static void print_real(double number, char out[32]) {
    double back = 0;
    for (int digits = 6; digits <= 17; digits++) {
        snprintf(out, 32, "%.*g", digits, number);
        if (akin_text_to_real(out, &back) && back == number) return;
    }
}

/* A text, quoted as in a job file. */
static akin_status append_quoted(akin_text *text, const char *value) {
    akin_status status = AKIN_OK;
    if (*value && !strpbrk(value, " \t\r\n\"")) return akin_text_append(text, "%s", value);
    AKIN_TRY(akin_text_append(text, "\""));
    for (; *value; value++)
        AKIN_TRY(akin_text_append(text, "%s%c", *value == '"' ? "\"" : "", *value));
    AKIN_TRY(akin_text_append(text, "\""));
done:
    return status;
}

static akin_status append_address(akin_text *text, const char *url) {
    akin_text *hidden = NULL;
    akin_status status = akin_text_create(&hidden);
    if (status == AKIN_OK) status = akin_text_append_hidden(hidden, url);
    if (status == AKIN_OK) status = append_quoted(text, akin_text_bytes(hidden));
    akin_text_free(hidden);
    return status;
}

static akin_status append_value(akin_text *text, const option_value *value) {
    akin_status status = AKIN_OK;
    char number[32] = "";
    switch (value->spec->type) {
    case AKIN_OPTION_FLAG: return akin_text_append(text, "%s", value->flag ? "yes" : "no");
    case AKIN_OPTION_INT: return akin_text_append(text, "%lld", value->integer);
    case AKIN_OPTION_REAL:
        print_real(value->real, number);
        return akin_text_append(text, "%s", number);
    case AKIN_OPTION_TEXT:
    case AKIN_OPTION_CHOICE: return append_quoted(text, value->text);
    case AKIN_OPTION_LIST:
        for (size_t i = 0; i < value->list.count; i++) {
            if (i > 0) AKIN_TRY(akin_text_append(text, " %s=", value->spec->name));
            const char *word = value->list.words[i];
            AKIN_TRY(value->spec->is_address ? append_address(text, word)
                                             : append_quoted(text, word));
        }
    }
done:
    return status;
}

char *akin_options_resolved(const akin_options *options, bool only_result) {
    akin_status status = AKIN_OK;
    akin_text *text = NULL;
    char *resolved = NULL;
    AKIN_TRY(akin_text_create(&text));
    for (size_t i = 0; i < options->count; i++) {
        const option_value *value = &options->values[i];
        bool wanted = only_result ? value->spec->shapes_result : !value->spec->unrecorded;
        bool has = value->text || value->list.count > 0 || value->spec->type == AKIN_OPTION_FLAG;
        if (!wanted || !has) continue;
        AKIN_TRY(akin_text_append(text, "%s%s=", akin_text_length(text) > 0 ? " " : "",
                                  value->spec->name));
        AKIN_TRY(append_value(text, value));
    }
    resolved = akin_mem_text(akin_text_bytes(text));
done:
    akin_text_free(text);
    return resolved;
}

static bool is_among(const char *name, const char *const *names) {
    while (*names && strcmp(*names, name) != 0) names++;
    return *names != NULL;
}

akin_status akin_options_append_keys(const akin_options *options, const char *const *but,
                                     akin_text *text) {
    akin_status status = AKIN_OK;
    for (size_t i = 0; i < options->count; i++) {
        const option_value *value = &options->values[i];
        bool is_list = value->spec->type == AKIN_OPTION_LIST,
             is_text = value->spec->type == AKIN_OPTION_TEXT;
        if (is_among(value->spec->name, but)) continue;
        for (size_t w = 0; w < value->list.count; w++) {
            AKIN_TRY(akin_text_append(text, "%s = ", value->spec->name));
            AKIN_TRY(append_quoted(text, value->list.words[w]));
            AKIN_TRY(akin_text_append(text, "\n"));
        }
        if (is_list || (!value->text && value->spec->type != AKIN_OPTION_FLAG)) continue;
        AKIN_TRY(akin_text_append(text, "%s = ", value->spec->name));
        AKIN_TRY(is_text ? akin_text_append(text, "%s", value->text)
                         : append_value(text, value)); /* as given */
        AKIN_TRY(akin_text_append(text, "\n"));
    }
done:
    return status;
}
