/* source_list: rows while they are listed. Floor 2; looks down to error, mem, text, comm. */
#include <akin/mem.h>
#include <akin/source_list.h>
#include <akin/text.h>
#include <string.h>

#define LONGEST 1024 /* bytes of an id or a label: each is as long as the longest in the files */

struct akin_source_list {
    akin_source_record *records;
    size_t count, room;
    char *texts; /* one behind the other, each with its NUL; the first is empty */
    size_t length, texts_room;
    uint32_t source;
};

akin_status akin_source_list_create(akin_source_list **out) {
    *out = akin_mem_zalloc(1, sizeof **out);
    if (!*out) return AKIN_FAILED;
    (*out)->texts = akin_mem_zalloc(256, 1);
    if (!(*out)->texts) {
        akin_mem_free(*out);
        *out = NULL;
        return AKIN_FAILED;
    }
    (*out)->texts_room = 256;
    (*out)->length = 1;
    return AKIN_OK;
}

void akin_source_list_free(akin_source_list *list) {
    if (!list) return;
    akin_mem_free(list->records);
    akin_mem_free(list->texts);
    akin_mem_free(list);
}

void akin_source_list_begin(akin_source_list *list, uint32_t source) {
    list->source = source;
}

/* Keeps the text; one that the row before has in the same place (`like`) is kept once. */
static akin_status keep(akin_source_list *list, const char *text, uint64_t like, uint64_t *offset) {
    size_t size = strlen(text) + 1;
    *offset = 0;
    if (size == 1) return AKIN_OK;
    *offset = like;
    if (like && strcmp(list->texts + like, text) == 0) return AKIN_OK;
    if (list->texts_room - list->length < size) {
        size_t room = 2 * list->texts_room + size;
        char *grown = akin_mem_resize(list->texts, list->length, room, 1);
        if (!grown) return AKIN_FAILED;
        list->texts = grown;
        list->texts_room = room;
    }
    *offset = list->length;
    memcpy(list->texts + list->length, text, size);
    list->length += size;
    return AKIN_OK;
}

/* What is wrong with the bytes of an id or a label; NULL = nothing. */
static const char *fault(const char *bytes, size_t length, const char *const reasons[4]) {
    if (memchr(bytes, 0, length)) return reasons[0];
    if (length > LONGEST) return reasons[1];
    if (strpbrk(bytes, "\t\n\r")) return reasons[2];
    if (!akin_text_is_utf8(bytes, length)) return reasons[3];
    return NULL;
}

static const char *find_fault(const akin_source_entry *entry) {
    static const char *const id[4] = {"the id holds a NUL byte", "the id is longer than 1024 bytes",
                                      "the id holds a tab or a newline", "the id is not UTF-8"};
    static const char *const label[4] = {"a label holds a NUL byte", "a label is longer than 1024 bytes",
                                         "a label holds a tab or a newline", "a label is not UTF-8"};
    if (entry->id_length == 0) return "the id is empty";
    const char *found = fault(entry->id, entry->id_length, id);
    if (!found) found = entry->reason;
    if (!found) found = fault(entry->category, entry->category_length, label);
    if (!found) found = fault(entry->group, entry->group_length, label);
    return found;
}

akin_status akin_source_list_add(akin_source_list *list, const akin_source_entry *entry) {
    akin_status status = AKIN_OK;
    if (list->count == list->room) {
        size_t room = list->room ? 2 * list->room : 64;
        akin_source_record *grown = akin_mem_resize(list->records, list->count, room, sizeof *grown);
        if (!grown) return AKIN_FAILED;
        list->records = grown;
        list->room = room;
    }
    const akin_source_record none = {0}, *before = list->count ? &list->records[list->count - 1] : &none;
    akin_source_record row = {.member = entry->member, .source = list->source, .available = entry->available};
    const char *reason = find_fault(entry);
    AKIN_TRY(keep(list, entry->id, 0, &row.id));
    if (strcmp(entry->id, entry->path) == 0)
        row.path = row.id;
    else
        AKIN_TRY(keep(list, entry->path, 0, &row.path));
    AKIN_TRY(keep(list, entry->category, before->category, &row.category));
    AKIN_TRY(keep(list, entry->group, before->group, &row.group));
    AKIN_TRY(keep(list, reason ? reason : "", before->reason, &row.reason));
    list->records[list->count++] = row;
done:
    return status;
}

akin_status akin_source_list_refuse(akin_source_list *list, size_t row, const char *reason) {
    return keep(list, reason, row ? list->records[row - 1].reason : 0, &list->records[row].reason);
}

akin_status akin_source_list_share(akin_source_list *list, akin_comm *comm, int root) {
    akin_status status = AKIN_OK;
    void *records = list->records, *texts = list->texts;
    size_t records_size = list->count * sizeof *list->records, texts_size = list->length;
    bool mine = akin_comm_rank(comm) == root;
    if (akin_comm_size(comm) == 1) return AKIN_OK;
    if (!mine) {
        akin_mem_free(list->records);
        akin_mem_free(list->texts);
        records = texts = list->records = NULL;
        list->texts = NULL;
    }
    status = akin_comm_share(comm, &records, &records_size, root);
    if (status == AKIN_OK) status = akin_comm_share(comm, &texts, &texts_size, root);
    list->records = records;
    list->texts = texts;
    list->count = list->room = records_size / sizeof *list->records;
    list->length = list->texts_room = texts_size;
    return status;
}

size_t akin_source_list_count(const akin_source_list *list) {
    return list->count;
}

akin_source_record *akin_source_list_records(akin_source_list *list) {
    return list->records;
}

const char *akin_source_list_text(const akin_source_list *list, uint64_t offset) {
    return list->texts + offset;
}
