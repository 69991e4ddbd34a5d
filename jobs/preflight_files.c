/* preflight_files: the files that a job names, and reads later: whether each is there, and holds
 * what its stage expects. */
#include "mistakes.h"
#include "preflight.h"
#include "stages.h"
#include <akin/csv.h>
#include <akin/file.h>
#include <akin/ids.h>
#include <akin/log.h>
#include <akin/mem.h>
#include <akin/ncfile.h>
#include <akin/neighbors.h>
#include <akin/npy.h>
#include <string.h>

/* --- what a file holds, by the readers of the verbs --- */

typedef akin_status look_at(const char *path);

static akin_status look_at_kind(const char *path, const char *kind) {
    akin_ncfile *file = NULL;
    akin_status status = akin_ncfile_peek(path, kind, &file);
    akin_ncfile_close(file);
    return status;
}

static akin_status look_at_catalog(const char *path) {
    return look_at_kind(path, "catalog");
}

static akin_status look_at_model(const char *path) {
    return look_at_kind(path, "model");
}

static akin_status look_at_embeddings(const char *path) {
    return look_at_kind(path, "embeddings");
}

static akin_status look_at_table(const char *path) {
    return look_at_kind(path, "table");
}

static akin_status look_at_npy(const char *path) {
    akin_npy *npy = NULL;
    akin_status status = akin_npy_open(path, &npy);
    akin_npy_close(npy);
    return status;
}

static akin_status look_at_vectors(const char *path) {
    bool is_npy = false;
    akin_status status = akin_npy_recognise(path, &is_npy);
    if (status != AKIN_OK) return status;
    return is_npy ? look_at_npy(path) : look_at_embeddings(path);
}

static akin_status pass(void *context, size_t row, const char *const *texts) {
    (void)context, (void)row, (void)texts;
    return AKIN_OK;
}

static const char *const of_ids[AKIN_CSV_PAIR_TEXTS] = {"id", "neighbor"},
                         *const of_categories[AKIN_CSV_PAIR_TEXTS] = {"from", "to"};

static akin_status look_at_ids(const char *path) {
    return akin_csv_read_pairs(path, of_ids, pass, NULL);
}

static akin_status look_at_categories(const char *path) {
    return akin_csv_read_pairs(path, of_categories, pass, NULL);
}

/* --- all files of a job --- */

typedef struct {
    const char *section, *key; /* section NULL: of [neighbors] and each [table NAME] */
    look_at *look;             /* NULL: it need only be there */
    bool pairs;                /* of ids, or of categories: their names are looked up too */
    bool several;              /* paths */
} input;

static const input inputs[] = {
    {"ingest", "root", NULL, false, false},
    {"ingest", "previous", look_at_catalog, false, false},
    {"ingest", "network", NULL, false, false},
    {"train", "init", look_at_model, false, false},
    {"train", "pairs", akin_id_pairs_check, true, false},
    {"embed", "from", look_at_npy, false, false},
    {"embed", "ids", NULL, false, false},
    {"embed", "previous", look_at_embeddings, false, false},
    {"evaluate", "against", look_at_table, false, false},
    {"evaluate", "pairs", akin_id_pairs_check, true, false},
    {"evaluate", "golden", look_at_ids, true, false},
    {"publish", "previous", look_at_table, false, false},
    {"publish", "golden", look_at_ids, true, false},
    {"gallery", "against", look_at_table, false, false},
    {"gallery", "embeddings", look_at_embeddings, false, false},
    {NULL, "golden", look_at_ids, true, false},
    {NULL, "previous", look_at_table, false, false},
    {NULL, "previous-embeddings", look_at_vectors, false, false},
    {NULL, "against", look_at_vectors, false, false},
    {NULL, "against-ids", NULL, false, false},
    {NULL, "categories", look_at_categories, true, true},
    {NULL, "pins", akin_neighbors_check_pins, true, true},
    {NULL, "blocks", look_at_ids, true, true},
};

/* at: which of the paths of its key. */
typedef void each_file(void *context, const input *in, const char *section, const char *path,
                       size_t at);

/* Of those that the job file names; what the run itself sets, it also makes. */
static void visit_key(akin_jobfile *job, const input *in, const char *section, each_file *each,
                      void *context) {
    const akin_options *o = akin_jobfile_options(job, section);
    const char *one = NULL, *const *paths = &one;
    size_t count = 1;
    if (!akin_options_declared(o, in->key, NULL)) return;
    char *place = akin_jobfile_place(job, section, in->key);
    if (in->several)
        count = akin_options_list(o, in->key, &paths);
    else
        one = akin_options_text(o, in->key);
    for (size_t i = 0; place && i < count; i++)
        if (paths[i]) each(context, in, section, paths[i], i);
    akin_mem_free(place);
}

static void visit_files(akin_jobfile *job, each_file *each, void *context) {
    const char *section;
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++)
        if (inputs[i].section)
            visit_key(job, &inputs[i], inputs[i].section, each, context);
        else
            for (size_t t = 0; (section = akin_job_neighbors_section(job, t)); t++)
                visit_key(job, &inputs[i], section, each, context);
}

typedef struct {
    akin_jobfile *job;
    akin_mistakes found;
} checking;

static void check_file(void *context, const input *in, const char *section, const char *path,
                       size_t at) {
    checking *c = context;
    akin_status status = AKIN_OK;
    if (!akin_file_exists(path))
        status = akin_error_set(AKIN_FAILED, "%s %s: no such file", in->key, path);
    else if (in->look && (status = in->look(path)) != AKIN_OK)
        status = akin_error_context(status, "%s: ", in->key);
    if (status != AKIN_OK)
        akin_mistakes_note(&c->found, akin_job_at_item(c->job, section, in->key, at, status));
}

akin_status akin_preflight_files(akin_jobfile *job) {
    checking all = {.job = job, .found = {.status = AKIN_OK}};
    visit_files(job, check_file, &all);
    return akin_mistakes_sum(&all.found);
}

akin_status akin_preflight_sources_there(akin_jobfile *job) {
    akin_mistakes found = {.status = AKIN_OK};
    const char *const *sources = NULL;
    size_t count = akin_options_arguments(akin_jobfile_options(job, "ingest"), &sources);
    if (akin_stages_added(job)) return AKIN_OK; /* not of the job file: listing it reports it */
    for (size_t i = 0; i < count; i++)
        if (akin_source_there(sources[i]) != AKIN_OK)
            akin_mistakes_note(&found, akin_job_at_item(job, "ingest", "source", i, AKIN_FAILED));
    return akin_mistakes_sum(&found);
}

/* --- the names in files of pairs --- */

typedef struct {
    akin_jobfile *job;
    const akin_upcoming *of;
    const akin_ids *items;           /* what these have */
    akin_ids *products, *categories; /* NULL = not needed yet */
    akin_status status;              /* of making them */
} naming;

typedef struct {
    const akin_ids *first, *second; /* NULL: not known here */
    const akin_ids *members;        /* items, which stand for their products; NULL: none */
    bool every;                     /* "*" stands for every item */
    size_t rows, unknown, at;       /* of the file; at: the first of the unknown */
    char names[2][64];              /* of the first one, cut */
} looking;

/* Repetitions do no harm. */
static akin_status list_names(const akin_upcoming *of, akin_upcoming_name *name, akin_ids **out) {
    return *out ? AKIN_OK : akin_upcoming_names(of, name, out);
}

static bool is_known(const looking *l, const akin_ids *ids, const char *name) {
    return !ids || (l->every && strcmp(name, "*") == 0) || akin_ids_find(ids, name) >= 0 ||
           (l->members && akin_ids_find(l->members, name) >= 0);
}

static akin_status look_up(void *context, size_t row, const char *const *texts) {
    looking *l = context;
    const bool known[2] = {is_known(l, l->first, texts[0]), is_known(l, l->second, texts[1])};
    if (row == 1 && !known[0] && !known[1]) return AKIN_OK; /* a header */
    l->rows++;
    if ((known[0] && known[1]) || l->unknown++ > 0) return AKIN_OK;
    l->at = row;
    for (int n = 0; n < 2; n++) {
        l->names[n][0] = '\0';
        strncat(l->names[n], texts[n], sizeof l->names[n] - 1);
    }
    return AKIN_OK;
}

/* Whether a section looks at tables, of which the main one is checked here. */
static bool of_main(const char *section) {
    return strcmp(section, "evaluate") == 0 || strcmp(section, "publish") == 0;
}

/* The section of the table whose items the file names. */
static const char *table_of(const char *section) {
    return of_main(section) ? "neighbors" : section;
}

static akin_status names_for(naming *n, const input *in, const char *section, looking *out) {
    akin_status status = AKIN_OK;
    const akin_ids *names = n->items;
    bool of_catalog = strcmp(section, "train") == 0, of_items = false;
    const akin_options *table = of_catalog ? NULL : akin_jobfile_options(n->job, table_of(section));
    if (strcmp(in->key, "categories") == 0) {
        status = list_names(n->of, akin_upcoming_category, &n->categories);
        names = n->categories;
    } else if (table && akin_options_is(table, "by", "group")) {
        status = list_names(n->of, akin_upcoming_product, &n->products);
        names = n->products;
        of_items = strcmp(in->key, "golden") == 0 || of_main(section);
    }
    *out = (looking){.first = names,
                     .members = of_items ? n->items : NULL,
                     .every = strcmp(in->key, "blocks") == 0};
    if (!table || !akin_options_text(table, "against")) out->second = names;
    return status;
}

static const char *whole_of(const naming *n) {
    return akin_upcoming_is_added(n->of) ? "the table" : "the source";
}

/* Where approved lists are a gate: the least share, as text; NULL: every share passes. */
static const char *least_golden(akin_jobfile *job, const char *section) {
    const akin_options *from = akin_jobfile_options(job, section);
    if (strcmp(section, "evaluate") == 0 || !akin_stage_wanted(akin_stage_find("publish"), job))
        return NULL;
    if (!akin_options_given(from, "min-golden")) from = akin_jobfile_options(job, "publish");
    return akin_options_real(from, "min-golden") > 0 ? akin_options_text(from, "min-golden") : NULL;
}

static void foresee_golden(const naming *n, const char *section, const char *path,
                           const looking *seen) {
    const char *least = seen->unknown == seen->rows ? least_golden(n->job, section) : NULL;
    char *place = least ? akin_jobfile_place(n->job, section, "golden") : NULL;
    if (place)
        akin_log_warning("%s: [%s] golden: %s has no pair of two items of %s: min-golden = "
                         "%s cannot be judged, and the job would exit with 4",
                         place, section, path, whole_of(n), least);
    akin_mem_free(place);
}

/* `akin add` neither trains nor evaluates. */
static bool is_left_out(const naming *n, const char *section) {
    return akin_upcoming_is_added(n->of) &&
           (strcmp(section, "train") == 0 || strcmp(section, "evaluate") == 0);
}

static void look_up_names(void *context, const input *in, const char *section, const char *path,
                          size_t at) {
    naming *n = context;
    looking seen;
    bool categories = strcmp(in->key, "categories") == 0;
    if (!in->pairs || n->status != AKIN_OK || is_left_out(n, section)) return;
    n->status = names_for(n, in, section, &seen);
    if (n->status != AKIN_OK) return;
    if (akin_csv_read_pairs(path, categories ? of_categories : of_ids, look_up, &seen) != AKIN_OK)
        akin_error_clear(); /* told by akin_preflight_files */
    char *place = seen.unknown > 0 ? akin_jobfile_place_of(n->job, section, in->key, at) : NULL;
    if (place)
        akin_log_warning("%s: [%s] %s: %zu of %zu pairs in %s %s that %s lacks; the first: "
                         "%s,%s in row %zu",
                         place, section, in->key, seen.unknown, seen.rows, path,
                         categories                                 ? "name a category"
                         : n->products && seen.first == n->products ? "name a product"
                                                                    : "name an id",
                         whole_of(n), seen.names[0], seen.names[1], seen.at);
    akin_mem_free(place);
    if (strcmp(in->key, "golden") == 0) foresee_golden(n, section, path, &seen);
}

akin_status akin_preflight_names(akin_jobfile *job, const akin_upcoming *items,
                                 const akin_ids *ids) {
    naming all = {.job = job, .of = items, .items = ids, .status = AKIN_OK};
    if (akin_upcoming_count(items) > 0) visit_files(job, look_up_names, &all);
    akin_ids_free(all.products);
    akin_ids_free(all.categories);
    return all.status;
}
