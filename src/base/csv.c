/* csv: reads rows and writes quoted fields with libcsv.
 *
 * libcsv continues quoting when text follows a closing quote, and so swallows rows. A second
 * libcsv parser, in strict mode, runs ahead and stops there; the rest of that field is then passed
 * to the first parser as text, so that rows match those of Python's csv module.
 */
#include <akin/charset.h>
#include <akin/csv.h>
#include <akin/mem.h>
#include <csv.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define PIECE 65536 /* bytes read at a time */

/* The current row: its fields' bytes consecutively, each field with a NUL; pointers are set when
 * the row is complete, since the buffer moves while it grows. */
typedef struct {
    const char *path;
    char *bytes;
    size_t used, size;
    size_t *lengths;
    const char **fields;
    size_t count, room;
    size_t row;
    bool after_return; /* a carriage return ended the previous row: a newline right after it is
                        * not another one */
    char separator;
    bool spans; /* a field of the row contains line ends and separators */
    akin_csv_row each;
    void *context;
    akin_csv_seen *seen;
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
    if (count > 0 && memchr(bytes, state->separator, count) &&
        (memchr(bytes, '\n', count) || memchr(bytes, '\r', count)))
        state->spans = true;
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
    if (state->count == 0) return; /* a blank row counts, as in a spreadsheet */
    size_t at = 0;
    for (size_t i = 0; i < state->count; i++) {
        state->fields[i] = state->bytes + at;
        at += state->lengths[i] + 1;
    }
    if (state->spans && state->seen->spanning++ == 0) state->seen->first_spanning = state->row;
    state->spans = false;
    state->status =
        state->each(state->context, state->row, state->count, state->fields, state->lengths);
    state->count = 0;
    state->used = 0;
}

/* libcsv grows a field's buffer without bound; the limit turns a quote that is never closed into
 * an error message. */
static void *limited_realloc(void *block, size_t size) {
    return size > AKIN_CSV_FIELD_LIMIT ? NULL : realloc(block, size);
}

static int is_no_space(unsigned char byte) {
    (void)byte;
    return 0;
}

/* Both parsers of a file, and the state they share. */
typedef struct {
    struct csv_parser rows, scout;
    row_state *state;
    bool held;     /* a quote that `scout` has seen and `rows` has not: it may be literal */
    bool in_text;  /* the rest of the field is literal text */
    bool in_quote; /* and `rows` is inside a quoted field */
} parsers;

static akin_status parser_failure(struct csv_parser *parser, const row_state *state) {
    int error = csv_error(parser);
    size_t row = state->row + 1;
    if (error == CSV_ENOMEM && csv_get_buffer_size(parser) < AKIN_CSV_FIELD_LIMIT / 2)
        return akin_error_set(AKIN_FAILED, "%s: row %zu: %s", state->path, row,
                              csv_strerror(error));
    /* Whether a field at the size limit is quoted: closing the parser shows it. */
    csv_set_opts(parser, CSV_STRICT | CSV_STRICT_FINI | CSV_REPALL_NL);
    if (error == CSV_EPARSE || csv_fini(parser, NULL, NULL, NULL) != 0)
        return akin_error_set(
            AKIN_INPUT, "%s: the quote opened in row %zu is never closed; close it or double it",
            state->path, row);
    return akin_error_set(
        AKIN_INPUT,
        "%s: a field of row %zu is longer than %zu bytes: is this a table of text "
        "with a row in each line?",
        state->path, row, AKIN_CSV_FIELD_LIMIT);
}

static akin_status give(parsers *p, const char *bytes, size_t count) {
    row_state *state = p->state;
    if (count > 0 && csv_parse(&p->rows, bytes, count, end_field, end_row, state) != count)
        return state->status != AKIN_OK ? state->status : parser_failure(&p->rows, state);
    return state->status;
}

/* Up to the separator or the line end; *used: how many bytes. */
static akin_status give_text(parsers *p, const char *bytes, size_t count, size_t *used) {
    akin_status status = AKIN_OK;
    const char separator = p->state->separator;
    size_t end = 0;
    while (end < count && bytes[end] != separator && bytes[end] != '\n' && bytes[end] != '\r')
        end++;
    for (size_t at = 0, next; at < end; at = next) {
        const char *quote = p->in_quote ? memchr(bytes + at, '"', end - at) : NULL;
        next = quote ? (size_t)(quote - bytes) + 1 : end;
        AKIN_TRY(give(p, bytes + at, next - at));
        if (quote) AKIN_TRY(give(p, "\"", 1)); /* doubled */
    }
    if (end < count) {
        if (p->in_quote) AKIN_TRY(give(p, "\"", 1));
        p->in_text = p->in_quote = false;
    }
    *used = end;
done:
    return status;
}

/* Up to a literal quote, or all of it. */
static akin_status give_fields(parsers *p, const char *bytes, size_t count, size_t *used) {
    akin_status status = AKIN_OK;
    size_t good = csv_parse(&p->scout, bytes, count, NULL, NULL, NULL);
    if (good < count && csv_error(&p->scout) != CSV_EPARSE)
        return parser_failure(&p->scout, p->state);
    *used = good;
    if (good == count) {
        if (p->held) AKIN_TRY(give(p, "\"", 1));
        p->held = bytes[count - 1] == '"';
        return give(p, bytes, count - p->held);
    }
    /* Either a quote within text, an ordinary byte, or text after a closing quote. */
    p->in_text = true;
    p->in_quote = bytes[good] != '"';
    if (p->held && !(p->in_quote && good == 0)) AKIN_TRY(give(p, "\"", 1));
    p->held = false;
    if (good > 0) AKIN_TRY(give(p, bytes, good - p->in_quote));
    csv_fini(&p->scout, NULL, NULL, NULL); /* it starts again after this field */
done:
    return status;
}

static akin_status read_pieces(akin_charset *file, parsers *p) {
    akin_status status = AKIN_OK;
    char piece[PIECE];
    for (size_t count = 0;;) {
        AKIN_TRY(akin_charset_read(file, (unsigned char *)piece, sizeof piece, &count));
        if (count == 0) break;
        for (size_t at = 0, used = 0; at < count; at += used)
            AKIN_TRY(p->in_text ? give_text(p, piece + at, count - at, &used)
                                : give_fields(p, piece + at, count - at, &used));
    }
    if (p->held || p->in_quote) AKIN_TRY(give(p, "\"", 1));
    /* Reading is lenient, so that a stray quote inside a field is an ordinary byte; but a quote
     * still open at the end has swallowed the rest of the file. */
    csv_set_opts(&p->rows, CSV_STRICT | CSV_STRICT_FINI | CSV_REPALL_NL);
    if (csv_fini(&p->rows, end_field, end_row, p->state) != 0)
        return parser_failure(&p->rows, p->state);
    status = p->state->status;
done:
    return status;
}

/* false: out of memory. */
static bool create_parser(struct csv_parser *parser, int options, char separator) {
    if (csv_init(parser, (unsigned char)options) != 0) return false;
    csv_set_delim(parser, (unsigned char)separator);
    csv_set_space_func(parser, is_no_space);
    csv_set_realloc_func(parser, limited_realloc);
    csv_set_blk_size(parser, 1 << 16); /* growth of its buffer */
    return true;
}

akin_status akin_csv_read_table(const akin_csv_params *params, akin_csv_row each, void *context,
                                akin_csv_seen *seen) {
    akin_status status = AKIN_OK;
    akin_charset *file = NULL;
    row_state state = {.path = params->path,
                       .separator = params->separator,
                       .each = each,
                       .context = context,
                       .seen = seen};
    parsers p = {.state = &state};
    *seen = (akin_csv_seen){0};
    if (!create_parser(&p.rows, CSV_REPALL_NL, params->separator) ||
        !create_parser(&p.scout, CSV_REPALL_NL | CSV_STRICT, params->separator)) {
        status = akin_error_set(AKIN_FAILED, "%s: not enough memory to read it", params->path);
        goto done;
    }
    AKIN_TRY(akin_charset_open(params->path, params->encoding, &file));
    status = read_pieces(file, &p);
done:
    akin_charset_close(file);
    csv_free(&p.rows);
    csv_free(&p.scout);
    akin_mem_free(state.bytes);
    akin_mem_free(state.lengths);
    akin_mem_free(state.fields);
    return status;
}

akin_status akin_csv_read(const char *path, char separator, akin_csv_row each, void *context) {
    akin_csv_seen seen;
    const akin_csv_params params = {path, separator, NULL};
    return akin_csv_read_table(&params, each, context, &seen);
}

/* --- writing --- */

static const char apostrophe[] = "'", formulas[] = "=+-@";
static bool is_safe; /* process-wide, set from the verb's options */

void akin_csv_make_safe(bool safe) {
    is_safe = safe;
}

static bool looks_like_a_formula(const char *field) {
    return *field && strchr(formulas, *field);
}

const char *akin_csv_unsafe(const char *field) {
    return is_safe && *field == *apostrophe && looks_like_a_formula(field + 1) ? field + 1 : field;
}

akin_status akin_csv_append(akin_text *text, const char *field) {
    akin_status status = AKIN_OK;
    size_t length = strlen(field), mark = is_safe && looks_like_a_formula(field) ? 1 : 0;
    bool plain = length == 0 || (!strpbrk(field, ",\"\r\n") && !strchr(" \t", field[0]) &&
                                 !strchr(" \t", field[length - 1]));
    if (plain) {
        AKIN_TRY(akin_text_append_bytes(text, apostrophe, mark));
        return akin_text_append_bytes(text, field, length);
    }
    size_t room = 2 * length + 2;
    char *quoted = akin_mem_alloc(room, 1);
    if (!quoted) return AKIN_FAILED;
    size_t used = csv_write(quoted, room, field, length);
    status = akin_text_append_bytes(text, quoted, 1); /* the opening quote */
    if (status == AKIN_OK) status = akin_text_append_bytes(text, apostrophe, mark);
    if (status == AKIN_OK) status = akin_text_append_bytes(text, quoted + 1, used - 1);
    akin_mem_free(quoted);
done:
    return status;
}
