/* label_parts: splits values into their parts. */
#include "label_parts.h"
#include <akin/mem.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *text;
    size_t length, at; /* at: position among all parts */
} piece;

static int by_text(const void *x, const void *y) {
    const piece *a = x, *b = y;
    size_t shorter = a->length < b->length ? a->length : b->length;
    int order = memcmp(a->text, b->text, shorter);
    return order != 0 ? order : (a->length > b->length) - (a->length < b->length);
}

static int by_number(const void *x, const void *y) {
    int32_t a = *(const int32_t *)x, b = *(const int32_t *)y;
    return (a > b) - (a < b);
}

static size_t count_pieces(const char *text) {
    size_t count = 1;
    for (; *text != '\0'; text++) count += *text == '|';
    return count;
}

static void take_pieces(const char *text, size_t *at, piece *pieces) {
    for (;;) {
        size_t length = strcspn(text, "|");
        pieces[*at] = (piece){text, length, *at};
        (*at)++;
        if (text[length] == '\0') return;
        text += length + 1;
    }
}

/* Gives equal texts the same number. */
static void number(akin_label_parts *parts, piece *pieces, size_t count) {
    qsort(pieces, count, sizeof *pieces, by_text);
    for (size_t p = 0; p < count; p++) {
        parts->names += p == 0 || by_text(&pieces[p - 1], &pieces[p]) != 0;
        parts->part[pieces[p].at] = (int32_t)parts->names - 1;
    }
}

akin_status akin_label_parts_create(const akin_item_attribute *a, akin_label_parts **out) {
    akin_status status = AKIN_FAILED;
    piece *pieces = NULL;
    size_t count = 0, at = 0;
    akin_label_parts *parts = akin_mem_zalloc(1, sizeof *parts);
    for (size_t v = 0; v < a->values; v++)
        count += count_pieces(akin_item_attribute_text(a, (int32_t)v));
    if (parts == NULL) goto done;
    parts->first = akin_mem_alloc(a->values + 1, sizeof *parts->first);
    parts->part = akin_mem_alloc(count, sizeof *parts->part);
    pieces = akin_mem_alloc(count, sizeof *pieces);
    if (parts->first == NULL || parts->part == NULL || pieces == NULL) goto done;
    for (size_t v = 0; v < a->values; v++) {
        parts->first[v] = (uint32_t)at;
        take_pieces(akin_item_attribute_text(a, (int32_t)v), &at, pieces);
    }
    parts->first[a->values] = (uint32_t)at;
    number(parts, pieces, count);
    for (size_t v = 0; v < a->values; v++)
        qsort(parts->part + parts->first[v], parts->first[v + 1] - parts->first[v],
              sizeof *parts->part, by_number);
    *out = parts, parts = NULL;
    status = AKIN_OK;
done:
    akin_mem_free(pieces);
    akin_label_parts_free(parts);
    return status;
}

void akin_label_parts_free(akin_label_parts *parts) {
    if (parts == NULL) return;
    akin_mem_free(parts->first);
    akin_mem_free(parts->part);
    akin_mem_free(parts);
}
