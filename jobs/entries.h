/* entries: the reports of a run's stages, as metrics.json and the --json of `akin run` have them: each
 * under its verb; those of a further table NAME under "tables" and NAME, where the report of
 * neighbors is the object itself and those of the other stages are within it. Not collective. */
#ifndef AKIN_ENTRIES_H
#define AKIN_ENTRIES_H

#include <akin/json.h>

#define AKIN_ENTRIES_TABLES "tables"

/* Borrowed; NULL if there is none. table: NULL for table.nc and stages that all tables share. */
const akin_json *akin_entries_get(const akin_json *entries, const char *verb, const char *table);
/* Stores a copy; akin_json_check reports a failure. */
void akin_entries_set(akin_json *entries, const char *verb, const char *table,
                      const akin_json *report);

#endif
