/* hubs: items that stand in many lists. */
#include "hubs.h"
#include <akin/mem.h>
#include <akin/topk.h>

akin_status akin_hubs_damp(akin_comm *comm, const akin_vectors *vectors,
                           const akin_row_block_rules *rules, const akin_item_rules *item_rules,
                           size_t k, float *offset, akin_allpairs_figures *figures) {
    uint64_t *lists = NULL;
    akin_row_rules more = *rules->more;
    akin_row_block_rules plain = *rules;
    more.offset = NULL, more.limits = NULL;
    plain.more = &more, plain.layers = 0, plain.again = false;
    const akin_allpairs_table table = {.k = k, .rules = &plain};
    const akin_allpairs_params all = {.table = &table, .tables = 1};
    akin_status status = akin_allpairs(comm, vectors, &all, &lists, figures);
    size_t list = akin_allpairs_list(akin_vectors_items(vectors), k);
    if (status == AKIN_OK) akin_item_rules_empty(item_rules, vectors, list, lists);
    for (size_t i = 0; status == AKIN_OK && i < akin_vectors_count(vectors); i++) {
        double sum = 0;
        size_t held = 0;
        for (; held < list && lists[i * list + held] != 0; held++)
            sum += (double)akin_topk_score(lists[i * list + held]);
        if (held > 0) offset[i] = (float)((double)offset[i] - sum / (double)held);
    }
    akin_mem_free(lists);
    return status;
}
