/* checkpoints: options for where and how often a stage saves its state, the same for `train` and
 * `neighbors`. Not collective. */
#ifndef AKIN_CHECKPOINTS_H
#define AKIN_CHECKPOINTS_H

#include <akin/error.h>
#include <akin/options.h>
#include <string.h>

/* Entries of a table of options, to be followed by a comma. often: the help of --checkpoint-every.
 */
#define AKIN_CHECKPOINT_OPTIONS(often)                                                             \
    {.name = "checkpoint",                                                                         \
     .type = AKIN_OPTION_TEXT,                                                                     \
     .argument = "FILE",                                                                           \
     .unrecorded = true,                                                                           \
     .help = "where the run saves its state (default: <output>.checkpoint); a file given here "    \
             "must match the run"},                                                                \
    {                                                                                              \
        .name = "checkpoint-every", .type = AKIN_OPTION_REAL, .initial = "300", .minimum = 0,      \
        .maximum = 1e9, .unrecorded = true, .argument = "SECONDS", .help = often                   \
    }

/* AKIN_USAGE if it would overwrite the output. */
static inline akin_status akin_checkpoints_check(const akin_options *o, const char *output) {
    const char *checkpoint = akin_options_text(o, "checkpoint");
    if (!checkpoint || strcmp(checkpoint, output) != 0) return AKIN_OK;
    return akin_error_option("checkpoint", "--checkpoint %s is also the output", checkpoint);
}

#endif
