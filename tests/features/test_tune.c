/* Laws of tune: of a part that shows what belongs together and one that is noise, the first weighs
 * more, and what lies apart within labels or pairs is divided by; of noise alone nothing is
 * chosen, nor of labels at random; weights that are given stay; on a flat ground colours are kept;
 * originals are found again, more of them where rows are made insensitive to what changes them; where
 * a label has nothing left to teach, texture weighs more. */
#include "features/tune.h"
#include <akin/mem.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "levels.h"

enum { COUNT = 400, LABELS = 10, WIDE = 8, DIM = 2 * WIDE };

typedef struct {
    float rows[COUNT][DIM];
    int32_t label[COUNT], group[COUNT];
    akin_study_pair pairs[COUNT];
} things;

static const akin_part first = AKIN_PART_TEXTURE, second = AKIN_PART_SHAPE;

/* Item i has label i % LABELS. Two parts of unit length: the first is the label's direction and
 * `noise` of its own; the second is noise. */
static void make_row(size_t i, float noise, float out[DIM]) {
    for (size_t part = 0; part < 2; part++) {
        float *row = out + part * WIDE;
        double square = 0;
        for (size_t d = 0; d < WIDE; d++) {
            row[d] = number(3 + (uint32_t)part, i * WIDE + d) * (part ? 1 : noise);
            if (part == 0) row[d] += number(9, i % LABELS * WIDE + d);
            square += (double)(row[d] * row[d]);
        }
        for (size_t d = 0; d < WIDE; d++) row[d] /= (float)sqrt(square);
    }
}

static void make(things *t, float noise) {
    for (size_t i = 0; i < COUNT; i++) {
        t->label[i] = (int32_t)(i % LABELS);
        t->group[i] = -1;
        make_row(i, noise, t->rows[i]);
    }
}

static akin_features features_of(akin_part a, akin_part b) {
    akin_features f = {.name = "fused", .dim = WIDE, .tuned = true};
    f.parts[a] = (akin_features_part){.weight = 1, .dim = WIDE};
    f.parts[b] = (akin_features_part){.weight = 1, .dim = WIDE};
    return f;
}

/* Views of them: so much noise in each of the parts. */
static void change(const things *t, float in_first, float in_second, things *out) {
    *out = *t;
    for (size_t i = 0; i < COUNT; i++)
        for (size_t d = 0; d < DIM; d++)
            out->rows[i][d] += (d < WIDE ? in_first : in_second) * number(11, i * DIM + d);
}

static akin_study study_of(things *t, double flat) {
    return (akin_study){.count = COUNT,
                        .dim = DIM,
                        .rows = t->rows[0],
                        .label = t->label,
                        .group = t->group,
                        .flat = flat};
}

static akin_tune_result tuned(const akin_study *study, const akin_features *features) {
    akin_tune_result result = {0};
    for (size_t p = 0; p < AKIN_PARTS; p++) result.weights[p] = features->parts[p].weight;
    assert_int_equal(akin_tune(study, features, true, &result), AKIN_OK);
    return result;
}

static void what_tells_weighs_more(void **state) {
    (void)state;
    static things t;
    make(&t, 0.4F);
    akin_features f = features_of(first, second);
    akin_study study = study_of(&t, 0);
    akin_tune_result r = tuned(&study, &f), again = tuned(&study, &f);
    assert_true(r.queries == COUNT && r.weighed);
    assert_true(r.weights[first] > 2 * r.weights[second]);
    assert_true(r.share_weighed > r.share);
    assert_memory_equal(r.weights, again.weights, sizeof r.weights);
    akin_mem_free(r.turn);
    akin_mem_free(again.turn);
    f.parts[second].given = true;
    f.parts[first].given = true;
    r = tuned(&study, &f);
    assert_true(r.weights[first] == 1 && r.weights[second] == 1);
    akin_mem_free(r.turn);
}

/* Where noise covers what tells labels apart, a map that presses noise serves what is held out, and is
 * the same again. */
static void a_map_presses_noise(void **state) {
    (void)state;
    static things t;
    make(&t, 1.2F);
    for (size_t i = 0; i < COUNT; i++)
        for (size_t d = WIDE / 2; d < WIDE; d++)
            t.rows[i][d] = 2 * number(5, i * WIDE + d); /* half of it tells nothing */
    akin_features f = features_of(first, second);
    f.parts[first].given = f.parts[second].given = true;
    akin_study study = study_of(&t, 0);
    akin_tune_result r = tuned(&study, &f), again = tuned(&study, &f);
    assert_true(r.mapped && r.share_map > r.share_plain && r.colours == 0);
    assert_memory_equal(r.turn, again.turn, sizeof *r.turn * DIM * DIM);
    akin_mem_free(r.turn);
    akin_mem_free(again.turn);
}

/* Labels that nothing tells. */
static void noise_chooses_nothing(void **state) {
    (void)state;
    static things t;
    make(&t, 0.4F);
    for (size_t i = 0; i < COUNT; i++) t.label[i] = (int32_t)(mix((uint32_t)i + 77) % LABELS);
    akin_features f = features_of(first, second);
    akin_study study = study_of(&t, 0);
    akin_tune_result r = tuned(&study, &f);
    assert_false(r.mapped);
    assert_true(r.share_weighed < 0.2); /* 0.1 is chance */
    akin_mem_free(r.turn);
    for (size_t i = 0; i < COUNT; i++) t.label[i] = -1;
    r = tuned(&study, &f);
    assert_true(r.queries == 0 && !r.mapped && r.weights[first] == 1);
}

/* Few pairs in place of labels teach the same. */
static void pairs_teach(void **state) {
    (void)state;
    static things t;
    make(&t, 0.4F);
    akin_features f = features_of(first, second);
    akin_study study = study_of(&t, 0);
    study.pairs = t.pairs;
    for (size_t i = 0; i + LABELS < COUNT; i++)
        t.pairs[study.pair_count++] = (akin_study_pair){i, i + LABELS, 1};
    akin_tune_result r = tuned(&study, &f);
    assert_true(r.queries == COUNT && r.weighed && r.weights[first] > r.weights[second]);
    assert_true(r.share_weighed > r.share);
    akin_mem_free(r.turn);
}

/* The colours, which no label tells, keep their weight on a flat ground, and lose it on others. */
static void colours_are_kept_on_a_flat_ground(void **state) {
    (void)state;
    static things t;
    make(&t, 0.4F);
    akin_features f = features_of(first, AKIN_PART_FOREGROUND);
    akin_study study = study_of(&t, 0);
    akin_tune_result wild = tuned(&study, &f);
    study.flat = 1;
    akin_tune_result flat = tuned(&study, &f);
    double lost = wild.weights[AKIN_PART_FOREGROUND] / wild.weights[first];
    double kept = flat.weights[AKIN_PART_FOREGROUND] / flat.weights[first];
    assert_true(lost < 0.5 && kept > 1.4 * lost);
    akin_mem_free(wild.turn);
    akin_mem_free(flat.turn);
}

/* Views that find their originals go on doing so, whatever labels would like. */
static void originals_are_found_again(void **state) {
    (void)state;
    static things t, changed;
    make(&t, 0.4F);
    change(&t, 0.2F, 0.2F, &changed);
    akin_features f = features_of(first, second);
    f.parts[first].given = f.parts[second].given = true;
    akin_study study = study_of(&t, 0);
    akin_tune_result blind = tuned(&study, &f);
    study.views = changed.rows[0];
    study.view_count = COUNT;
    akin_tune_result r = tuned(&study, &f);
    assert_true(blind.again_plain == 0 && r.again_plain > 0.5);
    assert_true(r.share_map > r.share_plain && r.again_map > r.again_plain - 0.05);
    akin_mem_free(blind.turn);
    akin_mem_free(r.turn);
}

/* Nor do weights that labels like lose what finds originals: here the part of which labels tell
 * nothing. */
static void weights_keep_originals(void **state) {
    (void)state;
    static things t, changed;
    make(&t, 0.4F);
    change(&t, 0.3F, 0.15F, &changed);
    akin_features f = features_of(first, second);
    akin_study study = study_of(&t, 0);
    akin_tune_result blind = tuned(&study, &f);
    study.views = changed.rows[0];
    study.view_count = COUNT;
    akin_tune_result r = tuned(&study, &f);
    assert_true(r.again > 0.5 && r.again_plain > r.again - 0.05);
    assert_true(r.weights[first] / r.weights[second] <
                blind.weights[first] / blind.weights[second]);
    akin_mem_free(blind.turn);
    akin_mem_free(r.turn);
}

/* Without any label rows are made steady against what changes pictures, here half of the first part;
 * where nothing is changed there is nothing to win. */
static void changes_alone_make_steady(void **state) {
    (void)state;
    static things t, changed;
    make(&t, 0.4F);
    for (size_t i = 0; i < COUNT; i++) t.label[i] = -1;
    changed = t;
    akin_features f = features_of(first, second);
    akin_study study = study_of(&t, 1);
    study.views = changed.rows[0];
    study.view_count = COUNT;
    akin_tune_result r = tuned(&study, &f);
    assert_true(!r.steady && !r.turn && r.again == 1);
    for (size_t i = 0; i < COUNT; i++)
        for (size_t d = 0; d < WIDE / 2; d++) changed.rows[i][d] += number(11, i * WIDE + d);
    r = tuned(&study, &f);
    akin_tune_result again = tuned(&study, &f);
    assert_true(r.steady && !r.mapped && !r.weighed && r.queries == 0);
    assert_true(r.again < 0.9 && r.again_plain > r.again + 0.05);
    assert_memory_equal(r.turn, again.turn, sizeof *r.turn * DIM * DIM);
    akin_mem_free(r.turn);
    akin_mem_free(again.turn);
}

/* Labels at random, on a flat ground, where colours could become more alike by a map: however they
 * fall there is none, and what changed pictures find is no less. */
static void random_labels_teach_nothing(void **state) {
    (void)state;
    static things t, changed;
    make(&t, 0.4F);
    change(&t, 0.2F, 0.2F, &changed);
    akin_features f = features_of(first, AKIN_PART_FOREGROUND);
    for (uint32_t seed = 0; seed < 12; seed++) {
        for (size_t i = 0; i < COUNT; i++)
            t.label[i] = (int32_t)(mix((uint32_t)i + 1000 * seed) % LABELS);
        akin_study study = study_of(&t, seed % 2);
        study.views = changed.rows[0];
        study.view_count = seed % 3 ? COUNT : 0;
        akin_tune_result r = tuned(&study, &f);
        assert_false(r.mapped);
        assert_true(r.again_plain >= r.again - 0.02);
        akin_mem_free(r.turn);
    }
}

/* Views that differ in half of the second part, which is noise of the size of `much`. */
static void change_second(const things *t, float much, things *out) {
    *out = *t;
    for (size_t i = 0; i < COUNT; i++)
        for (size_t d = WIDE; d < WIDE + WIDE / 2; d++)
            out->rows[i][d] += much * number(11, i * DIM + d);
}

/* Rows that were made insensitive on a flat ground are still taught by labels, and keep half of what
 * that won; random labels teach nothing there either, though colours were won. */
static void labels_teach_steady_rows(void **state) {
    (void)state;
    static things t, changed;
    make(&t, 0.6F);
    change_second(&t, 1, &changed);
    akin_features f = features_of(first, second),
                  coloured = features_of(first, AKIN_PART_FOREGROUND);
    f.parts[first].given = f.parts[second].given = true;
    coloured.parts[first].given = coloured.parts[AKIN_PART_FOREGROUND].given = true;
    akin_study study = study_of(&t, 1);
    study.views = changed.rows[0];
    study.view_count = COUNT;
    akin_tune_result r = tuned(&study, &f), again = tuned(&study, &f);
    assert_true(r.steady && r.mapped && r.share_map > r.share_plain);
    assert_true(r.again_map > (r.again + r.again_plain) / 2 - 0.02);
    assert_memory_equal(r.turn, again.turn, sizeof *r.turn * DIM * DIM);
    akin_mem_free(r.turn);
    akin_mem_free(again.turn);
    for (uint32_t seed = 0; seed < 6; seed++) {
        for (size_t i = 0; i < COUNT; i++)
            t.label[i] = (int32_t)(mix((uint32_t)i + 1000 * seed) % LABELS);
        r = tuned(&study, &coloured);
        assert_true(r.steady && !r.mapped);
        akin_mem_free(r.turn);
    }
}

/* Labels that `noise` covers in shape; texture tells nothing of them. */
static akin_tune_result tuned_beside_texture(float noise, double flat) {
    static const float weight = 0.8F;
    static things t, swapped;
    akin_features f = features_of(AKIN_PART_TEXTURE, AKIN_PART_SHAPE);
    f.parts[AKIN_PART_TEXTURE].weight = weight;
    f.parts[AKIN_PART_TEXTURE].given = f.parts[AKIN_PART_SHAPE].given = true;
    make(&t, noise);
    swapped = t;
    for (size_t i = 0; i < COUNT; i++)
        for (size_t d = 0; d < WIDE; d++) {
            swapped.rows[i][d] = weight * t.rows[i][WIDE + d];
            swapped.rows[i][WIDE + d] = t.rows[i][d];
        }
    akin_study study = study_of(&swapped, flat);
    return tuned(&study, &f);
}

/* On flat grounds, where a map finds all that a label says, texture weighs more; where the label has
 * more to teach, or on other grounds, it does not. */
static void a_told_label_leaves_more_to_texture(void **state) {
    (void)state;
    akin_tune_result told = tuned_beside_texture(0.05F, 0.5), wild = tuned_beside_texture(0.05F, 0),
                     more = tuned_beside_texture(1, 0.5);
    assert_true(told.mapped && told.share_map > 0.985 && told.texture > 1);
    assert_true(wild.mapped && wild.share_map > 0.985 && wild.texture == 1);
    assert_true(more.mapped && more.share_map < 0.9 && more.texture == 1);
    akin_mem_free(told.turn);
    akin_mem_free(wild.turn);
    akin_mem_free(more.turn);
}

/* Item i as above, but half of the first part tells nothing. */
static void make_half(size_t i, float *row) {
    make_row(i, 1, row);
    for (size_t d = WIDE / 2; d < WIDE; d++) row[d] = 2 * number(5, i * WIDE + d);
}

/* Share of items that have a neighbour of their own label nearest, among new items, by this turn. */
static double nearest_alike(const double *turn) {
    static double moved[COUNT][DIM];
    size_t alike = 0;
    memset(moved, 0, sizeof moved);
    for (size_t i = 0; i < COUNT; i++) {
        float row[DIM];
        double square = 0;
        make_half(100 * COUNT + i, row);
        for (size_t to = 0; to < DIM; to++) {
            for (size_t d = 0; d < DIM; d++) moved[i][to] += (double)row[d] * turn[d * DIM + to];
            square += moved[i][to] * moved[i][to];
        }
        for (size_t d = 0; d < DIM; d++) moved[i][d] /= sqrt(square);
    }
    for (size_t i = 0; i < COUNT; i++) {
        double most = -2;
        size_t nearest = i;
        for (size_t j = 0; j < COUNT; j++) {
            double cosine = 0;
            for (size_t d = 0; d < DIM; d++) cosine += moved[i][d] * moved[j][d];
            if (j != i && cosine > most) most = cosine, nearest = j;
        }
        alike += nearest % LABELS == i % LABELS;
    }
    return (double)alike / COUNT;
}

/* What is chosen on few rows is taught by all that are known: the map finds more among new items. Rows
 * that are those studied teach the same. */
static void more_rows_teach_better(void **state) {
    (void)state;
    enum { FEW = 150, MORE = 10 * COUNT };
    static things t;
    static float rows[MORE][DIM];
    static int32_t labels[MORE];
    make(&t, 1);
    for (size_t i = 0; i < MORE; i++) {
        labels[i] = (int32_t)(i % LABELS);
        make_half(i, rows[i]);
    }
    akin_features f = features_of(first, second);
    f.parts[first].given = f.parts[second].given = true;
    akin_study study = study_of(&t, 0);
    study.rows = rows[0];
    study.count = FEW;
    akin_tune_result few = tuned(&study, &f);
    study.taught = rows[0];
    study.taught_label = labels;
    study.taught_count = FEW;
    akin_tune_result same = tuned(&study, &f);
    study.taught_count = MORE;
    akin_tune_result more = tuned(&study, &f);
    assert_true(few.mapped && more.mapped && more.share_map == few.share_map);
    assert_memory_equal(few.turn, same.turn, sizeof *few.turn * DIM * DIM);
    assert_true(nearest_alike(more.turn) > nearest_alike(few.turn) + 0.01);
    akin_mem_free(few.turn);
    akin_mem_free(same.turn);
    akin_mem_free(more.turn);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_tells_weighs_more),
                                       cmocka_unit_test(a_map_presses_noise),
                                       cmocka_unit_test(noise_chooses_nothing),
                                       cmocka_unit_test(pairs_teach),
                                       cmocka_unit_test(colours_are_kept_on_a_flat_ground),
                                       cmocka_unit_test(originals_are_found_again),
                                       cmocka_unit_test(weights_keep_originals),
                                       cmocka_unit_test(changes_alone_make_steady),
                                       cmocka_unit_test(random_labels_teach_nothing),
                                       cmocka_unit_test(labels_teach_steady_rows),
                                       cmocka_unit_test(a_told_label_leaves_more_to_texture),
                                       cmocka_unit_test(more_rows_teach_better)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
