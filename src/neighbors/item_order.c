/* item_order: selects the rules that reject most pairs. */
#include "item_order.h"
#include <akin/mem.h>

enum { SAMPLE = 512 }; /* most rows sampled */
#define SELECTIVE 0.5  /* rules that let a larger share of pairs pass are not used */

/* Values of equally spaced rows: [*count, slots], the same at any number of ranks. Collective;
 * agreed. */
static akin_status gather_sample(akin_comm *comm, const akin_row_rules *rules,
                                 const akin_vectors *vectors, int32_t **out, size_t *count) {
    akin_status status;
    size_t n = akin_vectors_items(vectors), first = akin_vectors_first(vectors), taken = 0;
    size_t step = n / SAMPLE + 1, slots = (size_t)rules->slots, size = (size_t)akin_comm_size(comm);
    int32_t *mine = akin_mem_alloc(akin_vectors_count(vectors) / step + 2, slots * sizeof *mine);
    size_t *offsets = akin_mem_alloc(size + 1, sizeof *offsets);
    AKIN_TRY(akin_agree(comm, mine && offsets ? AKIN_OK : AKIN_FAILED));
    for (size_t i = (step - first % step) % step; i < akin_vectors_count(vectors); i += step)
        for (size_t s = 0; s < slots; s++) mine[taken++] = rules->value[s][i];
    AKIN_TRY(akin_comm_gather(comm, mine, taken * sizeof *mine, -1, (void **)out, offsets));
    *count = offsets[size] / (slots * sizeof *mine);
done:
    akin_mem_free(mine);
    akin_mem_free(offsets);
    return status;
}

/* Finds the rules that let few pairs pass; "different" lets most pass. */
static void choose_orders(akin_row_rules *rows, const int32_t *sample, size_t count,
                          int32_t *values) {
    double share[AKIN_ROW_RULES_MOST];
    for (int r = 0; r < rows->count; r++) {
        for (size_t i = 0; i < count; i++)
            values[i] = sample[i * (size_t)rows->slots + (size_t)rows->rule[r].slot];
        share[r] = rows->rule[r].kind == AKIN_ROW_RULE_DIFFERENT
                       ? 1
                       : akin_row_rule_share(&rows->rule[r], values, count);
    }
    for (rows->orders = 0; rows->orders < AKIN_ROW_RULES_ORDERS; rows->orders++) {
        int best = -1;
        for (int r = 0; r < rows->count; r++)
            if (share[r] < SELECTIVE && (best < 0 || share[r] < share[best])) best = r;
        if (best < 0) break;
        rows->order[rows->orders] = best, rows->share[rows->orders] = share[best];
        share[best] = 1;
    }
}

akin_status akin_item_order_choose(akin_comm *comm, const akin_vectors *vectors,
                                   akin_row_rules *rules) {
    akin_status status = AKIN_OK;
    int32_t *sample = NULL, *values = NULL;
    size_t count = 0;
    if (rules->count == 0) return AKIN_OK;
    AKIN_TRY(gather_sample(comm, rules, vectors, &sample, &count));
    values = akin_mem_alloc(count, sizeof *values);
    AKIN_TRY(akin_agree(comm, values ? AKIN_OK : AKIN_FAILED));
    choose_orders(rules, sample, count, values);
done:
    akin_mem_free(sample);
    akin_mem_free(values);
    return status;
}
