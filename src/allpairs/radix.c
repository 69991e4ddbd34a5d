/* radix: sorts many small records by an integer key. */
#include "radix.h"
#include <stdbool.h>
#include <string.h>

enum { BITS = 11, BUCKETS = 1 << BITS, DIGITS = 3 };

static size_t digit(uint32_t key, int d) {
    return key >> (d * BITS) & (BUCKETS - 1);
}

static bool ascending(const akin_radix_record *records, size_t count) {
    for (size_t i = 1; i < count; i++)
        if (records[i].key < records[i - 1].key) return false;
    return true;
}

static void sort_by_digit(const akin_radix_record *from, size_t count, int d,
                          akin_radix_record *to) {
    size_t next[BUCKETS] = {0}, before = 0;
    for (size_t i = 0; i < count; i++) next[digit(from[i].key, d)]++;
    for (size_t b = 0; b < BUCKETS; b++) {
        size_t here = next[b];
        next[b] = before, before += here;
    }
    for (size_t i = 0; i < count; i++) to[next[digit(from[i].key, d)]++] = from[i];
}

void akin_radix_sort(akin_radix_record *records, size_t count, akin_radix_record *scratch) {
    uint32_t differ = 0;
    if (ascending(records, count)) return;
    for (size_t i = 1; i < count; i++) differ |= records[i].key ^ records[0].key;
    for (int d = 0; d < DIGITS; d++) {
        if (digit(differ, d) == 0) continue;
        sort_by_digit(records, count, d, scratch);
        memcpy(records, scratch, count * sizeof *records);
    }
}
