/* options: declared once in tables; defaults < job file < command line. Not collective: every
 * rank parses the same words. On a command line a value is a separate word or follows "=": --k
 * 20, --k=20, -k 20, -k20. A word that begins with "--" is never taken as a value (write
 * --name=--value), but a negative number is. */
#ifndef AKIN_OPTIONS_H
#define AKIN_OPTIONS_H

#include <akin/error.h>
#include <akin/text.h>
#include <stdbool.h>
#include <stddef.h>

typedef enum {
    AKIN_OPTION_FLAG,   /* --quiet; in a job file yes/no/true/false/1/0; --no-NAME and --NAME=no
                       * turn it off */
    AKIN_OPTION_INT,    /* whole number within [minimum, maximum] */
    AKIN_OPTION_REAL,   /* finite number within [minimum, maximum] */
    AKIN_OPTION_TEXT,   /* any text; default NULL = not given */
    AKIN_OPTION_CHOICE, /* one of `choices`, "stretch|pad|crop" */
    AKIN_OPTION_LIST,   /* repeatable text: --to A --to B; in a job file separated by blanks,
                         * quoted if one contains a blank */
} akin_option_type;

typedef struct {
    const char *name; /* without dashes; the table ends with a NULL name */
    char letter;      /* short form, 0 = none */
    akin_option_type type;
    const char *initial;     /* the default, as text; NULL = not given */
    double minimum, maximum; /* of INT and REAL; both 0: any */
    const char *choices;
    bool shapes_result;   /* affects the result, so it decides whether an output is up to date */
    const char *argument; /* "FILE", "N", "SECONDS" for the help */
    const char *help;     /* one line, with the unit */
    bool is_address;      /* URLs: their passwords are removed from the resolved text */
    bool unrecorded;      /* affects how the program runs, not its result: left out of the resolved
                      * text */
} akin_option;

typedef struct akin_options akin_options;

/* From any number of tables (ends with NULL), such as the common one and a verb's. */
AKIN_MUST_CHECK akin_status akin_options_create(const akin_option *const *tables,
                                                akin_options **out);
void akin_options_free(akin_options *options);

/* One value of a job file, with its position for the message ("demo.ini:7"; NULL: the
 * caller adds it). A wrong name is refused with the nearest valid one, a wrong value with what
 * is allowed: AKIN_USAGE. A LIST appends, but a higher source (see next) replaces. */
AKIN_MUST_CHECK akin_status akin_options_set(akin_options *options, const char *name,
                                             const char *value, const char *where);
/* One word of a LIST, taken literally. */
AKIN_MUST_CHECK akin_status akin_options_append(akin_options *options, const char *name,
                                                const char *word);
/* Removes the words of a LIST. */
void akin_options_empty(akin_options *options, const char *name);
bool akin_options_declared(const akin_options *options, const char *name, akin_option_type *type);
/* AKIN_USAGE: a key of a job file that is not declared, with the nearest that is, or `other` (NULL: none),
 * which is one, too. */
AKIN_MUST_CHECK akin_status akin_options_refuse_key(const akin_options *options, const char *key,
                                                    const char *other);

/* Words of a command line after the verb; words that are not options are arguments; "--" ends
 * the options. */
AKIN_MUST_CHECK akin_status akin_options_parse(akin_options *options, int count,
                                               char *const *words);

/* Values; asking for a name that was never declared is an assert. */
bool akin_options_given(const akin_options *options,
                        const char *name); /* set by job file or command line */
bool akin_options_changed(const akin_options *options,
                          const char *name); /* to a value other than the default */
bool akin_options_flag(const akin_options *options, const char *name);
long long akin_options_int(const akin_options *options, const char *name);
double akin_options_real(const akin_options *options, const char *name);
const char *akin_options_text(const akin_options *options,
                              const char *name); /* TEXT, CHOICE; NULL = not given; borrowed */
/* Whether it was given, or is by default, and is this. */
bool akin_options_is(const akin_options *options, const char *name, const char *value);
size_t akin_options_list(const akin_options *options, const char *name,
                         const char *const **values); /* borrowed */
size_t akin_options_arguments(const akin_options *options,
                              const char *const **values); /* borrowed */
/* Notes the line of the job file where the words of a LIST stand that were added since the last
 * mark; name NULL: the arguments. */
AKIN_MUST_CHECK akin_status akin_options_mark(akin_options *options, const char *name, int line);
/* The line of a word; 0: none was noted, or the option is no LIST. */
int akin_options_line(const akin_options *options, const char *name, size_t at);
void akin_options_empty_arguments(akin_options *options);
AKIN_MUST_CHECK akin_status akin_options_add_argument(akin_options *options, const char *value);

/* "k=20 min-score=0.5 ..." in the order of declaration, numbers in canonical form, without
 * options that are not given: those that affect the result, or all but the unrecorded. Owned;
 * NULL: out of memory. */
char *akin_options_resolved(const akin_options *options, bool only_result);

/* "key = value" lines of a job file for everything that has a value, except names in `but` (ends
 * with NULL); a line for each word of a list. */
AKIN_MUST_CHECK akin_status akin_options_append_keys(const akin_options *options,
                                                     const char *const *but, akin_text *text);

/* What usage text calls the option's value; "" for a flag. */
const char *akin_option_argument(const akin_option *spec);
/* Usage text of the tables: owned; NULL: out of memory. */
char *akin_options_help(const akin_option *const *tables);

/* Splits words separated by blanks, as a LIST in a job file: "..." keeps blanks, and "" within
 * it is one quote; a whole word may be in '...' too. *words is owned (akin_options_free_words),
 * NULL for none. AKIN_USAGE: an unclosed quote. */
AKIN_MUST_CHECK akin_status akin_options_split(const char *text, char ***words, size_t *count);
void akin_options_free_words(char **words, size_t count); /* NULL is fine */
/* The same of the options that a file records in akin_result_options, "k=20" "same=brand" ...; none of
 * NULL, or of what another program wrote and cannot be split. */
AKIN_MUST_CHECK akin_status akin_options_recorded(const char *text, char ***words, size_t *count);
/* What follows `beginning` in the first of the words that begins so; borrowed; NULL: none does. */
const char *akin_options_after(char *const *words, size_t count, const char *beginning);

#endif
