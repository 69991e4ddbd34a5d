/* row_summary: what the rows of a panel have, and whether two panels can meet. */
#include "row_summary.h"
#include <math.h>
#include <string.h>

static void add_spans(akin_row_block_summary *s, const akin_row_rules *more,
                      const akin_row_block_item *item, size_t count) {
    s->largest = -INFINITY;
    s->reach = (akin_row_reach){INFINITY, -INFINITY};
    for (size_t i = 0; i < count; i++) {
        akin_row_reach one = akin_row_rules_reach(more, &item[i].values);
        if (one.low < s->reach.low) s->reach.low = one.low;
        if (one.high > s->reach.high) s->reach.high = one.high;
    }
    if (more->sides) s->twice = 0;
    for (size_t i = 0; i < count && more->sides; i++)
        *(item[i].values.value[0] == 0 ? &s->targets : &s->sources) -= 1;
    for (size_t i = 0; i < count; i++)
        if (item[i].available != 0 && item[i].values.offset > s->largest)
            s->largest = item[i].values.offset;
    for (int slot = 0; slot < more->slots; slot++) {
        s->span[slot] = akin_row_span_none();
        for (size_t i = 0; i < count; i++)
            akin_row_span_add(&s->span[slot], more->number[slot], item[i].values.value[slot]);
    }
    s->reached = akin_row_rules_reached(more, s->span);
}

akin_row_block_summary akin_row_summary_of(const akin_row_block_rules *rules,
                                           const akin_row_block_item *item, size_t count) {
    akin_row_block_summary s = {.category_first = item->category,
                                .category_last = item->category,
                                .sources = (int32_t)count,
                                .targets = (int32_t)count,
                                .twice = (int32_t)count};
    memcpy(s.label, item->label, sizeof s.label);
    for (size_t i = 0; i < count; i++) {
        if (item[i].category < s.category_first) s.category_first = item[i].category;
        if (item[i].category > s.category_last) s.category_last = item[i].category;
        s.some_available |= item[i].available != 0;
        for (int l = 0; l < AKIN_ROW_BLOCK_LAYERS; l++)
            if (item[i].label[l] != s.label[l]) s.label[l] = -1;
    }
    if (rules->more != NULL) add_spans(&s, rules->more, item, count);
    return s;
}

bool akin_row_summaries_apart(const akin_row_block_rules *rules, const akin_row_block_summary *a,
                              const akin_row_block_summary *b) {
    return rules->same_category &&
           (a->category_last < b->category_first || b->category_last < a->category_first);
}

bool akin_row_summaries_may_meet(const akin_row_block_rules *rules, const akin_row_block_summary *a,
                                 const akin_row_block_summary *b) {
    if (akin_row_summaries_apart(rules, a, b)) return false;
    for (int l = 0; l < rules->layers; l++) {
        const akin_row_block_layer *layer = &rules->layer[l];
        if (a->label[l] >= 0 && b->label[l] >= 0 &&
            layer->done[a->label[l] * layer->labels + b->label[l]])
            return false;
    }
    if (rules->only_available && !a->some_available && !b->some_available) return false;
    if (rules->more == NULL) return true;
    if (!akin_row_reaches(a->reach, b->reached) && !akin_row_reaches(b->reach, a->reached))
        return false;
    return akin_row_rules_possible(rules->more, a->span, b->span) ||
           akin_row_rules_possible(rules->more, b->span, a->span);
}

double akin_row_summaries_pairs(const akin_row_block_summary *a, const akin_row_block_summary *b,
                                bool itself) {
    double there = (double)a->sources * b->targets, back = (double)b->sources * a->targets;
    return itself ? there - a->twice : there + back;
}
