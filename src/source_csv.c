/* source_csv: a catalogue in a CSV or TSV file. Floor 2; looks down to error, mem, text, file, csv, source_list. */
#include <akin/csv.h>
#include <akin/file.h>
#include <akin/mem.h>
#include <akin/source_csv.h>
#include <akin/text.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { ID, PATH, CATEGORY, GROUP, AVAILABLE, COLUMNS };
static const char *const names[COLUMNS] = {"id", "path", "category", "group", "available"};
#define ABSENT SIZE_MAX

typedef struct {
    akin_source_list *list;
    size_t column[COLUMNS]; /* where each is; ABSENT */
} reader;

/* Whether the field, without blanks around it, is the word; in any case. */
static bool is_word(const char *field, const char *word) {
    size_t begin = strspn(field, " "), length = strlen(field + begin);
    while (length && field[begin + length - 1] == ' ') length--;
    return length == strlen(word) && strncasecmp(field + begin, word, length) == 0;
}

static akin_status read_header(reader *read, size_t count, const char *const *fields) {
    for (size_t c = 0; c < COLUMNS; c++) {
        read->column[c] = ABSENT;
        for (size_t i = count; i-- > 0;)
            if (is_word(fields[i], names[c])) read->column[c] = i; /* the first of that name */
    }
    for (size_t c = ID; c <= PATH; c++)
        if (read->column[c] == ABSENT)
            return akin_error_set(
                AKIN_INPUT,
                "the header has no column `%s` (it begins `%.60s`, %zu columns); a catalogue needs `id` and `path`",
                names[c], count ? fields[0] : "", count);
    return AKIN_OK;
}

/* 1, 0, or -1 for a word that is neither. */
static int read_available(const char *field) {
    static const char *const yes[] = {"1", "yes", "true", ""}, *const no[] = {"0", "no", "false"};
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
        if (is_word(field, yes[i])) return 1;
    for (size_t i = 0; i < sizeof no / sizeof *no; i++)
        if (is_word(field, no[i])) return 0;
    return -1;
}

static akin_status read_row(void *context, size_t row, size_t count, const char *const *fields, const size_t *lengths) {
    reader *read = context;
    if (row == 1) return read_header(read, count, fields);
    const char *text[COLUMNS];
    size_t length[COLUMNS];
    for (size_t c = 0; c < COLUMNS; c++) {
        bool there = read->column[c] < count;
        text[c] = there ? fields[read->column[c]] : "";
        length[c] = there ? lengths[read->column[c]] : 0;
    }
    int available = read_available(text[AVAILABLE]);
    akin_source_entry entry = {.id = text[ID],
                               .id_length = length[ID],
                               .path = text[PATH],
                               .category = text[CATEGORY],
                               .category_length = length[CATEGORY],
                               .group = text[GROUP],
                               .group_length = length[GROUP],
                               .available = available != 0,
                               .member = -1};
    if (length[PATH] == 0)
        entry.reason = "the row has no path";
    else if (memchr(text[PATH], 0, length[PATH]))
        entry.reason = "the path holds a NUL byte";
    else if (available < 0)
        entry.reason = "`available` is none of 1, 0, yes, no, true, false";
    return akin_source_list_add(read->list, &entry);
}

/* Tabs where the name says so, or the header has tabs and no comma. */
static akin_status find_separator(const char *path, char *separator) {
    char header[4096];
    *separator = ',';
    if (strcasecmp(akin_file_ending(path), ".tsv") == 0) {
        *separator = '\t';
        return AKIN_OK;
    }
    FILE *file = fopen(path, "re");
    if (!file) return akin_error_set(AKIN_FAILED, "%s: cannot be opened: %s", path, strerror(errno));
    bool there = fgets(header, sizeof header, file);
    fclose(file);
    if (there && strchr(header, '\t') && !strchr(header, ',')) *separator = '\t';
    return AKIN_OK;
}

akin_status akin_source_csv_list(const char *path, akin_source_list *list) {
    akin_status status = AKIN_OK;
    reader read = {.list = list};
    char separator;
    for (size_t c = 0; c < COLUMNS; c++) read.column[c] = ABSENT;
    AKIN_TRY(find_separator(path, &separator));
    status = akin_csv_read(path, separator, read_row, &read);
    if (status == AKIN_INPUT) status = akin_error_context(status, "%s: ", path);
    if (status != AKIN_OK) goto done;
    if (read.column[ID] == ABSENT)
        status =
            akin_error_set(AKIN_INPUT, "%s: the file is empty; a catalogue begins with a header (id,path,...)", path);
done:
    return status;
}
