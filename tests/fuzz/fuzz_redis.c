/* Answers of a Redis server: publishing and rolling back against a server that sends these bytes
 * whatever the request, and then closes the connection. Every connection goes to it. The first byte
 * chooses the operation. */
#define _GNU_SOURCE
#include "fuzz.h"
#include "publish/lock_owner.h"
#include <akin/comm.h>
#include <akin/mem.h>
#include <akin/sink.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>

enum { ITEMS = 5, K = 2, CONNECTIONS = 64 };

static struct {
    const uint8_t *bytes; /* NULL: connections are real */
    size_t count;
    int ends[CONNECTIONS], used; /* the server's */
} server;

int connect(int socket, const struct sockaddr *address, socklen_t length);

/* These replace functions of the C library. */
int connect(int socket, const struct sockaddr *address, socklen_t length) {
    int pair[2];
    if (!server.bytes) return (int)syscall(SYS_connect, socket, address, length);
    if (server.used == CONNECTIONS || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return -1;
    (void)!send(pair[1], server.bytes, server.count, MSG_DONTWAIT | MSG_NOSIGNAL);
    shutdown(pair[1], SHUT_WR);
    dup2(pair[0], socket);
    close(pair[0]);
    server.ends[server.used++] = pair[1];
    return 0;
}

/* Replaces that of lock_owner: a signature that the bytes can contain. */
void akin_lock_owner_sign(char out[AKIN_LOCK_OWNER_SIZE]) {
    strcpy(out, "me");
}

bool akin_lock_owner_has_ended(const char *signature) {
    return strncmp(signature, "old", 3) == 0;
}

int akin_lock_owner_shown(const char *signature) {
    return (int)strlen(signature);
}

/* --- a small table --- */

static akin_table *table;
static akin_ids *ids;

static akin_status write_table(akin_comm *comm, const char *path) {
    akin_status status = AKIN_OK;
    akin_labels *labels = NULL;
    const akin_table_origin origin = {"", "", "", ""};
    int32_t neighbor[ITEMS * K], counts[ITEMS];
    float score[ITEMS * K];
    AKIN_TRY(akin_labels_create(ITEMS, 3, &labels));
    for (size_t i = 0; i < ITEMS; i++) {
        const char id[] = {'"', (char)('a' + i), '\0'};
        AKIN_TRY(akin_labels_set_id(labels, i, id));
        for (size_t r = 0; r < K; r++) neighbor[i * K + r] = (int32_t)((i + r + 1) % ITEMS);
        for (size_t r = 0; r < K; r++) score[i * K + r] = r == 0 ? 0.5f : 0.25f;
        counts[i] = K;
    }
    const akin_table_part part = {ITEMS, K, 0, neighbor, score, counts};
    status = akin_table_write(comm, path, &origin, labels, &part, NULL);
done:
    akin_labels_free(labels);
    return status;
}

static akin_status make_table(int *argc, char ***argv) {
    akin_status status = AKIN_OK;
    char path[] = "/tmp/akin-fuzz-XXXXXX";
    akin_comm *comm = NULL;
    int file = mkstemp(path);
    if (file < 0) return AKIN_FAILED;
    close(file);
    AKIN_TRY(akin_comm_start(argc, argv, &comm));
    AKIN_TRY(write_table(comm, path));
    AKIN_TRY(akin_table_open(comm, path, &table));
    status = akin_ids_read(akin_table_file(table), &ids);
done:
    unlink(path);
    return status;
}

int LLVMFuzzerInitialize(int *argc, char ***argv);

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    if (make_table(argc, argv) != AKIN_OK) abort();
    return 0;
}

/* --- the operations --- */

static akin_status beat(void *context, const char *doing, size_t done, size_t total) {
    (void)doing, (void)done, (void)total;
    return akin_sink_redis.keep(context);
}

static akin_status publish(akin_target *target, bool looks_only, bool again) {
    akin_status status = AKIN_OK;
    akin_publish_diff *change = NULL;
    akin_live live;
    akin_published published = {0};
    const size_t rows[] = {0, 1, 2, 3, 4};
    akin_sink_source source = {.table = table,
                               .ids = ids,
                               .items = ITEMS,
                               .digest = akin_table_digest(table),
                               .model = "",
                               .previous_digest = "d",
                               .pulse = beat,
                               .context = target};
    AKIN_TRY(akin_sink_redis.look(target, &live));
    AKIN_TRY(akin_sink_redis.prepare(target, &source, &published));
    AKIN_TRY(akin_publish_diff_create(table, ids, &change));
    if (live.there) AKIN_TRY(akin_sink_redis.compare(target, &source, change));
    if (looks_only) goto done;
    if (again) akin_sink_redis.tidy(target);
    if (live.there) source.change = change;
    AKIN_TRY(akin_sink_redis.stage(target, &source, &published));
    AKIN_TRY(akin_sink_redis.commit(target, &source, &published));
    status = akin_sink_redis.verify(target, &source, rows, ITEMS);
done:
    akin_publish_diff_free(change);
    return status;
}

/* hiredis 0.14 allocates as much memory as the server says that an array is long, and copes if
 * there is none: not a finding, but it would be found again and again. */
static bool has_huge_array(const uint8_t *bytes, size_t count) {
    size_t digits = 0;
    bool array = false;
    for (size_t i = 0; i < count; i++) {
        if (bytes[i] == '*')
            array = true, digits = 0;
        else if (array && bytes[i] >= '0' && bytes[i] <= '9')
            digits++;
        else if (bytes[i] != '+')
            array = false;
        if (array && digits > 6) return true;
    }
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    akin_target *target = NULL;
    akin_live live;
    if (count == 0 || has_huge_array(bytes, count)) return 0;
    uint64_t blocks = akin_mem_live();
    const akin_sink_options options = {.ids_only = bytes[0] & 4,
                                       .buckets = bytes[0] & 8 ? 3 : 0,
                                       .keep_previous = 1,
                                       .timeout = 1};
    server.bytes = bytes + 1;
    server.count = count - 1;
    akin_status status =
        akin_sink_redis.open("redis+unix:/nowhere?catalog=shop", &options, &target);
    if (status == AKIN_OK && (bytes[0] & 3) == 3) {
        status = akin_sink_redis.check_rollback(target);
        if (status == AKIN_OK) status = akin_sink_redis.rollback(target, &live);
    } else if (status == AKIN_OK)
        status = publish(target, (bytes[0] & 3) == 1, (bytes[0] & 3) == 2);
    akin_sink_redis.close(target);
    while (server.used > 0) close(server.ends[--server.used]);
    server.bytes = NULL;
    fuzz_check(status);
    if (akin_mem_live() != blocks) abort(); /* memory was not freed */
    return 0;
}
