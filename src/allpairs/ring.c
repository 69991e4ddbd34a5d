/* ring: which rank compares which two blocks, and when. */
#include <akin/ring.h>

enum {
    PARTS_MAX = 4096, /* of all blocks */
    PART_LEAST = 768, /* rows: of fewer, what they meet comes from memory too often */
    GROUPS_MAX = AKIN_RING_PIECES
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
    int groups = 2;
    while (groups < GROUPS_MAX && slices >= 2 * groups) groups *= 2;
    return slices < groups ? groups : (int)(slices / groups) * groups;
}

/* --- step 0 --- */

/* The parts of a block in groups around a circle. */
typedef struct {
    size_t parts, groups, size; /* size: parts of a group */
} circle;

static circle circle_of(int subs) {
    circle c = {(size_t)subs, GROUPS_MAX, 0};
    while (c.parts % c.groups != 0) c.groups /= 2;
    c.size = c.parts / c.groups;
    return c;
}

/* Slices at a distance: of groups with themselves half of the pairs are left, and opposite groups are half as many
 * pairs, so these take half as many slices as groups at other distances. */
static size_t slices_at(const circle *c, size_t distance) {
    return distance == 0 || distance == c->groups / 2 ? c->size : 2 * c->size;
}

/* The first slice at a distance. */
static size_t slices_before(const circle *c, size_t distance) {
    return distance == 0 ? 0 : (2 * distance - 1) * c->size;
}

/* The columns of slice i at a distance. */
static size_t columns_at(const circle *c, size_t distance, size_t i) {
    const size_t first = distance == c->groups / 2 ? c->parts / 2 : 0;
    return first + i * (c->parts - first) / slices_at(c, distance);
}

/* The rows that columns of a group meet. */
static size_t rows_at(const circle *c, size_t distance, size_t column) {
    return (column / c->size + c->groups - distance) % c->groups * c->size;
}

static size_t slice_own(const circle *c, size_t slice, akin_ring_part *pieces) {
    size_t distance = 0, count = 0, some;
    while (slice >= slices_before(c, distance) + slices_at(c, distance)) distance++;
    slice -= slices_before(c, distance);
    const size_t end = columns_at(c, distance, slice + 1);
    for (size_t first = columns_at(c, distance, slice); first < end; first += some) {
        const size_t rows = rows_at(c, distance, first), left = c->size - first % c->size;
        some = left < end - first ? left : end - first;
        akin_ring_part piece = {rows, rows + c->size, first, first + some};
        if (distance == 0) piece.own_end = first + some;
        if (rows > first) piece = (akin_ring_part){first, first + some, rows, rows + c->size};
        pieces[count++] = piece;
    }
    return count;
}

/* The slice in which two parts meet. */
static size_t slice_of(const circle *c, size_t a, size_t b) {
    const size_t half = c->groups / 2;
    size_t distance = (b / c->size + c->groups - a / c->size) % c->groups, column = b;
    if (distance > half) distance = c->groups - distance, column = a;
    if (distance == 0 || distance == half) column = a > b ? a : b;
    size_t slice = 0;
    while (column >= columns_at(c, distance, slice + 1)) slice++;
    return slices_before(c, distance) + slice;
}

/* --- all steps --- */

size_t akin_ring_slice(akin_ring_part part, int step, int subs, int slice, akin_ring_part *pieces) {
    const circle c = circle_of(subs);
    const size_t held = part.held_end - part.held_first;
    if (step == 0) return slice_own(&c, (size_t)slice, pieces);
    pieces[0] = part;
    pieces[0].held_first = part.held_first + held * (size_t)slice / (size_t)subs;
    pieces[0].held_end = part.held_first + held * ((size_t)slice + 1) / (size_t)subs;
    return 1;
}

/* Whether that rank has reached the column, at its step, which is not the first. */
static bool reached(akin_ring_progress at, int rank, int step, size_t column) {
    akin_ring_part part = akin_ring_work(at.size, rank, step, (size_t)at.subs, (size_t)at.subs);
    if (at.step != step) return at.step > step;
    if (at.slice == 0) return false;
    akin_ring_slice(part, step, at.subs, at.slice - 1, &part);
    return column < part.held_end;
}

bool akin_ring_done(akin_ring_progress at, int block_a, int sub_a, int block_b, int sub_b) {
    int step = (block_b - block_a + at.size) % at.size;
    const circle c = circle_of(at.subs);
    if (step == 0)
        return at.step > 0 || slice_of(&c, (size_t)sub_a, (size_t)sub_b) < (size_t)at.slice;
    if (2 * step > at.size) return akin_ring_done(at, block_b, sub_b, block_a, sub_a);
    if (2 * step < at.size) return reached(at, block_a, step, (size_t)sub_b);
    if (block_a > block_b) return akin_ring_done(at, block_b, sub_b, block_a, sub_a);
    /* The last step of an even ring: the lower rank has the first half of its own block. */
    if (sub_a < at.subs / 2) return reached(at, block_a, step, (size_t)sub_b);
    return reached(at, block_b, step, (size_t)sub_a);
}

double akin_ring_share(akin_ring_progress at) {
    double size = at.size, slice = at.slice / (double)at.subs;
    double triangle = at.step > 0 ? 0.5 : slice / 2, steps = at.step > 0 ? at.step - 1 + slice : 0;
    if (2 * at.step == at.size && at.size > 1) steps = at.step - 1 + slice / 2;
    double all = size / 2; /* in pairs of blocks per rank: size^2 / 2 in total */
    return (triangle + steps) / all;
}
