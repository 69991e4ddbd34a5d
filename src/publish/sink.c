/* sink: the kinds of targets, and which of them a URL selects. */
#include <akin/mem.h>
#include <akin/sink.h>
#include <akin/text.h>
#include <string.h>

static const akin_sink *const sinks[] = {&akin_sink_file, &akin_sink_redis, &akin_sink_memcached,
                                         &akin_sink_qdrant};
#define SINKS (sizeof sinks / sizeof *sinks)

const akin_sink *akin_sink_of(const char *url) {
    size_t length = strcspn(url, ":");
    for (size_t i = 0; url[length] && i < SINKS; i++)
        for (const char *const *scheme = sinks[i]->schemes; *scheme; scheme++)
            if (length == strlen(*scheme) && memcmp(url, *scheme, length) == 0) return sinks[i];
    return NULL;
}

/* AKIN_USAGE: puts the URL before the message and another one after it, both without their
 * passwords. */
static akin_status refuse(const char *url, const char *what, const char *more) {
    akin_status status = AKIN_OK;
    akin_text *text = NULL;
    AKIN_TRY(akin_text_create(&text));
    AKIN_TRY(akin_text_append(text, "--to "));
    AKIN_TRY(akin_text_append_hidden(text, url));
    AKIN_TRY(akin_text_append(text, ": %s ", what));
    AKIN_TRY(akin_text_append_hidden(text, more));
    status = akin_error_set(AKIN_USAGE, "%s", akin_text_bytes(text));
done:
    akin_text_free(text);
    return status;
}

static akin_status refuse_unknown(const char *url) {
    akin_status status = AKIN_OK;
    akin_text *known = NULL;
    AKIN_TRY(akin_text_create(&known));
    for (size_t i = 0; i < SINKS; i++)
        AKIN_TRY(akin_text_append(known, "%s%s", i > 0 ? ", " : "", sinks[i]->forms));
    status = refuse(url, "unknown kind of target; use one of", akin_text_bytes(known));
done:
    akin_text_free(known);
    return status;
}

/* "file:a.jsonl file:b.csv" in quotes is one word; it would be a path with a blank. */
static bool is_several(const char *url) {
    for (const char *blank = url; (blank = strpbrk(blank, " \t")); blank++)
        if (akin_sink_of(blank + 1)) return true;
    return false;
}

/* Whether urls[last] is the same target as an earlier one. */
static akin_status refuse_twice(const char *const *urls, size_t last) {
    akin_status status = AKIN_OK;
    char *name = akin_sink_of(urls[last])->identity(urls[last]);
    if (!name) return AKIN_FAILED;
    for (size_t i = 0; i < last && status == AKIN_OK; i++) {
        if (akin_sink_of(urls[i]) != akin_sink_of(urls[last])) continue;
        char *other = akin_sink_of(urls[i])->identity(urls[i]);
        if (!other)
            status = AKIN_FAILED;
        else if (strcmp(other, name) == 0)
            status = refuse(urls[last], "give each target once; this is the same as --to", urls[i]);
        akin_mem_free(other);
    }
    akin_mem_free(name);
    return status;
}

static akin_status refuse_overwriting(const char *url, const char *const *inputs,
                                      size_t input_count) {
    const akin_sink *sink = akin_sink_of(url);
    akin_error_clear();
    for (size_t i = 0; sink->overwrites && i < input_count; i++)
        if (sink->overwrites(url, inputs[i]))
            return *akin_error_message()
                       ? AKIN_FAILED /* out of memory while reporting */
                       : akin_error_option(
                             "to",
                             "--to %s: would overwrite %s, which the job itself reads or writes",
                             url, inputs[i]);
    return AKIN_OK;
}

static akin_status check_one(const char *const *urls, size_t at, const char *const *inputs,
                             size_t input_count) {
    akin_status status = AKIN_OK;
    if (!akin_sink_of(urls[at])) return refuse_unknown(urls[at]);
    if (is_several(urls[at]))
        return refuse(urls[at], "is several targets; give each with a --to of its own", "");
    AKIN_TRY(akin_sink_of(urls[at])->check_url(urls[at]));
    AKIN_TRY(refuse_twice(urls, at));
    status = refuse_overwriting(urls[at], inputs, input_count);
done:
    return status;
}

akin_status akin_sink_check(const char *const *urls, size_t url_count, const char *const *inputs,
                            size_t input_count) {
    akin_status status = AKIN_OK;
    if (url_count == 0)
        return akin_error_option("to",
                                 "--to is missing: give a target, such as --to file:table.jsonl");
    for (size_t i = 0; i < url_count && status == AKIN_OK; i++) {
        status = check_one(urls, i, inputs, input_count);
        if (status != AKIN_OK) akin_error_name_item(i);
    }
    return status;
}
