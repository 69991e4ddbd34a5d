/* bucket: which of B parts an id belongs to; the one module with <zlib.h>. */
#include "bucket.h"
#include <zlib.h>

size_t akin_bucket(const char *id, size_t length, size_t buckets) {
    if (buckets < 2) return 0;
    return (size_t)crc32_z(0, (const unsigned char *)id, length) % buckets;
}
