/* Laws of model, checkpoint and encoder: reading inverts writing, at any number of ranks, with the
 * same digest; files that are damaged, not finite or of another run are refused with the reason;
 * vectors have unit length and depend on picture and model alone. */
#include "train/checkpoint.h"
#include <akin/comm.h>
#include <akin/encoder.h>
#include <akin/model.h>
#include <akin/ncfile.h>
#include <akin/network.h>
#include <akin/rng.h>
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static akin_comm *comm;

#define BYTES ((size_t)AKIN_NETWORK_WEIGHTS * sizeof(float))

/* A file name for this number of ranks, so that tests can run at the same time. */
static const char *name_of(const char *what) {
    static char name[64];
    snprintf(name, sizeof name, "model-%d-%s.nc", akin_comm_size(comm), what);
    return name;
}

/* Weights as in training, with moments and mean of distinct values. */
static akin_model *some_model(uint64_t seed) {
    akin_model *model = NULL;
    assert_int_equal(akin_model_create(&model), AKIN_OK);
    akin_network_initialise(seed, akin_model_weights(model));
    for (size_t i = 0; i < AKIN_NETWORK_HEAD; i++) {
        akin_model_adam_mean(model)[i] = (float)(seed + i) * 1e-9F;
        akin_model_adam_variance(model)[i] = (float)i * 1e-12F;
    }
    for (size_t i = 0; i < AKIN_NETWORK_LATENT; i++)
        akin_model_latent_mean(model)[i] = (float)i * 0.001F;
    *akin_model_step(model) = 1234567890123;
    const double loss[3] = {0.5, 0.25, 0.125}, holdout[3] = {0.75, NAN, 0.375};
    assert_int_equal(akin_model_set_curve(model, 3, loss, holdout), AKIN_OK);
    return model;
}

static void assert_same_state(akin_model *a, akin_model *b) {
    assert_memory_equal(akin_model_weights(a), akin_model_weights(b), BYTES);
    assert_memory_equal(akin_model_adam_mean(a), akin_model_adam_mean(b), BYTES);
    assert_memory_equal(akin_model_adam_variance(a), akin_model_adam_variance(b), BYTES);
    assert_true(*akin_model_step(a) == *akin_model_step(b));
}

static const akin_model_origin origin = {
    .options = "all", .result_options = "some", .catalog_digest = "c", .objective = "o"};

static void a_model_is_read_as_written(void **state) {
    (void)state;
    akin_model *model = some_model(5), *read = NULL;
    const char *path = name_of("identity");
    assert_int_equal(akin_model_write(comm, path, &origin, model), AKIN_OK);
    assert_int_equal(akin_model_read(comm, path, &read), AKIN_OK);
    assert_same_state(model, read);
    assert_memory_equal(akin_model_latent_mean(model), akin_model_latent_mean(read),
                        AKIN_NETWORK_LATENT * sizeof(float));
    const double *loss, *holdout;
    assert_int_equal(akin_model_curve(read, &loss, &holdout), 3);
    assert_true(loss[0] == 0.5 && loss[1] == 0.25 && loss[2] == 0.125);
    assert_true(holdout[0] == 0.75 && isnan(holdout[1]) && holdout[2] == 0.375);
    assert_int_equal(strlen(akin_model_digest(read)), 32);
    assert_string_equal(akin_model_digest(read), akin_model_digest(model));
    /* The content, and therefore the digest, of this test's model: the same at every number of
     * ranks. */
    char digest[33];
    snprintf(digest, sizeof digest, "%s", akin_model_digest(read));
    akin_comm_broadcast(comm, digest, sizeof digest, 0);
    assert_string_equal(digest, akin_model_digest(read));
    akin_model_free(read);
    akin_model_free(model);
}

/* The head and its curve are in the file if the objective is contrastive, and only then. */
static void a_head_is_read_as_written(void **state) {
    (void)state;
    const char *path = name_of("head");
    for (int contrastive = 0; contrastive < 2; contrastive++) {
        akin_model *model = some_model(5), *read = NULL;
        akin_model_origin as = origin;
        const double curve[3] = {4, 3.5, 3}, held[3] = {3, NAN, 2.5}, *loss, *holdout;
        as.objective = contrastive ? "contrastive" : "denoising";
        akin_network_initialise_head(6, akin_model_weights(model));
        for (size_t i = AKIN_NETWORK_HEAD; i < AKIN_NETWORK_WEIGHTS; i++)
            akin_model_adam_mean(model)[i] = akin_model_adam_variance(model)[i] = (float)i;
        assert_int_equal(akin_model_set_contrast_curve(model, curve, held), AKIN_OK);
        assert_int_equal(akin_model_write(comm, path, &as, model), AKIN_OK);
        assert_int_equal(akin_model_read(comm, path, &read), AKIN_OK);
        assert_true(akin_model_has_head(read) == contrastive &&
                    akin_model_has_head(model) == contrastive);
        assert_true(akin_model_contrast_curve(read, &loss, &holdout) == contrastive);
        if (contrastive) {
            assert_same_state(model, read);
            assert_true(loss[0] == 4 && loss[2] == 3 && holdout[0] == 3 && isnan(holdout[1]) &&
                        holdout[2] == 2.5);
        }
        for (size_t i = AKIN_NETWORK_HEAD; i < AKIN_NETWORK_WEIGHTS && !contrastive; i++)
            assert_true(akin_model_weights(read)[i] == 0 && akin_model_adam_mean(read)[i] == 0);
        akin_model_free(read);
        akin_model_free(model);
    }
}

static void a_model_that_is_not_finite_is_refused(void **state) {
    (void)state;
    akin_model *model = some_model(5), *read = NULL;
    const char *path = name_of("nan");
    akin_model_weights(model)[AKIN_NETWORK_HEAD - 1] = NAN;
    assert_int_equal(akin_model_write(comm, path, &origin, model), AKIN_OK);
    assert_int_equal(akin_model_read(comm, path, &read), AKIN_INPUT);
    assert_null(read);
    assert_non_null(strstr(akin_error_message(), "output_bias"));
    akin_model_free(model);
}

/* A file of kind "model" whose mean has this many latents. */
static void write_stub(const char *path, const char *features, size_t latents) {
    akin_ncfile *file = NULL;
    static const float mean[64];
    assert_int_equal(akin_ncfile_create(comm, path, "model", &file), AKIN_OK);
    akin_ncfile_dimension(file, "latent", latents);
    akin_ncfile_variable(file, "latent_mean", AKIN_NC_FLOAT, "latent", NULL, NULL);
    akin_ncfile_attribute(file, NULL, "features", features);
    assert_int_equal(akin_ncfile_begin(file), AKIN_OK);
    akin_ncfile_put(file, "latent_mean", 0, akin_comm_rank(comm) == 0 ? latents : 0, mean);
    assert_int_equal(akin_ncfile_commit(file, NULL), AKIN_OK);
}

static void other_features_are_refused(void **state) {
    (void)state;
    akin_model *read = NULL;
    const char *path = name_of("features");
    write_stub(path, "dreams", AKIN_NETWORK_LATENT);
    assert_int_equal(akin_model_read(comm, path, &read), AKIN_INPUT);
    assert_non_null(strstr(akin_error_message(), "dreams"));
    assert_null(read);
}

static void what_is_no_model_is_refused(void **state) {
    (void)state;
    akin_model *read = NULL;
    const char *path = name_of("shape");
    write_stub(path, "autoencoder", 7);
    assert_int_equal(akin_model_read(comm, path, &read), AKIN_INPUT);
    assert_non_null(strstr(akin_error_message(), "latent is 7"));
    write_stub(path, "autoencoder", AKIN_NETWORK_LATENT);
    assert_int_equal(akin_model_read(comm, path, &read), AKIN_INPUT);
    assert_int_equal(akin_model_read(comm, name_of("missing"), &read), AKIN_FAILED);
    assert_null(read);
}

/* --- checkpoint --- */

enum { STEPS = 1000 };
static size_t run_steps = 1234567890124; /* of some_model's run */

static const akin_checkpoint_origin here = {
    .options = "x", .result_options = "epochs=3", .catalog_digest = "cafe"};

static void write_checkpoint(const char *path, akin_model *model) {
    double loss[3] = {0.5, 0.25, NAN}, holdout[3] = {0.75, 0.125, NAN}, contrast[3] = {4, 3, NAN},
           held[3] = {5, 2, NAN};
    akin_history history = {.epochs = 3,
                            .loss = loss,
                            .holdout_loss = holdout,
                            .contrast_loss = contrast,
                            .holdout_contrast_loss = held,
                            .loss_first = 0.9,
                            .squared_error = 12.5,
                            .contrast = 99};
    assert_int_equal(akin_checkpoint_write(comm, path, &here, model, &history), AKIN_OK);
}

static akin_status read_checkpoint(const char *path, const akin_checkpoint_origin *as,
                                   akin_model *model, akin_history *history) {
    static double loss[3], holdout[3], contrast[3], held[3];
    *history = (akin_history){.epochs = 3,
                              .loss = loss,
                              .holdout_loss = holdout,
                              .contrast_loss = contrast,
                              .holdout_contrast_loss = held};
    return akin_checkpoint_read(comm, path, as, model, run_steps, history);
}

/* Complete and of this run, but with progress that the run cannot have. */
static void forged_numbers_are_refused(void **state) {
    (void)state;
    static const int64_t steps[] = {-1, STEPS + 1, 1000000000, INT64_MIN, INT64_MAX};
    akin_model *model = some_model(8), *read = some_model(9);
    akin_history history;
    const char *path = name_of("forged");
    const size_t before = run_steps;
    run_steps = STEPS;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        *akin_model_step(model) = steps[i];
        write_checkpoint(path, model);
        assert_int_equal(read_checkpoint(path, &here, read, &history), AKIN_INPUT);
        assert_non_null(strstr(akin_error_message(), "steps are done"));
    }
    *akin_model_step(model) = STEPS;
    write_checkpoint(path, model);
    assert_int_equal(read_checkpoint(path, &here, read, &history), AKIN_OK);
    akin_model_adam_variance(model)[7] = -1;
    write_checkpoint(path, model);
    assert_int_equal(read_checkpoint(path, &here, read, &history), AKIN_INPUT);
    akin_model_adam_variance(model)[7] = 1;
    akin_model_weights(model)[AKIN_NETWORK_WEIGHTS - 1] = NAN;
    write_checkpoint(path, model);
    assert_int_equal(read_checkpoint(path, &here, read, &history), AKIN_INPUT);
    run_steps = before;
    akin_model_free(model);
    akin_model_free(read);
}

static void a_checkpoint_is_read_as_written(void **state) {
    (void)state;
    akin_model *model = some_model(8), *read = some_model(9);
    akin_history history;
    const char *path = name_of("checkpoint");
    write_checkpoint(path, model);
    assert_int_equal(read_checkpoint(path, &here, read, &history), AKIN_OK);
    assert_same_state(model, read);
    assert_true(history.loss[0] == 0.5 && history.loss[1] == 0.25 && isnan(history.loss[2]));
    assert_true(history.holdout_loss[0] == 0.75 && history.loss_first == 0.9 &&
                history.squared_error == 12.5);
    assert_true(history.contrast_loss[1] == 3 && isnan(history.contrast_loss[2]) &&
                history.contrast == 99);
    assert_true(history.holdout_contrast_loss[0] == 5 && history.holdout_contrast_loss[1] == 2);
    akin_model_free(model);
    akin_model_free(read);
}

static void another_runs_checkpoint_is_refused_with_what_differs(void **state) {
    (void)state;
    static const struct {
        akin_checkpoint_origin origin;
        const char *named;
    } others[] = {
        {{.options = "x", .result_options = "epochs=4", .catalog_digest = "cafe"}, "epochs=4"},
        {{.options = "x", .result_options = "epochs=3", .catalog_digest = "beef"}, "the catalogue"},
        {{.options = "x",
          .result_options = "epochs=3",
          .catalog_digest = "cafe",
          .init_digest = "d"},
         "--init"},
    };
    akin_model *model = some_model(8), *read = some_model(9);
    akin_history history;
    const char *path = name_of("other");
    write_checkpoint(path, model);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        assert_int_equal(read_checkpoint(path, &others[i].origin, read, &history), AKIN_INPUT);
        assert_non_null(strstr(akin_error_message(), others[i].named));
        assert_non_null(strstr(akin_error_message(), path));
    }
    akin_model_free(model);
    akin_model_free(read);
}

static void a_damaged_checkpoint_is_refused(void **state) {
    (void)state;
    akin_model *model = some_model(8), *read = some_model(9);
    akin_history history;
    const char *path = name_of("damaged");
    write_checkpoint(path, model);
    if (akin_comm_rank(comm) == 0) { /* one byte in the middle of the weights */
        int file = open(path, O_RDWR);
        char byte;
        assert_true(file >= 0 && pread(file, &byte, 1, 3000000) == 1);
        byte ^= 4;
        assert_true(pwrite(file, &byte, 1, 3000000) == 1);
        close(file);
    }
    akin_comm_barrier(comm);
    assert_int_equal(read_checkpoint(path, &here, read, &history), AKIN_INPUT);
    if (akin_comm_rank(comm) == 0) assert_int_equal(truncate(path, 1000000), 0);
    akin_comm_barrier(comm);
    assert_int_equal(read_checkpoint(path, &here, read, &history), AKIN_INPUT);
    akin_model_free(model);
    akin_model_free(read);
}

/* --- encoder --- */

enum { PICTURES = 37, PICTURE = 3072 };

static void draw_pictures(uint8_t *pictures) {
    for (size_t i = 0; i < (size_t)PICTURES * PICTURE; i++)
        pictures[i] =
            (uint8_t)(akin_rng_bits(4, AKIN_RNG_TEST, (uint32_t)(i / PICTURE), i % PICTURE / 192) %
                      256);
    memcpy(pictures + (size_t)36 * PICTURE, pictures, PICTURE); /* the last is the first */
}

static void vectors_depend_on_picture_and_model_alone(void **state) {
    (void)state;
    static uint8_t pictures[PICTURES * PICTURE];
    static float together[PICTURES * AKIN_NETWORK_LATENT], alone[AKIN_NETWORK_LATENT];
    akin_model *model = some_model(5);
    akin_encoder *encoder = NULL;
    draw_pictures(pictures);
    assert_int_equal(akin_encoder_create(model, &encoder), AKIN_OK);
    size_t dim = akin_encoder_dim(encoder);
    assert_int_equal(dim, AKIN_NETWORK_LATENT);
    assert_int_equal(akin_encoder_vectors(encoder, pictures, NULL, PICTURES, together), AKIN_OK);
    for (size_t i = 0; i < PICTURES; i++) {
        double square = 0;
        for (size_t d = 0; d < dim; d++)
            square += (double)together[i * dim + d] * (double)together[i * dim + d];
        assert_true(fabs(square - 1) < 1e-6);
        assert_int_equal(akin_encoder_vectors(encoder, pictures + i * PICTURE, NULL, 1, alone),
                         AKIN_OK);
        assert_memory_equal(alone, together + i * dim, dim * sizeof(float));
    }
    assert_memory_equal(together, together + 36 * dim, dim * sizeof(float));
    assert_memory_not_equal(together, together + dim, dim * sizeof(float));
    akin_encoder_free(encoder);
    akin_model_free(model);
}

/* The mean is subtracted: a picture whose latent is the mean has no direction, but still gets a
 * vector of unit length. */
static void a_picture_that_is_the_mean_has_a_vector(void **state) {
    (void)state;
    static uint8_t pictures[PICTURES * PICTURE];
    float vector[AKIN_NETWORK_LATENT];
    akin_model *model = some_model(5);
    akin_network *network = NULL;
    akin_encoder *encoder = NULL;
    draw_pictures(pictures);
    assert_int_equal(akin_network_create(&network), AKIN_OK);
    akin_network_encode(network, akin_model_weights(model), pictures, 1,
                        akin_model_latent_mean(model));
    assert_int_equal(akin_encoder_create(model, &encoder), AKIN_OK);
    assert_int_equal(akin_encoder_vectors(encoder, pictures, NULL, 1, vector), AKIN_OK);
    for (size_t d = 0; d < AKIN_NETWORK_LATENT; d++)
        assert_true(vector[d] == (d == 0 ? 1.0F : 0.0F));
    for (size_t i = 0; i < AKIN_NETWORK_WEIGHTS; i++) akin_model_weights(model)[i] = 1e30F;
    assert_int_equal(akin_encoder_vectors(encoder, pictures, NULL, 1, vector), AKIN_INPUT);
    akin_encoder_free(encoder);
    akin_network_free(network);
    akin_model_free(model);
}

int main(int argc, char **argv) {
    if (akin_comm_start(&argc, &argv, &comm) != AKIN_OK) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_model_is_read_as_written),
        cmocka_unit_test(a_head_is_read_as_written),
        cmocka_unit_test(a_model_that_is_not_finite_is_refused),
        cmocka_unit_test(other_features_are_refused),
        cmocka_unit_test(what_is_no_model_is_refused),
        cmocka_unit_test(forged_numbers_are_refused),
        cmocka_unit_test(a_checkpoint_is_read_as_written),
        cmocka_unit_test(another_runs_checkpoint_is_refused_with_what_differs),
        cmocka_unit_test(a_damaged_checkpoint_is_refused),
        cmocka_unit_test(vectors_depend_on_picture_and_model_alone),
        cmocka_unit_test(a_picture_that_is_the_mean_has_a_vector),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    akin_comm_finish(comm);
    return failed;
}
