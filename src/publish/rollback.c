/* rollback: reports what is published at targets, and restores the previous table. */
#include <akin/mem.h>
#include <akin/publish.h>
#include <akin/sink.h>

typedef struct {
    const char *const *urls;
    akin_target **targets; /* [count] */
    size_t count;
} places;

static akin_status open_all(places *p, const akin_sink_options *options, akin_standing *standings) {
    akin_status status = AKIN_OK;
    for (size_t i = 0; i < p->count; i++) {
        const akin_sink *sink = akin_sink_of(p->urls[i]);
        AKIN_TRY(sink->open(p->urls[i], options, &p->targets[i]));
        AKIN_TRY(sink->describe(p->targets[i], &standings[i]));
    }
done:
    return status;
}

/* The target has the previous table again, even if it can no longer be queried. */
static void describe_restored(const akin_sink *sink, akin_target *target, akin_standing *standing) {
    const akin_standing before = *standing;
    if (sink->describe(target, standing) == AKIN_OK) return;
    akin_error_clear();
    standing->live = before.kept;
    standing->kept = before.live;
}

/* Whether each target has a table to restore. */
static akin_status check_all(places *p, akin_standing *standings) {
    akin_status status = AKIN_OK;
    (void)standings;
    for (size_t i = 0; i < p->count; i++)
        AKIN_TRY(akin_sink_of(p->urls[i])->check_rollback(p->targets[i]));
done:
    return status;
}

static akin_status roll_back_all(places *p, akin_standing *standings) {
    akin_status status = AKIN_OK;
    akin_live live;
    AKIN_TRY(check_all(p, standings));
    for (size_t i = 0; i < p->count; i++) {
        const akin_sink *sink = akin_sink_of(p->urls[i]);
        AKIN_TRY(sink->rollback(p->targets[i], &live));
        describe_restored(sink, p->targets[i], &standings[i]);
    }
done:
    return status;
}

static void close_all(places *p) {
    for (size_t i = 0; p->targets && i < p->count; i++)
        akin_sink_of(p->urls[i])->close(p->targets[i]);
    akin_mem_free(p->targets);
}

/* Rank 0's work on the open targets. */
typedef akin_status work(places *p, akin_standing *standings);

static akin_status at_places(akin_comm *comm, const char *const *urls, size_t url_count,
                             const akin_sink_options *options, work *work,
                             akin_standing *standings) {
    akin_status status = AKIN_OK, local = AKIN_OK;
    places p = {.urls = urls, .count = url_count};
    AKIN_TRY(akin_agree(comm, akin_publish_check(urls, url_count, NULL, 0)));
    if (akin_comm_rank(comm) == 0) {
        p.targets = akin_mem_zalloc(url_count, sizeof *p.targets);
        local = p.targets ? open_all(&p, options, standings) : AKIN_FAILED;
        if (local == AKIN_OK && work) local = work(&p, standings);
    }
    AKIN_TRY(akin_agree(comm, local));
    akin_comm_broadcast(comm, standings, url_count * sizeof *standings, 0);
done:
    close_all(&p);
    return status;
}

akin_status akin_rollback(akin_comm *comm, const char *const *urls, size_t url_count,
                          const akin_sink_options *options, bool dry_run,
                          akin_standing *standings) {
    return at_places(comm, urls, url_count, options, dry_run ? check_all : roll_back_all,
                     standings);
}

akin_status akin_publish_describe(akin_comm *comm, const char *const *urls, size_t url_count,
                                  const akin_sink_options *options, akin_standing *standings) {
    return at_places(comm, urls, url_count, options, NULL, standings);
}

static akin_status go_on(void *context, const char *doing, size_t done, size_t total) {
    (void)context, (void)doing, (void)done, (void)total;
    return akin_comm_signalled() ? akin_error_set(AKIN_INTERRUPTED, "stopped by a signal")
                                 : AKIN_OK;
}

/* Of an open target that has been looked at. */
static akin_status foresee(const akin_sink *sink, akin_target *target, const akin_ids *ids,
                           akin_publish_diff_figures *change) {
    akin_status status;
    akin_publish_diff *diff = NULL;
    const akin_sink_source source = {.ids = ids,
                                     .items = akin_ids_count(ids),
                                     .digest = "",
                                     .model = "",
                                     .previous_digest = "",
                                     .pulse = go_on};
    AKIN_TRY(akin_publish_diff_create(NULL, ids, &diff));
    AKIN_TRY(sink->compare(target, &source, diff));
    *change = akin_publish_diff_result(diff);
done:
    akin_publish_diff_free(diff);
    return status;
}

akin_status akin_publish_ask(const char *url, const akin_sink_options *options, const akin_ids *ids,
                             akin_standing *standing, akin_publish_diff_figures *change) {
    akin_status status;
    akin_live live;
    akin_target *target = NULL;
    const akin_sink *sink = akin_sink_of(url);
    *change = (akin_publish_diff_figures){0};
    AKIN_TRY(sink->open(url, options, &target));
    AKIN_TRY(sink->describe(target, standing));
    if (!ids || !standing->live.there) goto done;
    AKIN_TRY(sink->look(target, &live));
    status = foresee(sink, target, ids, change);
done:
    sink->close(target);
    return status;
}

akin_status akin_publish_look(const char *url, const akin_sink_options *options, akin_live *live) {
    akin_target *target = NULL;
    const akin_sink *sink = akin_sink_of(url);
    akin_status status = sink->open(url, options, &target);
    if (status == AKIN_OK) status = sink->look(target, live);
    sink->close(target);
    return status;
}
