/* csv: rows in, quoted fields out, by libcsv. */
#include <akin/csv.h>
#include <akin/fault.h>
#include <akin/file.h>
#include <akin/mem.h>
#include <csv.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define PIECE 65536 /* bytes read at a time */

/* The row under way: its bytes one behind the other, each field with a NUL; pointers are set when
 * it is complete, since the bytes move while they grow. */
typedef struct {
    const char *path;
    char *bytes;
    size_t used, size;
    size_t *lengths;
    const char **fields;
    size_t count, room;
    size_t row;
    bool after_return; /* a carriage return ended the row before: a newline right behind it is not
                          one more */
    akin_csv_row each;
    void *context;
    akin_status status;
} row_state;

static akin_status grow_bytes(row_state *state, size_t needed) {
    if (needed <= state->size) return AKIN_OK;
    size_t size = needed * 2 + 256;
    char *bytes = akin_mem_resize(state->bytes, state->size, size, 1);
    if (!bytes) return AKIN_FAILED;
    state->bytes = bytes;
    state->size = size;
    return AKIN_OK;
}

static akin_status grow_fields(row_state *state) {
    if (state->count < state->room) return AKIN_OK;
    size_t room = state->room * 2 + 16;
    size_t *lengths = akin_mem_resize(state->lengths, state->room, room, sizeof *lengths);
    if (!lengths) return AKIN_FAILED;
    state->lengths = lengths;
    const char **fields = akin_mem_resize(state->fields, state->room, room, sizeof *fields);
    if (!fields) return AKIN_FAILED;
    state->fields = fields;
    state->room = room;
    return AKIN_OK;
}

static void end_field(void *bytes, size_t count, void *data) {
    row_state *state = data;
    if (state->status != AKIN_OK) return;
    state->status = grow_fields(state);
    if (state->status == AKIN_OK) state->status = grow_bytes(state, state->used + count + 1);
    if (state->status != AKIN_OK) return;
    if (count > 0) memcpy(state->bytes + state->used, bytes, count);
    state->bytes[state->used + count] = '\0';
    state->lengths[state->count++] = count;
    state->used += count + 1;
}

static void end_row(int terminator, void *data) {
    row_state *state = data;
    if (state->status != AKIN_OK) return;
    bool second_half = state->after_return && terminator == '\n' && state->count == 0;
    state->after_return = terminator == '\r';
    if (second_half) return;
    state->row++;
    if (state->count == 0) return; /* a blank row counts, as in the program that shows the file */
    size_t at = 0;
    for (size_t i = 0; i < state->count; i++) {
        state->fields[i] = state->bytes + at;
        at += state->lengths[i] + 1;
    }
    state->status =
        state->each(state->context, state->row, state->count, state->fields, state->lengths);
    state->count = 0;
    state->used = 0;
}

/* libcsv grows a field's buffer without bound; a limit turns a quote that was never closed into a
 * message. */
static void *limited_realloc(void *block, size_t size) {
    return size > AKIN_CSV_FIELD_LIMIT ? NULL : realloc(block, size);
}

static int is_no_space(unsigned char byte) {
    (void)byte;
    return 0;
}

static akin_status parser_failure(struct csv_parser *parser, const row_state *state) {
    int error = csv_error(parser);
    if (error == CSV_EPARSE ||
        (error == CSV_ENOMEM && csv_get_buffer_size(parser) >= AKIN_CSV_FIELD_LIMIT / 2))
        return akin_error_set(AKIN_INPUT,
                              "%s: a quote in row %zu is never closed; close it or double it",
                              state->path, state->row + 1);
    return akin_error_set(AKIN_FAILED, "%s: row %zu: %s", state->path, state->row + 1,
                          csv_strerror(error));
}

static akin_status read_pieces(FILE *stream, struct csv_parser *parser, row_state *state) {
    static const unsigned char mark[3] = {0xEF, 0xBB, 0xBF};
    unsigned char piece[PIECE];
    for (bool first = true;; first = false) {
        bool fault = akin_fault_read();
        size_t count = fault ? 0 : fread(piece, 1, sizeof piece, stream), skip = 0;
        if (fault || ferror(stream))
            return akin_error_set(AKIN_FAILED, "%s: cannot be read: %s", state->path,
                                  strerror(errno));
        if (count == 0) break;
        if (first && count >= sizeof mark && memcmp(piece, mark, sizeof mark) == 0)
            skip = sizeof mark;
        if (csv_parse(parser, piece + skip, count - skip, end_field, end_row, state) !=
            count - skip)
            return state->status != AKIN_OK ? state->status : parser_failure(parser, state);
        if (state->status != AKIN_OK) return state->status;
    }
    /* Lenient up to here, so that a stray quote inside a field is a byte like others; but an open
     * one at the end has swallowed the rest of the file. */
    csv_set_opts(parser, CSV_STRICT | CSV_STRICT_FINI | CSV_REPALL_NL);
    if (csv_fini(parser, end_field, end_row, state) != 0) return parser_failure(parser, state);
    return state->status;
}

akin_status akin_csv_read(const char *path, char separator, akin_csv_row each, void *context) {
    akin_status status = AKIN_OK;
    row_state state = {.path = path, .each = each, .context = context};
    struct csv_parser parser;
    if (csv_init(&parser, CSV_REPALL_NL) != 0)
        return akin_error_set(AKIN_FAILED, "%s: no memory to read it", path);
    csv_set_delim(&parser, (unsigned char)separator);
    csv_set_space_func(&parser, is_no_space);
    csv_set_realloc_func(&parser, limited_realloc);
    csv_set_blk_size(&parser, 1 << 16); /* its buffer grows by so much at a time */
    FILE *stream = fopen(path, "rb");
    if (!stream) {
        status = akin_file_cannot_open(path, errno);
        goto done;
    }
    status = read_pieces(stream, &parser, &state);
done:
    if (stream) fclose(stream);
    csv_free(&parser);
    akin_mem_free(state.bytes);
    akin_mem_free(state.lengths);
    akin_mem_free(state.fields);
    return status;
}

akin_status akin_csv_append(akin_text *text, const char *field) {
    size_t length = strlen(field);
    bool plain = length > 0 && !strpbrk(field, ",\"\r\n") && !strchr(" \t", field[0]) &&
                 !strchr(" \t", field[length - 1]);
    if (plain || length == 0) return akin_text_append_bytes(text, field, length);
    size_t room = 2 * length + 2;
    char *quoted = akin_mem_alloc(room, 1);
    if (!quoted) return AKIN_FAILED;
    size_t used = csv_write(quoted, room, field, length);
    akin_status status = akin_text_append_bytes(text, quoted, used);
    akin_mem_free(quoted);
    return status;
}
