/* hubs: items that stand in many lists. */
#include "hubs.h"
#include "resume.h"
#include <akin/mem.h>
#include <akin/topk.h>

typedef struct {
    const akin_hubs_checkpoint *checkpoint;
    akin_resume *known;
} saving;

static akin_status save(void *context, const akin_allpairs_state *state) {
    const saving *s = context;
    return akin_resume_save(s->known, s->checkpoint->path, &s->checkpoint->origin, state);
}

/* Collective; agreed. */
static akin_status compare(akin_comm *comm, const akin_vectors *vectors,
                           akin_row_block_rules *rules, size_t k,
                           const akin_hubs_checkpoint *checkpoint, uint64_t **lists,
                           akin_allpairs_figures *figures) {
    akin_status status = AKIN_OK;
    saving s = {checkpoint, NULL};
    akin_allpairs_table table = {.k = k, .rules = rules};
    akin_allpairs_params all = {.table = &table, .tables = 1};
    const akin_resume_table known = {rules, NULL,
                                     akin_allpairs_list(akin_vectors_items(vectors), k)};
    if (checkpoint) {
        AKIN_TRY(akin_resume_create(comm, vectors, &known, 1, &s.known));
        AKIN_TRY(akin_resume_resume(s.known, checkpoint->path, false, &checkpoint->origin));
        table.prior = akin_resume_apply(s.known, 0, rules);
        all.progress = akin_resume_progress(s.known);
        all.save_every = checkpoint->every, all.save = save, all.context = &s;
    }
    status = akin_allpairs(comm, vectors, &all, lists, figures);
done:
    akin_resume_free(s.known);
    return status;
}

akin_status akin_hubs_damp(akin_comm *comm, const akin_vectors *vectors,
                           const akin_row_block_rules *rules, const akin_item_rules *item_rules,
                           size_t k, const akin_hubs_checkpoint *checkpoint, float *offset,
                           akin_allpairs_figures *figures) {
    uint64_t *lists = NULL;
    akin_row_rules more = *rules->more;
    akin_row_block_rules plain = *rules;
    more.offset = NULL, more.limits = NULL;
    plain.more = &more, plain.layers = 0, plain.again = false;
    akin_status status = compare(comm, vectors, &plain, k, checkpoint, &lists, figures);
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
