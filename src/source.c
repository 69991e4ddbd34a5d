/* source: the rows of a catalogue and the bytes of their pictures. Floor 2; looks down to error, mem, text, hash, file,
 * shard, comm, source_list, source_csv, source_folder, source_tar. */
#include <akin/file.h>
#include <akin/hash.h>
#include <akin/mem.h>
#include <akin/shard.h>
#include <akin/source.h>
#include <akin/source_csv.h>
#include <akin/source_folder.h>
#include <akin/source_list.h>
#include <akin/source_tar.h>
#include <akin/text.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_LIMIT ((size_t)1 << 29) /* bytes of a picture's file; a larger one is refused */

typedef enum { KIND_CSV, KIND_FOLDER, KIND_TAR } kind;

struct akin_source {
    const akin_source_params *params; /* a copy, as below */
    akin_source_params own;
    char **names;    /* [count] */
    char *root;      /* NULL */
    uint32_t *kinds; /* [count] */
    char **bases;    /* [count] what relative paths are below; NULL for archives */
    akin_source_list *list;
    size_t *order; /* [valid] */
    size_t valid;
    char digest[AKIN_HASH_TEXT_SIZE];
};

/* --- listing, by rank 0 ---------------------------------------------------------------------------------------------
 */

static akin_status find_kind(const char *name, uint32_t *found) {
    struct stat what;
    if (stat(name, &what) != 0) return akin_error_set(AKIN_FAILED, "%s: %s", name, strerror(errno));
    if (S_ISDIR(what.st_mode)) {
        *found = KIND_FOLDER;
        return AKIN_OK;
    }
    if (!S_ISREG(what.st_mode)) return akin_error_set(AKIN_FAILED, "%s: neither a file nor a folder", name);
    int file = open(name, O_RDONLY | O_CLOEXEC);
    if (file < 0) return akin_error_set(AKIN_FAILED, "%s: cannot be opened: %s", name, strerror(errno));
    close(file);
    static const char *const endings[] = {".tar", ".tgz", ".txz", ".tbz", ".tbz2", ".tzst"};
    bool tar = strstr(akin_file_name(name), ".tar.") != NULL;
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        tar |= strcmp(akin_file_ending(name), endings[i]) == 0;
    *found = tar || akin_source_tar_matches(name) ? KIND_TAR : KIND_CSV;
    return AKIN_OK;
}

static akin_status list_one(akin_source *source, uint32_t index) {
    static akin_status (*const listers[])(const char *, akin_source_list *) = {
        [KIND_CSV] = akin_source_csv_list, [KIND_FOLDER] = akin_source_folder_list, [KIND_TAR] = akin_source_tar_list};
    akin_source_list_begin(source->list, index);
    akin_status status = find_kind(source->names[index], &source->kinds[index]);
    if (status != AKIN_OK) return status;
    return listers[source->kinds[index]](source->names[index], source->list);
}

static const akin_source_list *sorted_list; /* qsort's compare knows no context, and threads do not list */

static int by_id(const void *a, const void *b) {
    const size_t x = *(const size_t *)a, y = *(const size_t *)b;
    const akin_source_record *records = akin_source_list_records((akin_source_list *)sorted_list);
    int order =
        strcmp(akin_source_list_text(sorted_list, records[x].id), akin_source_list_text(sorted_list, records[y].id));
    return order ? order : (x > y) - (x < y);
}

/* Rows that are not refused, by id; the later of two with one id follows the first. */
static akin_status sort_rows(akin_source *source) {
    size_t count = akin_source_list_count(source->list);
    const akin_source_record *records = akin_source_list_records(source->list);
    if (!source->order) source->order = akin_mem_alloc(count, sizeof *source->order);
    if (!source->order) return AKIN_FAILED;
    bool sorted = true;
    source->valid = 0;
    sorted_list = source->list;
    for (size_t i = 0; i < count; i++) {
        if (records[i].reason) continue;
        source->order[source->valid] = i;
        if (source->valid && by_id(&source->order[source->valid - 1], &i) > 0) sorted = false;
        source->valid++;
    }
    if (!sorted) qsort(source->order, source->valid, sizeof *source->order, by_id);
    return AKIN_OK;
}

static akin_status refuse_duplicates(akin_source *source) {
    akin_status status = AKIN_OK;
    AKIN_TRY(sort_rows(source));
    const akin_source_record *records = akin_source_list_records(source->list);
    const char *first = NULL;
    for (size_t i = 0; i < source->valid; i++) {
        const char *id = akin_source_list_text(source->list, records[source->order[i]].id);
        bool again = first && strcmp(first, id) == 0;
        first = id;
        if (!again) continue;
        uint64_t text = records[source->order[i]].id; /* texts may move */
        AKIN_TRY(
            akin_source_list_refuse(source->list, source->order[i], "the id is a duplicate: an earlier row has it"));
        first = akin_source_list_text(source->list, text);
    }
done:
    return status;
}

static akin_status list_all(akin_source *source) {
    akin_status status = AKIN_OK;
    for (uint32_t i = 0; i < source->params->count; i++) AKIN_TRY(list_one(source, i));
    if (source->root && !akin_file_is_folder(source->root)) {
        status = akin_error_set(AKIN_FAILED, "--root %s: no such folder", source->root);
        goto done;
    }
    AKIN_TRY(refuse_duplicates(source));
done:
    return status;
}

/* --- paths ----------------------------------------------------------------------------------------------------------
 */

static bool confined(const akin_source *source, size_t index) {
    return source->kinds[index] == KIND_CSV && source->root;
}

/* What the names of this source are below; real paths where nothing may lead outside. */
static akin_status find_base(akin_source *source, size_t index) {
    if (source->kinds[index] == KIND_FOLDER)
        source->bases[index] = akin_mem_text(source->names[index]);
    else if (source->kinds[index] == KIND_CSV && !source->root)
        source->bases[index] = akin_file_folder(source->names[index]);
    else if (source->kinds[index] == KIND_CSV) {
        char *real = realpath(source->root, NULL);
        if (!real) return akin_error_set(AKIN_FAILED, "--root %s: %s", source->root, strerror(errno));
        source->bases[index] = akin_mem_text(real);
        free(real);
    } else
        return AKIN_OK;
    return source->bases[index] ? AKIN_OK : AKIN_FAILED;
}

/* The file of a row that is no archive's; owned. NULL: no memory. */
static char *file_of(const akin_source *source, const akin_source_record *record) {
    return akin_file_join(source->bases[record->source], akin_source_list_text(source->list, record->path));
}

/* Whether the real path lies below the base. */
static bool lies_below(const char *base, const char *path) {
    char *real = realpath(path, NULL);
    size_t length = strlen(base);
    if (length == 1) length = 0;
    bool below = real && strncmp(real, base, length) == 0 && real[length] == '/';
    free(real);
    return below;
}

/* --- the digest -----------------------------------------------------------------------------------------------------
 */

static akin_status digest_row(akin_source *source, const akin_source_record *record, size_t row, akin_hasher *hasher,
                              uint64_t sum[2]) {
    const uint64_t texts[] = {record->id, record->path, record->category, record->group};
    struct stat file = {0};
    char *path = NULL;
    bool archive = source->kinds[record->source] == KIND_TAR;
    if (!archive && !(path = file_of(source, record))) return AKIN_FAILED;
    bool there = stat(archive ? source->names[record->source] : path, &file) == 0;
    akin_mem_free(path);
    const int64_t numbers[] = {(int64_t)row,
                               record->available,
                               record->member,
                               there ? (int64_t)file.st_size : -1,
                               there ? (int64_t)file.st_mtim.tv_sec : 0,
                               there ? (int64_t)file.st_mtim.tv_nsec : 0};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        akin_hasher_add_text(hasher, akin_source_list_text(source->list, texts[i]));
    akin_hasher_add(hasher, numbers, sizeof numbers);
    akin_hash128 hash = akin_hasher_result(hasher);
    sum[0] += hash.low;
    sum[1] += hash.high;
    return AKIN_OK;
}

/* Collective. Each rank looks at its share of the files; a sum may be added up in any order. */
static akin_status digest_rows(akin_source *source, akin_comm *comm) {
    akin_status status = AKIN_OK;
    size_t count = akin_source_list_count(source->list);
    size_t first = akin_shard_first(count, akin_comm_size(comm), akin_comm_rank(comm));
    size_t end = first + akin_shard_count(count, akin_comm_size(comm), akin_comm_rank(comm));
    uint64_t sum[2] = {0, 0};
    for (size_t row = first; row < end && status == AKIN_OK; row++) {
        akin_hasher *hasher = NULL;
        status = akin_hasher_create(&hasher);
        if (status == AKIN_OK)
            status = digest_row(source, &akin_source_list_records(source->list)[row], row, hasher, sum);
        akin_hasher_free(hasher);
        akin_comm_poll(comm);
    }
    AKIN_TRY(akin_agree(comm, status));
    akin_comm_sum_i64(comm, (int64_t *)sum, 2);
    akin_hash_text((akin_hash128){sum[0] + count, sum[1]}, source->digest);
done:
    return status;
}

/* --- the object -----------------------------------------------------------------------------------------------------
 */

static akin_status create(const akin_source_params *params, akin_source **out) {
    akin_source *source = *out = akin_mem_zalloc(1, sizeof *source);
    if (!source) return AKIN_FAILED;
    source->own = *params;
    source->params = &source->own;
    source->names = akin_mem_zalloc(params->count, sizeof *source->names);
    source->kinds = akin_mem_zalloc(params->count, sizeof *source->kinds);
    source->bases = akin_mem_zalloc(params->count, sizeof *source->bases);
    if (!source->names || !source->kinds || !source->bases) return AKIN_FAILED;
    for (size_t i = 0; i < params->count; i++)
        if (!(source->names[i] = akin_mem_text(params->names[i]))) return AKIN_FAILED;
    if (params->root && !(source->root = akin_mem_text(params->root))) return AKIN_FAILED;
    return akin_source_list_create(&source->list);
}

static akin_status find_bases(akin_source *source) {
    akin_status status = AKIN_OK;
    for (size_t i = 0; i < source->params->count; i++) AKIN_TRY(find_base(source, i));
done:
    return status;
}

akin_status akin_source_open(akin_comm *comm, const akin_source_params *params, akin_source **out) {
    akin_status status = AKIN_OK;
    akin_source *source = NULL;
    bool lister = akin_comm_rank(comm) == 0;
    *out = NULL;
    AKIN_TRY(akin_agree(comm, create(params, &source)));
    AKIN_TRY(akin_agree(comm, lister ? list_all(source) : AKIN_OK));
    akin_comm_broadcast(comm, source->kinds, params->count * sizeof *source->kinds, 0);
    AKIN_TRY(akin_source_list_share(source->list, comm, 0));
    status = sort_rows(source);
    if (status == AKIN_OK) status = find_bases(source);
    AKIN_TRY(akin_agree(comm, status));
    AKIN_TRY(digest_rows(source, comm));
    *out = source;
    source = NULL;
done:
    akin_source_close(source);
    return status;
}

void akin_source_close(akin_source *source) {
    if (!source) return;
    for (size_t i = 0; source->names && i < source->params->count; i++) akin_mem_free(source->names[i]);
    for (size_t i = 0; source->bases && i < source->params->count; i++) akin_mem_free(source->bases[i]);
    akin_mem_free(source->names);
    akin_mem_free(source->bases);
    akin_mem_free(source->kinds);
    akin_mem_free(source->root);
    akin_mem_free(source->order);
    akin_source_list_free(source->list);
    akin_mem_free(source);
}

size_t akin_source_rows(const akin_source *source) {
    return akin_source_list_count(source->list);
}

akin_source_row akin_source_get(const akin_source *source, size_t row) {
    const akin_source_record *record = &akin_source_list_records(source->list)[row];
    return (akin_source_row){
        .id = akin_source_list_text(source->list, record->id),
        .path = akin_source_list_text(source->list, record->path),
        .category = akin_source_list_text(source->list, record->category),
        .group = akin_source_list_text(source->list, record->group),
        .available = record->available != 0,
        .reason = record->reason ? akin_source_list_text(source->list, record->reason) : NULL,
    };
}

const char *akin_source_digest(const akin_source *source) {
    return source->digest;
}

size_t akin_source_valid(const akin_source *source) {
    return source->valid;
}

const size_t *akin_source_order(const akin_source *source) {
    return source->order;
}

size_t akin_source_find(const akin_source *source, const char *id) {
    size_t low = 0, high = source->valid;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(akin_source_get(source, source->order[middle]).id, id);
        if (order == 0) return source->order[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return SIZE_MAX;
}

/* --- reading pictures -----------------------------------------------------------------------------------------------
 */

typedef struct {
    uint8_t *bytes;
    size_t count, room;
} buffer;

/* To the end or beyond the limit; what the file system says of the size is a hint. */
static akin_status read_descriptor(int file, size_t hint, buffer *data, const char **reason) {
    data->count = 0;
    for (;;) {
        if (data->count == data->room) {
            size_t room = hint < FILE_LIMIT && hint >= 2 * data->room ? hint + 1 : 2 * data->room + 1;
            uint8_t *grown = akin_mem_resize(data->bytes, data->count, room, 1);
            if (!grown) return AKIN_FAILED;
            data->bytes = grown;
            data->room = room;
        }
        ssize_t got = read(file, data->bytes + data->count, data->room - data->count);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) *reason = strerror(errno);
        if (got <= 0) return AKIN_OK;
        data->count += (size_t)got;
        if (data->count > FILE_LIMIT) {
            *reason = "the file is too large";
            return AKIN_OK;
        }
    }
}

/* A pipe or a device is not waited for. */
static akin_status read_path(const char *path, buffer *data, const char **reason) {
    struct stat what;
    akin_status status = AKIN_OK;
    int file = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (file < 0 || fstat(file, &what) != 0)
        *reason = errno == ENOENT ? "no such file" : strerror(errno);
    else if (S_ISDIR(what.st_mode))
        *reason = "a folder, not a file";
    else if (!S_ISREG(what.st_mode))
        *reason = "not a regular file";
    else
        status = read_descriptor(file, (size_t)what.st_size, data, reason);
    if (file >= 0) close(file);
    return status;
}

static akin_status read_file(const akin_source *source, size_t row, buffer *data, akin_source_picture each,
                             void *context) {
    const akin_source_record *record = &akin_source_list_records(source->list)[row];
    const char *reason = NULL;
    char *path = file_of(source, record);
    if (!path) return AKIN_FAILED;
    akin_status status = AKIN_OK;
    bool there = access(path, F_OK) == 0;
    if (confined(source, record->source) && there && !lies_below(source->bases[record->source], path))
        reason = "the path leads outside of --root";
    else
        status = read_path(path, data, &reason);
    akin_mem_free(path);
    return status == AKIN_OK ? each(context, row, reason ? NULL : data->bytes, data->count, reason) : status;
}

typedef struct {
    int64_t member;
    size_t row;
} member_row;

typedef struct {
    const member_row *rows; /* [count] ascending by member */
    size_t count, next;
    akin_source_picture each;
    void *context;
} archive_rows;

static int by_member(const void *a, const void *b) {
    const member_row *x = a, *y = b;
    if (x->member != y->member) return x->member < y->member ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

/* A member's bytes are those of every link to it too. */
static akin_status each_member(void *context, int64_t member, const uint8_t *bytes, size_t count, const char *reason) {
    archive_rows *rows = context;
    akin_status status = AKIN_OK;
    for (; status == AKIN_OK && rows->next < rows->count && rows->rows[rows->next].member == member; rows->next++)
        status = rows->each(rows->context, rows->rows[rows->next].row, bytes, count, reason);
    return status;
}

static akin_status read_archive(const akin_source *source, uint32_t index, const bool *wanted, akin_source_picture each,
                                void *context) {
    akin_status status = AKIN_OK;
    const akin_source_record *records = akin_source_list_records(source->list);
    size_t count = 0, distinct = 0;
    for (size_t i = 0; i < source->valid; i++)
        count += wanted[source->order[i]] && records[source->order[i]].source == index;
    member_row *rows = akin_mem_alloc(count, sizeof *rows);
    int64_t *members = akin_mem_alloc(count, sizeof *members);
    if (!rows || !members) {
        status = AKIN_FAILED;
        goto done;
    }
    count = 0;
    for (size_t i = 0; i < source->valid; i++) {
        size_t row = source->order[i];
        if (wanted[row] && records[row].source == index) rows[count++] = (member_row){records[row].member, row};
    }
    qsort(rows, count, sizeof *rows, by_member);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || rows[i].member != rows[i - 1].member) members[distinct++] = rows[i].member;
    archive_rows given = {.rows = rows, .count = count, .each = each, .context = context};
    AKIN_TRY(akin_source_tar_read(source->names[index], members, distinct, FILE_LIMIT, each_member, &given));
done:
    akin_mem_free(rows);
    akin_mem_free(members);
    return status;
}

akin_status akin_source_read(const akin_source *source, const bool *wanted, akin_source_picture each, void *context) {
    akin_status status = AKIN_OK;
    buffer data = {0};
    const akin_source_record *records = akin_source_list_records(source->list);
    for (size_t i = 0; i < source->valid; i++) {
        size_t row = source->order[i];
        if (wanted[row] && source->kinds[records[row].source] != KIND_TAR)
            AKIN_TRY(read_file(source, row, &data, each, context));
    }
    for (uint32_t index = 0; index < source->params->count; index++)
        if (source->kinds[index] == KIND_TAR) AKIN_TRY(read_archive(source, index, wanted, each, context));
done:
    akin_mem_free(data.bytes);
    return status;
}
