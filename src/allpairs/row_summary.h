/* row_summary: what the rows of a panel have (row_block.h), and whether two panels can meet. Not
 * collective. Pure. */
#ifndef AKIN_ROW_SUMMARY_H
#define AKIN_ROW_SUMMARY_H

#include <akin/row_block.h>

/* Of `count` > 0 rows. */
akin_row_block_summary akin_row_summary_of(const akin_row_block_rules *rules,
                                           const akin_row_block_item *items, size_t count);

/* Whether the categories of two panels rule out every pair. */
bool akin_row_summaries_apart(const akin_row_block_rules *rules, const akin_row_block_summary *a,
                              const akin_row_block_summary *b);

/* False: the rules allow no pair with a source in the one and a target in the other. */
static inline bool akin_row_reaches(akin_row_reach source, akin_row_reach reached) {
    return source.low <= reached.high && reached.low <= source.high;
}

/* False: the rules allow no pair of the two. */
bool akin_row_summaries_may_meet(const akin_row_block_rules *rules, const akin_row_block_summary *a,
                                 const akin_row_block_summary *b);

/* How many (source, target) there are between two panels; of one catalogue every row is both. itself: they
 * are the same panel. */
double akin_row_summaries_pairs(const akin_row_block_summary *a, const akin_row_block_summary *b,
                                bool itself);

#endif
