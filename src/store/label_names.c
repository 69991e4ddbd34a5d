/* label_names: the distinct names that the indices of a file point to. */
#include "label_names.h"

#include <akin/mem.h>
#include <akin/text.h>
#include <string.h>

#define NAME_BYTES_MAX (1u << 16) /* per name, in a file that is read */

akin_status akin_label_names_set(akin_label_names *names, size_t count, const char *const *texts) {
    size_t length = 1;
    for (size_t i = 0; i < count; i++)
        if (strlen(texts[i]) > length) length = strlen(texts[i]);
    char *slots = akin_mem_zalloc(count, length + 1);
    if (!slots) return AKIN_FAILED;
    for (size_t i = 0; i < count; i++) {
        AKIN_ASSERT(*texts[i] && (i == 0 || strcmp(texts[i - 1], texts[i]) < 0));
        strcpy(slots + i * (length + 1), texts[i]);
    }
    akin_mem_free(names->slots);
    *names = (akin_label_names){slots, count, length};
    return AKIN_OK;
}

akin_status akin_label_names_copy(akin_label_names *to, const akin_label_names *from) {
    char *slots = akin_mem_alloc(from->count, from->length + 1);
    if (!slots) return AKIN_FAILED;
    if (from->count > 0) memcpy(slots, from->slots, from->count * (from->length + 1));
    akin_mem_free(to->slots);
    *to = (akin_label_names){slots, from->count, from->length};
    return AKIN_OK;
}

void akin_label_names_release(akin_label_names *names) {
    akin_mem_free(names->slots);
    *names = (akin_label_names){0};
}

/* --- reading --- */

akin_status akin_label_texts_read(const akin_ncfile *file, const char *variable, size_t first,
                                  size_t count, size_t length, char *slots) {
    akin_status status = akin_ncfile_get(file, variable, first, count, slots);
    if (status != AKIN_OK) return status;
    for (size_t i = count;
         i-- > 0;) { /* from the last, so that nothing still needed is overwritten */
        char *slot = slots + i * (length + 1);
        memmove(slot, slots + i * length, length);
        slot[length] = '\0';
    }
    for (size_t i = 0; i < count; i++) {
        const char *slot = slots + i * (length + 1);
        if (!akin_text_is_utf8(slot, strlen(slot)))
            return akin_error_set(AKIN_INPUT, "%s: %s of row %zu is not UTF-8",
                                  akin_ncfile_path(file), variable, first + i);
    }
    return AKIN_OK;
}

akin_status akin_label_names_read(const akin_ncfile *file, const char *variable,
                                  const char *dimension, const char *length_dimension,
                                  akin_label_names *out) {
    akin_status status;
    size_t count, length;
    AKIN_TRY(akin_ncfile_length(file, dimension, &count));
    AKIN_TRY(akin_ncfile_length(file, length_dimension, &length));
    if (length > NAME_BYTES_MAX)
        AKIN_TRY(akin_error_set(AKIN_INPUT, "%s: %s is %zu, too long", akin_ncfile_path(file),
                                length_dimension, length));
    *out = (akin_label_names){akin_mem_alloc(count, length + 1), count, length};
    if (!out->slots) AKIN_TRY(AKIN_FAILED);
    AKIN_TRY(akin_label_texts_read(file, variable, 0, count, length, out->slots));
    if (count == 1 && *out->slots == '\0') out->count = 0; /* "none" */
    for (size_t i = 0; i < out->count; i++) {
        const char *slot = out->slots + i * (length + 1);
        if (*slot == '\0' || (i > 0 && strcmp(slot - (length + 1), slot) >= 0))
            AKIN_TRY(akin_error_set(AKIN_INPUT, "%s: %s %zu is empty or out of order",
                                    akin_ncfile_path(file), variable, i));
    }
done:
    return status;
}

/* --- writing --- */

size_t akin_label_names_rows(const akin_label_names *names) {
    return names->count ? names->count : 1;
}

size_t akin_label_names_length(const akin_label_names *names) {
    return names->length ? names->length : 1;
}

akin_status akin_label_texts_put(akin_ncfile *file, akin_comm *comm, const char *variable,
                                 size_t first, akin_label_texts texts) {
    akin_status status;
    char *rows = akin_mem_zalloc(texts.count, texts.length);
    AKIN_TRY(akin_agree(comm, rows ? AKIN_OK : AKIN_FAILED));
    for (size_t i = 0; i < texts.count; i++) {
        const char *text = texts.slots + i * texts.stride;
        memcpy(rows + i * texts.length, text, strlen(text));
    }
    akin_ncfile_put(file, variable, first, texts.count, rows);
done:
    akin_mem_free(rows);
    return status;
}

akin_status akin_label_names_put(const akin_label_names *names, akin_ncfile *file, akin_comm *comm,
                                 const char *variable, size_t length) {
    size_t count = akin_comm_rank(comm) == 0 ? akin_label_names_rows(names) : 0;
    const akin_label_texts texts = {names->count ? names->slots : "", count, names->length + 1,
                                    length};
    return akin_label_texts_put(file, comm, variable, 0, texts);
}

/* --- one name --- */

const char *akin_label_names_at(const akin_label_names *names, int32_t index) {
    AKIN_ASSERT(index >= -1 && index < (int64_t)names->count);
    return index < 0 ? "" : names->slots + (size_t)index * (names->length + 1);
}
