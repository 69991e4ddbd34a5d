/* qdrant_switch: the aliases of a target in Qdrant. Not collective. */
#ifndef AKIN_QDRANT_SWITCH_H
#define AKIN_QDRANT_SWITCH_H

#include "qdrant_store.h"
#include <akin/text.h>

/* Sets the alias to one collection and -previous to another ("": none), and the list of what was
 * rolled back (NULL: it stays), in one call; body: room for the request. */
AKIN_MUST_CHECK akin_status akin_qdrant_switch(akin_qdrant_store *place, akin_text *body,
                                               const char *now, const char *before,
                                               const char *rolled_back);

#endif
