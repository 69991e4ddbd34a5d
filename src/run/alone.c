/* alone: see alone.h. */
#include "alone.h"
#include <stddef.h>
#include <stdlib.h>

void akin_alone_settings(void) {
    static const char *const settings[][2] = {{"OMPI_MCA_ess_singleton_isolated", "1"},
                                              {"OMPI_MCA_orte_create_session_dirs", "0"},
                                              {"OMPI_MCA_sharedfp", "^sm"},
                                              {"OMPI_MCA_btl", "self"}};
    if (getenv("PMIX_RANK") || getenv("PMI_RANK") || getenv("OMPI_COMM_WORLD_RANK")) return;
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++)
        setenv(settings[i][0], settings[i][1], 0);
}
