/* reuse: what a stage takes over from the last run in its folder or from the night before, and what
 * a run keeps for it. */
#ifndef AKIN_REUSE_H
#define AKIN_REUSE_H

#include "stages.h"

#define AKIN_LAST_EMBEDDINGS "embeddings.last.nc"

/* For the table of stages: whether the file in `folder` can be built upon; `second`: the name of the
 * second file. Not collective. */
bool akin_reuse_catalog(const akin_call *call, const char *folder, const char *second);
bool akin_reuse_embeddings(const akin_call *call, const char *folder, const char *second);
bool akin_reuse_table(const akin_call *call, const char *folder, const char *second);

/* Before a stage runs: selects what it may reuse, from the last run here or from the night
 * before, if that is intact and belongs here. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_reuse_previous(const akin_stage *stage, const char *table,
                                                const akin_call *call, const akin_folder *folder);

/* Hooks. Before embed puts new embeddings in place, those that a table was made from are kept as
 * embeddings.last.nc. After neighbors, when there are new tables, they are removed, also if an
 * earlier run was killed before it could do so. A failure only costs time. */
akin_stage_hook akin_reuse_set_aside, akin_reuse_clear_aside;

/* Hooks. Before neighbors replaces a table that was published, it is kept as TABLE.nc.last; publish
 * compares with it instead of with what it reads from the places, and removes it in the end. */
akin_stage_hook akin_reuse_keep_table, akin_reuse_kept_table, akin_reuse_drop_table;

#endif
