/* listing: an item's neighbours as text.
 *
 * Floor 3 (stages); looks down to error, text, csv, ids; within its floor to lists.
 */
#include <akin/csv.h>
#include <akin/listing.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define SCORE_BYTES 24 /* "-1.17549435e-38" is the longest */

/* The digits of magnitude in [1e-4, 1): nine significant ones, as an integer scaled by a power of ten. A float times
 * 10^9 ... 10^12 is exact in a double (24 bits by at most 28, and powers of two), so rint rounds as printf does. */
static int format_fraction(char *out, double magnitude) {
    static const double limits[] = {1e-1, 1e-2, 1e-3, 1e-4}, scales[] = {1e9, 1e10, 1e11, 1e12};
    int zeros = 0;
    while (magnitude < limits[zeros]) zeros++;
    unsigned long long digits = (unsigned long long)rint(magnitude * scales[zeros]);
    int count = 9 + zeros; /* behind the point; rounding up to a power of ten only adds a zero at the end */
    while (digits % 10 == 0) {
        digits /= 10;
        count--;
    }
    out[0] = '0';
    out[1] = '.';
    for (int i = count; i-- > 0; digits /= 10) out[2 + i] = (char)('0' + digits % 10);
    return 2 + count;
}

akin_status akin_listing_score(akin_text *text, float score) {
    char out[SCORE_BYTES];
    double magnitude = fabs((double)score);
    int used = 0;
    if (score < 0) out[used++] = '-';
    if (magnitude >= 1e-4 && magnitude < 1)
        used += format_fraction(out + used, magnitude);
    else
        used = snprintf(out, sizeof out, "%.9g", (double)score);
    return akin_text_append_bytes(text, out, (size_t)used);
}

static akin_status append(akin_text *text, const char *word) {
    return akin_text_append_bytes(text, word, strlen(word));
}

akin_status akin_listing_json(akin_text *text, const akin_ids *ids, const akin_list *list) {
    akin_status status = AKIN_OK;
    AKIN_TRY(append(text, "{\"id\": "));
    AKIN_TRY(akin_text_append_json(text, akin_ids_text(ids, list->item)));
    AKIN_TRY(append(text, ", \"neighbors\": ["));
    for (size_t i = 0; i < list->count; i++) {
        AKIN_TRY(append(text, i > 0 ? ", [" : "["));
        AKIN_TRY(akin_text_append_json(text, akin_ids_text(ids, (size_t)list->neighbor[i])));
        AKIN_TRY(append(text, ", "));
        AKIN_TRY(akin_listing_score(text, list->score[i]));
        AKIN_TRY(append(text, "]"));
    }
    AKIN_TRY(append(text, "]}\n"));
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
    akin_status status = AKIN_OK;
    AKIN_TRY(append(text, "["));
    for (size_t i = 0; i < list->count; i++) {
        AKIN_TRY(append(text, i > 0 ? ",[" : "["));
        AKIN_TRY(akin_text_append_json(text, akin_ids_text(ids, (size_t)list->neighbor[i])));
        AKIN_TRY(append(text, ","));
        AKIN_TRY(akin_listing_score(text, list->score[i]));
        AKIN_TRY(append(text, "]"));
    }
    AKIN_TRY(append(text, "]"));
done:
    return status;
}

akin_status akin_listing_ids(akin_text *text, const akin_ids *ids, const akin_list *list) {
    akin_status status = AKIN_OK;
    for (size_t i = 0; i < list->count; i++) {
        size_t row = (size_t)list->neighbor[i];
        const char *id = akin_ids_text(ids, row);
        if (strchr(id, ' '))
            return akin_error_set(AKIN_INPUT,
                                  "id \"%s\" of row %zu holds a blank, and --format ids joins ids by blanks: use "
                                  "--format json",
                                  id, row);
        if (i > 0) AKIN_TRY(append(text, " "));
        AKIN_TRY(akin_text_append_bytes(text, id, akin_ids_length(ids, row)));
    }
done:
    return status;
}
