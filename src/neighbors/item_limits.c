/* item_limits: limits the number of neighbours with the same value in each list. */
#include "item_limits.h"
#include <akin/mem.h>
#include <stdlib.h>
#include <string.h>

/* An attribute and the values of all items. */
typedef struct {
    int32_t most;
    int32_t *value;          /* [items], -1 = none */
    akin_label_parts *parts; /* NULL: a value is one */
    int32_t *used;           /* [names]: number in the current list */
} limit;

struct akin_item_limits {
    size_t items, count;
    limit limit[AKIN_ITEM_LIMITS_MOST];
    akin_topk_limits kinds;
    int32_t *kind, *most;
    int32_t times;        /* `most` is so many times the least limit of the kind */
    int32_t *seen, *left; /* [items], by kind, for one list; NULL: not loosened */
};

static akin_status gather_values(akin_comm *comm, const akin_vectors *vectors,
                                 const akin_item_attribute *a, limit *out) {
    akin_status status;
    size_t count = akin_vectors_count(vectors);
    int32_t *mine = akin_mem_alloc(count, sizeof *mine);
    AKIN_TRY(akin_agree(comm, mine ? AKIN_OK : AKIN_FAILED));
    for (size_t i = 0; i < count; i++) mine[i] = akin_item_attribute_value(a, i);
    AKIN_TRY(akin_comm_gather(comm, mine, count * sizeof *mine, -1, (void **)&out->value, NULL));
done:
    akin_mem_free(mine);
    return status;
}

/* The values of the products' first pictures; a product is available if any of its pictures is. */
static akin_status take_first(const akin_products *products, const akin_item_attribute *a,
                              limit *l) {
    int32_t *value = akin_mem_alloc(products->count, sizeof *value);
    if (!value) return AKIN_FAILED;
    for (size_t p = 0; p < products->count; p++) value[p] = l->value[products->first_item[p]];
    for (size_t p = 0; a->which == AKIN_ITEM_ATTRIBUTE_AVAILABLE && p < products->count; p++)
        value[p] = products->available[p];
    akin_mem_free(l->value);
    l->value = value;
    return AKIN_OK;
}

static akin_status prepare(const akin_item_attribute *a, limit *out) {
    size_t names = a->values;
    if (a->many) {
        if (akin_label_parts_create(a, &out->parts) != AKIN_OK) return AKIN_FAILED;
        names = out->parts->names;
    }
    out->used = akin_mem_zalloc(names + 1, sizeof *out->used);
    return out->used ? AKIN_OK : AKIN_FAILED;
}

/* --- kinds --- */

typedef struct {
    int32_t value[AKIN_ITEM_LIMITS_MOST], row;
} tuple;

static int by_values(const void *x, const void *y) {
    const tuple *a = x, *b = y;
    for (size_t l = 0; l < AKIN_ITEM_LIMITS_MOST; l++)
        if (a->value[l] != b->value[l]) return a->value[l] < b->value[l] ? -1 : 1;
    return 0;
}

/* The smallest limit among the item's values; -1: it has none. */
static int32_t least_of(const akin_item_limits *limits, int32_t row) {
    int32_t least = -1;
    for (size_t l = 0; l < limits->count; l++)
        if (limits->limit[l].value[row] >= 0 && (least < 0 || limits->limit[l].most < least))
            least = limits->limit[l].most;
    return least;
}

static akin_status make_kinds(akin_item_limits *limits) {
    size_t n = limits->items;
    int32_t kinds = 0;
    tuple *order = akin_mem_zalloc(n, sizeof *order);
    limits->kind = akin_mem_alloc(n, sizeof *limits->kind);
    limits->most = akin_mem_alloc(n, sizeof *limits->most);
    if (!order || !limits->kind || !limits->most) {
        akin_mem_free(order);
        return AKIN_FAILED;
    }
    for (size_t i = 0; i < n; i++) {
        order[i].row = (int32_t)i;
        for (size_t l = 0; l < limits->count; l++) order[i].value[l] = limits->limit[l].value[i];
    }
    qsort(order, n, sizeof *order, by_values);
    for (size_t i = 0; i < n; i++) {
        int32_t row = order[i].row, least = least_of(limits, row);
        bool again = i > 0 && by_values(&order[i - 1], &order[i]) == 0;
        limits->kind[row] = least < 0 ? -1 : again ? kinds - 1 : kinds++;
        if (least >= 0) limits->most[limits->kind[row]] = least;
    }
    akin_mem_free(order);
    limits->kinds = (akin_topk_limits){limits->kind, limits->most};
    return AKIN_OK;
}

akin_status akin_item_limits_create(akin_comm *comm, const akin_vectors *vectors,
                                    const akin_products *products, const akin_item_limit *given,
                                    size_t count, akin_item_limits **out) {
    akin_status status;
    akin_item_limits *limits = akin_mem_zalloc(1, sizeof *limits);
    *out = NULL;
    AKIN_TRY(akin_agree(comm, limits ? AKIN_OK : AKIN_FAILED));
    limits->items = products ? products->count : akin_vectors_items(vectors);
    limits->count = count;
    limits->times = 1;
    for (size_t l = 0; l < count; l++) {
        limits->limit[l].most = given[l].most;
        AKIN_TRY(gather_values(comm, vectors, &given[l].attribute, &limits->limit[l]));
        akin_status local =
            products ? take_first(products, &given[l].attribute, &limits->limit[l]) : AKIN_OK;
        if (local == AKIN_OK) local = prepare(&given[l].attribute, &limits->limit[l]);
        AKIN_TRY(akin_agree(comm, local));
    }
    AKIN_TRY(akin_agree(comm, make_kinds(limits)));
    *out = limits, limits = NULL;
done:
    akin_item_limits_free(limits);
    return status;
}

void akin_item_limits_free(akin_item_limits *limits) {
    if (limits == NULL) return;
    for (size_t l = 0; l < limits->count; l++) {
        akin_mem_free(limits->limit[l].value);
        akin_mem_free(limits->limit[l].used);
        akin_label_parts_free(limits->limit[l].parts);
    }
    akin_mem_free(limits->kind);
    akin_mem_free(limits->most);
    akin_mem_free(limits->seen);
    akin_mem_free(limits->left);
    akin_mem_free(limits);
}

const akin_topk_limits *akin_item_limits_kinds(const akin_item_limits *limits) {
    return &limits->kinds;
}

bool akin_item_limits_several(const akin_item_limits *limits) {
    return limits->count > 1 || limits->limit[0].parts != NULL;
}

akin_status akin_item_limits_loosen(akin_item_limits *limits, int32_t times) {
    limits->seen = akin_mem_zalloc(limits->items, sizeof *limits->seen);
    limits->left = akin_mem_zalloc(limits->items, sizeof *limits->left);
    if (!limits->seen || !limits->left) return AKIN_FAILED;
    int32_t kinds = 0;
    for (size_t i = 0; i < limits->items; i++)
        if (limits->kind[i] >= kinds) kinds = limits->kind[i] + 1;
    for (int32_t q = 0; q < kinds; q++)
        limits->most[q] = limits->most[q] < INT32_MAX / times ? times * limits->most[q] : INT32_MAX;
    limits->times = times;
    return AKIN_OK;
}

/* --- applying the limits to a list --- */

static bool is_removed(const int32_t *of, int32_t same, int32_t row) {
    return of[row] >= 0 || row == same;
}

/* Whether rows of this kind may be missing: the list holds as many as the comparison keeps, and those that
 * remain do not use up a limit of the kind, as a result of which all others would be refused. */
static bool lacks(const akin_item_limits *limits, int32_t kind) {
    return kind >= 0 && limits->seen[kind] >= limits->most[kind] &&
           limits->left[kind] < limits->most[kind] / limits->times;
}

/* Counts the kinds in a list; returns its length. */
static size_t count_kinds(akin_item_limits *limits, const int32_t *of, int32_t same,
                          const uint64_t *list, size_t width) {
    size_t count = 0;
    for (; count < width && list[count] != 0; count++) {
        int32_t row = akin_topk_row(list[count]), kind = limits->kind[row];
        if (kind < 0) continue;
        limits->seen[kind]++;
        limits->left[kind] += !is_removed(of, same, row);
    }
    return count;
}

bool akin_item_limits_remove(akin_item_limits *limits, const int32_t *of, int32_t same,
                             uint64_t *list, size_t width) {
    size_t count = count_kinds(limits, of, same, list, width), held = 0, end = count;
    bool whole = true;
    for (size_t e = count; e-- > 0;) { /* others are missing behind the last one of a kind */
        int32_t kind = limits->kind[akin_topk_row(list[e])];
        if (!lacks(limits, kind)) continue;
        end = e + 1, whole = false;
        limits->seen[kind] = 0;
    }
    for (size_t e = 0; e < count; e++) {
        int32_t row = akin_topk_row(list[e]), kind = limits->kind[row];
        if (kind >= 0) limits->seen[kind] = limits->left[kind] = 0;
        if (e < end && !is_removed(of, same, row)) list[held++] = list[e];
    }
    memset(list + held, 0, (width - held) * sizeof *list);
    return whole;
}

/* The names of a limited attribute that a row has. */
static size_t names_of(const limit *l, int32_t row, const int32_t **names) {
    int32_t value = l->value[row];
    if (value < 0) return 0;
    if (l->parts == NULL) {
        *names = &l->value[row];
        return 1;
    }
    *names = l->parts->part + l->parts->first[value];
    return l->parts->first[value + 1] - l->parts->first[value];
}

static void count_row(akin_item_limits *limits, int32_t row, int32_t by) {
    const int32_t *names;
    for (size_t l = 0; l < limits->count; l++) {
        size_t count = names_of(&limits->limit[l], row, &names);
        for (size_t e = 0; e < count; e++) limits->limit[l].used[names[e]] += by;
    }
}

static bool fits(const akin_item_limits *limits, int32_t row) {
    const int32_t *names;
    for (size_t l = 0; l < limits->count; l++) {
        size_t count = names_of(&limits->limit[l], row, &names);
        for (size_t e = 0; e < count; e++)
            if (limits->limit[l].used[names[e]] >= limits->limit[l].most) return false;
    }
    return true;
}

static bool is_among(const int32_t *rows, size_t count, int32_t row) {
    for (size_t e = 0; e < count; e++)
        if (rows[e] == row) return true;
    return false;
}

size_t akin_item_limits_take(akin_item_limits *limits, const int32_t *taken, size_t taken_count,
                             uint64_t *list, size_t width, size_t k) {
    size_t held = 0;
    for (size_t e = 0; e < taken_count; e++) count_row(limits, taken[e], 1);
    for (size_t e = 0; e < width && held < k && list[e] != 0; e++) {
        int32_t row = akin_topk_row(list[e]);
        if (is_among(taken, taken_count, row) || !fits(limits, row)) continue;
        count_row(limits, row, 1);
        list[held++] = list[e];
    }
    for (size_t e = 0; e < taken_count; e++) count_row(limits, taken[e], -1);
    for (size_t e = 0; e < held; e++) count_row(limits, akin_topk_row(list[e]), -1);
    memset(list + held, 0, (width - held) * sizeof *list);
    return held;
}
