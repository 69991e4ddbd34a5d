/* fetch_round: see fetch_round.h. */
#include "fetch_round.h"
#include <akin/hash.h>
#include <akin/mem.h>
#include <akin/web.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

void akin_fetch_list_free(akin_fetch_list *list) {
    akin_mem_free(list->bytes);
    *list = (akin_fetch_list){0};
}

static akin_status reserve(akin_fetch_list *list, size_t more) {
    if (list->used + more <= list->room) return AKIN_OK;
    size_t room = 2 * list->room + more + 4096;
    char *grown = akin_mem_resize(list->bytes, list->used, room, 1);
    if (!grown) return AKIN_FAILED;
    list->bytes = grown;
    list->room = room;
    return AKIN_OK;
}

static void append_encoded(akin_fetch_list *list, const char *text) {
    static const char digits[] = "0123456789ABCDEF";
    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte > ' ' && byte < 0x7F && !strchr("\"<>\\^`{|}", byte)) {
            list->bytes[list->used++] = (char)byte;
            continue;
        }
        list->bytes[list->used++] = '%';
        list->bytes[list->used++] = digits[byte >> 4];
        list->bytes[list->used++] = digits[byte & 15];
    }
}

akin_status akin_fetch_list_add(akin_fetch_list *list, size_t of, const char *head,
                                const char *url) {
    uint64_t number = of;
    akin_status status = reserve(list, sizeof number + 3 * (strlen(head) + strlen(url)) + 1);
    if (status != AKIN_OK) return status;
    memcpy(list->bytes + list->used, &number, sizeof number);
    list->used += sizeof number;
    append_encoded(list, head);
    append_encoded(list, url);
    list->bytes[list->used++] = '\0';
    return AKIN_OK;
}

/* One number for scheme, host and port; a string that is not a URL gets its own, and fails by
 * itself. */
static akin_status number_host(const char *url, uint64_t *number) {
    akin_url parts = {0};
    char port[16];
    *number = akin_hash_64(url, strlen(url));
    akin_status status = akin_url_parse(url, &parts);
    if (status == AKIN_OK && parts.host && strlen(parts.host) < 256) {
        char host[256 + sizeof port];
        int length = snprintf(host, sizeof host, "%s", parts.host);
        for (char *at = host; *at; at++)
            if (*at >= 'A' && *at <= 'Z') *at = (char)(*at + 'a' - 'A');
        bool plain = parts.scheme && strcasecmp(parts.scheme, "http") == 0;
        snprintf(host + length, sizeof port, ":%d", parts.port ? parts.port : plain ? 80 : 443);
        *number = akin_hash_64(host, strlen(host));
    }
    akin_url_free(&parts);
    if (status == AKIN_FAILED) return status;
    akin_error_clear();
    return AKIN_OK;
}

static akin_status read_block(char *block, size_t bytes, akin_fetch_round *round) {
    akin_status status = AKIN_OK;
    size_t count = 0;
    for (size_t at = 0; at < bytes; count++)
        at += sizeof(uint64_t) + strlen(block + at + sizeof(uint64_t)) + 1;
    round->of = akin_mem_alloc(count, sizeof *round->of);
    round->url = akin_mem_alloc(count, sizeof *round->url);
    round->host = akin_mem_alloc(count, sizeof *round->host);
    if (!round->of || !round->url || !round->host) return AKIN_FAILED;
    for (size_t at = 0; at < bytes && status == AKIN_OK; round->count++) {
        uint64_t number;
        memcpy(&number, block + at, sizeof number);
        round->of[round->count] = (size_t)number;
        round->url[round->count] = block + at + sizeof number;
        status = number_host(block + at + sizeof number, &round->host[round->count]);
        at += sizeof number + strlen(block + at + sizeof number) + 1;
    }
    return status;
}

akin_status akin_fetch_round_make(akin_comm *comm, akin_fetch_list *list, bool same_everywhere,
                                  akin_fetch_round *out) {
    akin_status status = AKIN_OK;
    size_t bytes = list->used, ranks = (size_t)akin_comm_size(comm), *offsets = NULL;
    *out = (akin_fetch_round){0};
    if (same_everywhere) {
        out->block = list->bytes;
        *list = (akin_fetch_list){0};
    } else {
        offsets = akin_mem_alloc(ranks + 1, sizeof *offsets);
        AKIN_TRY(akin_agree(comm, offsets ? AKIN_OK : AKIN_FAILED));
        AKIN_TRY(akin_comm_gather(comm, list->bytes, list->used, -1, &out->block, offsets));
        bytes = offsets[ranks];
        akin_fetch_list_free(list);
    }
    AKIN_TRY(akin_agree(comm, read_block(out->block, bytes, out)));
done:
    akin_mem_free(offsets);
    if (status != AKIN_OK) akin_fetch_round_free(out);
    return status;
}

void akin_fetch_round_free(akin_fetch_round *round) {
    akin_mem_free(round->of);
    akin_mem_free(round->url);
    akin_mem_free(round->host);
    akin_mem_free(round->block);
    *round = (akin_fetch_round){0};
}
