/* status: what is published at a target. */
#include "places.h"
#include "verbs.h"
#include <akin/mem.h>
#include <akin/publish.h>
#include <akin/text.h>
#include <stdio.h>

static const akin_option options[] = {
    {.name = "to",
     .type = AKIN_OPTION_LIST,
     .argument = "URL",
     .is_address = true,
     .help = "where to look; may be repeated"},
    AKIN_PLACE_SERVER_OPTIONS,
    {0},
};

static void print_known(const char *key, const char *text) {
    if (*text) printf("%s: %s\n", key, text);
}

static void print(const char *url, const akin_standing *standing) {
    const akin_edition *live = &standing->live;
    char kept[AKIN_PLACES_EDITION];
    printf("%s\npublished: %s\n", url, live->there ? "yes" : "no");
    if (live->there) {
        print_known("generation", live->generation);
        print_known("time", live->time);
        printf("items: %zu\n", live->items);
        if (live->k > 0) printf("k: %zu\n", live->k);
        print_known("digest", live->digest);
    }
    akin_places_edition_text(&standing->kept, kept);
    printf("kept for a rollback: %s\n", kept);
    print_known("being published by", standing->busy);
}

static akin_status report(akin_call *call, const char *const *urls, size_t count,
                          const akin_standing *standings) {
    akin_status status = AKIN_OK;
    akin_text *shown = NULL;
    akin_json *places = akin_json_array(), *place = NULL;
    bool prints = call->print && akin_comm_rank(call->comm) == 0;
    AKIN_TRY(akin_text_create(&shown));
    for (size_t i = 0; i < count; i++) {
        akin_text_clear(shown);
        AKIN_TRY(akin_text_append_hidden(shown, urls[i]));
        place = akin_json_object();
        akin_json_set_text(place, "url", akin_text_bytes(shown));
        AKIN_TRY(akin_places_set_standing(place, &standings[i]));
        akin_json_append_node(places, &place);
        if (prints) print(akin_text_bytes(shown), &standings[i]);
    }
    akin_json_set_node(call->report, "places", &places);
    akin_json_set_integer(call->report, "items", (long long)standings[0].live.items);
done:
    akin_json_free(places);
    akin_json_free(place);
    akin_text_free(shown);
    return status;
}

static akin_status run(akin_call *call) {
    akin_status status = AKIN_OK;
    const char *const *urls = NULL;
    akin_sink_options sink;
    size_t count = akin_options_list(call->options, "to", &urls);
    akin_standing *standings = akin_mem_zalloc(count, sizeof *standings);
    akin_status local = standings ? akin_places_options(call->options, &sink) : AKIN_FAILED;
    AKIN_TRY(akin_agree(call->comm, local));
    AKIN_TRY(akin_publish_describe(call->comm, urls, count, &sink, standings));
    AKIN_TRY(akin_agree(call->comm, report(call, urls, count, standings)));
done:
    akin_mem_free(standings);
    return status;
}

static akin_status check(akin_options *o) {
    const char *const *urls = NULL;
    size_t count = akin_options_list(o, "to", &urls);
    return akin_publish_check(urls, count, NULL, 0);
}

const akin_verb akin_verb_status = {
    .name = "status",
    .arguments = "--to URL",
    .summary = "say what is published at a target, and what a rollback would restore",
    .arguments_min = 0,
    .arguments_max = 0,
    .options = options,
    .notes = "Nothing published is an answer too: \"published: no\", and the exit status is 0.\n",
    .run = run,
    .check = check,
};
