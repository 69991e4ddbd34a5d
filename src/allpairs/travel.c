/* travel: blocks on their way from rank to rank. */
#include "travel.h"
#include <akin/mem.h>
#include <akin/topk.h>

enum { TAG_BODY = 101, TAG_LISTS };

typedef struct {
    void *bytes;
    size_t size;
    int other; /* the rank that it goes to or comes from */
} message;

/* One more table. A failure to get a request can no longer be agreed on here. */
static void cross(akin_comm *comm, int tag, message out, message in, akin_travel *travel) {
    const int t = travel->tables++;
    if (akin_comm_receive_start(comm, in.bytes, in.size, in.other, tag, &travel->receive[t]) !=
            AKIN_OK ||
        akin_comm_send_start(comm, out.bytes, out.size, out.other, tag, &travel->send[t]) !=
            AKIN_OK)
        akin_comm_abort(comm, AKIN_FAILED, "%s", akin_error_message());
}

static message body_of(akin_row_block *block, int other) {
    const size_t size = akin_row_block_body_size_of(block, akin_row_block_count(block));
    return (message){akin_row_block_body(block), size, other};
}

static message lists_of(akin_row_block *block, int other) {
    const size_t size =
        akin_row_block_lists_size(akin_row_block_count(block), akin_row_block_k(block));
    return (message){akin_row_block_lists(block), size, other};
}

akin_travel akin_travel_bodies(akin_comm *comm, akin_row_block *block, int to, akin_row_block *next,
                               int from) {
    akin_travel travel = {0};
    for (int t = 0; t < akin_row_block_tables(block); t++)
        cross(comm, TAG_BODY, body_of(akin_row_block_table(block, t), to),
              body_of(akin_row_block_table(next, t), from), &travel);
    return travel;
}

void akin_travel_arrive(akin_comm *comm, akin_travel *travel) {
    for (int t = 0; t < travel->tables; t++) {
        akin_comm_wait(comm, &travel->receive[t]);
        akin_comm_wait(comm, &travel->send[t]);
    }
}

void akin_travel_lists(akin_comm *comm, akin_row_block *block, int to, akin_row_block *next,
                       int from) {
    akin_travel travel = {0};
    for (int t = 0; t < akin_row_block_tables(block); t++)
        cross(comm, TAG_LISTS, lists_of(akin_row_block_table(block, t), to),
              lists_of(akin_row_block_table(next, t), from), &travel);
    akin_travel_arrive(comm, &travel);
}

akin_status akin_travel_merge(const akin_row_block_rules *rules, akin_row_block *stayed,
                              akin_row_block *travelled) {
    const size_t k = akin_row_block_k(stayed);
    const akin_topk_limits *limits = rules->more != NULL ? rules->more->limits : NULL;
    uint64_t *merged = akin_mem_alloc(k, sizeof *merged);
    if (merged == NULL) return AKIN_FAILED;
    for (size_t i = 0; i < akin_row_block_count(stayed); i++) {
        uint64_t *kept = akin_row_block_list(stayed, i), *came = akin_row_block_list(travelled, i);
        uint64_t bar = akin_topk_bar(kept);
        akin_topk_sort(kept, k);
        akin_topk_sort(came, k);
        akin_topk_limits_merge(limits, kept, came, k, merged);
        akin_topk_restore(kept, k, merged, bar);
    }
    akin_mem_free(merged);
    return AKIN_OK;
}
