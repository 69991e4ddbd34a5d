/* tables: the options of the verbs that read a catalogue's table. */
#include "tables.h"
#include <akin/charset.h>
#include <string.h>

static const struct {
    const char *name;
    char separator;
} separators[] = {{"auto", '\0'}, {"comma", ','}, {"semicolon", ';'}, {"tab", '\t'}, {"pipe", '|'}};

akin_status akin_tables_params(const akin_options *options, akin_source_params *params) {
    const char *separator = akin_options_text(options, "separator"),
               *bad = akin_options_text(options, "bad-attribute");
    params->columns = akin_options_text(options, "columns");
    params->encoding = akin_options_text(options, "encoding");
    params->attributes = akin_options_text(options, "attributes");
    params->last_replaces = akin_options_flag(options, "last-replaces");
    params->reject_bad = bad && strcmp(bad, "reject") == 0;
    for (size_t i = 0; i < sizeof separators / sizeof *separators; i++)
        if (strcmp(separators[i].name, separator) == 0) params->separator = separators[i].separator;
    if (params->encoding && !akin_charset_is_known(params->encoding))
        return akin_error_option("encoding", "--encoding %s is not one of " AKIN_CHARSETS,
                                 params->encoding);
    if (bad && !params->attributes)
        return akin_error_option("bad-attribute",
                                 "--bad-attribute belongs to --attributes, which is missing");
    return akin_source_check_columns(params);
}
