/* ring: for up to 4,096 ranks, every two blocks meet once, and all ranks do the same amount of
 * work. */
#include <akin/ring.h>
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

/* At every moment, in rings of all small sizes, exactly the slices so far are reported as done. */
static void progress_is_what_was_done(void **unused) {
    (void)unused;
    enum { SUBS = 4 };
    for (int size = 1; size <= 7; size++) {
        unsigned char met[7][7][SUBS][SUBS];
        double share = 0;
        memset(met, 0, sizeof met);
        for (int step = 0; step <= akin_ring_steps(size); step++)
            for (int slice = 0; slice <= SUBS; slice++) {
                akin_ring_progress at = {size, SUBS, step, slice};
                for (int a = 0; a < size; a++)
                    for (int b = 0; b < size; b++)
                        for (int i = 0; i < SUBS; i++)
                            for (int j = 0; j < SUBS; j++)
                                assert_int_equal(akin_ring_done(at, a, i, b, j), met[a][b][i][j]);
                assert_true(akin_ring_share(at) >= share && akin_ring_share(at) <= 1);
                share = akin_ring_share(at);
                for (int rank = 0; rank < size && slice < SUBS; rank++) {
                    int held = akin_ring_held(size, rank, step);
                    akin_ring_part part = akin_ring_work(size, rank, step, SUBS, SUBS);
                    size_t first, end;
                    akin_ring_slice(part, SUBS, slice, &first, &end);
                    for (size_t i = part.own_first; i < part.own_end; i++)
                        for (size_t j = first; j < end; j++)
                            if (step > 0 || i <= j)
                                met[rank][held][i][j] = met[held][rank][j][i] = 1;
                }
            }
        assert_true(share > 0.999999);
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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pair_of_units_meets_once),
        cmocka_unit_test(work_is_even_at_every_size),
        cmocka_unit_test(blocks_meet_once_at_many_ranks),
        cmocka_unit_test(progress_is_what_was_done),
        cmocka_unit_test(parts_are_not_narrow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
