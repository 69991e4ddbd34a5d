/* verbs: the table of verbs, each declared in its own file jobs/verb_<name>.c. */
#ifndef AKIN_VERBS_H
#define AKIN_VERBS_H

#include <akin/comm.h>
#include <akin/error.h>
#include <akin/features.h>
#include <akin/hash.h>
#include <akin/json.h>
#include <akin/options.h>
#include <akin/source.h>
#include <stdbool.h>

typedef struct {
    akin_comm *comm;
    akin_options *options; /* resolved: defaults, job file, command line */
    akin_json *report;     /* the verb adds its keys; verb, status, exit, message, ranks and seconds
                        * come from main */
    const char *options_text;   /* all options, resolved: for the attribute akin_options */
    const char *result_options; /* those that affect the result: for akin_result_options */
    akin_source *
        listed; /* the source that `up_to_date` of ingest has listed, for its run; owned, or NULL */
    /* For `up_to_date` of a stage whose output does not say what it was made from, on rank 0: what
     * metrics.json says of its last run (borrowed, or NULL), and the digest of its inputs now (""
     * if unknown). */
    const akin_json *last;
    char inputs[AKIN_HASH_TEXT_SIZE];
    char *said; /* by run_together: what akin_log_summary would have said of this call; owned */
    bool print; /* false under --json or `run`: only the report goes to stdout */
} akin_call;

typedef struct akin_verb {
    const char *name;
    const char *arguments;    /* "SOURCE... -o catalog.nc" */
    const char *summary;      /* one line */
    const char *notes;        /* lines for --help between summary and options, or NULL */
    bool multiplies;          /* needs products of matrices, hence the work buffer of BLAS */
    const char *argument_key; /* the key of its arguments in a job file ("source"), or NULL */
    int arguments_min, arguments_max; /* -1 = any; main refuses other counts with AKIN_USAGE */
    const akin_option *options; /* its own, ends with a NULL name; main adds the common ones */
    /* Collective. Checks what it can before it changes anything. */
    akin_status (*run)(akin_call *call);
    /* Several calls at once, where that is less work than one after another; NULL: there is none. They fail
     * together. Collective. */
    akin_status (*run_together)(akin_call *const *calls, size_t count);
    /* For `run`: whether the output already is that of its inputs and options, so that the stage can be
     * skipped; false where unsure (missing or damaged output too). May add to the report what the
     * file says of itself. Quick: attributes only. Run by every rank, agreed by the caller. NULL:
     * never skipped. */
    bool (*up_to_date)(akin_call *call);
    /* Whether the options are consistent (AKIN_USAGE), as far as can be told without reading any
     * file; main calls it before it runs the verb, `run` before it starts the first stage. It
     * may set an option that depends on others and was not given. Not collective. NULL: always
     * consistent. */
    akin_status (*check)(akin_options *options);
} akin_verb;

/* The features that `train` derives from its options, for a catalogue with so many columns of a
 * network (features.h).
 * Not collective. */
AKIN_MUST_CHECK akin_status akin_train_features(const akin_options *train, size_t seen,
                                                akin_features *features);

extern const akin_verb akin_verb_ingest, akin_verb_train, akin_verb_embed, akin_verb_neighbors,
    akin_verb_evaluate, akin_verb_publish, akin_verb_rollback, akin_verb_fetch, akin_verb_query,
    akin_verb_gallery, akin_verb_run, akin_verb_inspect, akin_verb_status, akin_verb_plan,
    akin_verb_add;

/* All of them, ends with NULL; and the options that every verb has. */
extern const akin_verb *const akin_verbs[];
extern const akin_option akin_common_options[];

#endif
