/* decoder_limits: see decoder_limits.h. */
#include "decoder_limits.h"
#include <akin/image.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

/* The hungriest conversions hold a few copies of a picture, of up to four channels of 16 bits. */
enum { BYTES_PER_PIXEL = 40, BESIDES = 256 << 20 };

static rlim_t allowance; /* bytes beyond what the process held before the picture */

static void limit(int what, rlim_t amount) {
    struct rlimit now;
    if (getrlimit(what, &now) != 0) return;
    now.rlim_cur = amount < now.rlim_max ? amount : now.rlim_max;
    setrlimit(what, &now);
}

/* Bytes of data that the process has, as the kernel counts them for RLIMIT_DATA (proc(5)). */
static rlim_t held(void) {
    uint64_t pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file) return RLIM_INFINITY;
    if (fscanf(file, "%*u %*u %*u %*u %*u %" SCNu64, &pages) != 1) pages = 0;
    fclose(file);
    return pages > 0 ? pages * (rlim_t)sysconf(_SC_PAGESIZE) : RLIM_INFINITY;
}

static rlim_t seconds_used(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (rlim_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + 1);
}

uint64_t akin_image_decoder_bytes(uint64_t max_pixels) {
    return BESIDES + max_pixels * BYTES_PER_PIXEL;
}

void akin_decoder_limits_set(uint64_t max_pixels) {
    rlim_t before = held();
    allowance = max_pixels < (uint64_t)1 << 40 ? akin_image_decoder_bytes(max_pixels) : 0;
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_CPU, seconds_used() + AKIN_DECODER_SECONDS);
    limit(RLIMIT_DATA,
          before == RLIM_INFINITY || allowance == 0 ? RLIM_INFINITY : before + allowance);
}

akin_status akin_decoder_limits_judge(akin_status status) {
    limit(RLIMIT_DATA, RLIM_INFINITY);
    if (status != AKIN_FAILED || allowance == 0) return status;
    void *more = mmap(NULL, allowance, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (more == MAP_FAILED) return status;
    munmap(more, allowance);
    return akin_error_set(
        AKIN_INPUT, "damaged: decoding it takes more memory than a picture of that size needs");
}
