/* network_rows: files of records. */
#include "network_rows.h"
#include <akin/catalog.h>
#include <akin/file.h>
#include <akin/hash.h>
#include <akin/log.h>
#include <akin/mem.h>
#include <akin/text.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PLACE_BITS = 40, LOOK = 64 }; /* records per file; records checked between two polls */

typedef struct {
    char magic[8];
    uint64_t features;
    akin_hash128 key;
} header;
static const char magic[8] = "akinnet1";

typedef struct {
    uint64_t hash, check;
} record_head; /* followed by the image and the vector */

typedef struct {
    uint64_t hash, place;
} known;

typedef struct {
    uint64_t number;
    int descriptor; /* -1: not open */
} part;

struct akin_network_rows {
    char *name;
    header header;
    size_t features, record; /* bytes of a record */
    part *parts;             /* [part_count]: of earlier runs, then one per rank of this */
    size_t part_count, earlier;
    size_t own; /* this rank's */
    FILE *stream;
    uint64_t written;
    known *known; /* [known_count] ascending */
    size_t known_count;
    unsigned char *buffer; /* of a record */
};

/* --- names --- */

static char *name_of(const akin_network_rows *rows, size_t part) {
    size_t size = strlen(rows->name) + 24;
    char *name = akin_mem_alloc(size, 1);
    if (name)
        snprintf(name, size, "%s.%llu", rows->name, (unsigned long long)rows->parts[part].number);
    return name;
}

static int by_number(const void *a, const void *b) {
    const uint64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* Rank 0: the numbers of the existing files, ascending; owned. */
static akin_status list_files(const char *name, uint64_t **numbers, size_t *count) {
    akin_status status = AKIN_OK;
    char *folder = akin_file_folder(name);
    const char *stem = akin_file_name(name);
    size_t length = strlen(stem), room = 0;
    DIR *open = folder ? opendir(folder) : NULL;
    *numbers = NULL;
    *count = 0;
    if (!folder) return AKIN_FAILED;
    for (struct dirent *entry; open && (entry = readdir(open));) {
        long long number;
        const char *tail = entry->d_name + length;
        if (strncmp(entry->d_name, stem, length) != 0 || *tail != '.') continue;
        if (!akin_text_to_int(tail + 1, &number) || number < 0 || number >= 1 << 20) continue;
        if (*count == room) {
            uint64_t *grown = akin_mem_resize(*numbers, room, 2 * room + 16, sizeof *grown);
            if (!grown) AKIN_TRY(AKIN_FAILED);
            *numbers = grown;
            room = 2 * room + 16;
        }
        (*numbers)[(*count)++] = (uint64_t)number;
    }
    if (*count > 0) qsort(*numbers, *count, sizeof **numbers, by_number);
done:
    if (open) (void)closedir(open);
    akin_mem_free(folder);
    if (status != AKIN_OK) {
        akin_mem_free(*numbers);
        *numbers = NULL;
    }
    return status;
}

/* --- files of earlier runs --- */

static akin_status open_part(const akin_network_rows *rows, size_t index) {
    akin_status status = AKIN_OK;
    part *p = &rows->parts[index];
    if (p->descriptor >= 0) return AKIN_OK;
    char *name = name_of(rows, index);
    if (!name) return AKIN_FAILED;
    p->descriptor = open(name, O_RDONLY | O_CLOEXEC);
    if (p->descriptor < 0) status = akin_file_cannot_open(name, errno);
    akin_mem_free(name);
    return status;
}

static bool read_at(int descriptor, void *bytes, size_t count, uint64_t at) {
    for (size_t done = 0; done < count;) {
        ssize_t got = pread(descriptor, (char *)bytes + done, count - done, (off_t)(at + done));
        if (got <= 0) return false;
        done += (size_t)got;
    }
    return true;
}

static uint64_t check_of(const akin_network_rows *rows, const unsigned char *record) {
    record_head head;
    memcpy(&head, record, sizeof head);
    uint64_t rest =
        akin_hash_64(record + sizeof head, rows->record - sizeof head); /* without the head */
    uint64_t both[2] = {head.hash, rest};
    return akin_hash_64(both, sizeof both);
}

/* Reads record `index` of a file into the buffer; false: it does not exist or is damaged. */
static bool read_record(const akin_network_rows *rows, size_t part, uint64_t index) {
    record_head head;
    if (!read_at(rows->parts[part].descriptor, rows->buffer, rows->record,
                 sizeof(header) + index * rows->record))
        return false;
    memcpy(&head, rows->buffer, sizeof head);
    return head.check == check_of(rows, rows->buffer);
}

/* Rank 0: whether the files belong to this kind of run; *left: number of files to read. */
static akin_status check_files(akin_network_rows *rows, const akin_network_rows_params *params,
                               size_t *left) {
    akin_status status = AKIN_OK;
    *left = rows->earlier;
    for (size_t i = 0; i < rows->earlier; i++) {
        header found = {0};
        AKIN_TRY(open_part(rows, i));
        bool whole = read_at(rows->parts[i].descriptor, &found, sizeof found, 0);
        if (!whole || memcmp(&found, &rows->header, sizeof found) == 0) continue;
        if (params->named)
            return akin_error_set(
                AKIN_INPUT,
                "--checkpoint %s: %s.%llu is of a run with another network, other "
                "options or no checkpoint of ingest at all",
                params->name, params->name, (unsigned long long)rows->parts[i].number);
        akin_log_warning(
            "ingest: starting over, because %s.%llu is of a run with another network or "
            "other options",
            params->name, (unsigned long long)rows->parts[i].number);
        *left = 0;
        break;
    }
done:
    return status;
}

/* Reads the records of this rank's share of a file: one in `size`. */
static akin_status scan_part(akin_network_rows *rows, akin_comm *comm, size_t index, known **list,
                             size_t *count, size_t *room) {
    akin_status status = AKIN_OK;
    struct stat found;
    size_t size = (size_t)akin_comm_size(comm), rank = (size_t)akin_comm_rank(comm);
    AKIN_TRY(open_part(rows, index));
    if (fstat(rows->parts[index].descriptor, &found) != 0) found.st_size = 0;
    uint64_t bytes = (uint64_t)found.st_size;
    uint64_t records = bytes > sizeof(header) ? (bytes - sizeof(header)) / rows->record : 0;
    for (uint64_t i = rank; i < records; i += size) {
        if (i / size % LOOK == 0) akin_comm_poll(comm);
        if (!read_record(rows, index, i)) continue;
        if (*count == *room) {
            known *grown = akin_mem_resize(*list, *room, 2 * *room + 1024, sizeof *grown);
            if (!grown) return AKIN_FAILED;
            *list = grown;
            *room = 2 * *room + 1024;
        }
        record_head head;
        memcpy(&head, rows->buffer, sizeof head);
        (*list)[(*count)++] = (known){head.hash, (uint64_t)index << PLACE_BITS | i};
    }
done:
    return status;
}

static int by_hash(const void *a, const void *b) {
    const known *x = a, *y = b;
    if (x->hash != y->hash) return x->hash < y->hash ? -1 : 1;
    return (x->place > y->place) - (x->place < y->place);
}

/* Every rank reads its share, and the results are shared. Collective; agreed. */
static akin_status scan(akin_network_rows *rows, akin_comm *comm, size_t left) {
    akin_status status = AKIN_OK, local = AKIN_OK;
    known *list = NULL;
    void *all = NULL;
    size_t count = 0, room = 0, size = (size_t)akin_comm_size(comm);
    size_t *offsets = akin_mem_alloc(size + 1, sizeof *offsets);
    if (!offsets) local = AKIN_FAILED;
    for (size_t i = 0; i < left && local == AKIN_OK; i++)
        local = scan_part(rows, comm, i, &list, &count, &room);
    AKIN_TRY(akin_agree(comm, local));
    AKIN_TRY(akin_comm_gather(comm, list, count * sizeof *list, -1, &all, offsets));
    rows->known = all;
    rows->known_count = offsets[size] / sizeof *rows->known;
    if (rows->known_count > 0) qsort(rows->known, rows->known_count, sizeof *list, by_hash);
done:
    akin_mem_free(list);
    akin_mem_free(offsets);
    return status;
}

/* --- opening --- */

/* Existing files keep their numbers; those of this run follow. Collective; agreed. */
static akin_status number_parts(akin_network_rows *rows, akin_comm *comm) {
    akin_status status = AKIN_OK;
    uint64_t *numbers = NULL;
    void *bytes = NULL;
    size_t count = 0, size = (size_t)akin_comm_size(comm);
    if (akin_comm_rank(comm) == 0) status = list_files(rows->name, &numbers, &count);
    AKIN_TRY(akin_agree(comm, status));
    bytes = numbers;
    count *= sizeof *numbers;
    AKIN_TRY(akin_comm_share(comm, &bytes, &count, 0));
    numbers = bytes;
    rows->earlier = count / sizeof *numbers;
    rows->part_count = rows->earlier + size;
    rows->parts = akin_mem_alloc(rows->part_count, sizeof *rows->parts);
    AKIN_TRY(akin_agree(comm, rows->parts ? AKIN_OK : AKIN_FAILED));
    uint64_t next = rows->earlier > 0 ? numbers[rows->earlier - 1] + 1 : 0;
    for (size_t i = 0; i < rows->part_count; i++)
        rows->parts[i] = (part){i < rows->earlier ? numbers[i] : next + (i - rows->earlier), -1};
    rows->own = rows->earlier + (size_t)akin_comm_rank(comm);
done:
    akin_mem_free(numbers);
    return status;
}

static akin_status cannot_write_own(const akin_network_rows *rows, int code) {
    char *name = name_of(rows, rows->own);
    akin_status status = name ? akin_file_cannot_write(name, code) : AKIN_FAILED;
    akin_mem_free(name);
    return status;
}

static akin_status create_own(akin_network_rows *rows) {
    akin_status status = AKIN_OK;
    char *name = name_of(rows, rows->own);
    if (!name) return AKIN_FAILED;
    rows->stream = fopen(name, "wbe");
    if (!rows->stream || fwrite(&rows->header, sizeof rows->header, 1, rows->stream) != 1)
        status = akin_file_cannot_write(name, errno);
    akin_mem_free(name);
    return status;
}

static akin_status prepare(akin_network_rows *rows, const akin_network_rows_params *params) {
    rows->features = params->features;
    rows->record = sizeof(record_head) + AKIN_IMAGE_BYTES + params->features * sizeof(float);
    rows->header.features = params->features;
    rows->header.key = akin_hash_128(params->key, strlen(params->key), 0);
    memcpy(rows->header.magic, magic, sizeof magic);
    rows->name = akin_mem_text(params->name);
    rows->buffer = akin_mem_alloc(rows->record, 1);
    return rows->name && rows->buffer ? AKIN_OK : AKIN_FAILED;
}

/* Rank 0 removes files of other runs; *left is the same on all ranks. Collective; agreed. */
static akin_status look_at_files(akin_network_rows *rows, akin_comm *comm,
                                 const akin_network_rows_params *params, size_t *left) {
    akin_status status = AKIN_OK;
    if (akin_comm_rank(comm) == 0) status = check_files(rows, params, left);
    AKIN_TRY(akin_agree(comm, status));
    akin_comm_broadcast(comm, left, sizeof *left, 0);
    for (size_t i = *left; akin_comm_rank(comm) == 0 && i < rows->earlier; i++) {
        char *name = name_of(rows, i);
        if (name) akin_file_remove(name);
        akin_mem_free(name);
    }
done:
    return status;
}

akin_status akin_network_rows_create(akin_comm *comm, const akin_network_rows_params *params,
                                     akin_network_rows **out) {
    akin_status status = AKIN_OK;
    size_t left = 0;
    *out = NULL;
    akin_network_rows *rows = akin_mem_zalloc(1, sizeof *rows);
    AKIN_TRY(akin_agree(comm, rows ? prepare(rows, params) : AKIN_FAILED));
    AKIN_TRY(number_parts(rows, comm));
    AKIN_TRY(look_at_files(rows, comm, params, &left));
    AKIN_TRY(scan(rows, comm, left));
    AKIN_TRY(akin_agree(comm, create_own(rows)));
    *out = rows;
    rows = NULL;
done:
    akin_network_rows_free(rows);
    return status;
}

void akin_network_rows_free(akin_network_rows *rows) {
    if (!rows) return;
    if (rows->stream) (void)fclose(rows->stream);
    for (size_t i = 0; rows->parts && i < rows->part_count; i++)
        if (rows->parts[i].descriptor >= 0) (void)close(rows->parts[i].descriptor);
    akin_mem_free(rows->parts);
    akin_mem_free(rows->known);
    akin_mem_free(rows->buffer);
    akin_mem_free(rows->name);
    akin_mem_free(rows);
}

size_t akin_network_rows_kept(const akin_network_rows *rows) {
    return rows->known_count;
}

/* --- records --- */

bool akin_network_rows_find(const akin_network_rows *rows, uint64_t hash, uint64_t *place) {
    size_t low = 0, high = rows->known_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (rows->known[middle].hash < hash)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == rows->known_count || rows->known[low].hash != hash) return false;
    *place = rows->known[low].place;
    return true;
}

akin_status akin_network_rows_add(akin_network_rows *rows, uint64_t hash, const uint8_t *image,
                                  const float *vector, uint64_t *place) {
    record_head head = {.hash = hash};
    memcpy(rows->buffer, &head, sizeof head);
    memcpy(rows->buffer + sizeof head, image, AKIN_IMAGE_BYTES);
    memcpy(rows->buffer + sizeof head + AKIN_IMAGE_BYTES, vector, rows->features * sizeof *vector);
    head.check = check_of(rows, rows->buffer);
    memcpy(rows->buffer, &head, sizeof head);
    if (fwrite(rows->buffer, rows->record, 1, rows->stream) != 1)
        return cannot_write_own(rows, errno);
    *place = (uint64_t)rows->own << PLACE_BITS | rows->written++;
    return AKIN_OK;
}

akin_status akin_network_rows_sync(akin_network_rows *rows) {
    if (fflush(rows->stream) == 0 && fdatasync(fileno(rows->stream)) == 0) return AKIN_OK;
    return cannot_write_own(rows, errno);
}

akin_status akin_network_rows_get(akin_network_rows *rows, uint64_t place, uint8_t *image,
                                  float *vector) {
    size_t part = (size_t)(place >> PLACE_BITS);
    akin_status status = open_part(rows, part);
    if (status != AKIN_OK) return status;
    if (!read_record(rows, part, place & (((uint64_t)1 << PLACE_BITS) - 1)))
        return akin_error_set(AKIN_FAILED, "%s.%llu is damaged or was removed; submit again",
                              rows->name, (unsigned long long)rows->parts[part].number);
    const unsigned char *at = rows->buffer + sizeof(record_head);
    if (image) memcpy(image, at, AKIN_IMAGE_BYTES);
    if (vector) memcpy(vector, at + AKIN_IMAGE_BYTES, rows->features * sizeof *vector);
    return AKIN_OK;
}

void akin_network_rows_remove(akin_network_rows *rows, akin_comm *comm) {
    akin_comm_barrier(comm);
    for (size_t i = 0; akin_comm_rank(comm) == 0 && i < rows->part_count; i++) {
        char *name = name_of(rows, i);
        if (name) akin_file_remove(name);
        akin_mem_free(name);
    }
}
