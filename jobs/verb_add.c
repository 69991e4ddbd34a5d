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
    .options = akin_run_options + 1, /* without --night */
    .notes =
        "NEW.csv holds new items, items that have changed, and items that are withdrawn "
        "(available = no),\nwhose pictures are not needed. They replace the rows of the last "
        "table with the same ids. Only their\npictures are read, the last model is used, only "
        "lists that change are computed, and the table is\npublished again. An item whose new "
        "row is rejected leaves the table; if more than the job's\nmax-reject-fraction of "
        "NEW.csv is rejected, nothing changes and the exit code is 3. The next run of\nthe job "
        "reads only its own sources, which should contain these rows by then.\n",
    .run = akin_run_job,
    .check = akin_run_check,
};
