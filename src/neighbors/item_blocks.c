/* item_blocks: pairs of items that are blocked. */
#include "item_blocks.h"
#include "id_rows.h"
#include <akin/log.h>
#include <akin/mem.h>
#include <stdlib.h>
#include <string.h>

static bool is_every(const char *text) {
    return strcmp(text, "*") == 0;
}

static int ascending(const void *x, const void *y) {
    uint64_t a, b;
    memcpy(&a, x, sizeof a);
    memcpy(&b, y, sizeof b);
    return (a > b) - (a < b);
}

/* The rows that a name refers to: one, or all pictures of a product. */
typedef struct {
    int32_t *first, *items; /* of products; NULL: numbers are rows */
} rows_of;

static size_t rows_in(const rows_of *r, int64_t number) {
    if (number < 0 || !r->first) return number >= 0;
    return (size_t)(r->first[number + 1] - r->first[number]);
}

static int64_t row_at(const rows_of *r, int64_t number, size_t at) {
    return r->first ? r->items[(size_t)r->first[number] + at] : number;
}

/* Counts the pairs and rows to be stored. */
static void count_rows(const akin_pair_file *file, const rows_of *r, const int64_t *numbers,
                       size_t *pairs, size_t *rows) {
    *pairs = *rows = 0;
    for (size_t p = 0; p < file->count; p++) {
        size_t a = rows_in(r, numbers[2 * p]), b = rows_in(r, numbers[2 * p + 1]);
        *pairs += a * b, *rows += a + b;
    }
}

static void add_pairs(const rows_of *r, const int64_t *number, akin_item_blocks *out) {
    for (size_t a = 0; a < rows_in(r, number[0]); a++)
        for (size_t b = 0; b < rows_in(r, number[1]); b++)
            out->pairs[out->count++] =
                (uint64_t)row_at(r, number[0], a) << 32 | (uint64_t)row_at(r, number[1], b);
}

static void add_rows(const rows_of *r, int64_t number, int64_t *rows, size_t *count) {
    for (size_t a = 0; a < rows_in(r, number); a++) rows[(*count)++] = row_at(r, number, a);
}

/* numbers: [count of rows in the file, 2], of rows or products. */
static akin_status sort_out(const akin_pair_file *file, const rows_of *r, const int64_t *numbers,
                            akin_item_blocks *out) {
    size_t unknown = 0, first = 0, pairs, rows;
    count_rows(file, r, numbers, &pairs, &rows);
    out->pairs = akin_mem_alloc(pairs, sizeof *out->pairs);
    out->for_all = akin_mem_alloc(rows, sizeof *out->for_all);
    out->alone = akin_mem_alloc(rows, sizeof *out->alone);
    if (!out->pairs || !out->for_all || !out->alone) return AKIN_FAILED;
    for (size_t p = 0; p < file->count; p++) {
        const int64_t *number = numbers + 2 * p;
        bool every[2] = {is_every(akin_pair_file_text(file, p, 0)),
                         is_every(akin_pair_file_text(file, p, 1))};
        if ((number[0] < 0 && !every[0]) || (number[1] < 0 && !every[1]) ||
            (every[0] && every[1])) {
            if (unknown++ == 0) first = p;
        } else if (every[0])
            add_rows(r, number[1], out->for_all, &out->for_all_count);
        else if (every[1])
            add_rows(r, number[0], out->alone, &out->alone_count);
        else
            add_pairs(r, number, out);
    }
    qsort(out->pairs, out->count, sizeof *out->pairs, ascending);
    if (unknown > 0)
        akin_log_warning("--blocks: %zu pair%s an id that the catalogue lacks; the first: %s,%s "
                         "in row %zu of %s",
                         unknown, unknown == 1 ? " names" : "s name",
                         akin_pair_file_text(file, first, 0), akin_pair_file_text(file, first, 1),
                         file->rows[first].row, file->rows[first].path);
    return AKIN_OK;
}

akin_status akin_item_blocks_read(akin_comm *comm, const akin_neighbors_words *files,
                                  const akin_vectors *vectors, const akin_products *products,
                                  akin_item_blocks *out) {
    static const char *const columns[3] = {"id", "neighbor", NULL};
    akin_status status = AKIN_OK;
    akin_pair_file file = {0};
    const char **names = NULL;
    int64_t *rows = NULL;
    rows_of r = {NULL, NULL};
    *out = (akin_item_blocks){0};
    if (files->count == 0) return AKIN_OK;
    akin_status local = AKIN_OK;
    for (size_t f = 0; f < files->count && local == AKIN_OK; f++)
        local = akin_pair_file_read(files->words[f], columns, &file);
    AKIN_TRY(akin_agree(comm, local));
    names = akin_mem_alloc(file.count, 2 * sizeof *names);
    rows = akin_mem_alloc(file.count, 2 * sizeof *rows);
    local = names && rows ? AKIN_OK : AKIN_FAILED;
    if (local == AKIN_OK && products) local = akin_products_items(products, &r.first, &r.items);
    AKIN_TRY(akin_agree(comm, local));
    for (size_t p = 0; p < 2 * file.count; p++)
        names[p] = akin_pair_file_text(&file, p / 2, (int)(p % 2));
    if (products)
        akin_products_named(products, names, 2 * file.count, rows);
    else
        AKIN_TRY(akin_id_rows_find(comm, vectors, names, 2 * file.count, rows));
    AKIN_TRY(akin_agree(comm, sort_out(&file, &r, rows, out)));
done:
    akin_pair_file_release(&file);
    akin_mem_free(names);
    akin_mem_free(rows);
    akin_mem_free(r.first);
    akin_mem_free(r.items);
    return status;
}

void akin_item_blocks_release(akin_item_blocks *blocks) {
    akin_mem_free(blocks->pairs);
    akin_mem_free(blocks->for_all);
    akin_mem_free(blocks->alone);
    *blocks = (akin_item_blocks){0};
}

bool akin_item_blocks_alone(const akin_item_blocks *blocks, int64_t row) {
    for (size_t b = 0; b < blocks->alone_count; b++)
        if (blocks->alone[b] == row) return true;
    return false;
}

bool akin_item_blocks_has(const akin_item_blocks *blocks, int64_t row, int64_t neighbor) {
    uint64_t pair = (uint64_t)row << 32 | (uint64_t)neighbor;
    for (size_t b = 0; b < blocks->for_all_count; b++)
        if (blocks->for_all[b] == neighbor) return true;
    if (akin_item_blocks_alone(blocks, row)) return true;
    return bsearch(&pair, blocks->pairs, blocks->count, sizeof pair, ascending) != NULL;
}

void akin_item_blocks_strike(const akin_item_blocks *blocks, const akin_vectors *vectors,
                             int64_t before, uint8_t *target) {
    int64_t first = before + (int64_t)akin_vectors_first(vectors);
    for (size_t b = 0; b < blocks->for_all_count; b++) {
        int64_t at = blocks->for_all[b] - first;
        if (at >= 0 && at < (int64_t)akin_vectors_count(vectors)) target[at] = 0;
    }
}
