/* backfill: appends the most central items of a category to lists that are too short. */
#include "backfill.h"
#include "central.h"
#include "remote_rows.h"
#include <akin/labels.h>
#include <akin/mem.h>
#include <akin/topk.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_BYTES ((size_t)32 << 20) /* bytes of sums, and of gathered candidates, at a time */

typedef struct {
    int32_t row, group;
} central;

/* A candidate; `slot`: the number of its category among those that are needed. */
typedef struct {
    int32_t slot, group;
    uint64_t key;
    akin_row_values values; /* if rules need them */
} candidate;

typedef struct {
    akin_comm *comm;
    const akin_vectors *vectors;
    const akin_row_block_rules *rules;
    const akin_item_rules *item_rules; /* NULL: no rules for single items */
    const int32_t *duplicate_of;
    size_t k, most; /* most: candidates considered per category */
    int32_t *neighbor;
    float *score;
    int32_t *counts, *filled;
    int32_t *slot; /* [categories], -1 = not needed */
    size_t slots;
    size_t *starts; /* [slots + 1], indices into centrals */
    central *centrals;
    akin_row_values *values; /* of the centrals; only with item_rules */
    uint64_t *fitting;       /* scratch: candidates allowed in a list; only with item_rules */
} filling;

static size_t count_of(const filling *f) {
    return akin_vectors_count(f->vectors);
}

static int32_t category_of(const filling *f, size_t item) {
    return akin_labels_category(akin_vectors_labels(f->vectors))[item];
}

/* With two catalogues, only sources have lists, and lists contain only targets. */
static bool is_target_only(const filling *f, size_t item) {
    return akin_vectors_first(f->vectors) + item >= akin_vectors_sources(f->vectors);
}

/* Whether a short list already contains every item that the rules allow. That is so if no minimum
 * score was applied, since backfill ignores only that rule. */
static bool has_all(const filling *f, size_t item) {
    return f->item_rules && !f->duplicate_of && f->rules->min_score <= -1 &&
           akin_vectors_usable(f->vectors, item);
}

static bool needs(const filling *f, size_t item) {
    int64_t row = (int64_t)(akin_vectors_first(f->vectors) + item);
    if (f->item_rules && akin_item_blocks_alone(akin_item_rules_blocks(f->item_rules), row))
        return false;
    return !is_target_only(f, item) && (size_t)f->counts[item] < f->k &&
           category_of(f, item) >= 0 && !has_all(f, item);
}

static bool may_be_taken(const filling *f, size_t item) {
    bool two = akin_vectors_sources(f->vectors) < akin_vectors_items(f->vectors);
    if (!akin_vectors_usable(f->vectors, item) || category_of(f, item) < 0) return false;
    if (two && !is_target_only(f, item)) return false;
    akin_row_values values;
    int32_t available = akin_labels_available(akin_vectors_labels(f->vectors))[item];
    akin_row_rules_complete(f->rules->more, item, &values, &available);
    if (f->rules->only_available && !available) return false;
    return !f->duplicate_of || f->duplicate_of[akin_vectors_first(f->vectors) + item] < 0;
}

/* Finds the categories that have a short list on any rank. Collective; agreed. */
static akin_status find_needed(filling *f) {
    akin_status status;
    size_t categories = akin_labels_category_count(akin_vectors_labels(f->vectors));
    int64_t *needed = akin_mem_zalloc(categories, sizeof *needed);
    f->slot = akin_mem_alloc(categories, sizeof *f->slot);
    AKIN_TRY(akin_agree(f->comm, needed && f->slot ? AKIN_OK : AKIN_FAILED));
    for (size_t i = 0; i < count_of(f); i++)
        if (needs(f, i)) needed[category_of(f, i)] = 1;
    akin_comm_max_i64(f->comm, needed, categories);
    for (size_t c = 0; c < categories; c++) f->slot[c] = needed[c] ? (int32_t)f->slots++ : -1;
    f->starts = akin_mem_zalloc(f->slots + 1, sizeof *f->starts);
    AKIN_TRY(akin_agree(f->comm, f->starts ? AKIN_OK : AKIN_FAILED));
done:
    akin_mem_free(needed);
    return status;
}

/* --- the central items --- */

/* Slots [first, first + count). */
typedef struct {
    const filling *f;
    size_t first, count;
} slots_of;

/* The slot of an item's category among these, from 0; -1: not among them. */
static int32_t slot_within(const void *context, size_t item) {
    const slots_of *some = context;
    const filling *f = some->f;
    int32_t slot = may_be_taken(f, item) ? f->slot[category_of(f, item)] : -1;
    return slot >= (int32_t)some->first && slot < (int32_t)(some->first + some->count)
               ? slot - (int32_t)some->first
               : -1;
}

static int best_first(const void *x, const void *y) {
    const candidate *a = x, *b = y;
    if (a->slot != b->slot) return a->slot < b->slot ? -1 : 1;
    return (a->key < b->key) - (a->key > b->key);
}

static size_t count_of_group(const candidate *all, size_t count, int32_t group) {
    size_t found = 0;
    for (size_t i = 0; i < count; i++) found += all[i].group == group;
    return found;
}

/* Keeps the best candidates of each slot, sorted, in place; returns how many in total. If groups
 * are excluded, at most half of them are from one group, so that half remain for the items of that
 * group. */
static size_t keep_best(const filling *f, candidate *all, size_t count) {
    size_t kept = 0, begin = 0; /* in this slot */
    qsort(all, count, sizeof *all, best_first);
    for (size_t i = 0; i < count; i++) {
        if (kept > begin && all[i].slot != all[begin].slot) begin = kept;
        if (kept - begin == f->most) continue;
        if (!f->item_rules && f->rules->exclude_same_group && all[i].group >= 0 &&
            count_of_group(all + begin, kept - begin, all[i].group) == f->most / 2)
            continue;
        all[kept++] = all[i];
    }
    return kept;
}

/* This rank's best candidates in these categories. */
static akin_status list_own(const filling *f, const slots_of *some, const float *centres,
                            candidate **out, size_t *kept) {
    size_t found = 0, dim = akin_vectors_columns(f->vectors);
    for (size_t i = 0; i < count_of(f); i++) found += slot_within(some, i) >= 0;
    candidate *all = *out = akin_mem_alloc(found, sizeof *all);
    if (!all) return AKIN_FAILED;
    found = 0;
    for (size_t i = 0; i < count_of(f); i++) {
        int32_t slot = slot_within(some, i);
        if (slot < 0) continue;
        float value = akin_central_value(f->vectors, i, centres + (size_t)slot * dim);
        all[found] =
            (candidate){.slot = slot + (int32_t)some->first,
                        .group = akin_labels_group(akin_vectors_labels(f->vectors))[i],
                        .key = akin_topk_key(value, (int32_t)(akin_vectors_first(f->vectors) + i))};
        int32_t available;
        akin_row_rules_complete(f->rules->more, i, &all[found++].values, &available);
    }
    *kept = keep_best(f, all, found);
    return AKIN_OK;
}

static akin_status append(filling *f, const candidate *all, size_t count, size_t first,
                          size_t slots) {
    size_t begin = f->starts[first];
    central *grown = akin_mem_resize(f->centrals, begin, begin + count, sizeof *grown);
    if (!grown) return AKIN_FAILED;
    f->centrals = grown;
    if (f->item_rules) {
        akin_row_values *values = akin_mem_resize(f->values, begin, begin + count, sizeof *values);
        if (!values) return AKIN_FAILED;
        f->values = values;
    }
    for (size_t i = 0; i < count; i++) {
        if (f->item_rules) f->values[begin + i] = all[i].values;
        f->centrals[begin + i] = (central){akin_topk_row(all[i].key), all[i].group};
        f->starts[all[i].slot + 1] = begin + i + 1;
    }
    for (size_t s = first; s < first + slots; s++) /* no candidates there */
        if (f->starts[s + 1] < f->starts[s]) f->starts[s + 1] = f->starts[s];
    return AKIN_OK;
}

/* For slots [first, first + count). Collective; agreed. */
static akin_status find_central(filling *f, size_t first, size_t count) {
    akin_status status;
    const slots_of some = {f, first, count};
    float *centres = NULL;
    candidate *own = NULL, *all = NULL;
    size_t kept = 0, size = (size_t)akin_comm_size(f->comm);
    size_t *offsets = akin_mem_alloc(size + 1, sizeof *offsets);
    AKIN_TRY(akin_agree(f->comm, offsets ? AKIN_OK : AKIN_FAILED));
    AKIN_TRY(akin_central_sums(f->comm, f->vectors, slot_within, &some, count, &centres));
    AKIN_TRY(akin_agree(f->comm, list_own(f, &some, centres, &own, &kept)));
    AKIN_TRY(akin_comm_gather(f->comm, own, kept * sizeof *own, -1, (void **)&all, offsets));
    kept = keep_best(f, all, offsets[size] / sizeof *all);
    AKIN_TRY(akin_agree(f->comm, append(f, all, kept, first, count)));
done:
    akin_mem_free(centres);
    akin_mem_free(own);
    akin_mem_free(all);
    akin_mem_free(offsets);
    return status;
}

/* --- filling --- */

static bool stands(const int32_t *list, size_t count, int32_t row) {
    for (size_t e = 0; e < count; e++)
        if (list[e] == row) return true;
    return false;
}

/* The item whose list is filled. */
typedef struct {
    int32_t row, group, same; /* same: what it is a duplicate of, or -1 */
    akin_row_values values;
} asker;

static asker asker_of(const filling *f, size_t item) {
    int32_t row = (int32_t)(akin_vectors_first(f->vectors) + item), available;
    asker a = {.row = row,
               .group = akin_labels_group(akin_vectors_labels(f->vectors))[item],
               .same = f->duplicate_of ? f->duplicate_of[row] : -1};
    akin_row_rules_complete(f->rules->more, item, &a.values, &available);
    return a;
}

static bool may_stand(const filling *f, const asker *a, size_t c) {
    const central *it = &f->centrals[c];
    if (it->row == a->row || it->row == a->same) return false;
    if (f->rules->exclude_same_group && a->group >= 0 && it->group == a->group) return false;
    return !f->item_rules ||
           akin_row_rules_allow(f->rules->more, a->row, &a->values, it->row, &f->values[c]);
}

static void fill_item(filling *f, size_t item) {
    int32_t *list = f->neighbor + item * f->k;
    const asker a = asker_of(f, item);
    size_t slot = (size_t)f->slot[category_of(f, item)], count = (size_t)f->counts[item];
    for (size_t c = f->starts[slot]; c < f->starts[slot + 1] && count < f->k; c++) {
        if (!may_stand(f, &a, c) || stands(list, count, f->centrals[c].row)) continue;
        list[count++] = f->centrals[c].row;
    }
    f->filled[item] = (int32_t)count - f->counts[item];
    f->counts[item] = (int32_t)count;
}

/* The same, where limits apply: takes candidates that exceed no limit together with the list so
 * far. */
static void fill_within_limits(filling *f, size_t item, akin_item_limits *limits) {
    int32_t *list = f->neighbor + item * f->k;
    const asker a = asker_of(f, item);
    size_t slot = (size_t)f->slot[category_of(f, item)], held = (size_t)f->counts[item], some = 0;
    for (size_t c = f->starts[slot]; c < f->starts[slot + 1]; c++)
        if (may_stand(f, &a, c)) f->fitting[some++] = akin_topk_key(0, f->centrals[c].row);
    some = akin_item_limits_take(limits, list, held, f->fitting, some, f->k - held);
    for (size_t e = 0; e < some; e++) list[held + e] = akin_topk_row(f->fitting[e]);
    f->filled[item] = (int32_t)some;
    f->counts[item] += (int32_t)some;
}

static akin_status fill_all(filling *f) {
    akin_item_limits *limits = f->item_rules ? akin_item_rules_limits(f->item_rules) : NULL;
    size_t most = 0;
    for (size_t s = 0; s < f->slots; s++)
        if (f->starts[s + 1] - f->starts[s] > most) most = f->starts[s + 1] - f->starts[s];
    f->fitting = akin_mem_alloc(most, sizeof *f->fitting);
    if (!f->fitting) return AKIN_FAILED;
    for (size_t i = 0; i < count_of(f); i++) {
        if (!needs(f, i)) continue;
        if (limits)
            fill_within_limits(f, i, limits);
        else
            fill_item(f, i);
    }
    return AKIN_OK;
}

/* The cosines of items [first, end) with the entries added to their lists. Collective; agreed. */
static akin_status score_batch(filling *f, akin_remote_rows *fetch, float *own, int32_t *wanted,
                               size_t first, size_t end) {
    size_t count = 0, stride = akin_remote_rows_stride(fetch);
    for (size_t i = first; i < end; i++)
        for (int32_t e = f->counts[i] - f->filled[i]; e < f->counts[i]; e++)
            wanted[count++] = f->neighbor[i * f->k + (size_t)e];
    akin_status status = akin_remote_rows_bring(fetch, wanted, count);
    for (size_t i = first; i < end && status == AKIN_OK; i++) {
        akin_remote_rows_own(fetch, i, own);
        for (int32_t e = f->counts[i] - f->filled[i]; e < f->counts[i]; e++) {
            size_t at = i * f->k + (size_t)e;
            f->score[at] =
                akin_remote_rows_score(own, akin_remote_rows_get(fetch, f->neighbor[at]), stride);
        }
    }
    return status;
}

/* Collective; agreed. */
static akin_status score_all(filling *f) {
    akin_status status;
    akin_remote_rows *fetch = NULL;
    float *own = NULL;
    int32_t *wanted = NULL;
    akin_status local = akin_remote_rows_create(f->comm, f->vectors, &fetch);
    size_t room = 0, first = 0, count = count_of(f);
    if (local == AKIN_OK) {
        room = akin_remote_rows_most(fetch, CHUNK_BYTES >> 20) + f->k;
        own = akin_mem_alloc(1, akin_remote_rows_stride(fetch) * sizeof *own);
        wanted = akin_mem_alloc(room, sizeof *wanted);
        if (!own || !wanted) local = AKIN_FAILED;
    }
    AKIN_TRY(akin_agree(f->comm, local));
    for (int64_t more = 1; more;) {
        size_t end = first, some = 0;
        for (; end < count && some + f->k <= room; end++) some += (size_t)f->filled[end];
        AKIN_TRY(score_batch(f, fetch, own, wanted, first, end));
        first = end;
        more = first < count;
        akin_comm_max_i64(f->comm, &more, 1);
    }
done:
    akin_remote_rows_free(fetch);
    akin_mem_free(own);
    akin_mem_free(wanted);
    return status;
}

/* Whether the rules depend on the pair in ways that labels do not cover; then any item of the
 * category may be needed. */
static bool rules_each(const akin_item_rules *item_rules, const akin_row_block_rules *rules,
                       const akin_vectors *vectors) {
    bool two = akin_vectors_sources(vectors) < akin_vectors_items(vectors);
    const akin_row_rules *more = rules->more;
    return more && item_rules &&
           (more->count > two || more->block_count > 0 || more->limits ||
            akin_item_rules_blocks(item_rules)->alone_count > 0);
}

akin_status akin_backfill(akin_comm *comm, const akin_vectors *vectors,
                          const akin_row_block_rules *rules, const int32_t *duplicate_of,
                          const akin_backfill_lists *lists) {
    akin_status status;
    filling f = {.comm = comm,
                 .vectors = vectors,
                 .rules = rules,
                 .item_rules =
                     rules_each(lists->item_rules, rules, vectors) ? lists->item_rules : NULL,
                 .duplicate_of = duplicate_of,
                 .k = lists->k,
                 .most = 4 * lists->k + 16,
                 .neighbor = lists->neighbor,
                 .score = lists->score,
                 .counts = lists->counts,
                 .filled = lists->filled};
    memset(f.filled, 0, akin_vectors_count(vectors) * sizeof *f.filled);
    if (f.item_rules) f.most = akin_vectors_items(vectors);
    AKIN_TRY(find_needed(&f));
    size_t sums = akin_vectors_columns(vectors) * sizeof(int64_t);
    size_t gathered = f.most * (size_t)akin_comm_size(comm) * sizeof(candidate);
    size_t at_once = CHUNK_BYTES / (sums > gathered ? sums : gathered) + 1;
    for (size_t first = 0; first < f.slots; first += at_once)
        AKIN_TRY(find_central(&f, first, f.slots - first < at_once ? f.slots - first : at_once));
    AKIN_TRY(akin_agree(comm, fill_all(&f)));
    if (f.slots > 0) AKIN_TRY(score_all(&f));
done:
    akin_mem_free(f.slot);
    akin_mem_free(f.starts);
    akin_mem_free(f.centrals);
    akin_mem_free(f.values);
    akin_mem_free(f.fitting);
    return status;
}
