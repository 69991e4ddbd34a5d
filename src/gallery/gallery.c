/* gallery: writes a gallery as static web pages. */
#include "gallery_assets.h"
#include "gallery_changes.h"
#include "gallery_data.h"
#include "gallery_duplicates.h"
#include "gallery_figures.h"
#include "gallery_folder.h"
#include "gallery_map.h"
#include "gallery_pictures.h"
#include "gallery_ranks.h"
#include "gallery_rows.h"
#include "gallery_sides.h"
#include "gallery_strip.h"
#include "gallery_why.h"
#include <akin/evaluate.h>
#include <akin/file.h>
#include <akin/gallery.h>
#include <akin/labels.h>
#include <akin/log.h>
#include <akin/mem.h>
#include <akin/ncfile.h>
#include <akin/table.h>
#include <string.h>

/* A gallery in progress, or the page of another table in it, which borrows what all pages share. */
typedef struct gallery {
    akin_comm *comm;
    const char *name;     /* name of another table; NULL: the first table */
    struct gallery *more; /* [more_count], of the first: other tables that have a page */
    size_t more_count;
    const char **names; /* their names, ends with NULL */
    const akin_gallery_params *params;
    akin_table *table, *before; /* before: NULL = none */
    akin_gallery_rows rows;
    akin_gallery_longer longer;
    akin_evaluate_figures measured;
    akin_evaluate_categories *categories;
    akin_gallery_pictures *pictures, *target_pictures; /* target_pictures: NULL = no source */
    akin_gallery_reuse *reuse, *target_reuse;
    akin_table *beside; /* NULL = none */
    akin_gallery_folder *folder;
    akin_gallery_counts counts;
    akin_gallery_missing missing;
    char *catalog;           /* in the results; NULL = none */
    char *embeddings;        /* given, or in the results; NULL = none */
    size_t targets;          /* targets with pictures, of this table or another one */
    akin_labels *of_targets; /* of all tables; borrowed */
    size_t placeholders;
} gallery;

akin_status akin_gallery_check(const akin_gallery_params *params) {
    if (!params->output)
        return akin_error_set(AKIN_USAGE, "-o is missing: give the folder to write");
    if (params->source.count == 0)
        return akin_error_option(
            "source", "--source is missing: give the source of the catalogue, for its pictures");
    return AKIN_OK;
}

static akin_status check_places(const akin_gallery_params *params) {
    akin_status status = akin_gallery_folder_check(params->output);
    if (status == AKIN_OK && params->results && !akin_file_is_folder(params->results))
        status = akin_error_set(AKIN_FAILED,
                                "--results %s: is not a folder; give the output folder of a run",
                                params->results);
    return status;
}

static akin_gallery_size size_of(const akin_gallery_params *params) {
    return (akin_gallery_size){.side = params->side, .max_pixels = params->max_pixels};
}

static void free_page(gallery *g) {
    akin_gallery_rows_release(&g->rows);
    akin_evaluate_categories_free(g->categories);
    akin_mem_free(g->counts.worst);
    akin_table_close(g->before);
    akin_table_close(g->table);
}

static akin_gallery_made_from made_from(const gallery *g) {
    return (akin_gallery_made_from){g->embeddings, g->params->embeddings != NULL,
                                    g->params->target.embeddings};
}

/* Whether the gallery can show the table: it must use pictures and targets of the first table.
 * Collective; agreed. */
static akin_status read_page(gallery *g, gallery *page, bool *fits) {
    akin_status status;
    const akin_gallery_made_from from = made_from(g);
    *fits = false;
    status = akin_gallery_rows_read(g->comm, page->table, &from, &page->rows);
    if (status == AKIN_INPUT || status == AKIN_USAGE) {
        akin_error_clear(); /* products of different embeddings */
        return AKIN_OK;
    }
    if (status != AKIN_OK) return status;
    *fits = akin_gallery_rows_alike(&g->rows, &page->rows);
    for (size_t i = 0; i < g->more_count && *fits; i++)
        *fits = akin_gallery_rows_alike(&g->more[i].rows, &page->rows);
    return AKIN_OK;
}

/* Opens the table, unless it cannot be read or has another kind of row. Collective; agreed. */
static akin_status open_comparable(gallery *g, const char *path, bool by_group, akin_table **out) {
    akin_table *before;
    akin_status status = akin_table_open(g->comm, path, &before);
    if (status == AKIN_INPUT) { /* of another version, or damaged */
        akin_log_warning("gallery: without changes since %s: %s", path, akin_error_message());
        akin_error_clear();
        return AKIN_OK;
    }
    if (status != AKIN_OK) return status;
    if (akin_table_is_by_group(before) == by_group) {
        *out = before;
        return AKIN_OK;
    }
    akin_log_warning("gallery: without changes since %s: its rows are %s", path,
                     by_group ? "items, not products" : "products, not items");
    akin_table_close(before);
    return AKIN_OK;
}

/* The previous table of another table: its file of the same name in the folder of the previous
 * table, unless that is the previous table itself. Collective; agreed. */
static akin_status open_before(gallery *g, const char *table, bool by_group, akin_table **out) {
    akin_status status = AKIN_OK;
    const char *against = g->params->against, *name = akin_file_name(table);
    if (strcmp(name, akin_file_name(against)) == 0) return AKIN_OK;
    char *folder = akin_file_folder(against), *path = folder ? akin_file_join(folder, name) : NULL;
    int8_t exists = path && strcmp(path, table) != 0 && akin_file_exists(path);
    AKIN_TRY(akin_agree(g->comm, path ? AKIN_OK : AKIN_FAILED));
    akin_comm_broadcast(g->comm, &exists, sizeof exists, 0);
    if (exists) status = open_comparable(g, path, by_group, out);
done:
    akin_mem_free(path);
    akin_mem_free(folder);
    return status;
}

/* Adds a page for another table if it has the same items. Collective; agreed. */
static akin_status read_more(gallery *g, const akin_gallery_more *more) {
    akin_status status = AKIN_OK;
    bool fits;
    gallery page = {
        .comm = g->comm, .params = g->params, .name = more->name, .longer = more->longer};
    const akin_evaluate_params measure = {
        .table = more->table, .label = AKIN_EVALUATE_CATEGORY, .categories = &page.categories};
    AKIN_TRY(akin_table_open(g->comm, more->table, &page.table));
    AKIN_TRY(read_page(g, &page, &fits));
    if (!fits) {
        akin_log_warning("gallery: table %s is left out: its items are not those of %s", more->name,
                         g->params->table);
        goto done;
    }
    AKIN_TRY(akin_evaluate(g->comm, &measure, &page.measured));
    if (g->params->against)
        AKIN_TRY(open_before(g, more->table, akin_table_is_by_group(page.table), &page.before));
    g->names[g->more_count] = more->name;
    g->more[g->more_count++] = page;
    page = (gallery){0};
done:
    free_page(&page);
    return status;
}

static akin_status read_all_more(gallery *g) {
    akin_status status = AKIN_OK;
    size_t count = g->params->more_count;
    g->more = akin_mem_zalloc(count + 1, sizeof *g->more);
    g->names = akin_mem_zalloc(count + 1, sizeof *g->names);
    AKIN_TRY(akin_agree(g->comm, g->more && g->names ? AKIN_OK : AKIN_FAILED));
    for (size_t i = 0; i < count; i++) AKIN_TRY(read_more(g, &g->params->more[i]));
done:
    return status;
}

/* Names of files in the results folder. */
static akin_status name_files(gallery *g) {
    const char *results = g->params->results, *given = g->params->embeddings;
    if (results && !(g->catalog = akin_file_join(results, "catalog.nc"))) return AKIN_FAILED;
    if (given)
        g->embeddings = akin_mem_text(given);
    else if (results)
        g->embeddings = akin_file_join(results, "embeddings.nc");
    return (given || results) && !g->embeddings ? AKIN_FAILED : AKIN_OK;
}

/* Opens the tables. Collective; agreed. */
static akin_status read_tables(gallery *g) {
    akin_status status;
    const akin_gallery_params *params = g->params;
    const akin_evaluate_params measure = {
        .table = params->table, .label = AKIN_EVALUATE_CATEGORY, .categories = &g->categories};
    const akin_gallery_made_from from = made_from(g);
    AKIN_TRY(akin_table_open(g->comm, params->table, &g->table));
    if (params->against) AKIN_TRY(akin_table_open(g->comm, params->against, &g->before));
    if (params->beside) AKIN_TRY(akin_table_open(g->comm, params->beside, &g->beside));
    AKIN_TRY(akin_gallery_rows_read(g->comm, g->table, &from, &g->rows));
    AKIN_TRY(akin_evaluate(g->comm, &measure, &g->measured));
    AKIN_TRY(read_all_more(g));
done:
    return status;
}

/* Finds the targets that need pictures, if any table has targets. Collective; agreed. */
static void find_targets(gallery *g) {
    const akin_gallery_rows *rows = &g->rows;
    for (size_t i = 0; i < g->more_count && rows->targets == 0; i++) rows = &g->more[i].rows;
    g->targets = akin_gallery_rows_target_pictures(rows);
    g->of_targets = akin_gallery_rows_target_pictured(rows);
}

/* Finds the sources of pictures. Collective; agreed. */
static akin_status find_pictures(gallery *g) {
    akin_status status, local;
    const akin_gallery_params *params = g->params;
    const akin_gallery_size size = size_of(params);
    find_targets(g);
    g->missing.pictures = akin_mem_zalloc(akin_gallery_rows_pictures(&g->rows), 1);
    g->missing.targets = akin_mem_alloc(g->targets, 1);
    local = g->missing.pictures && g->missing.targets ? AKIN_OK : AKIN_FAILED;
    if (local == AKIN_OK) memset(g->missing.targets, 1, g->targets); /* all missing at first */
    if (local == AKIN_OK)
        local = akin_gallery_reuse_open(params->output, params->previous, AKIN_GALLERY_OF_ITEMS,
                                        &size, &g->reuse);
    if (local == AKIN_OK)
        local = akin_gallery_reuse_open(params->output, params->previous, AKIN_GALLERY_OF_TARGETS,
                                        &size, &g->target_reuse);
    AKIN_TRY(akin_agree(g->comm, local));
    AKIN_TRY(akin_gallery_pictures_find(g->comm, &params->source, AKIN_GALLERY_OF_ITEMS,
                                        akin_gallery_rows_pictured(&g->rows), &g->pictures));
    if (g->targets > 0 && params->target.source.count > 0)
        AKIN_TRY(akin_gallery_pictures_find(g->comm, &params->target.source,
                                            AKIN_GALLERY_OF_TARGETS, g->of_targets,
                                            &g->target_pictures));
done:
    return status;
}

/* Opens and reads everything before anything is written. Collective; agreed. */
static akin_status read_inputs(gallery *g) {
    akin_status status;
    akin_status local = akin_comm_rank(g->comm) == 0 ? check_places(g->params) : AKIN_OK;
    if (local == AKIN_OK) local = name_files(g);
    AKIN_TRY(akin_agree(g->comm, local));
    AKIN_TRY(read_tables(g));
    AKIN_TRY(find_pictures(g));
done:
    return status;
}

static akin_status find_outliers(gallery *g, akin_gallery_facts *facts) {
    akin_status status = AKIN_OK;
    akin_outliers found;
    akin_labels *before = NULL;
    if (g->before) AKIN_TRY(akin_labels_read(akin_table_file(g->before), 0, 1, &before));
    AKIN_TRY(akin_outliers_find(g->table, g->rows.labels, &found));
    facts->leaving = found.leaving;
    facts->listed = found.lists;
    status = akin_outliers_json(&found, g->rows.labels, before, &facts->outliers);
done:
    akin_labels_free(before);
    return status;
}

/* Writes the page itself and its summary; rank 0. */
static akin_status write_page(gallery *g) {
    akin_status status = AKIN_OK;
    char *options = NULL;
    akin_gallery_learnt learnt = {0};
    akin_gallery_facts facts = {0};
    akin_json *parts = NULL;
    char *items_name = NULL, *targets_name = NULL;
    const akin_gallery_made_from from = made_from(g);
    AKIN_TRY(akin_ncfile_get_attribute(akin_table_file(g->table), "akin_result_options", &options));
    AKIN_TRY(akin_gallery_name_items(g->params, &items_name));
    AKIN_TRY(akin_gallery_name_targets(g->params, g->table, &targets_name));
    facts = (akin_gallery_facts){.results = g->params->results,
                                 .name = g->name,
                                 .names = g->names,
                                 .table_options = options ? options : "",
                                 .diverse = akin_table_is_diverse(g->table),
                                 .calibrated = akin_table_is_calibrated(g->table),
                                 .against = g->before != NULL,
                                 .measured = &g->measured,
                                 .by_category = g->categories,
                                 .counts = &g->counts,
                                 .rows = &g->rows,
                                 .items_name = items_name,
                                 .targets_name = targets_name,
                                 .placeholders = g->placeholders,
                                 .product_url = g->params->product_url,
                                 .beside = g->beside ? g->params->beside : NULL,
                                 .learnt = &learnt};
    if (g->before)
        AKIN_TRY(
            akin_gallery_changes(g->folder, g->table, g->before, AKIN_GALLERY_BEFORE, g->reuse));
    if (g->beside)
        AKIN_TRY(akin_gallery_changes(g->folder, g->table, g->beside, AKIN_GALLERY_BESIDE, NULL));
    AKIN_TRY(find_outliers(g, &facts));
    AKIN_TRY(akin_gallery_strip(g->comm, g->folder, g->params->results, &learnt));
    AKIN_TRY(akin_gallery_duplicates(g->folder, g->table, &facts.duplicates));
    AKIN_TRY(akin_gallery_map(g->comm, g->folder, g->table, &from, &g->rows, g->missing.pictures,
                              &facts.placed));
    AKIN_TRY(akin_gallery_why(g->comm, g->folder, g->table, &from, &g->rows, &parts));
    AKIN_TRY(akin_gallery_ranks(g->comm, g->folder, g->table, &g->longer, &facts.ranked));
    facts.parts = parts;
    AKIN_TRY(akin_gallery_figures(g->folder, &facts));
    for (const akin_gallery_asset *asset = akin_gallery_assets; asset->name; asset++)
        AKIN_TRY(akin_gallery_folder_put(g->folder, asset->name, asset->bytes, asset->count));
done:
    akin_json_free(facts.outliers);
    akin_json_free(parts);
    akin_gallery_learnt_free(&learnt);
    akin_mem_free(items_name);
    akin_mem_free(targets_name);
    akin_mem_free(options);
    return status;
}

/* A lower bound of the gallery's size, so that a full disk is reported before any picture is read:
 * half a byte per 16 pixels (a JPEG with little detail), and 12 bytes per neighbour. Rank 0. */
static akin_status check_space(const gallery *g) {
    size_t n = akin_table_items(g->table), side = g->params->side;
    uint64_t bytes = akin_gallery_rows_pictures(&g->rows) * (uint64_t)(side * side / 32) +
                     n * (uint64_t)(12 * akin_table_k(g->table));
    return akin_file_check_space(g->params->output, bytes);
}

/* Writes the data and the page of one table. Collective; agreed. */
static akin_status write_table(gallery *g) {
    akin_status status = AKIN_OK;
    AKIN_TRY(akin_gallery_data(g->comm, g->folder, g->table, &g->rows, &g->missing, &g->counts));
    status = akin_agree(g->comm, akin_comm_rank(g->comm) == 0 ? write_page(g) : AKIN_OK);
done:
    return status;
}

/* Writes the pages of the other tables, each in tables/NAME. Collective; agreed. */
static akin_status write_more(gallery *g) {
    akin_status status = AKIN_OK;
    for (size_t i = 0; i < g->more_count; i++) {
        gallery *page = &g->more[i];
        char *name = akin_file_join("tables", page->name);
        akin_status local = name ? akin_gallery_folder_enter(g->folder, name) : AKIN_FAILED;
        akin_mem_free(name);
        AKIN_TRY(akin_agree(g->comm, local));
        page->folder = g->folder, page->names = g->names, page->reuse = g->reuse;
        page->embeddings = g->embeddings;
        page->missing = g->missing, page->placeholders = g->placeholders;
        AKIN_TRY(write_table(page));
    }
    AKIN_TRY(akin_agree(g->comm, akin_gallery_folder_enter(g->folder, NULL)));
done:
    return status;
}

/* Writes the pictures of the other catalogue, if there is one. Collective; agreed. */
static akin_status write_targets(gallery *g, const akin_gallery_size *size) {
    const akin_gallery_target *target = &g->params->target;
    const akin_gallery_earlier earlier = {.reuse = g->target_reuse, .catalog = target->catalog};
    if (g->target_pictures)
        return akin_gallery_pictures_write(g->comm, g->target_pictures, g->folder, g->of_targets,
                                           &earlier, size, g->missing.targets);
    if (target->catalog)
        return akin_gallery_small_pictures(g->comm, target->catalog, g->folder, g->of_targets,
                                           g->missing.targets);
    akin_log_info("gallery: without pictures of the other catalogue: --target-source names where "
                  "they are");
    return AKIN_OK;
}

static akin_status write_folder(gallery *g, akin_gallery_result *result) {
    akin_status status = AKIN_OK;
    akin_comm *comm = g->comm;
    size_t n = akin_table_items(g->table), pictures = akin_gallery_rows_pictures(&g->rows);
    AKIN_TRY(akin_agree(comm, akin_comm_rank(comm) == 0 ? check_space(g) : AKIN_OK));
    AKIN_TRY(akin_gallery_folder_create(comm, g->params->output, &g->folder));
    const akin_gallery_size size = size_of(g->params);
    const akin_gallery_earlier earlier = {.reuse = g->reuse, .catalog = g->catalog};
    AKIN_TRY(akin_gallery_pictures_write(comm, g->pictures, g->folder,
                                         akin_gallery_rows_pictured(&g->rows), &earlier, &size,
                                         g->missing.pictures));
    for (size_t i = 0; i < pictures; i++) g->placeholders += g->missing.pictures[i];
    if (g->targets > 0) AKIN_TRY(write_targets(g, &size));
    AKIN_TRY(write_table(g));
    AKIN_TRY(write_more(g));
    size_t written, linked;
    akin_gallery_folder_files(g->folder, &written, &linked);
    int64_t sums[] = {(int64_t)akin_gallery_folder_bytes(g->folder), (int64_t)written,
                      (int64_t)linked};
    akin_comm_sum_i64(comm, sums, sizeof sums / sizeof *sums);
    *result = (akin_gallery_result){.items = n,
                                    .pictures = pictures - g->placeholders,
                                    .placeholders = g->placeholders,
                                    .bytes = (uint64_t)sums[0],
                                    .written = (size_t)sums[1],
                                    .linked = (size_t)sums[2]};
    memcpy(result->table_digest, akin_table_digest(g->table), sizeof result->table_digest);
    akin_gallery_folder *folder = g->folder;
    g->folder = NULL; /* commit frees it */
    status = akin_gallery_folder_commit(comm, folder);
done:
    return status;
}

akin_status akin_gallery(akin_comm *comm, const akin_gallery_params *params,
                         akin_gallery_result *result) {
    akin_status status = AKIN_OK;
    gallery g = {.comm = comm, .params = params, .longer = params->longer};
    AKIN_TRY(akin_agree(comm, akin_gallery_check(params)));
    AKIN_TRY(read_inputs(&g));
    AKIN_TRY(write_folder(&g, result));
done:
    akin_gallery_folder_discard(comm, g.folder);
    akin_gallery_pictures_free(g.pictures);
    akin_gallery_pictures_free(g.target_pictures);
    akin_gallery_reuse_free(g.target_reuse);
    akin_mem_free(g.missing.pictures);
    akin_mem_free(g.missing.targets);
    akin_mem_free(g.embeddings);
    for (size_t i = 0; i < g.more_count; i++) free_page(&g.more[i]);
    akin_mem_free(g.more);
    akin_mem_free(g.names);
    akin_table_close(g.beside);
    akin_gallery_reuse_free(g.reuse);
    akin_mem_free(g.catalog);
    free_page(&g);
    return status;
}
