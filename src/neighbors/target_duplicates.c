/* target_duplicates: finds targets that look the same. */
#include "target_duplicates.h"
#include "duplicates.h"
#include <akin/mem.h>

/* Converts rows of the targets to rows of sources and targets. */
static akin_status count_from_sources(size_t sources, size_t targets, const int32_t *of,
                                      int32_t **out) {
    int32_t *all = *out = akin_mem_alloc(sources + targets, sizeof *all);
    if (!all) return AKIN_FAILED;
    for (size_t i = 0; i < sources; i++) all[i] = -1;
    for (size_t t = 0; t < targets; t++)
        all[sources + t] = of[t] < 0 ? -1 : of[t] + (int32_t)sources;
    return AKIN_OK;
}

akin_status akin_target_duplicates_find(akin_comm *comm, const akin_vectors *targets,
                                        size_t sources, const akin_row_block_rules *rules,
                                        float least, size_t pool,
                                        const akin_first_pass_checkpoint *checkpoint,
                                        int32_t **duplicate_of, akin_allpairs_figures *figures) {
    akin_status status;
    uint64_t *lists = NULL;
    int32_t *of = NULL;
    size_t n = akin_vectors_items(targets);
    akin_row_block_rules plain = *rules;
    akin_row_rules more;
    if (plain.more) {
        more = *plain.more;
        more.both = true, more.offset = NULL, more.limits = NULL;
        plain.more = &more;
    }
    plain.layers = 0, plain.again = false;
    if (plain.min_score < least) plain.min_score = least; /* other pairs are not requested */
    *duplicate_of = NULL;
    AKIN_TRY(akin_first_pass(comm, targets, &plain, pool, checkpoint, &lists, figures));
    plain.layers = 0, plain.again = false; /* from a comparison that was resumed */
    const akin_duplicates_source from = {.vectors = targets,
                                         .rules = &plain,
                                         .least = least,
                                         .n = n,
                                         .first = akin_vectors_first(targets),
                                         .count = akin_vectors_count(targets),
                                         .lists = lists,
                                         .pool = akin_allpairs_list(n, pool)};
    AKIN_TRY(akin_duplicates_find(comm, &from, &of));
    status = akin_agree(comm, count_from_sources(sources, n, of, duplicate_of));
done:
    akin_mem_free(lists);
    akin_mem_free(of);
    return status;
}
