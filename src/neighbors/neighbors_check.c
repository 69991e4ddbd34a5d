/* neighbors_check: checks the options of a table against the vectors. */
#include "neighbors_check.h"
#include "item_rules.h"
#include <math.h>

akin_status akin_neighbors_resolve(const akin_neighbors_rules *rules, const akin_vectors *vectors,
                                   const char *path, akin_row_block_rules *out) {
    const akin_labels *labels = akin_vectors_labels(vectors);
    if (rules->same_category && akin_labels_category_count(labels) == 0)
        return akin_error_option("same-category", "--same-category: no item of %s has a category",
                                 path);
    if (rules->exclude_same_group && akin_labels_group_count(labels) == 0)
        return akin_error_option("exclude-same-group",
                                 "--exclude-same-group: no item of %s has a group", path);
    float least = (float)rules->min_score;
    if (least < rules->min_score) least = nextafterf(least, INFINITY);
    *out = (akin_row_block_rules){.same_category = rules->same_category,
                                  .exclude_same_group = rules->exclude_same_group,
                                  .only_available = rules->only_available,
                                  .min_score = least};
    return AKIN_OK;
}

akin_status akin_neighbors_check(const akin_neighbors_params *params, const akin_vectors *vectors) {
    const akin_refine_params *refine = &params->refine;
    const char *path = params->input;
    if (refine->fill && akin_labels_category_count(akin_vectors_labels(vectors)) == 0)
        return akin_error_option("fill", "--fill category: no item of %s has a category", path);
    if (params->by_group && akin_labels_group_count(akin_vectors_labels(vectors)) == 0)
        return akin_error_option("by", "--by group: no item of %s has a group", path);
    return AKIN_OK;
}
