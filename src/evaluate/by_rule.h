/* by_rule: what the rules of a table decide beforehand of its figures, by its akin_result_options. */
#ifndef AKIN_EVALUATE_BY_RULE_H
#define AKIN_EVALUATE_BY_RULE_H

#include <akin/evaluate.h>

/* Why a precision by that label says nothing, in words; NULL: it does. `options` may be NULL. */
const char *akin_by_rule_precision(const char *options, akin_evaluate_label label);

/* Whether the rules name categories that lists may or may not have: a list that leaves its category
 * is then no surprise. */
bool akin_by_rule_categories(const char *options);

#endif
