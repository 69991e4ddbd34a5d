/* objective: what training minimises. */
#include <akin/train.h>
#include <string.h>

static const char *const names[AKIN_OBJECTIVE_COUNT] = {
    [AKIN_OBJECTIVE_RECONSTRUCTION] = "reconstruction",
    [AKIN_OBJECTIVE_DENOISING] = "denoising",
    [AKIN_OBJECTIVE_CONTRASTIVE] = "contrastive",
};

const char *akin_objective_name(akin_objective_kind kind) {
    return names[kind];
}

akin_objective_kind akin_objective_find(const char *name) {
    int kind = 0;
    while (kind < AKIN_OBJECTIVE_COUNT && strcmp(names[kind], name) != 0) kind++;
    return (akin_objective_kind)kind;
}
