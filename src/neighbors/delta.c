/* delta: finds what can be reused of the previous table. */
#include "delta.h"
#include "extra_neighbors.h"
#include <akin/file.h>
#include <akin/hash.h>
#include <akin/ids.h>
#include <akin/log.h>
#include <akin/mem.h>
#include <akin/shard.h>
#include <akin/table.h>
#include <akin/text.h>
#include <akin/topk.h>
#include <stdlib.h>
#include <string.h>

enum { KEPT, SHORT, NEW, AT_ONCE = 4096 };

const uint8_t akin_delta_done[9] = {1, 0, 0, 0, 0, 0, 0, 0, 0};

static bool has_sides(const akin_vectors *vectors) {
    return akin_vectors_sources(vectors) < akin_vectors_items(vectors);
}

/* --- matching items --- */

static akin_hash128 content_of(const akin_vectors *vectors, const akin_row_block_rules *rules,
                               const akin_item_rules *more, size_t i, akin_hasher *hasher) {
    akin_labels *labels = akin_vectors_labels(vectors);
    akin_hash128 row =
        akin_hash_128(akin_vectors_row(vectors, i), akin_vectors_dim(vectors) * sizeof(float), 0);
    akin_hasher_add(hasher, &row, sizeof row);
    if (rules->same_category)
        akin_hasher_add_text(hasher,
                             akin_labels_category_name(labels, akin_labels_category(labels)[i]));
    if (rules->exclude_same_group)
        akin_hasher_add_text(hasher, akin_labels_group_name(labels, akin_labels_group(labels)[i]));
    if (rules->only_available) akin_hasher_add(hasher, &akin_labels_available(labels)[i], 1);
    if (more != NULL) akin_item_rules_hash(more, labels, i, hasher);
    return akin_hasher_result(hasher);
}

static akin_status add_rows(const akin_vectors *vectors, const akin_row_block_rules *rules,
                            const akin_item_rules *more, akin_join_side night, akin_join_row *out) {
    akin_status status = AKIN_OK;
    for (size_t i = 0; i < akin_vectors_count(vectors) && status == AKIN_OK; i++) {
        akin_hasher *hasher;
        if ((status = akin_hasher_create(&hasher)) != AKIN_OK) break;
        out[i] = akin_join_row_of(akin_labels_id(akin_vectors_labels(vectors), i),
                                  akin_vectors_first(vectors) + i, night);
        if (i >= akin_vectors_own_sources(vectors))
            out[i].id.low = ~out[i].id.low; /* the same id, but a target */
        out[i].content = content_of(vectors, rules, more, i, hasher);
        akin_hasher_free(hasher);
    }
    return status;
}

/* *matches: the matches of all ranks, on every rank, owned; first: row of the previous table.
 * Collective; agreed. */
static akin_status match_items(akin_comm *comm, const akin_vectors *before, const akin_vectors *now,
                               const akin_row_block_rules *rules, const akin_item_rules *more,
                               akin_join_match **matches, size_t *count) {
    akin_status status;
    size_t old = akin_vectors_count(before), all = old + akin_vectors_count(now);
    akin_join_row *rows = akin_mem_alloc(all, sizeof *rows);
    akin_status local = rows ? add_rows(before, rules, more, AKIN_JOIN_FIRST, rows) : AKIN_FAILED;
    if (local == AKIN_OK) local = add_rows(now, rules, more, AKIN_JOIN_SECOND, rows + old);
    AKIN_TRY(akin_agree(comm, local));
    status = akin_join(comm, rows, all, matches, count);
done:
    akin_mem_free(rows);
    return status;
}

/* --- checks of the previous table --- */

/* The options without k=..., because a longer list can be used for a shorter one, and without
 * against=..., because the digest of the targets is compared instead of their name. */
static akin_status without_own(const char *options, akin_text **out) {
    akin_status status;
    akin_text *text = NULL;
    AKIN_TRY(akin_text_create(&text));
    for (const char *at = options; *at != '\0';) {
        size_t length = strcspn(at, " ");
        if (strncmp(at, "k=", 2) != 0 && strncmp(at, "against=", 8) != 0 && length > 0)
            AKIN_TRY(akin_text_append(text, "%s%.*s", akin_text_length(text) ? " " : "",
                                      (int)length, at));
        at += length + (at[length] == ' ');
    }
    *out = text, text = NULL;
done:
    akin_text_free(text);
    return status;
}

static akin_status check_rules(const akin_delta_source *source, const akin_table *table) {
    akin_status status;
    char *made = NULL;
    akin_text *before = NULL, *now = NULL;
    AKIN_TRY(akin_ncfile_get_attribute(akin_table_file(table), "akin_result_options", &made));
    AKIN_TRY(without_own(made ? made : "", &before));
    AKIN_TRY(without_own(source->result_options, &now));
    if (strcmp(akin_text_bytes(before), akin_text_bytes(now)) != 0)
        status = akin_error_set(
            AKIN_INPUT,
            "--previous %s was made with other rules ('%s', this run '%s'): leave it out",
            source->table, akin_text_bytes(before), akin_text_bytes(now));
done:
    akin_mem_free(made);
    akin_text_free(before);
    akin_text_free(now);
    return status;
}

static const char *digest_of(const akin_vectors *before) {
    return *akin_vectors_source_digest(before) ? akin_vectors_source_digest(before)
                                               : akin_vectors_digest(before);
}

static akin_status check_inputs(const akin_delta_source *source, const akin_table *table) {
    const akin_ncfile_claim claim = {"input_embeddings_digest", "the embeddings",
                                     digest_of(source->before)};
    akin_text *differences = NULL;
    akin_status status = akin_text_create(&differences);
    if (status == AKIN_OK)
        status = akin_ncfile_differences(akin_table_file(table), &claim, 1, differences);
    if (status == AKIN_OK && akin_text_length(differences) > 0)
        status = akin_error_set(AKIN_INPUT, "--previous %s was not made from %s", source->table,
                                source->embeddings);
    akin_text_free(differences);
    return status;
}

static akin_status check_source(const akin_delta_source *source, const akin_table *table,
                                const akin_vectors *now) {
    const akin_vectors *before = source->before;
    bool apart = source->apart || akin_table_is_refined(table);
    akin_status status = check_inputs(source, table);
    if (status != AKIN_OK) return status;
    if (strcmp(akin_vectors_model_digest(before), akin_vectors_model_digest(now)) != 0 ||
        akin_vectors_dim(before) != akin_vectors_dim(now))
        return akin_error_set(AKIN_INPUT,
                              "--previous-embeddings %s was made with another model, so every "
                              "vector may differ: leave it and --previous out",
                              source->embeddings);
    if (!source->apart && akin_table_items(table) != akin_vectors_sources(before))
        return akin_error_set(AKIN_INPUT, "--previous %s has %zu items, its embeddings %zu",
                              source->table, akin_table_items(table), akin_vectors_sources(before));
    if (!apart && akin_table_k(table) < source->k)
        return akin_error_set(
            AKIN_INPUT,
            "--previous %s has %zu neighbours per list, fewer than k = %zu: leave it out",
            source->table, akin_table_k(table), source->k);
    return check_rules(source, table);
}

/* Whether it was made against the targets that were opened for it. */
static akin_status compare_targets(const akin_table *table, const akin_vectors *before,
                                   bool *same) {
    char *made = NULL;
    const char *targets = akin_vectors_target_digest(before);
    akin_status status =
        akin_ncfile_get_attribute(akin_table_file(table), "input_against_digest", &made);
    *same = strcmp(made ? made : "", targets) == 0;
    akin_mem_free(made);
    return status;
}

/* Whether the files of the rules have the same contents as for the previous table. */
static akin_status compare_files(const akin_table *table, const akin_item_rules *more, bool *same) {
    char *made = NULL;
    akin_status status =
        akin_ncfile_get_attribute(akin_table_file(table), "akin_rules_digest", &made);
    *same = strcmp(made ? made : "", more ? akin_item_rules_digest(more) : "") == 0;
    akin_mem_free(made);
    return status;
}

/* --- reusing the lists --- */

typedef struct {
    const akin_table *table;
    const akin_extra_neighbors *spare; /* NULL: none */
    const akin_vectors *before;
    const int32_t *now;  /* [items before]: current row, -1: removed or changed */
    size_t first_target; /* of the items before: the row from which the table counts neighbours */
    size_t k, list, table_k, spare_k;
    bool limited;     /* with limits, removing a member can admit others than the next one */
    bool refined;     /* only the spare file has the exact lists */
    bool table_whole; /* a full list of the table may be complete: it contains every other item */
    int32_t *neighbor, *counts;
    float *score;
    uint64_t *keys;
    int8_t *whole;
} reader;

static akin_status make_reader(reader *r) {
    r->table_k = akin_table_k(r->table);
    r->spare_k = r->spare != NULL ? akin_extra_neighbors_k(r->spare) : 0;
    size_t items = akin_vectors_items(r->before);
    r->first_target = has_sides(r->before) ? akin_vectors_sources(r->before) : 0;
    r->table_whole =
        !r->refined && r->table_k >= (r->first_target > 0 ? items - r->first_target : items - 1);
    r->neighbor = akin_mem_alloc(AT_ONCE, r->table_k * sizeof *r->neighbor);
    r->score = akin_mem_alloc(AT_ONCE, r->table_k * sizeof *r->score);
    r->counts = akin_mem_alloc(AT_ONCE, sizeof *r->counts);
    r->keys = akin_mem_alloc(AT_ONCE, (r->spare_k > 0 ? r->spare_k : 1) * sizeof *r->keys);
    r->whole = akin_mem_alloc(AT_ONCE, sizeof *r->whole);
    return r->neighbor && r->score && r->counts && r->keys && r->whole ? AKIN_OK : AKIN_FAILED;
}

static void free_reader(reader *r) {
    akin_mem_free(r->neighbor);
    akin_mem_free(r->score);
    akin_mem_free(r->counts);
    akin_mem_free(r->keys);
    akin_mem_free(r->whole);
}

static akin_status read_rows(reader *r, size_t first, size_t count) {
    akin_status status = AKIN_OK;
    if (!r->refined)
        status = akin_table_rows(r->table, first, count, r->neighbor, r->score, r->counts);
    if (status == AKIN_OK && r->spare != NULL)
        status = akin_extra_neighbors_rows(r->spare, first, count, r->keys, r->whole);
    return status;
}

/* Translates the keys of row i of what was read to current rows, as many as fit, and returns how
 * many. *whole: whether that is the complete list; *lost: whether any of its members are gone. */
static size_t translate(const reader *r, size_t i, uint64_t *out /* [list] */, bool *whole,
                        bool *lost) {
    size_t held = 0, count = r->refined ? 0 : (size_t)r->counts[i];
    *lost = false;
    *whole =
        (count < r->table_k && !r->refined) || r->table_whole || (r->spare != NULL && r->whole[i]);
    for (size_t e = 0; e < count; e++) {
        int32_t row = r->now[r->first_target + (size_t)r->neighbor[i * r->table_k + e]];
        *lost = *lost || row < 0;
        if (row < 0) continue;
        if (held == r->list) *whole = false; /* more than fit */
        if (held < r->list) out[held++] = akin_topk_key(r->score[i * r->table_k + e], row);
    }
    for (size_t e = 0; e < r->spare_k && r->keys[i * r->spare_k + e] != 0; e++) {
        uint64_t key = r->keys[i * r->spare_k + e];
        int32_t row = r->now[akin_topk_row(key)];
        *lost = *lost || row < 0;
        if (row < 0) continue;
        if (held == r->list) *whole = false;
        if (held < r->list) out[held++] = akin_topk_key(akin_topk_score(key), row);
    }
    return held;
}

/* Stores the list of a current row that is unchanged. */
static void settle(akin_delta *delta, const reader *r, size_t at, size_t i) {
    bool whole, lost;
    uint64_t *list = delta->lists + at * r->list;
    size_t held = translate(r, i, list, &whole, &lost);
    bool enough = (whole || held >= r->k) && !(r->limited && lost);
    delta->label[at] = enough ? KEPT : SHORT;
    delta->horizon[at] = enough && !whole ? list[held - 1] : 0;
}

/* before_of: [count]: for each of this rank's rows, its row in the previous table, ascending among
 * the rows that have one; -1: new. */
static akin_status read_lists(akin_delta *delta, reader *r, const int32_t *before_of,
                              size_t count) {
    akin_status status = AKIN_OK;
    for (size_t at = 0; at < count;) {
        size_t first, end = at;
        for (; at < count && before_of[at] < 0; at++) delta->label[at] = NEW;
        if (at == count) break;
        first = (size_t)before_of[at];
        for (end = at;
             end < count && (before_of[end] < 0 || (before_of[end] >= (int32_t)first &&
                                                    (size_t)before_of[end] < first + AT_ONCE));)
            end++;
        size_t left = akin_vectors_sources(r->before) - first;
        AKIN_TRY(read_rows(r, first, left < AT_ONCE ? left : AT_ONCE));
        for (; at < end; at++) {
            if (before_of[at] < 0)
                delta->label[at] = NEW;
            else
                settle(delta, r, at, (size_t)before_of[at] - first);
        }
    }
done:
    return status;
}

static akin_status make_arrays(akin_delta *delta, size_t count, size_t list) {
    delta->label = akin_mem_zalloc(count, sizeof *delta->label);
    delta->lists = akin_mem_zalloc(count, list * sizeof *delta->lists);
    delta->horizon = akin_mem_zalloc(count, sizeof *delta->horizon);
    return delta->label && delta->lists && delta->horizon ? AKIN_OK : AKIN_FAILED;
}

/* count: sources of this rank; matches: those of sources. */
static void count_kinds(akin_comm *comm, akin_delta *delta, size_t count, size_t items_before,
                        size_t matches) {
    int64_t kinds[3] = {0, 0, 0};
    for (size_t i = 0; i < count; i++) kinds[delta->label[i]]++;
    akin_comm_sum_i64(comm, kinds, 3);
    delta->kept = (size_t)kinds[KEPT], delta->shorter = (size_t)kinds[SHORT],
    delta->fresh = (size_t)kinds[NEW];
    delta->gone = items_before - matches;
}

/* Fills the lists of this rank's rows from the previous table. */
static akin_status take_lists(akin_delta *delta, reader *r, const akin_vectors *now,
                              const akin_join_match *matches, size_t match_count) {
    akin_status status = AKIN_FAILED;
    size_t count = akin_vectors_count(now), first = akin_vectors_first(now),
           before = akin_vectors_items(r->before), sources = akin_vectors_own_sources(now);
    int32_t *rows_now = akin_mem_alloc(before, sizeof *rows_now),
            *before_of = akin_mem_alloc(count, sizeof *before_of);
    if (rows_now == NULL || before_of == NULL) goto done;
    for (size_t i = 0; i < before; i++) rows_now[i] = -1;
    for (size_t i = 0; i < count; i++) before_of[i] = -1;
    for (size_t m = 0; m < match_count; m++) {
        rows_now[matches[m].first] = matches[m].second;
        size_t at = (size_t)matches[m].second - first;
        if ((size_t)matches[m].second >= first && at < count) before_of[at] = matches[m].first;
    }
    r->now = rows_now;
    AKIN_TRY(make_reader(r));
    AKIN_TRY(make_arrays(delta, count, r->list));
    AKIN_TRY(read_lists(delta, r, before_of, sources));
    for (size_t i = sources; i < count; i++) delta->label[i] = before_of[i] < 0 ? NEW : KEPT;
done:
    free_reader(r);
    akin_mem_free(rows_now);
    akin_mem_free(before_of);
    return status;
}

static int by_row_before(const void *x, const void *y) {
    const akin_join_match *a = x, *b = y;
    return a->first < b->first ? -1 : a->first > b->first;
}

/* Ties in a list are in the order of rows. If a .npy file was reordered, the previous lists are not
 * sorted by the current order. */
static bool in_order(akin_join_match *matches, size_t count) {
    qsort(matches, count, sizeof *matches, by_row_before);
    for (size_t m = 1; m < count; m++)
        if (matches[m].second < matches[m - 1].second) return false;
    return true;
}

/* A missing or mismatching spare file is not an error. */
static akin_extra_neighbors *find_spare(akin_comm *comm, const akin_delta_source *source,
                                        const akin_table *table) {
    const akin_vectors *before = source->before;
    akin_extra_neighbors *spare = NULL;
    akin_text *name = NULL;
    akin_status local = akin_text_create(&name);
    if (local == AKIN_OK) local = akin_text_append(name, "%s.spare", source->table);
    if (local == AKIN_OK && !akin_file_exists(akin_text_bytes(name))) local = AKIN_FAILED;
    int64_t wrong = local != AKIN_OK;
    akin_comm_max_i64(comm, &wrong, 1);
    const akin_extra_neighbors_claim claim = {akin_table_digest(table),
                                              akin_vectors_sources(before),
                                              akin_vectors_items(before), source->by_product};
    if (!wrong && akin_extra_neighbors_open(comm, akin_text_bytes(name), &claim, &spare) != AKIN_OK)
        akin_log_warning("neighbors: continuing without %s: %s", akin_text_bytes(name),
                         akin_error_message());
    akin_error_clear();
    akin_text_free(name);
    return spare;
}

/* Sets the number of matches to 0, and logs the reason, if nothing can be reused. Collective;
 * agreed. */
static akin_status count_useful(akin_comm *comm, const akin_delta_source *source,
                                const akin_table *table, const akin_item_rules *more,
                                akin_join_match *matches, size_t *count) {
    bool same_files = false, same_targets = false, ordered = in_order(matches, *count);
    akin_status status = compare_files(table, more, &same_files);
    if (status == AKIN_OK) status = compare_targets(table, source->before, &same_targets);
    if ((status = akin_agree(comm, status)) != AKIN_OK || *count == 0) return status;
    if (!same_targets)
        akin_log_info("neighbors: %s was made against other items than the current ones, and "
                      "--previous-against does not name them: everything is computed again",
                      source->table);
    else if (!ordered)
        akin_log_warning(
            "neighbors: the items of %s are in another order: everything is computed again",
            source->embeddings);
    else if (!same_files)
        akin_log_info("neighbors: the files of the rules have changed since %s: everything is "
                      "computed again",
                      source->table);
    else if (more == NULL || !akin_item_rules_boosted(more)) /* if so, the summary says it */
        return AKIN_OK;
    *count = 0;
    return AKIN_OK;
}

/* Some tables cannot be reused without their spare file. */
static bool has_lists(const akin_delta_source *source, const reader *r) {
    if (!r->refined || r->spare != NULL) return true;
    akin_log_warning("neighbors: %s.spare, which has the exact lists, is missing: everything is "
                     "computed again",
                     source->table);
    return false;
}

static size_t count_sources(const akin_vectors *before, const akin_join_match *matches,
                            size_t count) {
    size_t sources = 0;
    for (size_t m = 0; m < count; m++)
        sources += (size_t)matches[m].first < akin_vectors_sources(before);
    return sources;
}

akin_status akin_delta_find(akin_comm *comm, const akin_delta_source *source,
                            const akin_vectors *vectors, const akin_row_block_rules *rules,
                            const akin_item_rules *more, akin_delta **out) {
    akin_status status;
    akin_table *table = NULL;
    akin_extra_neighbors *spare = NULL;
    akin_join_match *matches = NULL;
    const akin_vectors *before = source->before;
    size_t count = 0;
    *out = NULL;
    akin_delta *delta = akin_mem_zalloc(1, sizeof *delta);
    AKIN_TRY(akin_agree(comm, delta != NULL ? AKIN_OK : AKIN_FAILED));
    AKIN_TRY(akin_table_open(comm, source->table, &table));
    AKIN_TRY(akin_agree(comm, check_source(source, table, vectors)));
    strcpy(delta->digest, akin_table_digest(table));
    AKIN_TRY(match_items(comm, before, vectors, rules, more, &matches, &count));
    AKIN_TRY(count_useful(comm, source, table, more, matches, &count));
    spare = find_spare(comm, source, table);
    reader r = {.table = table,
                .spare = spare,
                .before = before,
                .k = source->k,
                .list = source->list,
                .refined = source->apart || akin_table_is_refined(table),
                .limited = more != NULL && akin_item_rules_rows(more)->limits != NULL};
    if (count > 0 && !has_lists(source, &r)) count = 0;
    AKIN_TRY(akin_agree(comm, take_lists(delta, &r, vectors, matches, count)));
    count_kinds(comm, delta, akin_vectors_own_sources(vectors), akin_vectors_sources(before),
                count_sources(before, matches, count));
    *out = delta, delta = NULL;
done:
    akin_mem_free(matches);
    akin_extra_neighbors_close(spare);
    akin_table_close(table);
    akin_delta_free(delta);
    return status;
}

void akin_delta_free(akin_delta *delta) {
    if (delta == NULL) return;
    akin_mem_free(delta->label);
    akin_mem_free(delta->lists);
    akin_mem_free(delta->horizon);
    akin_mem_free(delta);
}
