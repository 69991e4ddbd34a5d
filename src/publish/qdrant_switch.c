/* qdrant_switch: replaces the published collection by another one, in one call. */
#include "qdrant_switch.h"
#include <stdio.h>
#include <string.h>

static akin_status append_alias(akin_text *body, const char *alias, const char *ending, bool remove,
                                const char *collection, int *actions) {
    akin_status status = AKIN_OK;
    AKIN_TRY(akin_text_append(body, "%s", (*actions)++ > 0 ? ", " : ""));
    if (remove)
        status =
            akin_text_append(body, "{\"delete_alias\": {\"alias_name\": \"%s%s\"}}", alias, ending);
    else
        status = akin_text_append(
            body, "{\"create_alias\": {\"alias_name\": \"%s%s\", \"collection_name\": \"%s\"}}",
            alias, ending, collection);
done:
    return status;
}

/* Replaces the aliases whose names hold what was rolled back; they name this collection, as an
 * alias has to name one. */
static akin_status append_rolled_back(const akin_qdrant_store *place, akin_text *body,
                                      const char *list, const char *collection, int *actions) {
    akin_status status = AKIN_OK;
    const char *alias = akin_qdrant_store_alias(place);
    char ending[AKIN_HASH_TEXT_SIZE + 24];
    for (size_t slot = 0; slot < AKIN_ROLLED_BACK_TABLES; slot++) {
        const char *old = akin_qdrant_store_rolled_back(place, slot);
        snprintf(ending, sizeof ending, "-rolled-back-%zu-%s", slot, old);
        if (*old) AKIN_TRY(append_alias(body, alias, ending, true, NULL, actions));
    }
    for (size_t slot = 0; *list; slot++, list += strspn(list, " ")) {
        int length = (int)strcspn(list, " ");
        snprintf(ending, sizeof ending, "-rolled-back-%zu-%.*s", slot, length, list);
        AKIN_TRY(append_alias(body, alias, ending, false, collection, actions));
        list += length;
    }
done:
    return status;
}

akin_status akin_qdrant_switch(akin_qdrant_store *place, akin_text *body, const char *now,
                               const char *before, const char *rolled_back) {
    akin_status status = AKIN_OK;
    const char *alias = akin_qdrant_store_alias(place);
    int actions = 0;
    akin_text_clear(body);
    AKIN_TRY(akin_text_append(body, "{\"actions\": ["));
    if (*akin_qdrant_store_live(place))
        AKIN_TRY(append_alias(body, alias, "", true, NULL, &actions));
    if (*akin_qdrant_store_before(place))
        AKIN_TRY(append_alias(body, alias, "-previous", true, NULL, &actions));
    AKIN_TRY(append_alias(body, alias, "", false, now, &actions));
    if (*before) AKIN_TRY(append_alias(body, alias, "-previous", false, before, &actions));
    if (rolled_back) AKIN_TRY(append_rolled_back(place, body, rolled_back, now, &actions));
    AKIN_TRY(akin_text_append(body, "]}"));
    AKIN_TRY(
        akin_qdrant_store_ask(place, "POST", "/collections/aliases", akin_text_bytes(body), NULL));
    AKIN_TRY(akin_qdrant_store_read_aliases(place));
    if (strcmp(akin_qdrant_store_live(place), now) != 0)
        status = akin_error_set(AKIN_FAILED, "Qdrant: the alias %s was not switched over", alias);
done:
    return status;
}
