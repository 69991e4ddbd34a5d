/* Job files, with the real sections and their options. */
#include "fuzz.h"
#include "jobs/job.h"
#include <akin/mem.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    akin_jobs jobs = {0};
    akin_error_kept wrong_keys;
    akin_status status = akin_jobs_read(fuzz_file(bytes, count), &wrong_keys, &jobs);
    if (status == AKIN_OK) {
        status = akin_jobs_check(&jobs);
        char *place = akin_jobfile_place(jobs.list[0].file, "train", "epochs");
        akin_mem_free(place);
    }
    akin_jobs_free(&jobs);
    fuzz_check(status);
    return 0;
}
