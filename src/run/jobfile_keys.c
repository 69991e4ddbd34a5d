/* jobfile_keys: see jobfile_keys.h. */
#include "jobfile_keys.h"
#include <akin/text.h>
#include <string.h>

static bool has_key(const akin_jobfile_section *section, const akin_options *options,
                    const char *key) {
    for (const akin_jobfile_refusal *no = section->refusals; no && no->key; no++)
        if (strcmp(no->key, key) == 0) return false;
    return (section->argument_key && strcmp(section->argument_key, key) == 0) ||
           akin_options_declared(options, key, NULL);
}

akin_status akin_jobfile_refuse_key(const akin_jobfile_section *sections,
                                    akin_options *const *options, size_t declared, size_t at,
                                    const char *key) {
    akin_status status;
    akin_text *owners = NULL;
    AKIN_TRY(akin_text_create(&owners));
    for (size_t i = 0; i < declared; i++)
        if (has_key(&sections[i], options[i], key))
            AKIN_TRY(akin_text_append(owners, "%s[%s%s]",
                                      akin_text_length(owners) > 0 ? " or " : "", sections[i].name,
                                      sections[i].named ? " NAME" : ""));
    status = akin_text_length(owners) > 0
                 ? akin_error_set(AKIN_USAGE, "unknown key %s; it belongs to %s", key,
                                  akin_text_bytes(owners))
                 : akin_options_refuse_key(options[at], key, sections[at].argument_key);
done:
    akin_text_free(owners);
    return status;
}

bool akin_jobfile_is_name(const char *name) {
    size_t length =
        strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");
    return length > 0 && length <= AKIN_JOBFILE_NAME_LIMIT && !name[length];
}

akin_status akin_jobfile_unknown_section(const akin_jobfile_section *sections, size_t declared,
                                         const char *name) {
    const char *names[32] = {NULL};
    for (size_t i = 0; i < declared && i < 31; i++) names[i] = sections[i].name;
    const char *nearest = akin_text_nearest(name, names);
    return nearest ? akin_error_set(AKIN_USAGE, "unknown section [%s]; did you mean [%s]?", name,
                                    nearest)
                   : akin_error_set(AKIN_USAGE, "unknown section [%s]", name);
}
