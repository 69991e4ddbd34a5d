/* row_rules: rules for each source item, by the attributes of the source and of the target. Not
 * collective. Cannot fail.
 *
 * Whether a target may be in a source's list is decided for the ordered pair (source, target). A
 * source without a value of a rule's attribute is not bound by that rule; a target without one does
 * not pass it. Rules for targets alone are applied before any comparison: an item that does not
 * pass them counts as unavailable.
 *
 * An attribute is a slot: a label is an index into its names, -1 = none; a number is the bits of
 * its float, of NaN = none. */
#ifndef AKIN_ROW_RULES_H
#define AKIN_ROW_RULES_H

#include <akin/topk.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { AKIN_ROW_RULES_SLOTS = 8, AKIN_ROW_RULES_MOST = 32, AKIN_ROW_RULES_ORDERS = 3 };

/* The values of an item, besides its labels. */
typedef struct {
    int32_t value[AKIN_ROW_RULES_SLOTS];
    float offset; /* added to the score of every pair with this item as target */
} akin_row_values;

/* The values of some items. */
typedef struct {
    double low, high; /* low > high: none has one */
    bool some_none;   /* some have none */
} akin_row_span;

typedef enum {
    AKIN_ROW_RULE_SAME,       /* labels: at least one part in common */
    AKIN_ROW_RULE_DIFFERENT,  /* none in common */
    AKIN_ROW_RULE_RATIO,      /* the target's is low to high times the source's */
    AKIN_ROW_RULE_DIFFERENCE, /* the target's is the source's plus low to high */
    AKIN_ROW_RULE_PAIRS       /* the pair is in a table */
} akin_row_rule_kind;

typedef struct {
    akin_row_rule_kind kind;
    int slot;
    bool number;
    double low, high;
    const uint32_t *parts_first; /* [values + 1]: of each value in parts; NULL: each is one */
    const int32_t *parts;        /* ascending within a value */
    const uint8_t *allowed;      /* [values, values]: of PAIRS */
    int32_t values;
} akin_row_rule;

/* All arrays are borrowed. */
typedef struct {
    int slots, count;
    bool number[AKIN_ROW_RULES_SLOTS];
    int attribute[AKIN_ROW_RULES_SLOTS];        /* which it is: the same number in all tables */
    const int32_t *value[AKIN_ROW_RULES_SLOTS]; /* [count of this rank's shard] each */
    const uint8_t *target;                      /* [of the shard]: may be a neighbour; NULL: all */
    akin_row_rule rule[AKIN_ROW_RULES_MOST];
    const uint64_t *blocks; /* [block_count] ascending: source << 32 | target, rows */
    size_t block_count;
    const akin_topk_limits *limits; /* of each list; NULL: none */
    const float *offset;            /* [count of the shard]; NULL: none */
    bool sides;                     /* two catalogues: slot 0 is 0 of sources, 1 of targets */
    bool reversed;                  /* lists hold the sources whose lists may contain their row */
    bool both;                      /* lists hold rows that may be in each other's lists */
    int orders, order[AKIN_ROW_RULES_ORDERS]; /* the rules that rows are ordered by */
    double share[AKIN_ROW_RULES_ORDERS];      /* of all pairs that each of these lets pass */
} akin_row_rules;

/* What item `at` of the shard has, and whether it may be a neighbour, as far as the rules say.
 * rules may be NULL. */
void akin_row_rules_complete(const akin_row_rules *rules, size_t at, akin_row_values *values,
                             int32_t *available);

/* Whether the target may be in the source's list; with reversed rules, the source in the target's;
 * with rules of both, each in the other's. */
bool akin_row_rules_allow(const akin_row_rules *rules, int32_t source_row,
                          const akin_row_values *source, int32_t target_row,
                          const akin_row_values *target);

/* Makes a span empty; adds an item's value of a slot; adds another span. */
akin_row_span akin_row_span_none(void);
void akin_row_span_add(akin_row_span *span, bool number, int32_t value);
void akin_row_span_join(akin_row_span *span, const akin_row_span *more);

/* False: no target can be in the list of any source; [slots] each. */
bool akin_row_rules_possible(const akin_row_rules *rules, const akin_row_span *sources,
                             const akin_row_span *targets);

/* True: it is possible for every source whose values are in the spans; false: it may not be. */
bool akin_row_rules_certain(const akin_row_rules *rules, const akin_row_span *sources,
                            const akin_row_span *targets);

/* The same as possible for one source. */
bool akin_row_rules_possible_for(const akin_row_rules *rules, const akin_row_values *source,
                                 const akin_row_span *targets);

/* What the first of the rules that rows are ordered by asks of targets: no other number, or
 * index of a label, passes. Infinite on both sides: it may be any. low > high: none. */
typedef struct {
    float low, high;
} akin_row_reach;

akin_row_reach akin_row_rules_reach(const akin_row_rules *rules, const akin_row_values *source);

/* Whether it is all that the rules ask, but for blocks. */
bool akin_row_rules_are_reach(const akin_row_rules *rules);

/* What these targets have of it; infinite without such a rule. */
akin_row_reach akin_row_rules_reached(const akin_row_rules *rules, const akin_row_span *targets);

/* The share of the pairs of `count` items that passes each rule, in [0, 1]. */
double akin_row_rule_share(const akin_row_rule *rule, const int32_t *values, size_t count);

/* The sort key that makes rows that can meet adjacent: equal for rows whose values are about equal
 * under rule order[which]; 0 = no value. */
uint32_t akin_row_rules_kind(const akin_row_rules *rules, int which, const akin_row_values *values);

#endif
