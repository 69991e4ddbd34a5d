/* verb_add: `akin add JOB.ini NEW.csv` puts items into the last table between nights (addition.h). */
#include "run.h"
#include "verbs.h"

const akin_verb akin_verb_add = {
    .name = "add",
    .multiplies = true,
    .arguments = "JOB.ini NEW.csv",
    .summary = "items between nights: into the last table, at once",
    .arguments_min = 2,
    .arguments_max = 2,
    .options = akin_run_options,
    .notes =
        "Runs the job with one more source, whose rows come in place of those with the same id: "
        "new "
        "items, and\nitems that are withdrawn (available = no). The last model is used, only new "
        "pictures are read, only lists\nthat change are computed, and the table is published "
        "again. "
        "The next run of the job reads its own sources\nalone, so they should have the rows by "
        "then.\n",
    .run = akin_run_job,
    .check = akin_run_check,
};
