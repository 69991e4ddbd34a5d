/* plan: what a night of a given size needs, for a job file. */
#include "rules.h"
#include "stages.h"
#include <akin/features.h>
#include <akin/file.h>
#include <akin/image.h>
#include <akin/mem.h>
#include <akin/plan.h>
#include <akin/row_block.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define METRICS_LIMIT ((size_t)64 << 20)

#define REAL(NAME, INITIAL, LOW, HIGH, ARGUMENT, HELP)                                             \
    {                                                                                              \
        .name = NAME, .type = AKIN_OPTION_REAL, .initial = INITIAL, .minimum = LOW,                \
        .maximum = HIGH, .argument = ARGUMENT, .help = HELP                                        \
    }
#define WHOLE(NAME, INITIAL, LOW, HIGH, ARGUMENT, HELP)                                            \
    {                                                                                              \
        .name = NAME, .type = AKIN_OPTION_INT, .initial = INITIAL, .minimum = LOW,                 \
        .maximum = HIGH, .argument = ARGUMENT, .help = HELP                                        \
    }

static const akin_option options[] = {
    WHOLE("items", NULL, 2, 2e9, "N", "number of items in the catalogue"),
    WHOLE("nodes", NULL, 1, AKIN_PLAN_RANKS_MAX, "M", "number of machines"),
    WHOLE("ranks-per-node", "32", 1, 4096, "R", "ranks on each machine"),
    {.name = "cores-per-node",
     .type = AKIN_OPTION_INT,
     .minimum = 1,
     .maximum = 4096,
     .argument = "C",
     .help = "cores of each machine, on which more ranks take turns; default: one for each rank"},
    WHOLE("dim", "128", 2, 2048, "D", "columns of a vector, if the job file does not set them"),
    {.name = "rates",
     .type = AKIN_OPTION_TEXT,
     .argument = "FILE",
     .help = "metrics.json of a run, to use its rates instead of those of " AKIN_PLAN_CPU},
    REAL("picture-bytes", "60000", 1, 1e9, "BYTES", "mean size of a picture file"),
    REAL("latency", "2e-6", 0, 10, "SECONDS", "latency of a message between two nodes"),
    REAL("bandwidth", "1e10", 1, 1e15, "BYTES", "bytes per second that a node sends"),
    REAL("memory-bandwidth", "1e9", 1, 1e15, "BYTES",
         "bytes per second that a rank sends to another on its node"),
    REAL("storage", "5e9", 1, 1e15, "BYTES",
         "bytes per second that all ranks together read or write"),
    REAL("mtbf", "43800", 1e-3, 1e9, "HOURS", "mean time between failures of one node"),
    REAL("restart", "180", 0, 1e6, "SECONDS", "time from a failure until the job computes again"),
    REAL("stragglers", "0.01", 0, 1, "SHARE", "share of nodes that are slow"),
    REAL("slowdown", "1.2", 1, 1000, "FACTOR", "how many times longer a slow node takes"),
    REAL("jitter", "0.03", 0, 10, "SHARE", "mean relative delay of a piece of work"),
    WHOLE("seed", "1", 0, 1e15, "N", "seed of the simulation"),
    {0},
};

static const char *job_path(const akin_call *call) {
    const char *const *arguments = NULL;
    akin_options_arguments(call->options, &arguments);
    return arguments[0];
}

static bool wanted(akin_jobfile *job, akin_plan_stage which) {
    const akin_stage *stage = akin_stages;
    while (strcmp(stage->verb, akin_plan_names[which]) != 0) stage++;
    return akin_stage_wanted(stage, job);
}

static size_t columns(const akin_jobfile *job, const akin_options *o) {
    const akin_options *train = akin_jobfile_options(job, "train");
    if (akin_options_given(o, "dim") || !akin_options_given(train, "dim"))
        return (size_t)akin_options_int(o, "dim");
    return (size_t)akin_options_int(train, "dim");
}

/* --- the lists of the tables --- */

static const akin_options *options_of(const akin_jobfile *job, size_t table) {
    return akin_jobfile_options(job, akin_job_neighbors_section(job, table));
}

static bool same_text(const char *a, const char *b) {
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* Whether two tables compare the same rows, so that one pass makes both. (Those of items and of
 * products may, if the items are in the order of their products already.) */
static bool share(const akin_options *a, const akin_options *b) {
    static const char *const keys[] = {"against", "against-ids", "aspect",
                                       "model",   "catalog",     "against-catalog"};
    if (akin_options_is(a, "pictures", "mean") || akin_options_is(b, "pictures", "mean") ||
        akin_options_is(a, "by", "group") != akin_options_is(b, "by", "group"))
        return false;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (!same_text(akin_options_text(a, keys[i]), akin_options_text(b, keys[i]))) return false;
    return true;
}

static size_t pass_of(const akin_jobfile *job, size_t table, const akin_plan_lists *lists,
                      size_t *passes) {
    size_t last = 0, sharing = 0;
    for (size_t t = 0; t < table; t++) {
        if (!share(options_of(job, t), options_of(job, table))) continue;
        sharing = sharing > 0 && lists[t].pass == last ? sharing + 1 : 1, last = lists[t].pass;
    }
    return sharing > 0 && sharing < AKIN_ROW_BLOCK_TABLES ? last : (*passes)++;
}

/* Passes that a table needs before its own, for --damp-hubs and --collapse-duplicates. */
static size_t passes_before(const akin_options *o) {
    static const akin_option rules[] = {AKIN_ITEM_RULE_OPTIONS};
    bool ruled = akin_options_given(o, "against") || akin_options_is(o, "by", "group");
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        ruled = ruled || akin_options_given(o, rules[i].name);
    return (size_t)akin_options_flag(o, "damp-hubs") +
           (ruled && akin_options_given(o, "collapse-duplicates"));
}

/* Where [publish] puts a table: addresses without {table} are for the first. */
static size_t targets_of(const akin_jobfile *job, size_t table) {
    const char *const *to = NULL;
    size_t all = akin_options_list(akin_jobfile_options(job, "publish"), "to", &to), count = 0;
    for (size_t i = 0; i < all; i++) count += table == 0 || strstr(to[i], "{table}");
    return count;
}

/* The tables, then the lists of the passes before theirs; owned. */
static akin_status read_lists(const akin_jobfile *job, akin_plan_job *out) {
    size_t tables = 0, extra = 0;
    for (; akin_job_neighbors_section(job, tables); tables++)
        extra += passes_before(options_of(job, tables));
    akin_plan_lists *lists = akin_mem_zalloc(tables + extra, sizeof *lists);
    if (!lists) return AKIN_FAILED;
    size_t passes = 0, count = tables;
    for (size_t t = 0; t < tables; t++) {
        const akin_options *o = options_of(job, t);
        lists[t] = (akin_plan_lists){.k = (size_t)akin_options_int(o, "k"),
                                     .pass = pass_of(job, t, lists, &passes),
                                     .written = true,
                                     .targets = targets_of(job, t)};
        for (size_t before = passes_before(o); before > 0; before--)
            lists[count++] = (akin_plan_lists){.k = lists[t].k, .pass = passes++};
    }
    out->lists = lists, out->list_count = count;
    return AKIN_OK;
}

/* --- the job --- */

/* out->lists is owned. */
static akin_status read_job(const akin_call *call, akin_plan_job *out) {
    akin_status status = AKIN_OK;
    akin_jobfile *job = NULL;
    const akin_options *o = call->options;
    AKIN_TRY(akin_jobfile_read(job_path(call), akin_stage_sections(), &job));
    const akin_options *train = akin_jobfile_options(job, "train"),
                       *ingest = akin_jobfile_options(job, "ingest"),
                       *neighbors = akin_jobfile_options(job, "neighbors");
    const char *features = akin_options_text(train, "features");
    *out = (akin_plan_job){
        .items = (size_t)akin_options_int(o, "items"),
        .dim = columns(job, o),
        .batch = (size_t)akin_options_int(train, "batch"),
        .epochs = akin_options_given(train, "epochs") ? akin_options_real(train, "epochs") : 0,
        .network = strcmp(features, "fused") == 0 || strcmp(features, "autoencoder") == 0 ||
                   strcmp(features, "maps") == 0,
        .picture_bytes = akin_options_real(o, "picture-bytes"),
        .decoder_bytes =
            (double)akin_image_decoder_bytes((uint64_t)akin_options_int(ingest, "max-pixels")),
        .checkpoint_every = akin_options_real(neighbors, "checkpoint-every")};
    for (int i = 0; i < AKIN_PLAN_STAGES; i++) out->wanted[i] = wanted(job, (akin_plan_stage)i);
    status = read_lists(job, out);
done:
    akin_jobfile_free(job);
    return status;
}

static akin_plan_machine machine_of(const akin_options *o) {
    const char *cores =
        akin_options_given(o, "cores-per-node") ? "cores-per-node" : "ranks-per-node";
    return (akin_plan_machine){.nodes = (int)akin_options_int(o, "nodes"),
                               .ranks_per_node = (int)akin_options_int(o, "ranks-per-node"),
                               .cores = (int)akin_options_int(o, cores),
                               .latency = akin_options_real(o, "latency"),
                               .bandwidth = akin_options_real(o, "bandwidth"),
                               .memory_bandwidth = akin_options_real(o, "memory-bandwidth"),
                               .storage = akin_options_real(o, "storage"),
                               .mtbf = akin_options_real(o, "mtbf") * 3600,
                               .restart = akin_options_real(o, "restart"),
                               .stragglers = akin_options_real(o, "stragglers"),
                               .slowdown = akin_options_real(o, "slowdown"),
                               .jitter = akin_options_real(o, "jitter"),
                               .seed = (uint64_t)akin_options_int(o, "seed")};
}

static akin_status read_rates(const char *path, akin_plan_rates *rates) {
    akin_status status = AKIN_OK;
    unsigned char *bytes = NULL;
    akin_json *metrics = NULL;
    size_t count, found = 0;
    *rates = akin_plan_rates_default();
    if (!path) return AKIN_OK;
    AKIN_TRY(akin_file_read(path, METRICS_LIMIT, &bytes, &count));
    status = akin_json_parse((const char *)bytes, count, &metrics);
    if (status != AKIN_OK) {
        status = akin_error_context(status, "%s: ", path);
        goto done;
    }
    akin_plan_rates_learn(metrics, rates, &found);
    if (found == 0)
        status = akin_error_set(AKIN_INPUT,
                                "%s: has no rate of a stage that computed everything; give "
                                "metrics.json of a run that was the first in its folder",
                                path);
done:
    akin_json_free(metrics);
    akin_mem_free(bytes);
    return status;
}

/* --- the answer --- */

static size_t count_tables(const akin_plan_job *job) {
    size_t count = 0;
    for (size_t l = 0; l < job->list_count; l++) count += job->lists[l].written;
    return count;
}

static size_t count_passes(const akin_plan_job *job) {
    size_t count = 0;
    for (size_t l = 0; l < job->list_count; l++)
        if (job->lists[l].pass >= count) count = job->lists[l].pass + 1;
    return count;
}

/* "k = 20", "5 tables in 2 passes over all pairs, the first with k = 20". */
static void print_tables(const akin_plan_job *job) {
    size_t tables = count_tables(job), passes = count_passes(job);
    if (tables > 1 || passes > 1)
        printf("%zu table%s in %zu pass%s over all pairs, %s ", tables, AKIN_PLURAL(tables), passes,
               passes == 1 ? "" : "es", tables > 1 ? "the first with" : "with");
    printf("k = %zu", job->lists[0].k);
}

static void report_stage(akin_json *list, const char *name, const akin_plan_figures *f) {
    akin_json *entry = akin_json_object();
    akin_json_set_text(entry, "stage", name);
    akin_json_set_number(entry, "memory_bytes", ceil(f->memory));
    if (f->beside > 0) akin_json_set_number(entry, "decoder_bytes", ceil(f->beside));
    akin_json_set_number(entry, "wire_bytes", ceil(f->wire));
    akin_json_set_number(entry, "disk_bytes", ceil(f->disk));
    akin_json_set_number(entry, "seconds", f->seconds);
    akin_json_set_number(entry, "seconds_waiting", f->waiting);
    akin_json_set_number(entry, "checkpoint_bytes", ceil(f->saved));
    akin_json_set_number(entry, "seconds_lost", f->lost);
    akin_json_append_node(list, &entry);
}

static void report(akin_json *json, const akin_plan_job *job, const akin_plan_machine *m,
                   const akin_plan *plan) {
    akin_json *list = akin_json_array();
    for (int i = 0; i < AKIN_PLAN_STAGES; i++)
        if (plan->stages[i].wanted) report_stage(list, akin_plan_names[i], &plan->stages[i]);
    akin_json_set_integer(json, "items", (long long)job->items);
    akin_json_set_integer(json, "nodes", m->nodes);
    akin_json_set_integer(json, "planned_ranks", (long long)m->nodes * m->ranks_per_node);
    akin_json_set_integer(json, "cores_per_node", m->cores);
    akin_json_set_integer(json, "dim", (long long)job->dim);
    akin_json_set_integer(json, "k", (long long)job->lists[0].k);
    akin_json_set_integer(json, "tables", (long long)count_tables(job));
    akin_json_set_integer(json, "passes", (long long)count_passes(job));
    akin_json_set_node(json, "stages", &list);
    akin_json_set_text(json, "longest", akin_plan_names[plan->longest]);
    akin_json_set_number(json, "seconds_night", plan->seconds);
    akin_json_set_number(json, "seconds_lost", plan->lost);
    akin_json_set_number(json, "failures", plan->failures);
    akin_json_set_number(json, "seconds_night_mean", plan->drawn_mean);
    akin_json_set_number(json, "seconds_night_95", plan->drawn_95);
    akin_json_set_number(json, "checkpoint_interval", plan->interval);
}

/* "1.2 GB", "3.4 h": three digits and a unit; a part of a second is not predicted. */
static const char *in_units(double value, bool seconds, char out[32]) {
    static const struct {
        double from;
        const char *name;
    } bytes[] = {{1e15, "PB"}, {1e12, "TB"}, {1e9, "GB"}, {1e6, "MB"}, {1e3, "kB"}, {0, "B"}},
      times[] = {{86400, "d"}, {3600, "h"}, {120, "min"}, {0, "s"}};
    size_t i = 0;
    if (!isfinite(value)) return "never";
    if (seconds && value > 0 && value < 1) return "< 1 s";
    while ((seconds ? times[i].from : bytes[i].from) > value) i++;
    double one = seconds ? (i == 2 ? 60 : times[i].from) : bytes[i].from;
    snprintf(out, 32, "%.3g %s", value / (one > 0 ? one : 1),
             seconds ? times[i].name : bytes[i].name);
    return out;
}

static void print_beside(const akin_plan_machine *m, const akin_plan_figures *ingest) {
    char rank[32], node[32];
    if (ingest->wanted)
        printf(
            "\ningest of AVIF, HEIC, GIF, TIFF or BMP: each rank's akin-decoder may take up to %s "
            "more (max-pixels of [ingest]), %s on a node\n",
            in_units(ingest->beside, false, rank),
            in_units(ingest->beside * m->ranks_per_node, false, node));
}

static void print(const akin_plan_job *job, const akin_plan_machine *m, const akin_plan *plan,
                  const char *rates) {
    char a[32], b[32], c[32], d[32], e[32], f[32], expected[32];
    snprintf(expected, sizeof expected, "%.2g", plan->failures);
    printf("%zu items of %zu columns, ", job->items, job->dim);
    print_tables(job);
    printf(", on %d nodes with %d ranks each\n"
           "rates of one core: %s\n\n%-10s %12s %12s %12s %10s %10s %10s\n",
           m->nodes, m->ranks_per_node, rates ? rates : AKIN_PLAN_CPU, "stage", "memory/rank",
           "sent/rank", "disk", "time", "waiting", "lost");
    for (int i = 0; i < AKIN_PLAN_STAGES; i++) {
        const akin_plan_figures *s = &plan->stages[i];
        if (!s->wanted) continue;
        printf("%-10s %12s %12s %12s %10s %10s %10s%s\n", akin_plan_names[i],
               in_units(s->memory, false, a), in_units(s->wire, false, b),
               in_units(s->disk, false, c), in_units(s->seconds, true, d),
               in_units(s->waiting, true, e), in_units(s->lost, true, f),
               plan->longest == (akin_plan_stage)i ? "  longest" : "");
    }
    print_beside(m, &plan->stages[AKIN_PLAN_INGEST]);
    printf("\nnight: %s, or %s with an existing model\n", in_units(plan->seconds, true, a),
           in_units(plan->seconds - plan->stages[AKIN_PLAN_TRAIN].seconds, true, b));
    printf(
        "node failures: %s a night, %s lost to them on average; of 400 simulated nights the mean "
        "is %s, and 95 %% take at most %s\n",
        plan->failures < 0.001 ? "less than 0.001" : expected, in_units(plan->lost, true, a),
        in_units(plan->drawn_mean, true, b), in_units(plan->drawn_95, true, c));
    printf("checkpoint of neighbors: %s every %s; the best interval is %s\n",
           in_units(plan->stages[AKIN_PLAN_NEIGHBORS].saved, false, a),
           in_units(job->checkpoint_every, true, b), in_units(plan->interval, true, c));
}

/* Every rank has the job file, one plans. */
static akin_status plan_here(akin_call *call) {
    akin_status status = AKIN_OK;
    akin_plan_job job = {0};
    akin_plan_rates rates;
    akin_plan plan;
    const akin_plan_machine machine = machine_of(call->options);
    const char *from = akin_options_text(call->options, "rates");
    AKIN_TRY(read_job(call, &job));
    AKIN_TRY(read_rates(from, &rates));
    if (akin_comm_rank(call->comm) != 0) goto done;
    AKIN_TRY(akin_plan_make(&job, &machine, &rates, &plan));
    report(call->report, &job, &machine, &plan);
    if (call->print) print(&job, &machine, &plan, from);
done:
    akin_mem_free((void *)job.lists);
    return status;
}

static akin_status run(akin_call *call) {
    return akin_agree(call->comm, plan_here(call));
}

static akin_status check(akin_options *o) {
    if (!akin_options_given(o, "items") || !akin_options_given(o, "nodes"))
        return akin_error_set(AKIN_USAGE, "needs --items N and --nodes M");
    if (akin_options_int(o, "nodes") * akin_options_int(o, "ranks-per-node") > AKIN_PLAN_RANKS_MAX)
        return akin_error_set(AKIN_USAGE,
                              "--nodes times --ranks-per-node may be %d at most, not %lld",
                              AKIN_PLAN_RANKS_MAX,
                              akin_options_int(o, "nodes") * akin_options_int(o, "ranks-per-node"));
    return AKIN_OK;
}

const akin_verb akin_verb_plan = {
    .name = "plan",
    .arguments = "JOB.ini --items N --nodes M",
    .summary = "predict the memory, bytes and time of a night of a given size",
    .arguments_min = 1,
    .arguments_max = 1,
    .options = options,
    .run = run,
    .check = check,
};
