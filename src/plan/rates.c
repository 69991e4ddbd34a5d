/* rates: work per second of one core: measured defaults, or the rates of an earlier run. */
#include <akin/dot.h>
#include <akin/plan.h>
#include <math.h>
#include <string.h>

const char *const akin_plan_names[AKIN_PLAN_STAGES] = {"ingest",    "train",    "embed",
                                                       "neighbors", "evaluate", "publish"};

/* results/scale.md describes how each was measured. */
akin_plan_rates akin_plan_rates_default(void) {
    return (akin_plan_rates){.row = 3.2e-6,
                             .picture = 1 / 490.0,
                             .image = 1 / 770.0,
                             .update = 2e-3,
                             .vector = 1 / 650.0,
                             .pair = 7.7e-11,
                             .pair_column = 2.3e-12,
                             .row_column = 5.6e-8,
                             .offer = 3.5e-8,
                             .evaluated = 1e-6,
                             .published = 1 / (278000.0 * akin_plan_text(20))};
}

double akin_plan_text(double k) {
    return 27 * k + 10;
}

/* The stage's report, if it ran and computed everything itself. */
static const akin_json *entry_of(const akin_json *metrics, akin_plan_stage stage,
                                 const char *spared) {
    const akin_json *entry = akin_json_get(metrics, akin_plan_names[stage]);
    const char *status = akin_json_text(entry, "status");
    bool whole = status && strcmp(status, "ok") == 0;
    if (spared) whole = whole && akin_json_number(entry, spared, 0) == 0;
    return whole ? entry : NULL;
}

/* amount / (ranks * rate): core seconds per unit; 0: unknown. */
static double seconds_each(const akin_json *entry, const char *rate) {
    double all = akin_json_number(entry, rate, 0), ranks = akin_json_number(entry, "ranks", 1);
    return all > 0 && ranks >= 1 ? ranks / all : 0;
}

static bool take(double measured, double *rate) {
    if (!(measured > 0)) return false;
    *rate = measured;
    return true;
}

/* Keeps the ratios of its four rates. */
static bool take_neighbors(const akin_json *entry, akin_plan_rates *r) {
    double n = akin_json_number(entry, "items", 0), k = akin_json_number(entry, "k", 0),
           dim = akin_json_number(entry, "dim", 0),
           seconds =
               akin_json_number(entry, "seconds_compute", 0) * akin_json_number(entry, "ranks", 1);
    if (n < 2 || k < 1 || dim < 1 || !(seconds > 0)) return false;
    double stride = (double)akin_dot_stride((size_t)dim);
    double known = n * n * (r->pair + r->pair_column * stride) + n * stride * r->row_column +
                   n * k * log1p(n / k) * r->offer;
    double factor = seconds / known;
    r->pair *= factor, r->pair_column *= factor, r->row_column *= factor, r->offer *= factor;
    return true;
}

void akin_plan_rates_learn(const akin_json *metrics, akin_plan_rates *rates, size_t *found) {
    const akin_json *ingest = entry_of(metrics, AKIN_PLAN_INGEST, "reused"),
                    *train = entry_of(metrics, AKIN_PLAN_TRAIN, NULL),
                    *embed = entry_of(metrics, AKIN_PLAN_EMBED, NULL),
                    *neighbors = entry_of(metrics, AKIN_PLAN_NEIGHBORS, "kept"),
                    *publish = entry_of(metrics, AKIN_PLAN_PUBLISH, NULL);
    *found = 0;
    if (ingest) *found += take(seconds_each(ingest, "images_per_second"), &rates->picture);
    if (train) *found += take(seconds_each(train, "images_per_second"), &rates->image);
    if (embed && akin_json_number(embed, "computed", 0) == akin_json_number(embed, "items", -1))
        *found += take(seconds_each(embed, "images_per_second"), &rates->vector);
    if (neighbors) *found += take_neighbors(neighbors, rates);
    double items = akin_json_number(publish, "items", 0),
           k = akin_json_number(akin_json_get(metrics, "neighbors"), "k", 20),
           places = (double)akin_json_count(akin_json_get(publish, "published"));
    if (publish && items > 0 && places > 0)
        *found += take(akin_json_number(publish, "seconds", 0) / items / places / akin_plan_text(k),
                       &rates->published);
}
