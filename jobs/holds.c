/* holds: see holds.h. */
#include "holds.h"
#include <akin/log.h>
#include <akin/mem.h>
#include <string.h>

#define FILE_SCHEME "file:"

void akin_holds_tell(const char *what, const char *who, const char *holder) {
    akin_log_info("%s: waiting up to 10 s for %s (%s), which is writing there", what, who, holder);
}

static akin_status hold(akin_holds *holds, const char *path) {
    if (!path || !*path || holds->count == AKIN_HOLDS_MAX) return AKIN_OK;
    char *name = akin_lock_beside(path);
    if (!name) return AKIN_FAILED;
    akin_status status =
        akin_lock_take(name, "another akin", path, akin_holds_tell, &holds->locks[holds->count]);
    if (status == AKIN_OK) holds->count++;
    akin_mem_free(name);
    return status;
}

static const char *text_of(const akin_options *o, const char *name) {
    akin_option_type type;
    bool has = akin_options_declared(o, name, &type) && type == AKIN_OPTION_TEXT;
    return has ? akin_options_text(o, name) : NULL;
}

/* A file that is named twice is held once. */
static bool is_repeated(const char *const *urls, size_t i) {
    for (size_t j = 0; j < i; j++)
        if (strcmp(urls[j], urls[i]) == 0) return true;
    return false;
}

static akin_status hold_targets(akin_holds *holds, const akin_options *o) {
    akin_status status = AKIN_OK;
    const char *const *urls = NULL;
    const size_t scheme = sizeof FILE_SCHEME - 1;
    bool changes = akin_options_declared(o, "to", NULL) &&
                   !(akin_options_declared(o, "dry-run", NULL) && akin_options_flag(o, "dry-run"));
    size_t count = changes ? akin_options_list(o, "to", &urls) : 0;
    for (size_t i = 0; i < count && status == AKIN_OK; i++)
        if (strncmp(urls[i], FILE_SCHEME, scheme) == 0 && !is_repeated(urls, i))
            status = hold(holds, urls[i] + scheme);
    return status;
}

static akin_status hold_all(akin_holds *holds, const akin_verb *verb, const akin_options *o) {
    static const char *const options[] = {"output", "rejects", "checkpoint"};
    akin_status status = AKIN_OK;
    for (size_t i = 0; i < sizeof options / sizeof *options && status == AKIN_OK; i++)
        status = hold(holds, text_of(o, options[i]));
    if (status != AKIN_OK || verb == &akin_verb_status) return status; /* which only looks */
    return hold_targets(holds, o);
}

akin_status akin_holds_take(akin_comm *comm, const akin_verb *verb, const akin_options *options,
                            akin_holds *out) {
    *out = (akin_holds){0};
    akin_status status =
        akin_agree(comm, akin_comm_rank(comm) == 0 ? hold_all(out, verb, options) : AKIN_OK);
    if (status != AKIN_OK) akin_holds_release(out);
    return status;
}

void akin_holds_release(akin_holds *holds) {
    for (int i = 0; i < holds->count; i++) akin_lock_release(holds->locks[i], true);
    *holds = (akin_holds){0};
}
