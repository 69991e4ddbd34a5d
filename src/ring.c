/* ring: which rank compares which two blocks, and when. Floor 0; looks down to nothing. */
#include <akin/ring.h>

int akin_ring_steps(int size) {
    return size / 2;
}

int akin_ring_held(int size, int rank, int step) {
    return (int)(((long long)rank + step) % size);
}

int akin_ring_holder(int size, int block, int step) {
    return (int)(((long long)block - step + size) % size);
}

akin_ring_part akin_ring_work(int size, int rank, int step, size_t own_count, size_t held_count) {
    akin_ring_part part = {0, own_count, 0, held_count};
    if (step > 0 && 2 * step == size) {
        if (rank < step)
            part.own_end = own_count / 2;
        else
            part.held_first = held_count / 2;
    }
    return part;
}
