/* source_list: records and their texts. */
#include "source_list.h"
#include <akin/ids.h>
#include <akin/mem.h>
#include <akin/pulse.h>
#include <akin/text.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

struct akin_source_list {
    akin_source_record *records;
    size_t count, room;
    const akin_source_attributes *attributes; /* borrowed */
    uint64_t *values; /* [room, attributes]: the bits of a number, or the position of a label */
    char *texts;      /* begins with an empty text, so that position 0 is "" */
    size_t used, size;
    akin_ids *replacing; /* ids of rows that replace later ones; NULL: none */
};

akin_status akin_source_list_create(akin_source_list **out) {
    akin_source_list *rows = akin_mem_zalloc(1, sizeof *rows);
    *out = rows;
    if (!rows) return AKIN_FAILED;
    static const akin_source_attributes none = {.count = 0};
    rows->attributes = &none;
    rows->size = 4096;
    rows->texts = akin_mem_zalloc(rows->size, 1);
    rows->used = 1;
    if (rows->texts) return AKIN_OK;
    akin_mem_free(rows);
    *out = NULL;
    return AKIN_FAILED;
}

akin_status akin_source_list_replace(akin_source_list *rows) {
    akin_status status = AKIN_FAILED;
    size_t count = 0;
    const char **ids = akin_mem_alloc(rows->count, sizeof *ids);
    if (!ids) return AKIN_FAILED;
    for (size_t row = 0; row < rows->count; row++)
        if (rows->records[row].has_id) ids[count++] = rows->texts + rows->records[row].id;
    status = akin_ids_create(count, ids, &rows->replacing);
    akin_mem_free(ids);
    return status;
}

bool akin_source_list_is_replaced(const akin_source_list *rows, akin_source_text id) {
    char text[AKIN_SOURCE_TEXT_LIMIT + 1];
    if (!rows->replacing || id.length >= sizeof text) return false;
    memcpy(text, id.bytes, id.length);
    text[id.length] = '\0';
    return akin_ids_find(rows->replacing, text) >= 0;
}

void akin_source_list_free(akin_source_list *rows) {
    if (!rows) return;
    akin_ids_free(rows->replacing);
    akin_mem_free(rows->records);
    akin_mem_free(rows->values);
    akin_mem_free(rows->texts);
    akin_mem_free(rows);
}

/* A NUL would end the text: it is written as \x00, and the caller has a reason to reject the row.
 */
static akin_status add_text(akin_source_list *rows, akin_source_text text, uint64_t *place) {
    static const char escape[] = "\\x00";
    *place = 0;
    if (text.length == 0) return AKIN_OK;
    size_t needed = rows->used + text.length * (sizeof escape - 1) + 1;
    if (needed > rows->size) {
        char *grown = akin_mem_resize(rows->texts, rows->used, needed * 2, 1);
        if (!grown) return AKIN_FAILED;
        rows->texts = grown;
        rows->size = needed * 2;
    }
    *place = rows->used;
    for (size_t i = 0; i < text.length; i++) {
        size_t length = text.bytes[i] ? 1 : sizeof escape - 1;
        memcpy(rows->texts + rows->used, text.bytes[i] ? text.bytes + i : escape, length);
        rows->used += length;
    }
    rows->texts[rows->used++] = '\0';
    return AKIN_OK;
}

/* Stores the text, or returns the position of the previous row's text if it is equal: folders and
 * categories occur in runs. */
static akin_status add_repeated(akin_source_list *rows, akin_source_text text, uint64_t before,
                                uint64_t *place) {
    const char *last = rows->texts + before;
    if (strlen(last) == text.length &&
        memcmp(last, text.bytes ? text.bytes : "", text.length) == 0) {
        *place = before;
        return AKIN_OK;
    }
    return add_text(rows, text, place);
}

const char *akin_source_list_fault(akin_source_text text) {
    if (text.length > AKIN_SOURCE_TEXT_LIMIT) return "is longer than 1024 bytes";
    if (text.length == 0) return NULL;
    if (memchr(text.bytes, '\0', text.length)) return "holds a NUL";
    if (!akin_text_is_utf8(text.bytes, text.length)) return "is not UTF-8";
    if (memchr(text.bytes, '\t', text.length)) return "holds a tab";
    if (memchr(text.bytes, '\n', text.length) || memchr(text.bytes, '\r', text.length))
        return "contains a newline";
    return NULL;
}

static void write_reason(const akin_source_found *found, char *reason, size_t size) {
    char row[32] = "";
    const struct {
        const char *name;
        akin_source_text text;
    } texts[] = {{"id", found->id}, {"category", found->category}, {"group", found->group}};
    const char *separator = found->row ? ": " : "";
    if (found->row) snprintf(row, sizeof row, "row %zu", found->row);
    reason[0] = '\0';
    if (found->id.length == 0) {
        snprintf(reason, size, "%s%sthe id is empty", row, separator);
        return;
    }
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const char *fault = akin_source_list_fault(texts[i].text);
        if (!fault) continue;
        /* A table can be read with another encoding; a folder's names cannot. */
        const char *hint = found->row && strstr(fault, "UTF-8")
                               ? "; --encoding gives the encoding of the table"
                               : "";
        snprintf(reason, size, "%s%sthe %s %s%s", row, separator, texts[i].name, fault, hint);
        return;
    }
    if (found->reason) snprintf(reason, size, "%s%s%s", row, separator, found->reason);
}

static akin_status grow(akin_source_list *rows) {
    if (rows->count < rows->room) return AKIN_OK;
    size_t room = rows->room * 2 + 64;
    akin_source_record *grown = akin_mem_resize(rows->records, rows->count, room, sizeof *grown);
    if (!grown) return AKIN_FAILED;
    rows->records = grown;
    size_t each = rows->attributes->count;
    if (each > 0) {
        uint64_t *values =
            akin_mem_resize(rows->values, rows->count * each, room * each, sizeof *values);
        if (!values) return AKIN_FAILED;
        rows->values = values;
    }
    rows->room = room;
    return AKIN_OK;
}

static akin_status add_values(akin_source_list *rows, const akin_source_value *values) {
    akin_status status = AKIN_OK;
    size_t each = rows->attributes->count;
    uint64_t *to = rows->values + rows->count * each;
    for (size_t a = 0; a < each && status == AKIN_OK; a++) {
        const akin_source_value none = {.number = NAN, .label = {"", 0}};
        const akin_source_value *value = values ? &values[a] : &none;
        uint32_t bits;
        memcpy(&bits, &value->number, sizeof bits);
        to[a] = bits;
        if (rows->attributes->of[a].kind != AKIN_ATTRIBUTE_NUMBER)
            status = add_repeated(rows, value->label, rows->count > 0 ? to[a - each] : 0, &to[a]);
    }
    return status;
}

akin_status akin_source_list_add(akin_source_list *rows, const akin_source_found *found) {
    akin_status status;
    char reason[512];
    akin_pulse();
    AKIN_TRY(grow(rows));
    akin_source_record record = {.member = found->member,
                                 .row = found->row,
                                 .available = found->available,
                                 .says_available = found->says_available,
                                 .confined = found->confined,
                                 .address = found->address,
                                 .has_id =
                                     found->id.length > 0 && !akin_source_list_fault(found->id)};
    const akin_source_record none = {0},
                             *before = rows->count > 0 ? &rows->records[rows->count - 1] : &none;
    akin_source_text base = {found->base, strlen(found->base)};
    write_reason(found, reason, sizeof reason);
    akin_source_text why = {reason, strlen(reason)};
    AKIN_TRY(add_text(rows, found->id, &record.id));
    AKIN_TRY(add_text(rows, found->path, &record.path));
    AKIN_TRY(add_repeated(rows, found->category, before->category, &record.category));
    AKIN_TRY(add_repeated(rows, found->group, before->group, &record.group));
    AKIN_TRY(add_repeated(rows, base, before->base, &record.base));
    AKIN_TRY(add_text(rows, why, &record.reason));
    if (rows->attributes->count > 0) AKIN_TRY(add_values(rows, found->values));
    rows->records[rows->count++] = record;
done:
    return status;
}

akin_status akin_source_list_refuse(akin_source_list *rows, size_t row, const char *reason) {
    akin_source_record *record = &rows->records[row];
    if (record->reason) return AKIN_OK;
    return add_text(rows, (akin_source_text){reason, strlen(reason)}, &record->reason);
}

void akin_source_list_set_member(akin_source_list *rows, size_t row, uint64_t member) {
    rows->records[row].member = member;
}

akin_status akin_source_list_share(akin_comm *comm, akin_source_list *rows) {
    akin_status status;
    void *records = NULL, *texts = NULL, *values = NULL;
    size_t record_bytes = 0, text_bytes = 0, value_bytes = 0;
    if (akin_comm_size(comm) == 1) return AKIN_OK;
    if (akin_comm_rank(comm) == 0) {
        records = rows->records;
        texts = rows->texts;
        record_bytes = rows->count * sizeof *rows->records;
        text_bytes = rows->used;
        values = rows->values;
        value_bytes = rows->count * rows->attributes->count * sizeof *rows->values;
    }
    AKIN_TRY(akin_comm_share(comm, &records, &record_bytes, 0));
    AKIN_TRY(akin_comm_share(comm, &texts, &text_bytes, 0));
    AKIN_TRY(akin_comm_share(comm, &values, &value_bytes, 0));
    if (akin_comm_rank(comm) == 0) goto done;
    akin_mem_free(rows->records);
    akin_mem_free(rows->texts);
    akin_mem_free(rows->values);
    rows->values = values;
    rows->records = records;
    rows->count = rows->room = record_bytes / sizeof *rows->records;
    rows->texts = texts;
    rows->used = rows->size = text_bytes;
    records = texts = NULL;
done:
    if (status != AKIN_OK && akin_comm_rank(comm) != 0) {
        akin_mem_free(records);
        akin_mem_free(texts);
    }
    return status;
}

void akin_source_list_set_attributes(akin_source_list *rows,
                                     const akin_source_attributes *attributes) {
    AKIN_ASSERT(rows->count == 0);
    rows->attributes = attributes;
}

const akin_source_attributes *akin_source_list_attributes(const akin_source_list *rows) {
    return rows->attributes;
}

float akin_source_list_number(const akin_source_list *rows, size_t row, size_t attribute) {
    float number;
    uint32_t bits = (uint32_t)rows->values[row * rows->attributes->count + attribute];
    memcpy(&number, &bits, sizeof number);
    return number;
}

const char *akin_source_list_label(const akin_source_list *rows, size_t row, size_t attribute) {
    return rows->texts + rows->values[row * rows->attributes->count + attribute];
}

size_t akin_source_list_count(const akin_source_list *rows) {
    return rows->count;
}

const akin_source_record *akin_source_list_get(const akin_source_list *rows, size_t row) {
    return &rows->records[row];
}

const char *akin_source_list_text(const akin_source_list *rows, uint64_t place) {
    return rows->texts + place;
}

size_t akin_source_scheme(const char *text) {
    enum { LONGEST = 20 };
    size_t length =
        strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");
    return length > 0 && length <= LONGEST && strncmp(text + length, "://", 3) == 0 ? length : 0;
}
