/* Laws of comm at 1, 2, 3 and 4 ranks: the result of each collective is known from rank and size
 * alone. */
#include <akin/comm.h>
#include <akin/log.h>
#include <akin/mem.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static akin_comm *comm;
static int rank, size;

static void sums_and_maxima_are_those_of_all_ranks(void **state) {
    (void)state;
    enum { COUNT = 100000 };
    int64_t *sum = akin_mem_alloc(COUNT, sizeof *sum), top[2] = {rank, -rank};
    double real[2] = {rank + 0.5, -rank - 0.5};
    for (int i = 0; i < COUNT; i++) sum[i] = (int64_t)i * (rank + 1);
    akin_comm_sum_i64(comm, sum, COUNT);
    akin_comm_max_i64(comm, top, 2);
    akin_comm_max_f64(comm, real, 2);
    for (int i = 0; i < COUNT; i++) assert_int_equal(sum[i], (int64_t)i * size * (size + 1) / 2);
    assert_int_equal(top[0], size - 1);
    assert_int_equal(top[1], 0);
    assert_true(real[0] == size - 0.5 && real[1] == -0.5);
    akin_mem_free(sum);
}

static void a_sum_wraps_instead_of_stopping(void **state) {
    (void)state;
    int64_t value = rank == 0 ? INT64_MAX : rank == 1 ? 1 : 0;
    akin_comm_sum_i64(comm, &value, 1);
    assert_true(value == (size > 1 ? INT64_MIN : INT64_MAX));
}

static void rounds_are_those_of_the_rank_with_most(void **state) {
    (void)state;
    size_t rank = (size_t)akin_comm_rank(comm), last = (size_t)akin_comm_size(comm) - 1;
    assert_int_equal(akin_comm_rounds(comm, 3 * rank, 2), (3 * last + 1) / 2);
    assert_int_equal(akin_comm_rounds(comm, rank == last ? 8 : 0, 4), 2);
    assert_int_equal(akin_comm_rounds(comm, 0, 5), 0);
}

/* Two sums at the same time, reused: equal to a sum that is waited for at once. */
static void sums_go_on_beside_the_computation(void **state) {
    (void)state;
    enum { COUNT = 300000 };
    int64_t *values[2] = {akin_mem_alloc(COUNT, sizeof **values),
                          akin_mem_alloc(COUNT, sizeof **values)};
    akin_comm_sum *sums[2] = {NULL, NULL};
    for (int s = 0; s < 2; s++) assert_int_equal(akin_comm_sum_create(COUNT, &sums[s]), AKIN_OK);
    for (int64_t round = 1; round < 4; round++) {
        for (int s = 0; s < 2; s++) {
            for (int i = 0; i < COUNT; i++) values[s][i] = (i + s) * round * (rank + 1);
            akin_comm_sum_start(comm, sums[s], values[s], s ? COUNT : 1000);
            akin_comm_poll(comm);
        }
        for (int s = 0; s < 2; s++) akin_comm_sum_wait(comm, sums[s]);
        int64_t all = (int64_t)size * (size + 1) / 2;
        for (int i = 0; i < 1000; i++) assert_true(values[0][i] == i * round * all);
        for (int i = 0; i < COUNT; i++) assert_true(values[1][i] == (i + 1) * round * all);
    }
    for (int s = 0; s < 2; s++) {
        akin_comm_sum_free(sums[s]);
        akin_mem_free(values[s]);
    }
}

/* Every number goes to one rank; a rank that requests none does not delay the others. */
static void a_counter_gives_every_number_once(void **state) {
    (void)state;
    enum { NUMBERS = 500 };
    for (int idle = -1; idle < size - 1; idle++) { /* the rank that only takes its first one */
        akin_comm_counter *counter = NULL;
        int64_t had[NUMBERS] = {0};
        assert_int_equal(akin_comm_counter_create(comm, &counter), AKIN_OK);
        uint64_t number = akin_comm_counter_take(counter), before;
        assert_int_equal(number, rank);
        had[number] = 1;
        while (rank != idle) {
            before = number;
            number = akin_comm_counter_take(counter);
            assert_true(number > before);
            if (number >= NUMBERS) break;
            had[number]++;
        }
        akin_comm_sum_i64(comm, had, NUMBERS);
        int64_t kept = idle >= 0; /* the idle rank requests another one and never takes it */
        for (int i = 0; i < NUMBERS; i++) {
            kept -= had[i] == 0;
            assert_true(had[i] <= 1 && kept >= 0);
        }
        akin_comm_counter_free(counter);
    }
    akin_comm_counter_free(NULL);
}

static void every_rank_is_alone_if_it_wants(void **state) {
    (void)state;
    akin_comm *alone = akin_comm_alone(comm);
    assert_true(akin_comm_size(alone) == 1 && akin_comm_rank(alone) == 0);
    int64_t value = rank;
    akin_comm_sum_i64(alone, &value, 1); /* by this rank, for itself */
    assert_int_equal(value, rank);
    if (rank == size - 1) assert_int_equal(akin_agree(alone, AKIN_INPUT), AKIN_INPUT);
}

static void every_rank_can_broadcast(void **state) {
    (void)state;
    for (int root = 0; root < size; root++) {
        int words[3] = {rank, rank * 2, rank * 3};
        akin_comm_broadcast(comm, words, sizeof words, root);
        for (int i = 0; i < 3; i++) assert_int_equal(words[i], root * (i + 1));
        akin_comm_broadcast(comm, NULL, 0, root);
    }
    akin_comm_barrier(comm);
}

static void agreement_is_ok_when_all_are(void **state) {
    (void)state;
    akin_error_clear();
    assert_int_equal(akin_agree(comm, AKIN_OK), AKIN_OK);
    assert_string_equal(akin_error_message(), "");
}

static void one_failing_rank_fails_all_with_its_message(void **state) {
    (void)state;
    for (int bad = 0; bad < size; bad++) {
        akin_error_clear();
        akin_status local =
            rank == bad ? akin_error_set(AKIN_INPUT, "no cheese in row %d", bad) : AKIN_OK;
        char expected[64];
        int head = size > 1 ? snprintf(expected, sizeof expected, "rank %d: ", bad) : 0;
        snprintf(expected + head, sizeof expected - (size_t)head, "no cheese in row %d", bad);
        assert_int_equal(akin_agree(comm, local), AKIN_INPUT);
        assert_string_equal(akin_error_message(), expected);
        /* Agreed again, by the caller: the same status, and no second prefix. */
        assert_int_equal(akin_agree(comm, AKIN_INPUT), AKIN_INPUT);
        assert_string_equal(akin_error_message(), expected);
    }
}

static void what_all_say_needs_no_rank(void **state) {
    (void)state;
    assert_int_equal(akin_agree(comm, akin_error_set(AKIN_USAGE, "no such file")), AKIN_USAGE);
    assert_string_equal(akin_error_message(), "no such file");
}

static void the_worst_status_wins_and_interrupted_is_the_least(void **state) {
    (void)state;
    static const akin_status order[] = {AKIN_INTERRUPTED, AKIN_FAILED, AKIN_USAGE, AKIN_INPUT,
                                        AKIN_GATE};
    for (size_t worst = 0; worst < sizeof order / sizeof order[0]; worst++)
        for (size_t other = 0; other < worst; other++) {
            bool is_last = rank == size - 1;
            akin_status local =
                akin_error_set(order[is_last ? worst : other], is_last ? "worst" : "other");
            assert_int_equal(akin_agree(comm, local), order[worst]);
            assert_non_null(strstr(akin_error_message(), "worst"));
        }
}

static void a_shared_text_is_everywhere(void **state) {
    (void)state;
    for (int root = 0; root < size; root++)
        for (size_t length = 0; length < 300000; length = 3 * length + 7) {
            unsigned char *bytes = NULL;
            size_t count = 0;
            if (rank == root) {
                count = length;
                bytes = akin_mem_alloc(count, 1);
                for (size_t i = 0; i < count; i++) bytes[i] = (unsigned char)(i * 7 + length);
            }
            assert_int_equal(akin_comm_share(comm, (void **)&bytes, &count, root), AKIN_OK);
            assert_int_equal(count, length);
            for (size_t i = 0; i < count; i++)
                assert_int_equal(bytes[i], (unsigned char)(i * 7 + length));
            akin_mem_free(bytes);
        }
}

/* Rank r sends r * 1000 words "r, i": rank 0 sends none. */
static void gathered_pieces_lie_in_rank_order(void **state) {
    (void)state;
    size_t mine_count = (size_t)rank * 1000, offsets[65];
    int *mine = akin_mem_alloc(mine_count, 2 * sizeof(int));
    for (size_t i = 0; i < mine_count; i++) mine[2 * i] = rank, mine[2 * i + 1] = (int)i;
    for (int root = -1; root < size; root++) {
        void *all;
        assert_int_equal(
            akin_comm_gather(comm, mine, mine_count * 2 * sizeof(int), root, &all, offsets),
            AKIN_OK);
        for (int r = 0; r < size; r++)
            assert_int_equal(offsets[r + 1] - offsets[r], (size_t)r * 1000 * 2 * sizeof(int));
        if (root >= 0 && root != rank) {
            assert_null(all);
            continue;
        }
        for (int r = 0; r < size; r++) {
            const int *theirs = (const int *)(const void *)((const char *)all + offsets[r]);
            for (int i = 0; i < r * 1000; i++) {
                assert_int_equal(theirs[2 * i], r);
                assert_int_equal(theirs[2 * i + 1], i);
            }
        }
        akin_mem_free(all);
    }
    akin_mem_free(mine);
}

/* Rank a sends b: a + 2b records "a, b, i"; so each rank knows what it must receive from whom. others: what
 * it sends itself is left out, and written into the room that is left. */
static void exchange_records(bool others) {
    typedef struct {
        int from, to, number;
    } record;
    size_t counts[64], total = 0, used = 0, received_count;
    for (int to = 0; to < size; to++) total += counts[to] = (size_t)(rank + 2 * to);
    record *send = akin_mem_alloc(total, sizeof *send), *received;
    void *own = NULL;
    for (int to = 0; to < size; to++)
        for (size_t i = 0; i < counts[to] && !(others && to == rank); i++)
            send[used++] = (record){rank, to, (int)i};
    assert_int_equal(akin_comm_exchange_others(comm, send, counts, sizeof *send, (void **)&received,
                                               &received_count, others ? &own : NULL),
                     AKIN_OK);
    for (size_t i = 0; others && i < counts[rank]; i++)
        ((record *)own)[i] = (record){rank, rank, (int)i};
    size_t at = 0;
    for (int from = 0; from < size; from++)
        for (int i = 0; i < from + 2 * rank; i++, at++) {
            assert_int_equal(received[at].from, from);
            assert_int_equal(received[at].to, rank);
            assert_int_equal(received[at].number, i);
        }
    assert_int_equal(at, received_count);
    akin_mem_free(send);
    akin_mem_free(received);
}

static void exchanged_records_come_to_whom_they_were_sent(void **state) {
    (void)state;
    exchange_records(false);
    exchange_records(true);
}

/* A ring with messages of 0 bytes, a few, and more than one piece; two messages in transit with one
 * tag stay in order. */
static void messages_travel_the_ring(void **state) {
    (void)state;
    static const size_t lengths[] = {0, 1, 70000, ((size_t)3 << 20) + 5};
    int next = (rank + 1) % size, before = (rank + size - 1) % size;
    for (size_t l = 0; l < sizeof lengths / sizeof lengths[0]; l++) {
        size_t count = lengths[l];
        unsigned char *out = akin_mem_alloc(count, 1), *in = akin_mem_zalloc(count, 1), first = 0;
        unsigned char mark = (unsigned char)(100 + rank);
        akin_request *requests[4];
        memset(out, rank + 1, count);
        assert_int_equal(akin_comm_receive_start(comm, &first, 1, before, 7, &requests[0]),
                         AKIN_OK);
        assert_int_equal(akin_comm_receive_start(comm, in, count, before, 7, &requests[1]),
                         AKIN_OK);
        assert_int_equal(akin_comm_send_start(comm, &mark, 1, next, 7, &requests[2]), AKIN_OK);
        assert_int_equal(akin_comm_send_start(comm, out, count, next, 7, &requests[3]), AKIN_OK);
        akin_comm_poll(comm);
        for (int i = 0; i < 4; i++) {
            akin_comm_wait(comm, &requests[i]);
            assert_null(requests[i]);
            akin_comm_wait(comm, &requests[i]);
        }
        assert_int_equal(first, 100 + before);
        for (size_t i = 0; i < count; i++)
            if (in[i] != before + 1) fail_msg("byte %zu is %d", i, in[i]);
        akin_mem_free(out);
        akin_mem_free(in);
    }
}

/* Each call of comm with the k-th allocation failing on the last rank: all ranks fail, and none
 * hangs. */
static void no_memory_on_one_rank_fails_all(void **state) {
    (void)state;
    size_t counts[64] = {0}, received_count, count = 8;
    char eight[8] = "1234567";
    void *all, *bytes;
    counts[0] = 8;
    for (uint64_t k = 1; k <= 4; k++) {
        bool fails = rank == size - 1;
        akin_mem_fail_at(fails ? k : 0);
        assert_int_equal(akin_comm_gather(comm, eight, 8, 0, &all, NULL), AKIN_FAILED);
        assert_null(all);
        akin_mem_fail_at(fails ? k : 0);
        assert_int_equal(akin_comm_exchange(comm, eight, counts, 1, &all, &received_count),
                         AKIN_FAILED);
        assert_null(all);
        assert_non_null(strstr(akin_error_message(), "not enough memory"));
        if (size == 1) continue;
        akin_mem_fail_at(fails ? 1 : 0);
        bytes = rank == 0 ? eight : NULL;
        assert_int_equal(akin_comm_share(comm, &bytes, &count, 0), AKIN_FAILED);
    }
    akin_mem_fail_at(0);
}

static void a_signal_on_one_rank_is_seen_by_all(void **state) {
    (void)state;
    assert_int_equal(akin_comm_check_signal(comm), AKIN_OK);
    akin_comm_barrier(comm);
    if (rank == size - 1) raise(SIGUSR1);
    assert_int_equal(akin_comm_signalled(), rank == size - 1);
    assert_int_equal(akin_comm_check_signal(comm), AKIN_INTERRUPTED);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_and_maxima_are_those_of_all_ranks),
        cmocka_unit_test(rounds_are_those_of_the_rank_with_most),
        cmocka_unit_test(a_sum_wraps_instead_of_stopping),
        cmocka_unit_test(sums_go_on_beside_the_computation),
        cmocka_unit_test(a_counter_gives_every_number_once),
        cmocka_unit_test(every_rank_is_alone_if_it_wants),
        cmocka_unit_test(every_rank_can_broadcast),
        cmocka_unit_test(agreement_is_ok_when_all_are),
        cmocka_unit_test(one_failing_rank_fails_all_with_its_message),
        cmocka_unit_test(what_all_say_needs_no_rank),
        cmocka_unit_test(the_worst_status_wins_and_interrupted_is_the_least),
        cmocka_unit_test(a_shared_text_is_everywhere),
        cmocka_unit_test(gathered_pieces_lie_in_rank_order),
        cmocka_unit_test(exchanged_records_come_to_whom_they_were_sent),
        cmocka_unit_test(messages_travel_the_ring),
        cmocka_unit_test(no_memory_on_one_rank_fails_all),
        cmocka_unit_test(a_signal_on_one_rank_is_seen_by_all),
    };
    if (akin_comm_start(&argc, &argv, &comm) != AKIN_OK) return EXIT_FAILURE;
    rank = akin_comm_rank(comm);
    size = akin_comm_size(comm);
    akin_log_start(comm, true);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    akin_log_stop();
    akin_comm_finish(comm);
    return failed;
}
