/* fetch_queue: see fetch_queue.h. */
#include "fetch_queue.h"
#include <akin/hash.h>
#include <akin/mem.h>
#include <stdlib.h>

/* A host that has not answered this many times in a row is no longer tried. */
enum { SILENT_MOST = 8 };
/* Seconds: the wait before the first retry, which doubles up to the longest; and the longest
 * that a server may ask for. */
static const double FIRST_WAIT = 0.5, LONGEST_WAIT = 30, LONGEST_ASKED = 300;

typedef struct {
    size_t job;
    double due;
    size_t tries;
} entry;

/* A ring buffer: retries are appended. */
typedef struct {
    entry *entries; /* [room], this rank's; borrowed from the queue */
    size_t room, head, waiting, running;
    size_t connections;
    double interval, open; /* seconds between two requests, and when the next is allowed */
    size_t silent;         /* consecutive failures to answer */
} host;

typedef struct {
    uint64_t number;
    size_t job;
} keyed;

typedef struct {
    size_t job, host, tries;
} begun;

struct akin_fetch_queue {
    akin_fetch_bounds bounds;
    host *hosts;
    size_t host_count, turn, left, places;
    entry *entries;
    begun *under_way; /* [places] */
    size_t begun_count;
};

static int by_host(const void *a, const void *b) {
    const keyed *x = a, *y = b;
    if (x->number != y->number) return x->number < y->number ? -1 : 1;
    return (x->job > y->job) - (x->job < y->job);
}

/* This rank's part of a host's jobs keys[0..count). */
static void add_host(akin_fetch_queue *queue, const keyed *keys, size_t count, size_t rank,
                     size_t size, entry *entries) {
    size_t ranks = queue->bounds.connections < size ? queue->bounds.connections : size;
    if (ranks > count) ranks = count;
    size_t mine =
        (rank + size - (size_t)(keys[0].number % size)) % size; /* this rank's place among them */
    if (mine >= ranks) return;
    host *h = &queue->hosts[queue->host_count++];
    *h = (host){.entries = entries};
    h->connections = queue->bounds.connections / ranks + (mine < queue->bounds.connections % ranks);
    if (queue->bounds.rate > 0)
        h->interval =
            (double)queue->bounds.connections / (queue->bounds.rate * (double)h->connections);
    for (size_t i = mine; i < count; i += ranks) entries[h->room++] = (entry){.job = keys[i].job};
    h->waiting = h->room;
    queue->left += h->room;
    queue->places += h->connections < h->room ? h->connections : h->room;
}

akin_status akin_fetch_queue_create(const uint64_t *hosts, size_t count, int rank, int size,
                                    const akin_fetch_bounds *bounds, akin_fetch_queue **out) {
    enum { PLACES_MOST = 64 }; /* per rank: each is an open connection and a file in memory */
    akin_status status = AKIN_OK;
    size_t different = 0, used = 0;
    *out = NULL;
    akin_fetch_queue *queue = akin_mem_zalloc(1, sizeof *queue);
    keyed *keys = akin_mem_alloc(count, sizeof *keys);
    if (!queue || !keys) AKIN_TRY(AKIN_FAILED);
    queue->bounds = *bounds;
    for (size_t i = 0; i < count; i++) keys[i] = (keyed){hosts[i], i};
    if (count > 0) qsort(keys, count, sizeof *keys, by_host);
    for (size_t i = 0; i < count; i++) different += i == 0 || keys[i].number != keys[i - 1].number;
    queue->hosts = akin_mem_alloc(different, sizeof *queue->hosts);
    queue->entries = akin_mem_alloc(count, sizeof *queue->entries);
    if (!queue->hosts || !queue->entries) AKIN_TRY(AKIN_FAILED);
    for (size_t from = 0, to; from < count; from = to) {
        size_t before = queue->left;
        for (to = from; to < count && keys[to].number == keys[from].number;) to++;
        add_host(queue, keys + from, to - from, (size_t)rank, (size_t)size, queue->entries + used);
        used += queue->left - before;
    }
    if (queue->places > PLACES_MOST) queue->places = PLACES_MOST;
    queue->under_way = akin_mem_alloc(queue->places, sizeof *queue->under_way);
    if (!queue->under_way) AKIN_TRY(AKIN_FAILED);
    *out = queue;
    queue = NULL;
done:
    akin_fetch_queue_free(queue);
    akin_mem_free(keys);
    return status;
}

void akin_fetch_queue_free(akin_fetch_queue *queue) {
    if (!queue) return;
    akin_mem_free(queue->hosts);
    akin_mem_free(queue->entries);
    akin_mem_free(queue->under_way);
    akin_mem_free(queue);
}

size_t akin_fetch_queue_left(const akin_fetch_queue *queue) {
    return queue->left;
}

size_t akin_fetch_queue_places(const akin_fetch_queue *queue) {
    return queue->places;
}

static bool is_silent(const host *h) {
    return h->silent >= SILENT_MOST;
}

static bool is_open(const host *h, double now) {
    if (h->waiting == 0) return false;
    if (is_silent(h)) return true;
    return h->running < h->connections && now >= h->open && now >= h->entries[h->head].due;
}

static entry take(host *h) {
    entry taken = h->entries[h->head];
    h->head = (h->head + 1) % h->room;
    h->waiting--;
    return taken;
}

bool akin_fetch_queue_next(akin_fetch_queue *queue, double now, size_t *job, bool *given_up) {
    for (size_t i = 0; i < queue->host_count; i++) {
        size_t at = (queue->turn + i) % queue->host_count;
        host *h = &queue->hosts[at];
        if (!is_open(h, now)) continue;
        *given_up = is_silent(h);
        if (!*given_up && queue->begun_count == queue->places) continue;
        entry e = take(h);
        *job = e.job;
        queue->turn = at + 1;
        if (*given_up) {
            queue->left--;
            return true;
        }
        queue->under_way[queue->begun_count++] = (begun){e.job, at, e.tries + 1};
        h->running++;
        h->open = now + h->interval;
        return true;
    }
    return false;
}

/* Marks the job as no longer in progress. */
static begun end(akin_fetch_queue *queue, size_t job) {
    size_t i = 0;
    while (i < queue->begun_count && queue->under_way[i].job != job) i++;
    AKIN_ASSERT(i < queue->begun_count);
    begun ended = queue->under_way[i];
    queue->under_way[i] = queue->under_way[--queue->begun_count];
    queue->hosts[ended.host].running--;
    return ended;
}

static void heard(host *h, bool answered) {
    h->silent = answered ? 0 : h->silent + 1;
}

void akin_fetch_queue_done(akin_fetch_queue *queue, size_t job, bool answered) {
    heard(&queue->hosts[end(queue, job).host], answered);
    queue->left--;
}

/* Half to all of the doubled wait, depending on the job's number, so that retries do not come in
 * waves. */
static double wait_before(size_t job, size_t tries) {
    double wait = FIRST_WAIT;
    for (size_t i = 1; i < tries && wait < LONGEST_WAIT; i++) wait *= 2;
    if (wait > LONGEST_WAIT) wait = LONGEST_WAIT;
    const size_t key[2] = {job, tries};
    return wait * (0.5 + 0.5 * (double)(akin_hash_64(key, sizeof key) >> 11) * 0x1p-53);
}

bool akin_fetch_queue_again(akin_fetch_queue *queue, size_t job, double now, double wait,
                            bool answered) {
    begun ended = end(queue, job);
    host *h = &queue->hosts[ended.host];
    heard(h, answered);
    if (ended.tries > queue->bounds.retries || wait > LONGEST_ASKED || is_silent(h)) {
        queue->left--;
        return false;
    }
    if (wait > 0 && now + wait > h->open)
        h->open = now + wait; /* the host's request to wait applies to all its jobs */
    double own = wait_before(job, ended.tries);
    h->entries[(h->head + h->waiting++) % h->room] =
        (entry){job, now + (wait > own ? wait : own), ended.tries};
    return true;
}
