/* places: options that `publish` and `rollback` share. */
#include "places.h"
#include <akin/log.h>
#include <akin/mem.h>
#include <akin/publish.h>
#include <akin/text.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "12h" -> 43200; a bare number is in seconds. */
bool akin_places_seconds(const char *text, double *seconds) {
    static const struct {
        char letter;
        double seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'\0', 1}};
    char *end = NULL;
    if (!strchr("0123456789", *text)) return false;
    double number = strtod(text, &end);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (*end == units[i].letter && (!*end || !end[1])) {
            *seconds = number * units[i].seconds;
            return isfinite(*seconds) && *seconds <= 1e9;
        }
    return false;
}

akin_status akin_places_options(const akin_options *options, akin_sink_options *out) {
    *out = (akin_sink_options){.buckets = (size_t)akin_options_int(options, "buckets"),
                               .timeout = akin_options_real(options, "timeout")};
    if (!akin_options_declared(options, "format", NULL)) return AKIN_OK;
    const char *keep = akin_options_text(options, "keep-previous");
    out->ids_only = strcmp(akin_options_text(options, "format"), "ids") == 0;
    if (akin_places_seconds(keep, &out->keep_previous)) return AKIN_OK;
    return akin_error_option(
        "keep-previous", "--keep-previous %s is not a duration; write 45s, 30m, 12h or 2d", keep);
}

akin_status akin_places_set_url(akin_json *object, const char *url) {
    akin_text *shown = NULL;
    akin_status status = akin_text_create(&shown);
    if (status == AKIN_OK) status = akin_text_append_hidden(shown, url);
    if (status == AKIN_OK) akin_json_set_text(object, "url", akin_text_bytes(shown));
    akin_text_free(shown);
    return status;
}

/* --- what is there --- */

static void set_known(akin_json *object, const char *key, const char *text) {
    if (*text)
        akin_json_set_text(object, key, text);
    else
        akin_json_set_null(object, key);
}

static void set_edition(akin_json *object, const akin_edition *edition) {
    set_known(object, "generation", edition->generation);
    set_known(object, "time", edition->time);
    akin_json_set_integer(object, "items", (long long)edition->items);
    akin_json_set_integer(object, "k", (long long)edition->k);
    set_known(object, "digest", edition->digest);
    set_known(object, "table_digest", edition->table_digest);
    set_known(object, "format", edition->format);
    if (*edition->buckets)
        akin_json_set_integer(object, "buckets", atoll(edition->buckets));
    else
        akin_json_set_null(object, "buckets");
    if (edition->seconds_left > 0)
        akin_json_set_number(object, "seconds_left", edition->seconds_left);
}

static akin_status set_standing(akin_json *object, const akin_standing *standing) {
    akin_json_set_bool(object, "published", standing->live.there);
    if (standing->live.there) set_edition(object, &standing->live);
    if (standing->kept.there) {
        akin_json *kept = akin_json_object();
        if (kept) set_edition(kept, &standing->kept);
        akin_json_set_node(object, "kept", &kept);
    } else
        akin_json_set_null(object, "kept");
    set_known(object, "busy", standing->busy);
    return akin_json_check(object);
}

akin_status akin_places_take(akin_comm *comm, const akin_options *options, akin_places *out) {
    out->count = akin_options_list(options, "to", &out->urls);
    out->standings = akin_mem_zalloc(out->count, sizeof *out->standings);
    return akin_agree(comm,
                      out->standings ? akin_places_options(options, &out->sink) : AKIN_FAILED);
}

akin_status akin_places_report(akin_json *report, const akin_places *of, akin_places_tell *tell,
                               void *context) {
    akin_status status = AKIN_OK;
    akin_text *shown = NULL;
    akin_json *places = akin_json_array(), *place = NULL;
    AKIN_TRY(akin_text_create(&shown));
    for (size_t i = 0; i < of->count; i++) {
        akin_text_clear(shown);
        AKIN_TRY(akin_text_append_hidden(shown, of->urls[i]));
        tell(context, akin_text_bytes(shown), &of->standings[i]);
        place = akin_json_object();
        akin_json_set_text(place, "url", akin_text_bytes(shown));
        AKIN_TRY(set_standing(place, &of->standings[i]));
        akin_json_append_node(places, &place);
    }
    akin_json_set_node(report, "places", &places);
    akin_json_set_integer(report, "items", (long long)of->standings[0].live.items);
done:
    akin_json_free(places);
    akin_json_free(place);
    akin_text_free(shown);
    return status;
}

void akin_places_edition_text(const akin_edition *edition, char out[AKIN_PLACES_EDITION]) {
    char columns[32] = "", format[32] = "", left[64] = "";
    if (!edition->there) {
        snprintf(out, AKIN_PLACES_EDITION, "nothing");
        return;
    }
    if (edition->k > 0) snprintf(columns, sizeof columns, ", k %zu", edition->k);
    if (*edition->format) snprintf(format, sizeof format, ", format %s", edition->format);
    if (edition->seconds_left > 0)
        snprintf(left, sizeof left, ", for another %.1f h", edition->seconds_left / 3600);
    snprintf(out, AKIN_PLACES_EDITION, "%s%s%s%s, %zu item%s%s%s%s",
             *edition->generation ? "generation " : "the file", edition->generation,
             *edition->time ? " of " : "", edition->time, edition->items,
             edition->items == 1 ? "" : "s", columns, format, left);
}

/* --- whether what was published stands --- */

typedef enum { STANDS, LEFT, FOREIGN, LOST } place_state;

static place_state look_at(const char *url, const akin_sink_options *sink, const char *digest) {
    akin_live live = {0};
    if (!digest || akin_publish_look(url, sink, &live) != AKIN_OK || !live.there) return LOST;
    if (strcmp(live.digest, digest) == 0) return STANDS;
    return akin_rolled_back_has(live.rolled_back, digest) ? LEFT : FOREIGN;
}

/* A lost table is restored by publishing again, which respects rollbacks but would overwrite
 * another table. */
bool akin_published_stands(const akin_json *entry, const akin_options *options, size_t *left) {
    const char *const *urls = NULL, *const *arguments = NULL;
    akin_sink_options sink;
    size_t found[LOST + 1] = {0};
    if (akin_places_options(options, &sink) != AKIN_OK) found[LOST]++;
    size_t count = akin_options_list(options, "to", &urls);
    const akin_json *place = akin_json_first(akin_json_get(entry, "published"));
    akin_options_arguments(options, &arguments);
    for (size_t i = 0; i < count; i++, place = akin_json_next(place)) {
        place_state state = look_at(urls[i], &sink, akin_json_text(place, "digest"));
        if (state == LEFT && !akin_options_flag(options, "respect-rollback")) state = LOST;
        found[state]++;
        if (state == LEFT || state == FOREIGN)
            akin_publish_warn_left(urls[i], arguments + akin_publish_takes_embeddings(urls[i]), 1,
                                   state == LEFT ? AKIN_PUBLISH_ROLLED_BACK
                                                 : "it holds a table from another run");
    }
    akin_error_clear();
    *left = found[LEFT] + found[FOREIGN];
    return found[FOREIGN] > 0 || found[LOST] == 0;
}

static akin_status refuse_rolled_back(const char *url) {
    akin_text *shown = NULL;
    akin_status status = akin_text_create(&shown);
    if (status == AKIN_OK) status = akin_text_append_hidden(shown, url);
    if (status == AKIN_OK)
        status = akin_error_set(
            AKIN_FAILED,
            "%s: the last table was rolled back there, so nothing is added to "
            "it: let a run publish another one, or publish this one with akin publish, "
            "or set respect-rollback = no in [publish]",
            akin_text_bytes(shown));
    akin_text_free(shown);
    return status;
}

akin_status akin_published_refuse_rolled_back(const akin_json *entry, const akin_options *options) {
    akin_status status = AKIN_OK;
    const char *const *urls = NULL;
    akin_sink_options sink;
    if (akin_options_given(options, "respect-rollback") &&
        !akin_options_flag(options, "respect-rollback"))
        return AKIN_OK;
    AKIN_TRY(akin_places_options(options, &sink));
    size_t count = akin_options_list(options, "to", &urls);
    const akin_json *place = akin_json_first(akin_json_get(entry, "published"));
    for (size_t i = 0; i < count && place; i++, place = akin_json_next(place)) {
        place_state state = look_at(urls[i], &sink, akin_json_text(place, "digest"));
        akin_error_clear();
        if (state == LEFT) AKIN_TRY(refuse_rolled_back(urls[i]));
    }
done:
    return status;
}
