/* gallery: writes a page to look at. */
#include "call.h"
#include "longer.h"
#include "tables.h"
#include <akin/file.h>
#include <akin/gallery.h>
#include <akin/image.h>
#include <akin/log.h>
#include <akin/mem.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static const akin_option options[] = {
    {.name = "output",
     .letter = 'o',
     .type = AKIN_OPTION_TEXT,
     .argument = "DIR",
     .help = "the folder to write"},
    {.name = "source",
     .type = AKIN_OPTION_LIST,
     .argument = "SOURCE",
     .help = "the source of the catalogue, for its pictures: CSV, folder or tar"},
    {.name = "root",
     .type = AKIN_OPTION_TEXT,
     .argument = "DIR",
     .help = "where relative paths of a CSV start"},
    AKIN_TABLE_OPTIONS,
    {.name = "cache",
     .type = AKIN_OPTION_TEXT,
     .unrecorded = true,
     .argument = "DIR",
     .help = "the folder in which ingest or fetch keeps downloaded pictures"},
    {.name = "results",
     .type = AKIN_OPTION_TEXT,
     .argument = "DIR",
     .help = "a run's output folder, to show its rejects, metrics and training curve too"},
    {.name = "against",
     .type = AKIN_OPTION_TEXT,
     .argument = "TABLE.nc",
     .help = "the previous table, to show what has changed since",
     .shapes_result = true},
    {.name = "table",
     .type = AKIN_OPTION_LIST,
     .argument = "NAME=TABLE.nc",
     .help = "another table of the same items, with a page of its own to switch to; may be "
             "repeated",
     .shapes_result = true},
    {.name = "beside",
     .type = AKIN_OPTION_TEXT,
     .argument = "OTHER.nc",
     .help = "a table made with other settings or another model, shown side by side with this one "
             "to judge which is better",
     .shapes_result = true},
    {.name = "product-url",
     .type = AKIN_OPTION_TEXT,
     .argument = "URL",
     .help = "address of the page of each product, where {id} stands for its id: "
             "\"https://shop/p/{id}\"",
     .shapes_result = true},
    {.name = "previous",
     .type = AKIN_OPTION_TEXT,
     .argument = "DIR",
     .unrecorded = true,
     .help = "an earlier gallery: pictures of unchanged files are linked from it"},
    {.name = "embeddings",
     .type = AKIN_OPTION_TEXT,
     .argument = "FILE.nc",
     .help = "what the table was made from, for a map of the catalogue (default: embeddings.nc in "
             "--results)",
     .shapes_result = true},
    {.name = "name",
     .type = AKIN_OPTION_TEXT,
     .argument = "TEXT",
     .shapes_result = true,
     .help = "name of the catalogue where two are shown (default: that of the run or the source)"},
    {.name = "target-name",
     .type = AKIN_OPTION_TEXT,
     .argument = "TEXT",
     .shapes_result = true,
     .help = "for a table made --against another catalogue: name of that one"},
    {.name = "target-source",
     .type = AKIN_OPTION_LIST,
     .argument = "SOURCE",
     .shapes_result = true,
     .help = "for such a table: the source of the other catalogue, for its pictures (default: the "
             "small pictures in --target-catalog)"},
    {.name = "target-root",
     .type = AKIN_OPTION_TEXT,
     .argument = "DIR",
     .help = "for such a table: where relative paths of that CSV start"},
    {.name = "target-catalog",
     .type = AKIN_OPTION_TEXT,
     .argument = "FILE.nc",
     .shapes_result = true,
     .help = "for such a table: catalog.nc of the other catalogue"},
    {.name = "target-embeddings",
     .type = AKIN_OPTION_TEXT,
     .argument = "FILE.nc",
     .shapes_result = true,
     .help = "for such a table: what it was made against, to show attributes, and how much each "
             "part adds to a score"},
    {.name = "picture-size",
     .type = AKIN_OPTION_INT,
     .initial = "256",
     .minimum = 16,
     .maximum = 2048,
     .shapes_result = true,
     .argument = "PIXELS",
     .help = "maximum length of the longer side of each picture"},
    {.name = "max-pixels",
     .type = AKIN_OPTION_INT,
     .initial = "100000000",
     .minimum = 1,
     .maximum = 1e15,
     .argument = "N",
     .help = "do not read pictures with more pixels"},
    {0},
};

/* sources: has room for all, allocated by the caller. `--source A B C` is accepted too: what
 * follows the table is a source. */
static akin_gallery_params params_of(const akin_options *o, const char **sources) {
    const char *const *arguments = NULL, *const *given = NULL;
    size_t count = 0, argument_count = akin_options_arguments(o, &arguments);
    size_t given_count = akin_options_list(o, "source", &given);
    for (size_t i = 0; i < given_count; i++) sources[count++] = given[i];
    for (size_t i = 1; i < argument_count; i++) sources[count++] = arguments[i];
    akin_source_params source = {.names = sources,
                                 .count = count,
                                 .root = akin_options_text(o, "root"),
                                 .cache = akin_options_text(o, "cache")};
    (void)!akin_tables_params(o, &source); /* checked before */
    akin_source_params other = source;     /* columns and the rest are read alike */
    other.count = akin_options_list(o, "target-source", &other.names);
    other.root = akin_options_text(o, "target-root");
    return (akin_gallery_params){
        .table = arguments[0],
        .name = akin_options_text(o, "name"),
        .target = {.name = akin_options_text(o, "target-name"),
                   .source = other,
                   .catalog = akin_options_text(o, "target-catalog"),
                   .embeddings = akin_options_text(o, "target-embeddings")},
        .against = akin_options_text(o, "against"),
        .beside = akin_options_text(o, "beside"),
        .product_url = akin_options_text(o, "product-url"),
        .previous = akin_options_text(o, "previous"),
        .embeddings = akin_options_text(o, "embeddings"),
        .source = source,
        .output = akin_options_text(o, "output"),
        .results = akin_options_text(o, "results"),
        .side = (size_t)akin_options_int(o, "picture-size"),
        .max_pixels = (uint64_t)akin_options_int(o, "max-pixels")};
}

static const char **room_for_sources(const akin_options *o) {
    const char *const *words = NULL;
    return akin_mem_alloc(
        akin_options_arguments(o, &words) + akin_options_list(o, "source", &words), sizeof(char *));
}

/* --- further tables: NAME=TABLE.nc --- */

static bool is_name(const char *word, size_t length) {
    size_t fine = strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");
    return length > 0 && fine == length && word[length] == '=' && word[length + 1] &&
           !(length == strlen("main") && strncmp(word, "main", length) == 0);
}

static akin_status check_tables(const akin_options *o) {
    const char *const *words = NULL;
    size_t count = akin_options_list(o, "table", &words);
    for (size_t i = 0; i < count; i++) {
        size_t length = strcspn(words[i], "=");
        if (!is_name(words[i], length))
            return akin_error_option("table",
                                     "--table %s: write NAME=TABLE.nc; a name has letters, digits, "
                                     "- and _, and main is the first table",
                                     words[i]);
        for (size_t before = 0; before < i; before++)
            if (strncmp(words[before], words[i], length + 1) == 0)
                return akin_error_option("table", "--table %s: there are two tables of that name",
                                         words[i]);
    }
    return AKIN_OK;
}

typedef struct {
    akin_gallery_more *list;
    char **names; /* owned */
    size_t count;
} more_tables;

static void free_more(more_tables *more) {
    for (size_t i = 0; more->names && i < more->count; i++) akin_mem_free(more->names[i]);
    akin_mem_free(more->names);
    akin_mem_free(more->list);
}

static akin_status read_more(const akin_options *o, more_tables *out) {
    const char *const *words = NULL;
    size_t count = akin_options_list(o, "table", &words);
    *out = (more_tables){0};
    out->list = akin_mem_zalloc(count + 1, sizeof *out->list);
    out->names = akin_mem_zalloc(count + 1, sizeof *out->names);
    if (!out->list || !out->names) return AKIN_FAILED;
    for (; out->count < count; out->count++) {
        char *name = out->names[out->count] = akin_mem_text(words[out->count]);
        if (!name) return AKIN_FAILED;
        name[strcspn(name, "=")] = '\0';
        out->list[out->count] =
            (akin_gallery_more){.name = name, .table = words[out->count] + strlen(name) + 1};
    }
    return AKIN_OK;
}

static akin_status check_product_url(const char *url) {
    bool web = url && (strncmp(url, "https://", 8) == 0 || strncmp(url, "http://", 7) == 0);
    if (!url || (web && strstr(url, "{id}"))) return AKIN_OK;
    return akin_error_set(
        AKIN_USAGE,
        "--product-url %s: give an address of the web in which {id} stands for the "
        "item's id, such as https://shop.example/p/{id}",
        url);
}

static akin_status check(akin_options *o) {
    const char *const *given = NULL, *const *arguments = NULL;
    const char **sources = room_for_sources(o);
    if (!sources) return AKIN_FAILED;
    akin_gallery_params params = params_of(o, sources);
    akin_status status = akin_tables_params(o, &params.source);
    if (status == AKIN_OK) status = akin_gallery_check(&params);
    if (status == AKIN_OK) status = check_product_url(params.product_url);
    if (status == AKIN_OK) status = check_tables(o);
    if (status == AKIN_OK && akin_options_list(o, "source", &given) == 0 &&
        akin_options_arguments(o, &arguments) > 1)
        status = akin_error_option("source", "--source is missing before \"%s\"", arguments[1]);
    akin_mem_free(sources);
    return status;
}

static void report(akin_json *json, const akin_gallery_result *result) {
    akin_json_set_integer(json, "items", (long long)result->items);
    akin_json_set_integer(json, "pictures", (long long)result->pictures);
    akin_json_set_integer(json, "placeholders", (long long)result->placeholders);
    akin_json_set_integer(json, "bytes", (long long)result->bytes);
    akin_json_set_integer(json, "files_written", (long long)result->written);
    akin_json_set_integer(json, "files_linked", (long long)result->linked);
    akin_json_set_text(json, "table_digest", result->table_digest);
}

/* The longer tables of every table. Collective; agreed. */
static akin_status make_longer(akin_comm *comm, akin_gallery_params *params, more_tables *more) {
    akin_status status = AKIN_OK;
    char *found = NULL;
    const char *embeddings = params->embeddings;
    if (!embeddings && params->results) {
        found = akin_file_join(params->results, "embeddings.nc");
        AKIN_TRY(akin_agree(comm, found ? AKIN_OK : AKIN_FAILED));
        if (akin_file_exists(found)) embeddings = found;
    }
    akin_longer_source source = {params->table, embeddings, params->target.embeddings};
    AKIN_TRY(akin_longer_make(comm, &source, params->output, &params->longer));
    for (size_t i = 0; i < more->count; i++) {
        char *name = akin_file_with_ending(params->output, more->list[i].name);
        AKIN_TRY(akin_agree(comm, name ? AKIN_OK : AKIN_FAILED));
        source.table = more->list[i].table;
        status = akin_longer_make(comm, &source, name, &more->list[i].longer);
        akin_mem_free(name);
        if (status != AKIN_OK) break;
    }
done:
    akin_mem_free(found);
    return status;
}

static void remove_longer(const akin_comm *comm, akin_gallery_params *params, more_tables *more) {
    akin_longer_remove(comm, &params->longer);
    for (size_t i = 0; more->list && i < more->count; i++)
        akin_longer_remove(comm, &more->list[i].longer);
}

static akin_status run(akin_call *call) {
    akin_status status = AKIN_OK;
    akin_gallery_result result = {0};
    akin_gallery_params params = {0};
    const char **sources = room_for_sources(call->options);
    more_tables more;
    akin_status local = read_more(call->options, &more);
    AKIN_TRY(akin_agree(call->comm, sources ? local : AKIN_FAILED));
    params = params_of(call->options, sources);
    params.more = more.list, params.more_count = more.count;
    AKIN_TRY(make_longer(call->comm, &params, &more));
    AKIN_TRY(akin_gallery(call->comm, &params, &result));
    akin_log_summary("gallery: open %s/index.html in a browser", params.output);
    report(call->report, &result);
done:
    remove_longer(call->comm, &params, &more);
    free_more(&more);
    akin_mem_free(sources);
    return status;
}

static bool up_to_date(akin_call *call) {
    char *page = akin_file_join(akin_options_text(call->options, "output"), "index.html");
    bool exists = page && akin_file_exists(page);
    akin_mem_free(page);
    return exists && akin_call_is_repeated(call);
}

const akin_verb akin_verb_gallery = {
    .name = "gallery",
    .multiplies = true,
    .arguments = "table.nc --source SOURCE... -o DIR",
    .summary = "write web pages that show items, their neighbours and the job's figures",
    .argument_key = "table",
    .arguments_min = 1,
    .arguments_max = -1,
    .options = options,
    .run = run,
    .up_to_date = up_to_date,
    .check = check,
};
