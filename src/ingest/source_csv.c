/* source_csv: a catalogue as a table of text. */
#include "source_csv.h"
#include "source_file.h"
#include <akin/csv.h>
#include <akin/fault.h>
#include <akin/file.h>
#include <akin/mem.h>
#include <akin/text.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

typedef enum { ID, PATH, CATEGORY, GROUP, AVAILABLE, COLUMNS } column;

static const struct {
    const char *name;
    bool needed;
} columns[COLUMNS] = {
    [ID] = {"id", true},
    [PATH] = {"path", true},
    [CATEGORY] = {"category", false},
    [GROUP] = {"group", false},
    [AVAILABLE] = {"available", false},
};

typedef struct {
    const char *path;
    const char *base; /* what relative paths are below */
    bool confined, has_header;
    size_t place[COLUMNS]; /* which field, SIZE_MAX = there is none */
    akin_source_list *rows;
} table;

/* Blanks at the ends, which people type behind commas, do not count in names and switches. */
static akin_source_text trimmed(const char *bytes, size_t length) {
    while (length > 0 && strchr(" \t\r", bytes[length - 1]) && bytes[length - 1]) length--;
    while (length > 0 && strchr(" \t", *bytes) && *bytes) bytes++, length--;
    return (akin_source_text){bytes, length};
}

static bool is_word(akin_source_text text, const char *word) {
    return text.length == strlen(word) && strncasecmp(text.bytes, word, text.length) == 0;
}

/* --- the header --- */

/* Bytes of a header for a message: at most 80 of them, unprintable ones as \xNN. */
static akin_status append_seen(akin_text *text, const char *bytes, size_t length) {
    akin_status status = AKIN_OK;
    for (size_t i = 0; i < length && i < 80 && status == AKIN_OK; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        status = byte < 0x20 || byte == 0x7F ? akin_text_append(text, "\\x%02X", byte)
                                             : akin_text_append_bytes(text, bytes + i, 1);
    }
    return status;
}

static akin_status refuse_header(const table *t, const char *missing, size_t count,
                                 const char *const *fields, const size_t *lengths) {
    akin_status status;
    akin_text *seen = NULL;
    AKIN_TRY(akin_text_create(&seen));
    for (size_t i = 0; i < count && i < 12; i++) {
        AKIN_TRY(akin_text_append(seen, i > 0 ? ", " : ""));
        AKIN_TRY(append_seen(seen, fields[i], lengths[i]));
    }
    status = akin_error_set(
        AKIN_INPUT,
        "%s: no column '%s' in its header (%s%s); the first line names the columns, separated by "
        "commas or tabs, id and path among them",
        t->path, missing, akin_text_bytes(seen), count > 12 ? ", ..." : "");
done:
    akin_text_free(seen);
    return status;
}

static akin_status take_header(table *t, size_t count, const char *const *fields,
                               const size_t *lengths) {
    for (int c = 0; c < COLUMNS; c++) {
        t->place[c] = SIZE_MAX;
        for (size_t i = count; i-- > 0;)
            if (is_word(trimmed(fields[i], lengths[i]), columns[c].name)) t->place[c] = i;
        if (columns[c].needed && t->place[c] == SIZE_MAX)
            return refuse_header(t, columns[c].name, count, fields, lengths);
    }
    return AKIN_OK;
}

/* --- rows --- */

static bool read_switch(akin_source_text text, bool *available) {
    static const char *const yes[] = {"1", "yes", "true"}, *const no[] = {"0", "no", "false"};
    text = trimmed(text.bytes, text.length);
    *available = true;
    if (text.length == 0) return true;
    for (size_t i = 0; i < 3; i++)
        if (is_word(text, yes[i])) return true;
    *available = false;
    for (size_t i = 0; i < 3; i++)
        if (is_word(text, no[i])) return true;
    return false;
}

/* A scheme and what is behind it; a file's path has no "://" so near its beginning. */
static bool is_address(akin_source_text path) {
    char head[32];
    size_t length = path.length < sizeof head - 1 ? path.length : sizeof head - 1;
    memcpy(head, path.bytes, length);
    head[length] = '\0';
    return akin_source_scheme(head) > 0;
}

static const char *find_address_fault(akin_source_text path) {
    static const char *const schemes[] = {"https", "http", "s3"};
    enum { ADDRESS_LIMIT = 8192 };
    size_t length = (size_t)((const char *)memchr(path.bytes, ':', path.length) - path.bytes);
    if (path.length > ADDRESS_LIMIT) return "the address is longer than 8192 bytes";
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        if (is_word((akin_source_text){path.bytes, length}, schemes[i])) return NULL;
    return "the path is an address of a kind that is not fetched; https://, http:// and s3:// are";
}

static const char *find_path_fault(const table *t, akin_source_text path) {
    if (path.length == 0) return "the path is empty";
    if (memchr(path.bytes, '\0', path.length)) return "the path holds a NUL";
    if (is_address(path)) return find_address_fault(path);
    if (t->confined && path.bytes[0] == '/')
        return "the path is absolute; with --root it has to be below that folder";
    return NULL;
}

static akin_status take_row(void *context, size_t row, size_t count, const char *const *fields,
                            const size_t *lengths) {
    table *t = context;
    if (!t->has_header) {
        t->has_header = true;
        return take_header(t, count, fields, lengths);
    }
    akin_source_text text[COLUMNS];
    for (int c = 0; c < COLUMNS; c++) {
        size_t place = t->place[c];
        text[c] = place < count ? (akin_source_text){fields[place], lengths[place]}
                                : (akin_source_text){"", 0};
    }
    akin_source_found found = {.id = text[ID],
                               .path = text[PATH],
                               .row = row,
                               .category = text[CATEGORY],
                               .group = text[GROUP],
                               .base = t->base,
                               .confined = t->confined};
    if (is_address(text[PATH])) found.base = "", found.confined = false, found.address = true;
    char reason[160];
    found.reason = find_path_fault(t, text[PATH]);
    if (!read_switch(text[AVAILABLE], &found.available)) {
        akin_source_text wrong = trimmed(text[AVAILABLE].bytes, text[AVAILABLE].length);
        snprintf(reason, sizeof reason,
                 "available is '%.*s', not one of 1, 0, yes, no, true, false",
                 wrong.length < 40 ? (int)wrong.length : 40, wrong.bytes);
        if (!found.reason) found.reason = reason;
    }
    return akin_source_list_add(t->rows, &found);
}

/* --- the file --- */

static bool line_has(const char *line, char separator, const char *name) {
    for (const char *field = line;; field++) {
        const char *end = strchr(field, separator);
        akin_source_text text = trimmed(field, end ? (size_t)(end - field) : strlen(field));
        if (text.length >= 2 && text.bytes[0] == '"' && text.bytes[text.length - 1] == '"')
            text = trimmed(text.bytes + 1, text.length - 2);
        if (is_word(text, name)) return true;
        if (!end) return false;
        field = end;
    }
}

/* The separator that makes sense of the first line; or AKIN_INPUT for what cannot be a table. */
static akin_status look_at(const char *path, char *separator) {
    char line[65536];
    FILE *stream = fopen(path, "rb");
    if (!stream) return akin_file_cannot_open(path, errno);
    bool fault = akin_fault_read();
    size_t count = fault ? 0 : fread(line, 1, sizeof line - 1, stream);
    int error = fault || ferror(stream) ? errno : 0;
    fclose(stream);
    if (error) return akin_error_set(AKIN_FAILED, "%s: cannot be read: %s", path, strerror(error));
    line[count] = '\0';
    if (count == 0)
        return akin_error_set(AKIN_INPUT, "%s: is empty; a catalogue has a header and rows", path);
    if (count >= 2 && (memcmp(line, "\xFF\xFE", 2) == 0 || memcmp(line, "\xFE\xFF", 2) == 0))
        return akin_error_set(AKIN_INPUT, "%s: is UTF-16; save it as UTF-8", path);
    char *start = strncmp(line, "\xEF\xBB\xBF", 3) == 0 ? line + 3 : line;
    start += strspn(start, "\r\n");
    char *end = start + strcspn(start, "\r\n");
    bool text = end < line + count ? *end != '\0' : true;
    *end = '\0';
    bool tabs = line_has(start, '\t', "id") || line_has(start, '\t', "path");
    bool commas = line_has(start, ',', "id") || line_has(start, ',', "path");
    text = text && akin_text_is_utf8(start, (size_t)(end - start));
    if (!tabs && !commas && !text)
        return akin_error_set(
            AKIN_INPUT, "%s: is neither a CSV or TSV file (UTF-8), nor a folder, nor a tar archive",
            path);
    *separator = (tabs && !commas) || (!commas && strchr(start, '\t')) ? '\t' : ',';
    return AKIN_OK;
}

akin_status akin_source_csv_list(const char *path, const char *root, akin_source_list *rows) {
    akin_status status = AKIN_OK;
    table t = {.path = path, .confined = root, .rows = rows, .place = {SIZE_MAX, SIZE_MAX}};
    char separator, *folder = root ? akin_mem_text(root) : akin_file_folder(path);
    if (!folder) return AKIN_FAILED;
    t.base = folder;
    AKIN_TRY(look_at(path, &separator));
    AKIN_TRY(akin_csv_read(path, separator, take_row, &t));
    if (t.place[ID] == SIZE_MAX) status = akin_error_set(AKIN_INPUT, "%s: has no header", path);
done:
    akin_mem_free(folder);
    return status;
}
