/* hubs: how evenly a table recommends the items. */
#include "hubs.h"

#include <akin/mem.h>
#include <math.h>

akin_status akin_hubs_measure(const int64_t *times, size_t items, akin_hubs *out) {
    size_t most = 0, left = (items + 99) / 100;
    int64_t places = 0, held = 0;
    for (size_t i = 0; i < items; i++) {
        if ((size_t)times[i] > most) most = (size_t)times[i];
        places += times[i];
    }
    size_t *having = akin_mem_zalloc(most + 2, sizeof *having); /* items in so many lists */
    if (!having) return AKIN_FAILED;
    for (size_t i = 0; i < items; i++) having[times[i]]++;
    for (size_t t = most; t > 0 && left > 0; t--) {
        size_t taken = having[t] < left ? having[t] : left;
        held += (int64_t)(taken * t);
        left -= taken;
    }
    *out = (akin_hubs){places > 0 ? (double)held / (double)places : NAN, having[0],
                       having[0] + having[1]};
    akin_mem_free(having);
    return AKIN_OK;
}
