/* options_help: the lines that --help shows for a table of options: names, and in one column what
 * they do. */
#include <akin/mem.h>
#include <akin/options.h>
#include <akin/text.h>
#include <stdio.h>
#include <string.h>

enum { COLUMN = 36, WIDTH = 100 };

/* The words from COLUMN on, where the text stands already. */
static akin_status append_wrapped(akin_text *text, const char *words) {
    akin_status status = AKIN_OK;
    size_t at = COLUMN;
    for (; *words; words += strspn(words, " ")) {
        size_t length = strcspn(words, " ");
        bool first = at == COLUMN, fits = at + 1 + length <= WIDTH;
        if (!first && fits) AKIN_TRY(akin_text_append(text, " "));
        if (!first && !fits) AKIN_TRY(akin_text_append(text, "\n%*s", COLUMN, ""));
        at = (first || !fits ? COLUMN : at + 1) + length;
        AKIN_TRY(akin_text_append_bytes(text, words, length));
        words += length;
    }
    status = akin_text_append(text, "\n");
done:
    return status;
}

/* What the option does, its choices and its default. */
static akin_status describe(const akin_option *spec, akin_text *words) {
    akin_status status = AKIN_OK;
    AKIN_TRY(akin_text_append(words, "%s", spec->help ? spec->help : ""));
    if (spec->choices && spec->argument) AKIN_TRY(akin_text_append(words, " (%s)", spec->choices));
    if (spec->initial && spec->type != AKIN_OPTION_FLAG)
        status = akin_text_append(words, " [%s]", spec->initial);
done:
    return status;
}

static akin_status append_help(akin_text *text, const akin_option *spec) {
    akin_status status = AKIN_OK;
    akin_text *words = NULL;
    char left[256], letter[5] = "    ";
    const char *argument = akin_option_argument(spec);
    if (spec->letter) snprintf(letter, sizeof letter, "-%c, ", spec->letter);
    int used = snprintf(left, sizeof left, "  %s--%s%s%s", letter, spec->name, *argument ? " " : "",
                        argument);
    AKIN_TRY(akin_text_create(&words));
    AKIN_TRY(describe(spec, words));
    if (used >= COLUMN)
        AKIN_TRY(akin_text_append(text, "%s\n%*s", left, COLUMN, ""));
    else
        AKIN_TRY(akin_text_append(text, "%-*s", COLUMN, left));
    status = append_wrapped(text, akin_text_bytes(words));
done:
    akin_text_free(words);
    return status;
}

char *akin_options_help(const akin_option *const *tables) {
    akin_status status = AKIN_OK;
    akin_text *text = NULL;
    char *help = NULL;
    AKIN_TRY(akin_text_create(&text));
    for (size_t t = 0; tables[t]; t++)
        for (const akin_option *spec = tables[t]; spec->name; spec++)
            AKIN_TRY(append_help(text, spec));
    help = akin_mem_text(akin_text_bytes(text));
done:
    akin_text_free(text);
    return help;
}
