/* stall: see stall.h. */
#include "stall.h"
#include <akin/mem.h>
#include <stdio.h>
#include <string.h>

/* Seconds: how long others have to answer; how long before the limit they are asked (a rank that
 * computes and polls answers late), and the largest share of a short limit for that; how much
 * longer each further waiting rank waits, so that the lowest one reports. */
static const double GRACE = 2, EARLY = 30, EARLY_SHARE = 0.25, NEXT = 1;

struct akin_stall {
    int rank, size;
    double limit, moved, moved_elsewhere;
    double asked; /* when, < 0 = not since the last progress */
    unsigned char heard[];
};

akin_status akin_stall_create(int rank, int size, double limit, double now, akin_stall **out) {
    akin_stall *stall = *out = akin_mem_zalloc(1, sizeof *stall + (size_t)size);
    if (!stall) return AKIN_FAILED;
    stall->rank = rank;
    stall->size = size;
    stall->limit = limit;
    stall->moved = stall->moved_elsewhere = now;
    stall->asked = -1;
    return AKIN_OK;
}

void akin_stall_limit(akin_stall *stall, double limit) {
    stall->limit = limit;
}

void akin_stall_moved(akin_stall *stall, double now) {
    stall->moved = now;
}

double akin_stall_still(const akin_stall *stall, double now) {
    return now - stall->moved;
}

void akin_stall_heard(akin_stall *stall, int from, double still, double now) {
    stall->heard[from] = 1;
    if (now - still > stall->moved_elsewhere) stall->moved_elsewhere = now - still;
}

/* Seconds without progress on any rank, as far as is known. */
static double stillness(const akin_stall *stall, double now) {
    return now - (stall->moved > stall->moved_elsewhere ? stall->moved : stall->moved_elsewhere);
}

akin_stall_verdict akin_stall_judge(akin_stall *stall, double now) {
    double still = stillness(stall, now);
    double early = stall->limit * EARLY_SHARE < EARLY ? stall->limit * EARLY_SHARE : EARLY;
    if (still < stall->limit - early) {
        stall->asked = -1;
        return AKIN_STALL_WAIT;
    }
    if (stall->asked < 0) {
        stall->asked = now;
        memset(stall->heard, 0, (size_t)stall->size);
        return AKIN_STALL_ASK;
    }
    double patience = memchr(stall->heard, 1, (size_t)stall->rank) ? GRACE + NEXT : GRACE;
    return still > stall->limit && now - stall->asked > patience ? AKIN_STALL_END : AKIN_STALL_WAIT;
}

void akin_stall_describe(const akin_stall *stall, double now, char *out, size_t size) {
    enum { NAMED = 8 };
    double still = stillness(stall, now);
    char ranks[NAMED * 16] = "";
    size_t used = 0;
    int silent = 0;
    for (int rank = 0; rank < stall->size; rank++)
        if (rank != stall->rank && !stall->heard[rank] && silent++ < NAMED)
            used +=
                (size_t)snprintf(ranks + used, sizeof ranks - used, "%s%d", used ? ", " : "", rank);
    if (!silent)
        snprintf(out, size, "no progress for %.0f s; all ranks wait for each other", still);
    else
        snprintf(out, size,
                 "no progress for %.0f s; waited for rank%s %s%s, which %s not answer: check the "
                 "node and the disk there, or raise --stall-limit",
                 still, silent > 1 ? "s" : "", ranks, silent > NAMED ? " and more" : "",
                 silent > 1 ? "do" : "does");
}

void akin_stall_free(akin_stall *stall) {
    akin_mem_free(stall);
}
