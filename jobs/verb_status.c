/* status: what is published at a target. */
#include "places.h"
#include "verbs.h"
#include <akin/mem.h>
#include <akin/publish.h>
#include <stdio.h>
#include <string.h>

static const akin_option options[] = {
    {.name = "to",
     .type = AKIN_OPTION_LIST,
     .argument = "URL",
     .is_address = true,
     .help = "where to look; may be repeated"},
    AKIN_PLACE_SERVER_OPTIONS(AKIN_PLACE_BUCKETS_PUBLISHED),
    {0},
};

static void print_known(const char *key, const char *text) {
    if (*text) printf("%s: %s\n", key, text);
}

/* context: whether it prints. */
static void print(void *context, const char *url, const akin_standing *standing) {
    const akin_edition *live = &standing->live;
    char kept[AKIN_PLACES_EDITION];
    if (!*(const bool *)context) return;
    printf("%s\npublished: %s\n", url, live->there ? "yes" : "no");
    if (live->there) {
        print_known("generation", live->generation);
        print_known("time", live->time);
        printf("items: %zu\n", live->items);
        if (live->k > 0) printf("k: %zu\n", live->k);
        print_known("digest", live->digest);
        if (strcmp(live->digest, live->table_digest) != 0)
            print_known("table digest", live->table_digest);
        print_known("format", live->format);
        print_known("buckets", live->buckets);
    }
    akin_places_edition_text(&standing->kept, kept);
    printf("kept for a rollback: %s\n", kept);
    print_known("being published by", standing->busy);
}

static akin_status run(akin_call *call) {
    akin_status status = AKIN_OK;
    akin_places at = {0};
    bool prints = call->print && akin_comm_rank(call->comm) == 0;
    AKIN_TRY(akin_places_take(call->comm, call->options, &at));
    AKIN_TRY(akin_publish_describe(call->comm, at.urls, at.count, &at.sink, at.standings));
    AKIN_TRY(akin_agree(call->comm, akin_places_report(call->report, &at, print, &prints)));
done:
    akin_mem_free(at.standings);
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
    .summary = "show what is published at a target, and what a rollback would restore",
    .arguments_min = 0,
    .arguments_max = 0,
    .options = options,
    .notes = "If nothing is published, the answer is \"published: no\" and the exit status is 0.\n",
    .run = run,
    .check = check,
};
