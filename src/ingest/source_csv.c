/* source_csv: a catalogue as a CSV or TSV file. */
#include "source_csv.h"
#include "source_attributes.h"
#include "source_columns.h"
#include "source_file.h"
#include <akin/charset.h>
#include <akin/csv.h>
#include <akin/file.h>
#include <akin/log.h>
#include <akin/mem.h>
#include <akin/text.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { SHOWN = 40 /* bytes of a wrong value in a message */, WHY = 256 };

/* Values of an attribute that were not valid. */
typedef struct {
    size_t count, first; /* row */
    char why[WHY];       /* of the first one */
} bad_values;

/* Rows with other fields than the header. */
typedef struct {
    size_t count, first, fields; /* rows; the first one's number, and its number of fields */
} odd_rows;

/* A row that may still be extended: its texts are copies. */
typedef struct {
    akin_text *texts[AKIN_COLUMNS_MAX];
    size_t row; /* 0 = none */
} waiting_row;

typedef struct {
    const char *path;
    const char *base; /* the folder for relative paths */
    bool confined, has_header, reject_bad, withdrawals;
    akin_columns *columns;
    const akin_source_attributes *attributes;
    akin_text *labels[AKIN_SOURCE_ATTRIBUTES_MAX]; /* as stored, of a row */
    bad_values bad[AKIN_SOURCE_ATTRIBUTES_MAX];
    size_t columns_count;
    size_t header_fields;
    odd_rows longer, shorter;
    waiting_row waiting;
    size_t added; /* rows that only added to the previous row */
    size_t more;  /* further pictures of rows */
    akin_text *id;
    akin_source_list *rows;
} table;

/* --- rows --- */

static bool is_one_of(akin_source_text text, const char *const *words) {
    for (; *words; words++)
        if (akin_columns_is_word(text, *words)) return true;
    return false;
}

/* told: also accepts the words of shop systems. */
static bool read_switch(akin_source_text text, bool told, bool *available) {
    static const char *const yes[] = {"1", "yes", "true", NULL}, *const no[] = {"0", "no", "false",
                                                                                NULL};
    static const char *const shops_yes[] = {"active",   "in_stock",  "in stock",  "instock",
                                            "preorder", "backorder", "available", NULL};
    static const char *const shops_no[] = {"draft",        "archived",   "unlisted",     "-1",
                                           "out_of_stock", "outofstock", "out of stock", NULL};
    text = akin_columns_trim(text.bytes, text.length);
    *available = text.length == 0 || is_one_of(text, yes) || (told && is_one_of(text, shops_yes));
    return *available || is_one_of(text, no) || (told && is_one_of(text, shops_no));
}

/* A scheme followed by anything; a file's path has no "://" so close to its beginning. */
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
        if (akin_columns_is_word((akin_source_text){path.bytes, length}, schemes[i])) return NULL;
    return "the path is an address of an unsupported kind; https://, http:// and s3:// are "
           "supported";
}

static const char *find_path_fault(const table *t, akin_source_text path, bool needed) {
    if (path.length == 0) return needed ? "the path is empty" : NULL;
    if (memchr(path.bytes, '\0', path.length)) return "the path contains a NUL";
    if (is_address(path)) return find_address_fault(path);
    if (t->confined && path.bytes[0] == '/')
        return "the path is absolute; with --root it must be inside that folder";
    return NULL;
}

/* One cell; `why` says what is wrong with it, or is "". */
static akin_status read_value(table *t, size_t a, akin_source_text cell, akin_source_value *value,
                              char *why, size_t size) {
    const akin_source_attribute *attribute = &t->attributes->of[a];
    akin_source_text trimmed = akin_columns_trim(cell.bytes, cell.length);
    int shown = trimmed.length < SHOWN ? (int)trimmed.length : SHOWN;
    *value = (akin_source_value){.number = NAN, .label = {"", 0}};
    *why = '\0';
    if (trimmed.length == 0) return AKIN_OK;
    if (attribute->kind == AKIN_ATTRIBUTE_NUMBER) {
        char advice[AKIN_SOURCE_ADVICE_SIZE];
        if (!akin_source_attribute_number(trimmed, &value->number))
            snprintf(why, size, "%s is '%.*s', which is not a number: %s", attribute->name, shown,
                     trimmed.bytes, akin_source_attribute_advise(trimmed, advice));
        return AKIN_OK;
    }
    akin_status status =
        akin_source_attribute_label(attribute->kind, trimmed, t->labels[a], &value->label);
    const char *fault = status == AKIN_OK ? akin_source_list_fault(value->label) : NULL;
    if (fault) snprintf(why, size, "%s %s", attribute->name, fault);
    return status;
}

/* All cells of a row; `reason` is why it is refused, or "". */
static akin_status read_values(table *t, size_t row, const akin_source_text *cells,
                               akin_source_value *values, char *reason, size_t size) {
    akin_status status = AKIN_OK;
    *reason = '\0';
    for (size_t a = 0; a < t->attributes->count && status == AKIN_OK; a++) {
        char why[sizeof t->bad[a].why];
        status = read_value(t, a, cells[a], &values[a], why, sizeof why);
        if (!*why) continue;
        values[a] = (akin_source_value){.number = NAN, .label = {"", 0}};
        if (t->bad[a].count++ == 0) {
            t->bad[a].first = row;
            memcpy(t->bad[a].why, why, sizeof why);
        }
        if (t->reject_bad && !*reason) snprintf(reason, size, "%s", why);
    }
    return status;
}

static akin_status add_row(table *t, size_t row, const akin_source_text *text) {
    akin_source_value values[AKIN_SOURCE_ATTRIBUTES_MAX];
    akin_source_found found = {.id = text[AKIN_COLUMN_ID],
                               .path = text[AKIN_COLUMN_PATH],
                               .row = row,
                               .category = text[AKIN_COLUMN_CATEGORY],
                               .group = text[AKIN_COLUMN_GROUP],
                               .values = values,
                               .base = t->base,
                               .confined = t->confined};
    found.address = is_address(found.path);
    if (found.address || found.path.length == 0) found.base = "", found.confined = false;
    if (akin_source_list_is_replaced(t->rows, found.id)) return AKIN_OK;
    char reason[160], bad[WHY];
    bool told = akin_columns_are_told(t->columns), shown = true;
    if (!read_switch(text[AKIN_COLUMN_AVAILABLE], told, &found.available)) {
        akin_source_text wrong = akin_columns_trim(text[AKIN_COLUMN_AVAILABLE].bytes,
                                                   text[AKIN_COLUMN_AVAILABLE].length);
        snprintf(reason, sizeof reason,
                 "available is '%.*s', not one of 1, 0, yes, no, true, false",
                 wrong.length < 40 ? (int)wrong.length : 40, wrong.bytes);
        found.reason = reason;
    }
    if (read_switch(text[AKIN_COLUMN_HIDDEN], told, &shown) && !shown) found.available = false;
    found.says_available =
        text[AKIN_COLUMN_AVAILABLE].length > 0 || text[AKIN_COLUMN_HIDDEN].length > 0;
    const char *fault =
        find_path_fault(t, found.path, found.reason || found.available || !t->withdrawals);
    if (fault) found.reason = fault;
    akin_status status = read_values(t, row, text + AKIN_COLUMN_COUNT, values, bad, sizeof bad);
    if (*bad && !found.reason) found.reason = bad;
    return status == AKIN_OK ? akin_source_list_add(t->rows, &found) : status;
}

/* Whether a text with | in it is the name of one file. */
static bool is_file(const table *t, akin_source_text path) {
    char name[4096];
    bool absolute = path.length > 0 && path.bytes[0] == '/';
    if (memchr(path.bytes, '\0', path.length)) return false;
    int length = snprintf(name, sizeof name, "%s%s%.*s", absolute ? "" : t->base,
                          absolute ? "" : "/", (int)path.length, path.bytes);
    return length > 0 && (size_t)length < sizeof name && access(name, F_OK) == 0;
}

/* The next of the paths in a cell, separated by |; empty ones are skipped. False: there are no
 * more. */
static bool next_path(akin_source_text *cell, bool whole, akin_source_text *out) {
    for (; cell->length > 0;) {
        const char *bar = whole ? NULL : memchr(cell->bytes, '|', cell->length);
        size_t length = bar ? (size_t)(bar - cell->bytes) : cell->length,
               step = length + (bar != NULL);
        *out = whole ? *cell : akin_columns_trim(cell->bytes, length);
        cell->bytes += step, cell->length -= step;
        if (out->length > 0) return true;
    }
    return false;
}

/* Adds picture `number` of a row, from 2 on, as item "id#2". All pictures of a row are in one
 * group: the row's, or one named after its id. */
static akin_status add_picture(table *t, size_t row, const akin_source_text *text, size_t number,
                               akin_source_text path) {
    akin_status status = AKIN_OK;
    akin_source_text one[AKIN_COLUMNS_MAX], id = text[AKIN_COLUMN_ID];
    memcpy(one, text, t->columns_count * sizeof *one);
    one[AKIN_COLUMN_PATH] = path;
    if (one[AKIN_COLUMN_GROUP].length == 0) one[AKIN_COLUMN_GROUP] = id;
    if (number > 1) {
        akin_text_clear(t->id);
        AKIN_TRY(akin_text_append_bytes(t->id, id.bytes, id.length));
        if (id.length > 0) AKIN_TRY(akin_text_append(t->id, "#%zu", number));
        one[AKIN_COLUMN_ID] = (akin_source_text){akin_text_bytes(t->id), akin_text_length(t->id)};
        t->more++;
    }
    AKIN_TRY(add_row(t, row, one));
done:
    return status;
}

/* Adds a row with one or several pictures. */
static akin_status add_pictures(table *t, size_t row, const akin_source_text *text) {
    akin_status status = AKIN_OK;
    akin_source_text first = {"", 0}, path;
    size_t count = 0;
    for (size_t c = AKIN_COLUMN_PATH; c <= AKIN_COLUMN_LAST_PATH;
         c = c == AKIN_COLUMN_PATH ? AKIN_COLUMN_MORE_PATHS : c + 1) {
        akin_source_text cell = text[c];
        bool whole = !memchr(cell.bytes, '|', cell.length) || is_file(t, cell);
        while (next_path(&cell, whole, &path)) {
            if (++count == 1) {
                first = path;
                continue;
            }
            if (count == 2) AKIN_TRY(add_picture(t, row, text, 1, first));
            AKIN_TRY(add_picture(t, row, text, count, path));
        }
    }
    if (count < 2) {
        akin_source_text one[AKIN_COLUMNS_MAX];
        memcpy(one, text, t->columns_count * sizeof *one);
        if (count == 1) one[AKIN_COLUMN_PATH] = first;
        AKIN_TRY(add_row(t, row, one));
    }
done:
    return status;
}

static akin_source_text waiting_text(const table *t, size_t i) {
    const akin_text *text = t->waiting.texts[i];
    return (akin_source_text){akin_text_bytes(text), akin_text_length(text)};
}

/* Completes the pending row. */
static akin_status add_waiting(table *t) {
    akin_source_text text[AKIN_COLUMNS_MAX];
    size_t row = t->waiting.row;
    if (row == 0) return AKIN_OK;
    for (size_t i = 0; i < t->columns_count; i++) text[i] = waiting_text(t, i);
    t->waiting.row = 0;
    return add_pictures(t, row, text);
}

/* A row is pending until rows with its id, which may supply what it lacks, have been read. */
static akin_status wait_with(table *t, size_t row, const akin_source_text *text) {
    akin_status status = AKIN_OK;
    akin_source_text id = text[AKIN_COLUMN_ID], before;
    bool adds = false;
    if (t->waiting.row > 0) {
        before = waiting_text(t, AKIN_COLUMN_ID);
        adds = id.length > 0 && before.length == id.length &&
               memcmp(before.bytes, id.bytes, id.length) == 0;
    }
    t->added += adds;
    if (!adds) {
        AKIN_TRY(add_waiting(t));
        t->waiting.row = row;
    }
    for (size_t i = 0; i < t->columns_count; i++) {
        if (!t->waiting.texts[i]) AKIN_TRY(akin_text_create(&t->waiting.texts[i]));
        if (!adds) akin_text_clear(t->waiting.texts[i]);
        if (akin_text_length(t->waiting.texts[i]) > 0) continue;
        AKIN_TRY(akin_text_append_bytes(t->waiting.texts[i], text[i].bytes, text[i].length));
    }
done:
    return status;
}

static void note_odd(odd_rows *odd, size_t row, size_t fields) {
    if (odd->count++ == 0) odd->first = row, odd->fields = fields;
}

/* That optional fields are missing at the end is harmless: spreadsheets leave out empty ones there. */
static void note_fields(table *t, size_t row, size_t count, const akin_source_text *text) {
    if (count > t->header_fields) note_odd(&t->longer, row, count);
    bool lacks =
        text[AKIN_COLUMN_ID].length == 0 || (text[AKIN_COLUMN_PATH].length == 0 && !t->withdrawals);
    if (count < t->header_fields && lacks) note_odd(&t->shorter, row, count);
}

static akin_status take_row(void *context, size_t row, size_t count, const char *const *fields,
                            const size_t *lengths) {
    table *t = context;
    if (!t->has_header) {
        t->has_header = true, t->header_fields = count;
        return akin_columns_find(t->columns, t->path, count, fields, lengths);
    }
    akin_source_text text[AKIN_COLUMNS_MAX];
    for (size_t i = 0; i < t->columns_count; i++) {
        akin_status status = akin_columns_get(t->columns, i, count, fields, lengths, &text[i]);
        if (status != AKIN_OK) return status;
    }
    note_fields(t, row, count, text);
    if (akin_columns_continue(t->columns)) return wait_with(t, row, text);
    /* A variation without a picture of its own gets its product's. */
    if (akin_columns_is_word(text[AKIN_COLUMN_KIND], "variation") &&
        text[AKIN_COLUMN_PATH].length == 0) {
        t->added++;
        return AKIN_OK;
    }
    return add_pictures(t, row, text);
}

/* --- the file --- */

/* AKIN_INPUT: the file cannot be a table. */
static akin_status look_at(const char *path, const char *encoding) {
    akin_status status = AKIN_OK;
    akin_charset *file = NULL;
    char line[65536];
    size_t count = 0, got = 1;
    AKIN_TRY(akin_charset_open(path, encoding, &file));
    for (; got > 0 && count < sizeof line - 64; count += got)
        AKIN_TRY(
            akin_charset_read(file, (unsigned char *)line + count, sizeof line - 1 - count, &got));
    line[count] = '\0';
    if (count == 0) {
        status =
            akin_error_set(AKIN_INPUT, "%s: is empty; a catalogue has a header and rows", path);
        goto done;
    }
    size_t begin = strspn(line, "\r\n"), length = strcspn(line + begin, "\r\n");
    bool text = begin + length == count || line[begin + length] != '\0';
    if (text && akin_text_is_utf8(line + begin, length)) goto done;
    const struct {
        const char *magic, *words;
    } kinds[] = {
        {"PK\003\004", "a ZIP archive (.zip, .npz, .xlsx); unpack it, or make a tar of it"},
        {"\x93NUMPY", "a NumPy array; pictures are files, in a folder or a tar"},
        {"\x89PNG", "a PNG picture; give its folder"},
        {"\xFF\xD8\xFF", "a JPEG picture; give its folder"},
        {"\xD0\xCF\x11\xE0", "an old Excel or Word file; save it as CSV"}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strncmp(line, kinds[i].magic, strlen(kinds[i].magic)) == 0)
            status = akin_error_set(
                AKIN_INPUT,
                "%s: is neither a CSV or TSV file, nor a folder, nor a tar archive, but %s", path,
                kinds[i].words);
    if (status == AKIN_OK)
        status = akin_error_set(AKIN_INPUT,
                                "%s: is neither a CSV or TSV file (UTF-8; --encoding names "
                                "another), nor a folder, nor a "
                                "tar archive",
                                path);
done:
    akin_charset_close(file);
    return status;
}

/* A header, split at a given separator. */
typedef struct {
    const akin_columns *columns;
    size_t score, fields;
} header_seen;

static akin_status see_header(void *context, size_t row, size_t count, const char *const *fields,
                              const size_t *lengths) {
    header_seen *seen = context;
    (void)row;
    seen->score = akin_columns_score(seen->columns, count, fields, lengths);
    seen->fields = count;
    return AKIN_GATE; /* stops reading */
}

/* The separator for which the header has the most requested columns; ties go to the one with
 * more fields. AKIN_FAILED: it cannot be read. */
static akin_status find_separator(const char *path, const akin_columns *columns,
                                  const char *encoding, char *found, bool *makes_sense) {
    static const char separators[] = {',', '\t', ';', '|'};
    header_seen best = {.fields = 0};
    *found = ',';
    for (size_t i = 0; i < sizeof separators; i++) {
        header_seen seen = {.columns = columns};
        akin_csv_seen odd;
        const akin_csv_params params = {path, separators[i], encoding};
        akin_status status = akin_csv_read_table(&params, see_header, &seen, &odd);
        if (status == AKIN_FAILED) return status;
        if (status != AKIN_GATE) akin_error_clear();
        if (seen.score < best.score || (seen.score == best.score && seen.fields <= best.fields))
            continue;
        best = seen;
        *found = separators[i];
    }
    *makes_sense = best.score > 0;
    return AKIN_OK;
}

static void warn_of_fields(const table *t, const odd_rows *odd, const char *more, const char *so) {
    if (odd->count > 0)
        akin_log_warning_once(
            "%s: %zu row%s with %s fields than the header (the first is row %zu, with "
            "%zu instead of %zu), %s",
            t->path, odd->count, AKIN_PLURAL(odd->count), more, odd->first, odd->fields,
            t->header_fields, so);
}

static void warn_of_oddities(const table *t, const akin_csv_seen *seen) {
    if (seen->spanning > 0)
        akin_log_warning_once(
            "%s: row %zu has a multi-line field that contains separators, %zu row%s "
            "in all: if rows are missing, check for an unclosed quote there",
            t->path, seen->first_spanning, seen->spanning, AKIN_PLURAL(seen->spanning));
    warn_of_fields(t, &t->longer, "more",
                   "so that values may be in wrong columns: put a value that contains the "
                   "separator in quotes");
    warn_of_fields(t, &t->shorter, "fewer", "without an id or a path");
    if (t->added > 0)
        akin_log_info_once("%s: %zu row%s with further pictures or variants of the previous row",
                           t->path, t->added, t->added == 1 ? " is only" : "s are only");
    if (t->more > 0)
        akin_log_info_once(
            "%s: %zu further picture%s of rows that name several, items ID#2, ID#3 ...", t->path,
            t->more, AKIN_PLURAL(t->more));
    for (size_t a = 0; a < t->attributes->count && !t->reject_bad; a++)
        if (t->bad[a].count > 0)
            akin_log_warning_once(
                "%s: %zu row%s with a wrong value of attribute %s, which is left out "
                "(the first is row %zu: %s); --bad-attribute reject refuses such rows",
                t->path, t->bad[a].count, AKIN_PLURAL(t->bad[a].count), t->attributes->of[a].name,
                t->bad[a].first, t->bad[a].why);
}

static void clear_table(table *t) {
    for (size_t i = 0; i < t->columns_count; i++) akin_text_free(t->waiting.texts[i]);
    for (size_t a = 0; a < t->attributes->count; a++) akin_text_free(t->labels[a]);
    akin_text_free(t->id);
    akin_columns_free(t->columns);
}

akin_status akin_source_csv_list(const char *path, const akin_source_table *form,
                                 akin_source_list *rows) {
    akin_status status = AKIN_OK;
    akin_csv_seen seen;
    const akin_source_attributes *attributes = akin_source_list_attributes(rows);
    table t = {.path = path,
               .confined = form->root,
               .rows = rows,
               .reject_bad = form->reject_bad,
               .withdrawals = form->withdrawals,
               .attributes = attributes,
               .columns_count = AKIN_COLUMN_COUNT + attributes->count};
    char *folder = form->root ? akin_mem_text(form->root) : akin_file_folder(path);
    akin_csv_params params = {path, form->separator, form->encoding};
    if (!folder) return AKIN_FAILED;
    t.base = folder;
    AKIN_TRY(akin_text_create(&t.id));
    AKIN_TRY(akin_columns_create(form->columns, attributes, &t.columns));
    for (size_t a = 0; a < attributes->count; a++) AKIN_TRY(akin_text_create(&t.labels[a]));
    bool makes_sense = false;
    char separator = ',';
    AKIN_TRY(find_separator(path, t.columns, form->encoding, &separator, &makes_sense));
    if (!params.separator) params.separator = separator;
    if (!makes_sense) AKIN_TRY(look_at(path, form->encoding));
    AKIN_TRY(akin_csv_read_table(&params, take_row, &t, &seen));
    AKIN_TRY(add_waiting(&t));
    if (!t.has_header) status = akin_error_set(AKIN_INPUT, "%s: has no header", path);
    warn_of_oddities(&t, &seen);
done:
    clear_table(&t);
    akin_mem_free(folder);
    return status;
}
