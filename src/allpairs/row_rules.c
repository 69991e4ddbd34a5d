/* row_rules: rules for each source item. */
#include <akin/row_rules.h>
#include <math.h>
#include <string.h>

enum { STEPS = 4 /* kinds within a rule's band */, PAIRS_TRIED = 64 };

void akin_row_rules_complete(const akin_row_rules *rules, size_t at, akin_row_values *values,
                             int32_t *available) {
    if (rules == NULL) return;
    for (int s = 0; s < rules->slots; s++) values->value[s] = rules->value[s][at];
    if (rules->offset != NULL) values->offset = rules->offset[at];
    if (rules->target != NULL) *available = rules->target[at] != 0;
}

static double number_of(int32_t bits) {
    float number;
    memcpy(&number, &bits, sizeof number);
    return (double)number;
}

static bool is_none(bool number, int32_t value) {
    return number ? isnan(number_of(value)) : value < 0;
}

/* --- two items --- */

/* Whether two values of labels have a part in common. */
static bool share(const akin_row_rule *rule, int32_t a, int32_t b) {
    if (a == b || rule->parts_first == NULL) return a == b;
    const int32_t *x = rule->parts + rule->parts_first[a],
                  *x_end = rule->parts + rule->parts_first[a + 1],
                  *y = rule->parts + rule->parts_first[b],
                  *y_end = rule->parts + rule->parts_first[b + 1];
    while (x < x_end && y < y_end) {
        if (*x == *y) return true;
        if (*x < *y)
            x++;
        else
            y++;
    }
    return false;
}

/* What a rule asks of the target's number. */
static void band(const akin_row_rule *rule, double source, double *low, double *high) {
    if (rule->kind == AKIN_ROW_RULE_RATIO) {
        double a = rule->low * source, b = rule->high * source;
        *low = a < b ? a : b, *high = a < b ? b : a; /* of a number below 0 they are exchanged */
    } else if (rule->kind == AKIN_ROW_RULE_DIFFERENCE) {
        *low = source + rule->low, *high = source + rule->high;
    } else {
        *low = *high = source;
    }
}

static bool passes_number(const akin_row_rule *rule, double source, double target) {
    double low, high;
    band(rule, source, &low, &high);
    return (target >= low && target <= high) != (rule->kind == AKIN_ROW_RULE_DIFFERENT);
}

static bool passes(const akin_row_rule *rule, int32_t source, int32_t target) {
    if (is_none(rule->number, source)) return true;
    if (is_none(rule->number, target)) return false;
    if (rule->number) return passes_number(rule, number_of(source), number_of(target));
    if (rule->kind == AKIN_ROW_RULE_PAIRS)
        return rule->allowed[(size_t)source * (size_t)rule->values + (size_t)target];
    return share(rule, source, target) == (rule->kind == AKIN_ROW_RULE_SAME);
}

static bool is_blocked(const akin_row_rules *rules, uint64_t pair) {
    size_t low = 0, high = rules->block_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (rules->blocks[middle] < pair)
            low = middle + 1;
        else
            high = middle;
    }
    return low < rules->block_count && rules->blocks[low] == pair;
}

static bool allow(const akin_row_rules *rules, int32_t from_row, const akin_row_values *from,
                  int32_t to_row, const akin_row_values *to) {
    for (int r = 0; r < rules->count; r++) {
        const akin_row_rule *rule = &rules->rule[r];
        if (!passes(rule, from->value[rule->slot], to->value[rule->slot])) return false;
    }
    return rules->block_count == 0 ||
           !is_blocked(rules, (uint64_t)(uint32_t)from_row << 32 | (uint32_t)to_row);
}

bool akin_row_rules_allow(const akin_row_rules *rules, int32_t source_row,
                          const akin_row_values *source, int32_t target_row,
                          const akin_row_values *target) {
    bool turned = rules->reversed || rules->both;
    return (rules->reversed || allow(rules, source_row, source, target_row, target)) &&
           (!turned || allow(rules, target_row, target, source_row, source));
}

/* --- many items --- */

akin_row_span akin_row_span_none(void) {
    return (akin_row_span){INFINITY, -INFINITY, false};
}

void akin_row_span_add(akin_row_span *span, bool number, int32_t value) {
    if (is_none(number, value)) {
        span->some_none = true;
        return;
    }
    double here = number ? number_of(value) : (double)value;
    if (here < span->low) span->low = here;
    if (here > span->high) span->high = here;
}

void akin_row_span_join(akin_row_span *span, const akin_row_span *more) {
    if (more->low < span->low) span->low = more->low;
    if (more->high > span->high) span->high = more->high;
    span->some_none = span->some_none || more->some_none;
}

static bool overlap(double low, double high, const akin_row_span *b) {
    return low <= b->high && b->low <= high;
}

/* What the rule asks of the targets' numbers, for all of the sources. */
static bool possible_number(const akin_row_rule *rule, const akin_row_span *sources,
                            const akin_row_span *targets) {
    double low, high, other_low, other_high;
    bool one = sources->low == sources->high && targets->low == targets->high;
    if (rule->kind == AKIN_ROW_RULE_DIFFERENT) return !one || sources->low != targets->low;
    band(rule, sources->low, &low, &high); /* monotonic in the source, both ends */
    band(rule, sources->high, &other_low, &other_high);
    return overlap(low < other_low ? low : other_low, high > other_high ? high : other_high,
                   targets);
}

/* Labels by their indices: few pairs are tried one by one. */
static bool possible_labels(const akin_row_rule *rule, const akin_row_span *sources,
                            const akin_row_span *targets) {
    if (rule->kind == AKIN_ROW_RULE_SAME && rule->parts_first == NULL)
        return overlap(sources->low, sources->high, targets);
    if ((sources->high - sources->low + 1) * (targets->high - targets->low + 1) > PAIRS_TRIED)
        return true;
    for (int32_t s = (int32_t)sources->low; s <= (int32_t)sources->high; s++)
        for (int32_t t = (int32_t)targets->low; t <= (int32_t)targets->high; t++)
            if (passes(rule, s, t)) return true;
    return false;
}

static bool possible(const akin_row_rule *rule, const akin_row_span *sources,
                     const akin_row_span *targets) {
    if (sources->some_none) return true;
    if (sources->low > sources->high) return true; /* there are none */
    if (targets->low > targets->high) return false;
    return rule->number ? possible_number(rule, sources, targets)
                        : possible_labels(rule, sources, targets);
}

bool akin_row_rules_possible(const akin_row_rules *rules, const akin_row_span *sources,
                             const akin_row_span *targets) {
    bool turned = rules->reversed || rules->both;
    for (int r = 0; r < rules->count; r++) {
        const akin_row_rule *rule = &rules->rule[r];
        const akin_row_span *from = &sources[rule->slot], *to = &targets[rule->slot];
        if (!rules->reversed && !possible(rule, from, to)) return false;
        if (turned && !possible(rule, to, from)) return false;
    }
    return true;
}

/* Whether some target's number passes for every source's: what a rule asks ascends with the source. */
static bool certain_number(const akin_row_rule *rule, const akin_row_span *sources,
                           const akin_row_span *targets) {
    double low, high, other_low, other_high;
    if (rule->kind == AKIN_ROW_RULE_DIFFERENT)
        return targets->low < targets->high || targets->low < sources->low ||
               targets->low > sources->high;
    if (rule->kind == AKIN_ROW_RULE_SAME)
        return sources->low >= targets->low && sources->high <= targets->high;
    if (rule->kind == AKIN_ROW_RULE_RATIO && sources->low < 0) return false;
    band(rule, sources->low, &low, &high);
    band(rule, sources->high, &other_low, &other_high);
    return other_low <= targets->high && high >= targets->low;
}

static bool certain_labels(const akin_row_rule *rule, const akin_row_span *sources,
                           const akin_row_span *targets) {
    if (sources->low == sources->high && targets->low == targets->high)
        return passes(rule, (int32_t)sources->low, (int32_t)targets->low);
    if (rule->kind == AKIN_ROW_RULE_SAME && rule->parts_first == NULL)
        return sources->low >= targets->low && sources->high <= targets->high;
    return targets->high - targets->low + 1 > PAIRS_TRIED;
}

bool akin_row_rules_certain(const akin_row_rules *rules, const akin_row_span *sources,
                            const akin_row_span *targets) {
    if (rules->reversed || rules->both) return rules->count == 0;
    for (int r = 0; r < rules->count; r++) {
        const akin_row_rule *rule = &rules->rule[r];
        const akin_row_span *from = &sources[rule->slot], *to = &targets[rule->slot];
        if (from->low > from->high) continue; /* none is bound by it */
        if (to->low > to->high) return false;
        if (!(rule->number ? certain_number(rule, from, to) : certain_labels(rule, from, to)))
            return false;
    }
    return true;
}

bool akin_row_rules_possible_for(const akin_row_rules *rules, const akin_row_values *source,
                                 const akin_row_span *targets) {
    akin_row_span one[AKIN_ROW_RULES_SLOTS];
    for (int slot = 0; slot < rules->slots; slot++) {
        one[slot] = akin_row_span_none();
        akin_row_span_add(&one[slot], rules->number[slot], source->value[slot]);
    }
    return akin_row_rules_possible(rules, one, targets);
}

/* The nearest floats that are not inside. */
static akin_row_reach outward(double low, double high) {
    akin_row_reach r = {(float)low, (float)high};
    if ((double)r.low > low) r.low = nextafterf(r.low, -INFINITY);
    if ((double)r.high < high) r.high = nextafterf(r.high, INFINITY);
    return r;
}

static const akin_row_rule *first_rule(const akin_row_rules *rules) {
    return rules->orders > 0 ? &rules->rule[rules->order[0]] : NULL;
}

/* Whether what passes for a source is one range. */
static bool is_band(const akin_row_rule *rule) {
    return rule->kind != AKIN_ROW_RULE_DIFFERENT && rule->kind != AKIN_ROW_RULE_PAIRS &&
           rule->parts_first == NULL;
}

akin_row_reach akin_row_rules_reach(const akin_row_rules *rules, const akin_row_values *source) {
    const akin_row_rule *rule = first_rule(rules);
    const akin_row_reach any = {-INFINITY, INFINITY};
    if (rule == NULL || !is_band(rule) || is_none(rule->number, source->value[rule->slot]))
        return any;
    double low, high;
    band(rule,
         rule->number ? number_of(source->value[rule->slot]) : (double)source->value[rule->slot],
         &low, &high);
    return outward(low, high);
}

bool akin_row_rules_are_reach(const akin_row_rules *rules) {
    return rules->count == 1 && rules->orders == 1 && is_band(first_rule(rules)) &&
           !rules->reversed && !rules->both;
}

akin_row_reach akin_row_rules_reached(const akin_row_rules *rules, const akin_row_span *targets) {
    const akin_row_rule *rule = first_rule(rules);
    if (rule == NULL) return (akin_row_reach){-INFINITY, INFINITY};
    return outward(targets[rule->slot].low, targets[rule->slot].high);
}

/* --- order --- */

/* A number's step within the band of the rule, so that a kind is a quarter as wide as the band. */
static double step_of(const akin_row_rule *rule, double number) {
    if (rule->kind == AKIN_ROW_RULE_DIFFERENCE) {
        double width = (rule->high - rule->low) / STEPS;
        return width > 0 ? floor(number / width) : number;
    }
    double ratio = rule->kind == AKIN_ROW_RULE_RATIO && rule->low > 0 ? rule->high / rule->low : 1;
    if (!(ratio > 1) || number == 0) return number;
    double step = floor(log2(fabs(number)) / (log2(ratio) / STEPS)) + 0x1p20;
    return number > 0 ? step : -step;
}

double akin_row_rule_share(const akin_row_rule *rule, const int32_t *values, size_t count) {
    size_t passed = 0;
    for (size_t s = 0; s < count; s++)
        for (size_t t = 0; t < count; t++) passed += passes(rule, values[s], values[t]);
    return count > 0 ? (double)passed / ((double)count * (double)count) : 1;
}

uint32_t akin_row_rules_kind(const akin_row_rules *rules, int which,
                             const akin_row_values *values) {
    const akin_row_rule *rule = &rules->rule[rules->order[which]];
    int32_t value = values->value[rule->slot];
    if (is_none(rule->number, value)) return 0;
    if (!rule->number) return (uint32_t)value + 1;
    float step = (float)step_of(rule, number_of(value)) + 0.0f;
    uint32_t bits;
    memcpy(&bits, &step, sizeof bits);
    bits ^= bits >> 31 ? UINT32_MAX : UINT32_C(1) << 31; /* ascend with the step */
    return bits > 0 ? bits : 1;
}
