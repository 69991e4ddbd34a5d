/* query_answer: the neighbours that a query found, with their names. */
#include "query_item.h"
#include <akin/mem.h>
#include <akin/query.h>
#include <akin/shard.h>
#include <akin/text.h>
#include <akin/topk.h>
#include <string.h>

struct akin_answer {
    size_t items, count;
    uint64_t *list;   /* [count] */
    char *text;       /* all ids */
    const char **ids; /* [count], formatted */
};

static bool is_mine(const akin_vectors *vectors, uint64_t key, size_t *item) {
    size_t row = (size_t)akin_topk_row(key), first = akin_vectors_first(vectors);
    *item = row - first;
    return row >= first && row < first + akin_vectors_count(vectors);
}

/* The ids of the entries of the list that belong to this rank, in its order, each NUL-terminated.
 */
static akin_status name_mine(const akin_vectors *vectors, const uint64_t *list, size_t count,
                             akin_text *names) {
    akin_status status = AKIN_OK;
    for (size_t e = 0, item; e < count && status == AKIN_OK; e++) {
        if (!is_mine(vectors, list[e], &item)) continue;
        const char *id = akin_labels_id(akin_vectors_labels(vectors), item);
        status = akin_text_append_bytes(names, id, strlen(id) + 1);
    }
    return status;
}

/* On rank 0; takes ownership of list and text. `offsets`: where the names of each rank begin. */
static akin_status create_answer(const akin_vectors *vectors, int size, uint64_t *list,
                                 size_t count, char *text, size_t *offsets, akin_answer **out) {
    akin_answer *answer = akin_mem_zalloc(1, sizeof *answer);
    const char **ids = akin_mem_alloc(count, sizeof *ids);
    if (!answer || !ids) {
        akin_mem_free(answer);
        akin_mem_free(ids);
        akin_mem_free(list);
        akin_mem_free(text);
        return AKIN_FAILED;
    }
    size_t items = akin_vectors_items(vectors), sources = akin_vectors_sources(vectors),
           searched = sources < items ? items - sources : items;
    *answer = (akin_answer){searched, count, list, text, ids};
    for (size_t e = 0; e < count; e++) {
        int owner = akin_shard_owner(items, size, (size_t)akin_topk_row(list[e]));
        ids[e] = text + offsets[owner];
        offsets[owner] += strlen(ids[e]) + 1;
    }
    *out = answer;
    return AKIN_OK;
}

akin_status akin_query_answer_with(akin_comm *comm, const akin_vectors *vectors, uint64_t *list,
                                   size_t k, akin_answer **out) {
    akin_status status;
    akin_text *names = NULL;
    void *text = NULL;
    size_t count = 0, *offsets = akin_mem_alloc((size_t)akin_comm_size(comm) + 1, sizeof *offsets);
    while (count < k && list[count] != 0) count++;
    akin_status local = offsets != NULL ? akin_text_create(&names) : AKIN_FAILED;
    if (local == AKIN_OK) local = name_mine(vectors, list, count, names);
    AKIN_TRY(akin_agree(comm, local));
    AKIN_TRY(
        akin_comm_gather(comm, akin_text_bytes(names), akin_text_length(names), 0, &text, offsets));
    if (akin_comm_rank(comm) == 0) {
        local = create_answer(vectors, akin_comm_size(comm), list, count, text, offsets, out);
        list = NULL;
    }
    AKIN_TRY(akin_agree(comm, local));
done:
    akin_text_free(names);
    akin_mem_free(offsets);
    akin_mem_free(list);
    return status;
}

akin_status akin_query_answer_create(size_t items, const char *const *names, const float *scores,
                                     size_t count, akin_answer **out) {
    akin_status status;
    akin_text *text = NULL;
    size_t at = 0;
    akin_answer *answer = akin_mem_zalloc(1, sizeof *answer);
    *out = NULL;
    AKIN_TRY(akin_text_create(&text));
    for (size_t e = 0; e < count; e++)
        AKIN_TRY(akin_text_append_bytes(text, names[e], strlen(names[e]) + 1));
    if (!answer) AKIN_TRY(AKIN_FAILED);
    *answer = (akin_answer){items, count, akin_mem_alloc(count, sizeof *answer->list),
                            akin_mem_alloc(akin_text_length(text), 1),
                            akin_mem_alloc(count, sizeof *answer->ids)};
    if (!answer->list || !answer->text || !answer->ids) AKIN_TRY(AKIN_FAILED);
    memcpy(answer->text, akin_text_bytes(text), akin_text_length(text));
    for (size_t e = 0; e < count; e++) {
        answer->list[e] = akin_topk_key(scores[e], 0);
        answer->ids[e] = answer->text + at;
        at += strlen(names[e]) + 1;
    }
    *out = answer, answer = NULL;
done:
    akin_text_free(text);
    akin_answer_free(answer);
    return status;
}

size_t akin_answer_items(const akin_answer *answer) {
    return answer->items;
}

size_t akin_answer_count(const akin_answer *answer) {
    return answer->count;
}

const char *akin_answer_id(const akin_answer *answer, size_t index) {
    return answer->ids[index];
}

float akin_answer_score(const akin_answer *answer, size_t index) {
    return akin_topk_score(answer->list[index]);
}

void akin_answer_free(akin_answer *answer) {
    if (!answer) return;
    akin_mem_free(answer->list);
    akin_mem_free(answer->text);
    akin_mem_free(answer->ids);
    akin_mem_free(answer);
}
