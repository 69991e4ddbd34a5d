/* listing: an item's neighbours as text. */
#include "listing.h"
#include <akin/csv.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { SCORE_BYTES = 24 }; /* "-1.17549435e-38" is the longest */

/* The digits of magnitude in [1e-4, 1): nine significant ones, as an integer scaled by a power of
 * ten. A float times 10^9 ... 10^12 is exact in a double (24 bits by at most 28, and powers of
 * two), so rint rounds as printf does. */
static int format_fraction(char *out, double magnitude) {
    static const double limits[] = {1e-1, 1e-2, 1e-3, 1e-4}, scales[] = {1e9, 1e10, 1e11, 1e12};
    int zeros = 0;
    while (magnitude < limits[zeros]) zeros++;
    uint32_t digits = (uint32_t)rint(magnitude * scales[zeros]); /* at most 10^9 */
    int count =
        9 + zeros; /* behind the point; rounding up to a power of ten only adds a zero at the end */
    while (digits % 10 == 0) {
        digits /= 10;
        count--;
    }
    out[0] = '0';
    out[1] = '.';
    for (int i = count; i-- > 0; digits /= 10) out[2 + i] = (char)('0' + digits % 10);
    return 2 + count;
}

static size_t format_score(char out[SCORE_BYTES], float score) {
    double magnitude = fabs((double)score);
    int used = 0;
    if (magnitude < 1e-4 || magnitude >= 1)
        return (size_t)snprintf(out, SCORE_BYTES, "%.9g", (double)score);
    if (score < 0) out[used++] = '-';
    return (size_t)(used + format_fraction(out + used, magnitude));
}

akin_status akin_listing_score(akin_text *text, float score) {
    char out[SCORE_BYTES];
    return akin_text_append_bytes(text, out, format_score(out, score));
}

/* `[["b",0.875],["c",0.5]]`, with `gap` behind each comma. Written in place: this is what
 * publishing mostly does. */
static akin_status append_pairs(akin_text *text, const akin_ids *ids, const akin_list *list,
                                const char *gap) {
    size_t most = 2, gap_length = strlen(gap);
    for (size_t i = 0; i < list->count; i++)
        most += AKIN_TEXT_JSON_MAX(akin_ids_length(ids, (size_t)list->neighbor[i])) + SCORE_BYTES +
                2 * gap_length + 4;
    char *begin = akin_text_room(text, most), *at = begin;
    if (!begin) return AKIN_FAILED;
    *at++ = '[';
    for (size_t i = 0; i < list->count; i++) {
        size_t row = (size_t)list->neighbor[i];
        if (i > 0) {
            *at++ = ',';
            memcpy(at, gap, gap_length);
            at += gap_length;
        }
        *at++ = '[';
        at += akin_text_json(at, akin_ids_text(ids, row), akin_ids_length(ids, row));
        *at++ = ',';
        memcpy(at, gap, gap_length);
        at += gap_length;
        at += format_score(at, list->score[i]);
        *at++ = ']';
    }
    *at++ = ']';
    akin_text_extend(text, (size_t)(at - begin));
    return AKIN_OK;
}

static akin_status append(akin_text *text, const char *word) {
    return akin_text_append_bytes(text, word, strlen(word));
}

akin_status akin_listing_json(akin_text *text, const akin_ids *ids, const akin_list *list) {
    akin_status status = AKIN_OK;
    AKIN_TRY(append(text, "{\"id\": "));
    AKIN_TRY(akin_text_append_json(text, akin_ids_text(ids, list->item)));
    AKIN_TRY(append(text, ", \"neighbors\": "));
    AKIN_TRY(append_pairs(text, ids, list, " "));
    AKIN_TRY(append(text, "}\n"));
done:
    return status;
}

akin_status akin_listing_csv(akin_text *text, const akin_ids *ids, const akin_list *list) {
    akin_status status = AKIN_OK;
    for (size_t i = 0; i < list->count; i++) {
        AKIN_TRY(akin_csv_append(text, akin_ids_text(ids, list->item)));
        AKIN_TRY(akin_text_append(text, ",%zu,", i + 1));
        AKIN_TRY(akin_csv_append(text, akin_ids_text(ids, (size_t)list->neighbor[i])));
        AKIN_TRY(append(text, ","));
        AKIN_TRY(akin_listing_score(text, list->score[i]));
        AKIN_TRY(append(text, "\n"));
    }
done:
    return status;
}

akin_status akin_listing_pairs(akin_text *text, const akin_ids *ids, const akin_list *list) {
    return append_pairs(text, ids, list, "");
}

akin_status akin_listing_ids(akin_text *text, const akin_ids *ids, const akin_list *list) {
    akin_status status = AKIN_OK;
    for (size_t i = 0; i < list->count; i++) {
        size_t row = (size_t)list->neighbor[i];
        const char *id = akin_ids_text(ids, row);
        if (strchr(id, ' '))
            return akin_error_set(
                AKIN_INPUT,
                "id \"%s\" of row %zu holds a blank, and --format ids joins ids by blanks: use "
                "--format json",
                id, row);
        if (i > 0) AKIN_TRY(append(text, " "));
        AKIN_TRY(akin_text_append_bytes(text, id, akin_ids_length(ids, row)));
    }
done:
    return status;
}
