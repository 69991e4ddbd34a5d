/* limited_lists: applies limits to the lists of the comparison. */
#include "limited_lists.h"
#include "list_search.h"
#include <akin/log.h>
#include <akin/mem.h>
#include <string.h>

typedef struct {
    akin_comm *comm;
    const akin_vectors *vectors;
    const akin_limited_lists_source *from;
    akin_item_limits *limits;
    size_t k;
    uint64_t *out, *scratch;
    size_t *poor; /* [poor_count]: items whose list is too short and may have more entries */
    size_t poor_count;
} work;

/* Applies the limits to a list of this width; false: it is too short, and there may be more entries
 * after its end. */
static bool take(const work *w, size_t item, const uint64_t *list, size_t width, bool whole) {
    uint64_t *out = w->out + item * w->k;
    const int32_t *of = w->from->duplicate_of;
    size_t pinned = 0;
    memcpy(w->scratch, list, width * sizeof *list);
    if (of && !akin_item_limits_remove(w->limits, of, of[akin_vectors_first(w->vectors) + item],
                                       w->scratch, width))
        whole = false;
    const int32_t *pins = akin_item_pins_of(w->from->pins, item, &pinned);
    size_t wanted = w->k > pinned ? w->k - pinned : 0;
    size_t held = akin_item_limits_take(w->limits, pins, pinned, w->scratch, width, wanted);
    memset(out, 0, w->k * sizeof *out);
    memcpy(out, w->scratch, held * sizeof *out);
    return held == wanted || whole;
}

static akin_status take_all(work *w) {
    const akin_limited_lists_source *from = w->from;
    size_t count = akin_vectors_count(w->vectors), others = akin_vectors_items(w->vectors) - 1;
    w->out = akin_mem_alloc(count, w->k * sizeof *w->out);
    w->scratch = akin_mem_alloc(from->stride, sizeof *w->scratch);
    w->poor = akin_mem_alloc(count, sizeof *w->poor);
    if (!w->out || !w->scratch || !w->poor) return AKIN_FAILED;
    for (size_t i = 0; i < count; i++) {
        const uint64_t *list = from->lists + i * from->stride;
        bool whole = (list[from->stride - 1] == 0 || from->stride >= others) &&
                     (!from->horizon || from->horizon[i] == 0);
        if (!take(w, i, list, from->stride, whole) && akin_vectors_usable(w->vectors, i))
            w->poor[w->poor_count++] = i;
    }
    return AKIN_OK;
}

/* Collective; agreed. */
static akin_status search_some(void *context, size_t width, size_t first, size_t count,
                               size_t *kept) {
    akin_status status;
    work *w = context;
    size_t others = akin_vectors_items(w->vectors) - 1;
    uint64_t *lists = akin_mem_alloc(count, width * sizeof *lists);
    uint64_t *scratch = akin_mem_resize(w->scratch, 0, width, sizeof *scratch);
    if (scratch) w->scratch = scratch;
    AKIN_TRY(akin_agree(w->comm, lists && scratch ? AKIN_OK : AKIN_FAILED));
    const akin_list_search_wanted wanted = {w->poor + first, count, width, w->from->duplicate_of};
    AKIN_TRY(akin_list_search(w->comm, w->vectors, w->from->rules, &wanted, lists));
    for (size_t i = 0; i < count; i++) {
        const uint64_t *list = lists + i * width;
        bool whole = list[width - 1] == 0 || width >= others;
        if (!take(w, w->poor[first + i], list, width, whole))
            w->poor[(*kept)++] = w->poor[first + i];
    }
done:
    akin_mem_free(lists);
    return status;
}

akin_status akin_limited_lists(akin_comm *comm, const akin_vectors *vectors,
                               const akin_limited_lists_source *source, size_t k, uint64_t **out,
                               size_t *sought) {
    akin_status status;
    work w = {.comm = comm,
              .vectors = vectors,
              .from = source,
              .limits = akin_item_rules_limits(source->more),
              .k = k};
    *out = NULL, *sought = 0;
    AKIN_TRY(akin_agree(comm, take_all(&w)));
    akin_list_search_rounds rounds = {.count = w.poor_count,
                                      .width = source->stride,
                                      .some = search_some,
                                      .context = &w,
                                      .progress = "short lists of rank 0"};
    AKIN_TRY(akin_list_search_again(comm, vectors, &rounds, sought));
    akin_item_rules_empty(source->more, vectors, k, w.out);
    *out = w.out, w.out = NULL;
done:
    akin_log_progress_end();
    akin_mem_free(w.out);
    akin_mem_free(w.scratch);
    akin_mem_free(w.poor);
    return status;
}
