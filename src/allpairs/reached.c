/* reached: what the best of some scores reach. */
#include "reached.h"
#include <akin/dot.h>

#define PRECISION 0x1p-10f

float akin_reached(const float *scores, size_t count, size_t rank, float guess) {
    float low, high, step = 16 * PRECISION;
    if (akin_dot()->at_least(scores, count, guess) >= rank) {
        for (low = guess; akin_dot()->at_least(scores, count, high = low + step) >= rank; step *= 2)
            low = high;
    } else {
        for (high = guess; akin_dot()->at_least(scores, count, low = high - step) < rank; step *= 2)
            high = low;
    }
    while (high - low > PRECISION) {
        float middle = (low + high) / 2;
        if (middle <= low || middle >= high) break; /* large offsets */
        if (akin_dot()->at_least(scores, count, middle) >= rank)
            low = middle;
        else
            high = middle;
    }
    return low;
}
