/* entries: the reports of a run's stages. */
#include "entries.h"
#include "stages.h"
#include <string.h>

static bool is_neighbors(const char *verb) {
    return strcmp(verb, "neighbors") == 0;
}

static bool is_stage(const char *key) {
    for (const akin_stage *stage = akin_stages; stage->verb; stage++)
        if (strcmp(stage->verb, key) == 0) return true;
    return false;
}

const akin_json *akin_entries_get(const akin_json *entries, const char *verb, const char *table) {
    if (!table) return akin_json_get(entries, verb);
    const akin_json *one = akin_json_get(akin_json_get(entries, AKIN_ENTRIES_TABLES), table);
    if (!is_neighbors(verb)) return akin_json_get(one, verb);
    return akin_json_text(one, "verb") ? one : NULL; /* else only other stages are within it */
}

/* Copies what is of stages, or what is not. */
static void copy_members(akin_json *to, const akin_json *from, bool of_stages) {
    for (const akin_json *it = akin_json_first(from); it; it = akin_json_next(it)) {
        if (is_stage(akin_json_key(it)) != of_stages) continue;
        akin_json *copy = akin_json_copy(it);
        akin_json_set_node(to, akin_json_key(it), &copy);
    }
}

void akin_entries_set(akin_json *entries, const char *verb, const char *table,
                      const akin_json *report) {
    akin_json *copy = table && is_neighbors(verb) ? akin_json_object() : akin_json_copy(report);
    if (!table) {
        akin_json_set_node(entries, verb, &copy);
        return;
    }
    const akin_json *before = akin_json_get(entries, AKIN_ENTRIES_TABLES),
                    *old = akin_json_get(before, table);
    akin_json *tables = before ? akin_json_copy(before) : akin_json_object(), *one = NULL;
    if (is_neighbors(verb)) {
        one = copy;
        copy_members(one, report, false);
        copy_members(one, old, true);
    } else {
        one = old ? akin_json_copy(old) : akin_json_object();
        akin_json_set_node(one, verb, &copy);
    }
    akin_json_set_node(tables, table, &one);
    akin_json_set_node(entries, AKIN_ENTRIES_TABLES, &tables);
}
