/* options_help: the lines that --help shows for a table of options. */
#include <akin/mem.h>
#include <akin/options.h>
#include <akin/text.h>
#include <stdio.h>

static akin_status append_help(akin_text *text, const akin_option *spec) {
    akin_status status = AKIN_OK;
    char left[256], letter[5] = "    ";
    const char *argument = akin_option_argument(spec);
    if (spec->letter) snprintf(letter, sizeof letter, "-%c, ", spec->letter);
    snprintf(left, sizeof left, "%s--%s%s%s", letter, spec->name, *argument ? " " : "", argument);
    AKIN_TRY(akin_text_append(text, "  %-33s %s", left, spec->help ? spec->help : ""));
    if (spec->choices && spec->argument) AKIN_TRY(akin_text_append(text, " (%s)", spec->choices));
    if (spec->initial && spec->type != AKIN_OPTION_FLAG)
        AKIN_TRY(akin_text_append(text, " [%s]", spec->initial));
    AKIN_TRY(akin_text_append(text, "\n"));
done:
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
