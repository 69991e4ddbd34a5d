/* Laws of the train stage that need access to its internals: a gradient that overflows or is not a
 * number ends the run on all ranks and names its step; so does a rank that cannot read its
 * pictures; the latent mean is that of the catalogue; the reader gives every rank, of any number,
 * its pictures in their order, from any step on. */
#include "train/reader.h"
#include "train/worker.h"
#include <akin/catalog.h>
#include <akin/comm.h>
#include <akin/file.h>
#include <akin/mem.h>
#include <akin/model.h>
#include <akin/network.h>
#include <akin/rng.h>
#include <akin/shard.h>
#include <akin/train.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static akin_comm *comm;

enum { ITEMS = 45 };

static const char *const catalog = "things.nc", *const output = "model.nc";

/* Pictures of 8x8 patches of a few bytes, each item its own. */
static uint8_t byte_of(size_t item, size_t at) {
    return (uint8_t)akin_rng_bits(11, AKIN_RNG_TEST, (uint32_t)item,
                                  at / 96 % 8 + at % 96 / 24 * 8);
}

static int write_catalog(void **state) {
    (void)state;
    akin_labels *labels = NULL;
    static uint8_t images[ITEMS * AKIN_IMAGE_BYTES];
    uint64_t hashes[ITEMS] = {0};
    const akin_catalog_origin origin = {
        .options = "o", .result_options = "r", .source_digest = "d"};
    int size = akin_comm_size(comm), rank = akin_comm_rank(comm);
    size_t first = akin_shard_first(ITEMS, size, rank), count = akin_shard_count(ITEMS, size, rank);
    if (akin_labels_create(count, 8, &labels) != AKIN_OK) return 1;
    for (size_t i = 0; i < count; i++) {
        char id[16];
        snprintf(id, sizeof id, "i%07zu", first + i);
        if (akin_labels_set_id(labels, i, id) != AKIN_OK) return 1;
        for (size_t b = 0; b < AKIN_IMAGE_BYTES; b++)
            images[i * AKIN_IMAGE_BYTES + b] = byte_of(first + i, b);
    }
    const akin_catalog_part part = {ITEMS, first, images, hashes};
    akin_status status = akin_catalog_write(comm, catalog, &origin, labels, &part, NULL);
    akin_labels_free(labels);
    return status;
}

/* All micro-batches of one rank of `size`, starting with a step. */
static void check_reader(const akin_catalog *from, akin_worker *worker, const akin_sampler *sampler,
                         const akin_reader_span *span) {
    akin_reader *reader = NULL;
    size_t in_epoch = akin_sampler_steps(sampler);
    assert_int_equal(akin_reader_create(from, sampler, worker, span, &reader), AKIN_OK);
    for (size_t step = span->first_step; step < span->steps; step++) {
        size_t images = akin_sampler_batch_items(sampler, step % in_epoch);
        for (size_t m = (size_t)span->rank; m < akin_reader_micros(images);
             m += (size_t)span->size) {
            size_t count, place = step % in_epoch * sampler->batch + m * AKIN_NETWORK_MICRO_BATCH;
            const uint8_t *pictures;
            assert_int_equal(akin_reader_next(reader, &count, &pictures), AKIN_OK);
            assert_int_equal(count, akin_reader_micro_images(images, m));
            for (size_t i = 0; i < count; i++) {
                size_t item = akin_sampler_train(sampler, step / in_epoch, place + i);
                for (size_t b = 0; b < AKIN_IMAGE_BYTES; b += 7)
                    assert_int_equal(pictures[i * AKIN_IMAGE_BYTES + b], byte_of(item, b));
            }
        }
    }
    akin_reader_free(reader);
}

static void pictures_come_in_order_at_any_number_of_ranks(void **state) {
    (void)state;
    akin_catalog *opened = NULL;
    akin_worker *worker = NULL;
    assert_int_equal(akin_catalog_open(comm, catalog, &opened), AKIN_OK);
    assert_int_equal(akin_worker_create(&worker), AKIN_OK);
    for (size_t batch = 1; batch <= 41; batch += 20)
        for (int size = 1; size <= 4; size++)
            for (int rank = 0; rank < size; rank++) {
                const akin_sampler sampler = akin_sampler_make(3, ITEMS, 0.1, batch);
                const akin_reader_span span = {rank, size, batch == 1 ? 50 : 1,
                                               batch == 1 ? 130 : 40};
                check_reader(opened, worker, &sampler, &span);
            }
    akin_worker_free(worker);
    akin_catalog_close(opened);
}

static akin_train_params some_params(void) {
    return (akin_train_params){.catalog = catalog,
                               .output = output,
                               .checkpoint_every = 300,
                               .epochs = 3,
                               .batch = 40,
                               .learning_rate = 1e-3,
                               .holdout = 0.1,
                               .seed = 1,
                               .objective = {.kind = AKIN_OBJECTIVE_RECONSTRUCTION},
                               .options = "o",
                               .result_options = "r"};
}

/* An initial model in which all weights have this size. */
static void write_init(const char *path, float magnitude) {
    akin_model *model = NULL;
    const akin_model_origin origin = {
        .options = "", .result_options = "", .catalog_digest = "", .objective = "o"};
    assert_int_equal(akin_model_create(&model), AKIN_OK);
    akin_network_initialise(1, akin_model_weights(model));
    for (size_t i = 0; i < AKIN_NETWORK_WEIGHTS; i++) akin_model_weights(model)[i] *= magnitude;
    assert_int_equal(akin_model_write(comm, path, &origin, model), AKIN_OK);
    akin_model_free(model);
}

/* Whichever comes first with a weight of this size: an infinity in a layer is reported as "not a
 * number". */
static void what_is_not_finite_is_named_with_its_step(void **state) {
    (void)state;
    akin_train_params params = some_params();
    akin_train_result result;
    params.init = "large.nc";
    write_init(params.init, 1e20F);
    if (akin_comm_rank(comm) == 0) remove(output);
    assert_int_equal(akin_train(comm, &params, &result), AKIN_FAILED);
    assert_non_null(
        strstr(akin_error_message(), "step 1: the gradient of conv1_weight is not a number"));
    akin_comm_barrier(comm);
    assert_false(akin_file_exists(output));
    akin_train_result_free(&result);
}

static void an_update_that_is_not_finite_is_named_with_its_step(void **state) {
    (void)state;
    akin_train_params params = some_params();
    akin_train_result result;
    params.learning_rate = 1e39;
    assert_int_equal(akin_train(comm, &params, &result), AKIN_FAILED);
    assert_non_null(
        strstr(akin_error_message(), "step 1: the update of conv1_weight is not a number"));
    akin_train_result_free(&result);
}

/* Every allocation of one rank fails in turn: all ranks learn of it, and none hangs. */
static void a_rank_without_memory_ends_all(void **state) {
    (void)state;
    akin_train_params params = some_params();
    akin_train_result result;
    params.epochs = 1;
    int last = akin_comm_size(comm) - 1, failed = 0;
    for (uint64_t n = 1; n < 400; n += 1 + n / 3) {
        if (akin_comm_rank(comm) == last) akin_mem_fail_at(n);
        akin_status status = akin_train(comm, &params, &result);
        akin_mem_fail_at(0);
        int64_t worst = status;
        akin_comm_max_i64(comm, &worst, 1);
        assert_true(worst == (int64_t)status);
        assert_true(status == AKIN_OK || status == AKIN_FAILED);
        failed += status == AKIN_FAILED;
        akin_train_result_free(&result);
    }
    assert_true(failed >= 3);
}

static void the_mean_is_that_of_the_catalogue(void **state) {
    (void)state;
    akin_train_params params = some_params();
    akin_train_result result;
    akin_model *model = NULL;
    akin_network *network = NULL;
    static uint8_t image[AKIN_IMAGE_BYTES];
    assert_int_equal(akin_train(comm, &params, &result), AKIN_OK);
    assert_true(result.items == ITEMS && result.steps == 6 && result.epochs == 3);
    assert_true(result.loss_last < result.loss_curve[0] &&
                result.loss_curve[2] == result.loss_last);
    akin_train_result_free(&result);
    assert_int_equal(akin_model_read(comm, output, &model), AKIN_OK);
    assert_int_equal(akin_network_create(&network), AKIN_OK);
    double sum[AKIN_NETWORK_LATENT] = {0};
    for (size_t i = 0; i < ITEMS; i++) {
        float latent[AKIN_NETWORK_LATENT];
        for (size_t b = 0; b < AKIN_IMAGE_BYTES; b++) image[b] = byte_of(i, b);
        akin_network_encode(network, akin_model_weights(model), image, 1, latent);
        for (size_t d = 0; d < AKIN_NETWORK_LATENT; d++) sum[d] += (double)latent[d];
    }
    for (size_t d = 0; d < AKIN_NETWORK_LATENT; d++)
        assert_true(fabs(sum[d] / ITEMS - (double)akin_model_latent_mean(model)[d]) < 1e-6);
    akin_network_free(network);
    akin_model_free(model);
}

int main(int argc, char **argv) {
    if (akin_comm_start(&argc, &argv, &comm) != AKIN_OK) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pictures_come_in_order_at_any_number_of_ranks),
        cmocka_unit_test(what_is_not_finite_is_named_with_its_step),
        cmocka_unit_test(an_update_that_is_not_finite_is_named_with_its_step),
        cmocka_unit_test(a_rank_without_memory_ends_all),
        cmocka_unit_test(the_mean_is_that_of_the_catalogue),
    };
    int failed = cmocka_run_group_tests(tests, write_catalog, NULL);
    akin_comm_finish(comm);
    return failed;
}
