/* source_columns: parses --columns, and finds the columns in a header. */
#include "source_columns.h"
#include "source_attributes.h"
#include <akin/log.h>
#include <akin/mem.h>
#include <akin/source.h>
#include <akin/text.h>
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { CANDIDATES = 6, NAMED = 12, NAME_LIMIT = 256 };

/* A candidate column. */
typedef struct {
    char name[NAME_LIMIT];
    size_t part;  /* which text of a list in the cell, starting with 1; 0 = the whole cell */
    size_t place; /* which field; SIZE_MAX = missing */
} candidate;

struct akin_columns {
    const akin_source_attributes *attributes;
    size_t all; /* columns */
    candidate of[AKIN_COLUMNS_MAX][CANDIDATES];
    size_t counts[AKIN_COLUMNS_MAX];
    bool named[AKIN_COLUMNS_MAX];       /* named by the user, so it must exist */
    bool told, continues, loose;        /* loose: a blank matches an underscore */
    akin_text *plain[AKIN_COLUMNS_MAX]; /* the last text without its backslashes; NULL = none */
};

static const struct {
    const char *key;
    bool needed, hidden; /* hidden: only for presets */
} keys[AKIN_COLUMN_COUNT] = {
    [AKIN_COLUMN_ID] = {"id", true, false},
    [AKIN_COLUMN_PATH] = {"path", true, false},
    [AKIN_COLUMN_CATEGORY] = {"category", false, false},
    [AKIN_COLUMN_GROUP] = {"group", false, false},
    [AKIN_COLUMN_AVAILABLE] = {"available", false, false},
    [AKIN_COLUMN_MORE_PATHS + 0] = {"path2", false, false},
    [AKIN_COLUMN_MORE_PATHS + 1] = {"path3", false, false},
    [AKIN_COLUMN_MORE_PATHS + 2] = {"path4", false, false},
    [AKIN_COLUMN_MORE_PATHS + 3] = {"path5", false, false},
    [AKIN_COLUMN_MORE_PATHS + 4] = {"path6", false, false},
    [AKIN_COLUMN_MORE_PATHS + 5] = {"path7", false, false},
    [AKIN_COLUMN_MORE_PATHS + 6] = {"path8", false, false},
    [AKIN_COLUMN_LAST_PATH] = {"path9", false, false},
    [AKIN_COLUMN_HIDDEN] = {"hidden", false, true},
    [AKIN_COLUMN_KIND] = {"kind", false, true},
};

/* The columns of exports as documented by Shopify (products, before and after 2024), WooCommerce
 * (product CSV export) and Google Merchant Center (product data specification). */
static const struct {
    const char *name, *text;
    bool continues;
} presets[] = {
    {"shopify",
     "id=Handle,URL handle path=Image Src,Product image URL,Variant Image,Variant image URL "
     "category=Type,Product Category,Product type group= available=Status "
     "hidden=Published,Published "
     "on online store",
     true},
    {"woocommerce",
     "id=ID,SKU path=Images[1] category=Categories[1] group=Parent available=In stock? "
     "hidden=Published kind=Type",
     false},
    {"merchant",
     "id=id path=image_link,additional_image_link[1] category=product_type,google_product_category "
     "group=item_group_id available=availability",
     false},
};

akin_source_text akin_columns_trim(const char *bytes, size_t length) {
    while (length > 0 && strchr(" \t\r", bytes[length - 1]) && bytes[length - 1]) length--;
    while (length > 0 && strchr(" \t", *bytes) && *bytes) bytes++, length--;
    return (akin_source_text){bytes, length};
}

bool akin_columns_is_word(akin_source_text text, const char *word) {
    return text.length == strlen(word) && strncasecmp(text.bytes, word, text.length) == 0;
}

static const char *key_of(const akin_columns *columns, size_t c) {
    return c < AKIN_COLUMN_COUNT ? keys[c].key
                                 : columns->attributes->of[c - AKIN_COLUMN_COUNT].name;
}

/* --- the text --- */

/* The key at this position, with its "="; AKIN_COLUMNS_MAX: none. Only presets have hidden keys,
 * and they have no attributes. */
static size_t key_at(const akin_columns *columns, const char *text, bool by_user) {
    for (size_t c = 0; c < (by_user ? columns->all : AKIN_COLUMN_COUNT); c++) {
        const char *key = key_of(columns, c);
        size_t length = strlen(key);
        if (by_user && c < AKIN_COLUMN_COUNT && keys[c].hidden) continue;
        if (strncasecmp(text, key, length) == 0 && text[length] == '=') return c;
    }
    return AKIN_COLUMNS_MAX;
}

/* The end of the names that start here: the next key after a blank, or the end of the text. */
static size_t names_length(const akin_columns *columns, const char *text, bool by_user) {
    char quote = '\0';
    for (size_t i = 0; text[i]; i++) {
        if (quote) {
            if (text[i] == quote) quote = '\0';
            continue;
        }
        if ((text[i] == '"' || text[i] == '\'') && (i == 0 || strchr(" ,", text[i - 1])))
            quote = text[i];
        if (text[i] == ' ' && key_at(columns, text + i + 1, by_user) < AKIN_COLUMNS_MAX) return i;
    }
    return strlen(text);
}

/* One name, quoted or not, with its part. */
static akin_status take_name(akin_columns *columns, size_t c, akin_source_text text) {
    candidate *to = &columns->of[c][columns->counts[c]];
    bool quoted = text.length >= 2 && (*text.bytes == '"' || *text.bytes == '\'') &&
                  text.bytes[text.length - 1] == *text.bytes;
    if (text.length == 0) return AKIN_OK;
    if (columns->counts[c] == CANDIDATES)
        return akin_error_option("columns", "--columns: %s has more than %d names",
                                 key_of(columns, c), CANDIDATES);
    if (text.length >= NAME_LIMIT)
        return akin_error_option("columns", "--columns: a name for %s is longer than %d bytes",
                                 key_of(columns, c), NAME_LIMIT - 1);
    *to = (candidate){.place = SIZE_MAX};
    memcpy(to->name, text.bytes + quoted, text.length - 2 * (size_t)quoted);
    char *bracket = quoted ? NULL : strrchr(to->name, '['), *end;
    if (bracket && isdigit((unsigned char)bracket[1])) {
        to->part = strtoul(bracket + 1, &end, 10);
        if (strcmp(end, "]") != 0 || to->part == 0)
            return akin_error_option(
                "columns", "--columns: %s: a part is written NAME[1], NAME[2] ...", to->name);
        *bracket = '\0';
    }
    columns->counts[c]++;
    return AKIN_OK;
}

/* Names separated by commas; an empty list means that the column is not used. */
static akin_status take_names(akin_columns *columns, size_t c, const char *text, size_t length) {
    akin_status status = AKIN_OK;
    columns->counts[c] = 0;
    for (size_t at = 0; at <= length;) {
        size_t end = at;
        char quote = at < length && (text[at] == '"' || text[at] == '\'') ? text[at] : '\0';
        if (quote)
            for (end++; end < length && text[end] != quote;) end++;
        while (end < length && text[end] != ',') end++;
        AKIN_TRY(take_name(columns, c, akin_columns_trim(text + at, end - at)));
        at = end + 1;
    }
done:
    return status;
}

static bool is_needed(size_t c) {
    return c >= AKIN_COLUMN_COUNT || keys[c].needed;
}

static akin_status take_text(akin_columns *columns, const char *text, bool by_user) {
    akin_status status = AKIN_OK;
    for (text += strspn(text, " \t\n"); *text; text += strspn(text, " \t\n")) {
        size_t c = key_at(columns, text, by_user);
        if (c == AKIN_COLUMNS_MAX)
            return akin_error_option(
                "columns",
                "--columns: '%.40s' is neither id=, path=, path2=, category=, group=, available= "
                "or an "
                "attribute with the name of a column, nor a preset at the start (shopify, "
                "woocommerce, merchant)",
                text);
        text += strlen(key_of(columns, c)) + 1;
        size_t length = names_length(columns, text, by_user);
        AKIN_TRY(take_names(columns, c, text, length));
        if (by_user && columns->counts[c] == 0 && is_needed(c))
            return akin_error_option("columns", "--columns: %s= names no column",
                                     key_of(columns, c));
        columns->named[c] = by_user && columns->counts[c] > 0;
        text += length;
    }
done:
    return status;
}

static akin_status take_all(akin_columns *columns, const char *text) {
    akin_status status = AKIN_OK;
    for (size_t c = 0; c < columns->all; c++)
        if (c >= AKIN_COLUMN_COUNT || !keys[c].hidden)
            AKIN_TRY(take_names(columns, c, key_of(columns, c), strlen(key_of(columns, c))));
    if (!text) goto done;
    columns->told = true;
    size_t word = strcspn(text, " ");
    for (size_t i = 0; i < sizeof presets / sizeof *presets; i++) {
        if (!akin_columns_is_word((akin_source_text){text, word}, presets[i].name)) continue;
        AKIN_TRY(take_text(columns, presets[i].text, false));
        columns->continues = presets[i].continues;
        columns->loose = true;
        text += word;
        break;
    }
    AKIN_TRY(take_text(columns, text, true));
done:
    return status;
}

akin_status akin_columns_create(const char *text, const akin_source_attributes *attributes,
                                akin_columns **out) {
    *out = akin_mem_zalloc(1, sizeof **out);
    if (!*out) return AKIN_FAILED;
    (*out)->attributes = attributes;
    (*out)->all = AKIN_COLUMN_COUNT + attributes->count;
    akin_status status = take_all(*out, text);
    if (status == AKIN_OK) return AKIN_OK;
    akin_columns_free(*out);
    *out = NULL;
    return status;
}

void akin_columns_free(akin_columns *columns) {
    for (size_t i = 0; columns && i < AKIN_COLUMNS_MAX; i++) akin_text_free(columns->plain[i]);
    akin_mem_free(columns);
}

/* --- the header --- */

static bool is_name(const akin_columns *columns, const char *field, size_t length,
                    const char *name) {
    akin_source_text text = akin_columns_trim(field, length);
    if (text.length != strlen(name)) return false;
    for (size_t i = 0; i < text.length; i++) {
        int a = tolower((unsigned char)text.bytes[i]), b = tolower((unsigned char)name[i]);
        if (columns->loose && a == '_') a = ' ';
        if (columns->loose && b == '_') b = ' ';
        if (a != b) return false;
    }
    return true;
}

static size_t find_name(const akin_columns *columns, size_t begin, size_t count,
                        const char *const *fields, const size_t *lengths, const char *name) {
    for (size_t i = begin; i < count; i++)
        if (is_name(columns, fields[i], lengths[i], name)) return i;
    return SIZE_MAX;
}

size_t akin_columns_score(const akin_columns *columns, size_t count, const char *const *fields,
                          const size_t *lengths) {
    size_t score = 0;
    for (size_t c = 0; c < columns->all; c++)
        for (size_t i = 0; i < columns->counts[c]; i++)
            score +=
                find_name(columns, 0, count, fields, lengths, columns->of[c][i].name) != SIZE_MAX;
    return score;
}

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

/* The column `missing` of column c. */
static akin_status refuse_header(const char *path, size_t c, const char *missing, size_t count,
                                 const char *const *fields, const size_t *lengths) {
    akin_status status;
    akin_text *seen = NULL;
    AKIN_TRY(akin_text_create(&seen));
    for (size_t i = 0; i < count && i < NAMED; i++) {
        AKIN_TRY(akin_text_append(seen, i > 0 ? ", " : ""));
        AKIN_TRY(append_seen(seen, fields[i], lengths[i]));
    }
    const char *more = count > NAMED ? ", ..." : "";
    if (c >= AKIN_COLUMN_COUNT)
        status =
            akin_error_option("attributes",
                              "%s: no column '%s' in its header (%s%s), which --attributes asks "
                              "for; --columns \"NAME=COLUMN\" gives a column with another name",
                              path, missing, akin_text_bytes(seen), more);
    else {
        akin_error_option("columns",
                          "%s: no column '%s' in its header (%s%s); the first line names the "
                          "columns, among them id and path, or give their names with "
                          "--columns \"id=NAME path=NAME\"",
                          path, missing, akin_text_bytes(seen), more);
        status = AKIN_INPUT; /* the table may be at fault */
    }
done:
    akin_text_free(seen);
    return status;
}

static bool is_used(const akin_columns *columns, size_t place) {
    for (size_t c = 0; c < columns->all; c++)
        for (size_t i = 0; i < columns->counts[c]; i++)
            if (columns->of[c][i].place == place) return true;
    return false;
}

static akin_status name_unused(const akin_columns *columns, const char *path, size_t count,
                               const char *const *fields, const size_t *lengths) {
    akin_status status;
    akin_text *names = NULL;
    size_t unused = 0;
    AKIN_TRY(akin_text_create(&names));
    for (size_t i = 0; i < count; i++) {
        if (is_used(columns, i) || ++unused > NAMED) continue;
        AKIN_TRY(akin_text_append(names, unused > 1 ? ", " : ""));
        AKIN_TRY(append_seen(names, fields[i], lengths[i]));
    }
    if (unused > 0)
        akin_log_info_once("%s: %zu column%s ignored: %s%s", path, unused,
                           unused == 1 ? " is" : "s are", akin_text_bytes(names),
                           unused > NAMED ? ", ..." : "");
done:
    akin_text_free(names);
    return status;
}

akin_status akin_columns_find(akin_columns *columns, const char *path, size_t count,
                              const char *const *fields, const size_t *lengths) {
    for (size_t c = 0; c < columns->all; c++) {
        bool found = false;
        for (size_t i = 0; i < columns->counts[c]; i++) {
            candidate *of = &columns->of[c][i];
            of->place = find_name(columns, 0, count, fields, lengths, of->name);
            if (of->place == SIZE_MAX && !columns->named[c]) continue;
            if (of->place == SIZE_MAX)
                return refuse_header(path, c, of->name, count, fields, lengths);
            size_t again = find_name(columns, of->place + 1, count, fields, lengths, of->name);
            if (again != SIZE_MAX)
                return akin_error_set(AKIN_INPUT,
                                      "%s: its header has the column '%s' twice, at positions %zu "
                                      "and %zu; rename the one that is not meant",
                                      path, of->name, of->place + 1, again + 1);
            found = true;
        }
        if (is_needed(c) && !found)
            return refuse_header(path, c, columns->of[c][0].name, count, fields, lengths);
    }
    return name_unused(columns, path, count, fields, lengths);
}

/* --- rows --- */

/* The part-th of the texts between commas; a comma after a backslash is part of a text. */
static akin_source_text find_part(akin_source_text cell, size_t part) {
    for (size_t at = 0; at <= cell.length;) {
        size_t end = at;
        while (end < cell.length &&
               (cell.bytes[end] != ',' || (end > at && cell.bytes[end - 1] == '\\')))
            end++;
        if (--part == 0) return akin_columns_trim(cell.bytes + at, end - at);
        at = end + 1;
    }
    return (akin_source_text){"", 0};
}

/* Sets `text` to a copy in which each "\," is a comma, as the shop program meant it. */
static akin_status unescape(akin_text **plain, akin_source_text *text) {
    akin_status status = AKIN_OK;
    if (!memchr(text->bytes, '\\', text->length)) return AKIN_OK;
    if (!*plain) AKIN_TRY(akin_text_create(plain));
    akin_text_clear(*plain);
    for (size_t i = 0; i < text->length; i++) {
        i += text->bytes[i] == '\\' && i + 1 < text->length && text->bytes[i + 1] == ',';
        AKIN_TRY(akin_text_append_bytes(*plain, text->bytes + i, 1));
    }
    *text = (akin_source_text){akin_text_bytes(*plain), akin_text_length(*plain)};
done:
    return status;
}

akin_status akin_columns_get(akin_columns *columns, size_t column, size_t count,
                             const char *const *fields, const size_t *lengths,
                             akin_source_text *out) {
    akin_status status = AKIN_OK;
    *out = (akin_source_text){"", 0};
    for (size_t i = 0; i < columns->counts[column] && out->length == 0; i++) {
        const candidate *of = &columns->of[column][i];
        if (of->place >= count) continue;
        *out = (akin_source_text){fields[of->place], lengths[of->place]};
        if (of->part == 0) continue;
        *out = find_part(*out, of->part);
        AKIN_TRY(unescape(&columns->plain[column], out));
    }
done:
    return status;
}

akin_status akin_source_check_columns(const akin_source_params *params) {
    akin_columns *columns = NULL;
    akin_source_attributes attributes;
    akin_status status = akin_source_attributes_parse(params->attributes, &attributes);
    if (status == AKIN_OK) status = akin_columns_create(params->columns, &attributes, &columns);
    akin_columns_free(columns);
    return status;
}

bool akin_columns_continue(const akin_columns *columns) {
    return columns->continues;
}

bool akin_columns_are_told(const akin_columns *columns) {
    return columns->told;
}
