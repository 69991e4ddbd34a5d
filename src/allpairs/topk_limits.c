/* topk_limits: lists with a limit on the number of entries of each kind. */
#include <akin/topk.h>
#include <string.h>

enum { BAR, HELD, KEYS };

static int32_t kind_of(const akin_topk_limits *limits, uint64_t key) {
    return limits->kind[akin_topk_row(key)];
}

/* How many of these are of the kind, and the last of them. */
static size_t count_kind(const akin_topk_limits *limits, const uint64_t *keys, size_t count,
                         int32_t kind, size_t *last) {
    size_t found = 0;
    for (size_t e = 0; e < count; e++)
        if (kind_of(limits, keys[e]) == kind) found++, *last = e;
    return found;
}

void akin_topk_limits_push(const akin_topk_limits *limits, uint64_t *list, size_t k, uint64_t key) {
    uint64_t *keys = list + KEYS;
    if (key <= list[BAR]) return;
    int32_t kind = kind_of(limits, key);
    size_t held = (size_t)list[HELD], at = held, out = held;
    while (at > 0 && keys[at - 1] < key) at--;
    if (kind >= 0 && count_kind(limits, keys, held, kind, &out) >= (size_t)limits->most[kind]) {
        if (out < at) return; /* all of the kind are better */
    } else if (held == k) {
        out = k - 1;
    } else {
        out = held;
        list[HELD]++;
    }
    memmove(keys + at + 1, keys + at, (out - at) * sizeof *keys);
    keys[at] = key;
    if (list[HELD] == k) akin_topk_raise(list, keys[k - 1]);
}

void akin_topk_limits_merge(const akin_topk_limits *limits, const uint64_t *a, const uint64_t *b,
                            size_t k, uint64_t *out) {
    if (limits == NULL) {
        akin_topk_merge(a, b, k, out);
        return;
    }
    size_t i = 0, j = 0, n = 0, last;
    while (n < k && (i < k || j < k)) {
        uint64_t from_a = i < k ? a[i] : 0, from_b = j < k ? b[j] : 0;
        uint64_t key = from_a > from_b ? from_a : from_b;
        if (key == 0) break;
        i += from_a == key;
        j += from_b == key;
        int32_t kind = kind_of(limits, key);
        if (kind < 0 || count_kind(limits, out, n, kind, &last) < (size_t)limits->most[kind])
            out[n++] = key;
    }
    memset(out + n, 0, (k - n) * sizeof *out);
}
