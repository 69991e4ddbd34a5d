/* publish_gates: the limits within which a table may be published. */
#ifndef AKIN_PUBLISH_GATES_H
#define AKIN_PUBLISH_GATES_H

#include <akin/publish.h>

/* places: [url_count], compared with the tables that they hold. AKIN_GATE: a limit is exceeded; the
 * message has a line for each, after its first. Not collective. */
AKIN_MUST_CHECK akin_status akin_publish_check_gates(const akin_publish_params *params,
                                                     const akin_publish_result *result,
                                                     const akin_publish_place *places);

#endif
