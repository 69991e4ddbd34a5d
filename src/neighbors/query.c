/* query: the neighbours of one item, or of a new picture. */
#include "query_item.h"
#include "query_products.h"
#include "query_rules.h"
#include "query_table.h"
#include <akin/allpairs.h>
#include <akin/catalog.h>
#include <akin/compare.h>
#include <akin/encoder.h>
#include <akin/file.h>
#include <akin/image.h>
#include <akin/mem.h>
#include <akin/model.h>
#include <akin/pretrained.h>
#include <akin/query.h>
#include <akin/shard.h>
#include <akin/text.h>
#include <akin/topk.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { AT_ONCE = 4096 /* rows compared in one block */ };
#define VIEW_LIMIT 4096 /* side, in pixels, of the pictures that a network gets */
static const size_t image_limit = (size_t)1 << 30;

/* --- the item or picture to search for --- */

/* Whether a group has this name; all ranks know the names. */
static bool is_group(const akin_labels *labels, const char *name) {
    for (size_t g = 0; g < akin_labels_group_count(labels); g++)
        if (strcmp(akin_labels_group_name(labels, (int32_t)g), name) == 0) return true;
    return false;
}

/* Reports the nearest existing id. Collective; always fails. */
static akin_status no_such_id(akin_comm *comm, const akin_vectors *vectors, const char *path,
                              const char *id) {
    const akin_labels *labels = akin_vectors_labels(vectors);
    if (is_group(labels, id))
        return akin_error_set(AKIN_INPUT,
                              "%s has no item '%s', which is a group: give the id of one of its "
                              "items",
                              path, id);
    size_t count = akin_vectors_count(vectors), length = 0, candidates = 0;
    void *all = NULL;
    const char **near = akin_mem_alloc(count + 1, sizeof *near), *mine = NULL;
    for (size_t i = 0; near != NULL && i < count; i++) near[i] = akin_labels_id(labels, i);
    if (near) near[count] = NULL, mine = akin_text_nearest(id, near);
    size_t offsets_count = (size_t)akin_comm_size(comm) + 1,
           *offsets = akin_mem_alloc(offsets_count, sizeof *offsets);
    akin_status status = akin_agree(comm, near && offsets ? AKIN_OK : AKIN_FAILED);
    if (status == AKIN_OK)
        status =
            akin_comm_gather(comm, mine, mine != NULL ? strlen(mine) + 1 : 0, -1, &all, offsets);
    if (status == AKIN_OK) {
        const char **best = akin_mem_alloc(offsets_count, sizeof *best), *nearest = NULL;
        length = offsets[offsets_count - 1];
        for (size_t at = 0; best != NULL && at < length; at += strlen((char *)all + at) + 1)
            best[candidates++] = (char *)all + at;
        if (best) best[candidates] = NULL, nearest = akin_text_nearest(id, best);
        if (nearest && !akin_text_is_near(id, nearest, 3)) nearest = NULL;
        status = akin_error_set(AKIN_INPUT,
                                nearest != NULL ? "%s has no item '%s'; did you mean '%s'?"
                                                : "%s has no item '%s'",
                                path, id, nearest);
        akin_mem_free(best);
    }
    akin_mem_free(all);
    akin_mem_free(near);
    akin_mem_free(offsets);
    return status;
}

void akin_query_take_row(akin_comm *comm, const akin_vectors *vectors, size_t row,
                         const akin_row_rules *more, akin_query_asker *out) {
    akin_labels *labels = akin_vectors_labels(vectors);
    size_t mine = row - akin_vectors_first(vectors);
    int owner = akin_shard_owner(akin_vectors_items(vectors), akin_comm_size(comm), row);
    if (owner == akin_comm_rank(comm)) {
        out->item = (akin_row_block_item){.row = (int32_t)row,
                                          .category = akin_labels_category(labels)[mine],
                                          .group = akin_labels_group(labels)[mine],
                                          .available = akin_labels_available(labels)[mine] != 0};
        akin_row_rules_complete(more, mine, &out->item.values, &out->item.available);
        out->usable = akin_vectors_usable(vectors, mine);
        memcpy(out->row, akin_vectors_row(vectors, mine),
               akin_vectors_dim(vectors) * sizeof *out->row);
    }
    akin_comm_broadcast(comm, &out->item, sizeof out->item, owner);
    akin_comm_broadcast(comm, &out->usable, sizeof out->usable, owner);
    akin_comm_broadcast(comm, out->row, akin_vectors_dim(vectors) * sizeof *out->row, owner);
}

/* Finds the item on this side (target: in the other catalogue, or in the only one). Collective;
 * agreed. */
static akin_status find(akin_comm *comm, const char *path, const char *id,
                        const akin_vectors *vectors, bool target, const akin_row_rules *more,
                        akin_query_asker *out) {
    akin_labels *labels = akin_vectors_labels(vectors);
    size_t first = akin_vectors_first(vectors), sources = akin_vectors_sources(vectors);
    bool two = sources < akin_vectors_items(vectors);
    int64_t row = -1;
    for (size_t i = 0; i < akin_vectors_count(vectors); i++)
        if ((!two || (first + i >= sources) == target) &&
            strcmp(akin_labels_id(labels, i), id) == 0)
            row = (int64_t)(first + i);
    akin_comm_max_i64(comm, &row, 1);
    if (row < 0) return no_such_id(comm, vectors, path, id);
    akin_query_take_row(comm, vectors, (size_t)row, more, out);
    return AKIN_OK;
}

akin_status akin_query_find_item(akin_comm *comm, const char *path, const char *id,
                                 const akin_vectors *vectors, const akin_row_rules *more,
                                 akin_query_asker *out) {
    return find(comm, path, id, vectors, false, more, out);
}

akin_status akin_query_find_target(akin_comm *comm, const char *path, const char *id,
                                   const akin_vectors *vectors, const akin_row_rules *more,
                                   akin_query_asker *out) {
    return find(comm, path, id, vectors, true, more, out);
}

/* How the catalogue's pictures were shrunk, from its options "fit=pad max-pixels=..."; stretch if
 * unknown. */
static akin_image_fit fit_of(const char *options) {
    static const struct {
        const char *word;
        akin_image_fit fit;
    } fits[] = {{"fit=pad", AKIN_FIT_PAD}, {"fit=crop", AKIN_FIT_CROP}};
    for (size_t i = 0; i < sizeof fits / sizeof *fits; i++) {
        const char *at = strstr(options, fits[i].word);
        if (at && (at == options || at[-1] == ' ')) return fits[i].fit;
    }
    return AKIN_FIT_STRETCH;
}

static akin_status check_model(const akin_query_params *params, const akin_vectors *vectors,
                               const akin_model *model, const akin_encoder *encoder) {
    if (akin_encoder_dim(encoder) == akin_vectors_dim(vectors) &&
        strcmp(akin_model_digest(model), akin_vectors_model_digest(vectors)) == 0)
        return AKIN_OK;
    return akin_error_set(AKIN_INPUT,
                          "%s was not made by the model %s alone; give the model that made it "
                          "(vectors joined with imported ones cannot be searched by picture)",
                          params->input, params->model);
}

/* How the catalogue's pictures were prepared for a network, "network-view=160,160,160,0"; false:
 * they were not. */
static bool view_of(const char *options, akin_image_view *view) {
    const char *at = strstr(options, "network-view=");
    *view = (akin_image_view){.filter = AKIN_IMAGE_BILINEAR};
    return at &&
           sscanf(at, "network-view=%zu,%zu,%zu,%zu", &view->width, &view->height,
                  &view->resize_width, &view->resize_height) == 4 &&
           view->width > 0 && view->height > 0 && view->width <= VIEW_LIMIT &&
           view->height <= VIEW_LIMIT && view->resize_width > 0;
}

/* The network that the model uses, opened on this rank only; NULL: none. */
static akin_status open_network(akin_comm *comm, const akin_query_params *params,
                                const akin_model *model, akin_pretrained **out) {
    akin_status status = AKIN_OK;
    akin_pretrained_params network;
    const char *wanted = akin_model_network_request(model);
    char *copy = wanted ? akin_mem_text(wanted) : NULL, *request = NULL;
    *out = NULL;
    if (!wanted) {
        if (params->network)
            status = akin_error_option("network", "--network %s: %s uses no network",
                                       params->network, params->model);
        return status;
    }
    if (!copy) return AKIN_FAILED;
    akin_pretrained_parse(copy, &network);
    network.path = params->network ? params->network : akin_model_network_file(model);
    status = akin_pretrained_request(akin_comm_alone(comm), &network, &request);
    if (status != AKIN_OK)
        AKIN_TRY(akin_error_context(
            status, "%s uses a trained network, whose file --network names: ", params->model));
    if (strcmp(request, wanted) != 0)
        AKIN_TRY(akin_error_set(AKIN_INPUT,
                                "%s is not the network that %s uses: it is %s, and %s is "
                                "needed; name that one with --network",
                                network.path, params->model, request, wanted));
    AKIN_TRY(akin_pretrained_open(akin_comm_alone(comm), &network, out));
done:
    akin_mem_free(copy);
    akin_mem_free(request);
    return status;
}

/* The 32x32 image of the file and, if there is a network, its output: *given, borrowed from it. */
static akin_status look_at_picture(const akin_query_params *params, const char *options,
                                   akin_pretrained *network, uint8_t *picture,
                                   const float **given) {
    akin_status status;
    unsigned char *bytes = NULL;
    uint8_t *seen = NULL;
    size_t count;
    const akin_image_params shrink = {AKIN_IMAGE_SIDE, AKIN_IMAGE_SIDE, fit_of(options),
                                      AKIN_IMAGE_MAX_PIXELS};
    akin_image_view view;
    bool views = view_of(options, &view);
    if (network) view = *akin_pretrained_view(network);
    views = views || network;
    AKIN_TRY(akin_file_read(params->image, image_limit, &bytes, &count));
    if (views && !(seen = akin_mem_alloc(view.width * view.height, 3))) AKIN_TRY(AKIN_FAILED);
    status = akin_image_decode_both(bytes, count, &shrink, picture, views ? &view : NULL, seen);
    if (status != AKIN_OK) AKIN_TRY(akin_error_context(status, "%s: ", params->image));
    if (network) akin_pretrained_put(network, 0, seen);
    if (network) AKIN_TRY(akin_pretrained_run(network, 1, given));
done:
    akin_mem_free(bytes);
    akin_mem_free(seen);
    return status;
}

/* The row has the picture's vector, followed by zeros where the rows are means. */
static akin_status embed_picture(akin_comm *comm, const akin_query_params *params,
                                 const akin_vectors *vectors, const akin_model *model,
                                 akin_encoder *encoder, akin_query_asker *out) {
    akin_status status;
    uint8_t picture[AKIN_IMAGE_BYTES];
    akin_pretrained *network = NULL;
    const float *given = NULL;
    AKIN_TRY(open_network(comm, params, model, &network));
    if (network && akin_pretrained_features(network) != akin_encoder_seen(encoder))
        AKIN_TRY(akin_error_set(AKIN_INPUT, "%s gives %zu numbers, and %s uses %zu",
                                akin_model_network_file(model), akin_pretrained_features(network),
                                params->model, akin_encoder_seen(encoder)));
    AKIN_TRY(
        look_at_picture(params, akin_vectors_catalog_options(vectors), network, picture, &given));
    AKIN_TRY(akin_encoder_vectors(encoder, picture, given, 1, out->row));
    out->usable = akin_vectors_unit(out->row, akin_vectors_dim(vectors), out->row);
done:
    akin_pretrained_free(network);
    return status;
}

/* Broadcasts a new picture; it has no value of any attribute, and is a source. Collective; agreed. */
static akin_status see_picture(akin_comm *comm, const akin_query_params *params,
                               const akin_query_rows *rows, const akin_row_rules *more,
                               akin_query_asker *out) {
    static const float none = NAN;
    akin_status status;
    const akin_vectors *vectors = rows->made_from ? rows->made_from : rows->vectors;
    akin_model *model = NULL;
    akin_encoder *encoder = NULL;
    AKIN_TRY(akin_model_read(comm, params->model, &model));
    akin_status local = akin_encoder_create(model, &encoder);
    if (local == AKIN_OK) local = check_model(params, vectors, model, encoder);
    if (local == AKIN_OK && akin_comm_rank(comm) == 0)
        local = embed_picture(comm, params, vectors, model, encoder, out);
    AKIN_TRY(akin_agree(comm, local));
    out->item = (akin_row_block_item){.row = -1, .category = -1, .group = -1, .available = 1};
    for (int slot = 0; more && slot < more->slots; slot++)
        if (more->number[slot])
            memcpy(&out->item.values.value[slot], &none, sizeof none);
        else
            out->item.values.value[slot] = -1;
    if (more && more->sides) out->item.values.value[0] = 0;
    akin_comm_broadcast(comm, &out->usable, sizeof out->usable, 0);
    akin_comm_broadcast(comm, out->row, akin_vectors_dim(vectors) * sizeof *out->row, 0);
done:
    akin_encoder_free(encoder);
    akin_model_free(model);
    return status;
}

/* --- the comparison with this rank's shard --- */

static void compare(const akin_query_asker *who, const akin_vectors *vectors,
                    const akin_row_block_rules *rules, akin_compare *comparison,
                    akin_row_block *one, akin_row_block *many) {
    akin_labels *labels = akin_vectors_labels(vectors);
    size_t count = akin_vectors_count(vectors), next = 0;
    akin_row_block_begin(one, 1);
    akin_row_block_set(one, 0, who->item, who->row);
    akin_row_block_ready(one, rules);
    while (who->usable && next < count) {
        size_t usable = 0, end = next;
        for (; end < count && usable < AT_ONCE; end++) usable += akin_vectors_usable(vectors, end);
        akin_row_block_begin(many, usable);
        for (size_t at = 0; next < end; next++) {
            if (!akin_vectors_usable(vectors, next)) continue;
            akin_row_block_item item = {.row = (int32_t)(akin_vectors_first(vectors) + next),
                                        .category = akin_labels_category(labels)[next],
                                        .group = akin_labels_group(labels)[next],
                                        .available = akin_labels_available(labels)[next] != 0};
            akin_row_rules_complete(rules->more, next, &item.values, &item.available);
            akin_row_block_set(many, at++, item, akin_vectors_row(vectors, next));
        }
        akin_row_block_ready(many, rules);
        akin_compare_panels(comparison, one, 0, 1, many, 0, akin_row_block_panels(many));
    }
}

/* The best of this rank's shard, sorted. Not collective. */
akin_status akin_query_search(const akin_query_asker *who, const akin_vectors *vectors,
                              const akin_row_block_rules *rules, size_t k, uint64_t *list) {
    akin_status status;
    akin_row_block *one = NULL, *many = NULL;
    akin_compare *comparison = NULL;
    AKIN_TRY(akin_row_block_create(1, akin_vectors_dim(vectors), k, AKIN_ROW_BLOCK_ROWS, &one));
    AKIN_TRY(akin_row_block_create(AT_ONCE, akin_vectors_dim(vectors), 0, AKIN_ROW_BLOCK_COLUMNS,
                                   &many));
    AKIN_TRY(akin_compare_create(rules, &comparison));
    compare(who, vectors, rules, comparison, one, many);
    akin_topk_sort(akin_row_block_list(one, 0), k);
    memcpy(list, akin_row_block_list(one, 0), k * sizeof *list);
done:
    akin_compare_free(comparison);
    akin_row_block_free(one);
    akin_row_block_free(many);
    return status;
}

/* --- the answer --- */

/* Merges the lists of all ranks. Collective; agreed. */
akin_status akin_query_merge(akin_comm *comm, size_t k, uint64_t *list) {
    akin_status status;
    void *all = NULL;
    uint64_t *merged = akin_mem_alloc(k, sizeof *merged);
    AKIN_TRY(akin_agree(comm, merged != NULL ? AKIN_OK : AKIN_FAILED));
    AKIN_TRY(akin_comm_gather(comm, list, k * sizeof *list, 0, &all, NULL));
    for (int r = 1; akin_comm_rank(comm) == 0 && r < akin_comm_size(comm); r++) {
        akin_topk_merge(list, (uint64_t *)all + (size_t)r * k, k, merged);
        memcpy(list, merged, k * sizeof *list);
    }
    akin_comm_broadcast(comm, list, k * sizeof *list, 0);
done:
    akin_mem_free(all);
    akin_mem_free(merged);
    return status;
}

/* The item's list under the rules, with cosines; *list: owned. Collective; agreed. */
static akin_status search(akin_comm *comm, const akin_query_params *params,
                          const akin_query_rows *rows, size_t k, uint64_t **list) {
    akin_status status;
    const akin_vectors *vectors = rows->vectors;
    akin_query_rules rules = {0};
    akin_query_asker who = {.row = akin_mem_zalloc(akin_vectors_dim(vectors), sizeof *who.row)};
    size_t pinned = 0, held = 0;
    *list = akin_mem_alloc(k, sizeof **list);
    AKIN_TRY(akin_agree(comm, who.row && *list ? AKIN_OK : AKIN_FAILED));
    AKIN_TRY(akin_query_rules_create(comm, params, &params->rules, rows, params->k, &rules));
    AKIN_TRY(params->id ? akin_query_find_item(comm, params->input, params->id, vectors,
                                               rules.rows.more, &who)
                        : see_picture(comm, params, rows, rules.rows.more, &who));
    AKIN_TRY(akin_query_rules_list(comm, &rules, vectors, &who, k, *list, &pinned));
    while (held < k && (*list)[held] != 0) held++;
    if (rules.more && akin_item_rules_boosted(rules.more))
        AKIN_TRY(akin_query_rules_cosines(comm, vectors, &who, *list, held));
done:
    akin_query_rules_release(&rules);
    akin_mem_free(who.row);
    return status;
}

/* Collective; agreed. */
static akin_status answer_product(akin_comm *comm, const akin_query_params *params,
                                  const akin_query_rows *rows, size_t number, akin_answer **out) {
    akin_query_rules rules = {0};
    akin_status status =
        akin_query_rules_create(comm, params, &params->rules, rows, params->k, &rules);
    if (status == AKIN_OK)
        status = akin_query_products_answer(comm, rows, &rules, number, params->k, out);
    akin_query_rules_release(&rules);
    return status;
}

/* A new picture as a product by itself: the products of the best pictures. Collective; agreed. */
static akin_status answer_picture(akin_comm *comm, const akin_query_params *params,
                                  const akin_query_rows *rows, akin_answer **out) {
    akin_status status;
    akin_query_rules rules = {0};
    akin_query_asker who = {.row =
                                akin_mem_zalloc(akin_vectors_dim(rows->vectors), sizeof *who.row)};
    AKIN_TRY(akin_agree(comm, who.row ? AKIN_OK : AKIN_FAILED));
    AKIN_TRY(akin_query_rules_create(comm, params, &params->rules, rows, params->k, &rules));
    AKIN_TRY(see_picture(comm, params, rows, rules.rows.more, &who));
    status = akin_query_products_near(comm, rows, &rules, &who, params->k, out);
done:
    akin_query_rules_release(&rules);
    akin_mem_free(who.row);
    return status;
}

akin_status akin_query(akin_comm *comm, const akin_query_params *params, akin_answer **out) {
    akin_status status;
    akin_query_rows rows = {0};
    uint64_t *list = NULL;
    size_t number = 0;
    *out = NULL;
    if (params->table) return akin_query_table_list(comm, params, out);
    if (params->image &&
        (params->rules.same_category || (params->rules.exclude_same_group && !params->by_group)))
        return akin_error_option(
            "image", "--image: a new picture has no category and no group for these rules");
    AKIN_TRY(akin_query_rows_open(comm, params, &rows));
    if (params->by_group && params->id)
        AKIN_TRY(akin_agree(comm, akin_query_products_find(params->input, params->id,
                                                           &rows.products, false, &number)));
    if (akin_query_rows_pictures(&rows, params)) {
        status = params->id ? answer_product(comm, params, &rows, number, out)
                            : answer_picture(comm, params, &rows, out);
        goto done;
    }
    size_t n = akin_vectors_items(rows.vectors), k = params->k < n ? params->k : n;
    AKIN_TRY(search(comm, params, &rows, k, &list));
    uint64_t *whole = list;
    list = NULL;
    AKIN_TRY(akin_query_answer_with(comm, rows.vectors, whole, k, out));
done:
    akin_mem_free(list);
    akin_query_rows_release(&rows);
    return status;
}
