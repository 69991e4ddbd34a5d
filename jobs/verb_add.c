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
        "The rows of NEW.csv come in place of those of the last table with the same id: new items, "
        "items that\nhave changed, and items that are withdrawn (available = no). Only their "
        "pictures are read; the last model is\nused, only lists that change are computed, and the "
        "table is published again. Rows that are rejected leave\nthe table, but more than the "
        "job's max-reject-fraction of NEW.csv changes nothing and ends with 3. The next run\nof "
        "the job reads its own sources alone, so they should have the rows by then.\n",
    .run = akin_run_job,
    .check = akin_run_check,
};
