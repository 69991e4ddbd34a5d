/* fileform: the formats of a published file: how each is written, recognised and read. */
#include "fileform.h"
#include "listing.h"
#include <akin/csv.h>
#include <akin/fault.h>
#include <akin/file.h>
#include <akin/json.h>
#include <akin/mem.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CSV_HEAD "id,rank,neighbor,score\n"
#define JSON_HEAD "{\"id\": "
#define NPY_ALIGN ((size_t)64) /* NumPy's alignment of the array */

/* What a reader passes on: one published list. */
typedef akin_status (*see_list)(void *context, const char *id, size_t count,
                                const char *const *neighbors, const float *score);

struct akin_fileform {
    const char *ending;
    int passes;
    akin_status (*head)(int pass, size_t n, size_t k, akin_text *text);
    akin_status (*append)(int pass, size_t k, const akin_ids *ids, const akin_list *list,
                          akin_text *text);
    akin_status (*recognise)(const char *path, const char *begin, size_t count, bool *ours);
    /* NULL: the file does not contain ids */
    akin_status (*read)(const char *path, see_list see, void *context);
};

/* One list while it is being read. */
typedef struct {
    char *id;
    const char **neighbors; /* into `words` */
    char **words;           /* owned copies (csv) */
    float *score;
    size_t count, room;
    see_list see;
    void *context;
} reading;

static akin_status grow(reading *it) {
    if (it->count < it->room) return AKIN_OK;
    size_t room = 2 * it->room + 16;
    const char **neighbors = akin_mem_resize(it->neighbors, it->room, room, sizeof *neighbors);
    if (neighbors) it->neighbors = neighbors;
    char **words = akin_mem_resize(it->words, it->room, room, sizeof *words);
    if (words) it->words = words;
    float *score = akin_mem_resize(it->score, it->room, room, sizeof *score);
    if (score) it->score = score;
    if (!neighbors || !words || !score) return AKIN_FAILED;
    it->room = room;
    return AKIN_OK;
}

static void end_reading(reading *it, bool own_words) {
    for (size_t i = 0; own_words && i < it->count; i++) akin_mem_free(it->words[i]);
    akin_mem_free(it->id);
    akin_mem_free(it->neighbors);
    akin_mem_free(it->words);
    akin_mem_free(it->score);
}

static akin_status damaged(const char *path, const char *what, size_t line) {
    return akin_error_set(AKIN_INPUT,
                          "%s line %zu: %s: not a table published by akin; move the file away",
                          path, line, what);
}

/* --- JSON lines --- */

static akin_status json_head(int pass, size_t n, size_t k, akin_text *text) {
    (void)pass, (void)n, (void)k;
    return akin_text_append_bytes(text, "", 0);
}

static akin_status json_append(int pass, size_t k, const akin_ids *ids, const akin_list *list,
                               akin_text *text) {
    (void)pass, (void)k;
    return akin_listing_json(text, ids, list);
}

static akin_status json_recognise(const char *path, const char *begin, size_t count, bool *ours) {
    (void)path;
    size_t head = strlen(JSON_HEAD);
    *ours = count == 0 || (count > head && memcmp(begin, JSON_HEAD, head) == 0);
    return AKIN_OK;
}

static akin_status json_list(const char *path, size_t line, const akin_json *object, reading *it) {
    const char *id = akin_json_text(object, "id");
    const akin_json *pairs = akin_json_get(object, "neighbors");
    if (!id || !pairs) return damaged(path, "no id or no neighbors", line);
    it->count = 0;
    for (const akin_json *pair = akin_json_first(pairs); pair; pair = akin_json_next(pair)) {
        const akin_json *first = akin_json_first(pair);
        if (grow(it) != AKIN_OK) return AKIN_FAILED;
        it->neighbors[it->count] = akin_json_as_text(first);
        if (!it->neighbors[it->count]) return damaged(path, "a neighbour without an id", line);
        it->score[it->count++] = (float)akin_json_as_number(akin_json_next(first), 0);
    }
    return it->see(it->context, id, it->count, it->neighbors, it->score);
}

static akin_status json_read(const char *path, see_list see, void *context) {
    akin_status status = AKIN_OK;
    reading it = {.see = see, .context = context};
    char *text = NULL;
    size_t room = 0, line = 0;
    ssize_t length = 0;
    akin_json *object = NULL;
    FILE *file = fopen(path, "re");
    if (!file) return akin_error_set(AKIN_FAILED, "%s: cannot be read: %s", path, strerror(errno));
    bool fault = false;
    while (!(fault = akin_fault_read()) && (length = getline(&text, &room, file)) >= 0) {
        line++;
        status = akin_json_parse(text, (size_t)length, &object);
        if (status == AKIN_INPUT) status = damaged(path, "not JSON", line);
        if (status == AKIN_OK) status = json_list(path, line, object, &it);
        akin_json_free(object);
        if (status != AKIN_OK) break;
    }
    if (fault || (status == AKIN_OK && !feof(file)))
        status = akin_error_set(AKIN_FAILED, "%s: cannot be read", path);
    free(text);
    fclose(file);
    end_reading(&it, false);
    return status;
}

/* --- CSV --- */

static akin_status csv_head(int pass, size_t n, size_t k, akin_text *text) {
    (void)pass, (void)n, (void)k;
    return akin_text_append_bytes(text, CSV_HEAD, strlen(CSV_HEAD));
}

static akin_status csv_append(int pass, size_t k, const akin_ids *ids, const akin_list *list,
                              akin_text *text) {
    (void)pass, (void)k;
    return akin_listing_csv(text, ids, list);
}

static akin_status csv_recognise(const char *path, const char *begin, size_t count, bool *ours) {
    (void)path;
    size_t head = strlen(CSV_HEAD);
    *ours = count == 0 || (count >= head && memcmp(begin, CSV_HEAD, head) == 0);
    return AKIN_OK;
}

static akin_status csv_flush(reading *it) {
    if (!it->id) return AKIN_OK;
    akin_status status = it->see(it->context, it->id, it->count, it->neighbors, it->score);
    for (size_t i = 0; i < it->count; i++) akin_mem_free(it->words[i]);
    it->count = 0;
    akin_mem_free(it->id);
    it->id = NULL;
    return status;
}

static akin_status csv_row(void *context, size_t row, size_t count, const char *const *fields,
                           const size_t *lengths) {
    reading *it = context;
    akin_status status = AKIN_OK;
    (void)lengths;
    if (row == 1) return AKIN_OK;
    if (count != 4) return akin_error_set(AKIN_INPUT, "row %zu: has %zu fields, not 4", row, count);
    const char *id = akin_csv_unsafe(fields[0]);
    if (!it->id || strcmp(it->id, id) != 0) {
        AKIN_TRY(csv_flush(it));
        it->id = akin_mem_text(id);
        if (!it->id) AKIN_TRY(AKIN_FAILED);
    }
    AKIN_TRY(grow(it));
    char *word = akin_mem_text(akin_csv_unsafe(fields[2]));
    if (!word) AKIN_TRY(AKIN_FAILED);
    it->words[it->count] = word;
    it->neighbors[it->count] = word;
    it->score[it->count++] = strtof(fields[3], NULL);
done:
    return status;
}

static akin_status csv_read(const char *path, see_list see, void *context) {
    reading it = {.see = see, .context = context};
    akin_status status = akin_csv_read(path, ',', csv_row, &it);
    if (status == AKIN_OK) status = csv_flush(&it);
    end_reading(&it, true);
    return status;
}

/* --- NumPy --- */

/* A header of version 1.0 (NumPy Enhancement Proposal 1), padded with blanks to a multiple of
 * 64. */
static akin_status npy_head(int pass, size_t n, size_t k, akin_text *text) {
    static const char magic[8] = {'\x93', 'N', 'U', 'M', 'P', 'Y', 1, 0};
    char words[160];
    int length = snprintf(words, sizeof words,
                          "{'descr': '<%s', 'fortran_order': False, 'shape': (%zu, %zu), }",
                          pass == 0 ? "i4" : "f4", n, k);
    size_t used = sizeof magic + 2 + (size_t)length + 1,
           padded = (used + NPY_ALIGN - 1) / NPY_ALIGN * NPY_ALIGN;
    size_t header = padded - sizeof magic - 2;
    char size[2] = {(char)(header & 0xFF), (char)(header >> 8)};
    akin_status status = AKIN_OK;
    AKIN_TRY(akin_text_append_bytes(text, magic, sizeof magic));
    AKIN_TRY(akin_text_append_bytes(text, size, sizeof size));
    AKIN_TRY(akin_text_append(text, "%s%*s\n", words, (int)(padded - used), ""));
done:
    return status;
}

static akin_status npy_append(int pass, size_t k, const akin_ids *ids, const akin_list *list,
                              akin_text *text) {
    static const int32_t no_neighbor = -1;
    static const float no_score = 0;
    (void)ids;
    akin_status status = AKIN_OK;
    const void *filler = pass == 0 ? (const void *)&no_neighbor : &no_score;
    const void *values = pass == 0 ? (const void *)list->neighbor : list->score;
    AKIN_TRY(akin_text_append_bytes(text, values,
                                    4 * list->count)); /* x86-64 is little-endian, as '<' states */
    for (size_t i = list->count; i < k; i++) AKIN_TRY(akin_text_append_bytes(text, filler, 4));
done:
    return status;
}

/* Parses the shape from a header, if it is one that akin writes. */
static akin_status npy_shape(const char *begin, size_t count, size_t *n, size_t *k, bool *ours) {
    akin_status status = AKIN_OK;
    akin_text *head = NULL;
    char words[200] = "";
    *ours = false;
    if (count < 11) return AKIN_OK;
    snprintf(words, sizeof words, "%.*s", (int)(count - 10 < 190 ? count - 10 : 190), begin + 10);
    if (sscanf(words, "{'descr': '<i4', 'fortran_order': False, 'shape': (%zu, %zu), }", n, k) != 2)
        return AKIN_OK;
    AKIN_TRY(akin_text_create(&head));
    AKIN_TRY(npy_head(0, *n, *k, head));
    *ours = count >= akin_text_length(head) &&
            memcmp(begin, akin_text_bytes(head), akin_text_length(head)) == 0;
done:
    akin_text_free(head);
    return status;
}

static akin_status npy_recognise(const char *path, const char *begin, size_t count, bool *ours) {
    size_t n = 0, k = 0;
    (void)path;
    *ours = true;
    return count == 0 ? AKIN_OK : npy_shape(begin, count, &n, &k, ours);
}

/* --- all formats --- */

static const akin_fileform forms[] = {
    {".jsonl", 1, json_head, json_append, json_recognise, json_read},
    {".csv", 1, csv_head, csv_append, csv_recognise, csv_read},
    {".npy", 2, npy_head, npy_append, npy_recognise, NULL},
};

akin_status akin_fileform_of(const char *path, const akin_fileform **out) {
    const char *ending = akin_file_ending(path);
    *out = NULL;
    for (size_t i = 0; i < sizeof forms / sizeof *forms && !*out; i++)
        if (strcmp(ending, forms[i].ending) == 0) *out = &forms[i];
    if (*out) return AKIN_OK;
    if (strcmp(ending, ".parquet") == 0)
        return akin_error_set(AKIN_USAGE,
                              "file:%s: Parquet has no packaged C library; publish to a .csv and "
                              "convert it (pyarrow, DuckDB)",
                              path);
    return akin_error_set(AKIN_USAGE, "file:%s: the file name must end in .jsonl, .csv or .npy",
                          path);
}

int akin_fileform_passes(const akin_fileform *form) {
    return form->passes;
}

akin_status akin_fileform_head(const akin_fileform *form, int pass, size_t n, size_t k,
                               akin_text *text) {
    return form->head(pass, n, k, text);
}

akin_status akin_fileform_append(const akin_fileform *form, int pass, size_t k, const akin_ids *ids,
                                 const akin_list *list, akin_text *text) {
    return form->append(pass, k, ids, list, text);
}

static akin_status read_begin(const char *path, char *begin, size_t room, size_t *count) {
    FILE *file = fopen(path, "re");
    if (!file) return akin_error_set(AKIN_FAILED, "%s: cannot be read: %s", path, strerror(errno));
    bool failed = akin_fault_read();
    *count = failed ? 0 : fread(begin, 1, room, file);
    failed = failed || ferror(file);
    fclose(file);
    return failed ? akin_error_set(AKIN_FAILED, "%s: cannot be read", path) : AKIN_OK;
}

akin_status akin_fileform_recognise(const akin_fileform *form, const char *path, bool *ours) {
    char begin[256];
    size_t count = 0;
    *ours = false;
    akin_status status = read_begin(path, begin, sizeof begin, &count);
    return status == AKIN_OK ? form->recognise(path, begin, count, ours) : status;
}

static akin_status see_change(void *context, const char *id, size_t count,
                              const char *const *neighbors, const float *score) {
    return akin_publish_diff_see(context, id, count, neighbors, score);
}

typedef struct {
    size_t items, k;
} counting;

static akin_status see_count(void *context, const char *id, size_t count,
                             const char *const *neighbors, const float *score) {
    counting *it = context;
    (void)id, (void)neighbors, (void)score;
    it->items++;
    if (count > it->k) it->k = count;
    return AKIN_OK;
}

akin_status akin_fileform_compare(const akin_fileform *form, const char *path,
                                  akin_publish_diff *change) {
    size_t items = 0, k = 0;
    if (form->read) return form->read(path, see_change, change);
    akin_status status = akin_fileform_count(form, path, &items, &k);
    if (status == AKIN_OK) akin_publish_diff_count_blindly(change, items);
    return status;
}

akin_status akin_fileform_count(const akin_fileform *form, const char *path, size_t *items,
                                size_t *k) {
    char begin[256];
    size_t count = 0;
    bool ours = false;
    counting it = {0};
    akin_status status = form->read ? form->read(path, see_count, &it)
                                    : read_begin(path, begin, sizeof begin, &count);
    *items = it.items;
    *k = it.k;
    if (form->read) return status;
    if (status == AKIN_OK) status = npy_shape(begin, count, items, k, &ours);
    return status == AKIN_OK && !ours && count > 0 ? damaged(path, "the header of the array", 1)
                                                   : status;
}
