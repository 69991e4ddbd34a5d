/* Laws of the choice of features: kinds have the dimensions that they promise, and invalid choices
 * are refused. */
#include <akin/features.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { SEEN = 1280 }; /* columns of a network's output */

static akin_status choose_seen(const char *name, size_t dim, double whiten, const char *weights,
                               size_t seen, akin_features *out) {
    const akin_features_params params = {
        .name = name, .dim = dim, .whiten = whiten, .weights = weights, .seen = seen};
    return akin_features_choose(&params, out);
}

static akin_status choose(const char *name, size_t dim, double whiten, const char *weights,
                          akin_features *out) {
    return choose_seen(name, dim, whiten, weights, strcmp(name, "network") == 0 ? SEEN : 0, out);
}

/* The part exists if the catalogue has network outputs, and requesting it is an error otherwise. */
static void what_a_network_gave(void **state) {
    (void)state;
    akin_features f;
    assert_int_equal(choose_seen("fused", 0, -1, NULL, 0, &f), AKIN_OK);
    assert_false(akin_features_sees(&f));
    assert_int_equal(choose_seen("fused", 0, -1, NULL, SEEN, &f), AKIN_OK);
    assert_true(akin_features_sees(&f));
    assert_int_equal(f.parts[AKIN_PART_PRETRAINED].dim, 128);
    assert_int_equal(akin_features_raw(&f, AKIN_PART_PRETRAINED), SEEN);
    assert_int_equal(choose_seen("network", 0, -1, NULL, 24, &f), AKIN_OK);
    assert_int_equal(f.dim, 24);
    assert_int_equal(choose_seen("network", 0, -1, NULL, 0, &f), AKIN_USAGE);
    assert_int_equal(choose_seen("fused", 0, -1, "shape=1,network=2", 0, &f), AKIN_USAGE);
    assert_int_equal(choose_seen("fused", 0, -1, "network=0", 0, &f), AKIN_OK);
    assert_int_equal(choose_seen("network", 0, -1, NULL, AKIN_FEATURES_SEEN_UNKNOWN, &f), AKIN_OK);
}

/* Each kind of AKIN_FEATURES_NAMES. */
static void every_kind_can_be_chosen(void **state) {
    (void)state;
    akin_features f;
    char name[32];
    for (const char *at = AKIN_FEATURES_NAMES; at;
         at = strchr(at, '|') ? strchr(at, '|') + 1 : NULL) {
        size_t length = strcspn(at, "|");
        assert_true(length < sizeof name);
        memcpy(name, at, length);
        name[length] = '\0';
        assert_int_equal(choose(name, 0, -1, NULL, &f), AKIN_OK);
        assert_string_equal(f.name, name);
        assert_ptr_equal(akin_features_known(name), f.name);
        assert_true(f.dim >= 1 && f.dim <= 128 && f.dim <= akin_features_joined(&f) &&
                    akin_features_parts(&f) >= 1);
        assert_true(akin_features_join(&f) == (f.dim < akin_features_joined(&f)));
        assert_int_equal(choose(name, 7, 0.125, NULL, &f), AKIN_OK);
        assert_int_equal(f.dim, 7);
        for (size_t p = 0; p < AKIN_PARTS; p++) assert_true(f.parts[p].whiten == 0.125);
        assert_int_equal(choose(name, 2048, -1, NULL, &f),
                         strcmp(name, "pixels-pca") == 0 || strcmp(name, "manifold") == 0
                             ? AKIN_OK
                             : AKIN_USAGE);
    }
    assert_int_equal(choose("dreams", 0, -1, NULL, &f), AKIN_USAGE);
    assert_null(akin_features_known("dreams"));
}

static void the_plain_autoencoder_takes_the_mean_only(void **state) {
    (void)state;
    akin_features f;
    assert_int_equal(choose("autoencoder", 0, 0, NULL, &f), AKIN_OK);
    assert_true(akin_features_network(&f) &&
                akin_features_centred(&f.parts[AKIN_PART_LATENT], AKIN_PART_LATENT));
    assert_int_equal(f.dim, 32);
    assert_int_equal(choose("autoencoder", 16, 0, NULL, &f), AKIN_OK);
    assert_false(akin_features_centred(&f.parts[AKIN_PART_LATENT], AKIN_PART_LATENT));
    assert_int_equal(choose("pixels-pca", 0, -1, NULL, &f), AKIN_OK);
    assert_false(akin_features_network(&f));
}

static void weights_are_read_or_refused(void **state) {
    (void)state;
    akin_features f;
    assert_int_equal(choose("handcrafted", 0, -1, "colour=0.25,texture=0,pixels=2", &f), AKIN_OK);
    assert_true(f.parts[AKIN_PART_COLOUR].weight == 0.25 && f.parts[AKIN_PART_TEXTURE].weight == 0);
    assert_true(f.parts[AKIN_PART_PIXELS].weight == 2 && f.parts[AKIN_PART_EDGES].weight > 0);
    assert_int_equal(akin_features_parts(&f), 3);
    assert_int_equal(choose("handcrafted", 0, -1, "latent=1", &f), AKIN_OK);
    assert_true(akin_features_network(&f));
    assert_int_equal(choose("handcrafted", 0, -1, "edges=0,texture=0", &f), AKIN_OK);
    assert_true(akin_features_parts(&f) == 1 && f.dim == f.parts[AKIN_PART_COLOUR].dim);
    static const char *const wrong[] = {
        "",
        "colour",
        "colour=",
        "colour=-1",
        "colour=x",
        "colour=1e9",
        "colors=1",
        "colour=1,",
        "=1",
        "colour=nan",
        "colour=1;edges=2",
        "edges=0,texture=0,colour=0",
        "cooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooolour=1"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(choose("handcrafted", 0, -1, wrong[i], &f), AKIN_USAGE);
    assert_int_equal(choose("autoencoder", 0, -1, "latent=1", &f), AKIN_USAGE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_network_gave),
        cmocka_unit_test(every_kind_can_be_chosen),
        cmocka_unit_test(the_plain_autoencoder_takes_the_mean_only),
        cmocka_unit_test(weights_are_read_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
