/* ring: which rank compares which two blocks, and when. */
#include <akin/ring.h>

enum {
    PARTS_MAX = 4096, /* of all blocks */
    PART_LEAST = 768  /* rows: a part meets all others, which come from memory for it */
};
static const double slice_work = 5e9; /* multiply-adds; a core does 5e10 to 3e11 of them a second */

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

int akin_ring_subs(int size, size_t rows, size_t dim) {
    double slices = (double)rows * (double)rows * (double)dim / slice_work,
           most = PARTS_MAX / size; /* whole ones */
    if (most > (double)rows / PART_LEAST) most = (double)rows / PART_LEAST;
    if (slices > most) slices = most;
    return slices < 2 ? 2 : (int)(slices / 2) * 2;
}

void akin_ring_slice(akin_ring_part part, int subs, int slice, size_t *first, size_t *end) {
    size_t held = part.held_end - part.held_first;
    *first = part.held_first + held * (size_t)slice / (size_t)subs;
    *end = part.held_first + held * ((size_t)slice + 1) / (size_t)subs;
}

/* Whether that rank has reached the column, at its step. */
static bool reached(akin_ring_progress at, int rank, int step, size_t column) {
    akin_ring_part part = akin_ring_work(at.size, rank, step, (size_t)at.subs, (size_t)at.subs);
    size_t first, end;
    if (at.step != step) return at.step > step;
    if (at.slice == 0) return false;
    akin_ring_slice(part, at.subs, at.slice - 1, &first, &end);
    return column < end;
}

bool akin_ring_done(akin_ring_progress at, int block_a, int sub_a, int block_b, int sub_b) {
    int step = (block_b - block_a + at.size) % at.size;
    if (step == 0) return reached(at, block_a, 0, (size_t)(sub_a > sub_b ? sub_a : sub_b));
    if (2 * step > at.size) return akin_ring_done(at, block_b, sub_b, block_a, sub_a);
    if (2 * step < at.size) return reached(at, block_a, step, (size_t)sub_b);
    if (block_a > block_b) return akin_ring_done(at, block_b, sub_b, block_a, sub_a);
    /* The last step of an even ring: the lower rank has the first half of its own block. */
    if (sub_a < at.subs / 2) return reached(at, block_a, step, (size_t)sub_b);
    return reached(at, block_b, step, (size_t)sub_a);
}

double akin_ring_share(akin_ring_progress at) {
    double size = at.size, slice = at.slice / (double)at.subs;
    double triangle = at.step > 0 ? 0.5 : slice * slice / 2,
           steps = at.step > 0 ? at.step - 1 + slice : 0;
    if (2 * at.step == at.size && at.size > 1) steps = at.step - 1 + slice / 2;
    double all = size / 2; /* in pairs of blocks per rank: size^2 / 2 in total */
    return (triangle + steps) / all;
}
