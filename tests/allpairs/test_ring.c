/* ring: for up to 4,096 ranks, every two blocks meet once, and all ranks do the same amount of
 * work. */
#include <akin/ring.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { UNITS = 7, LARGEST = 4096 };

/* Counts each pair of units of each pair of blocks, for all sizes and therefore small ones only. */
static void every_pair_of_units_meets_once(void **unused) {
    (void)unused;
    for (int size = 1; size <= 12; size++) {
        int met[12][12][UNITS][UNITS];
        memset(met, 0, sizeof met);
        for (int rank = 0; rank < size; rank++)
            for (int step = 0; step <= akin_ring_steps(size); step++) {
                int held = akin_ring_held(size, rank, step);
                akin_ring_part part = akin_ring_work(size, rank, step, UNITS, UNITS);
                for (size_t i = part.own_first; i < part.own_end; i++)
                    for (size_t j = part.held_first; j < part.held_end; j++) {
                        met[rank][held][i][j]++;
                        if (step > 0) met[held][rank][j][i]++;
                    }
            }
        for (int a = 0; a < size; a++)
            for (int b = 0; b < size; b++)
                for (int i = 0; i < UNITS; i++)
                    for (int j = 0; j < UNITS; j++) assert_int_equal(met[a][b][i][j], 1);
    }
}

static void work_is_even(int size) {
    size_t first_work = 0;
    for (int rank = 0; rank < size; rank++) {
        size_t work = 0;
        for (int step = 1; step <= akin_ring_steps(size); step++) {
            akin_ring_part part = akin_ring_work(size, rank, step, UNITS, UNITS);
            work += (part.own_end - part.own_first) * (part.held_end - part.held_first);
        }
        if (rank == 0) first_work = work;
        size_t apart = work > first_work ? work - first_work : first_work - work;
        if (apart > UNITS)
            fail_msg("rank %d of %d: %zu units of work, rank 0 has %zu", rank, size, work,
                     first_work);
    } /* half of 7 rows is 3 or 4 */
}

static void work_is_even_at_every_size(void **unused) {
    (void)unused;
    for (int size = 1; size <= 300; size++) work_is_even(size);
    for (int size = 301; size <= LARGEST; size += 173) work_is_even(size);
    work_is_even(LARGEST);
}

static void blocks_meet_once_at_many_ranks(void **unused) {
    (void)unused;
    static const int sizes[] = {13, 64, 255, 1023, 1024, LARGEST - 1, LARGEST};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        int size = sizes[s];
        unsigned char *met = malloc((size_t)size * (size_t)size);
        assert_non_null(met);
        memset(met, 0, (size_t)size * (size_t)size);
        for (int rank = 0; rank < size; rank++)
            for (int step = 0; step <= akin_ring_steps(size); step++) {
                int held = akin_ring_held(size, rank, step);
                assert_int_equal(akin_ring_holder(size, held, step), rank);
                akin_ring_part part = akin_ring_work(size, rank, step, 2, 2);
                size_t halves =
                    (part.own_end - part.own_first) * (part.held_end - part.held_first) / 2;
                met[(size_t)rank * (size_t)size + (size_t)held] += (unsigned char)halves;
                if (step > 0)
                    met[(size_t)held * (size_t)size + (size_t)rank] += (unsigned char)halves;
            }
        for (size_t i = 0; i < (size_t)size * (size_t)size; i++)
            if (met[i] != 2)
                fail_msg("%d ranks: blocks %zu and %zu", size, i / (size_t)size, i % (size_t)size);
        free(met);
    }
}

enum { SIZES = 7, PARTS = 48 };

typedef unsigned char meetings[SIZES][SIZES][PARTS][PARTS];

/* The parts that meet in a slice of a rank: with those that it holds. */
static void meet(int size, int rank, int step, int slice, meetings met, int subs) {
    int held = akin_ring_held(size, rank, step);
    akin_ring_part pieces[AKIN_RING_PIECES],
        part = akin_ring_work(size, rank, step, (size_t)subs, (size_t)subs);
    size_t count = akin_ring_slice(part, step, subs, slice, pieces);
    for (size_t p = 0; p < count; p++)
        for (size_t i = pieces[p].own_first; i < pieces[p].own_end; i++)
            for (size_t j = pieces[p].held_first; j < pieces[p].held_end; j++)
                if (step > 0 || i <= j) met[rank][held][i][j] = met[held][rank][j][i] = 1;
}

/* Exactly what met is reported as done; returns how many are left. */
static int check_done(akin_ring_progress at, meetings met) {
    int left = 0;
    for (int a = 0; a < at.size; a++)
        for (int b = 0; b < at.size; b++)
            for (int i = 0; i < at.subs; i++)
                for (int j = 0; j < at.subs; j++) {
                    assert_int_equal(akin_ring_done(at, a, i, b, j), met[a][b][i][j]);
                    left += !met[a][b][i][j];
                }
    return left;
}

/* At every moment, in rings of all small sizes. */
static void progress_is_what_was_done(void **unused) {
    (void)unused;
    static const int parts[] = {2, 4, 6, 8, 16, 22, PARTS};
    for (int size = 1; size <= SIZES; size++)
        for (size_t s = 0; s < sizeof parts / sizeof *parts; s++) {
            const int subs = parts[s];
            static meetings met;
            int left = -1;
            if (size * subs > 5 * 22 && size > 2) continue;
            memset(met, 0, sizeof met);
            for (int step = 0; step <= akin_ring_steps(size); step++)
                for (int slice = 0; slice <= subs; slice++) {
                    left = check_done((akin_ring_progress){size, subs, step, slice, 0, 0}, met);
                    for (int rank = 0; rank < size && slice < subs; rank++)
                        meet(size, rank, step, slice, met, subs);
                }
            assert_int_equal(left, 0);
        }
}

enum { MOST = 96 };

/* A block of so many parts. */
typedef struct {
    size_t subs;
    unsigned char met[MOST][MOST];
    double all, least, most; /* pairs, and those of slices */
} block;

/* Pairs of rows before columns; of a part with itself half. */
static double pairs_of(const akin_ring_part *piece) {
    double pairs = 0;
    for (size_t j = piece->held_first; j < piece->held_end; j++) {
        const double before = (double)(piece->own_end < j ? piece->own_end : j);
        if (before > (double)piece->own_first) pairs += before - (double)piece->own_first;
        if (j >= piece->own_first && j < piece->own_end) pairs += 0.5;
    }
    return pairs;
}

static void pass_slice(block *b, int slice) {
    akin_ring_part pieces[AKIN_RING_PIECES], part = akin_ring_work(1, 0, 0, b->subs, b->subs);
    double work = 0;
    size_t count = akin_ring_slice(part, 0, (int)b->subs, slice, pieces);
    assert_true(count >= 1 && count <= AKIN_RING_PIECES);
    for (size_t p = 0; p < count; p++) {
        const akin_ring_part *of = &pieces[p];
        bool before = of->own_end <= of->held_first,
             last = of->own_end == of->held_end && of->own_first <= of->held_first;
        assert_true(before || last);
        assert_true(of->held_end <= b->subs && of->own_first < of->own_end);
        work += pairs_of(of);
        for (size_t i = of->own_first; i < of->own_end && b->subs <= MOST; i++)
            for (size_t j = of->held_first; j < of->held_end; j++) b->met[i][j] += i <= j;
    }
    b->all += work;
    b->least = work < b->least ? work : b->least;
    b->most = work > b->most ? work : b->most;
}

/* Whether all parts have met the same number of others. */
static bool is_even(const block *b) {
    size_t first = 0, found;
    for (size_t i = 0; i < b->subs; i++) {
        found = 0;
        for (size_t j = 0; j < b->subs; j++)
            found += i < j ? b->met[i][j] : i > j ? b->met[j][i] : 0;
        if (i == 0) first = found;
        if (found != first) return false;
    }
    return true;
}

/* Within a block each two parts meet once, in slices of about the same work where there are as many parts as the engine
 * has; and at the end of each distance all have met the same number of others. */
static void a_block_meets_itself_evenly(void **unused) {
    (void)unused;
    for (size_t subs = 2; subs <= MOST; subs += 2) {
        block b = {.subs = subs, .least = INFINITY};
        int even = 0;
        for (int slice = 0; slice < (int)subs; slice++) {
            pass_slice(&b, slice);
            even += is_even(&b);
        }
        for (size_t i = 0; i < subs; i++)
            for (size_t j = 0; j < subs; j++) assert_int_equal(b.met[i][j], i <= j);
        assert_true(b.all == (double)(subs * subs) / 2);
        if (subs % 16 == 0) assert_int_equal(even, 9); /* distances 0 to 8 of 16 groups */
        if (subs % 16 == 0 || subs <= 4)
            assert_true(b.least > 0.9 * (double)subs / 2 && b.most < 1.1 * (double)subs / 2);
    }
}

/* Of many parts a group takes several slices. */
static void groups_may_be_large(void **unused) {
    (void)unused;
    static const size_t parts[] = {256, 512, 1024, 4096};
    for (size_t s = 0; s < sizeof parts / sizeof *parts; s++) {
        block b = {.subs = parts[s], .least = INFINITY};
        for (int slice = 0; slice < (int)b.subs; slice++) pass_slice(&b, slice);
        assert_true(b.all == (double)(b.subs * b.subs) / 2);
        assert_true(b.most <= (double)b.subs); /* twice the average */
    }
}

/* Parts are even in number, and of long rows not so few rows that those come from memory all the time. */
static void parts_are_not_narrow(void **unused) {
    (void)unused;
    static const size_t dims[] = {32, 512, 1280, 4096};
    for (size_t rows = 1; rows < 20000000; rows += 1 + rows / 3)
        for (size_t d = 0; d < sizeof dims / sizeof *dims; d++) {
            int subs = akin_ring_subs(1, rows, dims[d]);
            assert_true(subs >= 2 && subs <= LARGEST && subs % 2 == 0);
            assert_true(subs == 2 || rows / (size_t)subs >= 768);
        }
    assert_true(akin_ring_subs(1, 10000000, 1280) > 1000);
}

/* Short slices share a vote, long ones have one each; a step has eight at least, where it has as many
 * slices. */
static void slices_share_votes(void **unused) {
    (void)unused;
    enum { DIM = 512 };
    for (size_t rows = 100; rows < 2000000; rows += 1 + rows / 3) {
        const int subs = akin_ring_subs(2, rows, DIM),
                  slices = akin_ring_vote_slices(subs, rows, DIM);
        const double work = (double)rows * (double)rows * DIM / subs;
        assert_true(slices >= 1 && (slices == 1 || 8 * slices <= subs));
        assert_true(slices == 1 || slices * work <= 16e10);
        assert_true(8 * (slices + 1) > subs || (slices + 1) * work > 16e10);
    }
    assert_int_equal(akin_ring_vote_slices(64, 50000, DIM), 8);
    assert_int_equal(akin_ring_vote_slices(64, 500000, DIM), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pair_of_units_meets_once),
        cmocka_unit_test(work_is_even_at_every_size),
        cmocka_unit_test(blocks_meet_once_at_many_ranks),
        cmocka_unit_test(progress_is_what_was_done),
        cmocka_unit_test(a_block_meets_itself_evenly),
        cmocka_unit_test(groups_may_be_large),
        cmocka_unit_test(parts_are_not_narrow),
        cmocka_unit_test(slices_share_votes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
