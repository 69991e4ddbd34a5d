/* first_pass: an all-pairs comparison that precedes that of the tables. */
#include "first_pass.h"
#include "resume.h"

typedef struct {
    const akin_first_pass_checkpoint *checkpoint;
    akin_resume *known;
} saving;

static akin_status save(void *context, const akin_allpairs_state *state) {
    const saving *s = context;
    return akin_resume_save(s->known, s->checkpoint->stage, s->checkpoint->path,
                            &s->checkpoint->origin, state);
}

akin_status akin_first_pass(akin_comm *comm, const akin_vectors *vectors,
                            akin_row_block_rules *rules, size_t k,
                            const akin_first_pass_checkpoint *checkpoint, uint64_t **lists,
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
        all.save_end = true, all.stage = checkpoint->stage;
    }
    status = akin_allpairs(comm, vectors, &all, lists, figures);
done:
    akin_resume_free(s.known);
    return status;
}
