/* radix: sorts many small records by an integer key. Not collective. Cannot fail. Pure. */
#ifndef AKIN_RADIX_H
#define AKIN_RADIX_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint32_t key, at;
} akin_radix_record;

/* Ascending by key, stable, so that sorting by the last key first sorts by several keys. */
void akin_radix_sort(akin_radix_record *records /* [count] */, size_t count,
                     akin_radix_record *scratch /* [count] */);

#endif
