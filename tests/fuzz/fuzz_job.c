/* Job files, with the real sections and their options. */
#include "fuzz.h"
#include "jobs/stages.h"
#include <akin/mem.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    akin_jobfile *job = NULL;
    akin_status status = akin_jobfile_read(fuzz_file(bytes, count), akin_stage_sections(), &job);
    if (status == AKIN_OK) {
        status = akin_stages_check(job);
        char *place = akin_jobfile_place(job, "train", "epochs");
        akin_mem_free(place);
    }
    akin_jobfile_free(job);
    fuzz_check(status);
    return 0;
}
