/* shard: which rank has which items. */
#include <akin/shard.h>

size_t akin_shard_first(size_t n, int size, int rank) {
    size_t share = n / (size_t)size, rest = n % (size_t)size, r = (size_t)rank;
    return share * r + (r < rest ? r : rest);
}

size_t akin_shard_count(size_t n, int size, int rank) {
    return akin_shard_first(n, size, rank + 1) - akin_shard_first(n, size, rank);
}

int akin_shard_owner(size_t n, int size, size_t item) {
    size_t share = n / (size_t)size, rest = n % (size_t)size;
    size_t in_longer = (share + 1) * rest; /* items in the shards with an extra item */
    return (int)(item < in_longer ? item / (share + 1) : rest + (item - in_longer) / share);
}
