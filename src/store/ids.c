/* ids: all ids of a file, packed, and the row of each id. */
#include <akin/hash.h>
#include <akin/ids.h>
#include <akin/mem.h>
#include <akin/text.h>
#include <string.h>

#define BLOCK_BYTES ((size_t)1 << 20) /* padded ids read at a time */
#define EMPTY UINT32_MAX

struct akin_ids {
    size_t count, items, part, used, capacity; /* part: where items or targets begin */
    char *bytes;                               /* the ids, each NUL-terminated, consecutively */
    uint64_t *starts;                          /* [count + 1] */
    uint32_t *slots; /* [slot_mask + 1], open addressing, linear probing: rows, or EMPTY */
    size_t slot_mask;
};

static akin_status start(size_t count, akin_ids **out) {
    akin_ids *ids = akin_mem_zalloc(1, sizeof *ids);
    *out = ids;
    if (!ids) return AKIN_FAILED;
    size_t slots = 4;
    while (slots < count + count / 2) slots *= 2;
    ids->slot_mask = slots - 1;
    ids->starts = akin_mem_alloc(count + 1, sizeof *ids->starts);
    ids->slots = akin_mem_alloc(slots, sizeof *ids->slots);
    if (!ids->starts || !ids->slots) return AKIN_FAILED;
    memset(ids->slots, 0xFF, slots * sizeof *ids->slots);
    ids->starts[0] = 0;
    return AKIN_OK;
}

static akin_status reserve(akin_ids *ids, size_t more) {
    if (ids->used + more <= ids->capacity) return AKIN_OK;
    size_t capacity = ids->capacity + ids->capacity / 4 + more + 4096;
    char *grown = akin_mem_resize(ids->bytes, ids->used, capacity, 1);
    if (!grown) return AKIN_FAILED;
    ids->bytes = grown;
    ids->capacity = capacity;
    return AKIN_OK;
}

static akin_status add(akin_ids *ids, const char *id, size_t length) {
    if (reserve(ids, length + 1) != AKIN_OK) return AKIN_FAILED;
    memcpy(ids->bytes + ids->used, id, length);
    ids->bytes[ids->used + length] = '\0';
    ids->used += length + 1;
    ids->starts[++ids->count] = ids->used;
    size_t slot = akin_hash_64(id, length) & ids->slot_mask;
    for (; ids->slots[slot] != EMPTY; slot = (slot + 1) & ids->slot_mask)
        if (ids->slots[slot] >= ids->part &&
            strcmp(akin_ids_text(ids, ids->slots[slot]), akin_ids_text(ids, ids->count - 1)) == 0)
            return AKIN_OK;
    ids->slots[slot] = (uint32_t)(ids->count - 1);
    return AKIN_OK;
}

static akin_status read_block(const akin_ncfile *file, const char *variable, size_t first,
                              size_t count, size_t width, char *block, akin_ids *ids) {
    akin_status status = akin_ncfile_get(file, variable, first, count, block);
    for (size_t i = 0; i < count && status == AKIN_OK; i++) {
        const char *id = block + i * width;
        size_t length = strnlen(id, width);
        if (length == 0 || !akin_text_is_utf8(id, length))
            return akin_error_set(AKIN_INPUT, "%s: %s of row %zu is %s", akin_ncfile_path(file),
                                  variable, first + i, length == 0 ? "empty" : "not UTF-8");
        status = add(ids, id, length);
    }
    return status;
}

/* The texts of a variable, one for each place of its dimension. */
typedef struct {
    const char *variable, *dimension, *length, *dimensions;
} column;

/* Of what has lists, and of the targets of a table between two catalogues. */
static const column of_rows[2] = {
    {"id", "item", "id_length", "item,id_length"},
    {"target_id", "target", "target_id_length", "target,target_id_length"}};
static const column of_members[2] = {
    {"member_id", "member", "member_id_length", "member,member_id_length"},
    {"target_member_id", "target_member", "target_member_id_length",
     "target_member,target_member_id_length"}};

static akin_status read_column(const akin_ncfile *file, const column *of, akin_ids *ids) {
    akin_status status = AKIN_OK;
    char *block = NULL;
    size_t count = 0, width = 0;
    AKIN_TRY(akin_ncfile_length(file, of->dimension, &count));
    AKIN_TRY(akin_ncfile_length(file, of->length, &width));
    size_t step = width < BLOCK_BYTES ? BLOCK_BYTES / width : 1;
    block = akin_mem_alloc(step, width);
    if (!block) AKIN_TRY(AKIN_FAILED);
    for (size_t first = 0; first < count; first += step)
        AKIN_TRY(read_block(file, of->variable, first, count - first < step ? count - first : step,
                            width, block, ids));
done:
    akin_mem_free(block);
    return status;
}

static akin_status read_columns(const akin_ncfile *file, const column of[2], akin_ids **out) {
    akin_status status = AKIN_OK;
    akin_ids *ids = NULL;
    size_t lengths[2] = {0, 0};
    const int columns = akin_ncfile_has(file, of[1].variable) ? 2 : 1;
    *out = NULL;
    for (int c = 0; c < columns; c++) {
        AKIN_TRY(akin_ncfile_expect(file, of[c].variable, AKIN_NC_CHAR, of[c].dimensions));
        AKIN_TRY(akin_ncfile_length(file, of[c].dimension, &lengths[c]));
    }
    AKIN_TRY(start(lengths[0] + lengths[1], &ids));
    AKIN_TRY(read_column(file, &of[0], ids));
    ids->items = ids->part = ids->count;
    if (columns > 1) AKIN_TRY(read_column(file, &of[1], ids));
    *out = ids;
    ids = NULL;
done:
    akin_ids_free(ids);
    return status;
}

akin_status akin_ids_read(const akin_ncfile *file, akin_ids **out) {
    return read_columns(file, of_rows, out);
}

akin_status akin_ids_read_members(const akin_ncfile *file, akin_ids **out) {
    return read_columns(file, of_members, out);
}

akin_status akin_ids_create(size_t count, const char *const *texts, akin_ids **out) {
    akin_status status = AKIN_OK;
    akin_ids *ids = NULL;
    *out = NULL;
    AKIN_TRY(start(count, &ids));
    for (size_t i = 0; i < count; i++) AKIN_TRY(add(ids, texts[i], strlen(texts[i])));
    ids->items = ids->count;
    *out = ids;
    ids = NULL;
done:
    akin_ids_free(ids);
    return status;
}

void akin_ids_free(akin_ids *ids) {
    if (!ids) return;
    akin_mem_free(ids->bytes);
    akin_mem_free(ids->starts);
    akin_mem_free(ids->slots);
    akin_mem_free(ids);
}

size_t akin_ids_count(const akin_ids *ids) {
    return ids->items;
}

size_t akin_ids_total(const akin_ids *ids) {
    return ids->count;
}

const char *akin_ids_text(const akin_ids *ids, size_t row) {
    return ids->bytes + ids->starts[row];
}

size_t akin_ids_length(const akin_ids *ids, size_t row) {
    return (size_t)(ids->starts[row + 1] - ids->starts[row]) - 1;
}

void akin_ids_prefetch_places(const akin_ids *ids, const int32_t *rows, size_t count) {
    for (size_t i = 0; i < count; i++) __builtin_prefetch(&ids->starts[rows[i]]);
}

/* An id may span two cache lines. */
void akin_ids_prefetch_texts(const akin_ids *ids, const int32_t *rows, size_t count) {
    for (size_t i = 0; i < count; i++) {
        __builtin_prefetch(ids->bytes + ids->starts[rows[i]]);
        __builtin_prefetch(ids->bytes + ids->starts[rows[i] + 1] - 1);
    }
}

/* The first row from `from` on with this id. */
static int64_t find_from(const akin_ids *ids, const char *id, size_t from) {
    size_t slot = akin_hash_64(id, strlen(id)) & ids->slot_mask;
    for (; ids->slots[slot] != EMPTY; slot = (slot + 1) & ids->slot_mask)
        if (ids->slots[slot] >= from && strcmp(akin_ids_text(ids, ids->slots[slot]), id) == 0)
            return ids->slots[slot];
    return -1;
}

/* Items were added first, so the first row found is a target only where no item has the id. */
int64_t akin_ids_find(const akin_ids *ids, const char *id) {
    int64_t row = find_from(ids, id, 0);
    return row < (int64_t)ids->items ? row : -1;
}

int64_t akin_ids_find_neighbor(const akin_ids *ids, const char *id) {
    return find_from(ids, id, ids->count > ids->items ? ids->items : 0);
}
