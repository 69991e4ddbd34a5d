/* by_rule: which figures of a table its rules decide beforehand, by its akin_result_options. */
#ifndef AKIN_EVALUATE_BY_RULE_H
#define AKIN_EVALUATE_BY_RULE_H

#include <akin/evaluate.h>

/* Why a precision by that label is meaningless, in words; NULL: it is meaningful. `options` may be
 * NULL. AKIN_FAILED: out of memory. */
AKIN_MUST_CHECK akin_status akin_by_rule_precision(const char *options, akin_evaluate_label label,
                                                   const char **why);

/* Whether the rules name categories that lists may or may not have: then it is no surprise that a
 * list leaves its category. Errors as above. */
AKIN_MUST_CHECK akin_status akin_by_rule_categories(const char *options, bool *named);

/* Whether an item that is not available may be in no list. Errors as above. */
AKIN_MUST_CHECK akin_status akin_by_rule_available(const char *options, bool *only);

#endif
