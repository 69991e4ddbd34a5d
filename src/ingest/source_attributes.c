/* source_attributes: which columns of a table are attributes, and how their cells are parsed. */
#include "source_attributes.h"
#include "source_columns.h"
#include <akin/mem.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { DIGITS = 400 }; /* bytes of a number; a longer cell is not a number */

/* --- columns --- */

/* Names for which variables would have the same name: brand_name is also the variable of brand's
 * names. */
static const char *find_clash(const akin_source_attributes *all, const char *name) {
    static const char *const endings[] = {"", "_name", "_count", "_length", "_parts"};
    for (size_t a = 0; a < all->count; a++) {
        const char *other = all->of[a].name;
        size_t mine = strlen(name), its = strlen(other), shorter = mine < its ? mine : its;
        const char *rest = mine > its ? name + its : other + mine;
        if (strncasecmp(name, other, shorter) != 0) continue;
        for (size_t e = 0; e < sizeof endings / sizeof *endings; e++)
            if (strcmp(rest, endings[e]) == 0) return other;
    }
    return NULL;
}

static akin_status take_one(akin_source_attributes *all, const char *word, size_t length) {
    const char *colon = memchr(word, ':', length);
    size_t named = colon ? (size_t)(colon - word) : length;
    akin_source_attribute *to = &all->of[all->count];
    if (all->count == AKIN_SOURCE_ATTRIBUTES_MAX)
        return akin_error_option("attributes", "--attributes: more than %d",
                                 AKIN_SOURCE_ATTRIBUTES_MAX);
    *to = (akin_source_attribute){.kind = AKIN_ATTRIBUTE_NUMBER};
    if (named <= AKIN_ATTRIBUTE_NAME_MAX) memcpy(to->name, word, named);
    if (!akin_attribute_name_is_valid(to->name))
        return akin_error_option(
            "attributes",
            "--attributes: '%.*s' is not a valid name of an attribute: use letters, digits and _, "
            "at most %d of them, but not id, category, group or available, which every item has; "
            "--columns \"NAME=COLUMN\" gives a column with another name",
            (int)named, word, AKIN_ATTRIBUTE_NAME_MAX);
    if (!colon || !akin_attribute_kind_find(colon + 1, length - named - 1, &to->kind))
        return akin_error_option(
            "attributes", "--attributes: '%.*s' is not NAME:number, NAME:label or NAME:labels",
            length < 80 ? (int)length : 80, word);
    const char *clash = find_clash(all, to->name);
    if (clash)
        return akin_error_option("attributes", "--attributes: '%s' and '%s' have names that clash",
                                 clash, to->name);
    all->count++;
    return AKIN_OK;
}

akin_status akin_source_attributes_parse(const char *text, akin_source_attributes *out) {
    static const char blanks[] = " \t\r\n";
    akin_status status = AKIN_OK;
    out->count = 0;
    if (!text) return AKIN_OK;
    for (text += strspn(text, blanks); *text && status == AKIN_OK; text += strspn(text, blanks)) {
        size_t length = strcspn(text, blanks);
        status = take_one(out, text, length);
        text += length;
    }
    return status;
}

/* --- cells --- */

bool akin_source_attribute_number(akin_source_text cell, float *out) {
    char digits[DIGITS];
    double value;
    if (cell.length >= sizeof digits) return false;
    memcpy(digits, cell.bytes, cell.length);
    digits[cell.length] = '\0';
    if (strlen(digits) != cell.length || !akin_text_to_real(digits, &value)) return false;
    *out = (float)value;
    return isfinite(*out);
}

const char *akin_source_attribute_advise(akin_source_text cell,
                                         char advice[AKIN_SOURCE_ADVICE_SIZE]) {
    enum { MOST = 20, THOUSAND = 3 };
    char digits[MOST + 1];
    float number;
    const char *comma = memchr(cell.bytes, ',', cell.length);
    size_t place = comma ? (size_t)(comma - cell.bytes) : 0;
    snprintf(advice, AKIN_SOURCE_ADVICE_SIZE,
             "write it with a decimal point, without a unit, as 82.40");
    if (!comma || cell.length > MOST || cell.length - place == THOUSAND + 1) return advice;
    memcpy(digits, cell.bytes, cell.length);
    digits[place] = '.', digits[cell.length] = '\0';
    if (akin_source_attribute_number((akin_source_text){digits, cell.length}, &number))
        snprintf(advice, AKIN_SOURCE_ADVICE_SIZE, "write %s", digits);
    return advice;
}

static int by_bytes(const void *a, const void *b) {
    const akin_source_text *x = a, *y = b;
    size_t shorter = x->length < y->length ? x->length : y->length;
    int order = memcmp(x->bytes, y->bytes, shorter);
    return order != 0 ? order : (x->length > y->length) - (x->length < y->length);
}

/* parts: one more than the number of | in the cell. */
static size_t split(akin_source_text cell, akin_source_text *parts) {
    size_t count = 0;
    for (size_t at = 0; at <= cell.length;) {
        const char *bar = memchr(cell.bytes + at, '|', cell.length - at);
        size_t end = bar ? (size_t)(bar - cell.bytes) : cell.length;
        parts[count] = akin_columns_trim(cell.bytes + at, end - at);
        count += parts[count].length > 0;
        at = end + 1;
    }
    return count;
}

akin_status akin_source_attribute_label(akin_attribute_kind kind, akin_source_text cell,
                                        akin_text *scratch, akin_source_text *out) {
    akin_status status = AKIN_OK;
    size_t bars = 1;
    *out = akin_columns_trim(cell.bytes, cell.length);
    for (size_t i = 0; i < out->length; i++) bars += out->bytes[i] == '|';
    if (kind == AKIN_ATTRIBUTE_LABEL || bars == 1) return AKIN_OK;
    akin_source_text *parts = akin_mem_alloc(bars, sizeof *parts);
    if (!parts) return AKIN_FAILED;
    size_t count = split(*out, parts);
    if (count > 0) qsort(parts, count, sizeof *parts, by_bytes);
    akin_text_clear(scratch);
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && by_bytes(&parts[i - 1], &parts[i]) == 0) continue;
        if (i > 0) AKIN_TRY(akin_text_append_bytes(scratch, "|", 1));
        AKIN_TRY(akin_text_append_bytes(scratch, parts[i].bytes, parts[i].length));
    }
    *out = (akin_source_text){akin_text_bytes(scratch), akin_text_length(scratch)};
done:
    akin_mem_free(parts);
    return status;
}
