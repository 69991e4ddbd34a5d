/* publish: a table to its sinks, step by step.
 *
 * Floor 3 (stages); looks down to error, mem, text, comm, log, labels, table; within its floor to sink and its modules.
 */
#include <akin/log.h>
#include <akin/mem.h>
#include <akin/publish.h>
#include <akin/text.h>
#include <stdbool.h>
#include <string.h>

static const akin_sink *const sinks[] = {&akin_sink_file};
#define SINKS (sizeof sinks / sizeof *sinks)

static const akin_sink *sink_of(const char *url) {
    const char *colon = strchr(url, ':');
    for (size_t i = 0; colon && i < SINKS; i++) {
        size_t length = strlen(sinks[i]->scheme);
        if ((size_t)(colon - url) == length && memcmp(url, sinks[i]->scheme, length) == 0) return sinks[i];
    }
    return NULL;
}

static akin_status refuse_unknown(const char *url) {
    akin_status status = AKIN_OK;
    akin_text *known = NULL;
    AKIN_TRY(akin_text_create(&known));
    for (size_t i = 0; i < SINKS; i++) AKIN_TRY(akin_text_append(known, "%s%s", i > 0 ? ", " : "", sinks[i]->forms));
    status =
        akin_error_set(AKIN_USAGE, "--to %s: unknown kind of place; those known are %s", url, akin_text_bytes(known));
done:
    akin_text_free(known);
    return status;
}

/* Whether urls[last] is the same target as one before it. */
static akin_status refuse_twice(const char *const *urls, size_t last) {
    akin_status status = AKIN_OK;
    char *name = sink_of(urls[last])->identity(urls[last]), *other = NULL;
    if (!name) return AKIN_FAILED;
    for (size_t i = 0; i < last && status == AKIN_OK; i++) {
        if (sink_of(urls[i]) != sink_of(urls[last])) continue;
        other = sink_of(urls[i])->identity(urls[i]);
        if (!other)
            status = AKIN_FAILED;
        else if (strcmp(other, name) == 0)
            status = akin_error_set(AKIN_USAGE, "--to %s: is the same as --to %s; name each place once", urls[last],
                                    urls[i]);
        akin_mem_free(other);
    }
    akin_mem_free(name);
    return status;
}

akin_status akin_publish_check(const char *const *urls, size_t url_count) {
    akin_status status = AKIN_OK;
    if (url_count == 0)
        return akin_error_set(AKIN_USAGE, "--to is missing: name where to, such as --to file:table.jsonl");
    for (size_t i = 0; i < url_count; i++) {
        if (!sink_of(urls[i])) return refuse_unknown(urls[i]);
        AKIN_TRY(sink_of(urls[i])->check_url(urls[i]));
        AKIN_TRY(refuse_twice(urls, i));
    }
done:
    return status;
}

/* Opens, stages and commits all targets, each step for all before the next. Collective. */
static akin_status publish_to_all(akin_comm *comm, const akin_publish_params *params, const akin_sink_source *source,
                                  akin_target **targets, akin_published *published) {
    akin_status status = AKIN_OK;
    size_t count = params->url_count;
    for (size_t i = 0; i < count; i++)
        AKIN_TRY(sink_of(params->urls[i])->open(comm, params->urls[i], source, &targets[i]));
    for (size_t i = 0; i < count; i++) {
        published[i].url = params->urls[i];
        AKIN_TRY(sink_of(params->urls[i])->stage(comm, targets[i], &published[i]));
    }
    for (size_t i = 0; i < count; i++) {
        AKIN_TRY(sink_of(params->urls[i])->commit(comm, targets[i]));
        akin_log_info("publish: %s now holds this table, %llu bytes", published[i].url,
                      (unsigned long long)published[i].bytes);
    }
done:
    return status;
}

akin_status akin_publish(akin_comm *comm, const akin_publish_params *params, akin_published *published,
                         akin_publish_result *result) {
    akin_status status = AKIN_OK;
    akin_table *table = NULL;
    akin_labels *labels = NULL;
    akin_target **targets = NULL;
    AKIN_TRY(akin_agree(comm, akin_publish_check(params->urls, params->url_count)));
    AKIN_TRY(akin_table_open(comm, params->table, &table));
    size_t n = akin_table_items(table);
    akin_status local = akin_labels_read(akin_table_file(table), 0, n, &labels);
    targets = akin_mem_zalloc(params->url_count, sizeof *targets);
    if (!targets && local == AKIN_OK) local = AKIN_FAILED;
    AKIN_TRY(akin_agree(comm, local));
    akin_sink_source source = {table, labels};
    AKIN_TRY(publish_to_all(comm, params, &source, targets, published));
    result->items = n;
    memcpy(result->table_digest, akin_table_digest(table), sizeof result->table_digest);
done:
    for (size_t i = 0; targets && i < params->url_count; i++) sink_of(params->urls[i])->close(comm, targets[i]);
    akin_mem_free(targets);
    akin_labels_free(labels);
    akin_table_close(table);
    return status;
}

akin_status akin_rollback(akin_comm *comm, const char *const *urls, size_t url_count) {
    akin_status status = AKIN_OK;
    AKIN_TRY(akin_agree(comm, akin_publish_check(urls, url_count)));
    for (size_t i = 0; i < url_count; i++) AKIN_TRY(sink_of(urls[i])->check_rollback(comm, urls[i]));
    for (size_t i = 0; i < url_count; i++) {
        AKIN_TRY(sink_of(urls[i])->rollback(comm, urls[i]));
        akin_log_info("rollback: %s holds the table before again", urls[i]);
    }
done:
    return status;
}
