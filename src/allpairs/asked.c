/* asked: the thresholds of a panel's rows for the rows of another panel. */
#include "asked.h"
#include "row_summary.h"
#include <math.h>
#include <string.h>

enum { PANEL = AKIN_ROW_BLOCK_PANEL };

/* A panel in one table. */
typedef struct {
    const akin_row_block *block;
    size_t at;
    const akin_row_block_summary *summary;
} place;

/* The thresholds of those of a panel's rows whose reach the other panel is in. */
static void ask_reaching(place of, const place *other, const float *here, float *least) {
    const akin_row_reach *reach = akin_row_block_reach(of.block, of.at),
                         there = other->summary->reached;
    for (size_t i = 0; i < PANEL; i++) {
        bool meets = (reach[i].low <= there.high) & (there.low <= reach[i].high);
        least[i] = meets ? here[i] : INFINITY;
    }
}

/* Takes out those that can have nothing from the other, one by one. */
static void ask_each(const akin_row_block_rules *rules, place of, const place *other, bool mixed,
                     bool ruled, float *least) {
    const akin_row_block_item *items = akin_row_block_items(of.block) + of.at * PANEL;
    const akin_row_block_summary *there = other->summary;
    for (size_t i = 0; i < PANEL; i++) {
        if (least[i] == INFINITY) continue;
        bool meets = !mixed || (items[i].category >= there->category_first &&
                                items[i].category <= there->category_last);
        if (meets && ruled)
            meets = akin_row_rules_possible_for(rules->more, &items[i].values, there->span);
        if (!meets) least[i] = INFINITY;
    }
}

/* The thresholds of a panel's rows for the other panel: infinite for rows that can get nothing
 * from it, by category or by the other rules; NULL: all of them are. The spans of the two mostly
 * decide it for all rows at once. */
static const float *asked(const akin_row_block_rules *rules, place of, const place *other,
                          float *room /* [48] */) {
    const akin_row_rules *more = rules->more;
    const akin_row_block_summary *here = of.summary, *there = other->summary;
    const float *least = akin_row_block_least(of.block, of.at);
    bool mixed = rules->same_category && here->category_first != here->category_last;
    bool reach = more != NULL && more->orders > 0 && !more->reversed,
         ruled = more != NULL && !akin_row_rules_are_reach(more);
    if (more != NULL && rules->only_available && !there->some_available) return NULL;
    if (reach && !akin_row_reaches(here->reach, there->reached)) return NULL;
    ruled = ruled && !akin_row_rules_certain(more, here->span, there->span);
    if (ruled && !akin_row_rules_possible(more, here->span, there->span)) return NULL;
    if (!mixed && !ruled && !(reach && more->count == 1)) return least;
    if (reach)
        ask_reaching(of, other, least, room);
    else
        memcpy(room, least, PANEL * sizeof *room);
    if (mixed || ruled) ask_each(rules, of, other, mixed, ruled, room);
    return room;
}

/* Lowers thresholds to those of one table. */
static void lower(const akin_tile_kernels *tile, const akin_row_block_rules *rules,
                  const akin_row_block *block, size_t p, const akin_row_block *other, size_t q,
                  float *least) {
    const place of = {block, p, akin_row_block_summaries(block) + p},
                there = {other, q, akin_row_block_summaries(other) + q};
    float room[PANEL];
    const float *more = asked(rules, of, &there, room);
    if (more == NULL) return;
    if (!akin_row_block_has_offsets(rules))
        tile->lower(more, least);
    else if (there.summary->largest > -INFINITY)
        tile->lower_to_sums(
            more,
            (akin_tile_sums){there.summary->largest, rules->min_score, akin_row_block_sure(block)},
            least);
}

/* Whether thresholds depend on the other panel. */
static bool is_ruled(const akin_row_block_rules *rules) {
    return rules->same_category || rules->more != NULL;
}

const float *akin_asked_of(const akin_asked_tables *tables, uint32_t met, akin_row_block *block,
                           size_t p, akin_row_block *other, size_t q, float *least) {
    if (met == 1 && !is_ruled(tables->rules[0]))
        return akin_row_block_least(akin_asked_block(tables, block, 0), p);
    for (size_t i = 0; i < PANEL; i++) least[i] = INFINITY;
    for (; met != 0; met &= met - 1) {
        int t = __builtin_ctz(met);
        lower(tables->tile, tables->rules[t], akin_asked_block(tables, block, t), p,
              akin_asked_block(tables, other, t), q, least);
    }
    return least;
}
