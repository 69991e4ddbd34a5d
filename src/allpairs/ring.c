/* ring: which rank compares which two blocks, and when. */
#include <akin/ring.h>

enum {
    PARTS_MAX = 4096,             /* of all blocks */
    PART_LEAST = 768,             /* rows: of fewer, what they meet comes from memory too often */
    GROUPS_MAX = AKIN_RING_PIECES /* a power of two; a slice has at most as many columns */
};
/* In multiply-adds: of a slice, and between two votes. */
static const double slice_work = 5e9, vote_work = 16e10;

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

int akin_ring_vote_slices(int subs, size_t rows, size_t dim) {
    const double slice = (double)rows * (double)rows * (double)dim / subs, most = subs / 8.0,
                 slices = vote_work / slice < most ? vote_work / slice : most;
    return slices > 1 ? (int)slices : 1;
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

/* The slices of a distance. A group with itself has half as many pairs, and there are half as
 * many couples of opposite groups, so these take half as many slices as groups at other
 * distances. */
typedef struct {
    size_t before;          /* slices of shorter distances */
    size_t column, columns; /* the first one, and those of a slice */
} turn;

static turn turn_of(const circle *c, size_t distance) {
    const size_t half = c->groups / 2;
    if (distance == 0) return (turn){0, 0, c->groups};
    const size_t before = (2 * distance - 1) * c->size;
    return distance < half ? (turn){before, 0, half} : (turn){before, c->parts / 2, half};
}

static size_t slice_own(const circle *c, size_t slice, akin_ring_part *pieces) {
    const size_t distance = (slice + c->size) / (2 * c->size);
    const turn t = turn_of(c, distance);
    const size_t begin = t.column + (slice - t.before) * t.columns, end = begin + t.columns;
    size_t count = 0;
    for (size_t first = begin, some; first < end; first += some) {
        const size_t left = c->size - first % c->size, group = first / c->size,
                     rows = (group + c->groups - distance) % c->groups * c->size;
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
    size_t distance = (b / c->size + c->groups - a / c->size) % c->groups, column = b;
    if (2 * distance > c->groups) distance = c->groups - distance, column = a;
    if (distance == 0 || 2 * distance == c->groups) column = a > b ? a : b;
    const turn t = turn_of(c, distance);
    return t.before + (column - t.column) / t.columns;
}

/* --- all steps --- */

/* The columns of a slice after step 0. */
static akin_ring_part slice_held(akin_ring_part part, int subs, int slice) {
    const size_t first = part.held_first, held = part.held_end - first, parts = (size_t)subs;
    part.held_first = first + held * (size_t)slice / parts;
    part.held_end = first + held * ((size_t)slice + 1) / parts;
    return part;
}

size_t akin_ring_slice(akin_ring_part part, int step, int subs, int slice, akin_ring_part *pieces) {
    if (step > 0) {
        pieces[0] = slice_held(part, subs, slice);
        return 1;
    }
    const circle c = circle_of(subs);
    return slice_own(&c, (size_t)slice, pieces);
}

double akin_ring_share(akin_ring_progress at) {
    return at.before + (1 - at.before) * at.share;
}

/* Whether that rank has reached the column at that step, which is not the first. */
static bool reached(akin_ring_progress at, int rank, int step, size_t column) {
    akin_ring_part part = akin_ring_work(at.size, rank, step, (size_t)at.subs, (size_t)at.subs);
    if (at.step != step) return at.step > step;
    return at.slice > 0 && column < slice_held(part, at.subs, at.slice - 1).held_end;
}

bool akin_ring_done(akin_ring_progress at, int block_a, int sub_a, int block_b, int sub_b) {
    int step = (block_b - block_a + at.size) % at.size;
    if (step == 0) {
        const circle c = circle_of(at.subs);
        return at.step > 0 || slice_of(&c, (size_t)sub_a, (size_t)sub_b) < (size_t)at.slice;
    }
    if (2 * step > at.size) return akin_ring_done(at, block_b, sub_b, block_a, sub_a);
    if (2 * step < at.size) return reached(at, block_a, step, (size_t)sub_b);
    if (block_a > block_b) return akin_ring_done(at, block_b, sub_b, block_a, sub_a);
    /* The last step of an even ring: the lower rank has the first half of its own block. */
    if (sub_a < at.subs / 2) return reached(at, block_a, step, (size_t)sub_b);
    return reached(at, block_b, step, (size_t)sub_a);
}
