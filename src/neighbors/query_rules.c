/* query_rules: the rules of a table for one item. */
#include "query_rules.h"
#include "hubs.h"
#include "remote_rows.h"
#include <akin/mem.h>
#include <akin/shard.h>
#include <akin/topk.h>
#include <string.h>

enum { GROWTH = 4 };

akin_status akin_query_rules_create(akin_comm *comm, const akin_query_params *params,
                                    const akin_neighbors_rules *given, const akin_query_rows *rows,
                                    size_t k, akin_query_rules *out) {
    akin_status status;
    const akin_vectors *vectors = rows->vectors;
    const akin_products *pictures = akin_query_rows_pictures(rows, params);
    bool sides = akin_vectors_sources(vectors) < akin_vectors_items(vectors),
         twins = params->mean && !params->against;
    akin_allpairs_figures figures = {0};
    *out = (akin_query_rules){0};
    AKIN_TRY(akin_agree(comm, akin_neighbors_resolve(given, vectors, params->input, &out->rows)));
    if (!akin_item_rules_asked(given) && !sides && !pictures) goto done;
    AKIN_TRY(akin_item_rules_create(comm, given, vectors, pictures, params->input, &out->more));
    out->rows.more = akin_item_rules_rows(out->more);
    out->rows.only_available = akin_item_rules_targets(out->more);
    const akin_item_pins_lists lists = {
        vectors, pictures, akin_item_rules_blocks(out->more), given->only_available, twins, k};
    if (given->pins.count > 0)
        AKIN_TRY(akin_item_pins_read(comm, &given->pins, &lists, &out->pins));
    const akin_hubs_lists all = {.vectors = vectors,
                                 .rules = &out->rows,
                                 .item_rules = out->more,
                                 .products = pictures || twins ? &rows->products : NULL,
                                 .mean = params->mean,
                                 .k = k};
    if (given->damp_hubs)
        AKIN_TRY(akin_hubs_damp(comm, &all, NULL, akin_item_rules_offsets(out->more), &figures));
done:
    return status;
}

void akin_query_rules_release(akin_query_rules *rules) {
    akin_item_rules_free(rules->more);
    akin_item_pins_free(rules->pins);
}

/* Every rank gets the item's pins, at most k, as keys. Collective. */
static void share_pins(akin_comm *comm, const akin_query_rules *rules, const akin_vectors *vectors,
                       const akin_query_asker *who, int32_t *pins, size_t *count) {
    *count = 0;
    if (!rules->pins || who->item.row < 0) return;
    int owner =
        akin_shard_owner(akin_vectors_items(vectors), akin_comm_size(comm), (size_t)who->item.row);
    if (owner == akin_comm_rank(comm)) {
        const int32_t *own = akin_item_pins_of(
            rules->pins, (size_t)who->item.row - akin_vectors_first(vectors), count);
        memcpy(pins, own, *count * sizeof *pins);
    }
    akin_comm_broadcast(comm, count, sizeof *count, owner);
    akin_comm_broadcast(comm, pins, *count * sizeof *pins, owner);
}

/* For items without pins. False: the list is too short, and there may be more entries after its
 * end. Not collective. */
static bool take(const akin_query_rules *rules, const int32_t *pins, size_t pinned, uint64_t *list,
                 size_t width, bool whole, size_t k) {
    akin_item_limits *limits = rules->more ? akin_item_rules_limits(rules->more) : NULL;
    size_t held = 0;
    whole = whole || list[width - 1] == 0;
    if (limits) {
        held = akin_item_limits_take(limits, pins, pinned, list, width, k);
    } else {
        for (size_t e = 0; e < width && held < k && list[e] != 0; e++) {
            bool is_pin = false;
            for (size_t p = 0; p < pinned; p++)
                is_pin = is_pin || pins[p] == akin_topk_row(list[e]);
            if (!is_pin) list[held++] = list[e];
        }
        memset(list + held, 0, (width - held) * sizeof *list);
    }
    return held == k || whole;
}

typedef struct {
    const int32_t *rows; /* [count] */
    size_t count;
} pins_of;

/* Makes the list longer until k entries remain. *list: owned, at least k. Collective; agreed. */
static akin_status search(akin_comm *comm, const akin_query_rules *rules,
                          const akin_vectors *vectors, const akin_query_asker *who, pins_of pins,
                          size_t k, uint64_t **list) {
    akin_status status;
    size_t n = akin_vectors_items(vectors), most = n < AKIN_TOPK_MAX ? n : AKIN_TOPK_MAX;
    size_t width = k + pins.count < most ? k + pins.count : most;
    for (bool enough = false; !enough; width = GROWTH * width < most ? GROWTH * width : most) {
        akin_mem_free(*list);
        *list = akin_mem_zalloc(width > k ? width : k, sizeof **list);
        akin_status local = *list ? AKIN_OK : AKIN_FAILED;
        if (local == AKIN_OK) local = akin_query_search(who, vectors, &rules->rows, width, *list);
        AKIN_TRY(akin_agree(comm, local));
        AKIN_TRY(akin_query_merge(comm, width, *list));
        enough = take(rules, pins.rows, pins.count, *list, width, width == most, k);
    }
done:
    return status;
}

akin_status akin_query_rules_list(akin_comm *comm, const akin_query_rules *rules,
                                  const akin_vectors *vectors, const akin_query_asker *who,
                                  size_t k, uint64_t *list, size_t *pinned) {
    akin_status status;
    uint64_t *found = NULL;
    int32_t *pins = akin_mem_alloc(k, sizeof *pins);
    *pinned = 0;
    memset(list, 0, k * sizeof *list);
    AKIN_TRY(akin_agree(comm, pins ? AKIN_OK : AKIN_FAILED));
    share_pins(comm, rules, vectors, who, pins, pinned);
    for (size_t p = 0; p < *pinned; p++) list[p] = akin_topk_key(0, pins[p]);
    AKIN_TRY(akin_query_rules_cosines(comm, vectors, who, list, *pinned));
    if (*pinned == k ||
        (rules->more && akin_item_blocks_alone(akin_item_rules_blocks(rules->more), who->item.row)))
        goto done;
    AKIN_TRY(search(comm, rules, vectors, who, (pins_of){pins, *pinned}, k - *pinned, &found));
    memcpy(list + *pinned, found, (k - *pinned) * sizeof *list);
done:
    akin_mem_free(found);
    akin_mem_free(pins);
    return status;
}

akin_status akin_query_rules_cosines(akin_comm *comm, const akin_vectors *vectors,
                                     const akin_query_asker *who, uint64_t *list, size_t count) {
    akin_status status;
    akin_remote_rows *rows = NULL;
    size_t dim = akin_vectors_dim(vectors), first = akin_vectors_first(vectors), stride = 0;
    int64_t *keys = akin_mem_zalloc(count, sizeof *keys); /* computed by the row's owner */
    float *own = NULL, *other = NULL;
    akin_status local = keys ? akin_remote_rows_create(comm, vectors, &rows) : AKIN_FAILED;
    if (local == AKIN_OK) {
        stride = akin_remote_rows_stride(rows);
        own = akin_mem_zalloc(stride, sizeof *own), other = akin_mem_zalloc(stride, sizeof *other);
        if (!own || !other) local = AKIN_FAILED;
    }
    AKIN_TRY(akin_agree(comm, local));
    memcpy(own, who->row, dim * sizeof *own);
    for (size_t e = 0; e < count; e++) {
        size_t item = (size_t)akin_topk_row(list[e]) - first;
        if (item >= akin_vectors_count(vectors)) continue;
        akin_remote_rows_own(rows, item, other);
        keys[e] = (int64_t)akin_topk_key(akin_remote_rows_score(own, other, stride),
                                         akin_topk_row(list[e]));
    }
    akin_comm_sum_i64(comm, keys, count);
    for (size_t e = 0; e < count; e++) list[e] = (uint64_t)keys[e];
done:
    akin_remote_rows_free(rows);
    akin_mem_free(keys);
    akin_mem_free(own);
    akin_mem_free(other);
    return status;
}
