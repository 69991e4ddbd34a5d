/* openvino_calls: see openvino_calls.h. */
#include "openvino_calls.h"

#ifdef AKIN_OPENVINO
#include <dlfcn.h>

/* Where the loader looks, else where it was when akin was built. */
static void *open_library(void) {
    void *library = dlopen(AKIN_OPENVINO_NAME, RTLD_NOW | RTLD_LOCAL);
    return library ? library : dlopen(AKIN_OPENVINO_FILE, RTLD_NOW | RTLD_LOCAL);
}

static akin_status refuse(void) {
    return akin_error_set(
        AKIN_FAILED,
        "OpenVINO, which runs networks, cannot be loaded: %s; install it with `sh "
        "jobs/packages.sh network`, or name its folder in LD_LIBRARY_PATH",
        dlerror());
}

akin_status akin_openvino_load(const akin_openvino_calls **calls) {
    static akin_openvino_calls loaded;
    void *library = open_library();
    if (!library) return refuse();
#define LOAD(name)                                                                                 \
    if (!(*(void **)&loaded.name = dlsym(library, "ov_" #name))) return refuse();
    AKIN_OPENVINO_CALLS(LOAD)
#undef LOAD
    *calls = &loaded;
    return AKIN_OK;
}
#endif
