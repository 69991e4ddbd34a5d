/* mistakes: see mistakes.h. */
#include "mistakes.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void akin_mistakes_note(akin_mistakes *found, akin_status status) {
    if (status == AKIN_OK) return;
    if (found->status == AKIN_OK || status == AKIN_USAGE) found->status = status;
    akin_error_gather(&found->all);
}

/* The first number between a colon and `end`; LONG_MAX: none. */
static long number_before(const char *text, const char *end) {
    for (; (text = strchr(text, ':')); text++) {
        size_t digits = strspn(text + 1, "0123456789");
        if (digits > 0 && strncmp(text + 1 + digits, end, strlen(end)) == 0) return atol(text + 1);
    }
    return LONG_MAX;
}

/* The line of the job file that a message is about, "night.ini:7: [train] ..." or "night.ini:7: ...";
 * LONG_MAX: about none. */
static long line_of(const char *text) {
    long line = number_before(text, ": [");
    return line < LONG_MAX ? line : number_before(text, ": ");
}

/* Stable: those of one line stay in the order in which they were found. */
static void sort(const char **texts, size_t count) {
    for (size_t i = 1; i < count; i++) {
        const char *one = texts[i];
        size_t at = i;
        for (; at > 0 && line_of(texts[at - 1]) > line_of(one); at--) texts[at] = texts[at - 1];
        texts[at] = one;
    }
}

akin_status akin_mistakes_sum(const akin_mistakes *found) {
    enum { MOST = 256 };
    const char *texts[MOST];
    char lines[AKIN_ERROR_SIZE];
    size_t count = 0, used = 0;
    akin_error_kept sorted = found->all;
    if (found->status == AKIN_OK) return AKIN_OK;
    snprintf(lines, sizeof lines, "%s", found->all.message);
    char *rest = lines;
    for (char *text; count < MOST && (text = strsep(&rest, "\n"));) texts[count++] = text;
    sort(texts, count);
    for (size_t i = 0; i < count; i++)
        used += (size_t)snprintf(sorted.message + used, sizeof sorted.message - used, "%s%s",
                                 i > 0 ? "\n" : "", texts[i]);
    akin_error_restore(&sorted);
    return found->status;
}
