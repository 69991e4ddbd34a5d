/* publish_gates: see publish_gates.h. */
#include "publish_gates.h"
#include <akin/text.h>
#include <math.h>
#include <stdbool.h>

/* Without a pair there is no share to judge by, and only a limit that every share keeps passes. */
static bool golden_refuses(const akin_publish_params *params, const akin_publish_result *result) {
    const double least = params->min_golden - 1e-9;
    return isnan(result->golden) ? least > 0 : result->golden < least;
}

/* A value at the limit passes, up to the rounding of a mean; so does NaN, except of the approved
 * lists. */
size_t akin_publish_gates(const akin_publish_params *params, const akin_publish_result *result,
                          const akin_publish_place *place,
                          akin_publish_gate gates[AKIN_PUBLISH_GATES]) {
    const double least = params->min_coverage, churn = params->max_churn,
                 shrink = params->max_shrink;
    if (!place) {
        gates[0] = (akin_publish_gate){"min-coverage", result->coverage, least,
                                       result->coverage < least - 1e-9};
        if (!params->golden) return 1;
        gates[1] = (akin_publish_gate){"min-golden", result->golden, params->min_golden,
                                       golden_refuses(params, result)};
        return 2;
    }
    if (!place->compared) return 0;
    gates[0] = (akin_publish_gate){"max-churn", place->change.churn, churn,
                                   place->change.churn > churn + 1e-9};
    gates[1] = (akin_publish_gate){"max-shrink", place->change.shrink, shrink,
                                   place->change.shrink > shrink + 1e-9};
    return 2;
}

static akin_status append_figures(akin_text *text, const akin_publish_params *params,
                                  const akin_publish_gate *gate) {
    if (isnan(gate->measured))
        return akin_text_append(text,
                                "golden cannot be judged, --%s is %.4g: %s has no pair id,neighbor "
                                "of two items in the table; correct that file",
                                gate->option, gate->limit, params->golden);
    return akin_text_append(text, "%s is %.4g, --%s is %.4g", gate->option + 4, gate->measured,
                            gate->option, gate->limit);
}

akin_status akin_publish_append_refusal(const akin_publish_params *params,
                                        const akin_publish_gate *gate, const char *url,
                                        akin_text *text) {
    akin_status status = AKIN_OK;
    if (url) AKIN_TRY(akin_text_append_hidden(text, url));
    if (url) AKIN_TRY(akin_text_append(text, ": "));
    status = append_figures(text, params, gate);
done:
    return status;
}

static void gather(akin_error_kept *all, const char *line) {
    akin_error_set(AKIN_GATE, "%s", line);
    akin_error_gather(all);
}

/* A line for each gate that refuses. */
static akin_status gather_refusals(akin_error_kept *all, const akin_publish_params *params,
                                   const char *url, const akin_publish_gate *gates, size_t count) {
    akin_status status = AKIN_OK;
    akin_text *text = NULL;
    AKIN_TRY(akin_text_create(&text));
    for (size_t i = 0; i < count; i++) {
        if (!gates[i].refuses) continue;
        akin_text_clear(text);
        AKIN_TRY(akin_publish_append_refusal(params, &gates[i], url, text));
        gather(all, akin_text_bytes(text));
    }
done:
    akin_text_free(text);
    return status;
}

akin_status akin_publish_check_gates(const akin_publish_params *params,
                                     const akin_publish_result *result,
                                     const akin_publish_place *places) {
    akin_status status = AKIN_OK;
    akin_error_kept all = {0};
    akin_publish_gate gates[AKIN_PUBLISH_GATES];
    AKIN_TRY(gather_refusals(&all, params, NULL, gates,
                             akin_publish_gates(params, result, NULL, gates)));
    for (size_t i = 0; i < params->url_count; i++)
        AKIN_TRY(gather_refusals(&all, params, params->urls[i], gates,
                                 akin_publish_gates(params, result, &places[i], gates)));
    if (!*all.message) goto done;
    gather(&all, AKIN_PUBLISH_REFUSED);
    akin_error_restore(&all);
    status = AKIN_GATE;
done:
    return status;
}
